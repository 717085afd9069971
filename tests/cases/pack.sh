#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# unik-convert to container images: what is in them, that the same source gives
# the same bytes, and what others read in them.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

if ! have python3; then
	skip 'container images' 'no python3'
	done_testing
fi

sha() { sha256sum <"$1" | cut -d' ' -f1; }
member() { tar -xOf "$1" "$2"; } # ARCHIVE NAME
# value ARCHIVE PYTHON: an expression over its `manifest` and `config`.
value() {
	python3 - "$1" "$2" <<-'END'
		import json, sys, tarfile
		t = tarfile.open(sys.argv[1])
		manifest = json.load(t.extractfile('manifest.json'))[0]
		config = json.load(t.extractfile(manifest['Config']))
		labels = config['config'].get('Labels', {})
		r = eval('(' + sys.argv[2] + ')')
		print(r if isinstance(r, str) else json.dumps(r))
	END
}
convert() { unik-convert -q "$@"; }

# ---- a source of two layers, one of which stands twice

mkdir -p "$T/a/etc" "$T/b/usr/bin"
echo one >"$T/a/etc/one"
head -c 100000 /dev/urandom >"$T/b/usr/bin/program"
for l in a b; do
	tar --sort=name --mtime=@1000000000 --owner=0 --group=0 \
		--numeric-owner -C "$T/$l" -cf "$T/$l.tar" .
done
A=sha256:$(sha "$T/a.tar") Z=sha256:$(sha "$T/b.tar")
cat >"$T/config.json" <<-END
	{"architecture":"amd64","os":"linux","created":"2020-02-02T02:02:02Z",
	"config":{"Entrypoint":["/usr/bin/program"],"Cmd":["-x"],"Env":["A=b"],
	"Labels":{"k":"v","org.unik.old":"x"},"WorkingDir":"/srv"},
	"rootfs":{"type":"layers","diff_ids":["$A","$Z","$A"]},
	"history":[{"created_by":"one"},{"created_by":"ENV","empty_layer":true},
	{"created_by":"two"},{"created_by":"one again"}]}
END
printf '[{"Config":"config.json","RepoTags":["app:1"],"Layers":[%s]}]' \
	'"a.tar","b.tar","a.tar"' >"$T/manifest.json"
tar -C "$T" -cf "$T/app.tar" manifest.json config.json a.tar b.tar
convert "$T/app.tar" "$T/store"
mapfile -t images < <(unik-convert --json "$T/app.tar" "$T/store" |
	grep -o '"image":"sha256:[0-9a-f]*' | cut -d: -f3)

# ---- file

O=$T/file.tar
ok "docker-archive" convert "$T/app.tar" "docker-archive:$O"
is "its mode" 644 "$(stat -c %a "$O")"
is "its name is the source's" '["app:1"]' "$(value "$O" "manifest['RepoTags']")"
for i in 0 1 2; do
	layer=$(value "$O" "manifest['Layers'][$i]")
	member "$O" "$layer" >"$T/layer"
	is "layer $i is named by its digest" "$(sha "$T/layer").tar" "$layer"
	is "layer $i: diff_id" "sha256:$(sha "$T/layer")" \
		"$(value "$O" "config['rootfs']['diff_ids'][$i]")"
	name=rootfs-00$i-${images[i]}.iso
	is "layer $i holds one file" "$name" "$(tar -tf "$T/layer")"
	ok "layer $i: the image of the store" cmp <(member "$T/layer" "$name") \
		"$T/store/images/sha256-${images[i]}.iso"
	is "layer $i: fixed fields" "-r--r--r-- 0/0 1970-01-01 00:00:00" \
		"$(TZ=UTC tar --full-time --numeric-owner -tvf "$T/layer" |
			awk '{print $1, $2, $4, $5}')"
done
is "entrypoint, environment and the rest stay" \
	'[["/usr/bin/program"], ["-x"], ["A=b"], "/srv", "amd64", "linux"]' \
	"$(value "$O" "[config['config'][k] for k in
		('Entrypoint', 'Cmd', 'Env', 'WorkingDir')] +
		[config['architecture'], config['os']]")"
is "history stays" "$(python3 -c "import json, sys
print(json.dumps(json.load(sys.stdin)['history']))" <"$T/config.json")" \
	"$(value "$O" "config['history']")"
