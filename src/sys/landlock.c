/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * landlock - no files for rnet's own helpers but a few to read
 *
 * Runs in the relay, before its system call filter. glibc has no wrappers, so
 * these are raw system calls; <linux/landlock.h> of Linux 6.1 lacks the rights
 * that newer kernels know, so their numbers stand here too. On failure nothing
 * is restricted.
 */
#include "config.h"

#include <rnet/sys/confine.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <rnet/util/fd.h>
#include <rnet/util/log.h>

/* landlock(7), "Filesystem flags" and "VERSIONS": the ABI and its new rights */
static const struct {
    long abi;
    uint64_t rights;
} rights_by_abi[] = {
    { 1, (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1 }, /* all bits up to it */
    { 2, UINT64_C(1) << 13 },                      /* REFER */
    { 3, UINT64_C(1) << 14 },                      /* TRUNCATE */
    { 5, UINT64_C(1) << 15 },                      /* IOCTL_DEV */
};

/* All that this kernel can forbid; a right not named here stays allowed. */
static uint64_t find_known_rights(long abi)
{
    uint64_t rights = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(rights_by_abi); i++) {
        if (rights_by_abi[i].abi <= abi)
            rights |= rights_by_abi[i].rights;
    }
    return rights;
}

static bool is_passable(int errno_value)
{
    /* EACCES: on the way to it already, so it could never be read */
    return errno_value == ENOENT || errno_value == ENOTDIR ||
           errno_value == EACCES;
}

static bool allow_reading(int ruleset, const char *path, GError **error)
{
    rn_autofd int fd = open(path, O_PATH | O_CLOEXEC);
    struct landlock_path_beneath_attr rule = {
        .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE,
        .parent_fd = fd,
    };
    struct stat status = { 0 };

    if (fd < 0 && is_passable(errno))
        return true;
    if (fd < 0 || fstat(fd, &status) < 0)
        return rn_set_errno(error, errno, "open \"%s\" for a Landlock rule",
                            path);
    if (S_ISDIR(status.st_mode)) /* for a file the kernel takes no such right */
        rule.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
    if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH,
                &rule, 0) < 0)
        return rn_set_errno(error, errno, "add a Landlock rule for \"%s\"",
                            path);
    return true;
}

static bool restrict_to(long abi, const char *const *readable, GError **error)
{
    const struct landlock_ruleset_attr handled = {
        .handled_access_fs = find_known_rights(abi),
    };
    rn_autofd int ruleset =
        (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0);

    if (ruleset < 0)
        return rn_set_errno(error, errno, "make a Landlock ruleset");
    for (const char *const *path = readable; *path != NULL; path++) {
        if (!allow_reading(ruleset, *path, error))
            return false;
    }
    if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
        return rn_set_errno(error, errno, "apply the Landlock rules");
    return true;
}

bool rn_landlock_read_only(const char *const *readable, bool *out_active,
                           GError **error)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
                       LANDLOCK_CREATE_RULESET_VERSION);

    /* not built in, or not among the LSMs that were started */
    if (abi < 0 && (errno == ENOSYS || errno == EOPNOTSUPP)) {
        rn_log_debug("landlock: not on this kernel");
        *out_active = false;
        return true;
    }
    if (abi < 0)
        return rn_set_errno(error, errno, "ask for Landlock's version");
    if (!restrict_to(abi, readable, error))
        return false;
    *out_active = true;
    return true;
}
