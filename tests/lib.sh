# SPDX-License-Identifier: GPL-3.0-or-later
# Sourced by every test script: TAP helpers and a scratch directory.
#   ok TEXT COMMAND...     passes when the command exits 0
#   is TEXT WANT GOT       passes when the two strings are equal
#   status TEXT N COMMAND  passes when the command exits N
#   skip TEXT WHY          counts a skip, loudly
#   needs HELPER...        ends the script with a failure where one is missing
#   relay COMMAND...       passes on "ok - TEXT" and "not ok - TEXT" lines of a
#                          program, numbered
#   done_testing           prints the plan, exits
# shellcheck shell=bash
set -u
TOP=${TOP:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}
B=${B:-build}
case $B in /*) BIN=$B ;; *) BIN=$TOP/$B ;; esac
export PATH="$BIN:$BIN/tests:$PATH:/usr/sbin:/sbin"
export LC_ALL=C.UTF-8
tap_n=0 tap_bad=0
T=$(mktemp -d "${TMPDIR:-/tmp}/unik-test-XXXXXX") || exit 3
trap 'cleanup; rm -rf "$T"' EXIT
cleanup() { :; } # a script may define its own after sourcing this

pass() { tap_n=$((tap_n + 1)); echo "ok $tap_n - $1"; }
fail() {
	tap_n=$((tap_n + 1)) tap_bad=$((tap_bad + 1))
	echo "not ok $tap_n - $1"
}
ok() {
	local text=$1 out
	shift
	if out=$("$@" 2>&1); then
		pass "$text"
	else
		fail "$text (exit $?): $*"
		printf '%s\n' "$out" | head -n 30 | sed 's/^/# /'
	fi
}
is() {
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1"
		printf '# want: %s\n# got:  %s\n' "$2" "$3"
	fi
}
status() {
	local text=$1 want=$2 out rc
	shift 2
	out=$("$@" 2>&1)
	rc=$?
	if [ "$rc" = "$want" ]; then
		pass "$text"
	else
		fail "$text: exit $rc, want $want: $*"
		printf '%s\n' "$out" | head -n 30 | sed 's/^/# /'
	fi
}
skip() { tap_n=$((tap_n + 1)); echo "ok $tap_n - $1 # SKIP $2"; }
relay() {
	local line rc
	"$@" >"$T/relay" 2>"$T/relay.err"
	rc=$?
	while IFS= read -r line; do
		case $line in
		'ok - '*) pass "${line#ok - }" ;;
		'not ok - '*) fail "${line#not ok - }" ;;
		*) printf '%s\n' "$line" ;;
		esac
	done <"$T/relay"
	if [ $rc != 0 ]; then
		fail "$1 ${2##*/}: exit $rc"
		tail -n 5 "$T/relay.err" | sed 's/^/# /'
	fi
}
have() { command -v "$1" >/dev/null 2>&1; }
# What is ours (tests/tools), so that a skip would hide a fault.
needs() {
	local x bad=
	for x in "$@"; do
		[ -x "$BIN/tests/$x" ] && continue
		fail "$x is not built: make B=$B $B/tests/$x"
		bad=1
	done
	[ -z "$bad" ] || done_testing
}
done_testing() { echo "1..$tap_n"; [ "$tap_bad" = 0 ]; exit; }
