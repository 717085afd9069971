#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# unik-inspect on sources, images of stacks and image files: what it reports is
# what a conversion makes, and all views of one root are the same.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=inspect.bash
. "$TOP/tests/cases/inspect.bash"

for tool in python3 sha256sum; do
	have $tool && continue
	skip 'unik-inspect' "no $tool"
	done_testing
done
umask 022
make_image
app=$T/app.tar
S=$T/store
for target in oci linux rumprun flat; do
	ok "convert for $target" unik-convert -q -t $target -f iso -f ext2 \
		"$app" "$S"
done

# ---- the report

unik-inspect "$app" >"$T/report" 2>"$T/err"
is 'a report: exit status' 0 $?
is 'a report: no warning' '' "$(cat "$T/err")"
is 'a report: at most 100 columns' '' "$(awk 'length($0) > 100' "$T/report")"
is 'a report: no control characters' '' \
	"$(LC_ALL=C grep -n '[^ -~]' "$T/report")"
report() { json "$1" unik-inspect --json "${2:-$app}"; }
is 'schema and kind' 'unik.inspect.v1 source' \
	"$(report 'd["schema"], d["kind"]' | tr -d "(),'")"
is 'name and kind of the source' 'reg/app:1 docker-archive' \
	"$(report 'd["name"] + " " + d["source"]')"
is 'classes of storage' 'library application configuration data empty' \
	"$(report '*[x["storage"]["class"] for x in d["layers"]]')"
is 'why it is the application' "'srv/app' is the entrypoint" \
	"$(report 'd["layers"][1]["storage"]["reason"]')"
is 'what layers reach into' "2 whiteout 0 1 usr/share/doc/x, 3 opaque 0 1 var/cache/old" \
	"$(report '", ".join("%d %s %d %d %s" % (x["index"], r["by"],
	r["layer"], r["count"], r["example"]) for x in d["layers"]
	for r in x["reach"])')"
is 'created by' 'COPY 3' "$(report 'd["layers"][4]["created_by"]')"
is 'compression' 'plain gzip' "$(report 'd["layers"][0]["compression"]') \
$(report 'd["layers"][0]["compression"]' "oci:$T/app" | tr -d ' ')"
is 'suggested' linux "$(report 'd["suggested"]["target"]')"
is 'the config' "['PATH=/nowhere:/bin', 'MULTI=one\\ntwo\\n', \"A='q'\"] /srv app" \
	"$(report 'd["config"]["env"], d["config"]["cwd"], d["config"]["user"]' |
	sed "s/^(//; s/, '\/srv', 'app')/ \/srv app/")"

# What a conversion wrote down is what the report said beforehand.
python3 - "$S" <<-'END' >"$T/facts"
	import glob, json, os, sys
	for ref in sorted(glob.glob(sys.argv[1] + '/refs/*.json')):
	    m = json.load(open(ref))
	    print(m['target'], m['format'], json.dumps(
	        {'stack': [[s['size'], s['layers']] for s in m['stack']],
	         'losses': [x['losses'] for x in m['layers']],
	         'facts': [[x[k] for k in ('diff_id', 'blob_digest', 'blob_size',
	                   'size', 'entries', 'whiteouts', 'opaque')]
	                   for x in m['layers']]}))
END
unik-inspect --json "$app" >"$T/json"
relay python3 - "$T/json" "$T/facts" <<-'END'
	import json, sys
	d = json.load(open(sys.argv[1]))
	def check(text, want, got):
	    print('%s - %s' % ('ok' if want == got else 'not ok', text))
	    if want != got:
	        print('# want %r\n# got  %r' % (want, got))
	for line in open(sys.argv[2]):
	    target, form, facts = line.split(' ', 2)
	    facts = json.loads(facts)
	    name = '%s, %s' % (target, form)
	    check(name + ': facts of the layers', facts['facts'],
	          [[x[k] for k in ('diff_id', 'blob_digest', 'blob_size', 'size',
	            'entries', 'whiteouts', 'opaque')] for x in d['layers']])
	    row = [t for t in d['targets'] if t['target'] == target][0]
	    if row['format'] == form:
	        check(name + ': images', [len(facts['stack']),
	              sum(len(s[1]) == 1 for s in facts['stack'])],
	              [row['images'], row['single']])
	    fit = lambda x: [f for f in x['formats'] if f['format'] == form][0]
	    if target == 'oci':
	        for k, s in enumerate(facts['stack']):
	            check('%s: size and losses of layer %d' % (name, k),
	                  [s[0], facts['losses'][k]],
	                  [fit(d['layers'][k])[x] for x in ('size', 'losses')])
	    if target == 'flat':
	        check(name + ': size and losses', [facts['stack'][0][0],
	              facts['losses'][0]],
	              [fit(d['merged'])[x] for x in ('size', 'losses')])
