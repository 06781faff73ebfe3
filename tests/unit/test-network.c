/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-network - the monitor's side: start, supervision, end
 *
 * nsagent is the real one. The relay is a fake in this same program, which
 * main() knows by its argv[0]: to whoever connects to its listener it reports
 * its pid, what it was given, and whether nsagent served it a socket.
 */
#include "config.h"

#include <rnet/net/network.h>

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <linux/if_tun.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include <rnet/net/publish.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>
#include <rnet/util/msg.h>

#include "netns.h"

/* What the fake relay shall do; it comes as the port of the plan's dns4. */
typedef enum Part {
    PART_SERVE,
    PART_SAY_FAILED,
    PART_EXIT,
    PART_SAY_LOST, /* that nsagent is lost, once there is a client */
} Part;

/* What the fake relay tells its clients. */
typedef struct Report {
    int32_t pid;
    int32_t agent_errno; /* of the reply to its request; -1: no reply */
    uint32_t n_listeners;
    uint32_t is_tap;       /* the link is the one of the plan */
    RnRelayListener which; /* the client came by */
} Report;

/* The fake relay. */
typedef struct Relay {
    RnRelaySetup setup;
    int link, serving;
    GArray *listeners; /* of RnListener */
} Relay;

static void take_listener(Relay *relay, RnMsg *msg)
{
    RnListener listener = { .fd = rn_msg_steal_fd(msg, 0) };

    memcpy(&listener.info, msg->payload, sizeof listener.info);
    g_array_append_val(relay->listeners, listener);
}

static void drop_listeners(Relay *relay, uint32_t id)
{
    for (guint i = relay->listeners->len; i > 0; i--) {
        RnListener *listener =
            &g_array_index(relay->listeners, RnListener, i - 1);

        if (listener->info.id != id)
            continue;
        rn_fd_close(&listener->fd);
        g_array_remove_index(relay->listeners, i - 1);
    }
}

static bool take_everything(Relay *relay)
{
    g_auto(RnMsg) msg = { 0 };

    if (!rn_msg_recv(RN_HELPER_FD, &msg, NULL) ||
        msg.type != RN_MSG_RELAY_SETUP || msg.length != sizeof relay->setup ||
        msg.n_fds < 1)
        return false;
    memcpy(&relay->setup, msg.payload, sizeof relay->setup);
    relay->link = rn_msg_steal_fd(&msg, 0);
    if (msg.n_fds > 1)
        relay->serving = rn_msg_steal_fd(&msg, 1);
    while (rn_msg_recv(RN_HELPER_FD, &msg, NULL) &&
           msg.type == RN_MSG_RELAY_LISTENER)
        take_listener(relay, &msg);
    return msg.type == RN_MSG_RELAY_START;
}

/* One message after READY; false at the end. */
static bool take_message(Relay *relay)
{
    g_auto(RnMsg) msg = { 0 };
    uint32_t id = 0;

    if (!rn_msg_recv(RN_HELPER_FD, &msg, NULL))
        return false;
    if (msg.type == RN_MSG_RELAY_LISTENER) {
        take_listener(relay, &msg);
        return true;
    }
    if (msg.type != RN_MSG_RELAY_WITHDRAW || msg.length != sizeof id)
        return false;
    memcpy(&id, msg.payload, sizeof id);
    drop_listeners(relay, id);
    return true;
}

static int32_t ask_agent(const Relay *relay)
{
    g_auto(RnMsg) msg = { 0 };
    RnSocketReply reply = { 0 };
    RnSocketRequest request = {
        .n_spares = 1,
        .remote = relay->setup.plan.guest4,
    };

    request.remote.port = 9;
    if (relay->serving < 0)
        return -1;
    if (!rn_msg_send(relay->serving, RN_MSG_SOCKET_REQUEST, &request,
                     sizeof request, NULL, 0, NULL) ||
        !rn_msg_recv(relay->serving, &msg, NULL) || msg.length != sizeof reply)
        return -1;
    memcpy(&reply, msg.payload, sizeof reply);
    return reply.errno_value;
}

