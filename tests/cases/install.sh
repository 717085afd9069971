#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What `make` and `make install` do: built from a copy of the tree, installed,
# used by a program, and gone again.
. "$(dirname "$0")/../lib.sh"

if ! have git || ! git -C "$TOP" rev-parse >/dev/null 2>&1; then
	skip "install" "this is no git work tree"
	done_testing
fi
src=$T/src
mkdir "$src"
# as it is now, committed or not
(cd "$TOP" && git ls-files -z -co --exclude-standard |
	xargs -0 sh -c 'for f; do [ -e "$f" ] && printf "%s\0" "$f"; done' sh |
	tar -c --null -T - -f -) | tar -C "$src" -xf -
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
git -C "$src" init -q
git -C "$src" add -A
git -C "$src" -c user.name=t -c user.email=t commit -qm all
unset MAKEFLAGS MAKELEVEL MFLAGS DESTDIR
mk() { make -s -C "$src" B=build CFLAGS=-O0 SANITIZE= "$@"; }

if ! mk -j2 all >"$T/log" 2>&1; then
	fail "it builds: $(tail -n 3 "$T/log")"
	done_testing
fi
pass "it builds"
is "a build leaves git clean" '' "$(git -C "$src" status --porcelain)"
is "a second make compiles nothing" '' \
	"$(make -C "$src" B=build CFLAGS=-O0 SANITIZE= all | grep -E '^[^ ]*(cc|clang|ar|ld) ')"
before=$(stat -c %Y.%i "$src/build/lib/err.o")
sleep 1.1
ok "a flag changes" mk -j2 CFLAGS='-O0 -DCHANGED' all
after=$(stat -c %Y.%i "$src/build/lib/err.o")
if [ "$before" != "$after" ]; then pass "and rebuilds"; else fail "and rebuilds"; fi
ok "back again" mk -j2 all
sleep 1.1
touch "$src/lib/err.h"
ok "a changed header is seen" grep -q -e ' -c lib/tree.c' \
	<(make -n -C "$src" B=build CFLAGS=-O0 SANITIZE= build/lib/tree.o)
mk -j2 all >/dev/null 2>&1

# ---- installing ----

tools=$(cd "$src/cmd" && for f in unik-*.c; do echo "${f%.c}"; done)
wanted() {
	local t m
	for t in $tools; do echo "bin/$t"; done
	echo include/unik.h
	echo lib/libunik.a
	echo lib/libunik.so
	echo lib/libunik.so.0
	echo lib/pkgconfig/libunik.pc
	for m in "$src"/man/*.[0-9]; do
		echo "share/man/man${m##*.}/${m##*/}"
	done
}
below() { (cd "$1" && find . ! -type d -printf '%P\n' | LC_ALL=C sort); }
ok "make install with DESTDIR" mk install DESTDIR="$T/dest" PREFIX=/usr
is "installs these files" "$(wanted | LC_ALL=C sort)" "$(below "$T/dest/usr")"
is "and no others" usr "$(ls "$T/dest")"
is "nothing in them is for the owner only" '' \
	"$(find "$T/dest" -type f ! -perm -444)"
is "the pkg-config file has the prefix, not DESTDIR" prefix=/usr \
	"$(grep -e '^prefix' -e "$T" "$T/dest/usr/lib/pkgconfig/libunik.pc")"
for t in $tools; do
	ok "$t runs from there" "$T/dest/usr/bin/$t" --version
done
ok "make uninstall" mk uninstall DESTDIR="$T/dest" PREFIX=/usr
is "leaves nothing" '' "$(find "$T/dest" ! -type d)"

# ---- a program that uses the library ----

mk install PREFIX="$T/inst" >"$T/log" 2>&1 || cat "$T/log"
cat >"$T/prog.c" <<'TEXT'
#include <unik.h>
#include <stdio.h>
#include <string.h>
/* names that the library also uses inside: they must not meet */
int tar_number(void);
int tar_number(void) { return 42; }
int main(void)
{
	struct unik_limits limits;
	struct unik_convert_options opt;
	struct unik_err err;
	size_t n;

	unik_limits_init(&limits);
	unik_convert_options_init(&opt);
	opt.source = "/nonexistent";
	opt.store = "/nonexistent/store";
	if (unik_convert(&opt, &err) != -1 || err.code != UNIK_EIO)
		return 1;
	if (!unik_limits_table(&n) || n == 0 || tar_number() != 42)
		return 1;
	puts(unik_version());
	return 0;
}
TEXT
cc=${CC:-cc}
export PKG_CONFIG_PATH=$T/inst/lib/pkgconfig
version=$(pkg-config --modversion libunik)
is "pkg-config and the tool agree" "unik-convert (unik) $version" \
	"$("$src/build/unik-convert" --version | head -n 1)"
# shellcheck disable=SC2046
ok "a program with the shared library" $cc -Wall -Wextra -Werror -pedantic \
	-std=c99 $(pkg-config --cflags libunik) -o "$T/shared" "$T/prog.c" \
	$(pkg-config --libs libunik)
is "runs" "$version" "$(LD_LIBRARY_PATH=$T/inst/lib "$T/shared")"
ok "by the name in the library" grep -q libunik.so.0 \
	<(readelf -d "$T/shared")
mkdir "$T/hidden"
mv "$T/inst/lib"/libunik.so* "$T/hidden"
# shellcheck disable=SC2046
ok "a program with the static library" $cc -std=c99 \
	$(pkg-config --cflags libunik) -o "$T/static" "$T/prog.c" \
	$(pkg-config --static --libs libunik)
is "runs, too" "$version" "$("$T/static")"
if have g++; then
	ok "the header is C++, too" g++ -Wall -Wextra -Werror -pedantic \
		-fsyntax-only -x c++ -I "$T/inst/include" - <<<'#include <unik.h>'
fi

symbols() { nm "$@" | awk 'NF == 3 && $2 ~ /[A-TV-Z]/ { print $3 }'; }
is "the shared library exports unik_ names only" '' \
	"$(symbols -D --defined-only "$T/hidden/libunik.so.0" | grep -v '^unik_')"
is "and so does the static one" '' \
	"$(symbols -g --defined-only "$T/inst/lib/libunik.a" | grep -v '^unik_')"
is "the same ones" "$(symbols -D --defined-only "$T/hidden/libunik.so.0" | sort)" \
	"$(symbols -g --defined-only "$T/inst/lib/libunik.a" | sort)"

# ---- help and manual ----

options() { grep -o -E -e '(^|[^-[:alnum:]])--[a-z][a-z0-9-]*' | grep -o -e '--.*' |
	LC_ALL=C sort -u; }
for t in $tools; do
	if have mandoc; then
		mandoc -T ascii "$src/man/$t.1" | sed 's/.\x08//g' >"$T/man"
		sed -n '/^SYNOPSIS/,/^DESCRIPTION/p; /^OPTIONS/,/^[A-NP-Z]/p' \
			"$T/man" >"$T/part"
		is "$t: options of --help and manual" \
			"$("$src/build/$t" --help | options)" \
			"$(options <"$T/part")"
		ok "$t: mandoc has no complaints" mandoc -T lint -W warning \
			"$src/man/$t.1"
	else
		skip "$t: options of --help and manual" "no mandoc"
	fi
	is "$t: --help fits 80 columns" '' \
		"$("$src/build/$t" --help | grep -E '.{81}')"
done
done_testing
