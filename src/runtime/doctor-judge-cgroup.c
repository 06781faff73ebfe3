/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor-judge-cgroup - verdicts on control groups and on systemd's part
 *
 * Runs in `rnet doctor`. Pure, see doctor-judge.c. Nothing here is ever
 * "missing": containers run without a cgroup, but then without limits.
 */
#include "config.h"

#include <rnet/runtime/doctor-judge.h>

#include <errno.h>

static const char no_limits[] =
    "limits, pause and update; engines have to be told cgroups=disabled";

/* Those that engines set limits with by default. */
static const char *const wanted[] = { "cpu", "memory", "pids", NULL };

/* The wanted ones that a list of words lacks, or NULL. */
static char *find_lacking(const char *controllers)
{
    g_auto(GStrv) words =
        g_strsplit(controllers != NULL ? controllers : "", " ", -1);
    g_autoptr(GString) lacking = g_string_new(NULL);

    for (const char *const *word = wanted; *word != NULL; word++) {
        if (!g_strv_contains((const char *const *)words, *word))
            g_string_append_printf(lacking, "%s%s",
                                   lacking->len == 0 ? "" : " ", *word);
    }
    return lacking->len == 0 ? NULL
                             : g_string_free(g_steal_pointer(&lacking), FALSE);
}

static bool is_host_root(const RnDoctorFacts *facts)
{
    return facts->uid == 0 && !facts->in_userns;
}

static void delegate_all(RnDoctorCheck *check, const char *loss)
{
    rn_check_mend(
        check, loss, RN_WHO_ROOT,
        "mkdir -p /etc/systemd/system/user@.service.d\n"
        "printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' \\\n"
        "  >/etc/systemd/system/user@.service.d/delegate.conf\n"
        "systemctl daemon-reload, then log in again");
}

/* The process's own cgroup can have children. */
static void judge_direct(const RnDoctorFacts *facts, RnDoctorCheck *check)
{
    const RnDoctorCgroup *cgroup = &facts->cgroup;
    g_autofree char *lacking = find_lacking(cgroup->controllers);

    rn_check_set(check, RN_DOCTOR_FINE, "v2, made one in \"%s\"", cgroup->own);
    if (lacking == NULL)
        return;
    rn_check_set(check, RN_DOCTOR_DEGRADED,
                 "v2, made one in \"%s\", which lacks the controllers: %s",
                 cgroup->own, lacking);
    if (facts->systemd_booted && !is_host_root(facts))
        delegate_all(check, "limits by these controllers");
    else
        rn_check_mend(check, "limits by these controllers", RN_WHO_ROOT,
                      "write +NAME of each into cgroup.subtree_control of all "
                      "directories above it");
}

/* Only systemd may make one for this user. */
static void judge_delegated(const RnDoctorFacts *facts, RnDoctorCheck *check)
{
    const RnDoctorCgroup *cgroup = &facts->cgroup;
    g_autofree char *lacking = find_lacking(cgroup->delegated);

    rn_check_set(check, RN_DOCTOR_FINE,
                 "v2, by this user's systemd (--systemd-cgroup): %s",
                 cgroup->delegated);
    if (facts->trials[RN_TRIAL_BUS].outcome != RN_TRIAL_WORKS) {
        rn_check_set(check, RN_DOCTOR_DEGRADED,
                     "v2, by this user's systemd alone, whose bus is not "
                     "reached");
        rn_check_mend(check, no_limits, RN_WHO_YOU, "see systemd, below");
        return;
    }
    if (lacking == NULL)
        return;
    rn_check_set(check, RN_DOCTOR_DEGRADED,
                 "v2, by this user's systemd, which was not delegated: %s",
                 lacking);
    delegate_all(check, "limits by these controllers");
}

/* No cgroup can be made, by no way. */
static void judge_refused(const RnDoctorFacts *facts, RnDoctorCheck *check)
{
    const RnDoctorCgroup *cgroup = &facts->cgroup;
    const RnTrialResult *result = &facts->trials[RN_TRIAL_CGROUP];

    rn_check_set(check, RN_DOCTOR_DEGRADED, "%s: %s",
                 cgroup->layout == RN_LAYOUT_V2 ? "v2" : "v1 or hybrid",
                 result->text != NULL
                     ? result->text
                     : "this process's cgroup is out of what is mounted");
    if (result->errno_value == EROFS || is_host_root(facts))
        rn_check_mend(check, no_limits,
                      facts->container != NULL || facts->in_userns
                          ? RN_WHO_OUTSIDE
                          : RN_WHO_ROOT,
                      "have /sys/fs/cgroup mounted writable (docker, podman: "
                      "--privileged)");
    else if (cgroup->layout == RN_LAYOUT_V1)
        rn_check_mend(check, no_limits, RN_WHO_ROOT,
                      "boot with systemd.unified_cgroup_hierarchy=1: users can "
                      "have cgroups of v2 only");
    else if (facts->systemd_booted)
        rn_check_mend(check, no_limits, RN_WHO_ROOT,
                      "loginctl enable-linger %s",
                      facts->user != NULL ? facts->user : "USER");
    else
        rn_check_mend(check, no_limits, RN_WHO_ROOT,
                      "make a cgroup for this user, chown the directory, its "
                      "cgroup.procs and cgroup.subtree_control, and put the "
                      "user's processes into it");
}

void rn_judge_cgroups(const RnDoctorFacts *facts, RnDoctorCheck *check)
{
    const RnDoctorCgroup *cgroup = &facts->cgroup;
    bool made = facts->trials[RN_TRIAL_CGROUP].outcome == RN_TRIAL_WORKS;

    if (cgroup->layout == RN_LAYOUT_NONE) {
        rn_check_set(check, RN_DOCTOR_DEGRADED, "none are mounted");
        rn_check_mend(check, no_limits, RN_WHO_ROOT,
                      "mount -t cgroup2 cgroup2 /sys/fs/cgroup");
    } else if (made && cgroup->layout == RN_LAYOUT_V1) {
        rn_check_set(check, RN_DOCTOR_FINE, "v1 or hybrid, made one in \"%s\"",
                     cgroup->own);
    } else if (made) {
        judge_direct(facts, check);
    } else if (cgroup->delegated != NULL && facts->systemd_booted) {
        judge_delegated(facts, check);
    } else {
        judge_refused(facts, check);
    }
}

void rn_judge_systemd(const RnDoctorFacts *facts, RnDoctorCheck *check)
{
    static const char loss[] = "--systemd-cgroup";
    const RnTrialResult *bus = &facts->trials[RN_TRIAL_BUS];

    if (!facts->systemd_booted) {
        rn_check_set(check, RN_DOCTOR_DEGRADED, "it does not run here");
        rn_check_mend(check, loss, RN_WHO_YOU,
                      "have engines use cgroupfs (containers.conf: "
                      "cgroup_manager=\"cgroupfs\")");
        return;
    }
    if (bus->outcome == RN_TRIAL_WORKS) {
        rn_check_set(check, RN_DOCTOR_FINE, "its bus is there");
        return;
    }
    rn_check_set(check, RN_DOCTOR_DEGRADED, "%s",
                 bus->text != NULL ? bus->text
                                   : "neither XDG_RUNTIME_DIR nor "
                                     "DBUS_SESSION_BUS_ADDRESS leads to its "
                                     "bus");
    rn_check_mend(check, loss, RN_WHO_ROOT,
                  "apt install dbus-user-session; loginctl enable-linger %s",
                  facts->user != NULL ? facts->user : "USER");
}
