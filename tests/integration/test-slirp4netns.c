/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-slirp4netns - rnet as slirp4netns, at namespaces that others made
 *
 * Role:     starts it as its callers do, and is hostile to its API socket
 * Runs in:  see world.h
 * Data:     what goes through the network, the API's replies, rnet's processes
 */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <sys/capability.h>
#include <sys/socket.h>

#include <rnet/sys/unix-socket.h>
#include <rnet/util/fd.h>

#include "box.h"
#include "check.h"
#include "leftovers.h"
#include "peer.h"
#include "slirp.h"

#define GATEWAY "10.0.2.2"
#define LIST    "{\"execute\":\"list_hostfwd\"}"

enum {
    SILENT_CLIENTS = 100, /* more than it keeps */
};

static void test_configured_network_works(World *world)
{
    Guest guest;

    guest_start(&guest, world);
    g_autoptr(Run) run =
        slirp_start(world, WORDS("-c", "--mtu=65520", guest.pid, "tap7"));
    run_await(run, "Starting slirp");
    run_await(run, "* Recommended IP:  10.0.2.100");
    run_await(run,
              "WARNING: 127.0.0.1:* on the host is accessible as " GATEWAY);
    check(inside_number(&guest.inside, "net/dev", "tap7:") < 10000, "tap7");
    guest_check_outbound(&guest);
    slirp_stop(run, &guest);
}

static void test_path_and_userns_path_work(World *world)
{
    Guest guest;

    guest_start(&guest, world);
    g_autofree char *path = g_strdup_printf("/proc/%s/ns/net", guest.pid);
    g_autofree char *userns =
        g_strdup_printf("--userns-path=/proc/%s/ns/user", guest.pid);
    g_autoptr(Run) run =
        slirp_start(world, WORDS("-c", "--netns-type=path", path, "tap0"));
    guest_check_outbound(&guest);
    run_write(run, "");
    run_expect_exit(run, 0);

    g_autoptr(Run) with_userns = slirp_start(
        world, WORDS("-c", userns, "--netns-type=path", path, "tap0"));
    guest_check_outbound(&guest);
    slirp_stop(with_userns, &guest);
}

static void test_signal_ends_by_itself(World *world)
{
    static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };
    Guest guest;

    guest_start(&guest, world);
    g_autofree char *path = slirp_socket_path(world);
    for (unsigned i = 0; i < G_N_ELEMENTS(numbers); i++) {
        g_autoptr(Run) run =
            slirp_start(world, WORDS("-c", "-a", path, guest.pid, "tap0"));
        run_signal(run, numbers[i]);
        run_expect_exit(run, 128 + numbers[i]);
        check(access(path, F_OK) < 0, "the API socket is left");
    }
    guest_stop(&guest);
}

static void test_killed_leaves_nothing(World *world)
{
    Guest guest;

    guest_start(&guest, world);
    g_autofree char *path = slirp_socket_path(world);
    g_autoptr(Run) run = slirp_start(
        world, WORDS("-c", "--enable-sandbox", "-a", path, guest.pid, "tap0"));
    run_signal(run, SIGKILL);
    run_expect_exit(run, 128 + SIGKILL);
    guest_stop(&guest);
    check(access(path, F_OK) < 0, "the API socket is left");
}

static void test_host_loopback_is_open_unless_disabled(World *world)
{
    Guest guest;
    rn_autofd int listener = peer_serve(SOCK_STREAM, "127.0.0.1", 0);

    guest_start(&guest, world);
    g_autoptr(Run) open = slirp_start(world, WORDS("-c", guest.pid, "tap0"));
    rn_autofd int client =
        inside_connect(&guest.inside, GATEWAY, peer_port(listener));
    rn_autofd int server = peer_accept(listener);
    peer_send(client, "ping");
    peer_expect(server, "ping");
    run_write(open, "");
    run_expect_exit(open, 0);

    g_autoptr(Run) closed = slirp_start(
        world, WORDS("-c", "--disable-host-loopback", guest.pid, "tap0"));
    rn_autofd int refused = inside_socket(&guest.inside, AF_INET);
    check_number(inside_dial(refused, GATEWAY, peer_port(listener)),
                 ENETUNREACH, "connect to the host's loopback");
    rn_fd_close(&listener);
    slirp_stop(closed, &guest);
}

