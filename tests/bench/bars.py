# SPDX-License-Identifier: GPL-3.0-or-later
"""The bars: what unik must reach, against what ran beside it.

A bar is met when measured <= limit, or >= limit where `how` is 'least'.  Where
nothing was measured, `detail` says why.
"""
MIB = 1 << 20
FASTER_SAME, FASTER_OTHER = 2.0, 1.0


class Bar:
    def __init__(self, what, where, measured, limit, how='most', unit=' x',
                 detail=''):
        self.what, self.where, self.measured = what, where, measured
        self.limit, self.how, self.unit = limit, how, unit
        self.detail = detail

    def verdict(self):
        if self.measured is None:
            return 'not measured'
        good = self.measured >= self.limit if self.how == 'least' else \
            self.measured <= self.limit
        return 'met' if good else 'MISSED'


class Table:
    """The results on tmpfs, by corpus, contestant and compression."""

    def __init__(self, results):
        self.of = {(r.corpus.name, r.c.name, r.kind): r for r in results
                   if r.place == 'tmpfs'}

    def get(self, corpus, name, kind):
        r = self.of.get((corpus, name, kind))
        return r if r and r.runs else None

    def why(self, corpus, name, kind):
        r = self.of.get((corpus, name, kind))
        return (r.why or 'no round was finished') if r else 'not run'


def ratio_bar(table, what, corpus, mine, other, limit):
    a, b = table.get(corpus, *mine), table.get(corpus, *other)
    if a is None or b is None:
        side = mine if a is None else other
        return Bar(what, corpus, None, limit,
                   detail='%s: %s' % (side[0], table.why(corpus, *side)))
    return Bar(what, corpus, a.median() / b.median(), limit,
               detail='%.3f s to %.3f s' % (a.median(), b.median()))


def limit_bars(table, corpora):
    rows = (('tar to ext2 / `openssl dgst -sha256`', ('unik ext2', 'tar'),
             ('openssl dgst -sha256', 'tar'), 1.6),
            ('gzip to ext2 / `igzip -dc`', ('unik ext2', 'gz'),
             ('igzip -dc', 'gz'), 1.6),
            ('gzip to iso / `igzip -dc`', ('unik iso', 'gz'),
             ('igzip -dc', 'gz'), 2.2),
            ('gzip to ext2 / `gzip -dc`', ('unik ext2', 'gz'),
             ('gzip -dc', 'gz'), 0.5))
    for what, mine, other, limit in rows:
        for corpus in corpora:
            if (corpus, *mine) in table.of and (corpus, *other) in table.of:
                yield ratio_bar(table, what, corpus, mine, other, limit)


def peer_time(r):
    """Seconds of a peer; one that was stopped took at least that."""
    if r.runs:
        return r.median()
    return r.over


def fastest(peers):
    timed = [r for r in peers if peer_time(r)]
    return min(timed, key=peer_time) if timed else None


def broken(r):
    """One that leaves out more than a hundredth did not do the work."""
    return r.lost * 100 > r.corpus.entries


def peer_bars(table):
    """One line a format for the closest peer of it, and of the others."""
    places = sorted({(c, k) for c, _, k in table.of})
    for fmt in ('ext2', 'iso'):
        for same, limit in ((True, FASTER_SAME), (False, FASTER_OTHER)):
            what = 'fastest %s peer / unik %s' % (
                fmt if same else 'other', fmt)
            for corpus, kind in places:
                peers = [r for (c, _, k), r in table.of.items()
                         if (c, k) == (corpus, kind) and r.c.side == 'peer' and
                         (r.c.fmt == fmt) == same]
                if not peers or (corpus, 'unik ' + fmt, kind) not in table.of:
                    continue
                me = table.get(corpus, 'unik ' + fmt, kind)
                best = fastest([r for r in peers if not broken(r)])
                without = ''.join(
                    '; %s does not count: %s of its entries are not there' % (
                        r.c.name, format(r.lost, ','))
                    for r in peers if broken(r))
                where = '%s, %s' % (corpus, kind)
                if me is None:
                    yield Bar(what, where, None, limit, 'least',
                              detail=table.why(corpus, 'unik ' + fmt, kind))
                elif best is None:
                    yield Bar(what, where, None, limit, 'least',
                              detail='no peer could do it' + without)
                else:
                    yield Bar(what, where, peer_time(best) / me.median(),
                              limit, 'least', detail='%s: %.3f s to %.3f s' % (
                                  best.c.name, peer_time(best), me.median()) +
                              without)


def small_bars(table):
    r = table.get('small', 'unik ext2', 'gz')
    cpu, mem = 'CPU, gzip to ext2', 'memory, gzip to ext2'
    if r is None:
        why = table.why('small', 'unik ext2', 'gz')
        yield Bar(cpu, 'small', None, 1.0, unit=' s', detail=why)
        return
    n = r.corpus.entries
    yield Bar(cpu, 'small', r.median(1), 1.0, unit=' s',
              detail='%s entries' % format(n, ','))
    yield Bar(mem, 'small', r.median(2) / MIB, 40 + 400 * n / MIB,
              unit=' MiB', detail='40 MiB and 400 bytes an entry')


def scale_bars(table, names):
    for fmt in ('ext2', 'iso'):
        rows = [(n, table.get(n, 'unik ' + fmt, 'tar')) for n in names]
        for (a, x), (b, y) in zip(rows, rows[1:]):
            where = '%s, %s' % (b.replace('scale-', ''), fmt)
            what = ('time an entry / at a tenth of the entries',
                    'memory an entry / at a tenth of the entries')
            if x is None or y is None:
                bad = a if x is None else b
                why = '%s: %s' % (bad, table.why(bad, 'unik ' + fmt, 'tar'))
                yield Bar(what[0], where, None, 1.2, detail=why)
                yield Bar(what[1], where, None, 1.0, detail=why)
                continue
            for i, limit, scale, unit in ((0, 1.2, 1e6, 'us'),
                                          (2, 1.0, 1, 'bytes')):
                each = [r.median(i) / r.corpus.entries for r in (x, y)]
                yield Bar(what[i // 2], where, each[1] / each[0], limit,
                          detail='%.1f %s, before %.1f' % (
                              each[1] * scale, unit, each[0] * scale))


def all_bars(results, scale):
    table = Table(results)
    corpora = []
    for r in results:
        if r.corpus.name not in corpora:
            corpora.append(r.corpus.name)
    out = list(limit_bars(table, corpora))
    if 'small' in corpora:
        out += small_bars(table)
    if any(n in corpora for n in scale):
        out += scale_bars(table, scale)
    if ('python', 'unik ext2, warm', 'gz') in table.of:
        out.append(ratio_bar(table, 'warm second run / `openssl dgst -sha256`',
                             'python', ('unik ext2, warm', 'gz'),
                             ('openssl dgst -sha256', 'gz'), 1.3))
    return out + list(peer_bars(table))
