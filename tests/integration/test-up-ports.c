/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-up-ports - --publish-all and --expose-host, of `rnet up` and containers
 *
 * Role:     services in the network of a command, whose sockets the body has,
 *           and their clients; and the other way round
 * Runs in:  see world.h
 * Data:     what rnet announces on stderr; who connects to whom
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rnet/util/fd.h>
#include <rnet/util/inet.h>

#include "box.h"
#include "bundle.h"
#include "check.h"
#include "inside.h"
#include "leftovers.h"
#include "peer.h"

static void await_published(const Inside *inside, unsigned port)
{
    g_autofree char *line =
        g_strdup_printf("published 127.0.0.1:%u -> %u/tcp\n", port, port);

    run_await_error(inside->run, line);
}

static void await_withdrawn(const Inside *inside, unsigned port)
{
    g_autofree char *line =
        g_strdup_printf("withdrawn 127.0.0.1:%u -> %u/tcp\n", port, port);

    run_await_error(inside->run, line);
}

/* The address that the other end has. */
static char *name_peer(int fd)
{
    struct sockaddr_storage from = { 0 };
    socklen_t length = sizeof(from);
    RnEndpoint endpoint;
    char text[RN_ENDPOINT_TEXT];

    check_call(getpeername(fd, (struct sockaddr *)&from, &length) == 0,
               "getpeername");
    rn_endpoint_from_sockaddr(&from, &endpoint);
    return g_strdup(rn_endpoint_format_address(&endpoint, text));
}

/* One exchange between a client of the host's and the listener inside. */
static void check_serves(int listener, const char *address, unsigned port,
                         const char *seen)
{
    rn_autofd int client = peer_connect(SOCK_STREAM, address, port);
    rn_autofd int service = peer_accept(listener);
    g_autofree char *from = name_peer(service);

    check_text(from, seen);
    peer_send(client, "question");
    peer_expect(service, "question");
    peer_send(service, "answer");
    peer_expect(client, "answer");
}

typedef struct ServiceCase {
    const char *address; /* that it listens on */
    const char *seen;    /* whom it sees a client of 127.0.0.1 as */
    bool is_ipv6;
} ServiceCase;

static const ServiceCase service_cases[] = {
    { "0.0.0.0", "10.0.2.2", false },    { "127.0.0.1", "127.0.0.1", false },
    { "10.0.2.100", "10.0.2.2", false }, { "::1", "::1", true },
    { "::", "10.0.2.2", true },
};

static void test_service_is_published_while_it_listens(World *world)
{
    Inside *inside = inside_start_up(world, WORDS("--publish-all=3000-4000"));

    for (unsigned i = 0; i < G_N_ELEMENTS(service_cases); i++) {
        const ServiceCase *service = &service_cases[i];
        unsigned port = 3000 + i;

        if (service->is_ipv6 && !world->has_ipv6)
            continue;
        rn_autofd int listener = inside_listen(inside, service->address, port);
        await_published(inside, port);
        check_serves(listener, "127.0.0.1", port, service->seen);
        if (world->has_ipv6) {
            rn_autofd int client G_GNUC_UNUSED =
                peer_connect(SOCK_STREAM, "::1", port);
            rn_autofd int accepted G_GNUC_UNUSED = peer_accept(listener);
        }
        check_number(peer_try_connect(WORLD_ADDRESS4, port), ECONNREFUSED,
                     "not only the loopback");
        rn_fd_close(&listener);
        await_withdrawn(inside, port);
        check_number(peer_try_connect("127.0.0.1", port), ECONNREFUSED,
                     "withdrawn port");
    }
    inside_stop(inside);
}

static void test_notices_that_nobody_reads_stop_nobody(World *world)
{
    Inside *inside = inside_start_up(world, WORDS("--publish-all=3000-4000"));
    g_autofree char *path =
        g_strdup_printf("/proc/%d/fd/2", (int)inside->run->pid);
    rn_autofd int err = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    rn_autofd int listener = -1;

    while (write(err, "\n", 1) == 1)
        continue;
    check_number(errno, EAGAIN, "pipe that is full");
    listener = inside_listen(inside, "127.0.0.1", 3000);
    while (peer_try_connect("127.0.0.1", 3000) != 0)
        continue;
    rn_fd_close(&listener);
    while (peer_try_connect("127.0.0.1", 3000) == 0)
        continue;
    rn_fd_close(&err);
    inside_stop(inside);
}

