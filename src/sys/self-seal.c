/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * self-seal - rnet's own binary out of a container's reach
 *
 * Runs in commands that make or enter a container, before anything else. What
 * the caller may write is in doubt taken as writable: the copy is cheap.
 */
#include "config.h"

#include <rnet/sys/self-seal.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include <rnet/sys/mount.h>
#include <rnet/util/fd.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* Linux 6.3 */
#endif

enum {
    SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE,
    OVERFLOW_UID = 65534, /* user_namespaces(7): who is not mapped */
    MAX_SIZE = 1 << 30,   /* bytes */
};

static const char own_path[] = "/proc/self/exe";

static bool is_sealed(int fd)
{
    int seals = fcntl(fd, F_GET_SEALS);

    return seals >= 0 && (seals & SEALS) == SEALS;
}

/*
 * Root's file that the caller may not write is safe, also as seen from a user
 * namespace that root is not in. Any other owner might be one of the ids that
 * the caller can give to a container; and the caller himself can chmod.
 */
static bool is_safe(const struct stat *status)
{
    bool is_roots = status->st_uid == 0 || status->st_uid == OVERFLOW_UID;

    if (faccessat(AT_FDCWD, own_path, W_OK, AT_EACCESS) == 0)
        return false;
    if (errno == EROFS)
        return true;
    return is_roots && status->st_uid != geteuid() &&
           (status->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/*
 * The binary itself, on a read-only mount of its own that is attached nowhere:
 * no copy, but it takes CAP_SYS_ADMIN. Returns only on failure. Both fds close
 * with the exec, and the mount then is in no namespace any more, so that nobody
 * can make it writable or copy it (mount_setattr(2), open_tree(2): EINVAL).
 */
static void exec_read_only(char **argv)
{
    g_autofree char *path = NULL;
    rn_autofd int mount_fd = -1;
    rn_autofd int fd = -1;

    if (!rn_mount_clone(AT_FDCWD, own_path, RN_MOUNT_ONE, &mount_fd, NULL) ||
        !rn_mount_set_propagation(mount_fd, MS_PRIVATE, NULL) ||
        !rn_mount_change(mount_fd, MS_RDONLY, 0, RN_MOUNT_ONE, NULL))
        return;
    path = g_strdup_printf("/proc/self/fd/%d", mount_fd);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        (void)fexecve(fd, argv, environ);
}

static int make_memory(void)
{
    const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    int fd = memfd_create("rnet", flags | MFD_EXEC);

    return fd < 0 && errno == EINVAL ? memfd_create("rnet", flags) : fd;
}

static bool copy(int from, off_t size, int to, GError **error)
{
    while (size > 0) {
        ssize_t sent = sendfile(to, from, NULL, (size_t)size);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return rn_set_errno(error, sent == 0 ? EIO : errno,
                                "copy \"%s\" into memory", own_path);
        size -= sent;
    }
    if (fcntl(to, F_ADD_SEALS, SEALS) < 0)
        return rn_set_errno(error, errno, "seal the copy of \"%s\"", own_path);
    return true;
}

static bool exec_copy(int from, const struct stat *status, char **argv,
                      GError **error)
{
    rn_autofd int memory = make_memory();

    if (memory < 0) {
        (void)rn_set_errno(error, errno, "make a file in memory");
        return rn_error_add_hint(error, "the sysctl vm.memfd_noexec has to be "
                                        "0 or 1, or rnet installed so that "
                                        "only root can write it");
    }
    if (status->st_size > MAX_SIZE)
        return rn_set_error(error, RN_ERROR_LIMIT,
                            "\"%s\" is too large to copy", own_path);
    if (!copy(from, status->st_size, memory, error))
        return false;
    (void)fexecve(memory, argv, environ);
    return rn_set_errno(error, errno, "execute the sealed copy of \"%s\"",
                        own_path);
}

bool rn_self_seal(char **argv, GError **error)
{
    rn_autofd int fd = open(own_path, O_RDONLY | O_CLOEXEC);
    g_autofree char *name = g_path_get_basename(argv[0]);
    struct stat status = { 0 };

    if (fd < 0 || fstat(fd, &status) < 0)
        return rn_set_errno(error, errno, "open \"%s\"", own_path);
    if (is_sealed(fd) || is_safe(&status)) {
        /* fexecve(3) makes it the fd's number; fails for no name */
        (void)prctl(PR_SET_NAME, name, 0, 0, 0);
        return true;
    }
    exec_read_only(argv);
    return exec_copy(fd, &status, argv, error);
}
