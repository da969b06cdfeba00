#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tools/oracle without its emulator: which machines it would boot and how, and what it makes of what
# comes over the serial lines, played by a stand-in.
. "$2/tests/golden/harness"

if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null; then
	echo "skipped: no python3 3.9 or later"
	exit 0
fi

oracle()
{
	ran="(tools/oracle $*)"
	PATH=$tmp/bin:$PATH tools/oracle "$@" --numasim "$numasim" --cache "$tmp/cache" \
		>"$tmp/out" 2>"$tmp/err" </dev/null
	found_status=$?
}

# Of a machine that lies in memory as a PC's does, the addresses: 140 KiB at the limit below 4 GiB
# are the firmware's, which the file says; 3 MiB from 256 MiB on and the rest of the last MiB are hidden.
cat >"$tmp/pc.cfg" <<'END'
name = "pc"; source = "test"; architecture = "x86_64"; memory_model = "sparse-vmemmap";
nodes = (
	{ memory = ( { base = "4KiB"; size = "632KiB"; }, { base = "1MiB"; size = "255MiB"; },
		     { base = "259MiB"; size = "765MiB"; } );
	  cpus = { count = 2; frequency = "1GHz"; ids = ( 0, 2 ); }; },
	{ memory = ( { base = "1GiB"; size = "1048436KiB"; } ); },
	{ cpus = { count = 1; frequency = "1GHz"; ids = ( 1 ); }; },
	{ memory = ( { base = "4GiB"; size = "512MiB"; } ); }
);
distances = ( ( 10, 21, 11, 12 ), ( 22, 10, 13, 14 ), ( 15, 16, 10, 17 ), ( 18, 19, 20, 10 ) );
bank = { latency = "80ns"; bandwidth = "10GB/s"; };
interconnect = { topology = "full"; link = { latency = "60ns"; bandwidth = "5GB/s"; }; };
kernel = { kernelcore = "1GiB"; transparent_hugepage = "never"; };
END
oracle check --dry-run "$tmp/pc.cfg"
status 0
silent err
out "pc: 4 nodes (1024, 1024 no CPU, no memory, 512 no CPU MiB), 3 CPUs, asymmetric distances"
out "by CPUs first: what is node 0, 2, 1, 3 here is node 0, 1, ... there"
out "-machine pc,max-ram-below-4g=2147483648 -m 2560M -smp 3,sockets=3,cores=1,threads=1"
out "-object memory-backend-ram,id=m0,size=1024M -numa node,nodeid=0,memdev=m0"
out "-numa node,nodeid=2 -object memory-backend-ram,id=m3,size=512M -numa node,nodeid=3,memdev=m3"
out "-numa cpu,node-id=0,socket-id=0,core-id=0,thread-id=0 -numa cpu,node-id=2,socket-id=1"
out "-numa dist,src=0,dst=1,val=21 "
out "-numa dist,src=1,dst=0,val=22 "
# shellcheck disable=SC2016 # no variables
out 'memblock=debug memmap=3072K$0x10000000 memmap=140K$0x7ffdd000 kernelcore=1048576K transparent_hugepage=never'

# Of another one, the sizes.
oracle check --dry-run "$tmp/pc.cfg" --set 'nodes[3].memory[0].base=3968MiB'
status 0
out "sizes kept, not addresses: it has memory across 4 GiB, where a PC has its devices"
out "-machine pc -m 2557M"

# Parameters that change what memory and nodes there are.
oracle check --dry-run "$tmp/pc.cfg" --set kernel.mem=2GiB --set kernel.numa_fake=3
out "mem=2097152K numa=fake=3 "
oracle check --dry-run "$tmp/pc.cfg" --set kernel.numa_off=true
out "numa=off "

# By size, and for each node.
oracle check --dry-run "$tmp/pc.cfg" --set kernel.numa_fake=300MiB
out "numa=fake=300M "
oracle check --dry-run "$tmp/pc.cfg" --set kernel.numa_fake=4U
out "numa=fake=4U "
oracle check --dry-run "$tmp/pc.cfg" --set kernel.kernelcore=mirror
out "kernelcore=mirror "

# Memory that can be unplugged: QEMU's own tables do not say so.
sed 's/base = "4GiB"; size = "512MiB";/& hotpluggable = true;/; s/kernel = { /&movable_node = true; /' \
	"$tmp/pc.cfg" >"$tmp/hot.cfg"
oracle check --dry-run "$tmp/hot.cfg"
status 0
out "; can be unplugged: 0x100000000-0x11fffffff"
out "-smp 3,sockets=3,cores=1,threads=1 -acpitable sig=SRAT,..."

# What cannot be emulated, why.
oracle check configs/machines/holey-board-sparse.cfg configs/machines/i386-highmem.cfg
status 2
out "holey-board-sparse.cfg: not emulated: its architecture is arm64"
out "i386-highmem.cfg: not emulated: its architecture is i386"
oracle check "$tmp/pc.cfg" --set memory_model=sparse
status 2
out "not emulated: its memory model is sparse"

