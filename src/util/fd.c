/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fd - descriptors that close themselves, and bounded reads and writes
 *
 * Runs in every process. Files read here may be hostile (a bundle, an image,
 * a resolv.conf): their type is checked before a byte is read, and sizes are
 * bounded by the caller.
 */
#include "config.h"

#include <rnet/util/fd.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

enum {
    KEEP_MAX = 16
};

void rn_fd_close(int *fd)
{
    int saved_errno = errno;

    if (*fd >= 0)
        (void)close(*fd); /* nothing can be done about a failing close */
    *fd = -1;
    errno = saved_errno;
}

bool rn_fd_set_nonblocking(int fd, bool nonblocking, GError **error)
{
    int flags = fcntl(fd, F_GETFL);
    int wanted = 0;

    if (flags < 0)
        return rn_set_errno(error, errno, "read the flags of fd %d", fd);
    wanted = nonblocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
    if (wanted != flags && fcntl(fd, F_SETFL, wanted) < 0)
        return rn_set_errno(error, errno, "set the flags of fd %d", fd);
    return true;
}

bool rn_fd_fill_stdio(GError **error)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) >= 0)
            continue;
        /* the lowest number that is free, open(2): this one */
        if (open("/dev/null", O_RDWR | O_NOCTTY) < 0)
            return rn_set_errno(error, errno, "open \"/dev/null\"");
    }
    return true;
}

static int compare_fds(const void *a, const void *b)
{
    const int *left = a;
    const int *right = b;

    return (*left > *right) - (*left < *right);
}

void rn_fd_close_from(int first, const int *keep, unsigned n_keep)
{
    int sorted[KEEP_MAX] = { 0 };
    unsigned next = (unsigned)first;

    g_return_if_fail(n_keep <= KEEP_MAX);
    for (unsigned i = 0; i < n_keep; i++)
        sorted[i] = keep[i];
    qsort(sorted, n_keep, sizeof sorted[0], compare_fds);
    for (unsigned i = 0; i < n_keep; i++) {
        if (sorted[i] < (int)next)
            continue;
        if (sorted[i] > (int)next)
            (void)close_range(next, (unsigned)sorted[i] - 1, 0);
        next = (unsigned)sorted[i] + 1;
    }
    (void)close_range(next, UINT_MAX, 0);
}

void rn_fd_close_all_but(const int *keep, unsigned n_keep)
{
    rn_fd_close_from(STDERR_FILENO + 1, keep, n_keep);
}

/* Reads until EOF or one byte more than `max`. */
static bool read_bounded(int fd, const char *path, gsize max, GString *text,
                         GError **error)
{
    char chunk[16384];
    ssize_t got = 0;

    while ((got = read(fd, chunk, sizeof chunk)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return rn_set_errno(error, errno, "read \"%s\"", path);
        g_string_append_len(text, chunk, got);
        if (text->len > max)
            return rn_set_error(
                error, RN_ERROR_LIMIT,
                "\"%s\" is larger than %" G_GSIZE_FORMAT " bytes", path, max);
    }
    return true;
}

bool rn_file_read(int dirfd, const char *path, gsize max, char **out_text,
                  gsize *out_length, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    rn_autofd int fd = -1;
    struct stat status = { 0 };

    /* O_NONBLOCK: opening a FIFO must not wait for a writer */
    fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return rn_set_errno(error, errno, "open \"%s\"", path);
    if (fstat(fd, &status) < 0)
        return rn_set_errno(error, errno, "stat \"%s\"", path);
    if (!S_ISREG(status.st_mode))
        return rn_set_error(error, RN_ERROR_INVALID,
                            "\"%s\" is not a regular file", path);
    if (!read_bounded(fd, path, max, text, error))
        return false;
    if (out_length != NULL)
        *out_length = text->len;
    *out_text = g_string_free(g_steal_pointer(&text), FALSE);
    return true;
}

bool rn_file_write(int dirfd, const char *path, const char *text,
                   GError **error)
{
    rn_autofd int fd = openat(dirfd, path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    size_t length = strlen(text);
    ssize_t written = 0;

    if (fd < 0)
        return rn_set_errno(error, errno, "open \"%s\"", path);
    written = TEMP_FAILURE_RETRY(write(fd, text, length));
    if (written < 0)
        return rn_set_errno(error, errno, "write \"%s\"", path);
    if ((size_t)written != length)
        return rn_set_errno(error, EIO, "write \"%s\" whole", path);
    return true;
}

bool rn_fd_write_all(int fd, const void *data, gsize length, GError **error)
{
    const char *next = data;

    while (length > 0) {
        ssize_t written = write(fd, next, length);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return rn_set_errno(error, errno, "write");
        next += written;
        length -= (gsize)written;
    }
    return true;
}
