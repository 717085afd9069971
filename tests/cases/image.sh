#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The image room on sources that real tools make (umoci, skopeo, tar, gzip,
# zstd, xz, bzip2): one image in all its containers has the same layers.  And,
# where the shared corpus is, every image of it.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
needs imgls mkimg

say() { imgls -t "$T" "$@" 2>"$T/err"; }
# The diff_ids of a source, one a line, or the message.
ids() { if say "$@" | grep -o 'diff_id=[^ ]*'; then :; else cat "$T/err"; fi; }
names() { say "$@" | sed -n 's/^name //p'; }
# refused TEXT PATTERN ARGUMENT...: exit 1 and one line that has the pattern.
refused() {
	local text=$1 pattern=$2 out rc
	shift 2
	out=$(imgls -t "$T" "$@" 2>&1 >/dev/null | grep -v warning)
	imgls -t "$T" "$@" >/dev/null 2>&1
	rc=$?
	if [ $rc = 1 ] && [ "$(printf '%s\n' "$out" | wc -l)" = 1 ] &&
		printf '%s' "$out" | grep -qe "$pattern"; then
		pass "$text: $out"
	else
		fail "$text: exit $rc: $out"
	fi
}
sha() { sha256sum "$1" | cut -d' ' -f1; }

# ---- images of filesystems, which begin like an empty tar

for format in iso ext2; do
	echo 'file a text=a' | mkimg $format "$T/fs.$format"
	gzip -n <"$T/fs.$format" >"$T/fs.$format.gz"
	is="an $format.* image, not a tar"
	[ $format = ext2 ] || is='an ISO 9660 image, not a tar'
	refused "$format" "$is" "$T/fs.$format"
	refused "$format in gzip" "$is" "$T/fs.$format.gz"
	refused "$format as an archive" "$is" "docker-archive:$T/fs.$format"
	for command in unik-verify unik-inspect; do
		ok "$command takes $format" $command "$T/fs.$format"
	done
done
rm "$T"/fs.*

# ---- without any tool: an OCI layout by hand, as an archive and a directory

L=$T/hand
mkdir -p "$L/blobs/sha256" "$T/root/etc"
echo one >"$T/root/etc/one"
head -c 300000 /dev/zero >"$T/root/zeros"
tar -C "$T/root" -cf "$T/a.tar" etc
tar -C "$T/root" -cf "$T/b.tar" etc zeros
put() { cp "$1" "$L/blobs/sha256/$(sha "$1")"; }
descriptor() {
	printf '{"mediaType":"%s","digest":"sha256:%s","size":%s}' \
		"$2" "$(sha "$1")" "$(stat -c %s "$1")"
}
layer=application/vnd.oci.image.layer.v1.tar
cat >"$T/config" <<-END
{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[
"sha256:$(sha "$T/a.tar")","sha256:$(sha "$T/b.tar")"]}}
END
gzip -n <"$T/b.tar" >"$T/b.gz"
put "$T/a.tar"
put "$T/b.gz"
put "$T/config"
cat >"$T/manifest" <<-END
{"schemaVersion":2,
"config":$(descriptor "$T/config" application/vnd.oci.image.config.v1+json),
"layers":[$(descriptor "$T/a.tar" "$layer+gzip"),
$(descriptor "$T/b.gz" "$layer")]}
END
put "$T/manifest"
echo '{"imageLayoutVersion":"1.0.0"}' >"$L/oci-layout"
printf '{"schemaVersion":2,"manifests":[%s]}' "$(descriptor "$T/manifest" \
	application/vnd.oci.image.manifest.v1+json)" >"$L/index.json"
want=$(printf 'diff_id=sha256:%s\n' "$(sha "$T/a.tar")" "$(sha "$T/b.tar")")

is "directory" "$want" "$(ids "oci:$L")"
is "directory, bare path" "$want" "$(ids "$L")"
is "a directory's name" hand "$(names "$L/")"
tar -C "$L" -cf "$T/hand.tar" .
tar -C "$L" -cf "$T/plain.tar" oci-layout index.json blobs
is "archive with ./" "$want" "$(ids "$T/hand.tar")"
is "archive" "$want" "$(ids "oci-archive:$T/plain.tar")"
tar -C "$L" -cf "$T/back.tar" blobs index.json oci-layout
is "members in another order" "$want" "$(ids "$T/back.tar")"
tar -C "$L" --format=v7 -cf "$T/v7.tar" blobs index.json oci-layout
is "a v7 archive" "$want" "$(ids "$T/v7.tar")"
tar -C "$L" --format=pax -cf "$T/pax.tar" blobs index.json oci-layout
is "a pax archive" "$want" "$(ids "$T/pax.tar")"
for tool in gzip zstd xz bzip2; do
	$tool <"$T/hand.tar" >"$T/hand.$tool"
	is "archive in $tool" "$want" "$(ids "$T/hand.$tool")"
	is "archive in $tool through a pipe" "$want" \
		"$(ids - < <(cat "$T/hand.$tool"))"
	size=$(stat -c %s "$T/hand.$tool")
	head -c $((size - 20)) "$T/hand.$tool" >"$T/cut.$tool"
	refused "archive in $tool, cut" 'cut.*cut' "$T/cut.$tool"