static void test_connection_outlives_its_port(World *world)
{
    Inside *inside = inside_start_up(world, WORDS("-P"));
    rn_autofd int listener = inside_listen(inside, "127.0.0.1", 3000);

    await_published(inside, 3000);
    rn_autofd int client = peer_connect(SOCK_STREAM, "127.0.0.1", 3000);
    rn_autofd int service = peer_accept(listener);
    rn_fd_close(&listener);
    await_withdrawn(inside, 3000);
    peer_send(client, "still here");
    peer_expect(service, "still here");
    inside_stop(inside);
}

/* What else listens at the time of an announcement was looked at before. */
static void test_range_and_ports_by_hand_are_left_alone(World *world)
{
    Inside *inside =
        inside_start_up(world, WORDS("--publish-all=3000-3010", "-p",
                                     "8080:3004", "--expose-host", "9:3006"));
    rn_autofd int below G_GNUC_UNUSED = inside_listen(inside, "0.0.0.0", 2999);
    rn_autofd int above G_GNUC_UNUSED = inside_listen(inside, "0.0.0.0", 3011);
    rn_autofd int by_hand = inside_listen(inside, "0.0.0.0", 3004);
    rn_autofd int first = inside_listen(inside, "0.0.0.0", 3000);
    rn_autofd int last G_GNUC_UNUSED = inside_listen(inside, "0.0.0.0", 3010);
    const char *said = inside->run->err_text->str;

    await_published(inside, 3000);
    await_published(inside, 3010);
    rn_fd_close(&first);
    await_withdrawn(inside, 3000);
    said = inside->run->err_text->str;
    check_lacks(said, "-> 2999/tcp");
    check_lacks(said, "-> 3011/tcp");
    check_lacks(said, "-> 3004/tcp");
    check_lacks(said, "-> 3006/tcp");
    check_lacks(said, "-> 80/tcp");
    check_serves(by_hand, "127.0.0.1", 8080, "10.0.2.2");
    inside_stop(inside);
}

/* The number after "published 127.0.0.1:". */
static unsigned find_port(const char *said, const char *service)
{
    const char *line = strstr(said, service);
    const char *colon = NULL;

    check(line != NULL, "no \"%s\" in \"%s\"", service, said);
    colon = g_strrstr_len(said, line - said, ":");
    check(colon != NULL, "no port in \"%s\"", said);
    return (unsigned)strtoul(colon + 1, NULL, 10);
}

static void test_taken_port_gets_another(World *world)
{
    rn_autofd int taken = peer_serve(SOCK_STREAM, "127.0.0.1", 3000);
    Inside *inside = inside_start_up(world, WORDS("--publish-all=3000-4000"));
    rn_autofd int listener = inside_listen(inside, "127.0.0.1", 3000);
    unsigned port = 0;

    run_await_error(inside->run, " -> 3000/tcp\n");
    port = find_port(inside->run->err_text->str, " -> 3000/tcp\n");
    check(port != 3000, "published on a port that is taken");
    check_serves(listener, "127.0.0.1", port, "127.0.0.1");
    rn_fd_close(&taken);
    inside_stop(inside);
}

static void test_relay_killed_ports_stay(World *world)
{
    Inside *inside = inside_start_up(world, WORDS("--publish-all=3000-4000"));
    rn_autofd int listener = inside_listen(inside, "127.0.0.1", 3000);

    await_published(inside, 3000);
    kill_process(find_process("rnet-relay"));
    check_serves(listener, "127.0.0.1", 3000, "127.0.0.1");
    inside_stop(inside);
}

static void check_reaches(const Inside *inside, int service,
                          const char *address, unsigned port)
{
    rn_autofd int client = inside_connect(inside, address, port);
    rn_autofd int accepted = peer_accept(service);

    peer_send(client, "question");
    peer_expect(accepted, "question");
    peer_send(accepted, "answer");
    peer_expect(client, "answer");
}

static void check_closed(const Inside *inside, const char *address,
                         unsigned port)
{
    rn_autofd int fd = inside_socket(
        inside, strchr(address, ':') != NULL ? AF_INET6 : AF_INET);

    check(inside_dial(fd, address, port) != 0, "%s port %u is open", address,
          port);
}

typedef struct ExposingCase {
    const char *network;
    bool by_libslirp; /* which goes to the host's loopback of that family */
} ExposingCase;

static const ExposingCase exposing_cases[] = {
    { "slirp", false },
    { "slirp:handoff=off", true },
    { "slirp:link=packet", false },
};

