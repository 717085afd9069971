#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Our reader on ext2 images of others: mke2fs, genext2fs, and Linux that wrote
# to them.  The tree is the one that debugfs or the kernel sees.
# shellcheck disable=SC2016,SC2086 # $ as it stands; options are words
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/mount/ext2.bash"
needs test_ext2_hostile

need_ext2_tools
if ! have mke2fs || [ "$(id -u)" != 0 ]; then
	skip 'ext2 images of others' 'needs mke2fs, and root for devices'
	done_testing
fi

# ---- a directory to make images of ----

make_source() { # DIR
	local i
	mkdir -p "$1/sub/deep" && cd "$1" || return
	printf 'hello\n' >a
	ln a sub/b
	ln -s a fast
	ln -s "$(printf 'x%.0s' $(seq 100))" slow
	ln a d4
	mknod char c 4 5
	mknod block b 8 1
	mkfifo fifo
	truncate -s 300000 hole
	seq 100000 | head -c 400000 >large
	chown 70000:80000 large
	chmod 4751 large
	for i in $(seq 120); do echo "$i" >"sub/deep/file-$i"; done
	setfattr -n user.short -v abc a
	setfattr -n user.long -v "$(printf 'y%.0s' $(seq 500))" hole
	setfacl -m u:1000:rw large
	touch -d @1700000000 a sub fast large
	touch -h -d @1600000000 fast
}
(make_source "$T/source") 2>"$T/err" || fail "source: $(cat "$T/err")"

drop_lost_found() {
	debugfs -w -R 'rmdir lost+found' "$T/$name.img" >"$T/out" 2>&1
}

# The tree is what another reader sees, and what it was made of.
same_tree() { # TEXT HOW
	ext2ls "$T/$name.img" >"$T/$name.tree" 2>"$T/err" ||
		fail "$1: our reader: $(cat "$T/err")"
	ok "$1: an empty lost+found is left out" \
		sh -c '! grep -q lost+found "$1"' - "$T/$name.tree"
	drop_lost_found
	ok "$1: the tree, by $2" python3 "$tools/checkimg.py" ext2 "$2" \
		"$T/$name.img" "$T/$name.tree"
}

# ---- mke2fs ----

name=mke2fs
for opt in '-b 1024' '-b 2048' '-b 4096' '-b 1024 -I 128' \
	'-b 1024 -O ^resize_inode' \
	'-b 1024 -O ^sparse_super,^resize_inode -g 2048' \
	'-b 1024 -O ^dir_index,^filetype,^large_file' '-b 1024 -r 0' \
	'-b 1024 -g 2048' '-b 1024 -O none' '-b 1024 -N 5000 -g 1024'; do
	rm -f "$T/mke2fs.img"
	ok "mke2fs $opt: made" mke2fs -q -t ext2 $opt -d "$T/source" \
		"$T/mke2fs.img" 6m
	ok "mke2fs $opt: e2fsck" e2fsck -fn "$T/mke2fs.img"
	ok "mke2fs $opt: intact" ext2ls --check "$T/mke2fs.img"
	same_tree "mke2fs $opt" debugfs
done
# What it keeps of the source: all but parts of seconds.
python3 "$tools/treelib.py" dump "$T/source" >"$T/want"
ok 'mke2fs: the tree it was made of' python3 "$tools/treelib.py" compare \
	"$T/want" "$T/mke2fs.tree" mtime

refuses() { # TEXT PATTERN OPTION...
	local text=$1 pattern=$2 out
	shift 2
	rm -f "$T/refused.img"
	mke2fs -qF "$@" "$T/refused.img" 6m >"$T/out" 2>&1 ||
		fail "$text: $(cat "$T/out")"
	out=$(ext2ls "$T/refused.img" 2>&1)
	is "$text: exit status" 1 $?
	ok "$text: $out" grep -q "$pattern" <<<"$out"
}
refuses 'a journal' 'features .* 0x4 0x0' -t ext3
refuses 'extents' 'features .* 0x[0-9a-f]* 0x[0-9a-f]*[4c][0-9a-f] ' -t ext4
refuses 'checksums' 'features .* 0x400$' -t ext2 -O metadata_csum
refuses 'inline data' 'features' -t ext2 -O inline_data -I 256
refuses 'blocks of 64 KiB' 'blocks of 2^(10 + 6)' -t ext2 -b 65536
status 'no ext2 at all' 1 ext2ls "$T/source/large"
status 'nothing at all' 1 ext2ls /dev/null

