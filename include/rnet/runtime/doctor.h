/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor - what rootless containers need of this host, tried and judged
 *
 * rn_doctor_look() collects facts, most of them by doing the thing in a child
 * (doctor-trial.h); rn_doctor_judge() makes a list of checks of them, and is
 * pure. Where rnet has an error for what is wrong (rn_userns_explain(),
 * rn_idmap_check(), rn_tap_open(), ...) the check says the same.
 */
#ifndef RNET_RUNTIME_DOCTOR_H
#define RNET_RUNTIME_DOCTOR_H

#include <stdint.h>

#include <sys/types.h>

#include <jansson.h>

#include <rnet/sys/idmap.h>
#include <rnet/util/error.h>

/* From good to bad: the worst one of a list is its state. */
typedef enum RnDoctorState {
    RN_DOCTOR_FINE,
    RN_DOCTOR_UNTRIED, /* what it needs is missing; a check of its own */
    RN_DOCTOR_DEGRADED,
    RN_DOCTOR_MISSING,
    RN_DOCTOR_N_
} RnDoctorState;

/* Who can mend it. */
typedef enum RnDoctorWho {
    RN_WHO_NOBODY, /* there is no remedy, or nothing to mend */
    RN_WHO_YOU,
    RN_WHO_ROOT,
    RN_WHO_OUTSIDE, /* who starts the container around rnet */
    RN_WHO_N_
} RnDoctorWho;

typedef struct RnDoctorCheck {
    const char *name; /* lower case, words joined by '-' */
    RnDoctorState state;
    char *detail;     /* what was found */
    const char *loss; /* what fails or gets worse; NULL: nothing */
    char *remedy;     /* a command or an advice, may have lines; or NULL */
    RnDoctorWho who;
} RnDoctorCheck;

/* What is tried, see doctor-kernel.c and doctor-network.c. */
typedef enum RnTrialKind {
    RN_TRIAL_SYSTEM_CALLS,
    RN_TRIAL_USER_NAMESPACE, /* the trials after it may need one */
    RN_TRIAL_SUB_UIDS,       /* in the order of RnIdKind */
    RN_TRIAL_SUB_GIDS,
    RN_TRIAL_HOSTNAME,
    RN_TRIAL_MOUNTS,
    RN_TRIAL_PROC,
    RN_TRIAL_SYSFS,
    RN_TRIAL_OVERLAY,
    RN_TRIAL_IDMAPPED_MOUNT,
    RN_TRIAL_TUN,
    RN_TRIAL_VETH,
    RN_TRIAL_NF_TABLES,
    RN_TRIAL_TRANSPARENT,
    RN_TRIAL_HANDOFF,
    RN_TRIAL_PING,
    RN_TRIAL_LOW_PORT,
    RN_TRIAL_SECCOMP,
    RN_TRIAL_SECCOMP_NOTIFY,
    RN_TRIAL_LANDLOCK,
    RN_TRIAL_CGROUP,
    RN_TRIAL_BUS,
    RN_TRIAL_N_
} RnTrialKind;

typedef enum RnTrialOutcome {
    RN_TRIAL_UNTRIED,
    RN_TRIAL_WORKS,
    RN_TRIAL_FAILS, /* with an error */
    RN_TRIAL_HANGS, /* killed after RN_TRIAL_TIMEOUT_MS */
    RN_TRIAL_DIES,  /* ended without an answer */
} RnTrialOutcome;

typedef struct RnTrialResult {
    RnTrialOutcome outcome;
    int errno_value; /* of RN_ERRNO, else 0 */
    char *text;      /* the error's; NULL if it works or was not tried */
    char *hint;      /* the error's, or NULL */
} RnTrialResult;

/* Kernel parameters that are only read; rn_doctor_sysctl_name(). */
typedef enum RnDoctorSysctl {
    RN_SYSCTL_MAX_USER,
    RN_SYSCTL_MAX_MNT,
    RN_SYSCTL_MAX_PID,
    RN_SYSCTL_MAX_NET,
    RN_SYSCTL_MAX_IPC,
    RN_SYSCTL_MAX_UTS,
    RN_SYSCTL_MAX_CGROUP, /* the last one of namespaces(7) */
    RN_SYSCTL_APPARMOR_USERNS,
    RN_SYSCTL_RMEM_MAX,
    RN_SYSCTL_MOUNT_MAX,
    RN_SYSCTL_PORT_START,
    RN_SYSCTL_N_
} RnDoctorSysctl;

