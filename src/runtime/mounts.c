/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mounts - carries out config.json's mounts
 *
 * Runs in init, as the container's root, before the change of root. In: the
 * bundle's words, which are checked here. Sources are paths of the host that
 * the bundle names; targets are looked up inside the container's root and
 * cannot leave it. The first failure ends the container, and its mount
 * namespace with it.
 */
#include "config.h"

#include <rnet/runtime/mounts.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <rnet/sys/mount-options.h>
#include <rnet/sys/mount.h>
#include <rnet/sys/rootpath.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>

static const char cgroup_root[] = "/sys/fs/cgroup";

typedef struct Job {
    const RnPlan *plan;
    const RnMount *mount;
    RnMountOptions options;
    int root_fd;
    GArray *read_only_later;
} Job;

/* What stands in for a file system that may not be mounted here. */
typedef struct Substitute {
    const char *type;
    const char *source;  /* of the host */
    uint64_t namespaces; /* with one of these it must not be needed */
    unsigned long flags; /* for it and all below */
} Substitute;

static const Substitute substitutes[] = {
    { "proc", "/proc", CLONE_NEWPID, 0 },
    { "sysfs", "/sys", 0, MS_RDONLY },
    { "mqueue", "/dev/mqueue", CLONE_NEWIPC, 0 },
    { "cgroup", cgroup_root, 0, MS_RDONLY },
    { "cgroup2", cgroup_root, 0, MS_RDONLY },
};

static bool is_type(const Job *job, const char *type)
{
    return g_strcmp0(job->mount->type, type) == 0;
}

static bool is_cgroup(const Job *job)
{
    return is_type(job, "cgroup") || is_type(job, "cgroup2");
}

static bool open_target(const Job *job, RnRootpathKind kind, int *out_fd,
                        GError **error)
{
    return rn_rootpath_make(job->root_fd, job->mount->destination, kind, out_fd,
                            error);
}

static bool set_propagation(const Job *job, int fd, GError **error)
{
    return job->options.propagation == 0 ||
           rn_mount_set_propagation(fd, job->options.propagation, error);
}

/* A copy of the host's mounts follows what the host does if it is asked to. */
static bool set_tree_propagation(const Job *job, int fd, GError **error)
{
    return rn_mount_set_propagation(fd,
                                    job->options.propagation != 0
                                        ? job->options.propagation
                                        : MS_PRIVATE | MS_REC,
                                    error);
}

static bool set_flags_below(const Job *job, int fd, GError **error)
{
    return rn_mount_change(fd, job->options.flags_recursive,
                           job->options.cleared_recursive, RN_MOUNT_RECURSIVE,
                           error);
}

/*
 * Flags that the source has from outside the user namespace are locked: they
 * stay although the bundle has "rw" or "exec", which then only mean "as it
 * is".
 */
static bool set_bind_flags(const Job *job, int fd, GError **error)
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

/* Attaches a detached mount of a directory or file at the destination. */
static bool place_tree(const Job *job, int tree_fd, GError **error)
{
    struct stat status = { 0 };
    rn_autofd int target_fd = -1;

    if (fstat(tree_fd, &status) < 0)
        return rn_set_errno(error, errno, "stat \"%s\"", job->mount->source);
    return open_target(job,
                       S_ISDIR(status.st_mode) ? RN_ROOTPATH_DIRECTORY
                                               : RN_ROOTPATH_FILE,
                       &target_fd, error) &&
           rn_mount_attach(tree_fd, target_fd, error) &&
           set_tree_propagation(job, tree_fd, error);
}

static bool check_bind(const Job *job, GError **error)
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

static bool apply_bind(const Job *job, GError **error)
{
    const char *source = job->mount->source;
    RnMountDepth depth =
        job->options.recursive ? RN_MOUNT_RECURSIVE : RN_MOUNT_ONE;
    g_autofree char *path = NULL;
    rn_autofd int source_fd = -1;
    rn_autofd int tree_fd = -1;

    if (!check_bind(job, error))
        return false;
    path = g_canonicalize_filename(source, job->plan->bundle);
    source_fd = open(path, O_PATH | O_CLOEXEC);
    if (source_fd < 0)
        return rn_set_errno(error, errno, "open the source \"%s\"", path);
    if (!rn_mount_clone(source_fd, "", depth, &tree_fd, error)) {
        if (rn_error_is_errno(*error, EINVAL) && depth == RN_MOUNT_ONE)
            (void)rn_error_add_hint(error,
                                    "the source has mounts below it that a "
                                    "user namespace may not take away: use "
                                    "\"rbind\"");
        return false;
    }
    return set_bind_flags(job, tree_fd, error) &&
           set_flags_below(job, tree_fd, error) &&
           place_tree(job, tree_fd, error);
}

