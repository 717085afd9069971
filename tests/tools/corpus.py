#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the shared corpus of images and layers: corpus.py FOLDER images|layers

Prints TAP without the plan.  `ok` must give what the references give,
`reject` must be refused with exit 1, one line and nothing written, `either`
must do one of the two.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

import readimg
import treelib

FORMATS = ('ext2', 'iso')


def report(name, bad):
    print('%sok - %s' % ('not ' if bad else '', name))
    for text in bad:
        print('\n'.join('# ' + x for x in text.splitlines()[:30]))


def convert(*args):
    return subprocess.run(['unik-convert', '-q', *args],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)


def files_below(top):
    return [os.path.join(d, f) for d, _, names in os.walk(top) for f in names]


def refused(p, top):
    """What is wrong with a refusal."""
    err = p.stderr.decode('utf-8', 'replace')
    if p.returncode != 1:
        yield 'exit %d: %s' % (p.returncode, err)
    if not re.fullmatch('unik-convert: [^\n]+\n', err):
        yield 'not one line: %r' % err
    for path in files_below(top):
        yield 'written: ' + path


# ---- images ----

def stack_of(p):
    """format -> (digests of the layers, images), base first."""
    out = {}
    for line in p.stdout.decode().splitlines():
        m = json.loads(line)
        out[m['format']] = ([x['diff_id'] for x in m['layers']],
                            [x['image'] for x in m['stack']])
    return out


def accepted_image(p, case, seen, store):
    stacks = stack_of(p)
    for fmt in FORMATS:
        layers, images = stacks.get(fmt, ([], []))
        if case.get('layers') and layers != case['layers']:
            yield '%s: layers %s' % (fmt, layers)
        for layer, image in zip(layers, images):
            name = '%s/images/%s.%s' % (store, image.replace(':', '-'), fmt)
            if not os.path.exists(name):
                yield 'no ' + name
            if seen.setdefault((layer, fmt), image) != image:
                yield '%s, %s: %s here, %s before' % (
                    layer, fmt, image, seen[layer, fmt])


def check_image(top, name, case, seen):
    with tempfile.TemporaryDirectory() as work:
        store = work + '/store'
        p = convert('--json', '-f', 'ext2', '-f', 'iso', '--platform',
                    case['platform'], os.path.join(top, 'images', name), store)
        if p.returncode == 0 and case['expected'] != 'reject':
            return list(accepted_image(p, case, seen, store))
        if case['expected'] == 'ok':
            return ['exit %d: %s' % (p.returncode, p.stderr.decode())]
        return list(refused(p, store))


def run_images(top):
    with open(os.path.join(top, 'images.json')) as f:
        cases = json.load(f)
    seen = {}
    for name, case in sorted(cases.items()):
        report('image %s: %s' % (name, case['why']),
               check_image(top, name, case, seen))


# ---- layers ----

def seconds(row):
    """The trees' times of 128-byte inodes have no nanoseconds."""
    if row.get('mtime') and '.' not in row['mtime']:
        return dict(row, mtime=row['mtime'] + '.000000000')
    return row


def reference(top, case):
    """Rows of the layer alone, without whiteouts; fields that may differ."""
    rows = [seconds(r) for r in treelib.load(os.path.join(top, case['tree']))]
    rows = [{k: v for k, v in r.items() if k != 'opaque'} for r in rows
            if r['type'] != 'whiteout']
    for r in rows:  # what an extracted tree says of times it made up
        if r.get('mtime') in ('now', 'now.000000000', None):
            r['mtime'] = 'any'
    return rows


def is_whiteout(row):
    return row['path'].rpartition('/')[2].startswith('.wh.')


def compare(fmt, how, want, image, loose):
    try:
        got = readimg.HOW[how](image)
    except readimg.Unreadable as e:
        return ['%s: %s' % (how, e)]
    got = [r for r in got if not is_whiteout(r)]
    if '*' in loose:
        return []
    if want[0]['mtime'] == 'any':  # not of the layer: the reference's own root
        want, got = want[1:], got[1:]
    return ['%s: %s' % (how, x)
            for x in readimg.differences(fmt, how, want, got, loose)]


def accepted_layer(top, case, fmt, image):
    want = reference(top, case) if 'tree' in case else None
    hows = ['bsdtar', 'xorriso'] if fmt == 'iso' else ['debugfs']
    if fmt == 'ext2' and readimg.can_mount():
        hows.append('mount')
    if fmt == 'iso' and os.geteuid() != 0:
        hows.remove('xorriso')
    for how in hows if want else ():
        if readimg.unable(how, want):
            continue
        yield from compare(fmt, how, want, image, case.get('loose', []))
    if fmt == 'ext2':
        p = subprocess.run(['e2fsck', '-fn', image], stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT)
        if p.returncode:
            yield p.stdout.decode('latin-1')


def check_layer(top, case, fmt):
    with tempfile.TemporaryDirectory() as work:
        os.mkdir(work + '/out')
        image = work + '/out/image'
        p = convert('-f', fmt, 'layer:' + os.path.join(top, case['file']),
                    'image:' + image)
        if p.returncode == 0 and case['expected'] != 'reject':
            return list(accepted_layer(top, case, fmt, image))
        if case['expected'] == 'ok':
            return ['exit %d: %s' % (p.returncode, p.stderr.decode())]
        return list(refused(p, work + '/out'))


def run_layers(top):
    with open(os.path.join(top, 'layers.json')) as f:
        cases = json.load(f)
    for name, case in sorted(cases.items()):
        for fmt in FORMATS:
            report('layer %s, %s: %s' % (name, fmt, case['why']),
                   check_layer(top, case, fmt))


def main():
    if len(sys.argv) != 3 or sys.argv[2] not in ('images', 'layers'):
        sys.exit(__doc__)
    (run_images if sys.argv[2] == 'images' else run_layers)(sys.argv[1])


if __name__ == '__main__':
    main()
