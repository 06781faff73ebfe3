/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine - loop, link, filter and libslirp put together as the relay does it
 */
#include "config.h"

#include <unit.h>

#include "engine.h"

#include <unistd.h>

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <rnet/net/exposed-frame.h>
#include <rnet/net/filter.h>
#include <rnet/net/frame-fields.h>
#include <rnet/util/fd.h>

static void send_frame(const uint8_t *bytes, gsize length, void *data)
{
    Engine *engine = data;

    bytes = rn_exposed_frame_leave(&engine->plan, bytes, length,
                                   engine->rewritten.bytes);
    rn_link_send(engine->link, bytes, length);
}

static void take_frame(const uint8_t *bytes, gsize length, void *data)
{
    Engine *engine = data;
    RnFrame frame;

    if (rn_frame_parse(bytes, length, &frame) &&
        rn_filter_frame(&engine->plan, &frame) == RN_VERDICT_SLIRP)
        rn_slirp_input(engine->slirp,
                       rn_exposed_frame_enter(&engine->plan, &frame,
                                              engine->rewritten.bytes),
                       length);
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

static bool is_arp_reply(const Engine *engine)
{
    return engine->frame.ether_type == RN_ETHER_TYPE_ARP &&
           engine->got.length >= 42 &&
           rn_get16(engine->got.bytes + 14 + 6) == 2;
}

static bool is_neighbour_advertisement(const Engine *engine)
{
    return engine->frame.protocol == IPPROTO_ICMPV6 &&
           engine->frame.transport[0] == ND_NEIGHBOR_ADVERT;
}

void resolve_gateway(Engine *engine)
{
    TestFrame request;

    test_arp_frame(&engine->plan, &engine->plan.gateway4, &request);
    write_frame(engine, &request);
    await_frame(engine, is_arp_reply, "ARP reply");
}

void resolve_gateway6(Engine *engine)
{
    const RnEndpoint *gateway = &engine->plan.gateway6;
    uint8_t icmp[32] = { ND_NEIGHBOR_SOLICIT, [24] = 1, [25] = 1 };
    RnEndpoint to = test_endpoint("ff02::1:ff00:2", 0);
    TestFrame request;
    uint64_t sum = rn_checksum_pseudo(&engine->plan.guest6, &to, IPPROTO_ICMPV6,
                                      sizeof icmp);

    memcpy(icmp + 8, gateway->address, 16);
    memcpy(icmp + 26, engine->plan.guest_mac, 6);
    rn_put16(icmp + 2,
             rn_checksum_finish(rn_checksum_add(sum, icmp, sizeof icmp)));
    test_ip_frame(&engine->plan, &engine->plan.guest6, &to, IPPROTO_ICMPV6,
                  icmp, sizeof icmp, &request);
    write_frame(engine, &request);
    await_frame(engine, is_neighbour_advertisement, "neighbour advertisement");
}

void send_syn(Engine *engine, const RnEndpoint *guest, const RnEndpoint *to,
              uint16_t port)
{
    TestSegment segment = { .source = *guest,
                            .destination = *to,
                            .sequence = 1000,
                            .flags = RN_TCP_SYN };
    TestFrame frame;

    segment.source.port = 40000;
    segment.destination.port = port;
    test_tcp_frame(&engine->plan, &segment, &frame);
    write_frame(engine, &frame);
}
