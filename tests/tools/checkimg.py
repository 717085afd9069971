#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares a filesystem image with a tree, reading it with others' tools.

  checkimg.py FORMAT HOW IMAGE ROWS [--no-whiteouts]
      FORMAT: iso, ext2; HOW: as for readimg.py; ROWS: as from treelib.py
      --no-whiteouts: leaves `.wh.` names out of both

Exit 0 same, 1 different, 2 could not read.  What the format can't hold, and
what the tool can't show, is left out of the comparison (readimg.view).
"""
import sys

import readimg
import treelib


def is_whiteout(row):
    return row['path'].rpartition('/')[2].startswith('.wh.')


def main():
    args = [a for a in sys.argv[1:] if a != '--no-whiteouts']
    if len(args) != 4:
        sys.exit(__doc__)
    fmt, how, image, rows = args
    want = treelib.load(rows)
    why = readimg.unable(how, want)
    if why:
        print(why)
        sys.exit(2)
    try:
        got = readimg.HOW[how](image)
    except readimg.Unreadable as e:
        print(e)
        sys.exit(2)
    if '--no-whiteouts' in sys.argv:
        want = [r for r in want if not is_whiteout(r)]
        got = [r for r in got if not is_whiteout(r)]
    bad = readimg.differences(fmt, how, want, got)
    print('\n'.join(bad[:50]) or 'same')
    sys.exit(1 if bad else 0)


if __name__ == '__main__':
    main()