done
is "archive through a pipe" "$want" "$(ids - < <(cat "$T/hand.tar"))"
is "archive as standard input" "$want" "$(ids - <"$T/hand.tar")"
is "kind named, through a pipe" "$want" \
	"$(ids oci-archive:- < <(cat "$T/hand.tar"))"
is "the name of a pipe" - "$(names - < <(cat "$T/hand.tar"))"
is "standard input from its place on" "$want" \
	"$({ read -r _; ids -; } < <(echo skipped; cat "$T/hand.tar"))"
is "a named pipe" "$want" "$(mkfifo "$T/fifo"; cat "$T/hand.tar" >"$T/fifo" &
	ids "$T/fifo")"
is "nothing is left of spools" "" "$(find "$T" -name '.unik*')"
refused "an empty pipe" 'it is empty' - </dev/null
refused "an empty pipe for an archive" 'it is empty' docker-archive:- </dev/null
for n in 100 512 5000 12000; do
	head -c $n "$T/plain.tar" >"$T/cut.tar"
	refused "cut at $n bytes" . "$T/cut.tar"
done
say -t "$T/nowhere" - < <(cat "$T/hand.tar") >/dev/null
is "no place for a spool is no fault of the input" 3 $?
say "$T/nothing" >/dev/null
is "a missing file is none either" 3 $?
say "oci:$T/hand.tar" >/dev/null
is "a file is no directory" 2 $?
say "docker-archive:$L" >/dev/null
is "a directory is no archive" 2 $?
say - <&- >/dev/null
is "closed standard input" 3 $?
cp "$T/hand.tar" "$T/with:colon"
is "a colon in a path" "$want" "$(ids "$T/with:colon")"
is "the bytes are those of the layers" "$(cat "$T/a.tar" "$T/b.gz" | sha256sum)" \
	"$(say -b "$T/hand.tar" | sha256sum)"

# A member that tar stores sparse is laid out in a spool.
head -c 3000000 /dev/zero >"$L/blobs/sha256/zeros"
cp --sparse=always "$L/blobs/sha256/zeros" "$T/sparse"
{ cat "$T/a.tar"; truncate -s 2M "$T/hole"; cat "$T/hole"; } >"$T/c.tar"
cp --sparse=always "$T/c.tar" "$T/c.sparse"
for format in gnu pax; do
	S=$T/sparse-$format
	mkdir "$S"
	printf '[{"Config":"config","Layers":["a.tar","c.tar"]}]' \
		>"$S/manifest.json"
	cp "$T/config" "$S/config"
	cp "$T/a.tar" "$S/a.tar"
	cp --sparse=always "$T/c.sparse" "$S/c.tar"
	tar -C "$S" -S --format=$format -cf "$T/sparse.tar" .
	ok "$format: tar stored it sparse" \
		test "$(stat -c %s "$T/sparse.tar")" -lt 1000000
	is "$format: a sparse member" "$(cat "$T/a.tar" "$T/c.tar" | sha256sum)" \
		"$(say -b "$T/sparse.tar" | sha256sum)"
done
rm "$L/blobs/sha256/zeros"

# ---- directories: links stay inside

D=$T/linked
cp -a "$L" "$D"
mkdir "$D/store"
mv "$D/blobs/sha256" "$D/store/real"
ln -s ../store/real "$D/blobs/sha256"
b=$(sha "$T/b.gz")
mv "$D/store/real/$b" "$D/data"
ln -s ../../data "$D/store/real/$b"
is "symlinked blobs and directories" "$want" "$(ids "$D")"
cp "$T/b.gz" "$T/outside"
ln -sfn ../../../outside "$D/store/real/$b"
refused "a link out of the directory" 'leaves the source' "$D"
ln -sfn "$D/data" "$D/store/real/$b"
refused "an absolute link" 'leaves the source' "$D"
ln -sfn "$b" "$D/store/real/$b"
refused "a link to itself" 'loop' "$D"
rm "$D/store/real/$b"
mkfifo "$D/store/real/$b"
refused "a FIFO" 'not a regular file' "$D"
rm "$D/store/real/$b"
mkdir "$D/store/real/$b"
refused "a directory for a blob" 'not a regular file' "$D"
rmdir "$D/store/real/$b"
refused "a missing blob" "$b is missing" "$D"
rm "$D/index.json"
refused "no index.json" "'index.json' is missing" "$D"
mkdir "$T/empty"
refused "an empty directory" "'index.json' is missing" "$T/empty"

# ---- bare layers

