/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * inspect: the storage class of a layer: application binary, shareable library,
 * configuration, data.  The first that fits, see unik-inspect(1).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elf.h"
#include "inspect_source_private.h"

#define CONFIG_MAX (UINT64_C(1) << 20) /* bytes of a small layer */

const char *inspect_storage_name(enum storage storage)
{
	static const char *const names[] = {
		[STORAGE_EMPTY] = "empty",
		[STORAGE_APPLICATION] = "application",
		[STORAGE_LIBRARY] = "library",
		[STORAGE_CONFIGURATION] = "configuration",
		[STORAGE_DATA] = "data",
	};

	return names[storage];
}

/* ---- the entrypoint ---- */

/* What a shell uses where PATH is not set. */
#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:" \
		     "/sbin:/bin"

static const char *search_path(const struct unik_image_config *c)
{
	size_t i;

	for (i = c->env.n; i-- > 0;)
		if (strncmp(c->env.v[i], "PATH=", 5) == 0)
			return c->env.v[i] + 5;
	return DEFAULT_PATH;
}

/* A regular file at dir/name, symlinks followed; NULL where there is none. */
static const struct unik_node *file_at(const struct unik_tree *root,
				       const char *dir, size_t n,
				       const char *name)
{
	char path[4096];
	const struct unik_node *node;
	struct unik_err ignored;
	int len;

	len = snprintf(path, sizeof(path), "%.*s/%s", (int)n, dir, name);
	if (n >= sizeof(path) || len < 0 || (size_t)len >= sizeof(path) ||
	    unik_tree_follow(root, path, &node, &ignored) < 0 || !node ||
	    node->inode->type != UNIK_FILE)
		return NULL;
	return node;
}

void inspect_find_entrypoint(struct source_report *r)
{
	const struct unik_image_config *c = &r->image->config;
	const char *name = c->entrypoint.n > 0 ? c->entrypoint.v[0]
			   : c->cmd.n > 0      ? c->cmd.v[0]
					       : "";
	const char *dir = search_path(c);

	if (!name[0])
		return;
	if (strchr(name, '/')) {
		r->entrypoint = file_at(r->root, name[0] == '/' ? "" : c->cwd,
					name[0] == '/' ? 0 : strlen(c->cwd),
					name);
		return;
	}
	while (*dir && !r->entrypoint) {
		size_t n = strcspn(dir, ":");

		r->entrypoint = file_at(r->root, dir, n, name);
		dir += n + (dir[n] == ':');
	}
}

/* ---- what a layer holds ---- */

/* Where package managers and languages put what many programs share. */
static const char *const library_dirs[] = {
	"lib",		"lib32",	 "lib64",	   "libx32",
	"usr/lib",	"usr/lib32",	 "usr/lib64",	   "usr/libx32",
	"usr/libexec",	"usr/share",	 "usr/include",	   "usr/local/lib",
	"usr/local/lib64", "usr/local/share", "var/lib/dpkg", "var/lib/rpm",
};

static const char *const library_names[] = {
	"site-packages", "dist-packages", "node_modules", "gems",
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool is_beneath(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return strncmp(path, dir, n) == 0 && path[n] == '/';
}

static bool is_library(const struct unik_node *node, const char *path)
{
	const struct unik_node *n;
	size_t i;

	for (i = 0; i < COUNT(library_dirs); i++)
		if (is_beneath(path, library_dirs[i]))
			return true;
	for (n = node->parent; n; n = n->parent)
		for (i = 0; i < COUNT(library_names); i++)
			if (strcmp(n->name, library_names[i]) == 0)
				return true;
	return false;
}

struct holdings {
	uint64_t files;
	uint64_t config_files; /* beneath etc */
	uint64_t library;      /* bytes */
	const struct unik_node *solo5;
};

static int look(struct holdings *h, const struct unik_tree *tree,
		struct path *path, struct unik_err *err)
{
	uint32_t i;

	for (i = 0; i < tree->ninodes; i++) {
		const struct unik_inode *inode = tree->inodes[i];
		const char *text;
		enum unik_elf elf;

		if (inode->type != UNIK_FILE)
			continue;
		text = inspect_path(path, inode->first);
		if (!text)
			return unik_fail_mem(err);
		if (unik_elf_look(inode, &elf, err) < 0)
			return -1;
		h->files++;
		h->config_files += is_beneath(text, "etc");
		if (elf != UNIK_ELF_NONE || is_library(inode->first, text))
			h->library += inode->size;
		if (elf == UNIK_ELF_SOLO5 && !h->solo5)
			h->solo5 = inode->first;
	}
	return 0;
}

static int judge(struct source_report *r, size_t k, const struct holdings *h,
		 struct unik_err *err)
{
	struct layer_report *l = &r->layers[k];
	const struct unik_node *entry = r->entrypoint;
	char q[UNIK_QUOTE_SIZE], size[24];

	l->solo5 = h->solo5 != NULL;
	if (h->files == 0) {
		l->storage = STORAGE_EMPTY;
		l->why = report_text(r, err, "no regular file in it");
	} else if (h->solo5) {
		l->storage = STORAGE_APPLICATION;
		l->why = report_text(r, err, "%s is a Solo5 unikernel",
				     unik_node_quote(h->solo5, q));
	} else if (entry && entry->top == k) {
		l->storage = STORAGE_APPLICATION;
		l->why = report_text(r, err, "%s is the entrypoint",
				     unik_node_quote(entry, q));
	} else if (l->content <= CONFIG_MAX && h->config_files * 2 > h->files) {
		l->storage = STORAGE_CONFIGURATION;
		l->why = report_text(r, err, "%llu of %llu files beneath etc, "
				     "%s", (unsigned long long)h->config_files,
				     (unsigned long long)h->files,
				     inspect_size(l->content, size));
	} else {
		bool most = h->library > l->content - h->library;
		double part = l->content ? (double)h->library /
						   (double)l->content : 0;

		l->storage = most ? STORAGE_LIBRARY : STORAGE_DATA;
		l->why = report_text(r, err, "%u %% of its bytes are ELF "
				     "files, libraries and packages",
				     (unsigned)(part * 100));
	}
	return l->why ? 0 : -1;
}

int inspect_storage(struct source_report *r, size_t k, struct unik_err *err)
{
	const struct unik_tree *tree =
		r->t->layers[r->t->same_as[k]]->tree;
	struct path path = { NULL, 0 };
	struct holdings h = { 0 };
	int rc;

	rc = look(&h, tree, &path, err);
	if (rc == 0)
		rc = judge(r, k, &h, err);
	free(path.text);
	return rc;
}
