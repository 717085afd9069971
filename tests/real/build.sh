#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes the real images that the other tests of this folder convert.
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/real/images.bash"

if need_images; then
	is "the busybox image has three layers" 3 \
		"$(find "$C/busybox.layers" -type f | wc -l)"
	is "the Debian image has five layers" 5 \
		"$(find "$C/debian.layers" -type f | wc -l)"
	ok "umoci made whiteouts" grep -q 'usr/share/.wh.doc$' \
		<(tar tf "$C/debian.layers/02.tar")
elif [ "$(id -u)" = 0 ] && [ -n "${CI:-}" ]; then
	fail "real images: $why_not"
else
	skip "real images" "$why_not"
fi
done_testing
