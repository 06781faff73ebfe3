/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor-look - collects the facts: what is read, and the trials in their order
 *
 * Runs in `rnet doctor`. Reads /proc, /sys and a few small files, all bounded;
 * the trials run in children (doctor-trial.c). No failure ends it: what cannot
 * be read is not there.
 */
#include "config.h"

#include <rnet/runtime/doctor-trial.h>

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/utsname.h>

#include <rnet/sys/caps.h>
#include <rnet/util/fd.h>
#include <rnet/util/parse.h>

enum {
    SMALL_FILE_MAX = 64 * 1024, /* bytes */
    MOUNTINFO_MAX = 4 << 20,    /* bytes; a busy host has thousands */
    USUAL_RANGE = 65536,        /* ids, login.defs(5) */
    PERMISSION_BITS = 07777,
};

static const char *const sysctl_names[] = {
    [RN_SYSCTL_MAX_USER] = "user.max_user_namespaces",
    [RN_SYSCTL_MAX_MNT] = "user.max_mnt_namespaces",
    [RN_SYSCTL_MAX_PID] = "user.max_pid_namespaces",
    [RN_SYSCTL_MAX_NET] = "user.max_net_namespaces",
    [RN_SYSCTL_MAX_IPC] = "user.max_ipc_namespaces",
    [RN_SYSCTL_MAX_UTS] = "user.max_uts_namespaces",
    [RN_SYSCTL_MAX_CGROUP] = "user.max_cgroup_namespaces",
    [RN_SYSCTL_APPARMOR_USERNS] =
        "kernel.apparmor_restrict_unprivileged_userns",
    [RN_SYSCTL_RMEM_MAX] = "net.core.rmem_max",
    [RN_SYSCTL_MOUNT_MAX] = "fs.mount-max",
    [RN_SYSCTL_PORT_START] = "net.ipv4.ip_unprivileged_port_start",
};
G_STATIC_ASSERT(G_N_ELEMENTS(sysctl_names) == RN_SYSCTL_N_);

const char *rn_doctor_sysctl_name(RnDoctorSysctl sysctl)
{
    return sysctl_names[sysctl];
}

/* The text of a small file without its last newline; NULL: unreadable. */
static char *read_small(const char *path)
{
    char *text = NULL;

    if (!rn_file_read(AT_FDCWD, path, SMALL_FILE_MAX, &text, NULL, NULL))
        return NULL;
    return g_strchomp(text);
}

static int64_t read_sysctl(const char *name)
{
    g_autofree char *parts = g_strdelimit(g_strdup(name), ".", '/');
    g_autofree char *path = g_build_filename("/proc/sys", parts, NULL);
    g_autofree char *text = read_small(path);
    uint64_t value = 0;

    if (text == NULL || !rn_parse_uint(text, 0, INT64_MAX, name, &value, NULL))
        return -1;
    return (int64_t)value;
}

static bool is_filtered(void)
{
    g_autofree char *status = read_small("/proc/self/status");

    return status != NULL && strstr(status, "\nSeccomp:\t2\n") != NULL;
}

/* What the engines leave in their containers, for themselves. */
static char *find_container(void)
{
    static const struct {
        const char *path, *name;
    } marks[] = {
        { "/run/.containerenv", "podman" },
        { "/.dockerenv", "docker" },
    };
    g_autofree char *manager = read_small("/run/systemd/container");

    if (manager != NULL && *manager != '\0')
        return g_strndup(manager, 32);
    for (gsize i = 0; i < G_N_ELEMENTS(marks); i++) {
        if (access(marks[i].path, F_OK) == 0)
            return g_strdup(marks[i].name);
    }
    return NULL;
}

static void look_at_ids(RnDoctorFacts *facts)
{
    const RnCapMask ids = RN_CAP_BIT(CAP_SETUID) | RN_CAP_BIT(CAP_SETGID);
    RnCapMask effective = rn_caps_effective();
    const struct passwd *entry = getpwuid(getuid());
    g_autofree char *setgroups = read_small("/proc/self/setgroups");

    facts->uid = geteuid();
    facts->gid = getegid();
    facts->user = entry == NULL ? NULL : g_strdup(entry->pw_name);
    facts->privileged = (effective & RN_CAP_BIT(CAP_SYS_ADMIN)) != 0;
    facts->maps_any_ids = (effective & ids) == ids;
    facts->writes_run = facts->uid == 0 && access("/run", W_OK) == 0;
    facts->setgroups_denied = g_strcmp0(setgroups, "deny") == 0;
    for (RnIdKind kind = 0; kind < RN_ID_N_; kind++) {
        g_autoptr(GArray) map = NULL;

        if (!rn_idmap_read_own(kind, &map, NULL))
            continue;
        for (guint i = 0; i < map->len; i++)
            facts->own_ids[kind] += g_array_index(map, RnIdMapping, i).size;
        facts->in_userns |= facts->own_ids[kind] != UINT32_MAX;
    }
}

