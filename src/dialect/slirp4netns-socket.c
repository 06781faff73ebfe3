/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slirp4netns-socket - the file of slirp4netns' API socket, and its end
 *
 * Runs in the slirp4netns dialect, and in a fork of it, "rnet-unlink", which
 * waits for EOF on its socket and then removes the file, if it is still the
 * one that was made here.
 * Failure: nothing is left; the file's removal is tried, no more.
 */
#include "config.h"

#include <rnet/dialect/slirp4netns-server.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>
#include <sys/un.h>

#include <rnet/sys/process.h>
#include <rnet/sys/unix-socket.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>
#include <rnet/util/msg.h>

#define REMOVER_NAME "rnet-unlink"

/* What the fork finds in its memory. */
static struct {
    char *path; /* a copy: the fork's command line is overwritten */
    dev_t dev;
    ino_t ino;
} to_remove;

/* The remover's main function. */
static int wait_and_remove(void)
{
    struct stat status;
    char byte = 0;

    while (TEMP_FAILURE_RETRY(read(RN_HELPER_FD, &byte, sizeof byte)) > 0)
        ;
    if (lstat(to_remove.path, &status) < 0 || status.st_dev != to_remove.dev ||
        status.st_ino != to_remove.ino)
        return EXIT_SUCCESS;
    return unlink(to_remove.path) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Of the file that is at `path` now. */
static bool start_remover(const char *path, RnSlirpSocket *socket,
                          GError **error)
{
    struct stat status;
    rn_autofd int lifeline = -1;
    rn_autofd int removers_end = -1;
    rn_autofd int report = -1;
    int pair[2] = { -1, -1 };
    RnForked forked;

    if (lstat(path, &status) < 0)
        return rn_set_errno(error, errno, "\"%s\"", path);
    g_free(to_remove.path);
    to_remove.path = g_strdup(path);
    to_remove.dev = status.st_dev;
    to_remove.ino = status.st_ino;
    if (!rn_msg_pair(pair, error))
        return false;
    lifeline = pair[0];
    removers_end = pair[1];
    if (!rn_helper_fork(REMOVER_NAME, wait_and_remove, removers_end,
                        RN_HELPER_OUTLIVES_CALLER, &forked, error))
        return false;
    report = forked.report;
    if (!rn_helper_await(REMOVER_NAME, report, error)) {
        rn_process_end(forked.pid, &forked.pidfd);
        return false;
    }
    rn_fd_close(&forked.pidfd);
    socket->remover = forked.pid;
    socket->lifeline = g_steal_fd(&lifeline);
    return true;
}

static bool listen_at(const char *path, int *out_listener, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *name = g_path_get_basename(path);
    rn_autofd int folder_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    rn_autofd int listener = -1;

    if (folder_fd < 0)
        return rn_set_errno(error, errno, "open \"%s\"", folder);
    (void)unlinkat(folder_fd, name, 0); /* what bind(2) says is better */
    if (!rn_unix_listen(folder_fd, name, SOCK_STREAM, &listener, error) ||
        !rn_fd_set_nonblocking(listener, true, error))
        return false;
    *out_listener = g_steal_fd(&listener);
    return true;
}

bool rn_slirp_socket_open(const char *path, RnSlirpSocket *socket,
                          GError **error)
{
    const size_t limit = sizeof(((struct sockaddr_un *)NULL)->sun_path);
    rn_autofd int listener = -1;

    /* the clients could not connect to it */
    if (strlen(path) >= limit)
        return rn_set_error(
            error, RN_ERROR_INVALID,
            "the specified API socket path is too long (>= %zu)", limit);
    if (!listen_at(path, &listener, error)) {
        g_prefix_error(error, "API socket: ");
        return false;
    }
    if (!start_remover(path, socket, error)) {
        (void)unlink(path); /* the error to tell is the other one */
        g_prefix_error(error, "API socket: ");
        return false;
    }
    socket->listener = g_steal_fd(&listener);
    return true;
}

void rn_slirp_socket_close(RnSlirpSocket *socket)
{
    if (socket->remover <= 0)
        return;
    rn_fd_close(&socket->listener);
    rn_fd_close(&socket->lifeline);
    (void)!rn_process_reap(socket->remover, NULL, NULL);
    socket->remover = 0;
}
