#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# numasim measure: what is measured on the machines that were measured, and what it refuses.
. "$2/tests/golden/harness"
machine=configs/machines/xeon-8269cy-2s.cfg

# The matrix that was measured on the real machine: idle latencies are reached access by access.
run measure $machine latency
status 0
silent err
printf '       0\t  77.9\t 143.2\t\n       1\t 144.4\t  78.4\t\n' >"$tmp/rows"
tail -n 2 "$tmp/out" | cmp -s - "$tmp/rows" || fail "not the latencies of the machine"

# Each access pays for what it crosses: 10 ns more on the way from node 0 to node 1, nowhere else. One of
# 4096 walks for its huge page: 8 ns.
run measure $machine latency --set 'interconnect.latency[0][1]=153.2ns' --format csv
status 0
out "0,1,153201"
out "1,0,144401"
out "0,0,77901"

run measure $machine latency --format json --from 1 --to 0
status 0
out '"measure": "latency"'
out "144401"

# Lines that another core has written: of the same socket, of the other one by whose memory they are in.
run measure $machine c2c --format csv
status 0
# Clean ones: of the same socket from its CPU, of the other one from memory. One table, a header.
cat >"$tmp/rows" <<'END'
from,to,hitm_home_writer_ps,hitm_home_reader_ps,hit_ps
0,0,51700,51700,51600
0,1,111300,175800,143200
1,0,111300,175800,144400
1,1,51700,51700,51600
END
cmp -s "$tmp/out" "$tmp/rows" || fail "other transfers"
run measure $machine c2c --from 0 --to 1 --set line_transfers.home_at_owner=120ns
status 0
out "            1	 120.0	"
out "Local Socket L2->L2 HITM latency	-"
run measure $machine c2c
out "Local Socket L2->L2 HIT  latency	51.6"
out "Local Socket L2->L2 HITM latency	51.7"
out "Writer Numa Node     0	     1	"
out "            0	     -	 175.8	"

# Clean lines lie in all sets of the cache that has them, however small it is: 64 lines are as many
# as 4 KiB of 8 ways hold, and all come from there and none from the node's cache.
run measure $machine c2c --from 0 --to 0 --format csv --set 'caches[0].size=4KiB' --set 'caches[0].ways=8' \
	--set 'caches[1].size=4KiB' --set 'caches[1].ways=8'
status 0
out "0,0,51700,51700,51600"

# Two dies of a node, of two cores each with its L3: HITM between cores of a die, and of two. What another node's
# core has is as far as ever.
cat >"$tmp/dies.cfg" <<'END'
name = "dies";
source = "a test";
architecture = "x86_64";
memory_model = "sparse-vmemmap";
nodes = (
	{ memory = ( { base = "0"; size = "256MiB"; } ); cpus = { count = 8; frequency = "2GHz"; fill_buffers = 10; threads_per_core = 2; }; },
	{ memory = ( { base = "1GiB"; size = "256MiB"; } ); cpus = { count = 4; frequency = "2GHz"; fill_buffers = 10; }; }
);
bank = { latency = "100ns"; bandwidth = "100GB/s"; queueing = "0ns"; };
interconnect = { topology = "ring"; link = { latency = "80ns"; bandwidth = "50GB/s"; queueing = "0ns"; }; };
cache_line = "64B";
caches = ( { name = "L1"; size = "32KiB"; ways = 8; latency = "2ns"; shared_by = "core"; },
	   { name = "L3"; size = "1MiB"; ways = 16; latency = "20ns"; shared_by = 4; } );
