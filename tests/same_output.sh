#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# same_output.sh NUMASIM SOURCE-DIR REFERENCE: two builds print the same bytes, whatever the
# compiler, its optimisation level and its sanitizers.
numasim=$1 reference=$3
cd "$2" || exit 1
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
failed=0

# same ARGUMENT...: standard output, standard error and exit status are those of the reference.
same()
{
	"$reference" "$@" >"$tmp/expected" 2>"$tmp/expected.err" </dev/null
	expected=$?
	"$numasim" "$@" >"$tmp/found" 2>"$tmp/found.err" </dev/null
	found=$?
	if [ $found -ne $expected ] || ! cmp "$tmp/expected" "$tmp/found" ||
		! cmp "$tmp/expected.err" "$tmp/found.err"; then
		echo "differs (exit status $expected, $found): numasim $*"
		diff "$tmp/expected" "$tmp/found" | head -20
		diff "$tmp/expected.err" "$tmp/found.err" | head -20
		failed=1
	fi
}

same --help
same check configs/machines/*.cfg configs/costs/*.cfg configs/scenarios/*.cfg traces/*.zst
same check --format json configs/machines/*.cfg configs/scenarios/*.cfg traces/*.nst
same frobnicate
same trace convert traces/example.nst
same trace convert traces/example.nst --format native

"$reference" show --help | sed -n '/^Views/,/^$/s/^  \([a-z_]*\).*/\1/p' >"$tmp/views"
[ -s "$tmp/views" ] || failed=1
# Most of the time of `show` is that of starting, which slow builds take longest for: each of these has
# another third of them, by turns, so some machine of each view and some view of each machine. What one of
# them does not look at another does, and the clang build at all.
case $numasim in
*/dev/*) mine=0 ;;
*/sanitize/*) mine=1 ;;
*) mine=all ;;
esac
# Text and JSON are two forms of the same figures: JSON is compared by turns likewise, and the text of
# scenarios.
nth=0
for machine in configs/machines/*.cfg; do
	nth=$((nth + 1))
	turn=$nth
	while read -r view; do
		turn=$((turn + 1))
		[ $mine = all ] || [ $((turn % 3)) -eq "$mine" ] || continue
		same show "$machine" "$view"
		[ $((turn % 5)) -ne 0 ] || same show "$machine" "$view" --format json
	done <"$tmp/views"
	same show "$machine" meminfo --node 0
done
for trace in traces/*.zst traces/*.nst tests/reference/trace-forms/*.txt; do
	same trace info "$trace"
	same trace info --format json "$trace"
done

mkdir "$tmp/captures"
for archive in tests/reference/captures/*.tar.gz; do
	capture=$tmp/captures/$(basename "$archive" .tar.gz)
	gzip -dc "$archive" | tar -xf - -C "$tmp/captures"
	same import capture "$capture"
	"$reference" import capture "$capture" -q -o "$tmp/captures/machine.cfg" || failed=1
	same diff "$capture" "$tmp/captures/machine.cfg"
	same diff "$capture" "$tmp/captures/machine.cfg" --sysctl min_free_kbytes=5000 --format json
done

for scenario in configs/scenarios/*.cfg; do
	same run "$scenario" --format json
	nth=$((nth + 1))
	[ $((nth % 5)) -ne 0 ] || same run "$scenario"
done
for what in latency bandwidth loaded fault; do
	case $what,$numasim in
	bandwidth,*/sanitize/* | loaded,*/sanitize/* | loaded,*/dev/*) ;; # minutes there
	*) same measure configs/machines/xeon-8269cy-2s.cfg $what --format json ;;
	esac
done
same measure configs/machines/epyc-9224-cxl.cfg bandwidth --from 0 --format csv
same measure configs/machines/gold-5320.cfg pagealloc --cpus 2 --set 'caches[2].size=1536KiB'
w1b=configs/machines/W1b_touch_4k_2x512m.cfg
trace=traces/W1b_touch_4k_2x512m.trace.zst
same replay $w1b $trace
same replay $w1b $trace --timing trace --format json
same compare --trace $trace $w1b configs/machines/W1b-uma-1g.cfg
same compare configs/machines/holey-board-flat.cfg \
	--models flat,discontig,sparse,sparse-vmemmap --format json

for build in "$reference" "$numasim"; do
	"$build" replay $w1b $trace -q -o /dev/null --events "$tmp/events" || failed=1
	[ ! -e "$tmp/events.expected" ] || cmp "$tmp/events.expected" "$tmp/events" || failed=1
	mv "$tmp/events" "$tmp/events.expected"
done
exit $failed
