#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Processes: fork and copy on write, where memory is and what that costs, numa_maps, wrong steps.
. "$2/tests/golden/harness"

# The child writes 3277 pages that it shares: as many copies, each in its own node.
scenario=configs/scenarios/process.cfg
run run $scenario --verify --format json
status 0
is accesses 87024
grep -q '"faults_copied": 3277' "$tmp/out" || fail "the child copied another number of pages"
out '"7fffbc000000 default anon=16384 dirty=16384 active=0 N0=16384 kernelpagesize_kB=4"'
out '"7fffbbe80000 interleave:0-1 file=/dev/shm/ring dirty=128 N0=64 N1=64 kernelpagesize_kB=4"'
run run $scenario
out 'numa_maps of server'

scenario()
{
	printf 'machine = "%s";\nworkload = { kind = "process"; cpus = [0]; %s };\n' \
		"$PWD/configs/machines/W1a_touch_thp_2x1g.cfg" "$1" >"$tmp/s.cfg"
	# shellcheck disable=SC2086  # several options
	run run "$tmp/s.cfg" --verify --format json $2
}
ps_of()
{
	member simulated_ps
}

# The same loads of memory of the other node take longer, and the report says why.
touches='{ do = "mmap"; range = "r"; bytes = "64MiB"; %s },
	{ do = "touch"; range = "r"; },
	{ do = "touch"; range = "r"; access = "random"; operations = 100000; write = false; }'
# shellcheck disable=SC2059
scenario "steps = ( $(printf "$touches" '') );"
status 0
near=$(ps_of)
is remote_memory_ps 0
# shellcheck disable=SC2059
scenario "steps = ( $(printf "$touches" 'policy = "bind:1";') );"
far=$(ps_of)
[ "$far" -gt $((near + 100000 * 10000)) ] || fail "node 0 takes $near ps, node 1 $far ps"
[ "$(member remote_memory_ps)" -gt 0 ] || fail "no remote memory"
# Moved to where it is used, it costs what it costs there.
scenario 'steps = ( { do = "mmap"; range = "r"; bytes = "8MiB"; policy = "bind:1"; },
	{ do = "touch"; range = "r"; }, { do = "mbind"; range = "r"; policy = "bind:0"; move = true; } );'
out 'bind:0 anon=2048 dirty=2048'
out ' N0=2048 '
is pgmigrate_success 2048

# Huge pages: a fault each; two threads share the work.
scenario 'steps = ( { do = "mmap"; range = "r"; bytes = "64MiB"; madvise = true; },
	{ do = "touch"; range = "r"; } );' '--thp madvise'
is faults 32
is faults_zeroed_huge 32
is accesses 16384
is huge_mappings 32

# Memory is made huge pages while the process waits: the same look-ups have shorter walks then.
run run configs/scenarios/collapse.cfg
status 0
[ "$(grep -c '^  madvise .*  EINVAL$' "$tmp/out")" -eq 2 ] || fail "the report tells no errors of steps"
run run configs/scenarios/collapse.cfg --format json
took()
{
	awk -v n="$1" '/"do": "touch"/ { nr++ } nr == n && /"begin_ps"/ { gsub(/[^0-9]/, ""); begin = $0 }
		nr == n && /"end_ps"/ { gsub(/[^0-9]/, ""); printf "%.0f\n", $0 - begin; exit }' "$tmp/out"
}
[ "$(took 3)" -lt $(($(took 2) * 9 / 10)) ] || fail "huge pages save nothing: $(took 2), $(took 3)"

# More than there is, with a swap device: what is touched again comes back.
scenario 'steps = ( { do = "mmap"; range = "r"; bytes = "1900MiB"; }, { do = "touch"; range = "r"; },
	{ do = "touch"; range = "r"; bytes = "200MiB"; } );' '--thp never --set kernel.swap=1GiB'
status 0
[ "$(member pswpout)" -gt 10000 ] || fail "only $(member pswpout) pages were swapped"
[ "$(member faults_major)" -gt 1000 ] || fail "only $(member faults_major) came back"
is failed 0

# Locked memory stays.
scenario 'steps = ( { do = "mmap"; range = "r"; bytes = "16MiB"; }, { do = "mlock"; range = "r"; } );' '--thp never'
is locked_pages 4096
is unevictable_pgs_mlocked 4096

# While a process of a CPU sleeps, waits for a disk, or a kernel workload does, the CPU does the others.
begin_of()
{
	sed -n "/\"do\": \"$1\"/,/}/s/.*\"begin_ps\": \([0-9]*\).*/\1/p" "$tmp/out" | head -n 1
}
shared='{ do = "mmap"; range = "r"; bytes = "8MiB"; },
	{ do = "fork"; name = "c"; steps = ( %s, { do = "exit"; } ); }, { do = "touch"; range = "r"; }'
