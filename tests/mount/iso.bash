# SPDX-License-Identifier: GPL-3.0-or-later
# Sourced by the scripts that judge ISO images.
# shellcheck shell=bash
tools=$TOP/tests/tools

need_iso_tools() {
	local tool
	for tool in xorriso isoinfo bsdtar blkid python3; do
		have $tool && continue
		skip 'ISO images' "no $tool"
		done_testing
	done
}

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
