#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Damage of all kinds to sources, stores, manifests and images, and unik-verify
# sees it; it neither crashes nor hangs nor takes more memory than it may.
# SEED=N N=COUNT: other damage, more of it.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
needs mkimg mutate mutate_store
SEED=${SEED:-1} N=${N:-700}
echo "# SEED=$SEED N=$N"

mktar() { python3 "$TOP/tests/tools/mktar.py" >"$1"; }
mkimage() { python3 "$TOP/tests/tools/mkimage.py" "$@"; }

# ---- every byte of the metadata, so every field of every structure ----

# All types, times with and without fractions, owners of 32 bits, a hard link,
# both kinds of symlinks of ext2, a name and a target that need continuation
# areas in ISO, attributes, a hole, indirect blocks (of 1024 bytes).
tree() {
	cat <<-'TEXT'
		dir dir mode=755 mtime=1600000000
		dir dir/sub mode=1777 uid=1000 gid=70000 mtime=1500000000.500000000
		file dir/file text=hello mode=4755 mtime=1400000000.123456789
		file dir/big fill=14000:3
		file dir/none mtime=-1
		file dir/hole text=x size=70000
		link dir/sub/hard target=dir/file
		symlink dir/sub/short target=../file uid=5
		char dir/null rdev=1:3 mode=666
		block dir/disk rdev=8:300 uid=70000
		fifo dir/pipe
		socket dir/sock
		file dir/attr text=x xattr=user.note:68656c6c6f xattr=trusted.x:00ff
		file \xff\xfe text=raw
	TEXT
	printf 'symlink dir/long target=/%s\n' "$(printf 'long/%.0s' {1..40})"
	printf 'file dir/%s\n' "$(printf 'name.%.0s' {1..50})"
}
tree | mkimg iso "$T/small.iso"
relay mutate every "$T/small.iso"
tree | mkimg ext2 --block-size 1024 "$T/small.ext2"
relay mutate every "$T/small.ext2"
# Several groups, copies of the superblock, a directory with an index.
{
	tree
	echo 'repeat 90 file many/a-rather-long-name-number-{3}-for-the-index'
} | mkimg ext2 --block-size 1024 --free-size 9000000 "$T/groups.ext2"
relay mutate every "$T/groups.ext2" 700
{
	tree
	echo 'repeat 200 dir many/a-rather-long-name-number-{3}'
} | mkimg iso "$T/large.iso"
relay mutate every "$T/large.iso" 2000

# ---- images, by chance ----

mktar "$T/layer.tar" <<-'TEXT'
	dir dir mode=755 mtime=1600000000
	pax mtime=1500000000.5
	dir dir/sub mode=1777 uid=1000 gid=70000
	file dir/file data=hello mode=4755 mtime=1400000000
	file dir/big fill=14000:Q
	file dir/none
	hardlink dir/sub/hard dir/file
	symlink dir/sub/short ../file uid=5
	symlink dir/long /{long/*22}er
	char dir/null 1:3 mode=666
	block dir/disk 8:300 uid=70000
	fifo dir/pipe
	pax SCHILY.xattr.user.note=hello SCHILY.xattr.trusted.x=\x00\xff
	file dir/attr data=x
	longname dir/{a-long-name-*20}
	file x data=long
	file \xff\xfe data=raw
	end
TEXT
unik-convert -q -f iso "layer:$T/layer.tar" "image:$T/layer.iso"
unik-convert -q -f ext2 --block-size=1024 "layer:$T/layer.tar" \
	"image:$T/1024.ext2"
unik-convert -q -f ext2 "layer:$T/layer.tar" "image:$T/4096.ext2"
relay mutate seeded "$SEED" "$N" "layer:$T/layer.tar" "$T/layer.iso" \
	"$T/1024.ext2" "$T/4096.ext2"

# ---- stores and sources, by chance ----

mktar "$T/above.tar" <<-'TEXT'
	dir dir mode=700 mtime=1600000001
	file dir/.wh.none
	file dir/file data=other mtime=1600000002
	end
TEXT
mkimage docker "$T/docker.tar" app:1 "$T/layer.tar" "$T/above.tar"
mkimage oci "$T/oci" app:2 "$T/layer.tar" "$T/above.tar"
for target in oci linux flat; do
	unik-convert -q -t $target -f iso -f ext2 "$T/docker.tar" "$T/store"
done
unik-convert -q -t rumprun "oci:$T/oci" "$T/store"
relay mutate_store store "$SEED" "$N" "$T/store" "$T/docker.tar"
relay mutate_store source "$SEED" "$N" "$T/store:app:1.oci.iso" "$T/docker.tar"
relay mutate_store layout "$SEED" "$N" "$T/store:app:2.rumprun.iso" "$T/oci"
status "all of it is whole again" 0 unik-verify -q "--source=$T/docker.tar" \
	"$T/store" "oci:$T/oci" "$T/docker.tar"
done_testing