line_transfers = { same_node = "30ns"; same_node_far = "110ns"; home_at_owner = "200ns"; };
END
run measure "$tmp/dies.cfg" c2c --format csv
status 0
cat >"$tmp/rows" <<'END'
from,to,hitm_home_writer_ps,hitm_home_reader_ps,hit_ps,hitm_far_ps
0,0,30000,30000,20000,110000
0,1,200000,200000,180000,
1,0,200000,200000,180000,
1,1,30000,30000,20000,
END
cmp -s "$tmp/out" "$tmp/rows" || fail "transfers between dies: $(cat "$tmp/out")"
run measure "$tmp/dies.cfg" c2c
status 0
out "Local Socket L2->L2 HITM latency	30.0"
out "Local Socket L3->L3 HITM latency	110.0"
run show "$tmp/dies.cfg" topology
status 0
out "L3                       1 MiB      16        20ns  4 CPUs"
out "modified, of another last cache              110ns"
run show "$tmp/dies.cfg" topology --set 'caches[1].shared_by=3'
status 2
err "caches[1].shared_by: 3 CPUs that share L3 are not whole cores of node 0, of 2 threads"
run show "$tmp/dies.cfg" topology --set 'caches[1].shared_by=6'
status 2
err "caches[1].shared_by: the 8 CPUs of node 0 are not whole groups of 6 that share L3"
sed 's/shared_by = 4/shared_by = "node"/' "$tmp/dies.cfg" >"$tmp/bad.cfg"
run show "$tmp/bad.cfg" topology
status 2
err "line_transfers.same_node_far: a node has one L3: no number of CPUs shares it (\`shared_by\`)"
sed 's/shared_by = 4/shared_by = "core"/; s/shared_by = "core"; },/shared_by = 2; },/' "$tmp/dies.cfg" >"$tmp/bad.cfg"
run show "$tmp/bad.cfg" topology
status 2
err "L3 is of fewer CPUs than L1, which is nearer to them"

# Where a node has no other core, or no memory for the lines, nothing is measured and nothing is said: node 1
# has no memory, node 2 one core, node 3 no CPU, and is no column.
cat >"$tmp/holes.cfg" <<'END'
name = "holes";
source = "a test";
architecture = "x86_64";
memory_model = "sparse-vmemmap";
nodes = (
	{ memory = ( { base = "0"; size = "256MiB"; } ); cpus = { count = 2; frequency = "2GHz"; fill_buffers = 10; }; },
	{ cpus = { count = 2; frequency = "2GHz"; fill_buffers = 10; }; },
	{ memory = ( { base = "1GiB"; size = "256MiB"; } ); cpus = { count = 1; frequency = "2GHz"; fill_buffers = 10; }; },
	{ memory = ( { base = "2GiB"; size = "256MiB"; } ); }
);
bank = { latency = "80ns"; bandwidth = "100GB/s"; };
interconnect = { topology = "full"; link = { latency = "60ns"; bandwidth = "20GB/s"; }; };
cache_line = "64B";
caches = ( { name = "L2"; size = "1MiB"; ways = 16; latency = "7ns"; shared_by = "cpu"; } );
line_transfers = { same_node = "50ns"; home_at_owner = "110ns"; home_elsewhere = "170ns"; };
END
run measure "$tmp/holes.cfg" c2c --format csv
status 0
cat >"$tmp/rows" <<'END'
from,to,hitm_home_writer_ps,hitm_home_reader_ps,hit_ps
0,0,50000,50000,80000
0,1,,170000,
0,2,110000,170000,140000
1,0,110000,,140000
1,1,,,
1,2,110000,,140000
2,0,110000,170000,140000
2,1,,170000,
2,2,,,
END
cmp -s "$tmp/out" "$tmp/rows" || fail "other cells"
run measure "$tmp/holes.cfg" c2c --from 2
status 0
# Writers are rows, as MLC has them.
printf '            1\t     -\t\n' >"$tmp/row"
grep -qxf "$tmp/row" "$tmp/out" || fail "cells without a figure do not say so"
run measure "$tmp/holes.cfg" c2c --from 2 --to 1 --format json
status 0
[ "$(grep -c '^ *null$' "$tmp/out")" -eq 2 ] || fail "not two cells are null"
out '"writer_nodes"'
run measure "$tmp/holes.cfg" c2c --to 3
wrong "--to: node 3 has no CPUs"
run measure "$tmp/holes.cfg" latency --to 1
wrong "--to: node 1 has no memory"

