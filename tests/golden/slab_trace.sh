#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Traces with slab events: what of them is read, replayed, and kept by a conversion; scenarios with
# kmalloc.
. "$2/tests/golden/harness"
# Without a profile, so that there is no cache of another name that one of a trace is merged with.
machine=configs/machines/cascade-lake-2x1g.cfg

# The page in front of the first object is its slab's; the second is somebody's else.
cat >"$tmp/t.ftrace" <<'END'
# tracer: nop
a-1 [000] ..... 1.000001: mm_page_alloc: page=x pfn=0x100 order=0 migratetype=0 gfp_flags=__GFP_IO|__GFP_FS|__GFP_NOWARN|__GFP_NORETRY
a-1 [000] ..... 1.000002: kmalloc: call_site=f+0x1/0x2 ptr=00000000ab bytes_req=100 bytes_alloc=128 gfp_flags=GFP_KERNEL node=-1 accounted=false
a-1 [000] ..... 1.000003: mm_page_alloc: page=x pfn=0x101 order=0 migratetype=1 gfp_flags=GFP_HIGHUSER_MOVABLE
a-1 [000] ..... 1.000004: kmem_cache_alloc: call_site=f+0x1/0x2 ptr=00000000ac name=dentry bytes_req=192 bytes_alloc=192 gfp_flags=GFP_KERNEL node=1 accounted=true
a-1 [001] ..... 1.000005: kmem_cache_alloc: call_site=f+0x1/0x2 ptr=00000000ad name=mine bytes_req=100 bytes_alloc=256 gfp_flags=GFP_KERNEL node=-1 accounted=false
a-1 [001] ..... 1.000006: kfree: call_site=f+0x1/0x2 ptr=00000000ab
a-1 [001] ..... 1.000007: kmem_cache_free: call_site=f+0x1/0x2 ptr=00000000ac name=dentry
a-1 [001] ..... 1.000008: kfree: call_site=f+0x1/0x2 ptr=00000000ff
a-1 [000] ..... 1.000009: mm_page_free: page=x pfn=0x100 order=0
END
run trace info "$tmp/t.ftrace"
status 0
out "objects    3 allocated, 2 freed, of slabs; 2 caches besides kmalloc's"

run replay --format json --verify $machine "$tmp/t.ftrace"
status 0
is object_alloc 3
is object_free 2
is object_before_window 1
is slab_pages_left_out 2
is alloc 1
is free_remote 1
grep -q '"name": "mine"' "$tmp/out" || fail "its own cache was not made"

run replay --slab trace --format json --verify $machine "$tmp/t.ftrace"
status 0
is object_alloc 0
is object_not_replayed 5
is slab_pages_left_out 0
is alloc 2

# Our own text says all of it.
run trace convert --format native "$tmp/t.ftrace" -o "$tmp/t.nst"
status 0
run replay --format json $machine "$tmp/t.nst"
status 0
is object_alloc 3
is object_free 2
is slab_pages_left_out 2
run trace convert --format native "$tmp/t.nst" -o "$tmp/again.nst"
grep -v '^original' "$tmp/t.nst" >"$tmp/a"
grep -v '^original' "$tmp/again.nst" | cmp - "$tmp/a" || fail "the second conversion differs"
run trace convert --format binary "$tmp/t.ftrace" -o "$tmp/t.bin"
status 0
run trace convert --format native "$tmp/t.bin" -o "$tmp/again.nst"
grep -v '^original' "$tmp/again.nst" | cmp - "$tmp/a" || fail "the binary trace differs"
run replay --format json $machine "$tmp/t.bin"
status 0
is object_alloc 3
is slab_pages_left_out 2
# The kernel's text has lines as Linux 6.1 prints them, and says the rest in markers; what is changed in
# it by hand is looked at.
run trace convert --format perf "$tmp/t.ftrace" -o "$tmp/t.perf"
status 0
grep -q 'kmem:kmalloc: call_site=0x0 ptr=0xffff888000000040 bytes_req=100 bytes_alloc=128 gfp_flags=GFP_KERNEL node=-1 accounted=false$' \
	"$tmp/t.perf" || fail "no kmalloc as perf prints it"