is "no clock: the source's date" 2020-02-02T02:02:02Z \
	"$(value "$O" "config['created']")"
is "labels: the source's, and ours" \
	'["k", "org.unik.package", "org.unik.source", "org.unik.stack"]' \
	"$(value "$O" "sorted(labels)")"
is "the source's digest" "sha256:$(sha "$T/config.json")" \
	"$(value "$O" "labels['org.unik.source']")"
is "the stack's manifest" "$(unik-convert --json "$T/app.tar" "$T/store")" \
	"$(value "$O" "labels['org.unik.stack']")"
ok "its digests are right" unik-verify "docker-archive:$O:app:1"

# ---- compression, streams, names

for c in none gzip gzip:9 zstd zstd:1; do
	O=$T/${c/:/-}.tar
	ok "$c" convert --compress=$c "$T/app.tar" "docker-archive:$O:x:2"
	is "$c: diff_ids are those of file" \
		"$(value "$T/file.tar" "config['rootfs']")" \
		"$(value "$O" "config['rootfs']")"
	ok "$c: digests are right" unik-verify "$O"
done
ok "default: none" cmp "$T/none.tar" \
	<(convert "$T/app.tar" docker-archive:-:x:2)
is "gzip: no time, no name" 1f8b0800000000000003 "$(member "$T/gzip.tar" \
	"$(value "$T/gzip.tar" "manifest['Layers'][0]")" | head -c 10 |
	od -An -tx1 | tr -d ' \n')"
ok "a stream" cmp "$T/file.tar" <(unik-convert "$T/app.tar" - 2>"$T/err")
is "a stream: nothing is said" "" "$(cat "$T/err")"
ok "from a stream to a stream" cmp "$T/file.tar" \
	<(unik-convert - - <"$T/app.tar")

# ---- OCI

ok "oci-archive" convert "$T/app.tar" "oci-archive:$T/oci.tar:app:1"
ok "oci-archive: digests are right" unik-verify "oci-archive:$T/oci.tar:app:1"
is "oci-archive: the tag" app:1 "$(member "$T/oci.tar" index.json | python3 -c \
	"import json, sys
a = json.load(sys.stdin)['manifests'][0]['annotations']
print(a['org.opencontainers.image.ref.name'])")"
ok "oci-archive: what it holds, unpacked" diff -r \
	<(mkdir "$T/un" && tar -C "$T/un" -xf "$T/oci.tar" && ls "$T/un") \
	<(printf '%s\n' blobs index.json oci-layout)
for c in none gzip zstd; do
	ok "oci, $c" convert --compress=$c "$T/app.tar" "oci:$T/oci:$c"
	ok "oci, $c: digests are right" unik-verify "oci:$T/oci:$c"
done
ok "oci, default: gzip" convert "$T/app.tar" "oci:$T/oci2:gzip"
for f in $(cd "$T/oci2/blobs/sha256" && ls); do
	cmp "$T/oci2/blobs/sha256/$f" "$T/oci/blobs/sha256/$f" || echo bad
done >"$T/differ" 2>&1
is "oci: the same blobs in another directory" "" "$(cat "$T/differ")"
cp -r "$T/oci" "$T/oci3"
ok "oci: once more, " convert "$T/app.tar" "oci:$T/oci:gzip"
ok "oci: and nothing changes" diff -r "$T/oci" "$T/oci3"
ok "raw" convert --package=raw "$T/app.tar" "oci:$T/raw:1"
said=$(unik-inspect "oci:$T/raw:1" 2>&1)
ok "raw: inspect says what it takes" grep -q 'see image:FILE' <<<"$said"
for i in 0 1 2; do
	ok "raw: a blob is image $i" cmp "$T/raw/blobs/sha256/${images[i]}" \
		"$T/store/images/sha256-${images[i]}.iso"
	ok "raw: which inspect shows" unik-inspect \
		"image:$T/raw/blobs/sha256/${images[i]}"
done
is "nothing is left behind" "" "$(find "$T" -name '.unik-tmp-*')"

# ---- append

