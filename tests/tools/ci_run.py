#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the shell parts of a CI recipe as its runner does.

  ci_run.py github|gitlab [OPTION...] RECIPE APPLICATION WORK

APPLICATION is the directory that is checked out, WORK a new one for all that
happens.  Options:

  --set=NAME=VALUE        replaces a variable that the recipe sets at its top
  --give=NAME=VALUE       what the service gives: an expression of GitHub, as in
                          ${{ NAME }}, or a predefined variable of GitLab
  --skip=NAME             leaves out a step (GitHub), or what stands before the
                          script of a job (GitLab)
  --before=NAME=COMMAND   first runs COMMAND in that step's or job's directory

Prints a line for each step or job, and ends with the status of the first that
fails.
"""
import getopt
import os
import re
import shutil
import subprocess
import sys

import yaml


def die(text):
    sys.exit('ci_run.py: ' + text)


class Run:
    def __init__(self, options, application, work):
        self.set, self.give, self.before, self.skip = {}, {}, {}, set()
        for name, value in options:
            if name == '--skip':
                self.skip.add(value)
            else:
                key, _, rest = value.partition('=')
                getattr(self, name[2:])[key] = rest
        self.application = application
        self.work = work
        os.makedirs(work)

    def variables(self, top):
        for name in self.set:
            if name not in top:
                die("the recipe does not set '%s'" % name)
        return {k: str(v) for k, v in {**top, **self.set}.items()}

    def shell(self, name, argv, script, cwd, env):
        first = self.before.get(name)
        if first:
            subprocess.run(['sh', '-ec', first], cwd=cwd, env=env, check=True)
        path = os.path.join(self.work, 'script')
        with open(path, 'w') as f:
            f.write(script)
        status = subprocess.run(argv + [path], cwd=cwd, env=env,
                                stdin=subprocess.DEVNULL).returncode
        print('%s: exit %d' % (name, status), flush=True)
        if status:
            sys.exit(status)

    def checkout(self, name):
        path = os.path.join(self.work, name)
        shutil.copytree(self.application, path, symlinks=True)
        return path


# Expressions stand in `env` only: text of others in a script would be run.
def filled(run, env):
    def value(match):
        if match[1] not in run.give:
            die("nothing is given for '%s'" % match[1])
        return run.give[match[1]]
    return {k: re.sub(r'\$\{\{ *(.*?) *\}\}', value, str(v))
            for k, v in env.items()}


def github(run, recipe):
    temp = os.path.join(run.work, 'temp')
    path_file = os.path.join(run.work, 'path')
    os.makedirs(temp)
    top = run.variables(recipe['env'])
    for job in recipe['jobs'].values():
        cwd = None
        for step in job['steps']:
            name = step['name']
            if 'uses' in step:
                if not re.fullmatch('actions/checkout@[0-9a-f]{40}',
                                    step['uses']):
                    die("step '%s' uses '%s'" % (name, step['uses']))
                cwd = run.checkout('workspace')
                continue
            if '${{' in step['run']:
                die("step '%s': an expression in a script" % name)
            if name in run.skip:
                continue
            env = dict(os.environ, RUNNER_TEMP=temp, GITHUB_PATH=path_file)
            for level in (top, job.get('env', {}), step.get('env', {})):
                env.update(filled(run, level))
            if os.path.exists(path_file):
                with open(path_file) as f:
                    for line in f:
                        env['PATH'] = line.strip() + ':' + env['PATH']
            run.shell(name, ['bash', '--noprofile', '--norc', '-e', '-o',
                             'pipefail'], step['run'], cwd, env)


def gitlab(run, recipe):
    top = run.variables(recipe['variables'])
    kept = os.path.join(run.work, 'artifacts')
    os.makedirs(kept)
    for stage in recipe['stages']:
        for name, job in recipe.items():
            if not isinstance(job, dict) or job.get('stage') != stage:
                continue
            cwd = run.checkout('build-' + name)
            shutil.copytree(kept, cwd, dirs_exist_ok=True)
            env = dict(os.environ, CI_PROJECT_DIR=cwd, **run.give)
            env.update(top)
            env.update({k: str(v) for k, v in
                        job.get('variables', {}).items()})
            lines = [] if name in run.skip else job.get('before_script', [])
            run.shell(name, ['sh', '-e'],
                      '\n'.join(lines + job['script']) + '\n', cwd, env)
            for path in job.get('artifacts', {}).get('paths', []):
                path = path.rstrip('/')
                source = os.path.join(cwd, path)
                target = os.path.join(kept, path)
                if os.path.isdir(source):
                    shutil.copytree(source, target, dirs_exist_ok=True)
                else:
                    shutil.copy2(source, target)


def main(args):
    if not args or args[0] not in ('github', 'gitlab'):
        sys.exit(__doc__)
    options, rest = getopt.getopt(
        args[1:], '', ['set=', 'give=', 'skip=', 'before='])
    if len(rest) != 3:
        sys.exit(__doc__)
    with open(rest[0]) as f:
        recipe = yaml.safe_load(f)
    run = Run(options, rest[1], rest[2])
    {'github': github, 'gitlab': gitlab}[args[0]](run, recipe)


if __name__ == '__main__':
    main(sys.argv[1:])
