/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-network-ports - ports that are published and withdrawn meanwhile, by
 * hand and by what listens inside; ports of the host that are exposed
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include <netinet/in.h>
#include <sys/resource.h>

#include <rnet/net/network-parts.h>
#include <rnet/util/fd.h>

#include "network-world.h"

static const RnEndpoint own_addresses = { .family = AF_UNSPEC };

/* A spec for a host port that is picked; its listener's port in *out_port. */
static uint32_t publish(World *world, uint16_t guest_port, uint16_t *out_port)
{
    RnPublishSpec spec = { .transport = RN_TRANSPORT_TCP,
                           .guest_port = guest_port,
                           .count = 1 };
    g_autoptr(GError) error = NULL;
    const GArray *listeners = NULL;
    uint32_t id = 0;

    set_address(&spec.host, "127.0.0.1");
    (void)!rn_network_publish(world->network, &spec, &own_addresses, &id,
                              &error);
    assert_no_error(error);
    listeners = rn_network_listeners(world->network);
    *out_port =
        g_array_index(listeners, RnListener, listeners->len - 1).info.host.port;
    return id;
}

static void assert_refused(uint16_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons(port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    rn_autofd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(
        connect(fd, (const struct sockaddr *)&address, sizeof address), -1);
    assert_int_equal(errno, ECONNREFUSED);
}

static void port_published_later_reaches_this_relay_and_the_next(void **state)
{
    World world;
    Report seen = { 0 };
    uint16_t port = 0;
    uint32_t id = 0;
    pid_t first = 0;

    (void)state;
    open_world(&world, PART_SERVE, 2);
    start(&world);
    assert_true(rn_network_is_up(world.network));
    id = publish(&world, 8080, &port);
    seen = ask_relay_at(&world, port);
    assert_int_equal(seen.n_listeners, 3);
    assert_int_equal(seen.which.id, id);
    assert_int_equal(seen.which.guest.port, 8080);
    first = seen.pid;
    assert_int_equal(kill(first, SIGKILL), 0);
    seen = ask_relay_at(&world, port);
    assert_int_not_equal(seen.pid, first);
    assert_int_equal(seen.n_listeners, 3);
    assert_int_equal(seen.which.id, id);
    close_world(&world);
}

static void port_withdrawn_is_closed_here_and_there(void **state)
{
    g_autoptr(GError) error = NULL;
    World world;
    uint16_t port = 0, kept = 0;
    uint32_t id = 0;

    (void)state;
    open_world(&world, PART_SERVE, 1);
    start(&world);
    id = publish(&world, 8080, &port);
    assert_true(publish(&world, 8080, &kept) > id);
    assert_int_equal(ask_relay(&world).n_listeners, 3);
    assert_true(rn_network_withdraw(world.network, id, NULL));
    /* in order, so it is gone when this one is answered */
    assert_int_equal(ask_relay_at(&world, kept).n_listeners, 2);
    assert_refused(port);
    assert_false(rn_network_withdraw(world.network, id, &error));
    assert_error(error, RN_ERROR, RN_ERROR_NOT_FOUND, "has id");
    close_world(&world);
}

/* One after the other, so that the relay has no time to read. */
static void ports_more_than_a_queue_holds_all_arrive_later(void **state)
{
    enum {
        MANY = 600
    };
    World world;
    uint32_t ids[MANY];
    uint16_t port = 0, last = 0;

    (void)state;
    open_world(&world, PART_SERVE, 1);
    start(&world);
    for (int i = 0; i < MANY; i++)
        ids[i] = publish(&world, (uint16_t)(10000 + i), &port);
    /* of some the listener was not sent yet */
    for (int i = 0; i < MANY; i++)
        assert_true(rn_network_withdraw(world.network, ids[i], NULL));
    (void)publish(&world, 80, &last);
    assert_int_equal(ask_relay_at(&world, last).n_listeners, 2);
    assert_refused(port);
    close_world(&world);
}

/* More ranges than the set-up has, and more messages than a socket holds. */
static void ports_more_than_a_queue_holds_need_no_first_nsagent(void **state)
{
    enum {
        MANY = 700
    };
    World world;
    uint16_t port = 0;
    pid_t relay = 0;

    (void)state;
    open_world(&world, PART_SERVE, 1);
    start(&world);
    for (int i = 0; i < MANY; i++)
        (void)publish(&world, (uint16_t)(10000 + 2 * i), &port);
    relay = ask_relay_at(&world, port).pid;
    assert_int_equal(kill(find_child(RN_AGENT_NAME), SIGKILL), 0);
    while (rn_network_is_up(world.network))
        assert_true(rn_loop_turn(world.loop, -1, NULL));
    assert_int_not_equal(ask_relay_at(&world, port).pid, relay);
    close_world(&world);
}

static void publish_impossible_refused_and_nothing_changed(void **state)
{
    static const struct {
        RnPublishSpec spec;
        const char *guest; /* NULL: the own addresses */
        RnErrorCode code;
    } cases[] = {
        { { RN_TRANSPORT_TCP, { 0 }, 65535, 2 }, NULL, RN_ERROR_INVALID },
        { { RN_TRANSPORT_TCP, { 0 }, 0, 1 }, NULL, RN_ERROR_INVALID },
        { { RN_TRANSPORT_UDP, { 0 }, 53, 1 }, "::1", RN_ERROR_UNSUPPORTED },
        { { RN_TRANSPORT_TCP, { 0 }, 80, 1024 }, NULL, RN_ERROR_LIMIT },
    };
    World world;

    (void)state;
    open_world(&world, PART_SERVE, 1);
    start(&world);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        RnEndpoint guest = { .family = AF_UNSPEC };
        uint32_t id = 0;

        if (cases[i].guest != NULL)
            set_address(&guest, cases[i].guest);
        guest.port = cases[i].spec.guest_port;
        assert_false(rn_network_publish(world.network, &cases[i].spec, &guest,
                                        &id, &error));
        assert_error(error, RN_ERROR, cases[i].code, "");
    }
    assert_int_equal(ask_relay(&world).n_listeners, 1);
    close_world(&world);
}

