/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor-judge - the list of checks, and those that follow from one trial
 *
 * Runs in `rnet doctor`. Pure: facts in, checks out. A check whose verdict
 * takes more than a trial's outcome has a function in doctor-judge-host.c or
 * doctor-judge-network.c.
 */
#include "config.h"

#include <rnet/runtime/doctor-judge.h>

#include <string.h>

/* A check that is a trial's outcome. */
typedef struct TrialRule {
    RnTrialKind trial;
    RnDoctorState failed;      /* the state if it does not work */
    RnDoctorState root_failed; /* the same for a privileged caller */
    const char *fine;          /* the detail if it works */
    const char *loss;
    RnDoctorWho who;
    const char *remedy; /* where the trial's error has no hint */
    bool by_filter;     /* under a seccomp filter, that is the likely cause */
} TrialRule;

typedef struct Entry {
    const char *name;
    RnJudge judge;
    const TrialRule *rule; /* instead of a function */
} Entry;

static const TrialRule system_calls = {
    .trial = RN_TRIAL_SYSTEM_CALLS,
    .failed = RN_DOCTOR_MISSING,
    .root_failed = RN_DOCTOR_MISSING,
    .fine = "clone3, openat2, pidfds and close_range work",
    .loss = "no container can be made",
    .who = RN_WHO_ROOT,
    .remedy = "boot Linux 5.12 or newer",
    .by_filter = true,
};

static const TrialRule user_namespaces = {
    .trial = RN_TRIAL_USER_NAMESPACE,
    .failed = RN_DOCTOR_MISSING,
    .root_failed = RN_DOCTOR_DEGRADED,
    .fine = "made one, with all other kinds of namespaces",
    .loss =
        "no container for ordinary users; for root none with a user namespace",
    .who = RN_WHO_ROOT,
};

static const TrialRule hostname = {
    .trial = RN_TRIAL_HOSTNAME,
    .failed = RN_DOCTOR_MISSING,
    .root_failed = RN_DOCTOR_MISSING,
    .fine = "set one in a uts namespace",
    .loss = "containers with a host name of their own, as engines give to all",
    .who = RN_WHO_OUTSIDE,
    .by_filter = true,
};

static const TrialRule mounts = {
    .trial = RN_TRIAL_MOUNTS,
    .failed = RN_DOCTOR_MISSING,
    .root_failed = RN_DOCTOR_MISSING,
    .fine = "made a bind mount, read-only, and entered it",
    .loss = "no container can be made",
    .who = RN_WHO_OUTSIDE,
    .remedy =
        "allow mount, open_tree, move_mount, mount_setattr and pivot_root: Linux "
        "5.12, and no security profile against them",
    .by_filter = true,
};

static const TrialRule proc = {
    .trial = RN_TRIAL_PROC,
    .failed = RN_DOCTOR_MISSING,
    .root_failed = RN_DOCTOR_DEGRADED,
    .fine = "mounted one in a user and pid namespace",
    .loss = "containers with a /proc, which is nearly all of them",
    .who = RN_WHO_OUTSIDE,
    .remedy = "start the container around rnet, which hides parts of /proc, "
              "with --security-opt unmask=ALL (podman) or --security-opt "
              "systempaths=unconfined (docker)",
};

static const TrialRule sysfs = {
    .trial = RN_TRIAL_SYSFS,
    .failed = RN_DOCTOR_DEGRADED,
    .root_failed = RN_DOCTOR_DEGRADED,
    .fine = "mounted one in a user and network namespace",
    .loss =
        "containers with a /sys of their own, but for a bind mount of this one",
    .who = RN_WHO_OUTSIDE,
    .remedy = "start the container around rnet, whose /sys is read-only or "
              "hides parts, with --privileged",
};

static const TrialRule overlay = {
    .trial = RN_TRIAL_OVERLAY,
    .failed = RN_DOCTOR_DEGRADED,
    .root_failed = RN_DOCTOR_DEGRADED,
    .fine = "mounted one in a user namespace, and wrote to it",
    .loss = "engines copy images (vfs, slow and large) or need fuse-overlayfs",
    .who = RN_WHO_ROOT,
    .remedy =
        "modprobe overlay; Linux 5.11 or newer; else: apt install fuse-overlayfs",
};

