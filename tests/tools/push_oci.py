#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pushes one manifest of an OCI layout, and its blobs, by its digest.

  push_oci.py DIR DIGEST HOST:PORT NAME

skopeo 1.9 pushes only what has a tag.  Plain HTTP, as the distribution-spec
says it ("Pushing blobs" in one request, "Pushing manifests").
"""
import json
import os
import sys
import urllib.request
from urllib.parse import quote, urljoin


def main(directory, digest, host, name):
    base = 'http://%s/v2/%s/' % (host, name)

    def blob(of):
        with open(os.path.join(directory, 'blobs', *of.split(':')), 'rb') as f:
            return f.read()

    def send(method, url, data=b'', kind='application/octet-stream'):
        request = urllib.request.Request(
            urljoin(base, url), data, {'Content-Type': kind}, method=method)
        with urllib.request.urlopen(request) as answer:
            return answer.headers.get('Location')

    text = blob(digest)
    manifest = json.loads(text)
    for part in [manifest['config']] + manifest['layers']:
        place = send('POST', base + 'blobs/uploads/')
        sign = '&' if '?' in place else '?'
        send('PUT', place + sign + 'digest=' + quote(part['digest']),
             blob(part['digest']))
    send('PUT', base + 'manifests/' + digest, text, manifest['mediaType'])


if __name__ == '__main__':
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
