#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# One page descriptor: flags in the layout that show pageflags tells, and what the frame is used for.
. "$2/tests/golden/harness"

machine=configs/machines/i386-highmem.cfg
# Frame 16 MiB is kernel code. Zone 1 of 2 bits at bit 30; reserved is bit 12.
run show $machine page 0x1000
status 0
silent err
out 'page: pfn:0x1000 refcount:1 mapcount:0 order:0'
out 'flags: 0x40001000(reserved|node=0|zone=Normal)'
out 'use: reserved'
run show $machine page 4096 --format json
is refcount 1
is descriptor_bytes 40
# A free block of the largest order, seen at its head and in its midst.
run show $machine page 0x40000
out 'flags: 0x80000000(node=0|zone=HighMem)'
out 'use: free, in the block at 0x40000'
run show $machine page 0x403ff --format json
out '"head": "0x40000"'
is order 0
# With sections the section is in the flags, too: 0x1000000 is frame 512 * 32768.
run show configs/machines/xeon-8269cy-2s.cfg page 0x1000000 --format json
is section 512
run show $machine page 0
out 'use: hole'
run show $machine page
wrong "'page' needs the number of a page frame"
run show $machine page 99999999
wrong "expected a page frame that has a descriptor, found '99999999'"
run show $machine page -- -1
wrong "expected a page frame that has a descriptor, found '-1'"
run show $machine page 12x
wrong "found '12x'"
run show $machine zoneinfo 3
wrong "'zoneinfo' takes no number, found '3'"
end
