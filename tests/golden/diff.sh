#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# numasim diff: what it prints where figures differ, what it needs of a capture, what it refuses.
. "$2/tests/golden/harness"
gzip -dc tests/reference/captures/b_uma2g_2cpu.tar.gz | tar -xf - -C "$tmp"
c=$tmp/b_uma2g_2cpu
cfg=$tmp/b.cfg
run import capture "$c" -o "$cfg"
status 0

run diff "$c" "$cfg"
status 0
silent err
out "83 of 83 figures equal"

# Written to the simulated kernel only, min_free_kbytes differs, and of 2 zones the 3 watermarks and
# how long the lists of 2 CPUs may grow: 1 + 2 * (3 + 2) = 11 figures.
run diff "$c" "$cfg" --sysctl min_free_kbytes=4096
status 1
silent err
out "figure                           captured  simulated"
out "min_free_kbytes                  45056     4096"
out "node 0, zone DMA32: low          13971     1515"
out "node 0, zone DMA32, cpu 0: high  6985      757"
out "72 of 83 figures equal"

run diff "$c" "$cfg" --sysctl min_free_kbytes=4096 --format json -o "$tmp/diff.json"
status 1
silent out
grep -q '"figure": "min_free_kbytes",' "$tmp/diff.json" || fail "no figure in JSON"
grep -q '"captured": 45056,' "$tmp/diff.json" || fail "no captured value in JSON"
grep -q '"equal": 72,' "$tmp/diff.json" || fail "no count in JSON"

# What only one side has is a difference.
sed 's/ids = \[ 0, 1 \]/ids = [ 0 ]/' "$cfg" >"$tmp/one.cfg"
run diff "$c" "$tmp/one.cfg"
status 1
out "node 0, zone DMA, cpu 1: high                  53        -"

# zoneinfo alone is enough: what is not there is said.
mkdir -p "$tmp/alone/boot"
cp "$c/zoneinfo.txt" "$tmp/alone/boot/zoneinfo"
run diff "$tmp/alone" "$cfg"
status 0
out "not compared: min_free_kbytes: sysctl_vm.txt is not in the capture"
out "not compared: fallback order: not in the captured dmesg.txt"
out "not compared: zonelists over all nodes"
out "not compared: layout of page->flags"
out "69 of 69 figures equal"

# refused TEXT: the capture in $tmp/bad is.
refused()
{
	run diff "$tmp/bad" "$cfg"
	status 2
	silent out
	err "numasim: $tmp/bad$1"
}

# put FILE: a capture with only zoneinfo, and that file from standard input.
put()
{
	rm -rf "$tmp/bad"
	mkdir "$tmp/bad"
	cp "$c/zoneinfo.txt" "$tmp/bad"
	cat >"$tmp/bad/$1"
}

put zoneinfo.txt </dev/null
refused "/zoneinfo.txt: the file is empty"
rm "$tmp/bad/zoneinfo.txt"
refused ": zoneinfo.txt is missing: expected it in this capture"
head -n 60 "$c/zoneinfo.txt" | put zoneinfo.txt
refused "/zoneinfo.txt:1: zone DMA of node 0 has no 'start_pfn': is the file cut?"
head -c 2000 "$c/zoneinfo.txt" | put zoneinfo.txt
refused "/zoneinfo.txt:"
err "the file is cut: its last line has no end"
echo "nothing" | put zoneinfo.txt
refused "/zoneinfo.txt:1: expected 'Node N, zone NAME', found 'nothing'"
sed 's/managed .*/managed  many/' "$c/zoneinfo.txt" | put zoneinfo.txt
refused "/zoneinfo.txt:"
err "expected a number, found '        managed  many'"
sed 's/protection: .*/protection: (1, 2/' "$c/zoneinfo.txt" | put zoneinfo.txt
refused "/zoneinfo.txt:"
err "expected 'protection: (N, ...)', found '"
echo "swappiness = 60" | put sysctl_vm.txt
refused "/sysctl_vm.txt:1: expected a line 'min_free_kbytes = N', found none"
echo "min_free_kbytes = few" | put sysctl_vm.txt
refused "/sysctl_vm.txt:1: expected a number of KiB, found ' few'"
echo "[    0.1] mminit::pageflags_layout_widths Section 0 Node x" | put dmesg.txt
refused "/dmesg.txt:1: expected Section, Node, Zone and Lastcpupid, each with bits, found '"
echo "[    0.1] Fallback order for Node one: 1" | put dmesg.txt
refused "/dmesg.txt:1: expected 'Fallback order for Node N: N ...', found 'Fallback"
end