# The same seed, the same topologies; each by itself too.
oracle random 20 --seed 7 --dry-run
status 0
cp "$tmp/out" "$tmp/first"
oracle random 20 --seed 7 --dry-run
cmp -s "$tmp/first" "$tmp/out" || fail "another run makes other topologies"
grep -A 2 'random-7-011' "$tmp/first" >"$tmp/eleventh"
oracle random 20 --seed 7 --only 11 --dry-run
[ "$(sed 1d "$tmp/out")" = "$(cat "$tmp/eleventh")" ] || fail "--only 11 is not the eleventh"

# A capture: memblock's messages played again. Of what the first dump holds, 0x9000 to 0xa000 is given
# back; 8 KiB are allocated, of which the second half is given back; 0x200000 was held before and
# keeps its name. What comes after "Memory:" no longer counts.
mkdir "$tmp/bin" "$tmp/cache"
for name in busybox vmlinuz; do
	echo stand-in >"$tmp/cache/$name"
done
echo "linux-image-test 1" >"$tmp/cache/vmlinuz.from"
cat >"$tmp/console" <<'END'
BIOS
[    0.000000] MEMBLOCK configuration:
[    0.000000]  reserved[0x0]	[0x0000000000000000-0x000000000000ffff], 0x0000000000010000 bytes flags: 0x0
[    0.000000]  reserved[0x1]	[0x0000000000200000-0x00000000002fffff], 0x0000000000100000 bytes flags: 0x0
[    0.000000] memblock_phys_free: [0x0000000000009000-0x0000000000009fff] f+0x1/0x2
[    0.000000] memblock_alloc_try_nid: 8192 bytes align=0x40 nid=0 from=0x0000000000000000 max_addr=0x0000000000000000 sparse_init+0x9f/0x23c
[    0.000000] memblock_reserve: [0x0000000000400000-0x0000000000401fff] memblock_alloc_range_nid+0xb0/0x13d
[    0.000000] memblock_phys_free: [0x0000000000401000-0x0000000000401fff] f+0x1/0x2
[    0.000000] memblock_reserve: [0x0000000000180000-0x000000000027ffff] setup_arch+0x1/0x2
[    0.000000] memblock_reserve: [0x0000000000500000-0x000000000052afff] memblock_alloc_range_nid+0xb0/0x13d
[    0.000000] MEMBLOCK configuration:
[    0.000000]  reserved[0x0]	[0x0000000000700000-0x00000000007fffff], 0x0000000000100000 bytes flags: 0x0
[    0.000000] Early memory node ranges
[    0.000000]   node   0: [mem 0x0000000000001000-0x000000000009efff]
[    0.000000]   node   1: [mem 0x0000000000100000-0x00000000007fffff]
[    0.000000] Memory: 1K/2K available
[    0.000000] memblock_reserve: [0x0000000000600000-0x000000000061ffff] setup_arch+0x1/0x2
END
printf 'numasim-oracle begin zoneinfo 7\nNode 0\nnumasim-oracle end zoneinfo\n' >"$tmp/serial"
printf 'numasim-oracle begin node0.cpulist 0\nnumasim-oracle end node0.cpulist\n' >>"$tmp/serial"
echo 'numasim-oracle done' >>"$tmp/serial"
cat >"$tmp/bin/qemu-system-x86_64" <<'END'
#!/bin/sh
if [ "$1" = --version ]; then
	echo "QEMU emulator version stand-in"
	exit
