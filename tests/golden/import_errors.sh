#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Wrong captures: which file, which line, what was found and what expected; and nothing is written.
. "$2/tests/golden/harness"
captures=tests/reference/captures
gzip -dc $captures/d_numa2x1g_4cpu.tar.gz | tar -xf - -C "$tmp"
mv "$tmp/d_numa2x1g_4cpu" "$tmp/good"

# Begin anew with a good capture, in $tmp/c.
fresh()
{
	rm -rf "$tmp/c"
	cp -r "$tmp/good" "$tmp/c"
	c=$tmp/c
}

# put FILE LINE...: its content.
put()
{
	file=$c/$1
	shift
	printf '%s\n' "$@" >"$file"
}

# refused FILE:LINE TEXT: the import fails there. Begins anew.
refused()
{
	run import capture "$c" -o "$tmp/out.cfg"
	status 2
	silent out
	err "numasim: $c${1:+/$1}: $2"
	[ ! -e "$tmp/out.cfg" ] || fail "something was written"
	fresh
}

fresh
run import capture "$c" -o "$tmp/good.cfg"
status 0

# Missing.
rm "$c/node1.distance.txt"
refused "" "node1.distance.txt is missing: expected it in this capture"
rm "$c/node0.cpulist.txt"
refused "" "node0.cpulist.txt is missing"
rm "$c"/node*.txt
refused "" "node0.cpulist.txt is missing"
rm "$c/node1.cpulist.txt"
refused "" "node1.cpulist.txt is missing"
rm "$c"/uname.txt "$c"/shape.txt "$c"/dmesg.txt
refused "" "cannot tell the architecture: expected uname.txt"
rm "$c"/memblock_memory.tsv "$c"/iomem.txt "$c"/dmesg.txt
refused "" "iomem.txt is missing, and so are memblock_memory.tsv and the firmware's map"
run import capture "$tmp/none" -o "$tmp/out.cfg"
status 2
err "numasim: $tmp/none: cannot read the capture: No such file or directory"
run import capture "$c/iomem.txt" -o "$tmp/out.cfg"
status 2
err "numasim: $c/iomem.txt: found neither a folder nor a tar archive"

# Missing, but the rest makes a machine: a warning each.
rm "$c"/dmesg.txt "$c"/cmdline.txt
run import capture "$c"
status 0
err "dmesg.txt is missing: memory that the kernel gives back late"
err "cmdline.txt is missing"
fresh
grep -v Freeing "$tmp/good/dmesg.txt" >"$c/dmesg.txt"
run import capture "$c"
status 0
err "dmesg.txt: warning: has no line 'Freeing ... memory: NK'"
sed 's/decrypted memory: 2036K/decrypted memory: 99999K/' "$tmp/good/dmesg.txt" >"$c/dmesg.txt"
run import capture "$c"
status 0
err "cannot tell where these 99999 KiB of 'unused decrypted' were"
fresh

# Cut, empty, no text at all.
head -c 300 "$tmp/good/memblock_reserved.tsv" >"$c/memblock_reserved.tsv"
refused memblock_reserved.tsv:5 "the file is cut: its last line has no end"
head -n 3 "$tmp/good/memblock_memory.tsv" >"$c/memblock_memory.tsv"
refused iomem.txt:8 "System RAM from 0x40000000 on is not in $c/memblock_memory.tsv: is that cut?"
head -n 1 "$tmp/good/memblock_memory.tsv" >"$c/memblock_memory.tsv"
refused memblock_memory.tsv:1 "the table has no rows"
: >"$c/iomem.txt"
refused iomem.txt "the file is empty"
sed 's/^\( *\)[0-9a-f]*-[0-9a-f]*/\100000000-00000000/' "$tmp/good/iomem.txt" >"$c/iomem.txt"
refused iomem.txt:1 "every address is 0: the kernel shows addresses only to root"
cp $captures/a_uma512m_1cpu.tar.gz "$c/iomem.txt"
echo >>"$c/iomem.txt"
refused iomem.txt:1 "expected 'START-END : NAME' in hexadecimal, found '"
printf '0-fff : \0\n' >"$c/iomem.txt"
refused iomem.txt:1 "expected a line 'START-END : System RAM', found none"
rm "$c/iomem.txt"
mkdir "$c/iomem.txt"
refused iomem.txt "cannot read the file: it is a folder"

