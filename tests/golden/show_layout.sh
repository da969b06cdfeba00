#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The views against the files of real kernels, line by line and column by column, whatever the figures:
# a program that reads the kernel's file reads ours. Where figures say what the machine is, they are
# compared too.
. "$2/tests/golden/harness"
captures=tests/reference/captures files=tests/reference/files

# Each line twice: with its numbers masked where they begin (a figure left-aligned), and, behind a
# form feed, by the width up to where they end (right-aligned).
mask()
{
	awk '{
		left = right = ""; rest = $0
		while (match(rest, /(^|[ (=\t])[ \t]*[0-9]+/)) {
			found = substr(rest, RSTART, RLENGTH); before = substr(rest, 1, RSTART - 1)
			after = substr(rest, RSTART + RLENGTH); gap = found
			sub(/[0-9]+$/, "", gap)
			if (after !~ /^([ ,):\t]|$)/) { gap = found; found = "" }
			left = left before gap (found == "" ? "" : "#")
			right = right before (found == "" ? gap : "#" length(found))
			rest = after
		}
		print left rest "\f" right rest
	}' "$1"
}

# same_layout NAME KERNEL: $tmp/out is a file like the kernel's.
same_layout()
{
	mask "$2" >"$tmp/kernel.masked"
	mask "$tmp/out" >"$tmp/ours.masked"
	paste -d '\f' "$tmp/kernel.masked" "$tmp/ours.masked" |
		awk -F '\f' '$1 != $3 && $2 != $4 { print NR ": " $1 " | " $3; bad = 1 } END { exit bad }' \
			>"$tmp/differs" || fail "$1: $(head -n 5 "$tmp/differs")"
	[ -s "$tmp/out" ] || fail "$1 is empty"
}

run show --help
# The mask itself: it must see a column that moves and a name that changes.
printf 'a:     12 kB\nb 7\nDMA32  5 \n' >"$tmp/kernel"
for other in 'a:      12 kB\nb 7\nDMA32  5 \n' 'a:     12 kB\nc 7\nDMA32  5 \n' 'a:     12 kB\nb 7\nDMA32  5\n' \
	'a:     12 kB\nb 7\n' 'a:     12 kB\nb 7\nDMA33  5 \n'; do
	# shellcheck disable=SC2059 # the format is the text
	printf "$other" >"$tmp/out"
	before=$failures
	same_layout mask "$tmp/kernel" >/dev/null
	[ "$failures" -gt "$before" ] || {
		echo "the mask does not see: $other"
		exit 1
	}
	failures=$before
done
printf 'a:    123 kB\nb 123456\nDMA32 15 \n' >"$tmp/out"
same_layout mask "$tmp/kernel"

