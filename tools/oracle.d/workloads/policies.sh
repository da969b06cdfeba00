# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034,SC2154 # what uses its variables is in the init
#: note: policies of tasks and ranges, from several CPUs: interleave, bind, preferred, preferred_many, local, home node, mbind that moves, migrate_pages, fork
#: programs: policy
#: kernel: transparent_hugepage=never numa_balancing=disable
#: buffer_kb: 12000

setup()
{
	last=$(($(nr_cpus) - 1))
	nodes=$(memory_nodes | sed 's/ /,/g')
	# "0-3": the first and the last; the other lists name them all.
	case $nodes in
	*-*) a=${nodes%%-*} b=${nodes##*-} ;;
	*) a=${nodes%%,*} b=${nodes##*,} ;;
	esac
	export last a b
}

run()
{
	policy 0 "interleave:$a,$b" touch:12 fork:4 free
	policy "$last" "bind:$a" touch:12 local touch:8
	policy 0 "preferred:$b" touch:12 "range:8:bind:$a" "range:8:interleave:$a,$b"
	policy "$last" "many:$a" touch:10 default touch:6
	policy 0 "home:8:$a,$b:$b" "range:6:bind:$a" "move:$b" touch:6 "migrate:$a:$b"
	policy 0 "interleave:$b,$a" "cpu:$last" touch:9 cpu:0 touch:9 fork:5
	policy "$last" "range:7:preferred:$a" "range:7:local" local touch:5 default touch:5
}
