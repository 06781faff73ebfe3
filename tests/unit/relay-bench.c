/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * relay-bench - a relay's process, and its monitor, agent and guest, played
 */
#include "config.h"

#include <unit.h>

#include "relay-bench.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <rnet/net/relay.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>
#include <rnet/util/msg.h>

enum {
    DEADLINE_MS = 20000, /* for any one event; only a failure takes so long */
};

static void run_relay(int socket)
{
    g_autoptr(GError) error = NULL;

    /* so that no failure of the test leaves it behind */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!rn_relay_prepare(&error) || !rn_relay_run(socket, &error))
        _exit(1);
    _exit(0);
}

/* Starts the relay's process with nothing but its socket. */
Bench *start_relay(void)
{
    return start_relay_in(-1, -1);
}

Bench *start_relay_in(int userns_fd, int netns_fd)
{
    Bench *bench = g_new0(Bench, 1);
    int pair[2];

    bench->plan = test_plan();
    bench->plan.host_loopback = 1;
    bench->agent = bench->guest = -1;
    assert_true(rn_msg_pair(pair, NULL));
    bench->monitor = pair[0];
    bench->relay = fork();
    assert_true(bench->relay >= 0);
    if (bench->relay == 0) {
        if (netns_fd >= 0 && (setns(userns_fd, CLONE_NEWUSER) < 0 ||
                              setns(netns_fd, CLONE_NEWNET) < 0))
            _exit(1);
        rn_fd_close_all_but(&pair[1], 1);
        run_relay(pair[1]);
    }
    rn_fd_close(&pair[1]);
    return bench;
}

void wait_readable(int fd)
{
    struct pollfd entry = { .fd = fd, .events = POLLIN };

    assert_int_equal(poll(&entry, 1, DEADLINE_MS), 1);
}

/* Reaps the relay, which has to end by itself; its exit status. */
int await_exit(Bench *bench)
{
    int status = 0;

    wait_readable(bench->monitor); /* EOF, or FAILED and EOF */
    assert_int_equal(waitpid(bench->relay, &status, 0), bench->relay);
    bench->relay = 0;
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

void end_relay(Bench *bench)
{
    if (bench->relay > 0) {
        kill(bench->relay, SIGKILL);
        waitpid(bench->relay, NULL, 0);
    }
    rn_fd_close(&bench->monitor);
    rn_fd_close(&bench->agent);
    rn_fd_close(&bench->guest);
    g_free(bench);
}
void send_setup(Bench *bench)
{
    RnRelaySetup setup = { .plan = bench->plan, .log_level = RN_LOG_WARNING };
    int link[2], serving[2];
    int fds[2];

    assert_int_equal(
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, link), 0);
    assert_true(rn_msg_pair(serving, NULL));
    bench->guest = link[0];
    bench->agent = serving[0];
    fds[0] = link[1];
    fds[1] = serving[1];
    assert_true(rn_msg_send(bench->monitor, RN_MSG_RELAY_SETUP, &setup,
                            sizeof setup, fds, bench->has_no_agent ? 1 : 2,
                            NULL));
    rn_fd_close(&fds[0]);
    rn_fd_close(&fds[1]);
}

int open_socket_at(const char *address, int type, RnEndpoint *out_at)
{
    RnEndpoint at = test_endpoint(address, 0);
    struct sockaddr_storage storage;
    socklen_t length = rn_endpoint_to_sockaddr(&at, &storage);
    int fd = socket(at.family, type | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&storage, length), 0);
    if (type == SOCK_STREAM)
        assert_int_equal(listen(fd, 5), 0);
    length = sizeof storage;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&storage, &length), 0);
    rn_endpoint_from_sockaddr(&storage, out_at);
    return fd;
}

int open_socket(int type, RnEndpoint *out_at)
{
    return open_socket_at("127.0.0.1", type, out_at);
}

int connect_to(const RnEndpoint *at, int type)
{
    struct sockaddr_storage storage;
    socklen_t length = rn_endpoint_to_sockaddr(at, &storage);
    int fd = socket(at->family, type | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&storage, length), 0);
    return fd;
}

