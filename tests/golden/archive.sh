#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Captures in archives: however they were packed they are the folder; damaged, hostile or strange
# ones are an error with the archive's name, and nothing is written.
. "$2/tests/golden/harness"
name=d_numa2x1g_4cpu
gzip -dc tests/reference/captures/$name.tar.gz | tar -xf - -C "$tmp"
run import capture "$tmp/$name" -o "$tmp/good.cfg"
status 0

# same ARCHIVE: imports as the folder.
same()
{
	run import capture "$1" -o "$tmp/out.cfg"
	status 0
	cmp "$tmp/good.cfg" "$tmp/out.cfg" || fail "another machine"
	run diff "$1" "$tmp/out.cfg"
	grep -q 'figures equal' "$tmp/out" || fail "diff does not compare"
	rm -f "$tmp/out.cfg"
}

# refused ARCHIVE TEXT
refused()
{
	run import capture "$1" -o "$tmp/out.cfg"
	status 2
	silent out
	err "numasim: $1"
	err "$2"
	[ ! -e "$tmp/out.cfg" ] || fail "something was written"
	rm -f "$tmp/out.cfg"
}

same tests/reference/captures/$name.tar.gz
cd "$tmp" || exit 1
tar -cf $name.tar $name
same $name.tar
zstd -q $name.tar -o $name.tar.zst
same $name.tar.zst
(cd $name && tar -cf ../$name.tar.2 .)
same $name.tar.2
mkdir -p late/boot
cp $name/* late/boot
(cd late && tar --format=pax -czf ../$name.tgz boot)
same $name.tgz
tar --format=v7 -cf $name.tar.v7 $name
same $name.tar.v7

# A trace in it is found as in the folder, whatever stands before and behind it.
cat <<'END' | gzip >late/trace.txt.gz
  a-1 [000] .....  1.0: mm_page_alloc: page=0 pfn=0x1 order=0 migratetype=0 gfp_flags=GFP_KERNEL
  a-1 [000] .....  2.0: mm_page_free: page=0 pfn=0x1 order=0
END
tar -czf late.tar.gz late
run trace info late.tar.gz
status 0
grep -v '^trace ' out >archive.info
run trace info late
status 0
grep -v '^trace ' out | cmp - archive.info || fail "the trace of the archive is another"
run trace info $name.tar
status 2
err "$name.tar: the capture has no trace: expected trace.txt,"

# Cut: at many lengths, packed and not.
for packed in $name.tar $name.tar.zst; do
	size=$(wc -c <"$packed")
	for part in 1 2 3 5 7 11 13 15; do # behind that are zeroes
		head -c $((size * part / 20)) "$packed" >cut.tar
		refused cut.tar "cut"
	done
done
head -c 100 $name.tar >cut.tar
refused cut.tar "found neither a folder nor a tar archive"
: >cut.tar
refused cut.tar "found neither a folder nor a tar archive"

# Damaged and hostile.
{
	head -c 1024 $name.tar
	head -c 4096 /dev/urandom
} >bad.tar
refused bad.tar "bad.tar"
mkdir evil
echo x >evil/iomem.txt
tar -Pcf evil.tar evil/../evil/iomem.txt
refused evil.tar "its file 'evil/../evil/iomem.txt' leads out of the archive"
tar -Pcf evil.tar "$tmp/evil/iomem.txt"
refused evil.tar "leads out of the archive"
ln -s /etc/passwd evil/cmdline.txt
tar -cf evil.tar evil
refused evil.tar "its 'evil/cmdline.txt' is a link: expected plain files and folders"
rm evil/cmdline.txt
mkfifo evil/dmesg.txt
tar -cf evil.tar evil
refused evil.tar "its 'evil/dmesg.txt' is a file of a special kind"
rm evil/dmesg.txt
tar -cf evil.tar evil
tar -rf evil.tar evil
refused evil.tar "the archive has its file 'iomem.txt' twice"
cp -r $name/. evil/
head -c 70000000 /dev/zero >evil/dmesg.txt
tar -czf evil.tar.gz evil
refused evil.tar.gz "evil.tar.gz/dmesg.txt: the file has more than 64 MiB"
for i in 1 2 3 4 5; do
	head -c 60000000 /dev/zero >evil/$i.txt
done
tar -czf evil.tar.gz evil
refused evil.tar.gz "the archive has more than 256 MiB of files besides the trace"
end