if ! slow_build; then
	run measure $machine bandwidth --format csv
	status 0
	awk -F, '$1 == 0 && $2 == 1 { off = $3 / 50.9e9 - 1; found = off * off < 1e-12 } END { exit !found }' "$tmp/out" ||
		fail "not the bandwidth of the machine, to a millionth"
	out "from,to,bytes_per_s"
	out "system,triad,"
fi

# A cell is what it is alone, whatever was measured before: where all nodes are alike, so are pairs as far
# from each other. 4 CPUs with 10 lines each, 30 ns of queue at 30 GB/s and 20 GB/s.
cat >"$tmp/ring.cfg" <<'END'
name = "ring";
source = "a test";
architecture = "x86_64";
memory_model = "sparse-vmemmap";
nodes = (
	{ memory = ( { base = "0"; size = "256MiB"; } ); cpus = { count = 4; frequency = "2GHz"; fill_buffers = 10; }; },
	{ memory = ( { base = "256MiB"; size = "256MiB"; } ); cpus = { count = 4; frequency = "2GHz"; fill_buffers = 10; }; },
	{ memory = ( { base = "512MiB"; size = "256MiB"; } ); cpus = { count = 4; frequency = "2GHz"; fill_buffers = 10; }; },
	{ memory = ( { base = "768MiB"; size = "256MiB"; } ); cpus = { count = 4; frequency = "2GHz"; fill_buffers = 10; }; }
);
bank = { latency = "80ns"; bandwidth = "30GB/s"; queueing = "30ns"; };
interconnect = { topology = "ring"; link = { latency = "60ns"; bandwidth = "20GB/s"; queueing = "30ns"; }; };
cache_line = "64B";
caches = ( { name = "L2"; size = "1MiB"; ways = 16; latency = "7ns"; shared_by = "cpu"; } );
END
run measure "$tmp/ring.cfg" bandwidth --format csv
status 0
# In MB/s, by how far apart nodes are.
sed -n '/^[0-3],/p' "$tmp/out" | awk -F, '
	{ far = ($2 - $1 + 4) % 4; if (far == 3) far = 1; rate = int($3 / 1e6); n++
		if (far in is && (is[far] - rate > 1 || rate - is[far] > 1)) failed = 1
		is[far] = rate }
	END { exit failed || n != 16 || is[0] <= is[1] || is[1] <= is[2] }' || fail "cells are not alike"
whole=$(sed -n 's/^3,1,//p' "$tmp/out")
run measure "$tmp/ring.cfg" bandwidth --format csv --from 3 --to 1
alone=$(sed -n 's/^3,1,//p' "$tmp/out")
if [ $((whole - alone)) -ge 100000 ] || [ $((alone - whole)) -ge 100000 ]; then
	fail "3 to 1: $alone bytes a second alone, $whole among others"
fi

# Measured once the load is steady: 40 lines in flight and a queue, of which idle latency has 5.45 ns: X * (74.55 ns + 30 ns * sqrt(X / (25 - X)))
# = 40 * 64 B at X = 19.519 GB/s; 0.1 % either way.
run measure "$tmp/ring.cfg" bandwidth --format csv --from 0 --to 0 --set bank.bandwidth=25GB/s
status 0
rate=$(sed -n 's/^0,0,//p' "$tmp/out")
if [ "$((rate / 1000000))" -lt 19499 ] || [ "$((rate / 1000000))" -gt 19539 ]; then
	fail "$rate bytes a second, not 19.52 GB/s"
fi

# A CPU with one line in flight reads a line a latency: 26 * 64 B / 77.9 ns = 21.36 GB/s.
run measure $machine bandwidth --format csv --from 0 --to 0 \
	--set nodes[0].cpus.fill_buffers=1 --set nodes[0].cpus.prefetched=1 \
	--set 'interconnect.banks[0].queueing=1ps'
status 0
out "0,0,2136"

# Latency rises with bandwidth, from one row to the one before.
if ! slow_build; then
	run measure $machine loaded --format csv --from 0
	status 0
	[ "$(sed -n '2,$p' "$tmp/out" | wc -l)" -eq 27 ] || fail "not 27 rows"
	sed -n '2,$p' "$tmp/out" | awk -F, 'NR == 1 { first = $2 } END { exit first < 2 * $2 }' ||
		fail "latency under the most load is not twice that under the least"
