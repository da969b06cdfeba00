#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tools/placement: the row that it prints is what the JSON document of the same replay says; what it
# says of captures that are missing or damaged.
. "$2/tests/golden/harness"

placement()
{
	ran="(tools/placement $*)"
	NUMASIM=$command tools/placement "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	found_status=$?
}
command=$numasim

# field N: of the last row, without the bars.
field()
{
	tail -n 1 "$tmp/row" | cut -d '|' -f $(($1 + 1)) | sed 's/^ //; s/ $//'
}

# equal WHAT FOUND EXPECTED
equal()
{
	[ "$2" = "$3" ] || fail "$1: '$2', expected '$3'"
}

# share PART ALL: in percent, to two digits.
share()
{
	awk -v part="$1" -v all="$2" 'BEGIN { printf "%.2f", 100 * part / all }'
}

# A committed one: its row is made again from the document, by other means.
state=tests/reference/starts/W4c
placement $state
status 0
silent err
cp "$tmp/out" "$tmp/row"
equal rows "$(wc -l <"$tmp/row")" 3
run replay $state/machine.cfg $state/trace.bin --start $state --verify --format json
status 0
compared=$(member compared)
equal name "$(field 1)" W4c
equal compared "$(field 2)" "$compared"
equal node "$(field 3)" "$(share "$(member node_agree)" "$compared")"
equal zone "$(field 4)" "$(share "$(member zone_agree)" "$compared")"
[ "$compared" -gt "$(member zone_agree)" ] || fail "all agree: there are no mismatches to print"
sed -n '/"mismatches"/,/}/s/^ *"\([a-z-]*\)": \([1-9][0-9]*\),*$/\1 \2/p' "$tmp/out" | paste -sd, - |
	sed 's/,/, /g' >"$tmp/mismatches"
equal mismatches "$(field 7)" "$(cat "$tmp/mismatches")"
# Pages managed come from the zones, what is free from after.zones, both in the same order.
sed -n '/^  "zones"/,/^  ]/s/^ *"pages_managed": \([0-9]*\),*/\1/p' "$tmp/out" >"$tmp/managed"
sed -n '/^  "after"/,$p' "$tmp/out" >"$tmp/after"
for key in node zone pages_free pages_free_real; do
	sed -n "/\"zones\"/,/^    ]/s/^ *\"$key\": \"*\([A-Z0-9a-z]*\)\"*,*\$/\1/p" "$tmp/after" >"$tmp/$key"
done
paste -d ' ' "$tmp/node" "$tmp/zone" "$tmp/pages_free" "$tmp/pages_free_real" "$tmp/managed" |
	awk '{ d = $3 > $4 ? $3 - $4 : $4 - $3; print 100 * d / $4, $1, $2, 100 * d / $5 }' |
	sort -g | tail -n 1 | awk '{ printf "%.2f: %s %s (%.2f)\n", $1, $2, $3, $4 }' >"$tmp/worst"
equal "free pages" "$(field 5)" "$(cat "$tmp/worst")"

# A document whose figures were made up, printed by a stand-in. Free: 10 of 100 off is more than 5 of
# 1000, and 10 of the 400 that the zone has; miss of node 0 is off by more, but counts less than 1000.
command=$tmp/numasim
cat >"$command" <<'END'
#!/bin/sh
for word; do
	case $last in -o) out=$word ;; esac
	last=$word
done
here=$(dirname "$0")
echo "$*" >>"$here/asked"
case $1 in
import) echo machine >"$out" ;;
*) cp "$here/document" "$out" ;;
esac
exit "$(cat "$here/status")"
END
chmod +x "$command"
echo 0 >"$tmp/status"
cat >"$tmp/document" <<'END'
{
  "zones": [
    {
      "pages_managed": 400
    },
    {
      "pages_managed": 2000
    }
  ],
  "placement": {
    "compared": 800,
    "node_agree": 798,
    "zone_agree": 790,
    "mismatches": {
      "earlier-drift": 0,
      "boost": 7,
      "unknown": 3
    }
  },
  "after": {
    "zones": [
      {
        "node": 0,
        "zone": "DMA",
        "pages_free": 90,
        "pages_free_real": 100
      },
      {
        "node": 1,
        "zone": "Normal",
        "pages_free": 1005,
        "pages_free_real": 1000
      }
    ],
    "nodes": [
      {
        "node": 0,
        "numa_hit": {
          "simulated": 2020,
          "real": 2000
        },
        "numa_miss": {
          "simulated": 9,
          "real": 999
        }
      },
      {
        "node": 1,
        "numa_hit": {
          "simulated": 3900,
          "real": 4000
        }
      }
    ]
  }
}
END
mkdir "$tmp/made-up"
: >"$tmp/made-up/trace.txt"
placement "$tmp/made-up"
status 0
equal "the row" "$(tail -n 1 "$tmp/out")" \
	"| made-up | 800 | 99.75 | 98.75 | 10.00: 0 DMA (2.50) | 2.50: 1 numa_hit | boost 7, unknown 3 |"
grep -q "^import capture $tmp/made-up " "$tmp/asked" || fail "the machine is not imported"
grep -q "^replay .* $tmp/made-up/trace.txt --start $tmp/made-up --verify " "$tmp/asked" ||
	fail "the trace is not replayed: $(cat "$tmp/asked")"

# Of a folder that has its machine, this one; nothing to compare the end with; nothing compared.
: >"$tmp/asked"
: >"$tmp/made-up/machine.cfg"
sed -i '/^  "after"/,$d; s/798/800/; s/790/800/; s/[37],*$/0/' "$tmp/document"
placement "$tmp/made-up"
status 0
equal "the row" "$(tail -n 1 "$tmp/out")" "| made-up | 800 | 100.00 | 100.00 | - | - |  |"
grep -q '^import' "$tmp/asked" && fail "the machine is imported"
grep -q "^replay $tmp/made-up/machine.cfg " "$tmp/asked" || fail "machine.cfg is not taken"

# The worst exit status stays, and who follows has a row.
echo 3 >"$tmp/status"
placement "$tmp/made-up"
status 3
err "tools/placement: $tmp/made-up: no replay"
equal rows "$(wc -l <"$tmp/out")" 2

# What cannot be read; the others are done all the same.
command=$numasim
rm -rf "$tmp/made-up"
cp -r $state "$tmp/cut"
head -c 100000 $state/trace.bin >"$tmp/cut/trace.bin"
mkdir "$tmp/empty"
head -c 3000 tests/reference/captures/a_uma512m_1cpu.tar.gz >"$tmp/damaged.tar.gz"
placement "$tmp/none" "$tmp/damaged.tar.gz" "$tmp/empty" "$tmp/cut"
status 2
equal rows "$(wc -l <"$tmp/out")" 2
err "numasim: $tmp/none: cannot read the capture: No such file or directory"
err "numasim: $tmp/damaged.tar.gz"
err "numasim: $tmp/cut/trace.bin"
for name in none damaged.tar.gz empty cut; do
	err "tools/placement: $tmp/$name: no replay"
done

# Usage.
placement
status 2
silent out
err "usage: tools/placement CAPTURE..."
placement --verify $state
status 2
silent out
err "unknown option '--verify'"
placement --help
status 0
silent err
out "usage: tools/placement CAPTURE..."
command=$tmp/nowhere
placement $state
status 2
silent out
err "$tmp/nowhere is not there"
end