static void look_at_host(RnDoctorFacts *facts)
{
    struct utsname names = { 0 };
    struct rlimit limit = { 0 };

    if (uname(&names) == 0)
        facts->release = g_strdup(names.release);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        facts->nofile_hard = limit.rlim_max;
    facts->executable = g_file_read_link("/proc/self/exe", NULL);
    facts->container = find_container();
    facts->filtered = is_filtered();
    facts->no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
    /* sd_booted(3) */
    facts->systemd_booted = access("/run/systemd/system", F_OK) == 0;
    for (RnDoctorSysctl i = 0; i < RN_SYSCTL_N_; i++)
        facts->sysctls[i] = read_sysctl(sysctl_names[i]);
}

static void look_at_runtime_dir(const char *path, RnDoctorRuntimeDir *folder)
{
    struct stat status = { 0 };

    if (path == NULL || *path == '\0')
        return;
    folder->path = g_strdup(path);
    if (stat(path, &status) < 0) {
        folder->errno_value = errno;
        return;
    }
    folder->is_directory = S_ISDIR(status.st_mode);
    folder->owner = status.st_uid;
    folder->mode = status.st_mode & PERMISSION_BITS;
}

static char *read_controllers(const char *directory)
{
    g_autofree char *path =
        g_build_filename(directory, "cgroup.controllers", NULL);

    return read_small(path);
}

/* A mount that is covered by another is in mountinfo as well. */
static bool is_cgroup_mount(const char *path)
{
    struct statfs volume = { 0 };

    return path != NULL && statfs(path, &volume) == 0 &&
           (volume.f_type == CGROUP_SUPER_MAGIC ||
            volume.f_type == CGROUP2_SUPER_MAGIC);
}

static void forget_cgroup(RnDoctorCgroup *cgroup)
{
    g_free(cgroup->own);
    g_free(cgroup->mount);
    g_free(cgroup->controllers);
    g_free(cgroup->delegated);
    *cgroup = (RnDoctorCgroup){ .layout = RN_LAYOUT_NONE };
}

static void look_at_cgroup(RnDoctorFacts *facts)
{
    RnDoctorCgroup *cgroup = &facts->cgroup;
    g_autofree char *membership = read_small("/proc/self/cgroup");
    g_autofree char *mountinfo = NULL;
    g_autofree char *manager = NULL;

    if (membership == NULL ||
        !rn_file_read(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX,
                      &mountinfo, NULL, NULL))
        return;
    rn_doctor_find_cgroup(mountinfo, membership, cgroup);
    if (!is_cgroup_mount(cgroup->mount))
        forget_cgroup(cgroup);
    if (cgroup->layout != RN_LAYOUT_V2)
        return;
    if (cgroup->own != NULL)
        cgroup->controllers = read_controllers(cgroup->own);
    manager = g_strdup_printf("%s/user.slice/user-%u.slice/user@%u.service",
                              cgroup->mount, facts->uid, facts->uid);
    cgroup->delegated = read_controllers(manager);
}

static GArray *make_map(uint32_t own_id)
{
    const RnIdMapping own = { .host_id = own_id, .size = 1 };
    GArray *map = g_array_new(FALSE, FALSE, sizeof own);

    return g_array_append_vals(map, &own, 1);
}

/*
 * The own id and all subordinate ones, as `rnet run` maps them. Who has none
 * gets a range that he does not have, for the error of that.
 */
