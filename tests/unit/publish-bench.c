/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * publish-bench - publish-tcp, splicer and agent client on one loop
 */
#include "config.h"

#include <unit.h>

#include "publish-bench.h"

#include <errno.h>
#include <unistd.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include <rnet/util/fd.h>
#include <rnet/util/msg.h>

#include "frames.h"

int listen_on(const char *address, RnEndpoint *out_at)
{
    RnEndpoint at = test_endpoint(address, 0);
    struct sockaddr_storage storage;
    socklen_t length = rn_endpoint_to_sockaddr(&at, &storage);
    int on = 1;
    int fd = socket(at.family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    assert_true(fd >= 0);
    if (at.family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    assert_int_equal(bind(fd, (struct sockaddr *)&storage, length), 0);
    assert_int_equal(listen(fd, SOMAXCONN), 0);
    length = sizeof storage;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&storage, &length), 0);
    rn_endpoint_from_sockaddr(&storage, out_at);
    return fd;
}

int connect_to(const RnEndpoint *at)
{
    struct sockaddr_storage storage;
    socklen_t length = rn_endpoint_to_sockaddr(at, &storage);
    int fd = socket(at->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    assert_true(fd >= 0);
    if (connect(fd, (struct sockaddr *)&storage, length) < 0)
        assert_int_equal(errno, EINPROGRESS);
    return fd;
}

void reply(const Bench *bench, uint64_t id, int errno_value)
{
    RnSocketReply answer = { .id = id, .errno_value = errno_value };
    rn_autofd int fd = -1;

    if (errno_value == CONNECT) {
        answer.errno_value = 0;
        fd = connect_to(&bench->service_at);
    }
    assert_true(rn_msg_send(bench->agent, RN_MSG_SOCKET_REPLY, &answer,
                            sizeof answer, &fd, fd >= 0 ? 1 : 0, NULL));
}

static void play_agent(RnWatch *watch, uint32_t events)
{
    Bench *bench = watch->data;
    g_auto(RnMsg) msg = { 0 };
    RnSocketRequest *request = &bench->requests[bench->n_requests];
    int answer =
        bench
            ->answers[MIN(bench->n_requests, G_N_ELEMENTS(bench->answers) - 1)];

    (void)events;
    if (rn_msg_try_recv(bench->agent, &msg) < 0) {
        rn_watch_remove(watch);
        return;
    }
    assert_int_equal(msg.type, RN_MSG_SOCKET_REQUEST);
    assert_int_equal(msg.length, sizeof *request);
    assert_true(bench->n_requests < REQUESTS_MAX - 1);
    memcpy(request, msg.payload, sizeof *request);
    bench->n_requests++;
    if (answer != KEEP)
        reply(bench, request->id, answer);
}

static void note_loss(const GError *failure, void *data)
{
    (void)failure;
    ((Bench *)data)->is_lost = true;
}

Bench *make_bench(const char *front)
{
    g_autoptr(GError) error = NULL;
    Bench *bench = g_new0(Bench, 1);
    RnPublishTcpParts parts = { .plan = &bench->plan };
    RnRelayListener info = { .guest = { .port = 80 } };
    int pair[2], listener = -1;

    bench->plan = test_plan();
    for (unsigned i = 0; i < G_N_ELEMENTS(bench->answers); i++)
        bench->answers[i] = CONNECT;
    bench->loop = parts.loop = rn_loop_new(&error);
    assert_true(rn_msg_pair(pair, &error));
    bench->agent = pair[0];
    assert_true(rn_loop_add(bench->loop, &bench->agent_watch, pair[0], EPOLLIN,
                            play_agent, bench, &error));
    bench->client =
        rn_agent_client_new(bench->loop, pair[1], note_loss, bench, &error);
    bench->inside = parts.inside =
        rn_inside_new(bench->loop, bench->client, false);
    bench->splicer = parts.splicer = rn_splicer_new(bench->loop);
    bench->publish = rn_publish_tcp_new(&parts);
    bench->service = listen_on("127.0.0.1", &bench->service_at);
    listener = listen_on(front, &bench->front);
    info.host = bench->front;
    assert_true(rn_publish_tcp_add(bench->publish, &info, listener, &error));
    assert_no_error(error);
    return bench;
}

void free_bench(Bench *bench)
{
    rn_splicer_free(bench->splicer);
    rn_publish_tcp_free(bench->publish);
    rn_inside_free(bench->inside);
    rn_agent_client_free(bench->client);
    rn_watch_remove(&bench->agent_watch);
    rn_loop_free(bench->loop);
    rn_fd_close(&bench->agent);
    rn_fd_close(&bench->service);
    g_free(bench);
}
void turn(Bench *bench)
{
    assert_true(rn_loop_turn(bench->loop, TURN_MS, NULL));
}

void await_requests(Bench *bench, unsigned n)
{
    for (unsigned i = 0; i < TURNS_MAX && bench->n_requests < n; i++)
        turn(bench);
    assert_int_equal(bench->n_requests, n);
}

int await_service(Bench *bench)
{
    for (unsigned i = 0; i < TURNS_MAX; i++) {
        int fd = accept4(bench->service, NULL, NULL, SOCK_NONBLOCK);

        if (fd >= 0)
            return fd;
        turn(bench);
    }
    fail_msg("nobody came to the service");
    return -1;
}

ssize_t await_read(Bench *bench, int fd, char *buffer, gsize size)
{
    for (unsigned i = 0; i < TURNS_MAX; i++) {
        ssize_t got = recv(fd, buffer, size, MSG_DONTWAIT);

        if (got >= 0 || errno != EAGAIN)
            return got;
        turn(bench);
    }
    fail_msg("nothing to read");
    return -1;
}

void await_reset(Bench *bench, int fd)
{
    char byte;

    assert_int_equal(await_read(bench, fd, &byte, 1), -1);
    assert_int_equal(errno, ECONNRESET);
}

void exchange(Bench *bench, int client, int service)
{
    char text[8];

    assert_int_equal(send(client, "ping", 4, 0), 4);
    assert_int_equal(await_read(bench, service, text, sizeof text), 4);
    assert_int_equal(send(service, "pong", 4, 0), 4);
    assert_int_equal(await_read(bench, client, text, sizeof text), 4);
}

RnEndpoint get_name(int fd)
{
    struct sockaddr_storage storage;
    socklen_t length = sizeof storage;
    RnEndpoint name;

    assert_int_equal(getsockname(fd, (struct sockaddr *)&storage, &length), 0);
    rn_endpoint_from_sockaddr(&storage, &name);
    return name;
}

void assert_request(const Bench *bench, unsigned i, const char *local,
                    uint16_t local_port, const char *remote)
{
    const RnSocketRequest *request = &bench->requests[i];
    RnEndpoint wanted_local = test_endpoint(local, local_port);
    RnEndpoint wanted_remote = test_endpoint(remote, 80);

    assert_int_equal(request->n_spares, 0);
    assert_true(rn_endpoint_equal(&request->local, &wanted_local));
    assert_true(rn_endpoint_equal(&request->remote, &wanted_remote));
}
