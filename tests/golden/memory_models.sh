#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The same work under each memory model, and with one node and two: what must be decided alike, and what
# must cost something else.
#
# A memory model changes how a page descriptor is found and how much room descriptors take. So as long as
# memory does not run out and no CPU's work depends on which CPU was first, the same zone serves the same
# request. Where it runs out, the same is asked for, but how much fits differs by the descriptors' room.
# Which half of a block a CPU gets is another matter: splits and merges may differ.
. "$2/tests/golden/harness"

# compared MACHINE MODELS SCENARIO [OPTION...]: each column's result in $tmp/1, $tmp/2, ...
compared()
{
	models=$2
	machine=$1
	scenario=$3
	shift 3
	run compare "configs/machines/$machine.cfg" --models "$models" --scenario "configs/scenarios/$scenario.cfg" \
		--verify --format json --quiet "$@"
	status 0
	columns
	explained
}
columns()
{
	rm -f "$tmp"/[0-9]*
	awk -v dir="$tmp" '/^  \{/ { n++ } n { print >(dir "/" n) }' "$tmp/out"
}

# The causes say where each difference is: the accounts of a column add up to the time of its CPUs, so what
# two columns differ by is what their causes differ by.
explained()
{
	for n in "$tmp"/[0-9]*; do
		n=$(basename "$n")
		sed -n '/^    "cost": {/,/^    }/s/^      "\([a-z_]*_ps\)": \([0-9]*\),*$/\1 \2/p' "$tmp/$n" >"$tmp/causes"
		[ "$(wc -l <"$tmp/causes")" -ge 8 ] || fail "too few causes"
		sum=0
		while read -r cause ps; do
			[ "$cause" = total_ps ] || sum=$((sum + ps))
		done <"$tmp/causes"
		[ "$sum" -eq "$(column "$n" total_ps)" ] || fail "causes of column $n add up to $sum"
	done
}

# column N NAME: the first member of that name.
column()
{
	sed -n "s/^ *\"$2\": \([0-9]*\),*\$/\1/p" "$tmp/$1" | head -n 1
}

# Who asked for what, which node and zone served it, and how often a CPU's list was filled and drained.
decisions()
{
	sed -n '/^    "events": {/,/^    }/p; /^    "nodes": \[/,/^    \]/p; /^    "zones": \[/,/^    \]/p
		/^    "allocator": {/,/^    }/p' "$tmp/$1" |
		grep -E '"(alloc|free|touch|fault|fault_huge|fault_fallback|fault_present|failed|node|zone|numa_[a-z]*|interleave_hit|local_node|other_node|pages_allocated|fallback_[a-z]*|slow_path|kswapd_wakeups|pcp_refills|pcp_drains)":'
}

# alike N...: these columns have column 1's decisions.
alike()
{
	decisions 1 >"$tmp/decisions"
	[ "$(wc -l <"$tmp/decisions")" -gt 20 ] || fail "too few figures to compare"
	for n in "$@"; do
		decisions "$n" >"$tmp/others"
		cmp -s "$tmp/decisions" "$tmp/others" || {
			fail "column $n decides otherwise"
			diff "$tmp/decisions" "$tmp/others" | head -10
		}
	done
}

# less A B WHAT
less()
{
	[ "$1" -lt "$2" ] || fail "$3: $1 is not less than $2"
}

# Picoseconds of all calls of a step in a column, and how many there were.
step()
{
	grep -A 2 "\"$2\": {" "$tmp/$1" | sed -n "s/^ *\"$3\": \([0-9]*\),*\$/\1/p" | head -n 1
}

# A board with a hole of 30 GiB, four models. discontig makes a node of each range, and all CPUs belong to
# the first: so other zones serve, but as many pages, none of them far from who asked.
compared holey-board-flat flat,discontig,sparse,sparse-vmemmap churn
alike 3 4
for name in alloc free failed fallback_node fallback_zone slow_path pcp_refills pcp_drains; do
	[ "$(column 1 $name)" = "$(column 2 $name)" ] || fail "discontig: another $name"
done
served()
{
	sed -n '/^    "zones": \[/,/^    \]/p' "$tmp/$1" | awk '/"pages_allocated":/ { sum += $2 } END { print sum }'
}
{ [ "$(served 1)" -gt 20000 ] && [ "$(served 1)" -eq "$(served 2)" ]; } || fail "discontig: other pages"
{ [ "$(column 2 other_node)" -eq 0 ] && [ "$(column 2 numa_foreign)" -eq 0 ]; } || fail "discontig: the other range serves"
# The costs. Descriptors of holes are flat's alone. To find a descriptor, discontig and sparse look into
# tables; flat and vmemmap add. Each model makes as many of these steps.
for n in 2 3 4; do
	less "$(column $n memmap_bytes)" "$(column 1 memmap_bytes)" "descriptors"
	[ "$(column $n hole_bytes)" -eq 0 ] || fail "column $n describes holes"
	for way in pfn_to_page page_to_pfn; do
		[ "$(step $n $way calls)" -gt 0 ] || fail "no $way in column $n"
	done
