#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The same tree gives the same bytes, whatever carries it and whoever converts.
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/real/images.bash"

if ! need_images; then
	skip "the same bytes from everywhere" "$why_not"
	done_testing
fi

# Converts into a store of its own; prints the names of the images, which are
# the digests of their bytes.
images() { # ARG... (of unik-convert, the source last)
	"${tool:-unik-convert}" -q -f iso -f ext2 "$@" "$T/store" ||
		echo "exit $?"
	ls "$T/store/images"
	rm -rf "$T/store"
}

# All images of a source; each from its own conversion.
same() { # TEXT ARG...
	local text=$1
	shift
	is "$text" "$want" "$(images "$@" 2>&1)"
}

layer_image() { # FORMAT TAR
	unik-convert -q -f "$1" "layer:$2" image:- | sha256sum
}

# ---- a whole image ----

want=$(images "docker-archive:$C/debian.docker.tar")
is "five layers, two formats: ten images" 10 "$(wc -l <<<"$want")"
same "Debian: OCI archive, gzip" "oci-archive:$C/debian.gzip.tar"
same "Debian: OCI archive, zstd" "oci-archive:$C/debian.zstd.tar"
same "Debian: found out by content" "$C/debian.gzip.tar"
same "Debian: one layer at a time" -j1 "$C/debian.docker.tar"
same "Debian: four at a time" -j4 "$C/debian.docker.tar"
same "Debian: through a pipe" - <"$C/debian.gzip.tar"
TZ=Pacific/Auckland LC_ALL=POSIX same "Debian: elsewhere, another locale" \
	"$C/debian.zstd.tar"

want=$(images "$C/busybox.docker.tar")
is "busybox: three layers, two formats" 6 "$(wc -l <<<"$want")"
for zone in UTC America/St_Johns Asia/Kolkata; do
	TZ=$zone same "busybox: in $zone" "$C/busybox.docker.tar"
done
for locale in C C.UTF-8 en_US.UTF-8 tr_TR.UTF-8; do
	LC_ALL=$locale same "busybox: in locale $locale" "$C/busybox.gzip.tar"
done
for mask in 077 000 027; do
	is "busybox: under umask $mask" "$want" \
		"$(umask $mask && images "$C/busybox.docker.tar")"
done
mkdir "$T/dir"
tar -C "$T/dir" -xf "$C/busybox.zstd.tar"
same "busybox: OCI directory" "oci:$T/dir"
is "busybox: from inside it" "$want" "$(cd "$T/dir" && images .)"
for packer in 'gzip -1' 'gzip -9' 'zstd -q -19' xz bzip2; do
	$packer -c <"$C/busybox.docker.tar" >"$T/whole"
	same "busybox: all of it in $packer" "$T/whole"
	same "busybox: the same through a pipe" - <"$T/whole"
done
is "busybox: through a slow pipe" "$want" "$({
	head -c 100000 "$C/busybox.gzip.tar"
	sleep 0.2
	tail -c +100001 "$C/busybox.gzip.tar"
} | images -)"

# ---- single layers ----

for number in 02 03; do
	layer=$C/debian.layers/$number.tar
	iso=$(layer_image iso "$layer") ext2=$(layer_image ext2 "$layer")
	for seed in sorted reverse 1 2 3; do
		python3 "$TOP/tests/tools/shuffle.py" $seed "$layer" "$T/layer.tar"
		is "layer $number, order '$seed': iso" "$iso" \
			"$(layer_image iso "$T/layer.tar")"
		is "layer $number, order '$seed': ext2" "$ext2" \
			"$(layer_image ext2 "$T/layer.tar")"
	done
	for packer in 'gzip -1' 'gzip -9' 'zstd -q -1' 'zstd -q -19' 'xz -1' \
		bzip2; do
		$packer -c <"$layer" >"$T/layer.tar"
		is "layer $number in $packer: iso" "$iso" \
			"$(layer_image iso "$T/layer.tar")"
		is "layer $number in $packer: ext2" "$ext2" \
			"$(layer_image ext2 "$T/layer.tar")"
	done
done
python3 "$TOP/tests/tools/shuffle.py" 7 "$C/debian.layers/00.tar" "$T/layer.tar"
for format in iso ext2; do
	is "the Debian base, shuffled: $format" \
		"$(layer_image $format "$C/debian.layers/00.tar")" \
		"$(layer_image $format "$T/layer.tar")"
done

# The dialect of the tar does not matter where it can say the same.
mkdir -p "$T/tree/dir/deep/er"
echo data >"$T/tree/dir/file"
ln "$T/tree/dir/file" "$T/tree/dir/deep/hard"
ln -s ../file "$T/tree/dir/deep/er/link"
find "$T/tree" -exec touch -h -d @1600000000 {} +
for dialect in v7 ustar oldgnu gnu pax posix; do
	tar -C "$T/tree" --format=$dialect --owner=3 --group=4 \
		--numeric-owner -cf "$T/$dialect.tar" .
done
bsdtar -C "$T/tree" --format=pax --uid=3 --gid=4 --uname '' --gname '' \
	-cf "$T/bsdtar.tar" .
for format in iso ext2; do
	first=$(layer_image $format "$T/v7.tar")
	for dialect in ustar oldgnu gnu pax posix bsdtar; do
		is "a tar in the form $dialect: $format" "$first" \
			"$(layer_image $format "$T/$dialect.tar")"
	done
done

# ---- another compiler ----

other=clang
case ${CC:-cc} in *clang*) other=gcc ;; esac
if [ -n "${SANITIZE:-}" ]; then
	skip "built by $other" "a sanitizer build is at work"
elif have $other; then
	if make -C "$TOP" -s B="$T/other" CC=$other ISAL=0 CFLAGS=-O1 \
		"$T/other/unik-convert" >"$T/log" 2>&1; then
		tool=$T/other/unik-convert same "busybox: built by $other" \
			"$C/busybox.gzip.tar"
		want=$(images "$C/debian.gzip.tar")
		tool=$T/other/unik-convert same "Debian: built by $other" \
			"$C/debian.gzip.tar"
	else
		fail "builds with $other: $(tail -n 3 "$T/log")"
	fi
else
	skip "built by $other" "no $other"
fi
done_testing
