#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Memory hotplug: after each step all figures, and the files of all memory blocks, are those that a
# real kernel had after it; and what is refused, with the reason.
. "$2/tests/golden/harness"
for archive in captures/i_hotplug_uma1g hotplug/i_hotplug_steps; do
	gzip -dc "tests/reference/$archive.tar.gz" | tar -xf - -C "$tmp"
done
cfg=$tmp/i.cfg
run import capture "$tmp/i_hotplug_uma1g" -o "$cfg"
status 0

# after STEP FIGURES OPTION...: the captured machine had been asked for the sysctls before.
after()
{
	step=$tmp/i_hotplug_steps/$1
	figures=$2
	shift 2
	run diff "$step" "$cfg" --sysctl lowmem_reserve_ratio "$@"
	status 0
	silent err
	out "$figures of $figures figures equal"
	run show "$cfg" memory "$@"
	status 0
	cmp -s "$tmp/out" "$step/memory_blocks.txt" || fail "not the memory blocks of $step"
}

# Firmware had plugged in 1 GiB before boot; two modules came later, were onlined in halves, and
# three blocks were taken offline, of which the last has holes and stayed.
set -- --hotplug add:0x100000000+1G@0
run diff "$tmp/i_hotplug_steps/0_boot" "$cfg" "$@"
status 0
out "70 of 70 figures equal"
set -- "$@" --hotplug add:0x140000000+512M@0 --hotplug add:0x160000000+256M@0
after 1_after_hotadd_offline 70 "$@"
set -- "$@" --hotplug online_kernel:memory32-38
after 2_after_online_kernel 77 "$@"
set -- "$@" --hotplug online_movable:memory39-45
after 3_after_online_movable 84 "$@"
set -- "$@" --hotplug offline:memory45
after 4_after_offline_memory45 84 "$@"
set -- "$@" --hotplug offline:memory42
after 5_after_offline_memory42 84 "$@"
after 6_after_offline_memory7 84 "$@"
run show "$cfg" memory "$@" --hotplug offline:memory7
wrong "--hotplug offline:memory7: memory7 has holes: frame 0x3ffdd is no memory"

# refused REASON STEP...: after what is there by now.
refused()
{
	reason=$1
	shift
	run show "$cfg" zoneinfo --hotplug add:0x100000000+1G@0 "$@"
	wrong "--hotplug $reason"
}

refused "add:0x108000000+128M@0: [0x108000000-0x110000000) overlaps memory that was added at [0x100000000-0x140000000)" --hotplug add:0x108000000+128M@0
refused "add:0x38000000+128M@0: [0x38000000-0x40000000) overlaps memory at" --hotplug add:0x38000000+128M@0
refused "add:0x140000000+100M@0: 0x140000000+0x6400000: expected whole memory blocks of 0x8000000 bytes (128 MiB)" --hotplug add:0x140000000+100M@0
refused "add:0x141000000+128M@0: 0x141000000+0x8000000: expected whole memory blocks" --hotplug add:0x141000000+128M@0
refused "add:0x140000000+128M@3: node 3 is not possible: the machine has nodes 0 to 0" --hotplug add:0x140000000+128M@3
refused "remove:memory32: memory32 is online: it has to go offline first" --hotplug online:memory32 --hotplug remove:memory32
refused "online:memory32: memory32 is online already" --hotplug online:memory32 --hotplug online:memory32
refused "offline:memory32: memory32 is offline already" --hotplug offline:memory32
refused "online:memory41: there is no memory41; the nearest block is memory39" --hotplug online:memory41
# The second module's descriptors are in the first's memory, and can go nowhere else.
refused "offline:memory32: memory32: frame 0x100000 cannot be moved: page descriptors of section 40, type unmovable, order 9" --hotplug online_kernel:memory32-39 --hotplug add:0x140000000+128M@0 --hotplug offline:memory32
refused "onlin:memory32: unknown step 'onlin' (did you mean 'online'?)" --hotplug onlin:memory32
refused "online:32: expected online:memoryN or memoryN-M, found 'online:32'" --hotplug online:32
refused "add:0x140000000+512X@0: expected add:START+SIZE[@NODE], found" --hotplug add:0x140000000+512X@0
refused "online_policy:auto: expected online_policy:contig-zones or auto-movable" --hotplug online_policy:auto
refused "pmem:0x140100000+64M@0: device memory at 0x140100000+0x4000000: expected multiples of 0x200000 bytes (2 MiB)" --hotplug pmem:0x140100000+64M@0

# A step of the machine file is told with its line.
sed 's/^kernel = {/kernel = {\n\thotplug = [ "offline:memory99" ];/' "$cfg" >"$tmp/file.cfg"
run show "$tmp/file.cfg" zoneinfo
status 2
err "kernel.hotplug: offline:memory99: there is no memory99; the nearest block is memory7"

# Only sparse models have it.
for model in flat discontig; do
	run show "$cfg" memmodel --set memory_model=$model --hotplug add:0x100000000+1G@0
	wrong "--hotplug add:0x100000000+1G@0: no memory hotplug with the $model memory model on x86_64: "
done
for model in sparse sparse-vmemmap; do
	run show "$cfg" memmodel --set memory_model=$model --hotplug add:0x100000000+1G@0
	status 0
	out "page descriptors (memmap)           33554432 bytes  32 MiB"
done
run show "$cfg" memmodel --set memory_model=sparse --hotplug pmem:0x100000000+1G@0
wrong "ZONE_DEVICE needs a virtually mapped memmap: the sparse-vmemmap model, not sparse"

# Descriptors on what they describe: a single block, and a device. 128 MiB and 1 GiB have 2 + 16 MiB.
run show "$cfg" memmodel --hotplug memmap_on_memory:1 --hotplug add:0x100000000+128M@0 \
	--hotplug online:memory32 --hotplug pmem:0x180000000+1G@0,memmap=device
status 0
out "  on what they describe             18874368 bytes  18 MiB"
end