for archive in "$files"/*.tar.gz; do
	name=$(basename "$archive" .tar.gz)
	gzip -dc "$captures/$name.tar.gz" | tar -xf - -C "$tmp"
	gzip -dc "$archive" | tar -xf - -C "$tmp"
	c=$tmp/$name
	run import capture "$c" -o "$tmp/$name.cfg"
	status 0
	# The emulated CPUs have five levels of page tables, which no file of the capture says.
	if grep -q 'architecture = "x86_64"' "$tmp/$name.cfg"; then
		sed -i 's/^kernel = {/kernel = { la57 = true;/' "$tmp/$name.cfg"
	fi
	run show "$tmp/$name.cfg" meminfo
	out "$(grep VmallocTotal "$c/meminfo.txt")"
	for view in zoneinfo buddyinfo pagetypeinfo meminfo vmstat sysctl; do
		kernel=$c/$view.txt
		[ $view != sysctl ] || kernel=$c/sysctl_vm.txt
		run show "$tmp/$name.cfg" $view
		status 0
		silent err
		same_layout "$name $view" "$kernel"
	done
	# The same files once work has run: figures are longer, columns and lines are the kernel's.
	printf 'machine = "%s";\nworkload = { kind = "churn"; operations = 2000; live = 500; };\n' "$tmp/$name.cfg" \
		>"$tmp/churn.cfg"
	for view in zoneinfo buddyinfo pagetypeinfo meminfo vmstat; do
		run run "$tmp/churn.cfg" --show $view
		status 0
		sed "1,/^==> $view <==\$/d" "$tmp/out" >"$tmp/after" && mv "$tmp/after" "$tmp/out"
		same_layout "$name $view after work" "$c/$view.txt"
	done
	for kernel in "$c"/node[0-9]*.numastat.txt "$c"/node[0-9]*.meminfo.txt "$c"/node[0-9]*.vmstat.txt; do
		[ -e "$kernel" ] || continue
		view=${kernel%.txt}
		nid=$(basename "${view%.*}")
		run show "$tmp/$name.cfg" "${view##*.}" --node "${nid#node}"
		status 0
		silent err
		same_layout "$name node${nid#node} ${view##*.}" "$kernel"
	done

	# iomem: the same memory above the first MiB and the same pieces of the image, in whole pages.
	sed -n '/^00100000/,$p' "$c/iomem.txt" | grep -E 'System RAM|Kernel|Crash' |
		sed 's/^\( *[0-9a-f]*-[0-9a-f]*\)[0-9a-f]\{3\} /\1fff /' >"$tmp/kernel"
	run show "$tmp/$name.cfg" iomem
	status 0
	sed -n '/^00100000/,$p' "$tmp/out" | cmp - "$tmp/kernel" || fail "$name: not the kernel's iomem"
	out "00001000-0009efff : System RAM"

	# Boot messages: the very lines.
	for view in zonelists:'Fallback order|mminit::zonelist|Built ' pageflags:mminit::pageflags; do
		sed 's/^\[[^]]*\] //' "$c/dmesg.txt" | grep -E "^(${view#*:})" >"$tmp/kernel"
		run show "$tmp/$name.cfg" "${view%%:*}"
		status 0
		cmp "$tmp/out" "$tmp/kernel" || fail "$name: not the kernel's ${view%%:*}"
	done
done

# memblock=debug: the last dump of that kernel before it handed over has these lines of memory.
cat >"$tmp/kernel" <<END
 memory.cnt  = 0x3
 memory[0x0]	[0x0000000000001000-0x000000000009efff], 0x000000000009e000 bytes on node 0 flags: 0x0
 memory[0x1]	[0x0000000000100000-0x000000007fffffff], 0x000000007ff00000 bytes on node 0 flags: 0x0
 memory[0x2]	[0x0000000080000000-0x00000000bffdcfff], 0x000000003ffdd000 bytes on node 2 flags: 0x0
END
machine=$tmp/g_numa_cpuless_and_memless.cfg
run show "$machine" memblock
sed -n '/^ memory\.cnt/,/^ reserved\.cnt/{/^ reserved/!p}' "$tmp/out" | cmp - "$tmp/kernel" ||
	fail "not the kernel's memory"
sed -n '1p' "$tmp/out" | grep -qx 'MEMBLOCK configuration:' || fail "no head"
sed -n '2p' "$tmp/out" | grep -qx ' memory size = 0x[0-9a-f]\{16\} reserved size = 0x[0-9a-f]\{16\}' ||
	fail "no sizes"
! sed '1,/^ reserved\.cnt  = 0x[0-9a-f]*$/d' "$tmp/out" |
	grep -vqE '^ reserved\[0x[0-9a-f]+\]	\[0x[0-9a-f]{16}-0x[0-9a-f]{16}\], 0x[0-9a-f]{16} bytes( on node [0-9]+)? flags: 0x0$' ||
	fail "not the kernel's reservations"

# What may be dirty, by hand: free pages less what user space cannot have (each zone's high watermark and
# its largest protection, at most all of it), one more; 20 % of it in parts of a page, 819 of 4096, and
# 10 %, 409. HighMem above its high watermark does not count.
for name in g_numa_cpuless_and_memless q_i386_686pae_4g; do
	run show "$tmp/$name.cfg" zoneinfo
	expected=$(awk '
		$1 == "Node" { zone = $4 }
		$1 == "pages" { free = $3 } $1 == "high" { high = $2 } $1 == "managed" { managed = $2 }
		$1 == "protection:" {
			gsub(/[(),]/, "")
			most = 0
			for (i = 2; i <= NF; i++) if ($i > most) most = $i
			reserve += high + most < managed ? high + most : managed
			sum += free
			if (zone == "HighMem" && free > high) highmem += free - high
		}
		END { d = sum - reserve - highmem + 1; print int(819 * d / 4096), int(409 * d / 4096) }' "$tmp/out")
	run show "$tmp/$name.cfg" vmstat
	out "nr_dirty_threshold ${expected% *}"
	out "nr_dirty_background_threshold ${expected#* }"
done

# A node's file says what the node has: what zoneinfo says of node 2, and half of all is not it.
run show "$machine" zoneinfo
managed=$(awk '/^Node/ { n = $2 } n == "2," && $1 == "managed" { sum += $2 } END { print sum * 4 }' "$tmp/out")
run show "$machine" meminfo --node 2
out "Node 2 MemTotal:        $managed kB"
run show "$machine" meminfo --node 1
out "Node 1 MemTotal:              0 kB"
run show "$machine" meminfo --node 2 --format json
is MemTotal "$managed"
# All nodes' files, one after the other.
run show "$machine" numastat
[ "$(grep -cx 'numa_hit 0' "$tmp/out")" -eq 3 ] || fail "not three nodes' files"
[ "$(wc -l <"$tmp/out")" -eq 18 ] || fail "not six counters of three nodes"

run show "$machine" numastat --node 3
status 2
silent out
err "show: --node: expected a node from 0 to 2, found '3'"
run show "$machine" zoneinfo --node 0
status 2
silent out
err "--node: 'zoneinfo' has no file of one node; those that have are:"
err "  numastat "
run show "$machine" numastat --node x
status 2
end
