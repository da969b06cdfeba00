# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034,SC2154 # what uses its variables is in the init
#: note: bound to one node until it is full while others are free: the node reclaims page cache and swaps; then preferred there, which spills
#: programs: policy
#: disks: ext4:256 swap:512
#: kernel: transparent_hugepage=never numa_balancing=disable
#: buffer_kb: 16000

setup()
{
	mkdir /disk
	mount -t ext4 /dev/vdb /disk
	mkswap /dev/vdc >/dev/null
	swapon /dev/vdc
	leave 0 64 lock
	dd if=/dev/zero of=/disk/read bs=1M count=24 2>/dev/null
	sync
	echo 3 >/proc/sys/vm/drop_caches
	taskset 1 dd if=/disk/read of=/dev/null bs=64k 2>/dev/null
}

run()
{
	policy 0 bind:0 touch:72
	policy 0 preferred:0 touch:72
	policy 0 range:24:bind:0 touch:40
}
