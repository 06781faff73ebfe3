/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-netlink-look - what is seen of interfaces, rules and sockets, and news
 */
#include "config.h"

#include <rnet/sys/netlink-look.h>

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include <netinet/in.h>

#include <rnet/sys/sock-diag.h>
#include <rnet/sys/tap.h>
#include <rnet/util/fd.h>

#include "netns.h"

/* A TAP with an address and a default route, step by step. */
typedef struct Link {
    RnNetlink *netlink;
    unsigned index;
    RnEndpoint address, other, gateway;
} Link;

static char *fail_with(const GError *error)
{
    return g_strdup(error != NULL ? error->message : "no error");
}

/* NULL if it is seen as said, else what is wrong. */
static char *expect(const Link *link, bool is_up, bool has_address,
                    bool has_route)
{
    g_autoptr(GError) error = NULL;
    RnLinkLook look;
    bool has[3];

    if (!rn_netlink_link_look(link->netlink, link->index, &look, &error) ||
        !rn_netlink_has_address(link->netlink, link->index, &link->address,
                                &has[0], &error) ||
        !rn_netlink_has_address(link->netlink, link->index, &link->other,
                                &has[1], &error) ||
        !rn_netlink_has_default_route(link->netlink, link->index,
                                      link->address.family, &has[2], &error))
        return fail_with(error);
    if (look.is_up != is_up || has[0] != has_address || has[1] ||
        has[2] != has_route)
        return g_strdup_printf("up %d, address %d, other %d, route %d",
                               look.is_up, has[0], has[1], has[2]);
    return NULL;
}

static char *give_address(const Link *link)
{
    g_autoptr(GError) error = NULL;

    if (!rn_netlink_address_add(link->netlink, link->index, &link->address, 24,
                                RN_ADDRESS_NODAD, &error))
        return fail_with(error);
    return expect(link, true, true, false);
}

static char *give_route(const Link *link)
{
    const RnDefaultRoute elsewhere = {
        .family = link->address.family,
        .table = 77,
        .link_index = link->index,
        .gateway = link->gateway,
    };
    RnDefaultRoute route = elsewhere;
    g_autoptr(GError) error = NULL;
    g_autofree char *failure = NULL;

    if (!rn_netlink_route_add(link->netlink, &elsewhere, &error))
        return fail_with(error);
    failure = expect(link, true, true, false);
    if (failure != NULL)
        return g_steal_pointer(&failure);
    route.table = 0;
    if (!rn_netlink_route_add(link->netlink, &route, &error))
        return fail_with(error);
    return expect(link, true, true, true);
}

static char *look_at_tap(void *data)
{
    static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 7 };
    Link *link = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(RnNetlink) netlink = link->netlink = rn_netlink_open(&error);
    rn_autofd int tap = -1;
    RnLinkLook look;
    g_autofree char *failure = NULL;

    if (netlink == NULL || !rn_tap_open("tap7", &tap, &error) ||
        !rn_netlink_link_index(netlink, "tap7", &link->index, &error))
        return fail_with(error);
    failure = expect(link, false, false, false);
    if (failure != NULL)
        return g_steal_pointer(&failure);
    if (!rn_netlink_link_change(netlink, "tap7",
                                &(RnLinkChange){ .mac = mac, .up = true },
                                &error) ||
        !rn_netlink_link_look(netlink, link->index, &look, &error))
        return fail_with(error);
    if (memcmp(look.mac, mac, sizeof mac) != 0)
        return g_strdup("not its MAC");
    failure = give_address(link);
    return failure != NULL ? g_steal_pointer(&failure) : give_route(link);
}

static void link_seen_as_it_is_configured(void **state)
{
    static const char *const rows[][3] = {
        { "10.9.0.1", "10.9.0.3", "10.9.0.2" },
        { "fd09::1", "fd09::3", "fd09::2" },
    };

    (void)state;
    require_tun();
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        Netns netns;
        Link link = { 0 };

        assert_true(rn_endpoint_parse_address(rows[i][0], &link.address, NULL));
        assert_true(rn_endpoint_parse_address(rows[i][1], &link.other, NULL));
        assert_true(rn_endpoint_parse_address(rows[i][2], &link.gateway, NULL));
        netns_open(&netns);
        netns_run(&netns, look_at_tap, &link);
        netns_close(&netns);
    }
}

static char *look_at_nothing(void *data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RnNetlink) netlink = rn_netlink_open(&error);
    RnLinkLook look;

    (void)data;
    if (netlink == NULL)
        return fail_with(error);
    if (rn_netlink_link_look(netlink, 4711, &look, &error) ||
        !rn_error_is_errno(error, ENODEV))
        return g_strdup("an interface that is not there");
    return NULL;
}