# Numbers and rows that cannot be read.
put memblock_memory.tsv 'start	end	bytes	node' '0x1000	0x9f000	647168	zero'
refused memblock_memory.tsv:2 "expected a node from 0 to 1023, found 'zero'"
put memblock_memory.tsv 'start	end	bytes	node' '0x1000	0x9f000	4096	0'
refused memblock_memory.tsv:2 "the columns disagree: from 0x1000 to 0x9f000 are not 4096 bytes"
put memblock_memory.tsv 'start	end	bytes	node' '0x1000 0x9f000 647168 0'
refused memblock_memory.tsv:2 "expected columns start, end (hexadecimal) and bytes, found '0x1000"
put memblock_memory.tsv 'start	end	bytes' '0x1000	0x9f000	647168'
refused memblock_memory.tsv:1 "expected the columns 'start"
put memblock_memory.tsv 'start	end	bytes	node' '0x1000	0x9f800	649216	0'
refused memblock_memory.tsv:2 "the range is not whole pages of 4096 bytes"
put iomem.txt '1000-9fbff System RAM'
refused iomem.txt:1 "expected 'START-END : NAME' in hexadecimal, found '1000-9fbff System RAM'"
put iomem.txt '9fbff-1000 : System RAM'
refused iomem.txt:1 "the range ends before it starts, or beyond 64 bits"
put iomem.txt '0-1ffffffffffffffff : System RAM'
refused iomem.txt:1 "expected 'START-END : NAME' in hexadecimal"
put node0.cpulist.txt '0-1x'
refused node0.cpulist.txt:1 "expected a list of CPUs from 0 to 8191 like 0-3,8, found '0-1x'"
put node0.cpulist.txt '1-0'
refused node0.cpulist.txt:1 "expected a list of CPUs"
put node0.distance.txt '10 2O'
refused node0.distance.txt:1 "expected distances from 10 to 255, found '10 2O'"
put cpuinfo.txt 'processor	: x'
refused cpuinfo.txt:1 "expected a CPU from 0 to 8191, found 'x'"
put cpuinfo.txt 'vendor_id	: x'
refused cpuinfo.txt:1 "expected a line 'processor : N' a CPU, found none"
put cpuinfo.txt 'processor	: 0' 'cpu MHz		: fast'
refused cpuinfo.txt:2 "expected a number of MHz, found 'fast'"
put dmesg.txt '[    0.000000] BIOS-e820: [mem 0x0000-0x09fb] usable' '[    0.0] BIOS-e820: usable'
refused dmesg.txt:2 "expected '[mem 0xSTART-0xEND] TYPE', found 'BIOS-e820: usable'"
put dmesg.txt '[    0.000000] ACPI: SRAT: Node 0 PXM 0 somewhere'
refused dmesg.txt:1 "expected a node from 0 to 1023 and '[mem 0xSTART-0xEND]'"
put dmesg.txt '[    0.000000] Freeing initrd memory: much'
refused dmesg.txt:1 "expected a size in K, found 'Freeing initrd memory: much'"

