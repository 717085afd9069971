#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Before docker push, in plain shell: turns the layers of IMAGE into filesystem
# images, packages them as NEW, proves that they are IMAGE's layers, pushes NEW.
#
#   pipeline.sh IMAGE NEW [TARGET]
#   pipeline.sh app:1 registry.example.org/team/app:1-rumprun rumprun
#
# Wants unik, docker (logged in) and coreutils.  IMAGE itself is not changed.
set -eu
image=$1 new=$2 target=${3:-rumprun}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# Once to a file: what is converted is what is verified.
docker save -o source.tar "$image"
unik-convert --target="$target" source.tar "docker-archive:image.tar:$new"

# Stops here unless each layer of the source is in there, to the bit.
unik-verify --source=source.tar docker-archive:image.tar
sha256sum -c SHA256SUMS

docker load -i image.tar
docker push "$new"
