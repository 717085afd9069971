# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine that figures come from, and whether it was idle."""
import os
import platform
import resource
import subprocess
import time

import contest

IDLE = 0.5  # a load average below this is an idle machine's
DEAR = 4    # new memory costs less than so much, where it is the machine's own
LIBRARIES = (('OpenSSL', 'libcrypto'), ('ISA-L', 'libisal'), ('zlib', 'zlib'),
             ('zstd', 'libzstd'))


def first_value(path, key):
    try:
        with open(path) as f:
            for line in f:
                name, _, value = line.partition(':')
                if name.strip() == key:
                    return value.strip()
    except OSError:
        pass
    return 'unknown'


def library(module):
    p = subprocess.run(['pkg-config', '--modversion', module],
                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return p.stdout.decode().strip() or 'none'


def busy_seconds():
    """CPU time of the whole machine; and what the host took from it."""
    with open('/proc/stat') as f:
        v = [int(x) for x in f.readline().split()[1:]]
    tick = os.sysconf('SC_CLK_TCK')
    # user nice system idle iowait irq softirq steal (guest is in user)
    return (v[0] + v[1] + v[2] + v[5] + v[6]) / tick, v[7] / tick


def own_seconds():
    out = 0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        u = resource.getrusage(who)
        out += u.ru_utime + u.ru_stime
    return out


class Machine:
    def __init__(self, tool):
        self.about = list(self.lines(tool))
        self.load = os.getloadavg()[0]
        self.new_memory = 0
        self.cpus = os.cpu_count()
        self.start = (time.monotonic(), own_seconds()) + busy_seconds()

    @staticmethod
    def lines(tool):
        text = subprocess.run([tool, '--version'],
                              stdout=subprocess.PIPE).stdout.decode()
        mem = int(first_value('/proc/meminfo', 'MemTotal').split()[0]) >> 10
        yield 'CPU', '%s, %d CPUs, %d MiB of memory' % (
            first_value('/proc/cpuinfo', 'model name'), os.cpu_count(), mem)
        yield 'kernel', '%s %s' % (platform.system(), platform.release())
        yield 'system', first_value_of_os()
        yield 'unik', '%s%s' % (text.splitlines()[0] if text else 'unknown',
                                commit())
        yield 'its libraries', ', '.join(
            '%s %s' % (name, library(m)) for name, m in LIBRARIES)
        yield 'the others', ', '.join('%s %s' % x for x in contest.versions())

    def price_memory(self, path):
        self.new_memory = new_memory(path)
        self.about.append(('new memory', '%.1f x the time that memory in use '
                           'takes to be written' % self.new_memory))

    def warnings(self):
        wall = time.monotonic() - self.start[0]
        own = own_seconds() - self.start[1]
        busy, steal = busy_seconds()
        others = busy - self.start[2] - own
        if self.load > IDLE:
            yield ('the machine was not idle when this began: its load was '
                   '%.2f (a run that counts begins below %.1f)' % (
                       self.load, IDLE))
        if self.new_memory > DEAR:
            yield ('memory that was free for seconds costs %.1f x when it is '
                   'used again: this virtual machine gives it back to its '
                   'host (free page reporting); figures of large outputs are '
                   'the host\'s' % self.new_memory)
        for what, used in (('other processes', others),
                           ('the host', steal - self.start[3])):
            share = used / (wall * self.cpus)
            if share > 0.03:
                yield '%s took %.0f %% of its CPU time while this ran' % (
                    what, 100 * share)


def first_value_of_os():
    with open('/etc/os-release') as f:
        for line in f:
            if line.startswith('PRETTY_NAME='):
                return line.split('=', 1)[1].strip().strip('"')
    return 'unknown'


def commit():
    try:
        p = subprocess.run(['git', 'describe', '--always', '--dirty'],
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except OSError:
        return ''
    text = p.stdout.decode().strip()
    return ', commit ' + text if text else ''


def fill(f, size):
    piece = b'\x55' * (4 << 20)
    f.seek(0)
    for _ in range(size // len(piece)):
        f.write(piece)


def touch_memory(path, size):
    """A virtual machine's memory is slow the first time that it is used."""
    with open(path, 'wb', 0) as f:
        fill(f, size)
    os.unlink(path)


def new_memory(path, size=1 << 30, pause=5):
    """How much longer memory takes to be written that was free for a while.

    A guest that reports its free pages to its host (it does so after two
    seconds) loses them, and gets others when it needs them."""
    touch_memory(path, size)
    time.sleep(pause)
    with open(path, 'wb', 0) as f:
        start = time.monotonic()
        fill(f, size)
        first = time.monotonic()
        fill(f, size)
        end = time.monotonic()
    os.unlink(path)
    return (first - start) / (end - first)
