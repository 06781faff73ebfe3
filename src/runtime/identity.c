/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * identity - from the launcher's child to the container's process
 *
 * Runs in init. In: the plan. The order matters and is noted at each step:
 * what needs capabilities comes before they go, what the kernel resets at a
 * change of ids comes after it. No step can be taken back; the caller ends on
 * failure.
 */
#include "config.h"

#include <rnet/runtime/identity.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/magic.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <rnet/sys/keyring.h>
#include <rnet/sys/lsm.h>
#include <rnet/sys/rlimit.h>
#include <rnet/sys/timens.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>

enum {
    DEFAULT_UMASK = 022, /* as runc and crun */
    NAMED_GIDS = 8,      /* in an error text */
};

static bool has_userns(const RnPlan *plan)
{
    return plan->has_userns;
}

static RnLsmLabels labels_of(const RnProcess *process)
{
    return (RnLsmLabels){
        .apparmor = process->apparmor_profile,
        .selinux = process->selinux_label,
    };
}

bool rn_identity_open_proc(const RnPlan *plan, int *out_proc_fd, GError **error)
{
    const RnLsmLabels labels = labels_of(&plan->config->process);
    rn_autofd int fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct statfs status = { 0 };

    if (fd < 0 || fstatfs(fd, &status) < 0)
        return rn_set_errno(error, errno, "open \"/proc\"");
    if (status.f_type != PROC_SUPER_MAGIC)
        return rn_set_error(error, RN_ERROR_UNSUPPORTED,
                            "\"/proc\" is no proc file system");
    if (!rn_lsm_check(&labels, error))
        return false;
    *out_proc_fd = g_steal_fd(&fd);
    return true;
}

bool rn_identity_set_oom_score(const RnPlan *plan, int proc_fd, GError **error)
{
    const RnProcess *process = &plan->config->process;
    g_autofree char *text = NULL;

    if (!process->has_oom_score_adj)
        return true;
    text = g_strdup_printf("%d", process->oom_score_adj);
    if (rn_file_write(proc_fd, "self/oom_score_adj", text, error))
        return true;
    g_prefix_error(error, "process.oomScoreAdj: set %s: ", text);
    if (error != NULL && rn_error_is_errno(*error, EACCES))
        (void)rn_error_add_hint(error, "an ordinary user can only raise the "
                                       "value; raise or leave out "
                                       "process.oomScoreAdj");
    return false;
}

/* The id that works on the container's behalf: 0, or the first there is. */
static uint32_t working_id(const GArray *maps)
{
    uint32_t host_id = 0;

    if (maps->len == 0 || rn_idmap_to_host(maps, 0, &host_id))
        return 0;
    return g_array_index(maps, RnIdMapping, 0).container_id;
}

static bool set_ids(uint32_t uid, uint32_t gid, GError **error)
{
    /* capabilities of the user namespace must outlive the change, also where
     * it is away from id 0; exec ends this, and PR_SET_KEEPCAPS 0 below */
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
        return rn_set_errno(error, errno, "keep the capabilities");
    if (setresgid(gid, gid, gid) < 0)
        return rn_set_errno(error, errno, "become gid %u", gid);
    if (setresuid(uid, uid, uid) < 0)
        return rn_set_errno(error, errno, "become uid %u", uid);
    if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0)
        return rn_set_errno(error, errno, "no longer keep the capabilities");
    return true;
}

bool rn_identity_become_root(const RnPlan *plan, GError **error)
{
    if (has_userns(plan) && !set_ids(working_id(plan->uid_mappings),
                                     working_id(plan->gid_mappings), error))
        return false;
    /*
     * A change of ids makes the process undumpable: its /proc files then
     * belong to the host's root, and the launcher could not open its
     * namespaces there, proc(5).
     */
    if (!rn_plan_hides_init(plan) && prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0)
        return rn_set_errno(error, errno, "make /proc/self accessible");
    return true;
}

bool rn_identity_join_keyring(const RnPlan *plan, int proc_fd, GError **error)
{
    const char *label = plan->config->process.selinux_label;
    g_autofree char *name = g_strconcat("_ses.", plan->id, NULL);

    /* else the payload, under its label, could not use the keyring */
    if (label != NULL && !rn_lsm_set_keycreate(proc_fd, label, error))
        return false;
    return rn_keyring_join(name, error) &&
           (label == NULL || rn_lsm_set_keycreate(proc_fd, "", error));
}

