#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# readme.sh BUILD-DIR SOURCE-DIR: prints every figure that the README quotes: where the pages of the
# trace W1b went, against the real kernel, then what numasim costs on this machine.
set -eu
build=$1
cd "$2"

# member FILE PATH: a number from numasim's JSON, which has one member a line.
member()
{
	sed -n "s/^ *\"$2\": \([0-9.]*\),\{0,1\}\$/\1/p" "$1" | sed -n "${3:-1}p"
}

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trace=traces/W1b_touch_4k_2x512m.trace.zst
machines=configs/machines

"$build/numasim" replay $machines/W1b_touch_4k_2x512m.cfg $trace --format json -q >"$tmp/w1b"
"$build/numasim" replay $machines/W1b-uma-1g.cfg $trace --format json -q >"$tmp/uma"

# The real figures: pages per node and zone in the capture of that trace (traces/README.md).
echo "W1b: pages of the trace by zone, simulated and on the real kernel"
row()
{
	awk -v what="$1" -v sim="$2" -v real="$3" 'BEGIN {
		printf "  %-12s %8d %8d  %+.2f %%\n", what, sim, real, (sim / real - 1) * 100 }'
}
row "node 0 DMA" "$(member "$tmp/w1b" pages_allocated 3)" 3348
row "node 0 DMA32" "$(member "$tmp/w1b" pages_allocated 4)" 98464
row "node 1 DMA32" "$(member "$tmp/w1b" pages_allocated 5)" 41881
row "numa_miss" "$(member "$tmp/w1b" numa_miss 2)" 41863

echo "W1b: simulated time"
awk -v two="$(member "$tmp/w1b" simulated_ps)" -v one="$(member "$tmp/uma" simulated_ps)" 'BEGIN {
	printf "  two nodes %.2f ms, one node %.2f ms, ratio %.3f\n", two / 1e9, one / 1e9, two / one }'

echo "Speed on this machine ($(nproc) processors, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1))"
"$build/numasim-bench"
