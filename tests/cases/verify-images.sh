#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# unik-verify on single images: ours, and those that other tools made, which
# lose something; the tests know what.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

if ! have python3; then
	skip 'unik-verify' 'no python3'
	done_testing
fi
umask 022
# shellcheck source=verify.bash
. "$TOP/tests/cases/verify.bash"
app=$T/app.tar

# ---- image files

for f in iso ext2; do
	unik-convert -q -f $f "layer:$T/a.tar" "image:$T/a.$f"
	unik-convert -q -f $f -t flat "$app" "image:$T/flat.$f"
	fine "$f: its one layer" 2 --source="layer:$T/a.tar" "$T/a.$f"
	fine "$f: one of three" 2 --source="$app" --layer=0 "$T/a.$f"
	fine "$f: which stands there twice" 2 --source="$app" --layer=2 \
		"$T/a.$f"
	fine "$f: whichever" 2 --source="$app" "$T/a.$f"
	said "$f: another layer, named" 1 '^FAIL faithful image: .*other bytes' \
		--source="$app" --layer=1 "$T/a.$f"
	ok "$f: by what differs" grep -q "^     'dir': mode 0755, want 0700" \
		"$T/out"
	fine "$f: by trees" 2 --semantic --source="$app" --layer=2 "$T/a.$f"
	fine "$f: all in one" 2 --source="$app" -t flat "$T/flat.$f"
	fine "$f: by trees" 2 --source="$app" -t flat --semantic "$T/flat.$f"
	said "$f: which layer" 2 'say --layer=N' --source="$app" --semantic \
		"$T/a.$f"
	said "$f: a layer that is not there" 2 '3 layers, from 0' \
		--source="$app" --layer=3 "$T/a.$f"
	fine "$f: quick" 1 --quick --source="$app" "image:$T/a.$f"
	cp "$T/a.$f" "$T/sha256-$(sha256sum <"$T/a.$f" | cut -d' ' -f1).$f"
	fine "$f: named as in a store" 2 "$T"/sha256-*."$f"
	flip "$T"/sha256-*."$f" 36000
	said "$f: with other bytes" 1 '^FAIL identity image: is sha256:' \
		"$T"/sha256-*."$f"
	head -c 36864 "$T/a.$f" >"$T/cut.$f"
	truncate -s -1 "$T/cut.$f"
	said "$f: cut" 1 '^FAIL intact   image: ' "$T/cut.$f"
done
unik-convert -q -f ext2 --block-size=1024 "layer:$T/a.tar" "image:$T/1024.ext2"
fine 'the block size is read from the image' 2 --source="layer:$T/a.tar" \
	"$T/1024.ext2"
unik-convert -q -f ext2 -t rumprun "layer:$T/a.tar" "image:$T/net.ext2"
said 'an image for rumprun is none for oci' 1 '^FAIL faithful' \
	--source="layer:$T/a.tar" "$T/net.ext2"
fine 'it is one for rumprun' 2 --source="layer:$T/a.tar" -t rumprun \
	"$T/net.ext2"
said 'what is no image' 1 '^FAIL intact   image: it is no image' "image:$0"
said 'an empty file' 1 '^FAIL' image:/dev/null

# ---- what need not be read is not

reads() { # COMMAND...: how many bytes it reads
	python3 - "$@" <<-'END'
		import os, subprocess, sys
		p = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
		os.waitid(os.P_PID, p.pid, os.WEXITED | os.WNOWAIT)
		print(open('/proc/%d/io' % p.pid).read().split()[1])
	END
}
# The same but for what the program's start reads: libraries, and under a
# sanitizer its own maps.
reads_more() {
	local n
	n=$(reads "$@") && echo $((n - start))
}
mktar "$T/large.tar" <<-'TEXT'
	file large fill=20m
	end
TEXT
unik-convert -q "layer:$T/large.tar" "image:$T/large.iso"
if [ -n "${VALGRIND:-}" ]; then
	skip 'what is read' 'valgrind reads, too'
elif start=$(reads unik-verify --version 2>/dev/null); then
	n=$(reads_more unik-verify "$T/large.iso")
	ok "the structure of 20 MiB: $n bytes are read" [ "$n" -lt 200000 ]
	n=$(reads_more unik-verify --quick "image:$T/large.iso")
	ok "the head: $n" [ "$n" -lt 10000 ]
	sum=$(sha256sum <"$T/large.iso" | cut -d' ' -f1)
	cp "$T/large.iso" "$T/sha256-$sum.iso"
	n=$(reads_more unik-verify "$T/sha256-$sum.iso")
	ok "for the digest in a name: $n" [ "$n" -gt 20971520 ]
else
	skip 'what is read' 'the kernel does not count it'
fi

# ---- images of other tools: what they lose is named, and nothing else

