/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mounts - carries out config.json's mounts, one after the other
 *
 * Runs in init, as the container's root, before the change of root. In: the
 * bundle's words, which are checked here. Sources are paths of the host that
 * the bundle names; targets are looked up inside the container's root and
 * cannot leave it. The first failure ends the container, and its mount
 * namespace with it. What the kinds of mounts do is in mounts-*.c.
 */
#include "config.h"

#include <rnet/runtime/mounts.h>

#include <errno.h>
#include <sched.h>

#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <rnet/oci/json.h>
#include <rnet/runtime/mount-job.h>
#include <rnet/runtime/mount-sources.h>
#include <rnet/sys/mount.h>
#include <rnet/util/fd.h>

bool rn_mount_job_is_type(const RnMountJob *job, const char *type)
{
    return g_strcmp0(job->mount->type, type) == 0;
}

bool rn_mount_job_makes(const RnMountJob *job, uint64_t namespace_flag)
{
    return (job->plan->namespaces & namespace_flag) != 0;
}

bool rn_mount_job_owns(const RnMountJob *job, uint64_t namespace_flag)
{
    return rn_mount_job_makes(job, namespace_flag) ||
           rn_plan_joins(job->plan, namespace_flag);
}

bool rn_mount_job_set_propagation(const RnMountJob *job, int fd, GError **error)
{
    return job->options.propagation == 0 ||
           rn_mount_set_propagation(fd, job->options.propagation, error);
}

bool rn_mount_job_set_below(const RnMountJob *job, int fd, GError **error)
{
    return rn_mount_change(fd, job->options.flags_recursive,
                           job->options.cleared_recursive, RN_MOUNT_RECURSIVE,
                           error);
}

/*
 * A copy of the host's mounts follows the host's only if it is asked to, and
 * what is mounted below it reaches the host only if that is "shared". Set while
 * the copy is detached, so that this holds from the first moment.
 */
static bool set_tree_propagation(const RnMountJob *job, int fd, GError **error)
{
    unsigned long wanted = job->options.propagation;

    if ((wanted & MS_SHARED) == 0 &&
        !rn_mount_set_propagation(fd, MS_SLAVE | MS_REC, error))
        return false;
    return rn_mount_set_propagation(
        fd, wanted != 0 ? wanted : MS_PRIVATE | MS_REC, error);
}

bool rn_mount_job_place(const RnMountJob *job, int tree_fd, GError **error)
{
    struct stat status = { 0 };
    rn_autofd int target_fd = -1;

    if (fstat(tree_fd, &status) < 0)
        return rn_set_errno(error, errno, "stat \"%s\"", job->mount->source);
    return set_tree_propagation(job, tree_fd, error) &&
           rn_mount_job_open_target(job,
                                    S_ISDIR(status.st_mode)
                                        ? RN_ROOTPATH_DIRECTORY
                                        : RN_ROOTPATH_FILE,
                                    tree_fd, &target_fd, error) &&
           rn_mount_attach(tree_fd, target_fd, error);
}

static bool apply_remount(const RnMountJob *job, GError **error)
{
    const RnMountOptions *options = &job->options;
    rn_autofd int fd = -1;

    if (!rn_rootpath_open(job->root_fd, job->mount->destination, &fd, error))
        return false;
    if (options->bind) {
        if (!rn_mount_job_set_bind_flags(job, fd, error))
            return false;
    } else if (!rn_mount_new(fd, "remount", NULL, MS_REMOUNT | options->flags,
                             options->data, error)) {
        return false;
    }
    return rn_mount_job_set_below(job, fd, error) &&
           rn_mount_job_set_propagation(job, fd, error);
}

/* ["rshared"] alone, without a type: the propagation of what is there. */
static bool apply_propagation(const RnMountJob *job, GError **error)
{
    rn_autofd int fd = -1;

    return rn_rootpath_open(job->root_fd, job->mount->destination, &fd,
                            error) &&
           rn_mount_job_set_propagation(job, fd, error);
}

static bool is_typeless(const RnMountJob *job)
{
    return job->mount->type == NULL || rn_mount_job_is_type(job, "") ||
           rn_mount_job_is_type(job, "none");
}

static bool is_bind(const RnMountJob *job)
{
    return job->options.bind || rn_mount_job_is_type(job, "bind");
}

static bool check_words(const RnMountJob *job, GError **error)
{
    /* the launcher has made it, mount-sources.c, or nobody has */
    if (rn_mount_is_idmapped(job->mount) && job->tree_fd < 0)
        return rn_set_error(error, RN_ERROR_STATE, "its idmap is missing");
    if (job->options.copy_up &&
        (!rn_mount_job_is_type(job, "tmpfs") || job->options.remount))
        return rn_set_error(error, RN_ERROR_INVALID,
                            "tmpcopyup is an option of tmpfs");
    return true;
}

static bool apply_mount(const RnMountJob *job, GError **error)
{
    if (!check_words(job, error))
        return false;
    if (job->options.remount)
        return apply_remount(job, error);
    if (is_bind(job))
        return rn_mount_job_bind(job, error);
    if (rn_mount_job_is_type(job, "cgroup") ||
        rn_mount_job_is_type(job, "cgroup2"))
        return rn_mount_job_cgroup(job, error);
    if (!is_typeless(job))
        return rn_mount_job_filesystem(job, error);
    if (job->options.propagation != 0)
        return apply_propagation(job, error);
    return rn_set_error(error, RN_ERROR_INVALID,
                        "neither a type nor \"bind\" is given");
}

static bool add_mount(RnMountJob *job, GError **error)
{
    bool done = rn_mount_options_parse((const char *const *)job->mount->options,
                                       &job->options, error) &&
                apply_mount(job, error);

    rn_mount_options_clear(&job->options);
    if (!done) {
        g_autofree char *name = rn_json_quote(job->mount->destination);

        g_prefix_error(error, "mount %s: ", name);
    }
    return done;
}

static bool check_label(const RnPlan *plan, GError **error)
{
    struct statfs status = { 0 };

    if (plan->config->mount_label == NULL ||
        (statfs("/sys/fs/selinux", &status) == 0 &&
         (uint32_t)status.f_type == SELINUX_MAGIC))
        return true;
    return rn_set_error(error, RN_ERROR_UNSUPPORTED,
                        "linux.mountLabel: SELinux is not enabled on this "
                        "host");
}

bool rn_mounts_add(const RnPlan *plan, int root_fd, const GArray *sources,
                   GArray *read_only_later, GError **error)
{
    const GPtrArray *mounts = plan->config->mounts;

    if (!check_label(plan, error))
        return false;
    if (mounts->len > RN_MOUNTS_MAX)
        return rn_set_error(error, RN_ERROR_LIMIT,
                            "%u mounts, more than the %d that are allowed",
                            mounts->len, RN_MOUNTS_MAX);
    for (unsigned i = 0; i < mounts->len; i++) {
        RnMountJob job = {
            .plan = plan,
            .mount = g_ptr_array_index(mounts, i),
            .root_fd = root_fd,
            .tree_fd = sources == NULL ? -1 : g_array_index(sources, int, i),
            .read_only_later = read_only_later,
        };

        if (!add_mount(&job, error))
            return false;
    }
    return true;
}
