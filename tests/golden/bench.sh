#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# numasim-bench NAME...: a JSON line for each figure that is asked for, in one order, and no other.
. "$2/tests/golden/harness"
bench=$(dirname "$numasim")/numasim-bench

ran="bench (two figures)"
"$bench" boot.16tib.mib replay.activities_per_event >"$tmp/out" 2>"$tmp/err" ||
	fail "exit status $?"
silent err
[ "$(wc -l <"$tmp/out")" -eq 2 ] || fail "not two lines"
sed -n 2p "$tmp/out" | grep -qE '^\{"name": "replay.activities_per_event", "value": [0-9.]+, "unit": "activities"\}$' ||
	fail "not a line of JSON with the number of activities"
sed -n 1p "$tmp/out" | grep -qE '^\{"name": "boot.16tib.mib", "value": [0-9.]+, "unit": "MiB"\}$' ||
	fail "not a line of JSON with the memory of a boot"

"$bench" --help >"$tmp/out" 2>"$tmp/err" || fail "exit status $?"
silent err
out "Usage: numasim-bench"
out "replay.naive"

# What batching may cost: half a percent of simulated time. All scenarios: replay.batched_error. Where
# reclaim is simulated, nothing: there only what no other CPU can come between is summed up, and SimGrid
# ends each charge at the same picosecond.
simulated_ps()
{
	sed -n 's/^  "simulated_ps": \([0-9]*\),/\1/p' "$tmp/out"
}
set -- --format json -q --timing-mode
scenarios=churn
slow_build || scenarios="churn reserves swap-thp"
for scenario in $scenarios; do
	run run "configs/scenarios/$scenario.cfg" "$@" batched
	batched=$(simulated_ps)
	run run "configs/scenarios/$scenario.cfg" "$@" exact
	out '"timing_mode": "exact"'
	[ "${batched:-none}" = "$(simulated_ps)" ] ||
		fail "batched and exact mode differ: $batched and $(simulated_ps) ps"
done
machine=configs/machines/xeon-8269cy-2s.cfg
if ! slow_build; then
	run trace generate churn --machine $machine --count 60000 -q -o "$tmp/trace"
	for mode in batched exact; do
		run replay $machine "$tmp/trace" --reclaim trace "$@" $mode
		simulated_ps >>"$tmp/times"
	done
	awk '{ t[NR] = $1 } END { d = t[1] / t[2] - 1; exit !(NR == 2 && d && d < 0.005 && d > -0.005) }' \
		"$tmp/times" || fail "batched and exact mode differ by nothing, or more than 0.5 %: $(cat "$tmp/times")"
fi

ran="bench nothing"
"$bench" replay.nothing >"$tmp/out" 2>"$tmp/err"
[ $? -eq 2 ] || fail "an unknown figure is taken"
silent out
for name in core.pcp_pair core.bulk_fill core.bulk_free core.random_pair replay.binary replay.ftrace \
	replay.naive replay.batched_error replay.activities_per_event \
	replay.activities_per_event.contended replay.activities_per_event.exact boot.1tib_64n_1024c.seconds \
	boot.1tib_64n_1024c.mib boot.16tib.seconds boot.16tib.mib replay.ns_per_event.8cpu \
	replay.ns_per_event.64cpu replay.ns_per_event.512cpu replay.ns_per_event.1gib \
	replay.ns_per_event.16tib replay.ns_per_event.8node \
	replay.simulated_ns_per_event.1cpu replay.simulated_ns_per_event.512cpu; do
	grep -qE " $name(,|\$)" "$tmp/err" || fail "$name is not known"
done
end