END

# ---- a unikernel

python3 - "$T" <<-'END'
	import struct, sys
	def note(owner):
	    body = struct.pack('<III', len(owner) + 1, 4, 1) + owner + b'\0'
	    return body + b'\0' * (-len(body) % 4) + b'\0\0\0\0'
	def elf(notes):
	    head = b'\x7fELF\2\1\1' + b'\0' * 9 + struct.pack('<HHIQQQIHHHHHH', 2,
	        62, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0)
	    return head + struct.pack('<IIQQQQQQ', 4, 4, 120, 0, 0, len(notes),
	        len(notes), 4) + notes
	for name, notes in ('solo5', note(b'GNU') + note(b'Solo5')), \
	        ('elf', note(b'GNU')):
	    data = elf(notes)
	    with open('%s/%s.txt' % (sys.argv[1], name), 'w') as f:
	        f.write('file opt/%s data=%s\nend\n' % (name,
	            ''.join('\\x%02x' % c for c in data)))
END
layer solo5 <"$T/solo5.txt"
layer elf <"$T/elf.txt"
is 'a note of Solo5' "application 'opt/solo5' is a Solo5 unikernel rumprun" \
	"$(report 'd["layers"][0]["storage"]["class"],
	d["layers"][0]["storage"]["reason"], d["suggested"]["target"]' \
	"$T/solo5.tar" | tr -d '(,)"')"
is 'a note of others' library \
	"$(report 'd["layers"][0]["storage"]["class"]' "$T/elf.tar")"

# ---- no layer at all

python3 - "$T" "$TOP/tests/tools" <<-'END'
	import sys
	sys.dont_write_bytecode = True
	sys.path.insert(0, sys.argv[2])
	import mkimage
	mkimage.docker(sys.argv[1] + '/none.tar', 'none:1', [], '/x')
END
is 'no layer: images of targets' '0 0 0 1 flat' \
	"$(report '*[x["images"] for x in d["targets"]],
	d["suggested"]["target"]' "$T/none.tar")"
is 'no layer: the root' 'drwxr-xr-x  2 0 0 0 1970-01-01T00:00:00Z .' \
	"$(unik-inspect --merged "$T/none.tar")"

# ---- trees

unik-inspect --tree "$app" >"$T/tree"
is 'a line each, a heading a layer, blank lines between' \
	"$((5 + 4 + $(report 'sum(sum(x["entries"].values()) + x["whiteouts"] +
	x["opaque"] + 1 for x in d["layers"])')))" "$(wc -l <"$T/tree")"
is 'a tree: no control characters' '' "$(LC_ALL=C grep -n '[^ -~]' "$T/tree")"
line() { unik-inspect --tree="$1" "$app" | grep -F -e "$2"; }
is 'a directory' \
	'drwxr-x---  5 5 6      0 2023-11-14T22:13:21Z .' "$(line 0 'Z .' |
	head -n 1)"
is 'attributes, set-user-id, nanoseconds' \
	'-rwsr-xr-x+ 2 77 88 10 2023-11-14T22:13:25.123456789Z srv/app' \
	"$(line 1 'Z srv/app')"
is 'a hard link' \
	'-rwsr-xr-x+ 2 77 88 10 2023-11-14T22:13:25.123456789Z srv/hard link to srv/app' \
	"$(line 1 srv/hard)"