static void ports_leave_the_fds_that_a_new_relay_takes(void **state)
{
    RnPublishSpec spec = {
        .transport = RN_TRANSPORT_TCP,
        .guest_port = 8080,
        .count = 1,
    };
    g_autoptr(GError) error = NULL;
    struct rlimit before, tight;
    uint16_t port = 0;
    uint32_t id = 0;
    pid_t relay = 0;
    World world;

    (void)state;
    open_world(&world, PART_SERVE, 1);
    start(&world);
    (void)publish(&world, 8080, &port);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    tight = before;
    tight.rlim_cur = 64;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    set_address(&spec.host, "127.0.0.1");
    while (
        rn_network_publish(world.network, &spec, &own_addresses, &id, &error))
        spec.guest_port++;
    assert_true(rn_error_is_errno(error, EMFILE));
    relay = ask_relay_at(&world, port).pid;
    assert_int_equal(kill(relay, SIGKILL), 0);
    assert_int_not_equal(ask_relay_at(&world, port).pid, relay);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    close_world(&world);
}

/* The lines of a network with --publish-all. */
typedef struct Lines {
    RnLoop *loop;
    GPtrArray *lines;
} Lines;

static void take_line(const char *line, void *data)
{
    Lines *lines = data;

    g_ptr_array_add(lines->lines, g_strdup(line));
}

/* Turns the loop until there are so many lines. */
static void await_lines(const World *world, const Lines *lines, guint count)
{
    while (lines->lines->len < count)
        assert_true(rn_loop_turn(world->loop, -1, NULL));
    assert_int_equal(lines->lines->len, count);
}

static const char *get_line(const Lines *lines, guint index)
{
    return g_ptr_array_index(lines->lines, index);
}

/* The host port of "published 127.0.0.1:PORT -> ...". */
static uint16_t get_port(const char *line)
{
    assert_true(g_str_has_prefix(line, "published 127.0.0.1:"));
    return (uint16_t)g_ascii_strtoull(line + strlen("published 127.0.0.1:"),
                                      NULL, 10);
}

/* A free port of the host's, which is free inside, too. */
static uint16_t find_free_port(void)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    socklen_t length = sizeof address;
    rn_autofd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    return ntohs(address.sin_port);
}

static void open_auto(World *world, Lines *lines, uint16_t first, uint16_t last)
{
    *lines = (Lines){ .lines = g_ptr_array_new_with_free_func(g_free) };
    open_world_with(world, PART_SERVE, 1,
                    (RnNetworkRequest){
                        .take_link = -1,
                        .auto_publish = { first, last, RN_TRANSPORT_TCP },
                        .notice = take_line,
                        .notice_data = lines,
                    });
    start(world);
}

static void close_auto(World *world, Lines *lines)
{
    close_world(world);
    g_ptr_array_unref(lines->lines);
}

