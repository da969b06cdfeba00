#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tools/capture on a kernel that is played by files: what it refuses, that it restores the tracer
# after every end, what it records, and that numasim takes the archive as it is.
. "$2/tests/golden/harness"
. tests/golden/fake_kernel
captures=tests/reference/captures
gzip -dc $captures/d_numa2x1g_4cpu.tar.gz | tar -xf - -C "$tmp"
good=$tmp/d_numa2x1g_4cpu
possible=0-1
for name in buddyinfo pagetypeinfo meminfo vmstat slabinfo; do
	printf 'what is in %s\n  with a \\ in it\n' $name >"$good/$name.txt"
done
for node in 0 1; do
	for name in cpumap meminfo numastat vmstat; do
		echo "$name of node $node" >"$good/node$node.$name.txt"
	done
done
# Of the first two zones, from zoneinfo.txt by hand.
tr ' ' '\t' >"$tmp/zones" <<'END'
node zone start_pfn spanned present managed free min low high boost pcp_high pcp_batch pcp_counts stat_threshold protection
0 DMA 1 4095 3998 3840 3776 129 161 193 0 80 1 0,0,0,0 6,6,6,6 (0,939,939,939,939)
0 DMA32 4096 258048 258048 242462 235293 8103 10128 12153 0 5064 63 357,394,1005,1485 24,24,24,24 (0,0,0,0,0)
END

# Whoever runs this, an id that is not root's: it is not asked for more.
mkdir "$tmp/bin"
printf '#!/bin/sh\necho 1000\n' >"$tmp/bin/id"
chmod +x "$tmp/bin/id"
ran="(tools/capture as another user)"
PATH=$tmp/bin:$PATH sh tools/capture -o "$tmp/c.tar.gz" -- true >"$tmp/out" 2>"$tmp/err"
found_status=$?
refused "needs root: others see neither tracefs nor /proc/iomem"

fresh
capture --help
status 0
silent err
out "usage: tools/capture"
capture
refused "expected '-- COMMAND' or --seconds N"
capture --seconds 0
refused "--seconds '0': expected a whole number from 1 on"
capture --seconds 1 -- true
refused "--seconds and a command exclude each other"
capture --buffer-kb=1x -- true
refused "--buffer-kb '1x': expected a whole number"
capture --without fault -- true
refused "--without 'fault': expected faults,"
capture --second 1
refused "unknown option '--second'"
capture true
refused "found 'true', expected an option, or -- before the command"
capture -o
refused "-o needs a value"
capture -- no-such-command
refused "no-such-command: no such command"
capture -o "$tmp/c.zip" -- true
refused "$tmp/c.zip: expected a name that ends in .tar.zst, .tar.gz or .tar"
capture -o "$tmp/none/c.tar.gz" -- true
refused "$tmp/none: expected a folder"
rm "$k/proc/pagetypeinfo"
capture -o "$tmp/c.tar.gz" -- true
refused "$k/proc/pagetypeinfo is missing"
fresh
rm -r "$t"
capture -o "$tmp/c.tar.gz" -- true
refused "no tracefs: expected $k/sys/kernel/tracing"
fresh
rm -r "$t/events/kmem/mm_page_free"
capture -o "$tmp/c.tar.gz" -- true
refused "the kernel has no event kmem:mm_page_free"
fresh
echo function >"$t/current_tracer"
capture -o "$tmp/c.tar.gz" -- true
refused "tracing is in use: current_tracer is 'function'"
fresh
echo sched:sched_switch >"$t/set_event"
capture -o "$tmp/c.tar.gz" -- true
refused "tracing is in use: set_event has 'sched:sched_switch'"
fresh
echo 'order > 3' >"$t/events/kmem/mm_page_alloc/filter"
capture -o "$tmp/c.tar.gz" -- true
refused "tracing is in use: expected 'none' as filter"

# What the kernel would have traced: mbind's line waits for its probe, others go on.
cat >"$tmp/canned" <<'END'
# tracer: nop
            wl-7     [000] .....     1.000001: mm_page_alloc: page=0 pfn=0x1000 order=0 migratetype=1 gfp_flags=GFP_KERNEL
        a b-c-12     [001] .....     1.000002: mm_page_free: page=0 pfn=0x1000 order=0
            wl-7     [000] .....     1.000003: sys_mbind(start: 7f0000001000, len: 200000, mode: 2, nmask: 7ff, maxnode: 41, flags: 2)
            wl-9     [001] .....     1.000004: mm_page_free: page=0 pfn=0x1001 order=0
            wl-7     [000] .....     1.000005: np_mbind: (__x64_sys_mbind+0x0/0x10) m0=0x8000000000000007
            wl-7     [000] .....     1.000006: sys_mbind -> 0x0
            wl-7     [000] .....     1.000007: sys_mbind(start: 1000, len: 1000, mode: 4, nmask: 0, maxnode: 0, flags: 0)
            wl-7     [000] .....     1.000008: np_mbind: (__x64_sys_mbind+0x0/0x10) m0=(fault)
END
cat >"$tmp/expected" <<'END'
# tracer: nop
            wl-7     [000] .....     1.000001: mm_page_alloc: page=0 pfn=0x1000 order=0 migratetype=1 gfp_flags=GFP_KERNEL
        a b-c-12     [001] .....     1.000002: mm_page_free: page=0 pfn=0x1000 order=0
            wl-7     [000] .....     1.000003: tracing_mark_write: numasim: mbind start=0x7f0000001000 len=2097152 mode=MPOL_BIND nodes=0-2,63 flags=2
            wl-7     [000] .....     1.000003: sys_mbind(start: 7f0000001000, len: 200000, mode: 2, nmask: 7ff, maxnode: 41, flags: 2)
            wl-9     [001] .....     1.000004: mm_page_free: page=0 pfn=0x1001 order=0
            wl-7     [000] .....     1.000006: sys_mbind -> 0x0
            wl-7     [000] .....     1.000007: tracing_mark_write: numasim: mbind start=0x1000 len=4096 mode=MPOL_LOCAL nodes= flags=0
            wl-7     [000] .....     1.000007: sys_mbind(start: 1000, len: 1000, mode: 4, nmask: 0, maxnode: 0, flags: 0)
