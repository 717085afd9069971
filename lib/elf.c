/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "elf.h"

#define MAX_SEGMENTS 128
#define MAX_NOTES 65536
#define OWNER "Solo5"

/* Whether one of the notes in a segment has that owner.  Sizes are padded to
 * the segment's alignment of 4 or 8. */
static bool has_owner(const uint8_t *notes, size_t n, uint64_t align)
{
	size_t at = 0, pad = align == 8 ? 8 : 4;
	Elf64_Nhdr h;

	while (n - at >= sizeof(h)) {
		uint64_t name, desc;

		memcpy(&h, notes + at, sizeof(h));
		at += sizeof(h);
		if (h.n_namesz > n - at)
			return false;
		if (h.n_namesz == sizeof(OWNER) &&
		    memcmp(notes + at, OWNER, sizeof(OWNER)) == 0)
			return true;
		name = ((uint64_t)h.n_namesz + pad - 1) / pad * pad;
		desc = ((uint64_t)h.n_descsz + pad - 1) / pad * pad;
		if (name > n - at || desc > n - at - name)
			return false;
		at += (size_t)(name + desc);
	}
	return false;
}

static int look_at_segment(const struct unik_inode *inode, const Elf64_Phdr *p,
			   enum unik_elf *what, struct unik_err *err)
{
	uint8_t *notes;
	int rc;

	if (p->p_type != PT_NOTE || p->p_filesz > MAX_NOTES ||
	    p->p_offset > inode->size ||
	    p->p_filesz > inode->size - p->p_offset)
		return 0;
	notes = malloc((size_t)p->p_filesz + 1);
	if (!notes)
		return unik_fail_mem(err);
	rc = unik_content_read(inode->content, p->p_offset, notes,
			       (size_t)p->p_filesz, err);
	if (rc == 0 && has_owner(notes, (size_t)p->p_filesz, p->p_align))
		*what = UNIK_ELF_SOLO5;
	free(notes);
	return rc;
}

int unik_elf_look(const struct unik_inode *inode, enum unik_elf *what,
		struct unik_err *err)
{
	Elf64_Phdr segments[MAX_SEGMENTS];
	uint64_t size;
	Elf64_Ehdr h;
	size_t i, n;

	*what = UNIK_ELF_NONE;
	if (inode->type != UNIK_FILE || inode->size < sizeof(h))
		return 0;
	if (unik_content_read(inode->content, 0, &h, sizeof(h), err) < 0)
		return -1;
	if (memcmp(h.e_ident, ELFMAG, SELFMAG) != 0)
		return 0;
	*what = UNIK_ELF_ANY;
	n = h.e_phnum < MAX_SEGMENTS ? h.e_phnum : MAX_SEGMENTS;
	size = n * sizeof(segments[0]);
	if (h.e_ident[EI_CLASS] != ELFCLASS64 ||
	    h.e_ident[EI_DATA] != ELFDATA2LSB ||
	    h.e_phentsize != sizeof(segments[0]) || h.e_phoff > inode->size ||
	    size > inode->size - h.e_phoff)
		return 0;
	if (unik_content_read(inode->content, h.e_phoff, segments,
			      (size_t)size, err) < 0)
		return -1;
	for (i = 0; i < n && *what == UNIK_ELF_ANY; i++)
		if (look_at_segment(inode, &segments[i], what, err) < 0)
			return -1;
	return 0;
}
