/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keeper-ask - see keeper-ask.h
 *
 * Role:     a client of a network's entry that knows no more than protocol.h
 * Runs in:  the world's pid 1
 * Failure:  ends the body
 */
#include "config.h"

#include "keeper-ask.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/socket.h>

#include <rnet/sys/unix-socket.h>
#include <rnet/util/fd.h>
#include <rnet/util/msg.h>
#include <rnet/util/protocol.h>

#include "check.h"
#include "peer.h"

enum {
    STATE_MAX = 1 << 20 /* bytes */
};

/* -1: there is none. */
static int connect_keeper(const World *world, const char *key)
{
    g_autofree char *base =
        g_build_filename(world->state_dir, "@networks", NULL);
    g_autoptr(GDir) dir = g_dir_open(base, 0, NULL);
    int fd = -1;

    if (key == NULL && dir != NULL)
        key = g_dir_read_name(dir);
    if (key == NULL)
        return -1;
    g_autofree char *path = g_build_filename(base, key, "control", NULL);
    if (!rn_unix_connect(AT_FDCWD, path, SOCK_SEQPACKET, &fd, NULL))
        return -1;
    peer_set_timeouts(fd);
    return fd;
}

static char *read_state(int fd)
{
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
    char *text = NULL;
    GError *error = NULL;

    if (!rn_file_read(AT_FDCWD, path, STATE_MAX, &text, NULL, &error))
        check_no_error(error);
    return text;
}

char *keeper_ask(const World *world, const char *key)
{
    rn_autofd int fd = connect_keeper(world, key);
    g_auto(RnMsg) answer = { 0 };
    g_autoptr(GError) failure = NULL;

    if (fd < 0 ||
        !rn_msg_send(fd, RN_MSG_CONTROL_STATUS, NULL, 0, NULL, 0, &failure))
        return NULL;
    if (rn_msg_expect(fd, RN_MSG_CONTROL_STATE, 0, 1, &answer, &failure))
        return read_state(answer.fds[0]);
    check(g_error_matches(failure, RN_ERROR, RN_ERROR_PEER_DIED), "%s",
          failure->message);
    return NULL;
}

pid_t keeper_pid(const World *world, const char *key)
{
    static const char member[] = "\"monitor\":";
    g_autofree char *state = keeper_ask(world, key);

    check(state != NULL, "nobody keeps the network \"%s\"", key);
    const char *pid = strstr(state, member);
    check(pid != NULL, "no monitor in %s", state);
    return (pid_t)strtol(pid + strlen(member), NULL, 10);
}
