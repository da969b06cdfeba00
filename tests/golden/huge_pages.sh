#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The pool of huge pages and transparent huge pages, from a capture of a kernel that was booted with
# hugepagesz=1G hugepages=1 hugepagesz=2M hugepages=300, on two nodes.
. "$2/tests/golden/harness"
name=r3_numa2x2g_hugepages
real=$tmp/$name
gzip -dc "tests/reference/captures/$name.tar.gz" | tar -xf - -C "$tmp"
run import capture "$real" -o "$tmp/r3.cfg"
status 0
silent err
grep -qF '{ size = "1GiB"; pages = 1; },' "$tmp/r3.cfg" || fail "the pool of 1 GiB is not in the file"
grep -qF '{ size = "2MiB"; pages = 300; }' "$tmp/r3.cfg" || fail "the pool is not in the file"

# same: the lines about it, as the real kernel had them (standard input).
same()
{
	cat >"$tmp/want"
	grep -E '^(Node . )?(MemTotal|HugePages_|Hugepagesize|Hugetlb|CommitLimit|AnonHugePages)' "$tmp/out" |
		cmp -s - "$tmp/want" || fail "different from $(cat "$tmp/want")"
}

run show "$tmp/r3.cfg" meminfo
same <<'END'
MemTotal:        4012592 kB
CommitLimit:     1699096 kB
AnonHugePages:         0 kB
HugePages_Total:     300
HugePages_Free:      300
HugePages_Rsvd:        0
HugePages_Surp:        0
Hugepagesize:       2048 kB
Hugetlb:          614400 kB
END
run show "$tmp/r3.cfg" meminfo --node 0
same <<'END'
Node 0 MemTotal:        2017400 kB
Node 0 AnonHugePages:         0 kB
Node 0 HugePages_Total:   150
Node 0 HugePages_Free:    150
Node 0 HugePages_Surp:      0
END
run show "$tmp/r3.cfg" meminfo --node 1
same <<'END'
Node 1 MemTotal:        1995192 kB
Node 1 AnonHugePages:         0 kB
Node 1 HugePages_Total:   150
Node 1 HugePages_Free:    150
Node 1 HugePages_Surp:      0
END

# No range of 1 GiB is free of what boot reserves: "HugeTLB: allocating 1 of page size 1.00 GiB failed."
run show "$tmp/r3.cfg" hugepages
out '/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages 0'
out '/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages 300'

# Kernels with pages of 1 GiB: 3 of them and 50 of 2 MiB; 4 by node; 9 of which 5 fit; with ZONE_MOVABLE.
for name in gigantic_in_turn gigantic_by_node gigantic_default gigantic_kernelcore; do
	gzip -dc "tests/reference/captures/$name.tar.gz" | tar -xf - -C "$tmp"
	run import capture "$tmp/$name" -o "$tmp/$name.cfg"
	status 0
	silent err
	run diff "$tmp/$name" "$tmp/$name.cfg"
	status 0
	grep -qE '^(168|183) of \1 figures equal' "$tmp/out" || fail "figures: $(tail -1 "$tmp/out")"
	for node in 0 1; do
		run show "$tmp/$name.cfg" meminfo --node $node
		same <"$tmp/$name/node$node.pools.txt"
	done
	run show "$tmp/$name.cfg" meminfo
	same <"$tmp/$name/pools.txt"
done
run show "$tmp/gigantic_by_node.cfg" hugepages --sysctl node1/hugepages-1048576kB/demote=1
out '/sys/devices/system/node/node1/hugepages/hugepages-1048576kB/nr_hugepages 2'
out '/sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages 512'
run show "$tmp/gigantic_by_node.cfg" hugepages --sysctl hugepages-1048576kB/nr_overcommit_hugepages=1
wrong "--sysctl hugepages-1048576kB/nr_overcommit_hugepages=1: huge pages of 2^18 pages are never surplus: the kernel takes no such number"
run show "$tmp/gigantic_by_node.cfg" hugepages --sysctl hugepages-64kB/nr_hugepages=1
wrong "--sysctl hugepages-64kB/nr_hugepages=1: there are no huge pages of 64 kB"

# By node, and written later: the two are one pool.
sed -i 's/hugepagesz=2M hugepages=300/hugepages=0:3,1:5/; s/hugepagesz=1G hugepages=1//' "$real/cmdline.txt"
run import capture "$real" -o "$tmp/nodes.cfg"
status 0
silent err
grep -qF 'hugepages = [ 3, 5 ];' "$tmp/nodes.cfg" || fail "the pool by node is not in the file"
run show "$tmp/nodes.cfg" meminfo --node 1
out 'HugePages_Total:     5'
run show "$tmp/nodes.cfg" hugepages
out '/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages 8'
out '/sys/devices/system/node/node0/hugepages/hugepages-2048kB/free_hugepages 3'
run show "$tmp/nodes.cfg" meminfo --sysctl nr_hugepages=2
out 'HugePages_Free:        2'

# More than there is: what fits, and the sysctl says how many.
run show "$tmp/nodes.cfg" hugepages --sysctl vm.nr_hugepages=100000 --sysctl nr_overcommit_hugepages=7 --format json
status 0
out '"nr_overcommit_hugepages": 7'
is surplus_hugepages 0
fitted=$(sed -n '/"size_kb": 2048,/,$ s/^ *"nr_hugepages": \([0-9]*\).*/\1/p' "$tmp/out" | head -1)
if ! { [ "$fitted" -gt 1500 ] && [ "$fitted" -lt 2048 ]; }; then fail "$fitted huge pages of 4 GiB"; fi

# How a fault finds its huge pages.
grep -q defrag "$tmp/nodes.cfg" && fail "what is not known is written"
printf 'enabled [always] madvise never\ndefrag always defer [defer+madvise] madvise never\n' >"$real/thp.txt"
run import capture "$real" -o "$tmp/thp.cfg"
grep -qF 'transparent_hugepage_defrag = "defer+madvise";' "$tmp/thp.cfg" || fail "defrag is not in the file"
run show "$tmp/thp.cfg" topology --format json
out '"transparent_hugepage_defrag": "defer+madvise"'
run show "$tmp/thp.cfg" topology --format json --thp madvise --thp-defrag never
out '"transparent_hugepage": "madvise"'
out '"transparent_hugepage_defrag": "never"'
run show "$tmp/thp.cfg" topology --thp sometimes
wrong "--thp: unknown thp 'sometimes'; known are never, madvise, always"
end
