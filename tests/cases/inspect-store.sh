#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# unik-inspect on stores: sharing, graph, plans for guests, and garbage, also
# while conversions write the same store.  CONVERSIONS=N makes more of them.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=inspect.bash
. "$TOP/tests/cases/inspect.bash"

if ! have python3; then
	skip 'unik-inspect on stores' 'no python3'
	done_testing
fi
make_image
app=$T/app.tar
S=$T/store
tools=$TOP/tests/tools
layer other <<-'END'
	file opt/other data=other
	end
END
python3 "$tools/mkimage.py" docker "$T/other.img" other:2 "$T/l-base.tar" \
	"$T/other.tar"
unik-convert -q -t linux "$app" "$S"
unik-convert -q -t linux "$T/other.img" "$S"
unik-convert -q -t flat "$app" "$S"
unik-convert -q -t rumprun "$app" "$S"
unik-convert -q -t linux --scratch=1M "$T/l-data.tar" "$S"
names() { (cd "$S" && find . -mindepth 2 -printf '%P\n' | sort); }

# ---- the report

unik-inspect --sharing --containers=7 "$S" >"$T/report"
is 'a report: exit status' 0 $?
is 'a report: at most 100 columns' '' "$(awk 'length($0) > 100' "$T/report")"
unik-inspect --json --sharing --containers=7 "$S" >"$T/json"
relay python3 - "$S" "$T/json" <<-'END'
	import glob, json, os, sys
	store, d = sys.argv[1], json.load(open(sys.argv[2]))
	def check(text, want, got):
	    print('%s - %s' % ('ok' if want == got else 'not ok', text))
	    if want != got:
	        print('# want %r\n# got  %r' % (want, got))
	stacks, users = {}, {}
	for ref in sorted(glob.glob(store + '/refs/*.json')):
	    m = json.load(open(ref))
	    name = os.path.basename(ref)[:-5]
	    files = ['sha256-%s.%s' % (s['image'][7:], s.get('format', m['format']))
	             for s in m['stack']]
	    stacks[name] = files
	    for f in set(files):
	        users.setdefault(f, set()).add(name)
	size = lambda f: os.path.getsize('%s/images/%s' % (store, f))
	check('kind', 'store', d['kind'])
	check('stacks and the order of their images', stacks,
	      {s['ref']: s['images'] for s in d['stacks']})
	check('images, sizes, how many stacks share them',
	      {f: [size(f), len(u)] for f, u in users.items()},
	      {i['name']: [i['size'], i['stacks']] for i in d['images']})
	check('a base layer is shared', 2,
	      max(i['stacks'] for i in d['images']))
	check('sizes of stacks', {n: sum(map(size, set(f)))
	      for n, f in stacks.items()}, {s['ref']: s['size']
	      for s in d['stacks']})
	check('total sizes', [sum(map(size, users)),
	      sum(s['size'] for s in d['stacks'])], [d['size'], d['stack_size']])
	scratch = [i for i in d['images'] if i['writable']]
	check('one scratch image', [True], [i['size'] >= 1 << 20
	      for i in scratch])
	scratch = scratch[0]['size']
	root = {s['ref']: s['root_size'] for s in d['stacks']}
	flat = [n for n in stacks if n.endswith('.flat.ext2')][0]
	linux = flat.replace('.flat.', '.linux.')
	check('the root of an overlay is as large as the flat image',
	      [size(stacks[flat][0])] * 2, [root[flat], root[linux]])
	check('containers', 7, d['sharing']['containers'])
	check('separate', 7 * (sum(root.values()) + scratch),
	      d['sharing']['separate'])
	check('shared', d['size'] + 6 * scratch,
	      d['sharing']['shared'])
	check('saved', d['sharing']['separate'] - d['sharing']['shared'],
	      d['sharing']['saved'])
END
is 'one stack only' 1 "$(json 'len(d["stacks"])' unik-inspect --json \
	"$S:other:2")"
status 'of several' 2 unik-inspect --merged "$S:reg/app:1"
is 'of several: they are listed' 3 "$(unik-inspect --merged "$S:reg/app:1" \
	2>&1 | grep -o "'reg%2F[^']*'" | sort -u | wc -l)"

# ---- the graph

unik-inspect --graph "$S" >"$T/dot"
is 'the graph: an edge each image of each stack' \
	"$(json 'sum(len(x["images"]) for x in d["stacks"])' cat "$T/json")" \
	"$(grep -c -e '->' "$T/dot")"
if have dot; then
	ok 'the graph: Graphviz reads it' dot -Tsvg -o "$T/svg" "$T/dot"
else
	skip 'the graph: Graphviz reads it' 'no dot'
fi

# ---- plans for guests

