#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Container images are the same from everywhere, and whole or not there: other
# time zones, locales, umasks, thread counts, orders of the source's tars; kills
# at any moment, a full disk.
# SEED=N replays the moments of the kills.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

if ! have python3; then
	skip 'whole container images' 'no python3'
	done_testing
fi

SEED=${SEED:-$((RANDOM))}
echo "# SEED=$SEED"
RANDOM=$SEED
mounted=
cleanup() { [ -z "$mounted" ] || umount "$mounted" 2>/dev/null; }

convert() { unik-convert -q "$@"; }
sha() { sha256sum | cut -d' ' -f1; }

# ---- a source of three layers

mkdir -p "$T/a/etc" "$T/b/usr/bin" "$T/c/opt"
for i in $(seq 40); do
	echo "file $i" >"$T/a/etc/file$i"
	head -c $((i * 3000)) /dev/urandom >"$T/b/usr/bin/program$i"
done
touch "$T/c/opt/.wh.gone"
ln -s ../etc "$T/c/opt/link"
for l in a b c; do
	tar --sort=name --mtime=@1000000000 --owner=0 --group=0 \
		--numeric-owner -C "$T/$l" -cf "$T/$l.tar" .
done
image() { # OUT
	python3 - "$T" <<-'END'
		import hashlib, json, sys
		top = sys.argv[1]
		layers = ['a.tar', 'b.tar', 'c.tar']
		ids = ['sha256:' + hashlib.sha256(open(f'{top}/{n}', 'rb').read()
		       ).hexdigest() for n in layers]
		json.dump({'architecture': 'amd64', 'os': 'linux', 'config':
		           {'Cmd': ['/bin/sh'], 'Labels': {'z': '1', 'a': '2'}},
		           'rootfs': {'type': 'layers', 'diff_ids': ids},
		           'history': [{'created_by': str(n)} for n in range(3)]},
		          open(f'{top}/config.json', 'w'))
		json.dump([{'Config': 'config.json', 'RepoTags': ['app:1'],
		            'Layers': layers}], open(f'{top}/manifest.json', 'w'))
	END
	tar -C "$T" --mtime=@0 --owner=0 --group=0 -cf "$1" manifest.json \
		config.json a.tar b.tar c.tar
}
image "$T/app.tar"

# ---- the same bytes

# All that a conversion makes, digests and names.
all() { # ARG...
	rm -rf "$T/out"
	mkdir "$T/out"
	convert "$@" "docker-archive:$T/out/d.tar:app:1" &&
		convert "$@" "oci-archive:$T/out/o.tar:1" &&
		convert "$@" "oci:$T/out/dir:1" || echo "exit $?"
	(cd "$T/out" && find . -type f ! -name SHA256SUMS -exec sha256sum {} + |
		sort -k2)
}
same() { # TEXT ARG...
	local text=$1
	shift
	is "$text" "$want" "$(all "$@" "$T/app.tar" 2>&1)"
}
for p in file append; do
	for c in none gzip zstd:7; do
		want=$(all --package=$p --compress=$c "$T/app.tar")
		is "$p, $c: two archives, a directory of 7 files" 9 \
			"$(wc -l <<<"$want")"
		same "$p, $c: once more" --package=$p --compress=$c
		TZ=Pacific/Auckland LC_ALL=C same \
			"$p, $c: elsewhere, one layer at a time" -j1 \
			--package=$p --compress=$c
		SOURCE_DATE_EPOCH=7 TMPDIR=$T same "$p, $c: four at a time" \
			-j4 --package=$p --compress=$c
		is "$p, $c: under umask 077" "$want" "$(umask 077 &&
			all --package=$p --compress=$c "$T/app.tar" 2>&1)"
	done
done
is "umask: an archive is for everybody" 644 "$(umask 077 &&
	convert "$T/app.tar" "docker-archive:$T/out/u.tar" &&
	stat -c %a "$T/out/u.tar")"
is "all of it in gzip, through a pipe" \
	"$(convert "$T/app.tar" - | sha)" \
	"$(gzip <"$T/app.tar" | convert - - | sha)"

# Layers in another order are the same layers in the end.
ids() {
	convert "$1" - | tar -xOf - manifest.json | python3 -c "import json, sys
print(json.load(sys.stdin)[0]['Layers'])"
}
want=$(ids "$T/app.tar")
for seed in reverse 1 2; do
	for l in a b c; do
		cp "$T/$l.tar" "$T/$l.kept"
		python3 "$TOP/tests/tools/shuffle.py" $seed "$T/$l.kept" "$T/$l.tar"
	done
	image "$T/shuffled.tar"
	is "the source's tars in order '$seed': the same layer tars" "$want" \
		"$(ids "$T/shuffled.tar")"
	for l in a b c; do mv "$T/$l.kept" "$T/$l.tar"; done
done

# ---- killed at any moment

