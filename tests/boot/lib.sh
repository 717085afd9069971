# SPDX-License-Identifier: GPL-3.0-or-later
# A guest with Debian's cloud kernel, for what this machine's kernel can't do.
# Source tests/lib.sh first.  Run as a test, this file tests itself.
#
#   boot_available        0 where a guest can be had; else says why not, and 1
#   boot_run SCRIPT IMAGE...
#       boots, runs the shell script SCRIPT in the guest as root, prints what
#       it wrote and returns its exit status; 125 where the guest died.  The
#       images are /dev/vda, /dev/vdb, ... in order, read-only.
#
# The guest: busybox (all its applets in /bin), /proc, /sys, /dev, tmpfs on
# /tmp; modules isofs, overlay, loop, squashfs loaded; ext2 and ext4 built in;
# no network.  What the kernel says goes to `dmesg`, not into the output.
#
# Needs qemu-system-x86_64, busybox (static), cpio, depmod, dpkg-deb, and once
# the package of the kernel, which is kept in $BIN/boot.  The guest is emulated:
# KVM inside a virtual machine may be there and yet fail.  BOOT_ACCEL=kvm,
# BOOT_MEMORY (MiB) and BOOT_SECONDS may be set.
# shellcheck shell=bash
if [ "${BASH_SOURCE[0]}" = "$0" ]; then
	# shellcheck disable=SC1091
	. "$(dirname "$0")/../lib.sh"
fi
BOOT_DIR=$BIN/boot
BOOT_MODULES="virtio_pci virtio_blk isofs overlay loop squashfs"

boot_missing() {
	local t
	[ "$(uname -m)" = x86_64 ] || {
		echo "the guest is x86_64, this machine $(uname -m)"
		return 0
	}
	for t in qemu-system-x86_64 busybox cpio dpkg-deb apt-get; do
		have "$t" || {
			echo "$t is missing"
			return 0
		}
	done
	[ -x /sbin/depmod ] || have depmod || {
		echo "depmod is missing"
		return 0
	}
	! ldd "$(command -v busybox)" >/dev/null 2>&1 || {
		echo "busybox is not static (package busybox-static)"
		return 0
	}
	return 1
}

# The package that linux-image-cloud-amd64 stands for.
boot_package() {
	apt-cache depends linux-image-cloud-amd64 2>/dev/null |
		sed -n 's/.*Depends: *\(linux-image-[0-9].*\)$/\1/p' | head -n 1
}

# Unpacks the kernel package into $BOOT_DIR/kernel.
boot_kernel() {
	local pkg tmp
	[ -d "$BOOT_DIR/kernel" ] && return 0
	pkg=$(boot_package)
	if [ -z "$pkg" ] && [ "$(id -u)" = 0 ]; then
		apt-get update -q >/dev/null 2>&1
		pkg=$(boot_package)
	fi
	[ -n "$pkg" ] || {
		echo "apt knows no linux-image-cloud-amd64"
		return 1
	}
	mkdir -p "$BOOT_DIR" && tmp=$(mktemp -d "$BOOT_DIR/tmp-XXXXXX") || return 1
	if ! (cd "$tmp" && apt-get download -q "$pkg" >log 2>&1) ||
		! dpkg-deb -x "$tmp"/linux-image-*.deb "$tmp/kernel"; then
		rm -rf "$tmp"
		echo "can't fetch $pkg"
		return 1
	fi
	# Another process may have been faster; either one is as good.
	mv -T "$tmp/kernel" "$BOOT_DIR/kernel" 2>/dev/null
	rm -rf "$tmp"
	[ -d "$BOOT_DIR/kernel" ]
}

boot_init() {
	cat <<-'EOF'
	#!/bin/busybox sh
	export PATH=/bin
	/bin/busybox mkdir -p /proc /sys /dev /tmp /mnt
	/bin/busybox --install -s /bin
	mount -t proc proc /proc
	mount -t sysfs sysfs /sys
	mount -t devtmpfs dev /dev
	mount -t tmpfs tmp /tmp
	for m in $(cat /modules); do modprobe $m || echo "no module $m"; done
	stty -F /dev/ttyS0 -onlcr 2>/dev/null
	echo ==unik-boot-begin==
	cd /
	sh /script </dev/null 2>&1
	rc=$?
	echo # the script may have left a line open
	echo ==unik-boot-end $rc
	poweroff -f
	EOF
}

