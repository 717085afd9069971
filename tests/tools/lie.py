#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rewrites a docker-archive that unik-convert made so that it lies, all
digests right: lie.py IN OUT LIE.  The lies are the functions below."""
import hashlib
import io
import json
import sys
import tarfile


def entries(layer):
    t = tarfile.open(fileobj=io.BytesIO(layer))
    return [(m, t.extractfile(m).read() if m.isreg() else b'')
            for m in t.getmembers()]


def layer_of(members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w', format=tarfile.PAX_FORMAT) as t:
        for m, data in members:
            m.size = len(data)
            t.addfile(m, io.BytesIO(data))
    return out.getvalue()


def append(layer, member, data):
    """All else stays as it is, to the byte."""
    last = tarfile.open(fileobj=io.BytesIO(layer)).getmembers()[-1]
    end = last.offset_data + (last.size + 511) // 512 * 512
    return layer[:end] + layer_of([(member, data)])


def is_image(member):
    return member.name.startswith('rootfs-')


class Lies:
    """Each changes layers (bytes) or config in place."""

    def nothing(self, layers, config):
        pass

    def altered(self, layers, config):
        e = entries(layers[0])
        m, data = e[-1]
        e[-1] = (m, data[:40000] + bytes([data[40000] ^ 1]) + data[40001:])
        layers[0] = layer_of(e)

    def renamed(self, layers, config):
        """An altered image under the name of its own bytes."""
        e = entries(layers[0])
        m, data = e[-1]
        data = data[:40000] + bytes([data[40000] ^ 1]) + data[40001:]
        old = m.name[11:75]
        new = hashlib.sha256(data).hexdigest()
        m.name = m.name.replace(old, new)
        e[-1] = (m, data)
        layers[0] = layer_of(e)
        labels = config['config']['Labels']
        labels['org.unik.stack'] = labels['org.unik.stack'].replace(old, new)

    def swapped(self, layers, config):
        layers[0], layers[1] = layers[1], layers[0]

    def exchanged(self, layers, config):
        """Names stay, contents change places."""
        a, b = entries(layers[0]), entries(layers[1])
        a[-1], b[-1] = (a[-1][0], b[-1][1]), (b[-1][0], a[-1][1])
        layers[0], layers[1] = layer_of(a), layer_of(b)

    def missing(self, layers, config):
        layers[1] = layer_of([e for e in entries(layers[1])
                              if not is_image(e[0])])

    def dropped(self, layers, config):
        del layers[-1]

    def more(self, layers, config):
        layers.append(layers[0])

    def extra(self, layers, config):
        m = tarfile.TarInfo('etc/passwd')
        layers[1] = append(layers[1], m, b'root::0:0:::\n')

    def hidden(self, layers, config):
        """One more file, before the images."""
        m = tarfile.TarInfo('etc/passwd')
        e = entries(layers[1])
        n = sum(is_image(x[0]) for x in e)
        e.insert(len(e) - n, (m, b'root::0:0:::\n'))
        layers[1] = layer_of(e)

    def twice(self, layers, config):
        e = entries(layers[1])
        layers[1] = layer_of(e + e[-1:])

    def symlink(self, layers, config):
        e = entries(layers[1])
        e[-1][0].type = tarfile.SYMTYPE
        e[-1][0].linkname = '/etc/passwd'
        e[-1] = (e[-1][0], b'')
        layers[1] = layer_of(e)

    def mode(self, layers, config):
        e = entries(layers[1])
        e[-1][0].mode = 0o666
        layers[1] = layer_of(e)

    def program(self, layers, config):
        """A file of the original layer, where there is one."""
        e = entries(layers[1])
        e[-2] = (e[-2][0], bytes([e[-2][1][0] ^ 1]) + e[-2][1][1:])
        layers[1] = layer_of(e)

    def entrypoint(self, layers, config):
        config['config']['Entrypoint'] = ['/bin/evil']

    def environment(self, layers, config):
        config['config']['Env'] = ['LD_PRELOAD=/evil']

    def label(self, layers, config):
        config['config']['Labels']['k'] = 'w'

    def unlabelled(self, layers, config):
        config['config']['Labels'] = {}

    def form(self, layers, config):
        labels = config['config']['Labels']
        labels['org.unik.stack'] = labels['org.unik.stack'].replace(
            '{"schema"', '{ "schema"')

    def package(self, layers, config):
        config['config']['Labels']['org.unik.package'] = 'box'


def main():
    source, dest, lie = sys.argv[1:]
    t = tarfile.open(source)
    manifest = json.load(t.extractfile('manifest.json'))
    config = json.load(t.extractfile(manifest[0]['Config']))
    layers = [t.extractfile(n).read() for n in manifest[0]['Layers']]
    getattr(Lies(), lie)(layers, config)
    ids = [hashlib.sha256(d).hexdigest() for d in layers]
    config['rootfs']['diff_ids'] = ['sha256:' + i for i in ids]
    text = json.dumps(config).encode()
    name = hashlib.sha256(text).hexdigest() + '.json'
    manifest[0]['Config'] = name
    manifest[0]['Layers'] = [i + '.tar' for i in ids]
    files = {i + '.tar': d for i, d in zip(ids, layers)}
    files[name] = text
    files['manifest.json'] = json.dumps(manifest).encode()
    with tarfile.open(dest, 'w') as out:
        for n in sorted(files):
            m = tarfile.TarInfo(n)
            m.size = len(files[n])
            out.addfile(m, io.BytesIO(files[n]))


main()
