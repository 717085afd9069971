#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a filesystem image with other people's tools, as rows (treelib.py).

  readimg.py HOW IMAGE     mount (root), debugfs, bsdtar, xorriso (root),
                           isoinfo (rows with few fields)
"""
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

import reftar
import treelib
from treelib import esc, new_row, unesc, when

MODES = {0o10: 'file', 0o4: 'dir', 0o12: 'symlink', 0o2: 'char',
         0o6: 'block', 0o1: 'fifo', 0o14: 'socket'}


class Unreadable(Exception):
    """The tool could not read the image, or reported a problem."""


def run(cmd, ok=(0,), **kw):
    p = subprocess.run(cmd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, **kw)
    if p.returncode not in ok:
        raise Unreadable('%s: exit %d: %s' % (
            cmd[0], p.returncode, p.stderr.decode('latin-1').strip()[-300:]))
    return p


# ---- by the kernel ----

def can_mount():
    return os.geteuid() == 0 and os.path.exists('/dev/loop-control')


def by_mount(image):
    where = tempfile.mkdtemp()
    try:
        run(['mount', '-o', 'loop,ro', '-t', 'ext4', image, where])
        try:
            return treelib.dump_dir(where)
        finally:
            run(['umount', where])
    finally:
        os.rmdir(where)


# ---- ext2 by debugfs, without root ----

def debugfs(image, commands, work):
    """Runs commands; the output of each, as bytes."""
    script = os.path.join(work, 'commands')
    with open(script, 'wb') as f:
        f.write(b''.join(c + b'\n' for c in commands))
    # Stops at nothing: a failure shows in the output.
    out = run(['debugfs', '-f', script, image]).stdout
    parts = []
    at = 0
    for c in commands:
        mark = b'debugfs: ' + c + b'\n'
        at = out.index(mark, at) + len(mark)
        parts.append(at)
    ends = [p - len(b'debugfs: ' + c + b'\n')
            for p, c in zip(parts[1:], commands[1:])] + [len(out)]
    return [out[a:b] for a, b in zip(parts, ends)]


LS_RE = re.compile(rb'/(\d+)/(\d{6})/(-?\d+)/(-?\d+)/([^/]*)/(\d*)/\n')


def debugfs_names(image, work):
    """path -> inode number, by whole levels of directories."""
    names, level = {b'.': 2}, {b'.': 2}
    while level:
        below = {}
        outs = debugfs(image, [b'ls -p <%d>' % i for i in level.values()],
                       work)
        for path, out in zip(level, outs):
            for m in LS_RE.finditer(out):
                if m.group(5) in (b'.', b'..') or m.group(1) == b'0':
                    continue
                child = m.group(5) if path == b'.' else \
                    path + b'/' + m.group(5)
                names[child] = int(m.group(1))
                if int(m.group(2), 8) >> 12 == 0o4:
                    below[child] = int(m.group(1))
        level = below
    return names


def find(pattern, text, flags=0):
    m = re.search(pattern, text, flags)
    if not m:
        raise Unreadable('debugfs: no %r in %r' % (pattern, text[:300]))
    return m


def debugfs_time(stat):
    m = find(rb'mtime: 0x([0-9a-f]{8})(?::([0-9a-f]{8}))?', stat)
    sec = int(m.group(1), 16)
    sec -= (sec & 0x80000000) << 1
    extra = int(m.group(2) or b'0', 16)
    return when(sec + ((extra & 3) << 32), extra >> 2)


KINDS = {b'regular': 'file', b'directory': 'dir', b'symlink': 'symlink',
         b'character special': 'char', b'block special': 'block',
         b'FIFO': 'fifo', b'socket': 'socket'}


def debugfs_row(path, stat):
    m = find(rb'Type: (.+?)\s+Mode:\s+(\d+)', stat)
    kind = KINDS[m.group(1)]
    owner = find(rb'User:\s*(-?\d+)\s+Group:\s*(-?\d+)', stat)
    row = new_row(path, kind, int(m.group(2), 8),
                  int(owner.group(1)) & 0xffffffff,
                  int(owner.group(2)) & 0xffffffff, debugfs_time(stat))
    if kind == 'file':
        row['size'] = int(find(rb'Size: (\d+)', stat).group(1))
    elif kind in ('char', 'block'):
        m = find(rb'major/minor number: (\d+):(\d+)', stat)
        row['rdev'] = '%d:%d' % (int(m.group(1)), int(m.group(2)))
    elif kind == 'symlink':
        m = re.search(rb'Fast link dest: "(.*)"\n', stat, re.S)
        if m:
            row['target'] = esc(m.group(1))
    return row


def debugfs_contents(image, work, want):
    """inode -> bytes in a file; the caller reads and removes."""
    cmds = [b'dump <%d> %s/data-%d' % (i, work.encode(), i) for i in want]
    for out in debugfs(image, cmds, work):
        if out.strip():
            raise Unreadable('debugfs: %s' % out.decode('latin-1').strip())


XATTR_RE = re.compile(rb'^  (.+?) \((\d+)\)', re.M)


def posix_acl(raw):
    """An ACL as ext2 stores it -> as the kernel shows it (debugfs' own
    conversion leaves out the ids of those who have none)."""
    out, at = struct.pack('<I', 2), 4
    while at < len(raw):
        tag, perm = struct.unpack_from('<HH', raw, at)
        named = tag in (2, 8)
        ident = raw[at + 4:at + 8] if named else b'\xff' * 4
        out += struct.pack('<HH', tag, perm) + ident
        at += 8 if named else 4
    return out


def debugfs_xattrs(image, work, inodes):
    out = {}
    listed = debugfs(image, [b'ea_list <%d>' % i for i in inodes], work)
    todo = [(i, name, int(n)) for i, text in zip(inodes, listed)
            for name, n in XATTR_RE.findall(text)]
    debugfs(image, [b'ea_get -r -f %s/xattr-%d <%d> "%s"' % (
        work.encode(), k, i, name) for k, (i, name, _) in enumerate(todo)],
        work)
    for k, (i, name, n) in enumerate(todo):
        with open('%s/xattr-%d' % (work, k), 'rb') as f:
            value = f.read()
        if len(value) != n:
            raise Unreadable('debugfs: xattr %r of %d bytes' % (name, n))
        if name.startswith(b'system.posix_acl_'):
            value = posix_acl(value)
        out.setdefault(i, {})[esc(name)] = value.hex()
    return out


def by_debugfs(image):
    work = tempfile.mkdtemp()
    try:
        names = debugfs_names(image, work)
        inodes = sorted(set(names.values()))
        stats = dict(zip(inodes, debugfs(
            image, [b'stat <%d>' % i for i in inodes], work)))
        with_xattrs = debugfs_xattrs(image, work, inodes)
        rows = {p: debugfs_row(p, stats[i]) for p, i in names.items()}
        data = {names[p] for p, r in rows.items()
                if r['type'] == 'file' or
                (r['type'] == 'symlink' and 'target' not in r)}
        debugfs_contents(image, work, sorted(data))
        for path, row in rows.items():
            held = '%s/data-%d' % (work, names[path])
            if row['type'] == 'file':
                row['sha256'] = treelib.file_hash(held)
            elif row['type'] == 'symlink' and 'target' not in row:
                with open(held, 'rb') as f:
                    row['target'] = esc(f.read())
            if names[path] in with_xattrs:
                row['xattrs'] = with_xattrs[names[path]]
        return treelib.finish(rows, names)
    finally:
        shutil.rmtree(work)


# ---- ISO by libarchive: the image becomes a pax stream, without root ----

# libarchive takes nothing shorter for an ISO 9660 image.
BSDTAR_MIN = 49152


def by_bsdtar(image):
    if os.path.getsize(image) < BSDTAR_MIN:
        with tempfile.NamedTemporaryFile() as f:
            shutil.copyfile(image, f.name)
            os.truncate(f.name, BSDTAR_MIN)
            return by_bsdtar(f.name)
    with tempfile.TemporaryFile() as err:
        p = subprocess.Popen(['bsdtar', '-cf', '-', '--format=pax',
                              '--options=hdrcharset=BINARY', '@' + image],
                             stdout=subprocess.PIPE, stderr=err)
        rows = reftar.read(p.stdout)
        p.stdout.read()
        p.stdout.close()
        if p.wait() != 0:
            err.seek(0)
            raise Unreadable('bsdtar: ' + err.read().decode('latin-1'))
    return rows


# ---- ISO by xorriso: extracted, as root, with owners and devices ----

def by_xorriso(image):
    where = tempfile.mkdtemp()
    try:
        run(['xorriso', '-abort_on', 'SORRY', '-report_about', 'SORRY',
             '-osirrox', 'device_files:auto_chmod_on', '-hardlinks', 'on',
             '-indev', image, '-extract', '/', where + '/x'])
        return treelib.dump_dir(where + '/x')
    finally:
        run(['rm', '-rf', where])


# ---- ISO by isoinfo: the Rock Ridge attributes as it lists them ----

ISOINFO_RE = re.compile(
    rb'^([-dlcbfs])([-rwx]{9})\s+(\d+)\s+([0-7]+)\s+([0-7]+)\s+(\d+) '
    rb'.{11,12} \[\s*\d+ \d\d\] +(.*?) *$')


def by_isoinfo(image):
    """Type, permission bits, uid, gid and size only."""
    kinds = {b'-': 'file', b'd': 'dir', b'l': 'symlink', b'c': 'char',
             b'b': 'block', b'f': 'fifo', b's': 'socket'}
    rows, here = {}, b''
    for line in run(['isoinfo', '-R', '-l', '-i', image]).stdout.split(b'\n'):
        if line.startswith(b'Directory listing of '):
            here = line[len(b'Directory listing of '):].strip(b'/')
            continue
        m = ISOINFO_RE.match(line)
        if not m:
            continue
        kind, name = kinds[m.group(1)], m.group(7)
        if kind == 'symlink':
            name = name.split(b' -> ')[0]
        if name == b'..' or (name == b'.' and here):
            continue
        path = name if not here else here + b'/' + name
        mode = int(''.join('01'[c != 45] for c in m.group(2)), 2)
        row = new_row(path, kind, mode, int(m.group(4), 8),
                      int(m.group(5), 8), 'any')
        if kind == 'file':
            row['size'] = int(m.group(6))
        rows[path] = row
    return [rows[p] for p in sorted(rows)]


# ---- what can be compared ----

ISO_FIRST, ISO_LAST = -2208988800, 5869583999  # years 1900 to 2155


def as_iso(row):
    """What ISO 9660 holds of a row: no xattrs, whole seconds, 256 years."""
    row = {k: v for k, v in row.items() if k != 'xattrs'}
    if row['mtime'] != 'any':
        sec = int(row['mtime'].split('.')[0])
        row['mtime'] = when(min(max(sec, ISO_FIRST), ISO_LAST))
    return row


def large_rdev(row):
    """libarchive and libisofs join the halves otherwise than Linux does."""
    return 'rdev' in row and max(map(int, row['rdev'].split(':'))) > 255


def relocated(row):
    """libarchive hides a directory of this name where it is empty."""
    return row['path'].split('/')[0] == 'rr_moved'


def quirks_of_bsdtar(row):
    if row['mtime'] == when(-1):  # timegm(3)'s error value, taken for one
        row['mtime'] = 'any'
    if row['type'] in ('char', 'block', 'fifo'):  # some of the hard links
        row['nlink'] = row['link'] = 'any'
    if large_rdev(row):
        row['rdev'] = 'any'


def quirks_of_xorriso(row):
    if row['type'] == 'symlink':  # restored without their times
        row['mtime'] = 'any'


def unable(how, rows):
    """Why a tool can't read an image that holds the rows; None: it can."""
    if how == 'xorriso':
        if any(large_rdev(r) for r in rows):
            return 'xorriso can not make its devices'
        if any(len(unesc(r.get('target', ''))) > 1023 for r in rows):
            return 'libisofs takes no symlinks over 1023 bytes'
    return None


