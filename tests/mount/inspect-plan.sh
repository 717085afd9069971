#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The script of unik-inspect --plan=linux: it mounts stacks by loop devices and
# overlayfs, what is mounted is the root that unik-inspect tells, it runs the
# program of the image, and it leaves nothing behind, whatever fails.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../cases/inspect.bash
. "$TOP/tests/cases/inspect.bash"

cleanup() {
	local m
	for m in "$T"/*/*.layers/*; do umount "$m" 2>/dev/null; done
	for m in "$T"/*/root; do umount "$m" 2>/dev/null; done
}
why_not() {
	local tool
	for tool in python3 losetup mount unshare awk mke2fs; do
		have $tool || { echo "no $tool"; return; }
	done
	[ "$(id -u)" = 0 ] || { echo 'not root'; return; }
	mkdir -p "$T/try/a" "$T/try/b" "$T/try/m"
	truncate -s 1M "$T/try/img"
	mke2fs -q "$T/try/img" 2>/dev/null
	mount -o loop,ro "$T/try/img" "$T/try/m" 2>/dev/null ||
		{ echo 'no loop mounts of ext2'; return; }
	umount "$T/try/m"
	mount -t overlay -o "ro,lowerdir=$T/try/a:$T/try/b" overlay \
		"$T/try/m" 2>/dev/null || { echo 'no overlayfs'; return; }
	umount "$T/try/m"
}
why=$(why_not)
if [ -n "$why" ]; then
	skip 'the script that mounts a stack' "$why"
	done_testing
fi
mounts() { grep -c -F "$T" /proc/self/mounts; }
loops() { losetup --list --noheadings --output BACK-FILE | grep -c -F "$T"; }
left() { # DIR: what is left of a mount
	local try
	# A loop device that somebody else looks at just now goes when he is done.
	for try in $(seq 100); do
		[ "$(loops)" = 0 ] && break
		[ "$try" = 100 ] || sleep 0.1
	done
	echo "mounts $(mounts), loops $(loops), $(cd "$1" && echo *)"
}

make_image
# A path that a shell, or an option of a mount, could take for something else.
S="$T/s'\$(x):a,b \\c"
unik-convert -q -t linux "$T/app.tar" "$S"
plan() { unik-inspect -q --plan=linux "$S:$1" >"$T/plan.sh"; }
script() { sh "$T/plan.sh" "$@"; }

# ---- the root is the one that unik-inspect tells

