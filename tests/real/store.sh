#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The store stays whole: many processes at once, a kill at any moment, a full
# disk, a read-only place; and the exit statuses.
# SEED=N replays the moments of the kills.
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/real/images.bash"

mounts=()
cleanup() {
	local m
	for m in "${mounts[@]}"; do umount "$m" 2>/dev/null; done
}

if ! need_images; then
	skip "the store stays whole" "$why_not"
	done_testing
fi
small=$C/busybox.docker.tar
SEED=${SEED:-$((RANDOM))}
echo "# SEED=$SEED"
RANDOM=$SEED

# Prints what is wrong with a store; with `clean`, temporaries are wrong too.
faults() { # STORE [clean]
	local f sum
	(cd "$1" || exit
		for f in images/* stacks/*; do
			[ -e "$f" ] || continue
			sum=$(sha256sum <"$f")
			case ${f#*/} in
			"sha256-${sum%% *}".*) ;;
			*) echo "$f has the digest ${sum%% *}" ;;
			esac
		done
		find . -type l ! -exec test -e {} \; -printf '%p: dangling\n'
		[ "${2:-}" = clean ] &&
			find . -name '.*' ! -name . -printf '%p: left over\n')
	return 0
}

names() { (cd "$1" && find . -mindepth 2 -printf '%P\n' | sort); }

# What is there under final names.
finals() {
	[ -d "$1" ] && (cd "$1" && find . -mindepth 2 ! -name '.unik-tmp-*')
}

convert() { unik-convert -q -f iso -f ext2 "$@"; }

# A failure says one line and starts with the tool's name.
one_line() { # TEXT STATUS ARG...
	local text=$1 want=$2 rc
	shift 2
	"$@" >"$T/out" 2>"$T/err"
	rc=$?
	is "$text: exit status" "$want" "$rc"
	if [ "$(wc -l <"$T/err")" = 1 ] && grep -q '^unik-convert: ' "$T/err"; then
		pass "$text: one line ($(cut -c1-90 "$T/err"))"
	else
		fail "$text: one line"
		sed 's/^/# /' "$T/err"
	fi
	is "$text: nothing on standard output" '' "$(head -c 200 "$T/out")"
}

# ---- one after the other ----

convert "$small" "$T/once"
wanted=$(names "$T/once")
is "a store is whole" '' "$(faults "$T/once" clean)"
before=$(find "$T/once/images" -type f -printf '%p %i %T@ %C@\n' | sort)
ok "a second run" convert "$small" "$T/once"
is "it makes nothing anew" "$before" \
	"$(find "$T/once/images" -type f -printf '%p %i %T@ %C@\n' | sort)"
is "and leaves nothing over" '' "$(faults "$T/once" clean)"
is "it says the same as the first" \
	"$(unik-convert -q --json -f iso "$small" "$T/other")" \
	"$(unik-convert -q --json -f iso "$small" "$T/once")"

# Half of a store: what is missing is made, what is there is left alone.
cp -a "$T/once" "$T/half"
rm -f "$T/half/images/"*.iso
ok "a store that lost images" convert "$small" "$T/half"
is "has them again" "$wanted" "$(names "$T/half")"

# A blob that changed is found even though all its layers are in the store.
mkdir "$T/oci"
tar -C "$T/oci" -xf "$C/busybox.gzip.tar"
convert "oci:$T/oci" "$T/once"
blob=$(find "$T/oci/blobs" -type f -size +100k | head -n 1)
python3 -c 'import sys
with open(sys.argv[1], "r+b") as f:
    f.seek(5000)
    byte = f.read(1)[0] ^ 1
    f.seek(5000)
    f.write(bytes([byte]))' "$blob"
one_line "a changed blob of known layers" 1 convert "oci:$T/oci" "$T/once"
ok "names the layer" grep -q 'layer' "$T/err"
truncate -s -1 "$blob"
one_line "a blob of another size" 1 convert "oci:$T/oci" "$T/once"

# ---- at the same time ----

