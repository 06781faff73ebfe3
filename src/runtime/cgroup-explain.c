/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup-explain - why a cgroup or a controller cannot be had, and the remedy
 *
 * Runs in the launcher and in `update`, after a failure: it reads what it
 * needs, and tries once more what failed, to learn the kernel's reason.
 */
#include "config.h"

#include <rnet/runtime/cgroup-make.h>

#include <errno.h>
#include <string.h>

#include <rnet/sys/cgroup-dir.h>

/* what a user's systemd hands down, systemd.resource-control(5) */
#define DELEGATION                                                             \
    "as root, put \"[Service]\", and \"Delegate=cpu cpuset io memory pids\" "  \
    "below it, into /etc/systemd/system/user@.service.d/delegate.conf; then "  \
    "`systemctl daemon-reload`, and log in again"

#define OWN_SCOPE                                                              \
    "let systemd make it (--systemd-cgroup), or start rnet by "                \
    "`systemd-run --user --scope`"

#define UNIFIED                                                                \
    "cgroup v1 is root's alone; with v2 a user can have cgroups: boot with "   \
    "systemd.unified_cgroup_hierarchy=1"

static bool is_permission(const GError *error)
{
    return rn_error_is_errno(error, EACCES) || rn_error_is_errno(error, EPERM);
}

bool rn_cgroup_explain_refusal(const RnCgroupPart *part, GError **error)
{
    if (error == NULL || *error == NULL)
        return false;
    if (rn_error_is_errno(*error, EROFS))
        return rn_error_add_hint(error,
                                 "cgroups are mounted read-only here: "
                                 "mount \"%s\" writable",
                                 part->mount_point);
    if (rn_error_is_errno(*error, EOPNOTSUPP) && part->version == 2)
        return rn_error_add_hint(error,
                                 "\"%s\" is a threaded cgroup; use "
                                 "another path",
                                 part->directory);
    if (!is_permission(*error))
        return false;
    return rn_error_add_hint(error, "%s",
                             part->version == 2 ? OWN_SCOPE : UNIFIED);
}

static bool has_controller(const char *directory, const char *controller)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) names = NULL;

    if (!rn_cgroup_dir_read(directory, "cgroup.controllers", &text, NULL))
        return false;
    names = g_strsplit(text, " ", -1);
    return g_strv_contains((const char *const *)names, controller);
}

/* The cgroup nearest to the root that has the controller and whose child, on
 * the way to the part, does not; NULL: none has it. */
static char *find_end(const RnCgroupPart *part, const char *controller)
{
    g_auto(GStrv) names = g_strsplit(part->path + 1, "/", -1);
    char *found = NULL;
    g_autofree char *directory = g_strdup(part->mount_point);

    for (char **name = names; *name != NULL; name++) {
        char *next = g_build_filename(directory, *name, NULL);

        if (!has_controller(directory, controller)) {
            g_free(next);
            break;
        }
        g_free(found);
        found = directory;
        directory = next;
    }
    return found;
}

static bool explain_end(const char *end, const char *controller, GError **error)
{
    g_autofree char *text = g_strconcat("+", controller, NULL);
    g_autoptr(GError) failure = NULL;

    if (rn_cgroup_dir_write(end, "cgroup.subtree_control", text, &failure))
        return rn_set_error(error, RN_ERROR_UNSUPPORTED,
                            "controller \"%s\" was taken away from below "
                            "\"%s\"",
                            controller, end);
    if (is_permission(failure)) {
        (void)rn_set_error(error, RN_ERROR_UNSUPPORTED,
                           "controller \"%s\" is not delegated to what is "
                           "below \"%s\"",
                           controller, end);
        return rn_error_add_hint(error, "%s", DELEGATION);
    }
    (void)rn_set_error(error, RN_ERROR_UNSUPPORTED,
                       "controller \"%s\" cannot be handed down: %s",
                       controller, failure->message);
    if (rn_error_is_errno(failure, EBUSY))
        return rn_error_add_hint(error,
                                 "\"%s\" has processes of its own: move "
                                 "them into a cgroup below it, or %s",
                                 end, OWN_SCOPE);
    return false;
}

bool rn_cgroup_explain_controller(const RnCgroupPart *part,
                                  const char *controller, GError **error)
{
    g_autofree char *end = find_end(part, controller);

    if (end != NULL)
        return explain_end(end, controller, error);
    return rn_set_error(error, RN_ERROR_UNSUPPORTED,
                        "there is no controller \"%s\" below \"%s\"",
                        controller, part->mount_point);
}
