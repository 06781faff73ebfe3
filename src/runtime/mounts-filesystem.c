/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mounts-filesystem - new file systems: proc, sysfs, tmpfs, devpts, mqueue, any
 *
 * Runs in init. What the kernel does not let a user namespace mount is replaced
 * by the host's, as other runtimes do, where the container has not asked for a
 * namespace of its own that the host's would show another one of.
 */
#include "config.h"

#include <rnet/runtime/mount-job.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>

#include <sys/mount.h>
#include <sys/stat.h>

#include <rnet/runtime/copy-up.h>
#include <rnet/sys/mount.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>

/* What stands in for a file system that may not be mounted here. */
typedef struct Substitute {
    const char *type;
    const char *source;      /* of the host */
    uint64_t namespace_flag; /* with a new one it must not be needed */
    unsigned long flags;     /* for it and all below */
} Substitute;

static const Substitute substitutes[] = {
    { "proc", "/proc", CLONE_NEWPID, 0 },
    { "sysfs", "/sys", 0, MS_RDONLY },
    { "mqueue", "/dev/mqueue", CLONE_NEWIPC, 0 },
};

/* Where an SELinux context is set by other means, or never. */
static const char *const unlabelled[] = {
    "proc", "sysfs", "mqueue", "cgroup", "cgroup2",
};

static const Substitute *find_substitute(const RnMountJob *job)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(substitutes); i++) {
        const Substitute *substitute = &substitutes[i];

        if (rn_mount_job_is_type(job, substitute->type) &&
            !rn_mount_job_makes(job, substitute->namespace_flag))
            return substitute;
    }
    return NULL;
}

bool rn_mount_job_substitute(const RnMountJob *job, const char *source,
                             unsigned long flags, GError **error)
{
    const unsigned long safe =
        MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOSYMFOLLOW;
    rn_autofd int tree_fd = -1;

    rn_log_debug("mount \"%s\": the host's \"%s\" in place of a new %s",
                 job->mount->destination, source, job->mount->type);
    if (!rn_mount_clone(AT_FDCWD, source, RN_MOUNT_RECURSIVE, &tree_fd,
                        error)) {
        g_prefix_error(error, "use the host's \"%s\": ", source);
        return false;
    }
    /* the bundle's atime words are for a mount of its own */
    return rn_mount_change(tree_fd, flags, 0, RN_MOUNT_RECURSIVE, error) &&
           rn_mount_change(tree_fd, job->options.flags & safe, 0, RN_MOUNT_ONE,
                           error) &&
           rn_mount_job_set_below(job, tree_fd, error) &&
           rn_mount_job_place(job, tree_fd, error);
}

static bool is_unmapped_gid(const RnMountJob *job, const char *word)
{
    uint32_t host_id = 0;
    guint64 gid = 0;

    return g_str_has_prefix(word, "gid=") &&
           g_ascii_string_to_unsigned(word + 4, 10, 0, UINT32_MAX, &gid,
                                      NULL) &&
           !rn_idmap_to_host(job->plan->gid_mappings, (uint32_t)gid, &host_id);
}

/*
 * devpts takes gid= only if it is mapped; bundles have gid=5 (tty) as a
 * matter of course, and a one-id container cannot have it.
 */
static char *adjust_data(const RnMountJob *job)
{
    g_auto(GStrv) words = NULL;
    g_autoptr(GPtrArray) kept = g_ptr_array_new();

    if (!rn_mount_job_is_type(job, "devpts") || job->options.data == NULL ||
        !rn_mount_job_makes(job, CLONE_NEWUSER))
        return g_strdup(job->options.data);
    words = g_strsplit(job->options.data, ",", -1);
    for (char **word = words; *word != NULL; word++) {
        if (is_unmapped_gid(job, *word))
            rn_log_debug("mount \"%s\": leaves out %s, which is not mapped",
                         job->mount->destination, *word);
        else
            g_ptr_array_add(kept, *word);
    }
    g_ptr_array_add(kept, NULL);
    return g_strjoinv(",", (char **)kept->pdata);
}

static bool has_word(const char *data, const char *start)
{
    g_autofree char *later = g_strconcat(",", start, NULL);

    return data != NULL &&
           (g_str_has_prefix(data, start) || strstr(data, later) != NULL);
}

static void add_word(char **data, char *word)
{
    char *joined = *data == NULL || (*data)[0] == '\0'
                       ? g_strdup(word)
                       : g_strconcat(word, ",", *data, NULL);

    g_free(word);
    g_free(*data);
    *data = joined;
}

