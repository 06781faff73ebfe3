/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * process - clone, pidfds, and helper processes
 */
#ifndef RNET_SYS_PROCESS_H
#define RNET_SYS_PROCESS_H

#include <stdint.h>

#include <sys/types.h>

#include <rnet/util/error.h>

/*
 * clone3(2) as fork: `namespaces` are CLONE_NEW* bits. Returns true twice: in
 * the child *out_pid is 0 and *out_pidfd -1, in the parent both are the
 * child's (the pidfd is CLOEXEC and the caller's). The child has copies of all
 * fds: it starts with rn_fd_close_all_but(). With CLONE_FILES, too, it has the
 * caller's own. Needs Linux 5.3; when it fails with CLONE_NEWUSER in
 * `namespaces`, rn_userns_explain() has the cause.
 */
bool rn_clone(uint64_t namespaces, pid_t *out_pid, int *out_pidfd,
              GError **error) RN_CHECK;

/*
 * The same, with the child in the cgroup (v2) whose directory `cgroup_fd` is,
 * from its first moment; -1: in the caller's. Needs Linux 5.7, and the rights
 * that moving the process there would take.
 */
bool rn_clone_into(uint64_t namespaces, int cgroup_fd, pid_t *out_pid,
                   int *out_pidfd, GError **error) RN_CHECK;

/*
 * Sets every signal to its default action and unblocks all of them: a signal
 * mask and ignored signals survive fork and exec. For a freshly forked child.
 */
void rn_signals_reset(void);

typedef enum RnHelperLifetime {
    RN_HELPER_DIES_WITH_CALLER,
    RN_HELPER_OUTLIVES_CALLER,
} RnHelperLifetime;

/*
 * Starts /proc/self/exe again as the helper `name` (its argv[0], "rnet-relay",
 * by which main() knows it), in a session of its own, all signals at default
 * and unblocked, with the caller's environment and no fds but 0-2 (stdin is
 * /dev/null; stdout and stderr are the caller's, /dev/null where that is
 * closed) and `socket` as RN_HELPER_FD. `socket` stays the caller's too.
 *
 * A failure up to the exec is this function's error and leaves no process
 * behind. With RN_HELPER_DIES_WITH_CALLER the helper gets SIGKILL when the
 * caller's process ends. The kernel forgets that (prctl(2), PR_SET_PDEATHSIG)
 * when the helper changes its ids, so a helper also ends at EOF of its socket.
 */
bool rn_helper_spawn(const char *name, int socket, RnHelperLifetime lifetime,
                     pid_t *out_pid, int *out_pidfd, GError **error) RN_CHECK;

/* What a forked helper does; what it returns is its exit status. */
typedef int (*RnHelperFunc)(void);

/*
 * The same, but the helper is a fork that calls `run`, with all that the
 * caller has in memory: for one that the caller trusts as itself and that each
 * start of a container needs, where an exec with all its libraries would take
 * more time than anything else. Its command line is `name` as well; its log
 * lines go to stderr only, at warning level. The caller has one thread.
 *
 * It does not wait for the child: whatever must not happen before the helper
 * is in its own session comes after rn_helper_await().
 */
typedef struct RnForked {
    pid_t pid;
    int pidfd;  /* both the caller's */
    int report; /* for rn_helper_await() */
} RnForked;

bool rn_helper_fork(const char *name, RnHelperFunc run, int socket,
                    RnHelperLifetime lifetime, RnForked *out_forked,
                    GError **error) RN_CHECK;

/* Waits for it; on failure the process has ended, and is to be reaped. */
bool rn_helper_await(const char *name, int report, GError **error) RN_CHECK;

/*
 * What a helper calls first: its name in ps and top, where it would be "exe"
 * after /proc/self/exe, and in its log lines. `name` is kept, not copied.
 */
void rn_helper_take_name(const char *name);

/* Opens /proc/PID/ns/NAME ("net") of a process, *out_fd the caller's. The pid is
 * that of a child not yet reaped, so that it cannot be another's. */
bool rn_process_open_namespace(pid_t pid, const char *name, int *out_fd,
                               GError **error) RN_CHECK;

/* Sends a signal through a pidfd; a process that is gone (ESRCH) is fine. */
bool rn_pidfd_signal(int pidfd, int signal_number, GError **error) RN_CHECK;

/* Blocks until the pidfd's process has ended (it need not be a child). */
bool rn_pidfd_wait_exit(int pidfd, GError **error) RN_CHECK;

/* Waits for a child, reaps it; *out_status (may be NULL): as waitpid(2). */
bool rn_process_reap(pid_t pid, int *out_status, GError **error) RN_CHECK;

/*
 * Kills (SIGKILL) and reaps a child and closes its pidfd (which may be -1), for
 * undoing; nothing when `pid` is not positive.
 */
void rn_process_end(pid_t pid, int *pidfd);

/* A waitpid(2) status as a shell has it: the exit code, or 128 + signal. */
int rn_process_exit_code(int status);

#endif
