/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * network-world - a network with a fake relay, see the header
 *
 * Runs in the test program, and the fake relay's part in its child.
 */
#include "config.h"

#include "network-world.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <unistd.h>

#include <linux/if_tun.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include <rnet/net/publish.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>
#include <rnet/util/msg.h>

/* The fake relay. */
typedef struct Relay {
    RnRelaySetup setup;
    int link, serving;
    GArray *listeners; /* of RnListener */
    uint32_t n_exposed;
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
    while (rn_msg_recv(RN_HELPER_FD, &msg, NULL)) {
        if (msg.type == RN_MSG_RELAY_LISTENER)
            take_listener(relay, &msg);
        else if (msg.type == RN_MSG_RELAY_EXPOSE && msg.n_fds == 1)
            relay->n_exposed++;
        else
            break;
    }
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
        .n_exposed = relay->n_exposed,
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

int fake_relay_main(void)
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

static void clear_listener(void *listener)
{
    rn_fd_close(&((RnListener *)listener)->fd);
}

GArray *open_listeners(World *world, unsigned count)
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

void set_address(RnEndpoint *endpoint, const char *text)
{
    assert_true(rn_endpoint_parse_address(text, endpoint, NULL));
}

void open_world(World *world, Part part, unsigned n_listeners)
{
    open_world_with(world, part, n_listeners,
                    (RnNetworkRequest){ .take_link = -1 });
}

void open_world_with(World *world, Part part, unsigned n_listeners,
                     RnNetworkRequest request)
{
    RnPortRange range = { 80, 80, RN_TRANSPORT_TCP };

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

void assert_no_children(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

void close_world(World *world)
{
    rn_network_free(world->network);
    assert_no_children();
    g_array_unref(world->ranges);
    rn_loop_free(world->loop);
    netns_close(&world->netns);
    rn_log_set_level(RN_LOG_WARNING);
}

void start(World *world)
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

Report ask_relay_at(const World *world, uint16_t port)
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

Report ask_relay(const World *world)
{
    return ask_relay_at(world, world->port);
}

pid_t find_child(const char *name)
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