O=$T/append.tar
ok "append" convert --package=append "$T/app.tar" "docker-archive:$O"
plain=("$T/a.tar" "$T/b.tar" "$T/a.tar")
for i in 0 1 2; do
	member "$O" "$(value "$O" "manifest['Layers'][$i]")" >"$T/layer"
	name=rootfs-00$i-${images[i]}.iso
	n=$(python3 -c "import sys, tarfile
t = tarfile.open(sys.argv[1])
m = t.getmembers()[-1]
print(m.offset_data + (m.size + 511) // 512 * 512)" "${plain[i]}")
	ok "append: layer $i begins as it was" cmp -n "$n" "$T/layer" \
		"${plain[i]}"
	is "append: layer $i: the image comes behind" \
		"$(tar -tf "${plain[i]}")"$'\n'"$name" "$(tar -tf "$T/layer")"
	is "append: layer $i: nothing more" "$((n + 512 + 1024 + $(stat -c %s \
		"$T/store/images/sha256-${images[i]}.iso")))" \
		"$(stat -c %s "$T/layer")"
	ok "append: layer $i: its bytes" cmp <(member "$T/layer" "$name") \
		"$T/store/images/sha256-${images[i]}.iso"
done
ok "append: digests are right" unik-verify "$O"
ok "append: from compressed layers" convert --package=append \
	--compress=none "oci:$T/oci:gzip" "oci:$T/again:1"
ok "append: digests are right" unik-verify "oci:$T/again:1"
convert --package=append --target=flat "$T/app.tar" "docker-archive:$T/f.tar"
is "append, flat: the last layer carries the image" \
	"0 0 1" "$(for i in 0 1 2; do
		member "$T/f.tar" "$(value "$T/f.tar" \
			"manifest['Layers'][$i]")" | tar -t | grep -c rootfs-
	done | paste -sd' ')"
convert --target=flat "$T/app.tar" "docker-archive:$T/f.tar"
is "file, flat: one layer, and one event of history" '[1, [true, true, true,
false]]' "$(value "$T/f.tar" "[len(manifest['Layers']),
	[e.get('empty_layer', False) for e in config['history']]]" |
	sed 's/true, false/true,\nfalse/')"
convert --package=append --target=linux --scratch=1M --bind="$T/a/etc:/etc" \
	"$T/app.tar" "docker-archive:$T/s.tar"
is "append: what is no layer's has layers of its own" "5 5 true" \
	"$(value "$T/s.tar" "'%d %d %s' % (len(manifest['Layers']),
	sum(not e.get('empty_layer') for e in config['history']), 'true')")"
ok "append: digests are right" unik-verify "$T/s.tar"

# ---- a referrer

L=$T/ref
convert "$T/app.tar" "oci:$L:app" # stands for any source
cp -r "$L" "$T/ref0"
ok "referrer" convert --referrer "oci:$L:app" "oci:$L"
relay python3 - "$T/ref0" "$L" "$T/store" <<-'END'
	import hashlib, json, os, sys
	old, new, store = sys.argv[1:]
	def ok(text, what):
	    print(('ok - ' if what else 'not ok - ') + text)
	def blob(digest):
	    data = open(new + '/blobs/' + digest.replace(':', '/'), 'rb').read()
	    ok('referrer: a blob is named by its digest',
	       'sha256:' + hashlib.sha256(data).hexdigest() == digest)
	    return data
	for n in os.listdir(old + '/blobs/sha256'):
	    path = '/blobs/sha256/' + n
	    same = open(old + path, 'rb').read() == open(new + path, 'rb').read()
	    if not same:
	        ok('referrer: an old blob stays', False)
	a = json.load(open(old + '/index.json'))
	b = json.load(open(new + '/index.json'))
	ok('referrer: one entry more', b['manifests'][:-1] == a['manifests'])
	entry, subject = b['manifests'][-1], a['manifests'][0]
	ok('referrer: its entry', sorted(entry) == ['artifactType', 'digest',
	   'mediaType', 'size'])
	m = json.loads(blob(entry['digest']))
	ok('referrer: subject', m['subject'] == {k: subject[k] for k in
	   ('mediaType', 'digest', 'size')})
	ok('referrer: type', m['artifactType'] == entry['artifactType'] ==
	   'application/vnd.unik.stack.v1')
	ok('referrer: an empty config', m['config'] == {
	   'mediaType': 'application/vnd.oci.empty.v1+json', 'size': 2,
	   'digest': 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c0'
	   '60f61caaff8a'} and blob(m['config']['digest']) == b'{}')
	stack = json.loads(m['annotations']['org.unik.stack'])
	ok('referrer: its layers are the stack',
	   [l['digest'] for l in m['layers']] ==
	   [s['image'] for s in stack['stack']])
	for l, s in zip(m['layers'], stack['stack']):
	    n = l['annotations']
	    ok('referrer: a layer', len(blob(l['digest'])) == l['size'] and
	       l['mediaType'] == 'application/vnd.unik.layer.v1.iso9660' and
	       n['org.unik.tree-digest'] == s['tree_digest'] and
	       n['org.unik.diff-id'] ==
	       stack['layers'][s['layers'][0]]['diff_id'] and
	       n['org.unik.format'] == 'iso' and
	       n['org.unik.format-version'] == '1')
