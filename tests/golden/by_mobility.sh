#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Kernels from 4.15 to 5.13, whose per-CPU lists have single pages by mobility: what /proc/zoneinfo and
# sysctl say, and what larger batches and gathering before the lock are good for.
. "$2/tests/golden/harness"
scenario=configs/scenarios/by-mobility.cfg
machine=configs/machines/uma-e5-2630v4-linux-5.10.cfg

# pagesets PROFILE: of the first CPU, of each zone.
pagesets()
{
	run show $machine zoneinfo --set "kernel.profile=$1"
	status 0
	grep -A 3 'cpu: 0$' "$tmp/out" | grep -E 'low|high|batch' | tr -s ' \n' ' ' >"$tmp/sets"
	printf '%s' "$2" | cmp - "$tmp/sets" || fail "$1 has other lists: $(cat "$tmp/sets")"
}

# ZONE_DMA is too small for a batch, 2 GiB and more have whole ones.
pagesets linux-5.10-amd64 ' high: 0 batch: 1 high: 378 batch: 63 high: 378 batch: 63 '
pagesets linux-4.15-amd64 ' high: 0 batch: 1 high: 186 batch: 31 high: 186 batch: 31 '

run show $machine sysctl
status 0
out "percpu_pagelist_fraction = 0"
out "percpu_pagelist_high_fraction absent"
run show $machine zoneinfo --sysctl percpu_pagelist_fraction=8
status 0
out "              batch: 96"
run show $machine zoneinfo --sysctl percpu_pagelist_high_fraction=8
wrong "has no sysctl 'percpu_pagelist_high_fraction', but 'percpu_pagelist_fraction'"
run show configs/machines/uma-e5-2630v4.cfg zoneinfo --sysctl percpu_pagelist_fraction=8
wrong "has no sysctl 'percpu_pagelist_fraction', but 'percpu_pagelist_high_fraction'"

# waits PROFILE: how long CPUs wait for the zone's lock.
waits()
{
	run run $scenario --set "kernel.profile=$1" --format json -q --verify
	status 0
	is alloc 65536
	is free 65536
	member lock_wait_ps
}

sed 's/gather = true/gather = false/' configs/kernels/linux-5.10-amd64.cfg >"$tmp/locked.cfg"
gathered=$(waits linux-5.10-amd64)
locked=$(waits "$tmp/locked.cfg")
old=$(waits linux-4.15-amd64)
[ "$gathered" -lt "$locked" ] || fail "gathering before the lock saves nothing: $gathered, $locked"
[ "$locked" -lt "$old" ] || fail "larger batches save nothing: $locked, $old"
end