plan() { local how=$1; shift; unik-inspect -q --plan="$how" "$@"; }
rumprun=$S:reg/app:1.rumprun.iso
plan rumprun "$rumprun" >"$T/rumprun"
plan solo5 --kernel="/k it's" "$rumprun" >"$T/solo5"
plan firecracker --kernel=/vmlinux "$S:reg/app:1.flat.ext2" >"$T/fc"
plan firecracker "$S:l-data.tar.linux.ext2" >"$T/drives"
relay python3 - "$S" "$T" <<-'END'
	import glob, json, os, shlex, sys
	store, t = os.path.realpath(sys.argv[1]), sys.argv[2]
	def check(text, want, got):
	    print('%s - %s' % ('ok' if want == got else 'not ok', text))
	    if want != got:
	        print('# want %r\n# got  %r' % (want, got))
	def paths(ref):
	    m = json.load(open('%s/refs/%s.json' % (store, ref)))
	    return ['%s/images/sha256-%s.%s' % (store, s['image'][7:],
	            s.get('format', m['format'])) for s in m['stack']]
	words = ['app', '--two words', "it's", 'a"b\\c']
	# rumprun's own rules, see lib/librumprun_base/parseargs.c
	def split(text):
	    out, quote, i = [], None, 0
	    while i < len(text):
	        c = r = text[i]
	        i += 1
	        if c == '\\':
	            r = text[i]
	            i += 1
	        if c in ' \n\t':
	            if quote == '':
	                quote = None
	            if quote is None:
	                continue
	        if quote is None:
	            out.append('')
	            quote = ''
	        if quote and c == quote:
	            quote = ''
	        elif c in '\'"':
	            quote = c
	        else:
	            out[-1] += r
	    return out
	pairs = json.load(open(t + '/rumprun'), object_pairs_hook=list)
	get = lambda key: [v for k, v in pairs if k == key]
	check('rumprun: words', words, split(get('cmdline')[0]))
	check('rumprun: environment', ['PATH=/nowhere:/bin', 'MULTI=one\ntwo\n',
	      "A='q'"], get('env'))
	check('rumprun: directory', ['/srv'], get('cwd'))
	iso = paths('reg%2Fapp:1.rumprun.iso')
	check('rumprun: devices in mount order', [[
	    ('source', 'etfs'), ('path', 'hda%d' % (i + 1)), ('fstype', 'blk'),
	    ('mountpoint', '/var/blk/hda%d' % (i + 1))] for i in range(len(iso))],
	    [list(map(tuple, x)) for x in get('blk')[0]])
	check('solo5: words of a shell', ['--block:hda%d=%s' % (i + 1, p)
	      for i, p in enumerate(iso)] + ['--', "/k it's"] + words[1:],
	      shlex.split(open(t + '/solo5').read()))
	fc = json.load(open(t + '/fc'))
	check('firecracker: the root device', [{'drive_id': 'hda1',
	      'path_on_host': paths('reg%2Fapp:1.flat.ext2')[0],
	      'is_root_device': True, 'is_read_only': True}], fc['drives'])
	check('firecracker: the kernel', ['/vmlinux', 'console=ttyS0 reboot=k '
	      'panic=1 init=app PATH=/nowhere:/bin A=\'q\' -- "--two words" it\'s'],
	      [fc['boot-source'][k] for k in ('kernel_image_path', 'boot_args')])
	drives = json.load(open(t + '/drives'))
	check('firecracker: a scratch image', [('hda1', True, True),
	      ('hda2', False, False)], [(x['drive_id'], x['is_root_device'],
	      x['is_read_only']) for x in drives['drives']])
END
is 'what a guest has no place for is said' 3 "$(unik-inspect --plan=solo5 \
	"$rumprun" 2>&1 >/dev/null | grep -c -e '3 variables left out' \
	-e "'/srv' left out" -e "'app' left out")"
is 'as JSON' "plan 2 ['PATH=/nowhere:/bin'," "$(json 'd["kind"],
	len(d["images"]), d["config"]["env"]' unik-inspect --json \
	--plan=solo5 "$rumprun" | tr -d "(" | sed "s/, 'MULTI.*/,/
	s/'plan', 2,/plan 2/")"
status 'an overlay is no union of NetBSD' 2 plan rumprun \
	"$S:reg/app:1.linux.ext2"
unik-convert -q -t oci "$app" "$S"
status 'literal whiteouts are for OCI' 2 plan linux "$S:reg/app:1.oci.iso"
status 'one image is fit for all' 0 plan rumprun "$S:reg/app:1.flat.ext2"
status 'an unknown guest' 2 plan qemu "$S:reg/app:1.flat.ext2"
status 'several stacks' 2 plan linux "$S:reg/app:1"
ok 'the script is one of a shell' sh -n <(plan linux "$S:reg/app:1.linux.ext2")
if have shellcheck; then
	plan linux "$S:reg/app:1.linux.ext2" >"$T/plan.sh"
	ok 'the script is a good one' shellcheck "$T/plan.sh"
else
	skip 'the script is a good one' 'no shellcheck'
fi

# ---- garbage

is 'all of it is needed' '0 names, 0 B' "$(unik-inspect --gc "$S")"
names >"$T/before"
rm "$S/refs/reg%2Fapp:1.flat.ext2.json" "$S/refs/l-data.tar.linux.ext2.json" \
	"$S/refs/reg%2Fapp:1.oci.iso.json"
