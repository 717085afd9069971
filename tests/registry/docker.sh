#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# dockerd takes our archives, keeps them through load, save, push and pull, and
# shows the image files in order with their bytes; with --package=append it
# still runs the program.
. "$(dirname "$0")/lib.bash"
. "$TOP/tests/registry/images.bash"

make_images
if ! start_docker; then
	skip "dockerd" "${why_not:-}"
	done_testing
fi
echo "# $(docker version -f 'dockerd {{.Server.Version}}, ')$DRIVER"
if ! start_registry; then
	skip "push and pull" "${why_not:-}"
	done_testing
fi

# The files of an image's root, without running it.
docker_root() { # IMAGE DIR
	local id
	rm -rf "$2"
	mkdir -p "$2"
	id=$(docker create --network none "$1" none) || return
	docker export "$id" | tar -C "$2" -xf - && docker rm "$id"
}

# shows TEXT IMAGE WANT: that image's root holds the stack WANT
shows() {
	if docker_root "$2" "$T/root" >"$T/log/root" 2>&1; then
		is "$1: the stack's images, in order" "$3" "$(carried "$T/root")"
	else
		fail "$1: $(tail -n 1 "$T/log/root")"
	fi
}

# through ARCHIVE NAME WANT: load, save, push, pull
through() {
	local id name=$2
	ok "$name: docker load" docker load -i "$1"
	shows "$name" "$name" "$3"
	id=$(docker inspect -f '{{.Id}}' "$name")
	is "$name: its id is the configuration's digest" "$id" \
		"sha256:$(tar -xOf "$1" manifest.json | jq -r '.[0].Config' |
			grep -o '[0-9a-f]\{64\}')"
	ok "$name: docker save" docker save -o "$T/saved.tar" "$name"
	ok "$name: unik-verify of what it saved" verifies "$T/app.tar" \
		"docker-archive:$T/saved.tar"
	ok "$name: docker tag" docker tag "$name" "$REG/$name"
	ok "$name: docker push" docker push "$REG/$name"
	docker rmi "$name" "$REG/$name" >/dev/null
	status "$name: it is gone" 1 docker inspect "$name"
	ok "$name: docker pull" docker pull "$REG/$name"
	is "$name: the same image" "$id" \
		"$(docker inspect -f '{{.Id}}' "$REG/$name")"
	shows "$name, pulled" "$REG/$name" "$3"
}

for target in linux rumprun flat; do
	want=$(stack_of "$T/app.tar" -t $target)
	ok "$target: convert" unik-convert -q -t $target "$T/app.tar" \
		"docker-archive:$T/$target.tar:app:$target"
	through "$T/$target.tar" app:$target "$want"
done
is "the configuration's command stays" '["/srv/app"]' \
	"$(docker inspect -f '{{json .Config.Cmd}}' "$REG/app:linux")"
is "and labels" test "$(docker inspect \
	-f '{{index .Config.Labels "com.example.who"}}' "$REG/app:linux")"

# ---- append: a container and a unikernel alike ----

for target in linux rumprun; do
	want=$(stack_of "$T/app.tar" -t $target)
	ok "append, $target: convert" unik-convert -q -t $target \
		--package=append "$T/app.tar" \
		"docker-archive:$T/append.tar:both:$target"
	through "$T/append.tar" both:$target "$want"
	is "append, $target: the program runs" "$greeting" \
		"$(docker run --rm --network none "$REG/both:$target")"
done
docker load -q -i "$T/app.tar" >/dev/null
docker_root app:1 "$T/plain" >/dev/null
docker_root "$REG/both:linux" "$T/root" >/dev/null
find "$T/root" -name 'rootfs-*' -delete
is "append: all else is as it was" "$(listed "$T/plain")" "$(listed "$T/root")"

# ---- urunc: what the engine is asked for ----

cp "$(command -v busybox)" "$T/kernel"
ok "urunc: convert" unik-convert -q -t flat --urunc=rumprun,qemu \
	--kernel="$T/kernel" "$T/app.tar" "docker-archive:$T/urunc.tar:app:urunc"
ok "urunc: docker load" docker load -i "$T/urunc.tar"
ok "urunc: docker push" bash -c '"$0" tag app:urunc "$1" && "$0" push "$1"' \
	"$DOCKER" "$REG/app:urunc"
docker rmi app:urunc "$REG/app:urunc" >/dev/null
ok "urunc: docker pull" docker pull "$REG/app:urunc"
docker_root "$REG/app:urunc" "$T/root" >/dev/null
docker inspect -f '{{json .Config.Labels}}' "$REG/app:urunc" >"$T/labels"
# urunc finds the kernel and the root in the container's root by these.
label() { jq -r ".\"com.urunc.unikernel.$1\"" "$T/labels"; }
is "urunc: a type" rumprun "$(label unikernelType)"
is "urunc: a hypervisor" qemu "$(label hypervisor)"
ok "urunc: the kernel where the label says, to the bit" cmp "$T/kernel" \
	"$T/root$(label binary)"
is "urunc: it is executable" 755 "$(stat -c %a "$T/root$(label binary)")"
is "urunc: the root where the label says" "$(stack_of "$T/app.tar" -t flat)" \
	"sha256:$(sha256sum <"$T/root$(label block)" | cut -d ' ' -f 1)"
is "urunc: the file says what the labels say, in base64" \
	"$(jq -cS 'with_entries(select(.key | startswith("com.urunc.")))' \
		"$T/labels")" \
	"$(jq -cS 'map_values(@base64d)' "$T/root/urunc.json")"

# ---- raw: not for engines ----

ok "raw: convert" unik-convert -q -t linux --package=raw "$T/app.tar" \
	"oci:$T/raw:1"
ok "raw: push" skopeo_copy "oci:$T/raw:1" "docker://$REG/raw:1"
if docker pull -q "$REG/raw:1" >"$T/log/raw" 2>&1; then
	docker_root "$REG/raw:1" "$T/root" >/dev/null
	is "raw: dockerd pulls it, and shows nothing" '' \
		"$(find "$T/root" -type f -size +0)"
else
	ok "raw: dockerd refuses it" grep -q 'unsupported media type' \
		"$T/log/raw"
fi

# ---- in a pipe ----

docker tag app:1 app:piped
ok "docker save | unik-convert - - | docker load" bash -o pipefail -c \
	'"$0" save app:piped | unik-convert --target=rumprun - - | "$0" load' \
	"$DOCKER"
shows "the pipe" app:piped "$(stack_of "$T/app.tar" -t rumprun)"
done_testing
