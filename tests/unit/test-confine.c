/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * confine: the filter and Landlock as the kernel enforces them, each in a
 * child, since neither can be taken off again
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <linux/landlock.h>
#include <linux/openat2.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <unit.h>

#include <rnet/sys/caps.h>
#include <rnet/sys/confine.h>
#include <rnet/util/fd.h>

#include "in-child.h"

/* What the test code itself needs, and calls with limited arguments. */
static const char *const test_calls[] = {
    "write",  "close",     "brk",    "mmap",       "munmap",       "open",
    "openat", "openat2",   "socket", "getppid",    "no_such_call", "fcntl",
    "ioctl",  "prlimit64", "tgkill", "setsockopt", NULL,
};

static const char *confine_to(const char *const *calls)
{
    g_autoptr(GError) error = NULL;

    if (!rn_caps_confine(0, &error) || !rn_seccomp_allow_only(calls, &error))
        return g_strdup(error->message);
    return NULL;
}

/* NULL if the last call gave `wanted`: 0 for success, else an errno. */
static const char *check_result(const char *what, long result, int wanted)
{
    int found = result < 0 ? errno : 0;

    if (found == wanted)
        return NULL;
    return g_strdup_printf("%s: errno %d, wanted %d", what, found, wanted);
}

static const char *try_plain_calls(void *data)
{
    const char *failure = confine_to(test_calls);

    (void)data;
    if (failure == NULL)
        failure = check_result("getppid", syscall(SYS_getppid), 0);
    if (failure == NULL)
        failure = check_result("getpgid", syscall(SYS_getpgid, 0), EPERM);
    if (failure == NULL)
        failure = check_result("clone3", syscall(SYS_clone3, NULL, 0), EPERM);
    if (failure == NULL)
        failure = check_result("kill", kill(getppid(), 0), EPERM);
    if (failure == NULL)
        failure =
            check_result("execve", execl("/bin/true", "true", NULL), EPERM);
    return failure;
}

static const char *try_denied_calls(void *data)
{
    static const char *const denied[] = { "getpgid", "no_such_call", NULL };
    const char *failure = NULL;
    g_autoptr(GError) error = NULL;

    (void)data;
    if (!rn_seccomp_deny(denied, &error))
        return g_strdup(error->message);
    failure = check_result("getpgid", syscall(SYS_getpgid, 0), EPERM);
    if (failure == NULL)
        failure = check_result("getppid", syscall(SYS_getppid), 0);
    if (failure == NULL)
        failure = check_result("access", access("/", R_OK), 0);
    return failure;
}

static void seccomp_denied_call_gives_eperm_and_others_work(void **state)
{
    (void)state;
    run_in_child(try_denied_calls, NULL);
}

static void seccomp_unlisted_call_gives_eperm(void **state)
{
    (void)state;
    run_in_child(try_plain_calls, NULL);
}

static const char *try_opens(void *data)
{
    static const struct {
        int flags;
        int wanted;
    } cases[] = {
        { O_RDONLY, 0 },
        { O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW, 0 },
        { O_WRONLY, EPERM },
        { O_RDWR, EPERM },
        { O_ACCMODE, EPERM },
        { O_RDONLY | O_CREAT, EPERM },
        { O_RDONLY | O_TRUNC, EPERM },
        { O_WRONLY | O_APPEND, EPERM },
        { O_TMPFILE | O_RDWR, EPERM },
    };
    const struct open_how how = { .flags = O_RDONLY };
    const char *failure = confine_to(test_calls);

    (void)data;
    for (gsize i = 0; failure == NULL && i < G_N_ELEMENTS(cases); i++) {
        failure = check_result(
            "openat",
            syscall(SYS_openat, AT_FDCWD, "/dev/null", cases[i].flags, 0600),
            cases[i].wanted);
#ifdef SYS_open
        if (failure == NULL)
            failure = check_result(
                "open", syscall(SYS_open, "/dev/null", cases[i].flags, 0600),
                cases[i].wanted);
#endif
    }
    if (failure != NULL)
        return failure;
    return check_result(
        "openat2",
        syscall(SYS_openat2, AT_FDCWD, "/dev/null", &how, sizeof how), EPERM);
}

