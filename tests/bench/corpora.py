# SPDX-License-Identifier: GPL-3.0-or-later
"""What the benchmarks convert: layers, plain and compressed, made once.

A corpus is a directory of the cache: NN.tar, NN.tar.gz, NN.tar.zst, NN.rows
(what the layer holds, as rows of treelib.py, told by Python's tarfile), and
for each compression an OCI layout, oci-tar oci-gz oci-zst, whose blobs are
hard links to those files.  Nothing here reads a clock; what is random has a
fixed seed.  A change of this file makes all of them anew.
"""
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOOLS = os.path.join(os.path.dirname(HERE), 'tools')
OCI = 'application/vnd.oci.image.'
SUFFIX = {'tar': '.tar', 'gz': '.tar.gz', 'zst': '.tar.zst'}
MEDIA = {'tar': 'layer.v1.tar', 'gz': 'layer.v1.tar+gzip',
         'zst': 'layer.v1.tar+zstd'}
PACK = {'gz': ['gzip', '-6', '-n', '-c'], 'zst': ['zstd', '-q', '-3', '-c']}
MB = 1000 * 1000
BLOCK = 512
WHEN = 1700000000


class Unavailable(Exception):
    """Why a corpus can't be had here."""


class Layer:
    def __init__(self, base, about):
        self.path = {kind: base + end for kind, end in SUFFIX.items()}
        self.rows = base + '.rows' if os.path.exists(base + '.rows') else None
        self.size = {k: os.path.getsize(p) for k, p in self.path.items()
                     if os.path.exists(p)}
        self.entries, self.sha256 = about['entries'], about['sha256']


class Corpus:
    def __init__(self, name, title, where):
        with open(os.path.join(where, 'corpus.json')) as f:
            about = json.load(f)
        self.name, self.title, self.where = name, title, where
        self.layers = [Layer(os.path.join(where, '%02d' % i), x)
                       for i, x in enumerate(about)]
        self.entries = sum(x.entries for x in self.layers)

    def oci(self, kind):
        return os.path.join(self.where, 'oci-' + kind)

    def size(self, kind):
        return sum(x.size[kind] for x in self.layers)

    def files(self, kind):
        return [x.path[kind] for x in self.layers]


# ---- tars ----

def header(name, size=0, kind=b'0', mode=0o644):
    """A ustar header; fast, because a million of them is needed."""
    head = b''.join((
        name.encode().ljust(100, b'\0'), b'%07o\0' % mode, b'0000000\0' * 2,
        b'%011o\0' % size, b'%011o\0' % WHEN, b' ' * 8, kind,
        b'\0' * 100, b'ustar\x0000', b'\0' * 247))
    return head[:148] + b'%06o\0 ' % sum(head) + head[156:]


class Tar:
    def __init__(self, f):
        self.f, self.entries = f, 0

    def dir(self, name):
        self.f.write(header(name + '/', kind=b'5', mode=0o755))
        self.entries += 1

    def file(self, name, data):
        """Data is bytes, or pieces with their size in front."""
        size, pieces = data if isinstance(data, tuple) else (len(data), (data,))
        self.f.write(header(name, size))
        for piece in pieces:
            self.f.write(piece)
        self.f.write(b'\0' * (-size % BLOCK))
        self.entries += 1

    def end(self):
        self.f.write(b'\0' * 2 * BLOCK)


def words(size, seed):
    """Text that compresses as text does, about three to one."""
    r = random.Random(seed)
    letters = 'etaoinshrdlucmfwypvbgk'
    lexicon = [''.join(r.choices(letters, k=r.randint(2, 9)))
               for _ in range(3000)]
    weights = [1 / (i + 5) for i in range(len(lexicon))]
    out = []
    while size > 0:
        text = ' '.join(r.choices(lexicon, weights, k=5000)) + '\n'
        out.append(text.encode()[:size])
        size -= len(out[-1])
    return b''.join(out)


def slices(text, size):
    at = 0
    while True:
        if at + size > len(text):
            at = (at + size) % 997
        yield text[at:at + size]
        at += size


