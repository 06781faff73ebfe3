/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inside - see inside.h
 *
 * Role:     the container's side of a test that looks at both ends
 * Runs in:  the world's pid 1, for moments in the container's namespace
 * Failure:  ends the body
 */
#include "config.h"

#include "inside.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rnet/sys/sysctl.h>
#include <rnet/util/fd.h>

#include "bundle.h"
#include "check.h"
#include "leftovers.h"
#include "peer.h"

static Inside *adopt(World *world, Run *run, const char *payload)
{
    Inside *inside = g_new0(Inside, 1);

    inside->world = world;
    inside->run = run;
    run_await(inside->run, "ready");
    inside->pid = find_process(payload);
    check(inside->pid > 0, "no process of the container");
    g_autofree char *path = g_strdup_printf("/proc/%d/ns/net", inside->pid);
    inside->netns_fd = open(path, O_RDONLY | O_CLOEXEC);
    inside->world_netns_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    check_call(inside->netns_fd >= 0 && inside->world_netns_fd >= 0,
               "open the network namespaces");
    return inside;
}

Inside *inside_start_up(World *world, const char *const *options)
{
    g_autoptr(GPtrArray) args = g_ptr_array_new();
    g_autofree char *payload =
        g_build_filename(world->dir, "base", "payload", NULL);

    g_ptr_array_add(args, (void *)"up");
    for (size_t i = 0; options[i] != NULL; i++)
        g_ptr_array_add(args, (void *)options[i]);
    g_ptr_array_add(args, payload);
    g_ptr_array_add(args, (void *)"serve-tcp");
    g_ptr_array_add(args, (void *)"80");
    g_ptr_array_add(args, NULL);
    return adopt(world,
                 run_start(world, (const char *const *)args->pdata, NULL),
                 payload);
}

Inside *inside_start(World *world, const char *network)
{
    static unsigned number;
    const char *const payload[] = { "serve-tcp", "80", NULL };
    g_autofree char *name = g_strdup_printf("inside%u", number++);
    g_autofree char *bundle = bundle_new_payload(world, name, payload);
    const char *const plain[] = { "run", bundle, NULL };
    const char *const with_network[] = { "run", "--network", network, bundle,
                                         NULL };

    return adopt(world,
                 run_start(world, network != NULL ? with_network : plain, NULL),
                 "/bin/payload");
}

void inside_stop(Inside *inside)
{
    rn_fd_close(&inside->netns_fd);
    rn_fd_close(&inside->world_netns_fd);
    run_signal(inside->run, SIGTERM);
    run_expect_exit(inside->run, 0);
    run_end(inside->run);
    check_nothing_left(inside->world);
    g_free(inside);
}

void inside_enter(const Inside *inside)
{
    check_call(setns(inside->netns_fd, CLONE_NEWNET) == 0,
               "enter the container's network namespace");
}

void inside_leave(const Inside *inside)
{
    check_call(setns(inside->world_netns_fd, CLONE_NEWNET) == 0,
               "leave the container's network namespace");
}

int inside_socket(const Inside *inside, int family)
{
    inside_enter(inside);
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    inside_leave(inside);
    check_call(fd >= 0, "socket in the container");
    peer_set_timeouts(fd);
    return fd;
}

int inside_bind(const Inside *inside, const char *address, unsigned port)
{
    const int on = 1;
    struct sockaddr_storage storage;
    socklen_t length = peer_make_address(address, port, &storage);
    int fd = inside_socket(inside, storage.ss_family);

    check_call(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0,
               "SO_REUSEADDR");
    check(bind(fd, (struct sockaddr *)&storage, length) == 0,
          "bind to %s port %u in the container: %s", address, port,
          g_strerror(errno));
    return fd;
}

int inside_listen(const Inside *inside, const char *address, unsigned port)
{
    int fd = inside_bind(inside, address, port);

    check_call(listen(fd, SOMAXCONN) == 0, "listen in the container");
    return fd;
}

int inside_dial(int fd, const char *address, unsigned port)
{
    struct sockaddr_storage storage;
    socklen_t length = peer_make_address(address, port, &storage);

    return connect(fd, (struct sockaddr *)&storage, length) < 0 ? errno : 0;
}

int inside_connect(const Inside *inside, const char *address, unsigned port)
{
    struct sockaddr_storage storage;

    (void)peer_make_address(address, port, &storage);
    int fd = inside_socket(inside, storage.ss_family);
    int failure = inside_dial(fd, address, port);
    check(failure == 0, "connect from the container to %s port %u: %s", address,
          port, g_strerror(failure));
    return fd;
}

void inside_sysctl(const Inside *inside, const char *name, const char *value)
{
    GError *error = NULL;

    inside_enter(inside);
    bool ok = rn_sysctl_write(name, value, &error);
    inside_leave(inside);
    if (!ok)
        check_no_error(error);
}

static guint64 read_number(pid_t pid, const char *path, const char *key)
{
    g_autofree char *full = g_strdup_printf("/proc/%d/%s", pid, path);
    g_autofree char *text = NULL;

    check(g_file_get_contents(full, &text, NULL, NULL), "read \"%s\"", full);
    const char *found = strstr(text, key);
    check(found != NULL, "no \"%s\" in \"%s\"", key, full);
    return g_ascii_strtoull(found + strlen(key), NULL, 10);
}

guint64 inside_number(const Inside *inside, const char *path, const char *key)
{
    return read_number(inside->pid, path, key);
}

static pid_t find_relay(void)
{
    pid_t pid = find_process("rnet-relay");

    check(pid > 0, "no relay");
    return pid;
}

unsigned inside_relay_fds(void)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/fd", find_relay());
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    unsigned count = 0;

    check(dir != NULL, "open \"%s\"", path);
    while (g_dir_read_name(dir) != NULL)
        count++;
    return count;
}

guint64 inside_relay_rss(void)
{
    return read_number(find_relay(), "status", "\nVmRSS:");
}