/*
 * Whether the kernel's choice, 1777, is a tmpfs's mode: where there was no
 * directory for it, as with runc and crun (`docker run --tmpfs` relies on it).
 * Not for /dev: the kernel refuses O_CREAT, and so the shell's ">", on another's
 * file in such a directory.
 */
static bool is_mode_the_kernels(const RnMountJob *job)
{
    g_autoptr(GError) failure = NULL;
    rn_autofd int fd = -1;

    return strcmp(job->mount->destination, "/dev") != 0 &&
           !rn_rootpath_open(job->root_fd, job->mount->destination, &fd,
                             &failure) &&
           rn_error_is_errno(failure, ENOENT);
}

/* Else a tmpfs has the mode of the directory that it covers. */
static bool take_mode(int target_fd, char **data, GError **error)
{
    struct stat status = { 0 };

    if (fstat(target_fd, &status) < 0)
        return rn_set_errno(error, errno, "stat");
    add_word(data, g_strdup_printf("mode=%o", status.st_mode & 07777));
    return true;
}

/* The label has commas: quotes keep them from parting it. */
static bool take_label(const RnMountJob *job, char **data, GError **error)
{
    const char *label = job->plan->config->mount_label;

    if (label == NULL)
        return true;
    for (unsigned i = 0; i < G_N_ELEMENTS(unlabelled); i++) {
        if (rn_mount_job_is_type(job, unlabelled[i]))
            return true;
    }
    if (strchr(label, '"') != NULL)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "linux.mountLabel: has a double quote");
    add_word(data, g_strdup_printf("context=\"%s\"", label));
    return true;
}

/* target_fd is the directory beneath the new mount, fd the mount's root. */
static bool copy_up(const RnMountJob *job, int target_fd, int fd,
                    GError **error)
{
    bool keeps_owner = has_word(job->options.data, "uid=") ||
                       has_word(job->options.data, "gid=");

    if (!job->options.copy_up)
        return true;
    if (rn_copy_up(target_fd, fd, !keeps_owner, error))
        return true;
    g_prefix_error(error, "tmpcopyup: ");
    return false;
}

/* What is left when the new mount is at its place. */
static bool finish(const RnMountJob *job, int target_fd, GError **error)
{
    rn_autofd int fd = -1;

    if (!rn_mount_job_open_mounted(job, &fd, error) ||
        !copy_up(job, target_fd, fd, error) ||
        !rn_mount_job_set_below(job, fd, error) ||
        !rn_mount_job_set_propagation(job, fd, error))
        return false;
    if (rn_mount_job_is_type(job, "tmpfs") &&
        (job->options.flags & MS_RDONLY) != 0) {
        g_array_append_val(job->read_only_later, fd);
        fd = -1;
    }
    return true;
}

bool rn_mount_job_new(const RnMountJob *job, const char *type, GError **error)
{
    const char *source = job->mount->source;
    unsigned long flags = job->options.flags;
    g_autofree char *data = adjust_data(job);
    bool takes_mode = rn_mount_job_is_type(job, "tmpfs") &&
                      !has_word(data, "mode=") && !is_mode_the_kernels(job);
    rn_autofd int target_fd = -1;

    if (rn_mount_job_is_type(job, "tmpfs"))
        flags &= ~(unsigned long)MS_RDONLY;
    return rn_mount_job_open_target(job, RN_ROOTPATH_DIRECTORY, -1, &target_fd,
                                    error) &&
           (!takes_mode || take_mode(target_fd, &data, error)) &&
           take_label(job, &data, error) &&
           rn_mount_new(target_fd, type, source != NULL ? source : type, flags,
                        data, error) &&
           finish(job, target_fd, error);
}

bool rn_mount_job_filesystem(const RnMountJob *job, GError **error)
{
    const Substitute *substitute = find_substitute(job);
    g_autoptr(GError) failure = NULL;

    if (rn_mount_job_new(job, job->mount->type, &failure))
        return true;
    if (substitute != NULL && (rn_error_is_errno(failure, EPERM) ||
                               rn_error_is_errno(failure, EBUSY)))
        return rn_mount_job_substitute(job, substitute->source,
                                       substitute->flags, error);
    if (rn_mount_job_is_type(job, "proc") && rn_error_is_errno(failure, EPERM))
        (void)rn_error_add_hint(
            &failure, "a container around rnet hides parts of /proc; it has "
                      "to leave them visible (podman: --security-opt "
                      "unmask=ALL, docker: --security-opt "
                      "systempaths=unconfined)");
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}
