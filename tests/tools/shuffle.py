#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the entries of a tar in another order: shuffle.py SEED IN OUT

Each entry keeps its own bytes (with the extension headers before it).  SEED
`reverse` or `sorted` gives those orders.  The tree of a tar in which no path
occurs twice does not depend on the order.
"""
import random
import sys
import tarfile


def pieces(tar):
    """(name, first byte, byte behind) of each entry."""
    with tarfile.open(tar, 'r:', encoding='utf-8',
                      errors='surrogateescape') as t:
        members = t.getmembers()
        starts = [m.offset for m in members] + [t.offset]
    return [(m.name, a, b) for m, a, b in zip(members, starts, starts[1:])]


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    seed, src, dst = sys.argv[1:]
    found = pieces(src)
    if seed == 'reverse':
        found.reverse()
    elif seed == 'sorted':
        found.sort()
    else:
        random.Random(int(seed)).shuffle(found)
    with open(src, 'rb') as f, open(dst, 'wb') as out:
        for _, a, b in found:
            f.seek(a)
            out.write(f.read(b - a))
        out.write(bytes(1024))


if __name__ == '__main__':
    main()
