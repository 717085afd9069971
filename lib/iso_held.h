/* SPDX-License-Identifier: GPL-3.0-or-later */
/* iso: what comes back of what it can't hold; the writer's rules, for those who
 * compare. */
#ifndef UNIK_ISO_HELD_H
#define UNIK_ISO_HELD_H

#include "tree.h"

/* Makes a device number what Linux takes it for: put_device(). */
void unik_iso_rdev_held(struct unik_rdev *rdev);

/* A symlink's target as it is written for NetBSD, without the slashes that
 * change nothing; `out` has room for two bytes more, and the NUL. */
void unik_iso_netbsd_target(const char *target, char *out);

#endif
