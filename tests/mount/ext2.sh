#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The ext2 writer on small trees, judged by e2fsck, debugfs, dumpe2fs and the
# kernel's own mount.
# shellcheck disable=SC2016,SC2028 # $ and \ that are meant as they stand
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/mount/ext2.bash"

need_ext2_tools
tell_mount

# ---- the least ----

for opt in '' '--block-size 1024' '--block-size 2048' '--netbsd'; do
	# shellcheck disable=SC2086 # options are words
	make_image empty $opt </dev/null
	judge "empty tree $opt"
	again "empty tree $opt" $opt
	field empty 'Free blocks' >"$T/free"
	case $opt in
	*1024) most=3 ;; *2048) most=1 ;; *) most=0 ;;
	esac
	ok "empty tree $opt: no free blocks but what rounding leaves" \
		test "$(cat "$T/free")" -le $most
done
make_image empty </dev/null
is 'empty tree: 11 inodes or what fills a block' 16 \
	"$(field empty 'Inode count')"
is 'empty tree: features' 'filetype sparse_super' \
	"$(field empty 'Filesystem features')"
is 'empty tree: first inode' 11 "$(field empty 'First inode')"
is 'empty tree: inode size' 256 "$(field empty 'Inode size')"
is 'empty tree: no reserved blocks' 0 "$(field empty 'Reserved block count')"
is 'empty tree: state' clean "$(field empty 'Filesystem state')"
is 'empty tree: no lost+found' '' "$(debugfs -R 'ls -p /' "$T/empty.img" \
	2>/dev/null | grep lost)"
digest=$(sha256sum <"$T/empty.tree")
is 'empty tree: the uuid comes from the tree digest' \
	"${digest:0:8}-${digest:8:4}" \
	"$(field empty 'Filesystem UUID' | cut -c 1-13)"
make_image empty --netbsd </dev/null
is 'empty tree: netbsd has no filetype' 'sparse_super' \
	"$(field empty 'Filesystem features')"

# ---- attributes ----

name255=$(printf 'n%.0s' $(seq 255))
name255x=$(printf '\\xfe%.0s' $(seq 255))
zoo() {
	local i bits
	cat <<-END
		dir . mode=0710 uid=3 gid=4 mtime=1700000000.123456789
		dir d mode=7777 uid=65535 gid=65536 mtime=1.000000001
		dir d/$name255
		file d/$name255/$name255x text=x
		file d/\\x01\\x7f\\xc3\\xa4\\x20"'\` text=x
		file u0 uid=65534 gid=65535
		file u1 uid=65536 gid=70000
		file u2 uid=2097152 gid=2097153
		file u3 uid=4294967294 gid=4294967294
		char c0 rdev=0:0
		char c1 rdev=255:255
		char c2 rdev=256:0
		char c3 rdev=0:256
		char c4 rdev=4095:1048575
		block b0 rdev=8:1
		block b1 rdev=259:70000
		fifo p mode=0600 mtime=5
		socket s mode=0755 mtime=6
		symlink l1 target=x
		symlink l59 target=$(printf 'a%.0s' $(seq 59))
		symlink l60 target=$(printf 'b%.0s' $(seq 60))
		symlink l61 target=$(printf 'c%.0s' $(seq 61)) uid=70000 mtime=77
		link h1 target=u0
		link d/h2 target=u0
		link lh target=l60
		link ch target=c4
		link ph target=p
	END
	for bits in 0000 0001 0777 1777 2755 4711 7777 6000; do
		echo "file m$bits mode=$bits"
	done
	i=0
	for bits in -2147483648 -2147483647.999999999 -1.000000000 \
		-1.999999999 0 1 2147483647.999999999 2147483648 4294967295 \
		4294967296.5 6442450943 6442450944.000000001 10737418239 \
		10737418240 15032385535.999999999; do
		case $bits in *.5) bits=${bits}00000000 ;; esac
		echo "file t$((i++)) mtime=$bits"
	done
}
for opt in '' '--block-size 1024' '--block-size 2048' '--netbsd'; do
	# shellcheck disable=SC2086
	make_image zoo $opt --info < <(zoo)
	judge "all kinds $opt"
	# shellcheck disable=SC2086
	again "all kinds $opt" $opt
	by_debugfs "all kinds $opt"
	by_mount "all kinds $opt"
	case $opt in
	--netbsd) lost='xattr=0 time=0 rdev=4 name=0' ;;
	*) lost='xattr=0 time=0 rdev=0 name=0' ;;
	esac
	is "all kinds $opt: losses" "$lost" "$(sed 's/.*losses: //' "$T/info")"
