/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * copy-up - a bounded copy of a tree that another process may be changing
 *
 * Runs in init, as the container's root. The source is the image's, hostile:
 * each name is looked at and then opened so that it can neither lead elsewhere
 * nor block, and what was opened is looked at again. A failure leaves a part.
 */
#include "config.h"

#include <rnet/runtime/copy-up.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <rnet/util/fd.h>
#include <rnet/util/log.h>

enum {
    CHUNK_SIZE = 65536 /* bytes */
};

typedef struct Copy {
    uint64_t bytes_left;
    unsigned entries_left;
    unsigned depth;
    GString *path; /* of the directory, for errors: "", "etc/", ... */
} Copy;

/* One name of a directory, on both sides. */
typedef struct Entry {
    int from, to; /* the directories */
    const char *name;
    struct stat status;
} Entry;

static void close_folder(DIR **folder)
{
    if (*folder != NULL)
        (void)closedir(*folder);
}

static bool fail_errno(const Copy *copy, const Entry *entry, const char *what,
                       GError **error)
{
    return rn_set_errno(error, errno, "%s \"%s%s\"", what, copy->path->str,
                        entry->name);
}

/* Only what is in the directory itself; EXDEV: it is on another mount. */
static int open_name(int folder, const char *name, uint64_t flags)
{
    struct open_how how = {
        .flags = O_CLOEXEC | O_NOFOLLOW | flags,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
    };

    return (int)syscall(SYS_openat2, folder, name, &how, sizeof how);
}

/*
 * Owner, then mode, which the change of owner may cut. An owner that is not
 * mapped (EINVAL), or any other in a namespace of one id (EPERM), cannot be.
 */
static bool copy_status(int fd, const struct stat *status)
{
    const struct timespec times[2] = { status->st_mtim, status->st_mtim };

    if (fchown(fd, status->st_uid, status->st_gid) < 0 && errno != EINVAL &&
        errno != EPERM)
        return false;
    return fchmod(fd, status->st_mode & 07777) == 0 && futimens(fd, times) == 0;
}

static bool copy_bytes(Copy *copy, const Entry *entry, int from, int to,
                       GError **error)
{
    g_autofree char *chunk = g_malloc(CHUNK_SIZE);
    ssize_t got = 0;

    while ((got = read(from, chunk, CHUNK_SIZE)) > 0) {
        if ((uint64_t)got > copy->bytes_left)
            return rn_set_error(error, RN_ERROR_LIMIT,
                                "more than %d bytes to copy",
                                RN_COPY_UP_MAX_BYTES);
        copy->bytes_left -= (uint64_t)got;
        if (!rn_fd_write_all(to, chunk, (gsize)got, error)) {
            g_prefix_error(error, "copy \"%s%s\": ", copy->path->str,
                           entry->name);
            return false;
        }
    }
    return got == 0 || fail_errno(copy, entry, "read", error);
}

