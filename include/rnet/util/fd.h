/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fd - file descriptors that close themselves, and bounded reads and writes
 */
#ifndef RNET_UTIL_FD_H
#define RNET_UTIL_FD_H

#include <sys/types.h>

#include <rnet/util/error.h>

/* Closes *fd unless it is negative and makes it -1. Keeps errno. */
void rn_fd_close(int *fd);

/* `rn_autofd int fd = -1;`: closed at the end of its scope. */
#define rn_autofd __attribute__((cleanup(rn_fd_close)))

/* Sets or clears O_NONBLOCK. */
bool rn_fd_set_nonblocking(int fd, bool nonblocking, GError **error) RN_CHECK;

/* Opens /dev/null where 0, 1 or 2 is closed: else that would be the number of
 * the next file that anyone opens. */
bool rn_fd_fill_stdio(GError **error) RN_CHECK;

/*
 * Closes every fd from 3 up but those in `keep` (any order, at most 16).
 * For a freshly forked child.
 */
void rn_fd_close_all_but(const int *keep, unsigned n_keep);

/* The same from `first` up; negative numbers in `keep` are passed over. */
void rn_fd_close_from(int first, const int *keep, unsigned n_keep);

/*
 * Reads a whole file, at most `max` bytes (a larger one: RN_ERROR_LIMIT).
 * `path` is relative to dirfd (AT_FDCWD: the working directory). Only regular
 * and /proc files; a FIFO or device is refused (RN_ERROR_INVALID) without
 * blocking. *out_text is NUL-terminated and the caller's; out_length may be
 * NULL.
 */
bool rn_file_read(int dirfd, const char *path, gsize max, char **out_text,
                  gsize *out_length, GError **error) RN_CHECK;

/*
 * Writes text to an existing file with one write(2), as /proc files want it.
 */
bool rn_file_write(int dirfd, const char *path, const char *text,
                   GError **error) RN_CHECK;

/* Writes all of `data`, going on after short writes and EINTR. */
bool rn_fd_write_all(int fd, const void *data, gsize length,
                     GError **error) RN_CHECK;

#endif
