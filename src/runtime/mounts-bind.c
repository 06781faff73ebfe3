/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mounts-bind - binds: a copy of mounts of the host, then attached
 *
 * Runs in init, and where a source is taken beforehand in the launcher. In: the
 * bundle's source, a path of the host, relative ones begin at the bundle; it
 * may be anything that has a name and is never opened for reading. The flags
 * hold from the first moment, since the copy is set up before it is attached.
 */
#include "config.h"

#include <rnet/runtime/mount-job.h>

#include <errno.h>
#include <fcntl.h>

#include <sys/mount.h>

#include <rnet/sys/mount.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>

/*
 * Flags that the source has from outside the user namespace are locked: they
 * stay although the bundle has "rw" or "exec", which then only mean "as it
 * is".
 */
bool rn_mount_job_set_bind_flags(const RnMountJob *job, int fd, GError **error)
{
    const RnMountOptions *options = &job->options;
    g_autoptr(GError) failure = NULL;

    if (rn_mount_change(fd, options->flags, options->cleared, RN_MOUNT_ONE,
                        &failure))
        return true;
    if (options->cleared != 0 && rn_error_is_errno(failure, EPERM)) {
        rn_log_debug("mount \"%s\": keeps the locked flags of \"%s\"",
                     job->mount->destination, job->mount->source);
        return rn_mount_change(fd, options->flags, 0, RN_MOUNT_ONE, error);
    }
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

static bool check_bind(const RnMountJob *job, GError **error)
{
    const RnMountOptions *options = &job->options;

    if (job->mount->source == NULL || job->mount->source[0] == '\0')
        return rn_set_error(error, RN_ERROR_INVALID, "a bind needs a source");
    if (options->data != NULL)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "\"%s\" is no option of a bind", options->data);
    if ((options->flags & ~(RN_MOUNT_FLAGS | (unsigned long)MS_SILENT)) != 0)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "sync, dirsync, mand, iversion and lazytime are "
                            "not options of a bind");
    return true;
}

static bool open_source(const RnMountJob *job, int *out_fd, GError **error)
{
    g_autofree char *path =
        g_canonicalize_filename(job->mount->source, job->plan->bundle);
    int fd = open(path, O_PATH | O_CLOEXEC);
    int errno_value = errno;

    if (fd >= 0) {
        *out_fd = fd;
        return true;
    }
    (void)rn_set_errno(error, errno_value, "open the source \"%s\"", path);
    if (errno_value == EACCES)
        (void)rn_error_add_hint(error, "the container's root user has to have "
                                       "search permission on the directories "
                                       "that lead to it");
    return false;
}

bool rn_mount_job_clone_source(const RnMountJob *job, int *out_fd,
                               GError **error)
{
    RnMountDepth depth =
        job->options.recursive ? RN_MOUNT_RECURSIVE : RN_MOUNT_ONE;
    rn_autofd int source_fd = -1;
    rn_autofd int tree_fd = -1;

    if (!check_bind(job, error) || !open_source(job, &source_fd, error))
        return false;
    if (!rn_mount_clone(source_fd, "", depth, &tree_fd, error)) {
        if (rn_error_is_errno(*error, EINVAL) && depth == RN_MOUNT_ONE)
            (void)rn_error_add_hint(error,
                                    "the source has mounts below it that a "
                                    "user namespace may not take away: use "
                                    "\"rbind\"");
        return false;
    }
    *out_fd = g_steal_fd(&tree_fd);
    return true;
}

bool rn_mount_job_bind(const RnMountJob *job, GError **error)
{
    rn_autofd int made_fd = -1;
    int tree_fd = job->tree_fd;

    if (tree_fd < 0) {
        if (!rn_mount_job_clone_source(job, &made_fd, error))
            return false;
        tree_fd = made_fd;
    }
    return rn_mount_job_set_bind_flags(job, tree_fd, error) &&
           rn_mount_job_set_below(job, tree_fd, error) &&
           rn_mount_job_place(job, tree_fd, error);
}
