#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Memory policies: of a trace that tells them, and of a policy file beside one that does not.
. "$2/tests/golden/harness"
machine=configs/machines/W1b_touch_4k_2x512m.cfg
told=tests/reference/policies/w8c.trace.zst
silent_trace=tests/reference/trace-forms/w2a_excerpt.txt

run trace info $told
status 0
silent err
out "allocations by memory policy"
out "1559  task   MPOL_INTERLEAVE 0-1"
out "range  MPOL_BIND 0-1 home 1"

run trace info $told --format json
status 0
is unknown_policies 0

run replay $machine $told --format json
status 0
out '"interleave_hit": 232'

# A file gives tasks their policies; it shows in the trace, and stays in a converted one.
printf '# numasim policies 1\ncomm=* mode=interleave nodes=0-1\n' >"$tmp/policies"
run check "$tmp/policies"
status 0
out "$tmp/policies: ok (policies, 1 rule)"
run trace info $silent_trace --policies "$tmp/policies"
status 0
silent err
out "file   MPOL_INTERLEAVE 0-1"
run trace convert $silent_trace --policies "$tmp/policies" -o "$tmp/binary"
status 0
run trace info "$tmp/binary"
status 0
out "file   MPOL_INTERLEAVE 0-1"
run replay $machine $silent_trace --policies "$tmp/policies" --format json
status 0
cp "$tmp/out" "$tmp/result"
run replay $machine "$tmp/binary" --format json
status 0
for node in 0 1; do
	hits=$(sed -n '/"interleave_hit"/p' "$tmp/out" | sed -n "$((node + 1))p")
	[ "$hits" = "$(sed -n '/"interleave_hit"/p' "$tmp/result" | sed -n "$((node + 1))p")" ] ||
		fail "node $node: the converted trace has another interleave_hit"
	case $hits in
	*": 0,") fail "node $node: no interleave_hit" ;;
	esac
done

# Weights 3 and 1: of eight allocations six come from node 0, with 1 and 1 four.
hits_of()
{
	sed -n '/"interleave_hit"/s/[^0-9]//gp' "$tmp/out" | tr '\n' ' '
}
i=0
while [ $i -lt 8 ]; do
	echo "wl-5 [000] ..... 1.00000$i: mm_page_alloc: page=1 pfn=0x10$i order=0 migratetype=0 gfp_flags=GFP_KERNEL"
	i=$((i + 1))
done >"$tmp/eight"
printf '# numasim policies 1\npid=5 mode=weighted_interleave nodes=0-1\n' >"$tmp/weighted"
run replay $machine "$tmp/eight" --policies "$tmp/weighted" --format json
[ "$(hits_of)" = "4 4 " ] || fail "interleave_hit $(hits_of), expected 4 4"
run replay $machine "$tmp/eight" --policies "$tmp/weighted" --format json --set 'nodes[0].interleave_weight=3'
[ "$(hits_of)" = "6 2 " ] || fail "interleave_hit $(hits_of), expected 6 2"
run replay $machine "$tmp/eight" --set 'nodes[0].interleave_weight=256'
wrong "nodes[0].interleave_weight"

# What is wrong is said.
run replay $machine "$tmp/binary" --policies "$tmp/policies"
wrong "binary traces name no tasks that policies could be given to"
printf '# numasim policies 1\ncomm=wl mode=interlave nodes=0\n' >"$tmp/bad"
run replay $machine $silent_trace --policies "$tmp/bad"
wrong "$tmp/bad:2: unknown mode \"interlave\"; did you mean"
run replay $machine $silent_trace --policies "$tmp/none"
wrong "$tmp/none"
run trace info - --policies -
wrong "cannot both be standard input"
run compare $machine --policies "$tmp/policies"
wrong "--policies"
printf '# numasim policies 1\ncomm=nobody mode=local\n' >"$tmp/unused"
run trace info $silent_trace --policies "$tmp/unused"
status 0
err "$tmp/unused:2: "
end
