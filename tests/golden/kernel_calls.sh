#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Workloads of kind kernel: what each function does, what it says of misuse, and random calls.
. "$2/tests/golden/harness"

# row FUNCTION ABOUT NAME: that figure of its first row.
row()
{
	awk -v f="\"$1\"," -v a="\"$2\"," -v n="\"$3\":" '
		$1 == "\"function\":" { on = $2 == f }
		$1 == "\"about\":" { sub(/^ *"about": /, ""); about = $0 }
		on && about == a && $1 == n { sub(/,$/, "", $2); print $2; exit }' "$tmp/out"
}
row_is()
{
	[ "$(row "$1" "$2" "$3")" = "$4" ] || fail "$3 of $1($2) is $(row "$1" "$2" "$3"), expected $4"
}
# cheaper FUNCTION ABOUT THAN-FUNCTION THAN-ABOUT: in all its calls.
cheaper()
{
	[ "$(row "$1" "$2" ps)" -lt "$(row "$3" "$4" ps)" ] || fail "$1($2) is not cheaper than $3($4)"
}

# Two CPUs, 200 times: as many blocks as that makes, and none is left. Bulk is cheaper than one by one.
run run configs/scenarios/kernel-pages.cfg --verify --format json
status 0
row_is alloc_pages 'one by one' calls $((2 * 200 * 64))
row_is alloc_pages_bulk bulk calls $((2 * 200))
row_is split_page block calls $((2 * 200))
row_is get_zeroed_page zeroed calls $((2 * 200 * 64))
row_is alloc_pages_exact exact calls $((2 * 200 * 12))
row_is free_contig_range row failed 0
cheaper alloc_pages_bulk bulk alloc_pages 'one by one'
cheaper alloc_pages 'one by one' get_zeroed_page zeroed
used=$(sed -n '/^  "nodes": \[/,/^  \]/p' "$tmp/out" | awk '/"pages_free"/ { sum += $2 } END { print sum }')
run run configs/scenarios/kernel-pages.cfg --format json --set 'workloads[1].operations=1'
left=$(sed -n '/^  "nodes": \[/,/^  \]/p' "$tmp/out" | awk '/"pages_free"/ { sum += $2 } END { print sum }')
# Lists of CPUs hold some, but pages that leak in 200 turns are more.
[ $((left - used)) -lt 1000 ] || fail "$left pages are free after a turn, $used after 200"

# krealloc() stays in the class of 128 bytes, and leaves it for 1000; nothing of the caches is left.
run run configs/scenarios/kernel-slab.cfg --verify --format json
status 0
row_is krealloc buffers ps 0
row_is kmem_cache_destroy cache failed 0
grep -q '"name": "sessions"' "$tmp/out" && fail "the cache is still there"
out '"ksize: 128 bytes at 0x'
out '"ksize: 512 bytes at 0x'
out '"BUG watched: right redzone overwritten, object 0x'
row_is validate_slab_cache cache failed 1
out 'slab:watched'
run run configs/scenarios/kernel-slab.cfg --set 'workloads[1].calls[3].bytes=192B' --format json
row_is validate_slab_cache cache failed 0

# vmap() takes no pages, so it costs less than vmalloc() of as much; both go back.
run run configs/scenarios/vmap.cfg --verify --format json
status 0
is mapped 500
is areas 0
row_is vunmap area failed 0
cheaper vmap pages vmalloc area
cheaper vunmap area vfree area
# An interrupt of the 19 other CPUs for each purge: those that the calls ask for, and the lazy ones.
ipis=$(grep -A 1 '"tlb_ipi"' "$tmp/out" | tr -cd 0-9)
[ "$ipis" -eq $((19 * $(member purges))) ] || fail "$ipis interrupts for $(member purges) purges"
[ "$(member purges)" -ge 20 ] || fail "$(member purges) purges"

# The area is empty first; then what is in the way moves, which costs more.
run run configs/scenarios/cma-alloc.cfg --verify --format json
status 0
row_is cma_alloc early failed 0
row_is cma_alloc late failed 0
row_is cma_alloc 'too much' failed 1
cheaper cma_alloc early cma_alloc late
[ "$(member pgmigrate_success)" -gt 0 ] || fail "nothing moved"
out 'cma_release of pfn 0x'
run run configs/scenarios/cma-alloc.cfg --format json --set 'workloads[1].bytes=1MiB'
[ "$(member pgmigrate_success)" -eq 0 ] || fail "something moved though the area is empty"
# Where there is no area, there is nothing to be had.
run run configs/scenarios/cma-alloc.cfg --format json --set machine=../machines/small-2n.cfg
status 0
row_is cma_alloc early failed 1

