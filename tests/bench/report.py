# SPDX-License-Identifier: GPL-3.0-or-later
"""bench.md: the machine, the bars, a table a corpus, how it was done."""
import contest

MIB = 1 << 20
BEGIN, END = '<!-- bench: begin -->', '<!-- bench: end -->'
KINDS = {'tar': 'tar', 'gz': 'gzip', 'zst': 'zstd'}
TITLES = {'tmpfs': 'output on tmpfs', 'disk': 'output on disk'}


def table(head, rows, right=()):
    """A Markdown table; the columns named in `right` are numbers."""
    lines = ['| ' + ' | '.join(head) + ' |',
             '|' + '|'.join('--:' if h in right else '---'
                            for h in head) + '|']
    for row in rows:
        lines.append('| ' + ' | '.join(
            str(x).replace('|', '\\|') for x in row) + ' |')
    return lines


def number(value, unit):
    if unit in (' s', ' x'):
        return '%.2f%s' % (value, unit)
    return '%.0f%s' % (value, unit)


def bar_rows(bars):
    for b in bars:
        sign = 'at least ' if b.how == 'least' else 'at most '
        measured = '-' if b.measured is None else number(b.measured, b.unit)
        verdict = b.verdict()
        yield (b.what, b.where, measured, sign + number(b.limit, b.unit),
               '**MISSED**' if verdict == 'MISSED' else verdict, b.detail)


def summary(bars):
    count = {}
    for b in bars:
        count[b.verdict()] = count.get(b.verdict(), 0) + 1
    return '%d bars: %d met, %d missed, %d not measured' % (
        len(bars), count.get('met', 0), count.get('MISSED', 0),
        count.get('not measured', 0))


def bars_section(bars):
    if not bars:
        return []
    return ['## Bars', '', summary(bars) + '.', ''] + table(
        ('bar', 'where', 'measured', 'limit', '', 'from'), bar_rows(bars),
        ('measured', 'limit')) + ['']


def yes(value):
    return {True: 'yes', False: 'no', None: '-'}[value]


def result_row(r, mine):
    name = '%s (%s)' % (r.c.name, r.c.note) if r.c.note else r.c.name
    if r.c.side == 'ours':
        name = '**%s**' % name
    if not r.runs:
        return (name, KINDS[r.kind], cell(r)) + ('-',) * 6 + (r.why or '-',)
    ratio = '%.2f' % (r.median() / mine) if mine else '-'
    size = '%.1f' % (r.size / MIB) if r.size is not None else '-'
    words = [x for x in (r.complete, r.note) if x]
    return (name, KINDS[r.kind], '%.3f s' % r.median(),
            '%.0f %%' % (100 * r.spread()), ratio, '%.3f s' % r.median(1),
            '%.1f' % (r.median(2) / MIB), size,
            yes(r.same) if r.c.fmt else '-',
            '; '.join(words) or '-')


HEAD = ('who', 'from', 'wall', 'spread', '/ unik', 'CPU', 'peak MiB',
        'size MiB', 'same bytes', 'what is in it')
RIGHT = HEAD[2:8]


def corpus_section(corpus, place, results):
    """The fastest first, the ratio against unik's ext2 or iso of that input."""
    lines = ['### %s: %s, %s' % (corpus.name, corpus.title, TITLES[place]), '',
             '%s entries; %s.' % (format(corpus.entries, ','), ', '.join(
                 '%s %.1f MiB' % (KINDS[k], corpus.size(k) / MIB)
                 for k in KINDS if k in corpus.layers[0].size)), '']
    # The ratio is to unik's image of the same format; of squashfs, and of the
    # limits, to its ext2.
    mine = {(r.c.fmt, r.kind): r.median() for r in results
            if r.c.side == 'ours' and r.runs and r.c.fmt}
    order = {'ours': 0, 'peer': 1, 'limit': 2}
    kinds = list(KINDS)
    results = sorted(results, key=lambda r: (
        kinds.index(r.kind), order[r.c.side], r.c.fmt,
        r.median() or r.over or 1e9))
    rows = []
    for r in results:
        fmt = r.c.fmt if r.c.fmt in ('ext2', 'iso') else 'ext2'
        rows.append(result_row(r, mine.get((fmt, r.kind))))
    return lines + table(HEAD, rows, RIGHT) + ['']


def scale_section(results, scale):
    names = [n for n in scale + ['onedir', 'dirtree']
             if any(r.corpus.name == n for r in results)]
    rows = []
    for r in results:
        if r.corpus.name not in names or r.c.side != 'ours':
            continue
        n = r.corpus.entries
        head = (r.corpus.title, r.c.name, format(n, ','))
        if not r.runs:
            rows.append(head + ('-',) * 4 + (r.why,))
            continue
        rows.append(head + ('%.3f s' % r.median(),
                            '%.2f us' % (r.median() / n * 1e6),
                            '%.1f' % (r.median(2) / MIB),
                            '%.0f' % (r.median(2) / n), yes(r.same)))
    if not rows:
        return []
    return ['### Scaling, from plain tars, output on tmpfs', ''] + table(
        ('layer', 'who', 'entries', 'wall', 'an entry', 'peak MiB',
         'bytes an entry', 'same bytes'), rows,
        ('entries', 'wall', 'an entry', 'peak MiB', 'bytes an entry')) + ['']


def machine_section(machine):
    lines = table(('', ''), machine['lines'])
    for text in machine['warnings']:
        lines += ['', '**Warning: %s.**' % text]
    return lines + ['']


