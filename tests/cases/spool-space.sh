#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A compressed layer is unpacked to the destination, and gives its space back
# while its image is written: both fit where one and a half of them do.
. "$(dirname "$0")/../lib.sh"

cleanup() { mountpoint -q "$T/small" && umount "$T/small"; }

mkdir "$T/small" "$T/files"
if ! mount -t tmpfs -o size=66m none "$T/small" 2>/dev/null; then
	skip "a layer and its image on a small filesystem" \
		"mounting needs root"
	done_testing
fi
python3 - "$T/files" <<'P'
import random, sys
random.seed(1)
for i in range(43):
    with open('%s/%02d' % (sys.argv[1], i), 'wb') as f:
        f.write(random.randbytes(1 << 20))
P
# In the order in which images are written, as layers mostly are.
tar -C "$T/files" --sort=name -cf "$T/layer.tar" .
gzip -1 <"$T/layer.tar" >"$T/layer.tar.gz"

for format in iso ext2; do
	for target in oci flat; do
		ok "$target, $format: it fits" unik-convert -q -f $format \
			--target=$target "layer:$T/layer.tar.gz" \
			"$T/small/packed"
		unik-convert -q -f $format --target=$target \
			"layer:$T/layer.tar" "$T/plain-$target-$format"
		ok "$target, $format: the image of the plain layer" \
			diff -r "$T/small/packed/images" \
			"$T/plain-$target-$format/images"
		rm -rf "$T/small/packed"
	done
done
# Twice the layer, and the first image, is too much.
status "two formats do not" 3 unik-convert -q -f iso -f ext2 \
	"layer:$T/layer.tar.gz" "$T/small/packed"
is "and nothing is left" '' "$(find "$T/small" -type f)"
done_testing
