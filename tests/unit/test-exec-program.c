/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-exec-program - exec under filters that forbid what could be forbidden
 *
 * The child is what init is at that point; the test is its launcher.
 */
#include "config.h"

#include <unit.h>

#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <rnet/runtime/exec-program.h>
#include <rnet/sys/process.h>
#include <rnet/util/fd.h>
#include <rnet/util/msg.h>
#include <rnet/util/protocol.h>

enum {
    DEADLINE_S = 60,
    NOBODY = 65534,
};

typedef struct Case {
    const char *name;
    const char *path;    /* NULL: a shell */
    const char *script;  /* of the shell */
    const char *calls;   /* that the filter is about; NULL: no filter */
    uint32_t action;     /* for them; everything else is allowed */
    bool has_no_room;    /* a second thread is impossible */
    const char *failure; /* what the launcher hears, NULL: nothing */
    RnErrorCode code;    /* of that */
    int errno_value;     /* of that, in place of a code */
    int exit_code;
} Case;

static RnSeccompProgram *make_filter(const Case *item)
{
    g_autoptr(RnSeccomp) seccomp = rn_seccomp_new();
    RnSeccompRule *rule = NULL;

    if (item->calls == NULL)
        return NULL;
    rule = g_new0(RnSeccompRule, 1);
    rule->names = g_strsplit(item->calls, " ", -1);
    rule->action = item->action;
    seccomp->default_action = SCMP_ACT_ALLOW;
    seccomp->listener_path = g_strdup("/nowhere");
    g_ptr_array_add(seccomp->rules, rule);
    return rn_seccomp_compile(seccomp, NULL);
}

/* Root is held to RLIMIT_NPROC by nothing. */
static bool leave_no_room(void)
{
    const struct rlimit none = { 0, 0 };

    return (geteuid() != 0 || setresuid(NOBODY, NOBODY, NOBODY) == 0) &&
           setrlimit(RLIMIT_NPROC, &none) == 0;
}

G_NORETURN static void become_payload(const Case *item, int socket)
{
    g_autoptr(RnSeccompProgram) filter = make_filter(item);
    const char *args[] = { "sh", "-c", item->script, NULL };
    const char *env[] = { "PATH=/usr/bin:/bin", NULL };
    const RnExecution execution = {
        .path = item->path == NULL ? "/bin/sh" : item->path,
        .args = (char **)args,
        .env = (char **)env,
        .filter = filter,
        .socket = socket,
    };
    g_autoptr(GError) error = NULL;

    (void)alarm(DEADLINE_S);
    if ((item->calls != NULL && filter == NULL) ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        (item->has_no_room && !leave_no_room()))
        _exit(99);
    if (!rn_exec_program(&execution, &error)) {
        g_prefix_error(&error, "exec: ");
        (void)rn_msg_send_error(socket, error, NULL);
    }
    _exit(98);
}

static pid_t start_payload(const Case *item, int *out_socket)
{
    int sockets[2] = { -1, -1 };
    pid_t pid = 0;

    assert_true(rn_msg_pair(sockets, NULL));
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        become_payload(item, sockets[1]);
    rn_fd_close(&sockets[1]);
    *out_socket = sockets[0];
    return pid;
}

static void run_case(const Case *item)
{
    g_auto(RnMsg) msg = { 0 };
    g_autoptr(GError) error = NULL;
    rn_autofd int socket = -1;
    pid_t pid = start_payload(item, &socket);
    int status = 0;

    print_message("# %s\n", item->name);
    if (rn_msg_recv(socket, &msg, &error))
        (void)rn_msg_take_error(&msg, &error);
    if (item->failure == NULL)
        assert_error(error, RN_ERROR, RN_ERROR_PEER_DIED, "");
    else if (item->errno_value != 0)
        assert_error(error, RN_ERRNO, item->errno_value, item->failure);
    else
        assert_error(error, RN_ERROR, item->code, item->failure);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (item->failure == NULL)
        assert_int_equal(rn_process_exit_code(status), item->exit_code);
    else
        assert_int_not_equal(status, 0);
}

/* Without these nothing can be told, and nobody be woken. */
#define MUTE                                                                   \
    "sendmsg sendto write futex exit exit_group kill tgkill rt_sigreturn"

