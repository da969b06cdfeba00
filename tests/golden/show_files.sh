#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Views in the formats of the kernel's files, against what a real kernel printed.
. "$2/tests/golden/harness"

# /proc/meminfo of the captured i386 machine when the window of its trace opened.
cat >"$tmp/meminfo" <<END
MemTotal:        1021580 kB
MemFree:          970312 kB
HighTotal:        147324 kB
HighFree:         139772 kB
LowTotal:         874256 kB
LowFree:          830540 kB
END
run show configs/machines/W7_touch_i386_highmem.cfg meminfo
status 0
grep -E '^(Mem(Total|Free)|High|Low)' "$tmp/out" | cmp - "$tmp/meminfo" ||
	fail "not the kernel's meminfo"
out "CommitLimit:      510788 kB"

# No HighMem, no such lines: 3840 + 113438 + 128304 pages managed, 3808 + 98970 + 121994 free.
cat >"$tmp/meminfo" <<END
MemTotal:         982328 kB
MemFree:          899088 kB
END
run show configs/machines/W1b_touch_4k_2x512m.cfg meminfo
grep -E '^(Mem(Total|Free)|High|Low)' "$tmp/out" | cmp - "$tmp/meminfo" ||
	fail "not the kernel's meminfo"
# Reserved of each zone: its high watermark and its largest protection, 20 + 443, 666, 753 pages:
# 224772 - 1882 = 222890 pages.
out "MemAvailable:     891560 kB"
out "CommitLimit:      491164 kB"

# memblock=debug of that kernel, as far as it goes: its memory.
run show configs/machines/W1b_touch_4k_2x512m.cfg memblock
status 0
out " memory.cnt  = 0x3"
out " memory[0x0]	[0x0000000000001000-0x000000000009efff], 0x000000000009e000 bytes on node 0 flags: 0x0"
out " memory[0x1]	[0x0000000000100000-0x000000001fffffff], 0x000000001ff00000 bytes on node 0 flags: 0x0"
out " memory[0x2]	[0x0000000020000000-0x000000003ffdcfff], 0x000000001ffdd000 bytes on node 1 flags: 0x0"
out " reserved[0x0]	[0x0000000000000000-0x00000000000fffff], 0x0000000000100000 bytes flags: 0x0"

run show configs/machines/W1b_touch_4k_2x512m.cfg vmstat
status 0
out "nr_free_pages 224772"
out "pgalloc_dma32 0"
out "pgfree 245582"
[ "$(grep -cE '^pgalloc_(dma|dma32|normal|movable|device) 0$' "$tmp/out")" -eq 5 ] ||
	fail "not the counters of five zones"
run show configs/machines/W7_touch_i386_highmem.cfg vmstat
out "pgalloc_high 0"
! grep -q numa "$tmp/out" || fail "NUMA counters of a kernel without NUMA"

# /proc/iomem: RAM, whatever nodes it is on, and the kernel's image within it.
cat >"$tmp/iomem" <<END
00001000-0009efff : System RAM
00100000-3ffdcfff : System RAM
  01000000-01e01fff : Kernel code
  02000000-028eafff : Kernel rodata
  02a00000-02c48fff : Kernel data
  03310000-043fffff : Kernel bss
END
run show configs/machines/W1b_touch_4k_2x512m.cfg iomem
status 0
cmp "$tmp/out" "$tmp/iomem" || fail "not its memory and its image"

run show configs/machines/W1b_touch_4k_2x512m.cfg sysctl --sysctl watermark_scale_factor=50
status 0
out "min_free_kbytes = 3815"
out "lowmem_reserve_ratio = 256	256	32	0	0"
out "watermark_scale_factor = 50"

