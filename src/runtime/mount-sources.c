/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mount-sources - idmapped, hidden and shared sources of binds
 *
 * The first half runs in the launcher, with its rights over the host's file
 * systems, the second in init. A mapping that the bundle gives for one mount is
 * carried by a user namespace that exists for no other purpose: a child that
 * does nothing is cloned into it and ended when the namespace's fd is open.
 */
#include "config.h"

#include <rnet/runtime/mount-sources.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include <linux/capability.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <rnet/oci/json.h>
#include <rnet/runtime/mount-job.h>
#include <rnet/sys/caps.h>
#include <rnet/sys/mount.h>
#include <rnet/sys/process.h>
#include <rnet/sys/userns.h>
#include <rnet/util/fd.h>
#include <rnet/util/msg.h>
#include <rnet/util/protocol.h>

static void close_element(gpointer fd)
{
    rn_fd_close(fd);
}

GArray *rn_mount_sources_new(const RnPlan *plan)
{
    GArray *sources = g_array_new(FALSE, FALSE, sizeof(int));
    int none = -1;

    g_array_set_clear_func(sources, close_element);
    for (unsigned i = 0; i < plan->config->mounts->len; i++)
        g_array_append_val(sources, none);
    return sources;
}

static const RnMount *mount_at(const RnPlan *plan, unsigned index)
{
    return g_ptr_array_index(plan->config->mounts, index);
}

static bool has_own_mappings(const RnMount *mount)
{
    return mount->uid_mappings != NULL &&
           (mount->uid_mappings->len > 0 || mount->gid_mappings->len > 0);
}

bool rn_mount_is_idmapped(const RnMount *mount)
{
    return has_own_mappings(mount) ||
           g_strv_contains((const char *const *)mount->options, "idmap") ||
           g_strv_contains((const char *const *)mount->options, "ridmap");
}

static bool open_userns(pid_t pid, int *out_fd, GError **error)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/ns/user", pid);

    *out_fd = open(path, O_RDONLY | O_CLOEXEC);
    return *out_fd >= 0 || rn_set_errno(error, errno, "open \"%s\"", path);
}

/* Waits for the end of its socket's peer and does nothing else. */
G_NORETURN static void holder_main(int socket)
{
    char nothing = 0;

    rn_fd_close_all_but(&socket, 1);
    (void)!read(socket, &nothing, sizeof nothing);
    _exit(0);
}

/* A user namespace with these maps, kept by its fd alone. */
static bool make_userns(const RnMount *mount, int *out_fd, GError **error)
{
    int pair[2] = { -1, -1 };
    rn_autofd int pidfd = -1;
    pid_t pid = 0;
    bool made = false;

    if (!rn_msg_pair(pair, error))
        return false;
    if (!rn_clone(CLONE_NEWUSER, &pid, &pidfd, error)) {
        rn_fd_close(&pair[0]);
        rn_fd_close(&pair[1]);
        return false;
    }
    if (pid == 0)
        holder_main(pair[1]);
    rn_fd_close(&pair[1]);
    made =
        rn_idmap_write(pid, mount->uid_mappings, mount->gid_mappings, error) &&
        open_userns(pid, out_fd, error);
    rn_process_end(pid, &pidfd);
    rn_fd_close(&pair[0]);
    return made;
}

static bool find_mapping(const RnPlan *plan, const RnMount *mount, pid_t pid,
                         int *out_fd, GError **error)
{
    if (has_own_mappings(mount)) {
        if (mount->uid_mappings->len == 0 || mount->gid_mappings->len == 0)
            return rn_set_error(error, RN_ERROR_INVALID,
                                "uidMappings and gidMappings need each other");
        return make_userns(mount, out_fd, error);
    }
    if (plan->has_userns)
        return open_userns(pid, out_fd, error);
    (void)rn_set_error(error, RN_ERROR_INVALID,
                       "an idmap of a container without a user namespace of "
                       "its own");
    return rn_error_add_hint(error, "give the mount uidMappings and "
                                    "gidMappings");
}