static void seccomp_open_only_reads(void **state)
{
    (void)state;
    run_in_child(try_opens, NULL);
}

static const char *try_sockets(void *data)
{
    static const struct {
        int family;
        int wanted;
    } cases[] = {
        { AF_INET, 0 },        { AF_INET6, 0 },      { AF_UNIX, EPERM },
        { AF_NETLINK, EPERM }, { AF_PACKET, EPERM }, { AF_VSOCK, EPERM },
    };
    const char *failure = confine_to(test_calls);

    (void)data;
    for (gsize i = 0; failure == NULL && i < G_N_ELEMENTS(cases); i++) {
        /* a kernel without IPv6 answers so, and the filter let it pass */
        int fd = socket(cases[i].family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        if (fd < 0 && errno == EAFNOSUPPORT && cases[i].wanted == 0)
            continue;
        failure = check_result("socket", fd, cases[i].wanted);
    }
    return failure;
}

static void seccomp_socket_makes_internet_families(void **state)
{
    (void)state;
    run_in_child(try_sockets, NULL);
}

/* Calls that could signal or limit other processes of the user, or type into
 * a terminal, and the harmless ones beside them. */
static const char *try_arguments(void *data)
{
    int fd = *(int *)data;
    pid_t pid = getpid();
    const char *failure = confine_to(test_calls);
    const struct {
        const char *what;
        long number, arguments[4];
        int wanted;
    } cases[] = {
        { "F_GETFL", SYS_fcntl, { fd, F_GETFL }, 0 },
        { "F_SETPIPE_SZ", SYS_fcntl, { fd, F_SETPIPE_SZ, 65536 }, 0 },
        { "F_DUPFD_CLOEXEC", SYS_fcntl, { fd, F_DUPFD_CLOEXEC }, 0 },
        { "F_SETOWN", SYS_fcntl, { fd, F_SETOWN, getppid() }, EPERM },
        { "F_SETSIG", SYS_fcntl, { fd, F_SETSIG, SIGKILL }, EPERM },
        { "FIONREAD", SYS_ioctl, { fd, FIONREAD, (long)&(int){ 0 } }, 0 },
        { "FIOSETOWN",
          SYS_ioctl,
          { fd, FIOSETOWN, (long)&(int){ getppid() } },
          EPERM },
        { "TIOCSTI", SYS_ioctl, { fd, TIOCSTI, (long)"x" }, EPERM },
        /* let through, it fails at the pipe */
        { "SOL_SOCKET", SYS_setsockopt, { fd, SOL_SOCKET, SO_MARK }, ENOTSOCK },
        { "SOL_PACKET", SYS_setsockopt, { fd, SOL_PACKET, 1 }, EPERM },
        { "own thread", SYS_tgkill, { pid, pid, 0 }, 0 },
        { "parent's thread", SYS_tgkill, { getppid(), getppid(), 0 }, EPERM },
        { "read a limit",
          SYS_prlimit64,
          { 0, RLIMIT_NOFILE, 0, (long)&(struct rlimit){ 0 } },
          0 },
        { "set a limit",
          SYS_prlimit64,
          { getppid(), RLIMIT_NOFILE, (long)&(struct rlimit){ 9, 9 }, 0 },
          EPERM },
    };

    for (gsize i = 0; failure == NULL && i < G_N_ELEMENTS(cases); i++)
        failure =
            check_result(cases[i].what,
                         syscall(cases[i].number, cases[i].arguments[0],
                                 cases[i].arguments[1], cases[i].arguments[2],
                                 cases[i].arguments[3]),
                         cases[i].wanted);
    return failure;
}

static void seccomp_arguments_reaching_other_processes_refused(void **state)
{
    int fds[2] = { -1, -1 };

    (void)state;
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    run_in_child(try_arguments, &fds[0]);
    rn_fd_close(&fds[0]);
    rn_fd_close(&fds[1]);
}

#ifdef __x86_64__
static const char *call_through_x32(void *data)
{
    const char *failure = confine_to(test_calls);

    (void)data;
    if (failure == NULL)
        (void)syscall(0x40000000 | SYS_getppid);
    return failure == NULL ? "a call through x32 came back" : failure;
}
#endif

static void seccomp_other_abi_ends_the_process(void **state)
{
    (void)state;
#ifdef __x86_64__
    char text[512] = "";
    int status = in_child_status(call_through_x32, NULL, text);

    assert_string_equal(text, "");
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSYS);
#else
    skip_unless_required("a second ABI of this architecture that is known");
#endif
}

