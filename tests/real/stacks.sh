#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Stacks of real images, mounted, against `umoci unpack` of the same source;
# and what they share.
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/real/images.bash"

cleanup() {
	local m
	for m in $(mount | awk -v t="$T/" 'index($3, t) == 1 { print $3 }' |
		sort -r); do
		umount "$m"
	done
	for m in $(losetup -n -O NAME,BACK-FILE -l 2>/dev/null |
		awk -v t="$T/" 'index($2, t) == 1 { print $1 }'); do
		losetup -d "$m"
	done
}

if ! need_images; then
	skip "stacks of real images" "$why_not"
	done_testing
fi

# The tree that umoci makes of an OCI archive, as rows.
reference() { # NAME ARCHIVE
	mkdir -p "$T/$1.oci" "$T/$1.ref"
	tar -xf "$2" -C "$T/$1.oci"
	local tag
	tag=$(jq -r '.manifests[0].annotations["org.opencontainers.image.ref.name"]' \
		"$T/$1.oci/index.json")
	umoci raw unpack --image "$T/$1.oci:$tag" "$T/$1.ref" >"$T/log" 2>&1
	python3 "$TOP/tests/tools/treelib.py" dump "$T/$1.ref" >"$T/$1.want"
}

# Directories whose time umoci itself moves: those that a layer reaches into
# without an entry of their own.  Their times are left out on both sides.
same_tree() { # WANT DIR [DROP]
	python3 "$TOP/tests/tools/treelib.py" dump "$2" >"$T/got"
	python3 - "$1" "$T/got" <<'P'
import json, sys
a, b = ([json.loads(l) for l in open(p)] for p in sys.argv[1:3])
for rows in (a, b):
    for r in rows:
        if r['type'] == 'dir':
            r.pop('mtime', None)
a, b = ({r['path']: r for r in rows if r['path'] != '.'} for rows in (a, b))
bad = [p for p in sorted(set(a) | set(b)) if a.get(p) != b.get(p)]
for p in bad[:20]:
    print(p, 'want', a.get(p), 'got', b.get(p))
sys.exit(1 if bad or not a else 0)
P
}

mount_image() { # IMAGE DIR
	mkdir -p "$2"
	mount -o ro -t ext2 \
		"$(losetup --find --show --read-only "$1")" "$2"
}

stack_of() { # STORE REF
	jq -r '.stack[].image' "$1/refs/$2" | tr : -
}

check_flat() { # NAME SOURCE
	ok "$1: converts to flat" unik-convert -q --target=flat "$2" "$T/$1.flat"
	mount_image "$T/$1.flat"/images/*.ext2 "$T/$1.m"
	ok "$1: flat is what umoci unpacks" same_tree "$T/$1.want" "$T/$1.m"
	cleanup
}

check_linux() { # NAME SOURCE
	local i=0 lower="" image
	ok "$1: converts to linux" unik-convert -q --target=linux "$2" "$T/$1.lin"
	for image in $(stack_of "$T/$1.lin" "$(ls "$T/$1.lin/refs")"); do
		mount_image "$T/$1.lin/images/$image.ext2" "$T/$1.l$i"
		lower=$T/$1.l$i${lower:+:$lower}
		i=$((i + 1))
	done
	mkdir -p "$T/$1.o"
	if [ "$i" = 1 ]; then mkdir "$T/empty"; lower=$lower:$T/empty; fi
	ok "$1: overlayfs takes the stack" \
		mount -t overlay -o "ro,lowerdir=$lower" none "$T/$1.o"
	ok "$1: the linux stack is what umoci unpacks" \
		same_tree "$T/$1.want" "$T/$1.o"
	cleanup
}

reference debian "$C/debian.gzip.tar"
check_flat debian "$C/debian.docker.tar"
check_linux debian "$C/debian.gzip.tar"

# The multi-layer images of the shared corpus, where it is at hand.
K=$TOP/../shared/corpus/images
if [ -d "$K" ]; then
	for f in real/umoci-repack_bbml real/skopeo-oci-archive-gzip_bbml \
		real/podman-save-oci_bbml; do
		reference "${f#*/}" "$K/$f.tar"
		check_flat "${f#*/}" "$K/$f.tar"
		check_linux "${f#*/}" "$K/$f.tar"
	done