END
ok "referrer: the source is still found" unik-verify "oci:$L:app"
ok "referrer: and without its tag" unik-convert -q "oci:$L" "$T/refstore"
cp -r "$L" "$T/ref1"
ok "referrer: once more" convert --referrer "oci:$L:app" "oci:$L"
ok "referrer: nothing changes" diff -r "$L" "$T/ref1"
ok "referrer: of another target, with a tag" convert --referrer --target=linux \
	"oci:$L:app" "oci:$L:stack-linux"
said=$(unik-verify "oci:$L:stack-linux" 2>&1)
ok "referrer: verify says what it is" grep -q 'see unik-verify(1)' <<<"$said"
cp -r "$L" "$T/refbad"
for blob in $(python3 - "$T/refbad" <<'END'
import json, sys
def doc(*path):
    with open('/'.join(path)) as f:
        return json.load(f)
def blob(digest):
    return sys.argv[1] + '/blobs/' + digest.replace(':', '/')
entry = [m for m in doc(sys.argv[1], 'index.json')['manifests']
         if 'artifactType' in m][0]
print(blob(doc(blob(entry['digest']))['layers'][0]['digest']))
END
); do
	chmod u+w "$blob"
	printf x | dd of="$blob" bs=1 seek=5000 conv=notrunc status=none
done
status "referrer: the same again sees a damaged blob" 1 \
	convert --referrer "oci:$L:app" "oci:$T/refbad"
ok "referrer: beside a copy of the source" convert --referrer "oci:$T/ref0:app" \
	"oci:$T/ref1"
ok "referrer: the source is untouched" unik-verify "oci:$T/ref0"

# ---- SHA256SUMS

check() { (cd "$1" && sha256sum --quiet --strict -c SHA256SUMS); }
D=$T/sums
mkdir "$D"
ok "one archive" convert "$T/app.tar" "docker-archive:$D/a.tar"
ok "another" convert "$T/app.tar" "oci-archive:$D/b.tar:1"
ok "SHA256SUMS of both" check "$D"
is "two lines" "a.tar b.tar" "$(awk '{print $2}' "$D/SHA256SUMS" | paste -sd' ')"
echo mine >"$D/mine"
(cd "$D" && sha256sum mine | tee -a SHA256SUMS && sha256sum -b mine >>SHA256SUMS
	printf '# a remark' >>SHA256SUMS) >/dev/null
ok "one of them again, otherwise" convert --compress=gzip "$T/app.tar" \
	"docker-archive:$D/a.tar"
is "the line is replaced in its place, others stay" \
	"a.tar b.tar mine *mine a remark" \
	"$(sed 's/^[0-9a-f]* *//; s/^# //' "$D/SHA256SUMS" | paste -sd' ')"
ok "SHA256SUMS is right" sh -c "cd '$D' && sha256sum --quiet -c SHA256SUMS"
ok "a name with odd bytes" convert "$T/app.tar" \
	"docker-archive:$D/back\\slash "$'\n'"line"
ok "SHA256SUMS is right" sh -c "cd '$D' && sha256sum --quiet -c SHA256SUMS"
ok "once more" convert "$T/app.tar" "docker-archive:$D/back\\slash "$'\n'"line"
is "one line of it" 1 "$(grep -c '^\\' "$D/SHA256SUMS")"
for i in 1 2 3 4 5 6; do
	convert "$T/app.tar" "docker-archive:$D/many$i.tar" &
done
wait
is "several at a time: all are there" 6 "$(grep -c many "$D/SHA256SUMS")"
ok "several at a time: SHA256SUMS is right" sh -c \
	"cd '$D' && sha256sum --quiet -c SHA256SUMS"
