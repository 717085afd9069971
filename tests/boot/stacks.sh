#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Whole stacks in a guest: each image its own block device, ISO and ext2, laid
# over each other by overlayfs; the tree compared with `umoci unpack` of the
# same source, and a program of the container run from it.
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/real/images.bash"
. "$TOP/tests/boot/lib.sh"

if ! why=$(boot_available); then
	skip 'stacks in a guest' "$why"
	done_testing
fi
if ! need_images; then
	skip 'stacks in a guest' "$why_not"
	done_testing
fi

# Runs in the guest and here, by the same busybox: type, mode, owner, size,
# device and time (not of directories: umoci moves those) of every entry, the
# targets of symlinks, the content of files.
cat >"$T/list" <<'END'
cd "$1" || exit 1
find . -mindepth 1 ! -type d -print0 |
	xargs -0 stat -c '%f %u %g %s %t:%T %Y %n' | sort
find . -mindepth 1 -type d -print0 | xargs -0 stat -c '%f %u %g %n' | sort
find . -type l -print0 | xargs -0 -n 1 sh -c 'echo "$0 -> $(readlink "$0")"' |
	sort
[ "$2" = names ] || find . -type f -print0 | xargs -0 sha256sum | sort
END

# In the guest: mounts all images, the last on top, and lays them over.
cat >"$T/mount" <<'END'
lower= n=0
for dev in /dev/vd?; do
	mkdir -p /m/$n
	mount -t iso9660 -o ro $dev /m/$n 2>/dev/null ||
		mount -t ext4 -o ro $dev /m/$n || exit 9
	lower=/m/$n${lower:+:$lower}
	n=$((n + 1))
done
mkdir -p /o /empty
[ $n -gt 1 ] || lower=$lower:/empty
mount -t overlay -o ro,lowerdir=$lower none /o || exit 8
END

reference() { # NAME names|content
	local tag
	mkdir -p "$T/$1.oci" "$T/$1.ref"
	tar -xf "$C/$1.gzip.tar" -C "$T/$1.oci"
	tag=$(jq -r '.manifests[0].annotations["org.opencontainers.image.ref.name"]' \
		"$T/$1.oci/index.json")
	umoci raw unpack --image "$T/$1.oci:$tag" "$T/$1.ref" >"$T/log" 2>&1
	busybox sh "$T/list" "$T/$1.ref" "$2" >"$T/$1.want"
}

images_of() { # NAME FORMAT
	unik-convert -q --json --target=linux -f "$2" "$C/$1.docker.tar" \
		"$T/$1.$2" |
		jq -r '.stack[].image' | tr : - |
		sed "s|.*|$T/$1.$2/images/&.$2|"
}

check() { # NAME FORMAT names|content PROGRAM WANT
	local images
	mapfile -t images < <(images_of "$1" "$2")
	ok "$1 as $2 is a stack" test "${#images[@]}" -gt 0
	{
		cat "$T/mount"
		echo 'cat >/list <<"LIST"'
		cat "$T/list"
		printf 'LIST\nsh /list /o %s\necho ---\nchroot /o %s\n' "$3" "$4"
	} >"$T/guest"
	boot_run "$T/guest" "${images[@]}" >"$T/out"
	is "$1 as $2: the guest is content" 0 $?
	# Linux cuts names of over 253 bytes of ISO images (a warning says so).
	sed '/^---$/,$d' "$T/out" | grep -v 'n\{240\}' >"$T/got"
	if grep -v 'n\{240\}' "$T/$1.want" | diff - "$T/got" >"$T/diff"; then
		pass "$1 as $2 is what umoci unpacks ($(wc -l <"$T/got") lines)"
	else
		fail "$1 as $2 is what umoci unpacks"
		head -n 20 "$T/diff" | sed 's/^/# /'
	fi
	is "$1 as $2: a program of the container runs" "$5" \
		"$(sed '1,/^---$/d' "$T/out")"
}

reference busybox content
for format in ext2 iso; do
	check busybox $format content \
		'/bin/busybox sh -c "cat /etc/one /srv/three"' "one
three"
done
reference debian names
for format in ext2 iso; do
	check debian $format names \
		"/usr/bin/python3 -c 'import json; print(json.dumps([6*7]))'" \
		'[42]'
done
done_testing
