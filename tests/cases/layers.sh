#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# scripts/check-layers: passes on the tree, and sees what it is there to see.
. "$(dirname "$0")/../lib.sh"

ok "the tree keeps to its rooms" "$TOP/scripts/check-layers"

fresh() {
	rm -rf "$T/tree"
	mkdir "$T/tree"
	cp -r "$TOP/lib" "$TOP/cmd" "$T/tree"
}

# text, file that is changed, line to add, what the message must hold
sees() {
	local out rc
	fresh
	printf '%s\n' "$3" >>"$T/tree/$2"
	out=$("$TOP/scripts/check-layers" "$T/tree")
	rc=$?
	if [ $rc = 1 ] && [[ $'\n'$out == *$'\n'"$2:"*"$4"* ]]; then
		pass "sees $1"
	else
		fail "sees $1: exit $rc"
		printf '%s\n' "$out" | sed 's/^/# /'
	fi
}

fresh
ok "a copy passes" "$TOP/scripts/check-layers" "$T/tree"
sees "an upward include" lib/tree.c '#include "layer.h"' 'tree may not'
sees "a writer that reads images" lib/writer_iso.c '#include "image.h"' \
	'iso may not'
sees "a private header in another room" lib/layer.c \
	'#include "tree_private.h"' 'private to tree'
sees "a header of no room" lib/tar.c '#include "nowhere.h"' 'no room'
sees "zlib outside its room" lib/image.c '#include <zlib.h>' 'not for image'
sees "OpenSSL outside its room" lib/tree.c '#  include <openssl/evp.h>' \
	'not for tree'
sees "libarchive anywhere" lib/tar.c '#include <archive.h>' 'not for tar'
sees "a tool that looks behind the counter" cmd/unik-convert.c \
	'#include "tree_private.h"' 'cmd may not'
sees "a printing library" lib/err.c 'void f(void) { printf("x"); }' printf
sees "a library that asks the time" lib/path.c 'long t(void) { return time(0); }' \
	time
sees "stderr" lib/io.c 'void f(void) { fflush(stderr); }' stderr
sees "the environment" lib/image.c 'char *f(void) { return getenv("X"); }' getenv
sees "a file of no room" lib/mystery.c 'int unik_x;' 'no row'

fresh
printf '%s\n' '/* exit(1), stderr */ // time(0)' \
	'const char *unik_s = "getenv(\"x\") printf(";' \
	'int unik_g(void) { return unik_snprintf(1) + s->exit(2); }' \
	>>"$T/tree/lib/path.c"
ok "words in comments, texts and longer names do not count" \
	"$TOP/scripts/check-layers" "$T/tree"
done_testing
