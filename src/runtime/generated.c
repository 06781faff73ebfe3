/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * generated - files that the plan has texts for, as mounts of single files
 *
 * Runs in init, as the container's root, before the change of root. Makes a
 * tmpfs, writes the files, and takes a detached mount of each: these keep it
 * alive, and are all that the container can reach of it.
 */
#include "config.h"

#include <rnet/runtime/generated.h>

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <sys/mount.h>
#include <sys/stat.h>

#include <rnet/runtime/mounts.h>
#include <rnet/sys/mount.h>
#include <rnet/sys/rootpath.h>
#include <rnet/util/fd.h>

typedef struct File {
    const char *path; /* in the container */
    const char *name; /* in the tmpfs */
    gsize text;       /* offset of the text in RnPlan */
    const char *end;  /* what follows the text in the file */
} File;

static const File files[] = {
    { "/etc/resolv.conf", "resolv.conf", offsetof(RnPlan, resolv_conf), "" },
    { "/etc/hosts", "hosts", offsetof(RnPlan, hosts), "" },
    { "/etc/hostname", "hostname", offsetof(RnPlan, etc_hostname), "\n" },
};
G_STATIC_ASSERT(G_N_ELEMENTS(files) == RN_GENERATED_N);

void rn_generated_init(RnGenerated *generated)
{
    for (unsigned i = 0; i < RN_GENERATED_N; i++)
        generated->fds[i] = -1;
}

void rn_generated_clear(RnGenerated *generated)
{
    for (unsigned i = 0; i < RN_GENERATED_N; i++)
        rn_fd_close(&generated->fds[i]);
}

static const char *text_of(const RnPlan *plan, const File *file)
{
    return G_STRUCT_MEMBER(char *, plan, file->text);
}

static bool is_mounted_by_bundle(const RnPlan *plan, const char *path)
{
    const GPtrArray *mounts = plan->config->mounts;

    for (unsigned i = 0; i < mounts->len; i++) {
        const RnMount *mount = g_ptr_array_index(mounts, i);
        g_autofree char *target =
            g_canonicalize_filename(mount->destination, "/");

        if (strcmp(target, path) == 0)
            return true;
    }
    return false;
}

static bool is_wanted(const RnPlan *plan, const File *file)
{
    return text_of(plan, file) != NULL &&
           !is_mounted_by_bundle(plan, file->path);
}

static bool write_file(int folder_fd, const File *file, const char *text,
                       int *out_fd, GError **error)
{
    rn_autofd int fd = openat(folder_fd, file->name,
                              O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

    if (fd < 0)
        return rn_set_errno(error, errno, "create");
    return rn_fd_write_all(fd, text, strlen(text), error) &&
           rn_fd_write_all(fd, file->end, strlen(file->end), error) &&
           rn_mount_clone(folder_fd, file->name, RN_MOUNT_ONE, out_fd, error);
}

static bool write_files(const RnPlan *plan, int folder_fd,
                        RnGenerated *generated, GError **error)
{
    for (unsigned i = 0; i < RN_GENERATED_N; i++) {
        if (!is_wanted(plan, &files[i]))
            continue;
        if (!write_file(folder_fd, &files[i], text_of(plan, &files[i]),
                        &generated->fds[i], error)) {
            g_prefix_error(error, "\"%s\": ", files[i].path);
            return false;
        }
    }
    return true;
}

static bool wants_any(const RnPlan *plan)
{
    for (unsigned i = 0; i < RN_GENERATED_N; i++) {
        if (is_wanted(plan, &files[i]))
            return true;
    }
    return false;
}

/* "/" or the same by another name. */
static bool is_root(int fd)
{
    struct stat one = { 0 };
    struct stat root = { 0 };

    return fstat(fd, &one) < 0 || stat("/", &root) < 0 ||
           (one.st_dev == root.st_dev && one.st_ino == root.st_ino);
}

/*
 * The tmpfs has to be attached, since only then can its files be cloned. It goes
 * with the old root: an unmount of its own would make the kernel wait for a
 * grace period once more. Not where it lies on the old root itself: it would be
 * what is unmounted in that one's place.
 */
bool rn_generated_make(const RnPlan *plan, int scratch_fd,
                       RnGenerated *generated, GError **error)
{
    rn_autofd int folder_fd = -1;

    if (!wants_any(plan))
        return true;
    return rn_mount_make_tmpfs("4m", MS_NOSUID | MS_NODEV | MS_NOEXEC,
                               &folder_fd, error) &&
           rn_mount_attach(folder_fd, scratch_fd, error) &&
           write_files(plan, folder_fd, generated, error) &&
           ((!plan->manner.no_pivot && !is_root(scratch_fd)) ||
            rn_mount_detach(folder_fd, error));
}

static bool is_refusal(const GError *failure)
{
    return rn_error_is_errno(failure, EROFS) ||
           rn_error_is_errno(failure, EACCES) ||
           rn_error_is_errno(failure, EPERM);
}

static bool place_file(const File *file, int tree_fd, int root_fd,
                       GPtrArray *left_out, GError **error)
{
    g_autoptr(GError) failure = NULL;
    rn_autofd int target_fd = -1;

    if (!rn_rootpath_make(root_fd, file->path, RN_ROOTPATH_FILE, &target_fd,
                          &failure)) {
        if (is_refusal(failure)) {
            g_ptr_array_add(left_out, g_strdup(failure->message));
            return true;
        }
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    if (rn_mounts_check_cover(target_fd, error) &&
        rn_mount_attach(tree_fd, target_fd, error))
        return true;
    g_prefix_error(error, "\"%s\": ", file->path);
    return false;
}

bool rn_generated_place(const RnGenerated *generated, int root_fd,
                        GPtrArray *left_out, GError **error)
{
    for (unsigned i = 0; i < RN_GENERATED_N; i++) {
        if (generated->fds[i] >= 0 &&
            !place_file(&files[i], generated->fds[i], root_fd, left_out, error))
            return false;
    }
    return true;
}
