#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# numasim trace convert into the forms that other tools print: the text of ftrace,
# perf script and trace-cmd report. Each
# committed form of a trace, a trace with policies and generated ones go binary -> text -> binary and
# have lost nothing, and a replay of each form gives the same bytes.
. "$2/tests/golden/harness"
machine=configs/machines/W1b_touch_4k_2x512m.cfg

# convert FROM FORMAT TO: a pipe, so that no name of a file differs.
convert()
{
	ran="trace convert - --format $2 <$1"
	"$numasim" trace convert - --format "$2" <"$1" >"$3" 2>"$tmp/err" || fail "status $?"
}

# replay FILE INPUT
replay()
{
	ran="replay $machine - <$2"
	"$numasim" replay $machine - --format json -q <"$2" >"$1" 2>"$tmp/err" || fail "status $?"
}

# same_form TRACE: all of a trace is in each form of it.
same_form()
{
	"$numasim" trace convert "$1" -o "$tmp/binary" 2>"$tmp/err" || fail "no binary of $1"
	convert "$tmp/binary" native "$tmp/native"
	"$numasim" trace info - --format json <"$tmp/binary" >"$tmp/info"
	replay "$tmp/result" "$tmp/binary"
	for form in ftrace perf trace-cmd; do
		reader=$form
		[ $form != trace-cmd ] || reader=ftrace # which knows that, too
		convert "$tmp/binary" $form "$tmp/text"
		"$numasim" trace info - --format json <"$tmp/text" >"$tmp/out"
		grep -q "\"format\": \"$reader\"" "$tmp/out" || fail "is not known as $form"
		sed "s/\"format\": \"$reader\"/\"format\": \"binary\"/" "$tmp/out" |
			cmp - "$tmp/info" || fail "trace info says something else of $1 as $form"
		convert "$tmp/text" binary "$tmp/back"
		convert "$tmp/back" native "$tmp/out"
		cmp "$tmp/out" "$tmp/native" || fail "$1 as $form has lost something"
		convert "$tmp/back" $form "$tmp/again"
		cmp "$tmp/again" "$tmp/text" || fail "$1 twice as $form is something else"
		replay "$tmp/out" "$tmp/text"
		cmp "$tmp/out" "$tmp/result" || fail "$1 as $form replays differently"
	done
}

for trace in tests/reference/trace-forms/*.txt; do
	case $trace in
	*/gfp_flags.txt) continue ;; # names, no trace
	esac
	same_form "$trace"
done
same_form traces/example.nst

# Slab objects: with names of caches and without, on nodes, by policy, touched, failed.
cat >"$tmp/objects.nst" <<'END'
# numasim trace 1
policy both mode=MPOL_INTERLEAVE nodes=0-1 of=task
0s cpu=0 kmalloc a bytes=100 gfp=GFP_KERNEL
1us cpu=0 touch a write 64B
2us cpu=1 kmalloc b bytes=70000 gfp=GFP_KERNEL|__GFP_ZERO policy=both
3us cpu=1 cache_alloc c cache=dentry size=192 room=192 gfp=GFP_KERNEL|__GFP_ACCOUNT node=1
4us cpu=1 cache_alloc d cache=- size=40 room=64 gfp=GFP_ATOMIC
5us cpu=1 kmalloc - bytes=8 gfp=GFP_NOWAIT
6us cpu=0 alloc p order=1 gfp=GFP_KERNEL|__GFP_COMP for=slab
7us cpu=0 kfree c
8us cpu=0 inferred kfree d
9us cpu=0 kfree a
10us cpu=0 kmalloc a bytes=180 gfp=GFP_KERNEL
11us cpu=0 touch p read 8KiB
END
same_form "$tmp/objects.nst"
same_form tests/reference/slab-6.1.txt

# A whole trace of a real kernel, in which much is inferred from other lines: 47 MB of text.
"$numasim" trace convert traces/W1b_touch_4k_2x512m.trace.zst -o "$tmp/binary" 2>"$tmp/err"
convert "$tmp/binary" native "$tmp/native"
slow_build && forms= || forms="ftrace trace-cmd"
for form in $forms; do
	convert "$tmp/binary" "$form" "$tmp/text"
	convert "$tmp/text" native "$tmp/out"
	cmp "$tmp/out" "$tmp/native" || fail "W1b as $form has lost something"
done

