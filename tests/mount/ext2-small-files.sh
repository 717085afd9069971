#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Images whose block size the writer chooses: of small files, which get blocks
# of 1024, as e2fsck, debugfs and the kernel see them.
# shellcheck disable=SC2016
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/mount/ext2.bash"

need_ext2_tools
tell_mount

text=$(printf 'abcdefghij%.0s' $(seq 50))
small() { # N: 500 files each
	local i
	for i in $(seq "$1"); do
		echo "repeat 500 file dir$i/file-{} text=$text$i-{} uid={} mtime=$i{}"
	done
	cat <<-END
		dir . mode=0755 mtime=1700000000.123456789
		repeat 40 dir empty/{} mode=1777
		repeat 500 symlink links/short{} target=../dir1/file-{}
		repeat 500 symlink links/long{} target=$text{}
		repeat 300 link links/hard{} target=dir7/file-0
		repeat 300 file attrs/one{} text={} xattr=user.a:{3}0
		repeat 300 file attrs/same{} text={} xattrfill=user.same:800:1
		dir opaque xattr=trusted.overlay.opaque:79
		repeat 50 char opaque/gone{} rdev=0:0
		file large fill=900000:3
		file sparse text=a at=30000000 text=b
		fifo pipe
		socket socket
		char null rdev=1:3
		block disk rdev=300:70000
	END
}
sizes() { echo "$(field "$name" 'Block size') $(stat -c %s "$T/$name.img")"; }

make_image old --format-version 1 < <(small 40)
judge 'small files, version 1'
old=$(sizes)
is 'version 1: blocks of 4096' 4096 "${old% *}"

for opt in --netbsd ''; do
	# shellcheck disable=SC2086 # options are words
	make_image small $opt < <(small 40)
	new=$(sizes)
	is "small files $opt: blocks of 1024" 1024 "${new% *}"
	ok "small files $opt: half of version 1 ($new, $old)" \
		test $((${new#* } * 2)) -le "${old#* }"
	is "small files $opt: the tree of version 1" '' \
		"$(cmp "$T/old.tree" "$T/small.tree" 2>&1)"
	judge "small files $opt"
	# shellcheck disable=SC2086
	again "small files $opt, asked for" $opt --block-size 1024
	ok "small files $opt: the tree, by our reader" sh -c \
		'ext2ls "$1" | cmp - "$2"' - "$T/small.img" "$T/small.tree"
	ok "small files $opt: groups" \
		test "$(dumpe2fs "$T/small.img" 2>/dev/null | grep -c ^Group)" \
		-ge 3
done
by_mount 'small files'
ok 'small files: e2fsck by the copy in group 1' e2fsck -fn -B 1024 -b 8193 \
	"$T/small.img"
is 'small files: the version' 'unik ext2 version 2' \
	"$(field small 'Last mounted on')"
is 'version 1: the version' 'unik ext2 version 1' \
	"$(field old 'Last mounted on')"

# Whiteouts in their literal form are empty files.
make_image whiteouts < <(
	small 8
	echo 'repeat 50 file whiteouts/.wh.gone{}'
	echo 'file whiteouts/.wh..wh..opq'
)
is 'whiteouts: blocks of 1024' 1024 "$(field whiteouts 'Block size')"
judge 'whiteouts'
ok 'whiteouts: the tree, by our reader' sh -c 'ext2ls "$1" | cmp - "$2"' - \
	"$T/whiteouts.img" "$T/whiteouts.tree"
is 'whiteouts: their names, by debugfs' 51 "$(debugfs -R 'ls -p /whiteouts' \
	"$T/whiteouts.img" 2>/dev/null | grep -c '/\.wh\.[.a-z0-9]*/0/$')"

# A symlink that only blocks of 4096 hold.
make_image small < <(
	small 8
	echo "symlink other target=${text}${text}${text:0:24}"
)
is 'and a target of 1024 bytes: blocks of 4096' 4096 \
	"$(field small 'Block size')"
judge 'and a target of 1024 bytes'

# Room for more of them: what is asked for counts in both.
make_image free --free-size 4000000 --free-inodes 5000 < <(small 8)
is 'free space: blocks of 1024 still' 1024 "$(field free 'Block size')"
judge 'free space'
if can_mount; then
	mount -o loop "$T/free.img" "$T/mnt"
	ok 'free space: 3,500 files more' sh -c 'cd "$1" && mkdir new &&
		for i in $(seq 3500); do echo $i >new/$i || exit 1; done' - "$T/mnt"
	umount "$T/mnt"
	ok 'free space: e2fsck after that' e2fsck -fn "$T/free.img"
else
	skip 'free space: 3,500 files more' "$why_no_mount"
fi
make_image free --free-size 20000000 < <(small 8)
is 'much free space: blocks of 4096' 4096 "$(field free 'Block size')"
judge 'much free space'
done_testing
