#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# numasim import capture: from captures of real machines to machine files on which the mm core makes
# every figure that the real kernel made, none of which was read.
. "$2/tests/golden/harness"
captures=tests/reference/captures

# unpack NAME: into $tmp/NAME.
unpack()
{
	gzip -dc "$captures/$1.tar.gz" | tar -xf - -C "$tmp"
}

# import NAME: from $tmp/NAME to $tmp/NAME.cfg, which is well-formed.
import()
{
	rm -f "$tmp/$1.cfg"
	run import capture "$tmp/$1" -o "$tmp/$1.cfg"
	status 0
	silent out
	run check "$tmp/$1.cfg"
	status 0
	silent err
}

# equal ARGUMENT...: numasim diff finds no difference.
equal()
{
	run diff "$@"
	status 0
	silent err
	figures=$(sed -n '$s/^\([0-9]*\) of \([0-9]*\) figures equal$/\1 \2/p' "$tmp/out")
	[ "${figures% *}" = "${figures#* }" ] || fail "not all figures are equal"
}

for archive in "$captures"/*.tar.gz; do
	name=$(basename "$archive" .tar.gz)
	unpack "$name"
	import "$name"
	[ "$name" = x_numa7_offline ] || [ ! -e "$tmp/$name/memblock_reserved.tsv" ] ||
		equal "$tmp/$name" "$tmp/$name.cfg"
done

# Booted with memory to be plugged in; of this one memblock's list was not captured.
equal "$tmp/i_hotplug_uma1g" "$tmp/i_hotplug_uma1g.cfg"

# After each sysctl, on the machine of the same shape. To capture the state before the first step,
# lowmem_reserve_ratio was read, and reading it has the kernel compute.
set -- --sysctl lowmem_reserve_ratio
for step in "$tmp"/s1_uma6g_sysctls/[0-9]*; do
	key=$(basename "$step")
	key=${key#*_}
	set -- "$@" --sysctl "${key%%=*}=$(echo "${key#*=}" | tr _ ' ')"
	equal "$step" "$tmp/c_uma6g_4cpu.cfg" "$@"
done
[ $# -gt 50 ] || fail "there are steps of sysctls: $#"

# i386 with PAE and without: huge pages of 2 and 4 MiB, and page blocks as large. The name of the
# kernel tells, or what it says of the no-execute bit.
block_order()
{
	run show "$tmp/$1.cfg" pagetypeinfo
	out "Page block order: $2"
	grep '^Page' "$tmp/out" >"$tmp/blocks"
}
block_order n_i386_686_512m 10
out "Pages per block:  1024"
block_order x_i386_686_2g 10
block_order p_i386_686pae_2g 9
cp -r "$tmp/x_i386_686_2g" "$tmp/renamed"
sed -i 's/6\.1\.0-[0-9]*-686/6.1.7-mine/' "$tmp/renamed"/uname.txt "$tmp/renamed"/dmesg.txt
import renamed
grep -q 'architecture = "i386-nopae"' "$tmp/renamed.cfg" || fail "the kernel said non-PAE"
sed -i '/NX (Execute Disable)/d' "$tmp/renamed/dmesg.txt"
import renamed
grep -q 'architecture = "i386"' "$tmp/renamed.cfg" || fail "by default i386 has PAE"

# What the kernel made of the machine is not read, on any of them: the same bytes come of the folder without
# it, and of one where all of it is nonsense.
nr=0
for archive in "$captures"/*.tar.gz; do
	name=$(basename "$archive" .tar.gz)
	c=$tmp/$name
	mv "$tmp/$name.cfg" "$tmp/expected.cfg"
	rm -rf "$c/zoneinfo.txt" "$c/sysctl_vm.txt" "$c/hugepages.txt" "$c"/*pools.txt "$c"/[0-9][0-9]_*
	# Of the boot messages: the firmware's tables, the CPU's registers, the initrd, the command line, what is
	# freed late.
	grep -E '(Linux version|BIOS-e820:|user: |user-defined|SRAT:|Faking|RAMDISK:|Freeing |x86/fpu: Enabled ) ?' \
		"$c/dmesg.txt" >"$tmp/reduced"
	mv "$tmp/reduced" "$c/dmesg.txt"
	left=$(cd "$c" && find . -type f | grep -vE '/(iomem|cpuinfo|cmdline|shape|uname|dmesg|node[0-9]+\.(cpulist|distance))\.txt$|/memblock_(memory|reserved)\.tsv$')
	[ -z "$left" ] || fail "there is still $left"
	! grep -qE 'zonelist|Fallback|pageflags|Zone ranges|Memory:' "$c/dmesg.txt" || fail "dmesg still tells"
	import "$name"
	cmp "$tmp/expected.cfg" "$tmp/$name.cfg" || fail "$name: what the kernel made was read"
	for file in zoneinfo buddyinfo pagetypeinfo meminfo vmstat sysctl_vm slabinfo kpageflags_runs managed_account \
		node0.meminfo node0.vmstat node0.numastat memory_blocks node_masks; do
		printf 'nonsense \1 %s' "$file" >"$c/$file.txt"
	done
	printf 'nonsense' >"$c/zones.tsv"
	import "$name"
	cmp "$tmp/expected.cfg" "$tmp/$name.cfg" || fail "$name: nonsense was read"
	nr=$((nr + 1))
done
[ $nr -ge 29 ] || fail "$nr captured machines"

# As from a folder that has it in boot/, and names without .txt.
name=g_numa_cpuless_and_memless
mkdir "$tmp/boot"
mv "$tmp/$name"/* "$tmp/boot"
mv "$tmp/boot" "$tmp/$name"
mv "$tmp/$name.cfg" "$tmp/expected.cfg"
for file in iomem dmesg node0.cpulist cpuinfo; do
	mv "$tmp/$name/boot/$file.txt" "$tmp/$name/boot/$file"
done
import $name
cmp "$tmp/expected.cfg" "$tmp/$name.cfg" || fail "differs with other file names"

# A machine whose memblock nobody could ask: the image is in iomem, memory is cut by SRAT.
memory()
{
	sed -n '/^nodes/,/^);/p' "$1"
}
name=f_numa4_uneven_ring
unpack $name
rm "$tmp/$name"/memblock_*.tsv
sed -i '/Kernel bss/a\
  30000000-37ffffff : Crash kernel\
  38000000-380fffff : Reserved' "$tmp/$name/iomem.txt"
mv "$tmp/$name.cfg" "$tmp/expected.cfg"
import $name
memory "$tmp/$name.cfg" >"$tmp/found"
memory "$tmp/expected.cfg" | cmp - "$tmp/found" || fail "memory differs from memblock's"
grep -q 'reservations = "partial"' "$tmp/$name.cfg" || fail "reservations are not partial"
for what in "kernel code" "kernel bss" initrd "unused decrypted" "crash kernel" firmware; do
	grep -q "what = \"$what\"" "$tmp/$name.cfg" || fail "no '$what'"
done
rm "$tmp/$name/slabinfo.txt"
run diff "$tmp/$name" "$tmp/$name.cfg"
status 1
out "figures equal"

# Not even iomem: the firmware's map.
rm "$tmp/$name/iomem.txt"
import $name
memory "$tmp/$name.cfg" >"$tmp/found"
memory "$tmp/expected.cfg" | cmp - "$tmp/found" || fail "memory differs from memblock's"
grep -q 'source = "Memory (dmesg.txt)' "$tmp/$name.cfg" || fail "the source is not told"

# Options of the kernel, and the frequency that cpuinfo has.
name=d_numa2x1g_4cpu
echo 'kernelcore=512M movablecore=25% transparent_hugepage=never quiet' >"$tmp/$name/cmdline.txt"
awk '/^processor/ { print } /^model/ { print "cpu MHz\t\t: 2600.125" }' "$tmp/$name/cpuinfo.txt" \
	>"$tmp/cpuinfo"
mv "$tmp/cpuinfo" "$tmp/$name/cpuinfo.txt"
import $name
for line in 'kernelcore = "512MiB"' 'transparent_hugepage = "never"' 'frequency = "2.600125GHz"'; do
	grep -qF "$line" "$tmp/$name.cfg" || fail "the file does not have: $line"
done

# What can be unplugged, by SRAT, and what is mirrored, by the EFI map; ranges are cut there.
echo 'kernelcore=mirror movable_node page_owner=on page_table_check=off' >"$tmp/$name/cmdline.txt"
sed '/SRAT: Node 1 /s/$/ hotplug/' "$tmp/$name/dmesg.txt" >"$tmp/dmesg"
echo '[    0.0] efi: mem07: [Conventional Memory|   |  |MR|  |  |  |   |WB|  |  |UC] range=[0x10000000-0x1fffffff] (256MB)' |
	cat - "$tmp/dmesg" >"$tmp/$name/dmesg.txt"
import $name
for line in 'page_owner = true' 'movable_node = true' 'kernelcore = "mirror"' 'size = "256MiB";     mirrored = true;' \
	'hotpluggable = true;' 'holds = "allocated"'; do
	grep -qF "$line" "$tmp/$name.cfg" || fail "the file does not have: $line"
done

# Found with tools/oracle: mem= leaves a node without memory that has no CPUs either. It is offline,
# and in no file but SRAT; the kernel has a descriptor for it all the same.
name=x_numa7_offline
rm -r "${tmp:?}/$name"
unpack $name
run import capture "$tmp/$name" -o "$tmp/$name.cfg"
run diff "$tmp/$name" "$tmp/$name.cfg"
status 1
out "429 of 430 figures equal"
out "fallback order for node 6"
run import capture "$tmp/$name" -o "$tmp/$name.cfg"
err "node 6 is in SRAT only: its distances are taken to be 20"
run show "$tmp/$name.cfg" zoneinfo
! grep -q '^Node 6' "$tmp/out" || fail "zoneinfo has a node that is offline"
# Not without the node's file where the others have its distance.
rm "$tmp/$name/node5.cpulist.txt"
run import capture "$tmp/$name"
status 2
err "node5.cpulist.txt"

run import captrue "$tmp/$name"
status 2
silent out
err "unknown kind 'captrue', did you mean 'capture'?"
run import --help
out "a folder with"
end
