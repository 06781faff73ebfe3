/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest - see guest.h
 *
 * Role:     what others make and rnet is to give a network to
 * Runs in:  the world's pid 1, which has all rights over the namespaces
 * Failure:  ends the body
 */
#include "config.h"

#include "guest.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <rnet/sys/process.h>
#include <rnet/util/fd.h>

#include "check.h"
#include "leftovers.h"
#include "peer.h"

/* In the child: tells that it is where it is to be, and waits. */
static G_NORETURN void wait_to_be_killed(int ready)
{
    /* else /proc/PID belongs to nobody after the change of credentials; what
     * execs has it so anyway */
    if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0 || write(ready, "", 1) != 1)
        _exit(1);
    rn_fd_close_all_but(NULL, 0);
    for (;;)
        (void)pause();
}

static void await_ready(int ready, const char *what)
{
    char byte = 0;

    check(read(ready, &byte, 1) == 1, "%s: it ended", what);
}

static int open_namespace(pid_t pid, const char *name)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/ns/%s", pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    check_call(fd >= 0, "open a namespace");
    return fd;
}

void guest_start(Guest *guest, World *world)
{
    int flags = CLONE_NEWNET | (world->kind == WORLD_ROOT ? 0 : CLONE_NEWUSER);
    int ready[2];

    check_call(pipe2(ready, O_CLOEXEC) == 0, "pipe");
    pid_t pid = world_fork_user(world);
    if (pid == 0) {
        if (unshare(flags) < 0)
            _exit(1);
        wait_to_be_killed(ready[1]);
    }
    rn_fd_close(&ready[1]);
    await_ready(ready[0], "make the guest's namespaces");
    rn_fd_close(&ready[0]);
    *guest = (Guest){
        .world = world,
        .pid = g_strdup_printf("%d", pid),
        .inside = { .world = world,
                    .pid = pid,
                    .netns_fd = open_namespace(pid, "net"),
                    .world_netns_fd = open_namespace(getpid(), "net") },
    };
}

pid_t guest_join(const Guest *guest)
{
    rn_autofd int userns = open_namespace(guest->inside.pid, "user");
    bool has_userns = guest->world->kind != WORLD_ROOT;
    int ready[2];

    check_call(pipe2(ready, O_CLOEXEC) == 0, "pipe");
    pid_t pid = world_fork_user(guest->world);
    if (pid == 0) {
        if ((has_userns && setns(userns, CLONE_NEWUSER) < 0) ||
            setns(guest->inside.netns_fd, CLONE_NEWNET) < 0)
            _exit(1);
        wait_to_be_killed(ready[1]);
    }
    rn_fd_close(&ready[1]);
    await_ready(ready[0], "join the guest's namespaces");
    rn_fd_close(&ready[0]);
    return pid;
}

void guest_kill(Guest *guest)
{
    GError *error = NULL;

    if (guest->inside.pid == 0)
        return;
    kill_process(guest->inside.pid);
    if (!rn_process_reap(guest->inside.pid, NULL, &error))
        check_no_error(error);
    guest->inside.pid = 0;
    rn_fd_close(&guest->inside.netns_fd);
}

void guest_stop(Guest *guest)
{
    guest_kill(guest);
    rn_fd_close(&guest->inside.world_netns_fd);
    g_clear_pointer(&guest->pid, g_free);
    check_nothing_left(guest->world);
}

void guest_attach(const Guest *guest, const char *publish, const char *operand)
{
    const char *const plain[] = { "attach", "--detach", operand, NULL };
    const char *const published[] = { "attach", "--detach", "--publish",
                                      publish,  operand,    NULL };
    g_autoptr(Run) run =
        run_command(guest->world, publish != NULL ? published : plain, 0);

    run_check_out(run, "");
    check_text(run->err_text->str, "");
}

void guest_check_published(const Guest *guest, unsigned port)
{
    rn_autofd int listener = inside_bind(&guest->inside, "0.0.0.0", 80);

    check_call(listen(listener, 8) == 0, "listen");
    rn_autofd int client = peer_connect(SOCK_STREAM, "127.0.0.1", port);
    rn_autofd int service = peer_accept(listener);
    peer_send(client, "ping");
    peer_expect(service, "ping");
    peer_send(service, "pong");
    peer_expect(client, "pong");
}

void guest_check_outbound(const Guest *guest)
{
    rn_autofd int listener = peer_serve(SOCK_STREAM, WORLD_ADDRESS4, 0);
    rn_autofd int client =
        inside_connect(&guest->inside, WORLD_ADDRESS4, peer_port(listener));
    rn_autofd int server = peer_accept(listener);

    peer_send(client, "ping");
    peer_expect(server, "ping");
    peer_send(server, "pong");
    peer_expect(client, "pong");
}

char *guest_bind(const Guest *guest)
{
    g_autofree char *from = g_strdup_printf("/proc/%s/ns/net", guest->pid);
    char *folder = g_build_filename(guest->world->dir, "netns", NULL);
    g_autofree char *path = g_build_filename(folder, "web", NULL);

    check_call(mkdir(folder, 0755) == 0, "mkdir");
    check(g_file_set_contents(path, "", 0, NULL), "make \"%s\"", path);
    check_call(mount(from, path, NULL, MS_BIND, NULL) == 0, "bind");
    return folder;
}
