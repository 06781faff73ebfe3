/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * binfmt - binfmt_misc: formats that the kernel runs through other programs
 */
#ifndef RNET_SYS_BINFMT_H
#define RNET_SYS_BINFMT_H

#include <stdbool.h>

/* True if it has an entry. Seen on the host's /proc. */
bool rn_binfmt_has_entries(void);

#endif