fi
here=$(dirname "$0")/..
[ ! -e "$here/hang" ] || sleep 60
to=console
for word; do
	case $word in
	file:*) cp "$here/$to" "${word#file:}"; to=serial ;;
	file=*disk0,*)
		word=${word#file=}
		[ ! -e "$here/archive" ] || cp "$here/archive" "${word%%,*}"
		;;
	esac
done
END
chmod +x "$tmp/bin/qemu-system-x86_64"
oracle capture "$tmp/pc.cfg" "$tmp/capture"
status 0
silent out
[ "$(cat "$tmp/capture/zoneinfo.txt")" = "Node 0" ] || fail "zoneinfo.txt is not what was sent"
[ -e "$tmp/capture/node0.cpulist.txt" ] || fail "an empty file did not arrive"
first="before the first memblock dump (real-mode page, BIOS area, kernel image, initrd)"
cat >"$tmp/expected" <<END
start	end	bytes	asked_for_by
0x0	0x9000	36864	$first
0xa000	0x10000	24576	$first
0x180000	0x200000	524288	setup_arch
0x200000	0x300000	1048576	$first
0x400000	0x401000	4096	sparse_init (8192 bytes)
0x500000	0x52b000	176128	NODE_DATA or unlabelled
END
diff "$tmp/expected" "$tmp/capture/memblock_reserved.tsv" >"$tmp/out" || fail "reserved differs"
cat >"$tmp/expected" <<END
start	end	bytes	node
0x1000	0x9f000	647168	0
0x100000	0x800000	7340032	1
END
diff "$tmp/expected" "$tmp/capture/memblock_memory.tsv" >"$tmp/out" || fail "memory differs"

oracle capture "$tmp/pc.cfg" "$tmp/capture"
status 2
err "is there and not empty"

# SRAT: 12 bytes, 16 for each of three CPUs, 40 for each range of memory: node 0 below and above the
# firmware's area, node 1, and node 3, which can be unplugged: flags at its byte 28. SLIT: a number of
# 8 bytes, and 16 distances.
oracle capture "$tmp/hot.cfg" "$tmp/hot"
status 0
[ "$(wc -c <"$tmp/hot/srat.bin")" -eq $((12 + 3 * 16 + 4 * 40)) ] || fail "SRAT has another size"
flags()
{
	od -An -tu4 -j $((12 + 3 * 16 + $1 * 40 + 28)) -N 4 "$tmp/hot/srat.bin" | tr -d ' '
}
[ "$(flags 0) $(flags 1) $(flags 2) $(flags 3)" = "1 1 1 3" ] || fail "SRAT has other flags"
od -An -tu1 "$tmp/hot/slit.bin" | tr -s ' \n' ' ' >"$tmp/slit"
[ "$(cat "$tmp/slit")" = " 4 0 0 0 0 0 0 0 10 21 11 12 22 10 13 14 15 16 10 17 18 19 20 10 " ] ||
	fail "SLIT has other distances"

# A boot that goes wrong says where to look.
sed -i '$d' "$tmp/serial"
oracle capture "$tmp/pc.cfg" "$tmp/died"
status 2
err "did not come up, or went down early; the kernel's messages are in $tmp/died/console.txt"
sed -i 's/begin zoneinfo 7/begin zoneinfo 70/' "$tmp/serial"
oracle capture "$tmp/pc.cfg" "$tmp/cut"
status 2
err "the file zoneinfo did not come whole"
: >"$tmp/hang"
oracle capture "$tmp/pc.cfg" "$tmp/hung" --timeout 1
status 2
err "did not finish in 1 s"
err "; once more"
# Traces of workloads: what would be booted, and what comes out on the first disk.
rm -f "$tmp/hang"
oracle trace random --workload nothing
status 2
err "unknown workload 'nothing'; known are bind, churn, "
oracle trace random --seed 7 --workload swap --dry-run
status 0
out "kernel: console=ttyS0"
out "transparent_hugepage=never"
out "disks: swap:512; programs: fill policy"
oracle trace "$tmp/pc.cfg" --workload tmpfs
status 2
err "expected -o DIR"
mkdir "$tmp/full" "$tmp/cache/modules"
: >"$tmp/full/file"
oracle trace "$tmp/pc.cfg" --workload tmpfs -o "$tmp/full"
status 2
err "$tmp/full is there and not empty"
echo "the guest said this" >"$tmp/serial"
oracle trace "$tmp/pc.cfg" --workload tmpfs -o "$tmp/traced"
status 2
err "no archive came out of the machine; the machine said:"
err "the guest said this"
[ "$(echo "$tmp"/traced*)" = "$tmp/traced*" ] || fail "something is left of the failure"
mkdir -p "$tmp/pack/pc/before" "$tmp/pack/pc/boot"
echo "events in the trace text: 0" >"$tmp/pack/pc/summary.txt"
echo "trace: pc" >"$tmp/pack/pc/trace_shape.txt"
echo state >"$tmp/pack/pc/before/zoneinfo.txt"
echo guest >"$tmp/pack/pc/boot/dmesg.txt"
tar -Pcf "$tmp/archive" -C "$tmp/pack" pc "$tmp/full/../full/file"
oracle trace "$tmp/pc.cfg" --workload tmpfs -o "$tmp/traced"
status 0
out "$tmp/traced: events in the trace text: 0"
[ "$(cat "$tmp/traced/before/zoneinfo.txt")" = state ] || fail "before/ did not come out"
grep -q 'MEMBLOCK' "$tmp/traced/boot/dmesg.txt" || fail "dmesg is not the console's"
[ -e "$tmp/traced/boot/memblock_reserved.tsv" ] || fail "memblock's list is missing"
grep -q '^qemu options: -machine pc' "$tmp/traced/trace_shape.txt" || fail "the machine is not said"
grep -q '^extra disks: none' "$tmp/traced/trace_shape.txt" || fail "the disks are not said"
# Each program does what its workloads ask of it: those without a machine of their own can be run.
if command -v cc >/dev/null; then
	for name in fill churn policy; do
		cc -std=gnu17 -Wall -Werror -o "$tmp/$name" tools/oracle.d/workloads/$name.c ||
			fail "$name.c does not compile"
	done
	"$tmp/fill" 0 4 again || fail "fill"
	"$tmp/churn" 1 8 64 || fail "churn"
	"$tmp/policy" 0 touch:2 free cpu:0 fork:1 || fail "policy"
	"$tmp/policy" 0 nonsense 2>"$tmp/err" && fail "policy takes nonsense"
	err "found 'nonsense', expected a step"
fi
end
