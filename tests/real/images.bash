# SPDX-License-Identifier: GPL-3.0-or-later
# Sourced by the tests of this folder, after tests/lib.sh: real images, made
# once out of Debian's packages, and kept below $B/cache (or $UNIK_CACHE).
# shellcheck shell=bash
#
#   need_images             makes them; 1 with $why_not where that can't be done
#   $C/busybox.docker.tar   three layers
#   $C/debian.docker.tar    docker-archive: a Debian by debootstrap, python3 on
#                           top, an application with deletions and replaced
#                           directories, rare kinds of entries, a configuration
#   $C/debian.gzip.tar      the same as OCI archive, gzip;  debian.zstd.tar: zstd
#   $C/NAME.layers/         the layers of NAME as plain tars: 00.tar 01.tar ...

# A change of this file makes them anew.
C=${UNIK_CACHE:-$BIN/cache}/real-$(sha256sum <"${BASH_SOURCE[0]}" | cut -c1-16)
why_not=

real_missing() {
	local tool
	[ "$(id -u)" = 0 ] || echo 'root'
	for tool in umoci skopeo debootstrap busybox python3 zstd; do
		have "$tool" || echo "$tool"
	done
}

need_images() {
	local lock missing
	[ -e "$C/done" ] && return 0
	missing=$(real_missing | tr '\n' ' ')
	if [ -n "$missing" ]; then
		why_not="making real images needs ${missing% }"
		return 1
	fi
	mkdir -p "$C"
	exec {lock}>"$C/lock"
	flock "$lock"
	if [ ! -e "$C/done" ]; then
		# A shell of its own: where this function stands behind `if`,
		# -e counts for nothing in it, nor in a subshell.
		if ! BIN=$BIN TOP=$TOP bash -euc '. "$0"; build_all' \
			"${BASH_SOURCE[0]}" >"$C/log" 2>&1; then
			# shellcheck disable=SC2034 # for who sources this
			why_not="making real images failed: $(tail -n 1 "$C/log")"
			tail -n 40 "$C/log" | sed 's/^/# /'
			exec {lock}>&-
			return 1
		fi
		touch "$C/done"
	fi
	exec {lock}>&-
}

