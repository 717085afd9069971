#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# unik-verify on sources and stores that are whole, and that are damaged in
# known ways; its exit statuses and the forms of its output.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

if ! have python3; then
	skip 'unik-verify' 'no python3'
	done_testing
fi
umask 022
# shellcheck source=verify.bash
. "$TOP/tests/cases/verify.bash"
app=$T/app.tar

# ---- sources

fine 'a docker-archive: configuration and three layers' 4 "$app"
fine 'an OCI layout: a manifest too' 5 "$T/oci"
fine 'the same, said outright' 5 "oci:$T/oci"
tar -C "$T/oci" -cf "$T/oci.tar" .
fine 'an OCI archive' 5 "$T/oci.tar"
gzip -k "$app"
fine 'compressed as a whole' 4 "$app.gz"
is 'through a pipe' '4 PASS, 0 FAIL, 2 SKIP' \
	"$(unik-verify - < <(cat "$app") | tail -n 1)"
said 'a bare layer declares nothing' 0 '^SKIP identity layer 0: a bare layer' \
	"layer:$T/a.tar"
fine 'quick: no layer is read' 5 --quick "$T/oci"
said 'and it says so' 0 'layer 2: .* not read (--quick)' --quick "$T/oci"

# Every layer that is bad is reported, not the first only.
cp -r "$T/oci" "$T/bad"
for blob in $(python3 - "$T/bad" <<-'END'
	import json, sys
	b = sys.argv[1] + '/blobs/sha256/'
	m = json.load(open(sys.argv[1] + '/index.json'))['manifests'][0]
	m = json.load(open(b + m['digest'][7:]))
	print(*[b + x['digest'][7:] for x in m['layers'][:2]])
	END
); do
	printf 'X' | dd of="$blob" bs=1 seek=100 conv=notrunc status=none
done
said 'two blobs changed: the first' 1 '^FAIL identity layer 0: ' "$T/bad"
said 'the second' 1 '^FAIL identity layer 1: ' "$T/bad"
said 'the third is the same blob as the first' 1 '^FAIL identity layer 2: ' \
	"$T/bad"
fine 'their sizes are right' 5 --quick "$T/bad"
truncate -s -1 "$blob"
said 'a blob of another size' 1 '^FAIL identity source: .* declared' "$T/bad"
rm "$blob"
said 'a blob that is missing' 1 '^FAIL identity source: .* missing' "$T/bad"
cp -r "$T/oci" "$T/lie"
python3 - "$T/lie" <<-'END'
	import hashlib, json, os, sys
	top = sys.argv[1]
	index = json.load(open(top + '/index.json'))
	entry = index['manifests'][0]
	path = top + '/blobs/sha256/'
	manifest = json.load(open(path + entry['digest'][7:]))
	manifest['layers'][1]['mediaType'] = \
	    'application/vnd.oci.image.layer.v1.tar+zstd'
	text = json.dumps(manifest).encode()
	entry['digest'] = 'sha256:' + hashlib.sha256(text).hexdigest()
	entry['size'] = len(text)
	open(path + entry['digest'][7:], 'wb').write(text)
	json.dump(index, open(top + '/index.json', 'w'))
END
said 'a media type that lies' 1 \
	"^FAIL identity layer 1: the content is gzip, its media type .*zstd'" \
	"$T/lie"
head -c 3000 "$app" >"$T/cut.tar"
said 'an archive that is cut' 1 '^FAIL identity source: .*cut' "$T/cut.tar"
said 'a file that is no source' 1 '^FAIL identity source: ' "$0"

# ---- a store is whole

S=$T/store
for target in oci linux rumprun flat; do
	ok "convert for $target" unik-convert -q -t $target -f iso -f ext2 \
		"$app" "$S"
done
before=$(cd "$S" && find . -printf '%p %i %m %T@ %C@\n' | sort)
unik-verify "$S" >"$T/all"
is 'a store: exit status' 0 $?
for n in refs stacks layers images; do
	is "every name of $n has its identity" "$(find "$S/$n" -mindepth 1 |
		wc -l)" "$(grep -c "^PASS identity $n/" "$T/all")"
