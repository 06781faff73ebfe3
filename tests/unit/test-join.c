/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Children in the namespaces of a process that this test makes. */
#include "config.h"

#include <unit.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <rnet/runtime/join.h>
#include <rnet/sys/caps.h>
#include <rnet/sys/process.h>
#include <rnet/util/fd.h>

#include "holder.h"
#include "in-child.h"
#include "scratch.h"

enum {
    STATUS_SUCCESS = 42, /* of a child that has said all */
    TEXT_MAX = 4096
};

static void add_join(GPtrArray *joins, uint64_t flag, char *path)
{
    RnJoin *join = g_new0(RnJoin, 1);

    join->flag = flag;
    join->path = path;
    g_ptr_array_add(joins, join);
}

static void free_join(gpointer data)
{
    RnJoin *join = data;

    g_free(join->path);
    g_free(join);
}

static GPtrArray *joins_of(pid_t pid, uint64_t flags)
{
    GPtrArray *joins = g_ptr_array_new_with_free_func(free_join);

    for (unsigned i = 0; i < HOLDER_KINDS; i++) {
        if ((flags & holder_kinds[i].flag) != 0)
            add_join(joins, holder_kinds[i].flag,
                     holder_ns_path(pid, holder_kinds[i].name));
    }
    return joins;
}

/* What one child says about itself. */
typedef struct Said {
    char text[TEXT_MAX];
    int dumpable;
    int has_all_caps;
    int is_orphan; /* its parent is in no pid namespace of its own */
    int hears_eof; /* no fd of the joiner's is left open */
} Said;

typedef struct Ask {
    uint64_t namespaces;    /* new ones */
    const GPtrArray *joins; /* NULL: as `like` */
    const Holder *like;
    uint64_t flags; /* kinds to tell about */
} Ask;

static G_NORETURN void child_main(const Ask *ask, int answer)
{
    Said said = { 0 };
    g_autofree char *text = holder_describe(0, ask->flags);

    (void)g_strlcpy(said.text, text, sizeof said.text);
    said.dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
    said.has_all_caps = rn_caps_effective() == rn_caps_all();
    said.is_orphan = getppid() == 0;
    _exit(write(answer, &said, sizeof said) == sizeof said ? STATUS_SUCCESS
                                                           : EXIT_FAILURE);
}

static bool try_ask(const Ask *ask, Said *said, GError **error)
{
    int pipe_fds[2] = { -1, -1 };
    rn_autofd int pidfd = -1;
    pid_t pid = -1;
    int status = 0;
    bool made = false;

    assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
    made = ask->joins != NULL
               ? rn_join_clone(ask->namespaces, ask->joins, &pid, &pidfd, error)
               : rn_join_clone_like(ask->like->pidfd, ask->like->pid, &pid,
                                    &pidfd, error);
    if (made && pid == 0)
        child_main(ask, pipe_fds[1]);
    rn_fd_close(&pipe_fds[1]);
    if (!made) {
        assert_int_equal(pid, -1);
        assert_int_equal(pidfd, -1);
        /* nobody is left that could say something */
        assert_int_equal(read(pipe_fds[0], said, sizeof *said), 0);
        rn_fd_close(&pipe_fds[0]);
        assert_int_equal(waitpid(-1, &status, __WALL | WNOHANG),
                         ask->like != NULL || ask->joins->len > 0 ? 0 : -1);
        return false;
    }
    assert_int_equal(read(pipe_fds[0], said, sizeof *said), sizeof *said);
    rn_fd_close(&pipe_fds[0]);
    if (!rn_pidfd_wait_exit(pidfd, error))
        assert_no_error(*error);
    /* the caller's own child, with the usual signal */
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), STATUS_SUCCESS);
    return true;
}

static void assert_like_holder(const Ask *ask, const Holder *holder, Said *said)
{
    g_autofree char *expected = holder_describe(holder->pid, ask->flags);
    g_autoptr(GError) error = NULL;

    if (!try_ask(ask, said, &error))
        assert_no_error(error);
    assert_string_equal(said->text, expected);
}

static int setup(void **state)
{
    (void)state;
    (void)alarm(60);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    (void)alarm(0);
    return 0;
}