done
less 0 "$(column 1 hole_bytes)" "flat's holes"
less 0 "$(column 2 table_bytes)" "discontig's tables"
less "$(column 2 table_bytes)" "$(column 3 table_bytes)" "tables of discontig and sparse"
less "$(column 3 table_bytes)" "$(column 4 table_bytes)" "tables of sparse and vmemmap"
each()
{
	echo $(($(step "$1" "$2" ps) / $(step "$1" "$2" calls)))
}
for n in 2 3; do
	less "$(each 1 page_to_pfn)" "$(each $n page_to_pfn)" "page_to_pfn of flat and column $n"
	less "$(each 4 page_to_pfn)" "$(each $n page_to_pfn)" "page_to_pfn of vmemmap and column $n"
	less "$(column 4 compute_ps)" "$(column $n compute_ps)" "cycles and cache hits"
done

# Several nodes, where flat is refused: by node in turn, by policy, by task, at a lock.
compared ring8 discontig,sparse,sparse-vmemmap interleave
alike 2 3
compared epyc-9224-cxl sparse,sparse-vmemmap policies
alike 2
compared W1a_touch_thp_2x1g discontig,sparse,sparse-vmemmap thp
alike 2 3
compared xeon-8269cy-2s sparse,sparse-vmemmap contend
alike 2
run compare configs/machines/ring8.cfg --models flat --scenario configs/scenarios/interleave.cfg
wrong "the flat memory model has one node descriptor"
# sparse alone has its descriptors found through a table of sections.
compared ring8 sparse,sparse-vmemmap interleave
less "$(each 2 page_to_pfn)" "$(each 1 page_to_pfn)" "page_to_pfn of sparse"
less "$(column 2 simulated_ps)" "$(column 1 simulated_ps)" "time under sparse"

# What the kernel's functions do, on one node under all models and on two under those that can: each
# call is about as many blocks, and fails as often. Only what it takes differs: where a descriptor is found
# by tables, the calls that look for one are dearer.
calls()
{
	sed -n '/^    "kernel_calls": \[/,/^    \]/p' "$tmp/$1" | grep -E '"(function|about|calls|failed|of_nothing)":'
}
same_calls()
{
	calls 1 >"$tmp/calls"
	[ "$(wc -l <"$tmp/calls")" -gt 50 ] || fail "too few calls to compare"
	for n in "$@"; do
		calls "$n" | cmp -s - "$tmp/calls" || fail "column $n calls otherwise"
	done
}
# call_ps N FUNCTION: what all calls of it took.
call_ps()
{
	sed -n '/^    "kernel_calls": \[/,/^    \]/p' "$tmp/$1" |
		awk -v f="\"$2\"," '$1 == "\"function\":" { on = $2 == f } on && $1 == "\"ps\":" { sum += $2 } END { printf "%d\n", sum }'
}
compared uma-e5-2630v4 flat,discontig,sparse,sparse-vmemmap vmap
same_calls 2 3 4
less "$(call_ps 1 vmap)" "$(call_ps 2 vmap)" "vmap under flat and discontig"
less "$(call_ps 1 vmap)" "$(call_ps 3 vmap)" "vmap under flat and sparse"
less "$(call_ps 4 vmap)" "$(call_ps 3 vmap)" "vmap under vmemmap and sparse"
compared small-2n discontig,sparse,sparse-vmemmap kernel-slab
same_calls 2 3
less "$(call_ps 3 kfree)" "$(call_ps 1 kfree)" "kfree under vmemmap and discontig"
less "$(call_ps 3 kfree)" "$(call_ps 2 kfree)" "kfree under vmemmap and sparse"

# Memory runs out: as many allocations, all served, but node 0 holds fewer of them where the model's own
# structures take more of it. What it holds more is no more than what it has more.
compared small-2n discontig,sparse,sparse-vmemmap zone-reclaim
for n in 2 3; do
	for name in alloc failed file_read; do
		[ "$(column 1 $name)" = "$(column $n $name)" ] || fail "column $n: another $name"
	done
	more=$(($(column 1 pages_allocated) - $(column $n pages_allocated)))
	room=$(($(column 1 pages_managed) - $(column $n pages_managed)))
	{ [ "$more" -ge 0 ] && [ "$more" -le "$room" ]; } || fail "column $n: $more more pages in $room more"
done

# Two nodes and one of the same size: the same is asked for and served, but what does not fit into node 0
# is remote on the first, and costs.
run compare configs/machines/W1b_touch_4k_2x512m.cfg configs/machines/W1b-uma-1g.cfg \
	--scenario configs/scenarios/fill-spill.cfg --verify --format json --quiet
status 0
columns
for name in alloc touch failed; do
	[ "$(column 1 $name)" = "$(column 2 $name)" ] || fail "another $name with one node"
done
[ "$(column 2 remote_memory_ps)" -eq 0 ] || fail "one node has remote memory"
[ "$(column 2 fallback_node)" -eq 0 ] || fail "one node falls back to another"
less 0 "$(column 1 fallback_node)" "fallbacks to the other node"
less 0 "$(column 1 remote_memory_ps)" "remote memory"
less "$(column 2 simulated_ps)" "$(column 1 simulated_ps)" "time with one node"
explained
end