done
is 'every image is intact' "$(find "$S/images" -type f | wc -l)" \
	"$(grep -c '^PASS intact   images/' "$T/all")"
is 'no source: nothing to compare with' 8 \
	"$(grep -c '^SKIP faithful stacks/.*: no --source$' "$T/all")"
is 'nothing else' '' "$(grep -v -e '^PASS ' -e '^SKIP faithful' "$T/all" |
	grep -v ' PASS, 0 FAIL, 8 SKIP')"
unik-verify --source="$app" "$S" >"$T/with"
is 'with its source: exit status' 0 $?
is 'all stacks are faithful' 8 "$(grep -c '^PASS faithful stacks/' "$T/with")"
is 'and all images' "$(cd "$S/images" && ls)" "$(sed -n \
	's/^PASS faithful images\/\([^ :]*\): .*/\1/p' "$T/with" | sort -u)"
is 'and the records of layers' 4 \
	"$(grep -c '^PASS faithful layers/.*json: ' "$T/with")"
is 'nothing is skipped' '' "$(grep '^SKIP' "$T/with")"
is 'one thread, four: the same lines' "$(unik-verify -j1 --source="$app" "$S")" \
	"$(unik-verify -j4 --source="$app" "$S")"
fine 'one name of it' 10 "$S:app:1.oci.iso"
fine 'and its source' 15 --source="$app" "dir:$S:app:1.oci.iso"
said 'all of a name' 0 '^SKIP faithful' "$S:app:1"
fine 'quick' "$(grep -c ^PASS "$T/all")" --quick "$S"
said 'quick reads no source' 0 'faithful .* not with --quick' --quick \
	--source="$app" "$S"
is 'nothing in the store was touched' "$before" \
	"$(cd "$S" && find . -printf '%p %i %m %T@ %C@\n' | sort)"
said 'a name that it has not' 1 "^FAIL identity .: .* no stack 'other'" \
	"$S:other"
fine 'two targets, with a source' $(($(grep -c ^PASS "$T/with") + 4)) \
	--source="$app" "$S" "$app"

# The same image in other containers; a file of another name.
said 'from an OCI layout' 0 \
	'^PASS faithful stacks/.* but for the container that it came in' \
	--source="$T/oci" "$S"
said 'from a compressed archive' 0 '^0 FAIL\|PASS, 0 FAIL' \
	--source="$app.gz" "$S"
ok 'a bare layer' unik-convert -q "layer:$T/a.tar" "$T/bare"
cp "$T/a.tar" "$T/renamed.tar"
said 'under another name' 0 'but for the name' \
	--source="layer:$T/renamed.tar" "$T/bare"
said 'another layer' 1 '^FAIL faithful .: no stack of the store' \
	--source="layer:$T/b.tar" "$T/bare"
mkimage --cmd=/bin/other docker "$T/cmd.tar" app:1 "$T/a.tar" "$T/b.tar" \
	"$T/a.tar"
said 'another configuration is another image' 1 \
	'^FAIL faithful .: no stack of the store' --source="$T/cmd.tar" "$S"
said 'by name, what differs is quoted' 1 \
	'^FAIL faithful stacks/.*the source gives .*bin/other' \
	--source="$T/cmd.tar" "$S:app:1.oci.iso"
mkimage docker "$T/less.tar" app:1 "$T/a.tar" "$T/b.tar"
said 'fewer layers' 1 '^FAIL faithful .*: it has 3 images; the source gives 2' \
	--source="$T/less.tar" "$S:app:1.oci.iso"
said 'a source that is not there' 1 '^FAIL faithful source: ' \
	--source="$T/nowhere" "$S"
said 'a source that is bad' 1 '^FAIL faithful source: ' --source="$T/cut.tar" \
	"$S"

