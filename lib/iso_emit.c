/* SPDX-License-Identifier: GPL-3.0-or-later */
/* writer_iso: the whole image, front to back. */
#include <string.h>

#include "writer_iso.h"

/* Texts are padded with spaces (7.4.3.2). */
static void put_text(uint8_t *p, size_t n, const char *text)
{
	size_t size = strlen(text);

	memset(p, ' ', n);
	memcpy(p, text, size < n ? size : n);
}

static void put_volume_id(const struct unik_writer *w, uint8_t out[32])
{
	static const char hex[] = "0123456789ABCDEF"; /* d-characters */
	char text[33] = "UNIK_";
	int i;

	for (i = 0; i < 8; i++) {
		text[5 + 2 * i] = hex[w->digest[i] >> 4];
		text[6 + 2 * i] = hex[w->digest[i] & 15];
	}
	text[5 + 2 * i] = 0;
	put_text(out, 32, text);
}

static void put_times(const struct unik_writer *w, struct iso_pvd *pvd)
{
	struct iso_time17 none; /* 8.4.26.1: not specified */

	memset(none.digits, '0', sizeof(none.digits));
	none.offset = 0;
	unik_iso_time17(w->digest, &pvd->created);
	pvd->modified = pvd->created;
	pvd->expires = none;
	pvd->effective = none;
}

static void make_pvd(const struct unik_writer *w, struct iso_pvd *pvd)
{
	memset(pvd, 0, sizeof(*pvd));
	pvd->type[0] = ISO_VD_PRIMARY;
	memcpy(pvd->id, ISO_VD_ID, sizeof(pvd->id));
	pvd->version[0] = 1;
	put_text(pvd->system_id, sizeof(pvd->system_id), "");
	put_volume_id(w, pvd->volume_id);
	iso_put32(pvd->space_size, w->nblocks);
	iso_put16(pvd->set_size, 1);
	iso_put16(pvd->sequence, 1);
	iso_put16(pvd->block_size, ISO_BLOCK);
	iso_put32(pvd->path_table_size, w->path_table_size);
	iso_put32le(pvd->l_table, w->l_block);
	iso_put32be(pvd->m_table, w->m_block);
	unik_iso_root_record(w, pvd->root);
	put_text(pvd->set_id, sizeof(pvd->set_id), ISO_OUR_SET "1");
	put_text(pvd->publisher, sizeof(pvd->publisher), "");
	put_text(pvd->preparer, sizeof(pvd->preparer), "");
	put_text(pvd->application, sizeof(pvd->application),
		 ISO_OUR_APPLICATION "1");
	put_text(pvd->copyright_file, sizeof(pvd->copyright_file), "");
	put_text(pvd->abstract_file, sizeof(pvd->abstract_file), "");
	put_text(pvd->biblio_file, sizeof(pvd->biblio_file), "");
	put_times(w, pvd);
	pvd->file_version[0] = 1;
}

static int emit_descriptors(const struct unik_writer *w, struct unik_sink *sink,
			    struct unik_err *err)
{
	uint8_t end[7] = { ISO_VD_TERMINATOR }; /* 8.3 */
	struct iso_pvd pvd;

	memcpy(end + 1, ISO_VD_ID, 5);
	end[6] = 1;
	make_pvd(w, &pvd);
	if (unik_sink_write(sink, NULL, ISO_SYSTEM_BLOCKS * ISO_BLOCK,
			    err) < 0 ||
	    unik_sink_write(sink, &pvd, sizeof(pvd), err) < 0 ||
	    unik_sink_write(sink, end, sizeof(end), err) < 0)
		return -1;
	return unik_sink_write(sink, NULL, ISO_BLOCK - sizeof(end), err);
}

int unik_iso_emit(const struct unik_writer *w, struct unik_sink *sink,
		  struct unik_err *err)
{
	uint64_t start = unik_sink_size(sink);
	uint64_t size = (uint64_t)w->nblocks * ISO_BLOCK, done;
	uint32_t i;

	if (emit_descriptors(w, sink, err) < 0 ||
	    unik_iso_path_table_emit(w, false, sink, err) < 0 ||
	    unik_iso_path_table_emit(w, true, sink, err) < 0)
		return -1;
	for (i = 0; i < w->ndirs; i++)
		if (unik_iso_dir_emit(w, &w->dirs[i], sink, err) < 0)
			return -1;
	if (unik_iso_data_emit(w, sink, err) < 0)
		return -1;
	done = unik_sink_size(sink) - start;
	return unik_sink_write(sink, NULL, size - done, err);
}
