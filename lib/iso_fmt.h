/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * iso_fmt: what lies on an ISO 9660 image.  Sections are those of ECMA-119 (2nd
 * edition, the free text of ISO 9660), of the System Use Sharing Protocol 1.12
 * (IEEE P1281) and of the Rock Ridge Interchange Protocol 1.12 (IEEE P1282).
 * All fields are bytes, so the structs have no padding and no alignment.
 */
#ifndef UNIK_ISO_FMT_H
#define UNIK_ISO_FMT_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#define ISO_BLOCK 2048u         /* 6.1.2 sector, 6.2.2 logical block */
#define ISO_SYSTEM_BLOCKS 16u   /* 6.2.1: unused by this standard */
#define ISO_PVD_BLOCK 16u       /* 6.7.1: the set of descriptors starts here */
#define ISO_MAX_DIRS 65535u     /* 9.4.4: parent numbers have 16 bits */

/* ---- numbers ---- */

static inline void iso_put16le(uint8_t *p, uint32_t v) /* 7.2.1 */
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static inline void iso_put16be(uint8_t *p, uint32_t v) /* 7.2.2 */
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void iso_put16(uint8_t p[4], uint32_t v) /* 7.2.3 */
{
	iso_put16le(p, v);
	iso_put16be(p + 2, v);
}

static inline void iso_put32le(uint8_t *p, uint32_t v) /* 7.3.1 */
{
	iso_put16le(p, v);
	iso_put16le(p + 2, v >> 16);
}

static inline void iso_put32be(uint8_t *p, uint32_t v) /* 7.3.2 */
{
	iso_put16be(p, v >> 16);
	iso_put16be(p + 2, v);
}

static inline void iso_put32(uint8_t p[8], uint32_t v) /* 7.3.3 */
{
	iso_put32le(p, v);
	iso_put32be(p + 4, v);
}

static inline uint32_t iso_get16le(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8;
}

static inline uint32_t iso_get16be(const uint8_t *p)
{
	return p[1] | (uint32_t)p[0] << 8;
}

static inline uint32_t iso_get32le(const uint8_t *p)
{
	return iso_get16le(p) | iso_get16le(p + 2) << 16;
}

static inline uint32_t iso_get32be(const uint8_t *p)
{
	return iso_get16be(p) << 16 | iso_get16be(p + 2);
}

/* Do the two halves of a both-byte-order field agree? */
static inline bool iso_both16(const uint8_t p[4])
{
	return iso_get16le(p) == iso_get16be(p + 2);
}

static inline bool iso_both32(const uint8_t p[8])
{
	return iso_get32le(p) == iso_get32be(p + 4);
}

/* ---- volume descriptors ---- */

enum iso_descriptor { /* 8.1.1 */
	ISO_VD_BOOT = 0,
	ISO_VD_PRIMARY = 1,
	ISO_VD_SUPPLEMENTARY = 2,
	ISO_VD_TERMINATOR = 255
};

#define ISO_VD_ID "CD001" /* 8.1.2 */

struct iso_time17 { /* 8.4.26.1: digits, then the offset */
	uint8_t digits[16];
	uint8_t offset; /* from GMT in steps of 15 minutes, signed */
};

struct iso_pvd { /* 8.4 */
	uint8_t type[1];
	uint8_t id[5];
	uint8_t version[1];
	uint8_t unused1[1];
	uint8_t system_id[32];       /* 8.4.5, a-characters */
	uint8_t volume_id[32];       /* 8.4.6, d-characters */
	uint8_t unused2[8];
	uint8_t space_size[8];       /* 8.4.8, blocks */
	uint8_t unused3[32];
	uint8_t set_size[4];         /* 8.4.10 */
	uint8_t sequence[4];         /* 8.4.11 */
	uint8_t block_size[4];       /* 8.4.12 */
	uint8_t path_table_size[8];  /* 8.4.13, bytes */
	uint8_t l_table[4];          /* 8.4.14, least significant byte first */
	uint8_t l_table_opt[4];      /* 8.4.15 */
	uint8_t m_table[4];          /* 8.4.16, most significant byte first */
	uint8_t m_table_opt[4];      /* 8.4.17 */
	uint8_t root[34];            /* 8.4.18, a directory record */
	uint8_t set_id[128];         /* 8.4.19 */
	uint8_t publisher[128];      /* 8.4.20 */
	uint8_t preparer[128];       /* 8.4.21 */
	uint8_t application[128];    /* 8.4.22 */
	uint8_t copyright_file[37];  /* 8.4.23 */
	uint8_t abstract_file[37];   /* 8.4.24 */
	uint8_t biblio_file[37];     /* 8.4.25 */
	struct iso_time17 created;   /* 8.4.26 */
	struct iso_time17 modified;  /* 8.4.27 */
	struct iso_time17 expires;   /* 8.4.28 */
	struct iso_time17 effective; /* 8.4.29 */
	uint8_t file_version[1];     /* 8.4.30: 1 */
	uint8_t reserved1[1];
	uint8_t application_use[512];
	uint8_t reserved2[653];
};
static_assert(sizeof(struct iso_pvd) == ISO_BLOCK, "8.4");

