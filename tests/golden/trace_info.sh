#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# numasim trace info: on an excerpt, against counts that grep makes of its text; on a whole trace,
# against the counts that its capture came with (traces/README.md).
. "$2/tests/golden/harness"
excerpt=tests/reference/trace-forms/w2a_excerpt.txt

# sum NAME...: of the members.
sum()
{
	total=0
	for name in "$@"; do
		total=$((total + $(member "$name")))
	done
	echo $total
}

# Every line is an event, or counted with the reason why it is none.
every_line_counts()
{
	counted=$(sum total comment task other_event free_batched order_mismatch lost unreadable)
	counted=$((counted - $(sum untraced_free untraced_bulk untraced_target untraced_split)))
	[ "$counted" -eq "$(member lines)" ] ||
		fail "$counted lines are counted, expected $(member lines)"
}

run trace info $excerpt --format json
status 0
silent err
out '"format": "ftrace"'
out '"compression": "none"'
is lines "$(wc -l <$excerpt)"
# A kernel stack of four pages came from alloc_pages_bulk, which a probe tells.
is untraced_bulk 4
[ "$(member alloc)" -eq $(($(grep -c ': mm_page_alloc: ' $excerpt) + $(member untraced_bulk))) ] ||
	fail "not every mm_page_alloc is an allocation"
is free_batched "$(grep -c ': mm_page_free_batched: ' $excerpt)"
is comment "$(grep -c '^#' $excerpt)"
is unreadable 0
is unknown_gfp 0
[ "$(sum free free_before_window order_mismatch)" -eq "$(grep -c ': mm_page_free: ' $excerpt)" ] ||
	fail "not every mm_page_free is accounted for"
every_line_counts
cp "$tmp/out" "$tmp/plain"

# The same from standard input, and compressed.
ran="trace info - --format json"
gzip -c $excerpt | "$numasim" trace info - --format json >"$tmp/out" 2>"$tmp/err"
silent err
sed 's|"file": "-"|"file": "'$excerpt'"|; s/"gzip"/"none"/' "$tmp/out" | cmp - "$tmp/plain" ||
	fail "differs from the plain file's"

run trace info traces/W1b_touch_4k_2x512m.trace.zst --format json
status 0
silent err
out '"compression": "zstd"'
is lines 288251
is alloc $((143691 + 245)) # and what kcompactd moved pages to
is failed 0
is allocated $((143693 + 245))
is free_batched 22
is cpus 4
[ "$(sum free free_before_window order_mismatch)" -eq 292 ] ||
	fail "not every mm_page_free is accounted for"
every_line_counts

run trace info traces/W1b_touch_4k_2x512m.trace.zst
status 0
silent err
out "alloc      143936, 143938 pages"
out "lines        288251"

run trace info "$tmp/none"
status 2
silent out
err "numasim: $tmp/none: "

run trace info CMakeLists.txt
status 2
silent out
err "numasim: CMakeLists.txt"
# Numbers in gfp_flags are those of some kernel: which, --release says, or a guess is told.
printf 'a-1 [000] ..... 1.000000: mm_page_alloc: page=0x1 pfn=0x1 order=0 migratetype=0 gfp_flags=0x24000c0\n' >"$tmp/numbers"
run trace info "$tmp/numbers"
status 0
err "$tmp/numbers:1: warning: gfp_flags are numbers, and nothing says of which kernel"
run trace convert "$tmp/numbers" --release 4.9.0-8-amd64 --format native
status 0
silent err
out "gfp=GFP_KERNEL"
run trace info "$tmp/numbers" --release sid
status 2
err 'found "sid", expected a kernel'
end
