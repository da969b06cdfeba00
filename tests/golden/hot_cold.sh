#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Kernels whose per-CPU lists have a hot and a cold end: a page just freed is warm in the cache, and
# /proc/zoneinfo says what such a kernel has.
. "$2/tests/golden/harness"
scenario=configs/scenarios/hot-cold.cfg
machine=configs/machines/uma-e5-2630v4-linux-4.9.cfg

# run_with GFP: simulated picoseconds.
run_with()
{
	run run $scenario --set "workload.gfp=$1" --format json -q --verify
	status 0
	member simulated_ps >"$tmp/ps"
}

# 20,000 pages of 64 lines: from L1 in 2.3 ns a line, from L3 in 22.7, of which the core has ten in
# flight. The rest is the same work on the lists, to which the neighbour on the list is another.
run_with GFP_HIGHUSER_MOVABLE
hot=$(cat "$tmp/ps")
is pcp_refills 1
run_with 'GFP_HIGHUSER_MOVABLE|__GFP_COLD'
cold=$(cat "$tmp/ps")
is pcp_refills 1
difference=$(((cold - hot) / 1000))
lines=$((20000 * 64 * 204 / 10 / 10))
share=$((difference * 100 / lines))
[ "$share" -ge 95 ] || fail "cold pages take $difference ns more, expected about $lines"
[ "$share" -le 105 ] || fail "cold pages take $difference ns more, expected about $lines"

# On a kernel of today the flag means nothing.
for gfp in GFP_HIGHUSER_MOVABLE 'GFP_HIGHUSER_MOVABLE|__GFP_COLD'; do
	run run $scenario --set machine=../machines/uma-e5-2630v4.cfg --set "workload.gfp=$gfp" \
		--format json -q
	status 0
	member simulated_ps
done >"$tmp/same"
[ "$(uniq "$tmp/same" | wc -l)" -eq 1 ] || fail "__GFP_COLD does something on 6.1"

# 512 KiB / 4 are 32 pages, 31 a batch, six of them at most; with `low`, two of them at least.
run show $machine zoneinfo
status 0
sed -n '/zone   Normal/,/threshold/p' "$tmp/out" | sed -n '/cpu: 0/,$p' >"$tmp/cpu0"
head -4 "$tmp/cpu0" >"$tmp/head"
printf '    cpu: 0\n              count: 0\n              high:  186\n              batch: 31\n' |
	cmp - "$tmp/head" || fail "zoneinfo has other lists: $(cat "$tmp/head")"
run show $machine zoneinfo --set kernel.profile=linux-2.6.12-amd64
status 0
out "              low:   62"
run show $machine zoneinfo --set kernel.profile=linux-2.6.12-amd64 --format json
out '"low": 62'

# Wrong profiles.
bad()
{
	sed "s/^per_cpu_lists = .*/per_cpu_lists = { $1 };/" configs/kernels/linux-4.9-amd64.cfg >"$tmp/bad.cfg"
	run check "$tmp/bad.cfg"
	status 2
	err "$2"
}
bad 'kind = "hot-colt"; high = 6; batch_memory = "512KiB";' 'hot-cold'
bad 'kind = "hot-cold"; batch_memory = "512KiB";' "'high' is missing"
bad 'kind = "hot-cold"; high = 6;' "'batch_memory' is missing"
bad 'kind = "hot-cold"; low = 6; high = 6; batch_memory = "512KiB";' \
	"'low' is 6 and 'high' 6 batches: expected less than that"
bad 'kind = "by-order"; high = 6;' "only lists of kinds 'by-mobility' and 'hot-cold' have it"
bad 'kind = "by-mobility"; low = 1; high = 6; batch_memory = "1MiB";' "only lists of kind 'hot-cold' have it"
bad 'kind = "hot-cold"; high = 6; batch_memory = "512KiB"; gather = true;' \
	"only lists of kind 'by-mobility' have it"
bad 'kind = "by-order"; hihg = 6;' "unknown key 'hihg'"
end