static const TrialRule idmapped_mounts = {
    .trial = RN_TRIAL_IDMAPPED_MOUNT,
    .failed = RN_DOCTOR_DEGRADED,
    .root_failed = RN_DOCTOR_DEGRADED,
    .fine = "mapped the ids of a mount",
    .loss = "mounts with the options idmap and ridmap",
    .who = RN_WHO_ROOT,
    .remedy = "boot Linux 6.3 or newer (for root and most disks 5.12)",
};

static const TrialRule nf_tables = {
    .trial = RN_TRIAL_NF_TABLES,
    .failed = RN_DOCTOR_DEGRADED,
    .root_failed = RN_DOCTOR_DEGRADED,
    .fine = "made a table with rules",
    .loss = "outbound TCP goes through libslirp: slower",
    .who = RN_WHO_ROOT,
    .remedy = "modprobe nf_tables",
};

static const TrialRule transparent = {
    .trial = RN_TRIAL_TRANSPARENT,
    .failed = RN_DOCTOR_DEGRADED,
    .root_failed = RN_DOCTOR_DEGRADED,
    .fine = "made one, in repair mode (TCP_REPAIR)",
    .loss =
        "TCP ports cannot be published; outbound TCP goes through libslirp: slower",
    .who = RN_WHO_ROOT,
    .remedy = "boot an unmodified Linux kernel",
    .by_filter = true,
};

static const TrialRule seccomp = {
    .trial = RN_TRIAL_SECCOMP,
    .failed = RN_DOCTOR_MISSING,
    .root_failed = RN_DOCTOR_MISSING,
    .fine = "loaded a filter",
    .loss = "rnet's own processes do not start without their filters",
    .who = RN_WHO_ROOT,
    .remedy = "boot a kernel with CONFIG_SECCOMP_FILTER=y",
    .by_filter = true,
};

static const TrialRule seccomp_notify = {
    .trial = RN_TRIAL_SECCOMP_NOTIFY,
    .failed = RN_DOCTOR_DEGRADED,
    .root_failed = RN_DOCTOR_DEGRADED,
    .fine = "loaded a filter with a listener",
    .loss = "bundles whose seccomp has SCMP_ACT_NOTIFY (listenerPath)",
    .who = RN_WHO_ROOT,
    .remedy = "boot Linux 5.0 or newer with CONFIG_SECCOMP_FILTER=y",
    .by_filter = true,
};

static const TrialRule landlock = {
    .trial = RN_TRIAL_LANDLOCK,
    .failed = RN_DOCTOR_DEGRADED,
    .root_failed = RN_DOCTOR_DEGRADED,
    .fine = "restricted a process",
    .loss =
        "the relay is confined by seccomp and its lack of capabilities alone",
    .who = RN_WHO_ROOT,
    .remedy = "boot with CONFIG_SECURITY_LANDLOCK=y and landlock in lsm= (see "
              "/sys/kernel/security/lsm)",
};

static const Entry entries[] = {
    { "kernel", rn_judge_kernel, NULL },
    { "container-around", rn_judge_container, NULL },
    { "system-calls", NULL, &system_calls },
    { "user-namespaces", NULL, &user_namespaces },
    { "apparmor", rn_judge_apparmor, NULL },
    { "namespace-limits", rn_judge_limits, NULL },
    { "sub-uids", rn_judge_sub_uids, NULL },
    { "sub-gids", rn_judge_sub_gids, NULL },
    { "setgroups", rn_judge_setgroups, NULL },
    { "no-new-privs", rn_judge_privileges, NULL },
    { "runtime-dir", rn_judge_runtime_dir, NULL },
    { "open-files", rn_judge_open_files, NULL },
    { "hostname", NULL, &hostname },
    { "mounts", NULL, &mounts },
    { "mount-limit", rn_judge_mount_limit, NULL },
    { "proc-mount", NULL, &proc },
    { "sysfs-mount", NULL, &sysfs },
    { "overlay", NULL, &overlay },
    { "idmapped-mounts", NULL, &idmapped_mounts },
    { "tun", rn_judge_tun, NULL },
    { "packet-link", rn_judge_packet_link, NULL },
    { "packet-queue", rn_judge_packet_queue, NULL },
    { "nf-tables", NULL, &nf_tables },
    { "transparent-sockets", NULL, &transparent },
    { "tcp-handoff", rn_judge_handoff, NULL },
    { "ping", rn_judge_ping, NULL },
    { "low-ports", rn_judge_low_ports, NULL },
    { "seccomp", NULL, &seccomp },
    { "seccomp-notify", NULL, &seccomp_notify },
    { "landlock", NULL, &landlock },
    { "cgroups", rn_judge_cgroups, NULL },
    { "systemd", rn_judge_systemd, NULL },
};

