/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * userns - why a user namespace could not be made
 *
 * Runs in the launcher, once, after a clone failed. Reads /proc only; what is
 * not readable counts as "no such gate", so that the worst answer is the bare
 * errno and never a wrong cause.
 */
#include "config.h"

#include <rnet/sys/userns.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <sys/capability.h>

#include <rnet/sys/caps.h>
#include <rnet/sys/idmap.h>
#include <rnet/util/fd.h>
#include <rnet/util/parse.h>

enum {
    SYSCTL_MAX = 64,           /* bytes of a number in /proc/sys */
    STATUS_MAX = 64 * 1024,    /* bytes of /proc/self/status */
    MOUNTINFO_MAX = 4 << 20,   /* bytes; a busy host has thousands of mounts */
    MAX_NAMESPACE_DEPTH = 32,  /* user_namespaces(7), "Nested namespaces" */
    MOUNTINFO_MOUNT_POINT = 4, /* proc_pid_mountinfo(5), field (5) */
};

static const char what[] = "create a user namespace";

typedef struct Cause {
    int errno_values[3]; /* the answers it explains, 0-terminated */
    bool (*applies)(const RnUsernsFacts *facts);
    const char *text;
    const char *hint;
} Cause;

static bool is_unsupported(const RnUsernsFacts *facts)
{
    return !facts->supported;
}

static bool is_closed_by_sysctl(const RnUsernsFacts *facts)
{
    return facts->unprivileged_userns_clone == 0 && !facts->privileged;
}

static bool is_closed_by_apparmor(const RnUsernsFacts *facts)
{
    return facts->apparmor_restriction > 0 && !facts->privileged;
}

static bool is_chrooted(const RnUsernsFacts *facts)
{
    return facts->chrooted;
}

static bool is_unmapped(const RnUsernsFacts *facts)
{
    return !facts->ids_mapped;
}

static bool is_filtered(const RnUsernsFacts *facts)
{
    return facts->filtered;
}

static bool is_any(const RnUsernsFacts *facts)
{
    (void)facts;
    return true;
}

/* The first that applies is named: what is certain stands before a guess. */
static const Cause causes[] = {
    { { EINVAL, ENOSYS },
      is_unsupported,
      "the kernel is built without user namespaces",
      "boot a kernel with CONFIG_USER_NS=y" },
    { { EPERM },
      is_closed_by_sysctl,
      "kernel.unprivileged_userns_clone is 0",
      "as root: sysctl -w kernel.unprivileged_userns_clone=1" },
    { { EPERM, EACCES },
      is_closed_by_apparmor,
      "AppArmor restricts it "
      "(kernel.apparmor_restrict_unprivileged_userns is not 0)",
      "give rnet an AppArmor profile with the rule \"userns,\", or as root: "
      "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0" },
    { { EPERM },
      is_chrooted,
      "this process is in a chroot, where the kernel allows none",
      "run it outside of the chroot" },
    { { EPERM },
      is_unmapped,
      "the user or group id of this process is not mapped in its own user "
      "namespace",
      "run it as a user that the outer container's id map has" },
    { { EPERM, ENOSYS },
      is_filtered,
      "a seccomp filter refuses it, such as that of an outer container engine",
      "start the outer container with --security-opt seccomp=unconfined, or "
      "with a profile that allows clone3 and unshare with CLONE_NEWUSER" },
    { { ENOSYS },
      is_any,
      "the kernel has no clone3",
      "boot Linux 5.3 or newer" },
};

static bool explains(const Cause *cause, int errno_value,
                     const RnUsernsFacts *facts)
{
    for (gsize i = 0; i < G_N_ELEMENTS(cause->errno_values); i++) {
        if (cause->errno_values[i] != 0 &&
            cause->errno_values[i] == errno_value)
            return cause->applies(facts);
    }
    return false;
}

/* ENOSPC: a limit of this user namespace or of one around it. */
static bool judge_limit(const RnUsernsFacts *facts, GError **error)
{
    if (facts->exhausted != NULL) {
        (void)rn_set_errno(error, ENOSPC, "%s: %s is 0", what,
                           facts->exhausted);
        return rn_error_add_hint(error, "as root: sysctl -w %s=10000",
                                 facts->exhausted);
    }
    (void)rn_set_errno(error, ENOSPC,
                       "%s: the limit of %" G_GINT64_FORMAT
                       " (user.max_user_namespaces) is reached, or one around "
                       "it, or they are nested %d deep",
                       what, facts->max_user_namespaces, MAX_NAMESPACE_DEPTH);
    return rn_error_add_hint(error, "end other containers, or raise "
                                    "user.max_user_namespaces as root");
}

bool rn_userns_judge(int errno_value, const RnUsernsFacts *facts,
                     GError **error)
{
    if (errno_value == ENOSPC)
        return judge_limit(facts, error);
    for (gsize i = 0; i < G_N_ELEMENTS(causes); i++) {
        if (!explains(&causes[i], errno_value, facts))
            continue;
        (void)rn_set_errno(error, errno_value, "%s: %s", what, causes[i].text);
        return rn_error_add_hint(error, "%s", causes[i].hint);
    }
    return rn_set_errno(error, errno_value, "%s", what);
}

