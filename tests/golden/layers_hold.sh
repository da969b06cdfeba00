#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The layers of ARCHITECTURE.md: mm knows no sim and no SimGrid, nothing includes from tools or
# tests, and the libraries below us are let in through few, named files.
numasim=$1
cd "$2" || exit 1
failed=0

# none WHAT LINES: there must be no lines.
none()
{
	[ -z "$2" ] && return
	echo "$1:"
	echo "$2" | sed 's/^/  /'
	failed=1
}

# includes PATTERN FILE...: the lines that include a header like that.
includes()
{
	pattern=$1
	shift
	grep -rEn --include='*.[ch]' --include='*.cc' --include='*.cpp' "^[ 	]*# *include *[<\"]$pattern" "$@"
}

# Code outside mm that libmm.a needs: libc only.
libmm=$(dirname "$numasim")/libmm.a
needed=$(nm -u "$libmm" 2>&1) || none "nm cannot read $libmm" "$needed"
none "libmm.a needs symbols of SimGrid, libconfig or sim" \
	"$(echo "$needed" | grep -E ' (sg_|simgrid_|xbt_|config_|sim_|machine_|diag_)')"

none "mm/ includes from sim/ or tools/" "$(includes '(sim|tools|tests)/' mm)"
none "sim/ includes from tools/ or tests/" "$(includes '(tools|tests)/' sim)"
none "tools/ includes from tests/" "$(includes 'tests/' tools)"

none "SimGrid's headers are included outside sim/time/engine.c" \
	"$(includes '(simgrid|xbt)/' . | grep -Ev '^\./(build/|sim/time/engine\.c:)')"
none "libconfig.h is included outside sim/config/config.c" \
	"$(includes 'libconfig' . | grep -Ev '^\./(build/|sim/config/config\.c:)')"
exit $failed
