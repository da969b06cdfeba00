# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh # what uses its variables is in the init
#: note: memory mapped in many ways, and what numa_maps says of it, which the machine prints
#: programs: mappings
#: disks: ext4:64
#: kernel: transparent_hugepage=madvise hugepages=4 numa_balancing=disable
#: buffer_kb: 4000

setup()
{
	mkdir -p /run/disk
	mount -t ext4 /dev/vdb /run/disk
	dd if=/dev/zero of=/run/disk/file bs=4096 count=64
	dd if=/dev/zero of=/run/file bs=4096 count=64
	sync
	echo 3 >/proc/sys/vm/drop_caches
	mappings /run/disk/file /run/file
}

# What is wanted has been said.
run()
{
	true
}