static void child_without_joins_is_a_clone(void **state)
{
    g_autoptr(GPtrArray) joins = g_ptr_array_new();
    g_autofree char *own = holder_describe(0, CLONE_NEWNET);
    g_autoptr(GError) error = NULL;
    const Ask ask = {
        .namespaces = CLONE_NEWUSER | CLONE_NEWUTS,
        .joins = joins,
        .flags = CLONE_NEWNET,
    };
    Said said = { 0 };

    (void)state;
    if (!try_ask(&ask, &said, &error))
        assert_no_error(error);
    assert_string_equal(said.text, own);
}

static void child_joins_namespaces_of_all_kinds(void **state)
{
    Holder holder = { 0 };
    g_autoptr(GPtrArray) joins = NULL;
    Ask ask = { .flags = HOLDER_ALL };
    Said said = { 0 };

    (void)state;
    holder_start(&holder, HOLDER_ALL);
    ask.joins = joins = joins_of(holder.pid, HOLDER_ALL);
    assert_like_holder(&ask, &holder, &said);
    assert_int_equal(said.is_orphan, 1);
    assert_int_equal(said.has_all_caps, 1);
    assert_int_equal(said.dumpable, 0);
    holder_end(&holder);
}

static void child_joins_each_kind_alone(void **state)
{
    Holder holder = { 0 };

    (void)state;
    holder_start(&holder, HOLDER_ALL);
    for (unsigned i = 1; i < HOLDER_KINDS; i++) {
        uint64_t flags = CLONE_NEWUSER | holder_kinds[i].flag;
        g_autoptr(GPtrArray) joins = joins_of(holder.pid, flags);
        const Ask ask = { .joins = joins, .flags = flags };
        Said said = { 0 };

        print_message("# %s\n", holder_kinds[i].name);
        assert_like_holder(&ask, &holder, &said);
    }
    holder_end(&holder);
}

static void child_has_new_namespaces_beside_joined_ones(void **state)
{
    Holder holder = { 0 };
    uint64_t flags = CLONE_NEWUSER | CLONE_NEWNET;
    g_autoptr(GPtrArray) joins = NULL;
    g_autofree char *own = holder_describe(0, CLONE_NEWUTS);
    g_autofree char *theirs = NULL;
    g_autoptr(GError) error = NULL;
    Ask ask = {
        .namespaces = CLONE_NEWUTS | CLONE_NEWPID | CLONE_NEWNS,
        .flags = CLONE_NEWUTS,
    };
    Said said = { 0 };

    (void)state;
    holder_start(&holder, flags | CLONE_NEWUTS);
    theirs = holder_describe(holder.pid, CLONE_NEWUTS);
    ask.joins = joins = joins_of(holder.pid, flags);
    if (!try_ask(&ask, &said, &error))
        assert_no_error(error);
    assert_string_not_equal(said.text, own);
    assert_string_not_equal(said.text, theirs);
    assert_int_equal(said.is_orphan, 1);
    holder_end(&holder);
}

static void own_namespaces_can_be_joined_by_anyone(void **state)
{
    g_autoptr(GPtrArray) joins = joins_of(getpid(), HOLDER_ALL);
    const Holder self = { .pid = getpid() };
    const Ask ask = { .joins = joins, .flags = HOLDER_ALL };
    Said said = { 0 };

    (void)state;
    assert_like_holder(&ask, &self, &said);
}

/* As root of a user namespace, which podman is: a pod's network belongs to
 * that one, and the container has one of its own below. */
static const char *join_outer_network(void *data)
{
    Holder holder = { 0 };
    g_autoptr(GPtrArray) joins = NULL;
    g_autofree char *expected = NULL;
    g_autoptr(GError) error = NULL;
    Ask ask = { .namespaces = CLONE_NEWUSER, .flags = CLONE_NEWNET };
    Said said = { 0 };

    (void)data;
    if (!holder_unshare_user())
        return "make a user namespace";
    holder_start(&holder, CLONE_NEWNET);
    ask.joins = joins = joins_of(holder.pid, CLONE_NEWNET);
    expected = holder_describe(holder.pid, CLONE_NEWNET);
    if (!try_ask(&ask, &said, &error))
        return g_strdup(error->message);
    holder_end(&holder);
    return strcmp(said.text, expected) == 0 ? NULL : "another network";
}

