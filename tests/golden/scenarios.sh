#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every scenario that is shipped runs, keeps all invariants, and shows what it is there to show. One
# without a line here fails.
. "$2/tests/golden/harness"

above()
{
	[ "$(member "$1")" -gt "$2" ] || fail "$1 is $(member "$1"), expected more than $2"
}

# of NODES-OR-ZONES PLACE NAME: the figure of a node ("1"), or a zone ("0 Movable").
of()
{
	awk -v part="\"$1\": [" -v place="$2" -v name="\"$3\":" '
		index($0, "  " part) == 1 { on = 1 }
		/^  \]/ { on = 0 }
		{ gsub(/[",]/, "", $2) }
		on && $1 == "\"node\":" { at = $2 }
		on && $1 == "\"zone\":" { at = at " " $2 }
		on && $1 == name && at == place { print $2; exit }' "$tmp/out"
}

of_is()
{
	[ "$(of "$1" "$2" "$3")" = "$4" ] || fail "$3 of $1 $2 is $(of "$1" "$2" "$3"), expected $4"
}

# slab_left CACHE: its objects at the end.
slab_left()
{
	sed -n "/\"name\": \"$1\"/,/allocated/s/.*\"allocated\": \([0-9]*\).*/\1/p" "$tmp/out"
}

shows()
{
	case $1 in
	boot) # 15 CPUs come up
		grep -A1 '"cpu_up": {' "$tmp/out" | grep -q '"calls": 15,' || fail "not 15 CPUs" ;;
	channels) # 65536 * 256 B, of all first columns, are on the first channel
		tr -d ' \n' <"$tmp/out" | sed 's/.*"channels":\[{"node":0,"bytes":\[\([0-9]*\),\([0-9]*\).*/\1 \2/' |
			awk '{ exit !($1 + 0 > 0 && $1 + 0 >= $2 + 65536 * 256) }' || fail "the first channel has no more than the next" ;;
	cxl-interleave) # half of what is read comes from each expander, but for lines at the beginnings of pages
		tr -d ' \n' <"$tmp/out" | sed 's/.*"interleave":\[{"node":1,"bytes_read":\[\([0-9]*\),\([0-9]*\)\].*/\1 \2/' |
			awk '{ exit $1 < 8000000 || $1 / $2 > 1.03 || $1 / $2 < 1 }' || fail "not half of it from each" ;;
	churn) # 5000 operations on each of four CPUs
		[ $(($(member alloc) + $(member free))) -eq 20000 ] || fail "not 20000 operations" ;;
	cma) # what the kernel may not have, movable pages get: all 12 MiB of them
		with_area=$(member failed)
		run run "$scenario" --format json --quiet --set 'workloads[1].gfp=GFP_KERNEL|__GFP_NORETRY|__GFP_NOWARN'
		is failed $((with_area + 3072)) ;;
	cma-alloc) # what is in the way of the second run moves
		above pgmigrate_success 0 ;;
	kernel-pages) # 18 calls, 200 times on two CPUs, and three by one
		is kernel_call $((18 * 200 * 2 + 3)) ;;
	kernel-slab)
		is kernel_call $((14 * 20 + 11))
		is nr_reports 1 ;;
	page-owner) # 72 bytes of each of 65536 frames
		is page_ext_bytes $((72 * 65536)) ;;
	misuse) # more lines than there are of anything that goes well
		grep -q '"refused": "no memory hotplug with the flat' "$tmp/out" || fail "no refusal"
		[ "$(sed -n '/"warnings": \[/,/\]/p' "$tmp/out" | wc -l)" -gt 20 ] || fail "few warnings" ;;
	vmap)
		is mapped 500 ;;
	readahead) # 1024 windows of 16 pages, but for marks; 32 pages around each miss of the other file
		is file_pages 5120
		is faults_major 31 # one reads, of the others each waits for a window that was begun before
		above mapped_around 4700
		faults=$(member faults) took=$(member simulated_ps)
		run run "$scenario" --format json --quiet --set kernel.fault_around_bytes=4KiB
		is faults 5120
		[ "$faults" -lt 400 ] || fail "$faults faults"
		run run "$scenario" --format json --quiet --set kernel.read_ahead_kb=0
		[ "$(member simulated_ps)" -gt $((took * 4)) ] || fail "readahead does not pay" ;;
	exec) # the child has dropped all that it shared, so its parent need not copy a page
		is faults_copied 0
		is faults_reused 2048
		grep -q '"do": "exec"' "$tmp/out" || fail "no exec" ;;
	highatomic) # some packets found room, thanks to the page block that was kept
		above from_reserves 0 ;;
	nofail) # who must not fail got all, who may did not
		[ "$(sed -n '/"about": "waits"/,/}/s/^ *"failed": \([0-9]*\).*/\1/p' "$tmp/out" | head -n 1)" = 0 ] || fail "__GFP_NOFAIL failed"
		[ "$(sed -n '/"about": "fails"/,/}/s/^ *"failed": \([0-9]*\).*/\1/p' "$tmp/out")" = 1 ] || fail "GFP_KERNEL did not fail" ;;
	pmem) # no page of a device is given out
		of_is zones "0 Device" pages_allocated 0
		is alloc 4096 ;;
	sysctl) # what is kept free is out of reach
		[ "$(sed -n '/"about": "after"/,/}/s/^ *"failed": \([0-9]*\).*/\1/p' "$tmp/out" | head -n 1)" -gt \
			"$(sed -n '/"about": "before"/,/}/s/^ *"failed": \([0-9]*\).*/\1/p' "$tmp/out" | head -n 1)" ] ||
			fail "min_free_kbytes has no effect" ;;
	hotplug-grow) # both blocks came, and nothing went to the other node
		is blocks 2
		is fallback_node 0 ;;
	hotplug-offline) # a block moved to the other node, one stayed
		grep -q '"migrated_pages": 3[0-9]*,' "$tmp/out" || fail "nothing moved"
		grep -q '"refused": "memory3: frame 0x' "$tmp/out" || fail "no refusal" ;;
	compaction) # 32 MiB are 16 huge pages, for some of which pages had to move
		is fault_huge 16
		above compact_success 0
		above pgmigrate_success 0
		run run "$scenario" --format json --quiet --thp-defrag never
		status 0
		is pgmigrate_success 0
		above fault_fallback 0
		[ $(($(member fault_huge) + $(member fault_fallback))) -eq 16 ] || fail "not 16 ranges" ;;
	contend) # 8192 blocks on each of eight CPUs, taken and given back
		is alloc 65536
		is free 65536
		above lock_wait_ps 0 ;;
	fill-spill)
		above fallback_node 0
		[ "$(of nodes 0 numa_foreign)" = "$(member fallback_node)" ] || fail "not all miss node 0" ;;
	highmem)
		is map 40000
		is unmap_page 40000
		is mapped 0 ;;
	by-mobility)
		is alloc 65536
		is free 65536
		above lock_wait_ps 0 ;;
	hot-cold)
		is alloc 20000
		is free 20000 ;;
	gigantic) # one page against 512, in each of which the TLB has to find its way
		is fault_huge 513
		is failed 1
		[ "$(of cpus 1 tlb_misses_ps)" -gt "$((100 * $(of cpus 0 tlb_misses_ps)))" ] || fail "no fewer walks" ;;
	hugetlb) # 13 wanted of 12: the last store fails; each task has three page tables
		is fault_huge 12
		is failed 1
		of_is nodes 0 pages_allocated 3
		of_is nodes 1 pages_allocated 3 ;;
	interleave) # 64 MiB over eight nodes
		for node in 0 1 2 3 4 5 6 7; do
			of_is nodes $node pages_allocated 2048
		done ;;
	collapse) # 64 MiB, and one huge page of what was not refused
		is thp_collapse_alloc 33
		is khugepaged_pages_collapsed 0
		is huge_mappings 33
		is failed 2
		[ "$(grep -c '"error": "EINVAL"' "$tmp/out")" -eq 2 ] || fail "other errors"
		run run "$scenario" --format json --quiet --thp never
		is huge_mappings 33 ;;
	khugepaged) # 32 MiB, by 8 ranges each 10 s; one has too little of it there
		is khugepaged_pages_collapsed 15
		is thp_collapse_alloc 15
		is huge_mappings 15
		above khugepaged_full_scans 0 ;;
	kmap-full)
		above waits 0
		is mapped 0 ;;
	migrate) # 32 MiB to node 1 and 8 MiB back, as huge pages
		is pgmigrate_success $((8192 + 2048))
		is thp_migration_success $((16 + 4))
		out "anon=2048 dirty=2048 active=0 N0=2048"
		out "anon=6144 dirty=6144 active=0 N1=6144" ;;
	movable) # CPU 0's 80 MiB are the kernel's, CPU 2's 20 MiB begin in ZONE_MOVABLE
		of_is zones "0 Movable" pages_allocated 0
		[ "$(of zones "1 Movable" pages_allocated)" -gt 4000 ] || fail "ZONE_MOVABLE is not used"
		above fallback_node 0 ;;
	out-of-memory)
		is oom_kill "$(member failed)" ;;
	page-cache) # 192 MiB twice
		is file_read 98304
		above pgsteal_kswapd 0 ;;
	policies) # 5120 pages and 13 page tables each, in turn by pages and by tables; by single pages
		run run "$scenario" --format json --quiet --thp never
		of_is nodes 0 pages_allocated $((5133 + 1024 + 3)) # preferred_many; its part of the interleave
		of_is nodes 1 pages_allocated $((1024 + 3))
		of_is nodes 2 pages_allocated $((5133 + 1024 + 3)) # bind
		of_is nodes 3 pages_allocated $((2560 + 7 + 1024 + 2)) # half of the weighted
		of_is nodes 4 pages_allocated $((5133 + 2560 + 6 + 1024 + 2)) # preferred
		run run "$scenario" --format json --quiet --thp never --set 'nodes[3].interleave_weight=4'
		of_is nodes 3 pages_allocated $((4096 + 11 + 1024 + 2))
		of_is nodes 4 pages_allocated $((5133 + 1024 + 2 + 1024 + 2)) ;;
	tlb) # 64 MiB are ten times what the TLB reaches over by 4 KiB, and 32 huge pages
		walked=$(member walks)
		[ "$walked" -gt 90000 ] || fail "$walked walks of 100000 look-ups and more"
		run run "$scenario" --format json --quiet --thp always
		[ "$(member walks)" -lt $((walked / 100)) ] || fail "$(member walks) walks of huge pages"
		run run "$scenario" --format json --quiet --thp never
		[ "$(member walks)" -gt $((walked * 19 / 10)) ] || fail "not twice the walks" ;;
	process) # 16384 pages, as many random reads, 50000 by zipf, ...; the child writes 3277 of its parent's
		is accesses 87024
		grep -q '"faults_copied": 3277' "$tmp/out" || fail "not 3277 copies" ;;
	reserves)
		above from_reserves 0
		above disk_ps 0 ;;
	shrinkers) # both give way: dentries and inodes to pages, and more so at a higher pressure
		above slabs_scanned 0
		above pgsteal_file 0
		above pgsteal_kswapd 0
		left=$(slab_left ext4_inode_cache)
		if ! { [ "$left" -gt 0 ] && [ "$left" -lt 60000 ]; }; then fail "$left inodes are left"; fi
		run run "$scenario" --format json --quiet --sysctl vfs_cache_pressure=0
		is slabs_scanned 0
		[ "$(slab_left ext4_inode_cache)" -eq 60000 ] || fail "inodes went at no pressure" ;;
	slab) # all objects go back
		is object_alloc 42000
		is object_free 42000
		above free_remote 0 ;;
	swap)
		above pswpout 0
		above pswpin 0 ;;
	swap-thp)
		is thp_deferred_split_page 5
		for counter in thp_split_page thp_swpout pswpin; do
			above $counter 0
		done ;;
	thp) # 1120 and 256 MiB in 2 MiB
		[ $(($(member fault_huge) + $(member fault_fallback))) -ge $((560 + 128)) ] || fail "ranges are missing"
		above fault_huge 0
		above fault_fallback 0 ;;
	vmalloc)
		is vmalloc 2100 # CPUs 0 and 2
		is vfree 2100
		is alloc 2000 ;; # CPU 1
	zone-reclaim)
		above fallback_node 0 ;;
	*)
		fail "what does it show?" ;;
	esac
}

nr=0
for scenario in configs/scenarios/*.cfg; do
	run run "$scenario" --verify --format json
	status 0
	case $scenario in
	*/policies.cfg) err "distances and latencies disagree" ;; # of that machine they do
	*) silent err ;;
	esac
	out "\"work\": \"$scenario\""
	above simulated_ps 0
	case $scenario in
	*/cma.cfg | */collapse.cfg | */gigantic.cfg | */hugetlb.cfg | */out-of-memory.cfg | */reserves.cfg) above failed 0 ;;
	# Whether busy's last page comes before the disk has written enough depends on nanoseconds.
	*/swap-thp.cfg) [ "$(member failed)" -le 2 ] || fail "failed is $(member failed)" ;;
	*) is failed 0 ;;
	esac
	shows "$(basename "$scenario" .cfg)"
	nr=$((nr + 1))
done
[ "$nr" -ge 20 ] || fail "$nr scenarios only"
end
