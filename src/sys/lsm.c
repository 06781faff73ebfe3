/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lsm - AppArmor profiles and SELinux labels, without their libraries
 *
 * Runs in init and in the process of an exec. Labels are the bundle's; the
 * kernel checks them, a profile that is not loaded at the write, and what the
 * policy forbids at the exec.
 */
#include "config.h"

#include <rnet/sys/lsm.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <rnet/util/fd.h>

static const char unconfined[] = "unconfined";

static bool has_apparmor(void)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;

    if (rn_file_read(AT_FDCWD, "/sys/module/apparmor/parameters/enabled", 16,
                     &text, NULL, &error))
        return text[0] == 'Y';
    /* some kernels keep the answer to root; then there is one */
    return rn_error_is_errno(error, EACCES);
}

/* The kernel makes the folder when SELinux is on, mounted or not. */
static bool has_selinux(void)
{
    return access("/sys/fs/selinux", F_OK) == 0;
}

bool rn_lsm_check(const RnLsmLabels *labels, GError **error)
{
    if (labels->apparmor != NULL && strcmp(labels->apparmor, unconfined) != 0 &&
        !has_apparmor()) {
        (void)rn_set_error(error, RN_ERROR_UNSUPPORTED,
                           "process.apparmorProfile: \"%s\" cannot be applied: "
                           "AppArmor is not enabled",
                           labels->apparmor);
        return rn_error_add_hint(error, "leave the profile out, or boot with "
                                        "AppArmor (/sys/kernel/security/lsm)");
    }
    if (labels->selinux != NULL && !has_selinux()) {
        (void)rn_set_error(error, RN_ERROR_UNSUPPORTED,
                           "process.selinuxLabel: \"%s\" cannot be applied: "
                           "SELinux is not enabled",
                           labels->selinux);
        return rn_error_add_hint(error, "leave the label out, or boot with "
                                        "SELinux (/sys/kernel/security/lsm)");
    }
    return true;
}

/* AppArmor has had a folder of its own since Linux 5.8. */
static bool set_apparmor(int proc_fd, const char *profile, GError **error)
{
    g_autofree char *text = g_strconcat("exec ", profile, NULL);
    g_autoptr(GError) failure = NULL;
    bool has_folder =
        faccessat(proc_fd, "thread-self/attr/apparmor", F_OK, 0) == 0;
    const char *path =
        has_folder ? "thread-self/attr/apparmor/exec" : "thread-self/attr/exec";

    if (rn_file_write(proc_fd, path, text, &failure))
        return true;
    /* no AppArmor: nobody to refuse it, and the host's /sys is out of reach */
    if (strcmp(profile, unconfined) == 0 && rn_error_is_errno(failure, EINVAL))
        return true;
    if (rn_error_is_errno(failure, ENOENT))
        (void)rn_error_add_hint(&failure, "the profile is not loaded; see "
                                          "apparmor_parser(8)");
    g_propagate_prefixed_error(
        error, g_steal_pointer(&failure),
        "process.apparmorProfile: apply \"%s\": ", profile);
    return false;
}

static bool set_selinux(int proc_fd, const char *label, GError **error)
{
    if (rn_file_write(proc_fd, "thread-self/attr/exec", label, error))
        return true;
    g_prefix_error(error, "process.selinuxLabel: apply \"%s\": ", label);
    return false;
}

bool rn_lsm_set_exec(int proc_fd, const RnLsmLabels *labels, GError **error)
{
    return (labels->apparmor == NULL ||
            set_apparmor(proc_fd, labels->apparmor, error)) &&
           (labels->selinux == NULL ||
            set_selinux(proc_fd, labels->selinux, error));
}

bool rn_lsm_set_keycreate(int proc_fd, const char *label, GError **error)
{
    if (rn_file_write(proc_fd, "thread-self/attr/keycreate", label, error))
        return true;
    g_prefix_error(error,
                   "process.selinuxLabel: label keyrings \"%s\": ", label);
    return false;
}