/* What our own images say of themselves, by the version of the format. */
#define ISO_OUR_APPLICATION "UNIK, FORMAT ISO, VERSION "
#define ISO_OUR_SET "UNIK_ISO_"

/* ---- directories and path tables ---- */

struct iso_record { /* 9.1; the identifier follows, then a pad, then SUSP */
	uint8_t size[1];       /* of the whole record, even */
	uint8_t xattr_size[1];
	uint8_t extent[8];     /* 9.1.3, first block */
	uint8_t data_size[8];  /* 9.1.4, bytes of this section */
	uint8_t time[7];       /* 9.1.5 */
	uint8_t flags[1];      /* 9.1.6 */
	uint8_t unit_size[1];
	uint8_t gap[1];
	uint8_t sequence[4];   /* 9.1.9 */
	uint8_t id_size[1];
};
static_assert(sizeof(struct iso_record) == 33, "9.1");

enum { /* 9.1.6 */
	ISO_FLAG_HIDDEN = 1,
	ISO_FLAG_DIR = 2,
	ISO_FLAG_ASSOCIATED = 4,
	ISO_FLAG_RECORD = 8,
	ISO_FLAG_PROTECTION = 16,
	ISO_FLAG_MULTI = 128 /* not the final section of the file */
};

/* 9.1.1 gives a record one byte of length, 9.1.12 and 9.1.13 make it even. */
#define ISO_RECORD_MAX 254u
/* Whole blocks in every section but the last (6.5.1, 9.1.4). */
#define ISO_SECTION_MAX UINT32_C(0xfffff800)

struct iso_path_record { /* 9.4; the identifier follows, then a pad */
	uint8_t id_size[1];
	uint8_t xattr_size[1];
	uint8_t extent[4];
	uint8_t parent[2];
};
static_assert(sizeof(struct iso_path_record) == 8, "9.4");

/* ---- System Use fields ---- */

struct susp_head { /* SUSP 4 */
	uint8_t sig[2];
	uint8_t size[1]; /* of the whole field */
	uint8_t version[1];
};

struct susp_ce { /* SUSP 5.1: where the fields continue */
	struct susp_head head;
	uint8_t block[8];
	uint8_t offset[8];
	uint8_t size[8];
};
static_assert(sizeof(struct susp_ce) == 28, "SUSP 5.1");

struct susp_sp { /* SUSP 5.3: first field of the root's "." */
	struct susp_head head;
	uint8_t check[2]; /* 0xbe 0xef */
	uint8_t skip[1];
};
static_assert(sizeof(struct susp_sp) == 7, "SUSP 5.3");

struct susp_er { /* SUSP 5.5; identifier, descriptor and source follow */
	struct susp_head head;
	uint8_t id_size[1];
	uint8_t des_size[1];
	uint8_t src_size[1];
	uint8_t ext_version[1];
};
static_assert(sizeof(struct susp_er) == 8, "SUSP 5.5");

struct rrip_px { /* RRIP 4.1.1 */
	struct susp_head head;
	uint8_t mode[8];
	uint8_t nlink[8];
	uint8_t uid[8];
	uint8_t gid[8];
	uint8_t serial[8]; /* not before RRIP 1.12 */
};
static_assert(sizeof(struct rrip_px) == 44, "RRIP 4.1.1");

struct rrip_pn { /* RRIP 4.1.2 */
	struct susp_head head;
	uint8_t high[8];
	uint8_t low[8];
};
static_assert(sizeof(struct rrip_pn) == 20, "RRIP 4.1.2");

struct rrip_flagged { /* RRIP 4.1.3 SL, 4.1.4 NM, 4.1.6 TF: content follows */
	struct susp_head head;
	uint8_t flags[1];
};
static_assert(sizeof(struct rrip_flagged) == 5, "RRIP 4.1.4");

struct rrip_link { /* RRIP 4.1.5.1 CL, 4.1.5.2 PL */
	struct susp_head head;
	uint8_t block[8];
};
static_assert(sizeof(struct rrip_link) == 12, "RRIP 4.1.5");

#define RRIP_CONTINUE 1 /* SL, its components, and NM */
#define RRIP_CURRENT 2
#define RRIP_PARENT 4
#define RRIP_ROOT 8     /* SL components only */

enum { /* RRIP 4.1.6 */
	RRIP_TF_CREATION = 1,
	RRIP_TF_MODIFY = 2,
	RRIP_TF_ACCESS = 4,
	RRIP_TF_ATTRIBUTES = 8,
	RRIP_TF_LONG = 128 /* 17-byte stamps */
};

enum { /* RRIP 4.1.1, the POSIX values */
	ISO_S_IFMT = 0170000,
	ISO_S_IFSOCK = 0140000,
	ISO_S_IFLNK = 0120000,
	ISO_S_IFREG = 0100000,
	ISO_S_IFBLK = 0060000,
	ISO_S_IFDIR = 0040000,
	ISO_S_IFCHR = 0020000,
	ISO_S_IFIFO = 0010000
};

#endif
