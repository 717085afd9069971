#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Odd images through unik-convert: no layers, one layer twice, an empty layer,
# sources that end too early, and a layer of more than 4 GiB.
. "$(dirname "$0")/../lib.sh"

mktar() { python3 "$TOP/tests/tools/mktar.py" >"$1"; }
docker() { # FILE NAME [LAYER...]
	python3 -c 'import sys
sys.path.insert(0, sys.argv[1] + "/tests/tools")
import mkimage
layers = [open(x, "rb").read() for x in sys.argv[4:]]
mkimage.docker(sys.argv[2], sys.argv[3], layers, "/bin/sh")' "$TOP" "$@"
}
images() { find "$1/images" -type f | wc -l; }
stack() { jq -c '[(.layers | length), ([.stack[].layers] | add)]' "$T/json"; }
convert() { # STORE OPTION... SOURCE
	local store=$1
	shift
	mkdir "$store" && unik-convert --json "$@" "$store/" >"$T/json"
}
# refused TEXT STATUS PATTERN SOURCE: one line, and nothing is made.
refused() {
	rm -rf "$T/bad"
	mkdir "$T/bad"
	unik-convert "$4" "$T/bad/" >"$T/out" 2>"$T/errors"
	is "$1: exit status" "$2" $?
	ok "$1: one line: $(cat "$T/errors")" \
		[ "$(wc -l <"$T/errors")" = 1 ]
	ok "$1: it says why" grep -q -- "$3" "$T/errors"
	is "$1: nothing is made" '' "$(find "$T/bad" ! -type d)"
}

printf 'file a data=1\nfile b data=2\nend\n' | mktar "$T/a.tar"
printf 'end\n' | mktar "$T/empty.tar"

# ---- no layers

docker "$T/none.tar" none:1
for t in oci linux rumprun; do
	ok "no layers: $t" convert "$T/none-$t" -t $t "$T/none.tar"
	is "no layers: $t: no images" '0 [0,null]' \
		"$(images "$T/none-$t") $(stack)"
	ok "no layers: $t: verifies" unik-verify -q \
		"--source=$T/none.tar" "$T/none-$t"
done
ok 'no layers: flat' convert "$T/none-flat" -t flat "$T/none.tar"
is 'no layers: flat: one image of an empty root' 1 "$(images "$T/none-flat")"
ok 'no layers: flat: verifies' unik-verify -q "--source=$T/none.tar" \
	"$T/none-flat"

# ---- the same layer twice, the empty layer

docker "$T/twice.tar" twice:1 "$T/a.tar" "$T/empty.tar" "$T/a.tar"
ok 'the same layer twice' convert "$T/twice" "$T/twice.tar"
is 'the same layer twice: is one image' '2 [3,[0,1,2]]' \
	"$(images "$T/twice") $(stack)"
is 'the same layer twice: which the stack holds twice' true \
	"$(jq '.stack[0].image == .stack[2].image' "$T/json")"
is 'the empty layer: has no entries' 0 \
	"$(jq '[.layers[1].entries[]] | add' "$T/json")"
ok 'the same layer twice: verifies' unik-verify -q \
	"--source=$T/twice.tar" "$T/twice"

# ---- sources that end too early

unik_convert_without_output() {
	unik-convert "$T/twice.tar" "$T/bad/" >&-
}

manifest=$(python3 -c 'import sys, tarfile
print(tarfile.open(sys.argv[1]).getmember("manifest.json").offset)' \
	"$T/twice.tar")
early() { refused "$2" 1 "$3" - < <(head -c "$1" "$T/twice.tar"); }
early "$manifest" 'standard input closed before the manifest' manifest.json
early 700 'standard input closed inside a member' 'the tar ends inside'
early 0 'standard input closed at once' 'it is empty'
refused 'no standard input' 3 "can't read" - <&-
rm -rf "$T/bad"
mkdir "$T/bad"
status 'no standard output' 3 unik_convert_without_output
gzip -n <"$T/twice.tar" | head -c 300 >"$T/cut.tar.gz"
refused 'truncated gzip' 1 'gzip data' "$T/cut.tar.gz"

# A layer whose last entry is gone, without a word in the tar itself.
head -c 1024 "$T/a.tar" >"$T/cut.tar"
python3 - "$T" <<'END'
import sys, tarfile, io
d = sys.argv[1]
a, cut = (open(d + '/' + n, 'rb').read() for n in ('a.tar', 'cut.tar'))
with tarfile.open(d + '/twice.tar') as old, \
        tarfile.open(d + '/boundary.tar', 'w') as new:
    for member in old:
        data = old.extractfile(member).read()
        data = cut if data == a else data
        member.size = len(data)
        new.addfile(member, io.BytesIO(data))
END
refused 'a tar cut at a record boundary' 1 'sha256:' "$T/boundary.tar"

# ---- over 4 GiB: a tar with holes on the disk, and something behind the file

big=$((4294967296 + 5000))
if [ -n "${SANITIZE:-}${VALGRIND:-}" ]; then
	skip 'a layer over 4 GiB' 'sanitizers take long'
	done_testing
fi
printf 'file big size=%s pad=no\n' $big | mktar "$T/head.tar"
printf 'file behind data=found\nend\n' | mktar "$T/tail.tar"
truncate -s $(((512 + big - 3 + 511) / 512 * 512)) "$T/big.tar"
dd conv=notrunc status=none if="$T/head.tar" of="$T/big.tar"
printf end | dd conv=notrunc status=none bs=1 seek=$((512 + big - 3)) \
	of="$T/big.tar"
truncate -s %512 "$T/big.tar"
cat "$T/tail.tar" >>"$T/big.tar"
mkdir "$T/big"
ok 'a layer over 4 GiB' unik-convert -q -f iso -f ext2 "layer:$T/big.tar" \
	"$T/big/"
for format in iso ext2; do
	mv "$T/big/images"/*.$format "$T/big.$format"
	ok "a layer over 4 GiB: $format: holes on the disk" \
		[ "$(stat -c %b "$T/big.$format")" -lt 20000 ]
done
if have debugfs; then
	is 'a layer over 4 GiB: ext2: what comes behind' found \
		"$(debugfs -R 'cat behind' "$T/big.ext2" 2>/dev/null)"
else
	skip 'a layer over 4 GiB: ext2: read back' 'no debugfs'
fi
if have bsdtar; then
	is 'a file over 4 GiB: iso: its end' 'end' \
		"$(bsdtar -xOf "$T/big.iso" big | tail -c 3)"
	is 'a layer over 4 GiB: iso: what comes behind' found \
		"$(bsdtar -xOf "$T/big.iso" behind)"
else
	skip 'a layer over 4 GiB: iso: read back' 'no bsdtar'
fi
done_testing
