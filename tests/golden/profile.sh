#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Kernel profiles: on machines whose memblock nobody could ask, each zone's managed pages come out
# within 0.5 % of what the real kernel had, and nearly always exactly.
. "$2/tests/golden/harness"
captures=tests/reference/captures

# managed FILE: "NODE ZONE PAGES" of each zone of a zoneinfo that has any.
managed()
{
	awk '/^Node/ { zone = $2 $4 } $1 == "managed" && $2 > 0 { print zone, $2 }' "$1"
}

# errors NAME: of each zone by how many pages the simulated one differs, and how many the real has.
errors()
{
	run show "$tmp/$1.cfg" zoneinfo
	status 0
	managed "$tmp/out" >"$tmp/simulated"
	managed "$tmp/$1/zoneinfo.txt" >"$tmp/captured"
	join "$tmp/captured" "$tmp/simulated" | awk '{ d = $3 - $2; print $1, d < 0 ? -d : d, $2 }'
}

# given NAME: the machine file with the zones' managed pages given makes every other figure.
given()
{
	managed "$tmp/$1/zoneinfo.txt" |
		awk -F '[ ,]' 'BEGIN { print "zones = (" }
		     { printf "%s{ node = %s; zone = \"%s\"; managed = %s; }", n++ ? ",\n" : "", $1, $2, $3 }
		     END { print ");" }' >"$tmp/zones"
	cat "$tmp/$1.cfg" "$tmp/zones" >"$tmp/given.cfg"
	run diff "$tmp/$1" "$tmp/given.cfg"
	status 0
}

import()
{
	run import capture "$tmp/$1" -o "$tmp/$1.cfg"
	status 0
	grep -q 'reservations = "partial"' "$tmp/$1.cfg" || fail "the reservations are complete"
}

for archive in "$captures"/*.tar.gz; do
	name=$(basename "$archive" .tar.gz)
	gzip -dc "$archive" | tar -xf - -C "$tmp"
	rm -f "$tmp/$name"/memblock_*.tsv
	import "$name"
	errors "$name" >"$tmp/errors"
	[ "$(wc -l <"$tmp/errors")" -eq "$(wc -l <"$tmp/captured")" ] || fail "$name: zones are missing"
	awk '$2 * 200 > $3 { print; bad = 1 } END { exit bad }' "$tmp/errors" ||
		fail "$name: managed is off by more than 0.5 %"
	awk '$2 > 2 { print; bad = 1 } END { exit bad }' "$tmp/errors" ||
		fail "$name: managed is off by more than two pages"
	[ "$name" = x_numa7_offline ] || given "$name"
done

# By release and architecture. Without the profile it is worse: 64 MiB of bounce buffers are free.
profile()
{
	grep -q "profile = \"$2\"" "$tmp/$1.cfg" || fail "$1: its profile is not $2"
}
profile c_uma6g_4cpu debian-12-amd64
profile n_i386_686_512m debian-12-686
profile q_i386_686pae_4g debian-12-686-pae
name=c_uma6g_4cpu
sed -i '/profile = /d' "$tmp/$name.cfg"
errors $name >"$tmp/errors"
awk '$1 == "0,DMA32" && $2 == 16384 { found = 1 } END { exit !found }' "$tmp/errors" ||
	fail "the profile has no effect"

# A kernel that no profile is for: said, in the file too.
for file in uname.txt dmesg.txt; do
	sed 's/6\.1\.0-[0-9]*-amd64/6.9.9-mine/' "$tmp/$name/$file" >"$tmp/renamed"
	mv "$tmp/renamed" "$tmp/$name/$file"
done
import $name
err "no kernel profile is known for 6.9.9-mine"
grep -q 'No profile is known' "$tmp/$name.cfg" || fail "the file does not say it"
! grep -q 'profile = ' "$tmp/$name.cfg" || fail "there is a profile"

# One's own, beside the machine file; errors in it have its own lines.
sed 's/^kernel = {/& profile = ".\/mine.cfg";/' "$tmp/$name.cfg" >"$tmp/own.cfg"
cp configs/kernels/debian-12-amd64.cfg "$tmp/mine.cfg"
run check "$tmp/mine.cfg" "$tmp/own.cfg"
status 0
out "$tmp/mine.cfg: ok (kernel profile, x86_64, 2 hash tables, 7 other reservations)"
sed 's/bucket = "8B"/bucket = "24B"/' "$tmp/mine.cfg" >"$tmp/wrong"
mv "$tmp/wrong" "$tmp/mine.cfg"
run check "$tmp/own.cfg"
status 2
err "$tmp/./mine.cfg:17: hash_tables[0].bucket: expected a power of two"
end
