/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * world - see world.h
 *
 * Role:     makes a world for each test, waits for its verdict
 * Runs in:  the test program (waiting) and the world's pid 1 (the body)
 * Data:     GO to the child once its ids are mapped; one verdict back
 * Failure:  a world that dies without a verdict, or says nothing until the
 *           deadline, is a failed test; it is killed by its pid namespace
 */
#include "config.h"

#include "world.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <sys/capability.h>

#include <rnet/sys/process.h>
#include <rnet/util/fd.h>
#include <rnet/util/msg.h>
#include <unit.h>

#include "check.h"
#include "world-setup.h"

/* The messages between a world and the test program. */
enum {
    MSG_GO = 1000, /* program > world: ids are mapped */
    MSG_PASSED,    /* world > program */
    MSG_FAILED,    /* world > program: text */
    MSG_SKIPPED,   /* world > program: reason */
};

enum {
    ORDINARY_ID = 65534, /* nobody, when root starts the tests */
    MAX_TESTS = 256,
};

/* One cmocka test: a body in one kind of world. */
typedef struct WorldCase {
    const WorldTest *test;
    WorldKind kind;
} WorldCase;

/*
 * Where this process's verdict goes. File-scope because every check needs it
 * and there is one world in a process.
 */
static int verdict_fd = -1;

static G_NORETURN void end_body(uint32_t type, const char *text)
{
    gsize length = MIN(strlen(text), (gsize)RN_MSG_MAX_PAYLOAD);

    if (!rn_msg_send(verdict_fd, type, text, length, NULL, 0, NULL))
        (void)fprintf(stderr, "world: verdict lost: %s\n", text);
    _exit(type == MSG_PASSED ? 0 : 1);
}

void world_fail(const char *file, int line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_autofree char *full = g_strdup_printf("%s:%d: %s", file, line, text);

    end_body(MSG_FAILED, full);
}

void world_skip(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);

    end_body(MSG_SKIPPED, text);
}

