#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The machinery of `make bench` works, on tiny corpora; nothing here depends on
# how long anything takes.
. "$(dirname "$0")/../lib.sh"
needs ext2ls measure readiso

if ! have python3; then
	skip "make bench" "no python3"
	done_testing
fi
if [ -n "${SANITIZE:-}" ]; then
	skip "make bench" "it measures what users run, not sanitizers"
	done_testing
fi

# ---- what a run is measured with ----

measure "$T/took" sh -c 'exit 7'
is "measure passes the exit status on" 7 $?
is "and writes it down" 7 "$(cut -d' ' -f5 "$T/took")"
# shellcheck disable=SC2016
measure "$T/took" sh -c 'kill -9 $$'
is "a signal is 128 and its number" 137 "$(cut -d' ' -f5 "$T/took")"
big='import sys; x = bytearray(64 << 20); print(len(x))'
measure "$T/took" sh -c "python3 -c '$big'" >/dev/null
read -r wall user system peak _ <"$T/took"
ok "the peak is that of a grandchild, too: $peak KiB" test "$peak" -gt 65536
ok "times are seconds with fractions" grep -q -E \
	'^[0-9]+\.[0-9]{6} [0-9]+\.[0-9]{6} [0-9]+\.[0-9]{6}$' \
	<<<"$wall $user $system"
python3 -c "
import subprocess
x = bytearray(64 << 20)
subprocess.run(['measure', '$T/took', 'true'], check=True)"
peak=$(cut -d' ' -f4 "$T/took")
ok "not that of its caller: $peak KiB" test "$peak" -lt 32768

# ---- a run ----

# In a build of its own, so that no results of the user are replaced.
run_arg=
run() {
	env UNIK_CACHE="$T/cache" B="$T/b" BENCH_TMPFS="$tmpfs" \
		BENCH_DISK="$T/disk" "$@" "$TOP/tests/bench/run" $run_arg
}
mkdir "$T/b"
for x in unik-convert tests; do ln -s "$BIN/$x" "$T/b/$x"; done
tmpfs=
# Its own there: others may be at it, too.
cleanup() { rm -rf "$tmpfs"; }
for d in /dev/shm /tmp /run; do
	if [ -w $d ] && [ "$(stat -f -c %T $d)" = tmpfs ]; then
		tmpfs=$(mktemp -d $d/unik-test-XXXXXX)
		break
	fi
done
if [ -z "$tmpfs" ]; then
	skip "a run" "no tmpfs to write to"
	done_testing
fi
ok "a run" run BENCH=tiny RUNS=1
md=$T/b/bench/bench.md
svg=$T/b/bench/bench.svg
for text in '# unik: benchmarks' '| CPU | ' '| kernel | ' '## Bars' \
	'## Results' '### small: 300 files of 700 bytes, output on tmpfs' \
	'### mixed: ' ', output on disk' '### Scaling' '## How'; do
	ok "bench.md has: $text" grep -q -F -e "$text" "$md"
done
# Every line of a table has as many cells as its head.
is "its tables are tables" '' "$(awk -F '|' '
	/^\|/ { gsub(/\\\|/, ""); if (n && NF != n) print FILENAME ":" FNR; n = NF }
	!/^\|/ { n = 0 }' "$md")"
results() { sed -n '/^### small/,/^### mixed/p' "$md" | grep -F "| $1 "; }
for who in '**unik ext2** | tar' '**unik iso** | tar' '**unik ext2** | gzip' \
	'**unik iso** | gzip' '**unik ext2** | zstd' '**unik iso** | zstd'; do
	ok "$who: twice the same, and complete" \
		grep -q -E '\| yes \| complete \|$' <<<"$(results "$who")"
done
# Peers are there, whether they are installed or not.
for who in 'genext2fs -a' 'tar -x, mke2fs -d' 'bsdtar @tar' \
	'tar -x, genisoimage' 'tar -x, xorrisofs' 'tar2sqfs (xz, its default)' \
	'sqfstar (gzip, its default)'; do
	ok "$who has a line" results "$who | tar"
