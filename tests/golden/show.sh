#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# numasim show: its views, and what it says where there is none of that name.
. "$2/tests/golden/harness"
machine=configs/machines/W1b_touch_4k_2x512m.cfg

run show $machine platform
status 0
out "<platform version="
silent err

run show $machine platform --format json
status 0
out '"simgrid_xml": "<?xml'

# Zonelists are the kernel's, line by line: its boot messages in the capture of the trace W1b.
cat >"$tmp/zonelists" <<END
Fallback order for Node 0: 0 1 
Fallback order for Node 1: 1 0 
mminit::zonelist general 0:DMA = 0:DMA 
mminit::zonelist general 0:DMA32 = 0:DMA32 0:DMA 1:DMA32 
mminit::zonelist thisnode 0:DMA = 0:DMA 
mminit::zonelist thisnode 0:DMA32 = 0:DMA32 0:DMA 
mminit::zonelist general 1:DMA32 = 1:DMA32 0:DMA32 0:DMA 
mminit::zonelist thisnode 1:DMA32 = 1:DMA32 
Built 2 zonelists, mobility grouping on.  Total pages: 257757
END
run show $machine zonelists
status 0
silent err
cmp "$tmp/out" "$tmp/zonelists" || fail "the zonelists are not the kernel's"

# zoneinfo: the first zone as the kernel had it, /proc/zoneinfo when the window of W1b opened, as far
# as the simulated kernel has such figures. The lists of the CPUs were in use there.
cat >"$tmp/zoneinfo" <<END
Node 0, zone      DMA
  pages free     3808
        boost    0
        min      14
        low      17
        high     20
        spanned  4095
        present  3998
        managed  3840
        cma      0
        protection: (0, 443, 443, 443, 443)
      nr_free_pages 3808
      numa_hit     0
      numa_miss    0
      numa_foreign 0
      numa_interleave 0
      numa_local   0
      numa_other   0
  pagesets
    cpu: 0
              count: 0
              high:  8
              batch: 1
  vm stats threshold: 6
END
run show $machine zoneinfo
status 0
silent err
# Without the statistics of the node (41 + 2 counters of NUMA) and the 10 counters of the zone that are
# all 0: nothing is in use that they count.
sed '/^  per-node stats$/,/^  pages free/{/^  pages free/!d}; /^      nr_[a-eg-z].* 0$/d; /^      nr_free_cma  0$/d' \
	"$tmp/out" >"$tmp/figures"
head -n "$(wc -l <"$tmp/zoneinfo")" "$tmp/figures" | cmp - "$tmp/zoneinfo" || fail "zone DMA is not as it was captured"
[ "$(sed -n '/^  per-node stats$/,/^  pages free/p' "$tmp/out" | grep -c '^      [a-z].* 0$')" -eq 86 ] ||
	fail "not 43 statistics of each of two nodes"
out "  start_pfn:           1"
[ "$(grep -c '^Node .*, zone ' "$tmp/out")" -eq 10 ] || fail "not five zones of two nodes"
[ "$(grep -c '^  start_pfn' "$tmp/out")" -eq 3 ] || fail "not three zones with pages"

# buddyinfo: blocks of each order, which hold as many pages as zoneinfo says are free.
free_of()
{
	sed -n "s/^Node $1, zone  *$2  *//p" "$tmp/out" |
		awk '{ for (i = 1; i <= NF; i++) sum += $i * 2 ^ (i - 1); print NF, sum }'
}
run show $machine buddyinfo
status 0
[ "$(wc -l <"$tmp/out")" -eq 3 ] || fail "not three zones"
[ "$(free_of 0 DMA)" = "11 3808" ] || fail "0 DMA has $(free_of 0 DMA)"
[ "$(free_of 0 DMA32)" = "11 98970" ] || fail "0 DMA32 has $(free_of 0 DMA32)"
[ "$(free_of 1 DMA32)" = "11 121994" ] || fail "1 DMA32 has $(free_of 1 DMA32)"

