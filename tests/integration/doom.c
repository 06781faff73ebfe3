/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doom - see doom.h
 *
 * Role:     the test's end of killpoint.c
 * Runs in:  the world's pid 1
 * Data:     a datagram socket in the world's directory, open to rnet's user
 * Failure:  ends the body
 */
#include "config.h"

#include "doom.h"

#include <poll.h>
#include <unistd.h>

#include <sys/stat.h>

#include <rnet/util/fd.h>

#include "check.h"

void doom_init(Doom *doom, const World *world)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    check(world->killpoints != NULL, "rnet-killpoints is not built");
    *doom = (Doom){
        .world = world,
        .path = g_build_filename(world->dir, "doom", NULL),
        .socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0),
    };
    check_call(doom->socket >= 0, "socket");
    check(strlen(doom->path) < sizeof(address.sun_path), "a long path");
    (void)strcpy(address.sun_path, doom->path);
    (void)unlink(doom->path);
    check_call(
        bind(doom->socket, (struct sockaddr *)&address, sizeof(address)) == 0 &&
            chmod(doom->path, 0666) == 0,
        "bind the socket for killpoints");
}

void doom_clear(Doom *doom)
{
    rn_fd_close(&doom->socket);
    g_clear_pointer(&doom->path, g_free);
}

Run *doom_start(const Doom *doom, const char *const *args,
                const DoomPoint *point, unsigned nofile)
{
    g_autofree char *kill = g_strdup_printf(
        "RNET_TEST_KILL=%s:%u:%s", point->role, point->number, point->action);
    g_autofree char *socket =
        g_strdup_printf("RNET_TEST_KILL_SOCKET=%s", doom->path);
    const char *const env[] = { kill, socket, NULL };
    const RunOptions options = {
        .binary = doom->world->killpoints,
        .env = env,
        .nofile = nofile,
    };

    return run_start(doom->world, args, &options);
}

/* The type of a message; 0: there is none. */
static uint32_t receive(Doom *doom)
{
    uint32_t type = 0;

    doom->held_length = sizeof(doom->held);
    ssize_t n = recvfrom(doom->socket, &type, sizeof(type), MSG_DONTWAIT,
                         (struct sockaddr *)&doom->held, &doom->held_length);
    if (n < 0) {
        check_call(errno == EAGAIN, "receive from a killpoint");
        return 0;
    }
    check(n == sizeof(type) && type > 0 && type < RN_MSG_N_,
          "unknown message %u", type);
    return type;
}

unsigned doom_take(Doom *doom)
{
    uint32_t first = receive(doom);

    while (first > 0 && receive(doom) > 0)
        ;
    return first;
}

unsigned doom_await_hold(Doom *doom, const Run *run, bool until_output)
{
    struct pollfd polled[] = {
        { .fd = doom->socket, .events = POLLIN },
        { .fd = until_output ? run->out : -1, .events = POLLIN },
        { .fd = run->pidfd, .events = POLLIN },
    };
    int n = poll(polled, G_N_ELEMENTS(polled), RUN_TIMEOUT_S * 1000);

    check(n > 0, "waited %d s for a killpoint", RUN_TIMEOUT_S);
    return receive(doom);
}

void doom_let_go(const Doom *doom)
{
    if (sendto(doom->socket, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL,
               (const struct sockaddr *)&doom->held, doom->held_length) < 0)
        check_call(errno == ECONNREFUSED, "let go");
}