fi

# At a long delay the load is what the delays ask for, 4 lines each: 51 CPUs at 2.5 GHz, and a line a latency
# of the one that follows pointers. The lines of a delay do not add to it.
if ! slow_build; then
	run measure $machine loaded --format csv
	status 0
	sed 1d "$tmp/out" | awk -F, '$1 >= 500 {
			asked = 51 * 256 * 2.5e9 / $1 + 64 / ($2 * 1e-12)
			if ($3 > asked * 1.005 || $3 < asked * 0.995) { print $0 ", expected " asked; failed = 1 }
			nr++
		} END { exit failed || nr != 10 }' || fail "a delay asks for something else"
	run measure $machine loaded --from 0 --to 0
	out "Using all the threads from each core if Hyper-threading is enabled"
	grep -qE '^ 01000	 [0-9.]{3,}[0-9]	 *[0-9]+\.[0-9]$' "$tmp/out" || fail "not a row as MLC prints it"
fi

# Huge pages take what zeroing them does: 32768 lines, 12 in flight, 77.9 ns each: 212.7 us, and 200
# to 400 us from the other node. With 24 in flight half of it.
huge_fault()
{
	run measure $machine fault --format csv "$@"
	status 0
	sed -n 's/^0,0,[0-9]*,//p' "$tmp/out"
}
twelve=$(huge_fault)
[ "$(head -n 1 "$tmp/out")" = from,to,fault_ps,huge_fault_ps ] || fail "not one table"
[ "$(wc -l <"$tmp/out")" -eq 5 ] || fail "not 4 rows"
remote=$(sed -n 's/^0,1,[0-9]*,//p' "$tmp/out")
more=$(huge_fault --set nodes[0].cpus.fill_buffers=24 --set nodes[0].cpus.prefetched=24)
if [ "$twelve" -lt 212718000 ] || [ "$twelve" -gt 250000000 ]; then
	fail "a huge fault takes $twelve ps"
fi
[ "$remote" -gt $((twelve * 3 / 2)) ] || fail "a remote huge fault takes $remote ps"
[ "$more" -lt $((twelve * 2 / 3)) ] || fail "with 24 fill buffers a huge fault takes $more ps"
run measure $machine fault --from 1 --to 1
status 0
out "Page faults of 2048 KiB"

# Nodes are the kernel's. Of one that knows no nodes there is one, whatever is measured.
for kernel in kernel.numa_off=true kernel.numa_fake=1; do
	run measure $machine latency --format csv --set $kernel
	status 0
	silent err
	[ "$(cat "$tmp/out")" = "$(printf 'from,to,latency_ps\n0,0,77901')" ] || fail "other rows"
	for kind in c2c fault 'pagealloc --test repeat --cpus 52'; do
		# shellcheck disable=SC2086 # a kind and its options
		run measure $machine $kind --format csv --set $kernel
		status 0
		! grep -q '^[01],1,\|^1,0,' "$tmp/out" || fail "there is a node 1"
	done
	run measure $machine latency --to 1 --set $kernel
	wrong "--to: expected a node of the kernel's from 0 to 0, found '1'"
	run measure $machine fault --from 1 --set $kernel
	wrong "--from: expected a node of the kernel's from 0 to 0, found '1'"
done
if ! slow_build; then
	for kind in bandwidth loaded; do
		run measure "$tmp/holes.cfg" $kind --set kernel.numa_off=true
		status 0
	done
	# CPUs that are of two nodes stream through the memory of both as through the machine's.
	run measure $machine bandwidth --from 3 --to 3 --set kernel.numa_fake=4 --format csv
	status 0
	awk -F, '$1 == 3 { off = $3 / 113.2e9 - 1; found = off * off < 4e-4 } END { exit !found }' "$tmp/out" ||
		fail "not the bandwidth of the machine's node 1"
