#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# numasim replay --reclaim: the trace's frees by kswapd left out, and done by the simulated one; what
# is printed where memory runs out.
. "$2/tests/golden/harness"

# 64 MiB of which page cache takes 100: a disk read by 4 KiB pages, all unmovable user memory.
cat >"$tmp/m.cfg" <<X
name = "small";
source = "test";
architecture = "x86_64";
memory_model = "sparse-vmemmap";
nodes = ( { id = 0; memory = ( { base = "0x0"; size = "64MiB"; } ); cpus = { ids = [ 0, 1 ]; frequency = "2GHz"; }; } );
bank = { latency = "60ns"; bandwidth = "20GB/s"; };
X
awk 'BEGIN {
	for (i = 0; i < 25600; i++) {
		printf "reader-1 [000] ..... %d.%06d: mm_page_alloc: page=0000000000000001 pfn=0x%x order=0 migratetype=0 gfp_flags=GFP_NOFS|__GFP_HARDWALL\n",
			i / 1000, i % 1000 * 1000, 4096 + i % 8000
		if (i >= 7000)
			printf "kswapd0-44 [001] ..... %d.%06d: mm_page_free: page=0000000000000001 pfn=0x%x order=0\n",
				i / 1000, i % 1000 * 1000 + 100, 4096 + (i - 7000) % 8000
	}
}' >"$tmp/t.txt"

run replay "$tmp/m.cfg" "$tmp/t.txt" --timing trace --verify --format json
status 0
is pgsteal_kswapd 0
is trace_frees_left_out 0
is free 18600

run replay "$tmp/m.cfg" "$tmp/t.txt" --timing trace --reclaim simulate --verify --events "$tmp/e" --format json
status 0
is trace_frees_left_out 18600
is failed 0
is free 0
[ "$(member pgsteal_kswapd)" -gt 10000 ] || fail "kswapd stole $(member pgsteal_kswapd)"
[ "$(grep -c mm_vmscan_kswapd_wake "$tmp/e")" -eq "$(member pageoutrun)" ] || fail "not an event a run"
for event in lru_isolate lru_shrink_inactive wakeup_kswapd; do
	grep -q "mm_vmscan_$event: " "$tmp/e" || fail "no mm_vmscan_$event"
done
cp "$tmp/out" "$tmp/first"
run replay "$tmp/m.cfg" "$tmp/t.txt" --timing trace --reclaim simulate --verify --format json
cmp "$tmp/out" "$tmp/first" || fail "another run, another result"

run replay "$tmp/m.cfg" "$tmp/t.txt" --timing trace --reclaim simulate
status 0
out "by kswapd in"

# Kernel memory is not reclaimed: a kernel would kill somebody, and the report says how things stood.
sed 's/GFP_NOFS|__GFP_HARDWALL/GFP_KERNEL/' "$tmp/t.txt" >"$tmp/k.txt"
run replay "$tmp/m.cfg" "$tmp/k.txt" --timing trace --reclaim simulate --verify
status 0
out "invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0"
out "Mem-Info:"
out "lowmem_reserve[]:"

# Anonymous memory: fails where there is no swap, and goes there where there is.
sed 's/GFP_NOFS|__GFP_HARDWALL/GFP_HIGHUSER_MOVABLE|__GFP_ZERO/' "$tmp/t.txt" >"$tmp/a.txt"
run replay "$tmp/m.cfg" "$tmp/a.txt" --timing trace --reclaim simulate --verify --format json
status 0
is pswpout 0
[ "$(member failed)" -gt 5000 ] || fail "$(member failed) failed"
echo 'kernel = { swap = "128MiB"; };' | cat "$tmp/m.cfg" - >"$tmp/swap.cfg"
run replay "$tmp/swap.cfg" "$tmp/a.txt" --timing trace --reclaim simulate --verify --format json
status 0
is failed 0
[ "$(member pswpout)" -gt 5000 ] || fail "$(member pswpout) swapped"
is pgsteal_anon "$(member pswpout)"

# Who reclaims if nobody is told to: the trace, where it tells of reclaim; else whoever runs short.
# What is kept for who cannot wait is there for him then, even where only the trace may reclaim.
native()
{
	awk -v gfp="$1" 'BEGIN {
		print "# numasim trace 1"
		for (i = 0; i < 20000; i++)
			printf "cpu=0 alloc f%d order=0 gfp=%s\n", i, gfp
	}'
}
native 'GFP_KERNEL|__GFP_NORETRY|__GFP_NOWARN' >"$tmp/n.txt"
for reclaim in "" "--reclaim trace" "--reclaim simulate"; do
	# shellcheck disable=SC2086 # two words, or none
	run replay "$tmp/m.cfg" "$tmp/n.txt" $reclaim --verify --format json
	status 0
	failed=$(member failed)
	above_min=$(member alloc)
	for i in 1 2 3 4 5 6 7 8 9 10; do
		echo "cpu=0 alloc a$i order=0 gfp=GFP_ATOMIC"
	done | cat "$tmp/n.txt" - >"$tmp/atomic.txt"
	# shellcheck disable=SC2086
	run replay "$tmp/m.cfg" "$tmp/atomic.txt" $reclaim --verify --format json
	is failed "$failed"
done
# One page that kswapd frees is one more that was to be had, and no second one.
echo "cpu=0 free f7 by=kswapd" | cat "$tmp/n.txt" - >"$tmp/owed.txt"
run replay "$tmp/m.cfg" "$tmp/owed.txt" --verify --format json
status 0
is alloc $((above_min + 1))

# Who frees memory himself has all there is for that, in each format of the trace.
for i in 1 2 3 4 5 6 7 8 9 10; do
	echo "cpu=0 alloc k$i order=0 gfp=GFP_NOWAIT by=kswapd"
done | cat "$tmp/n.txt" - >"$tmp/kswapd.txt"
for format in native ftrace perf trace-cmd binary; do
	run trace convert "$tmp/kswapd.txt" --format "$format" -o "$tmp/kswapd.$format"
	status 0
	run replay "$tmp/m.cfg" "$tmp/kswapd.$format" --verify --format json
	status 0
	is alloc $((above_min + 10))
done
sed 's/ by=kswapd//' "$tmp/kswapd.txt" >"$tmp/nobody.txt"
run replay "$tmp/m.cfg" "$tmp/nobody.txt" --verify --format json
is alloc "$above_min"

# Who must not fail does not do so in silence.
native 'GFP_KERNEL|__GFP_NOFAIL' >"$tmp/nofail.txt"
for reclaim in "" "--reclaim trace"; do
	# shellcheck disable=SC2086
	run replay "$tmp/m.cfg" "$tmp/nofail.txt" $reclaim
	status 1
	err "must not fail (__GFP_NOFAIL)"
done

# Side by side, each machine reclaims for itself, whatever the trace's had to.
run compare "$tmp/m.cfg" --trace "$tmp/t.txt" --timing trace --format json
status 0
[ "$(member pgsteal_kswapd)" -gt 10000 ] || fail "kswapd stole $(member pgsteal_kswapd)"
run compare "$tmp/m.cfg" --trace "$tmp/t.txt" --timing trace --reclaim trace --format json
status 0
is pgsteal_kswapd 0
run compare "$tmp/m.cfg" --reclaim trace
wrong "--reclaim is for --trace"

run replay "$tmp/m.cfg" "$tmp/t.txt" --reclaim nobody
wrong "nobody"
end