# All options of a conversion are recorded, so it can be derived again.
O=$T/options
mkdir "$T/host"
echo bound >"$T/host/file"
ok 'blocks of 1024 bytes' unik-convert -q -f ext2 --block-size=1024 "$app" "$O"
ok 'whiteouts applied' unik-convert -q -t linux --whiteouts=apply "$app" "$O"
said 'both' 0 '^[0-9]* PASS, 0 FAIL, 0 SKIP' --source="$app" "$O"
ok 'two images at most' unik-convert -q -t rumprun --max-images=2 "$app" \
	"$T/two"
said 'merged' 0 '^[0-9]* PASS, 0 FAIL, 0 SKIP' --source="$app" "$T/two"
ok 'free space' unik-convert -q -t flat --free-space=3M --free-inodes=99 \
	"$app" "$T/free"
said 'is left again' 0 '^[0-9]* PASS, 0 FAIL, 0 SKIP' --source="$app" "$T/free"
ok 'files of the host and scratch' unik-convert -q -t rumprun \
	--bind="$T/host:/conf" --scratch=1M "$app" "$T/bind"
rm -r "$T/host"
said 'the host may have changed' 0 '^SKIP faithful images/.* files of the host' \
	--source="$app" "$T/bind"
is 'all else is derived' 0 "$(unik-verify --source="$app" "$T/bind" |
	grep -c ^FAIL)"

# ---- a store in use

cp -r "$S" "$T/use"
tmp=$T/use/images/.unik-tmp-0123456789abcdef0123456789abcdef
: >"$tmp"
said 'a temporary that is left over' 1 \
	'^FAIL identity images/.unik-tmp-.*nobody writes' "$T/use"
if have flock; then
	exec 8>"$tmp"
	flock -x 8
	said 'one that is being written' 0 '^SKIP identity images/.unik-tmp-' \
		"$T/use"
	exec 8>&-
fi
rm "$tmp"
record=$(find "$T/use/layers" -name '*.json' | sort | head -n 1)
mv "$record" "$T/record"
if have flock; then
	exec 8<"$T/use"
	flock -s 8
	said 'a record that is still to come' 0 \
		'^SKIP identity layers/.*others are at work' "$T/use"
	exec 8<&-
fi
said 'one that nobody writes' 1 '^FAIL identity layers/.* is missing' "$T/use"
mv "$T/record" "$record"

# Conversions at work meanwhile: nothing is wrong at any moment.
for n in {1..8}; do
	printf 'file f data=%s\nend\n' "$n" | mktar "$T/layer$n.tar"
done
for n in {1..8}; do
	mkimage docker "$T/many$n.tar" "many:$n" "$T/layer$n.tar" \
		"$T/layer$((n % 8 + 1)).tar" "$T/layer$(((n + 3) % 8 + 1)).tar"
done
ok 'a store' unik-convert -q "$app" "$T/busy"
for n in {1..8}; do
	unik-convert -q -f iso -f ext2 "$T/many$n.tar" "$T/busy"
	unik-convert -q -t linux "$T/many$n.tar" "$T/busy"
done &
bad='' runs=0
while kill -0 $! 2>/dev/null; do
	bad="$bad$(unik-verify -q "$T/busy" 2>&1)"
	runs=$((runs + 1))
done
wait
is "$runs looks at a store that conversions write" '' "$bad"
said 'it is whole in the end' 0 ' 0 FAIL' "$T/busy"

# ---- what can be wrong with one

# broken TEXT PATTERN COMMAND...: in a copy of the store.
broken() {
	local text=$1 pattern=$2
	shift 2
	rm -rf "$T/broken"
	cp -r "$S" "$T/broken"
	(cd "$T/broken" && "$@") || echo "# $*: failed"
	said "$text" 1 "$pattern" "$T/broken"
}
stack=$(basename "$(readlink "$S/refs/app:1.oci.iso.json")")
record=$(basename "$(find "$S/layers" -name '*.iso-v1.json' | sort |
	head -n 1)")
link=${record%.json}
iso=$(basename "$(readlink "$S/layers/$link")")
# SHA256SUMS
is 'SHA256SUMS is what sha256sum says of all images and manifests' \
	"$(cd "$S" && LC_ALL=C sha256sum images/* stacks/*)" \
	"$(cat "$S/SHA256SUMS")"
