#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# All shell scripts are clean under shellcheck -x, where that is installed.
. "$2/tests/golden/harness"

if ! command -v shellcheck >/dev/null; then
	echo "skipped: no shellcheck"
	exit 0
fi

# What says on its first line that it is one, or is sourced by one that runs in an emulated machine.
find .ci tools tests cmake -type f ! -name '*.gz' ! -name '*.zst' ! -name '*.[ch]' ! -path '*/corpus/*' |
	sort | while read -r file; do
	IFS= read -r line <"$file" || continue
	case $line,$file in
	'#!/bin/sh'*,* | *,*.sh) echo "$file" ;;
	esac
done >"$tmp/scripts" 2>/dev/null
for file in tools/capture tools/placement tools/oracle.d/init tools/oracle.d/workloads/swap.sh .ci/run \
	tests/golden/shellcheck.sh; do
	grep -qx "$file" "$tmp/scripts" || fail "$file is not found"
done
# shellcheck disable=SC2046 # names without blanks
shellcheck -x $(cat "$tmp/scripts") >"$tmp/out" 2>"$tmp/err" || fail "shellcheck finds something"

# It does find something where there is something.
# shellcheck disable=SC2016 # for the script
printf '#!/bin/sh\necho $unquoted\n' >"$tmp/bad.sh"
! shellcheck -x "$tmp/bad.sh" >/dev/null || fail "shellcheck finds nothing at all"
end
