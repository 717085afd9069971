#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reference: a well-formed layer tar (or a stack) as rows (treelib.py).

  reftar.py [--apply] TAR...     gzip, xz, bzip2 or plain; zstd through zstd

Reads with Python's tarfile, so that it shares nothing with the library under
test.  One tar: its own tree, whiteouts as the files they are.  With --apply,
base first, whiteouts are carried out (OCI image-spec, layer.md).
"""
import os
import subprocess
import sys
import tarfile

import treelib
from treelib import esc, new_row, when

KINDS = {tarfile.REGTYPE: 'file', tarfile.AREGTYPE: 'file',
         tarfile.CONTTYPE: 'file', tarfile.GNUTYPE_SPARSE: 'file',
         tarfile.DIRTYPE: 'dir', tarfile.SYMTYPE: 'symlink',
         tarfile.CHRTYPE: 'char', tarfile.BLKTYPE: 'block',
         tarfile.FIFOTYPE: 'fifo'}
OPAQUE = b'.wh..wh..opq'


def clean(name):
    parts = [p for p in os.fsencode(name).split(b'/') if p not in (b'', b'.')]
    return b'/'.join(parts) or b'.'


def parent(path):
    return path.rpartition(b'/')[0] or b'.'


def tar_time(member):
    text = member.pax_headers.get('mtime')
    if text is None:
        return when(int(member.mtime))
    sec, _, frac = text.partition('.')
    ns = int(frac[:9].ljust(9, '0')) if frac else 0
    if sec.startswith('-') and ns:
        return when(int(sec) - 1, 10**9 - ns)
    return when(int(sec), ns)


def tar_xattrs(member):
    prefix = 'SCHILY.xattr.'
    return {esc(k[len(prefix):].encode('utf-8', 'surrogateescape')):
            v.encode('utf-8', 'surrogateescape').hex()
            for k, v in member.pax_headers.items() if k.startswith(prefix)}


def tar_row(path, member, stream):
    kind = KINDS[member.type]
    row = new_row(path, kind, member.mode, member.uid, member.gid,
                  tar_time(member))
    if kind == 'file':
        row['size'] = member.size
        h = treelib.hashlib.sha256()
        f = stream.extractfile(member)
        while True:
            data = f.read(1 << 20)
            if not data:
                break
            h.update(data)
        row['sha256'] = h.hexdigest()
    elif kind == 'symlink':
        row['target'] = esc(os.fsencode(member.linkname))
    elif kind in ('char', 'block'):
        row['rdev'] = '%d:%d' % (member.devmajor, member.devminor)
    xattrs = tar_xattrs(member)
    if xattrs:
        row['xattrs'] = xattrs
    return row


class Tree:
    """path -> row, and which paths are one inode."""

    def __init__(self):
        self.rows, self.inode_of, self.number = {}, {}, 0
        self.below = {}  # directory -> set of the paths in it
        self.put(b'.', new_row(b'.', 'dir', 0o755, 0, 0, when(0)))

    def put(self, path, row, inode=None):
        self.number += 1
        self.rows[path] = row
        self.inode_of[path] = self.number if inode is None else inode
        if path != b'.':
            self.below.setdefault(parent(path), set()).add(path)

    def drop(self, path):
        for child in list(self.below.get(path, ())):
            self.drop(child)
        self.below.pop(path, None)
        if path in self.rows:
            del self.rows[path], self.inode_of[path]
            self.below[parent(path)].discard(path)

    def make_parents(self, path):
        up = parent(path)
        if up in self.rows and self.rows[up]['type'] == 'dir':
            return
        if up in self.rows:
            raise ValueError('%r is no directory' % up)
        self.make_parents(up)
        self.put(up, new_row(up, 'dir', 0o755, 0, 0, when(0)))

    def under_other(self, path):
        """Beneath what is no directory: a whiteout there hides nothing."""
        while path != b'.':
            path = parent(path)
            if path in self.rows:
                return self.rows[path]['type'] != 'dir'
        return False

    def add(self, path, row):
        old = self.rows.get(path)
        if old and not (old['type'] == row['type'] == 'dir'):
            self.drop(path)
        self.make_parents(path)
        self.put(path, row)

    def link(self, path, first):
        if path in self.rows:
            self.drop(path)
        self.make_parents(path)
        self.put(path, dict(self.rows[first], path=esc(path)),
                 self.inode_of[first])


def is_whiteout(path):
    return path.rpartition(b'/')[2].startswith(b'.wh.')


def members(tar):
    """(path, row or None, path of the target of a link) in tar order."""
    with tarfile.open(fileobj=tar, mode='r|', encoding='utf-8',
                      errors='surrogateescape') as stream:
        for m in stream:
            if m.islnk():
                yield clean(m.name), None, clean(m.linkname)
            else:
                yield clean(m.name), tar_row(clean(m.name), m, stream), None


def read(tar, tree=None, apply=False):
    """Rows of one tar stream, or of a tree that it is applied to."""
    tree = tree or Tree()
    entries = list(members(tar))
    if apply:
        hide(tree, [path for path, _, _ in entries if is_whiteout(path)])
        entries = [e for e in entries if not is_whiteout(e[0])]
    later = []
    for path, row, target in entries:
        if is_whiteout(path) and tree.under_other(path):
            continue
        if row is not None:
            tree.add(path, row)
        elif target in tree.rows:
            tree.link(path, target)
        else:
            later.append((path, target))
    for path, target in later:
        tree.link(path, target)
    return treelib.finish(tree.rows, tree.inode_of)


def hide(tree, whiteouts):
    """What a layer deletes of the tree below it."""
    for path in whiteouts:
        name = path.rpartition(b'/')[2]
        if name == OPAQUE:
            for child in list(tree.below.get(parent(path), ())):
                tree.drop(child)
        elif not name.startswith(b'.wh..wh.'):
            up = parent(path)
            tree.drop(name[4:] if up == b'.' else up + b'/' + name[4:])


def open_tar(path):
    """A stream of the plain tar; the caller reads it to its end."""
    with open(path, 'rb') as f:
        magic = f.read(6)
    tools = {b'\x1f\x8b': 'gzip', b'\x28\xb5\x2f\xfd': 'zstd',
             b'\xfd7zXZ\0': 'xz', b'BZh': 'bzip2'}
    for head, tool in tools.items():
        if magic.startswith(head):
            return subprocess.Popen([tool, '-dc', path],
                                    stdout=subprocess.PIPE).stdout
    return open(path, 'rb')


def main():
    args = sys.argv[1:]
    apply = args[:1] == ['--apply']
    if apply:
        args = args[1:]
    if not args or (len(args) > 1 and not apply):
        sys.exit(__doc__)
    tree, rows = Tree(), []
    for path in args:
        with open_tar(path) as f:
            rows = read(f, tree, apply)
            f.read()
    treelib.save(rows, sys.stdout)


if __name__ == '__main__':
    main()
