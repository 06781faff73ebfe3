/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pipe-pool - a few large pipes that many flows take turns with
 *
 * A flow has a pipe only while bytes are in it, so that few pipes serve any
 * number of flows.
 */
#ifndef RNET_NET_PIPE_POOL_H
#define RNET_NET_PIPE_POOL_H

#include <rnet/util/error.h>

typedef struct RnPipePool RnPipePool;

/* Read and write end, non-blocking. Both -1: no pipe. */
typedef struct RnPipe {
    int read_fd, write_fd;
} RnPipe;

#define RN_PIPE_NONE ((RnPipe){ -1, -1 })

RnPipePool *rn_pipe_pool_new(void);
void rn_pipe_pool_free(RnPipePool *pool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnPipePool, rn_pipe_pool_free)

/*
 * Takes an empty pipe; false, and *out_pipe untouched, when there are enough
 * already, or too few fds or too little pipe memory left to make one: copy
 * then. `fd` is any open fd.
 */
bool rn_pipe_pool_take(RnPipePool *pool, int fd, RnPipe *out_pipe);

/* Gives an empty pipe back; *pipe becomes RN_PIPE_NONE. None is fine. */
void rn_pipe_pool_give(RnPipePool *pool, RnPipe *pipe);

/* Closes a pipe that has bytes in it; *pipe becomes RN_PIPE_NONE. */
void rn_pipe_pool_discard(RnPipePool *pool, RnPipe *pipe);

#endif
