# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034,SC2154 # what uses its variables is in the init
#: note: a task on each CPU takes and frees pieces of many sizes, forks, and moves between CPUs
#: programs: churn
#: kernel: transparent_hugepage=never
#: buffer_kb: 12000

setup()
{
	cpus=$(nr_cpus)
	mib=$(($(total_free) * 3 / 4))
	[ $mib -le 128 ] || mib=128
	export mib cpus
}

run()
{
	churn "$cpus" $((mib / cpus)) 64
}
