#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The guest's kernel in a container image, and what urunc is told.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

if ! have python3; then
	skip 'kernels in container images' 'no python3'
	done_testing
fi

convert() { unik-convert -q "$@"; }
# One member of one layer of a docker-archive.
file() { # ARCHIVE LAYER PATH
	tar -xOf "$1" "$(tar -xOf "$1" manifest.json | python3 -c "import json, sys
print(json.load(sys.stdin)[0]['Layers'][$2])")" | tar -xOf - "$3"
}
list() { # ARCHIVE LAYER
	tar -xOf "$1" "$(tar -xOf "$1" manifest.json | python3 -c "import json, sys
print(json.load(sys.stdin)[0]['Layers'][$2])")" | TZ=UTC tar -tvf - |
		awk '{print $1, $2, $6}' | sed 's/[0-9a-f]\{64\}/HEX/'
}
label() { # ARCHIVE KEY
	tar -xOf "$1" "$(tar -xOf "$1" manifest.json | python3 -c "import json, sys
print(json.load(sys.stdin)[0]['Config'])")" | python3 -c "import json, sys
print(json.load(sys.stdin)['config']['Labels'].get('$2'))"
}
sha() { sha256sum <"$1" | cut -d' ' -f1; }

# An ELF file of one note segment (System V ABI), owner Solo5.
kernel() { # FILE OWNER
	python3 - "$@" <<-'END'
		import struct, sys
		name = sys.argv[2].encode() + b'\0'
		note = struct.pack('<III', len(name), 4, 1) + \
		    name.ljust((len(name) + 3) // 4 * 4, b'\0') + b'\1\0\0\0'
		head = b'\x7fELF\2\1\1' + bytes(9) + struct.pack(
		    '<HHIQQQIHHHHHH', 2, 62, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0)
		segment = struct.pack('<IIQQQQQQ', 4, 4, 120, 0, 0, len(note),
		                      len(note), 4)
		open(sys.argv[1], 'wb').write(head + segment + note + bytes(5000))
	END
}
image() { # NAME DIR...: one layer a directory
	local out=$1 dir layers=()
	shift
	for dir; do
		tar --sort=name --mtime=@1000000000 --owner=0 --group=0 \
			--numeric-owner -C "$T/$dir" -cf "$T/$dir.tar" .
		layers+=("$dir.tar")
	done
	python3 - "$T" "${layers[@]}" <<-'END'
		import hashlib, json, sys
		top, layers = sys.argv[1], sys.argv[2:]
		ids = ['sha256:' + hashlib.sha256(open(f'{top}/{n}', 'rb').read()
		       ).hexdigest() for n in layers]
		json.dump({'architecture': 'amd64', 'os': 'linux', 'config':
		           {'Entrypoint': ['/unikernel/app.hvt', '-v'],
		            'Cmd': ['a b', 'c']},
		           'rootfs': {'type': 'layers', 'diff_ids': ids}},
		          open(f'{top}/config.json', 'w'))
		json.dump([{'Config': 'config.json', 'RepoTags': ['app:1'],
		            'Layers': layers}], open(f'{top}/manifest.json', 'w'))
	END
	tar -C "$T" -cf "$out" manifest.json config.json "${layers[@]}"
}
mkdir -p "$T/base/etc" "$T/app/unikernel" "$T/gone/unikernel" "$T/two/boot"
echo base >"$T/base/etc/base"
kernel "$T/app/unikernel/app.hvt" Solo5
touch "$T/gone/unikernel/.wh.app.hvt"
kernel "$T/two/boot/other" Solo5
kernel "$T/gnu.elf" GNU
image "$T/app.img" base app
image "$T/gone.img" base app gone
image "$T/two.img" base app two
K=sha256:$(sha "$T/app/unikernel/app.hvt")

# ---- found by its note

O=$T/o.tar
ok "a kernel in the source" convert "$T/app.img" "docker-archive:$O"
is "it is a plain file of the first layer" "-r--r--r-- 0/0 rootfs-000-HEX.iso
drwxr-xr-x 0/0 unikernel/
-rwxr-xr-x 0/0 unikernel/app.hvt" "$(list "$O" 0)"
is "and of no other" "-r--r--r-- 0/0 rootfs-001-HEX.iso" "$(list "$O" 1)"
ok "its bytes" cmp <(file "$O" 0 unikernel/app.hvt) "$T/app/unikernel/app.hvt"
is "labels" "unikernel/app.hvt $K source" \
	"$(label "$O" org.unik.kernel) $(label "$O" org.unik.kernel.digest) \
$(label "$O" org.unik.kernel.from)"
ok "verified" unik-verify --source="$T/app.img" "$O"
is "verified: the kernel too" 2 \
	"$(unik-verify --source="$T/app.img" "$O" | grep -c '^PASS .* kernel: ')"
ok "append" convert --package=append "$T/app.img" "docker-archive:$O"
is "append: it stays where it is" "-r--r--r-- 0/0 rootfs-000-HEX.iso" \
	"$(list "$O" 0 | grep -v /)$(list "$O" 0 | grep rootfs)"
is "append: labels" "unikernel/app.hvt" "$(label "$O" org.unik.kernel)"
ok "append: verified" unik-verify --source="$T/app.img" "$O"
for t in linux flat; do
	convert --target=$t "$T/app.img" "docker-archive:$O"
	is "$t: found" unikernel/app.hvt "$(label "$O" org.unik.kernel)"
	ok "$t: verified" unik-verify --source="$T/app.img" "$O"
done
convert "$T/gone.img" "docker-archive:$O"
is "deleted by an upper layer: none" None "$(label "$O" org.unik.kernel)"
ok "deleted: verified" unik-verify --source="$T/gone.img" "$O"
convert "$T/two.img" "docker-archive:$O"
is "two: the one that is run" unikernel/app.hvt "$(label "$O" org.unik.kernel)"
sed -i 's|/unikernel/app.hvt|/bin/sh|' "$T/config.json"
tar -C "$T" -cf "$T/two.img" manifest.json config.json base.tar app.tar two.tar
is "two, and another is run: a warning, none" "1 None" "$(unik-convert \
	"$T/two.img" "docker-archive:$O" 2>&1 >/dev/null | grep -c \
	'warning: the source has 2 Solo5') $(label "$O" org.unik.kernel)"
convert --kernel=source:/boot/other "$T/two.img" "docker-archive:$O"
is "two: named" boot/other "$(label "$O" org.unik.kernel)"
ok "two: verified" unik-verify --source="$T/two.img" "$O"

# ---- a file of the host

for p in file append; do
	ok "$p: of the host" convert --package=$p --kernel="$T/gnu.elf" \
		"$T/app.img" "docker-archive:$O"
	ok "$p: of the host: its bytes" cmp <(file "$O" 0 gnu.elf) "$T/gnu.elf"
	is "$p: of the host: its label" host "$(label "$O" org.unik.kernel.from)"
	ok "$p: of the host: verified" unik-verify --source="$T/app.img" "$O"
	is "$p: of the host: skipped" 1 "$(unik-verify --source="$T/app.img" \
		"$O" | grep -c '^SKIP faithful kernel')"
done

# ---- urunc

ok "urunc" convert --target=flat --urunc=rumprun "$T/app.img" \
	"docker-archive:$O"
is "urunc: the first layer" "-r--r--r-- 0/0 rootfs-000-HEX.ext2
drwxr-xr-x 0/0 unikernel/
-rwxr-xr-x 0/0 unikernel/app.hvt
-r--r--r-- 0/0 urunc.json" "$(list "$O" 0)"
cat >"$T/want" <<-END
	binary=/unikernel/app.hvt
	blkMntPoint=/data
	block=/rootfs-000-HEX.ext2
	cmdline=/unikernel/app.hvt -v a b c
	hypervisor=hvt
	mountRootfs=false
	unikernelType=rumprun
END
is "urunc: labels" "$(cat "$T/want")" "$(while IFS='=' read -r key _; do
	echo "$key=$(label "$O" "com.urunc.unikernel.$key")"
done <"$T/want" | sed 's/[0-9a-f]\{64\}/HEX/')"
is "urunc: urunc.json" "$(cat "$T/want")" "$(file "$O" 0 urunc.json | python3 -c "
import base64, json, sys
for k, v in json.load(sys.stdin).items():
    print(k.replace('com.urunc.unikernel.', '') + '=' +
          base64.b64decode(v, validate=True).decode())" |
	sed 's/[0-9a-f]\{64\}/HEX/')"
