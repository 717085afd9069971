# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Sourced by the tests of unik-verify: what they ask it, and an image of three
# layers, the third being the first again: $app, $T/oci, $T/a.tar, $T/b.tar.
# SHA256SUMS of a store, by sha256sum itself.
sums() {
	(cd "$1" && LC_ALL=C sha256sum images/* stacks/* >"$T/sums" &&
		cp "$T/sums" SHA256SUMS)
}
mktar() { python3 "$TOP/tests/tools/mktar.py" >"$1"; }
mkimage() { python3 "$TOP/tests/tools/mkimage.py" "$@"; }

# said TEXT STATUS PATTERN ARG...: the exit status, and a line of the output
# (standard error too) that has the pattern.
said() {
	local text=$1 want=$2 pattern=$3 rc
	shift 3
	unik-verify "$@" >"$T/out" 2>&1 </dev/null
	rc=$?
	if [ $rc = "$want" ] && grep -qe "$pattern" "$T/out"; then
		pass "$text: $(grep -m1 -e "$pattern" "$T/out" | cut -c1-90)"
	else
		fail "$text: exit $rc, want $want, and '$pattern'"
		head -n 20 "$T/out" | sed 's/^/# /'
	fi
}
# fine TEXT N ARG...: exit 0, N claims pass.
fine() {
	local text=$1 n=$2
	shift 2
	said "$text" 0 "^$n PASS, 0 FAIL, " "$@"
}

mktar "$T/a.tar" <<-'TEXT'
	dir dir mode=755 mtime=1600000000
	pax mtime=1500000000.5
	dir dir/sub mode=1777 uid=1000 gid=70000
	file dir/file data=hello mode=4755 mtime=1400000000
	hardlink dir/sub/hard dir/file
	symlink dir/link ../file uid=5
	char dir/null 1:3 mode=666
	pax SCHILY.xattr.user.note=hello
	file dir/attr data=x
	file dir/gone data=gone
	end
TEXT
mktar "$T/b.tar" <<-'TEXT'
	dir dir mode=700 mtime=1600000001
	file dir/.wh.gone
	file dir/file data=other mtime=1600000002
	end
TEXT
app=$T/app.tar
mkimage docker "$app" app:1 "$T/a.tar" "$T/b.tar" "$T/a.tar"
mkimage oci "$T/oci" app:1 "$T/a.tar" "$T/b.tar" "$T/a.tar"

flip() { # FILE OFFSET
	chmod u+w "$1"
	printf '\377' | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
	chmod u-w "$1"
}
