#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# unik-verify --semantic where the format can't hold all of the source: what is
# lost is named and no fault; what differs beside it is one.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

if ! have python3; then
	skip 'unik-verify' 'no python3'
	done_testing
fi
# shellcheck source=verify.bash
. "$TOP/tests/cases/verify.bash"

# What no format holds; %NAME% is what another layer has otherwise.
lossy() { # FILE [SED]
	sed -e "${2-}" -e 's/%[a-z]*%//' <<-'TEXT' | mktar "$1"
		dir dir mode=755 mtime=1600000000
		char dir/odd 0:300%odd% mode=666
		pax SCHILY.xattr.foo.bar=a SCHILY.xattr.user.note=one%note%
		file dir/attr data=x
		pax SCHILY.xattr.user.x=hello
		symlink dir/link a//b/%link%
		symlink dir/root / mode=777
		pax mtime=1600000000.75
		file dir/half data=y%half%
		pax mtime=-99999999999.25
		file dir/early data=y
		pax mtime=99999999999.5
		file dir/late data=y%late%
		pax path=dir/{n*255}
		file dir/long data=z
		end
	TEXT
}
lossy "$T/lossy.tar"

# lost NAME LINE...: the last output names these as lost, and no others.
lost() {
	local text=$1
	shift
	is "$text" "$(printf '%s\n' "$@")" "$(sed -n 's/^     lost: //p' "$T/out")"
}
early='-100000000000.750000000'
attr="'dir/attr': attribute 'foo.bar'"
iso_time="'dir/early': time -2208988800.000000000, want $early"
odd="'dir/odd': device 1:44, want 0:300"
link="'dir/link': points to 'a/b', want 'a//b/'"

for t in oci linux rumprun flat; do
	for f in iso ext2; do
		unik-convert -q -f $f -t $t "layer:$T/lossy.tar" \
			"image:$T/$t.$f" 2>/dev/null
	done
	fine "iso for $t: by trees" 2 --semantic -t $t \
		--source="layer:$T/lossy.tar" "$T/$t.iso"
	if [ $t = rumprun ]; then
		lost 'what it lost' "$attr" "$iso_time" "$link" "$odd"
	else
		lost 'what it lost' "$attr" "$iso_time" "$odd"
	fi
	ok 'in one line' grep -q "what iso can't hold: times 3, attributes 3, \
device numbers 1" "$T/out"
	fine "ext2 for $t: by trees" 2 --semantic -t $t \
		--source="layer:$T/lossy.tar" "$T/$t.ext2"
	lost 'what it lost' "$attr" \
		"'dir/early': time -2147483648.000000000, want $early"
done
said 'targets in other words: for rumprun alone' 1 "^     $link" --semantic \
	--source="layer:$T/lossy.tar" "$T/rumprun.iso"
fine 'by bytes nothing is lost' 2 -t oci --source="layer:$T/lossy.tar" \
	"$T/oci.iso"

# differs FORMAT TARGET SED DIFFERENCE...: an image of another layer.
differs() {
	local f=$1 t=$2 sed=$3
	shift 3
	lossy "$T/other.tar" "$sed"
	rm -f "$T/other.$f"
	unik-convert -q -f "$f" -t "$t" "layer:$T/other.tar" \
		"image:$T/other.$f" 2>/dev/null
	said "$f for $t: $sed" 1 "that differ: $#," --semantic -t "$t" \
		--source="layer:$T/lossy.tar" "$T/other.$f"
	is 'and it is named' "$(printf '%s\n' "$@")" \
		"$(sed -n "/^     lost/d; s/^     //p" "$T/out")"
}
differs iso oci 's/0%odd%/1/' "'dir/odd': device 1:45, want 0:300"
differs iso oci 's/0:300%odd%/2:44/' "'dir/odd': device 2:44, want 0:300"
differs iso rumprun 's/%link%/c/' "'dir/link': points to 'a/b/c', want 'a//b/'"
differs iso oci 's/%half%/z/' "'dir/half': size 2, want 1"
differs iso oci 's/000.75/001.75/' \
	"'dir/half': time 1600000001.000000000, want 1600000000.750000000"
differs iso oci 's/pax mtime=99999999999.5/pax mtime=5/' \
	"'dir/late': time 5.000000000, want 99999999999.500000000"
differs ext2 oci 's/one%note%/two/' "'dir/attr': attribute 'user.note'"
differs ext2 oci 's/foo.bar/user.bar/' "'dir/attr': attribute 'user.bar'"
differs ext2 linux 's/000.75/000.5/' \
	"'dir/half': time 1600000000.500000000, want 1600000000.750000000"
differs ext2 oci 's/0:300%odd%/1:44/' "'dir/odd': device 1:44, want 0:300"

# Where bytes differ, the same words say in what.
said 'bytes differ: what is lost stands there too' 1 "^     lost: $odd" \
	--layer=0 --source="layer:$T/lossy.tar" "$T/rumprun.iso"

# ---- a store, and manifests of a format version to come

mktar "$T/top.tar" <<-'TEXT'
	dir dir mode=700 mtime=1600000001
	file dir/.wh.half
	char dir/odd2 0:513
	end
TEXT
app=$T/lossy-app.tar
mkimage docker "$app" app:1 "$T/lossy.tar" "$T/top.tar"
S=$T/store
for f in iso ext2; do
	for t in oci linux rumprun flat; do
		unik-convert -q -f $f -t $t "$app" "dir:$S" 2>/dev/null
	done
done
said 'a store, by bytes' 0 ' PASS, 0 FAIL, 0 SKIP' --source="$app" "$S"
said 'a store, by trees' 0 ' PASS, 0 FAIL, 0 SKIP' --semantic --source="$app" \
	"$S"
ok 'what it lost' grep -q "^     lost: 'dir/odd2': device 2:1, want 0:513" \
	"$T/out"
for ref in "$S"/refs/*; do
	python3 - "$S" "$ref" <<-'END'
		import hashlib, json, os, sys
		store, ref = sys.argv[1:]
		m = json.load(open(ref))
		m['format_version'] = 99
		text = json.dumps(m, separators=(',', ':')).encode() + b'\n'
		new = 'sha256-' + hashlib.sha256(text).hexdigest() + '.json'
		with open(store + '/stacks/' + new, 'wb') as f:
		    f.write(text)
		os.chmod(store + '/stacks/' + new, 0o444)
		os.unlink(os.path.join(store, 'refs', os.readlink(ref)))
		os.unlink(ref)
		os.symlink('../stacks/' + new, ref)
	END
done
sums "$S"
said 'a store of a format version to come' 0 ' PASS, 0 FAIL, 0 SKIP' \
	--source="$app" "$S"
is 'all by trees' "$(find "$S/images" -type f | wc -l)" \
	"$(sed -n 's/^PASS faithful \(images.*\): the tree is that .*/\1/p' \
	"$T/out" | sort -u | wc -l)"
done_testing
