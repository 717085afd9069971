#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The versions of ext2: the bytes of each stay what they are, and what was made
# in one is derived in it again.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
needs mkimg

# ---- bytes ----

# Everything, in little.
zoo() {
	cat <<-'END'
		dir . mode=0710 uid=3 gid=4 mtime=1700000000.123456789
		file bin/sh mode=4755 fill=70000:1 xattr=security.capability:0102
		link bin/ash target=bin/sh
		file big fill=5000000:2
		file sparse text=a at=1000000 text=b size=9000000
		symlink short target=bin/sh
		char null rdev=1:3
		block disk rdev=8:300
		fifo pipe
		file etc/.wh.gone
		file etc/.wh..wh..opq
		dir etc xattrfill=user.long:900
		file etc/text text=hello mtime=-1.500000000
		repeat 700 file usr/lib/python/module{5} text={}
		symlink long target=0123456789012345678901234567890123456789012345678901234567890123456789
	END
}
# Small files: blocks of 1024 save 1.6 MB of 2.2.
small() {
	echo 'repeat 500 file usr/share/d{1}/file{} text={} fill=300:7'
	echo 'repeat 50 symlink usr/lib/l{} target=../share/d1/file{}'
}
sum() { # TREE [OPTION...]
	local tree=$1
	shift
	"$tree" | mkimg ext2 "$@" - | sha256sum | cut -c 1-64
}
n=0
while read -r tree want options; do
	# shellcheck disable=SC2086 # options are words
	is "bytes: $tree $options" "$want" "$(sum "$tree" $options)"
	n=$((n + 1))
done <<-END
	zoo c99e2cf27d924757f3ede51311655ec4ebd161cf5fd9f79adcac5b5bc55f6d8c --format-version 1
	zoo d750e676f723315800a78a5889007f0154d89a43c27f7179b11a1997eaa897e4 --format-version 1 --block-size 1024
	zoo 76f4df743f75440d09bff16039ae2f0b7266e8bfc53fbbb2a791681c2bdeccdc --format-version 1 --block-size 2048
	zoo c99e2cf27d924757f3ede51311655ec4ebd161cf5fd9f79adcac5b5bc55f6d8c --format-version 1 --block-size 4096
	zoo 86ecab13ba3c77da42026931ae67e6e14dcc83d22fa5d5061532b7254c1ffa3c --format-version 1 --netbsd
	zoo bf66b5ac281c56f4b6970f1c866081c964328188f6d2f29055e5adb9011a2042 --format-version 1 --free-size 3000000 --free-inodes 500
	small 9266cce4affd7b8d417c461a58ef89ceb2be35438c243d9b07a3f8898949e119 --format-version 1
	small 305adcf9d0af9878ea51dea561e924481e3b5725438996b94dbd11613ba55064 --format-version 1 --block-size 1024
	small b4cdb223da6c223964a09c78b8ba56a5e69e7cd7c7456c6e27ec2565d31746e4 --format-version 1 --block-size 2048
	small 9266cce4affd7b8d417c461a58ef89ceb2be35438c243d9b07a3f8898949e119 --format-version 1 --block-size 4096
	small 76d93c5aff61edfd3e06e360d3f12acadaa8dcc9c15b2a432e8f226d48b8dd9f --format-version 1 --netbsd
	small 90fe1a80a0050b053b489a33ef622c0f17f971f361f6de34ef540872ddfabe2d --format-version 1 --free-size 3000000 --free-inodes 500
	zoo dd5b33a6f1af60254cb4a3a27a4c81669fb3f0087df5bf90dadd9f4935f91e45 --format-version 2
	zoo 1c30c2d344694eb944f4eab7603289fc8d182257fefa53371ea3795a90e2ee7f --format-version 2 --block-size 1024
	zoo 7bdc230da7ffd6529ea13da3f46665815c41a0dc7a6d13f400ba38a3ac1e484d --format-version 2 --block-size 2048
	zoo dd5b33a6f1af60254cb4a3a27a4c81669fb3f0087df5bf90dadd9f4935f91e45 --format-version 2 --block-size 4096
	zoo 5c60d8d144f8cfa2cd9e4db00ebfebffd5e084f9f954d9fbb1a9182d63b19463 --format-version 2 --netbsd
	zoo c4f9a7891e82e99f3f98f16ac54e103b3fa483fbec82d144ba9166333ae4ecdb --format-version 2 --free-size 3000000 --free-inodes 500
	small 91c0474d8fbe19415bfd923aa4da75457b4c3b58975394aac92c90012d658b93 --format-version 2
	small 91c0474d8fbe19415bfd923aa4da75457b4c3b58975394aac92c90012d658b93 --format-version 2 --block-size 1024
	small 144537afc123fb14ebfe01d5d3c9b978993b57e29d7d58b970fd645ebad6b159 --format-version 2 --block-size 2048
	small 6f2966886e290943ea18d27f0c0ef81ebf5377c46bf6ce9dd9eabf32646d9e87 --format-version 2 --block-size 4096
	small 7955c8d87d9a502a31b10e782a26117c5f05fbaceb335e97f6c89b629de4fb10 --format-version 2 --netbsd
	small 07337c76727eb056a727c2b2b177ce9737771eff1517a2e3b5a830cecbcb9f2b --format-version 2 --free-size 3000000 --free-inodes 500