for tool in cat gzip zstd xz bzip2; do
	$tool <"$T/b.tar" >"$T/bare"
	out=$(say "$T/bare" | grep -E '^(kind|name|layer)')
	is "a bare layer by $tool" "kind layer
name bare
layer 0 diff_id=- blob=- size=$(stat -c %s "$T/bare") type= by=" "$out"
	is "its bytes" "$(sha "$T/bare")" \
		"$(say -b - < <(cat "$T/bare") | sha256sum | cut -d' ' -f1)"
done
: >"$T/zero"
refused "an empty file" 'it is empty' "$T/zero"
is "an empty layer" "kind layer" "$(say "layer:$T/zero" | head -n 1)"
echo hello >"$T/text"
refused "a text" 'tar' "$T/text"
gzip -c "$T/text" >"$T/text.gz"
refused "a compressed text" 'tar' "$T/text.gz"

# ---- umoci and skopeo

if have umoci && have skopeo; then
	O=$T/oci
	umoci init --layout "$O" &&
		umoci new --image "$O:1" &&
		umoci raw add-layer --image "$O:1" "$T/a.tar" &&
		umoci raw add-layer --image "$O:1" "$T/b.tar" &&
		umoci raw add-layer --image "$O:1" "$T/a.tar" &&
		umoci config --image "$O:1" --os linux --architecture amd64 \
			--config.cmd sh --config.env A=1 &&
		umoci config --image "$O:1" --tag 2 --architecture arm64
	a=sha256:$(sha "$T/a.tar") b=sha256:$(sha "$T/b.tar")
	want=$(printf 'diff_id=%s\n' "$a" "$b" "$a")
	is "umoci" "$want" "$(ids "oci:$O:1")"
	is "umoci: both tags are listed" 1 "$(say "$O" 2>&1; grep -c \
		"'1' (linux/amd64).*'2' (linux/arm64)" "$T/err")"
	is "umoci: the platform is that tag's" "platform linux/arm64/" \
		"$(say "$O:2" | grep platform)"
	is "umoci: a platform chooses" 2 "$(names -p linux/arm64 "$O")"
	copy() { skopeo --insecure-policy copy -q "$@"; }
	copy "oci:$O:1" "docker-archive:$T/d.tar:example.com/app:1.0"
	is "skopeo docker-archive" "$want" "$(ids "$T/d.tar")"
	is "by its tag" "$want" "$(ids "docker-archive:$T/d.tar:1.0")"
	is "by its full name" example.com/app:1.0 \
		"$(names "docker-archive:$T/d.tar:example.com/app:1.0")"
	copy "oci:$O:1" "oci-archive:$T/o.tar:app:1.0"
	is "skopeo oci-archive" "$want" "$(ids "$T/o.tar")"
	copy --dest-compress-format zstd --dest-compress \
		"docker-archive:$T/d.tar" "oci:$T/z:zstd"
	is "skopeo zstd" "$want" "$(ids "oci:$T/z:zstd")"
	copy --format v2s2 "oci:$O:1" "dir:$T/dir"
	tar -C "$T/dir" -cf "$T/dir.tar" .
	refused "a tar of skopeo's dir:" "'dir:'" "$T/dir.tar"
	refused "skopeo's dir:" "'index.json' is missing" "$T/dir"
else
	skip "umoci and skopeo" "one of them is not installed"
fi

# ---- the shared corpus

C=$TOP/../shared/corpus
[ -e "$C/images.json" ] || C=/work/shared/corpus
if [ ! -e "$C/images.json" ]; then
	skip "the shared corpus" "it is not here"
	done_testing
fi
jq -r 'to_entries[] | [.key, .value.expected, .value.reason // "-",
	.value.platform, ((.value.layers // []) | join(","))] | @tsv' \
	"$C/images.json" >"$T/list"
while IFS=$'\t' read -r name expected reason platform layers; do
	out=$(say -p "$platform" "$C/images/$name")
	rc=$?
	got=$(printf '%s\n' "$out" | sed -n 's/.*diff_id=\([^ ]*\).*/\1/p' |
		paste -sd,)
	lines=$(grep -vc warning "$T/err")
	case $expected.$reason in
	# What is about the bytes of layers is for the layer room to see.
	reject.diffid | reject.digest) continue ;;
	ok.*) good=$([ $rc = 0 ] && [ "$got" = "$layers" ] && echo yes) ;;
	reject.*) good=$([ $rc = 1 ] && [ "$lines" = 1 ] && echo yes) ;;
	either.*)
		if [ $rc = 0 ]; then
			good=$([ -z "$layers" ] || [ "$got" = "$layers" ] &&
				echo yes)
		else
			good=$([ $rc = 1 ] && [ "$lines" = 1 ] && echo yes)
		fi
		;;
	esac
	if [ "$good" = yes ]; then
		pass "$expected $name $(cat "$T/err")"
	else
		fail "$expected $name: exit $rc: $(cat "$T/err")"
	fi
done <"$T/list"
done_testing
