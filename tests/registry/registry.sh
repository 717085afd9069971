#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A registry takes our images and gives back the same: pushed, counted on its
# disk, pulled, verified.
. "$(dirname "$0")/lib.bash"
. "$TOP/tests/registry/images.bash"

make_images
make_image conf app base conf >"$T/log/conf" # other.tar has its base
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

digests() { # NAME FILTER: of its manifest, sorted
	skopeo inspect --raw --tls-verify=false "docker://$REG/$1" |
		jq -r "$2" | cut -d : -f 2 | LC_ALL=C sort
}

# The second brings its layer, configuration and manifest.  In rumprun an image
# also depends on those below it; the lowest has none.
for name in file-linux append-linux raw-linux file-rumprun; do
	for what in conf other; do
		ok "$name, $what: convert" unik-convert -q -t "${name#*-}" \
			--package="${name%-*}" "$T/$what.tar" \
			"oci-archive:$T/$what-$name.tar:1"
	done
	ok "$name: an application" skopeo_copy \
		"oci-archive:$T/conf-$name.tar" "docker://$REG/conf-$name:1"
	before=$(reg_blobs)
	ok "$name: another on its base" skopeo_copy \
		"oci-archive:$T/other-$name.tar" "docker://$REG/other-$name:1"
	is "$name: adds its layer, configuration and manifest" \
		"$({
			digests "other-$name:1" '.layers[1:][].digest, .config.digest'
			manifest_of "docker://$REG/other-$name:1" | cut -d ' ' -f 1
		} | LC_ALL=C sort)" "$(added)"
	is "$name: the base is that of the first" \
		"$(digests "conf-$name:1" '.layers[0].digest')" \
		"$(digests "other-$name:1" '.layers[0].digest')"
	before=$(reg_blobs)
	ok "$name: the same once more, to another name" skopeo_copy \
		"oci-archive:$T/other-$name.tar" "docker://$REG/again-$name:1"
	is "$name: adds nothing" '' "$(added)"
done

# ---- a signed image, and what refers to it ----

ok "signed: an image as it was built" skopeo_copy "docker-archive:$T/app.tar" \
	"oci:$T/signed:1"
signed=$(manifest_of "oci:$T/signed:1")
ok "signed: --referrer" unik-convert -q -t linux --referrer \
	"oci:$T/signed:1" "oci:$T/signed"
artifact=$(jq -r '.manifests[] | select(.artifactType) | .digest' \
	"$T/signed/index.json")
ok "signed: push" skopeo_copy --preserve-digests "oci:$T/signed:1" \
	"docker://$REG/signed:1"
is "signed: the manifest that was signed" "$signed" \
	"$(manifest_of "docker://$REG/signed:1")"
ok "signed: the registry takes the artifact" python3 \
	"$TOP/tests/tools/push_oci.py" "$T/signed" "$artifact" "$REG" signed
is "signed: and keeps it" "${artifact#sha256:}  -" \
	"$(manifest_of "docker://$REG/signed@$artifact")"
is "signed: it refers to what was signed" "sha256:${signed%% *}" \
	"$(jq -r .subject.digest "$(reg_blob "$artifact")")"
is "signed: its blobs are the stack" "$(stack_of "oci:$T/signed:1" -t linux)" \
	"$(for d in $(jq -r '.layers[].digest' "$(reg_blob "$artifact")"); do
		echo "sha256:$(sha256sum <"$(reg_blob "$d")" | cut -d ' ' -f 1)"
	done)"
done_testing
