#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# numasim replay: a whole trace, where its pages go, and what is said of wrong input. (What a replay
# costs: tests/model/replay.c and w1b.c.)
. "$2/tests/golden/harness"
machine=configs/machines/W1b_touch_4k_2x512m.cfg
trace=traces/W1b_touch_4k_2x512m.trace.zst

run replay $machine $trace --verify
status 0
silent err
out "Machine         W1b_touch_4k_2x512m"
out "x86_64, sparse-vmemmap, 2 nodes, 4 CPUs"
out "Work            $trace"
out "Operations      143,691 allocations (0 failed), 268 frees"
out "22 free_batched, 24 free_before_window"
for cause in compute local_memory remote_memory lock_wait zeroing idle; do
	out "  $cause "
done

run replay $machine $trace --format json
status 0
silent err
cp "$tmp/out" "$tmp/first"
for key in simulated_ns events alloc free failed skipped nodes zones cost numa_hit numa_miss \
	numa_foreign interleave_hit local_node other_node pages_allocated; do
	out "\"$key\":"
done
out '"alloc": 143691,'

# Every member is documented. Sites are those of the cost file.
sed -n 's/^ *"\([a-z_]*\)":.*/\1/p' "$tmp/first" | sort -u >"$tmp/keys"
while read -r key; do
	grep -qF "\`$key\`" docs/result.md || grep -q "^	$key = " configs/costs/linux-6.x.cfg ||
		fail "docs/result.md does not have $key"
done <"$tmp/keys"

# The same bytes again, to a file, and from standard input but for the name.
run replay $machine $trace --format json -o "$tmp/file"
status 0
silent out
cmp "$tmp/first" "$tmp/file" || fail "a second run, with -o, prints other bytes"
ran="replay $machine - --format json"
"$numasim" replay $machine - --format json <$trace >"$tmp/out" 2>"$tmp/err"
silent err
sed "s|\"work\": \"-\"|\"work\": \"$trace\"|" "$tmp/out" | cmp - "$tmp/first" ||
	fail "standard input gives another result"

# Traced, the operations are spread over 4.43 s.
run replay $machine $trace --timing trace
status 0
out "Simulated time  4.43"
out "Operations      143,691 allocations (0 failed), 268 frees"

# What the trace had failing, and flags that are not known, are told too.
printf '# numasim trace 1\ncpu=0 alloc - gfp=GFP_KERNEL\n' >"$tmp/failed.nst"
run replay $machine "$tmp/failed.nst"
status 0
out "Asked again     1 allocations that had failed in the trace"
sed 's/GFP_KERNEL/GFP_NEW_ONE/' tests/reference/trace-forms/w2a_excerpt.txt >"$tmp/new.txt"
run replay $machine "$tmp/new.txt"
status 0
out "names of allocation flags"

# CPUs that the machine does not have.
cat >"$tmp/six.nst" <<END
# numasim trace 1
cpu=5 alloc a gfp=GFP_KERNEL
cpu=0 free a
END
run replay $machine "$tmp/six.nst"
status 0
err "$tmp/six.nst: warning: the trace has CPUs up to 5, the machine 4: CPU n runs on n modulo 4"
out "1 allocations (0 failed), 1 frees"
run replay $machine "$tmp/six.nst" --quiet
status 0
silent err

run replay "$tmp/none.cfg" $trace
wrong "numasim: $tmp/none.cfg: "
run replay $machine "$tmp/none"
wrong "numasim: $tmp/none: "
run replay $machine CMakeLists.txt
wrong "numasim: CMakeLists.txt"
head -c 100000 $trace >"$tmp/cut.zst"
run replay $machine "$tmp/cut.zst" -o "$tmp/none"
wrong "numasim: $tmp/cut.zst"
[ ! -e "$tmp/none" ] || fail "-o has made a file"
printf '# numasim trace 1\ncpu=0 free a\n' >"$tmp/wrong.nst"
run replay $machine "$tmp/wrong.nst"
wrong "numasim: $tmp/wrong.nst:2: "
printf '# numasim trace 1\ncpu=0 wait 18446744s\ncpu=0 wait 18446744s\n' >"$tmp/long.nst"
run replay $machine "$tmp/long.nst"
wrong "numasim: $tmp/long.nst: its waits and times are longer than 100000 s"
# There is no scenario that these could be of.
run replay $machine $trace --set seed=3
wrong "--set seed=3: seed: unknown key 'seed'"
run replay $machine $trace --set memory_modle=flat
wrong "did you mean 'memory_model'?"
run replay $machine $trace --set memory_model=flat
wrong "the flat memory model has one node descriptor"
run replay $machine $trace --timing never
wrong "--timing"
run replay $machine
wrong "too few arguments"
# A target of a move without the move: one that failed, one that nothing is freed behind.
printf '%s\n' '# numasim trace 1' \
	'cpu=0 inferred alloc - order=0 gfp=GFP_HIGHUSER_MOVABLE for=migration' \
	'cpu=0 inferred alloc a order=0 gfp=GFP_HIGHUSER_MOVABLE for=migration' \
	'cpu=0 alloc b order=0 gfp=GFP_KERNEL' 'cpu=0 free a' >"$tmp/targets.nst"
run replay $machine "$tmp/targets.nst" --verify --format json
status 0
is alloc 3
is free 1
end
