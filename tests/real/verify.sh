#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# unik-verify on a Debian and on all containers that it comes in.
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/real/images.bash"

if ! need_images; then
	skip 'real images, verified' "$why_not"
	done_testing
fi

# passes TEXT ARG...: exit 0, nothing fails, nothing is skipped but for intact
# and faithful of sources.
passes() {
	local text=$1 out
	shift
	out=$(unik-verify "$@" 2>&1)
	is "$text: exit status" 0 $?
	is "$text: all pass" '' "$(grep -v -e '^PASS ' -e '^     lost: ' \
		-e ' source: it is ' -e '^[0-9]* PASS, 0 FAIL, [02] SKIP$' \
		<<<"$out" | head -n 5)"
}

for kind in docker gzip zstd; do
	passes "the source, $kind" "$C/debian.$kind.tar"
done
S=$T/store
ok 'converted, oci' unik-convert -q -f iso -f ext2 "$C/debian.docker.tar" "$S"
ok 'converted, linux' unik-convert -q -t linux "$C/debian.docker.tar" "$S"
for kind in docker gzip zstd; do
	passes "the store, from $kind" --source="$C/debian.$kind.tar" "$S"
done
passes 'by trees' --semantic --source="$C/debian.docker.tar" "$S"
peak=$(python3 - "$S" "$C/debian.gzip.tar" <<-'END'
	import resource, subprocess, sys
	subprocess.run(['unik-verify', '-q', '--semantic',
	                '--source=' + sys.argv[2], sys.argv[1]], check=True)
	print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
END
)
if [ -z "${SANITIZE:-}" ]; then
	ok "in $peak KiB of memory" test "$peak" -lt 98304
fi
image=$(find "$S/images" -name '*.ext2' -size +30M | sort | head -n 1)
chmod u+w "$image"
printf 'X' | dd of="$image" bs=1 seek=20000000 conv=notrunc status=none
chmod u-w "$image"
status 'one byte of 30 MB' 1 unik-verify -q "$S"
ok 'the image is named' grep -q "^FAIL identity images/${image##*/}: " \
	<(unik-verify -q "$S")
done_testing
