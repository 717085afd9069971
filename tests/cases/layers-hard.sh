#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Hard layers: each case of tests/cases/layer/*.txt gives its tree, or its
# refusal, in both formats.  CASE=NAME runs one of them.
. "$(dirname "$0")/../lib.sh"

for format in ext2 iso; do
	relay python3 "$TOP/tests/tools/cases.py" $format \
		"$TOP"/tests/cases/layer/*.txt
done
done_testing