done
make_image times --info <<-END
	file a mtime=-2147483649
	file b mtime=-2147483649.999999999
	file c mtime=15032385536
	file d mtime=9000000000000000000.500000000
	file e mtime=15032385535.999999999
	symlink f target=x mtime=-9000000000000000000
END
judge 'times out of range'
is 'times out of range: counted' 'xattr=0 time=5 rdev=0 name=0' \
	"$(sed 's/.*losses: //' "$T/info")"
last=$(stat_of times c)
is 'times out of range: the last second' '0x7fffffff:00000003' \
	"$(sed -n 's/.* mtime: \([^ ]*\) .*/\1/p' <<<"$last")"
is 'times out of range: the first second' '0x80000000:00000000' \
	"$(stat_of times f | sed -n 's/.* mtime: \([^ ]*\) .*/\1/p')"
for what in atime ctime crtime; do
	is "times: $what is the mtime" \
		"$(stat_of times e | sed -n 's/.*  *mtime: \([^ ]*\) .*/\1/p')" \
		"$(stat_of times e | sed -n "s/.*$what: \([^ ]*\) .*/\1/p")"
done
text=$(printf 'a%.0s' $(seq 4095))
make_image long <<<"symlink l target=$text"
judge 'a symlink of 4095 bytes'
by_mount 'a symlink of 4095 bytes'
by_debugfs 'a symlink of 4095 bytes'
refused 'a symlink of a whole block' "'l': .*4096" <<<"symlink l target=${text}a"
refused 'a symlink over a small block' "'l': .*1024 bytes" \
	--block-size 1024 <<<"symlink l target=${text:0:1024}"
refused 'a device number out of range' "'c': .*4096:1" \
	<<<'char c rdev=4096:1'

# ---- sizes around the borders of blocks ----

for size in 1024 2048 4096; do
	n=0
	double=$((12 + size / 4))
	for blocks in 1 2 11 12 13 $((double - 1)) $double $((double + 1)); do
		for add in -1 0 1; do
			echo "file f$((n++)) fill=$((blocks * size + add)):$n"
		done
	done >"$T/sizes"
	make_image sizes --block-size $size <"$T/sizes"
	judge "sizes, blocks of $size"
	by_mount "sizes, blocks of $size"
	by_debugfs "sizes, blocks of $size"
done
p=256 first=$(((12 + 256 + 256 * 256) * 1024))
make_image triple --block-size 1024 <<-END
	file before at=$((first - 3)) fill=3
	file at at=$((first - 3)) fill=4
	file behind at=$((first + 5000)) fill=10000 at=$((first + 20000000)) fill=3
	file deep at=$((first + p * p * 1024 * 3)) fill=70000
	file only at=$((first + 1)) text=x
END
judge 'triple indirect'
by_mount 'triple indirect'
by_debugfs 'triple indirect'

# ---- holes ----

block=4096
{
	for zeros in 15 16 17; do
		n=$((zeros * block))
		echo "file start$zeros at=$n fill=5000"
		echo "file mid$zeros fill=$block at=$((n + block)) fill=1"
		echo "file odd$zeros fill=100 at=$((n + block)) fill=1"
		echo "file end$zeros fill=$block size=$((n + block))"
		echo "file part$zeros fill=$block size=$((n + 1))"
		echo "file stored$zeros fill=$block fill=$n:0 fill=$block"
		echo "file all$zeros size=$n"
	done
	echo "file little size=1"
	echo "file large size=300000000"
	echo "file back fill=$((11 * block)) at=$((100 * block)) fill=9"
} >"$T/holes.in"
for size in 1024 2048 4096; do
	make_image holes --block-size $size <"$T/holes.in"
	judge "holes, blocks of $size"
	again "holes, blocks of $size" --block-size $size
	by_mount "holes, blocks of $size"
	by_debugfs "holes, blocks of $size"
