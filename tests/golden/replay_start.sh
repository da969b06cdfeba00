#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# numasim replay --start: from the state of a running kernel, beside what the real one did; and
# what is said of states that are damaged, contradict themselves, or are of another machine.
. "$2/tests/golden/harness"
machine=configs/machines/W1b_touch_4k_2x512m.cfg
trace=traces/W1b_touch_4k_2x512m.trace.zst
states=tests/reference/starts/W1b

# at least NAME NUMBER
at_least()
{
	[ "$(member "$1")" -ge "$2" ] || fail "$1 is $(member "$1"), expected $2 at least"
}

run replay $machine $trace --start $states --placement "$tmp/places" --verify --format json
status 0
silent err
out '"timing": "order"'
cp "$tmp/out" "$tmp/first"
# All allocations, and all frees but none left out: 24 are of pages from before.
is compared 143691
is free_held 24
is free_before_window 0
at_least node_agree 142255 # 99 %
at_least zone_agree 140818 # 98 %
[ "$(wc -l <"$tmp/places")" -eq 143691 ] || fail "not a line for each allocation"
[ "$(cut -f 6 "$tmp/places" | grep -c '^-$')" -eq "$(member zone_agree)" ] ||
	fail "zone_agree is not the number of lines without a reason"
[ "$(awk -F '\t' '$2 == $4' "$tmp/places" | wc -l)" -eq "$(member node_agree)" ] ||
	fail "node_agree is not the number of lines with equal nodes"
# The capture's own count (traces/README.md).
[ "$(cut -f 2 "$tmp/places" | grep -c '^1$')" -eq 41880 ] || fail "the real node 1"
awk -F '\t' 'NF != 6 || $1 != NR || ($2 "/" $3 == $4 "/" $5) != ($6 == "-")' "$tmp/places" >"$tmp/bad"
[ ! -s "$tmp/bad" ] || fail "a line of --placement: $(head -1 "$tmp/bad")"
sed -n 's/^ *"\([a-z_-]*\)":.*/\1/p' "$tmp/first" | sort -u >"$tmp/keys"
while read -r key; do
	grep -qF "\`$key\`" docs/result.md || grep -q "^	$key = " configs/costs/linux-6.x.cfg ||
		fail "docs/result.md does not have $key"
done <"$tmp/keys"

# The folder of the state itself will do; there is nothing to compare the end with then.
run replay $machine $trace --start $states/before
status 0
out "Placement       143,691 allocations"
out "Freed           24 blocks from before the window"
run replay $machine $trace --start $states
status 0
out "At the end"
out "0 DMA32 pages free"

# Without a start: places, but the reasons are not known.
run replay $machine $trace --placement "$tmp/places"
status 0
out "Placement       143,691 allocations"
out "24 free_before_window"