broken 'no SHA256SUMS' '^FAIL identity SHA256SUMS: it is not there' \
	rm SHA256SUMS
broken 'SHA256SUMS without a line' "^FAIL identity SHA256SUMS: .* not in it" \
	sed -i 2d SHA256SUMS
broken 'SHA256SUMS with a line too many' \
	"^FAIL identity SHA256SUMS: 'images/.* not in the store" sh -c \
	"sed -n '1s/[0-9a-f]\{8\}/00000000/gp' SHA256SUMS >x &&
	cat SHA256SUMS >>x && mv x SHA256SUMS"
broken 'SHA256SUMS with another digest' \
	'^FAIL identity SHA256SUMS: .*no line of it' sed -i '1s/^..../0000/' \
	SHA256SUMS
broken 'SHA256SUMS in another order' '^FAIL identity SHA256SUMS: .*order' \
	sed -i '1{h;d};2G' SHA256SUMS
broken 'SHA256SUMS that is cut' '^FAIL identity SHA256SUMS: .*no end' \
	truncate -s -1 SHA256SUMS
broken 'SHA256SUMS that is a symlink' '^FAIL identity SHA256SUMS' \
	ln -sf images SHA256SUMS
broken 'a byte of an image' "^FAIL identity images/$iso: " flip "images/$iso" 40000
broken 'its structure too' "^FAIL intact   images/$iso: " flip "images/$iso" 41050
broken 'an image that is gone' "^FAIL identity stacks/.*can't find 'images/" \
	rm -f "images/$iso"
broken 'a record that points to it' "^FAIL identity layers/.* is not there" \
	rm -f "images/$iso"
broken 'a longer one' "bytes, recorded are" sh -c \
	"chmod u+w images/$iso && echo >>images/$iso && chmod 444 images/$iso"
broken 'one that may be written' \
	"^FAIL identity images/$iso: its mode is 0644, want 0444" \
	chmod 644 "images/$iso"
broken 'a symlink in its place' "^FAIL identity images/$iso: it is a symlink" \
	sh -c "mv images/$iso ../moved && ln -s ../../moved images/$iso"
broken 'a directory in its place' 'it is a directory' \
	sh -c "rm -f images/$iso && mkdir images/$iso"
broken 'a FIFO in its place' 'it is a special file' \
	sh -c "rm -f images/$iso && mkfifo images/$iso"
broken 'an image of another format' "^FAIL intact .*ext2: " \
	mv "images/$iso" "images/${iso%.iso}.ext2"
broken 'a manifest that changed' "^FAIL identity stacks/$stack: .*not its name" \
	flip "stacks/$stack" 100
broken 'a reference to it' '^FAIL identity refs/app:1.oci.iso.json: ' \
	flip "stacks/$stack" 100
broken 'a manifest that is gone' "^FAIL identity refs/.* has no '$stack'" \
	rm -f "stacks/$stack"
broken 'a reference under another name' \
	"^FAIL identity refs/app:2.*would be named 'app:1.oci.iso.json'" \
	mv refs/app:1.oci.iso.json refs/app:2.oci.iso.json
broken 'one that leads elsewhere' '^FAIL identity refs/.*no link to a manifest' \
	ln -sf ../../store/stacks refs/app:1.oci.iso.json
broken 'a record that changed' "^FAIL identity layers/$record: " \
	flip "layers/$record" 200
broken 'its symlink' "^FAIL identity layers/$link: " flip "layers/$record" 200
broken 'a record that is gone' "^FAIL identity layers/$link: the record .*miss" \
	rm -f "layers/$record"
broken 'a symlink that is gone' "^FAIL identity layers/$record: the symlink .*miss" \
	rm "layers/$link"
broken 'a symlink to another image' "^FAIL identity layers/$link: .*points to" \
	sh -c "ln -sf ../images/\$(ls images/*.iso | grep -v \$(basename \
		\$(readlink layers/$link)) | head -n 1 | cut -d/ -f2) \
		layers/$link"