static char *format_offsets(const GArray *offsets)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (unsigned i = 0; i < offsets->len; i++) {
        const RnTimeOffset *offset = &g_array_index(offsets, RnTimeOffset, i);

        g_string_append_printf(text, "%s %" G_GINT64_FORMAT " %u\n",
                               offset->clock, offset->seconds,
                               offset->nanoseconds);
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

bool rn_identity_make_time_namespace(const RnPlan *plan, int proc_fd,
                                     GError **error)
{
    g_autofree char *offsets = NULL;

    if ((plan->namespaces & CLONE_NEWTIME) == 0)
        return true;
    if (plan->config->time_offsets != NULL)
        offsets = format_offsets(plan->config->time_offsets);
    if (rn_timens_enter_new(proc_fd, offsets == NULL ? "" : offsets, error))
        return true;
    g_prefix_error(error, "linux.timeOffsets: ");
    return false;
}

static bool set_rlimits(const RnProcess *process, GError **error)
{
    for (unsigned i = 0; i < process->rlimits->len; i++) {
        const RnRlimit *limit = &g_array_index(process->rlimits, RnRlimit, i);

        if (!rn_rlimit_set(limit->resource, limit->soft, limit->hard, error)) {
            g_prefix_error(error, "process.rlimits: ");
            return false;
        }
    }
    return true;
}

static char *format_gids(const GArray *gids)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (unsigned i = 0; i < gids->len && i < NAMED_GIDS; i++)
        g_string_append_printf(text, "%s%u", i == 0 ? "" : ", ",
                               g_array_index(gids, uint32_t, i));
    if (gids->len > NAMED_GIDS)
        g_string_append(text, ", ...");
    return g_string_free(g_steal_pointer(&text), FALSE);
}

/* The list replaces the caller's groups, also when it is empty. */
static bool set_groups(const RnProcess *process, GError **error)
{
    const GArray *gids = process->additional_gids;
    g_autofree char *text = NULL;

    G_STATIC_ASSERT(sizeof(gid_t) == sizeof(uint32_t));
    if (setgroups(gids->len, (const gid_t *)(const void *)gids->data) == 0)
        return true;
    if (errno == EPERM && gids->len == 0) {
        /* user_namespaces(7): denied where a user wrote the gid map itself */
        rn_log_debug("the caller's supplementary groups cannot be dropped");
        return true;
    }
    text = format_gids(gids);
    (void)rn_set_errno(error, errno, "process.user.additionalGids: set %s",
                       text);
    return rn_error_add_hint(error, "a container with a single id cannot have "
                                    "additional groups; see newgidmap(1)");
}

bool rn_identity_enter_cwd(const RnPlan *plan, bool *out_denied, GError **error)
{
    const char *cwd = plan->config->process.cwd;
    char present[PATH_MAX];

    if (chdir(cwd) < 0) {
        if (errno != EACCES)
            return rn_set_errno(error, errno, "process.cwd: enter \"%s\"", cwd);
        *out_denied = true;
        return true;
    }
    /* the kernel marks a directory outside of the root as unreachable, which
     * getcwd(3) reports as ENOENT */
    if (getcwd(present, sizeof present) == NULL || present[0] != '/')
        return rn_set_error(error, RN_ERROR_INVALID,
                            "process.cwd: \"%s\" is outside of the container",
                            cwd);
    *out_denied = false;
    return true;
}

static bool enter_denied_cwd(const RnPlan *plan, GError **error)
{
    bool denied = false;

    if (!rn_identity_enter_cwd(plan, &denied, error))
        return false;
    if (denied)
        return rn_set_errno(error, EACCES, "process.cwd: enter \"%s\"",
                            plan->config->process.cwd);
    return true;
}

/*
 * A program that opens its output by name (/dev/stdout) has to own the pipe
 * that an engine made for it, as with runc. Pipes alone: a file or a terminal of
 * the caller's stays the caller's. One of somebody whom the user namespace does
 * not know cannot be given away.
 */
static void give_pipes(const RnProcess *process)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        struct statfs status = { 0 };

        if (fstatfs(fd, &status) == 0 && status.f_type == PIPEFS_MAGIC)
            (void)!fchown(fd, process->uid, (gid_t)-1);
    }
}

static bool set_personality(const RnConfig *config, GError **error)
{
    if (!config->has_personality || personality(config->personality) >= 0)
        return true;
    return rn_set_errno(error, errno, "linux.personality: set 0x%lx",
                        config->personality);
}

