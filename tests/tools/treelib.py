#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trees as rows, one a path: dumped, compared.

  treelib.py dump DIR              a row a line, as JSON
  treelib.py compare A B [DROP]    A, B: files of rows; DROP: fields, by commas

A row is a dict: path type mode uid gid mtime, and size sha256 (file), target
(symlink), rdev "major:minor" (char, block), nlink and link (names of one
inode: how many, and the first in order, on the later ones only), xattrs
{name: hex}.  Texts are ASCII, other bytes and the backslash as \\xHH; the
mtime is "seconds.nanoseconds", floored; "." is the root.
"""
import hashlib
import json
import os
import stat
import sys

TYPES = {stat.S_IFREG: 'file', stat.S_IFDIR: 'dir', stat.S_IFLNK: 'symlink',
         stat.S_IFCHR: 'char', stat.S_IFBLK: 'block', stat.S_IFIFO: 'fifo',
         stat.S_IFSOCK: 'socket'}
EMPTY = hashlib.sha256(b'').hexdigest()


def esc(raw):
    return ''.join(chr(c) if 0x20 <= c <= 0x7e and c != 0x5c
                   else '\\x%02x' % c for c in raw)


def unesc(text):
    out = text.encode().split(b'\\x')
    return out[0] + b''.join(bytes([int(p[:2], 16)]) + p[2:] for p in out[1:])


def when(sec, nsec=0):
    return '%d.%09d' % (sec, nsec)


def file_hash(path_or_fd):
    h = hashlib.sha256()
    with open(path_or_fd, 'rb') as f:
        while True:
            data = f.read(1 << 20)
            if not data:
                return h.hexdigest()
            h.update(data)


def new_row(path, kind, mode, uid, gid, mtime):
    row = {'path': esc(path), 'type': kind, 'uid': uid, 'gid': gid,
           'mtime': mtime}
    if kind != 'symlink':
        row['mode'] = '%04o' % (mode & 0o7777)
    return row


def finish(rows, inode_of):
    """Sorts rows (path bytes -> row), fills in nlink and link."""
    groups = {}
    for path in sorted(rows):
        if rows[path]['type'] != 'dir' and inode_of.get(path) is not None:
            groups.setdefault(inode_of[path], []).append(rows[path])
    for group in groups.values():
        for row in group:
            if len(group) > 1:
                row['nlink'] = len(group)
        for row in group[1:]:
            row['link'] = group[0]['path']
    return [rows[path] for path in sorted(rows)]


def read_xattrs(path):
    try:
        names = os.listxattr(path, follow_symlinks=False)
    except OSError:
        return {}
    return {esc(os.fsencode(n)):
            os.getxattr(path, n, follow_symlinks=False).hex()
            for n in names if n != 'security.selinux'}


def dump_entry(dir_fd, name, path):
    st = os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
    kind = TYPES[stat.S_IFMT(st.st_mode)]
    row = new_row(path, kind, st.st_mode, st.st_uid, st.st_gid,
                  when(*divmod(st.st_mtime_ns, 10**9)))
    if kind == 'file':
        row['size'] = st.st_size
        row['sha256'] = file_hash(os.open(name, os.O_RDONLY | os.O_NOFOLLOW,
                                          dir_fd=dir_fd))
    elif kind == 'symlink':
        row['target'] = esc(os.readlink(name, dir_fd=dir_fd))
    elif kind in ('char', 'block'):
        row['rdev'] = '%d:%d' % (os.major(st.st_rdev), os.minor(st.st_rdev))
    xattrs = read_xattrs(b'/proc/self/fd/%d/%s' % (dir_fd, name))
    if xattrs:
        row['xattrs'] = xattrs
    return row, (st.st_dev, st.st_ino)


def dump_dir(top):
    """The rows of a directory tree; open directories, so depth is free."""
    rows, inode_of = {}, {}

    def visit(dir_fd, name, path):
        rows[path], inode_of[path] = dump_entry(dir_fd, name, path)
        if rows[path]['type'] != 'dir':
            return
        fd = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW,
                     dir_fd=dir_fd)
        try:
            for child in os.listdir(fd):
                child = os.fsencode(child)
                visit(fd, child, child if path == b'.' else path + b'/' + child)
        finally:
            os.close(fd)

    sys.setrecursionlimit(10000)
    fd = os.open(top, os.O_RDONLY | os.O_DIRECTORY)
    try:
        visit(fd, b'.', b'.')
    finally:
        os.close(fd)
    return finish(rows, inode_of)


def compare(a, b, drop=(), seconds=False):
    """Lines of what differs.  'any' matches every value of a field."""
    def view(row):
        row = {k: v for k, v in row.items() if k not in drop}
        if seconds and 'mtime' in row:
            row['mtime'] = row['mtime'].split('.')[0]
        return row

    rows_a = {r['path']: view(r) for r in a}
    rows_b = {r['path']: view(r) for r in b}
    out = []
    for path in sorted(set(rows_a) | set(rows_b)):
        x, y = rows_a.get(path), rows_b.get(path)
        if x is None or y is None:
            where = 'second' if x is None else 'first'
            out.append('%s: only in the %s' % (path, where))
            continue
        for key in sorted(set(x) | set(y)):
            u, v = x.get(key), y.get(key)
            if u != v and 'any' not in (u, v):
                out.append('%s: %s: %s | %s' % (path, key, str(u)[:200],
                                                str(v)[:200]))
    return out


def load(path):
    with open(path) as f:
        return [json.loads(line) for line in f]


def save(rows, f):
    for row in rows:
        f.write(json.dumps(row, sort_keys=True) + '\n')


def main():
    args = sys.argv[1:]
    if args[:1] == ['dump'] and len(args) == 2:
        save(dump_dir(args[1]), sys.stdout)
    elif args[:1] == ['compare'] and len(args) in (3, 4):
        drop = args[3].split(',') if len(args) == 4 else ()
        bad = compare(load(args[1]), load(args[2]), drop)
        print('\n'.join(bad[:100]) or 'same')
        sys.exit(1 if bad else 0)
    else:
        sys.exit(__doc__)


if __name__ == '__main__':
    main()