static const Substitute *find_substitute(const Job *job)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(substitutes); i++) {
        const Substitute *substitute = &substitutes[i];

        if (is_type(job, substitute->type) &&
            (job->plan->namespaces & substitute->namespaces) == 0)
            return substitute;
    }
    return NULL;
}

static bool apply_substitute(const Job *job, const Substitute *substitute,
                             GError **error)
{
    const unsigned long safe =
        MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOSYMFOLLOW;
    rn_autofd int tree_fd = -1;

    rn_log_debug("mount \"%s\": the host's \"%s\" in place of a new %s",
                 job->mount->destination, substitute->source, job->mount->type);
    if (!rn_mount_clone(AT_FDCWD, substitute->source, RN_MOUNT_RECURSIVE,
                        &tree_fd, error)) {
        g_prefix_error(error, "use the host's \"%s\": ", substitute->source);
        return false;
    }
    /* the bundle's atime words are for a mount of its own */
    return rn_mount_change(tree_fd, substitute->flags, 0, RN_MOUNT_RECURSIVE,
                           error) &&
           rn_mount_change(tree_fd, job->options.flags & safe, 0, RN_MOUNT_ONE,
                           error) &&
           set_flags_below(job, tree_fd, error) &&
           place_tree(job, tree_fd, error);
}

/*
 * devpts takes gid= only if it is mapped; bundles have gid=5 (tty) as a
 * matter of course, and a one-id container cannot have it.
 */
static char *adjust_data(const Job *job)
{
    g_auto(GStrv) words = NULL;
    g_autoptr(GPtrArray) kept = g_ptr_array_new();

    if (!is_type(job, "devpts") || job->options.data == NULL ||
        (job->plan->namespaces & CLONE_NEWUSER) == 0)
        return g_strdup(job->options.data);
    words = g_strsplit(job->options.data, ",", -1);
    for (char **word = words; *word != NULL; word++) {
        uint32_t host_id = 0;
        guint64 gid = 0;

        if (g_str_has_prefix(*word, "gid=") &&
            g_ascii_string_to_unsigned(*word + 4, 10, 0, UINT32_MAX, &gid,
                                       NULL) &&
            !rn_idmap_to_host(job->plan->gid_mappings, (uint32_t)gid,
                              &host_id)) {
            rn_log_debug("mount \"%s\": leaves out %s, which is not mapped",
                         job->mount->destination, *word);
            continue;
        }
        g_ptr_array_add(kept, *word);
    }
    g_ptr_array_add(kept, NULL);
    return g_strjoinv(",", (char **)kept->pdata);
}

/* True if a cgroup2 of its own can be had for the destination. */
static bool has_unified_cgroups(const Job *job)
{
    struct statfs status = { 0 };

    return (job->plan->namespaces & CLONE_NEWCGROUP) != 0 &&
           statfs(cgroup_root, &status) == 0 &&
           status.f_type == CGROUP2_SUPER_MAGIC;
}

/* What is left when the new mount is at its place. */
static bool finish_filesystem(const Job *job, GError **error)
{
    rn_autofd int fd = -1;

    if (!rn_rootpath_open(job->root_fd, job->mount->destination, &fd, error))
        return false;
    if (!rn_mount_is_root(fd))
        return rn_set_error(error, RN_ERROR_STATE,
                            "the path was changed while it was mounted on");
    if (!set_flags_below(job, fd, error) || !set_propagation(job, fd, error))
        return false;
    if (is_type(job, "tmpfs") && (job->options.flags & MS_RDONLY) != 0) {
        g_array_append_val(job->read_only_later, fd);
        fd = -1;
    }
    return true;
}

static bool has_mode(const char *data)
{
    return data != NULL &&
           (g_str_has_prefix(data, "mode=") || strstr(data, ",mode=") != NULL);
}

/*
 * A tmpfs has the mode of the directory that it covers, as with runc. The
 * kernel's own choice, 1777, would make nodes in /dev useless to the shell's
 * ">": the kernel refuses O_CREAT on another's file in such a directory.
 */
