/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * merge: layers laid over each other by the rules of the OCI image-spec
 * (layer.md, "Applying Changesets"), on trees.
 *
 * A `view` is an unsealed tree that holds what a container sees after the
 * layers merged so far.  Merging the next layer into it also tells what that
 * layer reaches into below (so that a plan can be made), and can give the
 * layer's `effective` tree: the layer as it has to look where it is mounted
 * over the lower ones, that is
 *  - directories that the tar only implies have the attributes that the view
 *    has for them;
 *  - entries whose implied parent is a symlink below stand where it points to
 *    (as containerd and umoci do, inside the root).
 */
#ifndef UNIK_MERGE_H
#define UNIK_MERGE_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "tree.h"

enum unik_reach_kind {
	UNIK_REACH_WHITEOUT, /* a whiteout hides something of a lower layer */
	UNIK_REACH_OPAQUE,   /* an opaque directory does, or a whiteout of a
				directory that the layer makes anew */
	UNIK_REACH_ROOT,     /* the opaque directory is the root */
	UNIK_REACH_LINK,     /* a hard link to a file of a lower layer */
	UNIK_REACH_SHADOW    /* a directory over a file over a directory */
};

struct unik_reach {
	enum unik_reach_kind kind;
	size_t layer; /* that reaches */
	size_t low;   /* the lowest layer that it reaches into */
	const struct unik_node *node; /* what it reaches; for the call only */
};

struct unik_merge {
	struct unik_tree *view;
	struct unik_tree *effective; /* empty and unsealed, or NULL */
	size_t index;                /* of the layer; below 65,535 */
	bool context; /* out: the effective tree is not the layer's own */
	bool drop_idle; /* the effective tree gets no whiteouts and marks that
			   hide nothing: overlayfs lists such a name where its
			   directory is not merged, and then can't find it */
	/* Whiteouts and opaque marks that reach below this layer go into the
	 * view too; 0: none.  Known only for layers that are effective trees;
	 * those of others count as reaching to the bottom. */
	size_t bottom;
	int (*reach)(void *data, const struct unik_reach *r,
		     struct unik_err *err); /* or NULL */
	void *data;
};

/* The layer's tree must be sealed (unresolved links allowed) and must outlive
 * view and effective: contents, targets and xattrs are shared with it. */
int unik_merge_layer(struct unik_merge *m, const struct unik_tree *layer,
		     struct unik_err *err);

/* ---- the last touch, before a merged tree is sealed ---- */

/* Gives opaque directories their `.wh..wh..opq` entry. */
int unik_merge_keep(struct unik_tree *tree, struct unik_err *err);
/* Drops all whiteouts and opaque marks. */
void unik_merge_apply(struct unik_tree *tree);
/*
 * Turns whiteouts into character devices 0:0 and opaque marks into the xattr
 * trusted.overlay.opaque=y (Linux, Documentation/filesystems/overlayfs.rst);
 * trusted.overlay.* of the input become trusted.overlay.overlay.*.  UNIK_EBAD
 * for a character device 0:0 of the input: overlayfs would take it for a
 * whiteout.  `opaque` false: the format can't hold the mark, and the caller
 * has seen to it that none is needed.
 */
int unik_merge_overlay(struct unik_tree *tree, bool opaque,
		       struct unik_err *err);
/* Adds an empty copy of every directory of the view that the tree lacks. */
int unik_merge_skeleton(struct unik_tree *tree, const struct unik_tree *view,
			struct unik_err *err);
/* Adds a directory at the root where nothing of that name is. */
int unik_merge_add_dir(struct unik_tree *tree, const char *name, unsigned mode,
		       struct unik_err *err);

#endif
