#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Real images: the tree read back from each image of a stack, by several tools
# of others, equals the tree of its layer.
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/real/images.bash"

if ! need_images; then
	skip "real images convert" "$why_not"
	done_testing
fi
tools=$TOP/tests/tools

# image N of a stack in a manifest (a line of --json)
stack_image() { # JSON N FORMAT
	python3 -c 'import json, sys
m = json.loads(sys.argv[1])
print("images/%s.%s" % (m["stack"][int(sys.argv[2])]["image"].replace(":", "-"),
                        sys.argv[3]))' "$@"
}

check_layer() { # NAME FORMAT LAYER IMAGE
	local how hows text="$1, layer $3, $2"
	case $2 in
	ext2)
		ok "$text: e2fsck" e2fsck -fn "$4"
		hows='debugfs mount'
		[ -e /dev/loop-control ] || hows='debugfs'
		;;
	iso) hows='bsdtar xorriso isoinfo' ;;
	esac
	for how in $hows; do
		ok "$text: the tree, by $how" python3 "$tools/checkimg.py" \
			"$2" "$how" "$4" "$T/$1.$3.rows"
	done
	is "$text: a whole number of blocks" 0 $(($(stat -c %s "$4") % 4096))
}

check_image() { # NAME FORMAT
	local json n=0 layer image
	if ! json=$(unik-convert -f "$2" --json "docker-archive:$C/$1.docker.tar" \
		"$T/store" 2>"$T/err"); then
		fail "$1 converts to $2: $(cat "$T/err")"
		return
	fi
	pass "$1 converts to $2"
	for layer in "$C/$1.layers"/*.tar; do
		image=$T/store/$(stack_image "$json" $n "$2")
		check_layer "$1" "$2" $n "$image"
		n=$((n + 1))
	done
	is "$1, $2: one image a layer" $n "$(python3 -c 'import json, sys
print(len(json.loads(sys.argv[1])["stack"]))' "$json")"
}

for name in busybox debian; do
	n=0
	for layer in "$C/$name.layers"/*.tar; do
		python3 "$tools/reftar.py" "$layer" >"$T/$name.$n.rows" ||
			fail "the reference of $name, layer $n"
		n=$((n + 1))
	done
	check_image $name ext2
	check_image $name iso
done

# The names of the store say what is in it.
bad=$(cd "$T/store/images" && for f in *; do
	sum=$(sha256sum <"$f")
	[ "$f" = "sha256-${sum%% *}.${f##*.}" ] || echo "$f"
done)
is "every image's name is the sha256 of its bytes" '' "$bad"
is "every image is read-only" '' \
	"$(find "$T/store/images" -type f ! -perm 444)"

# A checker that can't fail would prove nothing.
cp "$T/store/images/"*.ext2 "$T/" 2>/dev/null
victim=$(find "$T" -maxdepth 1 -name '*.ext2' -size -64k | head -n 1)
if [ -n "$victim" ]; then
	debugfs -w -R 'sif <2> mode 040700' "$victim" >/dev/null 2>&1
	matches=$(for rows in "$T"/*.rows; do
		python3 "$tools/checkimg.py" ext2 debugfs "$victim" "$rows" \
			>/dev/null && echo "$rows"
	done)
	is "a changed image is seen to differ" '' "$matches"
fi
done_testing
