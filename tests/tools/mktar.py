#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
r"""Turns a text into a raw tar, with control over every byte.

  mktar.py [TEXT [TAR]]          default: standard input and output

One directive a line, words separated by blanks.  In a word \xHH, \n, \t, \s
(a blank), \e (nothing) and \\ are escapes, and {TEXT*N} is TEXT N times.

  file|dir|symlink|hardlink|char|block|fifo NAME [TARGET|MAJOR:MINOR] [K=V...]
  entry NAME [TARGET] type=CHAR [K=V...]
  pax KEY=VALUE...      an x header in front of the next entry
  global KEY=VALUE...   a g header
  paxdata BYTES [K=V..] an x header with just these bytes in it
  longname TEXT [K=V..] a GNU L header (the NUL is added);  longlink: K
  raw BYTES             bytes as they are
  zeros SIZE            so many zero bytes
  pad                   zeros up to the next block
  end                   two zero blocks (else there are none)
  cut SIZE              keep the first SIZE bytes; cut -SIZE drops the last
  set OFFSET BYTES      overwrite
  repeat N DIRECTIVE    with %d counting from 0 in it

K=V of a header:
  name= prefix= uname= gname= linkname=   the field as it is (cut to its size)
  mode= (octal) uid= gid= mtime= size= devmajor= devminor=   a number, or
      b256:N (binary), oct:TEXT (the field as it is)
  magic=ustar|gnu|v7|star|BYTES   type=CHAR
  sum=good|signed|+N|BYTES        the checksum
  data=BYTES  fill=SIZE[:BYTE]    what follows; size= is its length, or as said
  map=OFF:LEN,...                 old GNU sparse map (type S), with realsize=N;
                                  extension blocks as needed
  map10=OFF:LEN,...               pax 1.0 map in front of the data
  pad=no                          no padding behind the data
Sizes take the suffixes k, m and g.
"""
import io
import re
import sys

BLOCK = 512
TYPES = {'file': b'0', 'hardlink': b'1', 'symlink': b'2', 'char': b'3',
         'block': b'4', 'dir': b'5', 'fifo': b'6'}
MAGIC = {'ustar': b'ustar\x0000', 'gnu': b'ustar  \x00',
         'v7': b'\0' * 8, 'star': b'ustar\x0000'}
ESCAPES = {'n': b'\n', 't': b'\t', 's': b' ', 'e': b'', '\\': b'\\'}


class Bad(Exception):
    """A text that makes no sense (not the tar: that may be any nonsense)."""


def unescape(word):
    """A word of the text -> bytes."""
    out, i = bytearray(), 0
    while i < len(word):
        c = word[i]
        if c == '\\' and word[i + 1] == 'x':
            out.append(int(word[i + 2:i + 4], 16))
            i += 4
        elif c == '\\':
            out += ESCAPES[word[i + 1]]
            i += 2
        elif c == '{':
            m = re.match(r'\{(.+?)\*(\d+)\}', word[i:])
            if not m:
                raise Bad('braces in %r' % word)
            out += unescape(m.group(1)) * int(m.group(2))
            i += m.end()
        else:
            out += c.encode()
            i += 1
    return bytes(out)


def number(text):
    """A size: 12, 0x10, 4k, 1g."""
    scale = {'k': 1 << 10, 'm': 1 << 20, 'g': 1 << 30}.get(text[-1:], 1)
    return int(text[:-1] if scale > 1 else text, 0) * scale


def pairs(words):
    out = {}
    for w in words:
        key, eq, value = w.partition('=')
        if not eq:
            raise Bad('no KEY=VALUE: %r' % w)
        out[key] = value
    return out


def pax_record(key, value):
    rest = b' ' + key + b'=' + value + b'\n'
    n = len(rest)
    while len(str(n)) + len(rest) != n:
        n = len(str(n)) + len(rest)
    return str(n).encode() + rest


