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

# What batching may cost: half a percent of simulated time. All scenarios: replay.batched_error. Who
# comes first to a lock hangs on picoseconds, and who has the longer work behind it on that: in a
# short run the last CPU's end scatters by as much.
set -- --set workload.operations=20000 --format json -q
run run configs/scenarios/churn.cfg "$@"
sed -n 's/^  "simulated_ps": \([0-9]*\),/\1/p' "$tmp/out" >"$tmp/times"
run run configs/scenarios/churn.cfg "$@" --timing-mode exact
out '"timing_mode": "exact"'
sed -n 's/^  "simulated_ps": \([0-9]*\),/\1/p' "$tmp/out" >>"$tmp/times"
awk 'NR == 1 { batched = $1 } END { d = batched / $1 - 1; exit !(NR == 2 && d && d < 0.005 && d > -0.005) }' \
	"$tmp/times" || fail "batched and exact mode differ by nothing, or more than 0.5 %: $(cat "$tmp/times")"

ran="bench nothing"
"$bench" replay.nothing >"$tmp/out" 2>"$tmp/err"
[ $? -eq 2 ] || fail "an unknown figure is taken"
silent out
for name in core.pcp_pair core.bulk_fill core.bulk_free core.random_pair replay.binary replay.ftrace \
	replay.naive replay.batched_error replay.activities_per_event boot.1tib_64n_1024c.seconds \
	boot.1tib_64n_1024c.mib boot.16tib.seconds boot.16tib.mib replay.ns_per_event.8cpu \
	replay.ns_per_event.64cpu replay.ns_per_event.512cpu; do
	grep -qE " $name(,|\$)" "$tmp/err" || fail "$name is not known"
done
end
