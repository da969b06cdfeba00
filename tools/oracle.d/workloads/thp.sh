# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034,SC2154 # what uses its variables is in the init
#: note: tasks on the first and the last CPU fill more than what is left of the first node with transparent huge pages; their exits free
#: programs: fill policy
#: kernel: transparent_hugepage=always
#: buffer_kb: 8000

setup()
{
	leave 0 160
	mib=200
	many_nodes || mib=140 # the last node of one
	last=$(($(nr_cpus) - 1))
	export mib last
}

run()
{
	fill 0 "$mib"
	fill "$last" "$mib"
	fill 0 $((mib / 2))
}
