#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Memory hotplug as events: in traces of all forms, and in scenarios.
. "$2/tests/golden/harness"
cat >"$tmp/t" <<'END'
# numasim trace 1
cpu=0 alloc a order=0 gfp=GFP_KERNEL
1us cpu=1 hotplug add:0x100000000+256M@0
cpu=1 hotplug online_movable:memory32-33
cpu=1 wait 2ms
2us cpu=0 free a
cpu=1 hotplug offline:memory32
3us cpu=1 hotplug offline:memory99
END
machine=configs/machines/W1b_touch_4k_2x512m.cfg
run replay $machine "$tmp/t" --verify --format json -o "$tmp/native.json"
status 0
for what in '"step": "add:0x100000000+256M@0",' '"step": "offline:memory32",' \
	'"refused": "there is no memory99; the nearest block is memory33 (blocks have 128 MiB: memory33 begins at 0x108000000)"'; do
	grep -qF "$what" "$tmp/native.json" || fail "not in the result: $what"
done
[ "$(grep -c '"refused": ""' "$tmp/native.json")" -eq 3 ] || fail "3 steps of 4 are taken"

# Through each other form and back it is the same trace.
run trace convert "$tmp/t" -o "$tmp/again"
status 0
for form in binary ftrace perf trace-cmd; do
	run trace convert "$tmp/t" --format $form -o "$tmp/t.$form"
	status 0
	run trace convert "$tmp/t.$form" --format native -o "$tmp/back"
	status 0
	grep hotplug "$tmp/back" >"$tmp/steps"
	grep hotplug "$tmp/t" | cut -d' ' -f3 | sort >"$tmp/expected"
	sed 's/.*hotplug //' "$tmp/steps" | sort >"$tmp/found"
	grep hotplug "$tmp/t" | sed 's/.*hotplug //' | sort | cmp -s - "$tmp/found" ||
		fail "other steps through $form"
done

# wrong LINE REASON: in a native trace.
wrong_line()
{
	printf '# numasim trace 1\n%s\n' "$1" >"$tmp/bad"
	run replay $machine "$tmp/bad"
	wrong "$tmp/bad:2: $2"
}
wrong_line 'cpu=0 hotplug offlin:memory3' "unknown step 'offlin' (did you mean 'offline'?)"
wrong_line 'cpu=0 hotplug add:0x1000' "expected add:START+SIZE[@NODE], found 'add:0x1000'"
wrong_line 'cpu=0 hotplug' 'found the end of the line, expected a step ("hotplug online:memory40")'

# A module at node 0 keeps all of the work there; without it a part goes to node 1.
run run configs/scenarios/hotplug-grow.cfg --verify --format json
status 0
is fallback_node 0
run run configs/scenarios/hotplug-grow.cfg --format json --set 'workloads[1].after=1s'
status 0
grep -q '"fallback_node": 0,' "$tmp/out" && fail "nothing spilled"

# What is emptied moves, and costs time; what the kernel has in a block stays.
run run configs/scenarios/hotplug-offline.cfg --verify --format json
status 0
# Of 32768 pages of the block all that CPU 0 has got by then: some hundred are still on lists.
moved=$(grep -A 5 'offline:memory33' "$tmp/out" | sed -n 's/.*"migrated_pages": \([0-9]*\),/\1/p')
{ [ "$moved" -gt 32300 ] && [ "$moved" -le 32768 ]; } || fail "$moved pages moved"
grep -q '"refused": "memory3: frame 0x1f400 cannot be moved: reserved at boot, type reserved: ' "$tmp/out" || fail "no refusal"

# A scenario says what is wrong with a step, and where.
sed 's/"add:/"ad:/' configs/scenarios/hotplug-grow.cfg | sed 's|\.\./machines|'"$PWD"'/configs/machines|' >"$tmp/bad.cfg"
run run "$tmp/bad.cfg"
status 2
err "unknown step 'ad' (did you mean 'add'?)"

# A node without memory gets some while others run: its bank is at hand where the machine file gives
# it one. CPU 0 writes 32768 lines there: 100 ns and 65.3 of the link each.
plug_machine()
{
	printf 'name = "plug"; description = ""; source = "test"; architecture = "x86_64";\nmemory_model = "sparse-vmemmap";\n'
	printf 'nodes = ( { memory = ( { base = "1MiB"; size = "95MiB"; } ); cpus = { count = 1; frequency = "2.5GHz"; }; },\n'
	printf '{ cpus = { count = 1; frequency = "2.5GHz"; }; %s } );\ndistances = ( ( 10, 21 ), ( 21, 10 ) );\n' "$1"
	printf '@include "%s/configs/machines/xeon-8269cy-wires.inc"\n' "$PWD"
	printf '@include "%s/configs/machines/xeon-8269cy-caches.inc"\n' "$PWD"
}
plug_machine 'bank = { latency = "100ns"; bandwidth = "20GB/s"; };' >"$tmp/plug.cfg"
plug_machine '' >"$tmp/bankless.cfg"
cat >"$tmp/plug" <<'EOF'
# numasim trace 1
cpu=0 hotplug auto_online_blocks:online
cpu=0 hotplug add:0x100000000+128M@1
cpu=0 alloc far order=9 gfp=GFP_HIGHUSER_MOVABLE node=1
cpu=0 touch far write 2MiB
EOF
run replay "$tmp/plug.cfg" "$tmp/plug" --verify --format json
status 0
[ "$(grep -c '"refused": ""' "$tmp/out")" = 2 ] || fail "a step was refused"
grep -q '"remote_memory_ps": 5416550400,' "$tmp/out" || fail "not at the bank of node 1"
run replay "$tmp/bankless.cfg" "$tmp/plug"
status 2
err "node 1 has neither memory nor a \`bank\` of its own in the machine file"

# A node that the machine does not have.
sed 's/@0/@1/' "$tmp/t" >"$tmp/other"
run replay configs/machines/small-uma.cfg "$tmp/other"
status 0
grep -q 'refused: node 1 is not possible: the machine has nodes 0 to 0' "$tmp/out" || fail "node 1"
end
