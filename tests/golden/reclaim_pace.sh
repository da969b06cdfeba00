#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# numasim replay --reclaim simulate against a machine that reclaims slowly: kswapd steals what the
# real one stole, direct reclaim comes in where that is late, at the pace that the trace shows.
. "$2/tests/golden/harness"
w4c=tests/reference/starts/W4c

# real NAME: what a counter of the captured kernel moved by
real()
{
	for file in before after; do
		awk -v name="$1" '$1 == name { print $2 }' "$w4c/$file/vmstat.txt"
	done | awk 'NR == 1 { before = $1 } END { print $1 - before }'
}

# within PERCENT FOUND REAL WHAT
within()
{
	awk -v p="$1" -v a="$2" -v b="$3" 'BEGIN { d = a > b ? a - b : b - a; exit !(100 * d <= p * b) }' ||
		fail "$4: $2, of the real kernel $3"
}

run replay $w4c/machine.cfg $w4c/trace.bin --start $w4c --reclaim simulate --verify --format json
status 0
cp "$tmp/out" "$tmp/first"
[ "$(real pgsteal_kswapd)" -eq 39155 ] || fail "the capture has changed"
within 2 "$(member pgsteal_kswapd)" "$(real pgsteal_kswapd)" "pages that kswapd stole"
steals=$(($(member pgsteal_kswapd) + $(member pgsteal_direct)))
within 1 "$steals" $(($(real pgsteal_kswapd) + $(real pgsteal_direct))) "pages stolen"
within 25 "$(member pageoutrun)" "$(real pageoutrun)" "runs of kswapd"
within 35 "$(member allocstall)" "$(real allocstall_normal)" "direct reclaims"
within 5 "$(member pgskip)" "$(real pgskip_dma32)" "pages passed over for a zone below"
# 95 % of the 77,041 go to the zone of the real kernel, which had freed other pages.
[ "$(member zone_agree)" -ge 73189 ] || fail "zone_agree is $(member zone_agree)"
run replay $w4c/machine.cfg $w4c/trace.bin --start $w4c --reclaim simulate --verify --format json
cmp "$tmp/out" "$tmp/first" || fail "another run, another result"

# As quick as the simulated machine, kswapd is late less often and steals more: it is the pace that
# does it.
run trace convert $w4c/trace.bin -o "$tmp/t.nst" --format native --quiet
status 0
grep -q '^original kswapd_page_ps=15379284$' "$tmp/t.nst" || fail "the pace is lost"
sed '/^original kswapd_/d' "$tmp/t.nst" >"$tmp/quick.nst"
run replay $w4c/machine.cfg "$tmp/quick.nst" --start $w4c --reclaim simulate --format json
status 0
[ "$(member allocstall)" -le $(($(real allocstall_normal) / 2)) ] ||
	fail "allocstall is $(member allocstall) at no pace"
[ "$(member pgsteal_kswapd)" -gt $(($(real pgsteal_kswapd) * 102 / 100)) ] || fail "kswapd stole $(member pgsteal_kswapd) at no pace"

# Back to back there is nothing to keep pace with.
run replay $w4c/machine.cfg "$tmp/t.nst" --start $w4c --reclaim simulate --timing asap --format json
status 0
cp "$tmp/out" "$tmp/asap"
run replay $w4c/machine.cfg "$tmp/quick.nst" --start $w4c --reclaim simulate --timing asap --format json
sed 's/t\.nst/quick.nst/' "$tmp/asap" >"$tmp/asap2"
[ "$(grep -c . "$tmp/out")" -eq "$(grep -c . "$tmp/asap2")" ] || fail "another document"
grep -E '"(elapsed|pg|numa)' "$tmp/out" >"$tmp/a"
grep -E '"(elapsed|pg|numa)' "$tmp/asap2" >"$tmp/b"
cmp "$tmp/a" "$tmp/b" || fail "a pace where nobody has times"
end
