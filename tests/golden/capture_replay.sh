#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# From tools/capture to a replay, with what a real kernel's files held: the archive is imported, is equal
# to its machine, and is a start. And captures that go wrong leave what was there before.
. "$2/tests/golden/harness"
. tests/golden/fake_kernel
name=f_numa4_uneven_ring
gzip -dc tests/reference/captures/$name.tar.gz | tar -xf - -C "$tmp"
gzip -dc tests/reference/files/$name.tar.gz | tar -xf - -C "$tmp"
good=$tmp/$name
possible=0-3

# An x86_64, whatever this runs on.
mkdir "$tmp/bin"
printf '#!/bin/sh\necho x86_64\n' >"$tmp/bin/uname"
chmod +x "$tmp/bin/uname"
PATH=$tmp/bin:$PATH

# Each CPU takes pages of its own node (0x2000 is node 0's, 0x50000 node 1's, 0x110000 node 2's, 0x130000
# node 3's), but once CPU 2 has one of node 3: placed so by nothing that the trace tells. One is freed
# that is from before the window.
cat >"$tmp/canned" <<'END'
# tracer: nop
            wl-7     [000] .....     1.000001: mm_page_alloc: page=000000006bed3d97 pfn=0x2000 order=0 migratetype=0 gfp_flags=GFP_KERNEL
            wl-8     [001] .....     1.000002: mm_page_alloc: page=000000006bed3d97 pfn=0x50000 order=0 migratetype=1 gfp_flags=GFP_HIGHUSER_MOVABLE
            wl-8     [001] .....     1.000003: mm_page_alloc: page=000000006bed3d97 pfn=0x50002 order=1 migratetype=0 gfp_flags=GFP_KERNEL
            wl-9     [002] .....     1.000004: mm_page_alloc: page=000000006bed3d97 pfn=0x110000 order=0 migratetype=0 gfp_flags=GFP_KERNEL
            wl-9     [002] .....     1.000005: mm_page_alloc: page=000000006bed3d97 pfn=0x130004 order=0 migratetype=0 gfp_flags=GFP_KERNEL
            wl-5     [003] .....     1.000006: mm_page_alloc: page=000000006bed3d97 pfn=0x130000 order=2 migratetype=0 gfp_flags=GFP_KERNEL
            wl-5     [003] .....     1.000007: mm_page_free: page=000000006bed3d97 pfn=0x130000 order=2
            wl-7     [000] .....     1.000008: mm_page_free: page=000000006bed3d97 pfn=0x3000 order=0
END
# What happened meanwhile to node 1's counters: the two of it, and three that were not traced.
cat >"$tmp/command" <<END
cp $tmp/canned $tmp/k/sys/kernel/tracing/trace
awk '\$1 == "numa_hit" || \$1 == "local_node" { \$2 += 5 } { print }' $good/node1.numastat.txt \
	>$tmp/k/sys/devices/system/node/node1/numastat
END

cat >"$tmp/expected" <<'END'
1 0 DMA32 0 DMA32 -
2 1 DMA32 1 DMA32 -
3 1 DMA32 1 DMA32 -
4 2 Normal 2 Normal -
5 3 Normal 2 Normal unknown
6 3 Normal 3 Normal -
END

fresh
sed -n 's/^min_free_kbytes = //p' "$good/sysctl_vm.txt" >"$k/proc/sys/vm/min_free_kbytes"
capture -o "$tmp/c.tar.gz" -- sh "$tmp/command"
status 0
silent out
err "c.tar.gz: 8 events"
restored

run import capture "$tmp/c.tar.gz" -o "$tmp/c.cfg"
status 0
run diff "$tmp/c.tar.gz" "$tmp/c.cfg"
status 0
out "308 of 308 figures equal"
run replay "$tmp/c.cfg" "$tmp/c.tar.gz" --start "$tmp/c.tar.gz" --placement "$tmp/places" --verify \
	--format json
status 0
is alloc 6
is free 1
is free_held 1
is compared 6
is node_agree 5
is zone_agree 5
tr '\t' ' ' <"$tmp/places" | diff - "$tmp/expected" || fail "--placement is another"
sed -n '/"node": 1,/,/"numa_miss"/p' "$tmp/out" | tr -d ' \n' | grep -q '"numa_hit":{"simulated":2,"real":5},' ||
	fail "node 1's numa_hit is not counted from before/ to after/"
# The folder in it is the same capture.
(umask 022 && cd "$tmp" && tar -xzf c.tar.gz)
cp "$tmp/out" "$tmp/first"
run replay "$tmp/c.cfg" "$tmp/c/trace.txt.gz" --start "$tmp/c" --verify --format json
status 0
for key in node_agree zone_agree simulated_ps; do
	[ "$(member $key)" = "$(sed -n "s/^ *\"$key\": \([0-9]*\),*$/\1/p" "$tmp/first" | head -n 1)" ] ||
		fail "$key of the folder is another"
