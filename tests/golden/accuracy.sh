#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tools/accuracy: what is measured on simulated machines is within the limits of what was measured on real
# ones. Frees in random order take minutes: they are left to tools/accuracy --check by hand.
. "$2/tests/golden/harness"

# accuracy STATUS FIGURES ARGUMENT...
accuracy()
{
	expected=$1
	figures=$2
	shift 2
	ran="of tools/accuracy $*"
	NUMASIM=$numasim tools/accuracy "$@" >"$tmp/out" 2>"$tmp/err"
	found_status=$?
	status "$expected"
	[ -z "$figures" ] || out "$figures figures"
}

accuracy 2 '' --check latncy
err "unknown measurement 'latncy'"
accuracy 0 46 --check latency

# Whoever compares with a machine that is off by 2 % is told.
sed 's/latency = ( ( "77.9ns"/latency = ( ( "79.5ns"/' configs/machines/xeon-8269cy-2s.cfg >"$tmp/off.cfg"
cmp -s "$tmp/off.cfg" configs/machines/xeon-8269cy-2s.cfg && fail "the machine file has another form"
mkdir -p "$tmp/tree/tools/accuracy.d" "$tmp/tree/configs/machines"
cp tools/accuracy "$tmp/tree/tools"
cp tools/accuracy.d/figures "$tmp/tree/tools/accuracy.d"
cp configs/machines/*.cfg configs/machines/*.inc "$tmp/tree/configs/machines"
mv "$tmp/off.cfg" "$tmp/tree/configs/machines/xeon-8269cy-2s.cfg"
case $numasim in
/*) absolute=$numasim ;;
*) absolute=$PWD/$numasim ;;
esac
ran="of tools/accuracy with a machine that is off"
NUMASIM=$absolute NUMASIM_CONFIGS=$PWD/configs "$tmp/tree/tools/accuracy" --check latency >"$tmp/out" 2>"$tmp/err"
found_status=$?
status 1
out "tools/accuracy: xeon-8269cy-2s latency 0,0: +2.1 %, limit 1 %"

if ! slow_build; then
	accuracy 0 14 --check bulk repeat
	accuracy 0 4 --check cycles
	accuracy 0 76 --check bandwidth loaded
fi
end
