# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034,SC2154 # what uses its variables is in the init
#: note: anonymous memory beyond what there is: kswapd and direct reclaim swap it to a disk; then back in, in another order
#: programs: fill policy
#: disks: swap:512
#: kernel: transparent_hugepage=never
#: buffer_kb: 16000

setup()
{
	mkswap /dev/vdb >/dev/null
	swapon /dev/vdb
	leave 0 72 lock
}

run()
{
	fill 0 96
	fill 0 80 again
}
