# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034,SC2154 # what uses its variables is in the init
#: note: big tasks on all CPUs at once, twice: exit frees, and what they leave behind
#: programs: fill
#: kernel: transparent_hugepage=never
#: buffer_kb: 11200

setup()
{
	cpus=$(nr_cpus)
	mib=$(($(total_free) * 5 / 8))
	[ $mib -le 112 ] || mib=112
	export cpus mib
}

run()
{
	for round in 1 2; do
		cpu=0
		while [ $cpu -lt "$cpus" ]; do
			fill $cpu $((mib / cpus / round)) &
			cpu=$((cpu + 1))
		done
		wait
	done
}
