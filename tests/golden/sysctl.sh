#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# --sysctl, and kernel.sysctl of a machine file: written in order, once the machine has booted.
. "$2/tests/golden/harness"
machine=configs/machines/W1b_touch_4k_2x512m.cfg

# 4096 KiB are 1024 pages; DMA, which is first, has its share of them by its managed pages.
run show $machine zoneinfo --format json --sysctl min_free_kbytes=65536 \
	--sysctl vm.min_free_kbytes=4096
status 0
silent err
all=$(sed -n 's/^ *"managed": \([0-9]*\),*$/\1/p' "$tmp/out" | awk '{ sum += $1 } END { print sum }')
is min $((1024 * $(member managed) / all))

# Reserves of 1 in 1: as many pages as the zone above has.
run show $machine zoneinfo --sysctl "lowmem_reserve_ratio=1	1 1"
status 0
managed=$(sed -n 's/^        managed  //p' "$tmp/out" | sed -n 2p)
out "protection: (0, $managed, $managed, $managed, $managed)"

# The file's come first, then those of the command line.
sed 's/^kernel = {/kernel = { sysctl = ( "min_free_kbytes=65536", "min_free_kbytes=4096" );/
	s,@include ",&'"$PWD"'/configs/machines/,' $machine >"$tmp/machine.cfg"
run show "$tmp/machine.cfg" zoneinfo --format json
status 0
is min $((1024 * $(member managed) / all))
run show "$tmp/machine.cfg" zoneinfo --format json --sysctl min_free_kbytes=8192
is min $((2048 * $(member managed) / all))

run replay "$tmp/machine.cfg" traces/example.nst --sysctl min_free_kbytes=1024 --verify
status 0

# The pool of one node; then of all, whose pages that are missing come from the nodes in turn.
run show $machine hugepages --sysctl node1/nr_hugepages=6
status 0
out "/sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages 0"
out "/sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages 6"
run show $machine hugepages --sysctl node1/nr_hugepages=6 --sysctl nr_hugepages=10 --sysctl node1/nr_hugepages=1
status 0
out "/sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages 2"
out "/sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages 1"
run show $machine hugepages --sysctl node2/nr_hugepages=6
wrong "--sysctl node2/nr_hugepages=6: expected a node with memory, of 2 nodes, found node 2"
run show $machine hugepages --sysctl node1/nr_hugepages=x
wrong "found 'x'"

run show $machine zoneinfo --sysctl min_free_kbyte=1
wrong "numasim: --sysctl min_free_kbyte=1: unknown sysctl 'min_free_kbyte', did you mean 'min_free_kbytes'?"
run show $machine zoneinfo --sysctl watermark_scale_factor=3001
wrong "--sysctl watermark_scale_factor=3001: expected an integer from 1 to 3000, found '3001'"
run show $machine zoneinfo --sysctl percpu_pagelist_high_fraction=7
wrong "expected 0 or at least 8, found '7'"
run show $machine zoneinfo --sysctl "lowmem_reserve_ratio=1 2 3 4 5 6"
wrong "expected at most 5 integers, one a zone of x86_64, found '1 2 3 4 5 6'"
sed 's/min_free_kbytes=4096/min_free_kbytes=4k/' "$tmp/machine.cfg" >"$tmp/wrong.cfg"
run check "$tmp/wrong.cfg"
status 2
grep -q "wrong.cfg:[0-9]*: kernel.sysctl: min_free_kbytes=4k: expected an integer from 0 to 2147483647, found '4k'" \
	"$tmp/out" "$tmp/err" || fail "no line of the sysctl that is wrong"
# What was set is what is shown, and what follows from boot does not follow what comes later.
run show configs/machines/W1b_touch_4k_2x512m.cfg sysctl
reserve=$(grep user_reserve_kbytes "$tmp/out")
run show configs/machines/W1b_touch_4k_2x512m.cfg sysctl --sysctl compaction_proactiveness=50 \
	--sysctl extfrag_threshold=300 --sysctl nr_hugepages=64
out "compaction_proactiveness = 50"
out "extfrag_threshold = 300"
out "$reserve"
end