static bool is_tap_of_plan(const Relay *relay)
{
    struct ifreq request = { 0 };

    return ioctl(relay->link, TUNGETIFF, &request) == 0 &&
           strcmp(request.ifr_name, relay->setup.plan.interface) == 0 &&
           (request.ifr_flags & (IFF_TAP | IFF_NO_PI)) == (IFF_TAP | IFF_NO_PI);
}

static void report(const Relay *relay, const RnListener *listener)
{
    Report text = {
        .pid = getpid(),
        .agent_errno = ask_agent(relay),
        .n_listeners = relay->listeners->len,
        .is_tap = is_tap_of_plan(relay),
        .which = listener->info,
    };
    int client = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);

    (void)!write(client, &text, sizeof text);
    (void)close(client);
}

/* Waits for its turn at all that it has: the index, from the listeners on. */
static int await_event(const Relay *relay)
{
    guint n_fds = relay->listeners->len + 2;
    g_autofree struct pollfd *fds = g_new0(struct pollfd, n_fds);

    fds[0] = (struct pollfd){ .fd = RN_HELPER_FD, .events = POLLIN };
    fds[1] = (struct pollfd){ .fd = relay->serving, .events = POLLIN };
    for (guint i = 2; i < n_fds; i++)
        fds[i] = (struct pollfd){
            .fd = g_array_index(relay->listeners, RnListener, i - 2).fd,
            .events = POLLIN,
        };
    if (poll(fds, n_fds, -1) < 0)
        return -1;
    for (guint i = 0; i < n_fds; i++) {
        if (fds[i].revents != 0)
            return (int)i;
    }
    return -1;
}

static int serve_clients(Relay *relay)
{
    g_autoptr(GError) failure = NULL;

    for (;;) {
        int event = await_event(relay);

        if (event == 0 && take_message(relay))
            continue;
        if (event <= 1)
            return event == 0 ? 0 : 1;
        if (relay->setup.plan.dns4.port == PART_SAY_LOST) {
            (void)rn_set_error(&failure, RN_ERROR_HELPER_LOST, "no answer");
            (void)rn_msg_send_error(RN_HELPER_FD, failure, NULL);
            return 1;
        }
        report(relay, &g_array_index(relay->listeners, RnListener, event - 2));
    }
}

static int relay_main(void)
{
    Relay relay = { .link = -1, .serving = -1 };
    g_autoptr(GError) failure = NULL;

    relay.listeners = g_array_new(FALSE, FALSE, sizeof(RnListener));
    if (!take_everything(&relay))
        return 9;
    if (relay.setup.plan.dns4.port == PART_EXIT)
        return 7;
    if (relay.setup.plan.dns4.port == PART_SAY_FAILED) {
        (void)rn_set_error(&failure, RN_ERROR_LIMIT, "no luck");
        (void)rn_msg_send_error(RN_HELPER_FD, failure, NULL);
        return 1;
    }
    (void)!rn_msg_send(RN_HELPER_FD, RN_MSG_RELAY_READY, NULL, 0, NULL, 0,
                       NULL);
    return serve_clients(&relay);
}

/* The test as the monitor. */
typedef struct World {
    Netns netns;
    RnNetworkPlan plan;
    GArray *ranges;
    RnNetwork *network;
    RnLoop *loop;
    uint16_t port; /* of the last listener, on 127.0.0.1 */
} World;

static void clear_listener(void *listener)
{
    rn_fd_close(&((RnListener *)listener)->fd);
}