# extfrag_index and unusable_index: all is free, so no allocation would fail. What is unusable of order
# 10 is what buddyinfo has in smaller blocks.
run show $machine extfrag_index
status 0
[ "$(sed -n 1p "$tmp/out")" = "Node 0, zone      DMA -1.000 -1.000 -1.000 -1.000 -1.000 -1.000 -1.000 -1.000 -1.000 -1.000 -1.000 " ] ||
	fail "not the line of a zone with large blocks"
[ "$(wc -l <"$tmp/out")" -eq 3 ] || fail "not three zones"
run show $machine buddyinfo
awk '{ all = small = 0
	for (o = 0; o < 11; o++) { all += $(o + 5) * 2 ^ o; if (o < 10) small += $(o + 5) * 2 ^ o }
	printf "0.%03d\n", int(small * 1000 / all) }' "$tmp/out" >"$tmp/unusable"
run show $machine unusable_index
awk '{ print $15 }' "$tmp/out" | cmp - "$tmp/unusable" || fail "not what buddyinfo says"
awk '$5 != "0.000" { exit 1 }' "$tmp/out" || fail "single pages are unusable"

run show $machine numastat
status 0
printf '%s 0\n' numa_hit numa_miss numa_foreign interleave_hit local_node other_node >"$tmp/numastat"
cat "$tmp/numastat" "$tmp/numastat" | cmp - "$tmp/out" || fail "not the files of two nodes"
run show $machine numastat --node 1
cmp "$tmp/numastat" "$tmp/out" || fail "not the file of a node"

# topology: a box for each node, holes, the map drawn to scale, and the measured figures.
run show $machine topology
status 0
silent err
out "| 2 CPUs: 0-1, at 2.5GHz "
out "hole, 388 KiB"
out "[0000000000000000000000000000000011111111111111111111111111111111]"
out "0 -> 1                  65.3ns        50.9GB/s"
out "     0    77.9   143.2"
out "     1      21      10"
[ "$(grep -c '^+-- node [01] -*+$' "$tmp/out")" -eq 2 ] || fail "not two boxes"
[ "$(awk '/^[+|]/ { print length }' "$tmp/out" | sort -u | wc -l)" -eq 1 ] ||
	fail "the boxes have ragged edges"
# What CPUs have: lines in flight, threads, caches, what a line of another CPU takes, TLBs.
for line in "| 12 lines in flight, 18 of a stream " "L3                    35.8 MiB      11        24ns  node" \
	"modified, on its own node's                111.3ns" "first level                 32       4  2 MiB, 4 MiB"; do
	out "$line"
done
run show $machine topology --set nodes[1].cpus.threads_per_core=2
out "| 2 threads a core; 12 lines in flight, 18 of a stream "
# A wire says whose ways lead over it.
run show configs/machines/epyc-9224-cxl.cfg topology -q
out "0 -> 2                     0ps         256GB/s  of all from 0 -> 2, 0 -> 3, 1 -> 2, 1 -> 3"
if grep -q 'of all from 0 -> 0' "$tmp/out"; then
	fail "a link of one pair is no wire of several"
fi
# Wires are of places: where two are one node of the kernel, too.
cp configs/machines/*.inc "$tmp"
echo 'interleave = ( { nodes = ( 0, 1 ); granularity = "256B"; } );' |
	cat configs/machines/epyc-9224-cxl.cfg - >"$tmp/both.cfg"
run show "$tmp/both.cfg" topology -q
out "of all from 2 -> 0, 2 -> 1, 2 -> 4, 3 -> 0, 3 -> 1, 3 -> 4"
run show configs/machines/holey-board-flat.cfg topology
out "hole, 30 GiB"
# A character is 0.625 GiB: 2 to 4 GiB are in the characters 3.2 to 6.4, 34 to 40 in 54.4 to 64.
out "[...0000...............................................0000000000]"
run show configs/machines/epyc-9224-cxl.cfg topology --quiet
out "| no CPUs "

# What a memory model takes: as tests/model/experiment.c derives it, and of one node with several ranges.
while read -r model memmap holes tables; do
	run show configs/machines/holey-board-flat.cfg memmodel --set memory_model="$model"
	status 0
	silent err
	out " $model"
	[ "$(sed -n 's/.* \([0-9]*\) bytes .*/\1/p' "$tmp/out" | tr '\n' ' ')" = "$memmap $holes $tables " ] ||
		fail "not the bytes of $model"
	run show configs/machines/holey-board-flat.cfg memmodel --set memory_model="$model" --format json
	is memmap_bytes "$memmap"
	is hole_bytes "$holes"
	is table_bytes "$tables"
