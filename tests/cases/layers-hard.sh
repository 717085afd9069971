#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Hard layers: each case of tests/cases/layer/*.txt gives its tree, or its
# refusal, in both formats.  CASE=NAME runs one of them.
. "$(dirname "$0")/../lib.sh"

# Both formats side by side; then their results.
for format in ext2 iso; do
	python3 "$TOP/tests/tools/cases.py" $format \
		"$TOP"/tests/cases/layer/*.txt >"$T/$format" 2>"$T/$format.err" ||
		echo "not ok - cases.py $format: $(tail -n 1 "$T/$format.err")" \
			>>"$T/$format" &
done
wait
relay cat "$T/ext2" "$T/iso"
done_testing
