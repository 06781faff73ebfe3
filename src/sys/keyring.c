/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keyring - session keyrings, by system call
 *
 * Runs in init and in the process of an exec, as the container's root. On
 * failure the process keeps the keyring of who started it, with what is in it.
 */
#include "config.h"

#include <rnet/sys/keyring.h>

#include <errno.h>
#include <unistd.h>

#include <linux/keyctl.h>
#include <sys/syscall.h>

#include <rnet/util/log.h>

/*
 * keyctl_setperm(3), libkeyutils' KEY_POS_ALL and KEY_USR_VIEW, READ, SEARCH,
 * LINK: what the kernel gives a new session keyring, and the search besides,
 * as runc has it.
 */
#define PERMISSIONS 0x3f1b0000U

static bool explain(const char *name, int errno_value, GError **error)
{
    (void)rn_set_errno(error, errno_value, "join the session keyring \"%s\"",
                       name);
    if (errno_value == EDQUOT)
        return rn_error_add_hint(
            error, "this user has no more keys; raise the sysctls "
                   "kernel.keys.maxkeys and maxbytes, or use "
                   "--no-new-keyring");
    if (errno_value == EPERM || errno_value == EACCES)
        return rn_error_add_hint(error, "keyctl(2) seems to be forbidden here; "
                                        "use --no-new-keyring");
    return false;
}

bool rn_keyring_join(const char *name, GError **error)
{
    long keyring = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name);

    if (keyring < 0 && errno == ENOSYS) {
        rn_log_debug("the kernel has no keyrings");
        return true;
    }
    if (keyring < 0)
        return explain(name, errno, error);
    /* of somebody else's, who let us join it, the permissions are not ours */
    (void)syscall(SYS_keyctl, KEYCTL_SETPERM, keyring, PERMISSIONS);
    return true;
}
