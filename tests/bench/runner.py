# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs contestants side by side and keeps what they took.

A group is run in rounds, A B C A B C ..., after one round that is not counted,
whose output is looked at: size, completeness, digest.  The digest of the last
round must be the same.
"""
import hashlib
import json
import os
import shutil
import signal
import statistics
import subprocess
import time

import complete
import contest

# What is left to the machine when memory files are large.
RESERVE = 1500 * 1000 * 1000
GUESSES = (110, 150, 250, 450)


class Result:
    """What is known of one contestant, on one corpus, in one place."""

    def __init__(self, corpus, kind, contestant, place):
        self.corpus, self.kind, self.c = corpus, kind, contestant
        self.place = place      # tmpfs, disk
        self.runs = []          # (wall, cpu, peak in bytes)
        self.size = self.disk = None
        self.same = None        # two runs gave equal bytes
        self.complete = ''
        self.lost = 0           # entries that are not there
        self.why = ''           # failed, left out, stopped
        self.over = None        # stopped after so many seconds
        self.note = ''
        self.guess = GUESSES[0]
        self.digest = None

    def median(self, i=0):
        return statistics.median(r[i] for r in self.runs) if self.runs else None

    def spread(self):
        walls = [r[0] for r in self.runs]
        return (max(walls) - min(walls)) / statistics.median(walls)

    def out_name(self, i):
        return 'out-%02d' % i


class Failed(Exception):
    """Why a command did not do it; `over`: it was stopped after this time."""

    def __init__(self, why, over=None):
        super().__init__(why)
        self.over = over


# What befalls one contestant, and does not end the others' run.
TROUBLE = (Failed, OSError, ValueError, subprocess.CalledProcessError)


def mem_available():
    with open('/proc/meminfo') as f:
        for line in f:
            if line.startswith('MemAvailable:'):
                return int(line.split()[1]) * 1024
    return 0


def prime(paths):
    """Has the files in the page cache."""
    for path in paths:
        with open(path, 'rb', 0) as f:
            while f.read(4 << 20):
                pass


def tree_sha256(paths):
    h = hashlib.sha256()
    for path in paths:
        with open(path, 'rb') as f:
            while True:
                data = f.read(1 << 20)
                if not data:
                    break
                h.update(data)
    return h.hexdigest()


class Place:
    """Where outputs go; a directory that is emptied between runs."""

    def __init__(self, name, path):
        self.name, self.path = name, path

    def clean(self):
        shutil.rmtree(self.path, ignore_errors=True)
        os.makedirs(self.path)

    def room(self):
        free = shutil.disk_usage(self.path).free
        if self.name == 'tmpfs':
            free = min(free, mem_available())
        return free - RESERVE


class Runner:
    def __init__(self, binaries, tool, rounds, stop, budget, say):
        # unik-convert is `tool`; the rest of ours is in `binaries`.
        self.rounds = rounds    # runs that count
        self.stop = stop        # seconds that a peer may take
        self.budget = budget    # seconds for all rounds of a peer
        self.say = say
        self.results = []
        self.measure = os.path.join(binaries, 'tests/measure')
        self.env = dict(os.environ, LC_ALL='C.UTF-8', PATH=':'.join(
            (os.path.dirname(tool), binaries, binaries + '/tests',
             os.environ['PATH'], '/usr/sbin:/sbin')))
        for name in ('SOURCE_DATE_EPOCH', 'TMPDIR'):
            self.env.pop(name, None)

    # ---- one run ----

    def shell(self, r, place):
        body, single = contest.script(r.c, r.kind, len(r.corpus.layers))
        lines = ['set -eu -o pipefail', 'GUESS=%d' % r.guess,
                 'KEPT=' + place.path + '-kept']
        if not single:
            lines += ['OCI=' + r.corpus.oci(r.kind),
                      'OUT=%s/store' % place.path, body]
        for i, layer in enumerate(r.corpus.layers if single else ()):
            out = '%s/%s' % (place.path, r.out_name(i))
            lines += ['IN=' + layer.path[r.kind], 'OUT=' + out,
                      'X=%s/x-%d' % (place.path, i),
                      'KIB=%d' % (layer.size['tar'] // 1024), body]
            # What unik does by itself, when the output must be on the disk.
            if place.name == 'disk' and r.c.side != 'ours':
                lines.append('sync ' + out)
        return '\n'.join(lines)

    def run(self, r, place, limit=None):
        """(wall, cpu, peak); the outputs stay until the next run."""
        place.clean()
        prime(r.corpus.files(r.kind))
        out, log = place.path + '-took', place.path + '-log'
        start = time.monotonic()
        with open(log, 'wb') as err:
            p = subprocess.Popen(
                [self.measure, out, 'bash', '-c', self.shell(r, place)],
                stdin=subprocess.DEVNULL, stdout=err, stderr=err,
                env=self.env, start_new_session=True)
            try:
                p.wait(limit)
            except subprocess.TimeoutExpired:
                os.killpg(p.pid, signal.SIGKILL)
                p.wait()
                raise Failed('stopped after %d s' % limit,
                             time.monotonic() - start) from None
            except BaseException:  # interrupted: not to run on alone
                os.killpg(p.pid, signal.SIGKILL)
                p.wait()
                raise
        with open(log, 'rb') as f:
            why = complete.why_line(f.read())
        if p.returncode:
            raise Failed('exit %d: %s' % (
                p.returncode, why.replace(place.path + '/', '')))
        with open(out) as f:
            wall, user, system, peak, _ = f.read().split()
        return float(wall), float(user) + float(system), int(peak) * 1024

    # ---- what came out ----

    def outputs(self, r, place):
        """The images, in the order of the layers."""
        _, single = contest.script(r.c, r.kind, len(r.corpus.layers))
        if single:
            return ['%s/%s' % (place.path, r.out_name(i))
                    for i in range(len(r.corpus.layers))]
        with open(place.path + '/store.json') as f:
            stack = json.load(f)['stack']
        return ['%s/store/images/%s.%s' % (
            place.path, x['image'].replace(':', '-'), r.c.fmt) for x in stack]

    def inspect(self, r, place, first):
        if not r.c.fmt:
            return
        images = self.outputs(r, place)
        if r.c.side == 'ours':
            self.check_digests(r, place, images)
        digest = tree_sha256(images)
        if not first:
            r.same = digest == r.digest
            return
        r.digest = digest
        r.size = sum(os.path.getsize(p) for p in images)
        r.disk = sum(os.stat(p).st_blocks * 512 for p in set(images))
        rows = [x.rows for x in r.corpus.layers]
        if all(rows):
            # Equal bytes need no second look.
            for x in self.results:
                if x.complete and (x.corpus, x.digest) == (r.corpus, digest):
                    r.complete, r.lost = x.complete, x.lost
                    return
            r.complete, r.lost = complete.judge(r.c.fmt, images, rows,
                                                self.env)

    def check_digests(self, r, place, images):
        """What unik says that it hashed is what is there."""
        name = '/store.json' if not os.path.exists(
            place.path + '/out-00.json') else '/out-00.json'
        with open(place.path + name) as f:
            manifest = json.load(f)
        for image, x in zip(images, manifest['stack']):
            if 'sha256:' + tree_sha256([image]) != x['image']:
                raise Failed('the image is not %s' % x['image'])
        for layer, x in zip(r.corpus.layers, manifest['layers']):
            if 'sha256:' + layer.sha256 != x['diff_id']:
                raise Failed('the layer is not %s' % x['diff_id'])

    # ---- a group ----

    def first(self, r, place):
        """The round that does not count."""
        peer = r.c.side == 'peer'
        if shutil.which(r.c.tools[0], path=self.env['PATH']) is None:
            raise Failed('not installed: scripts/install-deps --bench')
        # What it writes, and a tree or a spool beside it.
        need = 3 * r.corpus.size('tar') if r.c.fmt else 0
        need += r.corpus.entries * 5000 if r.c.fmt else 0
        place.clean()
        if need > place.room():
            raise Failed('left out: %d MB of room needed, %d there' % (
                need >> 20, place.room() >> 20))
        if '$KEPT' in (r.c.image or ''):
            self.fill_store(r, place)
        for guess in GUESSES if r.c.guess else GUESSES[:1]:
            r.guess = guess
            try:
                took = self.run(r, place, self.stop if peer else None)
                break
            except Failed as e:
                if e.over or guess == GUESSES[-1] or not r.c.guess:
                    raise
                r.note = 'size guessed too small: ' + str(e)
        if r.guess != GUESSES[0]:
            r.note = 'needed %d %% of the size guessed' % (
                r.guess * 100 // GUESSES[0])
        self.inspect(r, place, True)
        return took

    def fill_store(self, r, place):
        kept = place.path + '-kept'
        shutil.rmtree(kept, ignore_errors=True)
        subprocess.run(['unik-convert', '-q', '-f', 'ext2',
                        'oci:' + r.corpus.oci(r.kind), kept],
                       stdin=subprocess.DEVNULL, check=True, env=self.env)

    def group(self, corpus, place, entries):
        """entries: (contestant's name, compression) in the order of a round."""
        results = [Result(corpus, kind, contest.BY_NAME[name], place.name)
                   for name, kind in entries]
        self.results += results
        place.clean()
        left, rounds = [], {}
        for r in results:
            self.say('%s, %s: %s %s' % (corpus.name, place.name, r.c.name,
                                        r.kind))
            try:
                took = self.first(r, place)
            except TROUBLE as e:
                r.why, r.over = str(e), getattr(e, 'over', None)
                self.say('  ' + r.why)
                continue
            n = self.rounds
            if r.c.side == 'peer':
                n = max(1, min(n, int(self.budget / took[0])))
            rounds[r] = n
            left.append(r)
        # Times that an output may hold must have moved on.
        time.sleep(1.1)
        for i in range(self.rounds):
            self.say('%s, %s: round %d' % (corpus.name, place.name, i + 1))
            for r in [r for r in left if i < rounds[r]]:
                try:
                    r.runs.append(self.run(r, place))
                    if len(r.runs) == rounds[r]:
                        self.inspect(r, place, False)
                except TROUBLE as e:
                    r.why, r.runs = str(e), []
                    left.remove(r)
        for end in ('-kept', ''):
            shutil.rmtree(place.path + end, ignore_errors=True)
        return results
