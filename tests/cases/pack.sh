#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# unik-convert to container images: what is in them, that the same source gives
# the same bytes, and what others read in them.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

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

done_testing