ok "urunc: verified" unik-verify --source="$T/app.img" "$O"
ok "urunc, append, OCI" convert --target=flat --urunc=unikraft,firecracker \
	--package=append --kernel="$T/gnu.elf" "$T/app.img" "oci:$T/oci:1"
ok "urunc, append, OCI: verified" unik-verify --source="$T/app.img" \
	"oci:$T/oci:1"
is "urunc: annotations of the manifest" firecracker "$(python3 - "$T/oci" <<-'END'
	import json, sys
	top = sys.argv[1]
	d = json.load(open(top + '/index.json'))['manifests'][0]['digest']
	m = json.load(open(top + '/blobs/' + d.replace(':', '/')))
	print(m['annotations']['com.urunc.unikernel.hypervisor'])
END
)"

# ---- lies

lie() { # TEXT PATTERN PYTHON: changes `files` (of layer 0) and `labels`
	python3 - "$O" "$T/lie.tar" "$3" <<-'END'
		import hashlib, io, json, sys, tarfile
		t = tarfile.open(sys.argv[1])
		m = json.load(t.extractfile('manifest.json'))
		config = json.load(t.extractfile(m[0]['Config']))
		layers = [t.extractfile(n).read() for n in m[0]['Layers']]
		l = tarfile.open(fileobj=io.BytesIO(layers[0]))
		files = [[i, l.extractfile(i).read() if i.isreg() else b'']
		         for i in l.getmembers()]
		labels = config['config']['Labels']
		exec(sys.argv[3])
		def tar(files):
		    out = io.BytesIO()
		    w = tarfile.open(fileobj=out, mode='w')
		    for i, d in files:
		        i = i if isinstance(i, tarfile.TarInfo) else tarfile.TarInfo(i)
		        i.size = len(d)
		        w.addfile(i, io.BytesIO(d))
		    w.close()
		    return out.getvalue()
		layers[0] = tar(files)
		ids = [hashlib.sha256(x).hexdigest() for x in layers]
		config['rootfs']['diff_ids'] = ['sha256:' + i for i in ids]
		text = json.dumps(config).encode()
		m[0]['Config'] = hashlib.sha256(text).hexdigest() + '.json'
		m[0]['Layers'] = [i + '.tar' for i in ids]
		open(sys.argv[2], 'wb').write(tar(
		    [['manifest.json', json.dumps(m).encode()],
		     [m[0]['Config'], text]] +
		    [[i + '.tar', x] for i, x in zip(ids, layers)]))
	END
	unik-verify --source="$T/app.img" "$T/lie.tar" >"$T/out" 2>&1
	if [ $? = 1 ] && grep -q "^FAIL .*$2" "$T/out"; then
		pass "$1: $(grep -m1 "^FAIL .*$2" "$T/out")"
	else
		fail "$1"
		sed 's/^/# /' "$T/out"
	fi
}
image "$T/app.img" base app
convert --target=flat --urunc=rumprun "$T/app.img" "docker-archive:$O"
lie "another kernel" "kernel.*not those of its label" \
	"files[2][1] = b'x' + files[2][1][1:]"