# Makes $BOOT_DIR/initrd: all of the guest but the script.
boot_initrd() {
	local tmp version m f
	[ -f "$BOOT_DIR/initrd" ] && return 0
	version=$(ls "$BOOT_DIR/kernel/lib/modules") || return 1
	tmp=$(mktemp -d "$BOOT_DIR/tmp-XXXXXX") || return 1
	PATH=$PATH:/sbin:/usr/sbin depmod -b "$BOOT_DIR/kernel" "$version"
	mkdir -p "$tmp/root/bin" "$tmp/root/lib/modules/$version"
	cp "$(command -v busybox)" "$tmp/root/bin/busybox"
	echo "$BOOT_MODULES" >"$tmp/root/modules"
	for m in $BOOT_MODULES; do
		PATH=$PATH:/sbin:/usr/sbin modprobe -d "$BOOT_DIR/kernel" \
			-S "$version" --show-depends "$m"
	done | sed -n 's/^insmod *\([^ ]*\).*/\1/p' | sort -u |
		while read -r f; do cp "$f" "$tmp/root/lib/modules/$version"; done
	PATH=$PATH:/sbin:/usr/sbin depmod -b "$tmp/root" "$version" 2>/dev/null
	boot_init >"$tmp/root/init"
	chmod 755 "$tmp/root/init"
	(cd "$tmp/root" && find . | cpio -o -H newc --quiet) | gzip -1 \
		>"$tmp/initrd" &&
		# The kernel wants what follows at a multiple of four.
		truncate -s %512 "$tmp/initrd" && mv "$tmp/initrd" "$BOOT_DIR/initrd"
	rm -rf "$tmp"
	[ -f "$BOOT_DIR/initrd" ]
}

boot_available() {
	! boot_missing && boot_kernel && boot_initrd
}

# What the script wrote, byte for byte: between the markers, without the newline
# before the second one.
boot_output() {
	tr -d '\r' <"$1" | awk '
		/^==unik-boot-end / { exit }
		on { printf "%s%s", n++ ? "\n" : "", $0 }
		/^==unik-boot-begin==$/ { on = 1 }'
}

boot_run() {
	local script=$1 dir img n=0 rc args
	shift
	dir=$(mktemp -d "$T/boot-XXXXXX") || return 125
	mkdir "$dir/add"
	cp "$script" "$dir/add/script"
	{
		cat "$BOOT_DIR/initrd"
		(cd "$dir/add" && echo script | cpio -o -H newc --quiet)
	} >"$dir/initrd"
	args=(-M "q35,accel=${BOOT_ACCEL:-tcg}" -cpu max -smp 1 -m "${BOOT_MEMORY:-512}"
		-nodefaults -nic none -display none -serial stdio -no-reboot
		-kernel "$(ls "$BOOT_DIR"/kernel/boot/vmlinuz-*)"
		-initrd "$dir/initrd"
		-append "console=ttyS0 quiet loglevel=0 panic=-1")
	for img; do
		args+=(-drive
			"file=$img,format=raw,if=none,id=d$n,readonly=on"
			-device "virtio-blk-pci,drive=d$n")
		n=$((n + 1))
	done
	timeout "${BOOT_SECONDS:-300}" qemu-system-x86_64 "${args[@]}" \
		</dev/null >"$dir/console" 2>"$dir/err"
	rc=$(tr -d '\r' <"$dir/console" |
		sed -n 's/^==unik-boot-end \([0-9]*\)$/\1/p')
	if [ -z "$rc" ]; then
		echo "the guest died:"
		cat "$dir/err"
		tr -d '\r' <"$dir/console" | tail -n 20
		rc=125
	else
		boot_output "$dir/console"
	fi
	rm -rf "$dir"
	return "$rc"
}

boot_selftest() {
	local why out
	why=$(boot_available) || {
		skip "a guest boots" "$why"
		done_testing
	}
	printf 'hello' >"$T/a.img"
	printf 'world' >"$T/b.img"
	truncate -s 4096 "$T/a.img" "$T/b.img"
	cat >"$T/script" <<-'EOF'
	head -c 5 /dev/vda
	echo
	head -c 5 /dev/vdb
	grep -cw -e iso9660 -e overlay -e ext2 /proc/filesystems
	exit 7
	EOF
	out=$(boot_run "$T/script" "$T/a.img" "$T/b.img")
	is "a guest runs a script and gives its exit status" 7 $?
	is "it reads the images in order and knows three filesystems" \
		$'hello\nworld3' "$out"
	done_testing
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
	boot_selftest
fi
