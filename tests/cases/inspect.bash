# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Sourced by the tests of unik-inspect: an image of five layers, of which each
# is of another storage class, in $T: app.tar and oci:$T/app.
layer() { # NAME < TEXT: $T/NAME.tar
	python3 "$TOP/tests/tools/mktar.py" /dev/stdin "$T/$1.tar"
}

make_layers() {
	layer l-base <<-'END'
		dir ./ mode=750 uid=5 gid=6 mtime=1700000001
		dir usr mode=755 mtime=1700000002
		dir usr/lib mtime=1700000002
		file usr/lib/libx.so.1 data=\x7fELF fill=200k:x mtime=1700000003
		symlink usr/lib/libx.so libx.so.1 mtime=1700000003
		file usr/share/doc/x/README data=readme mtime=1700000004
		file usr/share/doc/x/more data=more
		file etc/passwd data=app:x:77:88::/srv:/bin/sh\n
		symlink lib /usr/lib
		dir var/cache
		file var/cache/old data=old
		end
	END
	layer l-app <<-'END'
		pax mtime=1700000005.123456789 SCHILY.xattr.user.note=value
		file srv/app data=#!/bin/sh\n mode=4755 uid=77 gid=88
		hardlink srv/hard srv/app
		symlink bin/app ../srv/app
		end
	END
	layer l-conf <<-'END'
		file etc/app.conf data=a=1\n mode=640
		file etc/app.d/one data=1
		file srv/note data=n
		file usr/share/doc/.wh.x
		end
	END
	layer l-data <<-'END'
		file srv/data fill=100k:d
		char srv/null 1:3
		fifo srv/pipe mode=600
		file var/cache/.wh..wh..opq
		file var/cache/new data=new
		file srv/odd\x1b[31m\n\xff\xe2\x80\xae data=odd
		end
	END
	layer l-empty <<-'END'
		dir srv/empty mode=700
		end
	END
}

make_image() {
	make_layers
	python3 - "$T" "$TOP/tests/tools/mkimage.py" <<-'END'
		import json, subprocess, sys
		t, tool = sys.argv[1:]
		extra = {'config': {
		    'Entrypoint': ['app', '--two words'], 'Cmd': ['it\'s', 'a"b\\c'],
		    'Env': ['PATH=/nowhere:/bin', 'MULTI=one\ntwo\n', 'A=\'q\''],
		    'Labels': {'l': 'v\u001b[1m'}, 'WorkingDir': '/srv',
		    'User': 'app'},
		    'history': [{'created_by': 'FROM \u001b[2J' + 'x' * 200},
		                {'created_by': 'ENV', 'empty_layer': True}] +
		               [{'created_by': 'COPY %d' % i} for i in range(4)]}
		names = ['base', 'app', 'conf', 'data', 'empty']
		layers = ['%s/l-%s.tar' % (t, n) for n in names]
		for kind, where in ('docker', 'app.tar'), ('oci', 'app'):
		    subprocess.run(['python3', tool, '--config=' + json.dumps(extra),
		                    kind, '%s/%s' % (t, where), 'reg/app:1'] + layers,
		                   check=True)
	END
}

# One command on the JSON that another prints: json CODE COMMAND...; `d` is the
# document, `lines` all of them.
json() {
	local code=$1
	shift
	"$@" | python3 -c "
import json, sys
lines = [json.loads(x) for x in sys.stdin]
d = lines[0]
print($code)"
}
