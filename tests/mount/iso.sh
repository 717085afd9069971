#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The ISO writer, judged by xorriso, isoinfo, bsdtar and blkid, and read back.
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/mount/iso.bash"

need_iso_tools

# ---- the least ----

make_iso empty </dev/null
intact 'empty tree'
judged_by 'empty tree' bsdtar xorriso isoinfo
comes_back 'empty tree'
is 'empty tree: 22 blocks' $((22 * 2048)) "$(stat -c %s "$T/empty.iso")"
digest=$(sha256sum <"$T/empty.tree")
label=UNIK_$(tr a-f A-F <<<"${digest:0:16}")
is 'empty tree: the label comes from the tree digest' "$label" \
	"$(blkid -p -o value -s LABEL "$T/empty.iso")"
# YYYY-MM-DD-HH-MM-SS-hh of the volume's modification time
n=$((16#${digest:0:15}))
d=$((16#${digest:15:1}))
part() { # MIN RANGE DIGITS: the next part of the digest's first 64 bits
	local hi=$((n / $2)) rest=$((n % $2 * 16 + d))
	local v=$((rest % $2))
	printf "%0$3d" $(($1 + v))
	v=$((hi * 16 + rest / $2))
	n=$((v >> 4)) d=$((v & 15))
}
uuid=
for p in '1000 9000 4' '1 12 2' '1 28 2' '0 24 2' '0 60 2' '0 60 2' \
	'0 100 2'; do
	# shellcheck disable=SC2086 # words
	part $p >"$T/part"
	uuid+=-$(cat "$T/part")
done
is 'empty tree: the uuid comes from the tree digest' "${uuid#-}" \
	"$(blkid -p -o value -s UUID "$T/empty.iso")"
is 'empty tree: blkid knows the type' iso9660 \
	"$(blkid -p -o value -s TYPE "$T/empty.iso")"
isoinfo -d -i "$T/empty.iso" >"$T/d"
ok 'isoinfo finds Rock Ridge' grep -q '^Rock Ridge signatures version 1 found' \
	"$T/d"
ok 'isoinfo finds no Joliet' grep -q '^NO Joliet present' "$T/d"
ok 'isoinfo knows who made it' \
	grep -q '^Application id: UNIK, FORMAT ISO, VERSION 1' "$T/d"
ok 'isoinfo finds no boot record' bash -c "! grep -qi torito '$T/d'"

# ---- attributes ----

make_iso zoo < <(zoo)
intact 'all kinds'
judged_by 'all kinds' bsdtar xorriso isoinfo
comes_back 'all kinds'
lost 'all kinds' 'xattr=0 time=0 rdev=0 name=0'
# libarchive loses links of empty files, symlinks, and files that share their
# blocks; libisofs restores no owners of symlinks.
make_iso shared <<-END
	file f1 text=content mode=0640
	file f2 text=content mode=0600
	link f3 target=f1
	file e1
	file e2
	link e3 target=e1
	symlink l1 target=x uid=70000
	link l2 target=l1
END
intact 'equal content'
comes_back 'equal content'
judged_by 'equal content' isoinfo
is 'equal content is stored once' 3 "$(xorriso -indev "$T/shared.iso" \
	-find / -name 'f[123]' -exec report_lba -- 2>/dev/null |
	sed -n 's/.*data lba: *0 , *\([0-9]*\).*/\1/p' | uniq -c |
	sed 's/^ *\([0-9]*\).*/\1/')"
make_iso lossy <<-END
	file a mtime=-2208988801
	file b mtime=5869584000
	file c mtime=1.500000000
	file d mtime=-1.000000001
	file e mtime=4294967296
	file f mtime=-2208988800
	file g xattr=user.a:00 xattr=user.b:01
	char h rdev=0:256
	char i rdev=4096:1
	char j rdev=8:300
	file $name255
	file ${name255:0:254}
	file ${name255:0:253}
END
intact 'losses'
judged_by 'losses' bsdtar
lost 'losses' 'xattr=2 time=6 rdev=2 name=2'

# ---- names ----

make_iso names < <(names)
intact 'names'
judged_by 'names' bsdtar xorriso
comes_back 'names'
isoinfo -f -i "$T/names.iso" >"$T/ids"
is 'identifiers: one for every name' "$(wc -l <"$T/names.tree")" \
	"$(($(sort -u "$T/ids" | wc -l) + 1))"
ok 'identifiers: A-Z 0-9 _ . ;1 and 31 bytes' bash -c \
	"! grep -vE '^(/[A-Z0-9_.;]{1,31})*\$' '$T/ids'"
make_iso long <<<"file $name255 text=255"
intact 'a name of 255 bytes'
judged_by 'a name of 255 bytes' bsdtar xorriso
comes_back 'a name of 255 bytes'

# ---- symlinks ----

make_iso links < <(links)
intact 'symlinks'
judged_by 'symlinks' bsdtar xorriso
comes_back 'symlinks'
make_iso farther < <(farther)
intact 'symlinks of up to 4,095 bytes'
judged_by 'symlinks of up to 4,095 bytes' bsdtar
comes_back 'symlinks of up to 4,095 bytes'
refused 'a symlink of 4,096 bytes' "'l': .*4096 bytes" \
	<<<"symlink l target=$(head -c 4096 /dev/zero | tr '\0' b)"

# ---- NetBSD ----

make_iso netbsd --netbsd < <(
	zoo
	links | grep -v "$name255/$name255"
)
intact 'for NetBSD' --netbsd
normalise
judged_by 'for NetBSD' bsdtar xorriso
refused 'a symlink of 1,024 bytes for NetBSD' "'l': .*1023" --netbsd \
	<<<"symlink l target=$(head -c 1024 /dev/zero | tr '\0' b)"

# ---- depth ----

make_iso deep < <(
	path=0
	for i in $(seq 299); do path=$path/$i; done
	echo "file $path/file text=deep"
)
intact 'a depth of 300'
judged_by 'a depth of 300' bsdtar isoinfo
comes_back 'a depth of 300'

done_testing