# A pool of huge pages asks its nodes in turn, each for itself. Where the real one grew on node 1 only,
# what went to node 0 here was not for want of blocks there.
cat >"$tmp/pool.nst" <<'END'
# numasim trace 1
policy p mode=MPOL_INTERLEAVE nodes=0-1 of=pool
moved out order=9 pfn=0x25600 mobility=movable list
cpu=0 alloc a order=9 gfp=GFP_HIGHUSER_MOVABLE|__GFP_NOWARN|__GFP_RETRY_MAYFAIL|__GFP_COMP|__GFP_THISNODE policy=p turn=0 pfn=0x25600
cpu=0 alloc b order=9 gfp=GFP_HIGHUSER_MOVABLE|__GFP_NOWARN|__GFP_RETRY_MAYFAIL|__GFP_COMP|__GFP_THISNODE policy=p turn=1 pfn=0x25800
END
run replay $machine "$tmp/pool.nst" --start $states --placement "$tmp/places"
status 0
[ "$(tr '\t' ' ' <"$tmp/places")" = "1 1 DMA32 0 DMA32 policy-unknown
2 1 DMA32 1 DMA32 -" ] || fail "a pool on one node: $(cat "$tmp/places")"

# Noticed before the run.
run replay $machine $trace --start $states --placement "$tmp/none/places"
status 1
err "cannot write $tmp/none/places"

# damaged FILE LINE EXPRESSION TEXT: sed does it to a file of before/.
damaged()
{
	rm -rf "$tmp/dir"
	mkdir -p "$tmp/dir"
	cp -r $states/before "$tmp/dir"
	sed "$3" "$states/before/$1" >"$tmp/dir/before/$1"
	run replay $machine $trace --start "$tmp/dir" --placement "$tmp/wrong"
	wrong "$tmp/dir/before/$1:$2: $4"
	[ ! -e "$tmp/wrong" ] || fail "--placement has made a file"
}

damaged zoneinfo.txt 46 's/pages free     3808/pages free     x/' "expected a number, found"
damaged zoneinfo.txt 52 '52s/3998/3999/' \
	"node 0, zone DMA: present is 3999, but 3998 on the machine: is it of another one?"
damaged zoneinfo.txt 103 's/^Node 0, zone    DMA32/Node 2, zone    DMA32/' "node 2, zone DMA32 has"
damaged pagetypeinfo.txt 1 '1s/9/10/' "page blocks are of order 10, but of 9 on the machine"
damaged pagetypeinfo.txt 5 '5s/DMA,/DMB,/' "expected a zone that the machine has"
damaged pagetypeinfo.txt 5 '5s/Unmovable/Unmoveable/' "expected 'Node N, zone NAME, type TYPE'"
damaged pagetypeinfo.txt 6 '6s/ 3 $/ /' "expected 'Node N, zone NAME, type TYPE'"
damaged pagetypeinfo.txt 6 '6s/Movable/Unmovable/' "expected each zone and type once"
damaged pagetypeinfo.txt 18 '19,999d' "node 1, zone DMA32: expected its page blocks, found none"
damaged buddyinfo.txt 2 '2s/91/81/' "node 0, zone DMA32: 88757 pages are free here, but 98997 in"
damaged node1.numastat.txt 5 '6d' "expected a line 'other_node N', found none: is the file cut?"

# More page blocks than there are contradict; of fewer, the kernel has not counted the rest.
sed '18s/ 211 / 219 /' $states/before/pagetypeinfo.txt >"$tmp/dir/before/pagetypeinfo.txt"
cp $states/before/node1.numastat.txt "$tmp/dir/before"
run replay $machine $trace --start "$tmp/dir"
wrong "$tmp/dir/before: node 0, zone DMA32: 256 page blocks, but the zone has 248"
sed '18s/ 211 / 209 /' $states/before/pagetypeinfo.txt >"$tmp/dir/before/pagetypeinfo.txt"
run replay $machine $trace --start "$tmp/dir" --verify
status 0
err "$tmp/dir/before/pagetypeinfo.txt:18: warning: node 0, zone DMA32: 246 of its 248 page blocks are counted; the others are taken to be movable"

rm -rf "$tmp/dir"
mkdir -p "$tmp/dir/boot"
run replay $machine $trace --start "$tmp/dir"
wrong "$tmp/dir: found neither a folder before/ nor zoneinfo.txt in it"
run replay $machine $trace --start "$tmp/nowhere"
wrong "$tmp/nowhere: "
mkdir "$tmp/dir/before"
cp $states/before/zoneinfo.txt "$tmp/dir/before"
run replay $machine $trace --start "$tmp/dir"
wrong "pagetypeinfo.txt is missing"
run replay configs/machines/xeon-8269cy-2s.cfg $trace --start $states
wrong "is it of another one?"

# Cut anywhere: an error, or as good as whole where only statistics were cut off.
for lines in 1 20 60 100 150 200; do
	mkdir -p "$tmp/cut"
	cp $states/before/* "$tmp/cut"
	head -n $lines $states/before/zoneinfo.txt >"$tmp/cut/zoneinfo.txt"
	run replay $machine $trace --start "$tmp/cut"
	wrong "$tmp/cut/zoneinfo.txt"
done

# So will an archive of the capture.
tar -czf "$tmp/W1b.tar.gz" -C tests/reference/starts W1b
run replay $machine $trace --start "$tmp/W1b.tar.gz" --verify --format json
status 0
cmp "$tmp/out" "$tmp/first" || fail "the archive's start is another"
# The kernel does not count beyond 100000; buddyinfo has the sum.
cp $states/before/* "$tmp/cut"
sed '11s/91/>100000/' $states/before/pagetypeinfo.txt >"$tmp/cut/pagetypeinfo.txt"
run replay $machine $trace --start "$tmp/cut" --format json
status 0
is node_agree "$(sed -n 's/^ *"node_agree": \([0-9]*\),/\1/p' "$tmp/first")"
rm "$tmp/cut/buddyinfo.txt"
run replay $machine $trace --start "$tmp/cut"
wrong "$tmp/cut: node 0, zone DMA32: more free blocks than pagetypeinfo.txt counts"

# Sysctls of the moment.
cp $states/before/* "$tmp/cut"
printf 'watermark_boost_factor = 0\nswappiness = 60\n' >"$tmp/cut/sysctl_vm.txt"
run replay $machine $trace --start "$tmp/cut" --format json
status 0
cmp -s "$tmp/out" "$tmp/first" && fail "watermark_boost_factor = 0 changes nothing"
printf 'watermark_scale_factor = none\n' >"$tmp/cut/sysctl_vm.txt"
run replay $machine $trace --start "$tmp/cut"
wrong "sysctl_vm.txt: watermark_scale_factor = none"
end