static void test_api_publishes_and_withdraws(World *world)
{
    Guest guest;

    guest_start(&guest, world);
    g_autofree char *path = slirp_socket_path(world);
    /* what a killed one left is no obstacle */
    check(g_file_set_contents(path, "", 0, NULL), "make a stale file");
    g_autoptr(Run) run =
        slirp_start(world, WORDS("-c", "-a", path, guest.pid, "tap0"));
    slirp_publish(world, 1);
    guest_check_published(&guest, 8080);
#define ENTRIES                                                                \
    "\"entries\":[{\"id\":1,\"proto\":\"tcp\",\"host_addr\":\"127.0.0.1\","    \
    "\"host_port\":8080,\"guest_addr\":\"10.0.2.100\",\"guest_port\":80}]"
    slirp_expect_reply(world, LIST, "{" ENTRIES ",\"return\":{" ENTRIES "}}");
    g_autofree char *taken = slirp_ask(
        world, "{\"execute\":\"add_hostfwd\",\"arguments\":{\"proto\":"
               "\"tcp\",\"host_port\":8080,\"guest_port\":80}}");
    check_contains(taken, "{\"error\":{\"desc\":\"bad request: add_hostfwd: "
                          "slirp_add_hostfwd failed\",\"reason\":\"");
    slirp_expect_reply(
        world, "{\"execute\":\"remove_hostfwd\",\"arguments\":{\"id\":1}}",
        "{\"return\":{}}");
    check_number(peer_try_connect("127.0.0.1", 8080), ECONNREFUSED,
                 "the withdrawn port");
    slirp_publish(world, 2);
    guest_check_published(&guest, 8080);
    slirp_stop(run, &guest);
    check(access(path, F_OK) < 0, "the API socket is left");
}

/* A service of the namespace's own loopback, and one over UDP. */
static void test_api_takes_other_guests_and_udp(World *world)
{
    Guest guest;

    guest_start(&guest, world);
    g_autofree char *path = slirp_socket_path(world);
    g_autoptr(Run) run =
        slirp_start(world, WORDS("-c", "-a", path, guest.pid, "tap0"));
    slirp_expect_reply(world,
                       "{\"execute\":\"add_hostfwd\",\"arguments\":{"
                       "\"proto\":\"tcp\",\"host_port\":8081,"
                       "\"guest_addr\":\"127.0.0.1\",\"guest_port\":81}}",
                       "{\"return\":{\"id\":1}}");
    slirp_expect_reply(world,
                       "{\"execute\":\"add_hostfwd\",\"arguments\":{"
                       "\"proto\":\"udp\",\"host_port\":8053,"
                       "\"guest_port\":53}}",
                       "{\"return\":{\"id\":2}}");
    rn_autofd int listener = inside_bind(&guest.inside, "127.0.0.1", 81);
    check_call(listen(listener, 8) == 0, "listen");
    rn_autofd int client = peer_connect(SOCK_STREAM, WORLD_ADDRESS4, 8081);
    rn_autofd int service = peer_accept(listener);
    peer_send(client, "ping");
    peer_expect(service, "ping");

    inside_enter(&guest.inside);
    rn_autofd int inner = peer_serve(SOCK_DGRAM, "0.0.0.0", 53);
    inside_leave(&guest.inside);
    rn_autofd int outer = peer_connect(SOCK_DGRAM, "127.0.0.1", 8053);
    peer_send(outer, "question");
    peer_reflect(inner, "question");
    peer_expect(outer, "question");
    rn_fd_close(&listener);
    rn_fd_close(&service);
    rn_fd_close(&inner);
    slirp_stop(run, &guest);
}

static void test_hostile_clients_stop_nothing(World *world)
{
    static const char *const requests[] = {
        "{\"execute\":\"add_hostfwd\"}",
        "{\"execute\":\"add_hostfwd\",\"arguments\":{\"host_port\":1}}",
        "[[[[",
        "\xff\xfe",
        "{\"execute\":7}",
        "null",
    };
    int silent[SILENT_CLIENTS];
    GError *error = NULL;
    Guest guest;

    guest_start(&guest, world);
    g_autofree char *path = slirp_socket_path(world);
    g_autoptr(Run) run =
        slirp_start(world, WORDS("-c", "-a", path, guest.pid, "tap0"));
    slirp_publish(world, 1);
    for (unsigned i = 0; i < SILENT_CLIENTS; i++) {
        if (!rn_unix_connect(AT_FDCWD, path, SOCK_STREAM, &silent[i], &error))
            check_no_error(error);
        check(send(silent[i], "{", 1, MSG_NOSIGNAL) == 1, "send");
    }
    guest_check_published(&guest, 8080);
    guest_check_outbound(&guest);
    for (unsigned i = 0; i < G_N_ELEMENTS(requests); i++) {
        rn_autofd int fd = -1;

        if (!rn_unix_connect(AT_FDCWD, path, SOCK_STREAM, &fd, &error))
            check_no_error(error);
        peer_set_timeouts(fd);
        check(send(fd, requests[i], strlen(requests[i]), MSG_NOSIGNAL) > 0,
              "send");
        check_call(shutdown(fd, SHUT_WR) == 0, "shutdown");
        peer_expect(fd, "{\"error\":{\"desc\":\"bad request: ");
    }
    g_autofree char *list = slirp_ask(world, LIST);
    check_contains(list, "\"host_port\":8080");
    guest_check_published(&guest, 8080);
    for (unsigned i = 0; i < SILENT_CLIENTS; i++)
        rn_fd_close(&silent[i]);
    slirp_stop(run, &guest);
}

