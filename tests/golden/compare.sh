#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# numasim compare: the table, and that one column which is refused fails the whole.
. "$2/tests/golden/harness"
board=configs/machines/holey-board-flat.cfg
w1b=configs/machines/W1b_touch_4k_2x512m.cfg
trace=traces/W1b_touch_4k_2x512m.trace.zst
models=flat,discontig,sparse,sparse-vmemmap

# row LABEL COLUMN...: the row has these cells, blanks apart.
row()
{
	label=$1
	shift
	found=$(grep -F -- "$label" "$tmp/out" | head -n 1 | sed "s/^ *$label//" | xargs)
	[ "$found" = "$*" ] || fail "row '$label' is '$found', expected '$*'"
}

# Descriptors of 64 bytes. flat: the span of 38 GiB, of which 8 GiB are there; the others: those.
# (38 GiB / 4 KiB * 64 B = 608 MiB; 8 GiB: 128 MiB; 128 / 608 = 0.211.)
run compare $board --models $models --verify
status 0
silent err
out "Work: scenarios/churn.cfg"
row "page descriptors (memmap)" 608 MiB 128 MiB 0.211x 128 MiB 0.211x 128 MiB 0.211x
row "  describing holes" 480 MiB 0 0.000x 0 0.000x 0 0.000x
row "fallback to another node" 0 0 1.00x 0 1.00x 0 1.00x
for label in "simulated time" "lock wait" "allocations" "local node" "remote node" \
	"pfn_to_page, each" "page_to_pfn, each"; do
	out "$label"
done

# As columns of JSON, twice the same.
run compare $board --models $models --format json
status 0
[ "$(grep -c '"simulated_ps"' "$tmp/out")" -eq 4 ] || fail "not four results"
cp "$tmp/out" "$tmp/first"
run compare $board --models $models --format json -o "$tmp/file"
cmp "$tmp/first" "$tmp/file" || fail "a second run, with -o, prints other bytes"

# A warning about a machine is told once, however many columns it has.
run compare configs/machines/epyc-9224-cxl.cfg --models sparse,sparse-vmemmap --set "name=twice"
status 0
[ "$(grep -c 'distances and latencies disagree' "$tmp/err")" -eq 1 ] || fail "not one warning"

# --seed is the scenario's.
run compare $board --format json --seed 5
status 0
! cmp -s "$tmp/first" "$tmp/out" || fail "another seed changes nothing"

# Seven columns take two blocks, both with the first one.
run compare $board $board $board $board $board $board $board
status 0
[ "$(grep -c '^simulated time' "$tmp/out")" -eq 2 ] || fail "not two blocks"
[ "$(grep '^simulated time' "$tmp/out" | grep -o '1\.00x' | wc -l)" -eq 6 ] ||
	fail "the same machine is not 1.00x each time"
out "[7] holey-board-flat (arm64, flat, 1 node, 4 CPUs)"

run compare --trace $trace $w1b configs/machines/W1b-uma-1g.cfg
status 0
row "allocations" 143,691 143,691 1.00x
out "  fallback into zone DMA "
grep -q '^  fallback into zone Normal' "$tmp/out" && fail "a row for a zone that nothing fell back into"

# Every machine that is shipped; what each does is run elsewhere, too.
if slow_build; then
	set -- configs/machines/i*.cfg
else
	set -- configs/machines/*.cfg
fi
run compare "$@" --format json --verify --quiet -o "$tmp/all"
status 0
silent err
[ "$(grep -c '"simulated_ps"' "$tmp/all")" -eq $# ] ||
	fail "not a result for each machine"

# One column that is refused, wherever it stands, with the line that asks for it.
sed "s|@include \"|&$PWD/configs/machines/|; s/sparse-vmemmap/flat/" \
	configs/machines/xeon-8269cy-2s.cfg >"$tmp/flat.cfg"
line=$(grep -n memory_model "$tmp/flat.cfg" | cut -d : -f 1)
run compare $board "$tmp/flat.cfg" $board -o "$tmp/none"
wrong "numasim: $tmp/flat.cfg:$line: the flat memory model has one node descriptor"
err "the machine has 2 nodes; use discontig, sparse or sparse-vmemmap"
[ ! -e "$tmp/none" ] || fail "-o has made a file"
run compare $w1b --models sparse,flat
wrong "numasim: $w1b: --set memory_model=flat: the flat memory model has one node descriptor"
run compare $board "$tmp/none.cfg"
wrong "numasim: $tmp/none.cfg: "
run compare $board --models flat,spares
wrong "unknown memory model 'spares', did you mean 'sparse'?"
run compare $board --models ''
wrong "memory_model"
run compare $board --trace $trace --scenario configs/scenarios/churn.cfg
wrong "either --trace or --scenario, not both"
run compare $board --trace $trace --seed 3
wrong "--seed is for scenarios"
run compare $board --trace $trace --set seed=3
wrong "seed: unknown key 'seed'"
run compare $board --trace "$tmp/none"
wrong "numasim: $tmp/none: "
run compare $board --scenario "$tmp/none"
wrong "numasim: $tmp/none: "
printf '# numasim trace 1\ncpu=0 wait 18446744s\n' >"$tmp/long.nst"
run compare $board --trace "$tmp/long.nst"
wrong "numasim: $tmp/long.nst: its waits and times are longer than 100000 s"
run compare
wrong "too few arguments"
end
