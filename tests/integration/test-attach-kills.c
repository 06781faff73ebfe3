/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-attach-kills - the death of any process at any step of an attach
 *
 * Role:     runs rnet-killpoints (killpoint.c) once for every process, every
 *           message that it sends, and both moments, before and after
 * Runs in:  see world.h
 * Data:     "killpoint TYPE" on stderr shows that the moment came. A detached
 *           monitor has no stderr: there the command's status does
 * Failure:  a run that hangs, a process or state entry that is left when the
 *           next attach has come and gone, or a message at which nobody died
 */
#include "config.h"

#include <signal.h>

#include <rnet/util/fd.h>
#include <rnet/util/protocol.h>

#include "box.h"
#include "check.h"
#include "guest.h"
#include "leftovers.h"

enum {
    MAX_MESSAGES = 32
}; /* of one process in one run */

/* Who is to die, in what kind of attach. */
typedef struct Doom {
    const char *role;
    bool detached;
} Doom;

static const Doom dooms[] = {
    { "rnet", true },          { "rnet-monitor", true }, { "rnet", false },
    { "rnet-nsagent", false }, { "rnet-relay", false },
};
static const char *const moments[] = { "before", "after" };

/* Every message that an attach sends whose sender has a stderr. */
static const RnMsgType messages[] = {
    RN_MSG_MONITOR_SETUP, RN_MSG_MONITOR_PATH, RN_MSG_MONITOR_LISTENER,
    RN_MSG_MONITOR_START, RN_MSG_AGENT_SETUP,  RN_MSG_AGENT_READY,
    RN_MSG_AGENT_SERVE,   RN_MSG_RELAY_SETUP,  RN_MSG_RELAY_LISTENER,
    RN_MSG_RELAY_START,   RN_MSG_RELAY_READY,
};

/* An attach of which that process dies; its stdin's end is its end, too. */
static Run *start_doomed(const Guest *guest, const Doom *doom, unsigned number,
                         const char *moment)
{
    g_autofree char *kill =
        g_strdup_printf("RNET_TEST_KILL=%s:%u:%s", doom->role, number, moment);
    g_autofree char *path = g_strdup_printf("/proc/%s/ns/net", guest->pid);
    const char *const env[] = { kill, NULL };
    const RunOptions options = {
        .binary = guest->world->killpoints,
        .env = env,
    };

    return run_start(guest->world,
                     WORDS("attach", "-p", "127.0.0.1:8080:80", "--exit-fd",
                           "0", doom->detached ? "--detach" : "--", path),
                     &options);
}

/* The message type at which a process died; 0: none did that could tell. */
static unsigned killed_at(const Run *run)
{
    static const char marker[] = "killpoint ";
    const char *found = strstr(run->err_text->str, marker);

    return found == NULL
               ? 0
               : (unsigned)g_ascii_strtoull(found + strlen(marker), NULL, 10);
}

/* Another attach has nothing in its way, and leaves nothing behind. */
static void check_next(Guest *guest)
{
    Guest other;

    guest_start(&other, guest->world);
    guest_attach(&other, "127.0.0.1:8081:80", other.pid);
    guest_kill(guest);
    g_free(guest->pid);
    guest_stop(&other);
}

/* One run: the type of the message that was its last; *out_died: somebody has
 * died over a message. */
static unsigned check_one(World *world, const Doom *doom, unsigned number,
                          const char *moment, bool *out_died)
{
    Guest guest;

    guest_start(&guest, world);
    g_autoptr(Run) run = start_doomed(&guest, doom, number, moment);
    if (doom->detached)
        (void)run_wait(run); /* else it would not get to its end */
    rn_fd_close(&run->in);
    int status = run_wait(run);
    unsigned type = killed_at(run);
    bool launcher = strcmp(doom->role, "rnet") == 0;
    check(status == 0 || status == 1 || (launcher && status == 128 + SIGKILL),
          "%s:%u:%s: status %d, \"%s\"", doom->role, number, moment, status,
          run->err_text->str);
    check(status != 1 || strstr(run->err_text->str, "rnet: attach: ") != NULL,
          "%s:%u:%s: no error, \"%s\"", doom->role, number, moment,
          run->err_text->str);
    /* what is left of it has ended, or does now */
    g_autoptr(Run) end = run_start(world, WORDS("detach", guest.pid), NULL);
    check(run_wait(end) <= 1, "detach: \"%s\"", end->err_text->str);
    check_next(&guest);
    *out_died = type != 0 || status != 0;
    return type;
}

static void check_doom(World *world, const Doom *doom, const char *moment,
                       bool reached[RN_MSG_N_])
{
    bool died = true;
    unsigned number = 1;

    for (; died && number <= MAX_MESSAGES; number++) {
        unsigned type = check_one(world, doom, number, moment, &died);
        check(type < RN_MSG_N_, "unknown message %u", type);
        reached[type] = true;
    }
    check(!died, "%s sends more than %d messages", doom->role, MAX_MESSAGES);
    check(number > 2, "%s did not die", doom->role);
}

static void check_all(World *world, const char *moment)
{
    bool reached[RN_MSG_N_] = { false };

    check(world->killpoints != NULL, "rnet-killpoints is not built");
    for (size_t i = 0; i < G_N_ELEMENTS(dooms); i++)
        check_doom(world, &dooms[i], moment, reached);
    for (size_t i = 0; i < G_N_ELEMENTS(messages); i++)
        check(reached[messages[i]], "nobody died at message %d", messages[i]);
}

static void test_death_before_any_message(World *world)
{
    check_all(world, moments[0]);
}

static void test_death_after_any_message(World *world)
{
    check_all(world, moments[1]);
}

int main(void)
{
    static const WorldTest tests[] = {
        { "attach_death_before_any_message_leaves_nothing",
          test_death_before_any_message },
        { "attach_death_after_any_message_leaves_nothing",
          test_death_after_any_message },
    };

    return world_run_tests("attach-kills", tests, G_N_ELEMENTS(tests));
}