# The mounted tree in the words of --tree --json; no hard links are in overlays
# across layers, so numbers of links are those that are seen.
cat >"$T/walk.py" <<-'END'
	import hashlib, json, os, stat, sys
	def esc(b):
	    return ''.join(chr(c) if 0x20 <= c <= 0x7e and c != 0x5c
	                   else '\\x%02x' % c for c in b)
	def show(path, name):
	    s = os.lstat(path)
	    d = {'gid': s.st_gid, 'uid': s.st_uid, 'path': esc(name),
	         'mtime': '%d.%09d' % (s.st_mtime_ns // 10**9, s.st_mtime_ns % 10**9)}
	    kind = stat.S_IFMT(s.st_mode)
	    d['type'] = {stat.S_IFREG: 'file', stat.S_IFDIR: 'dir', stat.S_IFLNK:
	        'symlink', stat.S_IFCHR: 'char', stat.S_IFBLK: 'block',
	        stat.S_IFIFO: 'fifo', stat.S_IFSOCK: 'socket'}[kind]
	    if kind == stat.S_IFLNK:
	        d['target'] = esc(os.readlink(path))
	    else:
	        d['mode'] = '%04o' % stat.S_IMODE(s.st_mode)
	    if kind == stat.S_IFREG:
	        data = open(path, 'rb').read()
	        d['sha256'], d['size'] = hashlib.sha256(data).hexdigest(), len(data)
	    if kind in (stat.S_IFCHR, stat.S_IFBLK):
	        d['rdev'] = '%d:%d' % (os.major(s.st_rdev), os.minor(s.st_rdev))
	    x = {esc(os.fsencode(k)): os.getxattr(path, k, follow_symlinks=False).hex()
	         for k in os.listxattr(path, follow_symlinks=False)
	         if not k.startswith('trusted.overlay.')}
	    if x:
	        d['xattrs'] = x
	    print(json.dumps(d, sort_keys=True))
	    if kind == stat.S_IFDIR:
	        for n in sorted(os.listdir(path)):
	            show(os.path.join(path, n), n if name == b'.' else name + b'/' + n)
	if len(sys.argv) > 1:
	    show(os.fsencode(sys.argv[1]), b'.')
	else:
	    for line in sys.stdin:
	        d = json.loads(line)
	        d.pop('nlink', 0), d.pop('link', 0)
	        print(json.dumps(d, sort_keys=True))
END
walk() { python3 "$T/walk.py" "$@"; }

D=$T/mounted
mkdir "$D"
plan reg/app:1.linux.ext2
ok 'mount' script mount "$D/root"
ok 'the root that is mounted' cmp <(walk "$D/root") \
	<(unik-inspect --json --merged "$S:reg/app:1.linux.ext2" | walk)
status 'it is read-only' 1 touch "$D/root/x"
status 'a second mount is refused' 1 script mount "$D/root"
ok 'the second leaves the first alone' test -e "$D/root/srv/app"
ok 'umount' script umount "$D/root"
is 'umount: nothing is left' 'mounts 0, loops 0, root' "$(left "$D")"
ok 'umount of what is not mounted' script umount "$D/root"

unik-convert -q -t flat "$T/app.tar" "$S"
plan reg/app:1.flat.ext2
ok 'one image: mount' script mount "$D/root"
ok 'one image: the root' cmp <(walk "$D/root") \
	<(unik-inspect --json --merged "$S:reg/app:1.linux.ext2" | walk)
ok 'one image: umount' script umount "$D/root"
is 'one image: nothing is left' 'mounts 0, loops 0, root' "$(left "$D")"

# ---- a scratch image

unik-convert -q -t linux --scratch=1M "$T/app.tar" "$S"
plan reg/app:1.linux.ext2
sum=$(sha256sum <"$S/images/$(json '[i["path"] for i in d["images"]
	if i["writable"]][0].split("/")[-1]' unik-inspect -q --json \
	--plan=linux "$S:reg/app:1.linux.ext2")")
ok 'scratch: mount' script mount "$D/root"
ok 'scratch: the root' cmp <(walk "$D/root") \
	<(unik-inspect --json --merged "$S:reg/app:1.linux.ext2" | walk)
ok 'scratch: it can be written' sh -c "echo kept >'$D/root/srv/kept' &&
	rm '$D/root/etc/passwd'"
ok 'scratch: umount' script umount "$D/root"
is 'scratch: only the copy is left' 'mounts 0, loops 0, root root.scratch' \
	"$(left "$D")"
ok 'scratch: again' script mount "$D/root"
is 'scratch: what was written is there, what was removed is not' 'kept gone' \
	"$(cat "$D/root/srv/kept") $(test -e "$D/root/etc/passwd" || echo gone)"
ok 'scratch: umount again' script umount "$D/root"
is 'scratch: the image in the store is as it was' 1 \
	"$(cd "$S/images" && sha256sum -- * | grep -c "${sum%% *}")"
rm "$D/root.scratch"

# ---- the program

busybox=
for f in /bin/busybox /usr/bin/busybox; do
	if [ -x $f ] && ! ldd $f >/dev/null 2>&1; then busybox=$f; fi
done
if [ -n "$busybox" ]; then
	mkdir -p "$T/root/bin"
	cp "$busybox" "$T/root/bin/busybox"
	ln -s busybox "$T/root/bin/sh"
	tar -C "$T/root" -cf "$T/l-busybox.tar" bin
	layer l-user <<-'END'
		file etc/passwd data=app:x:77:88::/srv:/bin/sh\n
		file etc/group data=ops:x:99:\n
		dir srv
		end
	END
	run_image() { # CONFIG
		python3 "$TOP/tests/tools/mkimage.py" --config="$1" docker \
			"$T/run.tar" run:1 "$T/l-busybox.tar" "$T/l-user.tar"
		unik-convert -q -t linux "$T/run.tar" "$S"
		plan run:1
	}
	echo='"/bin/sh","-c","pwd; echo \"$A|$#|$1|$2\"; busybox id -u; busybox id -g"'
	run_image '{"config":{"Entrypoint":['"$echo"',"-"],"Cmd":["a b","it'"'"'s"],
		"Env":["PATH=/bin","A=one\ntwo\n"],"WorkingDir":"/srv","User":"app"}}'
	is 'run: directory, environment, arguments, user' \
		'/srv one two |2|a b|it'"'"'s 77 88' "$(script run "$D/root" | xargs -d '\n')"
	is 'run: other arguments' '/srv one two |1|x| 77 88' \
		"$(script run "$D/root" x | xargs -d '\n')"
	is 'run: nothing is left' 'mounts 0, loops 0, root' "$(left "$D")"
	run_image '{"config":{"Cmd":["/bin/sh","-c",
		"busybox id -u; busybox id -g; exit 7"],"Env":["PATH=/bin"],
		"WorkingDir":"/","User":"5:ops"}}'
	is 'run: its exit status; a number and a group' '5 99 7' \
		"$(script run "$D/root" | xargs) $(script run "$D/root" >/dev/null
		echo $?)"
	is 'run: nothing is left after a failure' 'mounts 0, loops 0, root' \
		"$(left "$D")"
else
	skip 'run: directory, environment, arguments, user' 'no static busybox'
fi

# ---- whatever fails, nothing is left

for n in 0 1 2 3 4; do
	cp -r "$S" "$T/broken"
	unik-convert -q -t linux "$T/app.tar" "$T/broken"
	image=$(json "d[\"images\"][$n][\"path\"]" unik-inspect -q --json \
		--plan=linux "$T/broken:reg/app:1.linux.ext2")
	unik-inspect -q --plan=linux "$T/broken:reg/app:1.linux.ext2" \
		>"$T/broken.sh"
	chmod 600 "$image"
	printf 'no image' | dd of="$image" bs=1 seek=1024 conv=notrunc 2>/dev/null
	status "a broken image $n" 1 sh -c "sh '$T/broken.sh' mount '$D/root' ||
		exit 1"
	is "a broken image $n: nothing is left" 'mounts 0, loops 0, root' \
		"$(left "$D")"
	rm -r "$T/broken"
done
status 'no arguments' 2 script
status 'an unknown action' 2 script turn "$D/root"
done_testing
