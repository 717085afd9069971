# SPDX-License-Identifier: GPL-3.0-or-later
"""Who takes part: unik, the peers that Debian packages, and the limits.

Each is a piece of shell that turns one layer, $IN, into $OUT ($X is a name
for a directory of its own, in the same filesystem), run once a layer; or one
that turns a whole image, the OCI layout $OCI, into the store $OUT.  It runs
under `set -e`, which does not see what fails in front of `&&`: there is `;`
between commands.
"""
import subprocess


class Contestant:
    def __init__(self, name, side, fmt, tools, layer, image=None, note='',
                 guess=False):
        self.name = name      # as the tables show it
        self.side = side      # ours, peer, limit
        self.fmt = fmt        # ext2, iso, squashfs, or none
        self.tools = tools    # programs that it needs
        self.layer = layer    # shell, once a layer
        self.image = image    # shell, once an image, in place of `layer`
        self.note = note
        self.guess = guess    # needs $GUESS, per cent of what it seems to need


UNTAR = ("mkdir $X; tar -xpf $IN -C $X --numeric-owner --xattrs "
         "--xattrs-include='*'; ")
# What a user does who has to say a size: a tenth more than the data seem to
# need ($KIB: of the plain tar), and more when that was not enough.
GENEXT2FS = 'genext2fs -b $((KIB * GUESS / 100 + 8192)) -a $IN $OUT'
MKE2FS = ('mke2fs -q -t ext2 -m 0 -N $(($(find $X | wc -l) + 100)) '
          '-d $X $OUT $(($(du -sk $X | cut -f 1) * GUESS / 100 + 8192))k')


def ours(fmt):
    return Contestant(
        'unik ' + fmt, 'ours', fmt, ('unik-convert',),
        'unik-convert -q --json -f %s layer:$IN image:$OUT >$OUT.json' % fmt,
        'unik-convert -q --json -f %s oci:$OCI $OUT >$OUT.json' % fmt)


CONTESTANTS = [
    ours('ext2'),
    ours('iso'),
    Contestant('unik ext2, warm', 'ours', '', ('unik-convert',), None,
               'unik-convert -q --json -f ext2 oci:$OCI $KEPT >$OUT.json',
               note='everything is in the store'),
    Contestant('genext2fs -a', 'peer', 'ext2', ('genext2fs',), GENEXT2FS,
               guess=True),
    Contestant('tar -x, mke2fs -d', 'peer', 'ext2', ('mke2fs', 'tar'),
               UNTAR + MKE2FS, guess=True),
    Contestant('bsdtar @tar', 'peer', 'iso', ('bsdtar',),
               'bsdtar -cf $OUT --format=iso9660 @$IN'),
    Contestant('tar -x, genisoimage', 'peer', 'iso', ('genisoimage', 'tar'),
               UNTAR + 'genisoimage -quiet -l -r -o $OUT $X'),
    Contestant('tar -x, xorrisofs', 'peer', 'iso', ('xorrisofs', 'tar'),
               UNTAR + 'xorrisofs -quiet -R -o $OUT $X'),
    Contestant('tar2sqfs', 'peer', 'squashfs', ('tar2sqfs',),
               'tar2sqfs -q $OUT <$IN', note='xz, its default'),
    Contestant('tar2sqfs -c lz4', 'peer', 'squashfs', ('tar2sqfs',),
               'tar2sqfs -q -c lz4 $OUT <$IN', note='its fastest'),
    Contestant('sqfstar', 'peer', 'squashfs', ('sqfstar',),
               '| sqfstar -quiet -no-progress $OUT',
               note='gzip, its default'),
    Contestant('sqfstar, plain', 'peer', 'squashfs', ('sqfstar',),
               '| sqfstar -quiet -no-progress -noI -noD -noF -noX $OUT',
               note='nothing compressed'),
    Contestant('gzip -dc', 'limit', '', ('gzip',), 'gzip -dc $IN >/dev/null'),
    Contestant('igzip -dc', 'limit', '', ('igzip',),
               'igzip -dc $IN >/dev/null'),
    Contestant('zstd -dc', 'limit', '', ('zstd',),
               'zstd -q -dc $IN >/dev/null'),
    Contestant('openssl dgst -sha256', 'limit', '', ('openssl',),
               'openssl dgst -sha256 $IN >/dev/null'),
    Contestant('cp', 'limit', '', ('cp',), 'cp --reflink=never $IN $OUT'),
]
BY_NAME = {c.name: c for c in CONTESTANTS}
PLAIN = {'gz': 'gzip -dc $IN', 'zst': 'zstd -q -dc $IN'}


def script(c, kind, nlayers):
    """The shell of a contestant, and whether it is for one layer."""
    if c.image and (nlayers > 1 or kind != 'tar' or not c.layer):
        return c.image, False
    if not c.layer.startswith('| '):
        return c.layer, True
    if kind == 'tar':
        return c.layer[2:] + ' <$IN', True
    return PLAIN[kind] + ' ' + c.layer, True


# ---- versions ----

PACKAGES = {
    'genext2fs': 'genext2fs', 'mke2fs': 'e2fsprogs', 'tar': 'tar',
    'bsdtar': 'libarchive-tools', 'genisoimage': 'genisoimage',
    'xorrisofs': 'xorriso', 'tar2sqfs': 'squashfs-tools-ng',
    'sqfstar': 'squashfs-tools', 'gzip': 'gzip', 'igzip': 'isal',
    'zstd': 'zstd', 'openssl': 'openssl', 'cp': 'coreutils',
}


def package_version(name):
    try:
        return subprocess.run(
            ['dpkg-query', '-W', '-f', '${Version}', name],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL).stdout.decode().strip()
    except OSError:
        return ''


def versions():
    """Debian's packages of the contestants, with their versions."""
    return [(p, package_version(p) or 'not installed')
            for p in sorted(set(PACKAGES.values()))]