static void check_path(const Run *run, const char *path, bool is_there)
{
    g_autofree char *full = g_strdup_printf("/proc/%d/root%s", run->pid, path);

    check((access(full, F_OK) == 0) == is_there, "\"%s\" is%s there", path,
          is_there ? " not" : "");
}

static void check_capabilities(const Run *run)
{
    static const char *const sets[] = { "CapPrm:\t", "CapEff:\t" };
    g_autofree char *path = g_strdup_printf("/proc/%d/status", run->pid);
    g_autofree char *text = NULL;

    check(g_file_get_contents(path, &text, NULL, NULL), "read \"%s\"", path);
    for (unsigned i = 0; i < G_N_ELEMENTS(sets); i++) {
        g_autofree char *line = g_strdup_printf("%s%016llx\n", sets[i],
                                                1ULL << CAP_NET_BIND_SERVICE);

        check_contains(text, line);
    }
}

static void test_sandbox_has_little_and_works(World *world)
{
    Guest guest;

    guest_start(&guest, world);
    g_autofree char *path = slirp_socket_path(world);
    g_autoptr(Run) run =
        slirp_start(world, WORDS("-c", "--enable-sandbox", "--enable-seccomp",
                                 "-a", path, guest.pid, "tap0"));
    check_capabilities(run);
    check_path(run, "/etc", true);
    check_path(run, "/run", true);
    check_path(run, "/home", false);
    check_path(run, "/root", false);
    check_path(run, "/var", false);
    check_path(run, "/tmp", false);
#ifndef RN_SANITIZERS
    check_path(run, "/proc/1", false);
#endif
    slirp_publish(world, 1);
    /* what is started anew is started from in there */
    for (int i = 0; i < 3; i++) {
        kill_process(find_process("rnet-relay"));
        guest_check_published(&guest, 8080);
        guest_check_outbound(&guest);
    }
    slirp_stop(run, &guest);
    check(access(path, F_OK) < 0, "the API socket is left");
}

static void check_refused(const World *world, const char *const *args,
                          const char *part)
{
    g_autofree char *refusal = box_refusal(world, 1, args);

    check_contains(refusal, part);
}

static void test_what_cannot_be_is_refused(World *world)
{
    Guest guest;

    guest_start(&guest, world);
    check_refused(world, WORDS(SLIRP_COMMAND, "4194304", "tap0"), "4194304");
    check_refused(world, WORDS(SLIRP_COMMAND, "--netns-type=path", "/etc", "t"),
                  "namespace");
    check_refused(world, WORDS(SLIRP_COMMAND, "--netns-type=tapfd", "77"),
                  "tapfd 77: Bad file descriptor");
    check_refused(world,
                  WORDS(SLIRP_COMMAND, "-c", "-a", "/no/such", guest.pid, "t"),
                  "API socket: ");
    check_refused(world, WORDS(SLIRP_COMMAND, "-c", "--cidr=x", guest.pid, "t"),
                  "invalid CIDR: x");
    guest_stop(&guest);
}

static const WorldTest tests[] = {
    { "slirp4netns_configured_network_works", test_configured_network_works,
      WORLD_NEEDS_LINK },
    { "slirp4netns_path_and_userns_path_work", test_path_and_userns_path_work },
    { "slirp4netns_signal_ends_by_itself", test_signal_ends_by_itself },
    { "slirp4netns_killed_leaves_nothing", test_killed_leaves_nothing },
    { "slirp4netns_host_loopback_is_open_unless_disabled",
      test_host_loopback_is_open_unless_disabled },
    { "slirp4netns_api_publishes_and_withdraws",
      test_api_publishes_and_withdraws },
    { "slirp4netns_api_takes_other_guests_and_udp",
      test_api_takes_other_guests_and_udp },
    { "slirp4netns_hostile_clients_stop_nothing",
      test_hostile_clients_stop_nothing },
    { "slirp4netns_sandbox_has_little_and_works",
      test_sandbox_has_little_and_works },
    { "slirp4netns_impossible_is_refused", test_what_cannot_be_is_refused },
};

int main(void)
{
    return world_run_tests("slirp4netns", tests, G_N_ELEMENTS(tests));
}