touch "$S/images/.unik-tmp-dead" "$S/layers/.unik-tmp-dead" "$S/images/README"
unik-inspect --gc "$S" >"$T/list" 2>"$T/err"
is 'garbage: a foreign file is named and stays' 1 \
	"$(grep -c "'README' is no name of a store" "$T/err")"
# What no reference leads to, found in another way.
python3 - "$S" <<-'END' >"$T/want"
	import glob, json, os, sys
	os.chdir(sys.argv[1])
	keep = set(['images/README'])
	for ref in glob.glob('refs/*'):
	    m = json.load(open(ref))
	    keep.add(os.path.relpath(os.path.realpath(ref)))
	    keep.update('images/sha256-%s.%s' % (s['image'][7:],
	        s.get('format', m['format'])) for s in m['stack'])
	for name in os.listdir('layers'):
	    link = 'layers/' + name.replace('.json', '')
	    if not name.startswith('.') and \
	            os.path.relpath(os.path.realpath(link)) in keep:
	        keep.add('layers/' + name)
	for d in 'images', 'layers', 'stacks':
	    for name in os.listdir(d):
	        if d + '/' + name not in keep:
	            print(d + '/' + name)
END
is 'garbage: images, stacks, links, records, temporaries' \
	"$(sort "$T/want")" "$(sed '$d; s/  .*//' "$T/list" | sort)"
is 'garbage: as JSON' "$(wc -l <"$T/want") False" \
	"$(json 'len(d["names"]), d["removed"]' unik-inspect -q --json --gc "$S" |
	tr -d '(,)')"
names >"$T/names"
is 'garbage: nothing is removed' "$(wc -l <"$T/names")" \
	"$(names | wc -l)"
ok 'garbage: removed' unik-inspect -q --gc --delete "$S"
is 'garbage: that, and nothing else' \
	"$(grep -v -x -F -f "$T/want" "$T/names")" "$(names)"
is 'garbage: nothing is left' '0 names, 0 B' "$(unik-inspect -q --gc "$S")"
rm "$S/images/README"
ok 'what stays is whole' unik-verify -q "$S"
unik-convert -q -t flat "$app" "$S"
unik-convert -q -t linux --scratch=1M "$T/l-data.tar" "$S"
unik-convert -q -t oci "$app" "$S"
is 'what went comes again' "$(cat "$T/before")" "$(names)"

# A store that can't be followed has no garbage: what is lost is unknown.
victim=$(find "$S/stacks" -name '*.json' | sort | head -n 1)
mv "$victim" "$T/victim"
rm "$S/refs/other:2.linux.ext2.json" # something to be removed
names >"$T/names"
status 'a reference to nothing: not removed' 1 unik-inspect --gc --delete "$S"
is 'a reference to nothing: all is there' "$(cat "$T/names")" "$(names)"
status 'a reference to nothing: the report says so' 1 unik-inspect "$S"
sed 's/"user"/"uzer"/' "$T/victim" >"$victim"
status 'a manifest that is none: not removed' 1 unik-inspect --gc --delete "$S"
is 'a manifest that is none: all is there' "$(wc -l <"$T/names")" \
	"$(($(names | wc -l) - 1))"
mv -f "$T/victim" "$victim"

# ---- garbage while conversions run

N=${CONVERSIONS:-12}
for i in $(seq "$N"); do # sources that share a base and come and go
	layer "v$i" <<-END
		file version data=$i
		end
	END
	python3 "$tools/mkimage.py" docker "$T/v$i.img" "v:$i" \
		"$T/l-base.tar" "$T/l-data.tar" "$T/v$i.tar"
done
R=$T/race
unik-convert -q "$T/v1.img" "$R"
(while [ ! -e "$T/stop" ]; do
	unik-inspect -q --gc --delete "$R" >>"$T/gc" 2>&1 ||
		echo "gc: $? $(tail -n 1 "$T/gc")"
done >"$T/gc.failed") &
collector=$!
for i in $(seq "$N"); do
	unik-convert -q "$T/v$i.img" "$R" || echo "convert $i: $?"
	unik-verify -q "$R" || echo "verify $i: $?"
	rm -f "$R"/refs/v:*.oci.iso.json # all of it is garbage now
	unik-convert -q -t linux "$T/v$i.img" "$R" &
	unik-convert -q -f iso -f ext2 "$T/v$i.img" "$R" || echo "twice $i: $?"
	wait $! || echo "linux $i: $?"
done >"$T/failed" 2>&1
touch "$T/stop"
wait $collector
is 'collecting while converting: nobody fails' '' \
	"$(cat "$T/failed" "$T/gc.failed")"
is 'collecting while converting: it collected' yes \
	"$(grep -q 'removed [1-9]' "$T/gc" && echo yes)"
ok 'collecting while converting: the store is whole' unik-verify -q "$R"
unik-inspect -q --gc --delete "$R" >/dev/null
is 'collecting while converting: nothing is left over' '' \
	"$(find "$R" -name '.unik-tmp-*'; unik-inspect --gc "$R" |
		grep -v '^0 names')"
done_testing
