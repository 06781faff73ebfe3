/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-publish-listen - the host's sockets for published ports, on loopback
 */
#include "config.h"

#include <unit.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include <rnet/net/port-owner.h>
#include <rnet/net/publish.h>
#include <rnet/util/fd.h>

/* A missing facility ends the test: skipped, or failed where CI says so. */
static void skip_for(const char *reason)
{
    if (g_strcmp0(g_getenv("RNET_TEST_REQUIRE"), "1") == 0)
        fail_msg("needed: %s", reason);
    print_message("skipped: %s\n", reason);
    skip();
}

static RnEndpoint parse_address(const char *text, uint16_t port)
{
    g_autoptr(GError) error = NULL;
    RnEndpoint endpoint = { 0 };

    assert_true(rn_endpoint_parse_address(text, &endpoint, &error));
    endpoint.port = port;
    return endpoint;
}

static GArray *make_specs(RnTransport transport, const RnEndpoint *host,
                          uint16_t count)
{
    GArray *specs = g_array_new(FALSE, FALSE, sizeof(RnPublishSpec));
    RnPublishSpec spec = {
        .transport = transport, .host = *host, .guest_port = 80, .count = count
    };

    g_array_append_val(specs, spec);
    return specs;
}

/* Opens one spec; NULL with the error set if that fails. */
static GArray *open_spec(RnTransport transport, const char *address,
                         uint16_t port, uint16_t count, GError **error)
{
    RnEndpoint host = parse_address(address, port);
    g_autoptr(GArray) specs = make_specs(transport, &host, count);
    GArray *listeners = NULL;

    if (!rn_listeners_open(specs, &listeners, error))
        assert_null(listeners);
    return listeners;
}

static const RnListener *get_listener(const GArray *listeners, unsigned i)
{
    return &g_array_index(listeners, RnListener, i);
}

static bool can_connect(const RnEndpoint *to, int type)
{
    rn_autofd int fd = socket(to->family, type | SOCK_CLOEXEC, 0);
    struct sockaddr_storage storage;
    socklen_t length = rn_endpoint_to_sockaddr(to, &storage);

    return fd >= 0 &&
           connect(fd, (const struct sockaddr *)&storage, length) == 0;
}

static bool has_ipv6(void)
{
    rn_autofd int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    RnEndpoint loopback = parse_address("::1", 0);
    struct sockaddr_storage storage;
    socklen_t length = rn_endpoint_to_sockaddr(&loopback, &storage);

    return fd >= 0 && bind(fd, (const struct sockaddr *)&storage, length) == 0;
}

static void assert_socket(const RnListener *listener, int type)
{
    struct sockaddr_storage storage;
    socklen_t length = sizeof storage;
    RnEndpoint bound;
    int got = 0;

    assert_int_equal(
        getsockname(listener->fd, (struct sockaddr *)&storage, &length), 0);
    rn_endpoint_from_sockaddr(&storage, &bound);
    assert_true(rn_endpoint_equal(&bound, &listener->info.host));
    assert_int_not_equal(bound.port, 0);
    assert_true((fcntl(listener->fd, F_GETFL) & O_NONBLOCK) != 0);
    assert_true((fcntl(listener->fd, F_GETFD) & FD_CLOEXEC) != 0);
    length = sizeof got;
    assert_int_equal(
        getsockopt(listener->fd, SOL_SOCKET, SO_TYPE, &got, &length), 0);
    assert_int_equal(got, type);
}

static void tcp_picked_port_listens(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) listeners =
        open_spec(RN_TRANSPORT_TCP, "127.0.0.1", 0, 1, &error);

    (void)state;
    assert_no_error(error);
    assert_int_equal(listeners->len, 1);
    assert_socket(get_listener(listeners, 0), SOCK_STREAM);
    assert_int_equal(get_listener(listeners, 0)->info.guest.port, 80);
    assert_int_equal(get_listener(listeners, 0)->info.transport,
                     RN_TRANSPORT_TCP);
    assert_true(
        can_connect(&get_listener(listeners, 0)->info.host, SOCK_STREAM));
}

