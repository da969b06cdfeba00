#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A source file that a reader can hold in the head: at most 650 lines, and its licence in line 1.
cd "$2" || exit 1
failed=0
for file in $(find mm sim tools tests -name '*.[ch]' | sort); do
	lines=$(wc -l <"$file")
	if [ "$lines" -gt 650 ]; then
		echo "$file: $lines lines, 650 at most"
		failed=1
	fi
	if ! head -n 1 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0'; then
		echo "$file:1: no SPDX-License-Identifier: Apache-2.0"
		failed=1
	fi
done
exit $failed
