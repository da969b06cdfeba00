#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# docs/numasim.1 formats without a warning, and has every command and every option.
. "$2/tests/golden/harness"
page=docs/numasim.1

groff -mdoc -ww -z "$page" >"$tmp/out" 2>"$tmp/err"
ran="(groff $page)"
silent err

commands >"$tmp/commands"
[ -s "$tmp/commands" ] || fail "no command in the help"
while read -r name; do
	grep -q "^\.Cm $name\$" "$page" || fail "$page: '$name' is not in the synopsis"
	grep -q "^\.It Cm $name " "$page" || fail "$page: '$name' is not explained"
	# shellcheck disable=SC2086 # one or two words
	run $name --help
	sed -n 's/^  .*--\([a-z-]*\)[ =].*/\1/p' "$tmp/out" >"$tmp/options"
	while read -r option; do
		grep -q "^\.It.* Fl Fl $option\( \|\$\)" "$page" ||
			fail "$page: --$option of '$name' is not explained"
	done <"$tmp/options"
done <"$tmp/commands"
end
