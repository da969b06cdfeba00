#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# docs/linux-mm.md: each row names files that are there, identifiers that these files have, a test, and
# scenarios and views that exist; each scenario is in some row.
. "$2/tests/golden/harness"
ran=docs/linux-mm.md
: >"$tmp/out"
: >"$tmp/err"
"$numasim" show --help >"$tmp/views"

# cell N: of $row, blanks and backquotes apart.
cell()
{
	printf '%s\n' "$row" | awk -F ' *[|] *' -v n=$(($1 + 1)) '{ gsub("`", " ", $n); print $n }'
}

# What the cells that are checked name, a row a line: "NUMBER:| ... |".
grep -n '^| ' docs/linux-mm.md | grep -v ':| Linux |\|:| --- |' >"$tmp/rows"
[ "$(wc -l <"$tmp/rows")" -ge 80 ] || fail "the table has $(wc -l <"$tmp/rows") rows only"
: >"$tmp/seen"
while IFS= read -r line; do
	at="line ${line%%:*}"
	row=${line#*:}
	[ "$(printf '%s' "$row" | tr -cd '|' | wc -c)" -eq 6 ] || fail "$at: not five cells"
	[ -n "$(cell 1)" ] || fail "$at: no name"

	# Ours: files, and what is looked for in the file before it.
	file=
	for word in $(cell 2); do
		case $word in
		*/*)
			file=$word
			[ -f "$file" ] || fail "$at: no file $file"
			;;
		*) grep -qw -- "$word" "${file:-/dev/null}" || fail "$at: no $word in $file" ;;
		esac
	done
	[ -n "$file" ] || fail "$at: no file of ours"

	tests=0
	for word in $(cell 3); do
		[ -f "tests/$word.c" ] || [ -f "tests/$word.sh" ] || fail "$at: no test $word"
		tests=$((tests + 1))
	done
	[ "$tests" -gt 0 ] || fail "$at: no test"

	# "run X, show Y" or "-".
	cell 4 | tr , '\n' >"$tmp/places"
	[ -n "$(cell 4)" ] || fail "$at: seen nowhere, and no dash"
	while read -r how what; do
		case $how in
		run)
			[ -f "configs/scenarios/$what.cfg" ] || fail "$at: no scenario $what"
			echo "$what" >>"$tmp/seen"
			;;
		show) grep -q "^  $what  " "$tmp/views" || fail "$at: no view $what" ;;
		-) ;;
		*) fail "$at: '$how $what' is neither run nor show" ;;
		esac
	done <"$tmp/places"
done <"$tmp/rows"

for scenario in configs/scenarios/*.cfg; do
	grep -qx "$(basename "$scenario" .cfg)" "$tmp/seen" || fail "no row is seen in $scenario"
done
grep -q 'docs/linux-mm.md' README.md || fail "the README does not lead there"
end
