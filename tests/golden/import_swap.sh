#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# numasim import capture: the swap of a captured machine, on a disk of its name.
. "$2/tests/golden/harness"

capture=$tmp/b_uma2g_2cpu
gzip -dc tests/reference/captures/b_uma2g_2cpu.tar.gz | tar -xf - -C "$tmp"

# import: to $tmp/m.cfg.
import()
{
	rm -f "$tmp/m.cfg"
	run import capture "$capture" -o "$tmp/m.cfg"
	status 0
	run check "$tmp/m.cfg"
	status 0
}

# in_file TEXT
in_file()
{
	grep -qF "$1" "$tmp/m.cfg" || fail "the machine file does not have: $1"
}

import
! grep -q swap "$tmp/m.cfg" || fail "there is swap where none was"

# Two of them are one here, by the first one's name.
mkdir -p "$capture/boot"
printf 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n' >"$capture/swaps.txt"
import
! grep -q swap "$tmp/m.cfg" || fail "there is swap where none was"
printf '/dev/vdb                                partition\t524284\t\t4116\t\t-2\n' >>"$capture/swaps.txt"
printf '/mnt/swap\\040file                       file\t\t1048572\t\t0\t\t-3\n' >>"$capture/swaps.txt"
import
in_file 'name = "vdb"'
in_file 'swap = "1572856KiB"'
in_file 'Not measured: those of an SSD'
run show "$tmp/m.cfg" topology
out 'of swap'
run show "$tmp/m.cfg" meminfo
out 'SwapTotal:       1572856 kB'
out 'SwapFree:        1572856 kB'

printf '/dev/vdc partition many 0 -4\n' >>"$capture/swaps.txt"
run import capture "$capture"
wrong "swaps.txt:4: '/dev/vdc partition many 0 -4' is no line of /proc/swaps"
printf 'Filename Type Size Used Priority\n/dev/vdb partition 10 20 -1\n' >"$capture/swaps.txt"
run import capture "$capture"
wrong "swaps.txt:2: "
printf 'Filename Type Size Used Priority\n/dev/a partition 1125899906842624 0 -1\n/dev/b partition 1 0 -1\n' \
	>"$capture/swaps.txt"
run import capture "$capture"
wrong "swaps.txt:3: "

# Without it, by meminfo: that of the window goes before that of boot.
rm "$capture/swaps.txt"
printf 'MemTotal:        2000000 kB\nSwapTotal:          1024 kB\n' >"$capture/boot/meminfo.txt"
rm -f "$capture/meminfo.txt"
import
in_file 'swap = "1MiB"'
in_file 'name = "swap"'
mkdir -p "$capture/before"
printf 'SwapTotal:          2048 kB\n' >"$capture/before/meminfo.txt"
import
in_file 'swap = "2MiB"'
printf 'SwapTotal:          2048 MB\n' >"$capture/before/meminfo.txt"
run import capture "$capture"
wrong "before/meminfo.txt:1: 'SwapTotal:          2048 MB': expected SwapTotal: N kB"
end
