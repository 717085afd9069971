#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A destination that is no regular file is left alone: a device, FIFO, socket,
# directory or symlink is not replaced by a file.
. "$(dirname "$0")/../lib.sh"

mkdir "$T/there"
echo one >"$T/there/one"
tar -C "$T/there" -cf "$T/layer.tar" .
cd "$T" || exit 3
ln -s there/one to-file
ln -s nowhere to-nothing
mkfifo fifo
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
mknod device c 1 3 2>/dev/null || skip "a device" "mknod needs root"
ln -s /dev/null to-device

look() { stat -c '%F %N' "$1"; }
for at in there to-file to-nothing fifo socket device to-device; do
	[ -e $at ] || [ -L $at ] || continue
	before=$(look $at)
	for kind in image docker-archive oci-archive; do
		status "$kind:$at" 3 unik-convert -q layer:layer.tar "$kind:$at"
		is "$kind:$at: it stays" "$before" "$(look $at)"
	done
done
is "what a symlink points to stays" one "$(cat there/one)"
is "it says why" "unik-convert: 'fifo': it is there already, and no regular file" \
	"$(unik-convert -q layer:layer.tar docker-archive:fifo 2>&1)"
is "nothing is left" '' "$(find . -name '.unik*')"
is "-: a device by redirection" 0 \
	"$(unik-convert -q layer:layer.tar - >/dev/null; echo $?)"
done_testing