static GArray *make_full_map(RnIdKind kind, uint32_t own_id,
                             uint64_t *out_count, GError **error)
{
    g_autoptr(GArray) ranges = NULL;
    g_autoptr(GArray) map = make_map(own_id);
    RnIdMapping next = { .container_id = 1 };

    if (!rn_subid_ranges(kind, &ranges, error))
        return NULL;
    for (guint i = 0; i < ranges->len && map->len < RN_IDMAP_MAX; i++) {
        const RnIdMapping *range = &g_array_index(ranges, RnIdMapping, i);

        if (range->size > UINT32_MAX - next.container_id)
            break;
        next.host_id = range->host_id;
        next.size = range->size;
        g_array_append_val(map, next);
        next.container_id += range->size;
        *out_count += range->size;
    }
    if (ranges->len == 0) {
        next.host_id = rn_subid_first_free(kind);
        next.size = USUAL_RANGE;
        g_array_append_val(map, next);
    }
    return g_steal_pointer(&map);
}

static void try_sub_ids(RnDoctorFacts *facts, RnIdKind kind)
{
    RnTrialResult *result = &facts->trials[RN_TRIAL_SUB_UIDS + kind];
    g_autoptr(GError) failure = NULL;
    g_autoptr(GArray) uids = make_map(facts->uid);
    g_autoptr(GArray) gids = make_map(facts->gid);
    GArray **map = kind == RN_ID_USER ? &uids : &gids;
    RnTrial trial = { .func = rn_try_nothing, .namespaces = CLONE_NEWUSER };

    facts->first_free[kind] = rn_subid_first_free(kind);
    g_clear_pointer(map, g_array_unref);
    *map = make_full_map(kind, kind == RN_ID_USER ? facts->uid : facts->gid,
                         &facts->sub_ids[kind], &failure);
    if (*map == NULL) {
        rn_trial_fail(failure, result);
        return;
    }
    trial.uids = uids;
    trial.gids = gids;
    if (facts->trials[RN_TRIAL_USER_NAMESPACE].outcome == RN_TRIAL_WORKS)
        rn_trial_run(&trial, result);
    else if (!rn_idmap_check(uids, gids, &failure))
        rn_trial_fail(failure, result);
}

enum {
    /* what nsagent joins; root needs no user namespace for it */
    NETWORK = CLONE_NEWUSER | CLONE_NEWNET,
    MOUNTS = CLONE_NEWUSER | CLONE_NEWNS,
    ALL = MOUNTS | NETWORK | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS |
          CLONE_NEWCGROUP,
};

static const struct {
    RnTrialFunc func; /* NULL: tried elsewhere */
    unsigned namespaces;
    const char *data;
    bool root_needs_none; /* of user namespaces */
    bool makes_one;       /* and makes one itself, so that it needs them */
    bool needs_mounts;    /* RN_TRIAL_MOUNTS has to work before */
} trials[] = {
    [RN_TRIAL_SYSTEM_CALLS] = { rn_try_system_calls },
    [RN_TRIAL_USER_NAMESPACE] = { rn_try_user_namespace, ALL },
    [RN_TRIAL_SUB_UIDS] = { NULL },
    [RN_TRIAL_SUB_GIDS] = { NULL },
    [RN_TRIAL_HOSTNAME] = { rn_try_hostname, CLONE_NEWUSER | CLONE_NEWUTS,
                            .root_needs_none = true },
    [RN_TRIAL_MOUNTS] = { rn_try_mounts, MOUNTS, .root_needs_none = true },
    [RN_TRIAL_PROC] = { rn_try_file_system, MOUNTS | CLONE_NEWPID, "proc",
                        .needs_mounts = true },
    [RN_TRIAL_SYSFS] = { rn_try_file_system, MOUNTS | CLONE_NEWNET, "sysfs",
                         .needs_mounts = true },
    [RN_TRIAL_OVERLAY] = { rn_try_overlay, MOUNTS, .needs_mounts = true },
    [RN_TRIAL_IDMAPPED_MOUNT] = { rn_try_idmapped_mount, MOUNTS,
                                  .root_needs_none = true, .makes_one = true,
                                  .needs_mounts = true },
    [RN_TRIAL_TUN] = { rn_try_tun, NETWORK, .root_needs_none = true },
    [RN_TRIAL_VETH] = { rn_try_veth, NETWORK, .root_needs_none = true },
    [RN_TRIAL_NF_TABLES] = { rn_try_nf_tables, NETWORK,
                             .root_needs_none = true },
    [RN_TRIAL_TRANSPARENT] = { rn_try_transparent, NETWORK,
                               .root_needs_none = true },
    [RN_TRIAL_HANDOFF] = { rn_try_handoff, NETWORK, .root_needs_none = true },
    [RN_TRIAL_PING] = { rn_try_ping },
    [RN_TRIAL_LOW_PORT] = { rn_try_low_port },
    [RN_TRIAL_SECCOMP] = { rn_try_seccomp },
    [RN_TRIAL_SECCOMP_NOTIFY] = { rn_try_seccomp_notify },
    [RN_TRIAL_LANDLOCK] = { rn_try_landlock },
    [RN_TRIAL_CGROUP] = { NULL },
    [RN_TRIAL_BUS] = { NULL },
};
G_STATIC_ASSERT(G_N_ELEMENTS(trials) == RN_TRIAL_N_);

