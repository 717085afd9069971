#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The parts of this folder at work on plain images: what they do with ours says
# nothing where this fails.  What they write is read as what it was.
. "$(dirname "$0")/lib.bash"
. "$TOP/tests/registry/images.bash"

make_images
want=$(stack_of "$T/app.tar")
is "an image of four layers" 4 "$(wc -l <<<"$want")"
is "its last layer is its second" "$(sed -n 2p <<<"$want")" \
	"$(sed -n 4p <<<"$want")"

# same TEXT SOURCE: it verifies, and gives the stack of app.tar
same() {
	ok "$1: unik-verify" unik-verify -q "$2"
	is "$1: the same stack" "$want" "$(stack_of "$2")"
}

if start_registry; then
	ok "a push by skopeo" skopeo_copy "docker-archive:$T/app.tar" \
		"docker://$REG/app:1"
	# base, conf, app, config, manifest
	is "a registry has each blob once" 5 "$(reg_blobs | wc -l)"
	ok "back as an OCI layout" skopeo_copy "docker://$REG/app:1" \
		"oci:$T/app.oci:1"
	same "from the registry" "oci:$T/app.oci:1"
	ok "back as a docker-archive" skopeo_copy "docker://$REG/app:1" \
		"docker-archive:$T/back.tar:app:1"
	same "docker-archive of skopeo" "docker-archive:$T/back.tar"
	if needs root umoci; then
		ok "umoci unpacks it" umoci_root "$T/app.oci:1"
		is "and deletes what is deleted" app "$(ls "$T/umoci/rootfs/etc")"
	else
		skip "umoci" "${why_not:-}"
	fi
else
	skip "registry" "${why_not:-}"
fi

if start_docker; then
	echo "# $(docker version -f 'dockerd {{.Server.Version}}, ')$DRIVER"
	ok "docker load" docker load -i "$T/app.tar"
	is "docker run" "$greeting" "$(docker run --rm --network none app:1)"
	id=$(docker inspect -f '{{.Id}}' app:1)
	ok "docker save" docker save -o "$T/saved.tar" app:1
	same "docker save" "$T/saved.tar"
	is "docker save in a pipe" "$want" \
		"$(docker save app:1 | stack_of -)"
	if [ -n "${REG:-}" ]; then
		ok "docker tag" docker tag app:1 "$REG/pushed:1"
		ok "docker push" docker push "$REG/pushed:1"
		ok "all names gone" docker rmi app:1 "$REG/pushed:1"
		is "and the image" '' "$(docker images -q)"
		ok "docker pull" docker pull "$REG/pushed:1"
		is "the same image" "$id" \
			"$(docker inspect -f '{{.Id}}' "$REG/pushed:1")"
		ok "skopeo from what docker pushed" skopeo_copy \
			"docker://$REG/pushed:1" "oci:$T/pushed:1"
		same "docker push" "oci:$T/pushed:1"
	fi
	stop docker
else
	skip "dockerd" "${why_not:-}"
fi

if start_containerd; then
	ok "ctr import" ctr images import "$T/app.tar"
	ok "ctr export" ctr images export "$T/ctr.tar" docker.io/library/app:1
	same "ctr export" "$T/ctr.tar"
	ok "ctr mounts it" ctr_mount docker.io/library/app:1 "$T/mnt"
	is "whole" "$(sha256sum <"$T/tree/base/bin/busybox")" \
		"$(sha256sum <"$T/mnt/bin/busybox")"
	ctr images unmount --rm "$T/mnt" >/dev/null
	stop containerd
else
	skip "containerd" "${why_not:-}"
fi

if start_podman; then
	ok "podman load" podman_load -i "$T/app.tar"
	for format in docker-archive oci-archive; do
		ok "podman save: $format" podman save -q --format $format \
			-o "$T/podman-$format.tar" localhost/app:1
		same "podman save: $format" "$T/podman-$format.tar"
	done
else
	skip "podman" "${why_not:-}"
fi
done_testing