bad=
for round in $(seq 12); do
	rm -rf "$T/many"
	pids=()
	for src in "$small" "$C/busybox.gzip.tar" "$small"; do
		convert -j$((round % 3 + 1)) "$src" "$T/many" 2>>"$T/many.err" &
		pids+=($!)
	done
	for p in "${pids[@]}"; do
		wait "$p" || bad="$bad round $round: exit $?"
	done
	bad="$bad$(faults "$T/many" clean)"
	[ "$(cd "$T/once/images" && ls)" = "$(cd "$T/many/images" && ls)" ] ||
		bad="$bad round $round: other images"
done
is "three processes into one store, twelve times" '' "$bad"
is "in silence" '' "$(cat "$T/many.err")"

# ---- kill -9 at any moment ----

killed=0 bad=
for round in $(seq 60); do
	# not the function: the kill must meet the tool, not a shell
	unik-convert -q -f iso -f ext2 "$small" "$T/killed" 2>/dev/null &
	pid=$!
	sleep "0.0$(printf %02d $((RANDOM % 60)))"
	kill -9 $pid 2>/dev/null && killed=$((killed + 1))
	wait $pid 2>/dev/null
	if [ -d "$T/killed" ]; then
		bad="$bad$(faults "$T/killed")"
		[ $((round % 10)) != 0 ] || rm -rf "$T/killed"
	fi
done
is "after $killed kills all that has a name is whole" '' "$bad"
bad=
for round in $(seq 5); do
	unik-convert -q -f iso -f ext2 "$C/debian.zstd.tar" "$T/killed" \
		2>/dev/null &
	pid=$!
	sleep "$((RANDOM % 3)).$((RANDOM % 10))"
	kill -9 $pid 2>/dev/null
	wait $pid 2>/dev/null
done
[ ! -d "$T/killed" ] || bad=$(faults "$T/killed")
is "the same with a large image" '' "$bad"
ok "a run after the kills" convert "$small" "$T/killed"
is "takes away what they left" '' "$(faults "$T/killed" clean)"
is "and has all that is wanted" '' \
	"$(comm -23 <(echo "$wanted") <(names "$T/killed"))"
rm -rf "$T/killed"

# SIGTERM and SIGINT: cleaned up at once.
for signal in TERM INT; do
	mkdir "$T/empty"
	# A pipe that stays open: the conversion is under way when it comes.
	mkfifo "$T/fifo"
	# `setsid` for INT: a shell's background jobs ignore it.
	python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execvp(sys.argv[1], sys.argv[1:])' unik-convert -q - "$T/empty/store" \
		<"$T/fifo" 2>"$T/err" &
	pid=$!
	exec 9>"$T/fifo"
	head -c 1000000 "$C/busybox.docker.tar" >&9
	sleep 0.3
	kill -$signal $pid
	sleep 0.2
	exec 9>&-
	wait $pid
	is "SIG$signal: exit status" 3 $?
	is "SIG$signal: one line" 1 "$(wc -l <"$T/err")"
	is "SIG$signal: nothing is left" '' \
		"$(find "$T/empty" -type f -o -type l)"
	rm -rf "$T/empty" "$T/fifo"
done

# ---- no space ----

if [ "$(id -u)" = 0 ] && mkdir "$T/small" &&
	mount -t tmpfs -o size=1m,mode=755 tmpfs "$T/small" 2>/dev/null; then
	mounts+=("$T/small")
	echo mine >"$T/small/mine"
	one_line "a full disk" 3 convert "$small" "$T/small/store"
	is "a full disk: nothing under a final name" '' \
		"$(finals "$T/small/store")"
	is "a full disk: what was there is untouched" mine \
		"$(cat "$T/small/mine")"
	bad="" failed=0
	for kib in 8 64 200 700 1500 2100 2600 3000 3500 4000 4500 5000 5500; do
		mount -o "remount,size=${kib}k" "$T/small" || break
		convert "$small" "$T/small/store" >/dev/null 2>&1
		case $? in
		0) break ;;
		3) failed=$((failed + 1)) bad="$bad$(finals "$T/small/store")" ;;
		*) bad="$bad ${kib}k: exit $?" ;;
		esac
	done
	is "$failed sizes that are too small leave nothing" '' "$bad"
	mount -o remount,size=64m "$T/small"
	ok "with space it goes on" convert "$small" "$T/small/store"
	is "and the store is whole" '' "$(faults "$T/small/store" clean)"
	mount -o remount,ro "$T/small"
	one_line "a read-only filesystem" 3 convert "$C/debian.layers/04.tar" \
		"$T/small/store"
	one_line "a new store in one" 3 convert "$small" "$T/small/new"
	one_line "an image file in one" 3 unik-convert \
		"layer:$C/debian.layers/04.tar" "image:$T/small/x.iso"
	umount "$T/small"