done
if have genisoimage; then
	ok "what genisoimage -r changes is seen" grep -q 'modes (30' \
		<<<"$(results 'tar -x, genisoimage | tar')"
fi
for bar in 'tar to ext2 / `openssl' 'gzip to ext2 / `gzip' 'CPU, gzip to ext2' \
	'memory, gzip to ext2' 'time an entry' 'memory an entry' \
	'fastest ext2 peer / unik ext2' 'fastest other peer / unik iso'; do
	ok "a bar: $bar" grep -q -E -e '\| (met|\*\*MISSED\*\*|not measured) \|' \
		<<<"$(grep -F "| $bar" "$md")"
done
is "nothing is left behind" '' "$(find "$tmpfs" "$T/disk" -mindepth 1)"
printf 'above\n<!-- bench: begin -->\nold\n<!-- bench: end -->\nbelow\n' \
	>"$T/readme"
export BENCH_README=$T/readme
run_arg=--readme
ok "--readme puts its table into README" run
is "between the marks" 'above below 0' "$(head -n 1 "$T/readme") $(
	tail -n 1 "$T/readme") $(grep -c '^old$' "$T/readme")"
ok "with the bars" grep -q -F '| tar to ext2 / `openssl' "$T/readme"
echo none >"$T/readme"
status "a README without them is an error" 1 run
is "and stays" none "$(cat "$T/readme")"
run_arg=
status "an unknown corpus is an error" 1 run BENCH=nonesuch

# ---- the chart ----

if have gnuplot; then
	ok "the chart is well-formed XML" python3 -c "
import sys, xml.dom.minidom
xml.dom.minidom.parse('$svg')"
	for text in 'unik ext2' 'small: 300 files of 700 bytes, from gzip' \
		'time an entry' 'peak memory an entry'; do
		ok "it says: $text" grep -q -F -e "$text" "$svg"
	done
	ok "bench.md shows it" grep -q -F '(bench.svg)' "$md"
else
	skip "the chart" "no gnuplot"
fi

# ---- failing ----

ok "why a command failed is found in what it says" \
	python3 -B - "$TOP/tests/bench" <<'PY'
import sys
sys.path.insert(0, sys.argv[1])
from complete import TAR_END, why_line
end = b'tar: ' + TAR_END.encode() + b'\n'
for text, why in (
        (b'', 'no message'),
        (b'one\ntwo\n', 'two'),
        (b'tar: a: Cannot open\nother: no\n', 'other: no'),
        (b'tar: a: Cannot open\ntar: b: Cannot open\n' + end,
         'tar: a: Cannot open'),
        (b'x\ntar: Removing leading `/\' from member names\ntar: a: time stamp '
         b'2100-01-01 00:00:00 is 9 s in the future\ntar: b: \xff\n' + end,
         'tar: b: \ufffd'),
        (end, 'tar: ' + TAR_END),
        (b'x' * 200, 'x' * 150)):
    assert why_line(text) == why, (why_line(text), why)
PY
# The first of two layers is the one that tar can't unpack.
mkdir "$T/fake"
for x in mke2fs genisoimage xorrisofs tar; do
	cat >"$T/fake/$x" <<-'END'
		#!/bin/sh
		[ "${0##*/}" != tar ] && exit
		case $* in *first*) ;; *) exit 0 ;; esac
		echo "tar: a: Cannot open: Not a directory" >&2
		echo "tar: b: Cannot open: Not a directory" >&2
		echo "tar: Exiting with failure status due to previous errors" >&2
		exit 2
	END
	chmod +x "$T/fake/$x"
done
ok "a layer that tar can't unpack ends the run, and tar says why" \
	python3 -B - "$TOP/tests/bench" "$BIN" "$T" <<'PY'
import sys
sys.path.insert(0, sys.argv[1])
import contest
import runner
binaries, t = sys.argv[2:]
layers = [type('Layer', (), {'path': {'tar': t + '/' + x}, 'size': {
    'tar': 10240}}) for x in ('first.tar', 'second.tar')]
for layer in layers:
    open(layer.path['tar'], 'w').close()