def many_files(count, size, in_dir):
    """Files in directories of so many, directories in one of all."""
    def write(tar):
        text = slices(words(4 << 20, count), size)
        tar.dir('srv')
        for i in range(count):
            if i % in_dir == 0:
                where = 'srv/%05d' % (i // in_dir)
                tar.dir(where)
            tar.file('%s/file-%07d.txt' % (where, i), next(text))
    return write


def many_dirs(count):
    """Half of them in one directory, a directory in each."""
    def write(tar):
        for i in range(count // 2):
            tar.dir('d%06d' % i)
            tar.dir('d%06d/below' % i)
    return write


def big_files(total):
    """Programs and libraries of this machine, noise, and text."""
    def write(tar):
        r = random.Random(2)
        found = []
        for top, dirs, names in os.walk('/usr/lib'):
            dirs.sort()
            found += [os.path.join(top, n) for n in names]
        found = sorted(p for p in found if not os.path.islink(p) and
                       256 << 10 <= os.path.getsize(p) <= 128 << 20)
        r.shuffle(found)
        text = words(16 << 20, 3)
        tar.dir('opt')
        left, n = total, 0
        while left > 0:
            if n % 4 == 1:
                data = r.randbytes(r.randint(1 << 20, 24 << 20))
            elif n % 4 == 3 or not found:
                at = r.randint(0, 1 << 20)
                data = text[at:at + r.randint(1 << 20, 15 << 20)]
            else:
                with open(found[(n // 2) % len(found)], 'rb') as f:
                    data = b'%08d' % n + f.read()
            data = data[:left]
            tar.file('opt/file-%05d' % n, data)
            left, n = left - len(data), n + 1
    return write


def zeros(total):
    """One file; 4 KiB of every 64 MiB are not zero.  The tar has no holes."""
    def write(tar):
        step = 64 << 20
        text = words(4096, 4)

        def pieces():
            left = total
            while left > 0:
                n = min(step, left)
                yield (text + b'\0' * (n - len(text)))[:n]
                left -= n
        tar.file('disk.img', (total, pieces()))
    return write


# ---- a directory of the cache ----

def file_sha256(path):
    h = hashlib.sha256()
    with open(path, 'rb') as f:
        while True:
            data = f.read(1 << 20)
            if not data:
                return h.hexdigest()
            h.update(data)


def output_of(command, path):
    with open(path, 'wb') as f:
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=f, check=True)


def rows_of(base):
    output_of([sys.executable, '-B', os.path.join(TOOLS, 'reftar.py'),
               base + '.tar'], base + '.rows')
    with open(base + '.rows') as f:
        return sum(1 for _ in f) - 1  # the root


def blob(where, data):
    digest = hashlib.sha256(data).hexdigest()
    with open('%s/blobs/sha256/%s' % (where, digest), 'wb') as f:
        f.write(data)
    return 'sha256:' + digest, len(data)


def oci_layout(where, kind, paths, diff_ids):
    os.makedirs(where + '/blobs/sha256')
    layers = []
    for path in paths:
        digest = file_sha256(path)
        name = '%s/blobs/sha256/%s' % (where, digest)
        if not os.path.exists(name):
            os.link(path, name)
        layers.append({'mediaType': OCI + MEDIA[kind],
                       'digest': 'sha256:' + digest,
                       'size': os.path.getsize(path)})
    config = {'architecture': 'amd64', 'os': 'linux', 'config': {},
              'rootfs': {'type': 'layers',
                         'diff_ids': ['sha256:' + d for d in diff_ids]}}
    digest, size = blob(where, json.dumps(config).encode())
    manifest = {'schemaVersion': 2, 'layers': layers,
                'mediaType': OCI + 'manifest.v1+json',
                'config': {'mediaType': OCI + 'config.v1+json',
                           'digest': digest, 'size': size}}
    digest, size = blob(where, json.dumps(manifest).encode())
    index = {'schemaVersion': 2, 'manifests': [
        {'mediaType': OCI + 'manifest.v1+json', 'digest': digest,
         'size': size}]}
    with open(where + '/index.json', 'w') as f:
        json.dump(index, f)
    with open(where + '/oci-layout', 'w') as f:
        f.write('{"imageLayoutVersion":"1.0.0"}')


class Recipe:
    """How a corpus comes to be: layers to write, or tars to take."""

    def __init__(self, title, write=None, take=None, kinds=('tar', 'gz', 'zst'),
                 rows=True, size=0):
        self.title, self.write, self.take = title, write, take
        self.kinds, self.rows, self.size = kinds, rows, size


def written(recipe, work):
    """Puts the plain tars there; their numbers of entries where known."""
    if recipe.write:
        with open(work + '/00.tar', 'wb', 1 << 20) as f:
            tar = Tar(f)
            tar.dir('.')
            recipe.write(tar)
            tar.end()
        return [tar.entries]
    paths = sorted(os.listdir(recipe.take))
    for i, name in enumerate(paths):
        shutil.copyfile(os.path.join(recipe.take, name),
                        '%s/%02d.tar' % (work, i))
    return [None] * len(paths)


def make(recipe, where):
    work = where + '.part'
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    about = []
    for i, entries in enumerate(written(recipe, work)):
        base = '%s/%02d' % (work, i)
        if recipe.rows:
            entries = rows_of(base)
        about.append({'entries': entries, 'sha256': file_sha256(base + '.tar')})
        for kind in recipe.kinds:
            if kind in PACK:
                output_of(PACK[kind] + [base + '.tar'], base + SUFFIX[kind])
    for kind in recipe.kinds:
        oci_layout(work + '/oci-' + kind, kind,
                   ['%s/%02d%s' % (work, i, SUFFIX[kind])
                    for i in range(len(about))], [x['sha256'] for x in about])
    with open(work + '/corpus.json', 'w') as f:
        json.dump(about, f)
    shutil.rmtree(where, ignore_errors=True)
    os.rename(work, where)


def own_recipes(sizes):
    plain = ('tar',)
    out = {
        'small': Recipe('%s files of 700 bytes' % format(sizes['small'], ','),
                        many_files(sizes['small'], 700, 200)),
        'mixed': Recipe('%s MB of big files: libraries, noise, text' %
                        format(sizes['mixed'] // MB, ','),
                        big_files(sizes['mixed']), size=3 * sizes['mixed']),
        'zeros': Recipe('one file of %s MB, nearly all zeros' %
                        format(sizes['zeros'] // MB, ','),
                        zeros(sizes['zeros']), kinds=('tar', 'gz'),
                        size=sizes['zeros']),
        'onedir': Recipe('one directory of %s files' %
                         format(sizes['wide'], ','),
                         many_files(sizes['wide'], 64, sizes['wide']),
                         kinds=plain, rows=False),
        'dirtree': Recipe('a tree of %s directories' %
                          format(sizes['wide'], ','), many_dirs(sizes['wide']),
                          kinds=plain, rows=False),
    }
    for n in sizes['scale']:
        out['scale-%d' % n] = Recipe(
            '%s files of 64 bytes, 100 in a directory' % format(n, ','),
            many_files(n, 64, 100), kinds=plain, rows=False, size=1100 * n)
    return out


FULL = {'small': 100000, 'mixed': 2000 * MB, 'zeros': 4700 * MB,
        'wide': 100000, 'scale': (10000, 100000, 1000000)}
TINY = {'small': 300, 'mixed': 3 * MB, 'zeros': 8 * MB, 'wide': 200,
        'scale': (100, 1000)}
IMAGES = {'python': 'Debian and python3, two layers',
          'debian': 'the application image of the tests: Debian, python3, '
                    'numpy, an application',
          'busybox': 'busybox, three small layers'}


class Cache:
    """Corpora by name; made when first asked for."""

    def __init__(self, top, tiny, say):
        with open(__file__, 'rb') as f:
            mark = hashlib.sha256(f.read()).hexdigest()[:16]
        self.top = os.path.join(top, 'bench-' + mark + '-tiny' * tiny)
        self.own = own_recipes(TINY if tiny else FULL)
        self.scale = ['scale-%d' % n for n in (TINY if tiny else FULL)['scale']]
        self.say, self.images, self.have = say, None, {}

    def image_recipe(self, name):
        if self.images is None:
            self.say('the real images')
            out = subprocess.run(
                ['bash', os.path.join(HERE, 'images.bash'),
                 os.path.join(os.path.dirname(self.top), 'bench-images')],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                check=True).stdout.decode()
            self.images = dict(line.split(' ', 1)
                               for line in out.splitlines())
        if name not in self.images:
            raise Unavailable(self.images.get('why', 'there is none'))
        return Recipe(IMAGES[name], take=self.images[name])

    def get(self, name):
        if name in self.have:
            return self.have[name]
        where = os.path.join(self.top, name)
        recipe = self.own.get(name)
        if recipe is None and os.path.exists(where + '/corpus.json'):
            recipe = Recipe(IMAGES[name])
        elif recipe is None:
            recipe = self.image_recipe(name)
        if not os.path.exists(where + '/corpus.json'):
            os.makedirs(self.top, exist_ok=True)
            free = shutil.disk_usage(self.top).free
            if free < recipe.size + 1000 * MB:
                raise Unavailable('it needs %d MB of disk, %d are free' % (
                    recipe.size // MB + 1000, free // MB))
            self.say('making ' + recipe.title)
            make(recipe, where)
        self.have[name] = Corpus(name, recipe.title, where)
        return self.have[name]
