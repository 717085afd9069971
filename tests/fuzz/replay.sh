#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Every input of every fuzz target's corpus once more: no crash, no leak, no
# broken promise, no use of bytes that nobody set (valgrind; a build with
# SANITIZE=1 looks closer at the rest and does not run under it).
. "$(dirname "$0")/../lib.sh"

# The corpora stay small: a file under 20 kB, a corpus under 200 kB.
small() {
	local n=0 size f
	for f in "$@"; do
		size=$(stat -c %s "$f")
		[ "$size" -lt 20000 ] || { echo "$f has $size bytes"; return 1; }
		n=$((n + size))
	done
	[ "$n" -lt 200000 ] || { echo "$n bytes in all"; return 1; }
}

for target in "$TOP"/tests/fuzz/*/fuzz.c; do
	dir=${target%fuzz.c}
	name=$(basename "$dir")
	files=("$dir"corpus/*)
	if [ ! -e "${files[0]}" ]; then
		fail "$name has a corpus"
		continue
	fi
	ok "$name: ${#files[@]} inputs" "replay_$name" "${files[@]}"
	ok "$name: its corpus is small" small "${files[@]}"
	if [ -n "${SANITIZE:-}" ]; then
		continue
	elif have valgrind; then
		ok "$name: the same under valgrind" valgrind -q \
			--error-exitcode=9 --leak-check=full \
			"$BIN/tests/replay_$name" "${files[@]}"
	else
		skip "$name: the same under valgrind" "no valgrind"
	fi
done
done_testing
