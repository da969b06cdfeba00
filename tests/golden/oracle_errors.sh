#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tools/oracle: all machine files that are shipped, what cannot be emulated and why, and what goes wrong
# around it: always a message and exit status 2, never a traceback of Python.
. "$2/tests/golden/harness"

if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null; then
	echo "skipped: no python3 3.9 or later"
	exit 0
fi
machine=configs/machines/W1b_touch_4k_2x512m.cfg

oracle()
{
	ran="(tools/oracle $*)"
	tools/oracle "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	found_status=$?
	! grep -q Traceback "$tmp/err" || fail "a traceback"
}

# Each is planned, or refused for what it is.
oracle check --dry-run configs/machines/*.cfg --numasim "$numasim"
status 2
silent err
cp "$tmp/out" "$tmp/plans"
for file in configs/machines/*.cfg; do
	"$numasim" show "$file" topology --format json >"$tmp/json" 2>/dev/null
	architecture=$(sed -n 's/^ *"architecture": "\(.*\)",/\1/p' "$tmp/json")
	name=$(sed -n '1,/"name"/s/^ *"name": "\(.*\)",/\1/p' "$tmp/json")
	if [ "$architecture" != x86_64 ]; then
		out "$file: not emulated: its architecture is $architecture; the kernel that is booted is x86_64"
		continue
	fi
	nodes=$(grep -c '^ *"node":' "$tmp/json")
	grep -qE "^$name: $nodes nodes? \(" "$tmp/plans" || fail "$file: no plan of $nodes nodes"
done
out "epyc-9224-cxl: 5 nodes (196608, 196608, 196608, 196608, 131072 no CPU MiB), 96 CPUs, asymmetric"
[ "$(grep -c '^  qemu: -machine pc' "$tmp/plans")" -eq "$(grep -c '^  kernel: ' "$tmp/plans")" ] ||
	fail "a plan is not whole"

# make NAME NODE...: a machine file.
make()
{
	file=$tmp/$1.cfg
	shift
	cat >"$file" <<-END
		name = "m"; source = "test"; architecture = "x86_64"; memory_model = "sparse-vmemmap";
		bank = { latency = "80ns"; bandwidth = "10GB/s"; };
		interconnect = { topology = "full"; link = { latency = "60ns"; bandwidth = "5GB/s"; }; };
		nodes = (
	END
	separator=
	for node; do
		echo "$separator { $node }" >>"$file"
		separator=,
	done
	echo ');' >>"$file"
}
low='{ base = "4KiB"; size = "632KiB"; }'
cpu='cpus = { count = 1; frequency = "1GHz"; };'

# Just within what QEMU can do, and just beyond.
make small "memory = ( $low, { base = \"1MiB\"; size = \"126MiB\"; } ); $cpu"
make enough "memory = ( $low, { base = \"1MiB\"; size = \"127MiB\"; } ); $cpu"
make cpus "memory = ( $low, { base = \"1MiB\"; size = \"127MiB\"; } ); cpus = { count = 256; frequency = \"1GHz\"; };"
make large "memory = ( $low, { base = \"1MiB\"; size = \"1TiB\"; } ); $cpu"
make bare "memory = ( $low, { base = \"1MiB\"; size = \"255MiB\"; } ); $cpu" " "
make hidden "memory = ( $low, { base = \"1MiB\"; size = \"127MiB\"; }, { base = \"192MiB\"; size = \"64MiB\"; } ); $cpu"
set --
while [ $# -lt 128 ]; do
	set -- "$@" "memory = ( { base = \"$((4 + $#))GiB\"; size = \"2MiB\"; } );"
done
make nodes "memory = ( $low, { base = \"1MiB\"; size = \"127MiB\"; } ); $cpu" "$@"
oracle check --dry-run "$tmp/small.cfg" "$tmp/enough.cfg" "$tmp/cpus.cfg" "$tmp/large.cfg" "$tmp/bare.cfg" \
	"$tmp/hidden.cfg" "$tmp/nodes.cfg" --numasim "$numasim"
status 2
silent err
out "small.cfg: not emulated: 127 MiB; Debian's kernel needs 128"
out "m: 1 node (128 MiB), 1 CPU, default distances"
out "cpus.cfg: not emulated: 256 CPUs; QEMU's PC has at most 255"
out "large.cfg: not emulated: 1024 GiB; an emulated PC addresses at most 1024"
out "bare.cfg: not emulated: node 1 has neither memory nor CPUs"
# 64 MiB from 128 MiB on are not there.
out "m: 1 node (256 MiB), 1 CPU, default distances memmap=65536K\$0x8000000"
out "nodes.cfg: not emulated: 129 nodes; QEMU has at most 128"
[ "$(grep -c '^m: ' "$tmp/out")" -eq 2 ] || fail "not two of them are planned"

# The page descriptors of 8 GiB, 8 MiB of a CPU, 512 MiB for the guest: 128 + 8 + 512 MiB.
for spare in 648 647; do
	PYTHONPATH=tools/oracle.d python3 -B - $spare >"$tmp/out" 2>&1 <<-END
		import sys
		import emulator
		emulator.available_bytes = lambda: int(sys.argv[1]) << 20
		plan = emulator.Plan("m", [8192], [0], [])
		emulator.check_plan(plan)
		try:
		    emulator.check_host(plan)
		    print("room")
		except emulator.Failure as why:
		    print(why)
	END
	ran="(the memory of a host, $spare MiB)"
	if [ $spare -eq 648 ]; then
		out room
	else
		out "booting 8 GiB takes some 648 MiB of this host, which has 647 MiB to spare"
	fi
done

# Seeds: their own topologies.
oracle random 3 --seed 1 --dry-run --numasim "$numasim"
cp "$tmp/out" "$tmp/one"
out "seed 1, 3 topologies"
[ "$(grep -c '^random-1-00[123]: ' "$tmp/out")" -eq 3 ] || fail "not three topologies"
oracle random 3 --seed 2 --dry-run --numasim "$numasim"
sed 's/^random-2-/random-1-/; s/^seed 2/seed 1/' "$tmp/out" | cmp -s - "$tmp/one" && fail "seed 2 is seed 1"

# Files that are wrong.
oracle check --dry-run "$tmp/none.cfg" "$machine" --numasim "$numasim"
status 2
out "none.cfg: cannot read it: No such file or directory"
out "W1b_touch_4k_2x512m: 2 nodes (512, 512 MiB)"
sed 's/^nodes/nodez/' "$tmp/enough.cfg" >"$tmp/wrong.cfg"
oracle trace "$tmp/wrong.cfg" --workload swap --dry-run --numasim "$numasim"
status 2
silent out
err "$tmp/wrong.cfg:4: nodez: unknown key 'nodez', did you mean 'nodes'?"

# Wrong usage.
oracle check --dry-run "$machine" --set memory_model --numasim "$numasim"
status 2
out "'memory_model' is not of the form PATH=VALUE"
oracle random 0 --dry-run --numasim "$numasim"
status 2
err "argument N: expected at least 1"
oracle trace "$machine" --dry-run --numasim "$numasim"
status 2
err "--workload"
oracle
status 2
err "usage: tools/oracle"

# A command that is not there, not one, and not numasim.
oracle check --dry-run "$machine" --numasim "$tmp/nowhere"
status 2
err "$tmp/nowhere is not there"
oracle check --dry-run "$machine" --numasim "$tmp"
status 2
err "oracle: $tmp: Permission denied"
printf '#!/bin/sh\necho numasim\n' >"$tmp/other"
chmod +x "$tmp/other"
oracle check --dry-run "$machine" --numasim "$tmp/other"
status 2
out "not emulated: $tmp/other printed no JSON"

# Nothing to write on, and nobody who reads.
oracle capture "$tmp/enough.cfg" "$tmp/capture" --numasim "$numasim" --cache /dev/null/cache
status 2
err "oracle: /dev/null/cache: Not a directory"
[ ! -e "$tmp/capture" ] || fail "a capture is begun"
if [ -c /dev/full ]; then
	tools/oracle random 1 --seed 1 --dry-run --numasim "$numasim" >/dev/full 2>"$tmp/err"
	found_status=$?
	ran="(tools/oracle on a full disk)"
	status 2
	[ "$(cat "$tmp/err")" = "oracle: cannot write: No space left on device" ] || fail "another message"
fi
tools/oracle random 200 --seed 1 --dry-run --numasim "$numasim" 2>"$tmp/err" | head -n 1 >"$tmp/out"
ran="(tools/oracle and head)"
out "seed 1, 200 topologies"
silent err

# No emulator, and none that can be installed.
python=$(python3 -c 'import sys; print(sys.executable)')
mkdir "$tmp/empty"
ran="(tools/oracle without QEMU)"
PATH=$tmp/empty "$python" tools/oracle capture "$tmp/enough.cfg" "$tmp/capture" --numasim "$numasim" \
	--cache "$tmp/cache" >"$tmp/out" 2>"$tmp/err" </dev/null
found_status=$?
status 2
silent out
err "qemu-system-x86_64 is missing (Debian package qemu-system-x86). Install it with:"
[ ! -e "$tmp/capture" ] || fail "a capture is begun"
end