done
blocks_of() { stat_of holes "$1" | sed -n 's/.*Blockcount: \([0-9]*\).*/\1/p'; }
k=8 # 512-byte units of a block
is 'holes: 15 zero blocks are stored' $(((15 + 2 + 1) * k)) \
	"$(blocks_of start15)"
is 'holes: 16 are a hole' $(((2 + 1) * k)) "$(blocks_of start16)"
is 'holes: 15 in the middle are stored' $((18 * k)) "$(blocks_of mid15)"
is 'holes: 16 in the middle are a hole' $((3 * k)) "$(blocks_of mid16)"
is 'holes: 15 at the end are stored' $((17 * k)) "$(blocks_of end15)"
is 'holes: 16 at the end are a hole' $((1 * k)) "$(blocks_of end16)"
is 'holes: a part of a block counts as one' $((1 * k)) "$(blocks_of part16)"
is 'holes: stored zeros are a hole too' $((3 * k)) "$(blocks_of stored17)"
is 'holes: only zeros' 0 "$(blocks_of all16)"
is 'holes: few zeros' $((15 + 1))  "$(($(blocks_of all15) / k))"
is 'holes: one zero' $k "$(blocks_of little)"
is 'holes: a large hole' 0 "$(blocks_of large)"
is 'holes: no indirect block without data' $(((11 + 1 + 1) * k)) \
	"$(blocks_of back)"

# ---- extended attributes ----

acl=02000000
acl_head=$acl'01000600ffffffff'
acl_user='02000700e8030000''0200050070110100'
acl_group='08000300d0070000'
acl_long=$acl_head$acl_user'04000400ffffffff'$acl_group
acl_long=$acl_long'10000700ffffffff''20000400ffffffff'
acl_short=$acl_head'04000400ffffffff''20000400ffffffff'
{
	echo "dir d xattr=user.on.a.dir:00ff xattr=trusted.overlay.opaque:79" \
		"xattr=system.posix_acl_access:$acl_long" \
		"xattr=system.posix_acl_default:$acl_long"
	echo "file f mode=0674 xattr=system.posix_acl_access:$acl_long"
	echo "file g mode=0674 xattr=user.empty: xattr=user.b:62" \
		"xattr=user.bb:6262 xattr=user.a:$(printf '61%.0s' $(seq 300))" \
		"xattr=security.capability:0100000200000000000000000000000000000000" \
		"xattr=trusted.x:78 xattr=user.\\xff\\x20:01020304"
	echo "symlink l target=x xattr=trusted.l:6c xattr=security.s:73"
	echo "fifo p xattr=trusted.p:70"
	echo "char c rdev=1:2 xattr=trusted.c:63"
	echo "file largest xattrfill=user.x:$((4096 - 32 - 4 - 16 - 4)):3"
	echo "file small mode=0644 xattr=system.posix_acl_access:$acl_short"
} >"$T/text"
make_image xattrs --info <"$T/text"
judge 'xattrs'
again 'xattrs'
by_mount 'xattrs' acl
is 'xattrs: nothing lost' 'xattr=0 time=0 rdev=0 name=0' \
	"$(sed 's/.*losses: //' "$T/info")"
is 'xattrs: features' 'ext_attr filetype sparse_super' \
	"$(field xattrs 'Filesystem features')"
if can_mount; then
	mount -o loop,ro "$T/xattrs.img" "$T/mnt"
	is 'acl: as getfacl shows it' "user:1000:rwx user:70000:r-x group:2000:-wx" \
		"$(getfacl -nc "$T/mnt/f" 2>/dev/null |
			grep -E '^(user|group):[0-9]' | cut -f 1 | tr '\n' ' ' |
			sed 's/ *$//')"
	is 'acl: the default one' 'default:user:1000:rwx' \
		"$(getfacl -nc "$T/mnt/d" 2>/dev/null |
			grep default:user:1000 | cut -f 1)"
	umount "$T/mnt"
