/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-network-target - namespaces of other processes, their owners and users
 */
#include "config.h"

#include <unit.h>

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <rnet/runtime/network-target.h>
#include <rnet/sys/process-stat.h>
#include <rnet/sys/process.h>
#include <rnet/util/fd.h>

#include "holder.h"
#include "in-child.h"

static void start(Holder *holder)
{
    holder_start(holder, CLONE_NEWUSER | CLONE_NEWNET);
}

static ino_t inode_of(pid_t pid, const char *name)
{
    g_autofree char *path = holder_ns_path(pid, name);
    struct stat status = { 0 };

    assert_int_equal(stat(path, &status), 0);
    return status.st_ino;
}

static ino_t inode_of_fd(int fd)
{
    struct stat status = { 0 };

    assert_int_equal(fstat(fd, &status), 0);
    return status.st_ino;
}

static void assert_is_of(const RnNetworkTarget *target, pid_t netns_pid,
                         ino_t userns)
{
    ino_t netns = inode_of(netns_pid, "net");

    assert_int_equal(target->ino, netns);
    assert_int_equal(inode_of_fd(target->netns_fd), netns);
    assert_true(target->userns_fd >= 0);
    assert_int_equal(inode_of_fd(target->userns_fd), userns);
}

static void process_gives_namespace_and_owner(void **state)
{
    Holder holder = { 0 };
    g_auto(RnNetworkTarget) target = { 0 };
    g_autofree char *word = NULL;
    g_autoptr(GError) error = NULL;

    (void)state;
    start(&holder);
    word = g_strdup_printf("%d", (int)holder.pid);
    assert_true(rn_network_target_open(word, &target, &error));
    assert_no_error(error);
    assert_is_of(&target, holder.pid, inode_of(holder.pid, "user"));
    assert_int_equal(target.pid, holder.pid);
    assert_int_equal(rn_pidfd_pid(target.pidfd), holder.pid);
    assert_null(target.path);
    holder_end(&holder);
}

static ino_t own_userns(void)
{
    struct stat own = { 0 };

    return stat("/proc/self/ns/user", &own) == 0 ? own.st_ino : 0;
}

/* As bubblewrap does it: the network namespace belongs to the user namespace
 * around the one that the process is in. */
static G_NORETURN void nested_main(int ready)
{
    ino_t inodes[2] = { 0 };

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (holder_unshare_user() && unshare(CLONE_NEWNET) == 0) {
        inodes[0] = own_userns();
        if (holder_unshare_user())
            inodes[1] = own_userns();
    }
    /* as an exec does */
    (void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    (void)!write(ready, inodes, sizeof inodes);
    for (;;)
        (void)pause();
}

static void process_in_a_user_namespace_below_gives_the_owner(void **state)
{
    g_auto(RnNetworkTarget) target = { 0 };
    g_autoptr(GError) error = NULL;
    int ready[2] = { -1, -1 };
    ino_t inodes[2] = { 0 };
    int pidfd = -1;
    pid_t pid = -1;

    (void)state;
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    assert_true(rn_clone(0, &pid, &pidfd, &error));
    if (pid == 0)
        nested_main(ready[1]);
    assert_int_equal(read(ready[0], inodes, sizeof inodes), sizeof inodes);
    assert_int_not_equal(inodes[1], 0);
    assert_true(rn_network_target_open_pid(pid, &target, &error));
    assert_is_of(&target, pid, inodes[0]);
    rn_process_end(pid, &pidfd);
    rn_fd_close(&ready[0]);
    rn_fd_close(&ready[1]);
}

static void path_gives_namespace_and_owner(void **state)
{
    Holder holder = { 0 };
    g_auto(RnNetworkTarget) target = { 0 };
    g_autofree char *path = NULL;
    g_autoptr(GError) error = NULL;

    (void)state;
    start(&holder);
    path = holder_ns_path(holder.pid, "net");
    assert_true(rn_network_target_open(path, &target, &error));
    assert_is_of(&target, holder.pid, inode_of(holder.pid, "user"));
    assert_int_equal(target.pid, 0);
    assert_int_equal(target.pidfd, -1);
    assert_string_equal(target.path, path);
    holder_end(&holder);
}

static void open_fd_gives_namespace_and_owner(void **state)
{
    Holder holder = { 0 };
    g_auto(RnNetworkTarget) target = { 0 };
    g_auto(RnNetworkTarget) named = { 0 };
    g_autofree char *path = NULL;
    g_autofree char *userns = NULL;
    rn_autofd int fd = -1;
    g_autoptr(GError) error = NULL;

    (void)state;
    start(&holder);
    path = holder_ns_path(holder.pid, "net");
    userns = holder_ns_path(holder.pid, "user");
    fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_true(rn_network_target_from_fd(fd, NULL, &target, &error));
    assert_is_of(&target, holder.pid, inode_of(holder.pid, "user"));
    assert_true(rn_network_target_from_fd(fd, userns, &named, &error));
    assert_is_of(&named, holder.pid, inode_of(holder.pid, "user"));
    assert_false(rn_network_target_from_fd(fd, path, &named, &error));
    assert_non_null(strstr(error->message, "not a user namespace"));
    holder_end(&holder);
}

typedef struct Refused {
    const char *word;
    int code; /* of RN_ERROR; -1: ENOENT */
    const char *part;
} Refused;

static const Refused refused[] = {
    { "", RN_ERROR_INVALID, "neither" },
    { "0", RN_ERROR_INVALID, "neither" },
    { "-1", RN_ERROR_INVALID, "neither" },
    { "web", RN_ERROR_INVALID, "hint" },
    { "2147483647", RN_ERROR_NOT_FOUND, "there is no process 2147483647" },
    { "/proc/self/ns/net", RN_ERROR_INVALID, "rnet itself is in" },
    { "/proc/self/ns/user", RN_ERROR_INVALID, "none of networks" },
    { "/proc/self/status", RN_ERROR_INVALID, "not a namespace" },
    { "/dev/null", RN_ERROR_INVALID, "not a namespace" },
    { "/", RN_ERROR_INVALID, "not a namespace" },
    { "/no/such/file", -1, "No such file" },
};

static void what_is_no_target_is_refused(void **state)
{
    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(refused); i++) {
        const Refused *one = &refused[i];
        g_auto(RnNetworkTarget) target = { 0 };
        g_autoptr(GError) error = NULL;

        assert_false(rn_network_target_open(one->word, &target, &error));
        assert_error(error, one->code < 0 ? RN_ERRNO : RN_ERROR,
                     one->code < 0 ? ENOENT : one->code, one->part);
    }
}