static void seccomp_process_making_call_in_list_refused(void **state)
{
    static const char *const names[] = { "clone", "clone3", "fork",
                                         "vfork", "execve", "execveat" };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        const char *const list[] = { "read", names[i], NULL };
        g_autoptr(GError) error = NULL;

        assert_false(rn_seccomp_allow_only(list, &error));
        assert_error(error, RN_ERROR, RN_ERROR_INVALID, names[i]);
    }
}

static const char *list_twice(void *data)
{
    static const char *const list[] = {
        "write",  "openat", "getppid", "openat", "getppid",
        "socket", "socket", "exit",    NULL,
    };
    const char *failure = confine_to(list);

    (void)data;
    return failure != NULL ? failure
                           : check_result("getppid", syscall(SYS_getppid), 0);
}

static void seccomp_name_listed_twice_works(void **state)
{
    (void)state;
    run_in_child(list_twice, NULL);
}

static bool has_landlock(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, 0,
                   LANDLOCK_CREATE_RULESET_VERSION) > 0 ||
           (errno != ENOSYS && errno != EOPNOTSUPP);
}

/* A folder with in/file, out/file and a link to each of them beside these. */
typedef struct Tree {
    char *root;
} Tree;

static char *in_tree(const Tree *tree, const char *name)
{
    return g_build_filename(tree->root, name, NULL);
}

static void make_tree(Tree *tree)
{
    static const char *const folders[] = { "in", "out" };

    tree->root = g_dir_make_tmp("rnet-test-XXXXXX", NULL);
    assert_non_null(tree->root);
    for (gsize i = 0; i < G_N_ELEMENTS(folders); i++) {
        g_autofree char *folder = in_tree(tree, folders[i]);
        g_autofree char *file = g_build_filename(folder, "file", NULL);

        assert_int_equal(mkdir(folder, 0700), 0);
        assert_true(g_file_set_contents(file, "text", -1, NULL));
    }
}

static void remove_tree(Tree *tree)
{
    static const char *const names[] = { "in/file", "out/file", "in", "out",
                                         "" };

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = in_tree(tree, names[i]);

        assert_int_equal(remove(path), 0);
    }
    g_clear_pointer(&tree->root, g_free);
}

static const char *check_open(const Tree *tree, const char *name, int flags,
                              int wanted)
{
    g_autofree char *path = in_tree(tree, name);
    int fd = open(path, flags | O_CLOEXEC, 0600);

    return check_result(name, fd, wanted);
}

static const char *try_files(const Tree *tree)
{
    static const struct {
        const char *name;
        int flags;
        int wanted;
    } cases[] = {
        { "in/file", O_RDONLY, 0 },
        { "in", O_RDONLY | O_DIRECTORY, 0 },
        { "in/file", O_WRONLY, EACCES },
        { "in/new", O_WRONLY | O_CREAT, EACCES },
        { "out/file", O_RDONLY, EACCES },
        { "out", O_RDONLY | O_DIRECTORY, EACCES },
        { "out/file", O_RDWR, EACCES },
        { "out/new", O_RDWR | O_CREAT, EACCES },
    };
    const char *failure = NULL;

    for (gsize i = 0; failure == NULL && i < G_N_ELEMENTS(cases); i++)
        failure =
            check_open(tree, cases[i].name, cases[i].flags, cases[i].wanted);
    return failure;
}

