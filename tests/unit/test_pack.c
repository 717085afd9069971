/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Headers of layer tars to the byte, streams that are put together, names. */
#include "core.h"

#include <unistd.h>

#include "deflate.h"
#include "pack_private.h"
#include "tar.h"

/* ---- headers ---- */

/* What a header must be, field by field (pax(1), "ustar Interchange Format").
 */
static void want_header(uint8_t h[512], const char *name, const char *mode,
			const char *size, char type)
{
	unsigned sum = 0;
	int i;

	memset(h, 0, 512);
	memcpy(h, name, strlen(name) < 100 ? strlen(name) : 100);
	memcpy(h + 100, mode, 8);
	memcpy(h + 108, "0000000", 8);
	memcpy(h + 116, "0000000", 8);
	memcpy(h + 124, size, 12);
	memcpy(h + 136, "00000000000", 12);
	memset(h + 148, ' ', 8);
	h[156] = (uint8_t)type;
	memcpy(h + 257, "ustar\0" "00", 8);
	memcpy(h + 329, "0000000", 8);
	memcpy(h + 337, "0000000", 8);
	for (i = 0; i < 512; i++)
		sum += h[i];
	sprintf((char *)h + 148, "%06o", sum);
	h[155] = ' ';
}

static bool is_header(const struct pack_bytes *b, size_t at, const char *name,
		      const char *mode, const char *size, char type)
{
	uint8_t want[512];

	want_header(want, name, mode, size, type);
	return b->size >= at + 512 && memcmp(b->p + at, want, 512) == 0;
}

static void test_headers(void)
{
	struct pack_bytes b = { 0 };
	char name[300], *p;

	pack_tar_header(&b, "rootfs-000-ab.iso", 12345, 0444);
	ok(b.size == 512 && is_header(&b, 0, "rootfs-000-ab.iso", "0000444",
				      "00000030071", '0'), "a file");
	b.size = 0;
	pack_tar_header(&b, "unikernel/", 0, 0755);
	ok(b.size == 512 && is_header(&b, 0, "unikernel/", "0000755",
				      "00000000000", '5'), "a directory");
	b.size = 0;
	memset(name, 'n', sizeof(name));
	name[100] = 0;
	pack_tar_header(&b, name, 1, 0444);
	ok(b.size == 512 && is_header(&b, 0, name, "0000444", "00000000001",
				      '0'), "a name of 100 bytes");
	b.size = 0;
	name[100] = 'n';
	name[101] = 0;
	pack_tar_header(&b, name, 1, 0444);
	ok(b.size == 1536 && is_header(&b, 0, "pax", "0000644", "00000000157",
				       'x') &&
		   memcmp(b.p + 512, "111 path=nnn", 12) == 0 &&
		   b.p[512 + 110] == '\n' && b.p[512 + 111] == 0 &&
		   is_header(&b, 1024, name, "0000444", "00000000001", '0'),
	   "a name of 101 bytes");
	b.size = 0;
	pack_tar_header(&b, "f", UINT64_C(8589934591), 0444);
	ok(b.size == 512 && is_header(&b, 0, "f", "0000444", "77777777777",
				      '0'), "8 GiB but a byte");
	b.size = 0;
	pack_tar_header(&b, "f", UINT64_C(8589934592), 0444);
	p = (char *)b.p + 512;
	ok(b.size == 1536 && strcmp(p, "19 size=8589934592\n") == 0 &&
		   is_header(&b, 0, "pax", "0000644", "00000000023", 'x') &&
		   is_header(&b, 1024, "f", "0000444", "00000000000", '0'),
	   "8 GiB");
	b.size = 0;
	/* The record's length counts its own digits: 99 + 2 is no 3 digits. */
	memset(name, 'p', sizeof(name));
	name[250] = 0;
	pack_tar_header(&b, name, UINT64_MAX, 0444);
	p = (char *)b.p + 512;
	ok(strncmp(p, "260 path=p", 10) == 0 &&
		   strcmp(p + 260, "29 size=18446744073709551615\n") == 0,
	   "a long name and the largest size");
	free(b.p);
}

