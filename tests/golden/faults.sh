#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Work that faults memory in, by the settings of transparent huge pages, and huge pages of a trace for
# which there is no room.
. "$2/tests/golden/harness"

# 1120 MiB from CPU 0 of a machine with two nodes of 1 GiB: 560 ranges of 2 MiB. The real kernel of
# the capture W1a, which began with a little less, found 422 huge pages on node 0; the second task's
# 256 MiB on node 1 are 128 more. Each fallback is one of the 512 faults of its range.
scenario=configs/scenarios/thp.cfg
run run $scenario --verify --format json
status 0
huge=$(member fault_huge)
if ! { [ "$huge" -ge 545 ] && [ "$huge" -le 555 ]; }; then fail "$huge huge pages"; fi
is fault_fallback $((688 - huge))
is fault $((huge + (688 - huge) * 512))
is thp_fault_alloc "$huge"
is accesses $((560 * 512))
is failed 0
default_ns=$(sed -n 's/^ *"simulated_ns": \([0-9]*\).*/\1/p' "$tmp/out")

run run $scenario --verify --format json --thp never
status 0
is fault_huge 0
is fault_fallback 0
is fault $((688 * 512))
never_ns=$(sed -n 's/^ *"simulated_ns": \([0-9]*\).*/\1/p' "$tmp/out")
[ "$never_ns" -gt "$default_ns" ] || fail "$never_ns ns without huge pages, $default_ns with them"

# Nobody has asked for them; then the first one does.
run run $scenario --format json --thp madvise
is fault_huge 0
run run $scenario --format json --thp madvise --set workloads[1].madvise=true
is fault_huge 128
# Who may wait goes to the other node for a huge page.
run run $scenario --format json --thp-defrag always
is fault_huge 688
[ "$(member fallback_node)" -ge $((688 - huge)) ] || fail "$(member fallback_node) pages of another node"

# As the tracepoints have it: the huge page, then its page table; and what they look like that fail.
run run $scenario --quiet --events "$tmp/events"
status 0
grep 'mm_page_alloc:' "$tmp/events" | grep -A 2 -m 1 'page=.*order=9.*gfp_flags=GFP_TRANSHUGE_LIGHT|__GFP_NORETRY|__GFP_THISNODE' >"$tmp/first"
[ -s "$tmp/first" ] || fail "no huge page is traced"
grep -q 'order=0 migratetype=0 gfp_flags=GFP_KERNEL_ACCOUNT|__GFP_ZERO' "$tmp/events" || fail "no page table is traced"
grep -q 'order=0 migratetype=1 gfp_flags=GFP_HIGHUSER_MOVABLE|__GFP_COMP|__GFP_ZERO' "$tmp/events" ||
	fail "no single page is traced"

# Pages of the pool: as many as it has.
cat >"$tmp/pool.cfg" <<'END'
machine = "m.cfg";
workload = { kind = "fault"; cpus = [ 0 ]; bytes = "16MiB"; hugetlb = true; policy = "bind:1"; unmap = true; };
END
sed "s|@include \"|@include \"$PWD/configs/machines/|" configs/machines/W1a_touch_thp_2x1g.cfg >"$tmp/m.cfg"
run run "$tmp/pool.cfg" --verify --format json --sysctl nr_hugepages=12
status 0
is fault_huge 6
is failed 1
is thp_fault_alloc 0

# Two tasks of 72 MiB each on 128 MiB: what does not fit is in swap, and each page has a place.
cat >"$tmp/swap.cfg" <<END
machine = "$PWD/configs/machines/small-uma-swap.cfg";
workload = { kind = "fault"; cpus = [ 0, 1 ]; bytes = "72MiB"; access = "random"; touch = "64B"; };
END
run run "$tmp/swap.cfg" --verify --format json
status 0
is failed 0
is fault $((2 * 18432))
is fault_huge 0
mapped=$(sed -n 's/^ *"mapped_pages": \([0-9]*\).*/\1/p' "$tmp/out" | awk '{ sum += $1 } END { print sum }')
swapped=$(sed -n 's/^ *"swapped_pages": \([0-9]*\).*/\1/p' "$tmp/out" | awk '{ sum += $1 } END { print sum }')
[ $((mapped + swapped)) -eq $((2 * 18432)) ] || fail "$mapped pages mapped, $swapped in swap"
[ "$swapped" -gt $((2 * 18432 - 32768)) ] || fail "only $swapped pages in swap"
run run "$tmp/swap.cfg" --show vmstat
cached=$(sed -n 's/^nr_swapcached //p' "$tmp/out") written=$(sed -n 's/^pswpout //p' "$tmp/out")
[ $((written + cached)) -ge "$swapped" ] ||
	fail "$written pages were written, $cached are in the swap cache, $swapped are unmapped"

# What cannot be.
for wrong in 'policy = "bund:1"|unknown policy' 'policy = "bind:7"|has nodes that the machine does not have' \
	'policy = "bind"|has no nodes' 'policy = "bind:x"|has nodes that are no list' \
	'access = "backwards"|unknown access' 'operations = 5|only with access' 'order = 1|unknown key'; do
	echo "machine = \"m.cfg\"; workload = { kind = \"fault\"; bytes = \"4MiB\"; ${wrong%|*}; };" >"$tmp/wrong.cfg"
	run run "$tmp/wrong.cfg"
	wrong "${wrong#*|}"
done
echo 'machine = "m.cfg"; workload = { kind = "fault"; };' >"$tmp/wrong.cfg"
run run "$tmp/wrong.cfg"
wrong "'bytes' is missing"
run trace generate fault
wrong "use a scenario file"

# A trace that had huge pages, on a machine that has none: 600 of node 0 beside 1 GiB, of which the
# last ones come as single pages. All of them are freed.
awk 'BEGIN {
	print "# numasim trace 1"
	flags = "GFP_TRANSHUGE_LIGHT|__GFP_NORETRY|__GFP_THISNODE"
	for (i = 0; i < 600; i++) print "cpu=0 alloc h" i " order=9 gfp=" flags
	print "cpu=0 touch h599 write 8KiB"
	for (i = 0; i < 600; i++) print "cpu=0 free h" i
}' >"$tmp/huge.nst"
run replay "$tmp/m.cfg" "$tmp/huge.nst" --verify --format json
status 0
is alloc 600
is free 600
is touch 1
is failed 0
is huge_missing_pages 0
replaced=$(member huge_replaced)
if ! { [ "$replaced" -gt 88 ] && [ "$replaced" -lt 200 ]; }; then fail "$replaced huge pages replaced"; fi
# The same allocations of a pool are not: it would be smaller.
sed 's/gfp=[^ ]*/gfp=GFP_HIGHUSER_MOVABLE|__GFP_COMP|__GFP_NOWARN|__GFP_RETRY_MAYFAIL|__GFP_THISNODE/' \
	"$tmp/huge.nst" >"$tmp/pool.nst"
run replay "$tmp/m.cfg" "$tmp/pool.nst" --verify --format json
is huge_replaced 0
[ "$(member failed)" -gt 88 ] || fail "nothing failed"
end
