# SPDX-License-Identifier: GPL-3.0-or-later
"""bench.svg by gnuplot: bars a corpus, and time and memory an entry."""
import subprocess

COLOURS = {'ours': '#1b6ca8', 'peer': '#b8b8b8', 'limit': '#e8c46a'}
KINDS = {'tar': 'tar', 'gz': 'gzip', 'zst': 'zstd'}
WIDTH, BAR, GRAPH = 900, 20, 300       # of the picture, in points
ABOVE, BELOW, LEFT, RIGHT = 36, 60, 220, 70  # of a panel


def quoted(text):
    """A string of gnuplot's, in single quotes."""
    return "'%s'" % text.replace("'", "''")


def label(r):
    return r.c.name + (' (%s)' % r.c.fmt if r.c.side == 'peer' else '')


def time_of(r):
    return r.median() or r.over


def panels(results, scale):
    """(title, results) a group and compression; the slowest at the bottom."""
    out = {}
    for r in results:
        if r.corpus.name not in scale + ['onedir', 'dirtree'] and time_of(r):
            key = (r.corpus.name, r.corpus.title, KINDS[r.kind], r.place)
            out.setdefault(key, []).append(r)
    return [('%s: %s, from %s, on %s' % key, sorted(rows, key=time_of))
            for key, rows in out.items()]


def bar_panel(title, rows):
    """Horizontal bars, with their seconds beside them."""
    end = max(time_of(r) for r in rows)
    lines = ['set title %s noenhanced' % quoted(title),
             'unset logscale', 'unset key', 'unset ylabel',
             'set xlabel "seconds"', 'set style fill solid 1 noborder',
             'set xrange [0:%g]' % (end * 1.18 or 1),
             'set yrange [%g:-0.6]' % (len(rows) - 0.4),
             'set xtics autofreq format "%g"', 'set grid xtics',
             'set ytics (%s) noenhanced' % ', '.join(
                 '%s %d' % (quoted(label(r)), i) for i, r in enumerate(rows)),
             'unset label']
    data, plots = [], []
    for side in COLOURS:
        mine = [(i, r) for i, r in enumerate(rows) if r.c.side == side]
        if not mine:
            continue
        name = '$' + side
        data += [name + ' << EOD']
        for i, r in mine:
            data.append('%g %g 0 %g %g %g' % (
                time_of(r), i, time_of(r), i - 0.38, i + 0.38))
        data.append('EOD')
        plots.append("%s using 1:2:3:4:5:6 with boxxyerror lc rgb '%s'" % (
            name, COLOURS[side]))
    for i, r in enumerate(rows):
        more = '> ' if not r.runs else ''
        lines.append("set label %s at %g,%d left offset 0.5,0" % (
            quoted('%s%.3g s' % (more, time_of(r))), time_of(r), i))
    return data + lines + ['plot ' + ', '.join(plots)]


def short(value):
    return format(round(value), ',') if value >= 100 else '%.3g' % value


def scale_panel(title, unit, series):
    """series: (name, colour, [(entries, value)])."""
    where = sorted({n for _, _, points in series for n, _ in points})
    lines = ['set title %s' % quoted(title), 'unset label',
             'set key inside right top', 'set xlabel "entries"',
             'set ylabel %s' % quoted(unit), 'set logscale xy',
             'set xrange [%g:%g]' % (where[0] / 1.5, where[-1] * 1.5),
             'set yrange [*:*]', 'set ytics autofreq format "%g"',
             'set xtics (%s)' % ', '.join(
                 '%s %d' % (quoted(format(n, ',')), n) for n in where),
             'set grid xtics ytics']
    data, plots = [], []
    for i, (name, colour, points) in enumerate(series):
        data += ['$s%d << EOD' % i] + ['%d %g' % p for p in points] + ['EOD']
        plots.append("$s%d using 1:2 with linespoints lw 2 pt 7 ps 0.7 "
                     "lc rgb '%s' title %s" % (i, colour, quoted(name)))
        for n, value in points:
            lines.append("set label %s at %d,%g offset 0,%g center" % (
                quoted(short(value)), n, value, 0.8 - 1.6 * (i % 2)))
    return data + lines + ['plot ' + ', '.join(plots)]


def scale_series(results, scale, value):
    out = []
    for fmt, colour in (('ext2', '#1b6ca8'), ('iso', '#c0504d')):
        points = [(r.corpus.entries, value(r)) for r in results
                  if r.corpus.name in scale and r.runs and r.place == 'tmpfs'
                  and r.c.name == 'unik ' + fmt]
        if len(points) > 1:
            out.append(('unik ' + fmt, colour, points))
    return out


def script(results, scale, path):
    """The whole of gnuplot's input; None where there is nothing to draw."""
    parts = [(BAR * len(rows), bar_panel(title, rows))
             for title, rows in panels(results, scale)]
    for title, unit, value in (
            ('time an entry, from plain tars', 'microseconds',
             lambda r: r.median() / r.corpus.entries * 1e6),
            ('peak memory an entry, from plain tars', 'bytes',
             lambda r: r.median(2) / r.corpus.entries)):
        series = scale_series(results, scale, value)
        if series:
            parts.append((GRAPH, scale_panel(title, unit, series)))
    if not parts:
        return None
    height = sum(h + ABOVE + BELOW for h, _ in parts)
    lines = ["set terminal svg size %d,%d font 'sans-serif,11' "
             "background '#ffffff' noenhanced" % (WIDTH, height),
             'set output ' + quoted(path), 'set encoding utf8',
             'set border 3', 'set tics nomirror', 'set grid lc rgb "#dddddd"',
             'set lmargin at screen %.6f' % (LEFT / WIDTH),
             'set rmargin at screen %.6f' % (1 - RIGHT / WIDTH),
             'set multiplot']
    top = height
    for h, plot in parts:
        lines += ['set tmargin at screen %.6f' % ((top - ABOVE) / height),
                  'set bmargin at screen %.6f' % ((top - ABOVE - h) / height)]
        lines += plot
        top -= ABOVE + h + BELOW
    return '\n'.join(lines + ['unset multiplot', 'unset output']) + '\n'


def draw(results, scale, path):
    """'' when the picture is there, else why not."""
    text = script(results, scale, path)
    if text is None:
        return 'there is nothing to draw'
    try:
        p = subprocess.run(['gnuplot', '-'], input=text.encode(),
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except OSError:
        return 'gnuplot is not installed: scripts/install-deps --bench'
    return '' if p.returncode == 0 else 'gnuplot: ' + p.stderr.decode()
