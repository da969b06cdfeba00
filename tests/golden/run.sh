#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# numasim run: what the command line changes in a scenario. (scenarios.sh runs all that are shipped.)
. "$2/tests/golden/harness"
churn=configs/scenarios/churn.cfg

# 4 CPUs with 5000 operations each.
run run $churn --format json
[ $(($(member alloc) + $(member free))) -eq 20000 ] || fail "the operations are not 4 * 5000"
cp "$tmp/out" "$tmp/first"
run run $churn --format json -o "$tmp/file"
silent out
cmp "$tmp/first" "$tmp/file" || fail "a second run, with -o, prints other bytes"
run run $churn --format json --seed 2
status 0
! cmp -s "$tmp/first" "$tmp/out" || fail "another seed changes nothing"
run run $churn --format json --seed 1
cmp "$tmp/first" "$tmp/out" || fail "--seed 1 is not the file's seed = 1"
run run $churn --format json --set seed=2
! cmp -s "$tmp/first" "$tmp/out" || fail "--set seed changes nothing"

# --set reaches both files.
run run $churn --format json --set workload.operations=10 --set memory_model=flat
status 0
[ $(($(member alloc) + $(member free))) -eq 40 ] || fail "the operations are not 4 * 10"
out '"memory_model": "flat"'

run run $churn
status 0
out "Simulated time  5."
out "Operations      10,0"
out "0 failed"

# A scenario of its own, with a cost file beside it; --costs goes before that.
machine=$PWD/configs/machines/holey-board-flat.cfg
sed 's/cycles = [0-9]*/cycles = 0/' configs/costs/linux-6.x.cfg >"$tmp/free.cfg"
cat >"$tmp/scenario.cfg" <<END
machine = "$machine";
costs = "free.cfg";
workload = { kind = "fill"; cpus = [0]; bytes = "64KiB"; gfp = "GFP_KERNEL"; };
END
run run "$tmp/scenario.cfg" --format json
status 0
is alloc 16
free=$(member simulated_ps)
run run "$tmp/scenario.cfg" --format json --costs configs/costs/linux-6.x.cfg
[ "$(member simulated_ps)" -gt "$free" ] || fail "--costs changes nothing"
run compare "$machine" --scenario "$tmp/scenario.cfg" --format json
is simulated_ps "$free"

# What is wrong is told with its place, nothing is printed, and the exit status is 2.
run run "$tmp/none.cfg"
wrong "numasim: $tmp/none.cfg: "
run run "$machine"
wrong "$machine:1: name: unknown key 'name'"
echo 'machine = "none.cfg"; workload = { kind = "fill"; };' >"$tmp/scenario.cfg"
run run "$tmp/scenario.cfg"
wrong "numasim: $tmp/none.cfg: "
printf 'machine = "%s";\nworkload = { kind = "fll"; };\n' "$machine" >"$tmp/scenario.cfg"
run run "$tmp/scenario.cfg"
wrong "numasim: $tmp/scenario.cfg:2: workload.kind: unknown workload 'fll', did you mean 'fill'?"
printf 'machine = "%s";\nworkload = { kind = "fill"; bytes = "1PiB"; };\n' "$machine" \
	>"$tmp/scenario.cfg"
run run "$tmp/scenario.cfg"
wrong "numasim: $tmp/scenario.cfg:2: workload: 274877906944 operations"
run run $churn --set workload.opeartions=3
wrong "--set workload.opeartions=3: workload.opeartions: unknown key 'opeartions'"
run run $churn --set workload.cpus=0
wrong "workload.cpus: expected a list"
run run $churn --seed many
wrong "--seed"
run run $churn --costs "$tmp/none.cfg"
wrong "numasim: $tmp/none.cfg: "
run run
wrong "too few arguments"

# The clock does not wrap. 8 CPUs zero 4 MiB each: 335,544 s at 100 B/s, a hundred times as long, at 1 B/s, is more
# than 2^62 ps.
cat >"$tmp/slow.cfg" <<'END'
name = "slow";
source = "a test";
architecture = "x86_64";
memory_model = "sparse-vmemmap";
nodes = ( { memory = ( { base = "0"; size = "256MiB"; } ); cpus = { count = 8; frequency = "2GHz"; }; } );
bank = { latency = "80ns"; bandwidth = "1B/s"; };
END
echo 'machine = "slow.cfg"; workload = { kind = "fault"; bytes = "4MiB"; };' >"$tmp/slow-run.cfg"
for mode in batched exact; do
	run run "$tmp/slow-run.cfg" --thp always --timing-mode $mode
	wrong "slow.cfg: simulated time passes 4611686 s, the most that can be simulated"
done
run run "$tmp/slow-run.cfg" --thp always --set bank.bandwidth=100B/s --format json
status 0
seconds=$(($(member simulated_ps) / 1000000000000))
if [ "$seconds" -lt 335544 ] || [ "$seconds" -gt 340000 ]; then
	fail "it takes $seconds s"
fi
run compare "$tmp/slow.cfg" configs/machines/small-2n.cfg --scenario "$tmp/slow-run.cfg" --thp always
wrong "slow.cfg: simulated time passes 4611686 s"
end
