/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine - loop, link, filter and libslirp put together as the relay does it
 */
#include "config.h"

#include <unit.h>

#include "engine.h"

#include <unistd.h>

#include <sys/socket.h>

#include <rnet/net/filter.h>
#include <rnet/util/fd.h>

static void send_frame(const uint8_t *bytes, gsize length, void *data)
{
    rn_link_send(((Engine *)data)->link, bytes, length);
}

static void take_frame(const uint8_t *bytes, gsize length, void *data)
{
    Engine *engine = data;
    RnFrame frame;

    if (rn_frame_parse(bytes, length, &frame) &&
        rn_filter_frame(&engine->plan, &frame) == RN_VERDICT_SLIRP)
        rn_slirp_input(engine->slirp, bytes, length);
}

static void note_link_end(int errno_value, void *data)
{
    (void)errno_value;
    ((Engine *)data)->has_link_ended = true;
}

Engine *make_engine(const RnNetworkPlan *plan)
{
    g_autoptr(GError) error = NULL;
    Engine *engine = g_new0(Engine, 1);
    RnLinkHandlers handlers = {
        .frame = take_frame,
        .end = note_link_end,
        .data = engine,
    };
    int fds[2];

    engine->plan = *plan;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds),
                     0);
    engine->guest = fds[1];
    assert_true(rn_fd_set_nonblocking(engine->guest, true, NULL));
    engine->loop = rn_loop_new(&error);
    engine->link = rn_link_new(engine->loop, fds[0], &handlers, &error);
    engine->slirp =
        rn_slirp_new(plan, engine->loop, send_frame, engine, &error);
    assert_no_error(error);
    return engine;
}

void free_engine(Engine *engine)
{
    rn_slirp_free(engine->slirp);
    rn_link_free(engine->link);
    rn_loop_free(engine->loop);
    rn_fd_close(&engine->guest);
    g_free(engine);
}
void turn(Engine *engine)
{
    g_autoptr(GError) error = NULL;

    if (!rn_slirp_turn(engine->slirp, TURN_MS, &error))
        fail_msg("turn: %s", error->message);
}

void write_frame(Engine *engine, const TestFrame *frame)
{
    assert_int_equal(write(engine->guest, frame->bytes, frame->length),
                     frame->length);
}

bool read_frame(Engine *engine)
{
    ssize_t got = read(engine->guest, engine->got.bytes, RN_FRAME_MAX);

    if (got <= 0)
        return false;
    engine->got.length = (gsize)got;
    assert_true(rn_frame_parse(engine->got.bytes, (gsize)got, &engine->frame));
    return true;
}

void await_frame(Engine *engine, Wanted is_wanted, const char *what)
{
    for (unsigned i = 0; i < TURNS_MAX; i++) {
        while (read_frame(engine)) {
            if (is_wanted(engine))
                return;
        }
        turn(engine);
    }
    fail_msg("no %s came", what);
}
