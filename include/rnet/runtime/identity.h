/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * identity - who the container's process is: ids, groups, limits, capabilities
 *
 * runtime-spec config.md, Process and User. First the container's root (or, in
 * a namespace without id 0, its first id) does the work, with all
 * capabilities; in the end the process becomes what config.json says and can
 * do no more than that. The functions are called in the order in which they
 * are declared, by init and by the process of an exec.
 */
#ifndef RNET_RUNTIME_IDENTITY_H
#define RNET_RUNTIME_IDENTITY_H

#include <rnet/runtime/plan.h>

/*
 * Opens the host's /proc, O_PATH and CLOEXEC, for what follows: the /proc of a
 * container may be anything. Checks that the kernel has what
 * process.apparmorProfile and selinuxLabel need. While the process is still on
 * the host's files; an exec may hand an fd on that its parent opened.
 */
bool rn_identity_open_proc(const RnPlan *plan, int *out_proc_fd,
                           GError **error) RN_CHECK;

/*
 * Writes process.oomScoreAdj; for a process that has the ids that it was
 * cloned with. Lowering the value takes CAP_SYS_RESOURCE on the host.
 */
bool rn_identity_set_oom_score(const RnPlan *plan, int proc_fd,
                               GError **error) RN_CHECK;

/* Becomes the container's root, when the maps are written. */
bool rn_identity_become_root(const RnPlan *plan, GError **error) RN_CHECK;

/*
 * Enters a session keyring of the container's own, "_ses.ID" as with runc; not
 * to be called with --no-new-keyring. An exec joins that of the container.
 */
bool rn_identity_join_keyring(const RnPlan *plan, int proc_fd,
                              GError **error) RN_CHECK;

/*
 * Makes and enters the time namespace with linux.timeOffsets, if the plan has
 * CLONE_NEWTIME: this bit is not for clone3(2), timens.h. Not for an exec.
 */
bool rn_identity_make_time_namespace(const RnPlan *plan, int proc_fd,
                                     GError **error) RN_CHECK;

/*
 * Goes to process.cwd, which must lie in the container's root (CVE-2024-21626:
 * a working directory outside of it). *out_denied: the container's root may
 * not enter it, the process's user perhaps may.
 */
bool rn_identity_enter_cwd(const RnPlan *plan, bool *out_denied,
                           GError **error) RN_CHECK;

typedef struct RnIdentityChange {
    int proc_fd;         /* rn_identity_open_proc()'s */
    bool cwd_was_denied; /* rn_identity_enter_cwd()'s */
    bool is_exec;        /* process.execCPUAffinity.final counts; .initial is
                            for who makes the process, before it joins */
} RnIdentityChange;

/*
 * umask, personality, scheduler, I/O priority, groups, limits, ids,
 * capabilities, labels for the exec, noNewPrivileges, and, where the plan says
 * so, SIGKILL at the parent's end; the working directory too if it was denied
 * before. Without process.capabilities the process has none, as with runc. Pipes
 * that are its stdio are given to its user. It is undumpable up to the exec.
 *
 * rn_exec_program() comes next, with linux.seccomp: for a filter without
 * noNewPrivileges the process keeps CAP_SYS_ADMIN up to the exec, which takes
 * it away. After a failure the caller is neither one nor the other and has to
 * end.
 */
bool rn_identity_assume(const RnPlan *plan, const RnIdentityChange *change,
                        GError **error) RN_CHECK;

#endif