# Contradictions.
put memblock_memory.tsv 'start	end	bytes	node' '0x1000	0x5000	16384	0' '0x4000	0x8000	16384	1'
refused memblock_memory.tsv:3 "[0x4000-0x8000) of node 1 overlaps [0x1000-0x5000) of node 0"
put memblock_memory.tsv 'start	end	bytes	node' '0x80000000	0x80001000	4096	0'
refused memblock_memory.tsv:2 "[0x80000000-0x80001000) is not System RAM in $c/iomem.txt"
put node1.cpulist.txt '1-3'
refused node1.cpulist.txt:1 "CPU 1 is on node 0 already"
put node1.cpulist.txt '3'
refused "" "CPU 2 is in no node's cpulist: expected CPUs 0 to 3"
put node1.cpulist.txt '2-4'
refused cpuinfo.txt:16 "has 4 CPUs, but the nodes' cpulists have 5"
put node1.distance.txt '20 10 20'
refused node1.distance.txt:1 "expected 2 distances, one a node, found 3"
put node1.distance.txt '20 11'
refused node1.distance.txt:1 "expected 10 from node 1 to itself, found 11"
put node1.distance.txt '20 10' '10 20'
refused node1.distance.txt:2 "expected one line, found another: '10 20'"
put dmesg.txt 'ACPI: SRAT: Node 0 PXM 0 [mem 0x0-0xfff]' 'ACPI: SRAT: Node 1 PXM 1 [mem 0x800-0x1fff]'
refused dmesg.txt:2 "[0x800-0x2000) of node 1 overlaps [0x0-0x1000) of node 0"
head -n 5 "$tmp/good/memblock_reserved.tsv" >"$c/memblock_reserved.tsv"
refused memblock_reserved.tsv:5 "1024 KiB are reserved in all, less than the 32759 KiB of the memmap of 2047 MiB of memory: is the file cut?"
printf '0x8000000000\t0x8000001000\t4096\tsomebody\n' >>"$c/memblock_reserved.tsv"
rows=$(wc -l <"$c/memblock_reserved.tsv")
refused "memblock_reserved.tsv:$rows" "[0x8000000000-0x8000001000) is no memory, and nothing else in iomem.txt"
printf '0x1000000\t0x1001000\t4096\tsomebody\n' >>"$c/memblock_reserved.tsv"
refused "memblock_reserved.tsv:$rows" "[0x1000000-0x1001000) overlaps [0x1000000-0x4411000) of line 6"
sed 's/^  01000000-01e01d31/  81000000-81e01d31/' "$tmp/good/iomem.txt" >"$c/iomem.txt"
refused iomem.txt:9 "the range is not within that of line 8, of which it is a part: '  81000000"
map='BIOS-e820: [mem 0x0000000000100000-0x000000007ffdcfff]'
sed "s/BIOS-e820: .mem 0x0000000000100000-/BIOS-e820: [mem 0x0000000000001000-/" "$tmp/good/dmesg.txt" >"$c/dmesg.txt"
line=$(grep -nF "$map" "$tmp/good/dmesg.txt" | cut -d: -f1)
refused "dmesg.txt:$line" "[0x1000-0x7ffdd000) overlaps [0x0-0x9fc00) of line"
# One node's memory in SRAT, and nobody to say where the rest of System RAM is.
rm "$c"/memblock_*.tsv
grep -v 'SRAT: Node 1' "$tmp/good/dmesg.txt" >"$c/dmesg.txt"
refused iomem.txt:8 "1048436 KiB of [0x100000-0x7ffdd000) are on no node by the SRAT lines of $c/dmesg.txt: are some missing?"
# The kernel itself can say that it makes nothing of them.
rm "$c"/memblock_*.tsv "$c"/node1.*
echo '0-3' >"$c/node0.cpulist.txt"
echo '10' >"$c/node0.distance.txt"
echo '[    0.0] Faking a node at [mem 0x0000000000000000-0x000000007ffdcfff]' >>"$c/dmesg.txt"
run import capture "$c" -o "$tmp/out.cfg"
status 0
grep -q 'base = "0x100000";.*size = "2095988KiB"' "$tmp/out.cfg" || fail "memory is missing"
rm "$tmp/out.cfg"
fresh
# Cut between two messages: what is freed later is not known.
sed '/Freeing initrd/,$d' "$tmp/good/dmesg.txt" >"$c/dmesg.txt"
run import capture "$c"
status 0
err "dmesg.txt:$(wc -l <"$c/dmesg.txt"): warning: ends before a line 'Freeing unused kernel ... memory: NK': is it cut?"
fresh

# What stands there stays where the import fails.
echo mine >"$tmp/out.cfg"
rm "$c/node1.distance.txt"
run import capture "$c" -o "$tmp/out.cfg"
status 2
[ "$(cat "$tmp/out.cfg")" = mine ] || fail "the file is not as it was"
end
