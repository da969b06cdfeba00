#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tools/capture on a kernel that is played by files: what it refuses, that it restores the tracer
# after every end, what it records, and that numasim takes the archive as it is.
. "$2/tests/golden/harness"
captures=tests/reference/captures
gzip -dc $captures/d_numa2x1g_4cpu.tar.gz | tar -xf - -C "$tmp"
good=$tmp/d_numa2x1g_4cpu
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

# A kernel with its files, in $tmp/k.
fresh()
{
	rm -rf "$tmp/k" "$tmp/save"
	k=$tmp/k
	t=$k/sys/kernel/tracing
	mkdir -p "$k/proc/sys/vm" "$k/proc/sys/kernel" "$t/options" "$t/per_cpu/cpu0" \
		"$t/per_cpu/cpu1"
	for name in zoneinfo buddyinfo pagetypeinfo meminfo vmstat iomem cmdline slabinfo cpuinfo; do
		cp "$good/$name.txt" "$k/proc/$name"
	done
	cp "$good/dmesg.txt" "$k/dmesg"
	echo 'Filename Type Size Used Priority' >"$k/proc/swaps"
	echo '10.00 20.00' >"$k/proc/uptime"
	echo 6.1.0-56-amd64 >"$k/proc/sys/kernel/osrelease"
	echo '#1 SMP' >"$k/proc/sys/kernel/version"
	echo 67584 >"$k/proc/sys/vm/min_free_kbytes"
	for node in 0 1; do
		mkdir -p "$k/sys/devices/system/node/node$node"
		for name in cpulist cpumap distance meminfo numastat vmstat; do
			cp "$good/node$node.$name.txt" "$k/sys/devices/system/node/node$node/$name"
		done
	done
	echo 0-1 >"$k/sys/devices/system/node/possible"
	echo 1 >"$t/tracing_on"
	echo nop >"$t/current_tracer"
	echo '[local] global mono' >"$t/trace_clock"
	echo '7 (expanded: 1408)' >"$t/buffer_size_kb"
	echo 128 >"$t/saved_cmdlines_size"
	: >"$t/kprobe_events"
	: >"$t/set_event"
	: >"$t/trace"
	echo 'print-parent' >"$t/trace_options"
	for option in overwrite record-tgid; do
		echo 1 >"$t/options/$option"
	done
	for event in kmem/mm_page_alloc kmem/mm_page_free kmem/mm_page_pcpu_drain \
		exceptions/page_fault_user sched/sched_process_fork vmscan/mm_vmscan_kswapd_wake \
		syscalls/sys_enter_mbind syscalls/sys_exit_mbind numasim/np_set_mempolicy \
		numasim/np_mbind numasim/np_migrate_pages numasim/np_setaffinity; do
		mkdir -p "$t/events/$event"
		echo 0 >"$t/events/$event/enable"
	done
	echo none >"$t/events/kmem/mm_page_alloc/filter"
	for cpu in 0 1; do
		printf 'entries: 5\noverrun: 0\ncommit overrun: 0\ndropped events: 0\n' \
			>"$t/per_cpu/cpu$cpu/stats"
	done
}

# In the shell of $shell, dash or busybox's where they are there.
shell=sh
capture()
{
	ran="($shell tools/capture $*)"
	$shell tools/capture --root "$k" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	found_status=$?
}

# refused TEXT: nothing was written, and nothing touched.
refused()
{
	status 2
	silent out
	err "capture: $1"
	[ ! -e "$tmp/c.tar.gz" ] || fail "an archive was written"
	[ "$(echo "$tmp"/.numasim*)" = "$tmp/.numasim*" ] || fail "a temporary folder is left"
}

# The tracer is as it was.
restored()
{
	[ "$(cat "$t/tracing_on")" = 1 ] || fail "tracing_on is not restored"
	[ "$(cat "$t/trace_clock")" = local ] || fail "trace_clock is not restored"
	[ "$(cat "$t/buffer_size_kb")" = 1408 ] || fail "buffer_size_kb is not restored"
	[ "$(cat "$t/saved_cmdlines_size")" = 128 ] || fail "saved_cmdlines_size is not restored"
	[ "$(cat "$t/options/overwrite")" = 1 ] || fail "overwrite is not restored"
	[ "$(cat "$t/options/record-tgid")" = 1 ] || fail "record-tgid is not restored"
	[ ! -s "$t/trace" ] || fail "the trace is not cleared"
	for file in "$t"/events/*/*/enable; do
		[ "$(cat "$file")" = 0 ] || fail "$file is not restored"
	done
	grep -q '^p:numasim/bulk ' "$t/kprobe_events" || fail "nothing was probed"
	grep -q -e '-:numasim/bulk$' "$t/kprobe_events" || fail "the probes are not removed"
	[ "$(echo "$tmp"/.numasim*)" = "$tmp/.numasim*" ] || fail "a temporary folder is left"
}

if [ "$(id -u)" -ne 0 ]; then
	sh tools/capture -o "$tmp/c.tar.gz" -- true >"$tmp/out" 2>"$tmp/err"
	found_status=$?
	refused "needs root"
fi

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
shell=sh

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

if command -v shellcheck >/dev/null; then
	shellcheck -s sh tools/capture || fail "shellcheck"
fi
end
