/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-relay-orders - what a relay that runs is told by its monitor
 */
#include "config.h"

#include <unit.h>

#include <errno.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include <rnet/util/fd.h>
#include <rnet/util/msg.h>

#include "relay-bench.h"

static void port_comes_and_goes_while_its_connection_stays(void **state)
{
    g_autoptr(Bench) bench = make_ready_relay();
    RnEndpoint at, front;
    rn_autofd int listener = open_socket(SOCK_STREAM, &at);
    rn_autofd int client = -1, service = -1, other = -1, other_service = -1;

    (void)state;
    send_listener(bench, RN_TRANSPORT_TCP, LATE_ID, &front);
    client = connect_to(&front, SOCK_STREAM);
    answer_request(bench, &at);
    service = accept_client(listener);
    exchange(client, service);

    withdraw(bench, LATE_ID);
    await_refusal(&front);
    refuse_requests(bench); /* for clients that came just before */
    exchange(client, service);
    other = connect_to(&bench->tcp_front, SOCK_STREAM);
    answer_request(bench, &at);
    other_service = accept_client(listener);
    exchange(other, other_service);
}

static void udp_port_comes_and_goes(void **state)
{
    g_autoptr(Bench) bench = make_ready_relay();
    RnEndpoint front;
    rn_autofd int client = -1;
    char byte;

    (void)state;
    send_listener(bench, RN_TRANSPORT_UDP, LATE_ID, &front);
    client = connect_to(&front, SOCK_DGRAM);
    assert_int_equal(send(client, "question", 8, 0), 8);
    await_frame(bench, IPPROTO_UDP);
    withdraw(bench, LATE_ID);
    /* closed: the host says so, once a datagram comes */
    for (unsigned i = 0; i < REFUSAL_TRIES; i++) {
        if (send(client, "again", 5, 0) < 0 ||
            (recv(client, &byte, 1, MSG_DONTWAIT) < 0 && errno != EAGAIN))
            break;
    }
    assert_int_equal(errno, ECONNREFUSED);
}

/* What a monitor may not send to a relay that is up. */
static const struct {
    RnMsgType type;
    gsize length;
} bad_orders[] = {
    { RN_MSG_RELAY_START, 0 },
    { RN_MSG_RELAY_WITHDRAW, sizeof(uint32_t) }, /* an id that is not there */
    { RN_MSG_RELAY_WITHDRAW, 1 },
    { RN_MSG_RELAY_LISTENER, sizeof(RnRelayListener) }, /* without its fd */
    { RN_MSG_RELAY_SETUP, sizeof(RnRelaySetup) },
    { RN_MSG_N_, 0 },
};

static void bad_order_ends_the_relay_with_a_message(void **state)
{
    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(bad_orders); i++) {
        static const uint8_t payload[RN_MSG_MAX_PAYLOAD] = { 99 };
        g_autoptr(Bench) bench = make_ready_relay();
        g_autoptr(GError) error = NULL;
        g_auto(RnMsg) msg = { 0 };

        assert_true(rn_msg_send(bench->monitor, bad_orders[i].type, payload,
                                bad_orders[i].length, NULL, 0, NULL));
        wait_readable(bench->monitor);
        assert_false(rn_msg_expect(bench->monitor, RN_MSG_RELAY_READY, 0, 0,
                                   &msg, &error));
        assert_error(error, RN_ERROR, RN_ERROR_PROTOCOL, "");
        assert_int_equal(await_exit(bench), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(port_comes_and_goes_while_its_connection_stays),
        cmocka_unit_test(udp_port_comes_and_goes),
        cmocka_unit_test(bad_order_ends_the_relay_with_a_message),
    };

    return cmocka_run_group_tests_name("relay-orders", tests, NULL, NULL);
}
