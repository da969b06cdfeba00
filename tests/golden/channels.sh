#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Channels of a bank: what a stride gets of them, by measurement and by a program.
. "$2/tests/golden/harness"
machine=configs/machines/gold-5320-channels.cfg

# 8 channels that go in turn after 256 B, of 150.8 / 8 = 18.85 GB/s: at 2 KiB one of them, at 1 KiB two.
run measure $machine bandwidth --format csv --stride 2KiB
status 0
rate 0,0 18850000000
rate system,1:1 18850000000
run measure $machine bandwidth --format csv --stride 1KiB
rate 0,0 37700000000
# One line after the other all of them, as on the machine whose channels are not told apart.
run measure $machine bandwidth --format csv
cp "$tmp/out" "$tmp/channels"
run measure configs/machines/gold-5320.cfg bandwidth --format csv
awk -F, 'NR == FNR { x[NR] = $3; next } $3 + 0 > 0 { n++; if (x[FNR] / $3 > 1.002 || x[FNR] / $3 < 0.998) n = -9 }
	END { exit n < 6 }' \
	"$tmp/channels" "$tmp/out" || fail "channels change what streams get"
# Nor does a lone access take longer: within 0.2 %.
run measure $machine latency --format csv
awk -F, '$1 == "0" { seen = $3 >= 77800 && $3 <= 78050 } END { exit !seen }' "$tmp/out" || fail "another latency"

run measure $machine bandwidth --stride 100B
status 2
wrong "measure: --stride: expected a multiple of 64B, up to 32KiB, found '100B'"
run measure $machine bandwidth --stride 2
status 2
wrong "measure: --stride: expected a multiple of 64B, up to 32KiB, found '2': "
run measure $machine latency --stride 2KiB
status 2
wrong "measure: --stride means nothing to 'latency'"

run show $machine topology
status 0
out "8 channels of 18.85GB/s, in turn after 256 B"
run show $machine platform
out '<link_ctn id="channel0.7"/>'

# Columns of a matrix with rows of 2 KiB: all on channel 0, 16 MiB of them; with longer rows on each.
bytes_of()
{
	tr -d ' \n' <"$tmp/out" | sed 's/.*"channels":\[{"node":0,"bytes":\[\([0-9,]*\)\].*/\1/'
}
columns()
{
	run run configs/scenarios/channels.cfg --format json "$@"
	status 0
	bytes_of
	sed -n 's/.*"simulated_ps": \([0-9]*\).*/\1/p' "$tmp/out" | head -n 1
}
columns >"$tmp/one"
columns --set 'workload.steps[2].stride=2304B' >"$tmp/all"
paste -d, "$tmp/one" "$tmp/all" | awk -F, 'NR == 1 && $1 - $2 < $9 - $10 + 14000000 { exit 1 }' ||
	fail "a stride of all channels is not on one of them"
paste -d, "$tmp/one" "$tmp/all" | awk -F, 'NR == 2 && $1 < $2 + 300000000 { exit 1 }' ||
	fail "and takes no longer than one over all"
end
