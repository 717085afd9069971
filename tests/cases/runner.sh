#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The runner of the tests itself: what it counts as passed, and as failed.
. "$(dirname "$0")/../lib.sh"

mktest() { # NAME, its text on standard input
	cat >"$T/$1.sh"
}
mktest good <<<'echo "ok 1 - a"; echo "ok 2 - b"; echo 1..2'
mktest bad <<<'echo "not ok 1 - a"; echo "ok 2 - b"; echo 1..2; exit 1'
mktest skips <<<'echo "ok 1 - a # SKIP no b"; echo 1..1'
mktest silent <<<':'
mktest cut <<<'echo "ok 1 - a"; kill -KILL $$'
mktest fewer <<<'echo "ok 1 - a"; echo 1..2'
mktest status <<<'echo "ok 1 - a"; echo 1..1; exit 5'
mktest hangs <<<'echo "ok 1 - a"; sleep 1000 & echo $! >"$PID"; wait'
export PID=$T/pid

counts() { # TEST WANTED-LAST-LINE WANTED-STATUS
	local rc
	LIMIT=${LIMIT:-60} "$TOP/tests/run" "$T/$1.sh" >"$T/out" 2>&1
	rc=$?
	is "$1" "$2, exit $3" "$(tail -n 1 "$T/out"), exit $rc"
}
counts good '2 passed, 0 failed' 0
counts bad '1 passed, 1 failed' 1
counts skips '0 passed, 0 failed, 1 skipped' 1
ok 'a skip is seen' grep -q '^SKIPPED: ok 1 - a # SKIP no b$' "$T/out"
counts silent '0 passed, 1 failed' 1
counts cut '1 passed, 1 failed' 1
counts fewer '1 passed, 1 failed' 1
counts status '1 passed, 1 failed' 1
LIMIT=1 counts hangs '1 passed, 1 failed' 1
ok 'it is told' grep -q "^not ok - $T/hangs.sh: not done after 1 s$" "$T/out"
gone() { # who has no parent any more is gone when init has seen it
	local i
	for ((i = 0; i < 100; i++)); do
		kill -0 "$1" 2>/dev/null || return 0
		sleep 0.1
	done
	return 1
}
ok 'nothing is left running' gone "$(cat "$PID")"
"$TOP/tests/run" "$T/good.sh" "$T/bad.sh" "$T/skips.sh" >"$T/out" 2>&1
is 'the sum' '3 passed, 1 failed, 1 skipped' "$(tail -n 1 "$T/out")"
done_testing