whole=$(convert "$T/app.tar" docker-archive:-:app:1 | sha)
gz=$(convert --compress=gzip "$T/app.tar" docker-archive:-:app:1 | sha)
K=$T/killed
mkdir "$K"
convert "$T/app.tar" "docker-archive:$K/app.tar"
bad='' killed=0
for i in $(seq 20); do
	unik-convert -q --compress=gzip "$T/app.tar" "docker-archive:$K/app.tar" &
	pid=$!
	sleep "0.$(printf %03d $((RANDOM % 250)))"
	kill -9 $pid 2>/dev/null && killed=$((killed + 1))
	wait $pid 2>/dev/null
	case $(sha <"$K/app.tar") in
	"$whole" | "$gz") ;;
	*) bad="$bad $i" ;;
	esac
done
is "after $killed kills the archive is the old one or the new one" '' "$bad"
ok "one more run" convert "$T/app.tar" "docker-archive:$K/app.tar"
is "takes away what they left" "SHA256SUMS app.tar" \
	"$(cd "$K" && find . -type f -printf '%P\n' | sort | paste -sd' ')"
ok "SHA256SUMS is right" sh -c "cd '$K' && sha256sum --quiet -c SHA256SUMS"

bad='' killed=0
for i in $(seq 20); do
	unik-convert -q "$T/app.tar" "oci:$K/dir:$((i % 3))" &
	pid=$!
	sleep "0.$(printf %03d $((RANDOM % 250)))"
	kill -9 $pid 2>/dev/null && killed=$((killed + 1))
	wait $pid 2>/dev/null
	[ ! -e "$K/dir/index.json" ] || unik-verify -q "oci:$K/dir" \
		>"$T/log" 2>&1 || grep -q 'holds several\|choose' "$T/log" ||
		bad="$bad $i"
	[ ! -d "$K/dir/blobs/sha256" ] || bad="$bad$(cd "$K/dir/blobs/sha256" &&
		for f in *; do
			[ "$f" = '*' ] || [ "$(sha <"$f")" = "$f" ] || echo " $f"
		done)"
done
is "after $killed kills the OCI directory is whole" '' "$bad"
for i in 0 1 2; do
	ok "one more run" convert "$T/app.tar" "oci:$K/dir:$i"
	ok "it is right" unik-verify --source="$T/app.tar" "oci:$K/dir:$i"
done
is "nothing is left" '' "$(find "$K/dir" -name '.unik-tmp-*')"

for signal in INT TERM HUP; do
	rm -rf "$K/new"
	mkdir "$K/new"
	for dest in "docker-archive:$K/new/a.tar" "oci:$K/new/dir"; do
		unik-convert -q --compress=zstd:19 "$T/app.tar" "$dest" \
			2>"$T/err" &
		pid=$!
		sleep 0.15
		kill -$signal $pid
		wait $pid
		rc=$?
		# It may have been too fast, or too slow to catch the signal.
		case $rc in
		3) is "$signal: nothing is left of ${dest#*:}" '' \
			"$(find "$K/new" -mindepth 1)" ;;
		*) pass "$signal came too early or too late (exit $rc)" ;;
		esac
		rm -rf "$K/new/dir" "$K/new/a.tar" "$K/new/SHA256SUMS"
	done
done

# ---- several at once in one directory

for i in $(seq 8); do
	convert --target="$([ $((i % 2)) = 0 ] && echo oci || echo flat)" \
		"$T/app.tar" "oci:$T/shared:t$i" &
done
wait
is "eight at once: eight entries" 8 "$(python3 -c "import json, sys
print(len(json.load(open(sys.argv[1]))['manifests']))" "$T/shared/index.json")"
for i in 1 2; do
	ok "eight at once: right" unik-verify --source="$T/app.tar" \
		"oci:$T/shared:t$i"
done
is "eight at once: nothing is left" '' "$(find "$T/shared" -name '.unik*')"

# ---- no room

mkdir "$T/small"
if [ "$(id -u)" = 0 ] &&
	mount -t tmpfs -o size=1500k,mode=755 tmpfs "$T/small" 2>/dev/null; then
	mounted=$T/small
	for dest in "docker-archive:$T/small/a.tar" "oci-archive:$T/small/a.tar" \
		"oci:$T/small/dir"; do
		for p in file append; do
			status "a full disk: ${dest%%:*}, $p" 3 unik-convert -q \
				--package=$p "$T/app.tar" "$dest"
			is "a full disk: nothing is left" '' \
				"$(find "$T/small" -mindepth 1)"
		done
	done
	status "a full disk: raw" 3 unik-convert -q --package=raw "$T/app.tar" \
		"oci:$T/small/dir"
	is "a full disk: nothing is left" '' "$(find "$T/small" -mindepth 1)"
	echo mine >"$T/small/a.tar"
	status "a full disk: over an old file" 3 unik-convert -q "$T/app.tar" \
		"docker-archive:$T/small/a.tar"
	is "a full disk: it stays" mine "$(cat "$T/small/a.tar")"
	umount "$T/small"
	mounted=
else
	skip "a full disk" "mounting a tmpfs needs root"
fi
if [ -e /dev/full ]; then
	status "a stream to a full device" 3 sh -c \
		"unik-convert -q '$T/app.tar' - >/dev/full"
fi
status "a stream to a pipe that closes" 3 bash -c \
	"set -o pipefail; unik-convert -q '$T/app.tar' - | head -c 100 >/dev/null"

done_testing
