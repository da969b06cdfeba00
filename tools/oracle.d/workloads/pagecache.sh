# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034,SC2154 # what uses its variables is in the init
#: note: files on ext4 are read and written, more than fits into memory: page cache, kswapd, dirty pages
#: programs: policy
#: disks: ext4:512
#: kernel: transparent_hugepage=never
#: buffer_kb: 16000

setup()
{
	mkdir /disk
	mount -t ext4 /dev/vdb /disk
	dd if=/dev/zero of=/disk/read bs=1M count=128 2>/dev/null
	sync
	echo 3 >/proc/sys/vm/drop_caches
	leave 0 80 lock
}

run()
{
	dd if=/disk/read of=/dev/null bs=64k 2>/dev/null
	dd if=/dev/zero of=/disk/write bs=64k count=768 2>/dev/null
	dd if=/disk/read of=/dev/null bs=64k count=512 2>/dev/null
	rm /disk/write
}
