#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# numasim trace generate --with and --hotplug-steps: all that a trace can hold, from a seed; what is made
# replays with all invariants, and is the same through every form.
. "$2/tests/golden/harness"
machine=configs/machines/W1b_touch_4k_2x512m.cfg
all=slab:20,split:10,move:5,read:30,node:10,policy:20,mobility:10,wait:3,reclaim:10,before:5,failed:2

"$numasim" trace generate --help | sed -n '/^Kinds/,/^$/s/^  \([a-z]*\) .*/\1/p' >"$tmp/kinds"
"$numasim" trace generate --help | sed -n '/^With/,/^$/s/^  \([a-z]*\) .*/\1/p' >"$tmp/names"
[ "$(tr '\n' ' ' <"$tmp/names")" = "$(printf '%s\n' "$all" | tr ',' '\n' | sed 's/:.*//' | tr '\n' ' ')" ] ||
	fail "the help lists other names than this test has"

while read -r kind; do
	mix="--orders 0:6,2:3,9:1 --gfp GFP_KERNEL:1,GFP_HIGHUSER_MOVABLE:2"
	[ "$kind" != anon ] || mix="--access random --passes 3"
	for seed in 7 7 8; do
		# shellcheck disable=SC2086 # several words
		run trace generate "$kind" --machine $machine --count 4000 $mix --touch 64B --interval 1us \
			--with $all --hotplug-steps 12 --seed $seed -o "$tmp/$seed.bin"
		status 0
		silent err
		[ -e "$tmp/$kind.bin" ] || cp "$tmp/7.bin" "$tmp/$kind.bin"
	done
	cmp "$tmp/7.bin" "$tmp/$kind.bin" || fail "the same seed gives another trace"
	! cmp -s "$tmp/8.bin" "$tmp/$kind.bin" || fail "another seed gives the same trace"
	# As many events as were asked for, and the steps.
	run trace info "$tmp/$kind.bin" --format json
	is total 4012
	for mode in --reclaim=trace --reclaim=simulate --timing=order; do
		run replay $machine "$tmp/$kind.bin" --verify $mode --format json
		status 0
		[ "$(grep -c '"step": "' "$tmp/out")" -eq 12 ] || fail "not 12 steps of hotplug"
		[ "$(grep -c '"refused": ""' "$tmp/out")" -ge 6 ] || fail "few of them are taken"
	done
	# Through each other form it is the same trace.
	run trace convert "$tmp/$kind.bin" --format native -o "$tmp/native"
	for form in native ftrace perf trace-cmd; do
		run trace convert "$tmp/$kind.bin" --format $form -o "$tmp/$form"
		status 0
		run trace convert "$tmp/$form" --format native -o "$tmp/back"
		status 0
		[ "$(grep -cv '^#' "$tmp/back")" -eq "$(grep -cv '^#' "$tmp/native")" ] ||
			fail "$kind: another number of events through $form"
	done
done <"$tmp/kinds"

# Each share by itself: of 20,000 operations a tenth of those that it is of. Five deviations, at most
# 0.15 of it, are allowed.
# about NAME OF WORDS...: lines with the words, beside all lines with OF.
about()
{
	name=$1 of=$2 what=$3
	run trace generate churn --machine $machine --count 20000 --orders 0:1,2:1 --touch 64B --with "$name:10" \
		--format native
	status 0
	all_of=$(grep -cE "$of" "$tmp/out") these=$(grep -cE "$what" "$tmp/out")
	{ [ $((these * 1000)) -gt $((all_of * 80)) ] && [ $((these * 1000)) -lt $((all_of * 120)) ]; } ||
		fail "$name: $these of $all_of"
}
about slab 'order=0 gfp|kmalloc|cache_alloc' 'kmalloc|cache_alloc'
about split 'alloc .*order=2' ' split '
about read touch ' read '
about node ' alloc ' ' node='
about policy ' alloc ' ' policy='
about wait 'alloc|free|touch' ' wait '
about reclaim ' free ' ' by='
about before ' alloc ' 'free - '
about failed ' alloc [^-]' 'alloc - '
about move ' free [^-]' 'for=migration'
about mobility ' alloc ' 'mobility=(un|rec)'

# Steps are besides what is asked for.
run trace generate churn --machine $machine --count 500 --interval 1us --format native --seed 3 --hotplug-steps 4
[ "$(grep -c hotplug "$tmp/out")" -eq 4 ] || fail "not 4 steps"
grep -v hotplug "$tmp/out" | grep -c 'alloc\|free' >"$tmp/n"
[ "$(cat "$tmp/n")" -eq 500 ] || fail "steps take the place of events"

# Everybody's first step adds memory beyond the machine's end, at whole blocks.
run trace generate churn --machine $machine --count 10 --hotplug-steps 1 --format native
grep -q 'hotplug add:0x[4-6]8\?0000000*+128M@[01]$' "$tmp/out" || fail "no block is added"

run trace generate churn --machine configs/machines/holey-board-flat.cfg --hotplug-steps 3
wrong "--hotplug-steps: configs/machines/holey-board-flat.cfg: no memory hotplug with the flat memory model"
run trace generate churn --machine configs/machines/holey-board-discontig.cfg --hotplug-steps 3
wrong "no memory hotplug with the discontig memory model"
run trace generate churn --hotplug-steps 3
wrong "--hotplug-steps: memory comes to a machine: with --machine"
run trace generate churn --machine $machine --hotplug-steps 1001
wrong "--hotplug-steps: '1001' is not a number from 1 to 1000"
run trace generate churn --with slob:3
wrong "--with: unknown name 'slob', did you mean 'slab'?"
run trace generate churn --with slab
wrong "--with: 'slab' needs a share, as in slab:20: from 1 to 100 percent"
run trace generate churn --with slab:101
wrong "from 1 to 100 percent, found '101'"
run trace generate churn --with slab:1,slab:2
wrong "--with: 'slab' is there twice"
run trace generate churn --with ''
wrong "--with: unknown name ''; expected NAME:PERCENT, as in slab:20"
end
