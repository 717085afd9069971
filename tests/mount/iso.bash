# SPDX-License-Identifier: GPL-3.0-or-later
# Sourced by the scripts that judge ISO images.
# shellcheck shell=bash
needs mkimg readiso
tools=$TOP/tests/tools

need_iso_tools() {
	local tool
	for tool in xorriso isoinfo bsdtar blkid python3; do
		have $tool && continue
		skip 'ISO images' "no $tool"
		done_testing
	done
}

# ---- trees ----

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

# Symlinks too long for some readers.
farther() {
	local t
	for t in 1024 2000 3000 4095; do
		echo "symlink a$t target=$(printf 'a/%.0s' $(seq $((t / 2))) |
			head -c $((t - 1)))z"
		echo "symlink b$t target=$(head -c $t /dev/zero | tr '\0' b)"
	done
}

# ---- images ----

# make_iso NAME [OPTION...] < TEXT: $T/NAME.iso and .tree, the losses in
# $T/info; the functions below are about the last one.
make_iso() {
	name=$1
	shift
	cat >"$T/$name.txt"
	mkimg tree "$T/$name.tree" <"$T/$name.txt" 2>"$T/info" &&
		mkimg iso --info "$@" "$T/$name.iso" <"$T/$name.txt" \
			2>"$T/info" && return
	fail "mkimg iso $name $*: $(cat "$T/info")"
	: >"$T/$name.iso"
}

# Its structure, its size, and the second time the same bytes.
intact() { # TEXT [OPTION...]
	local text=$1
	shift
	ok "$text: intact" readiso check "$T/$name.iso"
	is "$text: a multiple of 4096 bytes" 0 \
		$(($(stat -c %s "$T/$name.iso") % 4096))
	mkimg iso "$@" "$T/again.iso" <"$T/$name.txt"
	ok "$text: the same bytes again" cmp "$T/$name.iso" "$T/again.iso"
}

# What others read is the tree.  To them whiteouts are empty files; bsdtar and
# xorriso have no sockets.
judged_by() { # TEXT TOOL...
	local text=$1 how rows empty
	shift
	empty=$(sha256sum </dev/null)
	sed "s/\"type\":\"whiteout\"/\"size\":0,\"sha256\":\"${empty%% *}\",\"type\":\"file\"/" \
		"$T/$name.tree" >"$T/rows"
	grep -v '"type":"socket"' "$T/rows" >"$T/extracted"
	for how; do
		rows=extracted
		[ "$how" = isoinfo ] && rows=rows
		if [ "$how" = xorriso ] && [ "$(id -u)" != 0 ]; then
			skip "$text: by $how" 'not root'
			continue
		fi
		ok "$text: by $how" python3 "$tools/checkimg.py" iso "$how" \
			"$T/$name.iso" "$T/$rows"
	done
}

# Our own reader gives the very tree (where nothing was lost).
comes_back() { # TEXT
	readiso tree "$T/$name.iso" >"$T/back" 2>&1
	ok "$1: comes back" diff "$T/$name.tree" "$T/back"
}

lost() { # TEXT WANT
	is "$1: losses" "$2" "$(sed 's/.*losses: //' "$T/info")"
}

refused() { # TEXT PATTERN [OPTION...] < TEXT
	local text=$1 pattern=$2 rc
	shift 2
	mkimg iso "$@" "$T/refused.iso" >"$T/out" 2>&1
	rc=$?
	is "$text: refused" 1 $rc
	ok "$text: says why" grep -q -e "$pattern" "$T/out"
}

# Needless slashes go for NetBSD; the path that a target resolves to is the same.
normalise() {
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
	python3 "$T/plain.py" "$T/$name.tree" >"$T/plain" &&
		mv "$T/plain" "$T/$name.tree"
}