fi
# Each of the machine's nodes in two, whose CPUs are those of both.
run measure $machine latency --format csv --set kernel.numa_fake=2U
status 0
[ "$(wc -l <"$tmp/out")" -eq 17 ] || fail "not 16 cells"
out "0,1,77901"
out "1,2,14320"
out "3,0,14440"
out "2,3,7840"
run measure $machine c2c --format csv --from 1 --to 2 --set kernel.numa_fake=2U
status 0
out "1,2,111300,175800,143200"
run measure $machine fault --format csv --from 3 --to 2 --set kernel.numa_fake=2U
status 0
grep -q '^3,2,84' "$tmp/out" || fail "not a fault on the CPUs' own node of the machine"
# Without memory on node 1 that is no column, and nothing can be bound to it.
run measure $machine fault --format csv --set kernel.mem=8GiB
status 0
[ "$(cut -d, -f1,2 "$tmp/out" | tr '\n' ' ')" = 'from,to 0,0 1,0 ' ] || fail "other cells"
for kind in latency bandwidth loaded fault pagealloc; do
	run measure $machine $kind --to 1 --set kernel.mem=8GiB
	wrong "--to: node 1 has no memory"
done
run measure $machine c2c --format csv --from 1 --to 0 --set kernel.mem=8GiB
status 0
out "1,0,111300,,144400"
# Its CPUs take from node 0.
run measure $machine pagealloc --from 1 --cpus 1 --test bulk --format csv --set kernel.mem=8GiB
status 0
silent err
# Ranges of memory that a kernel without NUMA makes nodes of are nobody's nodes.
run measure configs/machines/holey-board-discontig.cfg latency --format csv --from 0 --to 0
status 0
[ "$(wc -l <"$tmp/out")" -eq 2 ] || fail "not one cell"

# A cell hangs on none before it: alone it is the same, and the nodes, which are alike, take the same within 1 %.
run measure $machine fault --format csv
status 0
cp "$tmp/out" "$tmp/all"
for from in 0 1; do
	for to in 0 1; do
		"$numasim" measure $machine fault -q --format csv --from $from --to $to | sed 1d
	done
done >"$tmp/cells"
sed 1d "$tmp/all" | cmp -s - "$tmp/cells" || fail "cells alone are other than in the table"
awk -F, '$1 != $2 { next } !near { near = $3; next } { off = $3 / near - 1; exit !(off * off < 1e-4) }' "$tmp/all" ||
	fail "a fault on node 1 is not as on node 0"

# No figure of small pages stands for huge ones: none fits, or huge pages are off.
none_huge()
{
	run measure "$@"
	status 0
	grep -qx '0,0,[1-9][0-9]*,' "$tmp/out" || fail "there is a figure of huge pages, or none of small ones"
}
none_huge configs/machines/W4c_pagecache_uma256m.cfg fault --format csv
run measure configs/machines/W4c_pagecache_uma256m.cfg fault
out "16 faults found no huge page, and took a small one"
tail -n 2 "$tmp/out" | grep -qx '       0	     -	' || fail "no figure is not said"
none_huge $machine fault --format csv --from 0 --to 0 --set 'kernel.transparent_hugepage="never"'
# Of a node's 12 MiB 8 are not to be had: nothing of it, all of the others.
sed 's/base = "2GiB"; size = "256MiB"/base = "2GiB"; size = "12MiB"/' "$tmp/holes.cfg" >"$tmp/little.cfg"
run measure "$tmp/little.cfg" fault --format csv
status 0
out "0,3,,"
grep -q '^2,2,[1-9][0-9]*,[1-9]' "$tmp/out" || fail "no figures of node 2"
run measure "$tmp/little.cfg" fault --to 3
status 1
err "its memory is too small to measure faults with"

# At 2 MHz it takes longer than the second after which counters are passed on.
run measure $machine fault --from 0 --to 0 --set nodes[0].cpus.frequency=2MHz
status 0
out "Page faults of 4 KiB"
run measure $machine fault --set nodes[0].cpus.frequency=1Hz
wrong "expected a frequency of 1MHz or more, found 1Hz"