static bool copy_file(Copy *copy, const Entry *entry, GError **error)
{
    struct stat status = { 0 };
    rn_autofd int to = -1;
    /* non-blocking for what is no regular file any more */
    rn_autofd int from =
        open_name(entry->from, entry->name, O_RDONLY | O_NONBLOCK | O_NOCTTY);

    if (from < 0 && errno == EXDEV)
        return true;
    if (from < 0 || fstat(from, &status) < 0)
        return fail_errno(copy, entry, "open", error);
    if (!S_ISREG(status.st_mode))
        return rn_set_error(error, RN_ERROR_STATE,
                            "\"%s%s\" changed while it was copied",
                            copy->path->str, entry->name);
    to = openat(entry->to, entry->name,
                O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (to < 0)
        return fail_errno(copy, entry, "create", error);
    if (!copy_bytes(copy, entry, from, to, error))
        return false;
    return copy_status(to, &status) ||
           fail_errno(copy, entry, "set the mode of", error);
}

static bool copy_link(Copy *copy, const Entry *entry, GError **error)
{
    char target[PATH_MAX];
    ssize_t length =
        readlinkat(entry->from, entry->name, target, sizeof target - 1);

    if (length < 0)
        return fail_errno(copy, entry, "read the link", error);
    target[length] = '\0';
    if (symlinkat(target, entry->to, entry->name) < 0)
        return fail_errno(copy, entry, "create", error);
    /* as with copy_status(), an owner that cannot be is left out */
    (void)!fchownat(entry->to, entry->name, entry->status.st_uid,
                    entry->status.st_gid, AT_SYMLINK_NOFOLLOW);
    return true;
}

static bool copy_node(Copy *copy, const Entry *entry, GError **error)
{
    mode_t mode = entry->status.st_mode;

    if (S_ISCHR(mode) || S_ISBLK(mode)) {
        rn_log_debug("tmpcopyup: leaves out the device \"%s%s\"",
                     copy->path->str, entry->name);
        return true;
    }
    if (mknodat(entry->to, entry->name, mode, 0) < 0)
        return fail_errno(copy, entry, "create", error);
    (void)!fchownat(entry->to, entry->name, entry->status.st_uid,
                    entry->status.st_gid, AT_SYMLINK_NOFOLLOW);
    return true;
}

static bool copy_folder(Copy *copy, int from, int to, GError **error);

static bool copy_subfolder(Copy *copy, const Entry *entry, GError **error)
{
    gsize length = copy->path->len;
    rn_autofd int to = -1;
    rn_autofd int from =
        open_name(entry->from, entry->name, O_RDONLY | O_DIRECTORY);

    if (from < 0 && errno == EXDEV)
        return true;
    if (from < 0)
        return fail_errno(copy, entry, "open", error);
    if (mkdirat(entry->to, entry->name, 0700) < 0)
        return fail_errno(copy, entry, "create", error);
    to = open_name(entry->to, entry->name, O_RDONLY | O_DIRECTORY);
    if (to < 0)
        return fail_errno(copy, entry, "open", error);
    if (copy->depth == RN_COPY_UP_MAX_DEPTH)
        return rn_set_error(error, RN_ERROR_LIMIT,
                            "directories more than %d deep",
                            RN_COPY_UP_MAX_DEPTH);
    copy->depth++;
    g_string_append_printf(copy->path, "%s/", entry->name);
    if (!copy_folder(copy, from, to, error))
        return false;
    g_string_truncate(copy->path, length);
    copy->depth--;
    return copy_status(to, &entry->status) ||
           fail_errno(copy, entry, "set the mode of", error);
}

static bool copy_entry(Copy *copy, Entry *entry, GError **error)
{
    if (copy->entries_left-- == 0)
        return rn_set_error(error, RN_ERROR_LIMIT, "more than %d files to copy",
                            RN_COPY_UP_MAX_ENTRIES);
    if (fstatat(entry->from, entry->name, &entry->status, AT_SYMLINK_NOFOLLOW) <
        0)
        return fail_errno(copy, entry, "stat", error);
    if (S_ISDIR(entry->status.st_mode))
        return copy_subfolder(copy, entry, error);
    if (S_ISREG(entry->status.st_mode))
        return copy_file(copy, entry, error);
    if (S_ISLNK(entry->status.st_mode))
        return copy_link(copy, entry, error);
    return copy_node(copy, entry, error);
}

static bool copy_folder(Copy *copy, int from, int to, GError **error)
{
    __attribute__((cleanup(close_folder))) DIR *folder = NULL;
    int listed = fcntl(from, F_DUPFD_CLOEXEC, 0);
    struct dirent *item = NULL;

    if (listed >= 0)
        folder = fdopendir(listed);
    if (folder == NULL) {
        rn_fd_close(&listed);
        return rn_set_errno(error, errno, "list \"%s\"", copy->path->str);
    }
    while ((errno = 0, item = readdir(folder)) != NULL) {
        Entry entry = { .from = from, .to = to, .name = item->d_name };

        if (strcmp(entry.name, ".") != 0 && strcmp(entry.name, "..") != 0 &&
            !copy_entry(copy, &entry, error))
            return false;
    }
    return errno == 0 ||
           rn_set_errno(error, errno, "list \"%s\"", copy->path->str);
}

bool rn_copy_up(int from, int to, bool take_owner, GError **error)
{
    g_autoptr(GString) path = g_string_new(NULL);
    Copy copy = {
        .bytes_left = RN_COPY_UP_MAX_BYTES,
        .entries_left = RN_COPY_UP_MAX_ENTRIES,
        .path = path,
    };
    struct stat status = { 0 };
    rn_autofd int from_fd =
        openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    rn_autofd int to_fd = openat(to, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (from_fd < 0 || to_fd < 0)
        return rn_set_errno(error, errno, "open the directories");
    if (fstat(from_fd, &status) < 0)
        return rn_set_errno(error, errno, "stat");
    /* an owner that cannot be is left out, see copy_status() */
    if (take_owner && fchown(to_fd, status.st_uid, status.st_gid) < 0 &&
        errno != EINVAL && errno != EPERM)
        return rn_set_errno(error, errno, "set the owner");
    return copy_folder(&copy, from_fd, to_fd, error);
}
