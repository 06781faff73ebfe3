/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hook-resolv - writes resolv.conf where nobody else does
 *
 * Runs in `rnet hook`, before the container's root is entered. The root file
 * system may be hostile: it is looked at through rootpath.h alone. What is
 * written stays in it when the container ends.
 */
#include "config.h"

#include <rnet/dialect/hook-resolv.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <sys/stat.h>

#include <rnet/oci/config.h>
#include <rnet/oci/json-read.h>
#include <rnet/runtime/plan-files.h>
#include <rnet/sys/rootpath.h>
#include <rnet/util/fd.h>

#define TARGET "/etc/resolv.conf"

enum {
    HOST_TEXT_MAX = 64 * 1024 /* bytes of the host's own */
};

/* What config.json tells. */
typedef struct Layout {
    char *root;
    bool is_mounted; /* resolv.conf, or what it is in */
} Layout;

static void clear_layout(Layout *layout)
{
    g_free(layout->root);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Layout, clear_layout)

static bool read_destination(const RnJsonAt *at, void *target, GError **error)
{
    g_autofree char *path = NULL;
    g_autofree char *plain = NULL;
    Layout *layout = target;

    if (!rn_json_read_string(at, &path, error))
        return false;
    /* GLib keeps two slashes at the beginning */
    plain = g_canonicalize_filename(path + strspn(path, "/"), "/");
    layout->is_mounted = layout->is_mounted || g_str_equal(plain, TARGET) ||
                         g_str_equal(plain, "/etc");
    return true;
}

static bool read_mount(const RnJsonAt *at, void *target, GError **error)
{
    static const RnJsonField field = { "destination", read_destination, 0,
                                       RN_JSON_REQUIRED };

    return rn_json_read_members(at, &field, 1, target, error);
}

static bool read_mounts(const RnJsonAt *at, void *target, GError **error)
{
    return rn_json_read_elements(at, read_mount, target, error);
}

static bool read_root(const RnJsonAt *at, void *target, GError **error)
{
    static const RnJsonField field = { "path", rn_json_read_string,
                                       G_STRUCT_OFFSET(Layout, root),
                                       RN_JSON_REQUIRED };

    return rn_json_read_members(at, &field, 1, target, error);
}

static bool read_config(const RnJsonAt *at, void *target, GError **error)
{
    static const RnJsonField fields[] = {
        { "root", read_root, 0, RN_JSON_REQUIRED },
        { "mounts", read_mounts, 0, RN_JSON_OPTIONAL },
    };

    return rn_json_read_members(at, fields, G_N_ELEMENTS(fields), target,
                                error);
}

/* Writes `text` to the file of an O_PATH fd if it is a plain, empty one. */
static bool fill(int path_fd, const char *text, GError **error)
{
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", path_fd);
    struct stat status = { 0 };
    rn_autofd int fd = -1;

    if (fstat(path_fd, &status) < 0)
        return rn_set_errno(error, errno, "look at \"" TARGET "\"");
    if (!S_ISREG(status.st_mode) || status.st_size != 0)
        return true;
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return rn_set_errno(error, errno, "open \"" TARGET "\"");
    return rn_fd_write_all(fd, text, strlen(text), error);
}

static bool write_below(const char *root, const char *text, GError **error)
{
    rn_autofd int root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    rn_autofd int fd = -1;

    if (root_fd < 0)
        return rn_set_errno(error, errno, "open \"%s\"", root);
    return rn_rootpath_make(root_fd, TARGET, RN_ROOTPATH_FILE, &fd, error) &&
           fill(fd, text, error);
}

bool rn_hook_write_resolv(const char *bundle, const RnNetworkWish *wish,
                          GError **error)
{
    g_auto(Layout) layout = { 0 };
    g_autofree char *root = NULL;
    g_autofree char *host_text = NULL;
    g_autofree char *text = NULL;

    if (!wish->options.write_resolv_conf)
        return true;
    if (!rn_config_look(bundle, read_config, &layout, error))
        return false;
    if (layout.is_mounted)
        return true;
    root = g_canonicalize_filename(layout.root, bundle);
    /* for its search domains, if there are any */
    if (!rn_file_read(AT_FDCWD, TARGET, HOST_TEXT_MAX, &host_text, NULL, NULL))
        host_text = g_strdup("");
    text = rn_plan_resolv_conf(&wish->plan, &wish->options, host_text);
    return write_below(root, text, error);
}
