#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# numasim trace convert: what comes out replays as what went in, there and back again gives the same
# bytes, and what cannot be read is told with its place.
. "$2/tests/golden/harness"
machine=configs/machines/W1b_touch_4k_2x512m.cfg
trace=traces/W1b_touch_4k_2x512m.trace.zst

# replay FILE INPUT: from standard input, so that no name differs.
replay()
{
	ran="replay $machine - <$2"
	"$numasim" replay $machine - --timing trace --format json -q <"$2" >"$1" 2>"$tmp/err"
	silent err
}

run trace convert $trace -o "$tmp/w1b.bin"
status 0
silent out
silent err
replay "$tmp/of_text" $trace
replay "$tmp/of_binary" "$tmp/w1b.bin"
cmp "$tmp/of_text" "$tmp/of_binary" || fail "the binary trace replays differently"

# All that trace info says, but for the name and the format of the file.
run trace info $trace --format json
cp "$tmp/out" "$tmp/info"
run trace info "$tmp/w1b.bin" --format json
sed "s|$tmp/w1b.bin|$trace|; s/\"binary\"/\"ftrace\"/; s/\"none\"/\"zstd\"/" "$tmp/out" |
	cmp - "$tmp/info" || fail "trace info says something else of the binary trace"

# Through pipes, and the original's name stays.
ran="trace convert - (a pipe)"
"$numasim" trace convert - --format binary <"$tmp/w1b.bin" 2>"$tmp/err" | cat >"$tmp/again.bin"
silent err
cmp "$tmp/w1b.bin" "$tmp/again.bin" || fail "a second conversion gives other bytes"

# Text of ours replays the same too, and comes back but for the numbers of the lines.
run trace convert "$tmp/w1b.bin" --format native -o "$tmp/w1b.nst"
status 0
replay "$tmp/of_native" "$tmp/w1b.nst"
cmp "$tmp/of_text" "$tmp/of_native" || fail "the native trace replays differently"
run trace convert "$tmp/w1b.nst" -o "$tmp/w1b2.bin"
run trace convert "$tmp/w1b2.bin" --format native
cmp "$tmp/out" "$tmp/w1b.nst" || fail "native, binary and native again is something else"

# Text and back.
run trace convert traces/example.nst -o "$tmp/example.bin"
status 0
run trace convert "$tmp/example.bin" --format native -o "$tmp/example.nst"
status 0
run trace convert "$tmp/example.nst" -o "$tmp/example2.bin"
run trace convert "$tmp/example2.bin" --format native
cmp "$tmp/out" "$tmp/example.nst" || fail "native, binary and native again is something else"
replay "$tmp/of_text" "$tmp/example.nst"
replay "$tmp/of_binary" "$tmp/example2.bin"
cmp "$tmp/of_text" "$tmp/of_binary" || fail "the example replays differently"

# Wrong input.
head -c 40000 "$tmp/w1b.bin" >"$tmp/cut.bin"
run trace info "$tmp/cut.bin"
wrong "numasim: $tmp/cut.bin: byte 40000: the trace ends here"
run check "$tmp/cut.bin"
status 2
err "byte 40000: the trace ends here"
run trace convert "$tmp/cut.bin" -o "$tmp/none"
wrong "byte 40000"
[ ! -e "$tmp/none" ] || fail "-o has made a file"
{
	head -c 30000 "$tmp/w1b.bin"
	printf x
	tail -c +30002 "$tmp/w1b.bin"
} >"$tmp/changed.bin"
run replay $machine "$tmp/changed.bin"
wrong "from here on are damaged"
run trace convert $trace --format binray
wrong "unknown format 'binray', did you mean 'binary'?"
run trace convert "$tmp/nothing.bin"
wrong "numasim: $tmp/nothing.bin: "
run trace convert $trace -o /dev/full
status 1
err "cannot write /dev/full"
end