is 'a symlink' \
	'lrwxrwxrwx  1  0  0 10 1970-01-01T00:00:00Z bin/app -> ../srv/app' \
	"$(line 1 bin/app)"
is 'a whiteout' '(whiteout)' "$(line 2 .wh.x | grep -o '(.*)')"
is 'an opaque directory' '(opaque) (opaque)' \
	"$(line 3 opaque | grep -o '(.*)' | xargs)"
is 'a device' '1, 3' "$(line 3 srv/null | grep -o '1, 3')"
is 'a name of hazards' 'srv/odd\x1b[31m\x0a\xff\xe2\x80\xae' \
	"$(line 3 odd | grep -o 'srv.*')"
is 'by digest' "$(unik-inspect --tree=3 "$app")" "$(unik-inspect \
	--tree="$(report 'd["layers"][3]["diff_id"][:17]')" "$app")"
is 'by #PART' "$(unik-inspect --tree=3 "$app")" \
	"$(unik-inspect --tree "$app#3")"

dump() { unik-inspect --json "$@"; }
digests() { # REF: of the trees of a stack's images
	json '*[x["tree_digest"] for x in d["stack"]]' cat "$S/refs/$1.json"
}
for ref in "$S"/refs/*.ext2.json; do # ISO loses some of them
	ref=${ref##*/}
	ref=${ref%.json}
	n=0 all=
	for want in $(digests "$ref"); do
		got=$(dump --tree=$n "$S:$ref" | sha256sum)
		[ "sha256:${got%% *}" = "$want" ] || all+="image $n "
		n=$((n + 1))
	done
	is "$ref: the text of each tree has its digest" '' \
		"$([ $n -gt 0 ] || echo none)$all"
	dump --merged "$S:$ref" >"$T/merged.$ref"
done
dump --merged "$app" >"$T/merged"
is 'the merged root of a source, of its stacks: all the same (ext2)' \
	"$(for t in linux rumprun flat; do sha256sum <"$T/merged"; done)" \
	"$(for t in linux flat; do sha256sum <"$T/merged.reg%2Fapp:1.$t.ext2"; done
	grep -v -E '"path":"(dev|tmp)"' "$T/merged.reg%2Fapp:1.rumprun.ext2" |
		sha256sum)"
ok 'the same of both kinds of source' \
	cmp "$T/merged" <(dump --merged "oci:$T/app")
image=$(find "$S/images" -name '*.ext2' | sort | head -n 1)
is 'an image file: its tree' \
	"$(report 'd["tree_digest"][7:]' "$image")  -" \
	"$(dump --tree "$image" | sha256sum)"

# ---- image files