static void service_that_appears_is_published_until_it_is_gone(void **state)
{
    uint16_t port = find_free_port();
    g_autofree char *published =
        g_strdup_printf("published 127.0.0.1:%u -> %u/tcp", port, port);
    g_autofree char *withdrawn =
        g_strdup_printf("withdrawn 127.0.0.1:%u -> %u/tcp", port, port);
    rn_autofd int service = -1;
    World world;
    Lines lines;
    Report seen;

    (void)state;
    open_auto(&world, &lines, 1, 65535);
    service = netns_listen(&world.netns, SOCK_STREAM, "127.0.0.1", port);
    await_lines(&world, &lines, 1);
    assert_string_equal(get_line(&lines, 0), published);
    seen = ask_relay_at(&world, port);
    assert_int_equal(seen.which.guest.port, port);
    assert_true(rn_endpoint_is_loopback(&seen.which.guest));
    rn_fd_close(&service);
    await_lines(&world, &lines, 2);
    assert_string_equal(get_line(&lines, 1), withdrawn);
    assert_refused(port);
    close_auto(&world, &lines);
}

/* What listens further out takes clients as they are. */
/* A second service, further out. */
static void service_that_moves_keeps_its_port(void **state)
{
    uint16_t port = find_free_port();
    g_autofree char *published =
        g_strdup_printf("published 127.0.0.1:%u -> %u/tcp", port, port);
    rn_autofd int before = -1, after = -1;
    World world;
    Lines lines;
    Report seen;

    (void)state;
    open_auto(&world, &lines, 1, 65535);
    before = netns_listen(&world.netns, SOCK_STREAM, "127.0.0.1", port);
    await_lines(&world, &lines, 1);
    after = netns_listen(&world.netns, SOCK_STREAM, "10.0.2.100", port);
    await_lines(&world, &lines, 3);
    assert_true(g_str_has_prefix(get_line(&lines, 1), "withdrawn "));
    assert_string_equal(get_line(&lines, 2), published);
    seen = ask_relay_at(&world, port);
    assert_int_equal(seen.which.guest.family, AF_UNSPEC);
    close_auto(&world, &lines);
}

static void service_on_all_addresses_is_reached_at_the_guests(void **state)
{
    uint16_t port = find_free_port();
    rn_autofd int service = -1;
    World world;
    Lines lines;
    Report seen;

    (void)state;
    open_auto(&world, &lines, 1, 65535);
    service = netns_listen(&world.netns, SOCK_STREAM, "0.0.0.0", port);
    await_lines(&world, &lines, 1);
    seen = ask_relay_at(&world, port);
    assert_int_equal(seen.which.guest.family, AF_UNSPEC);
    assert_int_equal(seen.which.guest.port, port);
    close_auto(&world, &lines);
}

static void number_that_is_taken_becomes_a_free_one(void **state)
{
    rn_autofd int service = -1;
    World world;
    Lines lines;
    uint16_t picked = 0;

    (void)state;
    open_auto(&world, &lines, 1, 65535);
    /* the world's own listener has it on the host */
    service = netns_listen(&world.netns, SOCK_STREAM, "127.0.0.1", world.port);
    await_lines(&world, &lines, 1);
    picked = get_port(get_line(&lines, 0));
    assert_int_not_equal(picked, world.port);
    assert_int_equal(ask_relay_at(&world, picked).which.guest.port, world.port);
    close_auto(&world, &lines);
}

static void port_out_of_range_or_published_by_hand_is_left_alone(void **state)
{
    uint16_t port = find_free_port();
    rn_autofd int below = -1, by_hand = -1, within = -1;
    World world;
    Lines lines;

    (void)state;
    assert_true(port > 82);
    open_auto(&world, &lines, 80, port);
    below = netns_listen(&world.netns, SOCK_STREAM, "127.0.0.1", 79);
    by_hand = netns_listen(&world.netns, SOCK_STREAM, "127.0.0.1", 80);
    within = netns_listen(&world.netns, SOCK_STREAM, "127.0.0.1", port);
    await_lines(&world, &lines, 1);
    assert_int_equal(get_port(get_line(&lines, 0)), port);
    close_auto(&world, &lines);
}

