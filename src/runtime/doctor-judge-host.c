/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor-judge-host - verdicts on the kernel, ids, limits and directories
 *
 * Runs in `rnet doctor`. Pure, see doctor-judge.c.
 */
#include "config.h"

#include <rnet/runtime/doctor-judge.h>

#include <stdio.h>
#include <string.h>

enum {
    KERNEL_MAJOR = 5, /* rnet(1), REQUIREMENTS */
    KERNEL_MINOR = 12,
    FEW_NAMESPACES = 32, /* a container has one of each, with a packet link
                             two of the network */
    MANY_NAMESPACES = 10000,
    USUAL_IDS = 65535U,    /* beside the user's own: nobody is 65534 */
    FEW_FILES = 4096,      /* a connection through rnet takes 2 to 6 */
    MANY_FILES = 524288,   /* systemd's default hard limit */
    FEW_MOUNTS = 1000,     /* a container with its masks has some 50 */
    USUAL_MOUNTS = 100000, /* the kernel's default */
    RUNTIME_DIR_MODE = 0700,
};

void rn_judge_kernel(const RnDoctorFacts *facts, RnDoctorCheck *check)
{
    unsigned major = 0;
    unsigned minor = 0;

    if (facts->release == NULL ||
        sscanf(facts->release, "%u.%u", &major, &minor) != 2) {
        rn_check_set(check, RN_DOCTOR_DEGRADED, "of an unknown version");
        return;
    }
    rn_check_set(check, RN_DOCTOR_FINE, "Linux %s", facts->release);
    if (major > KERNEL_MAJOR ||
        (major == KERNEL_MAJOR && minor >= KERNEL_MINOR))
        return;
    rn_check_set(check, RN_DOCTOR_MISSING, "Linux %s is too old",
                 facts->release);
    rn_check_mend(check, "containers may not start", RN_WHO_ROOT,
                  "boot Linux %d.%d or newer", KERNEL_MAJOR, KERNEL_MINOR);
}

/* Told because the other verdicts are about it: what it costs, they say. */
void rn_judge_container(const RnDoctorFacts *facts, RnDoctorCheck *check)
{
    g_autoptr(GString) text = g_string_new(NULL);

    if (facts->container != NULL)
        g_string_append_printf(text, "this is a container (%s); ",
                               facts->container);
    if (facts->in_userns)
        g_string_append_printf(
            text, "in a user namespace (uids: %" G_GUINT64_FORMAT "); ",
            facts->own_ids[RN_ID_USER]);
    if (facts->filtered)
        g_string_append(text, "under a seccomp filter; ");
    if (text->len == 0)
        g_string_append(text, "none seen; ");
    g_string_truncate(text, text->len - 2);
    rn_check_set(check, RN_DOCTOR_FINE, "%s", text->str);
}

/* The path in double quotes, as apparmor.d(5) takes it. */
static void add_profile(const RnDoctorFacts *facts, RnDoctorCheck *check)
{
    g_autofree char *path = g_strescape(
        facts->executable != NULL ? facts->executable : "/usr/bin/rnet", NULL);

    rn_check_mend(check, "no container for ordinary users", RN_WHO_ROOT,
                  "cat >/etc/apparmor.d/rnet <<'END'\n"
                  "abi <abi/4.0>,\n"
                  "include <tunables/global>\n"
                  "profile rnet \"%s\" flags=(unconfined) {\n"
                  "  userns,\n"
                  "}\n"
                  "END\n"
                  "apparmor_parser -r /etc/apparmor.d/rnet",
                  path);
}

void rn_judge_apparmor(const RnDoctorFacts *facts, RnDoctorCheck *check)
{
    const RnTrialResult *userns = &facts->trials[RN_TRIAL_USER_NAMESPACE];
    const char *name = rn_doctor_sysctl_name(RN_SYSCTL_APPARMOR_USERNS);

    if (facts->sysctls[RN_SYSCTL_APPARMOR_USERNS] <= 0) {
        rn_check_set(check, RN_DOCTOR_FINE,
                     "does not restrict user namespaces");
        return;
    }
    rn_check_set(check, RN_DOCTOR_FINE,
                 "%s is on, but does not keep this program from making them",
                 name);
    if (userns->outcome == RN_TRIAL_WORKS || facts->privileged)
        return;
    rn_check_set(check, RN_DOCTOR_MISSING,
                 "%s is on, and no profile lets rnet make any", name);
    add_profile(facts, check);
}