END
# What the command sees: its own environment, and the tracer at work.
cat >"$tmp/command" <<END
[ "\$(cat $t/tracing_on $t/trace_clock $t/options/overwrite $t/events/kmem/mm_page_alloc/enable)" = \
	"\$(printf '1\nglobal\n0\n1')" ] || echo "tracing is not set"
[ "\$1\$title \$LC_ALL" = 'nowmine C.UTF-8' ] || [ "\$1" != now ] || echo "the environment is another: \$title \$LC_ALL"
cp $tmp/canned $t/trace
cp $tmp/zoneinfo.after $k/proc/zoneinfo
exit 3
END
sed 's/pages free     3776/pages free     3775/' "$good/zoneinfo.txt" >"$tmp/zoneinfo.after"

record()
{
	fresh
	rm -rf "$tmp/c.tar.gz" "$tmp/c"
	title=mine LC_ALL=C.UTF-8 capture -o "$tmp/c.tar.gz" --note 'a note' -- sh "$tmp/command" now
	status 0
	silent out
	err "the command ended with status 3"
	err "c.tar.gz: 8 events"
	restored
	(umask 022 && cd "$tmp" && tar -xzf c.tar.gz) || fail "the archive cannot be unpacked"
	gzip -dc "$tmp/c/trace.txt.gz" | diff "$tmp/expected" - || fail "the trace is another"
	cmp "$good/zoneinfo.txt" "$tmp/c/before/zoneinfo.txt" || fail "before/ is not from before"
	cmp "$tmp/zoneinfo.after" "$tmp/c/after/zoneinfo.txt" || fail "after/ is not from after"
	for name in buddyinfo pagetypeinfo vmstat meminfo slabinfo node1.numastat node0.vmstat; do
		cmp "$good/$name.txt" "$tmp/c/before/$name.txt" || fail "before/$name.txt differs"
		cmp "$good/$name.txt" "$tmp/c/after/$name.txt" || fail "after/$name.txt differs"
	done
	head -3 "$tmp/c/boot/zones.tsv" | cmp "$tmp/zones" - || fail "zones.tsv differs"
	[ "$(grep -c . "$tmp/c/swaps.txt")" = 1 ] || fail "swaps.txt is missing"
	for text in 'events in the trace text: 8 ' '2  mm_page_free$' '2  sys_enter_mbind$' \
		'1  sys_exit_mbind$' '2  tracing_mark_write$' \
		'not in this kernel:.*kmem/mm_page_free_batched' 'the command ended with status 3'; do
		grep -q "$text" "$tmp/c/summary.txt" || fail "summary.txt lacks '$text'"
	done
	grep -q '^note: a note$' "$tmp/c/trace_shape.txt" || fail "the note is missing"
	grep -q "^command: sh $tmp/command now$" "$tmp/c/trace_shape.txt" || fail "no command"
	grep -q '^min_free_kbytes = 67584$' "$tmp/c/boot/sysctl_vm.txt" || fail "no sysctl"
}

record
for other in dash 'busybox ash'; do
	if command -v "${other%% *}" >/dev/null; then
		shell=$other
		record
	fi
done
shell='sh'

# numasim takes it as it is: what it imports of the archive and of its folder is the same.
run import capture "$tmp/c.tar.gz" -o "$tmp/a.cfg"
status 0
run import capture "$tmp/c" -o "$tmp/b.cfg"
status 0
cmp "$tmp/a.cfg" "$tmp/b.cfg" || fail "the machine of the archive is another"
run diff "$tmp/c.tar.gz" "$tmp/a.cfg"
cp "$tmp/out" "$tmp/diff"
run diff "$tmp/c" "$tmp/a.cfg"
cmp "$tmp/out" "$tmp/diff" || fail "the archive differs otherwise"
run trace info "$tmp/c.tar.gz"
status 0
out "lines        9"

# What was lost is said; other suffixes; without a group.
fresh
printf 'entries: 5\noverrun: 2\ncommit overrun: 0\ndropped events: 40\n' >"$t/per_cpu/cpu1/stats"
capture -o "$tmp/l.tar" --without faults --without probes --buffer-kb 2048 -- sh "$tmp/command"
status 0
err "42 events were lost"
tar -xOf "$tmp/l.tar" l/summary.txt | grep -q 'lost, over all CPUs: 42' || fail "nothing lost"
[ ! -s "$t/kprobe_events" ] || fail "there are probes"

# A signal: restored, and nothing written.
fresh
rm -f "$tmp/c.tar.gz"
sh tools/capture --root "$k" -o "$tmp/c.tar.gz" -- sleep 60 2>"$tmp/err" &
pid=$!
i=0
while [ $i -lt 200 ] && [ "$(cat "$t/events/kmem/mm_page_alloc/enable")$(cat "$t/tracing_on")" != 11 ]; do
	i=$((i + 1))
	sleep 0.05
done
[ $i -lt 200 ] || fail "tracing never began"
kill -TERM $pid
wait $pid
found_status=$?
ran="(tools/capture and a signal)"
status 143
restored
[ ! -e "$tmp/c.tar.gz" ] || fail "an archive was written"
end