static GArray *open_listeners(World *world, unsigned count)
{
    GArray *listeners = g_array_new(FALSE, FALSE, sizeof(RnListener));

    g_array_set_clear_func(listeners, clear_listener);
    for (unsigned i = 0; i < count; i++) {
        struct sockaddr_storage address = { 0 };
        socklen_t length = sizeof address;
        RnListener listener = { .info = { .guest = { .port = 80 } } };

        assert_true(
            rn_endpoint_parse_address("127.0.0.1", &listener.info.host, NULL));
        length = rn_endpoint_to_sockaddr(&listener.info.host, &address);
        listener.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(listener.fd >= 0);
        assert_int_equal(bind(listener.fd, (struct sockaddr *)&address, length),
                         0);
        assert_int_equal(listen(listener.fd, 16), 0);
        assert_int_equal(
            getsockname(listener.fd, (struct sockaddr *)&address, &length), 0);
        rn_endpoint_from_sockaddr(&address, &listener.info.host);
        world->port = listener.info.host.port;
        g_array_append_val(listeners, listener);
    }
    return listeners;
}

static void set_address(RnEndpoint *endpoint, const char *text)
{
    assert_true(rn_endpoint_parse_address(text, endpoint, NULL));
}

static void open_world(World *world, Part part, unsigned n_listeners)
{
    RnPortRange range = { 80, 80, RN_TRANSPORT_TCP };
    RnNetworkRequest request = { .take_link = -1 };

    *world = (World){ .plan = { .interface = "tap0",
                                .mtu = 65520,
                                .guest_mac = { 2, 0, 0, 0, 0, 100 },
                                .prefix4 = 24,
                                .prefix6 = 64 } };
    set_address(&world->plan.network4, "10.0.2.0");
    set_address(&world->plan.guest4, "10.0.2.100");
    set_address(&world->plan.gateway4, "10.0.2.2");
    set_address(&world->plan.dns4, "10.0.2.3");
    set_address(&world->plan.network6, "fd00::");
    set_address(&world->plan.guest6, "fd00::100");
    set_address(&world->plan.gateway6, "fd00::2");
    world->plan.dns4.port = (uint16_t)part;
    require_tun();
    netns_open(&world->netns);
    world->loop = rn_loop_new(NULL);
    world->ranges = g_array_new(FALSE, FALSE, sizeof(RnPortRange));
    g_array_append_val(world->ranges, range);
    request.plan = &world->plan;
    request.ranges = world->ranges;
    request.take_listeners = open_listeners(world, n_listeners);
    world->network = rn_network_new(&request);
    rn_log_set_level(RN_LOG_ERROR); /* the warnings are wanted here */
}

