#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# numasim check: each kind of file is recognised by its content, all are looked at, and one that is
# wrong makes the exit status 2. (What is wrong with configs and traces: their own tests.)
. "$2/tests/golden/harness"
machine=configs/machines/W1b_touch_4k_2x512m.cfg
costs=$(find configs/costs -name '*.cfg' | head -n 1)
trace=traces/W1b_touch_4k_2x512m.trace.zst
excerpt=tests/reference/trace-forms/w2a_excerpt.txt

run check $machine
status 0
out "$machine: ok (machine, 2 nodes, "
silent err

run check "$costs"
status 0
out "$costs: ok (costs, "

run check $trace
status 0
out "$trace: ok (trace, ftrace, "

run check configs/scenarios/churn.cfg
status 0
out "configs/scenarios/churn.cfg: ok (scenario, machine holey-board-sparse, "
silent err

# All that is shipped is well-formed, and no CPU has misses in flight without bound.
find configs -name '*.cfg' >"$tmp/configs"
while read -r file; do
	run check "$file"
	status 0
	out "$file: ok ("
	grep -q fill_buffers "$tmp/err" && fail "$file: a CPU without a bound"
done <"$tmp/configs"
sed "s|@include \"|&$PWD/configs/machines/|; /e5-2630v4-core/s/.*/frequency = \"2GHz\";/" \
	configs/machines/uma-e5-2630v4.cfg >"$tmp/boundless.cfg"
run check "$tmp/boundless.cfg"
status 0
err "warning: caches: the CPUs have caches, but nothing says how many misses they may have in flight"

# The name does not matter.
cp "$costs" "$tmp/a.trace"
cp $excerpt "$tmp/b.cfg"
run check "$tmp/a.trace" "$tmp/b.cfg"
status 0
out "a.trace: ok (costs, "
out "b.cfg: ok (trace, ftrace, "

# One wrong file does not keep the others from being looked at.
echo 'nodez = 3;' >"$tmp/wrong.cfg"
run check $machine "$tmp/wrong.cfg" "$tmp/none.cfg" $trace
status 2
out "$machine: ok"
out "$trace: ok"
err "numasim: $tmp/wrong.cfg:1: "
err "numasim: $tmp/none.cfg: "

# A scenario is one by its machine or by its work; both, and its costs, are looked at.
scenario=configs/scenarios/churn.cfg
run check $scenario
out "$scenario: ok (scenario, machine holey-board-sparse, 20000 events)"
echo 'workload = { kind = "fill"; };' >"$tmp/scenario.cfg"
run check "$tmp/scenario.cfg"
wrong "$tmp/scenario.cfg:1: 'machine' is missing"
echo "machine = \"$PWD/$machine\";" >"$tmp/scenario.cfg"
run check "$tmp/scenario.cfg"
wrong "$tmp/scenario.cfg:1: 'workload' is missing"
echo 'workload = { kind = "fil"; };' >>"$tmp/scenario.cfg"
run check "$tmp/scenario.cfg"
wrong "$tmp/scenario.cfg:2: workload.kind: unknown workload 'fil'"
sed -i 's/"fil"/"fill"/' "$tmp/scenario.cfg"
run check "$tmp/scenario.cfg"
status 0
echo 'costs = "none.cfg";' >>"$tmp/scenario.cfg"
run check "$tmp/scenario.cfg"
wrong "numasim: $tmp/none.cfg: "
echo "machine = \"$tmp/wrong.cfg\"; workload = { kind = \"fill\"; };" >"$tmp/scenario.cfg"
run check "$tmp/scenario.cfg"
wrong "numasim: $tmp/wrong.cfg:1: "

# What is well-formed and yet no machine for Linux.
sed "s|@include \"|&$PWD/configs/machines/|; s/sparse-vmemmap/flat/" \
	configs/machines/xeon-8269cy-2s.cfg >"$tmp/flat.cfg"
run check "$tmp/flat.cfg"
wrong "the flat memory model has one node descriptor"

# --format json: an object for each file, with its details or with what is wrong.
run check --format json $machine "$costs" $scenario $trace "$tmp/flat.cfg" "$tmp/none.cfg"
status 2
[ "$(grep -c '"ok": true' "$tmp/out")" -eq 4 ] || fail "not four files are ok"
[ "$(grep -c '"ok": false' "$tmp/out")" -eq 2 ] || fail "not two files are wrong"
for kind in machine costs scenario trace unknown; do
	out "\"kind\": \"$kind\""
done
out '"events": 20000'
is nodes 2
is line "$(grep -n memory_model "$tmp/flat.cfg" | cut -d : -f 1)"
out '"message": "the flat memory model has one node descriptor'
out "\"file\": \"$tmp/none.cfg\""
err "numasim: $tmp/none.cfg: "

gzip -c $excerpt | head -c 2000 >"$tmp/cut.gz"
run check "$tmp/cut.gz"
status 2
silent out
err "numasim: $tmp/cut.gz"

# As other commands that read a machine.
run check --set bank.bandwith=1GB/s configs/machines/small-uma.cfg
status 2
silent out
err "unknown key 'bandwith', did you mean 'bandwidth'?"
run check --set kernel.numa_off=true configs/machines/W1b_touch_4k_2x512m.cfg
status 2
err "the kernel has no zone 1 of node 1, it has 5 zones on each of 1 node"
run check --set cpus.count=1 configs/machines/small-uma.cfg
status 2
err "unknown key"

: >"$tmp/empty"
run check "$tmp/empty"
status 2
silent out
err "numasim: $tmp/empty"

run check "$tmp"
status 2
silent out
err "numasim: $tmp"
end