HOW = """## How

Each corpus is a group, run in rounds (A B C, A B C, ...) after one round that
is not counted; the figures are medians of the rounds, `spread` is the largest
less the smallest of them, in per cent of the median. Inputs are read into the
page cache before each run. A run is a shell with the command below; what it
took is from wait4(2): CPU is user and system time of all its processes, the
peak is that of the largest process. On disk, peers are followed by `sync FILE`;
unik does that itself. A peer that takes more than {stop} s is stopped, and one
that takes long is run fewer times than the others ({runs} rounds).

`/ unik` is the time by unik's for the same input: against its image of the same
format, for squashfs and the limits against ext2. `same bytes` compares the
outputs of two runs. What is in an image was read back and compared with the
tar, entry by entry. Images with several layers are made one layer after the
other by the peers.

unik takes the blob's digest, the diff_id and the image's digest in every run
(the warm one takes the blobs' digests only), and checks what the source says of
them: an OCI layout does, a bare layer (one layer, from tar) doesn't.

"""


def commands_section(results):
    seen = []
    for r in results:
        if r.c not in seen:
            seen.append(r.c)
    rows = []
    for c in sorted(seen, key=contest.CONTESTANTS.index):
        for text in filter(None, (c.layer, c.image)):
            rows.append((c.name, '`%s`' % text))
    return table(('who', 'command'), rows) + ['']


def document(run):
    lines = ['# unik: benchmarks', ''] + machine_section(run['machine'])
    lines += bars_section(run['bars'])
    if run['chart']:
        lines += ['![times and scaling](%s)' % run['chart'], '']
    lines += ['## Results', '']
    groups = []
    for r in run['results']:
        key = (r.corpus, r.place)
        if key not in groups and r.corpus.name not in run['scale'] + [
                'onedir', 'dirtree']:
            groups.append(key)
    for corpus, place in groups:
        lines += corpus_section(corpus, place, [
            r for r in run['results']
            if (r.corpus, r.place) == (corpus, place)])
    lines += scale_section(run['results'], run['scale'])
    for text in run['missing']:
        lines += ['Left out: ' + text + '.', '']
    lines += HOW.format(stop=run['stop'], runs=run['rounds']).splitlines()
    lines += commands_section(run['results'])
    return '\n'.join(lines).rstrip('\n') + '\n'


# ---- README ----

README_CORPORA = ('python', 'small', 'mixed', 'debian')


def cell(r):
    if r is None:
        return '-'
    if r.runs:
        short = r.lost * 100 > r.corpus.entries
        return '%.2f s%s' % (r.median(), ', incomplete' if short else '')
    if r.over:
        return '> %.0f s' % r.over
    return 'failed' if r.why else 'not run'


def times_table(results):
    """A line a contestant and input, a column a corpus."""
    found = {(r.corpus.name, r.c.name, r.kind): r for r in results
             if r.place == 'tmpfs'}
    titles = [(n, next((r.corpus.title for r in results
                        if r.corpus.name == n), None))
              for n in README_CORPORA]
    titles = [(n, t) for n, t in titles if t]
    rows = []
    for kind in KINDS:
        for c in contest.CONTESTANTS:
            cells = [found.get((n, c.name, kind)) for n, _ in titles]
            if not any(r for r in cells):
                continue
            same = [r.same for r in cells if r and r.same is not None]
            name = '**%s**' % c.name if c.side == 'ours' else c.name
            rows.append((name, KINDS[kind]) + tuple(cell(r) for r in cells) +
                        (yes(all(same)) if same else '-',))
    names = [n for n, _ in titles]
    lines = ['- %s: %s' % x for x in titles]
    return lines + [''] + table(['who', 'from'] + names + ['same bytes'],
                                rows, names)


def readme_section(run):
    """The machine, the times, and the bars: those of peers in one line."""
    alone = [b for b in run['bars'] if b.how == 'most']
    peers = [b for b in run['bars'] if b.how == 'least']
    lines = machine_section(run['machine'])
    lines += ['Medians of %d runs, output on tmpfs, inputs in the page cache.'
              % run['rounds'], '']
    for text in run['missing']:
        lines += ['Left out: ' + text + '.', '']
    lines += times_table(run['results'])
    lines += ['', summary(run['bars']) + '.', '']
    lines += table(('bar', 'where', 'measured', 'limit', ''),
                   [row[:5] for row in bar_rows(alone)],
                   ('measured', 'limit'))
    for limit in sorted({b.limit for b in peers}, reverse=True):
        mine = [b for b in peers if b.limit == limit]
        kind = 'of the same format' if limit > 1 else 'of other formats'
        lines += ['', 'Against the fastest peer %s, corpus by corpus: %s '
                  '(limit: %g times as fast).' % (kind, summary(mine), limit)]
        bad = [b for b in mine if b.verdict() == 'MISSED']
        if bad:
            lines += ['Missed: ' + '; '.join(
                '%s, %s, %.2f x' % (b.what, b.where, b.measured)
                for b in bad) + '.']
    return lines


def put_readme(path, section):
    with open(path) as f:
        text = f.read()
    head, found, rest = text.partition(BEGIN + '\n')
    _, ended, tail = rest.partition(END)
    if not found or not ended:
        raise ValueError('%s has no lines %s and %s' % (path, BEGIN, END))
    with open(path, 'w') as f:
        f.write(head + BEGIN + '\n' + section + END + tail)