static void outer_network_is_joined_before_a_new_user_namespace(void **state)
{
    (void)state;
    run_in_child(join_outer_network, NULL);
}

/* The network belongs to the caller's user namespace, the user namespace to
 * join does not own it. */
static const char *join_outer_network_and_user(void *data)
{
    Holder network = { 0 };
    Holder user = { 0 };
    g_autoptr(GPtrArray) joins = NULL;
    g_autofree char *expected = NULL;
    g_autoptr(GError) error = NULL;
    Ask ask = { .flags = CLONE_NEWNET };
    Said said = { 0 };

    (void)data;
    if (!holder_unshare_user())
        return "make a user namespace";
    holder_start(&network, CLONE_NEWNET);
    if (!rn_clone(CLONE_NEWUSER, &user.pid, &user.pidfd, &error))
        return g_strdup(error->message);
    if (user.pid == 0)
        (void)pause();
    ask.joins = joins = joins_of(user.pid, CLONE_NEWUSER);
    add_join(joins, CLONE_NEWNET, holder_ns_path(network.pid, "net"));
    expected = holder_describe(network.pid, CLONE_NEWNET);
    if (!try_ask(&ask, &said, &error))
        return g_strdup(error->message);
    holder_end(&network);
    holder_end(&user);
    return strcmp(said.text, expected) == 0 ? NULL : "another network";
}

static void outer_network_is_joined_before_a_joined_user_namespace(void **state)
{
    (void)state;
    run_in_child(join_outer_network_and_user, NULL);
}

static const char *join_without_rights(void *data)
{
    Holder holder = { 0 };
    g_autoptr(GPtrArray) joins = NULL;
    g_autoptr(GError) error = NULL;
    Ask ask = { 0 };
    Said said = { 0 };
    g_autofree char *path = NULL;

    (void)data;
    if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
        return "become an ordinary user";
    if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0)
        return "prctl";
    holder_start(&holder, CLONE_NEWUSER | CLONE_NEWNET);
    path = holder_ns_path(holder.pid, "net");
    ask.joins = joins = joins_of(holder.pid, CLONE_NEWNET);
    if (try_ask(&ask, &said, &error))
        return "joined";
    holder_end(&holder);
    if (!rn_error_is_errno(error, EPERM) ||
        strstr(error->message, "join the net namespace \"/proc/") == NULL ||
        strstr(error->message, path) == NULL ||
        strstr(error->message, "hint: ") == NULL)
        return g_strdup(error->message);
    return NULL;
}

static void namespace_of_another_owner_is_refused_by_name(void **state)
{
    (void)state;
    run_in_child(join_without_rights, NULL);
}

static void file_that_is_no_such_namespace_is_refused(void **state)
{
    g_autofree char *folder = scratch_make();
    g_autofree char *fifo = g_build_filename(folder, "fifo", NULL);
    const struct {
        const char *path;
        GQuark domain;
        int code;
        const char *text;
    } cases[] = {
        { "/proc/self/ns/uts", RN_ERROR, RN_ERROR_INVALID,
          "\"/proc/self/ns/uts\" is a namespace of type uts, not net" },
        { "/proc/self/status", RN_ERROR, RN_ERROR_INVALID,
          "\"/proc/self/status\" is not a namespace" },
        { fifo, RN_ERROR, RN_ERROR_INVALID, "is not a namespace" },
        { "/dev/null", RN_ERROR, RN_ERROR_INVALID, "is not a namespace" },
        { "/no/such/file", RN_ERRNO, ENOENT,
          "open the net namespace \"/no/such/file\"" },
    };

    (void)state;
    assert_int_equal(mkfifo(fifo, 0600), 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) joins = g_ptr_array_new_with_free_func(free_join);
        g_autoptr(GError) error = NULL;
        pid_t pid = -1;
        int pidfd = -1;

        add_join(joins, CLONE_NEWNET, g_strdup(cases[i].path));
        assert_false(rn_join_clone(0, joins, &pid, &pidfd, &error));
        assert_int_equal(pid, -1);
        assert_int_equal(error->domain, cases[i].domain);
        assert_error(error, cases[i].domain, cases[i].code, cases[i].text);
    }
    scratch_remove(folder);
}

