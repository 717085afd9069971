#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A bare layer that the store has already costs its blob digest only.  No file
# of more than 100 KiB may be written where nothing is to be made.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
trap '' XFSZ

# layer FILE TEXT: a tar of 3 MiB, the same size for each text of one size.
layer() {
	rm -rf "$T/root"
	mkdir -p "$T/root/etc"
	seq 1 400000 >"$T/root/etc/numbers"
	echo "$2" >"$T/root/etc/text"
	tar --owner=0 --group=0 --numeric-owner --mtime=@1 --sort=name \
		-cf "$1" -C "$T/root" etc
}
# again STORE ARG...: nothing large is written
again() { (
	ulimit -f 100
	unik-convert -q --json "${@:2}" "$1"
) ; }

layer "$T/a.tar" one
gzip -n <"$T/a.tar" >"$T/a.tar.gz"
first=$(unik-convert -q --json -f iso -f ext2 "$T/a.tar" "$T/store")
status 'a first run writes more than that' 3 again "$T/other" "$T/a.tar"
is 'a second one makes no image, and says the same' "$first" \
	"$(again "$T/store" -f iso -f ext2 "$T/a.tar")"
is 'in one format' "$(head -n 1 <<<"$first")" \
	"$(again "$T/store" -f iso "$T/a.tar")"
status 'from standard input, whose name the store does not know' 3 \
	again "$T/store" -f iso - <"$T/a.tar"
unik-convert -q -f iso - "$T/store" <"$T/a.tar"
ok 'from standard input, again' again "$T/store" -f iso - <"$T/a.tar"
ok 'what it left verifies' unik-verify "$T/store"

first=$(unik-convert -q --json -f iso "layer:$T/a.tar.gz" "$T/gz")
is 'compressed' "$first" "$(again "$T/gz" -f iso "layer:$T/a.tar.gz")"

# ---- what is not the same is not taken for it ----

mkdir "$T/b"
layer "$T/b/a.tar" two
is 'two layers of one size' "$(stat -c %s "$T/a.tar")" \
	"$(stat -c %s "$T/b/a.tar")"
is 'another layer of that name and size is another' \
	"$(unik-convert -q --json -f iso "$T/b/a.tar" "$T/alone")" \
	"$(unik-convert -q --json -f iso "$T/b/a.tar" "$T/store")"
is 'and the first comes back' "$(head -n 1 \
	<<<"$(unik-convert -q --json -f iso "$T/a.tar" "$T/alone2")")" \
	"$(unik-convert -q --json -f iso "$T/a.tar" "$T/store")"
is 'bytes cut off are seen' 1 "$(head -c 1000000 "$T/a.tar" |
	unik-convert -q -f iso - "$T/store" >"$T/out" 2>&1; echo $?)"

# A record that was made of another blob, or is damaged, or away, is none.
for how in other damaged away; do
	rm -rf "$T/s"
	unik-convert -q -f iso "layer:$T/a.tar.gz" "$T/s"
	for record in "$T/s"/layers/*.json; do
		case $how in
		other) cp "$(echo "$T"/alone2/layers/*.json)" "$record" ;;
		damaged) sed -i 's/"size":/"size":1/' "$record" ;;
		away) rm "$record" ;;
		esac
	done
	status "a record that is $how: the image is made again" 3 \
		again "$T/s" -f iso "layer:$T/a.tar.gz"
	is "to the same end" "$first" "$(unik-convert -q --json -f iso \
		"layer:$T/a.tar.gz" "$T/s")"
done
unik-convert -q -f iso "$T/a.tar" "$T/s2"
chmod u+w "$T"/s2/images/*
rm "$T"/s2/images/*
status 'an image that is away is made again' 3 again "$T/s2" -f iso "$T/a.tar"

# What was once read as a layer may still be an image.
mkdir -p "$T/i/blobs/sha256"
echo '{"imageLayoutVersion":"1.0.0"}' >"$T/i/oci-layout"
tar -cf - -C "$T/i" . | gzip -n >"$T/i.tar.gz"
unik-convert -q -f iso "layer:$T/i.tar.gz" "$T/doubt"
status 'an image is not taken for the layer that it was once called' 1 \
	unik-convert -q -f iso "$T/i.tar.gz" "$T/doubt"
done_testing
