#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# containerd, podman and umoci unpack our images: the image files of the stack
# are in the root, in order, with their bytes.
. "$(dirname "$0")/lib.bash"
. "$TOP/tests/registry/images.bash"

make_images
targets=(linux rumprun flat)
packages=(file append)
declare -A want
for target in "${targets[@]}"; do
	want[$target]=$(stack_of "$T/app.tar" -t "$target")
	for package in "${packages[@]}"; do
		ok "$package, $target: convert" unik-convert -q -t "$target" \
			--package="$package" "$T/app.tar" \
			"docker-archive:$T/$package-$target.tar:$package:$target"
	done
done

# The trees that `append` keeps, by who unpacks them.
plain() { # DIR
	(cd "$1" && find . -mindepth 1 -name 'rootfs-*' -prune -o -type f \
		-exec sha256sum {} + | LC_ALL=C sort)
}
base=$(cd "$T/tree" && sha256sum base/bin/busybox conf/etc/app/app.conf \
	app/srv/app)
source_files=$(cut -d ' ' -f 1 <<<"$base" | LC_ALL=C sort -u)

# shows TEXT TARGET PACKAGE DIR
shows() {
	is "$1: the stack's images, in order" "${want[$2]}" "$(carried "$4")"
	case $3 in
	file) is "$1: and nothing else" '' "$(plain "$4")" ;;
	append) is "$1: and the source's files" "$source_files" \
		"$(plain "$4" | cut -d ' ' -f 1 | LC_ALL=C sort -u)" ;;
	esac
}
each() { # FUNCTION: for all combinations
	local package target
	for package in "${packages[@]}"; do
		for target in "${targets[@]}"; do
			"$1" "$package" "$target"
		done
	done
}

# What the manual says of raw images.
if start_registry; then
	for format in iso ext2; do
		ok "raw, $format: convert" unik-convert -q -t oci -f $format \
			--package=raw "$T/app.tar" "oci:$T/raw:$format"
		ok "raw, $format: push" skopeo_copy "oci:$T/raw:$format" \
			"docker://$REG/raw:$format"
	done
else
	skip "raw images" "${why_not:-}"
fi

if start_containerd; then
	echo "# $(containerd --version)"
	with_containerd() {
		local text="containerd, $1, $2"
		ok "$text: import" ctr images import "$T/$1-$2.tar"
		ok "$text: mount" ctr_mount "docker.io/library/$1:$2" "$T/mnt"
		shows "$text" "$2" "$1" "$T/mnt"
		ok "$text: unmount" ctr images unmount --rm "$T/mnt"
	}
	each with_containerd
	if [ -n "${REG:-}" ]; then
		for format in iso ext2; do
			ok "containerd, raw, $format: it fetches" ctr content \
				fetch --plain-http "$REG/raw:$format"
			status "containerd, raw, $format: it can't unpack" 1 \
				ctr images pull --plain-http "$REG/raw:$format"
		done
	fi
	stop containerd
else
	skip "containerd" "${why_not:-}"
fi

if start_podman; then
	echo "# $(podman --version)"
	with_podman() {
		local text="podman, $1, $2" name=localhost/$1:$2
		ok "$text: load" podman_load -i "$T/$1-$2.tar"
		shows "$text" "$2" "$1" "$(podman image mount "$name")"
		ok "$text: unmount" podman image unmount "$name"
	}
	each with_podman
	if [ -n "${REG:-}" ]; then
		for format in iso ext2; do
			ok "podman, raw, $format: pull" podman pull -q \
				--signature-policy "$T/podman/policy.json" \
				--tls-verify=false "$REG/raw:$format"
			at=$(podman image mount "$REG/raw:$format")
			is "podman, raw, $format: an empty root" "" \
				"$(find "${at:-/proc}" -mindepth 1 | head -n 3)"
		done
	fi
	is "podman runs what append made" "$greeting" \
		"$(podman run --rm --network none --pids-limit=-1 \
			--cgroup-parent="/${cgroup:?}" localhost/append:rumprun)"
else
	skip "podman" "${why_not:-}"
fi

if needs root umoci; then
	with_umoci() {
		local text="umoci, $1, $2"
		ok "$text: convert to OCI" unik-convert -q -t "$2" \
			--package="$1" "$T/app.tar" "oci:$T/oci:$1-$2"
		ok "$text: unpack" umoci_root "$T/oci:$1-$2"
		shows "$text" "$2" "$1" "$T/umoci/rootfs"
	}
	each with_umoci
else
	skip "umoci" "${why_not:-}"
fi
done_testing