/* What it needs was tried before, and works. */
static bool can_be_tried(const RnDoctorFacts *facts, RnTrialKind kind,
                         uint64_t namespaces)
{
    bool needs_userns =
        kind != RN_TRIAL_USER_NAMESPACE &&
        ((namespaces & CLONE_NEWUSER) != 0 || trials[kind].makes_one);

    if (needs_userns &&
        facts->trials[RN_TRIAL_USER_NAMESPACE].outcome != RN_TRIAL_WORKS)
        return false;
    return !trials[kind].needs_mounts ||
           facts->trials[RN_TRIAL_MOUNTS].outcome == RN_TRIAL_WORKS;
}

static void try_all(RnDoctorFacts *facts)
{
    g_autoptr(GArray) uids = make_map(facts->uid);
    g_autoptr(GArray) gids = make_map(facts->gid);

    for (RnTrialKind kind = 0; kind < RN_TRIAL_N_; kind++) {
        RnTrial trial = {
            .func = trials[kind].func,
            .data = trials[kind].data,
            .namespaces = trials[kind].namespaces,
            .uids = uids,
            .gids = gids,
        };

        if (facts->privileged && trials[kind].root_needs_none)
            trial.namespaces &= ~(uint64_t)CLONE_NEWUSER;
        if (trial.func != NULL && can_be_tried(facts, kind, trial.namespaces))
            rn_trial_run(&trial, &facts->trials[kind]);
    }
}

static void try_bus(RnDoctorFacts *facts,
                    const RnDoctorEnvironment *environment)
{
    g_autofree char *made = NULL;
    RnTrial trial = { .func = rn_try_bus };

    /* an ordinary user's systemd is on a bus of his own */
    if (facts->uid == 0 && !facts->in_userns)
        trial.data = "unix:path=/run/dbus/system_bus_socket";
    else if (environment->bus_address != NULL)
        trial.data = environment->bus_address;
    else if (environment->runtime_dir != NULL)
        trial.data = made =
            g_strdup_printf("unix:path=%s/bus", environment->runtime_dir);
    if (facts->systemd_booted && trial.data != NULL)
        rn_trial_run(&trial, &facts->trials[RN_TRIAL_BUS]);
}

void rn_doctor_look(const RnDoctorEnvironment *environment,
                    RnDoctorFacts *out_facts)
{
    RnTrial cgroup = { .func = rn_try_cgroup };

    *out_facts = (RnDoctorFacts){ 0 };
    look_at_ids(out_facts);
    look_at_host(out_facts);
    look_at_runtime_dir(environment->runtime_dir, &out_facts->runtime_dir);
    look_at_cgroup(out_facts);
    try_all(out_facts);
    if (!out_facts->maps_any_ids) {
        try_sub_ids(out_facts, RN_ID_USER);
        try_sub_ids(out_facts, RN_ID_GROUP);
    }
    cgroup.data = out_facts->cgroup.own;
    if (cgroup.data != NULL)
        rn_trial_run(&cgroup, &out_facts->trials[RN_TRIAL_CGROUP]);
    try_bus(out_facts, environment);
}

void rn_doctor_facts_clear(RnDoctorFacts *facts)
{
    g_free(facts->user);
    g_free(facts->container);
    g_free(facts->release);
    g_free(facts->executable);
    g_free(facts->runtime_dir.path);
    forget_cgroup(&facts->cgroup);
    for (RnTrialKind kind = 0; kind < RN_TRIAL_N_; kind++)
        rn_trial_result_clear(&facts->trials[kind]);
    *facts = (RnDoctorFacts){ 0 };
}