void rn_judge_limits(const RnDoctorFacts *facts, RnDoctorCheck *check)
{
    RnDoctorSysctl lowest = RN_SYSCTL_MAX_USER;
    const char *name = NULL;
    int64_t value = 0;
    bool can_do_without = false;

    for (RnDoctorSysctl i = 0; i <= RN_SYSCTL_MAX_CGROUP; i++) {
        if (facts->sysctls[i] >= 0 &&
            (facts->sysctls[lowest] < 0 ||
             facts->sysctls[i] < facts->sysctls[lowest]))
            lowest = i;
    }
    name = rn_doctor_sysctl_name(lowest);
    value = facts->sysctls[lowest];
    if (value < 0) {
        rn_check_set(check, RN_DOCTOR_FINE, "none are known");
        return;
    }
    rn_check_set(check, RN_DOCTOR_FINE,
                 "at least %" G_GINT64_FORMAT " of each kind", value);
    if (value >= FEW_NAMESPACES)
        return;
    can_do_without = facts->privileged && lowest == RN_SYSCTL_MAX_USER;
    rn_check_set(check,
                 value == 0 && !can_do_without ? RN_DOCTOR_MISSING
                                               : RN_DOCTOR_DEGRADED,
                 "%s is %" G_GINT64_FORMAT, name, value);
    rn_check_mend(check,
                  value == 0 ? "containers that need such a namespace"
                             : "no more containers than that at a time",
                  RN_WHO_ROOT, "sysctl -w %s=%d", name, MANY_NAMESPACES);
}

static void judge_own_ids(const RnDoctorFacts *facts, RnIdKind kind,
                          RnDoctorCheck *check)
{
    if (!facts->in_userns) {
        rn_check_set(check, RN_DOCTOR_FINE, "root needs none");
        return;
    }
    rn_check_set(
        check, RN_DOCTOR_FINE,
        "root maps any of this user namespace's own %" G_GUINT64_FORMAT,
        facts->own_ids[kind]);
    if (facts->own_ids[kind] >= USUAL_IDS)
        return;
    rn_check_set(check, RN_DOCTOR_DEGRADED,
                 "this user namespace has %" G_GUINT64_FORMAT " of them itself",
                 facts->own_ids[kind]);
    rn_check_mend(check,
                  "images whose files have several owners; users and groups "
                  "other than root",
                  RN_WHO_OUTSIDE,
                  "give the outer container more ids (podman: "
                  "--uidmap and --gidmap)");
}

static void judge_sub_ids(const RnDoctorFacts *facts, RnIdKind kind,
                          RnDoctorCheck *check)
{
    static const char *const words[] = {
        [RN_ID_USER] = "uids by newuidmap",
        [RN_ID_GROUP] = "gids by newgidmap",
    };
    static const char *const losses[] = {
        [RN_ID_USER] = "containers have one uid: images whose files have "
                       "several owners, and users other than root",
        [RN_ID_GROUP] = "containers have one gid: images whose files have "
                        "several groups, and additional groups",
    };
    static const char *const options[] = {
        [RN_ID_USER] = "--add-subuids",
        [RN_ID_GROUP] = "--add-subgids",
    };
    const RnTrialResult *result = &facts->trials[RN_TRIAL_SUB_UIDS + kind];

    G_STATIC_ASSERT(G_N_ELEMENTS(words) == RN_ID_N_);
    G_STATIC_ASSERT(RN_TRIAL_SUB_GIDS == RN_TRIAL_SUB_UIDS + RN_ID_GROUP);
    if (facts->maps_any_ids) {
        judge_own_ids(facts, kind, check);
        return;
    }
    if (result->outcome == RN_TRIAL_UNTRIED) {
        rn_check_set(check, RN_DOCTOR_UNTRIED,
                     "not tried without user-namespaces");
        return;
    }
    if (result->outcome != RN_TRIAL_WORKS) {
        rn_check_take(check, RN_DOCTOR_DEGRADED, result, losses[kind],
                      RN_WHO_ROOT);
        return;
    }
    rn_check_set(check, RN_DOCTOR_FINE,
                 "mapped %" G_GUINT64_FORMAT " subordinate %s",
                 facts->sub_ids[kind], words[kind]);
    if (facts->sub_ids[kind] >= USUAL_IDS)
        return;
    check->state = RN_DOCTOR_DEGRADED;
    rn_check_mend(check, "images with ids beyond these", RN_WHO_ROOT,
                  "usermod %s %u-%u %s", options[kind], facts->first_free[kind],
                  facts->first_free[kind] + USUAL_IDS,
                  facts->user != NULL ? facts->user : "USER");
}

void rn_judge_sub_uids(const RnDoctorFacts *facts, RnDoctorCheck *check)
{
    judge_sub_ids(facts, RN_ID_USER, check);
}

void rn_judge_sub_gids(const RnDoctorFacts *facts, RnDoctorCheck *check)
{
    judge_sub_ids(facts, RN_ID_GROUP, check);
}

void rn_judge_setgroups(const RnDoctorFacts *facts, RnDoctorCheck *check)
{
    if (!facts->setgroups_denied) {
        rn_check_set(check, RN_DOCTOR_FINE, "allowed");
        return;
    }
    rn_check_set(check, RN_DOCTOR_DEGRADED,
                 "denied in this user namespace and all below it");
    rn_check_mend(check, "additional groups in containers", RN_WHO_OUTSIDE,
                  "have the outer container's gids mapped by newgidmap");
}

