/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _POSIX_C_SOURCE 200809L
#include "kernel.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elf.h"
#include "io.h"
#include "merge.h"

void unik_kernel_release(struct unik_kernel *k)
{
	if (k->fd >= 0)
		close(k->fd);
	free(k->path);
	k->fd = -1;
	k->path = NULL;
}

/* ---- of the host ---- */

static int hash_file(struct unik_kernel *k, struct unik_err *err)
{
	const struct unik_sink_options so = { .fd = -1, .hash = true };
	struct unik_source *src = NULL;
	struct unik_sink *sink = NULL;
	const uint8_t *data;
	size_t n;
	int rc = -1;

	if (unik_source_range(&src, k->fd, 0, k->size, err) == 0)
		rc = unik_sink_new(&sink, &so, err);
	while (rc == 0 && (rc = unik_source_peek(src, &data, &n, err)) == 0) {
		rc = unik_sink_write(sink, data, n, err);
		unik_source_advance(src, n);
	}
	if (rc == 1)
		rc = unik_sink_finish(sink, &k->digest, err);
	unik_sink_free(sink);
	unik_source_free(src);
	return rc;
}

int unik_kernel_open(struct unik_kernel *k, const char *path,
		     struct unik_err *err)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	struct stat st;

	if (!name[0] || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return unik_fail_usage(err, "kernel: '%s' names no file", path);
	k->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (k->fd < 0 || fstat(k->fd, &st) < 0)
		return unik_fail_sys(err, "can't open the kernel '%s'", path);
	if (!S_ISREG(st.st_mode))
		return unik_fail_usage(err, "kernel: '%s' is no regular file",
				       path);
	k->size = (uint64_t)st.st_size;
	k->host = true;
	k->path = strdup(name);
	if (!k->path)
		return unik_fail_mem(err);
	if (hash_file(k, err) < 0)
		return unik_wrap(err, "kernel '%s'", path);
	return 0;
}

/* ---- of the source ---- */

int unik_kernel_any(const struct unik_tree *tree, bool *any,
		    struct unik_err *err)
{
	enum unik_elf what;
	uint32_t i;

	*any = false;
	for (i = 0; i < tree->ninodes && !*any; i++) {
		if (unik_elf_look(tree->inodes[i], &what, err) < 0)
			return -1;
		*any = what == UNIK_ELF_SOLO5;
	}
	return 0;
}

/* The file that the image runs, NULL where it is none of the tree. */
static const struct unik_inode *find_run(const struct unik_tree *view,
					 const struct unik_image_config *c)
{
	const char *name = c->entrypoint.n > 0 ? c->entrypoint.v[0]
			   : c->cmd.n > 0      ? c->cmd.v[0]
					       : "";
	const struct unik_node *node = NULL;
	struct unik_err ignored;

	if (unik_tree_follow(view, name, &node, &ignored) < 0 || !node)
		return NULL;
	return node->inode;
}

static int find_note(const struct unik_tree *view,
		     const struct unik_image_config *config,
		     const struct unik_inode **out, size_t *several,
		     struct unik_err *err)
{
	const struct unik_inode *run = find_run(view, config);
	enum unik_elf what;
	size_t n = 0;
	uint32_t i;

	for (i = 0; i < view->ninodes; i++) {
		if (unik_elf_look(view->inodes[i], &what, err) < 0)
			return -1;
		if (what != UNIK_ELF_SOLO5)
			continue;
		n++;
		if (!*out || view->inodes[i] == run)
			*out = view->inodes[i];
	}
	if (n > 1 && *out != run) {
		*several = n;
		*out = NULL;
	}
	return 0;
}

static int find_path(const struct unik_tree *view, const char *path,
		     const struct unik_inode **out, struct unik_err *err)
{
	const struct unik_node *node = NULL;
	char q[UNIK_QUOTE_SIZE];

	unik_quote(q, path, strlen(path));
	if (unik_tree_follow(view, path, &node, err) < 0)
		return unik_wrap(err, "kernel %s", q);
	if (!node || node->inode->type != UNIK_FILE)
		return unik_fail(err, "kernel: the source has no file %s", q);
	*out = node->inode;
	return 0;
}

static int copy_out(struct unik_kernel *k, const struct unik_inode *inode,
		    const struct unik_layer_options *opt, struct unik_err *err)
{
	struct unik_sink_options so = { .fd = -1, .hash = true,
					.stop = opt->stop };
	struct unik_sink *sink = NULL;
	size_t n = unik_node_path(inode->first, NULL, 0);
	int rc = -1;

	k->path = malloc(n + 1);
	if (!k->path)
		return unik_fail_mem(err);
	unik_node_path(inode->first, k->path, n + 1);
	if (unik_spool_open(opt->spool_dir, &k->fd, err) < 0)
		return -1;
	so.fd = k->fd;
	k->size = inode->size;
	if (unik_sink_new(&sink, &so, err) < 0)
		return -1;
	if (k->size == 0 ||
	    unik_content_copy(inode->content, 0, k->size, sink, err) == 0)
		rc = unik_sink_finish(sink, &k->digest, err);
	unik_sink_free(sink);
	return rc;
}

/* What a container sees. */
static int merge_all(struct unik_tree *view,
		     const struct unik_tree *const *trees, size_t n,
		     struct unik_err *err)
{
	size_t i;

	for (i = 0; i < n; i++) {
		struct unik_merge m = { .view = view, .index = i };

		if (unik_merge_layer(&m, trees[i], err) < 0)
			return unik_wrap(err, "layer %zu", i);
	}
	unik_merge_apply(view);
	return unik_tree_seal(view, err);
}

int unik_kernel_find(struct unik_kernel *k,
		     const struct unik_tree *const *trees, size_t n,
		     const struct unik_image_config *config, const char *path,
		     const struct unik_layer_options *opt, size_t *several,
		     struct unik_err *err)
{
	const struct unik_inode *inode = NULL;
	struct unik_tree *view = NULL;
	int rc = unik_tree_new(&view, opt->limits, err);

	*several = 0;
	if (rc == 0)
		rc = merge_all(view, trees, n, err);
	if (rc == 0)
		rc = path ? find_path(view, path, &inode, err)
			  : find_note(view, config, &inode, several, err);
	if (rc == 0)
		rc = inode ? copy_out(k, inode, opt, err) : 1;
	unik_tree_free(view);
	return rc;
}

int unik_kernel_load(struct unik_kernel *k, const struct unik_image *image,
		     const char *path, const struct unik_layer_options *opt,
		     size_t *several, struct unik_err *err)
{
	size_t n = image->nlayers, i;
	struct unik_layer **layers = calloc(n + 1, sizeof(struct unik_layer *));
	const struct unik_tree **trees =
		calloc(n + 1, sizeof(const struct unik_tree *));
	int rc = 0;

	if (!layers || !trees)
		rc = unik_fail_mem(err);
	for (i = 0; i < n && rc == 0; i++) {
		rc = unik_layer_load(&layers[i], &image->layers[i], opt, err);
		if (rc < 0)
			unik_wrap(err, "layer %zu", i);
		else
			trees[i] = layers[i]->tree;
	}
	if (rc == 0)
		rc = unik_kernel_find(k, trees, n, &image->config, path, opt,
				      several, err);
	for (i = 0; layers && i < n; i++)
		unik_layer_free(layers[i]);
	free(layers);
	free(trees);
	return rc;
}
