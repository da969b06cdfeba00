#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` puts in place works there: the command, its man page, machines and traces.
. "$2/tests/golden/harness"
ran="(cmake --install)"

DESTDIR=$tmp/root cmake --install "$(dirname "$numasim")" --prefix /opt/numasim \
	>"$tmp/out" 2>"$tmp/err" || fail "cmake --install failed"
opt=$tmp/root/opt/numasim
numasim=$opt/bin/numasim
NUMASIM_CONFIGS=$opt/share/numasim/configs
export NUMASIM_CONFIGS

run --version
status 0
[ -s "$opt/share/man/man1/numasim.1" ] || fail "no man page"

# All that the source directory has, and nothing else.
for kind in configs traces; do
	(cd $kind && find . -type f | sort) >"$tmp/expected"
	(cd "$opt/share/numasim/$kind" && find . -type f | sort) >"$tmp/found"
	cmp "$tmp/expected" "$tmp/found" || fail "$kind: not the same files are installed"
done

cd "$tmp" || exit 1
run check "$NUMASIM_CONFIGS"/machines/*.cfg "$NUMASIM_CONFIGS"/costs/*.cfg
status 0
for trace in "$opt"/share/numasim/traces/*; do
	case $trace in *.md) continue ;; esac
	run trace info "$trace"
	status 0
done
end