static void pid_namespace_that_has_ended_is_refused(void **state)
{
    Holder holder = { 0 };
    g_autoptr(GPtrArray) joins = g_ptr_array_new_with_free_func(free_join);
    g_autoptr(GError) error = NULL;
    rn_autofd int user_fd = -1;
    rn_autofd int pid_fd = -1;
    g_autofree char *user_path = NULL;
    g_autofree char *pid_path = NULL;
    pid_t pid = -1;
    int pidfd = -1;

    (void)state;
    holder_start(&holder, CLONE_NEWUSER | CLONE_NEWPID);
    user_path = holder_ns_path(holder.pid, "user");
    pid_path = holder_ns_path(holder.pid, "pid");
    user_fd = open(user_path, O_RDONLY | O_CLOEXEC);
    pid_fd = open(pid_path, O_RDONLY | O_CLOEXEC);
    assert_true(user_fd >= 0 && pid_fd >= 0);
    holder_end(&holder);
    add_join(joins, CLONE_NEWUSER,
             g_strdup_printf("/proc/self/fd/%d", user_fd));
    add_join(joins, CLONE_NEWPID, g_strdup_printf("/proc/self/fd/%d", pid_fd));
    assert_false(rn_join_clone(0, joins, &pid, &pidfd, &error));
    assert_error(error, RN_ERROR, RN_ERROR_STATE, "has ended with its first");
    assert_int_equal(waitpid(-1, NULL, __WALL), -1);
}

static void child_like_a_process_is_where_it_is_and_hidden(void **state)
{
    Holder holder = { 0 };
    const Ask ask = { .like = &holder, .flags = HOLDER_ALL };
    Said said = { 0 };

    (void)state;
    holder_start(&holder, HOLDER_ALL);
    assert_like_holder(&ask, &holder, &said);
    assert_int_equal(said.is_orphan, 1);
    assert_int_equal(said.has_all_caps, 1);
    assert_int_equal(said.dumpable, 0);
    holder_end(&holder);
}

static void child_like_a_process_without_namespaces_is_at_home(void **state)
{
    Holder holder = { 0 };
    const Ask ask = { .like = &holder, .flags = HOLDER_ALL };
    Said said = { 0 };

    (void)state;
    holder_start(&holder, 0);
    assert_like_holder(&ask, &holder, &said);
    assert_int_equal(said.dumpable, 0);
    holder_end(&holder);
}

static void process_that_has_ended_cannot_be_followed(void **state)
{
    Holder holder = { 0 };
    g_autoptr(GError) error = NULL;
    pid_t pid = -1;
    int pidfd = -1;

    (void)state;
    holder_start(&holder, CLONE_NEWUSER);
    assert_int_equal(kill(holder.pid, SIGKILL), 0);
    assert_true(rn_pidfd_wait_exit(holder.pidfd, NULL));
    /* with its own pid, and with one that is another's by now */
    assert_false(
        rn_join_clone_like(holder.pidfd, holder.pid, &pid, &pidfd, &error));
    assert_non_null(error);
    g_clear_error(&error);
    assert_false(
        rn_join_clone_like(holder.pidfd, getpid(), &pid, &pidfd, &error));
    assert_error(error, RN_ERROR, RN_ERROR_STATE, "has ended");
    assert_int_equal(pid, -1);
    holder_end(&holder);
}

#define GUARDED(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARDED(child_without_joins_is_a_clone),
        GUARDED(child_joins_namespaces_of_all_kinds),
        GUARDED(child_joins_each_kind_alone),
        GUARDED(child_has_new_namespaces_beside_joined_ones),
        GUARDED(own_namespaces_can_be_joined_by_anyone),
        GUARDED(outer_network_is_joined_before_a_new_user_namespace),
        GUARDED(outer_network_is_joined_before_a_joined_user_namespace),
        GUARDED(namespace_of_another_owner_is_refused_by_name),
        GUARDED(file_that_is_no_such_namespace_is_refused),
        GUARDED(pid_namespace_that_has_ended_is_refused),
        GUARDED(child_like_a_process_is_where_it_is_and_hidden),
        GUARDED(child_like_a_process_without_namespaces_is_at_home),
        GUARDED(process_that_has_ended_cannot_be_followed),
    };

    return cmocka_run_group_tests_name("join", tests, NULL, NULL);
}