R=$T/root
mkdir -p "$R/dir/sub"
echo hello >"$R/dir/file"
head -c 700000 /dev/zero | tr '\0' x >"$R/dir/big"
ln -s ../file "$R/dir/sub/link"
ln "$R/dir/file" "$R/dir/sub/hard"
chmod 4755 "$R/dir/big"
mkfifo "$R/dir/pipe"
truncate -s 3M "$R/dir/sparse"
touch "$R/dir/frac" "$R/dir/late" "$R/dir/$(printf 'n%.0s' {1..255})"
lost_xattr='' lost_gid='' lost_minor='' xorriso_minor=''
if [ "$(id -u)" = 0 ]; then
	chown 1000:70000 "$R/dir/file"
	mknod "$R/dir/disk" b 8 300
	mknod "$R/dir/null" c 1 3
	lost_gid="'dir/file': owner 1000:4464, want 1000:70000"
	lost_minor="'dir/disk': device 8:44, want 8:300"
	xorriso_minor="'dir/disk': device 4104:44, want 8:300"
fi
if have setfattr && setfattr -n user.note -v hi "$R/dir/big" 2>/dev/null; then
	lost_xattr="'dir/big': attribute 'user.note'"
fi
find "$R" -exec touch -h -d '2020-02-02 02:02:02 UTC' {} +
touch -d '2020-02-02 02:02:02.25 UTC' "$R/dir/frac"
touch -d '2100-01-01 00:00:00 UTC' "$R/dir/late"
touch -d '2020-02-02 02:02:02 UTC' "$R/dir" "$R"
tar -C "$R" --xattrs --xattrs-include='user.*' --format=pax --numeric-owner \
	-cf "$T/root.tar" .
frac="'dir/frac': time 1580608922.000000000, want 1580608922.250000000"
late="'dir/late': time -192522496.000000000, want 4102444800.000000000"
root="'.': the root" # its time, without root its owner too
hard="'dir/sub/hard': not linked as it is wanted"

# other TOOL IMAGE DIFFERENCE...: empty differences do not count.
other() {
	local tool=$1 image=$2 want rc
	shift 2
	unik-verify --semantic --source="layer:$T/root.tar" "$image" \
		>"$T/out" 2>&1
	rc=$?
	is "$tool: exit status" "$([ -n "$*" ] && echo 1 || echo 0)" $rc
	want=$(printf '%s\n' "$@" | grep . | sort)
	is "$tool: what it loses" "$want" "$(sed -n "/^     lost/d; s/^     //p" "$T/out" |
		sed "s/^'\\.': .*/'.': the root/" | sort)"
	is "$tool: it is intact" 1 "$(grep -c \
		'^PASS intact .*, of another tool, ' "$T/out")"
	ok "$tool: a count" grep -q "$([ -n "$*" ] &&
		echo "that differ: $(wc -l <<<"$want")," ||
		echo 'is that of the source')" "$T/out"
	said "$tool: its bytes are not ours" 1 'another tool made it' \
		--source="layer:$T/root.tar" "$image"
}
if have mke2fs; then
	mke2fs -q -t ext2 -d "$R" "$T/mke2fs.ext2" 16M >/dev/null 2>&1
	other 'mke2fs -d' "$T/mke2fs.ext2" "$root" "$frac" "$late"
	mke2fs -q -t ext2 -I 128 -d "$R" "$T/128.ext2" 16M >/dev/null 2>&1
	other 'mke2fs -I 128' "$T/128.ext2" "$root" "$late"
	unik-verify --semantic --source="layer:$T/root.tar" "$T/128.ext2" \
		>"$T/out"
	ok 'what its inodes can not hold' grep -q "^     lost: $frac" "$T/out"
else
	skip 'images of mke2fs' 'no mke2fs'
fi
if have genext2fs; then
	genext2fs -d "$R" -b 4096 -B 1024 -N 100 "$T/gen.ext2" 2>/dev/null
	other 'genext2fs' "$T/gen.ext2" "$root" "$late" "$lost_xattr" \
		"$lost_gid" "$lost_minor"
else
	skip 'an image of genext2fs' 'no genext2fs'
fi
if have genisoimage; then
	genisoimage -quiet -R -o "$T/gen.iso" "$R" 2>/dev/null
	other 'genisoimage -R' "$T/gen.iso" "$hard"
	genisoimage -quiet -o "$T/plain.iso" "$R" 2>/dev/null
	said 'genisoimage without Rock Ridge' 1 "^     'DIR': extra dir with" \
		--semantic --source="layer:$T/root.tar" "$T/plain.iso"
	ok 'and the names are missing' grep -q "^     'dir': missing dir with" \
		"$T/out"
else
	skip 'an image of genisoimage' 'no genisoimage'
fi
if have xorrisofs; then
	xorrisofs -quiet -R -o "$T/xorriso.iso" "$R" 2>/dev/null
	other 'xorrisofs -R' "$T/xorriso.iso" "$hard" "$xorriso_minor"
	xorrisofs -quiet -R -hardlinks -o "$T/links.iso" "$R" 2>/dev/null &&
		other 'xorrisofs -hardlinks' "$T/links.iso" "$xorriso_minor"
else
	skip 'an image of xorrisofs' 'no xorrisofs'
fi
done_testing
