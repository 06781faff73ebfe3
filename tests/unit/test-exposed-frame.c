/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-exposed-frame - exposed ports of the host's loopback through libslirp
 */
#include "config.h"

#include <unit.h>

#include <errno.h>

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <rnet/net/exposed-frame.h>
#include <rnet/net/frame-fields.h>
#include <rnet/net/relay.h>
#include <rnet/util/fd.h>

#include "engine.h"

enum {
    GUEST_PORT = 80,
};

static bool is_tcp(const Engine *engine)
{
    return engine->frame.protocol == IPPROTO_TCP;
}

static bool is_icmp(const Engine *engine)
{
    return engine->frame.protocol == IPPROTO_ICMP ||
           (engine->frame.protocol == IPPROTO_ICMPV6 &&
            engine->frame.transport[0] == ICMP6_DST_UNREACH);
}

/* A listening socket on `address`, and a network that exposes its port. */
static Engine *make_exposed(const char *address, int *out_listener,
                            uint16_t *out_port)
{
    RnNetworkPlan plan = test_plan();
    RnEndpoint at = test_endpoint(address, 0);
    struct sockaddr_storage storage;
    socklen_t length = rn_endpoint_to_sockaddr(&at, &storage);
    int fd = socket(at.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&storage, length), 0);
    assert_int_equal(listen(fd, 5), 0);
    length = sizeof storage;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&storage, &length), 0);
    rn_endpoint_from_sockaddr(&storage, &at);
    plan.n_exposed = 1;
    plan.exposed[0] =
        (RnExposedPort){ .host_port = at.port, .guest_port = GUEST_PORT };
    *out_listener = fd;
    *out_port = at.port;
    return make_engine(&plan);
}

/* The guest's and the gateway's addresses, and where the host listens. */
static const struct {
    const char *guest, *gateway, *host;
} ways[] = {
    { "10.0.2.100", "10.0.2.2", "127.0.0.1" },
    { "fd00::100", "fd00::2", "::1" },
};

static void resolve(Engine *engine, unsigned way)
{
    if (way == 0)
        resolve_gateway(engine);
    else
        resolve_gateway6(engine);
}

static void assert_checksum(const RnFrame *frame)
{
    uint64_t sum = rn_checksum_pseudo(&frame->source, &frame->destination,
                                      IPPROTO_TCP, frame->transport_length);

    sum = rn_checksum_add(sum, frame->transport, frame->transport_length);
    assert_int_equal(rn_checksum_finish(sum), 0);
}

static void exposed_port_answers_as_the_gateway(void **state)
{
    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(ways); i++) {
        rn_autofd int listener = -1, server = -1;
        uint16_t port = 0;
        g_autoptr(Engine) engine = make_exposed(ways[i].host, &listener, &port);
        RnEndpoint guest = test_endpoint(ways[i].guest, 0);
        RnEndpoint to = test_endpoint(ways[i].gateway, 0);

        resolve(engine, i);
        send_syn(engine, &guest, &to, GUEST_PORT);
        await_frame(engine, is_tcp, "answer");
        assert_int_equal(engine->frame.tcp_flags, RN_TCP_SYN | RN_TCP_ACK);
        to.port = GUEST_PORT;
        assert_true(rn_endpoint_equal(&engine->frame.source, &to));
        assert_checksum(&engine->frame);
        server = accept(listener, NULL, NULL);
        assert_true(server >= 0);
    }
}

static void other_ports_get_what_a_closed_loopback_gives(void **state)
{
    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(ways); i++) {
        rn_autofd int listener = -1;
        uint16_t port = 0;
        g_autoptr(Engine) engine = make_exposed(ways[i].host, &listener, &port);
        RnEndpoint guest = test_endpoint(ways[i].guest, 0);
        RnEndpoint to = test_endpoint(ways[i].gateway, 0);

        resolve(engine, i);
        send_syn(engine, &guest, &to, port);
        await_frame(engine, is_icmp, "ICMP error");
        assert_int_equal(accept(listener, NULL, NULL), -1);
    }
}

static void exposed_port_where_nobody_listens_is_reset(void **state)
{
    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(ways); i++) {
        rn_autofd int listener = -1;
        uint16_t port = 0;
        g_autoptr(Engine) engine = make_exposed(ways[i].host, &listener, &port);
        RnEndpoint guest = test_endpoint(ways[i].guest, 0);
        RnEndpoint to = test_endpoint(ways[i].gateway, 0);

        rn_fd_close(&listener);
        resolve(engine, i);
        send_syn(engine, &guest, &to, GUEST_PORT);
        await_frame(engine, is_tcp, "answer");
        assert_true((engine->frame.tcp_flags & RN_TCP_RST) != 0);
        to.port = GUEST_PORT;
        assert_true(rn_endpoint_equal(&engine->frame.source, &to));
        assert_checksum(&engine->frame);
    }
}

/* Only the first of two that lead to one port of the host. */
static void what_is_not_exposed_stays_as_it_is(void **state)
{
    RnNetworkPlan plan = test_plan();
    static const struct {
        const char *to;
        uint16_t port;
        bool is_changed;
    } rows[] = {
        { "10.0.2.2", 80, true },   { "fd00::2", 80, true },
        { "10.0.2.2", 81, false },  { "10.0.2.2", 3000, false },
        { "192.0.2.1", 80, false }, { "10.0.2.3", 80, false },
    };
    g_autofree uint8_t *buffer = g_malloc(RN_FRAME_MAX);

    (void)state;
    plan.n_exposed = 2;
    plan.exposed[0] = (RnExposedPort){ .host_port = 3000, .guest_port = 80 };
    plan.exposed[1] = (RnExposedPort){ .host_port = 3000, .guest_port = 81 };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        TestSegment segment = {
            .destination = test_endpoint(rows[i].to, rows[i].port),
            .flags = RN_TCP_SYN,
        };
        TestFrame sent;
        RnFrame frame;
        const uint8_t *entered = NULL;

        segment.source =
            segment.destination.family == AF_INET6 ? plan.guest6 : plan.guest4;
        test_tcp_frame(&plan, &segment, &sent);
        assert_true(rn_frame_parse(sent.bytes, sent.length, &frame));
        entered = rn_exposed_frame_enter(&plan, &frame, buffer);
        assert_int_equal(entered == buffer, rows[i].is_changed);
        if (!rows[i].is_changed)
            continue;
        assert_true(rn_frame_parse(buffer, sent.length, &frame));
        assert_checksum(&frame);
        assert_true(rn_endpoint_is_loopback(&frame.destination));
        assert_int_equal(frame.destination.port, 3000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exposed_port_answers_as_the_gateway),
        cmocka_unit_test(other_ports_get_what_a_closed_loopback_gives),
        cmocka_unit_test(exposed_port_where_nobody_listens_is_reset),
        cmocka_unit_test(what_is_not_exposed_stays_as_it_is),
    };

    if (!rn_relay_prepare(NULL))
        return 1;
    return cmocka_run_group_tests_name("exposed-frame", tests, NULL, NULL);
}