# page->flags of Debian 12's amd64 and 686-pae kernels.
cat >"$tmp/flags" <<END
mminit::pageflags_layout_widths Section 0 Node 10 Zone 3 Lastcpupid 21 Kasantag 0 Gen 3 Tier 2 Flags 25
mminit::pageflags_layout_shifts Section 25 Node 10 Zone 3 Lastcpupid 21 Kasantag 0
mminit::pageflags_layout_pgshifts Section 0 Node 54 Zone 51 Lastcpupid 30 Kasantag 0
mminit::pageflags_layout_nodezoneid Node/Zone ID: 64 -> 51
mminit::pageflags_layout_usage location: 64 -> 25 layout 25 -> 25 unused 25 -> 0 page-flags
END
run show configs/machines/W1b_touch_4k_2x512m.cfg pageflags
status 0
cmp "$tmp/out" "$tmp/flags" || fail "not the kernel's layout on amd64"
cat >"$tmp/flags" <<END
mminit::pageflags_layout_widths Section 0 Node 0 Zone 2 Lastcpupid 0 Kasantag 0 Gen 3 Tier 2 Flags 24
mminit::pageflags_layout_shifts Section 0 Node 0 Zone 2 Lastcpupid 0 Kasantag 0
mminit::pageflags_layout_pgshifts Section 0 Node 0 Zone 30 Lastcpupid 0 Kasantag 0
mminit::pageflags_layout_nodezoneid Node/Zone ID: 32 -> 30
mminit::pageflags_layout_usage location: 32 -> 25 layout 25 -> 24 unused 24 -> 0 page-flags
END
run show configs/machines/W7_touch_i386_highmem.cfg pageflags
status 0
cmp "$tmp/out" "$tmp/flags" || fail "not the kernel's layout on i386"

# The page blocks are as many as that kernel counted (8, 248, 256), all movable yet; the file is whole
# for each node.
run show configs/machines/W1b_touch_4k_2x512m.cfg pagetypeinfo
status 0
[ "$(grep -c '^Page block order: 9$' "$tmp/out")" -eq 2 ] || fail "not a file a node"
out "Free pages count per migrate type at order       0      1      2      3      4      5      6      7      8      9     10 "
out "Node    0, zone      DMA, type      Movable      0      0      0      0      0      1      1      1      0      1      3 "
out "Number of blocks type     Unmovable      Movable  Reclaimable   HighAtomic      Isolate "
out "Node 0, zone      DMA            0            8            0            0            0 "
out "Node 0, zone    DMA32            0          248            0            0            0 "
out "Node 1, zone    DMA32            0          256            0            0            0 "

for view in memblock meminfo vmstat iomem sysctl pageflags pagetypeinfo; do
	run show configs/machines/ring8.cfg $view --format json
	status 0
done
# A list grows to its zone's low watermark shared out among the CPUs of the node: all 96 for node 4,
# which has none, but the 24 of node 0 if they count as its own (numa=fake). At least 4 batches of 63.
high_of()
{
	run show configs/machines/epyc-9224-cxl.cfg zoneinfo --quiet "$@"
	sed -n '/^Node 4, zone   Normal/,/^Node/p' "$tmp/out" | awk -v cpus="$cpus" '
		$1 == "low" { want = int($2 / cpus); if (want < 4 * 63) want = 4 * 63 }
		$1 == "high:" { print $2 == want; exit }'
}
cpus=96
[ "$(high_of --sysctl min_free_kbytes=4000000)" = 1 ] || fail "not shared among all CPUs"
cpus=24
[ "$(high_of --sysctl min_free_kbytes=4000000 --set 'nodes[4].shares_cpus_with=0')" = 1 ] ||
	fail "not shared among the CPUs of node 0"
run show configs/machines/epyc-9224-cxl.cfg zoneinfo --set 'nodes[4].shares_cpus_with=4'
status 2
err "nodes[4].shares_cpus_with: node 4: expected a node that has none of this itself, and not node 4"
# The machines of the traces have the caches of their kernels, not only those of numasim's own work.
for name in W1b_touch_4k_2x512m W7_touch_i386_highmem; do
	run show configs/machines/$name.cfg slabinfo
	status 0
	out "fsverity_info "
	out "task_struct "
done
end
