#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run --show and replay --show: the views of numasim show, of the machine as the work leaves it.
. "$2/tests/golden/harness"
machine=$PWD/configs/machines/W1b_touch_4k_2x512m.cfg

# view NAME: $tmp/view is what was printed of that view.
view()
{
	awk -v head="==> $1 <==" '$0 == head { on = 1; next } /^==> .* <==$/ { on = 0 } on' "$tmp/out" |
		sed '${/^$/d}' >"$tmp/view"
	[ -s "$tmp/view" ] || fail "no view $1"
}

says()
{
	grep -qxF -- "$1" "$tmp/view" || fail "the view does not say: $1"
}

# A process with 2048 anonymous pages, of which it locks 256, a file that is written and mapped, and one
# of tmpfs that is only written.
cat >"$tmp/process.cfg" <<END
machine = "$machine";
workloads = (
	{
		kind = "process"; name = "server"; cpus = [ 0 ];
		steps = (
			{ do = "mmap"; range = "table"; bytes = "8MiB"; },
			{ do = "touch"; range = "table"; },
			{ do = "mlock"; range = "table"; bytes = "1MiB"; },
			{ do = "write"; file = "/data/log"; bytes = "512KiB"; },
			{ do = "mmap"; range = "log"; bytes = "256KiB"; file = "/data/log"; shared = true; },
			{ do = "touch"; range = "log"; write = false; },
			{ do = "write"; file = "/dev/shm/ring"; bytes = "64KiB"; }
		);
	}
);
END
views="--show meminfo --show vmstat --show numa_maps:server --show numa_maps --show meminfo:1 --show zoneinfo"
# shellcheck disable=SC2086 # several words
run run "$tmp/process.cfg" --thp never $views
status 0
silent err
cp "$tmp/out" "$tmp/with"
view meminfo
says "AnonPages:          8192 kB"
says "Mlocked:            1024 kB"
says "Unevictable:        1024 kB"
says "Cached:              576 kB"
says "Shmem:                64 kB"
says "Mapped:              256 kB"
says "Dirty:               512 kB"
says "Inactive(file):      512 kB"
# 1792 that are not locked and 16 of tmpfs, less those that wait in the CPU's batch of at most 15.
inactive=$(sed -n 's/^Inactive(anon): *\([0-9]*\) kB/\1/p' "$tmp/view")
{ [ "$inactive" -le 7232 ] && [ "$inactive" -gt 7172 ]; } || fail "$inactive kB of inactive anonymous memory"
# 2048 anonymous pages and 64 of the file, from where the highest free addresses are: 4 to 6 tables of
# entries, and one above.
tables=$(sed -n 's/^PageTables: *\([0-9]*\) kB/\1/p' "$tmp/view")
{ [ "$tables" -ge 24 ] && [ "$tables" -le 28 ]; } || fail "$tables kB of page tables"
view vmstat
says "nr_anon_pages 2048"
says "nr_mapped 64"
says "nr_file_pages 144"
says "nr_shmem 16"
says "nr_mlock 256"
says "nr_dirty 128"
says "nr_zone_write_pending 128"
says "nr_page_table_pages $((tables / 4))"
allocated=$(awk '/^pgalloc_/ { sum += $2 } END { print sum }' "$tmp/view")
[ "$allocated" -ge 2192 ] || fail "$allocated pages allocated"
view numa_maps:server
cp "$tmp/view" "$tmp/maps"
grep -q ' anon=256 dirty=256 N0=256 kernelpagesize_kB=4$' "$tmp/view" || fail "not what is locked"
grep -q ' anon=1792 dirty=1792 active=0 N0=1792 kernelpagesize_kB=4$' "$tmp/view" || fail "not the rest"
view numa_maps
sed 1d "$tmp/view" | cmp - "$tmp/maps" || fail "not the one process that there is"
[ "$(head -n 1 "$tmp/view")" = server: ] || fail "no name of the process"
view meminfo:1
says "Node 1 AnonPages:             0 kB"
view zoneinfo
[ "$(awk '$1 == "nr_anon_pages" { print $2 }' "$tmp/view" | head -n 1)" = 2048 ] || fail "zoneinfo of node 0"