def field(value, width):
    """A number field from what the text says of it."""
    if value.startswith('oct:'):
        return unescape(value[4:])[:width].ljust(width, b'\0')
    if value.startswith('b256:'):
        n = int(value[5:], 0)
        raw = (n % (1 << 8 * width)).to_bytes(width, 'big')
        return (bytes([raw[0] | 0x80]) if n >= 0 else b'\xff') + raw[1:]
    text = b'%0*o' % (width - 1, number(value))
    if len(text) > width - 1:
        raise Bad('%s does not fit an octal field; use b256:' % value)
    return text + b'\0'


def checksum(head, how):
    """Puts the checksum into a header."""
    plain = sum(head)
    if how == 'signed':
        plain = sum(b - 256 if b > 127 else b for b in head)
    elif re.fullmatch(r'[+-]\d+', how):
        plain += int(how)
    elif how != 'good':
        return head[:148] + unescape(how)[:8].ljust(8, b'\0') + head[156:]
    return head[:148] + b'%06o\0 ' % plain + head[156:]


def sparse_map(text):
    return [tuple(number(n) for n in piece.split(':'))
            for piece in text.split(',') if piece]


def old_gnu_map(head, opt, out_blocks):
    """The sparse map of type S: 4 pieces in the header, 21 an extension."""
    pieces = sparse_map(opt['map'])
    room = [b'%011o\0%011o\0' % p for p in pieces]
    head[386:482] = b''.join(room[:4]).ljust(96, b'\0')
    room = room[4:]
    head[482] = 1 if room else 0
    head[483:495] = field(opt.get('realsize', '0'), 12)
    while room:
        block = b''.join(room[:21]).ljust(504, b'\0')
        room = room[21:]
        out_blocks.append(block + (b'\1' if room else b'\0') + b'\0' * 7)


def header(name, target, opt, size):
    """One header block, and the extension blocks of a sparse map."""
    kind = opt['type']
    head = bytearray(BLOCK)

    def put(at, width, data):
        head[at:at + width] = data[:width].ljust(width, b'\0')

    put(0, 100, unescape(opt['name']) if 'name' in opt else name)
    mode = opt.get('mode', '755' if kind == b'5' else '644')
    put(100, 8, field(mode if ':' in mode else '0o' + mode, 8))
    put(108, 8, field(opt.get('uid', '0'), 8))
    put(116, 8, field(opt.get('gid', '0'), 8))
    put(124, 12, field(opt.get('size', str(size)), 12))
    put(136, 12, field(opt.get('mtime', '0'), 12))
    put(148, 8, b' ' * 8)
    put(156, 1, kind)
    put(157, 100, unescape(opt['linkname']) if 'linkname' in opt else target)
    magic = opt.get('magic', 'ustar')
    put(257, 8, MAGIC.get(magic) or unescape(magic))
    if magic != 'v7':
        put(265, 32, unescape(opt.get('uname', '')))
        put(297, 32, unescape(opt.get('gname', '')))
        put(329, 8, field(opt.get('devmajor', '0'), 8))
        put(337, 8, field(opt.get('devminor', '0'), 8))
        put(345, 155, unescape(opt.get('prefix', '')))
    if magic == 'star':
        put(508, 4, b'tar\0')
    more = []
    if 'map' in opt:
        old_gnu_map(head, opt, more)
    return [checksum(bytes(head), opt.get('sum', 'good'))] + more