static void udp_picked_port_is_bound(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) listeners =
        open_spec(RN_TRANSPORT_UDP, "127.0.0.1", 0, 1, &error);

    (void)state;
    assert_no_error(error);
    assert_socket(get_listener(listeners, 0), SOCK_DGRAM);
}

static void picked_range_has_a_port_each(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) listeners =
        open_spec(RN_TRANSPORT_TCP, "127.0.0.1", 0, 3, &error);

    (void)state;
    assert_no_error(error);
    assert_int_equal(listeners->len, 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_socket(get_listener(listeners, i), SOCK_STREAM);
        assert_int_equal(get_listener(listeners, i)->info.guest.port, 80 + i);
    }
    assert_int_not_equal(get_listener(listeners, 0)->info.host.port,
                         get_listener(listeners, 1)->info.host.port);
}

static void all_addresses_listen_on_both_families(void **state)
{
    const RnEndpoint all = { .family = AF_UNSPEC };
    g_autoptr(GArray) specs = make_specs(RN_TRANSPORT_TCP, &all, 1);
    g_autoptr(GArray) listeners = NULL;
    g_autoptr(GError) error = NULL;
    RnEndpoint client = parse_address("127.0.0.1", 0);

    (void)state;
    assert_true(rn_listeners_open(specs, &listeners, &error));
    assert_no_error(error);
    assert_int_equal(listeners->len, has_ipv6() ? 2 : 1);
    assert_socket(get_listener(listeners, 0), SOCK_STREAM);
    client.port = get_listener(listeners, 0)->info.host.port;
    assert_true(can_connect(&client, SOCK_STREAM));
    if (listeners->len == 1)
        return;
    assert_socket(get_listener(listeners, 1), SOCK_STREAM);
    assert_int_equal(get_listener(listeners, 1)->info.host.family, AF_INET6);
    assert_int_equal(get_listener(listeners, 1)->info.host.port, client.port);
    client = parse_address("::1", client.port);
    assert_true(can_connect(&client, SOCK_STREAM));
}

static void ipv6_wildcard_leaves_ipv4_alone(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) listeners = NULL;
    RnEndpoint client = { 0 };

    (void)state;
    if (!has_ipv6())
        skip_for("IPv6 on the loopback");
    listeners = open_spec(RN_TRANSPORT_TCP, "::", 0, 1, &error);
    assert_no_error(error);
    assert_int_equal(listeners->len, 1);
    client =
        parse_address("127.0.0.1", get_listener(listeners, 0)->info.host.port);
    assert_false(can_connect(&client, SOCK_STREAM));
}

/* A second listener on a taken port names this very process. */
static void check_taken_port(RnTransport transport)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) first = open_spec(transport, "127.0.0.1", 0, 1, &error);
    g_autoptr(GArray) second = NULL;
    g_autofree char *owner = g_strdup_printf("(pid %d)", (int)getpid());
    uint16_t port = 0;

    assert_no_error(error);
    port = get_listener(first, 0)->info.host.port;
    second = open_spec(transport, "127.0.0.1", port, 1, &error);
    assert_null(second);
    assert_error(error, RN_ERROR, RN_ERROR_EXISTS,
                 "publish port 80: listen on 127.0.0.1:");
    assert_error(error, RN_ERROR, RN_ERROR_EXISTS, "in use by \"");
    assert_error(error, RN_ERROR, RN_ERROR_EXISTS, owner);
    assert_error(error, RN_ERROR, RN_ERROR_EXISTS, "hint: take another");
}

static void tcp_port_in_use_names_its_owner(void **state)
{
    (void)state;
    check_taken_port(RN_TRANSPORT_TCP);
}

static void udp_port_in_use_names_its_owner(void **state)
{
    (void)state;
    check_taken_port(RN_TRANSPORT_UDP);
}

