#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs layer cases: a tar as text, and the tree or the refusal it must give.

  cases.py FORMAT FILE...        prints TAP without the plan; FORMAT: iso, ext2

A case:
  === NAME: what it is about
  lines of mktar.py
  | SHELL                the tar goes through this filter; $IN is its path
  --- [FORMAT] ok [ARG...]             then the tree (a second section that
                                       has none means the first one's)
  --- [FORMAT] reject [ARG...]: TEXT   exit 1, one line that holds TEXT
  --- [FORMAT] warn [ARG...]: TEXT     as ok, and a warning that holds TEXT
ARG are further arguments of unik-convert.  The tree is written as for
mktar.py, one entry a line; `hardlink PATH FIRST` is a further name.  An entry
not named must not be there; the root is implied.  K=V as there, and
xattr:NAME=BYTES; FORMAT.mtime= says what a format makes of a time it can't
hold; `sha=no` leaves the content out.

Every accepted tar is read back with tools of others, and converted again from
gzip, in another time zone and locale and under another umask: the bytes must
be equal.
"""
import glob
import hashlib
import os
import re
import subprocess
import sys
import tempfile

import mktar
import readimg
import treelib


class Case:
    def __init__(self, head):
        self.name, _, self.text = head.partition(':')
        self.tar, self.filters, self.wants = [], [], []


def parse(path):
    cases, into = [], None
    with open(path) as f:
        for line in f.read().splitlines():
            if line.startswith('=== '):
                cases.append(Case(line[4:].strip()))
                into = cases[-1].tar
            elif line.startswith('--- '):
                into = []
                cases[-1].wants.append((line[4:].strip(), into))
            elif line.startswith('| ') and into is cases[-1].tar:
                cases[-1].filters.append(line[2:])
            elif line.strip() and not line.startswith('#'):
                into.append(line)
    return cases


def want_of(case, fmt):
    """(verdict, text, arguments, lines) of one format; None: not for it."""
    for head, lines in case.wants:
        head, _, text = head.partition(':')
        words = head.split()
        if words[0] in ('iso', 'ext2'):
            if words.pop(0) != fmt:
                continue
        return words[0], text.strip(), words[1:], lines or case.wants[0][1]
    return None


# ---- the tree that is wanted ----

def wanted_time(opt, fmt):
    text = opt.get(fmt + '.mtime', opt.get('mtime', '0'))
    sec, _, frac = text.partition('.')
    return treelib.when(int(sec), int(frac[:9].ljust(9, '0')) if frac else 0)


def content_row(row, opt):
    data, (n, _, byte) = mktar.unescape(opt.get('data', '')), \
        opt.get('fill', '0').partition(':')
    size = mktar.number(opt['size']) if 'size' in opt else \
        len(data) + mktar.number(n)
    row['size'] = size
    if opt.get('sha') == 'no':
        row['sha256'] = 'any'
        return
    h = hashlib.sha256(data)
    left, block = size - len(data), (mktar.unescape(byte) or b'\0') * 65536
    while left > 0:
        h.update(block[:left])
        left -= min(left, len(block))
    row['sha256'] = h.hexdigest()


def wanted_row(words, fmt):
    kind, path, words = words[0], mktar.unescape(words[1]), words[2:]
    target = None
    if kind in ('symlink', 'char', 'block'):
        target, words = words[0], words[1:]
    opt = mktar.pairs(words)
    row = treelib.new_row(path, kind, int(
        opt.get('mode', '755' if kind == 'dir' else '644'), 8),
        int(opt.get('uid', 0)), int(opt.get('gid', 0)), wanted_time(opt, fmt))
    if kind == 'file':
        content_row(row, opt)
    elif kind == 'symlink':
        row['target'] = treelib.esc(mktar.unescape(target))
    elif kind in ('char', 'block'):
        row['rdev'] = target
    xattrs = {treelib.esc(mktar.unescape(k[6:])): mktar.unescape(v).hex()
              for k, v in opt.items() if k.startswith('xattr:')}
    if xattrs:
        row['xattrs'] = xattrs
    return path, row


def wanted_tree(lines, fmt):
    rows, inode_of = {}, {}

    def add(line):
        words = line.split()
        if words[0] == 'repeat':
            for i in range(mktar.number(words[1])):
                add(' '.join(words[2:]).replace('%d', str(i)))
        elif words[0] == 'hardlink':
            path, first = (mktar.unescape(w) for w in words[1:3])
            rows[path] = dict(rows[first], path=treelib.esc(path))
            inode_of[path] = inode_of[first]
        else:
            path, rows[path] = wanted_row(words, fmt)
            inode_of[path] = path

    add('dir .')
    for line in lines:
        add(line)
    return treelib.finish(rows, inode_of)


# ---- running ----

def make_tar(case, work):
    path = os.path.join(work, 'layer.tar')
    with open(path, 'w+b') as f:
        mktar.build(case.tar, f)
    for i, shell in enumerate(case.filters):
        out = '%s.%d' % (path, i)
        with open(path, 'rb') as src, open(out, 'wb') as dst:
            subprocess.run(['bash', '-ec', shell], stdin=src, stdout=dst,
                           check=True, env=dict(os.environ, IN=path))
        path = out
    return path


def convert(source, out, fmt, args, other=False):
    env = dict(os.environ)
    if other:
        env.update(TZ='Asia/Kathmandu', LC_ALL='POSIX', LANG='de_DE.UTF-8')
    return subprocess.run(
        ['unik-convert', '-f', fmt, *args, 'layer:' + source, 'image:' + out],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env=env, umask=0o077 if other else 0o022)


def readers(fmt, nrows):
    if fmt == 'iso':
        return ['bsdtar']
    if not readimg.can_mount():
        return ['debugfs']
    # which takes a command an entry
    return ['mount'] if nrows > 5000 else ['debugfs', 'mount']


def problems_of_image(out, fmt, lines):
    if fmt == 'ext2':
        p = subprocess.run(['e2fsck', '-fn', out], stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT)
        if p.returncode != 0:
            yield 'e2fsck: ' + p.stdout.decode('latin-1')
    want = wanted_tree(lines, fmt)
    for how in readers(fmt, len(want)):
        try:
            got = readimg.HOW[how](out)
        except readimg.Unreadable as e:
            yield str(e)
            continue
        for line in readimg.differences(fmt, how, want, got)[:20]:
            yield '%s: %s' % (how, line)


def check_accepted(case, fmt, want, source, work):
    verdict, text, args, lines = want
    out, again = os.path.join(work, 'out'), os.path.join(work, 'again')
    p = convert(source, out, fmt, args)
    err = p.stderr.decode('utf-8', 'replace')
    if p.returncode != 0:
        yield 'exit %d: %s' % (p.returncode, err.strip())
        return
    if p.stderr and not all(re.match('unik-convert: .*', x)
                            for x in err.splitlines()):
        yield 'stderr: ' + err
    if verdict == 'warn' and text not in err:
        yield 'no warning that says %r: %s' % (text, err)
    yield from problems_of_image(out, fmt, lines)
    if not case.filters:
        packed = source + '.gz'
        with open(packed, 'wb') as f:
            subprocess.run(['gzip', '-1nc', source], stdout=f, check=True)
        source = packed
    p = convert(source, again, fmt, args, other=True)
    if p.returncode != 0:
        yield 'packed: exit %d: %s' % (p.returncode, p.stderr.decode())
    elif subprocess.run(['cmp', '-s', out, again]).returncode != 0:
        yield 'the bytes differ when packed, elsewhere in the world'


def check_rejected(fmt, want, source, work):
    _, text, args, _ = want
    out = os.path.join(work, 'out')
    p = convert(source, out, fmt, args)
    err = p.stderr.decode('utf-8', 'replace')
    if p.returncode != 1:
        yield 'exit %d instead of 1: %s' % (p.returncode, err.strip())
    elif not re.fullmatch('unik-convert: [^\n]+\n', err):
        yield 'not one line: %r' % err
    elif text not in err:
        yield 'does not say %r: %s' % (text, err.strip())
    if glob.glob(glob.escape(work) + '/out*'):
        yield 'something is left under the name of the image'


def check(case, fmt):
    want = want_of(case, fmt)
    if want is None:
        return None
    with tempfile.TemporaryDirectory() as work:
        source = make_tar(case, work)
        if want[0] in ('ok', 'warn'):
            bad = check_accepted(case, fmt, want, source, work)
        elif want[0] == 'reject':
            bad = check_rejected(fmt, want, source, work)
        else:
            raise mktar.Bad('%s: unknown verdict %r' % (case.name, want[0]))
        return list(bad)


def main():
    if len(sys.argv) < 3 or sys.argv[1] not in ('iso', 'ext2'):
        sys.exit(__doc__)
    only = os.environ.get('CASE')
    for path in sys.argv[2:]:
        for case in parse(path):
            if only and not re.fullmatch(only, case.name):
                continue
            bad = check(case, sys.argv[1])
            if bad is None:
                continue
            print('%sok - %s: %s (%s):%s' % ('not ' if bad else '',
                                             os.path.basename(path)[:-4],
                                             case.name, sys.argv[1],
                                             case.text))
            for text in bad:
                print('\n'.join('# ' + x for x in text.splitlines()))


if __name__ == '__main__':
    main()
