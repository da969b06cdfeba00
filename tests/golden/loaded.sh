#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# numasim measure loaded, on every machine that is shipped: latency does not fall as bandwidth rises, and it
# rises by some per cent at least, since each bank and each link has a queue.
. "$2/tests/golden/harness"

# In the order of bandwidth. Where it is within a per cent of the most it is saturated, and no longer rises:
# then latency is no less than before. Where channels have loads of their own these go up and down by chance:
# by 0.1 % of the latency at a tenth of the load.
rises()
{
	ran="measure $*"
	"$numasim" measure "$@" loaded -q --format csv >"$tmp/out" 2>"$tmp/err" </dev/null
	found_status=$?
	status 0
	sed 1d "$tmp/out" | sort -t, -k3,3nr | awk -F, '
		NR == 1 { full = $3 * 0.99 }
		$3 >= full { if (NR == 1 || $2 < least) least = $2 }
		$3 < full { if ($2 > least * 1.002) { print $2 " ps at " $3 " bytes a second, " least " at more"; failed = 1 }
			least = $2 }
		NR == 1 { most = $2 }
		END { if (NR != 27 || most < $2 * 1.03) { print NR " rows, " $2 " to " most " ps"; failed = 1 }
			exit failed }' >"$tmp/err" || fail "latency does not rise with load"
}

slow_build && machines=configs/machines/xeon-4416-2s.cfg || machines=$(echo configs/machines/*.cfg)
for machine in $machines; do
	# Whose file says that its own bank has no queue.
	[ "$machine" = configs/machines/skylake-remote.cfg ] || rises "$machine"
done
# Over links, of a matrix and of a topology.
rises configs/machines/xeon-4416-2s.cfg --from 0 --to 1
if ! slow_build; then
	rises configs/machines/xeon-8269cy-2s.cfg --from 1 --to 0
	rises configs/machines/epyc-9224-cxl.cfg --from 0 --to 2
	rises configs/machines/epyc-9224-cxl.cfg --from 2 --to 4
	rises configs/machines/skylake-remote.cfg --from 0 --to 1
	rises configs/machines/ring8.cfg --from 0 --to 1
	rises configs/machines/ring8.cfg --from 0 --to 4
fi

# One that is told to have no queue has none.
"$numasim" measure configs/machines/uma-e5-2630v4.cfg loaded -q --format csv --set bank.queueing=0ns >"$tmp/out" 2>"$tmp/err"
# Page walks come where they come.
sed 1d "$tmp/out" | awk -F, 'NR == 1 { first = $2 } $2 > first + 10 || $2 < first - 10 { exit 1 }' ||
	fail "latency depends on load"
end
