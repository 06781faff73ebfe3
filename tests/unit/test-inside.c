/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-inside - the stock of spare sockets, and the way without it
 *
 * The test plays nsagent, which here is in the same namespace as the relay.
 */
#include "config.h"

#include <unit.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <rnet/net/inside-socket.h>
#include <rnet/net/inside.h>
#include <rnet/util/fd.h>
#include <rnet/util/msg.h>

enum {
    TURNS_MAX = 5000, /* only a failure takes so many */
    TURN_MS = 20,
};

/* Makes a socket that plays a spare of nsagent's. */
typedef int (*MakeSpare)(uint16_t family);

typedef struct Bench {
    RnLoop *loop;
    RnAgentClient *client;
    RnInside *inside;
    int agent; /* nsagent's end */
    int listener;
    RnEndpoint listener_at;
    RnInsideAttempt attempt;
    bool is_done, is_lost;
    int fd, errno_value; /* of `attempt` */
} Bench;

static void note_loss(const GError *failure, void *data)
{
    (void)failure;
    ((Bench *)data)->is_lost = true;
}

static void note_end(int take_fd, int errno_value, void *data)
{
    Bench *bench = data;

    bench->is_done = true;
    bench->fd = take_fd;
    bench->errno_value = errno_value;
}

static void open_listener(Bench *bench)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    struct sockaddr_storage storage = { 0 };
    socklen_t length = sizeof storage;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bench->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(bench->listener, (struct sockaddr *)&at, sizeof at),
                     0);
    assert_int_equal(listen(bench->listener, 8), 0);
    assert_int_equal(
        getsockname(bench->listener, (struct sockaddr *)&storage, &length), 0);
    rn_endpoint_from_sockaddr(&storage, &bench->listener_at);
}

static Bench *make_bench(void)
{
    Bench *bench = g_new0(Bench, 1);
    int pair[2] = { -1, -1 };

    bench->fd = -1;
    bench->loop = rn_loop_new(NULL);
    assert_non_null(bench->loop);
    assert_true(rn_msg_pair(pair, NULL));
    bench->agent = pair[0];
    assert_true(rn_fd_set_nonblocking(bench->agent, true, NULL));
    bench->client =
        rn_agent_client_new(bench->loop, pair[1], note_loss, bench, NULL);
    assert_non_null(bench->client);
    bench->inside = rn_inside_new(bench->loop, bench->client, true);
    open_listener(bench);
    return bench;
}

static void free_bench(Bench *bench)
{
    rn_inside_cancel(&bench->attempt);
    rn_inside_free(bench->inside);
    rn_agent_client_free(bench->client);
    rn_loop_free(bench->loop);
    rn_fd_close(&bench->agent);
    rn_fd_close(&bench->listener);
    rn_fd_close(&bench->fd);
    g_free(bench);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Bench, free_bench)

static void turn(Bench *bench)
{
    assert_true(rn_loop_turn(bench->loop, TURN_MS, NULL));
}

/* Turns until the client is through with what is in its socket. */
static void settle(Bench *bench)
{
    int timeout_ms = rn_loop_next_timeout(bench->loop);

    assert_int_equal(timeout_ms, -1); /* it does not pause */
    assert_true(rn_loop_turn(bench->loop, 0, NULL));
    assert_true(rn_loop_turn(bench->loop, 0, NULL));
}

static RnSocketRequest await_request(Bench *bench)
{
    g_auto(RnMsg) msg = { 0 };
    RnSocketRequest request = { 0 };
    int received = 0;

    for (unsigned i = 0; i < TURNS_MAX && received == 0; i++) {
        turn(bench);
        received = rn_msg_try_recv(bench->agent, &msg);
    }
    assert_int_equal(received, 1);
    assert_int_equal(msg.type, RN_MSG_SOCKET_REQUEST);
    assert_int_equal(msg.length, sizeof request);
    memcpy(&request, msg.payload, sizeof request);
    return request;
}

static void assert_no_request(Bench *bench)
{
    g_auto(RnMsg) msg = { 0 };

    settle(bench);
    assert_int_equal(rn_msg_try_recv(bench->agent, &msg), 0);
}