# Contention follows from the lock and from lines that go to and fro, not from the number of CPUs:
# without a cost of transfers, order 4, which has no per-CPU list, takes far less.
gold=configs/machines/gold-5320.cfg
pagealloc()
{
	run measure $gold pagealloc --cpus 2 --format csv --set 'caches[1].size=640KiB' --set 'caches[2].size=768KiB' "$@"
	status 0
	sed -n 's/^repeat,4,2,,,//p' "$tmp/out"
}
with=$(pagealloc)
without=$(pagealloc --set line_transfers.same_node=1ns)
[ "$with" -gt $((2 * without)) ] || fail "order 4 on two CPUs: $with ps with transfers, $without without"
run measure $gold pagealloc --cpus 27
wrong "expected 1 to 26, found '27'"
run measure $machine latency --test bulk
wrong "--test means nothing to 'latency'"
run measure $machine pagealloc --mix triad
wrong "--mix means nothing to 'pagealloc'"
run measure $machine fault --cpus 2
wrong "--cpus means nothing to 'fault'"

# Pairs that hit the CPU's own lists do not hang on how many CPUs share the zone, nor on the order.
run measure $machine pagealloc --test repeat --cpus 52 --format csv
status 0
for order in 1 2 3; do
	[ "$(sed -n "s/^repeat,$order,52,,,//p" "$tmp/out")" -le "$(sed -n 's/^repeat,0,52,,,//p' "$tmp/out")" ] ||
		fail "a pair of order $order is not as quick as one of order 0"
done
[ "$(sed -n 's/^repeat,0,52,,,//p' "$tmp/out")" -lt 200000 ] || fail "order 0 waits for the zone"

# CPUs of both sockets at one zone's lock wait for each other, and for lines from the other socket.
bulk()
{
	run measure $machine pagealloc --test bulk --cpus 52 --format csv "$@"
	status 0
	sed -n 's/^bulk,0,52,\([0-9]*\),.*/\1/p' "$tmp/out"
}
apart=$(bulk)
together=$(bulk --to 0)
[ "$together" -gt $((3 * apart / 2)) ] || fail "52 CPUs take $together ps at one zone, $apart at two"

# A part on its own gives what it gives beside the others, in the order of the table; a machine with little memory
# is measured with the blocks that it has room for.
small=configs/machines/small-2n.cfg
run measure $small pagealloc --format csv
status 0
err "its memory is small for its caches"
sed 1d "$tmp/out" >"$tmp/all"
for part in 'bulk 1' 'bulk 2' 'repeat 1' 'repeat 2' 'random 1' 'random 2'; do
	"$numasim" measure $small pagealloc -q --format csv --test "${part% *}" --cpus "${part#* }" | sed 1d
done >"$tmp/parts"
cmp -s "$tmp/all" "$tmp/parts" || fail "parts give other rows than the whole"
[ "$(wc -l <"$tmp/all")" -eq 14 ] || fail "not 14 rows"
run measure $small pagealloc --test random --cpus 1 --format json
status 0
taken=$(member blocks)
run measure $small pagealloc --test random --cpus 2 --format json
# Of one node, both: half each.
[ "$(member blocks)" -eq $((taken / 2)) ] || fail "two CPUs take $(member blocks) blocks each, one $taken"

# No more memory than there is is measured.
run measure configs/machines/W4c_pagecache_uma256m.cfg latency --format json --set 'caches[2].size=143MiB'
status 0
[ "$(member buffer_bytes)" -lt $((256 << 20)) ] || fail "buffers of $(member buffer_bytes) B in 256 MiB"
run measure $gold latency --set line_transfers.remote=1ns
wrong "unknown key 'remote'"

wrong_kind()
{
	run measure $machine "$1"
	wrong "$2"
}
wrong_kind latencies "unknown measurement 'latencies', did you mean 'latency'?"
wrong_kind xyz "known are:"
run measure $machine latency --from 2
wrong "expected a node from 0 to 1, found '2'"
run measure configs/machines/epyc-9224-cxl.cfg latency --from 4
wrong "node 4 has no CPUs"
run measure $machine latency --set 'interconnect.banks[0].nodes[1]=0'
wrong "the bank of node 0 is given already"
run measure $machine latency --set nodes[0].cpus.prefetched=4
wrong "prefetched"
end
