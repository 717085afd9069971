#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A registry takes our images and gives back the same: pushed, counted on its
# disk, pulled, verified.
. "$(dirname "$0")/lib.bash"
. "$TOP/tests/registry/images.bash"

make_images
if ! start_registry; then
	skip "registry" "${why_not:-}"
	done_testing
fi

# The digests of a manifest in the registry: the manifest, its configuration,
# its layers, each once.
parts_of() { # NAME
	local m=$T/manifest.json
	skopeo inspect --raw --tls-verify=false "docker://$REG/$1" >"$m" ||
		return
	{
		sha256sum <"$m" | cut -d ' ' -f 1
		jq -r '.config.digest, .layers[].digest' "$m" | cut -d : -f 2
	} | LC_ALL=C sort -u
}

# What became more on the registry's disk since $before.
added() { LC_ALL=C comm -13 <(echo "$before") <(reg_blobs); }

# push_and_pull TEXT SOURCE NAME OPTION...: through the registry and back
push_and_pull() {
	local text=$1 source=$2 name=$3
	shift 3
	before=$(reg_blobs)
	ok "$text: push" skopeo_copy "$@" "$source" "docker://$REG/$name"
	is "$text: the registry has its blobs, whole" '' "$(bad_blobs "$name")"
	rm -rf "$T/back"
	ok "$text: pull" skopeo_copy "docker://$REG/$name" "oci:$T/back:1"
	ok "$text: unik-verify of what came back" verifies "$T/app.tar" \
		"oci:$T/back:1"
	is "$text: the same diff_ids" "$(diff_ids "$source")" \
		"$(diff_ids "oci:$T/back:1")"
}

bad_blobs() { # NAME
	local d
	for d in $(parts_of "$1"); do
		[ "$(sha256sum <"$(reg_blob "$d")")" = "$d  -" ] || echo "$d"
	done
}

diff_ids() { # SOURCE
	skopeo inspect --config "$1" | jq -r '.rootfs.diff_ids[]'
}

manifest_of() { # SOURCE
	skopeo inspect --raw --tls-verify=false "$1" | sha256sum
}

# ---- each packaging, from each container, there and back ----

for at in docker-archive:{file,append}-linux oci-archive:{file,append,raw}-linux \
	oci:{file,append,raw}-{linux,rumprun,flat}; do
	kind=${at%%:*} name=${at#*:}
	at=$kind:$T/$kind-$name:app:$name
	[ "$kind" != oci ] || at=oci:$T/oci:$name
	ok "$kind, $name: convert" unik-convert -q -t "${name#*-}" \
		--package="${name%-*}" "$T/app.tar" "$at"
	push_and_pull "$kind, $name" "$at" "app:$name"
done
for how in none gzip zstd; do
	at=oci-archive:$T/$how.tar:$how
	ok "$how: convert" unik-convert -q -t linux --compress=$how \
		"$T/app.tar" "$at"
	push_and_pull "$how" "$at" app:$how --preserve-digests
	is "$how: the very manifest was pushed" "$(manifest_of "$at")" \
		"$(manifest_of "docker://$REG/app:$how")"
done

# ---- one base, two applications ----

# The second brings its layer, configuration and manifest.
for name in app other; do
	ok "$name: convert" unik-convert -q -t linux "$T/$name.tar" \
		"docker-archive:$T/$name-linux.tar:$name:linux"
done
ok "an application" skopeo_copy "docker-archive:$T/app-linux.tar" \
	"docker://$REG/app:linux"
before=$(reg_blobs)
ok "another application" skopeo_copy "docker-archive:$T/other-linux.tar" \
	"docker://$REG/other:linux"
is "adds three blobs" 3 "$(added | wc -l)"
own=$(jq -r '.layers[1].digest, .config.digest' \
	<(skopeo inspect --raw --tls-verify=false "docker://$REG/other:linux") |
	cut -d : -f 2)
is "its own layer and its configuration among them" "$(sort <<<"$own")" \
	"$(LC_ALL=C comm -12 <(sort <<<"$own") <(added))"
is "and the base's image is the first application's" \
	"$(jq -r '.layers[0].digest' <(skopeo inspect --raw --tls-verify=false \
		"docker://$REG/app:linux"))" \
	"$(jq -r '.layers[0].digest' <(skopeo inspect --raw --tls-verify=false \
		"docker://$REG/other:linux"))"
before=$(reg_blobs)
ok "the same once more, to another name" skopeo_copy \
	"docker-archive:$T/other-linux.tar" "docker://$REG/again:linux"
is "adds nothing" '' "$(added)"
done_testing