/* What a relay gets that does not own the namespace: TCP_REPAIR fails. */
static int make_useless_spare(uint16_t family)
{
    return socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static int make_spare(uint16_t family)
{
    int errno_value = 0;

    return rn_inside_socket_new(family, &errno_value);
}

/* It takes CAP_NET_ADMIN; the tests of rnet run have an ordinary user's. */
static void require_spares(void)
{
    rn_autofd int fd = make_spare(AF_INET);

    if (fd >= 0)
        return;
    print_message("skipped: no transparent socket here\n");
    skip();
}

/* Answers a request for spares with `n` of them. */
static void send_spares(const Bench *bench, const RnSocketRequest *request,
                        MakeSpare make, unsigned n)
{
    RnSocketReply reply = { .id = request->id };
    int fds[RN_SPARES_MAX];

    assert_int_equal(request->n_spares, RN_SPARES_MAX);
    for (unsigned i = 0; i < n; i++) {
        fds[i] = make(request->remote.family);
        assert_true(fds[i] >= 0);
    }
    assert_true(rn_msg_send(bench->agent, RN_MSG_SOCKET_REPLY, &reply,
                            sizeof reply, fds, n, NULL));
    for (unsigned i = 0; i < n; i++)
        rn_fd_close(&fds[i]);
}

/* Begins to connect to the listener, or over IPv6 to nobody. */
static int begin_connect(Bench *bench, uint16_t family)
{
    RnEndpoint local = { .family = AF_UNSPEC };
    RnEndpoint remote = bench->listener_at;

    if (family == AF_INET6)
        remote = (RnEndpoint){
            .family = AF_INET6,
            .address = { [15] = 1 },
            .port = 1,
        };
    return rn_inside_connect(bench->inside, &bench->attempt, &local, &remote,
                             note_end, bench, &bench->fd);
}

static void spare_connects_without_a_request(void **state)
{
    g_autoptr(Bench) bench = NULL;
    RnSocketRequest request;
    int errno_value = 0;

    (void)state;
    require_spares();
    bench = make_bench();
    request = await_request(bench);
    assert_int_equal(request.remote.family, AF_INET);
    send_spares(bench, &request, make_spare, RN_SPARES_MAX);
    request = await_request(bench); /* more of them: they are of use */
    errno_value = begin_connect(bench, AF_INET);
    for (unsigned i = 0;
         i < TURNS_MAX && errno_value == EINPROGRESS && !bench->is_done; i++)
        turn(bench);
    assert_int_equal(bench->errno_value, 0);
    assert_true(bench->fd >= 0);
    assert_no_request(bench);
}

static void useless_spares_leave_it_to_the_agent(void **state)
{
    g_autoptr(Bench) bench = make_bench();
    RnSocketRequest request = await_request(bench);

    (void)state;
    send_spares(bench, &request, make_useless_spare, RN_SPARES_MAX);
    assert_no_request(bench);
    assert_int_equal(begin_connect(bench, AF_INET), EINPROGRESS);
    request = await_request(bench);
    assert_int_equal(request.n_spares, 0);
    assert_true(rn_endpoint_equal(&request.remote, &bench->listener_at));
}

/* Those of IPv6 were asked for before it was known that they are useless. */
static void useless_spares_of_the_other_family_are_not_kept(void **state)
{
    g_autoptr(Bench) bench = make_bench();
    RnSocketRequest spares[2], request;

    (void)state;
    spares[0] = await_request(bench);
    assert_int_equal(begin_connect(bench, AF_INET6), EINPROGRESS);
    spares[1] = await_request(bench);
    assert_int_equal(spares[1].remote.family, AF_INET6);
    assert_int_equal(await_request(bench).n_spares, 0);
    rn_inside_cancel(&bench->attempt);

    for (unsigned i = 0; i < G_N_ELEMENTS(spares); i++)
        send_spares(bench, &spares[i], make_useless_spare, RN_SPARES_MAX);
    assert_no_request(bench);
    assert_int_equal(begin_connect(bench, AF_INET6), EINPROGRESS);
    request = await_request(bench);
    assert_int_equal(request.n_spares, 0);
    assert_int_equal(request.remote.family, AF_INET6);
}

static void answer_of_a_cancelled_attempt_is_closed(void **state)
{
    g_autoptr(Bench) bench = make_bench();
    RnSocketReply reply = { 0 };
    RnSocketRequest request;
    int pair[2] = { -1, -1 };
    char byte = 0;

    (void)state;
    request = await_request(bench);
    assert_int_equal(begin_connect(bench, AF_INET), EINPROGRESS);
    request = await_request(bench);
    assert_int_equal(request.n_spares, 0);
    rn_inside_cancel(&bench->attempt);
    rn_inside_cancel(&bench->attempt);
    reply.id = request.id;
    assert_true(rn_msg_pair(pair, NULL));
    assert_true(rn_msg_send(bench->agent, RN_MSG_SOCKET_REPLY, &reply,
                            sizeof reply, &pair[1], 1, NULL));
    rn_fd_close(&pair[1]);
    settle(bench);
    assert_int_equal(read(pair[0], &byte, 1), 0);
    rn_fd_close(&pair[0]);
    assert_false(bench->is_done);
    assert_false(bench->is_lost);
}

/* Leaves `n` free fd numbers, all others up to the limit are taken. */
static GArray *fill_fds(unsigned n)
{
    GArray *taken = g_array_new(FALSE, FALSE, sizeof(int));
    int fd = -1;

    while ((fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)) >= 0)
        g_array_append_val(taken, fd);
    assert_int_equal(errno, EMFILE);
    for (unsigned i = 0; i < n; i++) {
        fd = g_array_index(taken, int, taken->len - 1);
        g_array_set_size(taken, taken->len - 1);
        rn_fd_close(&fd);
    }
    return taken;
}

static void free_fds(GArray *taken)
{
    for (unsigned i = 0; i < taken->len; i++)
        rn_fd_close(&g_array_index(taken, int, i));
    g_array_unref(taken);
}

/* The kernel leaves out the fds that have no number, recvmsg(2). */
static void spares_without_fd_numbers_do_not_end_the_relay(void **state)
{
    g_autoptr(Bench) bench = make_bench();
    RnSocketRequest request = await_request(bench);
    struct rlimit limit = { 0 }, low = { 0 };
    GArray *taken = NULL;

    (void)state;
    send_spares(bench, &request, make_useless_spare, RN_SPARES_MAX);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    low = (struct rlimit){ 64, limit.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    taken = fill_fds(3);
    assert_true(rn_loop_turn(bench->loop, 0, NULL));
    free_fds(taken);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_false(bench->is_lost);
    /* they were taken note of all the same */
    assert_int_equal(begin_connect(bench, AF_INET), EINPROGRESS);
    request = await_request(bench);
    assert_int_equal(request.n_spares, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spare_connects_without_a_request),
        cmocka_unit_test(useless_spares_leave_it_to_the_agent),
        cmocka_unit_test(useless_spares_of_the_other_family_are_not_kept),
        cmocka_unit_test(answer_of_a_cancelled_attempt_is_closed),
        cmocka_unit_test(spares_without_fd_numbers_do_not_end_the_relay),
    };

    return cmocka_run_group_tests_name("inside", tests, NULL, NULL);
}