else
	skip "a full disk" "mounting a tmpfs needs root"
fi
layer=layer:$C/debian.layers/04.tar
if [ -e /dev/full ]; then
	one_line "an image to a full device" 3 sh -c \
		'exec unik-convert "$1" image:- >/dev/full' sh "$layer"
	printf "file a data=x\nend\n" | python3 "$TOP/tests/tools/mktar.py" >"$T/one.tar"
	one_line "the table to a full device" 3 sh -c \
		'exec unik-convert "$1" "$2" >/dev/full' sh "layer:$T/one.tar" \
		"$T/full"
fi
if [ "$(id -u)" = 0 ] && have setpriv; then
	mkdir -m 755 "$T/roots"
	chmod 755 "$T"
	one_line "a directory of somebody else" 3 setpriv --reuid 65534 \
		--regid 65534 --clear-groups "$BIN/unik-convert" -q "$layer" \
		"$T/roots/store"
	is "it stays empty" '' "$(ls "$T/roots")"
else
	skip "a directory of somebody else" "needs root and setpriv"
fi

# ---- image:FILE ----

echo old >"$T/file.iso"
python3 "$TOP/tests/tools/mktar.py" >"$T/bad.tar" <<-'TEXT'
	file good data=x
	file usr/../../etc/shadow data=x
	end
TEXT
one_line "a bad layer" 1 unik-convert "layer:$T/bad.tar" "image:$T/file.iso"
ok "it names the layer and the path" \
	grep -q "layer .*'usr/../../etc/shadow'" "$T/err"
is "the file that was there is untouched" old "$(cat "$T/file.iso")"
one_line "a bad layer into a store" 1 convert "layer:$T/bad.tar" "$T/none"
is "makes no store" '' "$(finals "$T/none")"
ok "a good layer" unik-convert -q "$layer" "image:$T/file.iso"
is "replaces it, whole" "$(unik-convert -q "$layer" image:- | sha256sum)" \
	"$(sha256sum <"$T/file.iso")"
is "and nothing is left beside it" '' "$(find "$T" -maxdepth 1 -name '.unik*')"

# ---- exit statuses ----

status "no arguments: usage" 2 unik-convert
status "one argument: usage" 2 unik-convert "$small"
status "an unknown option: usage" 2 unik-convert --nonsense "$small" "$T/x"
status "an unknown format: usage" 2 unik-convert -f erofs "$small" "$T/x"
status "a format twice: usage" 2 unik-convert -f iso -f iso "$small" "$T/x"
status "no jobs: usage" 2 unik-convert -j0 "$small" "$T/x"
status "a version to come: usage" 2 unik-convert --format-version=99 \
	"$small" "$T/x"
status "a block size that is none: usage" 2 unik-convert -f ext2 \
	--block-size=3000 "$small" "$T/x"
status "three layers, one image file: usage" 2 unik-convert "$small" \
	"image:$T/x.iso"
status "--json and image:-: usage" 2 unik-convert --json "$layer" image:-
status "--help" 0 unik-convert --help
status "--version" 0 unik-convert --version
one_line "a source that is not there" 3 unik-convert "$T/nowhere" "$T/x"
one_line "a source that is a device" 1 unik-convert /dev/null "$T/x"
one_line "a store that is a file" 3 unik-convert "$small" "$T/bad.tar"
one_line "a store below nothing" 3 unik-convert "$small" "$T/no/such/store"
head -c 700000 "$small" >"$T/cut.tar"
one_line "a truncated archive" 1 unik-convert "$T/cut.tar" "$T/x"
one_line "a truncated pipe" 1 unik-convert - "$T/x" <"$T/cut.tar"
gzip -c "$small" | head -c 500000 >"$T/cut.gz"
one_line "a truncated gzip" 1 unik-convert "$T/cut.gz" "$T/x"
one_line "an empty pipe" 1 unik-convert - "$T/x" </dev/null
is "none of them made anything" '' "$(finals "$T/x")"
done_testing
