#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Random layer sequences: stacks of all targets against the image-spec's rules.
# SEED=n COUNT=n tests/real/property.sh replays others than the fixed ones.
. "$(dirname "$0")/../lib.sh"

SEED=${SEED:-1} COUNT=${COUNT:-300}
cleanup() { umount "$T"/prop/*/*/m* 2>/dev/null; }

can_overlay() {
	[ "$(id -u)" = 0 ] || { why=root; return 1; }
	have losetup && have python3 || { why='losetup and python3'; return 1; }
	mkdir -p "$T/a" "$T/b" "$T/o"
	mount -t overlay -o "ro,lowerdir=$T/a:$T/b" none "$T/o" 2>/dev/null ||
		{ why='overlayfs'; return 1; }
	umount "$T/o"
	truncate -s 1M "$T/loop"
	dev=$(losetup --find --show "$T/loop" 2>/dev/null) ||
		{ why='loop devices'; return 1; }
	losetup -d "$dev"
}

if ! can_overlay; then
	skip "stacks of random layers" "needs $why"
	done_testing
fi
mkdir "$T/prop"
python3 "$TOP/tests/tools/stackprop.py" "$SEED" "$COUNT" "$T/prop"
