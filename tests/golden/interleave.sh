#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Interleaved memory: what is measured of a UMA machine socket by socket, and of a CXL window of two ways.
. "$2/tests/golden/harness"

# The mean of 81.9 and 131.9 ns, and 2 * 25.2 GB/s within 0.5 %: what was measured of the real machine.
machine=configs/machines/uma-e5-2630v4-sockets.cfg
run measure $machine latency --format csv
status 0
out "0,0,1069"
run measure $machine bandwidth --format csv
status 0
awk -F, 'NR > 1 { n += $3 < 50148000000 || $3 > 50652000000; seen++ } END { exit n > 0 || seen != 6 }' \
	"$tmp/out" || fail "not the bandwidth of both banks"
# The kernel has one node: all CPUs, all memory.
run show $machine topology
status 0
out "20 CPUs: 0-19"
out "in turn after 64 B at the banks of places 0-1"
run show $machine zonelists
status 0
grep -q "node 1" "$tmp/out" && fail "a second node"

# Each expander carries 17.6 GB/s: both 35.2 within 0.5 %, and a stride of both turns those of one.
machine=configs/machines/cxl-2way.cfg
run measure $machine latency --format csv
status 0
out "0,1,2794"
run measure $machine bandwidth --format csv --to 1
status 0
awk -F, '$1 == "0" { seen = $3 >= 35024000000 && $3 <= 35376000000 } END { exit !seen }' "$tmp/out" || fail "not the bandwidth of both"
run measure $machine bandwidth --format csv --to 1 --stride 512B
rate 0,1 17600000000
run show $machine topology
out "no CPUs"
out "in turn after 256 B at the banks of places 1-2"

# Turned off they are nodes of their own.
sed '/^interleave/d' $machine >"$tmp/apart.cfg"
sed -i "s|@include \"|@include \"$PWD/configs/machines/|" "$tmp/apart.cfg"
run measure "$tmp/apart.cfg" bandwidth --format csv
rate 0,2 17600000000
end
