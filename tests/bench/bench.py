#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""unik and its peers, side by side: `make bench` (tests/bench/run).

  BENCH=full       all corpora and contestants (the default)
  BENCH=bars       what the bars need, in a few minutes
  BENCH=tiny       small corpora: whether this works, not how fast unik is
  BENCH="NAME..."  corpora of these names only, as in full: python debian
                   busybox small mixed zeros scale, and disk
  RUNS=N           rounds (5)
  README=1         put the table into README.md as well; `tests/bench/run
                   --readme` does that with the last run's
  UNIK_CACHE=DIR   where corpora are kept (default: cache in the build)
  BENCH_TMPFS=DIR, BENCH_DISK=DIR   where outputs go

Writes bench.md, bench.svg and readme.md to B/bench.  The exit status says
nothing of speed: 0 when it ran.
"""
import os
import shutil
import signal
import sys
import tempfile
import time

import bars
import chart
import corpora
import machine
import report
import runner

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
OURS = ['unik ext2', 'unik iso']
EXT2 = ['genext2fs -a', 'tar -x, mke2fs -d']
ISO = ['bsdtar @tar', 'tar -x, genisoimage', 'tar -x, xorrisofs']
SQUASH_FAST = ['tar2sqfs -c lz4', 'sqfstar, plain']
SQUASH = ['tar2sqfs', 'sqfstar'] + SQUASH_FAST
WARM = 'unik ext2, warm'
SHA = 'openssl dgst -sha256'
GZIP = [('gzip -dc', 'gz'), ('igzip -dc', 'gz')]
LIMITS = [(SHA, 'tar')] + GZIP + [('zstd -dc', 'zst'), ('cp', 'tar')]


def of(names, *kinds):
    return [(n, k) for k in kinds for n in names]


def full():
    """corpus -> the entries of a round, in its order."""
    peers = EXT2 + ISO
    out = {
        'python': of(OURS, 'tar', 'gz', 'zst') + [(WARM, 'gz'), (SHA, 'gz')] +
        of(peers + SQUASH, 'tar') + of(peers + SQUASH_FAST, 'gz') + LIMITS,
        'small': of(OURS, 'tar', 'gz', 'zst') + of(peers + SQUASH, 'tar') +
        of(peers + SQUASH_FAST, 'gz') + LIMITS,
        'mixed': of(OURS, 'tar', 'gz', 'zst') +
        of(peers + SQUASH_FAST, 'tar') + LIMITS,
        'zeros': of(OURS, 'tar', 'gz') + of(peers + SQUASH_FAST, 'tar') +
        LIMITS[:3] + LIMITS[4:],
        'debian': of(OURS, 'tar', 'gz', 'zst') +
        of(peers + SQUASH_FAST, 'tar') + LIMITS,
        'busybox': of(OURS, 'tar', 'gz', 'zst') + of(peers + SQUASH, 'tar'),
        'onedir': of(OURS, 'tar'), 'dirtree': of(['unik ext2'], 'tar')}
    return out


def for_bars():
    """Peers from plain tars only, and none that needs minutes to compress."""
    peers = EXT2 + ISO + SQUASH_FAST
    limits = [(SHA, 'tar')] + GZIP
    ours = of(OURS, 'tar', 'gz')
    return {'python': ours + [(WARM, 'gz'), (SHA, 'gz')] + limits +
            of(peers, 'tar'),
            'small': ours + limits + of(peers, 'tar'),
            'mixed': ours + limits + of(peers, 'tar'),
            'zeros': of(OURS, 'tar') + of(peers, 'tar'),
            'debian': of(OURS, 'tar') + of(peers, 'tar')}


def tiny():
    peers = EXT2 + ISO + SQUASH
    return {'small': of(OURS, 'tar', 'gz', 'zst') + [(WARM, 'gz'),
                                                     (SHA, 'gz')] +
            of(peers, 'tar', 'gz') + LIMITS,
            'mixed': of(OURS, 'tar') + LIMITS[:1]}


ON_DISK = {'python': of(OURS, 'tar', 'gz') + of(EXT2 + ISO, 'tar') +
           [('cp', 'tar')],
           'mixed': of(OURS, 'tar', 'gz') + of(EXT2 + ISO, 'tar') +
           [('cp', 'tar')]}
DISK_TINY = {'mixed': of(OURS, 'tar') + of(EXT2, 'tar')}


class Options:
    def __init__(self, env):
        words = env.get('BENCH', '').split() or ['full']
        self.mode = words[0] if len(words) == 1 and words[0] in (
            'full', 'bars', 'tiny') else 'full'
        self.runs = int(env.get('RUNS') or 5)
        self.tiny = self.mode == 'tiny'
        base = {'full': full, 'bars': for_bars, 'tiny': tiny}[self.mode]()
        self.groups, self.disk = base, {}
        self.scale = True
        if self.mode != 'bars':
            self.disk = DISK_TINY if self.tiny else ON_DISK
        if words != [self.mode]:
            known = set(base) | {'scale', 'disk'}
            for w in set(words) - known:
                sys.exit('bench: no corpus %r; there are: %s' % (
                    w, ' '.join(sorted(known))))
            self.groups = {k: v for k, v in base.items() if k in words}
            self.scale = 'scale' in words
            self.disk = self.disk if 'disk' in words else {}
        # Seconds that a peer may take, and for all its rounds.
        self.stop, self.budget = {'full': (60, 20), 'bars': (30, 6),
                                  'tiny': (60, 60)}[self.mode]
        self.readme = bool(env.get('README'))
        self.readme_path = env.get('BENCH_README') or os.path.join(
            TOP, 'README.md')
        binaries = env.get('B', 'build')
        self.binaries = os.path.join(TOP, binaries)
        self.out = os.path.join(self.binaries, 'bench')
        self.tool = os.path.join(self.out, 'bin/unik-convert')
        self.cache = env.get('UNIK_CACHE') or os.path.join(self.binaries,
                                                           'cache')
        self.tmpfs = env.get('BENCH_TMPFS')
        self.on_disk = env.get('BENCH_DISK') or self.out


START = time.monotonic()


def say(text):
    print('# %5d s: %s' % (time.monotonic() - START, text), flush=True)


def is_tmpfs(path):
    """By the last mount that holds it."""
    path, best = os.path.realpath(path), ('', '')
    with open('/proc/mounts') as f:
        for line in f:
            _, where, kind = line.split()[:3]
            if (path + '/').startswith(where.rstrip('/') + '/') and \
                    len(where) >= len(best[0]):
                best = (where, kind)
    return best[1] == 'tmpfs'


def find_tmpfs(options):
    for path in filter(None, (options.tmpfs, '/dev/shm', '/tmp', '/run')):
        if os.path.isdir(path) and os.access(path, os.W_OK) and \
                is_tmpfs(path):
            return path
    sys.exit('bench: no tmpfs to write to; name one in BENCH_TMPFS')


def run_group(run, r, cache, name, place, entries):
    try:
        corpus = cache.get(name)
    except corpora.Unavailable as e:
        run['missing'].append('%s: %s' % (name, e))
        say('%s: %s' % (name, e))
        return
    entries = [(n, k) for n, k in entries if k in corpus.layers[0].size]
    r.group(corpus, place, entries)


def measure(options, run, r, places):
    cache = corpora.Cache(options.cache, options.tiny, say)
    run['scale'] = cache.scale
    for name in list(options.groups) + options.scale * cache.scale:
        # All is made before anything is measured.
        try:
            cache.get(name)
        except corpora.Unavailable:
            pass
    run['machine'] = machine.Machine(options.tool)
    if options.mode != 'tiny':
        touch(run['machine'], places['tmpfs'])
    for name, entries in options.groups.items():
        run_group(run, r, cache, name, places['tmpfs'], entries)
    for name in options.scale * cache.scale:
        run_group(run, r, cache, name, places['tmpfs'], of(OURS, 'tar'))
    for name, entries in options.disk.items():
        run_group(run, r, cache, name, places['disk'], entries)


def touch(computer, place):
    place.clean()
    # Others may need some of it, where the machine isn't ours alone.
    share = 1 if os.getloadavg()[0] <= machine.IDLE else 2
    size = min(place.room() // share, 15 << 30)
    say('touching %d MB of memory' % (max(size, 0) >> 20))
    if size > 0:
        path = os.path.join(place.path, 'touch')
        machine.touch_memory(path, size)
        if size >= 1 << 30:
            computer.price_memory(path)


def write_results(options, run):
    os.makedirs(options.out, exist_ok=True)
    svg = os.path.join(options.out, 'bench.svg')
    why = chart.draw(run['results'], run['scale'], svg)
    run['chart'] = '' if why else 'bench.svg'
    if why:
        say('no chart: ' + why)
    path = os.path.join(options.out, 'bench.md')
    with open(path, 'w') as f:
        f.write(report.document(run))
    with open(os.path.join(options.out, 'readme.md'), 'w') as f:
        f.write('\n'.join(report.readme_section(run)) + '\n')
    if options.readme:
        put_readme(options)
    print('\n'.join(report.bars_section(run['bars'])))
    print('results: %s%s' % (path, '' if why else ', ' + svg))


def put_readme(options):
    try:
        with open(os.path.join(options.out, 'readme.md')) as f:
            report.put_readme(options.readme_path, f.read())
    except (OSError, ValueError) as e:
        sys.exit('bench: %s' % e)


def main():
    if sys.argv[1:] == ['--readme']:
        put_readme(Options(os.environ))
        sys.exit()
    if sys.argv[1:]:
        print(__doc__)
        sys.exit(0 if sys.argv[1:] in (['--help'], ['-h']) else 2)
    options = Options(os.environ)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    os.makedirs(options.on_disk, exist_ok=True)
    # A copy, so that nobody's `make` changes it on the way.
    os.makedirs(os.path.dirname(options.tool), exist_ok=True)
    shutil.copy2(os.path.join(options.binaries, 'unik-convert'), options.tool)
    run = {'stop': options.stop, 'rounds': options.runs, 'missing': [],
           'scale': [], 'machine': machine.Machine(options.tool)}
    r = runner.Runner(options.binaries, options.tool, options.runs,
                      options.stop, options.budget, say)
    works = [tempfile.mkdtemp(prefix='unik-bench-', dir=d)
             for d in (find_tmpfs(options), options.on_disk)]
    try:
        measure(options, run, r, {
            name: runner.Place(name, os.path.join(work, 'work'))
            for name, work in zip(('tmpfs', 'disk'), works)})
    except KeyboardInterrupt:
        run['missing'].append('the rest: the run was interrupted')
    finally:
        for work in works:
            shutil.rmtree(work, ignore_errors=True)
    run['results'] = r.results
    run['bars'] = bars.all_bars(r.results, run['scale'])
    m = run['machine']
    run['machine'] = {'lines': m.about,
                      'warnings': list(m.warnings())}
    write_results(options, run)


if __name__ == '__main__':
    main()
