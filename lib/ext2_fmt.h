/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ext2_fmt: what lies on an ext2 image, revision 1.  Sources: D. Poirier, "The
 * Second Extended File System" (nongnu.org/ext2-doc), chapters named below, and
 * the files super, group_descr, inodes, ifork, directory and attributes of the
 * Linux documentation, Documentation/filesystems/ext4 ("ext4 doc").
 * All fields are bytes, little-endian, so the structs have no padding and no
 * alignment.
 */
#ifndef UNIK_EXT2_FMT_H
#define UNIK_EXT2_FMT_H

#include <assert.h>
#include <stdint.h>

/* ---- numbers ---- */

static inline void ext2_put16(uint8_t p[2], uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static inline void ext2_put32(uint8_t p[4], uint32_t v)
{
	ext2_put16(p, v);
	ext2_put16(p + 2, v >> 16);
}

static inline uint32_t ext2_get16(const uint8_t p[2])
{
	return p[0] | (uint32_t)p[1] << 8;
}

static inline uint32_t ext2_get32(const uint8_t p[4])
{
	return ext2_get16(p) | ext2_get16(p + 2) << 16;
}

/* ---- superblock: ext2-doc "Superblock", ext4 doc super.rst ---- */

#define EXT2_SUPER_OFFSET 1024u
#define EXT2_MAGIC 0xef53u
#define EXT2_STATE_VALID 1u
#define EXT2_ERRORS_CONTINUE 1u
#define EXT2_OS_LINUX 0u
#define EXT2_REV_DYNAMIC 1u

/* Feature bits (ext4 doc super.rst). */
#define EXT2_COMPAT_EXT_ATTR 0x0008u
#define EXT2_COMPAT_DIR_INDEX 0x0020u
#define EXT2_INCOMPAT_FILETYPE 0x0002u
#define EXT2_RO_SPARSE_SUPER 0x0001u
#define EXT2_RO_LARGE_FILE 0x0002u
#define EXT2_RO_DIR_NLINK 0x0020u

#define EXT2_HASH_HALF_MD4 1u          /* s_def_hash_version */
#define EXT2_FLAG_SIGNED_HASH 0x0001u  /* s_flags */
#define EXT2_FLAG_UNSIGNED_HASH 0x0002u
#define EXT2_DEFM_XATTR_USER 0x0004u   /* s_default_mount_opts */
#define EXT2_DEFM_ACL 0x0008u

/* s_last_mounted of our images, padded with zeros; %d is the format version.
 * Linux writes there when it mounts for writing, so it tells images that are
 * as they were made. */
#define EXT2_MARK "unik ext2 version %d"

struct ext2_super {
	uint8_t inodes_count[4];
	uint8_t blocks_count[4];
	uint8_t r_blocks_count[4];
	uint8_t free_blocks_count[4];
	uint8_t free_inodes_count[4];
	uint8_t first_data_block[4];
	uint8_t log_block_size[4]; /* block size is 1024 << this */
	uint8_t log_frag_size[4];
	uint8_t blocks_per_group[4];
	uint8_t frags_per_group[4];
	uint8_t inodes_per_group[4];
	uint8_t mtime[4];
	uint8_t wtime[4];
	uint8_t mnt_count[2];
	uint8_t max_mnt_count[2];
	uint8_t magic[2];
	uint8_t state[2];
	uint8_t errors[2];
	uint8_t minor_rev_level[2];
	uint8_t lastcheck[4];
	uint8_t checkinterval[4];
	uint8_t creator_os[4];
	uint8_t rev_level[4];
	uint8_t def_resuid[2];
	uint8_t def_resgid[2];
	uint8_t first_ino[4];
	uint8_t inode_size[2];
	uint8_t block_group_nr[2]; /* the group this copy lies in */
	uint8_t feature_compat[4];
	uint8_t feature_incompat[4];
	uint8_t feature_ro_compat[4];
	uint8_t uuid[16];
	uint8_t volume_name[16];
	uint8_t last_mounted[64];
	uint8_t algorithm_bitmap[4];
	uint8_t prealloc_blocks;
	uint8_t prealloc_dir_blocks;
	uint8_t reserved_gdt_blocks[2];
	uint8_t journal_uuid[16];
	uint8_t journal_inum[4];
	uint8_t journal_dev[4];
	uint8_t last_orphan[4];
	uint8_t hash_seed[16];
	uint8_t def_hash_version;
	uint8_t jnl_backup_type;
	uint8_t desc_size[2];
	uint8_t default_mount_opts[4];
	uint8_t first_meta_bg[4];
	uint8_t mkfs_time[4];
	uint8_t jnl_blocks[68];
	uint8_t blocks_count_hi[4];
	uint8_t r_blocks_count_hi[4];
	uint8_t free_blocks_count_hi[4];
	uint8_t min_extra_isize[2];
	uint8_t want_extra_isize[2];
	uint8_t flags[4];
	uint8_t rest[664]; /* RAID, MMP, snapshots, quota, ...: unused here */
	uint8_t checksum[4];
};
static_assert(sizeof(struct ext2_super) == 1024, "superblock");

/* ---- group descriptor: ext2-doc "Block Group Descriptor Table" ---- */

struct ext2_group {
	uint8_t block_bitmap[4];
	uint8_t inode_bitmap[4];
	uint8_t inode_table[4];
	uint8_t free_blocks_count[2];
	uint8_t free_inodes_count[2];
	uint8_t used_dirs_count[2];
	uint8_t flags[2];
	uint8_t rest[12];
};
static_assert(sizeof(struct ext2_group) == 32, "group descriptor");

/* ---- inode: ext2-doc "Inode Table", ext4 doc inodes.rst ---- */

#define EXT2_INODE_SIZE 256u
#define EXT2_EXTRA_ISIZE 32u /* up to and with i_projid */
#define EXT2_ROOT_INO 2u
#define EXT2_FIRST_INO 11u   /* 1..10 are reserved */
#define EXT2_NDIR 12u        /* direct blocks */
#define EXT2_NBLOCK 15u
#define EXT2_FAST_SYMLINK 59u /* longest target that i_block holds */
#define EXT2_LINK_MAX 65000u
#define EXT2_INDEX_FL 0x1000u /* i_flags: a directory with an index */

#define EXT2_S_IFIFO 0x1000u
#define EXT2_S_IFCHR 0x2000u
#define EXT2_S_IFDIR 0x4000u
#define EXT2_S_IFBLK 0x6000u
#define EXT2_S_IFREG 0x8000u
#define EXT2_S_IFLNK 0xa000u
#define EXT2_S_IFSOCK 0xc000u
#define EXT2_S_IFMT 0xf000u

/* Times: seconds as 32 bits with a sign, plus the two low bits of the extra
 * word times 2^32; its other 30 bits are nanoseconds (inodes.rst, "Inode
 * Timestamps"). */
#define EXT2_TIME_MIN (-INT64_C(0x80000000))
#define EXT2_TIME_MAX INT64_C(0x37fffffff)

struct ext2_inode {
	uint8_t mode[2];
	uint8_t uid[2];
	uint8_t size[4];
	uint8_t atime[4];
	uint8_t ctime[4];
	uint8_t mtime[4];
	uint8_t dtime[4];
	uint8_t gid[2];
	uint8_t links_count[2];
	uint8_t blocks[4]; /* in units of 512 bytes */
	uint8_t flags[4];
	uint8_t osd1[4];
	uint8_t block[EXT2_NBLOCK][4];
	uint8_t generation[4];
	uint8_t file_acl[4];  /* the xattr block */
	uint8_t size_high[4]; /* regular files; i_dir_acl once */
	uint8_t faddr[4];
	uint8_t blocks_high[2]; /* osd2 of Linux from here */
	uint8_t file_acl_high[2];
	uint8_t uid_high[2];
	uint8_t gid_high[2];
	uint8_t checksum_lo[2];
	uint8_t reserved[2];
	uint8_t extra_isize[2]; /* of what follows, in use */
	uint8_t checksum_hi[2];
	uint8_t ctime_extra[4];
	uint8_t mtime_extra[4];
	uint8_t atime_extra[4];
	uint8_t crtime[4];
	uint8_t crtime_extra[4];
	uint8_t version_hi[4];
	uint8_t projid[4];
	uint8_t in_inode[96]; /* room for xattrs: unused here */
};
static_assert(sizeof(struct ext2_inode) == EXT2_INODE_SIZE, "inode");

/* ---- directories: ext2-doc "Directory Structure" ---- */

#define EXT2_FT_FILE 1u
#define EXT2_FT_DIR 2u
#define EXT2_FT_CHR 3u
#define EXT2_FT_BLK 4u
#define EXT2_FT_FIFO 5u
#define EXT2_FT_SOCK 6u
#define EXT2_FT_SYMLINK 7u

struct ext2_dirent {
	uint8_t inode[4];
	uint8_t rec_len[2];
	uint8_t name_len;
	uint8_t file_type; /* without `filetype`: name_len's high byte, 0 */
};
static_assert(sizeof(struct ext2_dirent) == 8, "directory entry");

/* Bytes of an entry whose name has n bytes. */
static inline uint32_t ext2_dirent_size(uint32_t n)
{
	return (uint32_t)sizeof(struct ext2_dirent) + ((n + 3) & ~3u);
}

/* The index: ext2-doc "Indexed Directory Format", ext4 doc directory.rst "Hash
 * Tree Directories".  Block 0 is the root: "." and ".." with the rest of the
 * block as its padding, this struct, then index entries. */
#define EXT2_DX_ROOT_INFO 24u /* where the struct lies in block 0 */
#define EXT2_DX_MAX_LEVELS 1u /* index levels below the root, at most */

struct ext2_dx_info {
	uint8_t reserved[4];
	uint8_t hash_version;
	uint8_t info_length; /* 8 */
	uint8_t indirect_levels;
	uint8_t unused_flags;
};
static_assert(sizeof(struct ext2_dx_info) == 8, "index root information");

/* The first entry of a node has limit and count in place of its hash. */
struct ext2_dx_entry {
	uint8_t hash[4]; /* bit 0: the block goes on with the hash of the one
			    before */
	uint8_t block[4]; /* in the directory */
};
static_assert(sizeof(struct ext2_dx_entry) == 8, "index entry");

/* ---- xattr blocks: ext2-doc "Extended Attributes", attributes.rst ---- */

#define EXT2_XATTR_MAGIC 0xea020000u
#define EXT2_XATTR_REFS_MAX 1024u

enum {
	EXT2_XATTR_USER = 1,
	EXT2_XATTR_ACL_ACCESS = 2,
	EXT2_XATTR_ACL_DEFAULT = 3,
	EXT2_XATTR_TRUSTED = 4,
	EXT2_XATTR_SECURITY = 6,
	EXT2_XATTR_SYSTEM = 7
};

struct ext2_xattr_head {
	uint8_t magic[4];
	uint8_t refcount[4];
	uint8_t blocks[4]; /* 1 */
	uint8_t hash[4];
	uint8_t checksum[4];
	uint8_t rest[12];
};
static_assert(sizeof(struct ext2_xattr_head) == 32, "xattr block head");

/* Followed by the name, padded to 4 bytes. */
struct ext2_xattr_entry {
	uint8_t name_len;
	uint8_t name_index;
	uint8_t value_offs[2]; /* from the start of the block */
	uint8_t value_inum[4];
	uint8_t value_size[4];
	uint8_t hash[4];
};
static_assert(sizeof(struct ext2_xattr_entry) == 16, "xattr entry");

/* POSIX ACLs: as xattrs (version 2, all entries of 8 bytes; the kernel's
 * posix_acl_xattr.h) and on disk (version 1, 4 bytes where a tag has no id;
 * attributes.rst "POSIX ACLs"). */
#define EXT2_ACL_VERSION 1u
#define UNIK_ACL_XATTR_VERSION 2u
#define EXT2_ACL_USER_OBJ 0x01u
#define EXT2_ACL_USER 0x02u
#define EXT2_ACL_GROUP_OBJ 0x04u
#define EXT2_ACL_GROUP 0x08u
#define EXT2_ACL_MASK 0x10u
#define EXT2_ACL_OTHER 0x20u

#endif
