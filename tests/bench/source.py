#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""source.py CORPUS FROM: where a corpus of the benchmarks is, as a source of
unik-convert; made where it is missing.  FROM: tar gz zst."""
import os
import sys

import corpora


def main():
    if len(sys.argv) != 3 or sys.argv[2] not in corpora.SUFFIX:
        sys.exit(__doc__)
    name, kind = sys.argv[1:]
    cache = corpora.Cache(
        os.environ.get('UNIK_CACHE') or
        os.path.join(os.environ.get('B', 'build'), 'cache'), False,
        lambda text: print('# ' + text, file=sys.stderr))
    if name not in cache.own and name not in corpora.IMAGES:
        sys.exit('profile: no corpus %r; there are: %s' % (
            name, ' '.join(sorted([*cache.own, *corpora.IMAGES]))))
    try:
        corpus = cache.get(name)
    except corpora.Unavailable as e:
        sys.exit('profile: %s: %s' % (name, e))
    where = corpus.oci(kind)
    if not os.path.isdir(where):
        sys.exit('profile: %s is not kept in %s' % (name, kind))
    print('oci:' + where)


if __name__ == '__main__':
    main()
