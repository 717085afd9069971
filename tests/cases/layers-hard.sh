#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Hard layers: each case of tests/cases/layer/*.txt gives its tree, or its
# refusal, in both formats.  CASE=NAME runs one of them.
. "$(dirname "$0")/../lib.sh"

for format in ext2 iso; do
	python3 "$TOP/tests/tools/cases.py" $format \
		"$TOP"/tests/cases/layer/*.txt >"$T/$format" 2>"$T/err" ||
		printf 'not ok - cases.py: %s\n' \
			"$(tail -n 3 "$T/err" | tr '\n' ' ')" >>"$T/$format"
	# Numbered here, for both formats in one plan.
	while IFS= read -r line; do
		case $line in
		'ok - '*) pass "${line#ok - }" ;;
		'not ok - '*) fail "${line#not ok - }" ;;
		*) printf '%s\n' "$line" ;;
		esac
	done <"$T/$format"
done
done_testing