def as_isoinfo(row):
    row = dict({k: row[k] for k in ('path', 'type', 'uid', 'gid', 'size',
                                    'mode') if k in row}, mtime='any')
    if 'mode' in row:
        row['mode'] = '0' + row['mode'][1:]
    return row


def told_by_isoinfo(row):
    """A line a name, and columns that must not touch."""
    return '\\x' not in row['path'] and max(row['uid'], row['gid']) < 4096


def view(fmt, how, rows):
    """The rows that a tool shows of an image that holds `rows`."""
    if fmt == 'iso':
        rows = [as_iso(r) for r in rows]
    if how == 'bsdtar':
        rows = [r for r in rows if not relocated(r)]
        for row in rows:
            quirks_of_bsdtar(row)
    elif how == 'xorriso':
        for row in rows:
            quirks_of_xorriso(row)
    elif how == 'isoinfo':
        rows = [as_isoinfo(r) for r in rows if told_by_isoinfo(r)]
    return rows


def differences(fmt, how, want, got, drop=()):
    if how == 'bsdtar':
        got = [r for r in got if not relocated(r)]
    if how == 'isoinfo':
        got = [r for r in got if told_by_isoinfo(r)]
    return treelib.compare(view(fmt, how, want), got, drop,
                           seconds=fmt == 'iso')


HOW = {'mount': by_mount, 'debugfs': by_debugfs, 'bsdtar': by_bsdtar,
       'xorriso': by_xorriso, 'isoinfo': by_isoinfo}


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in HOW:
        sys.exit(__doc__)
    try:
        treelib.save(HOW[sys.argv[1]](sys.argv[2]), sys.stdout)
    except Unreadable as e:
        sys.exit('readimg: %s' % e)


if __name__ == '__main__':
    main()
