#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# -o FILE: the file appears whole or not at all.
. "$2/tests/golden/harness"
trace=$tmp/trace
cp traces/W1b_touch_4k_2x512m.trace.zst "$trace"

# What is left in the directory besides the files named.
only()
{
	left=$(ls "$tmp/dir")
	[ "$left" = "$1" ] || fail "left in the directory: $left"
}

mkdir "$tmp/dir"
run trace info "$trace" -o "$tmp/dir/result"
status 0
silent out
silent err
only result
run trace info "$trace"
cmp "$tmp/out" "$tmp/dir/result" || fail "-o writes other bytes than standard output"
run trace info "$trace" -o -
cmp "$tmp/out" "$tmp/dir/result" || fail "-o - is not standard output"

# It gets the permissions of any new file, and keeps those of a file that was there.
[ "$(stat -c %a "$tmp/dir/result")" = "$(touch "$tmp/new" && stat -c %a "$tmp/new")" ] ||
	fail "the result's permissions are not those of a new file"
chmod 640 "$tmp/dir/result"
run trace info "$trace" -o "$tmp/dir/result"
status 0
[ "$(stat -c %a "$tmp/dir/result")" = 640 ] || fail "the result's permissions have changed"

# Through a symbolic link.
ln -s result "$tmp/dir/link"
run trace info "$trace" --format json -o "$tmp/dir/link"
status 0
[ -L "$tmp/dir/link" ] || fail "the symbolic link has gone"
grep -q '"events"' "$tmp/dir/result" || fail "the link's target was not written"
rm "$tmp/dir/link"

# A wrong input leaves the file as it was.
echo before >"$tmp/dir/result"
run trace info "$tmp/none" -o "$tmp/dir/result"
status 2
only result
[ "$(cat "$tmp/dir/result")" = before ] || fail "a wrong input has changed the result"

run trace info "$trace" -o "$tmp/no/such/result"
status 1
err "cannot write $tmp/no/such/result: No such file or directory"

# That is noticed before the work: what is asked for is not even looked at.
for command in 'check none' 'diff none none' 'import capture none' 'trace info none' 'show none topology' \
	'run none' 'replay none none' 'compare none none'; do
	# shellcheck disable=SC2086 # words
	run $command -o "$tmp/no/such/result"
	status 1
	err "cannot write $tmp/no/such/result: No such file or directory"
	[ "$(wc -l <"$tmp/err")" -eq 1 ] || fail "it did more than look whether it can write"
done
run replay none none --events "$tmp/no/such/events"
status 1
err "cannot write $tmp/no/such/events: No such file or directory"
# Nobody reads the pipe: looking does not wait for that.
mkfifo "$tmp/pipe"
run show none topology -o "$tmp/pipe"
status 2
err "none: "
only result

run trace info "$trace" -o "$tmp/dir"
status 1
err "cannot write $tmp/dir: Is a directory"
only result

run trace info "$trace" -o /dev/full
status 1
err "cannot write /dev/full: No space left on device"

run trace info "$trace" -o /dev/null
status 0
[ -c /dev/null ] || fail "/dev/null has been replaced"

# A signal in the middle of a run leaves no temporary file behind.
ran="run (SIGTERM)"
"$numasim" run configs/scenarios/churn.cfg --set workload.operations=500000 \
	--events "$tmp/dir/events" -q >"$tmp/out" 2>"$tmp/err" &
pid=$!
while kill -0 $pid 2>/dev/null && [ -z "$(find "$tmp/dir" -name 'events.*')" ]; do
	sleep 0.1
done
kill -TERM $pid
wait $pid
[ $? -eq 143 ] || fail "SIGTERM did not end it"
only result

# A limit on the size of files stands for a full disk.
(
	trap '' XFSZ
	ulimit -f 0
	"$numasim" trace info "$trace" -o "$tmp/dir/result" 2>/dev/null
)
[ $? -eq 1 ] || fail "a full disk is not exit status 1"
only result
[ "$(cat "$tmp/dir/result")" = before ] || fail "a full disk has changed the result"
end