broken 'a name that is none' '^FAIL identity layers/extra: it is no name' \
	touch layers/extra
broken 'an image that is none' '^FAIL identity images/x.iso: it is no name' \
	touch images/x.iso
broken 'a file beside the directories' \
	'^FAIL identity README: it does not belong' touch README
broken 'a directory that is missing' "^FAIL identity .: .*no 'stacks' in it" \
	rm -rf stacks
broken 'a directory that is a symlink' "^FAIL identity .: can't open" \
	sh -c 'mv refs ../refs-moved && ln -s ../refs-moved refs'
rm -rf "$T/refs-moved" "$T/moved"
broken 'names are shown without their control characters' \
	"^FAIL identity images/'.*\\\\x1b\\[31m\\\\x0a'" \
	touch $'images/\e[31m\n'
is 'all of it is' '' "$(LC_ALL=C grep -n '[^ -~]' "$T/out")"

# ---- consistent lies: only the source can tell

# lie STORE EXPRESSION: changes the manifest `m` of app:1.oci.iso, and names
# and references as they must be then.
lie() {
	chmod -R u+w "$1"
	python3 - "$1" "$2" <<-'END'
		import hashlib, json, os, sys
		store, code = sys.argv[1:]
		ref = store + '/refs/app:1.oci.iso.json'
		old = os.path.join(store, 'refs', os.readlink(ref))
		m = json.load(open(old))
		exec(code)
		text = json.dumps(m, separators=(',', ':')).encode() + b'\n'
		new = 'sha256-' + hashlib.sha256(text).hexdigest() + '.json'
		with open(store + '/stacks/' + new, 'wb') as f:
		    f.write(text)
		os.unlink(old)
		os.unlink(ref)
		os.symlink('../stacks/' + new, ref)
	END
	sums "$1"
	find "$1" -type f -exec chmod 444 {} +
}
tell() { # TEXT PATTERN EXPRESSION
	rm -rf "$T/lie"
	cp -r "$S" "$T/lie"
	lie "$T/lie" "$3"
	said "$1: nothing is wrong in itself" 0 ' 0 FAIL' "$T/lie"
	said "$1" 1 "$2" --source="$app" "$T/lie"
}
tell 'another command' '^FAIL faithful stacks/.*bin/evil' \
	"m['config']['cmd'] = ['/bin/evil']"
tell 'another count' '^FAIL faithful stacks/' \
	"m['layers'][0]['entries']['file'] += 1"
tell 'another blob' '^FAIL faithful stacks/' \
	"m['layers'][1]['blob_digest'] = m['layers'][0]['diff_id']"
tell 'images in another order' '^FAIL faithful images/' \
	"s = m['stack']; a, b = s[0], s[1]; s[0] = dict(b, layers=[0]); \
	s[1] = dict(a, layers=[1])"
tell 'another image for a layer that stands there twice' \
	'^FAIL faithful images/.* is another image' \
	"m['stack'][2]['image'] = m['stack'][1]['image']; \
	m['stack'][2]['size'] = m['stack'][1]['size']"
tell 'another tree digest' '^FAIL faithful images/' \
	"m['stack'][0]['tree_digest'] = m['layers'][0]['diff_id']"
tell 'other options' '^FAIL faithful .*the source gives' \
	"m['options'] = {'whiteouts': 'apply'}"

# A format version that is not ours: the trees are compared.
rm -rf "$T/lie"
cp -r "$S" "$T/lie"
lie "$T/lie" "m['format_version'] = 99"
said 'a format version to come: the trees are compared' 0 \
	'^PASS faithful images/.* the tree is that of the source' \
	--source="$app" "$T/lie:app:1.oci.iso"
said 'and what a format loses is counted' 0 "can't hold: times [0-9]*, attr" \
	--source="$app" "$T/lie:app:1.oci.iso"
said 'a store, by trees' 0 ' PASS, 0 FAIL, 0 SKIP' --semantic --source="$app" \
	"$S"

# ---- usage, missing, unreadable

