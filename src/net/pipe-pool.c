/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pipe-pool - keeps a stack of empty pipes
 *
 * Role:     pipes for splice(2)
 * Runs in:  the relay
 * Owns:     the idle pipes; those that were taken are only counted
 * Limits:   PIPES_MAX pipes, the first LARGE_MAX of them large: 52 MiB, below
 *           fs.pipe-user-pages-soft (16384 pages, 64 MiB), beyond which a
 *           user's new pipes shrink to two pages (pipe(7)); IDLE_MAX of them
 *           are kept for the next
 * Failure:  no pipe, and the caller copies
 */
#include "config.h"

#include <rnet/net/pipe-pool.h>

#include <fcntl.h>
#include <unistd.h>

#include <rnet/net/fd-room.h>
#include <rnet/util/fd.h>

enum {
    LARGE_BYTES = 1 << 20, /* fs.pipe-max-size, pipe(7) */
    LARGE_MAX = 32,
    SMALL_BYTES = 1 << 17,
    MIN_BYTES = 1 << 16, /* less is slower than copying */
    PIPES_MAX = 192,
    IDLE_MAX = 8,
    FD_RESERVE = 64, /* fds that are left for sockets */
};

struct RnPipePool {
    RnPipe idle[IDLE_MAX];
    unsigned n_idle;
    unsigned n_pipes; /* idle or taken */
};

static void close_pipe(RnPipe *pipe_ends)
{
    rn_fd_close(&pipe_ends->read_fd);
    rn_fd_close(&pipe_ends->write_fd);
}

RnPipePool *rn_pipe_pool_new(void)
{
    return g_new0(RnPipePool, 1);
}

void rn_pipe_pool_free(RnPipePool *pool)
{
    if (pool == NULL)
        return;
    while (pool->n_idle > 0)
        close_pipe(&pool->idle[--pool->n_idle]);
    g_free(pool);
}

static bool make_pipe(int size, RnPipe *out_pipe)
{
    int fds[2] = { -1, -1 };

    if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) < 0)
        return false;
    /* best effort: what it is then is what counts */
    (void)fcntl(fds[1], F_SETPIPE_SZ, size);
    *out_pipe = (RnPipe){ .read_fd = fds[0], .write_fd = fds[1] };
    if (fcntl(fds[1], F_GETPIPE_SZ) >= MIN_BYTES)
        return true;
    close_pipe(out_pipe);
    return false;
}

bool rn_pipe_pool_take(RnPipePool *pool, int fd, RnPipe *out_pipe)
{
    int size = pool->n_pipes < LARGE_MAX ? LARGE_BYTES : SMALL_BYTES;
    RnPipe made = RN_PIPE_NONE;

    if (pool->n_idle > 0) {
        *out_pipe = pool->idle[--pool->n_idle];
        return true;
    }
    if (pool->n_pipes >= PIPES_MAX || !rn_fd_room(fd, FD_RESERVE) ||
        !make_pipe(size, &made))
        return false;
    pool->n_pipes++;
    *out_pipe = made;
    return true;
}

void rn_pipe_pool_give(RnPipePool *pool, RnPipe *pipe)
{
    if (pipe->read_fd < 0)
        return;
    if (pool->n_idle == IDLE_MAX) {
        rn_pipe_pool_discard(pool, pipe);
        return;
    }
    pool->idle[pool->n_idle++] = *pipe;
    *pipe = RN_PIPE_NONE;
}

void rn_pipe_pool_discard(RnPipePool *pool, RnPipe *pipe)
{
    if (pipe->read_fd < 0)
        return;
    close_pipe(pipe);
    pool->n_pipes--;
}