/* "user.max_user_namespaces" */
const char *rn_doctor_sysctl_name(RnDoctorSysctl sysctl);

/* $XDG_RUNTIME_DIR. */
typedef struct RnDoctorRuntimeDir {
    char *path;      /* NULL: not set */
    int errno_value; /* of stat(2); the rest only where it is 0 */
    bool is_directory;
    uid_t owner;
    mode_t mode; /* permission bits */
} RnDoctorRuntimeDir;

typedef enum RnCgroupLayout {
    RN_LAYOUT_NONE, /* no cgroup file system is mounted */
    RN_LAYOUT_V1,   /* with controllers; cgroup2 beside it is "hybrid" */
    RN_LAYOUT_V2,
} RnCgroupLayout;

typedef struct RnDoctorCgroup {
    RnCgroupLayout layout;
    char *own;         /* this process's directory: of v2, of v1's "memory",
                          or of any; NULL: out of what is mounted */
    char *mount;       /* where that hierarchy is mounted */
    char *controllers; /* v2: what `own` has, as in cgroup.controllers */
    char *delegated;   /* v2: what the user's systemd has, or NULL */
} RnDoctorCgroup;

typedef struct RnDoctorFacts {
    uid_t uid;
    gid_t gid;
    char *user;            /* login name; NULL: not in passwd */
    bool privileged;       /* CAP_SYS_ADMIN is effective: mounts, namespaces */
    bool maps_any_ids;     /* CAP_SETUID and CAP_SETGID are */
    bool writes_run;       /* uid 0 with a /run for rnet's state */
    bool in_userns;        /* not in the host's own user namespace */
    bool filtered;         /* under a seccomp filter */
    bool no_new_privs;     /* prctl(2) */
    bool setgroups_denied; /* user_namespaces(7) */
    bool systemd_booted;   /* sd_booted(3) */
    char *container;       /* the engine around, "docker"; NULL: none seen */
    char *release;         /* uname(2) */
    char *executable;      /* rnet's own path */
    uint64_t own_ids[RN_ID_N_];    /* how many this user namespace has */
    uint64_t sub_ids[RN_ID_N_];    /* how many subordinate ones the user has */
    uint32_t first_free[RN_ID_N_]; /* rn_subid_first_free() */
    uint64_t nofile_hard;          /* RLIMIT_NOFILE */
    int64_t sysctls[RN_SYSCTL_N_]; /* -1: no such parameter */
    RnDoctorRuntimeDir runtime_dir;
    RnDoctorCgroup cgroup;
    RnTrialResult trials[RN_TRIAL_N_];
} RnDoctorFacts;

/* What the command line knows; borrowed, both may be NULL. */
typedef struct RnDoctorEnvironment {
    const char *runtime_dir; /* $XDG_RUNTIME_DIR */
    const char *bus_address; /* $DBUS_SESSION_BUS_ADDRESS */
} RnDoctorEnvironment;

/*
 * Looks and tries; leaves nothing. Blocks for as long as that takes: well below
 * a second, at worst the time-out of every trial. What cannot be found out
 * counts as not there.
 */
void rn_doctor_look(const RnDoctorEnvironment *environment,
                    RnDoctorFacts *out_facts);
void rn_doctor_facts_clear(RnDoctorFacts *facts);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RnDoctorFacts, rn_doctor_facts_clear)

/*
 * Where cgroups are mounted and which one is the process's, of the texts of
 * /proc/self/mountinfo and /proc/self/cgroup (cgroups(7)); the part of
 * rn_doctor_look() without the controllers. Pure.
 */
void rn_doctor_find_cgroup(const char *mountinfo, const char *membership,
                           RnDoctorCgroup *out_cgroup);

/* All checks, always the same ones in the same order: GPtrArray of
 * RnDoctorCheck, the caller's. Pure. */
GPtrArray *rn_doctor_judge(const RnDoctorFacts *facts) RN_CHECK;

/* The worst state of all. */
RnDoctorState rn_doctor_state(const GPtrArray *checks);

/* As lines of at most 80 columns, but for long words; the caller's. */
char *rn_doctor_format(const GPtrArray *checks) RN_CHECK;

/*
 * {"state": STATE, "checks": [{"name", "state", "detail", "loss", "remedy",
 * "who"}]}, a new reference. STATE is "fine", "untried", "degraded" or
 * "missing"; "who" is "you", "root" or "outside"; what there is not is null.
 */
json_t *rn_doctor_to_json(const GPtrArray *checks) RN_CHECK;

#endif
