#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What a first run says of a layer, a second says, too: warnings, --strict.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

if ! have python3; then
	skip 'a second run is as strict' 'no python3'
	done_testing
fi
# shellcheck source=verify.bash
. "$TOP/tests/cases/verify.bash"

mktar "$T/odd.tar" <<-'TEXT'
	file a data=x
TEXT
# Two zero blocks are the end: cut them, and what fills the last record.
python3 - "$T/odd.tar" <<-'PYTHON'
	import sys
	with open(sys.argv[1], 'r+b') as f:
	    f.truncate(1024)
PYTHON
mkimage docker "$T/odd.docker.tar" odd:1 "$T/odd.tar"
warn='without its two zero blocks'
# run [OPTION...]
# shellcheck disable=SC2120
run() { unik-convert -f iso "$@" "$T/odd.docker.tar" "$T/odd" 2>&1; }
is 'a first run warns' 1 "$(run | grep -c "$warn")"
is 'a second run warns' 1 "$(run | grep -c "$warn")"
status 'a second run that is strict refuses' 1 run --strict
rm -r "$T/odd"
status 'a first one does' 1 run --strict
# shellcheck disable=SC2120
bare() { unik-convert -f iso "$@" "$T/odd.tar" "$T/bare" 2>&1; }
is 'a bare layer, a first run' 1 "$(bare | grep -c "$warn")"
is 'and a second' 1 "$(bare | grep -c "$warn")"
status 'that is strict' 1 bare --strict
done_testing
