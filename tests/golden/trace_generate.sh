#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# numasim trace generate: the same trace for the same seed, what its options say, and what they may
# not say.
. "$2/tests/golden/harness"

# Every kind, with any options: readable, replayable, and the same again.
"$numasim" trace generate --help | sed -n '/^Kinds/,/^$/s/^  \([a-z]*\) .*/\1/p' >"$tmp/kinds"
[ "$(wc -l <"$tmp/kinds")" -ge 4 ] || fail "the help lists too few kinds"
while read -r kind; do
	mix="--orders 0:6,2:3,9:1 --gfp GFP_KERNEL:1,GFP_HIGHUSER_MOVABLE:2"
	[ "$kind" != anon ] || mix="--access random --passes 3"
	# shellcheck disable=SC2086 # several words
	for seed in 7 7 8; do
		run trace generate "$kind" --count 5000 --cpus 3 $mix --touch 64B --interval 1us \
			--seed $seed -o "$tmp/$seed.bin"
		status 0
		silent err
		[ -e "$tmp/$kind.bin" ] || cp "$tmp/7.bin" "$tmp/$kind.bin"
	done
	cmp "$tmp/7.bin" "$tmp/$kind.bin" || fail "the same seed gives another trace"
	! cmp -s "$tmp/8.bin" "$tmp/$kind.bin" || fail "another seed gives the same trace"
	run trace info "$tmp/$kind.bin" --format json
	is total 5000
	is cpus 3
	# Uniform between 0 and 2 us, 4999 times: 4999 us in the mean, 41 us of deviation.
	span=$(member span_ps)
	{ [ "$span" -gt 4800000000 ] && [ "$span" -lt 5200000000 ]; } || fail "spans $span ps"
	run replay configs/machines/xeon-8269cy-2s.cfg "$tmp/$kind.bin" --verify
	status 0
done <"$tmp/kinds"

# Weights: of some 2500 allocations 60, 30 and 10 % of the orders; 5 deviations are 2.5 % of them.
run trace info "$tmp/fill.bin" --format json
sed -n '/"allocs_by_order"/,/\]/p' "$tmp/out" | tr -dc '0-9,\n' | tr -d '\n' | tr ',' ' ' >"$tmp/orders"
awk '{ n = $1 + $3 + $10
	bad = $1 / n < .575 || $1 / n > .625 || $3 / n < .275 || $3 / n > .325
	exit n < 2400 || n != $1 + $2 + $3 + $4 + $5 + $6 + $7 + $8 + $9 + $10 + $11 || bad }' \
	"$tmp/orders" || fail "orders are not in proportion: $(cat "$tmp/orders")"

# Of a machine: its node 0 and 16 MiB beyond, in blocks of 4 MiB.
run trace generate fill --machine configs/machines/W1b_touch_4k_2x512m.cfg --orders 10 --format native
status 0
[ "$(grep -c "alloc .* order=10" "$tmp/out")" -eq 132 ] || fail "not 132 blocks of 4 MiB"

# As a scenario makes it.
run trace generate contend --cpus 2 --burst 3 --count 24 --format native
status 0
[ "$(grep -c alloc "$tmp/out")" -eq 12 ] || fail "not 12 allocations"
[ "$(grep -c "cpu=1 free" "$tmp/out")" -eq 6 ] || fail "not 6 frees of CPU 1"

run trace generate chrun
wrong "unknown kind 'chrun', did you mean 'churn'?"
run trace generate churn --bytes 1MiB
wrong "--bytes: 'churn' has no such"
run trace generate churn --count 0
wrong "--count: '0' is not a number from 1 to 67108864"
run trace generate churn --count 67108864 --touch 64B
wrong "more than 67108864 events"
run trace generate churn --orders 0:3,11
wrong "--orders: order \"11\" is not a number from 0 to 10"
run trace generate churn --orders 0:0
wrong "--orders: weight \"0\" is not a number from 1"
run trace generate churn --gfp GFP_KERNAL:2
wrong "did you mean \"GFP_KERNEL\"?"
run trace generate churn --touch 8KiB
wrong "--touch: '8KiB' is nothing, or too much"
run trace generate churn --interval 5
wrong "--interval: '5' has no unit"
run trace generate fill
wrong "'fill' needs --bytes, --count or --machine"
run trace generate churn --machine configs/machines/W1b_touch_4k_2x512m.cfg --cpus 2
wrong "without --cpus"
run trace generate churn --machine "$tmp/none.cfg"
wrong "numasim: $tmp/none.cfg: "
run trace generate churn --cpus 8193
wrong "--cpus: '8193' is not a number from 1 to 8192"
run trace generate churn --format text
wrong "unknown format 'text'"
end