void rn_judge_privileges(const RnDoctorFacts *facts, RnDoctorCheck *check)
{
    if (!facts->no_new_privs) {
        rn_check_set(check, RN_DOCTOR_FINE, "not set");
        return;
    }
    if (facts->maps_any_ids) {
        rn_check_set(check, RN_DOCTOR_FINE, "set; root can do with it");
        return;
    }
    rn_check_set(check, RN_DOCTOR_DEGRADED,
                 "set: setuid programs have no privileges");
    rn_check_mend(check, "newuidmap and newgidmap, so containers have one id",
                  RN_WHO_YOU,
                  "start rnet without it (systemd: NoNewPrivileges=no; an "
                  "outer container: no --security-opt no-new-privileges)");
}

static void blame_runtime_dir(const RnDoctorFacts *facts, RnDoctorCheck *check)
{
    rn_check_mend(check,
                  "state is kept in /tmp, or not at all, and systemd's user "
                  "bus is not found",
                  RN_WHO_YOU,
                  "log in (not by su or sudo), or: loginctl enable-linger; "
                  "export XDG_RUNTIME_DIR=/run/user/%u",
                  facts->uid);
}

void rn_judge_runtime_dir(const RnDoctorFacts *facts, RnDoctorCheck *check)
{
    const RnDoctorRuntimeDir *folder = &facts->runtime_dir;
    g_autofree char *path =
        g_strescape(folder->path != NULL ? folder->path : "", NULL);

    if (facts->writes_run) {
        rn_check_set(check, RN_DOCTOR_FINE, "root has /run/rnet");
        return;
    }
    blame_runtime_dir(facts, check);
    if (folder->path == NULL)
        rn_check_set(check, RN_DOCTOR_DEGRADED, "XDG_RUNTIME_DIR is not set");
    else if (!g_path_is_absolute(folder->path))
        rn_check_set(check, RN_DOCTOR_DEGRADED,
                     "XDG_RUNTIME_DIR is \"%s\", which is not absolute", path);
    else if (folder->errno_value != 0)
        rn_check_set(check, RN_DOCTOR_DEGRADED, "XDG_RUNTIME_DIR, \"%s\": %s",
                     path, g_strerror(folder->errno_value));
    else if (!folder->is_directory)
        rn_check_set(check, RN_DOCTOR_DEGRADED,
                     "XDG_RUNTIME_DIR, \"%s\", is not a directory", path);
    else if (folder->owner != facts->uid)
        rn_check_set(check, RN_DOCTOR_DEGRADED,
                     "XDG_RUNTIME_DIR, \"%s\", belongs to uid %u, not to %u",
                     path, folder->owner, facts->uid);
    else if (folder->mode == RUNTIME_DIR_MODE) {
        g_clear_pointer(&check->remedy, g_free);
        check->loss = NULL;
        check->who = RN_WHO_NOBODY;
        rn_check_set(check, RN_DOCTOR_FINE, "\"%s\", this user's alone", path);
    } else {
        rn_check_set(check, RN_DOCTOR_DEGRADED,
                     "XDG_RUNTIME_DIR, \"%s\", has mode %04o, not 0700", path,
                     folder->mode);
        rn_check_mend(check, "others may see what is in it", RN_WHO_YOU,
                      "chmod 0700 %s", path);
    }
}

void rn_judge_open_files(const RnDoctorFacts *facts, RnDoctorCheck *check)
{
    rn_check_set(check, RN_DOCTOR_FINE,
                 "RLIMIT_NOFILE can be raised to %" G_GUINT64_FORMAT,
                 facts->nofile_hard);
    if (facts->nofile_hard >= FEW_FILES)
        return;
    check->state = RN_DOCTOR_DEGRADED;
    rn_check_mend(check, "many connections at a time: one takes 2 to 6 files",
                  RN_WHO_ROOT,
                  "echo \"%s hard nofile %d\" >/etc/security/limits.d/rnet.conf"
                  "\nthen log in again (systemd: LimitNOFILE=%d)",
                  facts->user != NULL ? facts->user : "*", MANY_FILES,
                  MANY_FILES);
}

void rn_judge_mount_limit(const RnDoctorFacts *facts, RnDoctorCheck *check)
{
    int64_t value = facts->sysctls[RN_SYSCTL_MOUNT_MAX];
    const char *name = rn_doctor_sysctl_name(RN_SYSCTL_MOUNT_MAX);

    if (value <
        0) { /* it is only there since Linux 4.9, and not always shown */
        rn_check_set(check, RN_DOCTOR_FINE, "not known");
        return;
    }
    rn_check_set(check, RN_DOCTOR_FINE, "%s is %" G_GINT64_FORMAT, name, value);
    if (value >= FEW_MOUNTS)
        return;
    check->state = RN_DOCTOR_DEGRADED;
    rn_check_mend(check, "containers with many mounts", RN_WHO_ROOT,
                  "sysctl -w %s=%d", name, USUAL_MOUNTS);
}