lie "another kernel with its label" "kernel: the source has another" \
	"files[2][1] = b'x' + files[2][1][1:]
labels['org.unik.kernel.digest'] = 'sha256:' + \\
    hashlib.sha256(files[2][1]).hexdigest()"
lie "no kernel" "kernel.*not in the first layer" "del files[2]"
lie "a kernel of another mode" "kernel.*mode" "files[2][0].mode = 0o4755"
lie "no urunc.json" "urunc.json.*not in the first layer" "del files[3]"
lie "another urunc.json" "urunc.json.*not what the package" "files[3][1] = b'{}'"
lie "another label for urunc" "stack.*com.urunc.unikernel.block is not" \
	"labels['com.urunc.unikernel.block'] = '/dev/sda'"
lie "half of the kernel's labels" "stack.*labels of its kernel" \
	"del labels['org.unik.kernel.from']"
lie "a file beside the kernel" "'unikernel/x' does not belong" \
	"files.append(['unikernel/x', b'x'])"

# ---- what can't be

refused() { # TEXT STATUS PATTERN ARGUMENT...
	local text=$1 want=$2 pattern=$3 out rc
	shift 3
	out=$(unik-convert -q "$@" 2>&1 >/dev/null)
	rc=$?
	case $rc:$out in
	"$want":*$pattern*) pass "$text: ${out%%$'\n'*}" ;;
	*) fail "$text: exit $rc: $out" ;;
	esac
}
D=docker-archive:$T/no.tar
refused "urunc for layers" 2 "--target=flat" --urunc=rumprun "$T/app.img" "$D"
image "$T/none.img" base
refused "urunc without a kernel" 2 "no kernel" --urunc=rumprun --target=flat \
	"$T/none.img" "$D"
for u in '' ',hvt' 'a b' 'rumprun,' 'rumprun,a,b' RumpRun other; do
	refused "urunc=$u" 2 "urunc" --urunc="$u" --target=flat "$T/app.img" "$D"
done
refused "a kernel that is not there" 3 "nowhere" --kernel="$T/nowhere" \
	"$T/app.img" "$D"
refused "a kernel that is a directory" 2 "no regular file" --kernel="$T/base" \
	"$T/app.img" "$D"
refused "a kernel that the source lacks" 1 "no file '/nowhere'" \
	--kernel=source:/nowhere "$T/app.img" "$D"
refused "raw with a kernel" 2 "filesystem images only" --package=raw \
	--kernel="$T/gnu.elf" "$T/app.img" "oci:$T/no"
refused "a kernel for a store" 2 "--kernel" --kernel="$T/gnu.elf" "$T/app.img" \
	"$T/no"
is "nothing was made" "" "$(find "$T" -name '.unik-tmp-*' -o -name 'no' -o \
	-name no.tar)"

done_testing
