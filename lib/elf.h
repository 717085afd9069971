/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * elf: is a file an ELF file, and is it a Solo5 unikernel?  A unikernel has a
 * note of owner "Solo5" (its ABI version and its manifest; Solo5,
 * include/elf_abi.h and include/mft_abi.h) in a PT_NOTE segment (System V ABI,
 * "Program Header", "Note Section").  Solo5 runs on 64-bit little-endian
 * machines only.
 */
#ifndef UNIK_ELF_H
#define UNIK_ELF_H

#include "err.h"
#include "tree.h"

enum unik_elf { UNIK_ELF_NONE, UNIK_ELF_ANY, UNIK_ELF_SOLO5 };

/* What the begin of a file says. */
int unik_elf_look(const struct unik_inode *inode, enum unik_elf *what,
		  struct unik_err *err);

#endif
