# SPDX-License-Identifier: GPL-3.0-or-later
# Sourced by the tests of this folder, after lib.bash: small images of
# Debian's busybox, as `docker save` writes them.
# shellcheck shell=bash
#
#   make_images      makes them, or ends the test
#   $T/app.tar       app:1; four layers: base, conf, app, conf once more.
#                    Its command prints what $greeting holds.
#   $T/other.tar     other:1; the same base, and one layer of its own
greeting='hello from app'

make_images() {
	if ! needs busybox python3 jq skopeo; then
		skip "everything" "${why_not:-}"
		done_testing
	fi
	# (Behind `if` or `!` the shell would ignore -e.)
	(set -e; build_images) >"$T/log/images" 2>&1
	# shellcheck disable=SC2181
	if [ $? != 0 ]; then
		fail "making images"
		done_testing
	fi
}

build_images() {
	local d=$T/tree name
	mkdir -p "$d/base/bin" "$d/base/etc" "$d/base/tmp" "$d/conf/etc/app" \
		"$d/app/srv" "$d/app/etc" "$d/other/srv"
	cp "$(command -v busybox)" "$d/base/bin/busybox"
	for name in sh ls cat; do
		ln -s busybox "$d/base/bin/$name"
	done
	ln "$d/base/bin/busybox" "$d/base/bin/same"
	chmod 1777 "$d/base/tmp"
	echo old >"$d/base/etc/old"
	echo 'PORT=80' >"$d/conf/etc/app/app.conf"
	printf '#!/bin/sh\necho "%s"\n' "$greeting" >"$d/app/srv/app"
	: >"$d/app/etc/.wh.old"
	printf '#!/bin/sh\necho other\n' >"$d/other/srv/other"
	chmod 755 "$d/app/srv/app" "$d/other/srv/other"
	for name in base conf app other; do
		tar -C "$d/$name" --sort=name --mtime=@1700000000 --owner=0 \
			--group=0 --numeric-owner --format=pax \
			--pax-option=delete=atime,delete=ctime \
			-cf "$d/$name.tar" .
	done
	make_image app app base conf app conf
	make_image other other base other
}

make_image() { # NAME PROGRAM LAYER...
	local name=$1 program=$2 layers=() layer config
	shift 2
	for layer; do layers+=("$T/tree/$layer.tar"); done
	config=$(printf '%s\n' "$@" | jq -R . | jq -sc --arg c "/srv/$program" '{
		created: "2024-01-02T03:04:05Z",
		config: {Cmd: [$c], Env: ["PATH=/bin", "GREETING=hi"],
			Labels: {"com.example.who": "test"}, WorkingDir: "/srv"},
		history: map({created: "2024-01-02T03:04:05Z",
			created_by: ("COPY " + .)})}')
	python3 "$TOP/tests/tools/mkimage.py" "--config=$config" docker \
		"$T/$name.tar" "$name:1" "${layers[@]}"
}

# What a source's stack is, whatever contains it: digests, bottom to top.
stack_of() { # SOURCE [OPTION...]
	local source=$1
	shift
	unik-convert -q --json "$@" "$source" "$T/stack_of" |
		jq -r '.stack[].image'
}

# verifies SOURCE IMAGE: each image of the stack is what the source gives
verifies() {
	unik-verify --source="$1" "$2" >"$T/log/verify" 2>&1 &&
		grep -q '^PASS faithful rootfs-000-' "$T/log/verify" &&
		! grep -E '^(FAIL|SKIP faithful)' "$T/log/verify"
}

# The root of an image by umoci, in $T/umoci/rootfs.
umoci_root() { # OCI-DIR:TAG
	rm -rf "$T/umoci"
	umoci unpack --image "$1" "$T/umoci"
}

# A directory as text, one line an entry, with the digests of its files.  What
# an engine adds to a root for its own use is left out.
listed() { # DIR
	(cd "$1" && find . -mindepth 1 \( -path ./dev -o -path ./proc -o \
		-path ./sys -o -name .dockerenv -o -path ./etc/hosts -o \
		-path ./etc/hostname -o -path ./etc/resolv.conf -o \
		-path ./etc/mtab \) -prune -o -printf '%y %m %U:%G %P %l\n' \
		-a -type f -exec sha256sum {} + | LC_ALL=C sort)
}

# The image files in a directory, by name: their digests.  A name that does not
# say place and digest is said instead.
carried() { # DIR
	local f n=0 sum
	while IFS= read -r f; do
		sum=$(sha256sum <"$1/$f")
		sum=${sum%% *}
		case $f in
		"rootfs-$(printf %03d $n)-$sum".iso | \
			"rootfs-$(printf %03d $n)-$sum".ext2) echo "sha256:$sum" ;;
		*) echo "file $n is '$f', its digest $sum" ;;
		esac
		n=$((n + 1))
	done < <(cd "$1" && find . -maxdepth 1 -type f -name 'rootfs-*' \
		-printf '%P\n' | LC_ALL=C sort)
}
