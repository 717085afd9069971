#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The ISO writer on many files, many directories, and large files.
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/mount/iso.bash"

need_iso_tools

# What two readers count, too many for a list of all.
counted() { # TEXT
	local want
	want=$(wc -l <"$T/$name.tree")
	is "$1: bsdtar counts" "$want" "$(bsdtar -tf "$T/$name.iso" | wc -l)"
	is "$1: isoinfo counts" "$want" \
		$(($(isoinfo -R -f -i "$T/$name.iso" | wc -l) + 1))
}

make_iso files < <(
	for i in $(seq 70); do echo "repeat 1000 file d$i/f{} text=$i-{}"; done
)
intact '70,000 files'
counted '70,000 files'
comes_back '70,000 files'

head65=$(printf 'n%.0s' $(seq 64))
make_iso wide <<-END
	repeat 100000 file wide/$head65{}
END
intact '100,000 entries in one directory'
counted '100,000 entries in one directory'
comes_back '100,000 entries in one directory'
is '100,000 identifiers' 100000 \
	"$(isoinfo -f -i "$T/wide.iso" | grep -c -E '^/WIDE/N+_[0-9]+|^/WIDE/N+\.;1')"

make_iso dirs <<-END
	dir d
	repeat 65533 dir d/{}
END
intact '65,535 directories'
comes_back '65,535 directories'
is '65,535 directories: in the path table' 65535 \
	"$(isoinfo -p -i "$T/dirs.iso" | grep -c '^ *[0-9]*: ')"
refused '65,536 directories' 'use ext2' <<<'repeat 65535 dir {}'
refused '65,536 directories, nested' 'use ext2' <<-END
	dir a
	repeat 65534 dir a/{}
END

# 4 GiB and a little in two sections, holes on the disk.
big=$((4294967296 + 5000))
make_iso big <<-END
	file big text=begin at=$((big - 3)) text=end
	file small text=small
	link linked target=big
END
ok 'a large file: intact' readiso check "$T/big.iso"
ok 'a large file: holes on the disk' \
	test $(($(stat -c '%b * %B' "$T/big.iso"))) -lt 4000000
is 'a large file: two sections' 2 "$(xorriso -indev "$T/big.iso" \
	-find / -name big -exec report_lba -- 2>/dev/null | grep -c 'data lba')"
is 'a large file: its size' $big "$(bsdtar -tvf "$T/big.iso" big |
	sed 's/  */ /g' | cut -d ' ' -f 5)"
is 'a large file: bsdtar finds its end' end \
	"$(bsdtar -xOf "$T/big.iso" big | tail -c 3)"
comes_back 'a large file'
refused 'a file over 4 GiB - 2 KiB for NetBSD' "'big': .*use ext2" --netbsd \
	<"$T/big.txt"

done_testing
