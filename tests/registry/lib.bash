# SPDX-License-Identifier: GPL-3.0-or-later
# Sourced by the tests of this folder in place of tests/lib.sh: a registry,
# dockerd, containerd and podman of Debian, each started by the test with
# directories, sockets and a port of its own below $T.
# shellcheck shell=bash
# shellcheck disable=SC2034 # for who sources this
#
#   start_registry [USER PASSWORD]
#                       $REG is 127.0.0.1:PORT, $REG_ROOT its storage
#   start_docker        then `docker` speaks with that dockerd only
#   start_containerd    then `ctr`
#   start_podman        then `podman`; it needs no daemon
#   stop NAME           registry, docker or containerd; the end stops all
#
# start_X returns 1 with $why_not where the part can't be started here.
#
# The test runs in mount and process namespaces of its own where it may: no
# mount and no process outlives it, not even one that is killed.  (In a chroot
# mounts can't be made private.)
if [ -z "${UNIK_REGISTRY_NS:-}" ]; then
	export UNIK_REGISTRY_NS=none
	for propagation in private unchanged; do
		ns=(unshare --mount --propagation "$propagation" --pid
			--kill-child --mount-proc)
		if "${ns[@]}" true 2>/dev/null; then
			UNIK_REGISTRY_NS=own exec "${ns[@]}" bash "$0" "$@"
		fi
	done
fi
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

# Nothing of the user's: configuration, credentials, proxies, contexts.
export HOME=$T/home XDG_RUNTIME_DIR=$T/run DOCKER_CONFIG=$T/home/docker
export XDG_CONFIG_HOME=$T/home/config XDG_DATA_HOME=$T/home/data
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY \
	DOCKER_CONTEXT DOCKER_TLS_VERIFY DOCKER_CERT_PATH CONTAINERS_CONF \
	REGISTRY_AUTH_FILE CONTAINER_HOST
export DOCKER_HOST=unix://$T/docker.sock
mkdir -p "$DOCKER_CONFIG" "$XDG_RUNTIME_DIR" "$T/log"
echo "{}" >"$DOCKER_CONFIG/config.json"

declare -A pids=()
why_not=

# start NAME COMMAND...: in the background, its output in $T/log/NAME.
start() {
	local name=$1
	shift
	"$@" >"$T/log/$name" 2>&1 </dev/null &
	pids[$name]=$!
}

# wait_for NAME COMMAND...: until COMMAND succeeds, while NAME runs, for 30 s.
wait_for() {
	local name=$1 n
	shift
	for ((n = 0; n < 300; n++)); do
		"$@" >/dev/null 2>&1 && return 0
		kill -0 "${pids[$name]}" 2>/dev/null || break
		sleep 0.1
	done
	stop "$name"
	why_not="$name did not start: $(last_words "$T/log/$name")"
	return 1
}
last_words() { # LOG: its last line, or what a Go program died of
	grep -m 1 '^panic: ' "$1" || tail -n 1 "$1"
}

stop() {
	local pid=${pids[$1]:-} n
	[ -n "$pid" ] || return 0
	unset "pids[$1]"
	kill "$pid" 2>/dev/null
	for ((n = 0; n < 100; n++)); do
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.1
	done
	kill -9 "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	return 0
}

cleanup() {
	local name at
	[ "${tap_bad:-0}" = 0 ] || show_logs
	for name in "${!pids[@]}"; do stop "$name"; done
	# the last mounted first; $T has no character that the table escapes
	awk -v t="$T/" 'index($2, t) == 1 { print $2 }' /proc/self/mounts |
		tac | while IFS= read -r at; do umount -l "$at"; done
	for at in /sys/fs/cgroup /sys/fs/cgroup/*; do
		[ ! -d "$at/$cgroup" ] || find "$at/$cgroup" -depth -type d \
			-exec rmdir {} + 2>/dev/null
	done
	return 0
}
cgroup=$(basename "$T")

show_logs() {
	local log
	for log in "$T"/log/*; do
		[ -s "$log" ] || continue
		echo "# the end of ${log##*/}'s log:"
		tail -n 4 "$log" | cut -c1-200 | sed 's/^/#   /'
	done
}

# needs root|root-mount|PROGRAM...  The second is for who unpacks layers in a
# chroot: that wants "/" to be a mount, as it is not in another chroot.
needs() {
	local what
	for what; do
		case $what in
		root) [ "$(id -u)" = 0 ] ;;
		root-mount) awk '$2 == "/" { n = 1 } END { exit !n }' \
			/proc/self/mounts ;;
		*) have "$what" ;;
		esac || {
			why_not="needs $what"
			return 1
		}
	done
}

# ---- the registry ----

start_registry() {
	needs docker-registry || return
	REG_ROOT=$T/registry
	mkdir -p "$REG_ROOT"
	cat >"$T/registry.yml" <<-TEXT
		version: 0.1
		log: {level: info}
		storage: {filesystem: {rootdirectory: $REG_ROOT}}
		http: {addr: "127.0.0.1:0", secret: unused}
	TEXT
	[ $# = 0 ] || registry_user "$@" || return
	start registry docker-registry serve "$T/registry.yml"
	wait_for registry registry_port || return
	REG=127.0.0.1:$(registry_port)
	# For a skopeo that is not told that there is no TLS.
	mkdir -p "$HOME/.config/containers"
	printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' "$REG" \
		>"$HOME/.config/containers/registries.conf"
}

# Only this user may enter.
registry_user() { # NAME PASSWORD
	if ! python3 -W ignore - "$@" >"$T/htpasswd" <<-'TEXT'
		import crypt, sys
		print(sys.argv[1] + ':' + crypt.crypt(
		    sys.argv[2], crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16)))
	TEXT
	then
		why_not="needs a Python with crypt"
		return 1
	fi
	echo "auth: {htpasswd: {realm: unik, path: $T/htpasswd}}" \
		>>"$T/registry.yml"
}