static bool take_mode(const Job *job, int target_fd, char **data,
                      GError **error)
{
    struct stat status = { 0 };
    char *with_mode = NULL;

    if (!is_type(job, "tmpfs") || has_mode(*data))
        return true;
    if (fstat(target_fd, &status) < 0)
        return rn_set_errno(error, errno, "stat");
    with_mode =
        g_strdup_printf("mode=%o%s%s", status.st_mode & 07777,
                        *data != NULL ? "," : "", *data != NULL ? *data : "");
    g_free(*data);
    *data = with_mode;
    return true;
}

static bool mount_filesystem(const Job *job, GError **error)
{
    const RnMount *mount = job->mount;
    const char *type = is_cgroup(job) ? "cgroup2" : mount->type;
    const char *source = mount->source != NULL ? mount->source : type;
    unsigned long flags = job->options.flags;
    g_autofree char *data = adjust_data(job);
    rn_autofd int target_fd = -1;

    if (is_type(job, "tmpfs"))
        flags &= ~(unsigned long)MS_RDONLY;
    return open_target(job, RN_ROOTPATH_DIRECTORY, &target_fd, error) &&
           take_mode(job, target_fd, &data, error) &&
           rn_mount_new(target_fd, type, source, flags, data, error) &&
           finish_filesystem(job, error);
}

static bool apply_filesystem(const Job *job, GError **error)
{
    const Substitute *substitute = find_substitute(job);
    g_autoptr(GError) failure = NULL;

    if (is_cgroup(job) && !has_unified_cgroups(job))
        return apply_substitute(job, substitute, error);
    if (mount_filesystem(job, &failure))
        return true;
    if (substitute != NULL && (rn_error_is_errno(failure, EPERM) ||
                               rn_error_is_errno(failure, EBUSY)))
        return apply_substitute(job, substitute, error);
    if (is_type(job, "proc") && rn_error_is_errno(failure, EPERM))
        (void)rn_error_add_hint(
            &failure, "a container around rnet hides parts of /proc; it has "
                      "to leave them visible (podman: --security-opt "
                      "unmask=ALL, docker: --security-opt "
                      "systempaths=unconfined)");
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

static bool apply_remount(const Job *job, GError **error)
{
    const RnMountOptions *options = &job->options;
    rn_autofd int fd = -1;

    if (!rn_rootpath_open(job->root_fd, job->mount->destination, &fd, error))
        return false;
    if (options->bind) {
        if (!set_bind_flags(job, fd, error))
            return false;
    } else if (!rn_mount_new(fd, "remount", NULL, MS_REMOUNT | options->flags,
                             options->data, error)) {
        return false;
    }
    return set_flags_below(job, fd, error) && set_propagation(job, fd, error);
}

/* ["rshared"] alone, without a type: the propagation of what is there. */
static bool apply_propagation(const Job *job, GError **error)
{
    rn_autofd int fd = -1;

    return rn_rootpath_open(job->root_fd, job->mount->destination, &fd,
                            error) &&
           set_propagation(job, fd, error);
}

static bool apply_mount(const Job *job, GError **error)
{
    const char *type = job->mount->type;
    bool typeless = type == NULL || type[0] == '\0' || is_type(job, "none");

    if (job->options.remount)
        return apply_remount(job, error);
    if (job->options.bind || is_type(job, "bind"))
        return apply_bind(job, error);
    if (!typeless)
        return apply_filesystem(job, error);
    if (job->options.propagation != 0)
        return apply_propagation(job, error);
    return rn_set_error(error, RN_ERROR_INVALID,
                        "neither a type nor \"bind\" is given");
}

static bool add_mount(const RnPlan *plan, const RnMount *mount, int root_fd,
                      GArray *read_only_later, GError **error)
{
    Job job = {
        .plan = plan,
        .mount = mount,
        .root_fd = root_fd,
        .read_only_later = read_only_later,
    };
    bool done = rn_mount_options_parse((const char *const *)mount->options,
                                       &job.options, error) &&
                apply_mount(&job, error);

    rn_mount_options_clear(&job.options);
    if (!done)
        g_prefix_error(error, "mount \"%s\": ", mount->destination);
    return done;
}

bool rn_mounts_add(const RnPlan *plan, int root_fd, GArray *read_only_later,
                   GError **error)
{
    const GPtrArray *mounts = plan->config->mounts;

    if (mounts->len > RN_MOUNTS_MAX)
        return rn_set_error(error, RN_ERROR_LIMIT,
                            "%u mounts, more than the %d that are allowed",
                            mounts->len, RN_MOUNTS_MAX);
    for (unsigned i = 0; i < mounts->len; i++) {
        if (!add_mount(plan, g_ptr_array_index(mounts, i), root_fd,
                       read_only_later, error))
            return false;
    }
    return true;
}
