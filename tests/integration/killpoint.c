/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * killpoint - dies at a chosen message, for test-handshake-kills
 *
 * Role:     stands in front of rn_msg_send (ld --wrap) in rnet-killpoints
 * Runs in:  every process of rnet
 * Data:     RNET_TEST_KILL="ROLE:NUMBER:WHEN": the process of that role
 *           (rnet, init, rnet-nsagent, rnet-relay, rnet-guard) gets SIGKILL
 *           "before" or "after" its NUMBERth message, counted from 1; a line
 *           "killpoint TYPE" on stderr first, with the message's type
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rnet/util/msg.h>

bool __real_rn_msg_send(int fd, uint32_t type, const void *payload,
                        gsize length, const int *fds, unsigned n_fds,
                        GError **error);
bool __wrap_rn_msg_send(int fd, uint32_t type, const void *payload,
                        gsize length, const int *fds, unsigned n_fds,
                        GError **error);

/* init is a fork of the launcher, so it has another pid than at the start. */
static pid_t start_pid;
static pid_t counting_pid;
static unsigned n_sent;

__attribute__((constructor)) static void note_start(void)
{
    start_pid = getpid();
}

static bool is_role(const char *role, size_t length)
{
    const char *own = program_invocation_short_name;

    if (getpid() != start_pid)
        own = "init";
    else if (strncmp(own, "rnet-", 5) != 0)
        own = "rnet";
    return strlen(own) == length && strncmp(own, role, length) == 0;
}

/* True if the message about to be sent is the chosen one at `when`. */
static bool is_chosen(const char *when)
{
    const char *chosen = getenv("RNET_TEST_KILL");
    const char *colon = chosen != NULL ? strchr(chosen, ':') : NULL;
    char *rest = NULL;

    if (colon == NULL || !is_role(chosen, (size_t)(colon - chosen)))
        return false;
    return strtoul(colon + 1, &rest, 10) == n_sent && *rest == ':' &&
           strcmp(rest + 1, when) == 0;
}

/*
 * Written before the message is sent in any case: once it is, this process may
 * be ended from outside before it gets to its own end.
 */
static void announce(uint32_t type)
{
    char line[32];
    int length = snprintf(line, sizeof(line), "killpoint %u\n", type);

    if (write(STDERR_FILENO, line, (size_t)length) < 0)
        _exit(99);
}

static G_NORETURN void die(void)
{
    (void)kill(getpid(), SIGKILL);
    /* the pid 1 of a namespace cannot kill itself */
    _exit(99);
}

bool __wrap_rn_msg_send(int fd, uint32_t type, const void *payload,
                        gsize length, const int *fds, unsigned n_fds,
                        GError **error)
{
    if (counting_pid != getpid()) {
        counting_pid = getpid();
        n_sent = 0;
    }
    n_sent++;
    bool dies_before = is_chosen("before");
    bool dies_after = is_chosen("after");
    if (dies_before || dies_after)
        announce(type);
    if (dies_before)
        die();
    bool ok = __real_rn_msg_send(fd, type, payload, length, fds, n_fds, error);
    if (dies_after)
        die();
    return ok;
}