void world_drop_ids(const World *world)
{
    if (world->kind == WORLD_ROOT)
        return;
    if (geteuid() != world->uid &&
        (setgroups(0, NULL) < 0 ||
         setresgid(world->gid, world->gid, world->gid) < 0 ||
         setresuid(world->uid, world->uid, world->uid) < 0))
        world_fail(__FILE__, __LINE__, "become uid %u: %s", world->uid,
                   g_strerror(errno));
    /* in a WORLD_NESTED the ids were right, but not the capabilities */
    cap_t none = cap_init();
    if (none == NULL || cap_set_proc(none) < 0)
        world_fail(__FILE__, __LINE__, "drop capabilities: %s",
                   g_strerror(errno));
    (void)cap_free(none);
    /* so that /proc/PID of such a process belongs to it, as after an exec */
    (void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

pid_t world_fork_user(const World *world)
{
    pid_t pid = fork();

    check_call(pid >= 0, "fork");
    if (pid > 0)
        return pid;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    world_drop_ids(world);
    return 0;
}

/* 2,000 connections need fds in the body; rnet gets the limit back. */
static void raise_nofile(World *world)
{
    struct rlimit limit;

    check_call(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
    world->nofile_soft = (unsigned)limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    check_call(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
}

static void block_child_signal(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    check_call(sigprocmask(SIG_BLOCK, &set, NULL) == 0, "sigprocmask");
}

static void require_link(const World *world)
{
    pid_t pid = world_fork_user(world);

    if (pid == 0) {
        int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
        _exit(fd < 0 ? errno : 0);
    }
    int status = 0;
    GError *error = NULL;
    if (!rn_process_reap(pid, &status, &error))
        check_no_error(error);
    int failure = rn_process_exit_code(status);
    if (failure != 0)
        world_skip("/dev/net/tun cannot be opened as uid %u: %s", world->uid,
                   g_strerror(failure));
}

/* The world's one id, with all capabilities in its user namespace kept. */
static void become_nested(const World *world)
{
    /* not told by geteuid(): an unmapped root looks like nobody */
    if (world->kind != WORLD_NESTED || !world->is_other)
        return;
    check_call(setgroups(0, NULL) == 0, "setgroups");
    check_call(setresgid(world->gid, world->gid, world->gid) == 0, "setgid");
    check_call(setresuid(world->uid, world->uid, world->uid) == 0, "setuid");
    check_call(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0, "prctl");
}

static G_NORETURN void world_main(const WorldCase *test_case, World *world)
{
    WorldFiles files;
    g_auto(RnMsg) go = { 0 };
    GError *error = NULL;

    /* cmocka's handlers would go on with its other tests in this process */
    rn_signals_reset();
    if (!rn_msg_expect(verdict_fd, MSG_GO, 0, 0, &go, &error))
        check_no_error(error);
    world_files_open(&files);
    become_nested(world);
    /* after the ids, since a change of ids clears it */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    block_child_signal();
    raise_nofile(world);
    world_setup_mounts(world, &files);
    world_setup_network(world);
    if ((test_case->test->needs & WORLD_NEEDS_IPV6) != 0 && !world->has_ipv6)
        world_skip("no IPv6 here");
    if ((test_case->test->needs & WORLD_NEEDS_LINK) != 0)
        require_link(world);
    test_case->test->body(world);
    end_body(MSG_PASSED, "");
}

/*
 * One id, or for root in a namespace that is not WORLD_NESTED every id as it
 * is; written from outside, where the privilege for it is.
 */
static bool map_ids(const World *world, pid_t pid, GError **error)
{
    char dir[32], uid_map[64], gid_map[64];
    bool one = world->kind == WORLD_NESTED;

    (void)snprintf(dir, sizeof(dir), "/proc/%d", pid);
    (void)snprintf(uid_map, sizeof(uid_map), "%u %u %u", one ? world->uid : 0,
                   one ? world->uid : 0, one ? 1 : 65536);
    (void)snprintf(gid_map, sizeof(gid_map), "%u %u %u", one ? world->gid : 0,
                   one ? world->gid : 0, one ? 1 : 65536);

    rn_autofd int dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return rn_file_write(dir_fd, "uid_map", uid_map, error) &&
           (geteuid() == 0 ||
            rn_file_write(dir_fd, "setgroups", "deny", error)) &&
           rn_file_write(dir_fd, "gid_map", gid_map, error);
}

/* The verdict, or an error that says why there is none. */
static bool await_verdict(int fd, int pidfd, RnMsg *verdict, GError **error)
{
    struct pollfd polled[] = { { .fd = fd, .events = POLLIN },
                               { .fd = pidfd, .events = POLLIN } };
    int n = 0;

    do {
        n = poll(polled, G_N_ELEMENTS(polled), WORLD_DEADLINE_S * 1000);
    } while (n < 0 && errno == EINTR);
    if (n == 0)
        return rn_set_error(error, RN_ERROR_LIMIT,
                            "not finished after %d seconds", WORLD_DEADLINE_S);
    if (!rn_msg_recv(fd, verdict, error)) {
        g_prefix_error(error, "the world died without a verdict: ");
        return false;
    }
    return true;
}

static bool run_world(const WorldCase *test_case, World *world, RnMsg *verdict,
                      GError **error)
{
    uint64_t namespaces = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET |
                          CLONE_NEWIPC |
                          (world->has_userns ? CLONE_NEWUSER : 0);
    rn_autofd int pidfd = -1;
    int pair[2];
    pid_t pid = -1;

    if (!rn_msg_pair(pair, error))
        return false;
    rn_autofd int ours = pair[0], theirs = pair[1];
    (void)fflush(NULL);
    if (!rn_clone(namespaces, &pid, &pidfd, error))
        return false;
    if (pid == 0) {
        rn_fd_close(&ours);
        verdict_fd = theirs;
        world_main(test_case, world);
    }
    rn_fd_close(&theirs);
    bool ok = (!world->has_userns || map_ids(world, pid, error)) &&
              rn_msg_send(ours, MSG_GO, NULL, 0, NULL, 0, error) &&
              await_verdict(ours, pidfd, verdict, error);
    rn_process_end(pid, &pidfd);
    return ok;
}

static void skip_case(const char *reason)
{
    if (g_strcmp0(g_getenv("RNET_TEST_REQUIRE"), "1") == 0)
        fail_msg("would be skipped: %s", reason);
    print_message("# skipped: %s\n", reason);
    skip();
}

/* A cmocka test; *state is its WorldCase. */
static void run_case(void **state)
{
    const WorldCase *test_case = *state;
    bool as_other = geteuid() == 0 && test_case->kind != WORLD_ROOT;
    World world = {
        .kind = test_case->kind,
        .is_other = as_other,
        .uid = as_other ? ORDINARY_ID : geteuid(),
        .gid = as_other ? ORDINARY_ID : getegid(),
        .has_userns = test_case->kind == WORLD_NESTED ||
                      (test_case->test->needs & WORLD_OWN_USERNS) != 0,
        .data = test_case->test->data,
    };
    world.real_root = !world.has_userns;
    world.without_tun = (test_case->test->needs & WORLD_WITHOUT_TUN) != 0;
    g_auto(RnMsg) verdict = { 0 };
    char text[RN_MSG_MAX_PAYLOAD + 1] = "";
    GError *error = NULL;

    if (!run_world(test_case, &world, &verdict, &error)) {
        g_strlcpy(text, error->message, sizeof(text));
        g_error_free(error);
        fail_msg("%s", text);
    }
    memcpy(text, verdict.payload, verdict.length);
    text[verdict.length] = '\0';
    if (verdict.type == MSG_SKIPPED)
        skip_case(text);
    if (verdict.type != MSG_PASSED)
        fail_msg("%s", text);
}

static bool wants_kind(const WorldTest *test, WorldKind kind)
{
    static const unsigned excluded_by[WORLD_N_] = {
        [WORLD_ROOT] = WORLD_ONLY_AS_USER,
        [WORLD_USER] = WORLD_ONLY_AS_ROOT,
        [WORLD_NESTED] = WORLD_ONLY_AS_ROOT | WORLD_NEEDS_IDS,
    };

    return (geteuid() == 0 || kind == WORLD_NESTED) &&
           (test->needs & excluded_by[kind]) == 0;
}

int world_run_tests(const char *group, const WorldTest *tests, size_t n_tests)
{
    static const char *const kind_names[WORLD_N_] = {
        [WORLD_ROOT] = "root",
        [WORLD_USER] = "user",
        [WORLD_NESTED] = "user in a user namespace",
    };
    WorldCase cases[MAX_TESTS] = { 0 };
    struct CMUnitTest units[MAX_TESTS] = { 0 };
    size_t n = 0;

    for (size_t i = 0; i < n_tests; i++) {
        for (WorldKind kind = 0; kind < WORLD_N_; kind++) {
            if (!wants_kind(&tests[i], kind))
                continue;
            g_assert(n < MAX_TESTS);
            cases[n] = (WorldCase){ &tests[i], kind };
            units[n] = (struct CMUnitTest){
                .name = g_strdup_printf("%s as %s", tests[i].name,
                                        kind_names[kind]),
                .test_func = run_case,
                .initial_state = &cases[n],
            };
            n++;
        }
    }
    int failures = _cmocka_run_group_tests(group, units, n, NULL, NULL);
    for (size_t i = 0; i < n; i++)
        g_free((char *)units[i].name);
    return failures;
}