static bool set_schedule(const RnProcess *process, bool is_exec, GError **error)
{
    const char *cpus = is_exec ? process->affinity_final : NULL;

    if (cpus != NULL && !rn_cpu_affinity_set(cpus, error)) {
        g_prefix_error(error, "process.execCPUAffinity.final: ");
        return false;
    }
    if (process->has_scheduler &&
        !rn_scheduler_set(&process->scheduler, error)) {
        g_prefix_error(error, "process.scheduler: ");
        return false;
    }
    if (process->has_io_priority &&
        !rn_io_priority_set(&process->io_priority, error)) {
        g_prefix_error(error, "process.ioPriority: ");
        return false;
    }
    return true;
}

/*
 * After the ids: the kernel forgets the signal at each change of them. The
 * labels after the capabilities: see rn_lsm_set_exec(). noNewPrivileges last:
 * AppArmor lets a process with it take fewer profiles.
 */
static bool confine(const RnPlan *plan, const RnCapSets *sets, int proc_fd,
                    GError **error)
{
    const RnProcess *process = &plan->config->process;
    const RnLsmLabels labels = labels_of(process);

    /* with the payload's rights, but rnet's memory and fds: not for others
     * with the same rights, as long as they are there (CVE-2016-9962) */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return rn_set_errno(error, errno, "make the process undumpable");
    if (!rn_caps_apply(sets, error) ||
        !rn_lsm_set_exec(proc_fd, &labels, error))
        return false;
    if (process->no_new_privileges &&
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return rn_set_errno(error, errno, "set no_new_privs");
    if (plan->manner.dies_with_caller &&
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
        return rn_set_errno(error, errno,
                            "ask for a signal at the parent's end");
    return true;
}

static RnCapMask keep_known(RnCapMask mask, RnCapMask *unknown)
{
    *unknown |= mask & ~rn_caps_all();
    return mask & rn_caps_all();
}

/*
 * Without process.capabilities: none. An ambient capability has to be permitted
 * and inheritable, capabilities(7); the bundles that `runc spec` of 1.1 makes
 * name more, which runc and crun pass over, and so does rnet. Capabilities that
 * the kernel is too old for cannot be had and are no danger.
 */
static RnCapSets choose_capabilities(const RnProcess *process)
{
    RnCapSets sets = { 0 };
    RnCapMask unknown = 0;

    if (!process->has_capabilities)
        return sets;
    sets = process->capabilities;
    sets.bounding = keep_known(sets.bounding, &unknown);
    sets.effective = keep_known(sets.effective, &unknown);
    sets.permitted = keep_known(sets.permitted, &unknown);
    sets.inheritable = keep_known(sets.inheritable, &unknown);
    sets.ambient =
        keep_known(sets.ambient, &unknown) & sets.permitted & sets.inheritable;
    if (unknown != 0)
        rn_log_warning("process.capabilities: the kernel does not know all of "
                       "them (mask 0x%" G_GINT64_MODIFIER "x); ignoring",
                       unknown);
    return sets;
}

/*
 * seccomp(2) without no_new_privs takes CAP_SYS_ADMIN. runc installs the filter
 * while it has all capabilities, and the filter must then allow what it has
 * still to do. Here it comes last in any case: what is permitted and effective
 * before an exec, but not inheritable, ambient or in the bounding set, is gone
 * after it, whoever the user is, capabilities(7).
 */
static void keep_right_to_filter(const RnPlan *plan, RnCapSets *sets)
{
    if (plan->config->seccomp == NULL ||
        plan->config->process.no_new_privileges)
        return;
    sets->permitted |= RN_CAP_BIT(CAP_SYS_ADMIN);
    sets->effective |= RN_CAP_BIT(CAP_SYS_ADMIN);
}

bool rn_identity_assume(const RnPlan *plan, const RnIdentityChange *change,
                        GError **error)
{
    const RnProcess *process = &plan->config->process;
    RnCapSets sets = choose_capabilities(process);

    keep_right_to_filter(plan, &sets);
    give_pipes(process);
    (void)umask(process->has_umask ? process->umask : DEFAULT_UMASK);
    /* schedule, groups, limits and the bounding set need capabilities */
    return set_personality(plan->config, error) &&
           set_schedule(process, change->is_exec, error) &&
           set_groups(process, error) && set_rlimits(process, error) &&
           rn_caps_limit_bounding(sets.bounding, error) &&
           set_ids(process->uid, process->gid, error) &&
           (!change->cwd_was_denied || enter_denied_cwd(plan, error)) &&
           confine(plan, &sets, change->proc_fd, error);
}