static void test_exposed_port_of_the_host_is_reached(World *world)
{
    rn_autofd int service = peer_serve(SOCK_STREAM, "127.0.0.1", 5432);
    rn_autofd int other = peer_serve(SOCK_STREAM, "127.0.0.1", 5433);

    for (unsigned i = 0; i < G_N_ELEMENTS(exposing_cases); i++) {
        const ExposingCase *exposing = &exposing_cases[i];
        Inside *inside =
            inside_start_up(world, WORDS("--network", exposing->network,
                                         "--expose-host", "5432:15432"));

        check_reaches(inside, service, "10.0.2.2", 15432);
        check_reaches(inside, service, "127.0.0.1", 15432);
        if (world->has_ipv6)
            check_reaches(inside, service, "::1", 15432);
        if (world->has_ipv6 && !exposing->by_libslirp)
            check_reaches(inside, service, "fd00::2", 15432);
        check_closed(inside, "10.0.2.2", 5432);
        check_closed(inside, "10.0.2.2", 5433);
        check_closed(inside, "127.0.0.1", 5432);
        check_closed(inside, "127.0.0.1", 5433);
        run_signal(inside->run, SIGTERM);
        run_expect_exit(inside->run, 0);
        run_end(inside->run);
        rn_fd_close(&inside->netns_fd);
        rn_fd_close(&inside->world_netns_fd);
        g_free(inside);
    }
    rn_fd_close(&service);
    rn_fd_close(&other);
    check_nothing_left(world);
}

static void test_exposed_port_without_service_is_closed(World *world)
{
    Inside *inside = inside_start_up(world, WORDS("--expose-host", "5432"));
    rn_autofd int fd = inside_connect(inside, "127.0.0.1", 5432);

    check_closed(inside, "10.0.2.2", 5432);
    /* its listener is rnet's: accepted, then closed */
    (void)peer_await_end(fd);
    inside_stop(inside);
}

static void test_containers_have_both(World *world)
{
    const char *const payload[] = { "serve-tcp", "8000", NULL };
    g_autofree char *bundle = bundle_new_payload(world, "web", payload);
    g_autoptr(Run) run = run_start(
        world, WORDS("run", "--publish-all", "--expose-host", "5432", bundle),
        NULL);

    run_await(run, "ready");
    run_await_error(run, "published 127.0.0.1:8000 -> 8000/tcp\n");
    rn_autofd int fd = peer_connect(SOCK_STREAM, "127.0.0.1", 8000);
    peer_echo(fd, "hello");
    run_signal(run, SIGTERM);
    run_expect_exit(run, 0);
    check_nothing_left(world);
}

/* Nobody is told there when the port is published. */
static void await_open(unsigned port)
{
    while (peer_try_connect("127.0.0.1", port) != 0)
        (void)sched_yield();
}

static void test_detached_container_has_both(World *world)
{
    rn_autofd int service = peer_serve(SOCK_STREAM, "127.0.0.1", 5432);
    const char *const shell[] = { "/bin/sh", "-c",
                                  "/bin/payload connect 10.0.2.2 5432 text; "
                                  "exec /bin/payload serve-tcp 8000",
                                  NULL };
    const BundleOptions options = { .args = shell };
    g_autofree char *bundle = bundle_new(world, "web", &options);
    g_autoptr(Run) run = run_command(
        world,
        WORDS("run", "-dP", "--expose-host", "5432", "--name", "box", bundle),
        0);
    rn_autofd int fd = peer_accept(service);

    peer_expect(fd, "text");
    peer_send(fd, "from the host");
    rn_fd_close(&fd);
    run_await(run, "reply from the host");
    run_await(run, "ready");
    await_open(8000);
    fd = peer_connect(SOCK_STREAM, "127.0.0.1", 8000);
    peer_echo(fd, "hello");
    rn_fd_close(&fd);
    rn_fd_close(&service);
    box_delete(world, run);
}

int main(void)
{
    static const WorldTest tests[] = {
        { "service_is_published_while_it_listens",
          test_service_is_published_while_it_listens, 0 },
        { "notices_that_nobody_reads_stop_nobody",
          test_notices_that_nobody_reads_stop_nobody, 0 },
        { "connection_outlives_its_port", test_connection_outlives_its_port,
          0 },
        { "range_and_ports_by_hand_are_left_alone",
          test_range_and_ports_by_hand_are_left_alone, 0 },
        { "taken_port_gets_another", test_taken_port_gets_another, 0 },
        { "relay_killed_ports_stay", test_relay_killed_ports_stay, 0 },
        { "exposed_port_of_the_host_is_reached",
          test_exposed_port_of_the_host_is_reached, WORLD_NEEDS_LINK },
        { "exposed_port_without_service_is_closed",
          test_exposed_port_without_service_is_closed, 0 },
        { "containers_have_both", test_containers_have_both, 0 },
        { "detached_container_has_both", test_detached_container_has_both, 0 },
    };

    return world_run_tests("up-ports", tests, G_N_ELEMENTS(tests));
}