# Nothing else of the run changes by looking; each view is behind the other figures.
run run "$tmp/process.cfg" --thp never
head -n "$(wc -l <"$tmp/out")" "$tmp/with" | cmp - "$tmp/out" || fail "views change the run"
run run "$tmp/process.cfg" --thp never --show slabinfo --show buddyinfo
view buddyinfo
cp "$tmp/view" "$tmp/buddyinfo"
run run "$tmp/process.cfg" --thp never --show buddyinfo
view buddyinfo
cmp "$tmp/view" "$tmp/buddyinfo" || fail "looking at slabs changes free lists"

# What work does not change is what numasim show prints, in text and as JSON.
for of in zonelists sysctl pageflags topology; do
	run show "$machine" $of --thp never
	cp "$tmp/out" "$tmp/shown"
	run run "$tmp/process.cfg" --thp never --show $of
	view $of
	sed '${/^$/d}' "$tmp/shown" | cmp - "$tmp/view" || fail "not what show prints of $of"
done
run show "$machine" zonelists --format json
tr -d ' \n' <"$tmp/out" >"$tmp/shown"
run run "$tmp/process.cfg" --show zonelists --show meminfo:0 --format json
status 0
tr -d ' \n' <"$tmp/out" >"$tmp/flat"
grep -qF "\"views\":[{\"view\":\"zonelists\",\"content\":$(cat "$tmp/shown")},{\"view\":\"meminfo:0\"" "$tmp/flat" ||
	fail "no views in the document"
run run "$tmp/process.cfg" --format json
! grep -q '"views"' "$tmp/out" || fail "views that nobody asked for"