for f in "$S"/images/*; do
	unik-inspect "$f" >"$T/out" 2>&1 || echo "$f: $?"
	python3 - "$f" "$T/out" <(unik-inspect --json "$f") <<-'END'
		import json, os, re, sys
		f, out, d = sys.argv[1], open(sys.argv[2]).read(), json.load(open(sys.argv[3]))
		def check(good, text):
		    good or print(f, text, d)
		check(d['kind'] == 'image' and d['format'] == f.split('.')[-1], 'format')
		check('sha256-%s.' % d['digest'][7:] in f, 'digest')
		check(d['size'] == os.path.getsize(f), 'size')
		check(d['content'] + d['metadata'] + d['wasted'] == d['size'], 'sum')
		check(d['format_version'] >= 1 and 'version' in out, 'version')
		check(d['tree_digest'] in out and d['digest'] in out, 'digests')
		check(all(len(x) <= 100 for x in out.splitlines()), 'columns')
	END
done >"$T/wrong" 2>&1
is 'all images: the report fits the file' '' "$(cat "$T/wrong")"
image=$(find "$S/images" -name '*.iso' | sort | head -n 1)
cp "$image" "$T/longer.iso"
head -c 5000 /dev/zero >>"$T/longer.iso"
is 'bytes behind the filesystem are wasted' 5000 \
	"$(($(report 'd["wasted"]' "$T/longer.iso") - $(report 'd["wasted"]' \
		"$image")))"

# ---- differences

diff_of() { unik-inspect --diff "$@"; }
for t in linux.ext2 flat.ext2; do
	status "no difference: the source and its stack, $t" 0 \
		unik-inspect --diff "$app" "$S:reg/app:1.$t"
done
status 'an overlay in ISO, where neither times nor attributes are kept' 1 \
	unik-inspect --diff "$app" "$S:reg/app:1.linux.iso"
is 'no difference: the counts' \
	"0 removed, 0 added, 0 changed, $(wc -l <"$T/merged") the same" \
	"$(diff_of "$app" "oci:$T/app")"
layer was <<-'END'
	file same data=1
	file mode data=1 mode=644
	file size data=1
	file bytes data=1
	file time data=1 mtime=1
	file owner data=1 uid=1
	file one data=1
	hardlink two one
	symlink link a
	char dev 1:2
	dir gone
	file gone/x data=1
	dir turn
	file turn/y data=1
	pax SCHILY.xattr.user.a=1 SCHILY.xattr.user.b=1
	file attr
	end
END
layer is <<-'END'
	file same data=1
	file mode data=1 mode=600
	file size data=12
	file bytes data=2
	file time data=1 mtime=2
	file owner data=1 uid=2
	file one data=1
	file two data=1
	symlink link b
	char dev 1:3
	file turn data=z
	pax SCHILY.xattr.user.b=2 SCHILY.xattr.user.c=1
	file attr
	file new data=1
	end
END
diff_of "$T/was.tar" "$T/is.tar" >"$T/diff"
is 'differences: exit status' 1 $?
cat >"$T/want" <<-'END'
	~ -rw-r--r-- attr: xattr -user.a, xattr ~user.b, xattr +user.c
	~ -rw-r--r-- bytes: content 6b86b273ff34 -> d4735e3a265e
	~ crw-r--r-- dev: device 1:2 -> 1:3
	- drwxr-xr-x gone
	- -rw-r--r-- gone/x
	~ lrwxrwxrwx link: target a -> b
	~ -rw------- mode: mode 0644 -> 0600
	+ -rw-r--r-- new
	~ -rw-r--r-- owner: owner 1:0 -> 2:0
	~ -rw-r--r-- size: size 1 -> 2
	~ -rw-r--r-- time: time 1970-01-01T00:00:01Z -> 1970-01-01T00:00:02Z
	~ -rw-r--r-- turn: type dir -> file
	- -rw-r--r-- turn/y
	~ -rw-r--r-- two: linked one -> 1 name
	3 removed, 1 added, 10 changed, 3 the same
END
is 'differences: the lines' "$(cat "$T/want")" "$(cat "$T/diff")"
is 'differences: as JSON' \
	'14 3 1 10 3 attr:user.a-removed,user.b-changed,user.c-added' \
	"$(json 'len(d["entries"]), d["removed"], d["added"], d["changed"],
	d["same"], "attr:" + ",".join(x["name"] + "-" + x["diff"] for x in
	d["entries"][0]["xattrs"])' unik-inspect --json --diff "$T/was.tar" \
		"$T/is.tar" | tr -d "(,)'" | sed 's/removeduser/removed,user/
		s/changeduser/changed,user/')"

# ---- one file

head -c 102400 /dev/zero | tr '\0' d >"$T/data"
for t in "$app" "oci:$T/app" "$app#3" "$S:reg/app:1.linux.ext2" \
	"$S:reg/app:1.flat.iso" "$S:reg/app:1.rumprun.iso"; do
	ok "one file of ${t##*/}" cmp <(unik-inspect --cat=/srv/data "$t") \
		"$T/data"
done
is 'through symlinks' "$(printf '#!/bin/sh')" \
	"$(unik-inspect --cat=bin/../bin/app "$app")"
is 'through a directory that is one' $((204800 + 4)) \
	"$(unik-inspect --cat=lib/libx.so "$app" | wc -c)"