static void assert_no_children(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

/* The end of a network leaves no process. */
static void close_world(World *world)
{
    rn_network_free(world->network);
    assert_no_children();
    g_array_unref(world->ranges);
    rn_loop_free(world->loop);
    netns_close(&world->netns);
    rn_log_set_level(RN_LOG_WARNING);
}

static void start(World *world)
{
    g_autoptr(GError) error = NULL;

    (void)!rn_network_start(world->network, world->netns.userns_fd,
                            world->netns.netns_fd, &error);
    assert_no_error(error);
    assert_true(rn_network_watch(world->network, world->loop, &error));
}

static void stop_loop(RnWatch *watch, uint32_t events)
{
    (void)events;
    rn_loop_quit(watch->loop);
}

/* Connects to whichever relay is or will be there and reads its report. */
static Report ask_relay_at(const World *world, uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    rn_autofd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    Report answer = { 0 };
    RnWatch watch = { 0 };

    assert_int_equal(
        connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_true(
        rn_loop_add(world->loop, &watch, fd, EPOLLIN, stop_loop, NULL, NULL));
    assert_true(rn_loop_run(world->loop, NULL));
    rn_watch_remove(&watch);
    assert_int_equal(read(fd, &answer, sizeof answer), sizeof answer);
    return answer;
}

static Report ask_relay(const World *world)
{
    return ask_relay_at(world, world->port);
}

/* The pid of this process's child of that name, or 0. */
static pid_t find_child(const char *name)
{
    g_autofree char *list =
        g_strdup_printf("/proc/self/task/%d/children", (int)getpid());
    g_autofree char *text = NULL;
    g_auto(GStrv) pids = NULL;
    pid_t found = 0;

    if (!rn_file_read(AT_FDCWD, list, 4096, &text, NULL, NULL))
        return 0;
    pids = g_strsplit(text, " ", -1);
    for (char **pid = pids; *pid != NULL; pid++) {
        g_autofree char *path = g_strdup_printf("/proc/%s/comm", *pid);
        g_autofree char *comm = NULL;

        if (rn_file_read(AT_FDCWD, path, 4096, &comm, NULL, NULL) &&
            strcmp(g_strchomp(comm), name) == 0)
            found = (pid_t)g_ascii_strtoll(*pid, NULL, 10);
    }
    return found;
}

static void network_started_serves_and_ends(void **state)
{
    World world;
    Report seen = { 0 };

    (void)state;
    open_world(&world, PART_SERVE, 3);
    start(&world);
    seen = ask_relay(&world);
    assert_int_equal(seen.agent_errno, 0);
    assert_int_equal(seen.n_listeners, 3);
    assert_true(seen.is_tap);
    close_world(&world);
}

static void listeners_more_than_a_queue_holds_all_arrive(void **state)
{
    World world;

    (void)state;
    open_world(&world, PART_SERVE, 700);
    start(&world);
    assert_int_equal(ask_relay(&world).n_listeners, 700);
    close_world(&world);
}

static void relay_killed_again_and_again_replaced(void **state)
{
    World world;
    pid_t last = 0;

    (void)state;
    open_world(&world, PART_SERVE, 1);
    start(&world);
    for (int i = 0; i < 3; i++) {
        Report seen = ask_relay(&world);

        assert_int_not_equal(seen.pid, last);
        assert_int_equal(seen.agent_errno, 0);
        last = seen.pid;
        assert_int_equal(kill(last, SIGKILL), 0);
    }
    close_world(&world);
}

static void agent_killed_replaced_with_its_relay(void **state)
{
    World world;
    Report before = { 0 };
    Report after = { 0 };
    pid_t agent = 0;

    (void)state;
    open_world(&world, PART_SERVE, 1);
    start(&world);
    before = ask_relay(&world);
    agent = find_child(RN_AGENT_NAME);
    assert_true(agent > 0);
    /* so that the old relay cannot answer in the meantime */
    assert_int_equal(kill(before.pid, SIGSTOP), 0);
    assert_int_equal(kill(agent, SIGKILL), 0);
    after = ask_relay(&world);
    assert_int_not_equal(after.pid, before.pid);
    assert_int_equal(after.agent_errno, 0);
    assert_int_not_equal(find_child(RN_AGENT_NAME), agent);
    close_world(&world);
}

/* Else a new relay might be given to an nsagent that is about to die. */
static void agent_that_a_relay_lost_is_replaced_as_well(void **state)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    rn_autofd int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    World world;
    pid_t before = 0, now = 0;

    (void)state;
    open_world(&world, PART_SAY_LOST, 1);
    start(&world);
    before = now = find_child(RN_AGENT_NAME);
    assert_true(before > 0);
    address.sin_port = htons(world.port);
    assert_int_equal(
        connect(client, (const struct sockaddr *)&address, sizeof address), 0);
    while (now == before || now == 0) {
        assert_true(rn_loop_turn(world.loop, -1, NULL));
        now = find_child(RN_AGENT_NAME);
    }
    close_world(&world);
}

static const RnEndpoint own_addresses = { .family = AF_UNSPEC };

/* A spec for a host port that is picked; its listener's port in *out_port. */
static uint32_t publish(World *world, uint16_t guest_port, uint16_t *out_port)
{
    RnPublishSpec spec = {
        .transport = RN_TRANSPORT_TCP,
        .guest_port = guest_port,
        .count = 1,
    };
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
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
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

static void link_of_the_caller_needs_no_namespace(void **state)
{
    g_autoptr(GError) error = NULL;
    World world;
    Report seen = { 0 };
    uint16_t port = 0;
    int pair[2] = { -1, -1 };

    (void)state;
    open_world(&world, PART_SERVE, 0);
    rn_network_free(world.network);
    assert_true(rn_msg_pair(pair, NULL));
    world.network = rn_network_new(&(RnNetworkRequest){
        .plan = &world.plan,
        .take_listeners = open_listeners(&world, 1),
        .take_link = pair[0],
    });
    (void)!rn_network_start(world.network, -1, -1, &error);
    assert_no_error(error);
    assert_true(rn_network_watch(world.network, world.loop, NULL));
    assert_int_equal(find_child(RN_AGENT_NAME), 0);
    seen = ask_relay(&world);
    assert_int_equal(seen.agent_errno, -1);
    assert_int_equal(kill(seen.pid, SIGKILL), 0);
    (void)publish(&world, 8080, &port);
    assert_int_not_equal(ask_relay_at(&world, port).pid, seen.pid);
    assert_int_equal(rn_network_plan(world.network)->handoff_mode,
                     RN_HANDOFF_MODE_OFF);
    (void)close(pair[1]);
    close_world(&world);
}

static void start_failed_says_why_and_leaves_nothing(void **state)
{
    static const struct {
        Part part;
        RnErrorCode code;
        const char *text;
    } cases[] = {
        { PART_SAY_FAILED, RN_ERROR_LIMIT, "network: rnet-relay: no luck" },
        { PART_EXIT, RN_ERROR_PEER_DIED, "ended with status 7" },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        World world;

        open_world(&world, cases[i].part, 1);
        assert_false(rn_network_start(world.network, world.netns.userns_fd,
                                      world.netns.netns_fd, &error));
        assert_error(error, RN_ERROR, cases[i].code, cases[i].text);
        assert_no_children();
        close_world(&world);
    }
}

static void agent_that_cannot_join_says_why(void **state)
{
    g_autoptr(GError) error = NULL;
    World world;

    (void)state;
    open_world(&world, PART_SERVE, 1);
    assert_false(rn_network_start(world.network, world.netns.netns_fd,
                                  world.netns.netns_fd, &error));
    assert_error(error, RN_ERRNO, EINVAL,
                 "network: rnet-nsagent: join the user namespace: ");
    close_world(&world);
}

static void ranges_more_than_possible_refused(void **state)
{
    RnPortRange range = { 1, 1, RN_TRANSPORT_TCP };
    g_autoptr(GError) error = NULL;
    World world;

    (void)state;
    open_world(&world, PART_SERVE, 0);
    rn_network_free(world.network);
    for (int i = 0; i < RN_AGENT_MAX_RANGES; i++)
        g_array_append_val(world.ranges, range);
    world.network = rn_network_new(&(RnNetworkRequest){
        .plan = &world.plan, .ranges = world.ranges, .take_link = -1 });
    assert_false(rn_network_start(world.network, world.netns.userns_fd,
                                  world.netns.netns_fd, &error));
    assert_error(error, RN_ERROR, RN_ERROR_LIMIT, "257 separate ranges");
    close_world(&world);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(network_started_serves_and_ends),
        cmocka_unit_test(listeners_more_than_a_queue_holds_all_arrive),
        cmocka_unit_test(relay_killed_again_and_again_replaced),
        cmocka_unit_test(agent_killed_replaced_with_its_relay),
        cmocka_unit_test(agent_that_a_relay_lost_is_replaced_as_well),
        cmocka_unit_test(port_published_later_reaches_this_relay_and_the_next),
        cmocka_unit_test(port_withdrawn_is_closed_here_and_there),
        cmocka_unit_test(ports_more_than_a_queue_holds_all_arrive_later),
        cmocka_unit_test(publish_impossible_refused_and_nothing_changed),
        cmocka_unit_test(link_of_the_caller_needs_no_namespace),
        cmocka_unit_test(start_failed_says_why_and_leaves_nothing),
        cmocka_unit_test(agent_that_cannot_join_says_why),
        cmocka_unit_test(ranges_more_than_possible_refused),
    };

    if (argc > 0 && strcmp(argv[0], RN_AGENT_NAME) == 0)
        return rn_agent_main();
    if (argc > 0 && strcmp(argv[0], RN_RELAY_NAME) == 0)
        return relay_main();
    return cmocka_run_group_tests_name("network", tests, NULL, NULL);
}