static void link_that_is_not_there_refused(void **state)
{
    Netns netns;

    (void)state;
    netns_open(&netns);
    netns_run(&netns, look_at_nothing, NULL);
    netns_close(&netns);
}

static char *hear_news(void *data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RnNetlink) netlink = rn_netlink_open(&error);
    rn_autofd int news = -1;
    struct pollfd entry = { .events = POLLIN };

    (void)data;
    if (netlink == NULL || !rn_netlink_open_news(&news, &error))
        return fail_with(error);
    entry.fd = news;
    if (poll(&entry, 1, 0) != 0 || !rn_netlink_take_news(news))
        return g_strdup("news before anything has changed");
    if (!rn_netlink_link_change(netlink, "lo", &(RnLinkChange){ .up = true },
                                &error))
        return fail_with(error);
    if (poll(&entry, 1, 0) != 1 || !rn_netlink_take_news(news))
        return g_strdup("no news of a link that came up");
    return poll(&entry, 1, 0) == 0 ? NULL : g_strdup("news are not taken");
}

static void news_are_there_until_they_are_taken(void **state)
{
    Netns netns;

    (void)state;
    netns_open(&netns);
    netns_run(&netns, hear_news, NULL);
    netns_close(&netns);
}

static char *remove_rule(void *data)
{
    const RnRule rule = {
        .family = AF_INET,
        .ip_protocol = IPPROTO_TCP,
        .first_port = 80,
        .last_port = 90,
        .table = 77,
        .preference = 1000,
    };
    RnRule other = rule;
    g_autoptr(GError) error = NULL;
    g_autoptr(RnNetlink) netlink = rn_netlink_open(&error);

    (void)data;
    other.last_port = 89;
    if (netlink == NULL || !rn_netlink_rule_add(netlink, &rule, &error) ||
        !rn_netlink_rule_remove(netlink, &other, &error))
        return fail_with(error);
    /* it is still there: only one that is the same in all goes */
    if (rn_netlink_rule_add(netlink, &rule, &error) ||
        !rn_error_is_errno(error, EEXIST))
        return g_strdup("another rule was removed");
    g_clear_error(&error);
    if (!rn_netlink_rule_remove(netlink, &rule, &error) ||
        !rn_netlink_rule_remove(netlink, &rule, &error) ||
        !rn_netlink_rule_add(netlink, &rule, &error))
        return fail_with(error);
    return NULL;
}

static void rule_removed_is_gone_and_no_other(void **state)
{
    Netns netns;

    (void)state;
    netns_open(&netns);
    netns_run(&netns, remove_rule, NULL);
    netns_close(&netns);
}

static void append_endpoint(const RnEndpoint *endpoint, void *data)
{
    char text[RN_ENDPOINT_TEXT];

    g_string_append_printf(data, "%s ", rn_endpoint_format(endpoint, text));
}

static char *list_sockets(void *data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RnNetlink) diag = rn_sock_diag_open(&error);
    g_autoptr(GString) seen = g_string_new(NULL);

    if (diag == NULL ||
        !rn_sock_diag_listening(diag, append_endpoint, seen, &error))
        return fail_with(error);
    if (strcmp(seen->str, data) != 0)
        return g_strdup_printf("\"%s\"", seen->str);
    return NULL;
}

static void sockets_that_listen_are_listed_by_family(void **state)
{
    rn_autofd int v4 = -1, v6 = -1, mapped = -1, datagram = -1;
    Netns netns;

    (void)state;
    netns_open(&netns);
    netns_bring_up_loopback(&netns);
    netns_run(&netns, list_sockets, (void *)"");
    v4 = netns_listen(&netns, SOCK_STREAM, "127.0.0.1", 1000);
    v6 = netns_listen(&netns, SOCK_STREAM, "::1", 1001);
    datagram = netns_listen(&netns, SOCK_DGRAM, "127.0.0.1", 1002);
    netns_run(&netns, list_sockets, (void *)"127.0.0.1:1000 [::1]:1001 ");
    rn_fd_close(&v6);
    mapped = netns_listen(&netns, SOCK_STREAM, "::ffff:127.0.0.1", 1003);
    netns_run(&netns, list_sockets, (void *)"127.0.0.1:1000 127.0.0.1:1003 ");
    netns_close(&netns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(link_seen_as_it_is_configured),
        cmocka_unit_test(link_that_is_not_there_refused),
        cmocka_unit_test(news_are_there_until_they_are_taken),
        cmocka_unit_test(rule_removed_is_gone_and_no_other),
        cmocka_unit_test(sockets_that_listen_are_listed_by_family),
    };

    return cmocka_run_group_tests_name("netlink-look", tests, NULL, NULL);
}