unik-convert -q -f iso "layer:$T/a.tar" "image:$T/a.iso"
status 'no target: usage' 2 unik-verify
status 'an unknown option: usage' 2 unik-verify --nonsense "$S"
status 'a layer without a source: usage' 2 unik-verify --layer=1 "$T/a.iso"
status 'trees without a source: usage' 2 unik-verify --semantic "$T/a.iso"
status 'an unknown target: usage' 2 unik-verify --source="$app" -t bsd \
	"$T/a.iso"
status 'standard input twice: usage' 2 unik-verify --source=- -
status 'a reference that nothing follows: usage' 2 unik-verify \
	"docker-archive:$app:"
said 'what is not there' 1 "^FAIL identity target: can't find it: No such" \
	"$T/nowhere"
said 'nor its directory' 1 '^FAIL identity target' "$T/a.iso/x"
if [ "$(id -u)" = 0 ] && have setpriv; then
	chmod 755 "$T"
	as_nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
	cp -r "$S" "$T/closed"
	chmod 000 "$T/closed/images/$iso"
	as_nobody "$BIN/unik-verify" "$T/closed" >"$T/out" 2>"$T/err"
	is 'an image that nobody may read: could not check' 3 $?
	ok 'it is named' grep -q "could not check images/$iso: .*denied" "$T/err"
	is 'the rest was checked' 0 "$(grep -c ^FAIL "$T/out")"
	ok 'and counted' grep -q ' 0 FAIL, 8 SKIP, 1 not checked$' "$T/out"
	touch "$T/closed/README"
	as_nobody "$BIN/unik-verify" -q "$T/closed" >"$T/out" 2>"$T/err"
	is 'what failed wins' 1 $?
	as_nobody "$BIN/unik-verify" --json "$T/closed" 2>/dev/null >"$T/out"
	ok 'in JSON it is UNCHECKED' grep -q '"verdict":"UNCHECKED"' "$T/out"
else
	skip 'what nobody may read' 'needs root and setpriv'
fi
if [ -e /dev/full ]; then
	unik-verify "$S" >/dev/full 2>"$T/err"
	is 'a full output' 3 $?
fi

# ---- forms of the output

unik-verify --json --source="$app" "$S" "$app" >"$T/json"
is 'JSON: exit status' 0 $?
is 'JSON: as documented' "$(($(grep -c '^[PS]' "$T/with") + 6))" "$(python3 -c '
import json, sys
n = 0
for line in sys.stdin:
    d = json.loads(line)
    assert list(d) == ["schema", "target", "object", "claim", "verdict",
                       "text", "details"], d
    assert d["schema"] == "unik.verify.v1"
    assert d["claim"] in ("identity", "faithful", "intact")
    assert d["verdict"] in ("PASS", "SKIP") and d["details"] == []
    n += 1
print(n)' <"$T/json")"
is 'quiet: nothing to say' '' "$(unik-verify -q --source="$app" "$S" 2>&1)"
is 'quiet: what failed, and no more' '' "$(unik-verify -q \
	"$T/broken" 2>&1 | grep -v ^FAIL)"
ok 'quiet: something failed' grep -q . <(unik-verify -q "$T/broken")
is 'two targets: each line names its own' '' "$(unik-verify "$app" "$T/oci" |
	grep -v -e "^.... [a-z]* *$app: " -e "^.... [a-z]* *$T/oci: " |
	grep -v ' PASS, ')"
is 'help and manual have the same options' \
	"$(unik-verify --help | grep -o -e '--[a-z-]*' | sort -u)" \
	"$(sed -n '/^\.It/p' "$TOP/man/unik-verify.1" |
		grep -o 'Fl -[a-z-]*' | sed 's/Fl -/--/' | sort -u)"
ok 'help fits 80 columns' test -z "$(unik-verify --help |
	awk 'length($0) > 80')"
if have mandoc; then
	is 'the manual is clean' '' \
		"$(mandoc -T lint -W warning "$TOP/man/unik-verify.1" 2>&1)"
else
	skip 'the manual is clean' 'no mandoc'
fi
done_testing