END
is 'pins' 24 "$n"
is 'version 2 is the default' "$(sum small --format-version 2)" "$(sum small)"
is 'and of another size' "$(sum small --format-version 2 --block-size 1024)" \
	"$(sum small)"
is 'ordinary files' "$(sum zoo --format-version 2 --block-size 4096)" \
	"$(sum zoo)"


# ---- what was made in one is derived in it ----

mktar() { python3 "$TOP/tests/tools/mktar.py" >"$1"; }
verified() { # TEXT ARG...: nothing is wrong, and all of it was derived
	local text=$1 out
	shift
	if out=$(unik-verify "$@" 2>&1) && grep -q '^PASS faithful' <<<"$out" &&
		! grep -q '^SKIP faithful' <<<"$out"; then
		pass "$text"
	else
		fail "$text"
		sed 's/^/# /' <<<"$out"
	fi
}
field() { # JSON KEY
	sed -n "s/.*\"$2\":\"\{0,1\}\([^,\"}]*\).*/\1/p" <<<"$1" | head -n 1
}
about() { # IMAGE: version and block size
	local json
	json=$(unik-inspect --json "$1")
	echo "$(field "$json" format_version) $(field "$json" block_size)"
}

mktar "$T/a.tar" <<-'END'
	dir usr mode=755
	repeat 400 file usr/f%d data=x
	pax SCHILY.xattr.user.note=hello
	file usr/attr data=x
	symlink usr/link f1
	hardlink usr/hard usr/f1
	end
END
mktar "$T/b.tar" <<-'END'
	file usr/.wh.f7
	file usr/f8 fill=5000:8
	end
END
app=$T/app.tar S=$T/store
python3 "$TOP/tests/tools/mkimage.py" docker "$app" app:1 "$T/a.tar" "$T/b.tar"

layers() { # STORE: what its layers' names say, and their images
	local l
	for l in "$1"/layers/*[0-9]; do
		echo "${l##*.} $(about "$l")"
	done | sort
}
ok 'a store of version 1' unik-convert -q -f ext2 --format-version=1 "$app" "$S"
is 'its layers' 'ext2-v1 1 4096 ext2-v1 1 4096' "$(layers "$S" | xargs)"
verified 'derived again' --source="$app" "$S"
cp -r "$S" "$T/v1"
ok 'the same in version 2' unik-convert -q -f ext2 "$app" "$S"
is 'no image of version 1 is taken for one' \
	'ext2-v1 1 4096 ext2-v1 1 4096 ext2-v2 2 1024 ext2-v2 2 4096' \
	"$(layers "$S" | xargs)"
verified 'both derived again' --source="$app" "$S:app:1"
is 'the manifest says the version, and no block size' '2 {}' \
	"$(sed -n 's/.*"format_version":\([0-9]*\),"options":\({[^}]*}\).*/\1 \2/p' \
		"$S"/refs/*.json)"
ok 'what was there stays as it was' sh -c 'for i in "$1"/images/*; do
	cmp "$i" "$2/images/${i##*/}" || exit 1; done' - "$T/v1" "$S"
first=$(unik-convert -q --json -f ext2 "$app" "$S")
is 'back in version 1: nothing new' "$(cat "$T"/v1/refs/*.json)" \
	"$(unik-convert -q --json -f ext2 --format-version=1 "$app" "$S")"
is 'and again in version 2' "$first" \
	"$(unik-convert -q --json -f ext2 --format-version=2 "$app" "$S")"

# A manifest that claims the other version.
cp -r "$S" "$T/lie"
python3 - "$T/lie" <<-'END'
	import glob, hashlib, os, sys
	for path in glob.glob(sys.argv[1] + '/refs/*.json'):
	    text = open(path, 'rb').read()
	    text = text.replace(b'"format_version":2', b'"format_version":1')
	    name = 'sha256-%s.json' % hashlib.sha256(text).hexdigest()
	    open(sys.argv[1] + '/stacks/' + name, 'wb').write(text)
	    os.remove(path)
	    os.symlink('../stacks/' + name, path)
END
status 'images of version 2 called version 1' 1 \
	unik-verify -q --source="$app" "$T/lie:app:1"

# ---- image files: version and block size are read from them ----

for options in '' '--block-size=1024' '--block-size=2048' '--block-size=4096' \
	'--format-version=1' '--format-version=1 --block-size=1024'; do
	# shellcheck disable=SC2086 # options are words
	unik-convert -q -f ext2 $options "layer:$T/a.tar" "image:$T/a.ext2"
	verified "a file $options: $(about "$T/a.ext2")" \
		--source="layer:$T/a.tar" "$T/a.ext2"
	case $options in
	'') ok 'by content is as asked for' unik-convert -q -f ext2 \
		--block-size=1024 "layer:$T/a.tar" "image:$T/same.ext2"
	ok 'to the byte' cmp "$T/a.ext2" "$T/same.ext2" ;;
	esac
