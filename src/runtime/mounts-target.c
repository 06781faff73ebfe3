/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mounts-target - where in the container's root may be mounted on
 *
 * Runs in init. The image's files are hostile, and so may be a process of the
 * same user that changes them meanwhile. A mount over a part of /proc could
 * make rnet itself write its labels and parameters into another file
 * (CVE-2019-16884, CVE-2023-27561, CVE-2025-52881): only files that tools like
 * lxcfs replace may be covered, and /proc itself only by a proc.
 */
#include "config.h"

#include <rnet/runtime/mount-job.h>
#include <rnet/runtime/mounts.h>

#include <errno.h>
#include <string.h>

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <rnet/sys/mount.h>
#include <rnet/util/fd.h>

/* Show what the machine has or does; nothing is ever written to them. */
static const char *const proc_files[] = {
    "/proc/cpuinfo",
    "/proc/diskstats",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/net/dev",
    "/proc/slabinfo",
    "/proc/stat",
    "/proc/swaps",
    "/proc/sys/crypto/fips_enabled",
    "/proc/sys/kernel/ns_last_pid",
    "/proc/uptime",
};

typedef struct PlainType {
    const char *type;
    long magic; /* statfs(2), f_type */
} PlainType;

/* May not be mounted on or behind a symbolic link (CVE-2019-19921): what other
 * mounts and rnet have at these paths must be what they take it for. */
static const PlainType plain_types[] = {
    { "proc", PROC_SUPER_MAGIC },
    { "sysfs", SYSFS_MAGIC },
};

static const PlainType *find_plain_type(const RnMountJob *job)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(plain_types); i++) {
        if (rn_mount_job_is_type(job, plain_types[i].type))
            return &plain_types[i];
    }
    return NULL;
}

static bool is_on(int fd, long magic)
{
    struct statfs status = { 0 };

    return fstatfs(fd, &status) == 0 && status.f_type == magic;
}

static bool open_plain(const RnMountJob *job, int *out_fd, GError **error)
{
    g_autoptr(GError) failure = NULL;

    if (rn_rootpath_open_plain(job->root_fd, job->mount->destination, out_fd,
                               &failure))
        return true;
    if (!rn_error_is_errno(failure, ELOOP)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    return rn_set_error(error, RN_ERROR_INVALID,
                        "is or lies behind a symbolic link, which a %s must "
                        "not",
                        job->mount->type);
}

/* Made as any other; what counts is what is found without links then. */
static bool make_plain(const RnMountJob *job, int *out_fd, GError **error)
{
    struct stat status = { 0 };
    rn_autofd int made_fd = -1;
    rn_autofd int fd = -1;

    if (!rn_rootpath_make(job->root_fd, job->mount->destination,
                          RN_ROOTPATH_DIRECTORY, &made_fd, error) ||
        !open_plain(job, &fd, error))
        return false;
    if (fstat(fd, &status) < 0)
        return rn_set_errno(error, errno, "stat");
    if (!S_ISDIR(status.st_mode))
        return rn_set_error(error, RN_ERROR_INVALID, "is not a directory");
    *out_fd = g_steal_fd(&fd);
    return true;
}

static bool is_replaceable(const char *path)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(proc_files); i++) {
        if (strcmp(proc_files[i], path) == 0)
            return true;
    }
    return false;
}

static bool check_target(const RnMountJob *job, int fd, int tree_fd,
                         GError **error)
{
    g_autofree char *path = NULL;
    bool is_proc = tree_fd >= 0 ? is_on(tree_fd, PROC_SUPER_MAGIC)
                                : rn_mount_job_is_type(job, "proc");

    if (!rn_rootpath_locate(job->root_fd, fd, &path, error))
        return false;
    if (strcmp(path, "/proc") == 0)
        return is_proc || rn_set_error(error, RN_ERROR_INVALID,
                                       "only a proc can be mounted there");
    if (!is_on(fd, PROC_SUPER_MAGIC) || is_replaceable(path) ||
        rn_mount_is_root(fd))
        return true;
    return rn_set_error(error, RN_ERROR_INVALID,
                        "\"%s\" is a part of /proc that must not be covered",
                        path);
}

bool rn_mount_job_open_target(const RnMountJob *job, RnRootpathKind kind,
                              int tree_fd, int *out_fd, GError **error)
{
    bool is_plain = find_plain_type(job) != NULL;
    rn_autofd int fd = -1;

    if (is_plain ? !make_plain(job, &fd, error)
                 : !rn_rootpath_make(job->root_fd, job->mount->destination,
                                     kind, &fd, error))
        return false;
    if (!check_target(job, fd, tree_fd, error))
        return false;
    *out_fd = g_steal_fd(&fd);
    return true;
}

bool rn_mounts_check_cover(int fd, GError **error)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(plain_types); i++) {
        if (is_on(fd, plain_types[i].magic))
            return rn_set_error(error, RN_ERROR_INVALID,
                                "a link of the image leads into a %s",
                                plain_types[i].type);
    }
    return true;
}

bool rn_mount_job_open_mounted(const RnMountJob *job, int *out_fd,
                               GError **error)
{
    const PlainType *plain = find_plain_type(job);
    rn_autofd int fd = -1;

    if (plain != NULL ? !open_plain(job, &fd, error)
                      : !rn_rootpath_open(job->root_fd, job->mount->destination,
                                          &fd, error))
        return false;
    if (!rn_mount_is_root(fd) || (plain != NULL && !is_on(fd, plain->magic)))
        return rn_set_error(error, RN_ERROR_STATE,
                            "the path was changed while it was mounted on");
    *out_fd = g_steal_fd(&fd);
    return true;
}