static const char *restrict_to_folder(void *data)
{
    const Tree *tree = data;
    g_autofree char *in = in_tree(tree, "in");
    g_autofree char *missing = in_tree(tree, "missing");
    g_autofree char *below_file = in_tree(tree, "in/file/x");
    g_autofree char *removed = in_tree(tree, "in/file");
    const char *const readable[] = { missing, in, below_file, NULL };
    g_autoptr(GError) error = NULL;
    const char *failure = NULL;
    bool active = false;

    if (!rn_caps_confine(0, &error) ||
        !rn_landlock_read_only(readable, &active, &error))
        return g_strdup(error->message);
    if (!active)
        return "not active";
    failure = try_files(tree);
    if (failure == NULL)
        failure = check_result("unlink", unlink(removed), EACCES);
    if (failure == NULL)
        failure = check_result("mkdir", mkdir(missing, 0700), EACCES);
    if (failure == NULL)
        failure =
            check_result("exec", execl("/bin/true", "true", NULL), EACCES);
    return failure;
}

/* Runs `restrict_and_try` in a child, on a tree that it may restrict itself to;
 * fails with what it returns. */
static void check_on_tree(const char *(*restrict_and_try)(void *))
{
    Tree tree = { 0 };
    char text[512] = "";

    if (!has_landlock())
        skip_unless_required("Landlock");
    make_tree(&tree);
    (void)in_child_status(restrict_and_try, &tree, text);
    remove_tree(&tree);
    assert_string_equal(text, "");
}

static void landlock_folder_readable_and_nothing_else(void **state)
{
    (void)state;
    check_on_tree(restrict_to_folder);
}

static const char *restrict_to_file(void *data)
{
    const Tree *tree = data;
    g_autofree char *file = in_tree(tree, "in/file");
    const char *const readable[] = { file, NULL };
    g_autoptr(GError) error = NULL;
    int before = open(file, O_WRONLY | O_CLOEXEC);
    const char *failure = NULL;
    bool active = false;

    if (!rn_caps_confine(0, &error) ||
        !rn_landlock_read_only(readable, &active, &error))
        return g_strdup(error->message);
    failure = check_open(tree, "in/file", O_RDONLY, 0);
    if (failure == NULL)
        failure = check_open(tree, "in", O_RDONLY | O_DIRECTORY, EACCES);
    if (failure == NULL)
        failure = check_result("an fd from before", write(before, "x", 1), 0);
    return failure;
}

static void landlock_single_file_readable(void **state)
{
    (void)state;
    check_on_tree(restrict_to_file);
}

static const char *ask_for_landlock(void *data)
{
    static const char *const nothing[] = { NULL };
    g_autoptr(GError) error = NULL;
    bool expected = has_landlock();
    bool active = !expected;

    (void)data;
    if (!rn_caps_confine(0, &error) ||
        !rn_landlock_read_only(nothing, &active, &error))
        return g_strdup(error->message);
    return active == expected ? NULL : "active is not what the kernel has";
}

static void landlock_active_agrees_with_the_kernel(void **state)
{
    (void)state;
    run_in_child(ask_for_landlock, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seccomp_unlisted_call_gives_eperm),
        cmocka_unit_test(seccomp_denied_call_gives_eperm_and_others_work),
        cmocka_unit_test(seccomp_open_only_reads),
        cmocka_unit_test(seccomp_socket_makes_internet_families),
        cmocka_unit_test(seccomp_arguments_reaching_other_processes_refused),
        cmocka_unit_test(seccomp_other_abi_ends_the_process),
        cmocka_unit_test(seccomp_process_making_call_in_list_refused),
        cmocka_unit_test(seccomp_name_listed_twice_works),
        cmocka_unit_test(landlock_folder_readable_and_nothing_else),
        cmocka_unit_test(landlock_single_file_readable),
        cmocka_unit_test(landlock_active_agrees_with_the_kernel),
    };

    return cmocka_run_group_tests_name("confine", tests, NULL, NULL);
}
