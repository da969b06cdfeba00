#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Mappings of the kernel: where high memory begins, what kmap and vmalloc cost, and what goes wrong.
. "$2/tests/golden/harness"

ns()
{
	sed -n 's/^ *"simulated_ps": \([0-9]*\).*/\1/p' "$tmp/out"
}

# The map of the fourth gigabyte, and what vmalloc= and the split make of it.
i386=configs/machines/i386-highmem.cfg
run show $i386 kernelmap
status 0
out '      pkmap : 0xff000000 - 0xff200000   (2048 kB)'
out '    vmalloc : 0xf77fe000 - 0xfeffe000   ( 120 MB)'
out '     lowmem : 0xc0000000 - 0xf6ffe000   ( 879 MB)'
out 'kmap window: 512 entries; kmap_local: 16 slots a CPU'
run show $i386 kernelmap --set kernel.vmalloc=256MiB
out '    vmalloc : 0xeeffe000 - 0xfeffe000   ( 256 MB)'
run show $i386 meminfo --format json
low=$(member LowTotal)
is VmallocTotal 122880
is VmallocUsed 0
run show $i386 meminfo --format json --set kernel.vmalloc=256MiB
[ $((low - $(member LowTotal))) -gt $((135 * 1024)) ] || fail "low memory $low, then $(member LowTotal)"
is VmallocTotal 262144
run show $i386 meminfo --format json --set kernel.vmsplit=1G
is HighTotal 0
run show $i386 kernelmap --format json
out '"start": "0xff000000"'
wrong_set()
{
	run show "$1" kernelmap --set "$2"
	wrong "$3"
}
wrong_set $i386 kernel.vmalloc=2GiB 'leaves less than 16 MiB'
wrong_set $i386 kernel.vmsplit=3G_OPT 'with PAE the split is a whole GiB'
wrong_set $i386 kernel.vmsplit=4G "unknown split '4G'"
wrong_set configs/machines/uma-e5-2630v4.cfg kernel.vmalloc=1GiB 'the kernel of x86_64 has no such parameter'
wrong_set $i386 kernel.la57=true 'the kernel of i386 has no such parameter'

# High memory: 20,000 mappings go through 512 entries, each round of which is a flush of the other CPU.
scenario=configs/scenarios/highmem.cfg
run run $scenario --verify --format json
status 0
highmem=$(ns)
is map 40000
is unmap_page 40000
is entries 512
is kmap 20000
is local 20000
is lowmem 0
is waits 0
flushes=$(member flushes)
# Entries are given out in turn: so many rounds as new mappings fill the window.
[ "$flushes" -eq $(((20000 - $(member kmap_hit)) / 512)) ] || fail "$flushes flushes"
sites=$(grep -A 1 '"tlb_ipi"' "$tmp/out" | tr -cd 0-9)
[ "$sites" -eq "$flushes" ] || fail "$sites interrupts for $flushes flushes with one other CPU"
# In 64 bits each is an addition, and faster.
run run $scenario --format json --set machine=../machines/i386-highmem-64bit.cfg
status 0
is lowmem 40000
is kmap 0
is flushes 0
[ "$(ns)" -lt $((highmem * 8 / 10)) ] || fail "$(ns) ps with 64 bits, $highmem with 32"
run compare $i386 configs/machines/i386-highmem-64bit.cfg --scenario $scenario
status 0
run run $scenario --set 'workloads[0].leak=2'
out 'The kernel would warn:'
out 'is still mapped 1 times, at 0xff'

# The window is full: both wait, and both get on.
scenario=configs/scenarios/kmap-full.cfg
run run $scenario --verify --format json
status 0
is map 14240
is unmap_page 14240
[ "$(member waits)" -gt 10 ] || fail "$(member waits) waits"
run run $scenario --set 'workloads[0].live=300' --set 'workloads[1].live=300'
status 1
err "all 512 entries of kmap's window are in use, and all CPUs that could unmap one wait for one"

# vmalloc: everything comes back; CPU 0's and the arrays of pointers' pages came in bulk, huge ones not.
scenario=configs/scenarios/vmalloc.cfg
run run $scenario --verify --format json
status 0
# Other parts of the result have members of these names. The array of pointers to 1024 pages is an area.
sed -n '/"vmalloc": {/,$p' "$tmp/out" >"$tmp/part"
mv "$tmp/part" "$tmp/out"
is allocated 2200
is freed 2200
is huge_pages 200
is pages_singly 102400
is pages_in_bulk $((2000 * 64 + 100 * 2))
is areas 0
is pages 0
[ "$(member purges)" -ge 1 ] || fail "no purge"
before=$(member purges)
run run $scenario --format json --set 'workloads[0].operations=5000'
[ "$(member purges)" -gt "$before" ] || fail "$(member purges) purges of more"
# What is held at the end shows as the kernel shows it.
cat >"$tmp/held.cfg" <<'END'
machine = "m.cfg";
workload = { kind = "vmalloc"; cpus = [ 0 ]; bytes = "1GiB"; operations = 1; };
END
sed "s|@include \"|@include \"$PWD/configs/machines/|" $i386 >"$tmp/m.cfg"
run run "$tmp/held.cfg"
status 0
out 'vmap allocation for size 1073745920 failed: use vmalloc=<size> to increase size'
out '1 failed'

# What a workload cannot be.
try()
{
	printf 'machine = "m.cfg";\nworkload = { %s };\n' "$1" >"$tmp/wrong.cfg"
	run run "$tmp/wrong.cfg"
	wrong "$2"
}
try 'kind = "kmap"; bytes = "1MiB"; method = "huge";' "workload.method: unknown method 'huge' (known: kmap, local)"
try 'kind = "kmap"; bytes = "1MiB"; method = "local"; live = 17;' 'workload.live: a CPU has 16 slots'
try 'kind = "vmalloc";' "'bytes' is missing"
try 'kind = "vmalloc"; bytes = "8MiB"; method = "contiguous";' 'workload.bytes: more than the largest block has'
try 'kind = "vmalloc"; bytes = "8MiB"; leak = 1;' "unknown key 'leak'"
end