cp "$D/SHA256SUMS" "$T/before"
ok "a stream has none" sh -c "cd '$D' && unik-convert '$T/app.tar' - >/dev/null"
ok "it is as it was" cmp "$D/SHA256SUMS" "$T/before"
status "an archive of that name" 2 unik-convert -q "$T/app.tar" \
	"docker-archive:$D/SHA256SUMS"
rm "$D/SHA256SUMS"
mkdir "$D/SHA256SUMS"
status "a directory of that name" 1 unik-convert -q "$T/app.tar" \
	"docker-archive:$D/new.tar"
is "then nothing is made" "" \
	"$(find "$D" -name new.tar -o -name '.unik-tmp-*')"
ok "a store has one" check "$T/store"
is "of all images and manifests" "$(cd "$T/store" && ls -d images/* stacks/*)" \
	"$(awk '{print $2}' "$T/store/SHA256SUMS")"

# ---- free space takes no room

convert --target=flat --free-space=256M "$T/app.tar" "docker-archive:$T/free.tar"
size=$(stat -c %s "$T/free.tar") used=$(($(stat -c %b "$T/free.tar") * 512))
ok "$size bytes with 256 MiB of free space take $used" \
	sh -c "[ $size -gt 268435456 ] && [ $used -lt 33554432 ]"
ok "free space: verified" unik-verify --source="$T/app.tar" "$T/free.tar"

# ---- what others see in them

convert --package=append --compress=gzip "$T/app.tar" \
	"docker-archive:$T/seen.tar:seen:1"
is "unik-inspect" "a stack of 3 images for oci (iso version 1), package append" \
	"$(unik-inspect "$T/seen.tar" | sed -n 's/^carries *//p')"
is "unik-inspect, JSON" append "$(unik-inspect --json "$T/seen.tar" |
	python3 -c "import json, sys; print(json.load(sys.stdin)['package'])")"
if have bsdtar; then
	is "bsdtar: the members" "$(tar -tf "$T/seen.tar")" \
		"$(bsdtar -tf "$T/seen.tar")"
	ok "bsdtar: a layer" cmp <(bsdtar -xOf "$T/file.tar" "$(value \
		"$T/file.tar" "manifest['Layers'][1]")" | bsdtar -xOf - \
		"rootfs-001-${images[1]}.iso") \
		"$T/store/images/sha256-${images[1]}.iso"
else
	skip "bsdtar" "no bsdtar"
fi
if have skopeo; then
	for c in none gzip zstd; do
		is "skopeo, $c: the layers" "$(value "$T/$c.tar" \
			"config['rootfs']['diff_ids']")" "$(skopeo inspect \
			--config "docker-archive:$T/$c.tar" | python3 -c \
			"import json, sys
print(json.dumps(json.load(sys.stdin)['rootfs']['diff_ids']))")"
		ok "skopeo, $c: copied" skopeo copy -q \
			"docker-archive:$T/$c.tar" "oci:$T/skopeo:$c"
		ok "skopeo, $c: what came is right" unik-verify \
			--source="$T/app.tar" "oci:$T/skopeo:$c"
	done
	for p in oci:$T/oci:gzip oci-archive:$T/oci.tar:app:1 oci:$T/raw:1; do
		ok "skopeo: copied" skopeo copy -q "$p" "oci:$T/skopeo:x"
		ok "skopeo: what came is right" unik-verify \
			--source="$T/app.tar" "oci:$T/skopeo:x"
	done
else
	skip "skopeo" "no skopeo"
fi

# ---- what can't be

