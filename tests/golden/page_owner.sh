#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# page_owner and page_ext: what they take at boot, who has which page after a run, and what it costs.
. "$2/tests/golden/harness"
machine=configs/machines/small-2n.cfg

# 2 sections of 32768 frames: 64 bytes each with page_owner, 72 with page_table_check, too.
run show $machine memmodel --format json
status 0
is page_ext_bytes 0
run show $machine memmodel --set kernel.page_owner=true --format json
is page_ext_bytes 4194304
run show $machine memmodel --set kernel.page_owner=true --set kernel.page_table_check=true
out 'page_ext                             4718592 bytes'
run show $machine page_owner
status 0
out 'page_owner is off'
run show $machine page_owner --format json
out '"on": false'

# 16 parts of a block that the kernel took and split; 512 pages of the process, on node 1 since.
run run configs/scenarios/page-owner.cfg --show page_owner --verify
status 0
silent err
[ "$(grep -c '^Page allocated via order 0, mask 0xcc0(GFP_KERNEL), pid 1, tgid 1 (cpu), ' "$tmp/out")" -eq 16 ] ||
	fail "not 16 pages of the block"
[ "$(grep -c '^Page has been migrated, last migrate reason: mempolicy_mbind$' "$tmp/out")" -eq 512 ] ||
	fail "not 512 pages that moved"
grep -q '^Page allocated via order [0-9]*, mask 0x[0-9a-f]*([A-Z_|]*), pid 2, tgid 2 (cpu), ts [1-9][0-9]* ns, free_ts [0-9]* ns$' \
	"$tmp/out" || fail "no page of the process"
grep -q '^PFN [0-9]* type Movable Block [0-9]* type Movable Flags 0x[0-9a-f]*(.*node=1|zone=1)$' "$tmp/out" ||
	fail "no movable page on node 1"
# The same page by itself, in the words of dump_page_owner().
pfn=$(awk '/GFP_KERNEL.*pid 1,.*\(cpu\)/ { getline; print $2; exit }' "$tmp/out")
run run configs/scenarios/page-owner.cfg --show "page:$pfn"
out 'page_owner tracks the page as allocated'
out 'page last allocated via order 0, gfp_mask 0xcc0(GFP_KERNEL), pid 1, tgid 1 (cpu), ts '
# It takes time.
run run configs/scenarios/page-owner.cfg --format json
with=$(member simulated_ps)
is page_ext_bytes 4718592
run run configs/scenarios/page-owner.cfg --set machine=../machines/small-2n.cfg --format json
[ "$(member simulated_ps)" -lt "$with" ] || fail "page_owner costs nothing"
# A trace goes on with the state of a kernel.
run replay configs/machines/W1b_touch_4k_2x512m.cfg traces/W1b_touch_4k_2x512m.trace.zst \
	--start tests/reference/starts/W1b --set kernel.page_owner=true --verify --quiet
status 0
# No room: sections of a board of flat memory, and managed pages that are given.
run show configs/machines/i386-highmem.cfg memmodel --set kernel.page_owner=true --format json
status 0
run show $machine memmodel --set kernel.page_owner=1
wrong 'page_owner'
end
