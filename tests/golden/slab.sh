#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Slab caches: their layouts in /proc/slabinfo's form, what a machine file says of them, and what it
# cannot.
. "$2/tests/golden/harness"
machine=configs/machines/W1a_touch_thp_2x1g.cfg

# Four CPUs: 16 objects at least where that wastes little. A node's descriptor is in each cache's.
run show --set kernel.profile=debian-12-amd64 $machine slabinfo
status 0
silent err
grep -q '^slabinfo - version: 2.1$' "$tmp/out" || fail "it does not begin as the kernel's"
for layout in "kmalloc-1k 1024 16 4" "dentry 192 21 1" "task_struct 8448 3 8" "kmem_cache 256 16 1"; do
	found=$(awk -v name="${layout%% *}" '$1 == name { print $1, $4, $5, $6 }' "$tmp/out")
	[ "$found" = "$layout" ] || fail "found '$found', not '$layout'"
done

# Fewer registers, a smaller task_struct; the debug flags of one cache leave the others alone.
run show --set kernel.profile=debian-12-amd64 --set kernel.xsave=512B \
	--set kernel.slub_debug=FZPU,dentry,anon* $machine slabinfo
for layout in "task_struct 6208 5 8" "dentry 288 28 2" "anon_vma 192 21 1" "kmalloc-1k 1024 16 4"; do
	found=$(awk -v name="${layout%% *}" '$1 == name { print $1, $4, $5, $6 }' "$tmp/out")
	[ "$found" = "$layout" ] || fail "found '$found', not '$layout'"
done

run show --set kernel.slub_debug=FX $machine slabinfo
status 2
err "kernel.slub_debug: expected letters of FZPU"
run show --set kernel.slub_min_order=5 $machine slabinfo
status 2
err "kernel.slub_min_order: expected at most slub_max_order, 3, found 5"
run show --set kernel.xsave=0B $machine slabinfo
status 2
err "kernel.xsave: expected from 1 to 65536 bytes"

# A profile's caches.
cp configs/kernels/debian-12-amd64.cfg "$tmp/mine.cfg"
sed -i 's/name = "dentry"; size = "192B"/name = "dentry"; size = "0B"/' "$tmp/mine.cfg"
run check "$tmp/mine.cfg"
status 2
err "expected a 'size' above 0"
sed -i '/"dentry"/s/"0B"/"192B"/; /"dentry"/s/"reclaim_account"/"rcy"/' "$tmp/mine.cfg"
run check "$tmp/mine.cfg"
status 2
err "did you mean 'rcu'?"
end