/* EPERM is open_tree(2)'s already for a caller without CAP_SYS_ADMIN. */
static void explain(GError **error)
{
    if (rn_error_is_errno(*error, EPERM))
        (void)rn_error_add_hint(error, "an idmapped mount takes root's rights "
                                       "over the file system of its source; "
                                       "leave idmap out, or run as root");
    else if (rn_error_is_errno(*error, EINVAL))
        (void)rn_error_add_hint(error, "the file system of the source, or one "
                                       "below it (ridmap), may not support "
                                       "idmapped mounts on this kernel");
}

static bool is_bind(const RnMountJob *job)
{
    return !job->options.remount &&
           (job->options.bind || rn_mount_job_is_type(job, "bind"));
}

static bool check_kind(const RnMountJob *job, GError **error)
{
    return is_bind(job) || rn_set_error(error, RN_ERROR_UNSUPPORTED,
                                        "only a bind can have an idmap");
}

static bool make_idmapped(const RnPlan *plan, const RnMount *mount, pid_t pid,
                          int *out_fd, GError **error)
{
    RnMountJob job = { .plan = plan, .mount = mount, .tree_fd = -1 };
    rn_autofd int userns_fd = -1;
    rn_autofd int tree_fd = -1;
    bool done =
        rn_mount_options_parse((const char *const *)mount->options,
                               &job.options, error) &&
        check_kind(&job, error) &&
        find_mapping(plan, mount, pid, &userns_fd, error) &&
        rn_mount_job_clone_source(&job, &tree_fd, error) &&
        rn_mount_set_idmap(tree_fd, userns_fd,
                           job.options.idmap_recursive ? RN_MOUNT_RECURSIVE
                                                       : RN_MOUNT_ONE,
                           error);

    rn_mount_options_clear(&job.options);
    if (done)
        *out_fd = g_steal_fd(&tree_fd);
    else
        explain(error);
    return done;
}

/* Whoever the container's root is on the host, it finds the way. */
static bool is_open_to_all(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    struct stat status = { 0 };

    while (stat(folder, &status) == 0 && (status.st_mode & S_IXOTH) != 0) {
        char *parent = NULL;

        if (strcmp(folder, "/") == 0)
            return true;
        parent = g_path_get_dirname(folder);
        g_free(folder);
        folder = parent;
    }
    return false;
}

/*
 * Only what init may not reach is taken for it: the mounts below such a source
 * are not locked in place as those that init copies are,
 * mount_namespaces(7).
 */
static bool is_hidden(const RnMountJob *job)
{
    g_autofree char *path = NULL;

    if (!job->plan->has_userns || !is_bind(job) || job->mount->source == NULL ||
        (rn_caps_effective() & RN_CAP_BIT(CAP_SYS_ADMIN)) == 0)
        return false;
    path = g_canonicalize_filename(job->mount->source, job->plan->bundle);
    return !is_open_to_all(path);
}

/* *out_fd stays -1 for all that is left to init. */
static bool make_source(const RnPlan *plan, const RnMount *mount, pid_t pid,
                        int *out_fd, GError **error)
{
    RnMountJob job = { .plan = plan, .mount = mount, .tree_fd = -1 };
    bool done = true;

    if (rn_mount_is_idmapped(mount))
        return make_idmapped(plan, mount, pid, out_fd, error);
    /* words that are wrong are told when it is the mount's turn */
    if (rn_mount_options_parse((const char *const *)mount->options,
                               &job.options, NULL) &&
        is_hidden(&job))
        done = rn_mount_job_clone_source(&job, out_fd, error);
    rn_mount_options_clear(&job.options);
    return done;
}

