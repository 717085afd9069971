#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The shared corpus, where it is at hand: images as every tool writes them, and
# hard layers, with what the reference implementations make of them.
. "$(dirname "$0")/../lib.sh"

corpus=${UNIK_CORPUS:-$TOP/../shared/corpus}
if [ ! -e "$corpus/layers.json" ]; then
	skip "the shared corpus" "there is no $corpus"
	done_testing
fi
for part in images layers; do
	relay python3 "$TOP/tests/tools/corpus.py" "$corpus" $part
done
done_testing