static const Case cases[] = {
    { .name = "no filter", .script = "exit 7", .exit_code = 7 },
    { .name = "no filter, no program",
      .path = "/nowhere",
      .failure = "exec: \"/nowhere\": no such file",
      .code = RN_ERROR_PROGRAM_MISSING },
    { .name = "a filter for the program alone",
      .script = "kill -0 $$ || exit 7",
      .calls = "kill",
      .action = SCMP_ACT_ERRNO(EPERM),
      .exit_code = 7 },
    { .name = "one thread, no child",
      .script = "grep -q '^Threads:.1$' /proc/self/status && "
                "! test -s /proc/$$/task/$$/children",
      .calls = "getppid",
      .action = SCMP_ACT_ERRNO(EPERM) },
    { .name = "a program that is not there",
      .path = "/nowhere",
      .calls = "getppid",
      .action = SCMP_ACT_ERRNO(EPERM),
      .failure = "exec: \"/nowhere\": no such file",
      .code = RN_ERROR_PROGRAM_MISSING },
    { .name = "exec is denied",
      .calls = "execve",
      .action = SCMP_ACT_ERRNO(EPERM),
      .failure = "linux.seccomp may forbid execve(2)",
      .code = RN_ERROR_PROGRAM_UNRUNNABLE },
    { .name = "exec and all ways to tell of it are denied, but one",
      .calls = "execve sendmsg sendto write futex exit_group kill tgkill",
      .action = SCMP_ACT_ERRNO(EPERM),
      .failure = "linux.seccomp may forbid execve(2)",
      .code = RN_ERROR_PROGRAM_UNRUNNABLE },
    { .name = "exec kills the thread",
      .calls = "execve",
      .action = SCMP_ACT_KILL_THREAD,
      .failure = "linux.seccomp ends a process that calls execve(2)",
      .code = RN_ERROR_PROGRAM_UNRUNNABLE },
    { .name = "a program is missing, every word about it kills",
      .path = "/nowhere",
      .calls = MUTE,
      .action = SCMP_ACT_KILL_THREAD,
      .failure = "exec: \"/nowhere\": no such file",
      .code = RN_ERROR_PROGRAM_MISSING },
    { .name = "exec kills the process",
      .calls = "execve",
      .action = SCMP_ACT_KILL_PROCESS,
      .exit_code = 128 + SIGSYS },
    { .name = "no room for a thread",
      .script = "exit 7",
      .calls = "getppid",
      .action = SCMP_ACT_ERRNO(EPERM),
      .has_no_room = true,
      .exit_code = 7 },
    { .name = "no room for a thread that the listener needs",
      .script = "exit 7",
      .calls = "getppid",
      .action = SCMP_ACT_NOTIFY,
      .has_no_room = true,
      .failure = "linux.seccomp: start a thread",
      .errno_value = EAGAIN },
};

static void outcome_of_exec_is_told(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        run_case(&cases[i]);
}

/* Answers notifications until the program has ended; how many there were. */
static unsigned serve(int listener)
{
    struct seccomp_notif request;
    unsigned n = 0;

    for (;; n++) {
        struct seccomp_notif_resp reply = {
            .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE
        };

        memset(&request, 0, sizeof request);
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) < 0)
            return n;
        reply.id = request.id;
        (void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply);
    }
}

static void listener_gets_also_the_calls_that_would_pass_it_on(void **state)
{
    const Case item = {
        .script = "exit 7",
        .calls = "execve sendmsg write close futex exit_group",
        .action = SCMP_ACT_NOTIFY,
    };
    g_auto(RnMsg) msg = { 0 };
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) end = NULL;
    rn_autofd int socket = -1;
    pid_t pid = start_payload(&item, &socket);
    int status = 0;

    (void)state;
    assert_true(
        rn_msg_expect(socket, RN_MSG_SECCOMP_LISTENER, 0, 1, &msg, &error));
    assert_true(serve(msg.fds[0]) >= 2); /* execve and exit_group */
    assert_false(rn_msg_recv(socket, &msg, &end));
    assert_error(end, RN_ERROR, RN_ERROR_PEER_DIED, "");
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(rn_process_exit_code(status), 7);
}

static void filter_that_cannot_be_installed_is_an_error(void **state)
{
    g_autoptr(RnSeccomp) seccomp = rn_seccomp_new();
    g_autoptr(RnSeccompProgram) filter = NULL;
    g_autoptr(GError) error = NULL;
    const char *args[] = { "sh", NULL };
    RnExecution execution = { .path = "/nowhere",
                              .args = (char **)args,
                              .env = (char **)args };

    (void)state;
    seccomp->default_action = SCMP_ACT_ALLOW;
    seccomp->flags_given = true;
    seccomp->flags = 1U << 31;
    filter = rn_seccomp_compile(seccomp, &error);
    assert_no_error(error);
    execution.filter = filter;
    assert_false(rn_exec_program(&execution, &error));
    assert_error(error, RN_ERRNO, EINVAL, "linux.seccomp: install the filter");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outcome_of_exec_is_told),
        cmocka_unit_test(listener_gets_also_the_calls_that_would_pass_it_on),
        cmocka_unit_test(filter_that_cannot_be_installed_is_an_error),
    };

    return cmocka_run_group_tests_name("exec-program", tests, NULL, NULL);
}
