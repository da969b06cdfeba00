#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# One machine, booted by the real kernel with several options that change its nodes and zones. From
# the capture without any, numasim makes each: the option is all that it is told.
. "$2/tests/golden/harness"
captures=tests/reference/captures
base=x_numa4_pluggable

for name in $base x_numa4_movable_node x_numa4_fake_512m x_numa4_fake_3u; do
	gzip -dc "$captures/$name.tar.gz" | tar -xf - -C "$tmp"
done
rm "$tmp/$base"/memblock_*.tsv
run import capture "$tmp/$base" -o "$tmp/base.cfg"
status 0
[ "$(grep -c 'hotpluggable = true' "$tmp/base.cfg")" -eq 2 ] || fail "SRAT has two such ranges"

# equal NAME SETTING: every figure of that capture.
equal()
{
	run diff "$tmp/$1" "$tmp/base.cfg" --set "$2"
	status 0
	tail -1 "$tmp/out" | grep -q "figures equal" || fail "$1: no sum"
}

equal $base kernel.movable_node=false
equal x_numa4_movable_node kernel.movable_node=true
equal x_numa4_fake_512m kernel.numa_fake=512MiB
equal x_numa4_fake_3u kernel.numa_fake=3U

# With another option there are differences: the comparison can fail.
run diff "$tmp/x_numa4_fake_3u" "$tmp/base.cfg" --set kernel.numa_fake=4U
status 1
run diff "$tmp/x_numa4_movable_node" "$tmp/base.cfg"
status 1
out "node 2, zone Movable: managed"
end
