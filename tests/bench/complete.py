# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an image holds what the layer holds: read back, in a few words.

ext2 and ISO images by our readers (ext2ls, readiso: they are tested against
the kernel and others' tools), squashfs by sqfs2tar and Python's tarfile.
"""
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(1, os.path.join(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))), 'tools'))
import reftar

READERS = {'ext2': ['ext2ls'], 'iso': ['readiso', 'tree'],
           'squashfs': ['sqfs2tar', '-r', '.']}
# a field of a row -> what its loss is called
FIELDS = (('type', 'types'), ('sha256', 'contents'), ('target', 'symlinks'),
          ('rdev', 'device numbers'), ('mode', 'modes'), ('uid', 'owners'),
          ('gid', 'owners'), ('xattrs', 'xattrs'), ('nlink', 'hard links'),
          ('link', 'hard links'), ('mtime', 'times'))


def rows(f):
    return {r['path']: plain(r) for r in map(json.loads, f)}


def plain(row):
    """Our readers say `whiteout`, others say that it is an empty file."""
    if row['path'].rpartition('/')[2].startswith('.wh.'):
        row['type'] = 'whiteout'
        row.pop('sha256', None)
    return row


# GNU tar's last words say only that there were others; these are no errors.
TAR_END = 'Exiting with failure status due to previous errors'
TAR_NOTES = ('tar: Removing leading ', 'time stamp')


def why_line(text):
    """Why a command failed: its last line, or the first error of tar."""
    lines = text.decode('utf-8', 'replace').strip().splitlines()
    if not lines:
        return 'no message'
    why = lines[-1]
    if why == 'tar: ' + TAR_END:
        why = next(x for x in lines if x.startswith('tar: ') and
                   not any(note in x for note in TAR_NOTES))
    return why[-150:]


def read_back(fmt, image, env):
    """The rows of an image, or why it can't be read."""
    with tempfile.TemporaryFile() as err:
        try:
            p = subprocess.Popen(
                [shutil.which(READERS[fmt][0], path=env['PATH']) or '',
                 *READERS[fmt][1:], image], stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=err, env=env)
        except OSError:
            return None, 'not looked at: no ' + READERS[fmt][0]
        with p.stdout as f:
            if fmt == 'squashfs':
                out = {r['path']: plain(r) for r in reftar.read(f)}
                f.read()
            else:
                out = rows(line.decode() for line in f)
        if p.wait() == 0:
            return out, ''
        err.seek(0)
        return None, 'unreadable: ' + why_line(err.read())


def whole_seconds(row):
    return row.get('mtime', '').split('.')[0]


def count_losses(want, got):
    """What is lost -> of how many entries."""
    lost = {}
    for path, a in want.items():
        b = got.get(path)
        if b is None:
            lost['entries'] = lost.get('entries', 0) + 1
            continue
        seen = set()
        for key, name in FIELDS:
            if a.get(key) == b.get(key):
                continue
            if key == 'mtime' and whole_seconds(a) == whole_seconds(b):
                name = 'fractions of seconds'
            seen.add(name)
        for name in seen:
            lost[name] = lost.get(name, 0) + 1
    return lost


@functools.lru_cache(maxsize=8)
def wanted(rows_path):
    with open(rows_path) as f:
        return rows(f)


def judge_one(fmt, image, rows_path, env):
    want = wanted(rows_path)
    got, why = read_back(fmt, image, env)
    if got is None:
        return why, {}
    if fmt == 'ext2':  # both writers of others make it
        got.pop('lost+found', None)
    lost = count_losses(want, got)
    extra = len(set(got) - set(want))
    if extra:
        lost['too many entries'] = extra
    return '', lost


def e2fsck(image, env):
    if shutil.which('e2fsck', path=env['PATH']) is None:
        return ''
    p = subprocess.run(['e2fsck', '-fn', image], stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       env=env)
    return 'e2fsck finds errors' if p.returncode else ''


def judge(fmt, images, rows_paths, env):
    """'complete', or what is missing in the images of these layers; and how
    many entries are not there at all."""
    if len(images) != len(rows_paths):
        return '%d images of %d layers' % (len(images), len(rows_paths)), 0
    total, words = {}, []
    for image, rows_path in zip(images, rows_paths):
        why, lost = judge_one(fmt, image, rows_path, env)
        found = e2fsck(image, env) if fmt == 'ext2' else ''
        words += [x for x in (why, found) if x and x not in words]
        for name, n in lost.items():
            total[name] = total.get(name, 0) + n
    if total:
        words.append('lost or changed: ' + ', '.join(
            '%s (%s)' % (name, format(n, ',')) for name, n in
            sorted(total.items(), key=lambda x: (-x[1], x[0]))))
    return '; '.join(words) or 'complete', total.get('entries', 0)
