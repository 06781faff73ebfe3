/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * userns - why a user namespace could not be made
 *
 * The kernel answers most refusals with a bare EPERM. rn_userns_explain()
 * collects what can be read about the system and names the likely cause;
 * rn_userns_judge() is the same on facts that are given.
 */
#ifndef RNET_SYS_USERNS_H
#define RNET_SYS_USERNS_H

#include <stdint.h>

#include <rnet/sys/idmap.h>

/* What user_namespaces(7) and the LSMs make a user namespace depend on. */
typedef struct RnUsernsFacts {
    bool supported;        /* false: /proc/self/ns has no "user" */
    bool privileged;       /* CAP_SYS_ADMIN over the host */
    bool chrooted;         /* no mount is the root directory */
    bool ids_mapped;       /* both effective ids exist in our user namespace */
    bool filtered;         /* a seccomp filter sits on this process */
    const char *exhausted; /* "user.max_..._namespaces" that is 0, or NULL */
    int64_t max_user_namespaces;       /* these three: -1, no such sysctl */
    int64_t unprivileged_userns_clone; /* Debian's and Arch's kernels */
    int64_t apparmor_restriction;      /* apparmor_restrict_unprivileged_... */
} RnUsernsFacts;

/*
 * Called after clone or unshare with CLONE_NEWUSER, alone or among others,
 * failed with errno_value: sets an RN_ERRNO error that names what gates user
 * namespaces here, with a hint that mends it: user.max_user_namespaces and its
 * siblings (ENOSPC), kernel.unprivileged_userns_clone, AppArmor's
 * kernel.apparmor_restrict_unprivileged_userns, a chroot, ids that are not
 * mapped, a seccomp filter of an outer container engine (EPERM, or ENOSYS for
 * clone3), a kernel without CONFIG_USER_NS (EINVAL). Always false.
 *
 * AppArmor may also let the namespace be made but take its capabilities away;
 * then writing the id map fails with EPERM, and this explains that one too.
 */
bool rn_userns_explain(int errno_value, GError **error);

/* rn_idmap_write(), with that as a hint where it is refused. */
bool rn_userns_map(pid_t pid, const GArray *uids, const GArray *gids,
                   GError **error) RN_CHECK;

/* The decision alone; for rn_userns_explain() and the tests. Always false. */
bool rn_userns_judge(int errno_value, const RnUsernsFacts *facts,
                     GError **error);

#endif