/* Our reader takes them: sizes beyond the field, long names, directories. */
static void test_read_back(void)
{
	const struct unik_limits limits = default_limits();
	struct unik_source *src = NULL;
	struct pack_bytes b = { 0 };
	struct unik_tar_entry e;
	struct unik_tar *tar = NULL;
	char name[200];

	memset(name, 'x', sizeof(name));
	name[150] = '/';
	name[199] = 0;
	pack_tar_header(&b, "d/", 0, 0755);
	pack_tar_header(&b, name, UINT64_C(1) << 40, 0444);
	must(unik_source_memory(&src, b.p, b.size, &err));
	must(unik_tar_new(&tar, src, &limits, &err));
	ok(unik_tar_next(tar, &e, &err) == 0 && e.typeflag == '5' &&
		   strcmp(e.path, "d/") == 0 && e.mode == 0755,
	   "read back: a directory");
	ok(unik_tar_next(tar, &e, &err) == 0 && e.typeflag == '0' &&
		   strcmp(e.path, name) == 0 && e.size == UINT64_C(1) << 40 &&
		   e.uid == 0 && e.mtime_sec == 0,
	   "read back: 1 TiB under a long name");
	unik_tar_free(tar);
	unik_source_free(src);
	free(b.p);
}

/* ---- recipes ---- */

static int file_of(const void *data, size_t n)
{
	int fd = -1;

	must(unik_spool_open("/tmp", &fd, &err));
	must(unik_write_all(fd, data, n, &err));
	return fd;
}