int accept_client(int listener)
{
    int fd = -1;

    wait_readable(listener);
    fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

void send_listener(Bench *bench, RnTransport transport, uint32_t id,
                   RnEndpoint *out_front)
{
    RnRelayListener info = { .transport = transport,
                             .id = id,
                             .guest = { .port = 80 } };
    rn_autofd int fd = open_socket(
        transport == RN_TRANSPORT_TCP ? SOCK_STREAM : SOCK_DGRAM, out_front);

    info.host = *out_front;
    assert_true(rn_msg_send(bench->monitor, RN_MSG_RELAY_LISTENER, &info,
                            sizeof info, &fd, 1, NULL));
}

Bench *make_ready_relay(void)
{
    Bench *bench = start_relay();

    send_setup(bench);
    send_listener(bench, RN_TRANSPORT_TCP, FIRST_ID, &bench->tcp_front);
    send_listener(bench, RN_TRANSPORT_UDP, FIRST_ID, &bench->udp_front);
    send_start(bench);
    return bench;
}

void send_start(Bench *bench)
{
    g_autoptr(GError) error = NULL;
    g_auto(RnMsg) msg = { 0 };

    assert_true(rn_msg_send(bench->monitor, RN_MSG_RELAY_START, NULL, 0, NULL,
                            0, NULL));
    wait_readable(bench->monitor);
    if (!rn_msg_expect(bench->monitor, RN_MSG_RELAY_READY, 0, 0, &msg, &error))
        fail_msg("not ready: %s", error->message);
}

void write_frame(Bench *bench, const TestFrame *frame)
{
    assert_int_equal(write(bench->guest, frame->bytes, frame->length),
                     frame->length);
}

/* Reads frames until one of this protocol comes (0: any that is no IP). */
void await_frame(Bench *bench, uint8_t protocol)
{
    do {
        ssize_t got = 0;

        wait_readable(bench->guest);
        got = read(bench->guest, bench->got.bytes, RN_FRAME_MAX);
        assert_true(got > 0);
        assert_true(
            rn_frame_parse(bench->got.bytes, (gsize)got, &bench->frame));
    } while (bench->frame.protocol != protocol);
}

void resolve_gateway(Bench *bench)
{
    TestFrame request;

    test_arp_frame(&bench->plan, &bench->plan.gateway4, &request);
    write_frame(bench, &request);
    await_frame(bench, 0);
}

void read_exactly(int fd, void *buffer, gsize length)
{
    for (gsize done = 0; done < length;) {
        ssize_t got = 0;

        wait_readable(fd);
        got = read(fd, (uint8_t *)buffer + done, length - done);
        assert_true(got > 0);
        done += (gsize)got;
    }
}

static void take_request(Bench *bench, RnSocketRequest *out_request)
{
    g_auto(RnMsg) msg = { 0 };

    wait_readable(bench->agent);
    assert_true(rn_msg_expect(bench->agent, RN_MSG_SOCKET_REQUEST,
                              sizeof *out_request, 0, &msg, NULL));
    memcpy(out_request, msg.payload, sizeof *out_request);
}

/*
 * Plays the agent once: a socket that connects to `service`. Requests for
 * spares, which can come at any time, are refused.
 */
void answer_request(Bench *bench, const RnEndpoint *service)
{
    RnSocketRequest request = { .n_spares = 1 };
    rn_autofd int fd = -1;

    while (request.n_spares > 0) {
        RnSocketReply answer = { .errno_value = EMFILE };

        take_request(bench, &request);
        answer.id = request.id;
        if (request.n_spares == 0) {
            fd = connect_to(service, SOCK_STREAM);
            answer.errno_value = 0;
        }
        assert_true(rn_msg_send(bench->agent, RN_MSG_SOCKET_REPLY, &answer,
                                sizeof answer, &fd, fd >= 0 ? 1 : 0, NULL));
    }
}

void refuse_requests(Bench *bench)
{
    struct pollfd agent = { .fd = bench->agent, .events = POLLIN };

    while (poll(&agent, 1, 0) > 0) {
        RnSocketRequest request;
        RnSocketReply answer = { .errno_value = EMFILE };

        take_request(bench, &request);
        answer.id = request.id;
        assert_true(rn_msg_send(bench->agent, RN_MSG_SOCKET_REPLY, &answer,
                                sizeof answer, NULL, 0, NULL));
    }
}

void withdraw(Bench *bench, uint32_t id)
{
    assert_true(rn_msg_send(bench->monitor, RN_MSG_RELAY_WITHDRAW, &id,
                            sizeof id, NULL, 0, NULL));
}

/* Connects until nobody listens there any more. */
void await_refusal(const RnEndpoint *at)
{
    struct sockaddr_storage storage;
    socklen_t length = rn_endpoint_to_sockaddr(at, &storage);

    for (unsigned i = 0; i < REFUSAL_TRIES; i++) {
        rn_autofd int fd = socket(at->family, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (connect(fd, (struct sockaddr *)&storage, length) == 0)
            continue;
        /* the listener may be closed while it has this client */
        if (errno == ECONNRESET)
            continue;
        assert_int_equal(errno, ECONNREFUSED);
        return;
    }
    fail_msg("the port is still open");
}

void exchange(int client, int service)
{
    char text[4];

    assert_int_equal(send(client, "ping", 4, 0), 4);
    read_exactly(service, text, 4);
    assert_int_equal(send(service, "pong", 4, 0), 4);
    read_exactly(client, text, 4);
}
