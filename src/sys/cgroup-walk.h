/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup-walk - what the files of cgroup-dir.h share
 */
#ifndef RNET_SYS_CGROUP_WALK_H
#define RNET_SYS_CGROUP_WALK_H

#include <rnet/util/error.h>

/* A directory below fd, no link; -1 with errno. */
int rn_cgroup_walk_open(int fd, const char *name);

/* The names of at most `max` directories in it (GPtrArray of char *). */
GPtrArray *rn_cgroup_walk_list(int fd, unsigned max) RN_CHECK;

#endif
