#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Property test of stacks: random layer sequences, converted and mounted.

  stackprop.py SEED COUNT DIR      prints TAP for COUNT seeds from SEED on

For each seed it makes layers (adds, replacements, type changes, deletions,
opaque directories, hard links, implied parents), applies them by the rules of
the OCI image-spec in Python, and compares
  flat     the image, mounted
  linux    the images, mounted by loop, laid over each other by overlayfs
  rumprun  the images under a model of a NetBSD read-only union: equal names,
           the highest wins; a directory can be entered only if every image
           above the one that holds it carries it too; no whiteouts
Needs root, loop devices and overlayfs.
"""
import hashlib
import io
import json
import os
import random
import shutil
import subprocess
import sys
import tarfile

import treelib

NAMES = ['a', 'b', 'c', 'd', 'e']
EMPTY = hashlib.sha256(b'').hexdigest()


# ---- layers ----

class Layer:
    def __init__(self, rng, view):
        self.rng = rng
        self.view = view          # path -> type, what lower layers show
        self.entries = []         # TarInfo, data
        self.made = {}            # path -> type, of this layer
        self.gone = set()         # paths hidden by this layer's whiteouts
        self.targets = set()      # of its hard links: they stay

    def info(self, path, kind):
        t = tarfile.TarInfo(path)
        t.type = kind
        t.mode = self.rng.choice([0o644, 0o755, 0o600, 0o700, 0o4755, 0o1777])
        t.uid = self.rng.choice([0, 0, 1000, 70000])
        t.gid = self.rng.choice([0, 0, 50, 5000000])
        ns = self.rng.choice([0, 0, 123456789])
        t.mtime = self.rng.randrange(0, 1 << 31)
        if ns:
            t.pax_headers['mtime'] = '%d.%09d' % (t.mtime, ns)
        if self.rng.random() < 0.2 and kind in (tarfile.REGTYPE,
                                                tarfile.DIRTYPE):
            t.pax_headers['SCHILY.xattr.user.k'] = \
                'v%d' % self.rng.randrange(4)
        return t

    def kind(self, path):
        """What stands at a path now: of this layer, or below."""
        if path in self.made:
            return self.made[path]
        p = path
        while p:
            if p in self.gone or self.made.get(p, 'dir') != 'dir':
                return None
            p = os.path.dirname(p)
        return self.view.get(path)

    def parent_ok(self, path):
        p = os.path.dirname(path)
        while p:
            if self.kind(p) not in (None, 'dir'):
                return False
            p = os.path.dirname(p)
        return True

    def pick(self):
        depth = self.rng.choice([1, 1, 2, 2, 3])
        return '/'.join(self.rng.choice(NAMES) for _ in range(depth))

    def put(self, t, data=b''):
        t.size = len(data)
        self.entries.append((t, data))

    def add(self):
        path = self.pick()
        if path in self.made or not self.parent_ok(path):
            return
        if any((t + '/').startswith(path + '/') for t in self.targets):
            return
        kind = self.rng.choice(['file'] * 4 + ['dir'] * 3 +
                               ['symlink', 'char', 'fifo', 'link'])
        if any(p.startswith(path + '/') for p in self.made):
            if kind != 'dir':
                return
        if kind == 'link':
            return self.add_link(path)
        code = {'file': tarfile.REGTYPE, 'dir': tarfile.DIRTYPE,
                'symlink': tarfile.SYMTYPE, 'char': tarfile.CHRTYPE,
                'fifo': tarfile.FIFOTYPE}[kind]
        t = self.info(path, code)
        data = b''
        if kind == 'file':
            data = bytes([self.rng.randrange(256)]) * self.rng.choice(
                [0, 1, 5000])
        if kind == 'symlink':
            t.linkname = self.rng.choice(['nowhere', '../x', '/abs'])
        if kind == 'char':
            t.devmajor, t.devminor = 1, self.rng.choice([3, 300])
        self.put(t, data)
        self.made[path] = kind
        self.imply(path)

    def imply(self, path):
        p = os.path.dirname(path)
        while p and p not in self.made and self.kind(p) is None:
            self.made[p] = 'dir'
            p = os.path.dirname(p)

    def add_link(self, path):
        own = [p for p, k in self.made.items() if k == 'file']
        low = [p for p, k in self.view.items()
               if k == 'file' and self.kind(p) == 'file' and
               p not in self.made]
        pool = own * 3 + low
        if not pool:
            return
        target = self.rng.choice(pool)
        if (target + '/').startswith(path + '/') or \
                path.startswith(target + '/'):
            return
        t = self.info(path, tarfile.LNKTYPE)
        t.pax_headers = {}
        t.linkname = target
        self.put(t)
        self.targets.add(target)
        self.made[path] = 'file' if target in own else 'lowlink'
        self.imply(path)

    def delete(self):
        pool = [p for p in self.view if self.kind(p) is not None and
                p not in self.made and self.parent_ok(p)]
        pool = [p for p in pool if not any(
            (m + '/').startswith(p + '/')
            for m in [*self.made, *self.targets])]
        if not pool:
            return
        path = self.rng.choice(pool)
        d, n = os.path.split(path)
        t = self.info(os.path.join(d, '.wh.' + n), tarfile.REGTYPE)
        t.pax_headers = {}
        self.put(t)
        self.gone.add(path)
        # Perhaps something new of that name, in the same layer.
        if self.rng.random() < 0.4:
            kind = self.rng.choice([tarfile.DIRTYPE, tarfile.REGTYPE])
            self.put(self.info(path, kind))
            self.made[path] = 'dir' if kind == tarfile.DIRTYPE else 'file'

    def opaque(self):
        pool = [p for p, k in self.view.items()
                if k == 'dir' and self.kind(p) == 'dir' and self.parent_ok(p)
                and p not in self.made and not any(
                    m.startswith(p + '/')
                    for m in [*self.made, *self.targets])]
        if not pool:
            return
        path = self.rng.choice(pool)
        if self.rng.random() < 0.7:
            self.put(self.info(path, tarfile.DIRTYPE))
            self.made[path] = 'dir'
        t = self.info(path + '/.wh..wh..opq', tarfile.REGTYPE)
        t.pax_headers = {}
        self.put(t)
        for p in self.view:
            if p.startswith(path + '/'):
                self.gone.add(p)


def make_layer(rng, view):
    layer = Layer(rng, view)
    for _ in range(rng.randrange(1, 9)):
        rng.choice([layer.add] * 5 + [layer.delete] * 2 + [layer.opaque])()
    return layer.entries


def tar_bytes(entries):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w', format=tarfile.PAX_FORMAT) as t:
        for info, data in entries:
            t.addfile(info, io.BytesIO(data))
    return out.getvalue()


# ---- the reference: OCI image-spec, layer.md, "Applying Changesets" ----

def dir_node():
    return {'type': 'dir', 'mode': '0755', 'uid': 0, 'gid': 0,
            'mtime': '0.000000000'}


def drop(state, path, below_only=False):
    for p in list(state):
        if p.startswith(path + '/') or (p == path and not below_only):
            del state[p]


def node_of(info, data):
    kinds = {tarfile.REGTYPE: 'file', tarfile.DIRTYPE: 'dir',
             tarfile.SYMTYPE: 'symlink', tarfile.CHRTYPE: 'char',
             tarfile.FIFOTYPE: 'fifo'}
    mtime = info.pax_headers.get('mtime', str(int(info.mtime)))
    if '.' not in mtime:
        mtime += '.000000000'
    n = {'type': kinds[info.type], 'uid': info.uid, 'gid': info.gid,
         'mtime': mtime}
    if n['type'] != 'symlink':
        n['mode'] = '%04o' % info.mode
    if n['type'] == 'file':
        n['size'] = len(data)
        n['sha256'] = hashlib.sha256(data).hexdigest()
    if n['type'] == 'symlink':
        n['target'] = info.linkname
    if n['type'] == 'char':
        n['rdev'] = '%d:%d' % (info.devmajor, info.devminor)
    x = info.pax_headers.get('SCHILY.xattr.user.k')
    if x:
        n['xattrs'] = {'user.k': x.encode().hex()}
    return n


def apply_layer(state, entries):
    """state: path -> node; hard links share the node object."""
    for info, _ in entries:
        d, n = os.path.split(info.name)
        if n == '.wh..wh..opq':
            drop(state, d, below_only=True)
        elif n.startswith('.wh.'):
            drop(state, os.path.join(d, n[4:]))
    for info, data in entries:
        path = info.name
        d = os.path.dirname(path)
        missing = []
        while d and d not in state:
            missing.append(d)
            d = os.path.dirname(d)
        for d in reversed(missing):
            state[d] = dir_node()
        if os.path.basename(path).startswith('.wh.'):
            continue
        if info.type == tarfile.LNKTYPE:
            node = state[info.linkname]
        else:
            node = node_of(info, data)
        if not (node['type'] == 'dir' and
                state.get(path, {}).get('type') == 'dir'):
            drop(state, path)
        state[path] = node


def rows_of(state):
    rows, inodes = {}, {}
    root = dir_node()
    root['path'] = '.'
    rows[b'.'] = root
    for p, n in state.items():
        r = dict(n)
        r['path'] = p
        rows[p.encode()] = r
        if n['type'] != 'dir':
            inodes[p.encode()] = id(n)
    return treelib.finish(rows, inodes)


# ---- the union of rumprun ----

class NotEnterable(Exception):
    pass


def union(images):
    """images: bottom to top, each path -> row.  -> path -> (row, image)"""
    out = {}

    def children(rows, path):
        pre = '' if path == '.' else path + '/'
        return {p[len(pre):] for p in rows if p.startswith(pre) and
                p != '.' and p != path and '/' not in p[len(pre):]}

    def visit(path, entered):
        names = {}
        for i in entered:          # top to bottom
            for n in children(images[i], path):
                names.setdefault(n, i)
        for n, i in names.items():
            p = n if path == '.' else path + '/' + n
            row = images[i][p]
            out[p] = (row, i)
            if row['type'] != 'dir':
                continue
            if i != entered[0]:
                raise NotEnterable(p)
            below = []
            for j in entered:
                if images[j].get(p, {}).get('type') != 'dir':
                    break
                below.append(j)
            # Whatever lies under an image that lacks the directory is lost.
            visit(p, below)

    top = list(range(len(images)))[::-1]
    out['.'] = (images[top[0]]['.'], top[0])
    visit('.', top)
    return out


# ---- conversion and mounts ----

def docker_archive(path, tars):
    diffs = ['sha256:' + hashlib.sha256(t).hexdigest() for t in tars]
    config = json.dumps({'architecture': 'amd64', 'os': 'linux', 'config': {},
                         'rootfs': {'type': 'layers', 'diff_ids': diffs}})
    files = [('l%d.tar' % i, t) for i, t in enumerate(tars)]
    files.append(('config.json', config.encode()))
    files.append(('manifest.json', json.dumps([{
        'Config': 'config.json', 'RepoTags': ['prop:1'],
        'Layers': ['l%d.tar' % i for i in range(len(tars))]}]).encode()))
    with tarfile.open(path, 'w') as t:
        for name, data in files:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))


def convert(work, target):
    store = os.path.join(work, 'store')
    p = subprocess.run(['unik-convert', '--json', '--target=' + target,
                        '-f', 'ext2', work + '/in.tar', store],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if p.returncode:
        raise RuntimeError('%s: exit %d: %s' % (target, p.returncode,
                                                p.stderr.decode()[:300]))
    m = json.loads(p.stdout)
    return [os.path.join(store, 'images', s['image'].replace(':', '-') +
                         '.ext2') for s in m['stack']]


class Mounts:
    def __init__(self, work):
        self.work, self.done, self.loops, self.n = work, [], [], 0

    def mount(self, *args):
        d = os.path.join(self.work, 'm%d' % self.n)
        self.n += 1
        os.makedirs(d)
        subprocess.run(['mount', *args, d], check=True)
        self.done.append(d)
        return d

    def image(self, path):
        # A device of its own each time: `mount -o loop` would share it, and
        # overlayfs refuses one filesystem twice (a layer that comes again).
        dev = subprocess.run(['losetup', '--find', '--show', '--read-only',
                              path], stdout=subprocess.PIPE,
                             check=True).stdout.decode().strip()
        self.loops.append(dev)
        return self.mount('-t', 'ext2', '-o', 'ro', dev)

    def release(self):
        for d in reversed(self.done):
            subprocess.run(['umount', d], check=True)
        for dev in self.loops:
            subprocess.run(['losetup', '-d', dev], check=True)


def dump(d):
    return treelib.dump_dir(d)


def compare(want, got, drop_dirs=()):
    a = {r['path']: r for r in want if r['path'] != '.'}
    b = {r['path']: r for r in got if r['path'] != '.' and
         r['path'] not in drop_dirs}
    out = []
    for p in sorted(set(a) | set(b)):
        if a.get(p) != b.get(p):
            out.append('%s: want %s got %s' % (p, a.get(p), b.get(p)))
    return out


def check_flat(work, want, mounts):
    images = convert(work, 'flat')
    if len(images) != 1:
        return ['%d images' % len(images)]
    return compare(want, dump(mounts.image(images[0])))


def check_linux(work, want, mounts):
    dirs = [mounts.image(i) for i in convert(work, 'linux')]
    if len(dirs) == 1:
        dirs.insert(0, mounts.mount('-t', 'tmpfs', 'none'))
    top = mounts.mount('-t', 'overlay', '-o', 'ro,lowerdir=' +
                       ':'.join(reversed(dirs)), 'none')
    return compare(want, dump(top))


def check_rumprun(work, want, mounts):
    images = convert(work, 'rumprun')
    if len(images) > 9:
        return ['%d images' % len(images)]
    rows = [{r['path']: r for r in dump(mounts.image(i))} for i in images]
    try:
        seen = union(rows)
    except NotEnterable as e:
        return ['%s can not be entered' % e]
    state, shared = {}, {}
    for p, (row, image) in seen.items():
        if p == '.':
            continue
        # Names of one inode of one image share their node.
        key = (image, row.get('link', p))
        node = {k: v for k, v in row.items()
                if k not in ('path', 'link', 'nlink')}
        state[p] = shared.setdefault(key, node)
    got = rows_of(state)
    have = {r['path'] for r in want}
    extra = [d for d in ('dev', 'tmp') if d not in have]
    return compare(want, got, extra)


def one(seed, base):
    rng = random.Random(seed)
    work = os.path.join(base, 's%d' % seed)
    os.makedirs(work)
    state, tars = {}, []
    for _ in range(rng.randrange(2, 13)):
        view = {p: n['type'] for p, n in state.items()}
        entries = make_layer(rng, view)
        apply_layer(state, entries)
        tars.append(tar_bytes(entries))
    docker_archive(work + '/in.tar', tars)
    want = rows_of(state)
    bad = []
    for name, check in (('flat', check_flat), ('linux', check_linux),
                        ('rumprun', check_rumprun)):
        mounts = Mounts(os.path.join(work, name))
        try:
            bad += ['%s: %s' % (name, d) for d in check(work, want, mounts)]
        except RuntimeError as e:
            bad.append(str(e))
        finally:
            mounts.release()
    if not bad:
        shutil.rmtree(work)
    return bad


def main():
    seed, count, base = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    failed = 0
    for i in range(count):
        bad = one(seed + i, base)
        print('%sok %d - stack of seed %d' % ('not ' if bad else '', i + 1,
                                              seed + i))
        for line in bad[:8]:
            print('#   ' + line[:400])
        failed += bool(bad)
    print('1..%d' % count)
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
