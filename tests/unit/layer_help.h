/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Layers in memory, and what they are loaded with.  Who includes this defines
 * _GNU_SOURCE first. */
#ifndef UNIK_TEST_LAYER_HELP_H
#define UNIK_TEST_LAYER_HELP_H

#include <sys/mman.h>
#include <unistd.h>

#include "core.h"
#include "layer.h"

static struct unik_limits limits;
static struct unik_layer_options opt = { .limits = &limits,
					 .spool_dir = "/tmp" };

static struct unik_layer_ref ref_of(const void *p, size_t n)
{
	struct unik_layer_ref ref = { .size = n };

	ref.fd = memfd_create("layer", MFD_CLOEXEC);
	must(unik_pwrite_all(ref.fd, p, n, 0, &err));
	return ref;
}

#endif