void rn_check_set(RnDoctorCheck *check, RnDoctorState state, const char *format,
                  ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_free(check->detail);
    check->detail = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    check->state = state;
}

void rn_check_mend(RnDoctorCheck *check, const char *loss, RnDoctorWho who,
                   const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_free(check->remedy);
    check->remedy = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    check->loss = loss;
    check->who = who;
}

/* Whom a hint of an error is for, by the words that rnet's hints use. */
static RnDoctorWho find_who(const char *hint, RnDoctorWho otherwise)
{
    static const struct {
        const char *words;
        RnDoctorWho who;
    } signs[] = {
        { "as root: ", RN_WHO_ROOT },   { "sudo ", RN_WHO_ROOT },
        { "root can ", RN_WHO_ROOT },   { "apt install ", RN_WHO_ROOT },
        { "as root", RN_WHO_ROOT },     { "outer container", RN_WHO_OUTSIDE },
        { "that one", RN_WHO_OUTSIDE }, { "container around", RN_WHO_OUTSIDE },
        { "start rnet", RN_WHO_YOU },   { "run it ", RN_WHO_YOU },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(signs); i++) {
        if (strstr(hint, signs[i].words) != NULL)
            return signs[i].who;
    }
    return otherwise;
}

void rn_check_take(RnDoctorCheck *check, RnDoctorState state,
                   const RnTrialResult *result, const char *loss,
                   RnDoctorWho who)
{
    static const char as_root[] = "as root: ";
    const char *hint = result->hint;

    rn_check_set(check, state, "%s", result->text);
    check->loss = loss;
    if (hint == NULL)
        return;
    who = find_who(hint, who);
    if (g_str_has_prefix(hint, as_root))
        hint += strlen(as_root);
    rn_check_mend(check, loss, who, "%s", hint);
}

/* The check whose failure kept others from being tried. */
static const char *find_missing_need(const RnDoctorFacts *facts)
{
    RnTrialOutcome userns = facts->trials[RN_TRIAL_USER_NAMESPACE].outcome;

    return userns == RN_TRIAL_WORKS ? "mounts" : "user-namespaces";
}

static void judge_trial(const RnDoctorFacts *facts, const TrialRule *rule,
                        RnDoctorCheck *check)
{
    const RnTrialResult *result = &facts->trials[rule->trial];

    if (result->outcome == RN_TRIAL_WORKS) {
        rn_check_set(check, RN_DOCTOR_FINE, "%s", rule->fine);
        return;
    }
    if (result->outcome == RN_TRIAL_UNTRIED) {
        rn_check_set(check, RN_DOCTOR_UNTRIED, "not tried without %s",
                     find_missing_need(facts));
        return;
    }
    rn_check_take(check, facts->privileged ? rule->root_failed : rule->failed,
                  result, rule->loss, rule->who);
    if (check->remedy == NULL && rule->by_filter && facts->filtered)
        rn_check_mend(check, rule->loss, RN_WHO_OUTSIDE,
                      "start the outer container with --security-opt "
                      "seccomp=unconfined, or with a profile that allows it");
    else if (check->remedy == NULL && rule->remedy != NULL)
        rn_check_mend(check, rule->loss, rule->who, "%s", rule->remedy);
}

static void free_check(gpointer data)
{
    RnDoctorCheck *check = data;

    g_free(check->detail);
    g_free(check->remedy);
    g_free(check);
}

GPtrArray *rn_doctor_judge(const RnDoctorFacts *facts)
{
    GPtrArray *checks = g_ptr_array_new_with_free_func(free_check);

    for (gsize i = 0; i < G_N_ELEMENTS(entries); i++) {
        RnDoctorCheck *check = g_new0(RnDoctorCheck, 1);

        check->name = entries[i].name;
        if (entries[i].rule != NULL)
            judge_trial(facts, entries[i].rule, check);
        else
            entries[i].judge(facts, check);
        g_ptr_array_add(checks, check);
    }
    return checks;
}

RnDoctorState rn_doctor_state(const GPtrArray *checks)
{
    RnDoctorState worst = RN_DOCTOR_FINE;

    for (guint i = 0; i < checks->len; i++) {
        const RnDoctorCheck *check = g_ptr_array_index(checks, i);

        worst = MAX(worst, check->state);
    }
    return worst;
}
