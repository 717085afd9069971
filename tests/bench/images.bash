#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# images.bash DIR: makes the real images of the benchmarks, where they are
# missing, and prints where their layers are (NN.tar), one image a line:
#   python PATH     Debian by debootstrap, python3 on top: two layers; in DIR
#   debian PATH     the application image of the tests (tests/real/images.bash)
#   busybox PATH    the small one of the tests
# or `why TEXT` when that can't be done here.
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/real/images.bash"

if ! need_images >&2; then
	# shellcheck disable=SC2154 # need_images sets it
	echo "why $why_not"
	exit 0
fi
real=$C

build_python() {
	local suite
	suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
	W=$C/work L=$C/work/oci
	drop_work
	mkdir -p "$W"
	umoci init --layout "$L"
	debootstrap --variant=minbase "$suite" "$W/root" "$(mirror "$suite")"
	rm -rf "$W/root/var/cache/apt/archives/"*.deb \
		"$W/root/var/lib/apt/lists/"*
	plain_tar "$W/root" "$W/base.tar"
	rm -rf --one-file-system "$W/root"
	new_image python
	add_layer python "$W/base.tar"
	rm "$W/base.tar"
	umoci unpack --image "$L:python" "$W/bundle"
	R=$W/bundle/rootfs
	cp /etc/resolv.conf "$R/etc/resolv.conf" 2>/dev/null || :
	chroot "$R" apt-get update -q
	chroot "$R" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y \
		--no-install-recommends python3
	rm -rf "$R/var/cache/apt/archives/"*.deb "$R/var/cache/apt/"*.bin \
		"$R/var/lib/apt/lists"/*
	umoci repack --image "$L:python" "$W/bundle"
	skopeo --insecure-policy copy -q "oci:$L:python" \
		"docker-archive:$C/python.docker.tar:python:1"
	save_layers python
	drop_work
	rm "$C/python.docker.tar"
}

echo "debian $real/debian.layers"
echo "busybox $real/busybox.layers"

# A change of this file makes it anew.
C=$1-$(sha256sum <"$0" | cut -c1-16)
mkdir -p "$C"
exec {lock}>"$C/lock"
flock "$lock"
if [ ! -e "$C/python.done" ]; then
	# (Behind `if` or `!` the shell would ignore -e.)
	(set -e; build_python) >"$C/log" 2>&1 {lock}>&-
	rc=$?
	if [ $rc != 0 ]; then
		echo "why making a Debian failed: $(tail -n 1 "$C/log")"
		exit 0
	fi
	touch "$C/python.done"
fi
echo "python $C/python.layers"