# The port that it was given, from its log.
registry_port() {
	sed -n 's/.*msg="listening on 127\.0\.0\.1:\([0-9]*\)".*/\1/p' \
		"$T/log/registry" | grep .
}

# Blobs on the registry's disk: their digests, sorted.
reg_blobs() {
	find "$REG_ROOT/docker/registry/v2/blobs/sha256" -name data \
		-printf '%h\n' 2>/dev/null | sed 's|.*/||' | LC_ALL=C sort
}
reg_blob() { # DIGEST: its file
	local hex=${1#sha256:}
	echo "$REG_ROOT/docker/registry/v2/blobs/sha256/${hex:0:2}/$hex/data"
}

# skopeo without signatures, policies and TLS.
skopeo_copy() { # [OPTION...] SRC DEST
	skopeo --insecure-policy copy -q --src-tls-verify=false \
		--dest-tls-verify=false "$@"
}

# ---- dockerd ----

# The client that came with dockerd, not another in /usr/local.
DOCKER=/usr/bin/docker
[ -x $DOCKER ] || DOCKER=docker
docker() { command $DOCKER "$@"; }

can_overlay() { # DIR
	local d=$1/overlay-probe rc
	mkdir -p "$d/l" "$d/u" "$d/w" "$d/m"
	mount -t overlay overlay -o \
		"lowerdir=$d/l,upperdir=$d/u,workdir=$d/w" "$d/m" 2>/dev/null
	rc=$?
	[ $rc != 0 ] || umount "$d/m"
	rm -rf "$d"
	return $rc
}

# What engines want, and a bare container lacks.
mount_cgroups() {
	[ "$UNIK_REGISTRY_NS" = own ] || return 0
	if [ ! -d /sys/fs/cgroup ]; then
		mount -t sysfs -o ro sysfs /sys || return 0
	fi
	if [ -z "$(ls -A /sys/fs/cgroup)" ]; then
		mount -t cgroup2 cgroup2 /sys/fs/cgroup || return 0
	fi
}

start_docker() {
	needs root root-mount dockerd "$DOCKER" containerd runc iptables || return
	DRIVER=overlay2
	mount_cgroups >"$T/log/cgroups" 2>&1
	if ! can_overlay "$T"; then
		echo "# NO OVERLAY in $T: dockerd with --storage-driver=vfs"
		DRIVER=vfs
	fi
	echo '{}' >"$T/daemon.json"
	start docker dockerd --config-file="$T/daemon.json" \
		--storage-driver=$DRIVER --iptables=false --ip6tables=false \
		--bridge=none --ip-forward=false --ip-masq=false \
		--data-root="$T/docker" --exec-root="$T/exec" -H "$DOCKER_HOST" \
		--pidfile="$T/docker.pid" --cgroup-parent="/$cgroup" \
		--insecure-registry=127.0.0.0/8 --log-level=warn
	wait_for docker docker version
}

# ---- containerd ----

start_containerd() {
	needs root containerd ctr || return
	if ! can_overlay "$T"; then
		why_not="no overlay in $T"
		return 1
	fi
	cat >"$T/containerd.toml" <<-TEXT
		version = 2
		root = "$T/containerd/root"
		state = "$T/containerd/state"
		disabled_plugins = ["io.containerd.grpc.v1.cri"]
		[grpc]
		address = "$T/containerd.sock"
		[ttrpc]
		address = "$T/containerd.sock.ttrpc"
	TEXT
	start containerd containerd -c "$T/containerd.toml"
	wait_for containerd ctr version
}
ctr() { command ctr -a "$T/containerd.sock" -n unik "$@"; }

# The root of an imported image, to read.
ctr_mount() { # IMAGE DIR
	mkdir -p "$2"
	ctr images mount "$1" "$2"
}

# ---- podman ----

start_podman() {
	needs root root-mount podman conmon || return
	mount_cgroups >"$T/log/cgroups" 2>&1
	mkdir -p "$T/podman/run"
	cat >"$T/podman/storage.conf" <<-TEXT
		[storage]
		driver = "$(can_overlay "$T" && echo overlay || echo vfs)"
		graphroot = "$T/podman/root"
		runroot = "$T/podman/run"
	TEXT
	echo '{"default":[{"type":"insecureAcceptAnything"}]}' \
		>"$T/podman/policy.json"
	if ! podman info >"$T/log/podman" 2>&1; then
		why_not="podman does not run: $(last_words "$T/log/podman")"
		return 1
	fi
}
podman() {
	CONTAINERS_STORAGE_CONF=$T/podman/storage.conf CONTAINERS_CONF=/dev/null \
		CONTAINERS_REGISTRIES_CONF=/dev/null command podman \
		--tmpdir "$T/podman/tmp" --cgroup-manager cgroupfs \
		--events-backend none "$@"
}
podman_load() { podman load -q --signature-policy "$T/podman/policy.json" "$@"; }
