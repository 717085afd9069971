#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# containerd, podman and umoci unpack our images: the image files of the stack
# are in the root, in order, with their bytes.
. "$(dirname "$0")/lib.bash"
. "$TOP/tests/registry/images.bash"

make_images
targets=(linux rumprun flat)
declare -A want
for target in "${targets[@]}"; do
	want[$target]=$(stack_of "$T/app.tar" -t "$target")
	ok "$target: docker-archive" unik-convert -q -t "$target" "$T/app.tar" \
		"docker-archive:$T/$target.tar:app:$target"
done

# shows TEXT TARGET DIR
shows() {
	is "$1: the stack's images, in order" "${want[$2]}" "$(carried "$3")"
}

if start_containerd; then
	echo "# $(containerd --version)"
	for target in "${targets[@]}"; do
		name=docker.io/library/app:$target
		ok "containerd, $target: import" ctr images import \
			"$T/$target.tar"
		ok "containerd, $target: mount" ctr_mount "$name" "$T/mnt"
		shows "containerd, $target" "$target" "$T/mnt"
		ok "containerd, $target: unmount" ctr images unmount --rm "$T/mnt"
	done
	stop containerd
else
	skip "containerd" "${why_not:-}"
fi

if start_podman; then
	echo "# $(podman --version)"
	for target in "${targets[@]}"; do
		name=localhost/app:$target
		ok "podman, $target: load" podman_load -i "$T/$target.tar"
		at=$(podman image mount "$name")
		shows "podman, $target" "$target" "$at"
		ok "podman, $target: unmount" podman image unmount "$name"
	done
else
	skip "podman" "${why_not:-}"
fi

if needs root umoci; then
	for target in "${targets[@]}"; do
		ok "skopeo, $target: docker-archive to OCI layout" skopeo_copy \
			"docker-archive:$T/$target.tar" "oci:$T/oci:$target"
		ok "umoci, $target: unpack" umoci_root "$T/oci:$target"
		shows "umoci, $target" "$target" "$T/umoci/rootfs"
	done
else
	skip "umoci" "${why_not:-}"
fi
done_testing