/* The number in a file of /proc/sys; -1 where there is none. */
static int64_t read_sysctl(const char *path)
{
    g_autofree char *text = NULL;
    uint64_t value = 0;

    if (!rn_file_read(AT_FDCWD, path, SYSCTL_MAX, &text, NULL, NULL) ||
        !rn_parse_uint(g_strchomp(text), 0, INT64_MAX, "sysctl", &value, NULL))
        return -1;
    return (int64_t)value;
}

/* A namespace limit that is 0: clone makes several kinds in one call. */
static const char *find_exhausted(void)
{
    static const struct {
        const char *name;
        const char *path;
    } limits[] = {
        { "user.max_user_namespaces", "/proc/sys/user/max_user_namespaces" },
        { "user.max_net_namespaces", "/proc/sys/user/max_net_namespaces" },
        { "user.max_mnt_namespaces", "/proc/sys/user/max_mnt_namespaces" },
        { "user.max_pid_namespaces", "/proc/sys/user/max_pid_namespaces" },
        { "user.max_ipc_namespaces", "/proc/sys/user/max_ipc_namespaces" },
        { "user.max_uts_namespaces", "/proc/sys/user/max_uts_namespaces" },
        { "user.max_cgroup_namespaces",
          "/proc/sys/user/max_cgroup_namespaces" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(limits); i++) {
        if (read_sysctl(limits[i].path) == 0)
            return limits[i].name;
    }
    return NULL;
}

/* proc_pid_status(5): "Seccomp: 2" is a filter. */
static bool is_under_filter(void)
{
    g_autofree char *text = NULL;

    return rn_file_read(AT_FDCWD, "/proc/self/status", STATUS_MAX, &text, NULL,
                        NULL) &&
           strstr(text, "\nSeccomp:\t2\n") != NULL;
}

static bool is_root_mount(const char *line)
{
    g_auto(GStrv) fields = g_strsplit(line, " ", MOUNTINFO_MOUNT_POINT + 2);

    return g_strv_length(fields) > MOUNTINFO_MOUNT_POINT &&
           strcmp(fields[MOUNTINFO_MOUNT_POINT], "/") == 0;
}

/*
 * mountinfo lists what lies below our root directory; in a chroot to a plain
 * directory no mount is "/". A chroot to a mount point is not seen.
 */
static bool is_in_chroot(void)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;

    if (!rn_file_read(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &text,
                      NULL, NULL))
        return false;
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        if (is_root_mount(*line))
            return false;
    }
    return true;
}

/* Without a readable map the ids count as mapped: no cause is invented. */
static bool has_mapped_id(RnIdKind kind, uint32_t id)
{
    g_autoptr(GArray) map = NULL;
    uint32_t host_id = 0;

    return !rn_idmap_read_own(kind, &map, NULL) ||
           rn_idmap_to_host(map, id, &host_id);
}

/* Capabilities count for the sysctls only over the host's user namespace. */
static bool is_host_admin(void)
{
    g_autoptr(GArray) map = NULL;
    const RnIdMapping *first = NULL;

    if ((rn_caps_effective() & RN_CAP_BIT(CAP_SYS_ADMIN)) == 0 ||
        !rn_idmap_read_own(RN_ID_USER, &map, NULL) || map->len != 1)
        return false;
    first = &g_array_index(map, RnIdMapping, 0);
    return first->container_id == 0 && first->host_id == 0 &&
           first->size == UINT32_MAX;
}

/* Only a mounted /proc can show that the kernel has none. */
static bool is_supported(void)
{
    return access("/proc/self/ns/user", F_OK) == 0 ||
           access("/proc/self/ns", F_OK) < 0;
}

bool rn_userns_explain(int errno_value, GError **error)
{
    const RnUsernsFacts facts = {
        .supported = is_supported(),
        .privileged = is_host_admin(),
        .chrooted = is_in_chroot(),
        .ids_mapped = has_mapped_id(RN_ID_USER, geteuid()) &&
                      has_mapped_id(RN_ID_GROUP, getegid()),
        .filtered = is_under_filter(),
        .exhausted = find_exhausted(),
        .max_user_namespaces =
            read_sysctl("/proc/sys/user/max_user_namespaces"),
        .unprivileged_userns_clone =
            read_sysctl("/proc/sys/kernel/unprivileged_userns_clone"),
        .apparmor_restriction = read_sysctl(
            "/proc/sys/kernel/apparmor_restrict_unprivileged_userns"),
    };

    return rn_userns_judge(errno_value, &facts, error);
}

bool rn_userns_map(pid_t pid, const GArray *uids, const GArray *gids,
                   GError **error)
{
    g_autoptr(GError) failure = NULL;

    if (rn_idmap_write(pid, uids, gids, &failure))
        return true;
    /* AppArmor may let the namespace be made and then refuse its maps */
    if (rn_error_is_errno(failure, EPERM)) {
        g_autoptr(GError) cause = NULL;
        g_autofree char *remedy = NULL;
        g_autofree char *text = NULL;

        (void)rn_userns_explain(EPERM, &cause);
        text = rn_error_split(cause, &remedy);
        if (remedy != NULL)
            rn_error_add_hint(&failure, "it may be that %s: %s", text, remedy);
    }
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}
