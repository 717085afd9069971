#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# unik-verify on container images that carry a stack: those that are right pass,
# and lies whose digests are all right do not.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

if ! have python3; then
	skip 'unik-verify on container images' 'no python3'
	done_testing
fi

convert() { unik-convert -q "$@"; }
lie() { python3 "$TOP/tests/tools/lie.py" "$@"; }
verify() { unik-verify --source="$T/app.tar" "$@"; }
# fails TEXT PATTERN ARGUMENT...: exit 1 and a line of that pattern.
fails() {
	local text=$1 pattern=$2 out rc
	shift 2
	out=$("$@" 2>&1)
	rc=$?
	if [ $rc = 1 ] && grep -q -e "^FAIL .*$pattern" <<<"$out"; then
		pass "$text: $(grep -e "^FAIL .*$pattern" <<<"$out" | head -n 1 |
			cut -c1-150)"
	else
		fail "$text: exit $rc"
		sed 's/^/# /' <<<"$out"
	fi
}

# ---- a source of two layers, one of which stands twice

mkdir -p "$T/a/etc" "$T/b/usr/bin"
echo one >"$T/a/etc/one"
head -c 100000 /dev/urandom >"$T/b/usr/bin/program"
for l in a b; do
	tar --sort=name --mtime=@1000000000 --owner=0 --group=0 \
		--numeric-owner -C "$T/$l" -cf "$T/$l.tar" .
done
archive() { # NAME ENTRYPOINT LAYER...
	local out=$1 entry=$2
	shift 2
	python3 - "$T" "$entry" "$@" <<-'END'
		import hashlib, json, sys
		top, entry, layers = sys.argv[1], sys.argv[2], sys.argv[3:]
		ids = ['sha256:' + hashlib.sha256(open(f'{top}/{n}', 'rb').read()
		       ).hexdigest() for n in layers]
		json.dump({'architecture': 'amd64', 'os': 'linux', 'config':
		           {'Entrypoint': [entry], 'Labels': {'k': 'v'}},
		           'rootfs': {'type': 'layers', 'diff_ids': ids}},
		          open(f'{top}/config.json', 'w'))
		json.dump([{'Config': 'config.json', 'RepoTags': ['app:1'],
		            'Layers': layers}], open(f'{top}/manifest.json', 'w'))
	END
	tar -C "$T" -cf "$out" manifest.json config.json a.tar b.tar
}
archive "$T/app.tar" /usr/bin/program a.tar b.tar a.tar

# ---- what is right

for p in file append; do
	for c in none gzip zstd; do
		O=$T/$p-$c.tar
		convert --package=$p --compress=$c "$T/app.tar" \
			"docker-archive:$O:app:1"
		ok "$p, $c" verify "docker-archive:$O:app:1"
		ok "$p, $c: without its source" unik-verify "$O"
	done
	for t in linux rumprun flat; do
		convert --package=$p --target=$t "$T/app.tar" \
			"oci-archive:$T/$t.tar:x"
		ok "$p, $t, oci-archive" verify "oci-archive:$T/$t.tar:x"
		ok "$p, $t: by trees" verify --semantic "oci-archive:$T/$t.tar"
	done
done
ok "raw" convert --package=raw "$T/app.tar" "oci:$T/oci:raw"
ok "raw" verify "oci:$T/oci:raw"
ok "raw: quick" verify --quick "oci:$T/oci:raw"
convert --package=append --target=linux --scratch=1M --bind="$T/a/etc:/etc" \
	"$T/app.tar" "docker-archive:$T/bound.tar"
ok "files of the host, and a scratch image" verify "$T/bound.tar"
is "the image of the host's files is skipped" 1 \
	"$(verify "$T/bound.tar" | grep -c 'SKIP faithful .*files of the host')"
ok "of a compressed layer" sh -c "
	gzip <'$T/b.tar' >'$T/b.gz' && unik-convert -q --package=append \
	'layer:$T/b.gz' 'docker-archive:$T/bare.tar:bare:1' &&
	unik-verify --source='layer:$T/b.gz' '$T/bare.tar'"