# vmallocinfo: each area in the kernel's format, its pages by node adding up, and in all VmallocUsed.
cat >"$tmp/areas.cfg" <<END
machine = "$machine";
workloads = (
	{
		kind = "kernel"; cpus = [ 0 ];
		calls = (
			{ do = "vmalloc"; name = "table"; bytes = "3MiB"; nr = 2; },
			{ do = "vmalloc_user"; name = "ring"; bytes = "64KiB"; node = 1; },
			{ do = "alloc_pages_bulk"; name = "pages"; nr = 16; },
			{ do = "vmap"; of = "pages"; name = "window"; },
			{ do = "vmalloc"; name = "gone"; bytes = "8KiB"; },
			{ do = "vfree"; of = "gone"; }
		);
	}
);
END
run run "$tmp/areas.cfg" --show vmallocinfo --show meminfo --verify
status 0
view meminfo
used=$(sed -n 's/^VmallocUsed: *\([0-9]*\) kB/\1/p' "$tmp/view")
view vmallocinfo
hex='0x[0-9a-f]\{16\}-0x[0-9a-f]\{16\} [ 0-9]\{7,\}'
[ "$(grep -c "^$hex table pages=768 vmalloc vpages N0=768\$" "$tmp/view")" -eq 2 ] || fail "not two tables"
[ "$(grep -c "^$hex table pages=2 vmalloc N0=2\$" "$tmp/view")" -eq 2 ] || fail "not their two arrays"
grep -q "^$hex ring pages=16 vmalloc user N1=16\$" "$tmp/view" || fail "no area for users"
grep -q "^$hex pages vmap\$\|^$hex window vmap\$" "$tmp/view" || fail "no mapping"
grep -q "^$hex unpurged vm_area\$" "$tmp/view" || fail "nothing waits to be purged"
[ "$(wc -l <"$tmp/view")" -eq 7 ] || fail "$(wc -l <"$tmp/view") lines"
[ "$used" -eq $(((768 * 2 + 2 * 2 + 16) * 4)) ] || fail "VmallocUsed is $used kB"
# Size is the length of the range; pages and the guard page are all of it.
awk '{ split($1, a, "-"); print a[1], a[2], $2 }' "$tmp/view" | while read -r from to bytes; do
	# Not all shells have numbers of 64 bits without a sign.
	[ $((0x${to#0xffff} - 0x${from#0xffff})) -eq "$bytes" ] || echo "$from $bytes"
done >"$tmp/bad"
[ ! -s "$tmp/bad" ] || fail "sizes: $(cat "$tmp/bad")"
run run "$tmp/areas.cfg" --show vmallocinfo --format json
[ "$(sed -n '/"views"/,$p' "$tmp/out" | grep -c ' vmalloc\| vmap\| unpurged')" -eq 7 ] || fail "not seven areas"

# As a call of a workload: the state at that time, before it is given back.
cat >"$tmp/when.cfg" <<END
machine = "$machine";
workload = {
	kind = "kernel"; cpus = [ 1 ];
	calls = (
		{ do = "show"; view = "vmallocinfo"; },
		{ do = "vmalloc"; name = "table"; bytes = "64KiB"; },
		{ do = "msleep"; time = "1ms"; },
		{ do = "show"; view = "vmallocinfo"; },
		{ do = "show"; view = "page:0x100000000"; },
		{ do = "vfree"; of = "table"; }
	);
};
END
run run "$tmp/when.cfg" --show vmallocinfo
status 0
[ "$(grep -c '^==> vmallocinfo at ' "$tmp/out")" -eq 2 ] || fail "not two views while it runs"
[ "$(grep -c ' table pages=16 vmalloc N0=16$' "$tmp/out")" -eq 1 ] || fail "not one with the area"
grep -q '^==> vmallocinfo at 1\.0[0-9]* ms <==$' "$tmp/out" || fail "not at its time"
out "show page:0x100000000: frame 0x100000000 has no descriptor"
view vmallocinfo
grep -q ' unpurged vm_area$' "$tmp/view" || fail "the end is not after it"
run run "$tmp/when.cfg" --format json
[ "$(grep -c '"at_ps"' "$tmp/out")" -eq 2 ] || fail "not two views in the document"
sed -i 's/view = "vmallocinfo"/view = "vmalocinfo"/' "$tmp/when.cfg"
run run "$tmp/when.cfg"
wrong "when.cfg:5: workload.calls[0].view: unknown view 'vmalocinfo', did you mean 'vmallocinfo'?"
sed -i 's/view = "vmalocinfo"/view = "buddyinfo:3"/' "$tmp/when.cfg"
run run "$tmp/when.cfg"
wrong "workload.calls[0].view: 'buddyinfo' is of the whole machine, found '3'"

# Memory that came while work ran is there in the views, and what went is not.
run run configs/scenarios/hotplug-grow.cfg --show memory --show zoneinfo
status 0
view memory
grep -q '^memory[0-9]* .* state=online ' "$tmp/view" || fail "no memory blocks"
cp "$tmp/view" "$tmp/blocks"
# The machine before it: fewer blocks.
grown=$(sed -n 's/^machine = "..\/machines\/\(.*\)";/\1/p' configs/scenarios/hotplug-grow.cfg)
run show "configs/machines/$grown" memory
[ "$(grep -c ^memory "$tmp/blocks")" -gt "$(grep -c ^memory "$tmp/out")" ] || fail "nothing was added"

# A replay has them, too: what its pages hold follows from their flags.
run replay "$machine" traces/example.nst --show buddyinfo --show vmstat
status 0
view vmstat
grep -q '^nr_free_pages [1-9]' "$tmp/view" || fail "no free pages"

for of in zoneinf buddyinfo:0 page page:x meminfo:-1 meminfo:99999 numa_maps: page:; do
	run run "$tmp/process.cfg" --show $of
	status 2
	silent out
done
run run "$tmp/process.cfg" --show zoneinf
wrong "run: unknown view 'zoneinf', did you mean 'zoneinfo'? Known are:"
err "  vmallocinfo   areas of vmalloc and vmap, as /proc/vmallocinfo"
run replay "$machine" traces/example.nst --show page
wrong "replay: --show: 'page' needs the number of a page frame: page:PFN"
run run "$tmp/process.cfg" --show buddyinfo:0
wrong "--show: 'buddyinfo' is of the whole machine, found '0'"
run run "$tmp/process.cfg" --show meminfo:7
wrong "show meminfo:7: expected a node from 0 to 1, found 7"
run run "$tmp/process.cfg" --show page:0x100000000
wrong "show page:0x100000000: frame 0x100000000 has no descriptor"
run run "$tmp/process.cfg" --show numa_maps:client
wrong "show numa_maps:client: no process of that name is there"
run show "$machine" numa_maps
wrong "show: 'numa_maps' is of processes, and nothing runs on a machine that has just booted"
end
