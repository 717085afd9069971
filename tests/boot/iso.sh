#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ISO images as Linux's isofs shows them, in a guest: every name, mode, owner,
# time, size, link count, target, device number and content.
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/mount/iso.bash"
. "$TOP/tests/boot/lib.sh"

if ! why=$(boot_available); then
	skip 'ISO images in a guest' "$why"
	done_testing
fi
if ! have python3; then
	skip 'ISO images in a guest' 'no python3'
	done_testing
fi

# In the guest: one line an entry, the texts in hex so that none can break it:
# PATH MODE UID GID SIZE MTIME ATIME CTIME MAJOR:MINOR NLINK TARGET SHA256
cat >"$T/list" <<'END'
hex() { xxd -p | tr -d '\n'; }
entry() {
	f=$1
	target=- sum=-
	if [ -L "$f" ]; then
		target=$(readlink -n "$f" | hex)
	elif [ -f "$f" ]; then
		sum=$(sha256sum <"$f")
		sum=${sum%% *}
	fi
	echo "$(printf %s "$f" | hex) $(stat -c '%f %u %g %s %Y %X %Z %t:%T %h' \
		"$f") $target $sum"
}
for dev in /dev/vd?; do
	echo "image ${dev#/dev/}"
	mount -t iso9660 -o ro "$dev" /mnt || continue
	cd /mnt
	find . -print0 | while IFS= read -r -d '' f; do entry "$f"; done
	cd /
	umount /mnt
done
END

# The tree's rows against one image's lines.
cat >"$T/compare.py" <<'END'
import json, sys

TYPES = {'file': 0o100000, 'whiteout': 0o100000, 'dir': 0o040000,
         'symlink': 0o120000, 'char': 0o020000, 'block': 0o060000,
         'fifo': 0o010000, 'socket': 0o140000}
EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'


def unesc(text):
    return text.encode('latin-1').decode('unicode_escape').encode('latin-1')


def want_of(row, links, subdirs):
    kind, path = row['type'], unesc(row['path'])
    sec = row['mtime'].split('.')[0]
    mode = TYPES[kind] | (0o777 if kind == 'symlink' else int(row['mode'], 8))
    target = unesc(row['target']) if kind == 'symlink' else b''
    size = row.get('size', 0) if kind != 'symlink' else len(target)
    major, minor = map(int, row.get('rdev', '0:0').split(':'))
    nlink = subdirs.get(path, 0) + 2 if kind == 'dir' else row.get('nlink', 1)
    return {'mode': '%x' % mode, 'uid': str(row['uid']),
            'gid': str(row['gid']), 'size': 'any' if kind == 'dir'
            else str(size), 'mtime': sec, 'atime': sec, 'ctime': sec,
            'rdev': '%x:%x' % (major, minor), 'nlink': str(nlink),
            'target': target.hex() if kind == 'symlink' else '-',
            'sha256': row.get('sha256', EMPTY) if kind in ('file', 'whiteout')
            else '-'}


def wanted(name):
    rows = [json.loads(line) for line in open(name)]
    subdirs = {}
    for row in rows:
        path = unesc(row['path'])
        if row['type'] == 'dir' and path != b'.':
            up = path.rpartition(b'/')[0] or b'.'
            subdirs[up] = subdirs.get(up, 0) + 1
    return {unesc(r['path']): want_of(r, rows, subdirs) for r in rows}


def seen(name, image):
    out, here = {}, None
    keys = ('mode uid gid size mtime atime ctime rdev nlink target '
            'sha256').split()
    for line in open(name):
        words = line.split()
        if words[:1] == ['image']:
            here = words[1]
        elif here == image and len(words) == 12:
            path = bytes.fromhex(words[0])
            out[path[2:] or b'.'] = dict(zip(keys, words[1:]))
        elif here == image:
            sys.exit('the guest says: ' + line)
    return out


want, got = wanted(sys.argv[2]), seen(sys.argv[1], sys.argv[3])
bad = ['%r: only %s' % (p, 'seen' if p in got else 'wanted')
       for p in sorted(set(want) ^ set(got))]
for path in sorted(set(want) & set(got)):
    bad += ['%r: %s: %s | %s' % (path, k, v, got[path][k])
            for k, v in want[path].items() if v not in ('any', got[path][k])]
print('\n'.join(bad[:50]) or '%d entries' % len(want))
sys.exit(bool(bad) or not want)
END

made=()
image() { # NAME TEXT [OPTION...]
	local what=$2
	made+=("$1" "$what")
	shift 2
	make_iso "${made[-2]}" "$@"
}
image zoo 'all kinds' < <(zoo)
image names 'names' < <(names)
image links 'symlinks' < <(
	links
	farther
)
# The largest that are not counted as lost.
image edges 'device numbers and shared content' < <(
	cat <<-END
		char a rdev=8:300
		block b rdev=4095:1048575
		char c rdev=1:255
		char d rdev=256:0
		file f1 text=content mode=0640
		file f2 text=content mode=0600
		link f3 target=f1
		file e1
		link e3 target=e1
		symlink l1 target=x uid=70000
		link l2 target=l1
		dir 0/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16
		file 0/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/f text=deep
	END
)
is 'nothing of these is lost' 'xattr=0 time=0 rdev=0 name=0' \
	"$(sed 's/.*losses: //' "$T/info")"
image netbsd 'images for NetBSD' --netbsd < <(
	zoo
	links
)
normalise
images=()
for ((i = 0; i < ${#made[@]}; i += 2)); do images+=("$T/${made[i]}.iso"); done
boot_run "$T/list" "${images[@]}" >"$T/seen"
is 'the guest lists the images' 0 $?
for ((i = 0; i < ${#made[@]}; i += 2)); do
	letters=abcdefgh
	ok "${made[i + 1]}: as Linux shows them" python3 "$T/compare.py" \
		"$T/seen" "$T/${made[i]}.tree" "vd${letters:i / 2:1}"
done

# ---- many and large ----

head64=${name255:0:64}
make_iso wide <<-END
	repeat 100000 file wide/$head64{6}
	repeat 3000 dir dirs/{4}
END
section=$((4294967296 - 2048))
make_iso big <<-END
	file big text=begin at=$((section - 3)) text=border at=$((section + 5000)) text=end
END
cat >"$T/script" <<-END
	mount -t iso9660 -o ro /dev/vda /mnt || exit 1
	# Not ls: it looks every name up, and isofs looks through all of them.
	cd /mnt/wide
	printf '%s\\n' * | sha256sum
	cd ../dirs
	printf '%s\\n' * | wc -l
	cd /
	stat -c %h /mnt/dirs
	umount /mnt
	mount -t iso9660 -o ro /dev/vdb /mnt || exit 1
	stat -c %s /mnt/big
	head -c 5 /mnt/big
	echo
	tail -c 3 /mnt/big
	echo
	dd if=/mnt/big bs=1 skip=$((section - 3)) count=6 2>/dev/null
END
boot_run "$T/script" "$T/wide.iso" "$T/big.iso" >"$T/seen"
is 'the guest mounts large images' 0 $?
{
	seq -f "$head64%06.0f" 0 99999 | sha256sum
	printf '3000\n3002\n%s\nbegin\nend\nborder' $((section + 5003))
} >"$T/want"
ok '100,000 entries, 3,000 directories, a file of two sections' \
	diff "$T/want" "$T/seen"

done_testing
