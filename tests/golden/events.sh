#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# --events: what the simulated kernel traces is a trace that replays to the same pages.
. "$2/tests/golden/harness"
machine=configs/machines/W1b_touch_4k_2x512m.cfg
trace=$tmp/trace.nst

# Without what kcompactd has moved: the simulated kernel traces the frees, and not by whom.
"$numasim" trace convert traces/W1b_touch_4k_2x512m.trace.zst --format native --quiet |
	sed '/ for=migration/d; s/ by=reclaim$//' >"$trace"

# Nor do the events say who reclaims: both times nobody but the trace.
run replay $machine "$trace" --reclaim trace --events "$tmp/events" -q
status 0
sed '/^Work/d' "$tmp/out" | grep -v '^Not replayed' >"$tmp/first"

# The header, a refill, and the allocation that it was for.
grep -q '^# tracer: nop$' "$tmp/events" || fail "no header"
grep -qE 'mm_page_alloc_zone_locked: page=ffffea[0-9a-f]{10} pfn=0x[0-9a-f]+ order=0 migratetype=1 percpu_refill=1$' \
	"$tmp/events" || fail "no refill"
grep -qE '\[000\] \.{5} +0\.[0-9]{9}: mm_page_alloc: page=ffffea[0-9a-f]{10} pfn=0x[0-9a-f]+ order=0 migratetype=1 gfp_flags=GFP_HIGHUSER_MOVABLE\|__GFP_COMP\|__GFP_ZERO$' \
	"$tmp/events" || fail "no allocation"

run replay $machine "$tmp/events" --reclaim trace -q
status 0
sed '/^Work/d' "$tmp/out" | grep -v '^Not replayed' >"$tmp/second"
cmp "$tmp/first" "$tmp/second" || fail "the replay of the events differs"

# Threads of the kernel have their own names, and a reader of the log knows them for reclaim.
run run configs/scenarios/swap.cfg --events "$tmp/swapping" -q
status 0
grep -qE '^ +kswapd0-8193 +\[[0-9]{3}\] .*: mm_vmscan_kswapd_wake: nid=0' "$tmp/swapping" ||
	fail "kswapd has no name"
grep -E 'mm_vmscan_kswapd_(wake|sleep)' "$tmp/swapping" | grep -qvE '^ +kswapd[0-9]+-' &&
	fail "what kswapd does is another's"
"$numasim" trace convert "$tmp/swapping" --format native >"$tmp/native" 2>"$tmp/err"
grep -q ' by=reclaim' "$tmp/native" || fail "what kswapd frees is not known as reclaim"

# Slab objects, as the kernel prints them; the reader takes all of them back.
run run configs/scenarios/slab.cfg --events "$tmp/slab" -q
status 0
grep -qE ': kmalloc: call_site=0x0 ptr=ffff8880[0-9a-f]{8} bytes_req=1024 bytes_alloc=1024 gfp_flags=GFP_KERNEL node=-1 accounted=false$' \
	"$tmp/slab" || fail "no kmalloc"
[ "$(grep -c ': kfree: call_site=0x0 ptr=ffff8880[0-9a-f]*$' "$tmp/slab")" -eq 42000 ] || fail "not 42000 frees"
run trace info "$tmp/slab"
out 'objects    42000 allocated, 42000 freed, of slabs'
run run configs/scenarios/kernel-slab.cfg --events "$tmp/slab" -q
grep -qE ': kmem_cache_alloc: call_site=0x0 ptr=ffff8880[0-9a-f]{8} bytes_req=192 bytes_alloc=288 gfp_flags=GFP_KERNEL node=-1 accounted=false$' \
	"$tmp/slab" || fail "no kmem_cache_alloc"
[ "$(grep -c ': kmem_cache_free: .* name=watched$' "$tmp/slab")" -eq 50 ] || fail "not 50 frees of watched"

run replay $machine "$trace" --events "$tmp/no/such/folder" -q
status 1
silent out
end