done <<END
flat 637534208 503316480 0
discontig 134217728 0 20
sparse 134217728 0 139264
sparse-vmemmap 134217728 0 151552
END

# cma: an area at the end of node 0, of CMA page blocks, in the views that show such.
run show configs/machines/holey-board-flat.cfg zoneinfo --set kernel.cma=64MiB
status 0
[ "$(grep -c '^        cma      16384$' "$tmp/out")" -eq 1 ] || fail "zoneinfo has no area"
run show configs/machines/holey-board-flat.cfg pagetypeinfo --set kernel.cma=64MiB
[ "$(awk '$6 == "CMA" { n += $17 * 2 } END { print n + 0 }' "$tmp/out")" -eq 32 ] ||
	fail "pagetypeinfo has not 32 page blocks of CMA"
# 64 MiB, between the same lines as the kernel has them; without an area there are none.
run show configs/machines/holey-board-flat.cfg meminfo --set kernel.cma=64MiB
sed -n '/^FilePmdMapped/,/^HugePages_Total/p' "$tmp/out" >"$tmp/lines"
cmp -s - "$tmp/lines" <<'END' || fail "meminfo has no area"
FilePmdMapped:         0 kB
CmaTotal:          65536 kB
CmaFree:           65536 kB
HugePages_Total:       0
END
run show configs/machines/holey-board-flat.cfg meminfo
grep -q Cma "$tmp/out" && fail "an area where there is none"
run show $machine zoneinfo --set kernel.cma=64MiB
wrong "cma, where zones say how many pages are managed"

# The same as JSON, each view that has both.
for view in topology memmodel zoneinfo buddyinfo extfrag_index unusable_index numastat zonelists memblock meminfo vmstat iomem sysctl pageflags pagetypeinfo; do
	run show $machine $view --format json
	status 0
	silent err
	run show $machine $view --format json -o "$tmp/file"
	silent out
	[ -s "$tmp/file" ] || fail "-o writes nothing"
done
run show $machine zoneinfo --format json
is free 3808
is start_pfn 1
is high 20
run show $machine numastat --format json
is numa_hit 0
run show $machine topology --format json
is bank_latency_ps 77900

run show $machine platfrom
status 2
silent out
err "unknown view 'platfrom', did you mean 'platform'?"

run show $machine platform --set memory_modle=sparse
status 2
silent out
err "did you mean 'memory_model'?"

run show $machine platform --set memory_model
status 2
err "--set: 'memory_model' is not of the form PATH=VALUE"

run show configs/machines/ring8.cfg zoneinfo --set memory_model=flat
status 2
silent out
err "numasim: configs/machines/ring8.cfg: --set memory_model=flat: the flat memory model has one node descriptor"
cp configs/machines/*.inc "$tmp"
sed 's/^memory_model = .*/memory_model = "flat";/' configs/machines/ring8.cfg >"$tmp/flat.cfg"
line=$(grep -n '^memory_model' "$tmp/flat.cfg")
run show "$tmp/flat.cfg" zoneinfo
status 2
err "numasim: $tmp/flat.cfg:${line%%:*}: the flat memory model has one node descriptor"

run show "$tmp/none.cfg" platform
status 2
err "numasim: $tmp/none.cfg: "
end
