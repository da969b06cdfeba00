# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034,SC2154 # what uses its variables is in the init
#: note: a task fills what is left of its node and goes on to the next, 4 KiB pages; its exit frees
#: programs: fill policy
#: kernel: transparent_hugepage=never
#: buffer_kb: 12000

setup()
{
	leave 0 64
	mib=96
	many_nodes || mib=56 # the last node of one
	export mib
}

run()
{
	fill 0 "$mib"
}
