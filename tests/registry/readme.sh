#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The transcript of README's "Before docker push", command by command, with the
# output that it shows; `...` stands for anything.
. "$(dirname "$0")/lib.bash"
. "$TOP/tests/registry/images.bash"

make_images
if ! start_docker || ! start_registry; then
	skip "README" "${why_not:-}"
	done_testing
fi

# What it takes for granted: an image app:1, a registry.
docker load -q -i "$T/app.tar" >/dev/null
mkdir -p "$T/bin" "$T/here"
ln -s "$(command -v "$DOCKER")" "$T/bin/docker"
export PATH="$T/bin:$PATH"

# Steps of the transcript: NUMBER.command, NUMBER.want
sed -n '/^## Before docker push/,/^## /p' "$TOP/README.md" |
	sed -n 's/^    //p' | sed "s/localhost:5000/$REG/g" |
	awk -v t="$T/step-" '
	/^\$ / { n++; file = sprintf("%s%02d", t, n)
		print substr($0, 3) >(file ".command")
		printf "" >(file ".want"); more = /\\$/; next }
	more { print >(file ".command"); more = /\\$/; next }
	{ print >(file ".want") }'
is "there is a transcript" yes \
	"$([ -e "$T/step-05.command" ] && echo yes || echo no)"

# matches WANT GOT: "..." is anything in a line, alone any number of lines
matches() {
	python3 - "$1" "$2" <<-'TEXT'
		import re, sys
		want, got = (open(f).read() for f in sys.argv[1:])
		def pattern(line):
		    if line == '...\n':
		        return '(?:.*\n)*?'
		    return '.*'.join(map(re.escape, line.split('...')))
		lines = want.splitlines(keepends=True)
		if not re.fullmatch(''.join(map(pattern, lines)), got):
		    sys.exit('want:\n' + want + 'got:\n' + got)
	TEXT
}

cd "$T/here" || exit 3
for command in "$T"/step-*.command; do
	text=$(head -n 1 "$command" | sed "s/$REG/localhost:5000/g")
	bash -e -o pipefail "$command" >"$T/got" 2>"$T/err" </dev/null
	is "\$ $text: exit status" 0 $?
	sed 's/^/# /' "$T/err"
	ok "\$ $text: its output" matches "${command%.command}.want" "$T/got"
done

# What it says was pushed, is there.
for name in rumprun linux; do
	ok "app:1-$name: verified in the registry" skopeo_copy \
		"docker://$REG/app:1-$name" "oci:$T/oci:$name"
	ok "app:1-$name: it is the source's" verifies "$T/app.tar" \
		"oci:$T/oci:$name"
done
done_testing
