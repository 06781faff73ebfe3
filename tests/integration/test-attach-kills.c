/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-attach-kills - the death of any process at any step of an attach
 *
 * Role:     runs rnet-killpoints (doom.h) once for every process, every message
 *           that it sends, and both moments, before and after
 * Runs in:  see world.h
 * Data:     doom.h tells whether the moment came; a role is through when a
 *           number is never reached
 * Failure:  a run that hangs, a process or state entry that is left when the
 *           next attach has come and gone, or a message at which nobody died
 */
#include "config.h"

#include <signal.h>

#include <rnet/util/fd.h>

#include "box.h"
#include "check.h"
#include "doom.h"
#include "guest.h"
#include "leftovers.h"

/* Who is to die, in what kind of attach. */
typedef struct Victim {
    const char *role;
    bool detached;
} Victim;

static const Victim victims[] = {
    { "rnet", false },      { "rnet-nsagent", false }, { "rnet-relay", false },
    { "rnet", true },       { "rnet-monitor", true },  { "rnet-nsagent", true },
    { "rnet-relay", true },
};
static const char *const moments[] = { "before", "after" };

/* Every message of an attach. */
static const RnMsgType messages[] = {
    RN_MSG_MONITOR_SETUP,  RN_MSG_MONITOR_PATH,  RN_MSG_MONITOR_LISTENER,
    RN_MSG_MONITOR_START,  RN_MSG_MONITOR_READY, RN_MSG_AGENT_SETUP,
    RN_MSG_AGENT_READY,    RN_MSG_AGENT_SERVE,   RN_MSG_RELAY_SETUP,
    RN_MSG_RELAY_LISTENER, RN_MSG_RELAY_START,   RN_MSG_RELAY_READY,
};

/* An attach of which that process dies; its stdin's end is its end, too. */
static Run *start_doomed(Doom *doom, const Guest *guest, const Victim *victim,
                         const DoomPoint *point)
{
    g_autofree char *path = g_strdup_printf("/proc/%s/ns/net", guest->pid);

    return doom_start(doom,
                      WORDS("attach", "-p", "127.0.0.1:8080:80", "--exit-fd",
                            "0", victim->detached ? "--detach" : "--", path),
                      point, 0);
}

/* Another attach has nothing in its way, and leaves nothing behind. */
static void check_next(Guest *guest)
{
    Guest other;

    /* what is left has ended, or does now */
    g_autoptr(Run) end =
        run_start(guest->world, WORDS("detach", guest->pid), NULL);
    check(run_wait(end) <= 1, "detach: \"%s\"", end->err_text->str);
    guest_start(&other, guest->world);
    guest_attach(&other, "127.0.0.1:8081:80", other.pid);
    guest_kill(guest);
    g_free(guest->pid);
    guest_stop(&other);
}

/* One run; the type of the message that was its last, 0 if none was. */
static unsigned check_one(Doom *doom, World *world, const Victim *victim,
                          const DoomPoint *point)
{
    bool launcher = strcmp(point->role, "rnet") == 0;
    Guest guest;

    guest_start(&guest, world);
    g_autoptr(Run) run = start_doomed(doom, &guest, victim, point);
    if (victim->detached)
        (void)run_wait(run); /* else it would not get to its end */
    rn_fd_close(&run->in);
    int status = run_wait(run);
    check_next(&guest);
    unsigned type = doom_take(doom);
    g_autofree char *where = g_strdup_printf(
        "%s:%u:%s (message %u): status %d, \"%s\"", point->role, point->number,
        point->action, type, status, run->err_text->str);
    check(type != 0 || status == 0, "%s", where);
    check(!launcher || type == 0 || status == 128 + SIGKILL, "%s", where);
    check(status <= 1 || launcher, "%s", where);
    check(status != 1 || strstr(run->err_text->str, "rnet: attach: ") != NULL,
          "%s", where);
    return type;
}

static void check_victim(Doom *doom, World *world, const Victim *victim,
                         const char *moment, bool reached[RN_MSG_N_])
{
    DoomPoint point = { .role = victim->role, .number = 1, .action = moment };

    for (; point.number <= DOOM_MESSAGES_MAX; point.number++) {
        unsigned type = check_one(doom, world, victim, &point);
        if (type == 0)
            return;
        reached[type] = true;
    }
    check(false, "%s sends more than %d messages", victim->role,
          DOOM_MESSAGES_MAX);
}

static void check_all(World *world, const char *moment)
{
    bool reached[RN_MSG_N_] = { false };
    g_auto(Doom) doom;

    doom_init(&doom, world);
    for (size_t i = 0; i < G_N_ELEMENTS(victims); i++)
        check_victim(&doom, world, &victims[i], moment, reached);
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