done

# Without compression, and what ended by a signal.
fresh
capture -o "$tmp/s.tar" -- sh -c "sh $tmp/command; kill -TERM \$\$"
status 0
err "the command ended with status 143"
run replay "$tmp/c.cfg" "$tmp/s.tar" --start "$tmp/s.tar" --format json
status 0
is node_agree 5

# An archive that was cut is no start, no machine and no trace.
head -c 9000 "$tmp/c.tar.gz" >"$tmp/cut.tar.gz"
run import capture "$tmp/cut.tar.gz" -o "$tmp/cut.cfg"
wrong "numasim: $tmp/cut.tar.gz"
[ ! -e "$tmp/cut.cfg" ] || fail "a machine was made of it"
run replay "$tmp/c.cfg" "$tmp/c.tar.gz" --start "$tmp/cut.tar.gz"
wrong "numasim: $tmp/cut.tar.gz"

# failed STATUS TEXT: it said so; what was there before under this name still is, and nothing else.
echo "of last year" >"$tmp/old"
failed()
{
	status "$1"
	silent out
	err "capture: $2"
	cmp -s "$tmp/old" "$tmp/o/c.tar.gz" || fail "the old archive is touched"
	[ "$(ls -A "$tmp/o")" = c.tar.gz ] || fail "something is left: $(ls -A "$tmp/o")"
}

# A program in front of the others that fails.
stand_in()
{
	printf '#!/bin/sh\ncat >/dev/null\nexit 1\n' >"$tmp/bin/$1"
	chmod +x "$tmp/bin/$1"
}

mkdir "$tmp/o"
cp "$tmp/old" "$tmp/o/c.tar.gz"
fresh
stand_in gzip
capture -o "$tmp/o/c.tar.gz" -- sh "$tmp/command"
failed 1 "cannot write the trace (is the disk full?)"
restored
rm "$tmp/bin/gzip"
fresh
stand_in tar
capture -o "$tmp/o/c.tar.gz" -- sh "$tmp/command" </dev/null
failed 1 "cannot write $tmp/o/c.tar.gz (is the disk full?)"
restored
rm "$tmp/bin/tar"
fresh
capture -o /proc/c.tar.gz -- sh "$tmp/command"
failed 2 "cannot make the folder /proc/.numasim-capture."
untouched
capture -o "$tmp/o" -- true
failed 2 "$tmp/o: expected a name that ends in"
untouched
mkdir "$tmp/folder.tar"
capture -o "$tmp/folder.tar" -- true
failed 2 "$tmp/folder.tar is a folder: expected the name of a file"
capture -o "$tmp/o/.tar.gz" -- true
failed 2 "$tmp/o/.tar.gz: expected a name before the suffix"

# A disk that is full indeed, where one can be had: before the tracer is touched.
if unshare -rm sh -c "mount -t tmpfs -o size=64k none '$tmp/folder.tar'" 2>/dev/null; then
	fresh
	ran="(tools/capture on a full disk)"
	# shellcheck disable=SC2016 # they are of the inner shell
	unshare -rm sh -c 'mount -t tmpfs -o size=64k none "$1"; shift; "$@"; ended=$?; ls -A "$0"; exit $ended' \
		"$tmp/folder.tar" "$tmp/folder.tar" $shell tools/capture --root "$k" -o "$tmp/folder.tar/c.tar" \
		-- touch "$tmp/traced" >"$tmp/out" 2>"$tmp/err" </dev/null
	found_status=$?
	failed 1 "cannot write in $tmp/folder.tar/.numasim-capture."
	untouched
	[ ! -e "$tmp/traced" ] || fail "the command ran"
else
	echo "skipped: a full disk, which needs user namespaces"
fi

# A tracer that does not do as it is told.
fresh
rm "$t/tracing_on"
mkdir "$t/tracing_on"
capture -o "$tmp/o/c.tar.gz" -- sh "$tmp/command"
failed 1 "cannot switch tracing on"
fresh
rm "$t/events/kmem/mm_page_free/enable"
mkdir "$t/events/kmem/mm_page_free/enable"
capture -o "$tmp/o/c.tar.gz" -- touch "$tmp/traced"
failed 1 "cannot switch on kmem:mm_page_free"
[ ! -e "$tmp/traced" ] || fail "the command ran"
fresh
capture --root "$tmp/nowhere" -o "$tmp/o/c.tar.gz" -- true
failed 2 "$tmp/nowhere/proc/zoneinfo is missing"
end
