#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The table that unik-convert prints: a layer a line, a merged image once.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

if ! have python3; then
	skip 'the table' 'no python3'
	done_testing
fi
# shellcheck source=verify.bash
. "$TOP/tests/cases/verify.bash"

# table ARG...: the columns but the digits of digests, and sizes as "N".
table() {
	unik-convert "$@" 2>/dev/null | sed -E 's/sha256:[0-9a-f]{12} /ID /
		s/ [0-9]+  (sha256-|x|-)/ N  \1/; s/(sha256-)[0-9a-f]{64}/\1X/
		s/ +/ /g; s/^ //'
}
head='LAYER DIFF_ID ENTRIES IMAGE SIZE IMAGE'
app=$T/app.tar
is 'one image a layer: each is named, a repeated layer too' "$head
0 ID 8 N sha256-X.iso
1 ID 3 N sha256-X.iso
2 ID 8 N sha256-X.iso" "$(table "$app" "$T/store")"
is 'what a whiteout merges is named once' "$head
0 ID 8 N sha256-X.iso
1 ID 3 \" \"
2 ID 8 N sha256-X.iso" "$(table -t rumprun "$app" "$T/store")"
is 'one image for all' "$head
0 ID 8 N x
1 ID 3 \" \"
2 ID 8 \" \"" "$(cd "$T" && table -t flat "$app" image:x)"
is 'the columns stand' 1 "$(unik-convert -t rumprun "$app" "$T/store" |
	sed 's/["0-9]  .*//' | awk '{ print length }' | tail -n +2 | uniq | wc -l)"
done_testing