static int find(const Holder *holder, const pid_t *but, unsigned n)
{
    g_autofree char *path = holder_ns_path(holder->pid, "net");
    g_autoptr(GError) error = NULL;
    struct stat status = { 0 };
    int pidfd = -1;

    assert_int_equal(stat(path, &status), 0);
    assert_true(rn_network_target_find_user(status.st_dev, status.st_ino, but,
                                            n, &pidfd, &error));
    return pidfd;
}

static void user_is_found_unless_it_is_excepted(void **state)
{
    Holder holder = { 0 };
    pid_t own = getpid();
    rn_autofd int found = -1;
    rn_autofd int excepted = -1;
    rn_autofd int child = -1;

    (void)state;
    start(&holder);
    found = find(&holder, NULL, 0);
    assert_int_equal(rn_pidfd_pid(found), holder.pid);
    excepted = find(&holder, &holder.pid, 1);
    assert_int_equal(excepted, -1);
    /* a child of the caller's is its helper */
    child = find(&holder, &own, 1);
    assert_int_equal(child, -1);
    holder_end(&holder);
}

static void namespace_without_process_has_no_user(void **state)
{
    Holder holder = { 0 };
    g_autofree char *path = NULL;
    rn_autofd int fd = -1;
    g_autoptr(GError) error = NULL;
    struct stat status = { 0 };
    int pidfd = 7;

    (void)state;
    start(&holder);
    path = holder_ns_path(holder.pid, "net");
    fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(fstat(fd, &status), 0);
    holder_end(&holder);
    assert_true(rn_network_target_find_user(status.st_dev, status.st_ino, NULL,
                                            0, &pidfd, &error));
    assert_int_equal(pidfd, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(process_gives_namespace_and_owner),
        cmocka_unit_test(process_in_a_user_namespace_below_gives_the_owner),
        cmocka_unit_test(path_gives_namespace_and_owner),
        cmocka_unit_test(open_fd_gives_namespace_and_owner),
        cmocka_unit_test(what_is_no_target_is_refused),
        cmocka_unit_test(user_is_found_unless_it_is_excepted),
        cmocka_unit_test(namespace_without_process_has_no_user),
    };

    return cmocka_run_group_tests_name("network-target", tests, NULL, NULL);
}
