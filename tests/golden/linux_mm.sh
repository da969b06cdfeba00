#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# docs/linux-mm.md: each row names files that are there, identifiers that these files have, a test, and
# scenarios and views that exist; each scenario is in some row. And each row works in its scenarios: the
# functions of the mm core that it names run there, or, where it names none, some of its files do. That
# takes numasim-reach, whose mm core says which of its functions ran; the release build has one.
. "$2/tests/golden/harness"
ran=docs/linux-mm.md
: >"$tmp/out"
: >"$tmp/err"
"$numasim" show --help >"$tmp/views"

# Functions by address, and those that an object file has.
functions()
{
	nm "$1" | awk '$2 == "T" || $2 == "t" { sub(/[.].*/, "", $3); print $1, $3 }'
}

objects=$(dirname "$numasim")/CMakeFiles/mm-reach.dir
reach=$(dirname "$numasim")/numasim-reach
if slow_build || [ ! -x "$reach" ]; then
	reach=
fi
if [ -n "$reach" ]; then
	functions "$reach" >"$tmp/functions"
	find "$objects/mm" -name '*.o' | while IFS= read -r object; do
		functions "$object"
	done | cut -d ' ' -f 2 | sort -u >"$tmp/ours"
fi

# reached SCENARIO [SET]: the file with the names of functions that ran, once for all rows. SET is a
# setting, or an option by itself: --show=meminfo.
reached()
{
	key=$(printf '%s' "$*" | tr -c 'A-Za-z0-9\n' _)
	if [ ! -f "$tmp/ran-$key" ]; then
		case ${2:-} in
		--*) set -- "configs/scenarios/$1.cfg" "$2" ;;
		*) set -- "configs/scenarios/$1.cfg" ${2:+--set "$2"} ;;
		esac
		NUMASIM_REACHED=$tmp/addresses "$reach" run "$@" -q >"$tmp/out" 2>"$tmp/err" ||
			fail "numasim-reach run $*: status $?"
		awk 'NR == FNR { name[$1] = name[$1] " " $2; next }
			{ n = split(name[$1], names, " "); for (i = 1; i <= n; i++) print names[i] }' \
			"$tmp/functions" "$tmp/addresses" | sort -u >"$tmp/ran-$key"
	fi
	cat "$tmp/ran-$key"
}

# Does what the row names run in its scenarios? Of files without a name: anything of them.
works()
{
	named=
	files=
	for word in $(cell 2); do
		case $word in
		mm/*.c) files="$files $word" ;;
		*/*) ;;
		*) grep -qx -- "$word" "$tmp/ours" && named="$named $word" ;;
		esac
	done
	for word in $named; do
		grep -qx -- "$word" "$tmp/row" || fail "$at: $word does not run in$runs"
	done
	[ -z "$named" ] || return
	for word in $files; do
		functions "$objects/$word.o" | cut -d ' ' -f 2 | grep -qxFf - "$tmp/row" ||
			fail "$at: nothing of $word runs in$runs"
	done
}

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

	# "run X, run Y with KEY=VALUE, run V with --show=W, show Z": at least one that runs.
	cell 4 | tr , '\n' >"$tmp/places"
	runs=
	: >"$tmp/row"
	while read -r how what with set; do
		case $how in
		run)
			runs="$runs $what"
			echo "$what" >>"$tmp/seen"
			[ "$with" = "${set:+with}" ] || fail "$at: '$with $set' is not with KEY=VALUE"
			[ -f "configs/scenarios/$what.cfg" ] || fail "$at: no scenario $what"
			[ -z "$reach" ] || reached "$what" "$set" >>"$tmp/row"
			;;
		show) grep -q "^  $what  " "$tmp/views" || fail "$at: no view $what" ;;
		*) fail "$at: '$how $what' is neither run nor show" ;;
		esac
	done <"$tmp/places"
	[ -n "$runs" ] || fail "$at: runs in no scenario"
	[ -z "$reach" ] || works
done <"$tmp/rows"

for scenario in configs/scenarios/*.cfg; do
	grep -qx "$(basename "$scenario" .cfg)" "$tmp/seen" || fail "no row is seen in $scenario"
done
sed -n '/^| part | of Linux/,/^$/p' README.md | sed '1,2d' | awk -F ' *[|] *' 'NF > 3 { gsub("`", "", $4); print $4 }' |
	tr ' ' '\n' >"$tmp/readme"
[ "$(wc -l <"$tmp/readme")" -gt 25 ] || fail "few scenarios in the README's table"
while IFS= read -r name; do
	[ -f "configs/scenarios/$name.cfg" ] || fail "README: no scenario $name"
done <"$tmp/readme"
grep -q 'docs/linux-mm.md' README.md || fail "the README does not lead there"
end
