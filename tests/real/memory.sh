#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Peak memory follows the number of entries, not of bytes: at most 64 MiB and
# 400 bytes an entry (DESIGN section 1, promise 6).
. "$(dirname "$0")/../lib.sh"

if [ -n "${SANITIZE:-}" ]; then
	skip "peak memory" "sanitizers take memory of their own"
	done_testing
fi
if [ ! -x /usr/bin/time ]; then
	skip "peak memory" "no /usr/bin/time"
	done_testing
fi

peak() { # TEXT ENTRIES ARG...
	local text=$1 limit=$((65536 + $2 * 400 / 1024)) got
	shift 2
	if ! /usr/bin/time -f %M -o "$T/time" unik-convert -q --json "$@" \
		"$T/store" >"$T/json" 2>"$T/err"; then
		fail "$text converts: $(tail -n 1 "$T/err")"
		return
	fi
	got=$(tail -n 1 "$T/time")
	if [ "$got" -le "$limit" ]; then
		pass "$text: $((got / 1024)) of $((limit / 1024)) MiB"
	else
		fail "$text: $((got / 1024)) MiB, over $((limit / 1024))"
	fi
	rm -rf "$T/store"
}
diff_id() { grep -o '"diff_id":"[^"]*"' "$T/json" | head -n 1; }
mktar() { python3 "$TOP/tests/tools/mktar.py" "$@"; }

# ---- many entries ----

{
	echo 'repeat 100000 file d/file-%d data=%d'
	echo end
} >"$T/text"
mktar "$T/text" "$T/many.tar"
for format in ext2 iso; do
	peak "100,000 small files, $format" 100002 -f $format "$T/many.tar"
done
gzip -1 "$T/many.tar"
peak "the same in gzip, both formats" 100002 -f iso -f ext2 "$T/many.tar.gz"
rm "$T/many.tar.gz"

# ---- many bytes ----

free=$(df --output=avail -B1M "$T" | tail -n 1)
if [ "$free" -lt 12000 ]; then
	skip "a layer of 4.7 GB" "it needs 12,000 MiB of disk, $free are free"
	done_testing
fi
size=4700m
{
	echo "file zeros fill=$size"
	echo 'file some data={not\szero\n*1000}'
	echo end
} >"$T/text"
mktar "$T/text" "$T/big.tar" # a file with holes
peak "a layer of 4.7 GB, ext2" 3 -f ext2 "$T/big.tar"
plain=$(diff_id)

# The same compressed, without waiting for a compressor: one packed piece of
# zeros, many times over.
head -c 512 "$T/big.tar" >"$T/head"
tail -c +$((512 + 4700 * 1048576 + 1)) "$T/big.tar" >"$T/tail"
head -c 100M /dev/zero >"$T/zeros"
pack() { # PACKER OUT
	local _
	$1 -c "$T/zeros" >"$T/piece"
	{
		$1 -c "$T/head"
		for _ in $(seq 47); do cat "$T/piece"; done
		$1 -c "$T/tail"
	} >"$2"
}
pack 'gzip -1' "$T/big.tar.gz"
pack 'zstd -q -1' "$T/big.tar.zst"
rm "$T/big.tar"
peak "a layer of 4.7 GB in gzip, iso" 3 -f iso "$T/big.tar.gz"
is "it is the same tar" "$plain" "$(diff_id)"
peak "a layer of 4.7 GB in zstd, ext2" 3 -f ext2 "$T/big.tar.zst"
is "it is, too" "$plain" "$(diff_id)"
done_testing