done
for target in linux rumprun flat; do
	ok "target $target" unik-convert -q -t $target -f ext2 "$app" "$T/$target"
	verified 'derived again' --source="$app" "$T/$target"
	is 'blocks of 1024' '2 1024' \
		"$(for i in "$T/$target"/images/*; do about "$i"; done |
			sort | head -n 1)"
	ok 'the same in version 1' unik-convert -q -t $target -f ext2 \
		--format-version=1 "$app" "$T/$target"
	verified 'derived again' --source="$app" "$T/$target"
done
ok 'free space' unik-convert -q -t flat --free-space=8M "$app" "image:$T/a.ext2"
is 'is for blocks of 4096' '2 4096' "$(about "$T/a.ext2")"
status 'a version to come' 2 unik-convert -q -f ext2 --format-version=3 "$app" \
	"$T/none"
status 'and iso has no second' 2 unik-convert -q -f iso -f ext2 \
	--format-version=2 "$app" "$T/none"
is 'the first is of both' '1 1' "$(unik-convert -q --json -f iso -f ext2 \
	--format-version=1 "$app" "$T/both" |
	sed -n 's/.*"format_version":\([0-9]*\).*/\1/p' | xargs)"

# ---- scratch: ext2 of a stack that may be iso ----

for format in iso ext2; do
	for options in '' '--format-version=1' '--block-size=1024'; do
		rm -rf "$T/s"
		# shellcheck disable=SC2086 # options are words
		unik-convert -q -t rumprun -f $format --scratch=1M $options \
			"$app" "$T/s"
		verified "scratch of $format $options" --source="$app" "$T/s"
		case $format$options in
		iso) want='1 4096' ;;
		iso--format*) want='1 4096' ;;
		iso--block*) want='1 1024' ;;
		ext2) want='2 4096' ;;
		ext2--format*) want='1 4096' ;;
		ext2--block*) want='2 1024' ;;
		esac
		image=$(unik-inspect --json "$T/s" |
			sed 's/},{/\n/g' | grep '"writable":true' |
			sed 's/.*"sha256:\([0-9a-f]*\).*/\1/' | head -n 1)
		is "its image: $want" "$want" \
			"$(about "$T/s/images/sha256-$image.ext2")"
	done
done
ok 'with a block size: shared roots can be counted' \
	unik-inspect -q --sharing "$T/s"

# ---- container images ----

for how in file append raw; do
	for version in 1 2; do
		rm -rf "$T/p"
		ok "package $how, version $version" unik-convert -q -f ext2 \
			--package=$how --format-version=$version "$app" \
			"oci:$T/p:1"
		verified 'derived again' --source="$app" "oci:$T/p:1"
	done
done
is 'annotations say the version' '"org.unik.format-version":"2"' \
	"$(grep -rhoa '"org.unik.format-version":"."' "$T/p" | sort -u)"
done_testing
