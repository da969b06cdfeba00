#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Scenarios in which memory runs out: what reclaim, disks and reserves make of them.
. "$2/tests/golden/harness"

# sum NAME: of all numbers of that name; cpu N NAME: that of a CPU.
sum()
{
	sed -n "s/^ *\"$1\": \([0-9]*\),*\$/\1/p" "$tmp/out" | awk '{ n += $1 } END { printf "%.0f\n", n }'
}
cpu()
{
	sed -n '/^  "cpus"/,/^  ]/p' "$tmp/out" | sed -n "s/^ *\"$2\": \([0-9]*\),*\$/\1/p" | sed -n "$(($1 + 1))p"
}
above()
{
	[ "$2" -gt "$3" ] || fail "$1 is $2, expected more than $3"
}

# about A B BY: A is B but for BY.
about()
{
	if [ $(($1 - $2)) -gt "$3" ] || [ $(($2 - $1)) -gt "$3" ]; then fail "$1 is not $2 but for $3"; fi
}

# 192 MiB twice, 32 pages a request: 98,304 pages, of which next to none is there when its turn comes
# again. What memory does not hold is reclaimed, by kswapd nearly all of it. The disk takes 92.4 us for
# each request and a nanosecond for 0.54 B; the reader waits as long, but
# where kswapd has its CPU meanwhile.
run run configs/scenarios/page-cache.cfg --verify --format json
status 0
is file_read 98304
is workingset_refault_file $(($(member file_brought_in) - 49152))
above file_brought_in "$(member file_brought_in)" 97000
is bytes_read $(($(member file_brought_in) * 4096))
about "$(member reads)" 3072 40
about "$(member busy_ps)" $(($(member reads) * 92400000 + $(member bytes_read) * 50000 / 27)) 4000
about "$(member disk_ps)" "$(member busy_ps)" 1000000000
above pgsteal_kswapd "$(member pgsteal_kswapd)" 50000
above "pgsteal_kswapd : pgsteal_direct" "$(member pgsteal_kswapd)" $((9 * $(member pgsteal_direct)))
is pswpout 0
# What fits is read once.
run run configs/scenarios/page-cache.cfg --format json --set workload.bytes=64MiB
is file_brought_in 16384
is file_cached $((32768 - 512))
is pgsteal_kswapd 0

# 144 MiB of 128: swapped, and waited for.
run run configs/scenarios/swap.cfg --verify --format json
status 0
is failed 0
is alloc 36864
above pswpout "$(member pswpout)" 5000
above pswpin "$(member pswpin)" 2500
is pswpin "$(member swapped_in)"
# Each that comes back is recognised.
is workingset_refault_anon "$(member pswpin)"
above disk_ps "$(member disk_ps)" 100000000000
[ $(($(member bytes_read) / 4096)) -eq "$(member pswpin)" ] || fail "the disk reads other pages"
cp "$tmp/out" "$tmp/first"
# The same bytes again, beside the machine without swap.
run compare configs/machines/small-uma-swap.cfg configs/machines/small-uma.cfg \
	--scenario configs/scenarios/swap.cfg --format json
status 0
sed -n 's/^ *"\(disk_ps\|pswpin\|simulated_ps\)": .*/&/p' "$tmp/first" | tr -d ' ' >"$tmp/figures"
sed -n 's/^ *"\(disk_ps\|pswpin\|simulated_ps\)": .*/&/p' "$tmp/out" | tr -d ' ' |
	head -n "$(wc -l <"$tmp/figures")" | cmp -s - "$tmp/figures" || fail "another run, other figures"
# The same without swap: an outcome, with the kernel's report.
run run configs/scenarios/out-of-memory.cfg --verify --format json
status 0
[ $(($(member alloc) + $(member failed))) -eq 36864 ] || fail "the allocations are not 36864"
above failed "$(member failed)" 5000
is oom_kill "$(member failed)"
is disk_ps 0
out 'invoked oom-killer: gfp_mask=0x100dca(GFP_HIGHUSER_MOVABLE|__GFP_ZERO), order=0, oom_score_adj=0'
out 'Mem-Info:'

# zone_reclaim_mode 0: anonymous memory comes from the other node. 1: page cache makes room.
run compare configs/machines/small-2n.cfg configs/machines/small-2n-reclaim.cfg \
	--scenario configs/scenarios/zone-reclaim.cfg --format json
status 0
sed -n 's/^ *"remote_memory_ps": \([0-9]*\),$/\1/p' "$tmp/out" | sort -n >"$tmp/remote"
remote=$(sort -nr "$tmp/remote" | head -n 1)
# 10,000 pages, 8 times, at least a part in 12 of 143.2 ns each, as a store takes it.
above remote_memory_ps "$remote" 950000000
[ "$(head -n 1 "$tmp/remote")" -eq 0 ] || fail "zone_reclaim_mode 1 leaves remote accesses"
above fallback_node "$(sum fallback_node)" 10000
above pgsteal_direct "$(sum pgsteal_direct)" 10000
run run configs/scenarios/zone-reclaim.cfg --format json --sysctl zone_reclaim_mode=1
is remote_memory_ps 0
is fallback_node 0

# Who cannot wait takes the reserves, and then nothing; who can waits, and gets all.
run run configs/scenarios/reserves.cfg --verify --format json
status 0
above from_reserves "$(member from_reserves)" 1000
above failed "$(member failed)" 0
[ $(($(member alloc) + $(member failed))) -eq 70000 ] || fail "the allocations are not 70000"
[ "$(cpu 1 disk_ps)" -eq 0 ] || fail "CPU 1 waits for the disk"
above "disk_ps of CPU 2" "$(cpu 2 disk_ps)" 0
above allocstall "$(member allocstall)" 0

# A trace of the same sort, replayed with and without.
run trace generate anon --bytes 72MiB --cpus 2 --passes 2 -o "$tmp/anon.trace"
status 0
run replay configs/machines/small-uma-swap.cfg "$tmp/anon.trace" --format json
status 0
is failed 0
above pswpout "$(member pswpout)" 5000
run replay configs/machines/small-uma-swap.cfg "$tmp/anon.trace" --reclaim trace --format json
above failed "$(member failed)" 5000

# Who must not fail takes all there is. Then nobody is left to free anything: that is told.
printf 'machine = "%s";\nworkload = { kind = "fill"; cpus = [0]; bytes = "192MiB"; gfp = "GFP_KERNEL|__GFP_NOFAIL"; };\n' \
	"$PWD/configs/machines/small-uma.cfg" >"$tmp/nofail.cfg"
run run "$tmp/nofail.cfg" --format json
status 1
silent out
err "an allocation that must not fail (__GFP_NOFAIL) waits for memory that nobody is left to free"
err "Mem-Info:"
end
