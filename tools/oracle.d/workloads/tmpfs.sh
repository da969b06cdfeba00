# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034,SC2154 # what uses its variables is in the init
#: note: files on tmpfs: written, copied, packed, sorted and removed, by many small tasks
#: kernel: transparent_hugepage=never
#: buffer_kb: 12000

setup()
{
	mkdir /tmp
	mount -t tmpfs -o size=80% none /tmp
	mib=$(($(total_free) / 8))
	[ $mib -le 24 ] || mib=24
	export mib
}

run()
{
	mkdir /tmp/a
	i=0
	while [ $i -lt 16 ]; do
		dd if=/dev/zero of=/tmp/a/$i bs=4k count=$((mib * 16)) 2>/dev/null
		i=$((i + 1))
	done
	cp -r /tmp/a /tmp/b
	rm -r /tmp/a
	tar cf /tmp/c -C /tmp b
	rm -r /tmp/b
	for i in 1 2 3 4; do
		head -c 300000 /tmp/c | sort | gzip | wc -c
	done
}