# An interrupted debootstrap leaves /proc mounted below: never go into that.
drop_work() {
	local where
	while read -r _ where _; do
		case $where in "$W"/*) umount "$where" ;; esac
	done </proc/self/mounts
	rm -rf --one-file-system "$W"
}

# In a shell with -e.
build_all() {
	W=$C/work
	drop_work
	mkdir -p "$W"
	L=$W/oci
	umoci init --layout "$L"
	build_busybox
	build_debian
	drop_work
}

new_image() {
	umoci new --image "$L:$1"
	umoci config --image "$L:$1" --os linux --architecture amd64 \
		--config.cmd /bin/sh --config.env PATH=/usr/bin:/bin \
		--config.workingdir /
}

add_layer() {
	umoci raw add-layer --image "$L:$1" "$2"
}

plain_tar() { # DIR TAR
	tar -C "$1" --numeric-owner --xattrs --xattrs-include='*' --format=pax \
		-cf "$2" .
}

export_image() { # NAME
	skopeo --insecure-policy copy -q "oci:$L:$1" \
		"docker-archive:$C/$1.docker.tar:$1:1"
	skopeo --insecure-policy copy -q --dest-compress-format gzip \
		"oci:$L:$1" "oci-archive:$C/$1.gzip.tar:$1:1"
	skopeo --insecure-policy copy -q --dest-compress-format zstd \
		"oci:$L:$1" "oci-archive:$C/$1.zstd.tar:$1:1"
	save_layers "$1"
}

# The layers as plain tars, numbered, from the docker-archive.
save_layers() {
	local n=0 layer
	rm -rf "$W/x" "$C/$1.layers"
	mkdir -p "$W/x" "$C/$1.layers"
	tar -C "$W/x" -xf "$C/$1.docker.tar"
	for layer in $(python3 -c 'import json, sys
print("\n".join(json.load(sys.stdin)[0]["Layers"]))' <"$W/x/manifest.json"); do
		cp "$(readlink -f "$W/x/$layer")" \
			"$C/$1.layers/$(printf %02d $n).tar"
		n=$((n + 1))
	done
	rm -rf "$W/x"
}

build_busybox() {
	local name
	mkdir -p "$W/1/bin" "$W/1/etc" "$W/1/tmp" "$W/2/srv" "$W/3/srv"
	chmod 1777 "$W/1/tmp"
	cp "$(command -v busybox)" "$W/1/bin/busybox"
	for name in sh ls cat; do
		ln -s busybox "$W/1/bin/$name"
	done
	ln "$W/1/bin/busybox" "$W/1/bin/hard"
	echo one >"$W/1/etc/one"
	echo two >"$W/2/srv/two"
	: >"$W/3/srv/.wh.two"
	echo three >"$W/3/srv/three"
	new_image busybox
	for name in 1 2 3; do
		plain_tar "$W/$name" "$W/$name.tar"
		add_layer busybox "$W/$name.tar"
	done
	export_image busybox
}

# The package source that this machine uses for the release that it runs.
mirror() {
	apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' \
		'Created-By: Packages' |
		awk -v r="$1" '$2 == r && $3 == "main" { print $1; exit }'
}

build_debian() {
	local suite
	suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
	debootstrap --variant=minbase "$suite" "$W/root" "$(mirror "$suite")"
	rm -rf "$W/root/var/cache/apt/archives/"*.deb \
		"$W/root/var/lib/apt/lists/"*
	plain_tar "$W/root" "$W/base.tar"
	rm -rf --one-file-system "$W/root"
	new_image debian
	add_layer debian "$W/base.tar"
	rm "$W/base.tar"

	umoci unpack --image "$L:debian" "$W/bundle"
	R=$W/bundle/rootfs
	cp /etc/resolv.conf "$R/etc/resolv.conf" 2>/dev/null || :
	chroot "$R" apt-get update -q
	chroot "$R" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y \
		--no-install-recommends python3 python3-numpy python3-dev
	rm -rf "$R/var/cache/apt/archives/"*.deb
	umoci repack --image "$L:debian" --refresh-bundle "$W/bundle"
	change_application "$R"
	umoci repack --image "$L:debian" "$W/bundle"
	rm -rf --one-file-system "$W/bundle"

	rare_layer | python3 "$TOP/tests/tools/mktar.py" >"$W/rare.tar"
	add_layer debian "$W/rare.tar"
	mkdir -p "$W/conf/etc/app"
	echo 'PORT=80' >"$W/conf/etc/app/app.conf"
	plain_tar "$W/conf" "$W/conf.tar"
	add_layer debian "$W/conf.tar"
	umoci config --image "$L:debian" --config.cmd /usr/bin/python3
	export_image debian
}

# Deletions of files and directories, and all changes of type.
change_application() {
	local R=$1
	rm -rf "$R/usr/share/doc" "$R/var/lib/apt/lists"/*
	rm "$R/etc/issue" "$R/etc/issue.net"
	rm -rf "$R/usr/share/locale"
	echo 'a file now' >"$R/usr/share/locale"
	rm "$R/etc/motd" 2>/dev/null || :
	mkdir "$R/etc/motd"
	echo 'a directory now' >"$R/etc/motd/00"
	rm -rf "$R/usr/games"
	ln -s bin "$R/usr/games"
	mkdir -p "$R/srv/app"
	printf '#!/usr/bin/python3\nprint("hello")\n' >"$R/srv/app/main.py"
	chmod 755 "$R/srv/app/main.py"
	ln "$R/srv/app/main.py" "$R/srv/app/again.py"
	dd if=/dev/zero of="$R/srv/app/sparse" bs=1 count=1 seek=20M status=none
	echo end >>"$R/srv/app/sparse"
	chmod 700 "$R/root"
	touch -d '1969-12-31 12:00:00.5 UTC' "$R/srv/app"
	cp -p "$R/bin/true" "$R/srv/app/capable"
	setfattr -n security.capability -v \
		0x0100000200200000000000000000000000000000 "$R/srv/app/capable" ||
		:
}

# An opaque directory and what only tar can say.
rare_layer() {
	cat <<-'TEXT'
		dir etc/motd mtime=1700000000
		file etc/motd/.wh..wh..opq
		file etc/motd/01 data=opaque mtime=1700000000
		pax mtime=1700000000.987654321 SCHILY.xattr.user.note=\x00binary\xff
		file srv/xattr data=x
		char srv/null 1:3 mode=666
		block srv/disk 8:17 mode=660 gid=6
		fifo srv/pipe
		symlink srv/long {../*20}etc
		file srv/owner uid=b256:4000000000 gid=b256:70000
		longname srv/{n*255}
		file x data=long
		file srv/\xff\xfe\nname data=bytes
		end
	TEXT
}