# refused TEXT STATUS PATTERN ARGUMENT...: one line, and nothing is made.
refused() {
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
refused "raw for Docker" 2 "empty root" --package=raw "$T/app.tar" "$D"
refused "raw for Docker, a pipe" 2 "empty root" --package=raw "$T/app.tar" -
refused "raw, compressed" 2 "nothing is compressed" --package=raw \
	--compress=gzip "$T/app.tar" "oci:$T/no"
refused "an unknown package" 2 "'box'" --package=box "$T/app.tar" "$D"
refused "an unknown compression" 2 "'lz4'" --compress=lz4 "$T/app.tar" "$D"
refused "no such level" 2 "gzip:10" --compress=gzip:10 "$T/app.tar" "$D"
refused "no level of nothing" 2 "none:1" --compress=none:1 "$T/app.tar" "$D"
refused "a level that is none" 2 "zstd:x" --compress=zstd:x "$T/app.tar" "$D"
refused "a referrer in an archive" 2 "OCI directory" --referrer "oci:$L:app" \
	"oci-archive:$T/no.tar"
refused "a referrer without the source" 2 "does not hold" --referrer \
	"oci:$L:app" "oci:$T/no"
refused "a referrer to what has no manifest" 2 "no OCI manifest" --referrer \
	"$T/app.tar" "oci:$T/no"
refused "a referrer of another package" 2 "raw" --referrer --package=file \
	"oci:$L:app" "oci:$L"
refused "a referrer with a kernel" 2 "no kernel" --referrer --kernel=x \
	"oci:$L:app" "oci:$L"
refused "a package of a store" 2 "--package" --package=file "$T/app.tar" \
	"$T/no"
refused "compression of an image" 2 "--compress" --compress=none \
	"$T/app.tar" "image:$T/no"
refused "two formats" 2 "one format" -f iso -f ext2 "$T/app.tar" "$D"
for name in App:1 app: a//b app:-1 "a b" http://x app@sha256:00 -a a- _a; do
	refused "no name: $name" 2 "name of" "$T/app.tar" "$D:$name"
done
for name in /a a/ a..b 'a b' .a; do
	refused "no tag: $name" 2 "name of" "$T/app.tar" "oci:$T/no:$name"
done
for name in app app:1 a.b/c:1 localhost:5000/x/y-z:T_1.2 A.B/c a__b a---b; do
	ok "a name: $name" convert "$T/app.tar" "docker-archive:$T/name.tar:$name"
done
refused "no directory" 3 "nowhere" "$T/app.tar" "docker-archive:$T/nowhere/x"
mkdir "$T/full"
echo x >"$T/full/x"
refused "not an OCI layout" 2 "it holds 'x'" "$T/app.tar" "oci:$T/full"
cp "$T/app.tar" "$T/self.tar"
ln "$T/self.tar" "$T/self2.tar"
gzip <"$T/self.tar" >"$T/self.tar.gz"
refused "over the source" 2 "the source itself" "$T/self.tar" \
	"docker-archive:$T/self.tar"
refused "over the source by another name" 2 "the source itself" \
	"$T/self.tar" "oci-archive:$T/self2.tar"
refused "over the source, compressed" 2 "the source itself" "$T/self.tar.gz" \
	"docker-archive:$T/self.tar.gz"
ok "it is untouched" cmp "$T/app.tar" "$T/self.tar"
cp -r "$T/oci2" "$T/oci4"
refused "over the source in an OCI directory" 2 "choose another tag" \
	"oci:$T/oci4:gzip" "oci:$T/oci4:gzip"
ok "it is untouched" diff "$T/oci2/index.json" "$T/oci4/index.json"
ok "beside the source" convert "oci:$T/oci4:gzip" "oci:$T/oci4:packed"
ok "both are there" sh -c "unik-verify 'oci:$T/oci4:gzip' &&
	unik-verify --source='oci:$T/oci4:gzip' 'oci:$T/oci4:packed'"
refused "JSON and an archive on one output" 2 "both want" --json "$T/app.tar" -
head -c 50000 "$T/app.tar" >"$T/cut.tar"
refused "a bad source: no file" 1 "" "$T/cut.tar" "$D"
refused "a bad source: no directory" 1 "" "$T/cut.tar" "oci:$T/no"
cp "$T/file.tar" "$T/kept.tar"
refused "a bad source: the old file stays" 1 "" "$T/cut.tar" \
	"docker-archive:$T/kept.tar"
ok "it did" cmp "$T/file.tar" "$T/kept.tar"
is "nothing was made" "" "$(find "$T" -name '.unik-tmp-*' -o -name no -o -name no.tar)"

# ---- what carries a stack already

is "a stack of a stack is warned of" 1 "$(unik-convert "$T/file.tar" \
	"$T/again" 2>&1 | grep -c 'the source carries a stack already')"
is "but not one of the source" 0 "$(unik-convert "$T/app.tar" \
	"$T/again" 2>&1 | grep -c 'carries a stack')"
done_testing