while IFS='|' read -r path says; do
	status "no file: $path" 1 unik-inspect --cat="$path" "$app"
	is "no file: $path: why" "$says" \
		"$(unik-inspect --cat="$path" "$app" 2>&1)"
done <<-'END'
	srv|unik-inspect: 'srv' is no regular file but a dir
	srv/pipe|unik-inspect: 'srv/pipe' is no regular file but a fifo
	srv/none|unik-inspect: there is no 'srv/none'
	usr/share/doc/x/README|unik-inspect: there is no 'usr/share/doc/x/README'
	etc/passwd/x|unik-inspect: parent 'etc/passwd' is not a directory
END
echo old >"$T/out"
ok 'to a file' unik-inspect --cat=srv/data --extract="$T/out" "$app"
ok 'to a file: its bytes' cmp "$T/out" "$T/data"
is 'to a file: its mode' 644 "$(stat -c %a "$T/out")"
is 'to a file: nothing is left over' '' "$(find "$T" -name '.unik-tmp-*')"
status 'to a directory that is missing' 3 \
	unik-inspect --cat=srv/data --extract="$T/none/out" "$app"
status 'a file that is missing leaves the old one' 1 \
	unik-inspect --cat=none --extract="$T/out" "$app"
ok 'the old one' cmp "$T/out" "$T/data"
layer control <<-'END'
	file x data=\x1b[31mred\x07\ta\n\xc3\xa9
	end
END
is 'a terminal gets no control characters' '\x1b[31mred\x07	a|\xc3\xa9' \
	"$(python3 - "$T/control.tar" <<-'END' | tr -d '\r' | tr '\n' '|'
		import os, pty, sys
		pid, fd = pty.fork()
		if pid == 0:
		    os.execvp('unik-inspect', ['unik-inspect', '--cat=x', sys.argv[1]])
		out = b''
		try:
		    while True:
		        data = os.read(fd, 4096)
		        if not data:
		            break
		        out += data
		except OSError:
		    pass
		os.waitpid(pid, 0)
		sys.stdout.buffer.write(out)
	END
	)"

# ---- standard input, and what is refused

ok 'standard input' cmp <(unik-inspect - <"$app" | tail -n +2) \
	<(unik-inspect "$app" | tail -n +2)
ok 'a pipe' cmp <(gzip -c "$app" | cat | unik-inspect --json - |
	sed 's/"name":"[^"]*"//') <(unik-inspect --json "$app" |
	sed 's/"name":"[^"]*"//')
refuse() { # STATUS ARGUMENT...
	local want=$1 out rc
	shift
	out=$(unik-inspect "$@" 2>&1 >/dev/null)
	rc=$?
	if [ $rc = "$want" ] && [[ $out == 'unik-inspect: '* ]] &&
		{ [ "$want" = 2 ] || [ "$(wc -l <<<"$out")" = 1 ]; }; then
		pass "exit $rc: $* (${out%%$'\n'*})"
	else
		fail "$*: exit $rc, want $want: $out"
	fi
}
status 'a full disk' 3 sh -c "unik-inspect '$app' >/dev/full"
refuse 2
refuse 2 "$app" "$app"
refuse 2 --diff "$app"
refuse 2 --tree --diff "$app" "$app"
refuse 2 --tree=1 --merged "$app"
refuse 2 --json --cat=x "$app"
refuse 2 --extract=x "$app"
refuse 2 --delete "$S"
refuse 2 --containers=3 "$S"
refuse 2 --sharing --containers=0 "$S"
refuse 2 --kernel=x "$app"
refuse 2 --json --tree "$app"
refuse 2 --gc "$app"
refuse 2 --graph "$image"
refuse 2 --plan=linux "$app"
refuse 2 "$app#1"
refuse 2 --tree "$S"
refuse 2 --tree=2 "$app#1"
refuse 1 --tree=5 "$app"
refuse 1 --tree=abcdef "$app"
refuse 1 "$S:none"
refuse 3 "$T/none"
refuse 1 "dir:$T"
refuse 1 "image:$app"
head -c 40000 "$image" >"$T/cut.iso"
refuse 1 "$T/cut.iso"
done_testing