/* Those of the next mounts from *index on, up to what a message takes. */
static bool make_batch(const RnPlan *plan, pid_t pid, unsigned *index,
                       RnSources *batch, GArray *fds, GError **error)
{
    const GPtrArray *mounts = plan->config->mounts;

    for (; *index < mounts->len && fds->len < RN_SOURCES_MAX; ++*index) {
        const RnMount *mount = mount_at(plan, *index);
        int fd = -1;

        if (!make_source(plan, mount, pid, &fd, error)) {
            g_autofree char *name = rn_json_quote(mount->destination);

            g_prefix_error(error, "mount %s: ", name);
            return false;
        }
        if (fd < 0)
            continue;
        batch->indexes[fds->len] = *index;
        g_array_append_val(fds, fd);
    }
    batch->count = fds->len;
    return true;
}

bool rn_mount_sources_send(const RnPlan *plan, pid_t pid, int socket,
                           GError **error)
{
    unsigned index = 0;
    bool is_last = false;

    while (!is_last) {
        g_autoptr(GArray) fds = g_array_new(FALSE, FALSE, sizeof(int));
        RnSources batch = { 0 };

        g_array_set_clear_func(fds, close_element);
        if (!make_batch(plan, pid, &index, &batch, fds, error))
            return false;
        is_last = fds->len < RN_SOURCES_MAX;
        batch.is_last = is_last ? 1 : 0;
        if (!rn_msg_send(socket, RN_MSG_SOURCES, &batch, sizeof batch,
                         (int *)fds->data, fds->len, error))
            return false;
    }
    return true;
}

static bool take_batch(RnMsg *msg, const RnSources *batch, GArray *sources)
{
    if (batch->count > RN_SOURCES_MAX || msg->n_fds != batch->count)
        return false;
    for (unsigned i = 0; i < batch->count; i++) {
        unsigned index = batch->indexes[i];

        if (index >= sources->len || g_array_index(sources, int, index) >= 0)
            return false;
        g_array_index(sources, int, index) = rn_msg_steal_fd(msg, i);
    }
    return true;
}

bool rn_mount_sources_receive(const RnPlan *plan, int socket, GArray *sources,
                              GError **error)
{
    RnSources batch = { 0 };

    (void)plan;
    while (batch.is_last == 0) {
        g_auto(RnMsg) msg = { 0 };

        if (!rn_msg_recv(socket, &msg, error))
            return false;
        if (msg.type == RN_MSG_FAILED)
            return rn_msg_take_error(&msg, error);
        if (msg.type != RN_MSG_SOURCES || msg.length != sizeof batch)
            return rn_set_error(error, RN_ERROR_PROTOCOL,
                                "message %u in place of the mounts' sources",
                                msg.type);
        memcpy(&batch, msg.payload, sizeof batch);
        if (!take_batch(&msg, &batch, sources))
            return rn_set_error(error, RN_ERROR_PROTOCOL,
                                "malformed sources of mounts");
    }
    return true;
}

static bool take_shared(const RnPlan *plan, unsigned index, int *out_fd,
                        GError **error)
{
    RnMountJob job = {
        .plan = plan,
        .mount = mount_at(plan, index),
        .tree_fd = -1,
    };
    bool done = true;

    /* words that are wrong are told when it is the mount's turn */
    if (rn_mount_options_parse((const char *const *)job.mount->options,
                               &job.options, NULL) &&
        (job.options.propagation & MS_SHARED) != 0 && is_bind(&job))
        done = rn_mount_job_clone_source(&job, out_fd, error);
    rn_mount_options_clear(&job.options);
    if (!done) {
        g_autofree char *name = rn_json_quote(job.mount->destination);

        g_prefix_error(error, "mount %s: ", name);
    }
    return done;
}

bool rn_mount_sources_take_shared(const RnPlan *plan, GArray *sources,
                                  GError **error)
{
    for (unsigned i = 0; i < sources->len; i++) {
        int *fd = &g_array_index(sources, int, i);

        if (*fd < 0 && !take_shared(plan, i, fd, error))
            return false;
    }
    return true;
}