else
	skip "multi-layer images of the corpus" "no shared corpus here"
fi

# Three applications on one base: the base stays one file.
mkdir "$T/apps"
for app in one two three; do
	mkdir -p "$T/$app/srv"
	echo "$app" >"$T/$app/srv/$app"
	tar --sort=name --owner=0 --group=0 --mtime=@0 -cf "$T/apps/$app.tar" \
		-C "$T/$app" srv
	base=$(sha256sum <"$C/busybox.layers/00.tar" | cut -d' ' -f1)
	top=$(sha256sum <"$T/apps/$app.tar" | cut -d' ' -f1)
	mkdir "$T/$app.d"
	cp "$C/busybox.layers/00.tar" "$T/$app.d/base.tar"
	cp "$T/apps/$app.tar" "$T/$app.d/app.tar"
	printf '{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["sha256:%s","sha256:%s"]}}' \
		"$base" "$top" >"$T/$app.d/config.json"
	printf '[{"Config":"config.json","RepoTags":["%s:1"],"Layers":["base.tar","app.tar"]}]' \
		"$app" >"$T/$app.d/manifest.json"
	tar -cf "$T/$app.tar" -C "$T/$app.d" .
done
for target in oci linux rumprun; do
	for app in one two three; do
		ok "$target: converts application $app" unik-convert -q \
			--target=$target -f ext2 "$T/$app.tar" "$T/share.$target"
	done
	is "$target: three applications on one base are four images" 4 \
		"$(find "$T/share.$target/images" -name '*.ext2' | wc -l)"
done

# Files of the host, an empty image to write to, a root to write to.
mkdir -p "$T/conf/sub"
echo setting >"$T/conf/sub/file"
ln -s sub/file "$T/conf/link"
ok "bind and scratch" unik-convert -q --target=linux \
	--bind="$T/conf:/etc/app" --bind-owner=5:6 --scratch=4M \
	"$T/one.tar" "$T/bind"
touch "$T/conf/sub/file"
ok "bind again, files touched" unik-convert -q --target=linux \
	--bind="$T/conf:/etc/app" --bind-owner=5:6 --scratch=4M \
	"$T/one.tar" "$T/bind"
is "bound files are the same image whatever their times" 1 \
	"$(find "$T/bind/stacks" -type f | wc -l)"
mapfile -t images < <(stack_of "$T/bind" one:1.linux.ext2.json)
is "base, application, bind, scratch" 4 "${#images[@]}"
mount_image "$T/bind/images/${images[2]}.ext2" "$T/b"
is "the bound file" "setting 5:6 0" \
	"$(cat "$T/b/etc/app/sub/file") $(stat -c '%u:%g %Y' "$T/b/etc/app/sub/file")"
is "the bound symlink" sub/file "$(readlink "$T/b/etc/app/link")"
cleanup
cp --sparse=always "$T/bind/images/${images[3]}.ext2" "$T/scratch"
chmod 600 "$T/scratch"
mkdir -p "$T/w"
mount -o loop "$T/scratch" "$T/w"
ok "3 MiB go into the scratch image" \
	dd if=/dev/zero of="$T/w/data" bs=1M count=3 conv=fsync
umount "$T/w"
ok "e2fsck likes it after that" e2fsck -fn "$T/scratch"
ok "flat with free space" unik-convert -q --target=flat --free-space=8M \
	--free-inodes=100 "$T/one.tar" "$T/free"
cp --sparse=always "$T"/free/images/*.ext2 "$T/root"
chmod 600 "$T/root"
mount -o loop "$T/root" "$T/w"
ok "7 MiB and 100 files go into the root" bash -c \
	"dd if=/dev/zero of=$T/w/data bs=1M count=7 conv=fsync &&
	for i in \$(seq 99); do : >$T/w/f\$i || exit 1; done"
umount "$T/w"
ok "e2fsck likes it after that too" e2fsck -fn "$T/root"
status "free space of a stack is refused" 2 unik-convert --target=linux \
	--free-space=1M "$T/one.tar" "$T/no"
status "a bind of nothing is refused" 3 unik-convert -q --target=linux \
	--bind="$T/absent:/x" "$T/one.tar" "$T/no"
ok "nothing is left of it" test ! -e "$T/no"
done_testing