for other in '{ do = "sleep"; time = "1s"; }' '{ do = "read"; file = "/f"; bytes = "4MiB"; }'; do
	# shellcheck disable=SC2059
	scenario "steps = ( $(printf "$shared" "$other") );"
	status 0
	[ "$(begin_of touch)" -lt 1000000000 ] || fail "after $other the touch began at $(begin_of touch)"
	[ "$(begin_of exit)" -gt "$(begin_of touch)" ] || fail "exit did not wait for $other"
done
printf 'machine = "%s";\nworkloads = (
	{ kind = "kernel"; cpus = [0]; calls = ( { do = "msleep"; time = "1s"; } ); },
	{ kind = "process"; cpus = [0]; steps = ( { do = "mmap"; range = "r"; bytes = "8MiB"; },
		{ do = "touch"; range = "r"; }, { do = "sleep"; time = "10s"; } ); },
	{ kind = "kernel"; cpus = [0]; calls = ( { do = "msleep"; time = "1s"; } ); } );\n' \
	"$PWD/configs/machines/W1a_touch_thp_2x1g.cfg" >"$tmp/s.cfg"
run run "$tmp/s.cfg" --verify --format json
[ "$(begin_of touch)" -lt 1000000000 ] || fail "behind msleep the touch began at $(begin_of touch)"
[ "$(ps_of)" -lt 10500000000000 ] || fail "three that slept took $(ps_of) ps"

# What is refused is an outcome, with a reason, and the process goes on: more than is promised, more than a tmpfs holds.
error_of()
{
	sed -n "/\"do\": \"$1\"/,/}/s/.*\"error\": \"\(.*\)\".*/\1/p" "$tmp/out" | head -n 1
}
scenario 'steps = ( { do = "mmap"; range = "r"; bytes = "1TiB"; }, { do = "mmap"; range = "s"; bytes = "1MiB"; } );'
[ "$(error_of mmap)" = ENOMEM ] || fail "1 TiB was mapped: $(error_of mmap)"
is failed 1
scenario 'steps = ( { do = "mmap"; range = "r"; bytes = "1TiB"; }, { do = "touch"; range = "r"; bytes = "1MiB"; } );' \
	'--sysctl overcommit_memory=1'
is failed 0
scenario 'steps = ( { do = "write"; file = "/dev/shm/f"; bytes = "5MiB"; },
	{ do = "mmap"; range = "r"; bytes = "8MiB"; file = "/dev/shm/f"; shared = true; }, { do = "touch"; range = "r"; } );' \
	'--set kernel.tmpfs_size=4MiB'
status 0
[ "$(error_of write)" = ENOSPC ] || fail "5 MiB of 4 were written: $(error_of write)"
[ "$(error_of touch)" = SIGBUS ] || fail "8 MiB of 4 were touched: $(error_of touch)"
is shmem_pages 1024
run show configs/machines/W1a_touch_thp_2x1g.cfg meminfo --sysctl overcommit_ratio=0
out 'CommitLimit:           0 kB'

bad()
{
	scenario "steps = ( $1 );"
	wrong "$2"
}
bad '{ do = "mmap"; range = "r"; bytes = "4MiB"; }, { do = "madvise"; range = "r"; advice = "colapse"; }' \
	"unknown advice 'colapse', did you mean 'collapse'?"
bad '{ do = "mmap"; range = "r"; bytes = "4MiB"; }, { do = "madvise"; range = "r"; }' "'advice' is missing"
bad '{ do = "tuch"; }' "s.cfg:2: workload.steps[0].do: unknown step 'tuch', did you mean 'touch'?"
bad '{ do = "touch"; range = "r"; }' "'r': the process has no range; expected mmap before"
bad '{ do = "mmap"; range = "heap"; bytes = "1MiB"; }, { do = "touch"; range = "haep"; }' \
	"unknown range 'haep', did you mean 'heap'?"
bad '{ do = "mmap"; range = "r"; bytes = "1MiB"; size = 3; }' "unknown key 'size'"
bad '{ do = "mmap"; range = "r"; bytes = "1000B"; }' 'not a multiple of the page'
bad '{ do = "mmap"; range = "r"; bytes = "1MiB"; }, { do = "munmap"; range = "r"; offset = "2MiB"; }' \
	'past the end: there are 1048576 bytes'
bad '{ do = "mmap"; range = "r"; bytes = "1MiB"; }, { do = "touch"; range = "r"; access = "zip"; }' \
	"unknown access 'zip', did you mean 'zipf'?"
bad '{ do = "wait"; name = "c"; }' "'c': the process has no child; expected fork before"
bad '{ do = "exit"; }, { do = "exec"; }' 'a step after exit'
bad '{ do = "run_on"; cpus = [9]; }' 'expected an integer from 0 to 3, found 9'
bad '{ do = "set_policy"; policy = "bund:0"; }' "unknown policy 'bund:0'"
bad '' 'an empty list; at least one step is needed'
end
