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

# All that is shipped is well-formed.
find configs -name '*.cfg' >"$tmp/configs"
while read -r file; do
	run check "$file"
	status 0
	out "$file: ok ("
done <"$tmp/configs"

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

gzip -c $excerpt | head -c 2000 >"$tmp/cut.gz"
run check "$tmp/cut.gz"
status 2
silent out
err "numasim: $tmp/cut.gz"

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
