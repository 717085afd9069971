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

name255=$(printf 'n%.0s' $(seq 255))
zoo() {
	local i bits
	cat <<-END
		dir . mode=0710 uid=3 gid=4 mtime=1700000000
		dir d mode=7777 uid=65535 gid=65536 mtime=1
		file u0 uid=65534 gid=65535
		file u2 uid=2097152 gid=2097153
		file u3 uid=4294967294 gid=4294967294 text=x
		char c0 rdev=0:0
		char c1 rdev=255:255
		char c3 rdev=0:255
		block b0 rdev=8:1
		fifo p mode=0600 mtime=5
		socket s mode=0755 mtime=6
		symlink l1 target=x mtime=77
		file f1 text=content mode=0640
		file e1
		file e2
		link d/h1 target=f1
		link h1 target=f1
		link ch target=c1
		link ph target=p
		file d/.wh.gone mtime=9
		file d/.wh..wh..opq mode=0444
		dir rr_moved mode=0700
		file rr_moved/x text=mine
		dir d/rr_moved
		file d/rr_moved/y text=mine
	END
	for bits in 0000 0001 0777 1777 2755 4711 7777 6000; do
		echo "file m$bits mode=$bits"
	done
	i=0
	for bits in -2147483648 -86401 -1 0 951782399 951782400 1709251199 \
		2147483647; do
		echo "file t$((i++)) mtime=$bits"
	done
}
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

names() {
	local i
	cat <<-'END'
		file README text=1
		file readme text=2
		file ReadMe text=3
		dir Dir
		dir DIR
		file dir text=4
		file a.b text=5
		file A.B text=6
		file a_b text=7
		file \x01\x02\x1f\x7f\x80\xff\xc3\xa4 text=8
		file \x20\x20 text=9
		file a\x0ab text=10
		file -rf text=11
		file ... text=12
		file .hidden text=13
		file with"'`$;1 text=14
		file x;1 text=15
		file X.;1 text=16
	END
	for i in 1 30 31 32 100 114 115 116 117 130 200 249 250 251 252 253; do
		echo "file len/${name255:0:i} text=$i"
		echo "dir lend/${name255:0:i}"
	done
	echo "repeat 300 file many/${name255:0:64}{} text={}"
	echo "repeat 300 dir manyd/${name255:0:64}{}"
}
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

links() {
	local i=0 t
	for t in / // /// a/ a// . .. ./ ../ /. /.. /../x //x a/b a//b \
		'../../a/./b/../c//d' '\x01\xff\x20' "$name255/$name255" \
		"${name255:0:247}" "${name255:0:248}" "${name255:0:249}" \
		"/${name255:0:248}/b" "${name255:0:240}/../../c"; do
		echo "symlink l$((i++)) target=$t"
	done
	for t in 300 500 511; do
		echo "symlink l$((i++)) target=$(printf 'a/%.0s' $(seq $t))a"
		echo "symlink l$((i++)) target=$(printf '../%.0s' $(seq $((t / 2))))a"
	done
}
make_iso links < <(links)
intact 'symlinks'
judged_by 'symlinks' bsdtar xorriso
comes_back 'symlinks'
make_iso farther < <(
	for t in 1024 2000 3000 4095; do
		echo "symlink a$t target=$(printf 'a/%.0s' $(seq $((t / 2))) |
			head -c $((t - 1)))z"
		echo "symlink b$t target=$(head -c $t /dev/zero | tr '\0' b)"
	done
)
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
# Needless slashes go; the path that a target resolves to is the same.
cat >"$T/plain.py" <<-'END'
	import json, re, sys
	for line in open(sys.argv[1]):
	    row = json.loads(line)
	    if 'target' in row:
	        t = re.sub('//+', '/', row['target'])
	        t = t[:-1] if len(t) > 1 and t[-1] == '/' else t
	        row['target'] = '/.' if t == '/' else t
	    print(json.dumps(row, sort_keys=True, separators=(',', ':')))
END
python3 "$T/plain.py" "$T/netbsd.tree" >"$T/plain" &&
	mv "$T/plain" "$T/netbsd.tree"
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
