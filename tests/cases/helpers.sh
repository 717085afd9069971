#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A script that needs a helper of ours says at once when it was not built: it
# is run by hand after `make`, which builds none.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

cd "$TOP" || exit 3
words=()
for x in tests/tools/*.c tests/unit/test_*.c; do
	x=${x##*/}
	words+=(-e "${x%.c}")
done
mapfile -t files < <(grep -lw "${words[@]}" tests/*/*.sh
	grep -lE '/mount/(ext2|iso)\.bash"$' tests/mount/*.sh)
ok "some need helpers" test "${#files[@]}" -gt 9
for f in $(printf '%s\n' "${files[@]}" | sort -u); do
	[ "$f" = tests/cases/helpers.sh ] && continue
	out=$(B=$T/none timeout 60 bash "$f" </dev/null 2>&1)
	is "$f: fails" 1 $?
	ok "$f: says why" grep -q '^not ok 1 - .* is not built: make ' \
		<<<"$out"
done
done_testing
