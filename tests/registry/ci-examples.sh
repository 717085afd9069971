#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The recipes of scripts/ci-examples, run as their runners do, down to a
# registry that asks for a password: what they push holds the source's layers,
# and what is not right is not pushed.
. "$(dirname "$0")/lib.bash"
. "$TOP/tests/registry/images.bash"

E=$TOP/scripts/ci-examples
user=ci password='pass word'
commit=0123456789abcdef0123456789abcdef01234567

make_images
if ! start_docker || ! start_registry $user "$password"; then
	skip "CI recipes" "${why_not:-}"
	done_testing
fi

# What is pushed, unpacked: the images in its root.
pushed() { # NAME
	rm -rf "$T/oci"
	skopeo_copy --src-creds "$user:$password" "docker://$REG/$1" \
		"oci:$T/oci:1" && umoci_root "$T/oci:1" && \
		carried "$T/umoci/rootfs"
} 2>>"$T/log/pushed"

# The digest of a manifest in the registry; nothing where it is not there.
tag_of() { # NAME TAG
	cat "$REG_ROOT/docker/registry/v2/repositories/$1/_manifests/tags/$2/current/link" \
		2>/dev/null
}

# same TEXT WANT GOT: equal, and not nothing
same() { is "$1" "$2" "${3:-nothing}"; }

# stops TEXT AT COMMAND...: fails, and the last step or job that ran is AT
stops() {
	local text=$1 at=$2
	shift 2
	"$@" >"$T/log/stops" 2>&1
	is "$text" "$at: exit 1" "$(grep ': exit [0-9]*$' "$T/log/stops" |
		tail -n 1)"
}

# What is checked out there: an application with a Dockerfile.
mkdir -p "$T/application/srv"
cp "$T/tree/base.tar" "$T/application/"
cp "$T/tree/app/srv/app" "$T/application/srv/"
printf '%s\n' 'FROM scratch' 'ADD base.tar /' 'COPY srv /srv' \
	'CMD ["/srv/app"]' >"$T/application/Dockerfile"

# ---- this tree as a repository, and what runners have ----

repository() {
	local r=$T/repository
	mkdir "$r"
	(cd "$TOP" && git ls-files -z -co --exclude-standard |
		xargs -0 sh -c 'for f; do [ -e "$f" ] && printf "%s\0" "$f"
			done' sh | tar -c --null -T - -f -) | tar -C "$r" -xf -
	git -C "$r" init -q
	git -C "$r" add -A
	git -C "$r" -c user.name=t -c user.email=t commit -qm all
}
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
unset MAKEFLAGS MAKELEVEL MFLAGS DESTDIR
# To be quick, -O0, and objects that both builds share; PREFIX is where GitLab's
# container has /usr/local.
export CFLAGS=-O0 SANITIZE='' B=$T/objects PREFIX=$T/installed
mkdir -p "$T/bin"
ln -s "$(command -v "$DOCKER")" "$T/bin/docker"
printf '#!/bin/sh\nexec "$@"\n' >"$T/bin/sudo"
printf '#!/bin/sh\necho "$@" >>"%s"\n' "$T/apt" >"$T/bin/apt-get"
# Another image than the one that is asked for: the last argument is where to.
printf '#!/bin/sh\nfor to; do :; done\nexec "%s" -q -t flat "%s" "$to"\n' \
	"$BIN/unik-convert" "$T/other.tar" >"$T/lying"
# Sources that are older than the objects of the other build.
printf '#!/bin/sh\n"%s" "$@" || exit\n[ "$1" != clone ] || {\n%s\n%s\n}\n' \
	"$(command -v git)" 'for at; do :; done' \
	'find "$at" -type f -exec touch -d @0 {} +' >"$T/git"
chmod 755 "$T/bin/sudo" "$T/bin/apt-get" "$T/lying" "$T/git"
export PATH="$T/bin:$PREFIX/bin:$PATH"

if ! have git || ! git -C "$TOP" rev-parse >/dev/null 2>&1; then
	skip "GitHub and GitLab" "this is no git work tree"
	yaml=no
elif ! python3 -c 'import yaml' 2>/dev/null; then
	skip "GitHub and GitLab" "needs python3-yaml"
	yaml=no
else
	yaml=yes
	ok "a repository of this tree" repository
	at=$(git -C "$T/repository" rev-parse HEAD)
	mv "$T/git" "$T/bin/git"
fi

for f in "$E"/*.yml; do
	pinned=$(sed -n 's/^ *UNIK_COMMIT: //p' "$f")
	is "${f##*/}: unik is pinned" 1 \
		"$(grep -c -x -E '[0-9a-f]{40}' <<<"$pinned")"
	# A shallow clone may lack it.
	if git -C "$TOP" cat-file -e "$pinned^{commit}" 2>/dev/null; then
		ok "${f##*/}: at a commit of this history" \
			git -C "$TOP" merge-base --is-ancestor "$pinned" HEAD
	fi
