#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# --trust-blob-names: which blobs of an OCI directory are read in a second run.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

if ! have python3 || ! have skopeo; then
	skip 'names that are trusted' 'no python3 or skopeo'
	done_testing
fi
# shellcheck source=verify.bash
. "$TOP/tests/cases/verify.bash"

src=$T/layout
ok 'an OCI directory' skopeo copy -q "docker-archive:$T/app.tar" \
	"oci:$src:app"
convert() { unik-convert --json -q "$@" "oci:$src:app" "$T/own"; }
ok 'a first run reads all' convert --trust-blob-names
want=$(convert)
layer=$(jq -r '.layers[0].blob_digest' <<<"$want")
blob=$src/blobs/sha256/${layer#sha256:}
is 'a second run says the same' "$want" "$(convert --trust-blob-names)"

cp "$blob" "$T/blob"
printf 'X' | dd of="$blob" bs=1 seek=20 conv=notrunc status=none
status 'a blob that changed is found' 1 convert
is 'but not where its name is trusted' "$want" \
	"$(convert --trust-blob-names)"
truncate -s -1 "$blob"
status 'its size is looked at all the same' 1 convert --trust-blob-names
cp "$T/blob" "$blob"
rm -r "$T/own"
printf 'X' | dd of="$blob" bs=1 seek=20 conv=notrunc status=none
status 'what no store knows is read' 1 convert --trust-blob-names
cp "$T/blob" "$blob"

status 'an archive has no such names' 2 \
	unik-convert -q --trust-blob-names "$T/app.tar" "$T/own"
done_testing
