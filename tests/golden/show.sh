#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# numasim show: its views, and what it says where there is none of that name.
. "$2/tests/golden/harness"
machine=configs/machines/W1b_touch_4k_2x512m.cfg

run show $machine platform
status 0
out "<platform version="
silent err

run show $machine platform --format json
status 0
out '"simgrid_xml": "<?xml'

run show $machine platfrom
status 2
silent out
err "unknown view 'platfrom', did you mean 'platform'?"

run show $machine platform --set memory_modle=sparse
status 2
silent out
err "did you mean 'memory_model'?"

run show $machine platform --set memory_model
status 2
err "--set: 'memory_model' is not of the form PATH=VALUE"

run show "$tmp/none.cfg" platform
status 2
err "numasim: $tmp/none.cfg: "
end