static void free_port_has_no_owner(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) listeners =
        open_spec(RN_TRANSPORT_TCP, "127.0.0.1", 0, 1, &error);
    RnEndpoint other = { 0 };
    g_autofree char *owner = NULL;

    (void)state;
    assert_no_error(error);
    other =
        parse_address("127.0.0.2", get_listener(listeners, 0)->info.host.port);
    owner = rn_port_owner_describe(RN_TRANSPORT_TCP, &other);
    assert_null(owner);
}

static unsigned count_fds(void)
{
    g_autoptr(GDir) fds = g_dir_open("/proc/self/fd", 0, NULL);
    unsigned count = 0;

    while (g_dir_read_name(fds) != NULL)
        count++;
    return count;
}

static void failure_closes_what_was_open(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) taken =
        open_spec(RN_TRANSPORT_TCP, "127.0.0.1", 0, 1, &error);
    RnEndpoint free_host = parse_address("127.0.0.1", 0);
    g_autoptr(GArray) specs = make_specs(RN_TRANSPORT_TCP, &free_host, 5);
    RnPublishSpec clash = g_array_index(specs, RnPublishSpec, 0);
    GArray *listeners = NULL;
    unsigned before = count_fds();

    (void)state;
    assert_no_error(error);
    clash.host.port = get_listener(taken, 0)->info.host.port;
    clash.count = 1;
    g_array_append_val(specs, clash);
    assert_false(rn_listeners_open(specs, &listeners, &error));
    assert_null(listeners);
    assert_int_equal(count_fds(), before);
}

static void foreign_address_is_told(void **state)
{
    g_autoptr(GError) error = NULL;

    (void)state;
    /* RFC 5737: for documentation, no host has it */
    assert_null(open_spec(RN_TRANSPORT_TCP, "192.0.2.1", 0, 1, &error));
    assert_error(error, RN_ERRNO, EADDRNOTAVAIL,
                 "no interface has this address");
}

static unsigned read_port_start(void)
{
    g_autofree char *text = NULL;

    if (!g_file_get_contents("/proc/sys/net/ipv4/ip_unprivileged_port_start",
                             &text, NULL, NULL))
        return 0;
    return (unsigned)strtoul(text, NULL, 10);
}

static void privileged_port_names_the_sysctl(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) listeners = NULL;
    uid_t uid = geteuid();

    (void)state;
    if (read_port_start() < 2)
        skip_for("a port that is privileged");
    if (uid == 0) /* this gives up CAP_NET_BIND_SERVICE, too */
        assert_int_equal(seteuid(65534), 0);
    listeners = open_spec(RN_TRANSPORT_TCP, "127.0.0.1", 1, 1, &error);
    if (uid == 0)
        assert_int_equal(seteuid(0), 0);
    assert_null(listeners);
    assert_error(error, RN_ERRNO, EACCES, "listen on 127.0.0.1:1/tcp");
    assert_error(error, RN_ERRNO, EACCES,
                 "\"sudo sysctl net.ipv4.ip_unprivileged_port_start=1\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tcp_picked_port_listens),
        cmocka_unit_test(udp_picked_port_is_bound),
        cmocka_unit_test(picked_range_has_a_port_each),
        cmocka_unit_test(all_addresses_listen_on_both_families),
        cmocka_unit_test(ipv6_wildcard_leaves_ipv4_alone),
        cmocka_unit_test(tcp_port_in_use_names_its_owner),
        cmocka_unit_test(udp_port_in_use_names_its_owner),
        cmocka_unit_test(free_port_has_no_owner),
        cmocka_unit_test(failure_closes_what_was_open),
        cmocka_unit_test(foreign_address_is_told),
        cmocka_unit_test(privileged_port_names_the_sysctl),
    };

    return cmocka_run_group_tests_name("publish-listen", tests, NULL, NULL);
}
