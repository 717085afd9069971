#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Each --max-NAME at the ends of its range, through the tools: at its most all
# is as by default; at 1 it passes, or is refused with the reason.
. "$(dirname "$0")/../lib.sh"

most=18446744073709551615
mktar() { python3 "$TOP/tests/tools/mktar.py" >"$1"; }
mkimage() { python3 "$TOP/tests/tools/mkimage.py" "$@"; }

mktar "$T/a.tar" <<'EOF'
dir a
file a/b/one data=1
pax path={n*150} SCHILY.xattr.user.a=1
file n data=x
end
EOF
mktar "$T/b.tar" <<'EOF'
file a/b/.wh.one
file a/b/two data=2
symlink s a/b
end
EOF
mkimage docker "$T/app.tar" app:1 "$T/a.tar" "$T/b.tar"
mkimage oci "$T/app" app:1 "$T/a.tar" "$T/b.tar"

names=$(unik-convert --limits | sed -n 's/^--max-\([a-z-]*\) .*/\1/p')
is 'a row for each limit' 15 "$(wc -w <<<"$names")"

# What a store holds: names are digests of contents.
held() { (cd "$1" && find . ! -type d | sort); }

convert() { # STORE [OPTION...]
	local store=$1
	shift
	mkdir -p "$store" &&
		unik-convert -q -f iso -f ext2 "$@" "$T/app.tar" "$store" &&
		unik-convert -q -t flat "$@" "oci:$T/app" "$store"
}
run() { # WHAT [OPTION...]
	local what=$1
	shift
	case $what in
	convert)
		rm -rf "$T/new"
		convert "$T/new" "$@"
		;;
	verify) unik-verify -q "--source=$T/app.tar" "$@" "$T/store:app:1" ;;
	verify-store) unik-verify -q "$@" "$T/store" ;;
	inspect) unik-inspect "$@" "$T/store" ;;
	inspect-source) unik-inspect "$@" "$T/app.tar" ;;
	inspect-dir) unik-inspect "$@" "oci:$T/app" ;;
	esac >"$T/out" 2>"$T/errors"
}

# Passes, or exits 1 and says why.
passes_or_tells() {
	local rc
	run "$@"
	rc=$?
	[ $rc = 0 ] && return 0
	[ $rc = 1 ] && if [[ $1 == verify* ]]; then
		grep -q '^FAIL ' "$T/out" || grep -q '^unik-verify: ' "$T/errors"
	else
		grep -q '^unik-' "$T/errors" && ! grep -qv '^unik-' "$T/errors"
	fi
}

ok 'by default' convert "$T/store"
default=$(held "$T/store")
for name in $names; do
	status "--max-$name: not 0" 2 run convert "--max-$name=0"
	status "--max-$name: not 2^64" 2 run convert "--max-$name=${most%5}6"
	ok "--max-$name: 2^64 - 1" run convert "--max-$name=$most"
	is "--max-$name: the same comes of it" "$default" "$(held "$T/new")"
	for what in convert verify verify-store inspect inspect-source \
		inspect-dir; do
		[ $what = convert ] ||
			ok "$what --max-$name: 2^64 - 1" \
				run $what "--max-$name=$most"
		ok "$what --max-$name: 1" passes_or_tells $what "--max-$name=1"
	done
done

# Trees are merged by recursion: the deepest that there can be.
deep() { # DEPTH
	for i in 0 1; do
		mktar "$T/deep$i.tar" <<-EOF
			pax path={d/*$(($1 - 1))}f$i
			file f data=$i
			file .wh.gone
			end
		EOF
	done
	mkimage docker "$T/deep.tar" "deep:$1" "$T/deep0.tar" "$T/deep1.tar"
	rm -rf "$T/new"
	mkdir "$T/new"
	for t in flat linux; do
		unik-convert -q -t $t --max-depth=$most --max-path=$most \
			"$T/deep.tar" "$T/new/" || return
	done
}
ok 'a file 4096 deep' deep 4096
status 'but no deeper' 1 deep 4097
is 'as it is told' "unik-convert: layer 0: 'd/d/d/" \
	"$(deep 4097 2>&1 | head -n 1 | cut -c 1-30)"
is 'with the limit' 'more than 4096 components' \
	"$(deep 4097 2>&1 | sed -n '1s/.*: //p')"

# Directories of the host are walked by recursion, each open meanwhile.
deep_bind() {
	mkdir "$T/host" &&
		python3 -c 'import os, sys
os.chdir(sys.argv[1])
for i in range(2040):
    os.mkdir("d")
    os.chdir("d")' "$T/host" &&
		unik-convert -q --bind="$T/host:/x" "$T/app.tar" "$T/new/"
}
most_files=$(ulimit -Hn)
if [ "$most_files" = unlimited ] || [ "$most_files" -gt 2100 ]; then
	ok 'a directory of the host 2040 deep' deep_bind
else
	skip 'a directory of the host 2040 deep' "$most_files open files"
fi
done_testing