class Tar:
    """Writes directives to a seekable file; runs of zeros are jumped over."""

    def __init__(self, out):
        self.out = out
        self.size = 0

    def write(self, data):
        self.out.seek(self.size)
        self.out.write(data)
        self.size += len(data)

    def pad(self):
        self.size += -self.size % BLOCK

    def content(self, opt):
        """What follows the header: (bytes before, fill byte, fill length)."""
        data = unescape(opt.get('data', ''))
        if 'map10' in opt:
            pieces = sparse_map(opt['map10'])
            head = b'%d\n' % len(pieces)
            head += b''.join(b'%d\n%d\n' % p for p in pieces)
            data = head + b'\0' * (-len(head) % BLOCK) + data
        n, _, byte = opt.get('fill', '0').partition(':')
        return data, unescape(byte) or b'\0', number(n)

    def entry(self, name, target, opt):
        if isinstance(opt['type'], str):
            opt['type'] = unescape(opt['type'])
        data, byte, n = self.content(opt)
        for block in header(name, target, opt, len(data) + n):
            self.write(block)
        self.write(data)
        if byte == b'\0':
            self.size += n
        else:
            self.write((byte * n)[:n])
        if opt.get('pad') != 'no':
            self.pad()

    def pax(self, kind, words):
        data = b''.join(pax_record(*(unescape(p) for p in w.split('=', 1)))
                        for w in words)
        self.long(kind, b'PaxHeaders/x', data, {})

    def long(self, kind, name, data, opt):
        """A header whose data are for another header."""
        opt = dict({'type': kind, 'magic': 'gnu' if kind in b'LK' else 'ustar',
                    'size': str(len(data))}, **opt)
        for block in header(name, b'', opt, len(data)):
            self.write(block)
        self.write(data)
        if opt.get('pad') != 'no':
            self.pad()

    def node(self, verb, words):
        name, opts, target = unescape(words[0]), words[1:], b''
        if verb in ('symlink', 'hardlink') or (
                verb == 'entry' and opts and '=' not in opts[0]):
            target, opts = unescape(opts[0]), opts[1:]
        opt = {}
        if verb in TYPES:
            opt['type'] = TYPES[verb]
        if verb in ('char', 'block'):
            opt['devmajor'], opt['devminor'] = opts[0].split(':')
            opts = opts[1:]
        opt.update(pairs(opts))
        self.entry(name, target, opt)

    def do(self, line):
        verb, *words = line.split()
        if verb in TYPES or verb == 'entry':
            self.node(verb, words)
        elif verb in ('pax', 'global'):
            self.pax(b'x' if verb == 'pax' else b'g', words)
        elif verb == 'paxdata':
            self.long(b'x', b'PaxHeaders/x', unescape(words[0]),
                      pairs(words[1:]))
        elif verb in ('longname', 'longlink'):
            self.long(b'L' if verb == 'longname' else b'K',
                      b'././@LongLink', unescape(words[0]) + b'\0',
                      pairs(words[1:]))
        elif verb == 'raw':
            self.write(unescape(words[0]))
        elif verb == 'zeros':
            self.size += number(words[0])
        elif verb == 'pad':
            self.pad()
        elif verb == 'end':
            self.size += 2 * BLOCK
        elif verb == 'cut':
            n = number(words[0])
            self.size = n if n >= 0 else self.size + n
            self.out.truncate(self.size)
        elif verb == 'set':
            self.out.seek(number(words[0]))
            self.out.write(unescape(words[1]))
        elif verb == 'repeat':
            line = ' '.join(words[1:])
            for i in range(number(words[0])):
                self.do(line.replace('%d', str(i)))
        else:
            raise Bad('unknown directive %r' % verb)


def build(lines, out):
    """Writes the tar of the lines to a file that can be read and sought."""
    tar = Tar(out)
    for line in lines:
        line = line.strip()
        if not line or line.startswith('#'):
            continue
        try:
            tar.do(line)
        except (Bad, IndexError, ValueError, KeyError) as e:
            raise Bad('%s: %s' % (line, e)) from e
    if out.seek(0, io.SEEK_END) < tar.size:
        out.seek(tar.size - 1)
        out.write(b'\0')
    out.truncate(tar.size)


def main():
    args = sys.argv[1:]
    if len(args) > 2 or '--help' in args:
        sys.exit(__doc__)
    with open(args[0]) if args else sys.stdin as f:
        lines = f.read().splitlines()
    if len(args) == 2:
        with open(args[1], 'w+b') as f:
            build(lines, f)
    else:
        f = io.BytesIO()
        build(lines, f)
        sys.stdout.buffer.write(f.getvalue())


if __name__ == '__main__':
    main()
