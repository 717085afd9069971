/* SPDX-License-Identifier: GPL-3.0-or-later */
/* POSIX ACLs: from the form of xattrs to that of ext2; what is malformed. */
#include <string.h>

#include "ext2_held.h"
#include "tap.h"
#include "writer_ext2.h"

#define ENTRY(tag, perm, id) tag "\0" perm "\0" id
#define NONE "\xff\xff\xff\xff"
#define V2 "\2\0\0\0"
#define USER_OBJ ENTRY("\x01", "\6", NONE)
#define USER(id) ENTRY("\x02", "\4", id)
#define GROUP_OBJ ENTRY("\x04", "\4", NONE)
#define GROUP(id) ENTRY("\x08", "\4", id)
#define MASK ENTRY("\x10", "\7", NONE)
#define OTHER ENTRY("\x20", "\0", NONE)
#define ID "\x01\x02\x03\x04"

#define ROW(name, in, out) { name, in, sizeof(in) - 1, out, sizeof(out) - 1 }
#define BAD(name, in) { name, in, sizeof(in) - 1, NULL, 0 }

static const struct {
	const char *name;
	const char *in;
	uint32_t in_size;
	const char *out; /* NULL: malformed */
	uint32_t out_size;
} rows[] = {
	ROW("the three of a mode", V2 USER_OBJ GROUP_OBJ OTHER,
	    "\1\0\0\0\x01\0\6\0\x04\0\4\0\x20\0\0\0"),
	ROW("users, groups and a mask", V2 USER_OBJ USER(ID) USER("\5\0\0\0")
	    GROUP_OBJ GROUP(ID) MASK OTHER,
	    "\1\0\0\0\x01\0\6\0\x02\0\4\0" ID "\x02\0\4\0\5\0\0\0"
	    "\x04\0\4\0\x08\0\4\0" ID "\x10\0\7\0\x20\0\0\0"),
	ROW("a mask without names", V2 USER_OBJ GROUP_OBJ MASK OTHER,
	    "\1\0\0\0\x01\0\6\0\x04\0\4\0\x10\0\7\0\x20\0\0\0"),
	BAD("nothing", ""),
	BAD("half a head", "\2\0"),
	BAD("no entry", V2),
	BAD("version 1", "\1\0\0\0" USER_OBJ GROUP_OBJ OTHER),
	BAD("a cut entry", V2 USER_OBJ GROUP_OBJ "\x20\0\0\0"),
	BAD("an unknown tag", V2 USER_OBJ GROUP_OBJ ENTRY("\x40", "\0", NONE)),
	BAD("no owner", V2 GROUP_OBJ OTHER),
	BAD("no others", V2 USER_OBJ GROUP_OBJ),
	BAD("two owners", V2 USER_OBJ USER_OBJ GROUP_OBJ OTHER),
	BAD("a user without a mask", V2 USER_OBJ USER(ID) GROUP_OBJ OTHER),
	BAD("a group without a mask", V2 USER_OBJ GROUP_OBJ GROUP(ID) OTHER),
	BAD("a user behind the group", V2 USER_OBJ GROUP_OBJ USER(ID) MASK
	    OTHER),
	BAD("a user without a number", V2 USER_OBJ USER(NONE) GROUP_OBJ MASK
	    OTHER),
	BAD("more behind the others", V2 USER_OBJ GROUP_OBJ OTHER MASK),
	BAD("more permissions than three", V2 USER_OBJ
	    ENTRY("\x04", "\x08", NONE) OTHER),
};

static struct unik_xattr acl(const char *name, const char *value, size_t size)
{
	return (struct unik_xattr){ name, (const uint8_t *)value,
				    (uint32_t)strlen(name), (uint32_t)size };
}

/* What comes back of one: ids of entries that need none are not on disk. */
static void test_held(void)
{
	static const char zero[] = V2 ENTRY("\x01", "\6", "\0\0\0\0")
		GROUP_OBJ OTHER;
	static const char none[] = V2 USER_OBJ GROUP_OBJ OTHER;
	static const char less[] = V2 ENTRY("\x01", "\4", NONE) GROUP_OBJ
		OTHER;
	static const char user[] = V2 USER_OBJ USER(ID) GROUP_OBJ MASK OTHER;
	static const char two[] = V2 USER_OBJ USER("\5\0\0\0") GROUP_OBJ MASK
		OTHER;
	const char *name = "system.posix_acl_access";
	struct unik_inode file = { .type = UNIK_FILE };
	struct unik_xattr a = acl(name, zero, sizeof(zero) - 1);
	struct unik_xattr b = acl(name, none, sizeof(none) - 1);

	ok(unik_ext2_xattr_held(&file, &a, &b), "an id that says nothing");
	ok(!unik_ext2_xattr_held(&file, &a, NULL), "an ACL has its place");
	b = acl(name, less, sizeof(less) - 1);
	ok(!unik_ext2_xattr_held(&file, &a, &b), "other permissions");
	a = acl(name, user, sizeof(user) - 1);
	b = acl(name, two, sizeof(two) - 1);
	ok(!unik_ext2_xattr_held(&file, &a, &b), "another user");
	a = acl("user.x", none, sizeof(none) - 1);
	b = acl("user.x", zero, sizeof(zero) - 1);
	ok(!unik_ext2_xattr_held(&file, &a, &b), "no ACL: to the byte");
	ok(!unik_ext2_xattr_held(&file, &a, NULL), "and held in a file");
	file.type = UNIK_SYMLINK;
	ok(unik_ext2_xattr_held(&file, &a, NULL), "not in a symlink");
	a = acl("foo.x", none, sizeof(none) - 1);
	ok(unik_ext2_xattr_held(&file, &a, NULL), "an unknown prefix");
	ok(!unik_ext2_xattr_held(&file, &a, &b), "is there or not at all");
}

int main(void)
{
	uint8_t out[256];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const uint8_t *in = (const uint8_t *)rows[i].in;
		uint32_t n = unik_ext2_acl_size(in, rows[i].in_size);

		if (!ok(n == rows[i].out_size, "%s: %u bytes", rows[i].name, n))
			continue;
		if (n == 0)
			continue;
		memset(out, 0xee, sizeof(out));
		unik_ext2_acl_put(in, rows[i].in_size, out);
		ok(memcmp(out, rows[i].out, n) == 0 && out[n] == 0xee,
		   "%s: converted", rows[i].name);
	}
	test_held();
	return tap_done();
}
