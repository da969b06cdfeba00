#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# As many nodes and CPUs as Linux has on x86_64: a capture of 1024 nodes and 8192 CPUs is imported, checked
# and shown, and no limit of ours is in the way.
. "$2/tests/golden/harness"

# capture NODES CPUS: 1 GiB and as many CPUs on each node as there are, in $tmp/NODES. No two rows of
# distances are alike.
capture()
{
	mkdir "$tmp/$1"
	awk -v nodes="$1" -v cpus="$2" -v dir="$tmp/$1" '
	# Of the n-th GiB, in two halves: some awks have 32 bits in %x.
	function address(n, offset) {
		return sprintf("%x%08x", int(n / 4), n % 4 * 1073741824 + offset)
	}
	BEGIN {
		last = address(nodes - 1, 1073741823)
		file = dir "/dmesg.txt"
		print "[    0.0] Linux version 6.1.0-56-amd64 (debian)" >file
		print "[    0.0] BIOS-e820: [mem 0x0000000000001000-0x000000000009efff] usable" >file
		print "[    0.0] BIOS-e820: [mem 0x0000000000100000-0x" last "] usable" >file
		for (n = 0; n < nodes; n++) {
			printf "[    0.0] ACPI: SRAT: Node %d PXM %d [mem 0x%s-0x%s]\n", n, n,
				address(n, 0), address(n, 1073741823) >file
			first = int(n * cpus / nodes); end = int((n + 1) * cpus / nodes) - 1
			list = dir "/node" n ".cpulist.txt"
			print (first <= end ? first "-" end : "") >list
			close(list)
			row = n ? 20 + n % 30 : 10
			for (to = 1; to < nodes; to++)
				row = row " " (n == to ? 10 : 20 + (n > to ? n - to : to - n) % 150)
			list = dir "/node" n ".distance.txt"
			print row >list
			close(list)
		}
		print "[    0.1] Freeing initrd memory: 4K" >file
		file = dir "/iomem.txt"
		printf "00001000-0009efff : System RAM\n00100000-%s : System RAM\n", last >file
		print "  01000000-01e01d31 : Kernel code\n  02000000-028eafff : Kernel rodata" >file
		print "  02a00000-02c4897f : Kernel data\n  03310000-043fffff : Kernel bss" >file
		file = dir "/cpuinfo.txt"
		for (cpu = 0; cpu < cpus; cpu++) print "processor\t: " cpu >file
	}'
	echo "Linux here 6.1.0-56-amd64 #1 SMP x86_64 GNU/Linux" >"$tmp/$1/uname.txt"
	echo quiet >"$tmp/$1/cmdline.txt"
}

for nodes in 300 1024; do
	capture $nodes 8192
	run import capture "$tmp/$nodes" -o "$tmp/$nodes.cfg" -q
	status 0
	silent err
	run check "$tmp/$nodes.cfg" -q
	status 0
	silent err
	out "machine, $nodes nodes, 8192 CPUs"
	# The rows of distances are those that were captured.
	for nid in 0 7 $((nodes - 1)); do
		grep -qF "\"$(cat "$tmp/$nodes/node$nid.distance.txt")\"" "$tmp/$nodes.cfg" ||
			fail "not the distances of node $nid"
	done
	# Latency and bandwidth by distance: 77.9 ns and 113.1 GB/s at 10.
	grep -qF 'by_distance = { latency = "77.9ns"; bandwidth = "113.1GB/s"; }' "$tmp/$nodes.cfg" ||
		fail "no rule for latencies"
done

# What is made of it agrees with itself, read back from the kernel's files: 300 nodes, a CPU each.
rm -r "$tmp/300"
capture 300 300
run import capture "$tmp/300" -o "$tmp/300.cfg" -q
status 0
"$numasim" show "$tmp/300.cfg" zoneinfo -q >"$tmp/300/zoneinfo.txt" || fail "no zoneinfo"
"$numasim" show "$tmp/300.cfg" sysctl -q >"$tmp/300/sysctl_vm.txt" || fail "no sysctls"
"$numasim" show "$tmp/300.cfg" zonelists -q >>"$tmp/300/dmesg.txt" || fail "no zonelists"
"$numasim" show "$tmp/300.cfg" pageflags -q >>"$tmp/300/dmesg.txt" || fail "no page flags"
run diff "$tmp/300" "$tmp/300.cfg" -q
status 0
[ "$(sed -n '$s/ of .*//p' "$tmp/out")" -gt 250000 ] || fail "not all figures were compared"
end