static void test_recipe(void)
{
	static uint8_t data[700001], all[1 << 20];
	struct pack_recipe r = { 0 };
	struct unik_source *src = NULL;
	size_t got = 0, i;
	int fd;
	bool same;

	for (i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(random_u64() >> 9);
	fd = file_of(data, sizeof(data));
	must(pack_recipe_header(&r, "a", 3, 0444, &err));
	must(pack_recipe_memory(&r, "abc", 3, &err));
	must(pack_recipe_zeros(&r, 509, &err));
	must(pack_recipe_range(&r, fd, 0, 0, &err)); /* nothing */
	must(pack_recipe_file(&r, "b", 0444, fd, 1, 700000, &err));
	must(pack_recipe_end(&r, &err));
	ok(r.size == 1024 + 512 + 700416 + 1024, "a recipe: its size");
	for (i = 0; i < 2; i++) {
		must(pack_recipe_source(&src, &r, &err));
		must(unik_source_read(src, all, sizeof(all), &got, &err));
		same = got == r.size && memcmp(all + 512, "abc", 4) == 0 &&
		       memcmp(all + 1536, data + 1, 700000) == 0 &&
		       all[got - 1] == 0;
		ok(same, "a recipe: its bytes, time %zu", i + 1);
		unik_source_free(src);
	}
	pack_recipe_release(&r);
	must(pack_recipe_range(&r, fd, 700000, 2, &err));
	must(pack_recipe_source(&src, &r, &err));
	ok(failed(unik_source_read(src, all, 10, &got, &err), UNIK_EBAD, ""),
	   "a recipe: a file that became shorter");
	unik_source_free(src);
	must(pack_recipe_zeros(&r, UINT64_MAX - 2, &err));
	ok(failed(pack_recipe_zeros(&r, 1, &err), UNIK_EBAD, "2^64"),
	   "a recipe: too large");
	pack_recipe_release(&r);
	close(fd);
}

/* ---- compression ---- */

static void test_deflate(void)
{
	static const enum unik_compression hows[] = { UNIK_PLAIN, UNIK_GZIP,
						      UNIK_ZSTD };
	const struct unik_limits limits = default_limits();
	static uint8_t data[1 << 20], back[(1 << 20) + 1];
	size_t i, got;

	for (i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * i >> 11);
	for (i = 0; i < COUNT(hows); i++) {
		struct unik_sink_options so = { .fd = file_of("", 0),
						.hash = true };
		struct unik_source *src = NULL, *file = NULL, *in = NULL;
		struct unik_hash h = UNIK_HASH_NONE;
		struct unik_digest a, b;
		struct unik_sink *sink = NULL;
		enum unik_compression found;

		must(unik_source_memory(&src, data, sizeof(data), &err));
		must(unik_sink_new(&sink, &so, &err));
		must(unik_hash_init(&h, UNIK_SHA256, &err));
		must(unik_deflate(src, sink, hows[i], 0, &h, NULL, &err));
		must(unik_sink_finish(sink, NULL, &err));
		must(unik_hash_final(&h, &a, &err));
		must(unik_sha256(data, sizeof(data), &b, &err));
		must(unik_source_range(&file, so.fd, 0, unik_sink_size(sink),
				       &err));
		must(unik_source_inflate(&in, file, &limits, &found, &err));
		must(unik_source_read(in, back, sizeof(back), &got, &err));
		ok(found == hows[i] && got == sizeof(data) &&
			   memcmp(data, back, got) == 0 &&
			   unik_digest_equal(&a, &b),
		   "%s there and back", unik_compression_name(hows[i]));
		unik_sink_free(sink);
		unik_hash_release(&h);
		unik_source_free(in);
		unik_source_free(file);
		unik_source_free(src);
		close(so.fd);
	}
}

/* ---- names ---- */

static void test_names(void)
{
	static const struct {
		size_t i, n;
		const char *head;
	} cases[] = {
		{ 0, 1, "rootfs-000-" },       { 7, 10, "rootfs-007-" },
		{ 999, 1000, "rootfs-999-" },  { 0, 1001, "rootfs-0000-" },
		{ 1000, 1001, "rootfs-1000-" }, { 5, 10001, "rootfs-00005-" },
	};
	struct unik_digest d = { UNIK_SHA256, { 0xab } };
	char name[UNIK_PACK_NAME], hex[UNIK_DIGEST_TEXT], want[200];
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		unik_pack_image_name(name, cases[i].i, cases[i].n, &d, "ext2");
		sprintf(want, "%s%s.ext2", cases[i].head,
			unik_digest_hex(&d, hex));
		ok(strcmp(name, want) == 0, "image %zu of %zu", cases[i].i,
		   cases[i].n);
	}
}

static void test_urunc(void)
{
	char *empty = NULL, arg[] = "a b";
	char *args[] = { arg };
	struct unik_image_config c = { .entrypoint = { &empty, 0 },
				       .cmd = { args, 1 } };
	struct unik_urunc u = { .json = NULL };

	must(unik_urunc_parse(&u, "linux,firecracker", &err));
	must(unik_urunc_make(&u, &c, "boot/k", "r", &err));
	ok(strcmp(u.json,
		  "{\"com.urunc.unikernel.binary\":\"L2Jvb3Qvaw==\","
		  "\"com.urunc.unikernel.blkMntPoint\":\"Lw==\","
		  "\"com.urunc.unikernel.block\":\"L3I=\","
		  "\"com.urunc.unikernel.cmdline\":\"YSBi\","
		  "\"com.urunc.unikernel.hypervisor\":\"ZmlyZWNyYWNrZXI=\","
		  "\"com.urunc.unikernel.mountRootfs\":\"ZmFsc2U=\","
		  "\"com.urunc.unikernel.unikernelType\":\"bGludXg=\"}") == 0,
	   "urunc.json");
	unik_urunc_release(&u);
}

int main(void)
{
	test_headers();
	test_read_back();
	test_recipe();
	test_deflate();
	test_names();
	test_urunc();
	return tap_done();
}