done

# ---- GitHub ----

github() { # WORK OPTION...
	local work=$1
	shift
	python3 "$TOP/tests/tools/ci_run.py" github \
		--set=UNIK_REPOSITORY="$T/repository" --set=UNIK_COMMIT="$at" \
		--set=IMAGE="$REG/team/app" --give=github.sha=$commit \
		--give=vars.REGISTRY_USER=$user \
		--give=secrets.REGISTRY_PASSWORD="$password" "$@" \
		"$E/github-actions.yml" "$T/application" "$work"
}
if [ $yaml = yes ]; then
	ok "GitHub: all steps" github "$T/github"
	same "GitHub: what is pushed" \
		"$(stack_of "$T/github/temp/source.tar" -t rumprun)" \
		"$(pushed team/app:$commit-rumprun)"
	stops "GitHub: another image in its place is not pushed" Verify \
		github "$T/github2" --skip="Install unik" \
		--give=github.sha=bad --before=Verify="cd \$RUNNER_TEMP/image &&
		unik-convert -q -t rumprun '$T/other.tar' \
			docker-archive:image.tar:other"
	is "GitHub: nothing there" '' "$(tag_of team/app bad-rumprun)"
fi

# ---- GitLab ----

gitlab() { # WORK OPTION...
	local work=$1
	shift
	python3 "$TOP/tests/tools/ci_run.py" gitlab \
		--set=UNIK_REPOSITORY="$T/repository" --set=UNIK_COMMIT="$at" \
		--give=CI_COMMIT_SHORT_SHA=${commit:0:8} \
		--give=CI_REGISTRY="$REG" --give=CI_REGISTRY_IMAGE="$REG/group/app" \
		--give=CI_REGISTRY_USER=$user \
		--give=CI_REGISTRY_PASSWORD="$password" "$@" \
		"$E/gitlab-ci.yml" "$T/application" "$work"
}
if [ $yaml = yes ]; then
	ok "GitLab: all jobs" gitlab "$T/gitlab"
	is "GitLab: packages" 'ca-certificates git skopeo' \
		"$(tr ' ' '\n' <"$T/apt" | grep -v -x -e install -e update \
			-e '-.*' | LC_ALL=C sort -u | xargs)"
	same "GitLab: what is pushed" \
		"$(stack_of "$T/gitlab/artifacts/source.tar" -t linux)" \
		"$(pushed group/app:${commit:0:8}-linux)"
	same "GitLab: the manifest that was verified" \
		"$(tar -xOf "$T/gitlab/artifacts/image/image.tar" index.json |
			jq -r '.manifests[0].digest')" \
		"$(tag_of group/app ${commit:0:8}-linux)"
	stops "GitLab: a changed archive is not pushed" push \
		gitlab "$T/gitlab2" --skip=convert --skip=push \
		--give=CI_COMMIT_SHORT_SHA=bad \
		--before=push='printf x >>image/image.tar'
	stops "GitLab: nor is another image in its place" convert \
		gitlab "$T/gitlab3" --skip=push --give=CI_COMMIT_SHORT_SHA=bad \
		--before=convert="cp '$T/lying' $T/bin/unik-convert" --skip=convert
	rm "$T/bin/unik-convert"
	is "GitLab: nothing there" '' "$(tag_of group/app bad-linux)"
fi

# ---- plain shell ----

docker load -q -i "$T/app.tar" >/dev/null
printf %s "$password" | docker login -u $user --password-stdin "$REG" \
	>"$T/log/login" 2>&1
ok "pipeline.sh" "$E/pipeline.sh" app:1 "$REG/plain/app:1-rumprun"
same "pipeline.sh: what is pushed" "$(stack_of "$T/app.tar" -t rumprun)" \
	"$(pushed plain/app:1-rumprun)"
ok "pipeline.sh: another target" "$E/pipeline.sh" app:1 \
	"$REG/plain/app:1-flat" flat
same "pipeline.sh: what is pushed then" "$(stack_of "$T/app.tar" -t flat)" \
	"$(pushed plain/app:1-flat)"
cp "$T/lying" "$T/bin/unik-convert"
status "pipeline.sh: another image in its place is not pushed" 1 \
	"$E/pipeline.sh" app:1 "$REG/plain/app:bad" flat
is "pipeline.sh: nothing there" '' "$(tag_of plain/app bad)"
done_testing
