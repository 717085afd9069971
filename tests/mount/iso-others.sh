#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The ISO reader on images that genisoimage and xorrisofs made of a directory.
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/mount/iso.bash"

for tool in genisoimage isoinfo xorrisofs python3; do
	have $tool && continue
	skip "other writers' images" "no $tool"
	done_testing
done

src=$T/src
name=$(printf 'n%.0s' $(seq 120))
mkdir -p "$src/dir/sub" "$src/empty" "$src/1/2/3/4/5/6/7/8/9/10"
printf 'hello' >"$src/dir/hello.txt"
printf 'deep' >"$src/1/2/3/4/5/6/7/8/9/10/deep"
printf 'side' >"$src/1/2/3/4/5/6/7/8/side"
head -c 100000 /dev/zero >"$src/dir/zeros"
seq 30000 >"$src/dir/numbers"
: >"$src/dir/nothing"
ln "$src/dir/hello.txt" "$src/dir/sub/linked"
ln -s ../hello.txt "$src/dir/sub/symlink"
ln -s / "$src/dir/sub/root"
# (genisoimage writes broken fields for longer targets.)
ln -s "/usr/./lib/../${name:0:50}/x" "$src/dir/sub/long"
printf 'x' >"$src/$name$name"
for i in $(seq 200); do printf '%s' "$i" >"$src/empty/${name}_$i"; done
mkfifo "$src/pipe"
chmod 2750 "$src/dir"
chmod 4711 "$src/dir/hello.txt"
chmod 1777 "$src/empty"
if [ "$(id -u)" = 0 ]; then
	mknod "$src/null" c 1 3
	mknod "$src/disk" b 8 1
	chown 12345:54321 "$src/dir/zeros" "$src/null"
	chown -h 7:8 "$src/dir/sub/symlink"
fi
find "$src" -depth -exec touch -h -d @1500000000 {} +
touch -h -d @1234567890 "$src/dir/hello.txt" "$src/dir/sub"
python3 "$tools/treelib.py" dump "$src" >"$T/want"

# try TEXT DROP COMMAND...: the image's tree is the directory's, but for the
# fields that this way to write it loses.
try() {
	local text=$1 drop=$2
	shift 2
	rm -f "$T/o.iso"
	ok "$text: made" "$@"
	ok "$text: intact" readiso check "$T/o.iso"
	readiso tree "$T/o.iso" >"$T/got" 2>&1
	ok "$text: read" python3 "$tools/treelib.py" compare "$T/want" \
		"$T/got" "$drop"
}

try 'genisoimage, depth kept' link,nlink genisoimage -quiet -R -D -l \
	-o "$T/o.iso" "$src"
try 'xorrisofs' link,nlink xorrisofs -quiet -R -o "$T/o.iso" "$src"
try 'xorrisofs, hard links' '' xorrisofs -quiet -R --hardlinks \
	-o "$T/o.iso" "$src"
try 'xorrisofs, Joliet' link,nlink xorrisofs -quiet -R -J -joliet-long \
	-o "$T/o.iso" "$src"
try 'xorriso, RRIP 1.12' link,nlink xorriso -compliance new_rr \
	-outdev "$T/o.iso" -map "$src" / -commit

# Relocated directories come back to where they were; the place that they were
# moved to stays behind.
for cmd in genisoimage 'xorrisofs -rr_reloc_dir /rr_moved'; do
	python3 "$tools/treelib.py" dump "$src" |
		grep -v '"path": "rr_moved"' >"$T/want"
	# shellcheck disable=SC2086 # words
	ok "$cmd, relocated: made" $cmd -quiet -R -o "$T/o.iso" "$src"
	ok "$cmd, relocated: moved" bash -c \
		"isoinfo -f -i '$T/o.iso' | grep -q RR_MOVED/"
	ok "$cmd, relocated: intact" readiso check "$T/o.iso"
	readiso tree "$T/o.iso" 2>&1 | grep -v '"path":"rr_moved"' >"$T/got"
	ok "$cmd, relocated: read" python3 "$tools/treelib.py" compare \
		"$T/want" "$T/got" link,nlink
done

# Without Rock Ridge: identifiers, and what Linux shows for the rest.
mkdir -p "$T/plain/sub.dir"
printf 'one' >"$T/plain/one.txt"
printf 'two' >"$T/plain/sub.dir/two"
genisoimage -quiet -o "$T/o.iso" "$T/plain"
ok 'without Rock Ridge: intact' readiso check "$T/o.iso"
is 'without Rock Ridge: identifiers' \
	'. dir 0555;ONE.TXT file 0555;SUB.DIR dir 0555;SUB.DIR/TWO file 0555' \
	"$(readiso tree "$T/o.iso" | python3 -c '
import json, sys
rows = [json.loads(line) for line in sys.stdin]
print(";".join("%s %s %s" % (r["path"], r["type"], r["mode"]) for r in rows))
')"
is 'without Rock Ridge: told' 'version=0 rock=0' \
	"$(readiso info "$T/o.iso" | cut -d ' ' -f 1,2)"

done_testing
