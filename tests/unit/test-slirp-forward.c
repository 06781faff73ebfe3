/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-slirp-forward - published TCP ports at which libslirp accepts
 */
#include "config.h"

#include <unit.h>

#include <fcntl.h>

#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <rnet/net/address-plan.h>
#include <rnet/net/relay.h>
#include <rnet/util/fd.h>

#include "engine.h"

static bool is_tcp(const Engine *engine)
{
    return engine->frame.protocol == IPPROTO_TCP;
}

/* A client of a published port of each family, and what the guest sees. */
static const struct {
    int family;
    const char *guest, *shown;
} published[] = {
    { AF_INET, "10.0.2.100", "10.0.2.2" },
    { AF_INET6, "fd00::100", "fd00::2" },
};

static int connect_client(int family, uint16_t port)
{
    RnEndpoint at = rn_endpoint_loopback((uint16_t)family, port);
    struct sockaddr_storage storage;
    socklen_t length = rn_endpoint_to_sockaddr(&at, &storage);
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&storage, length), 0);
    return fd;
}

/* Returns a copy of the listener, as the monitor keeps one. */
static int publish(Engine *engine, int family, RnRelayListener *info)
{
    g_autoptr(GError) error = NULL;
    RnEndpoint at = rn_endpoint_loopback((uint16_t)family, 0);
    struct sockaddr_storage storage;
    socklen_t length = rn_endpoint_to_sockaddr(&at, &storage);
    int listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int copy = fcntl(listener, F_DUPFD_CLOEXEC, 0);

    assert_true(copy >= 0);
    assert_true(rn_fd_set_nonblocking(listener, true, NULL));
    assert_int_equal(bind(listener, (struct sockaddr *)&storage, length), 0);
    assert_int_equal(listen(listener, 5), 0);
    assert_int_equal(
        getsockname(listener, (struct sockaddr *)&storage, &length), 0);
    rn_endpoint_from_sockaddr(&storage, &info->host);
    if (!rn_slirp_publish(engine->slirp, info, listener, &error))
        fail_msg("publish: %s", error->message);
    return copy;
}

static void published_port_leads_to_the_guest_until_withdrawn(void **state)
{
    RnNetworkPlan plan = test_plan();

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(published); i++) {
        g_autoptr(Engine) engine = make_engine(&plan);
        RnRelayListener info = { .id = 7, .guest = { .port = 80 } };
        RnEndpoint to = test_endpoint(published[i].guest, 80);
        RnEndpoint from = test_endpoint(published[i].shown, 0);
        rn_autofd int client = -1, copy = -1;

        resolve_gateway(engine);
        resolve_gateway6(engine);
        copy = publish(engine, published[i].family, &info);
        assert_int_equal(rn_slirp_n_sockets(engine->slirp), 1);
        client = connect_client(published[i].family, info.host.port);
        await_frame(engine, is_tcp, "SYN");
        assert_int_equal(engine->frame.tcp_flags, RN_TCP_SYN);
        assert_true(rn_endpoint_equal(&engine->frame.destination, &to));
        assert_true(rn_endpoint_same_address(&engine->frame.source, &from));
        assert_int_equal(rn_slirp_withdraw(engine->slirp, 8), 0);
        assert_int_equal(rn_slirp_withdraw(engine->slirp, 7), 1);
        assert_int_equal(rn_slirp_withdraw(engine->slirp, 7), 0);
        assert_int_equal(rn_slirp_n_sockets(engine->slirp), 1);
    }
}

/* So does the monitor, before its message is there (network.c). */
static void listener_that_is_shut_down_can_be_withdrawn(void **state)
{
    RnNetworkPlan plan = test_plan();
    g_autoptr(Engine) engine = make_engine(&plan);
    RnRelayListener gone = { .id = 7, .guest = { .port = 80 } };
    RnRelayListener other = { .id = 8, .guest = { .port = 81 } };
    rn_autofd int copy = -1, client = -1;

    (void)state;
    resolve_gateway(engine);
    copy = publish(engine, AF_INET, &gone);
    rn_fd_close(&copy);
    copy = publish(engine, AF_INET, &other);
    rn_fd_close(&copy);
    copy = publish(engine, AF_INET, &gone);
    assert_int_equal(shutdown(copy, SHUT_RDWR), 0);
    for (unsigned i = 0; i < QUIET_TURNS; i++)
        turn(engine);
    assert_int_equal(rn_slirp_withdraw(engine->slirp, 7), 2);
    client = connect_client(AF_INET, other.host.port);
    await_frame(engine, is_tcp, "SYN");
    assert_int_equal(engine->frame.destination.port, 81);
    assert_int_equal(rn_slirp_withdraw(engine->slirp, 8), 1);
}

/* Few fds are left, though enough for one more client. */
static void shortage_of_fds_leaves_clients_in_the_queue(void **state)
{
    enum {
        ROOM = 10
    };
    RnNetworkPlan plan = test_plan();
    g_autoptr(Engine) engine = make_engine(&plan);
    RnRelayListener info = { .id = 7, .guest = { .port = 80 } };
    struct rlimit limit, low;
    rn_autofd int client = -1, copy = -1;

    (void)state;
    resolve_gateway(engine);
    copy = publish(engine, AF_INET, &info);
    client = connect_client(AF_INET, info.host.port);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    low = limit;
    low.rlim_cur = (rlim_t)client + ROOM;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    for (unsigned i = 0; i < QUIET_TURNS; i++) {
        turn(engine);
        assert_false(read_frame(engine));
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    await_frame(engine, is_tcp, "SYN");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_port_leads_to_the_guest_until_withdrawn),
        cmocka_unit_test(listener_that_is_shut_down_can_be_withdrawn),
        cmocka_unit_test(shortage_of_fds_leaves_clients_in_the_queue),
    };

    if (!rn_relay_prepare(NULL))
        return 1;
    return cmocka_run_group_tests_name("slirp-forward", tests, NULL, NULL);
}
