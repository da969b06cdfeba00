#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Boot in simulated time: by phase, deferred or not, by size and memory model.
. "$2/tests/golden/harness"

scenario=configs/scenarios/boot.cfg

# calls SITE: units of work done there.
calls()
{
	grep -A1 "\"$1\": {" "$tmp/out" | sed -n 's/^ *"calls": \([0-9]*\).*/\1/p'
}

# takes STEP: how long, in ps.
takes()
{
	awk -v step="\"$1\"," '
		$1 == "\"do\":" { on = $2 == step }
		{ sub(",", "", $2) }
		on && $1 == "\"begin_ps\":" { begin = $2 }
		on && $1 == "\"end_ps\":" { printf "%.0f\n", $2 - begin; exit }' "$tmp/out"
}

# Each descriptor is initialised once, whoever does it. Memory is 1 TiB but for the 384 KiB below 1 MiB, and that
# hole of 96 pages has descriptors, too: 2^28 of them.
run run $scenario --verify --format json --quiet
status 0
deferred=$(member simulated_ps)
inits=$(calls memmap_init)
late=$(takes deferred)
[ "$inits" -eq 268435456 ] || fail "$inits descriptors are initialised"
[ "$(calls cpu_up)" -eq 15 ] || fail "$(calls cpu_up) CPUs came up"
# 15 CPUs, 13000000 cycles each at 2.5 GHz
[ "$(takes cpus)" -eq 78000000000 ] || fail "CPUs take $(takes cpus) ps"

run run $scenario --format json --quiet --set workload.deferred=false
alone=$(member simulated_ps)
[ "$(calls memmap_init)" -eq "$inits" ] || fail "$(calls memmap_init) descriptors, deferred $inits"
[ "$(takes memmap)" -gt $((100 * 6000000000)) ] || fail "the memmap takes $(takes memmap) ps"
[ "$alone" -gt $((8 * deferred)) ] || fail "alone $alone ps, deferred $deferred ps"

# One thread a node does what eight do.
run run $scenario --format json --quiet --set workload.threads=1
[ "$(calls memmap_init)" -eq "$inits" ] || fail "$(calls memmap_init) descriptors by one thread a node"
single=$(takes deferred)
[ "$single" -gt $((late * 4)) ] || fail "one thread takes $single ps, eight $late ps"

# Memory without CPUs is initialised, too, by one thread, on some CPU: 4 * 192 GiB and 128 GiB, and 96 pages of hole.
run run $scenario --format json --quiet --set machine=../machines/epyc-9224-cxl.cfg
status 0
[ "$(calls memmap_init)" -eq $(((4 * 192 + 128) * 262144)) ] || fail "$(calls memmap_init) descriptors with CXL"

# arm64 has one thread a node: so many as one asks for make no difference but to more than one.
arm64="--set machine=../machines/holey-board-sparse-vmemmap.cfg"
# shellcheck disable=SC2086  # several options
run run $scenario --format json --quiet $arm64
late=$(takes deferred)
# shellcheck disable=SC2086
run run $scenario --format json --quiet $arm64 --set workload.threads=1
[ "$(takes deferred)" -eq "$late" ] || fail "arm64 takes $late ps, one thread $(takes deferred)"
# shellcheck disable=SC2086
run run $scenario --format json --quiet $arm64 --set workload.threads=4
[ "$(takes deferred)" -lt "$late" ] || fail "arm64 takes $late ps, four threads $(takes deferred)"

# A sixty-fourth of the memory takes about so much less; the CPUs take what they take.
run run $scenario --format json --quiet --set machine=../machines/boot-16g.cfg --set workload.deferred=false
[ "$(calls memmap_init)" -eq $((inits / 64)) ] || fail "$(calls memmap_init) descriptors of 16 GiB"
small=$(takes memmap)
[ "$(takes cpus)" -eq 78000000000 ] || fail "CPUs take $(takes cpus) ps"

# A flat memmap cannot wait: CPU 0 does it all.
run run $scenario --format json --quiet --set machine=../machines/holey-board-flat.cfg
status 0
[ "$(takes deferred)" -eq 0 ] || fail "flat defers $(takes deferred) ps"

run compare configs/machines/boot-16g.cfg --model sparse,sparse-vmemmap --scenario $scenario --format json
status 0
run run $scenario --set workload.threads=0
wrong 'expected an integer from 1 to 16, found 0'
run run $scenario --set workload.threads=2 --set workload.deferred=false
wrong 'only with deferred = true'
run run $scenario --set workload.defered=true
wrong "unknown key 'defered', did you mean 'deferred'?"
[ "$small" -gt 0 ] || fail "no time"
end