corpus = type('Corpus', (), {'layers': layers, 'files': lambda kind: []})
run = runner.Runner(binaries, t + '/fake/unik-convert', 1, 9, 9, print)
place = runner.Place('tmpfs', t + '/place')
names = [c.name for c in contest.CONTESTANTS if c.name.startswith('tar -x')]
assert len(names) == 3, names
for name in names:
    r = runner.Result(corpus, 'tar', contest.BY_NAME[name], 'tmpfs')
    try:
        run.run(r, place)
        raise AssertionError(name)
    except runner.Failed as e:
        assert str(e) == 'exit 2: tar: a: Cannot open: Not a directory', e
PY

# ---- judging ----

ok "what is lost is found" python3 -B - "$TOP/tests/bench" <<'PY'
import sys
sys.path.insert(0, sys.argv[1])
import complete
a = {'path': 'x', 'type': 'file', 'mode': '0644', 'uid': 1, 'gid': 1,
     'mtime': '5.250000000', 'sha256': 'aa', 'xattrs': {'user.a': '00'}}
b = dict(a, mtime='5.000000000', uid=0, gid=0)
del b['xattrs']
got = complete.count_losses({'x': a, 'y': a}, {'x': b})
assert got == {'entries': 1, 'owners': 1, 'xattrs': 1,
               'fractions of seconds': 1}, got
assert complete.count_losses({'x': a}, {'x': a}) == {}
assert complete.count_losses({'x': a}, {'x': dict(a, sha256='bb')}) == {
    'contents': 1}
# A whiteout is one to our readers, an empty file to others.
assert complete.plain({'path': 'd/.wh.x', 'type': 'file', 'sha256': 'aa'}) == \
    complete.plain({'path': 'd/.wh.x', 'type': 'whiteout'})
PY
ok "memory that is dear when it is new is told of" \
	python3 -B - "$TOP/tests/bench" "$tmpfs/new" <<'PY'
import os
import sys
sys.path.insert(0, sys.argv[1])
import machine
assert machine.new_memory(sys.argv[2], 8 << 20, 0) > 0
assert not os.path.exists(sys.argv[2])
m = machine.Machine('true')
def told():
    return [w for w in m.warnings() if 'free page reporting' in w]
assert told() == []
for price, warnings in (3.9, 0), (7.26, 1):
    machine.new_memory = lambda path: price
    m.price_memory(sys.argv[2])
    assert len(told()) == warnings, (price, told())
    assert m.about[-1] == ('new memory', '%.1f x the time that memory in use '
                           'takes to be written' % price), m.about[-1]
assert ' 7.3 x ' in told()[0]
PY
ok "bars are judged" python3 -B - "$TOP/tests/bench" <<'PY'
import sys
sys.path.insert(0, sys.argv[1])
from bars import Bar
assert Bar('', '', 1.6, 1.6).verdict() == 'met'
assert Bar('', '', 1.61, 1.6).verdict() == 'MISSED'
assert Bar('', '', 2.0, 2.0, 'least').verdict() == 'met'
assert Bar('', '', 1.99, 2.0, 'least').verdict() == 'MISSED'
assert Bar('', '', None, 2.0).verdict() == 'not measured'
PY
ok "a peer that leaves out a part of the layer sets no bar" \
	python3 -B - "$TOP/tests/bench" <<'PY'
import sys
sys.path.insert(0, sys.argv[1])
import bars
import contest
import runner
corpus = type('Corpus', (), {'name': 'c', 'entries': 1000})
def result(name, wall, lost=0):
    r = runner.Result(corpus, 'tar', contest.BY_NAME[name], 'tmpfs')
    r.runs, r.lost = [(wall, wall, 1)], lost
    return r
results = [result('unik ext2', 1.0), result('genext2fs -a', 1.5, 11),
           result('tar -x, mke2fs -d', 2.5, 10)]
bar, = [b for b in bars.peer_bars(bars.Table(results)) if b.limit == 2.0 and
        'ext2' in b.what]
assert bar.measured == 2.5, bar.measured
assert 'genext2fs -a does not count: 11' in bar.detail, bar.detail
PY
done_testing
