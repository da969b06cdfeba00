#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Help, version, and what is said of a wrong command line. Exit status 2 is wrong usage.
. "$2/tests/golden/harness"

run --help
status 0
out "Usage: numasim COMMAND"
out "  trace info  "
silent err

run --version
status 0
out "numasim 0."
silent err

run
status 2
silent out
err "numasim: which command?"

run --hlep
status 2
silent out
err "numasim: unknown option '--hlep', did you mean '--help'?"

run -x
status 2
err "numasim: unknown option '-x'"

run --version=3
status 2
err "numasim: option '--version' takes no value"

run chekc
status 2
silent out
err "numasim: unknown command 'chekc', did you mean 'check'?"

run frobnicate
status 2
err "numasim: unknown command 'frobnicate'; see numasim --help"

run trace
status 2
err "'trace' is not a command by itself"
err "trace info"

run trace --help
status 0
out "trace info"

run trace inof
status 2
err "unknown command 'trace inof'"

run trace info
status 2
err "too few arguments"

run trace info one two
status 2
err "too many arguments, from 'two' on"

run trace info --format
status 2
err "option '--format' needs a value, FORMAT"

run trace info --format jsno x
status 2
err "--format: unknown format 'jsno', did you mean 'json'?"
err "text, json"

run trace info --formt json x
status 2
err "unknown option '--formt', did you mean '--format'?"

run trace info --help
status 0
out "Usage: numasim trace info [OPTION...] TRACE"
out "-o, --output=FILE"
silent err

# Every command explains itself.
commands >"$tmp/commands"
while read -r name; do
	# shellcheck disable=SC2086 # one or two words
	run $name --help
	status 0
	out "Usage: numasim $name [OPTION...]"
	silent err
done <"$tmp/commands"

# A result that cannot be written is a failure, also on standard output.
"$numasim" --help >/dev/full 2>"$tmp/err"
[ $? -eq 1 ] || fail "a full disk on standard output is not exit status 1"
err "numasim: cannot write to standard output: No space left on device"
end
