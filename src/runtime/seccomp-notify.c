/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * seccomp-notify - hands a filter's listener to the program that decides
 *
 * Runs in the launcher, with the caller's ids and files. The agent at the
 * other end is trusted with the container's system calls and not heard. On
 * failure the container has to be ended: its filtered calls would wait for
 * ever.
 */
#include "config.h"

#include <rnet/runtime/seccomp-notify.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/socket.h>
#include <sys/un.h>

#include <rnet/util/fd.h>
#include <rnet/util/msg.h>

/* The address, through an fd of the file where the path is too long for it. */
static bool fill_address(const char *path, struct sockaddr_un *address,
                         int *out_file, GError **error)
{
    g_autofree char *by_fd = NULL;

    if (strlen(path) < sizeof address->sun_path) {
        (void)g_strlcpy(address->sun_path, path, sizeof address->sun_path);
        return true;
    }
    *out_file = open(path, O_PATH | O_CLOEXEC);
    if (*out_file < 0)
        return rn_set_errno(error, errno, "open");
    by_fd = g_strdup_printf("/proc/self/fd/%d", *out_file);
    (void)g_strlcpy(address->sun_path, by_fd, sizeof address->sun_path);
    return true;
}

static bool connect_to(const char *path, int *out_socket, GError **error)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    rn_autofd int file = -1;
    rn_autofd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return rn_set_errno(error, errno, "make a socket");
    if (!fill_address(path, &address, &file, error))
        return false;
    if (TEMP_FAILURE_RETRY(
            connect(fd, (const struct sockaddr *)&address, sizeof address)) < 0)
        return rn_set_errno(error, errno, "connect");
    *out_socket = g_steal_fd(&fd);
    return true;
}

bool rn_seccomp_notify_connect(const char *path, int *out_socket,
                               GError **error)
{
    if (connect_to(path, out_socket, error))
        return true;
    g_prefix_error(error, "linux.seccomp.listenerPath: \"%s\": ", path);
    return rn_error_add_hint(error, "the seccomp agent has to listen there "
                                    "before the container starts");
}

/* ContainerProcessState, the caller's; to be freed with free(). */
static char *format_notice(const RnSeccompNotice *notice)
{
    json_t *version = json_object_get(notice->state, "ociVersion");
    json_t *root =
        json_pack("{s:O?, s:[s], s:I, s:s*, s:O}", "ociVersion", version, "fds",
                  "seccompFd", "pid", (json_int_t)notice->pid, "metadata",
                  notice->metadata, "state", (json_t *)notice->state);
    char *text = root == NULL ? NULL : json_dumps(root, JSON_COMPACT);

    json_decref(root);
    return text;
}

bool rn_seccomp_notify_send(int socket, int listener,
                            const RnSeccompNotice *notice, GError **error)
{
    char *text = format_notice(notice);
    bool sent = false;

    /* metadata is checked UTF-8; so this is memory, or a state without a
     * version */
    if (text == NULL)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "linux.seccomp: the notice for the listener cannot "
                            "be written");
    sent = rn_fd_send(socket, listener, text, strlen(text), error);
    free(text);
    if (!sent)
        g_prefix_error(error, "linux.seccomp.listenerPath: ");
    return sent;
}