# Real traces with policies, page faults and vmscan events: what was read from those stays.
for trace in tests/reference/policies/*.trace.zst; do
	"$numasim" trace convert "$trace" --format trace-cmd -o "$tmp/text" 2>"$tmp/err" ||
		fail "$trace: $(cat "$tmp/err")"
	"$numasim" trace convert "$trace" --format native -o "$tmp/native" 2>"$tmp/err"
	convert "$tmp/text" native "$tmp/out"
	cmp "$tmp/out" "$tmp/native" || fail "$trace as trace-cmd has lost something"
done

for kind in fill churn contend interleave; do
	"$numasim" trace generate $kind --cpus 3 --nodes 2 --count 2000 --orders 0:90,3:8,9:2 --touch 64B --interval 100ns --seed 7 -o "$tmp/$kind" 2>"$tmp/err" ||
		fail "generate $kind: $(cat "$tmp/err")"
	same_form "$tmp/$kind"
done

# What another tool finds there: the kernel's lines, and no others than markers.
"$numasim" trace convert tests/reference/trace-forms/w8a_excerpt.txt --format ftrace >"$tmp/out"
grep -vE '^#|^ +[^ ].*-[0-9]+ +\[[0-9]{3}\] \.{5} +[0-9]+\.[0-9]{6}: (mm_page_[a-z_]+: page=|k[a-z_]+: call_site=|tracing_mark_write: numasim: )' "$tmp/out" &&
	fail "a line that is not as the kernel's"
"$numasim" trace convert tests/reference/trace-forms/w8a_excerpt.txt --format trace-cmd >"$tmp/out"
[ "$(head -n 1 "$tmp/out")" = "cpus=4" ] || fail "trace-cmd report begins with $(head -n 1 "$tmp/out")"
sed 1d "$tmp/out" | grep -vE '^ +[^ ].*-[0-9 ]{5} \[[0-9]{3}\] +[0-9]+\.[0-9]{6}: (mm_page_alloc: {8}page=|mm_page_free: {9}page=|mm_page_alloc_zone_locked: page=|mm_page_pcpu_drain: {3}page=|print: {16}tracing_mark_write: numasim: )' &&
	fail "a line that is not as trace-cmd's"
"$numasim" trace convert "$tmp/objects.nst" --format trace-cmd >"$tmp/out"
grep -q ': kmalloc:              call_site=0x0 ptr=0xffff888' "$tmp/out" || fail "kmalloc is not as trace-cmd's"

# Whose each line was: who took and freed pages stands in front of the same pages in each form, after a way
# through all of them. Blanks around them are the form's.
whose()
{
	sed -nE 's/^ *([^ ].*[^ ])-([0-9]+) +(\([ 0-9-]+\) )?\[.* (mm_page_alloc|mm_page_free): .*(pfn=[^ ]+).*/\1 \2 \5/p' "$1"
}
whose tests/reference/trace-forms/w8a_excerpt.txt >"$tmp/whose"
grep -q '^wl 374 pfn=' "$tmp/whose" || fail "the excerpt has other tasks"
"$numasim" trace convert tests/reference/trace-forms/w8a_excerpt.txt -o "$tmp/0" 2>"$tmp/err"
at=0
for form in native perf binary trace-cmd ftrace; do
	convert "$tmp/$at" $form "$tmp/$((at + 1))"
	at=$((at + 1))
done
"$numasim" trace convert tests/reference/trace-forms/w8a_excerpt.txt --format ftrace -o "$tmp/text" 2>"$tmp/err"
cmp "$tmp/text" "$tmp/$at" || fail "another trace after a way through all forms"
grep -v numasim: "$tmp/text" >"$tmp/lines"
whose "$tmp/lines" >"$tmp/out"
cat >"$tmp/only.awk" <<'END'
NR == FNR { had[$0]++; next }
!had[$0] && !/pfn=0x1[0-9a-f]{13}$/ { print }
END
awk -f "$tmp/only.awk" "$tmp/whose" "$tmp/out" >"$tmp/wrong"
[ ! -s "$tmp/wrong" ] || fail "another task: $(head -n 3 "$tmp/wrong")"

# In our own text a task is said where it changes.
cat >"$tmp/tasks.nst" <<'END'
# numasim trace 1
cpu=0 alloc a order=0 gfp=GFP_KERNEL
task pid=16810 comm=Web%20Content
cpu=0 alloc b order=0 gfp=GFP_KERNEL
cpu=1 alloc c order=0 gfp=GFP_KERNEL
task -
cpu=0 free a
END
same_form "$tmp/tasks.nst"
"$numasim" trace convert "$tmp/tasks.nst" --format ftrace >"$tmp/out"
[ "$(grep -c '^     Web Content-16810   \[00[01]\]' "$tmp/out")" -eq 2 ] || fail "no task: $(cat "$tmp/out")"

# What is changed by hand is looked at.
says()
{
	ran="trace info of a changed text"
	"$numasim" trace info "$tmp/changed" >"$tmp/out" 2>"$tmp/err"
	[ $? -eq 2 ] || fail "status is not 2"
	grep -qF "$1" "$tmp/err" || fail "says $(cat "$tmp/err")"
}
convert traces/example.nst ftrace "$tmp/text"
sed 's/numasim: trace 1/numasim: trace 2/' "$tmp/text" >"$tmp/changed"
says 'changed:5: found "2", expected "1", the version that this numasim reads'
sed 's/numasim: touch pfn=0x1000/numasim: touch pfn=0x7000/' "$tmp/text" >"$tmp/changed"
says 'which is not allocated'
{
	cat "$tmp/text"
	grep -m1 mm_page_alloc: "$tmp/text"
} >"$tmp/changed"
says 'goes back: a line before has'
{
	grep -m1 'trace 1' "$tmp/text"
	grep -m1 mm_page_alloc: "$tmp/text"
	grep -m1 mm_page_alloc: "$tmp/text"
} >"$tmp/changed"
says 'is allocated again: no line has freed it'
end