else
	skip 'acl: as getfacl shows it' "$why_no_mount"
	skip 'acl: the default one' "$why_no_mount"
fi
make_image lost --info <<-END
	symlink l target=x xattr=user.a:61 xattr=system.posix_acl_access:$acl_short
	file f xattr=nonsense:61 xattr=user.:61 xattr=trusted.ok:61
	file g xattr=system.posix_acl_access:0200 xattr=system.posix_acl_default:$acl_short
END
judge 'xattrs that ext2 can not hold'
is 'xattrs that ext2 can not hold: counted' 'xattr=6 time=0 rdev=0 name=0' \
	"$(sed 's/.*losses: //' "$T/info")"
refused 'a set over a block' "'d/big': .*block of 4096" <<-END
	dir d
	file d/big xattrfill=user.x:$((4096 - 32 - 4 - 16 - 3)):3
END
refused 'a set over a small block' "'big': .*block of 1024" \
	--block-size 1024 <<<'file big xattrfill=user.x:1000'
refused 'a name over 255 bytes' "'f': .*name" \
	<<<"file f xattr=user.${name255}x:61"

# sharing: 2,500 of one set, 10 of another, one alone
{
	echo "repeat 2500 file a{4} xattr=user.a:61 xattr=trusted.b:62"
	echo "repeat 10 file b{4} xattr=user.a:6162"
	echo "file c xattr=user.c:63"
} >"$T/text"
make_image share <"$T/text"
judge 'shared xattr blocks'
again 'shared xattr blocks'
by_mount 'shared xattr blocks'
acl_of() { stat_of share "$1" | sed -n 's/.*File ACL: \([0-9]*\).*/\1/p'; }
for f in a0000 a1024 a2499 b0000 c; do acl_of $f; done | sort -u >"$T/blocks"
is 'shared xattr blocks: five of them' 5 "$(wc -l <"$T/blocks")"
refs() {
	dd if="$T/share.img" bs=4096 skip="$(acl_of "$1")" count=1 2>/dev/null |
		od -An -tu4 -j4 -N4 | tr -d ' '
}
is 'shared xattr blocks: references' '1024 1024 452 10 1' \
	"$(for f in a0000 a1024 a2499 b0000 c; do refs $f; done | xargs)"

# ---- files that others may write ----

make_image rw --free-size 3000000 --free-inodes 100 <<-END
	dir d
	file d/f fill=10000
END
judge 'with free space'
ok 'with free space: blocks' test "$(field rw 'Free blocks')" -ge 733
ok 'with free space: not many more' test "$(field rw 'Free blocks')" -le 736
ok 'with free space: inodes' test "$(field rw 'Free inodes')" -ge 100
if can_mount; then
	mount -o loop "$T/rw.img" "$T/mnt"
	write_some() {
		local i
		for i in $(seq 100); do echo "$i" >"$T/mnt/d/n$i" || return; done
		dd if=/dev/urandom of="$T/mnt/d/n1" bs=4096 count=550 2>/dev/null &&
			setfattr -n user.a -v b "$T/mnt/d/n2" &&
			rm "$T/mnt/d/f" && mkdir "$T/mnt/d/f"
	}
	# ext4 keeps about 2% to itself; 100 files take a block each.
	ok 'with free space: takes files' write_some
	status 'with free space: no more inodes than asked for (rounded)' 1 \
		sh -c 'for i in $(seq 120); do touch "$1/x$i" || exit 1; done' - \
		"$T/mnt"
	umount "$T/mnt"
	ok 'with free space: e2fsck after that' e2fsck -fn "$T/rw.img"
else
	skip 'with free space: takes files' "$why_no_mount"
fi
make_image many --block-size 1024 --free-size 100000000 </dev/null
judge 'with a lot of free space'
refused 'a block size of 512' 'block size 512' --block-size 512 </dev/null
done_testing