/* nsagent stands nearer to the container than the monitor. */
static void list_malformed_or_not_asked_for_refused(void **state)
{
    enum {
        WHOLE = sizeof(RnAgentListening)
    };
    static const struct {
        RnAgentListening list;
        gsize length;
        uint16_t first; /* of the range; 0: none */
    } cases[] = {
        { { .count = 0 }, WHOLE, 0 },
        { { .count = 0 }, WHOLE - 1, 1 },
        { { .count = RN_LISTENING_MAX + 1 }, WHOLE, 1 },
        { { .count = 1 }, WHOLE, 1 },
        { { .count = 1, .endpoints = { { .family = AF_INET } } }, WHOLE, 1 },
        { { .count = 1, .endpoints = { { .family = AF_UNIX, .port = 1 } } },
          WHOLE,
          1 },
    };
    World world;

    (void)state;
    open_world(&world, PART_SERVE, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_auto(RnMsg) msg = { .length = cases[i].length };

        rn_network_free(world.network);
        world.network = rn_network_new(&(RnNetworkRequest){
            .plan = &world.plan,
            .auto_publish = { cases[i].first, 65535, RN_TRANSPORT_TCP },
            .take_link = -1,
        });
        memcpy(msg.payload, &cases[i].list, sizeof cases[i].list);
        assert_false(rn_network_take_listening(world.network, &msg, &error));
        assert_error(error, RN_ERROR, RN_ERROR_PROTOCOL, "malformed list");
    }
    close_world(&world);
}

static void port_of_the_host_exposed_reaches_every_relay(void **state)
{
    Report seen;
    World world;

    (void)state;
    open_world(&world, PART_SERVE, 1);
    rn_network_free(world.network);
    world.plan.n_exposed = 1;
    world.plan.exposed[0] = (RnExposedPort){ 5432, 15432 };
    world.network = rn_network_new(&(RnNetworkRequest){
        .plan = &world.plan,
        .take_listeners = open_listeners(&world, 1),
        .take_link = -1,
    });
    start(&world);
    seen = ask_relay(&world);
    assert_int_equal(seen.n_exposed, 2); /* 127.0.0.1 and [::1] */
    assert_int_equal(kill(seen.pid, SIGKILL), 0);
    assert_int_equal(ask_relay(&world).n_exposed, 2);
    close_world(&world);
}

static void port_exposed_that_is_taken_inside_refused_by_name(void **state)
{
    g_autoptr(GError) error = NULL;
    rn_autofd int service = -1;
    World world;

    (void)state;
    open_world(&world, PART_SERVE, 0);
    rn_network_free(world.network);
    netns_bring_up_loopback(&world.netns);
    service = netns_listen(&world.netns, SOCK_STREAM, "0.0.0.0", 15432);
    world.plan.n_exposed = 1;
    world.plan.exposed[0] = (RnExposedPort){ 5432, 15432 };
    world.network = rn_network_new(
        &(RnNetworkRequest){ .plan = &world.plan, .take_link = -1 });
    assert_false(rn_network_start(world.network, world.netns.userns_fd,
                                  world.netns.netns_fd, &error));
    assert_error(error, RN_ERROR, RN_ERROR_EXISTS,
                 "expose-host: port 15432 of the container's loopback");
    close_world(&world);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(port_published_later_reaches_this_relay_and_the_next),
        cmocka_unit_test(port_withdrawn_is_closed_here_and_there),
        cmocka_unit_test(ports_more_than_a_queue_holds_all_arrive_later),
        cmocka_unit_test(ports_more_than_a_queue_holds_need_no_first_nsagent),
        cmocka_unit_test(ports_leave_the_fds_that_a_new_relay_takes),
        cmocka_unit_test(publish_impossible_refused_and_nothing_changed),
        cmocka_unit_test(service_that_appears_is_published_until_it_is_gone),
        cmocka_unit_test(service_that_moves_keeps_its_port),
        cmocka_unit_test(service_on_all_addresses_is_reached_at_the_guests),
        cmocka_unit_test(number_that_is_taken_becomes_a_free_one),
        cmocka_unit_test(port_out_of_range_or_published_by_hand_is_left_alone),
        cmocka_unit_test(list_malformed_or_not_asked_for_refused),
        cmocka_unit_test(port_of_the_host_exposed_reaches_every_relay),
        cmocka_unit_test(port_exposed_that_is_taken_inside_refused_by_name),
    };

    if (argc > 0 && strcmp(argv[0], RN_AGENT_NAME) == 0)
        return rn_agent_main();
    if (argc > 0 && strcmp(argv[0], RN_RELAY_NAME) == 0)
        return fake_relay_main();
    return cmocka_run_group_tests_name("network-ports", tests, NULL, NULL);
}
