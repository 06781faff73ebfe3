/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lsm - AppArmor profiles and SELinux labels for the next exec
 *
 * apparmor(7), selinux(8): what their libraries write to /proc/PID/attr.
 */
#ifndef RNET_SYS_LSM_H
#define RNET_SYS_LSM_H

#include <rnet/util/error.h>

/* What the next exec shall be under; NULL: as the caller. Borrowed. */
typedef struct RnLsmLabels {
    const char *apparmor; /* a profile that is loaded */
    const char *selinux;  /* a label */
} RnLsmLabels;

/*
 * RN_ERROR_UNSUPPORTED where the kernel has not the module that a label is
 * for; "unconfined" asks for nothing there. Looks at the host's /sys.
 */
bool rn_lsm_check(const RnLsmLabels *labels, GError **error) RN_CHECK;

/*
 * Sets them for the calling thread. `proc_fd` is the folder of the host's
 * procfs, which a container cannot have put something else in place of. The
 * kernel wants no change of ids or capabilities between the opening and the
 * writing of these files, so this opens them itself.
 */
bool rn_lsm_set_exec(int proc_fd, const RnLsmLabels *labels,
                     GError **error) RN_CHECK;

/*
 * The SELinux label of keyrings that this thread makes from now on, "" for the
 * usual one. Without a label to set there is nothing to do.
 */
bool rn_lsm_set_keycreate(int proc_fd, const char *label,
                          GError **error) RN_CHECK;

#endif