lie "$T/file-none.tar" "$T/lie.tar" nothing
ok "all written once more by another" verify "$T/lie.tar"

# ---- what is not

O=$T/file-none.tar A=$T/append-none.tar L=$T/lie.tar
while read -r lie pattern; do
	lie "$O" "$L" "$lie"
	fails "file, $lie" "$pattern" verify "$L"
done <<-END
	altered identity .*its bytes are not those of its name
	renamed faithful .*it is another image
	swapped identity rootfs-000.*not where the recorded stack says
	exchanged identity rootfs-001.*another size
	missing identity rootfs-001.*not where the recorded stack says
	dropped identity stack.*2 layers; the recorded stack makes 3
	more identity stack.*4 layers; the recorded stack makes 3
	extra identity layer 1.*'etc/passwd' does not belong
	hidden identity layer 1.*'etc/passwd' does not belong
	twice identity rootfs-001.*it is there twice
	symlink identity rootfs-001.*no plain file
	mode identity rootfs-001.*another mode
	entrypoint identity config.*entrypoint
	environment identity config.*entrypoint
	label faithful config.*labels
	unlabelled faithful source.*no stack is recorded
	form identity stack.*not in canonical form
	package identity stack.*org.unik.package
END
while read -r lie pattern; do
	lie "$A" "$L" "$lie"
	fails "append, $lie" "$pattern" verify "$L"
done <<-END
	altered identity .*its bytes are not those of its name
	program faithful layer 1.*not that of the source's layer
	hidden faithful layer 1.*\(something beside\|not that of\)
	extra identity layer 1.*'etc/passwd' does not belong
	missing identity rootfs-001.*not where the recorded stack says
	swapped identity rootfs-000
END
convert --package=append --target=flat "$T/app.tar" "docker-archive:$T/f.tar"
lie "$T/f.tar" "$L" extra
fails "append: a layer without images holds more" \
	"faithful layer 1.*something beside" verify "$L"

archive "$T/app2.tar" /usr/bin/other a.tar b.tar a.tar
fails "another configuration" "faithful stack.*configurations differ" \
	unik-verify --source="$T/app2.tar" "$O"
archive "$T/app3.tar" /usr/bin/program a.tar b.tar
fails "fewer layers" "faithful stack.*3 images; the source gives 2" \
	unik-verify --source="$T/app3.tar" "$O"
fails "a source that is not there" "faithful source" \
	unik-verify --source="$T/nowhere" "$O"
fails "another image, without a stack" "faithful source.*no stack" \
	unik-verify --source="$T/app3.tar" "$T/app.tar"
ok "the source itself" verify "$T/app.tar"

# ---- bytes changed anywhere: never passed, never crashed

cp "$T/append-gzip.tar" "$T/m.tar"
size=$(stat -c %s "$T/m.tar")
passed=0
for i in $(seq 24); do
	at=$((size * i / 25))
	cp "$T/append-gzip.tar" "$T/m.tar"
	byte=$(od -An -tu1 -j $at -N 1 "$T/m.tar")
	# shellcheck disable=SC2059
	printf "\\x$(printf %02x $((byte ^ 0x55)))" |
		dd of="$T/m.tar" bs=1 seek=$at conv=notrunc status=none
	verify "$T/m.tar" >"$T/out" 2>&1
	case $? in
	1) ;;
	0) passed=$((passed + 1)) && echo "# byte $at" ;;
	*) fail "a changed byte $at: exit status, $(tail -n 1 "$T/out")" ;;
	esac
done
# A few bytes of the outer tar mean nothing: padding, fields of its headers.
ok "a changed byte fails ($passed of 24 mean nothing)" [ "$passed" -le 3 ]
for n in 0 511 1024 5000 $((size / 2)) $((size - 20000)); do
	head -c "$n" "$T/append-gzip.tar" >"$T/m.tar"
	fails "cut at $n" "" verify "docker-archive:$T/m.tar"
done

done_testing