grep -q 'kmem:kmem_cache_free: call_site=0x0 ptr=0xffff8880000000c0 name=dentry$' "$tmp/t.perf" ||
	fail "no kmem_cache_free as perf prints it"
run replay --format json $machine "$tmp/t.perf"
status 0
is object_alloc 3
is slab_pages_left_out 2
changed()
{
	sed "$1" "$tmp/t.perf" >"$tmp/changed.perf"
	run check "$tmp/changed.perf"
	status 2
	err "$2"
}
changed 's/^\(.*kfree: .*ptr=\)0xffff888000000040/\10xffff888000000041/' 'a free of object 0xffff888000000041, which no line has allocated'
changed 's/ptr=0xffff8880000000c0 bytes/ptr=ffff888000000040 bytes/' 'object 0xffff888000000040 is allocated again'
changed 's/next cache=dentry/next cache=den\/try/' 'expected cache= and a name of a slab cache'
changed 's/next cache=dentry/next turn=3/' 'turn= without the policy='
changed 's/bytes_alloc=128//' 'found no ptr, bytes_req, bytes_alloc and gfp_flags'

# Mistakes in our own text.
for line in 'cpu=0 kmalloc a gfp=GFP_KERNEL|expected bytes= and a number up to 67108864' \
	'cpu=0 kmalloc a bytes=8|expected gfp=' \
	'cpu=0 kmalloc a bytes=8 gfp=GFP_KERNEL node=2000|node "2000" is not a number' \
	'cpu=0 cache_alloc a size=8 room=8 gfp=GFP_KERNEL|expected cache= and a name' \
	'cpu=0 cache_alloc a cache=x/y size=8 room=8 gfp=GFP_KERNEL|expected cache= and letters' \
	'cpu=0 kfree a|a kfree of "a", which no line before allocates' \
	'cpu=0 kmaloc a bytes=8|unknown operation "kmaloc"; did you mean "kmalloc"?'; do
	printf '# numasim trace 1\n%s\n' "${line%%|*}" >"$tmp/bad.nst"
	run check "$tmp/bad.nst"
	status 2
	err "${line#*|}"
done
printf '# numasim trace 1\ncpu=0 kmalloc a bytes=8 gfp=GFP_KERNEL\ncpu=0 free a\n' >"$tmp/bad.nst"
run check "$tmp/bad.nst"
status 2
err 'a free of "a", which is a slab object: expected kfree'
printf '# numasim trace 1\ncpu=0 alloc a order=0 gfp=GFP_KERNEL\ncpu=0 kfree a\n' >"$tmp/bad.nst"
run check "$tmp/bad.nst"
status 2
err 'a kfree of "a", which is a page'

# 20,000 objects each by CPUs 0 and 1, 2,000 by CPU 3. What CPU 1 took CPU 2 of another node frees, and what
# CPU 3 (node 1) took of node 0 it frees itself: 20,000 + 1,000 from afar.
run run --format json --verify configs/scenarios/slab.cfg
status 0
is object_alloc 42000
is object_free 42000
is free_remote 21000
is alloc_node_mismatch 1999
far=$(sed -n 's/^  "simulated_ps": \([0-9]*\),$/\1/p' "$tmp/out")
sed "s|free_cpus = \[ 2 \]|free_cpus = [ 1 ]|; s|\.\./machines|$PWD/configs/machines|" configs/scenarios/slab.cfg >"$tmp/near.cfg"
run run --format json "$tmp/near.cfg"
status 0
is free_remote 1000
near=$(sed -n 's/^  "simulated_ps": \([0-9]*\),$/\1/p' "$tmp/out")
[ "$far" -gt "$near" ] || fail "remote frees cost nothing: $far, $near"

# With red zones every operation takes the node's lock.
run run --set kernel.slub_debug=FZ configs/scenarios/slab.cfg
status 0
out "Slab cache"
run run --set workloads.[0].sizes=0 configs/scenarios/slab.cfg
status 2
err 'size "0" is not a number of bytes from 1 to 4194304'
run run --set 'workloads.[2].policy="bind:0"' configs/scenarios/slab.cfg
status 2
err "either nodes or policy, not both"
end
