#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The ext2 writer where counts are large: block groups, files, directories,
# entries, links.
# shellcheck disable=SC2016
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/mount/ext2.bash"

need_ext2_tools
tell_mount

# ---- groups ----

free_only_by_rounding() { # TEXT BLOCK_SIZE
	ok "$1: no free blocks but what rounding leaves" test \
		"$(field "$name" 'Free blocks')" -lt $((4096 / $2))
}
copies() { # the groups that hold a superblock, as dumpe2fs lists them
	dumpe2fs "$T/$name.img" 2>/dev/null | awk '/^Group/ { g = $2 + 0 }
		/(Primary|Backup) superblock/ { printf "%s%d", s, g; s = " " }'
}

make_image groups --block-size 1024 <<-END
	dir d
	repeat 20 file d/f{} fill=4000000:{}
END
judge 'ten groups'
again 'ten groups' --block-size 1024
by_mount 'ten groups'
free_only_by_rounding 'ten groups' 1024
is 'ten groups: copies of the superblock' '0 1 3 5 7 9' "$(copies)"
for group in 1 3 5 7 9; do
	ok "ten groups: e2fsck by the copy in group $group" e2fsck -fn -B 1024 \
		-b $((group * 8192 + 1)) "$T/groups.img"
done
make_image groups --block-size 2048 <<<'repeat 20 file f{} fill=4000000:{}'
judge 'three groups of 2048'
free_only_by_rounding 'three groups of 2048' 2048
make_image groups <<<'repeat 3 file f{} fill=70000000:{}'
judge 'two groups of 4096'
free_only_by_rounding 'two groups of 4096' 4096
is 'two groups of 4096: copies of the superblock' '0 1' "$(copies)"

# The last group from nothing to a few blocks, of data and of free ones: every
# size around the border.
bad=0
for n in $(seq 8138 8162); do
	mkimg ext2 --block-size 1024 "$T/border.img" \
		<<<"file f fill=$((n * 1024))" 2>"$T/err" || bad=$((bad + 1))
	e2fsck -fn "$T/border.img" >"$T/fsck" 2>&1 || {
		bad=$((bad + 1))
		sed 's/^/# /' "$T/fsck"
	}
	groups="${groups:-} $(dumpe2fs "$T/border.img" 2>/dev/null |
		grep -c '^Group')"
done
is 'around the border of one group: e2fsck' 0 $bad
ok 'around the border of one group: both sides seen' \
	grep -q '1.*2' <<<"$groups"
bad=0
for n in $(seq 16300 8 16380); do
	mkimg ext2 --block-size 1024 --free-size $((n * 1024)) \
		"$T/border.img" </dev/null 2>"$T/err" || bad=$((bad + 1))
	e2fsck -fn "$T/border.img" >"$T/fsck" 2>&1 || {
		bad=$((bad + 1))
		sed 's/^/# /' "$T/fsck"
	}
done
is 'free space around the border of two groups: e2fsck' 0 $bad

# ---- large files ----

make_image large <<-END
	file just size=$(((1 << 31) - 1))
END
is '2 GiB - 1: no large_file' 'filetype sparse_super' \
	"$(field large 'Filesystem features')"
make_image large <<-END
	file over at=$(((1 << 31) - 1)) fill=1
END
judge 'over 2 GiB'
is 'over 2 GiB: large_file' 'filetype sparse_super large_file' \
	"$(field large 'Filesystem features')"
by_mount 'over 2 GiB'

# ---- many inodes ----

make_image files <<-END
	dir d
	repeat 70000 file d/f{} uid={}
END
judge '70,000 files'
again '70,000 files'
by_mount '70,000 files'
is '70,000 files: no more inodes than the groups need' 3 \
	"$(($(field files 'Free inodes') < 48 ? 3 : 0))"
make_image files --block-size 1024 <<<'repeat 20000 file {3}/f{6} text={}'
judge '20,000 files and as many directories'
by_mount '20,000 files and as many directories'

make_image dirs <<<'repeat 66000 dir d/s{}'
judge '66,000 subdirectories'
again '66,000 subdirectories'
by_mount '66,000 subdirectories'
ok '66,000 subdirectories: dir_nlink' \
	grep -qw dir_nlink <<<"$(field dirs 'Filesystem features')"
is '66,000 subdirectories: a link count of 1' 1 \
	"$(stat_of dirs d | sed -n 's/^Links: \([0-9]*\) .*/\1/p')"
make_image dirs <<<'repeat 64998 dir s{}'
judge '64,998 subdirectories'
ok '64,998 subdirectories: no dir_nlink' \
	sh -c '! grep -qw dir_nlink' <<<"$(field dirs 'Filesystem features')"

make_image entries --block-size 4096 <<-END
	repeat 100000 file d/$(printf 'x%.0s' $(seq 100)){} text={}
END
judge '100,000 entries'
again '100,000 entries' --block-size 4096
by_mount '100,000 entries'
if can_mount; then
	mount -o loop,ro "$T/entries.img" "$T/mnt"
	found() {
		local i name
		name=$(printf 'x%.0s' $(seq 100))
		for i in 0 1 7 500 4999 50000 99998 99999; do
			[ "$(cat "$T/mnt/d/$name$i")" = $i ] || return 1
		done
		[ ! -e "$T/mnt/d/${name}100000" ] && [ ! -e "$T/mnt/d/$name" ]
	}
	ok '100,000 entries: the kernel finds names' found
	umount "$T/mnt"
else
	skip '100,000 entries: the kernel finds names' "$why_no_mount"
fi
for size in 1024 2048; do
	make_image entries --block-size $size <<-END
		repeat 20000 file d/$(printf 'y%.0s' $(seq 240)){}
		repeat 30 link e/{} target=d/$(printf 'y%.0s' $(seq 240)){}
	END
	judge "20,000 long names, blocks of $size"
	by_mount "20,000 long names, blocks of $size"
done

# ---- hard links ----

make_image links <<-END
	file f text=x
	repeat 64999 link d/l{} target=f
END
judge '65,000 names of a file'
is '65,000 names of a file: its link count' 65000 \
	"$(stat_of links f | sed -n 's/^Links: \([0-9]*\) .*/\1/p')"
refused '65,001 names of a file' "'d/l0': .*65001" <<-END
	file f text=x
	repeat 65000 link d/l{} target=f
END
done_testing
