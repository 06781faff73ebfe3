/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mapper - newuidmap and newgidmap: finding them and running them
 *
 * newuidmap(1). They are looked for in a fixed list of directories and never
 * in $PATH, which may name anything.
 */
#ifndef RNET_SYS_MAPPER_H
#define RNET_SYS_MAPPER_H

#include <rnet/sys/idmap.h>

/* "newuidmap" or "newgidmap". */
const char *rn_mapper_name(RnIdKind kind);

/* The directories searched, separated by colons. */
const char *rn_mapper_search_path(void);

/*
 * How the program stands; *out_path is its path, the caller's, or NULL with
 * RN_MAPPER_MISSING.
 */
RnMapperState rn_mapper_find(RnIdKind kind, char **out_path) RN_CHECK;

/*
 * Runs it for the process `pid` and waits for its end; the error has the first
 * 512 bytes of what it wrote to stderr.
 */
bool rn_mapper_run(RnIdKind kind, pid_t pid, const GArray *maps,
                   GError **error) RN_CHECK;

#endif