# A lost+found that holds something is as good as any directory.
rm -f "$T/mke2fs.img"
mke2fs -q -t ext2 "$T/mke2fs.img" 1m >"$T/out" 2>&1
debugfs -w -R "write $T/source/a lost+found/a" "$T/mke2fs.img" >"$T/out" 2>&1
ok 'a lost+found with a file stays' \
	sh -c 'ext2ls "$1" | grep -q lost+found/a' - "$T/mke2fs.img"

# ---- genext2fs ----

if have genext2fs; then
	name=genext2fs
	for opt in '-B 1024 -b 1000' '-B 4096 -b 1000' '-B 2048 -b 2000' \
		'-B 1024 -b 20000 -N 5000' '-B 1024 -b 40000 -z' \
		'-B 4096 -b 70000'; do
		rm -f "$T/genext2fs.img"
		ok "genext2fs $opt: made" genext2fs $opt -d "$T/source" \
			"$T/genext2fs.img"
		ok "genext2fs $opt: intact" ext2ls --check "$T/genext2fs.img"
		same_tree "genext2fs $opt" debugfs
	done
	ok 'genext2fs: the tree it was made of' python3 "$tools/treelib.py" \
		compare "$T/want" "$T/genext2fs.tree" \
		mtime,xattrs,nlink,link,uid,gid
else
	skip 'images of genext2fs' 'no genext2fs'
fi

# ---- Linux ----

write_much() { # DIR
	local i
	cp -a "$T/source/." "$1" && mkdir "$1/many" "$1/gone" || return
	for i in $(seq 600); do
		echo >"$1/many/a-name-that-takes-some-room-$i" || return
	done
	rm "$1"/many/*-1? && rmdir "$1/gone"
	for i in $(seq 10 30); do
		setfattr -n user.same -v same "$1"/many/*-room-2$i
	done 2>/dev/null
	setfattr -n trusted.t -v 1 "$1/many"
	setfacl -m u:5:r "$1/a"
	truncate -s 3g "$1/sparse"
	echo x | dd of="$1/sparse" bs=1 seek=200000000 conv=notrunc 2>/dev/null
}
name=linux
for how in ext2 ext4; do
	for opt in '-b 1024' '-b 4096 -I 128 -g 4096'; do
		text="written by Linux's $how, $opt"
		rm -f "$T/linux.img"
		mke2fs -q -t ext2 $opt "$T/linux.img" 20m >"$T/out" 2>&1
		if ! can_mount || ! mount -t $how -o loop,user_xattr,acl \
			"$T/linux.img" "$T/mnt" 2>/dev/null; then
			skip "$text" "${why_no_mount:-no $how here}"
			continue
		fi
		ok "$text: written" write_much "$T/mnt"
		umount "$T/mnt"
		ok "$text: intact" ext2ls --check "$T/linux.img"
		# The kernel's own removal, which a damaged index would stop.
		mount -o loop "$T/linux.img" "$T/mnt"
		rmdir "$T/mnt/lost+found"
		umount "$T/mnt"
		same_tree "$text" mount
	done
done

# ---- damage ----

for name in mke2fs genext2fs; do
	rm -f "$T/$name.img"
	case $name in
	mke2fs)
		mke2fs -q -t ext2 -b 1024 -N 200 -d "$T/source/sub" \
			"$T/mke2fs.img" 250 >"$T/out" 2>&1
		;;
	genext2fs)
		have genext2fs || continue
		genext2fs -B 1024 -b 250 -d "$T/source/sub" \
			"$T/genext2fs.img" >"$T/out" 2>&1
		;;
	esac
	ok "$name: damage by chance" test_ext2_hostile "$T/$name.img"
done
done_testing
