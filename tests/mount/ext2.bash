# SPDX-License-Identifier: GPL-3.0-or-later
# Sourced by the scripts that judge ext2 images.
# shellcheck shell=bash
needs ext2ls mkimg
PATH=$PATH:/usr/sbin:/sbin # where users do not look
tools=$TOP/tests/tools
mkdir -p "$T/mnt"
cleanup() {
	if mountpoint -q "$T/mnt" 2>/dev/null; then
		umount "$T/mnt"
	fi
}

need_ext2_tools() {
	local tool
	for tool in e2fsck debugfs dumpe2fs python3; do
		have $tool && continue
		skip 'ext2 images' "no $tool"
		done_testing
	done
}

# Sets why_no_mount once.
can_mount() {
	if [ -z "${mount_state:-}" ]; then
		why_no_mount=
		if [ "$(id -u)" != 0 ]; then
			why_no_mount='not root'
		elif ! truncate -s 1M "$T/probe" || ! mke2fs -qF "$T/probe" ||
			! mount -o loop,ro "$T/probe" "$T/mnt"; then
			why_no_mount='no loop mounts here'
		else
			umount "$T/mnt"
		fi 2>/dev/null
		mount_state=${why_no_mount:-yes}
	fi
	[ "$mount_state" = yes ]
}
tell_mount() {
	can_mount || skip 'images as the kernel sees them' "$why_no_mount"
}

# make_image NAME [OPTION...] < TEXT: $T/NAME.img, $T/NAME.tree, $T/info; the
# functions below are about the last one.
make_image() {
	name=$1
	shift
	cat >"$T/$name.txt"
	mkimg ext2 --tree "$T/$name.tree" "$@" "$T/$name.img" \
		<"$T/$name.txt" 2>"$T/info" && return
	fail "mkimg $name $*: $(cat "$T/info")"
	: >"$T/$name.img"
}

judge() { # TEXT
	ok "$1: e2fsck" e2fsck -fn "$T/$name.img"
	ok "$1: intact" ext2ls --check "$T/$name.img"
	is "$1: a multiple of 4096 bytes" 0 \
		$(($(stat -c %s "$T/$name.img") % 4096))
}
again() { # TEXT [OPTION...], those of make_image
	local text=$1
	shift
	ok "$text: the same bytes again" \
		sh -c 'mkimg ext2 "$@" - | cmp - "$0"' "$T/$name.img" "$@" \
		<"$T/$name.txt"
}
by_debugfs() { # TEXT
	ok "$1: the tree, by debugfs" python3 "$tools/checkimg.py" ext2 debugfs \
		"$T/$name.img" "$T/$name.tree"
}
by_mount() { # TEXT
	ok "$1: the tree, by our reader" sh -c 'ext2ls "$1" | cmp - "$2"' - \
		"$T/$name.img" "$T/$name.tree"
	can_mount || return 0
	ok "$1: the tree, by mount" python3 "$tools/checkimg.py" ext2 mount \
		"$T/$name.img" "$T/$name.tree"
}
field() { # NAME FIELD
	dumpe2fs -h "$T/$1.img" 2>/dev/null |
		sed -n "s/^$2:[[:space:]]*//p"
}
stat_of() { debugfs -R "stat $2" "$T/$1.img" 2>/dev/null; } # NAME PATH

# refused TEXT PATTERN [OPTION...] < TEXT: exit 1 or 2, a message that fits.
refused() {
	local text=$1 pattern=$2 out rc
	shift 2
	out=$(mkimg ext2 "$@" "$T/refused.img" 2>&1)
	rc=$?
	if { [ $rc = 1 ] || [ $rc = 2 ]; } && grep -q "$pattern" <<<"$out"; then
		pass "$text is refused"
	else
		fail "$text is refused: exit $rc: $out"
	fi
}