# Misuse: the message of each, and nothing is damaged.
run run configs/scenarios/misuse.cfg --verify
status 0
out 'BUG: sleeping function called from invalid context: alloc_pages, GFP_KERNEL, CPU 0 is atomic'
out 'sleeping function called from invalid context: kmalloc, GFP_KERNEL, CPU 0 is atomic'
out 'vmalloc of 65536 bytes by none: it may sleep, but was called in atomic context'
out 'by CPU 0: it may sleep, but was called in atomic context'
out 'BUG: scheduling while atomic: msleep on CPU 0'
out 'BUG: preempt_enable on CPU 0, where preemption is not disabled'
out 'Trying to vfree() 00000000f77ff000, which is inside the area 00000000f77fe000 of area'
out 'Trying to vunmap() 00000000f77fe000, which is of the other kind: the area 00000000f77fe000 of area'
out 'Trying to vfree() nonexistent vm area (00000000f77fe000)'
out 'Trying to vfree() nonexistent vm area (00000000c2'
out 'kfree of 0xf77fe000: it is not in the direct mapping'
out 'BUG: unable to handle page fault for address: 00000000f780e000'
out 'order 1: no block of that order in use begins there'
out 'order 0: no block of that order in use begins there'
out 'kunmap_local of 0xfff'
out 'and this is not the last one'
out 'kunmap of pfn 0x'
out 'page_address: pfn 0x37000 is at 0x0'
out 'page_address: pfn 0x2004 is at 0xc2004000'
out 'preemption is still disabled 1 times on CPU 0'
out 'is still mapped 1 times, at 0xff'
out 'kmap_local: CPU 0 still has 3 pages mapped'
out 'kmem_cache_destroy in-use: cache still has 3 objects'
out 'kmem_cache_free: invalid object pointer 0x'
out 'of in-use already free'
out 'refused: no memory hotplug with the flat memory model on i386'
# Offlining what cannot move names it.
run run configs/scenarios/hotplug-offline.cfg
out 'refused: memory3: frame 0x'

# What is mapped is not freed, and memory that is not one's own neither.
printf '%s\n' 'machine = "m.cfg"; workload = { kind = "kernel"; cpus = [ 0 ]; calls = (' \
	'{ do = "alloc_pages"; name = "p"; order = 2; }, { do = "vmap"; of = "p"; name = "a"; },' \
	'{ do = "__free_pages"; of = "p"; }, { do = "split_page"; of = "p"; },' \
	'{ do = "vmalloc_to_page"; of = "a"; name = "q"; offset = "4KiB"; }, { do = "__free_pages"; of = "q"; },' \
	'{ do = "vunmap"; of = "a"; }, { do = "__free_pages"; of = "p"; } ); };' >"$tmp/mapped.cfg"
sed "s|@include \"|@include \"$PWD/configs/machines/|" configs/machines/small-2n.cfg >"$tmp/m.cfg"
run run "$tmp/mapped.cfg" --verify --format json
status 0
out 'order 2: it is still mapped'
out 'order 0: no block of that order in use begins there'
row_is vunmap a failed 0

# What a workload cannot be.
try()
{
	printf 'machine = "m.cfg";\nworkload = { kind = "kernel";\ncalls = ( { do = "kmalloc"; name = "o"; bytes = "1KiB"; },\n%s ); };\n' "$1" >"$tmp/wrong.cfg"
	run run "$tmp/wrong.cfg"
	wrong "wrong.cfg:4: workload.calls[1]"
	err "$2"
}
try '{ do = "vfre"; of = "o"; }' "unknown function 'vfre', did you mean 'vfree'? (known: alloc_pages, "
try '{ do = "vmap"; of = "o"; name = "a"; }' "workload.calls[1].of: 'o' is an object; vmap() takes pages"
try '{ do = "kfree"; of = "x"; }' "workload.calls[1].of: unknown name 'x' (known: o)"
try '{ do = "kfree"; of = "o"; bytes = "1KiB"; }' "unknown key 'bytes'"
try '{ do = "kmalloc"; bytes = "1KiB"; }' "'name' is missing"
try '{ do = "kmem_cache_create"; name = "c"; cache = "two words"; bytes = "8B"; }' "is no name of a slab cache"
try '{ do = "kmem_cache_create"; name = "c"; cache = "c"; bytes = "8B"; flags = "SLAB_POISN"; }' "unknown flag 'SLAB_POISN'"
try '{ do = "kmem_cache_create"; name = "c"; cache = "c"; bytes = "8B"; align = "24B"; }' "not a power of two"
try '{ do = "sysctl"; key = "min_free_kbyte"; value = "1"; }' "unknown sysctl 'min_free_kbyte', did you mean 'min_free_kbytes'?"
try '{ do = "alloc_contig_pages"; name = "r"; nr = 3; }' "not a power of two"
try '{ do = "alloc_pages"; name = "p"; gfp = "GFP_KERNL"; }' "did you mean \"GFP_KERNEL\"?"
try '{ do = "alloc_pages"; name = "p"; node = 2; }' ".node: expected an integer from 0 to 1, found 2"
printf 'machine = "m.cfg"; workload = { kind = "kernel"; calls = (); };' >"$tmp/wrong.cfg"
run run "$tmp/wrong.cfg"
wrong 'workload.calls: 0 calls; 1 to 4096 are possible'
printf 'machine = "m.cfg"; workload = { kind = "kernel"; calls = ( { do = "kfree"; of = "a"; } ); };' >"$tmp/wrong.cfg"
run run "$tmp/wrong.cfg"
wrong "'a': no call before gives anything a name"

# Whatever is called in whatever order: it ends, all invariants hold, and a second run says the same.
for machine in small-2n-apart i386-highmem; do
	for seed in 1 2 3 4 5 6; do
		awk -v seed=$seed -v nr=120 -v machine="$PWD/configs/machines/$machine.cfg" \
			-f tests/golden/kernel_calls.awk >"$tmp/random.cfg"
		run run "$tmp/random.cfg" --verify --format json
		status 0
		mv "$tmp/out" "$tmp/first"
		run run "$tmp/random.cfg" --format json
		cmp -s "$tmp/out" "$tmp/first" || fail "$machine, seed $seed: another result"
	done
done
end
