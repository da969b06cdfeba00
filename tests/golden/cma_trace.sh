#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Traces with events of the CMA area: those of the simulated kernel itself are read, converted and
# replayed; a machine without an area.
. "$2/tests/golden/harness"
machine=configs/machines/small-2n-apart.cfg

# Two rows are had and released, a third is not.
run run configs/scenarios/cma-alloc.cfg --events "$tmp/t.ftrace"
status 0
[ "$(grep -c ': cma_alloc_start: name=reserved count=[0-9]* align=[0-9]*$' "$tmp/t.ftrace")" = 3 ] ||
	fail "not three starts as Linux 6.1 prints them"
finish='name=reserved pfn=0x[0-9a-f]* page=[0-9a-f]\{16\} count=[0-9]* align=[0-9]*$'
[ "$(grep -c ": cma_alloc_finish: $finish" "$tmp/t.ftrace")" = 3 ] || fail "not three ends"
grep -q ': cma_alloc_finish: name=reserved pfn=0xf\{16\} page=0\{16\} count=4096 align=0$' "$tmp/t.ftrace" ||
	fail "no end that says that there is nothing"
[ "$(grep -c ': cma_release: name=reserved pfn=0x[0-9a-f]* page=[0-9a-f]* count=1024$' "$tmp/t.ftrace")" = 2 ] ||
	fail "not two releases"

run trace info "$tmp/t.ftrace"
status 0
out "CMA        2 allocated, 2 released, rows of frames"
run trace info --format json "$tmp/t.ftrace"
is cma_alloc 2
is cma_release 2
# Three starts, and a page each of the 2048 that were released.
is cma_part 2051

for form in native ftrace perf trace-cmd binary; do
	run trace convert --format $form "$tmp/t.ftrace" -o "$tmp/t.$form.out"
	status 0
	run replay --format json --verify $machine "$tmp/t.$form.out"
	status 0
	is cma_alloc 2
	is cma_release 2
	is cma_failed 1
	is failed_in_trace 1
	is cma_alloc_success 2
	is cma_alloc_fail 1
	is page_failed_here 0
	grep -v '"work"\|"trace"\|"file"\|"format"\|"compression"\|"sha256"\|"bytes"' "$tmp/out" >"$tmp/$form.json"
	[ $form = native ] || cmp -s "$tmp/native.json" "$tmp/$form.json" || fail "a replay of $form differs"
done
grep -q 'cma:cma_alloc_finish: name=reserved pfn=0x[0-9a-f]* page=0x[0-9a-f]* count=1024 align=8$' "$tmp/t.perf.out" ||
	fail "no cma_alloc_finish as perf prints it"

# The area takes the rows where the simulated kernel puts them, and the replay's own events say so.
run replay --events "$tmp/again" $machine "$tmp/t.native.out"
status 0
silent err
[ "$(grep -c ": cma_alloc_finish: $finish" "$tmp/again")" = 3 ] || fail "the replay allocates other rows"

# No cma= there: nothing to be had, and nothing to release, which is said once.
run replay --format json --verify configs/machines/small-2n.cfg "$tmp/t.native.out"
status 0
err "takes 2 rows of frames from a CMA area, the machine has none (kernel.cma)"
[ "$(wc -l <"$tmp/err")" -eq 1 ] || fail "not one warning"
is cma_alloc 0
is cma_failed 3
is cma_release 0
is page_failed_here 2
end
