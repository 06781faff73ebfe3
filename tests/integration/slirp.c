/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slirp - see slirp.h
 *
 * Role:     starts rnet as slirp4netns, speaks to its API socket
 * Runs in:  the world's pid 1
 * Failure:  ends the body
 */
#include "config.h"

#include "slirp.h"

#include <fcntl.h>
#include <unistd.h>

#include <sys/socket.h>

#include <rnet/sys/unix-socket.h>
#include <rnet/util/fd.h>

#include "check.h"
#include "peer.h"

char *slirp_socket_path(const World *world)
{
    return g_build_filename(world->runtime_dir, "api.sock", NULL);
}

void slirp_await_ready(Run *run, int ready)
{
    char bytes[2];
    ssize_t got = read(ready, bytes, sizeof bytes);

    if (got != 1 || bytes[0] != '1')
        (void)run_wait(run);
    check(got == 1 && bytes[0] == '1', "it is not ready: %s",
          run->err_text->str);
    check_number(read(ready, bytes, sizeof bytes), 0, "after the ready byte");
}

Run *slirp_launch(const World *world, const char *const *args, int *out_ready)
{
    g_autoptr(GPtrArray) all = g_ptr_array_new();
    g_autofree char *option = NULL;
    Run *run = NULL;
    int ready[2];

    check_call(pipe2(ready, O_CLOEXEC) == 0, "pipe");
    check_call(fcntl(ready[1], F_SETFD, 0) == 0, "FD_CLOEXEC");
    option = g_strdup_printf("--ready-fd=%d", ready[1]);
    g_ptr_array_add(all, (void *)SLIRP_COMMAND);
    g_ptr_array_add(all, option);
    g_ptr_array_add(all, (void *)"--exit-fd=0");
    for (size_t i = 0; args[i] != NULL; i++)
        g_ptr_array_add(all, (void *)args[i]);
    g_ptr_array_add(all, NULL);
    run = run_start(world, (const char *const *)all->pdata, NULL);
    rn_fd_close(&ready[1]);
    *out_ready = ready[0];
    return run;
}

Run *slirp_start(const World *world, const char *const *args)
{
    rn_autofd int ready = -1;
    Run *run = slirp_launch(world, args, &ready);

    slirp_await_ready(run, ready);
    return run;
}

char *slirp_ask(const World *world, const char *request)
{
    g_autofree char *path = slirp_socket_path(world);
    g_autoptr(GString) reply = g_string_new(NULL);
    GError *error = NULL;
    rn_autofd int fd = -1;
    char chunk[512];
    ssize_t got = 0;

    if (!rn_unix_connect(AT_FDCWD, path, SOCK_STREAM, &fd, &error))
        check_no_error(error);
    peer_set_timeouts(fd);
    check(send(fd, request, strlen(request), MSG_NOSIGNAL) > 0, "request");
    while ((got = recv(fd, chunk, sizeof chunk, 0)) > 0)
        g_string_append_len(reply, chunk, got);
    check_call(got == 0, "reply");
    return g_string_free(g_steal_pointer(&reply), FALSE);
}

void slirp_expect_reply(const World *world, const char *request,
                        const char *wanted)
{
    g_autofree char *reply = slirp_ask(world, request);

    check_text(reply, wanted);
}

void slirp_publish(const World *world, unsigned id)
{
    g_autofree char *wanted = g_strdup_printf("{\"return\":{\"id\":%u}}", id);

    slirp_expect_reply(world,
                       "{\"execute\":\"add_hostfwd\",\"arguments\":{\"proto\":"
                       "\"tcp\",\"host_addr\":\"127.0.0.1\",\"host_port\":8080,"
                       "\"guest_addr\":\"\",\"guest_port\":80}}",
                       wanted);
}

void slirp_stop(Run *run, Guest *guest)
{
    run_write(run, "");
    run_expect_exit(run, 0);
    check_contains(run->err_text->str, "exitfd event");
    guest_stop(guest);
}
