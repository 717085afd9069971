#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes an image of layer tars.

  mkimage.py docker FILE NAME LAYER...   an archive as `docker save` writes it,
                                         blobs named by digest
  mkimage.py oci DIR NAME LAYER...       an OCI layout, layers in gzip

In front: `--cmd=WORD` sets the command in the configuration, `--config=JSON`
replaces members of the configuration document.
"""
import gzip
import hashlib
import io
import json
import os
import sys
import tarfile

OCI = 'application/vnd.oci.image.'
EXTRA = {}  # of --config


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def as_json(value):
    return json.dumps(value, separators=(',', ':')).encode()


def config_of(layers, cmd):
    document = {
        'architecture': 'amd64', 'os': 'linux',
        'config': {'Cmd': [cmd], 'Env': ['PATH=/bin'], 'WorkingDir': '/'},
        'rootfs': {'type': 'layers',
                   'diff_ids': ['sha256:' + sha256(x) for x in layers]}}
    document.update(EXTRA)
    return as_json(document)


def docker(path, name, layers, cmd):
    config = config_of(layers, cmd)
    paths = [sha256(x) + '.tar' for x in layers]
    manifest = as_json([{'Config': sha256(config) + '.json',
                         'RepoTags': [name], 'Layers': paths}])
    members = dict(zip(paths, layers))
    members[sha256(config) + '.json'] = config
    members['manifest.json'] = manifest
    with tarfile.open(path, 'w', format=tarfile.USTAR_FORMAT) as tar:
        for member, data in members.items():
            info = tarfile.TarInfo(member)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def oci(path, name, layers, cmd):
    blobs = os.path.join(path, 'blobs', 'sha256')
    os.makedirs(blobs)

    def put(data, kind):
        with open(os.path.join(blobs, sha256(data)), 'wb') as f:
            f.write(data)
        return {'mediaType': OCI + kind, 'digest': 'sha256:' + sha256(data),
                'size': len(data)}

    def put_file(file, value):
        with open(os.path.join(path, file), 'wb') as f:
            f.write(as_json(value))

    manifest = {
        'schemaVersion': 2,
        'config': put(config_of(layers, cmd), 'config.v1+json'),
        'layers': [put(gzip.compress(x, mtime=0), 'layer.v1.tar+gzip')
                   for x in layers]}
    entry = put(as_json(manifest), 'manifest.v1+json')
    entry['annotations'] = {'org.opencontainers.image.ref.name': name}
    put_file('index.json', {'schemaVersion': 2, 'manifests': [entry]})
    put_file('oci-layout', {'imageLayoutVersion': '1.0.0'})


def main(args):
    cmd = '/bin/sh'
    if args and args[0].startswith('--cmd='):
        cmd = args.pop(0)[6:]
    if args and args[0].startswith('--config='):
        EXTRA.update(json.loads(args.pop(0)[9:]))
    if len(args) < 4 or args[0] not in ('docker', 'oci'):
        sys.exit(__doc__)
    layers = []
    for name in args[3:]:
        with open(name, 'rb') as f:
            layers.append(f.read())
    (docker if args[0] == 'docker' else oci)(args[1], args[2], layers, cmd)


if __name__ == '__main__':
    main(sys.argv[1:])
