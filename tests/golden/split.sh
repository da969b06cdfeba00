#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Blocks that are freed in parts: written down, inferred from a kernel's trace, kept by every format,
# replayed with reclaim of either kind, by CPUs that come to the parts at any time.
. "$2/tests/golden/harness"
machine=configs/machines/W1b_touch_4k_2x512m.cfg

cat >"$tmp/split.nst" <<END
# numasim trace 1
0us cpu=0 alloc exact order=2 gfp=GFP_KERNEL pfn=0x4000
    cpu=0 alloc huge order=9 gfp=GFP_TRANSHUGE pfn=0x4200
1us cpu=0 split exact upper
    cpu=0 split upper last
    cpu=1 touch upper write 4KiB
2us cpu=1 free last
    cpu=1 free upper
    cpu=1 split exact second
3us cpu=0 free exact
    cpu=0 free second
    cpu=1 split huge rest
    cpu=0 free huge
END
for timing in asap trace order; do
	for reclaim in trace simulate; do
		run replay $machine "$tmp/split.nst" --timing $timing --reclaim $reclaim --format json
		status 0
		is alloc 2
		is free 5
		is split 4
		is touch 1
		is page_failed_here 0
	done
done

# Both binary and kernel text have them.
run trace convert "$tmp/split.nst" -o "$tmp/split.bin"
status 0
run trace convert "$tmp/split.bin" --format ftrace -o "$tmp/split.txt"
status 0
grep -q 'numasim: split pfn=0x4000 into=0x4002$' "$tmp/split.txt" || fail "no marker of the split"
run trace convert "$tmp/split.txt" --format native -o "$tmp/again.nst"
status 0
run trace convert "$tmp/split.bin" --format native
cmp "$tmp/out" "$tmp/again.nst" || fail "text and back is another trace"

# What a kernel's trace shows of it.
line()
{
	printf ' a-1 [00%d] ..... 1.00000%d: %s\n' "$@"
}
{
	line 0 0 'mm_page_alloc: page=1 pfn=0x4000 order=2 migratetype=0 gfp_flags=GFP_KERNEL'
	line 1 1 'mm_page_free: page=1 pfn=0x4003 order=0'
	line 0 2 'mm_page_free: page=1 pfn=0x4000 order=1'
	line 1 3 'mm_page_free: page=1 pfn=0x4002 order=0'
} >"$tmp/kernel.txt"
run replay $machine "$tmp/kernel.txt" --format json
status 0
is alloc 1
is free 3
is split 2
is untraced_split 2
is order_mismatch 0
end
