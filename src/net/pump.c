/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pump - moves the bytes of one direction, by copying or by splicing
 *
 * Role:     empty what is held first, only then take more from the source: so
 *           a destination that does not read stops the source
 * Runs in:  the relay
 * Data:     source -> buffer -> destination while little comes at a time (most
 *           exchanges are small, and cheaper without a pipe: two system calls
 *           instead of three); source -> pipe -> destination once BULK_BYTES
 *           came at once, until less comes again. A pipe is filled only when
 *           empty: then EAGAIN means that the source is empty, or that the next
 *           byte is urgent, which splice(2) never passes: such bytes are
 *           copied, in their place among the others.
 * Limits:   held at most: one pipe, or CHUNK_BYTES that were copied, fewer when
 *           all flows together hold HELD_BYTES; a run moves about RUN_BUDGET
 *           bytes
 * Failure:  RN_PUMP_FAILED, with nothing said about which side it was
 */
#include "config.h"

#include <rnet/net/pump.h>

#include <errno.h>
#include <fcntl.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

enum {
    BULK_BYTES = 16 * 1024,
    CHUNK_BYTES = 64 * 1024,
    SMALL_CHUNK_BYTES = 2048,
    HELD_BYTES = 64 << 20,
    SPLICE_BYTES = 1 << 20, /* as much as a pipe of the pool holds at most */
    RUN_BUDGET = 1 << 20,
    QUEUE_BYTES = 128 * 1024,
    /* of `lo`: 65536, of which a packet of IPv4 can use one less */
    LOOPBACK_MTU = 65535,
};

struct RnPumpGear {
    RnPipePool *pipes;
    gsize held;     /* bytes of all rests */
    uint8_t *chunk; /* CHUNK_BYTES, in memory once they are used */
};

/* What one step of a pump came to. */
typedef enum Step {
    STEP_MOVED,
    STEP_WAIT,
    STEP_FAILED,
} Step;

RnPumpGear *rn_pump_gear_new(void)
{
    RnPumpGear *gear = g_new0(RnPumpGear, 1);

    gear->pipes = rn_pipe_pool_new();
    gear->chunk = g_malloc(CHUNK_BYTES);
    return gear;
}

void rn_pump_gear_free(RnPumpGear *gear)
{
    if (gear == NULL)
        return;
    rn_pipe_pool_free(gear->pipes);
    g_free(gear->chunk);
    g_free(gear);
}

void rn_pump_init(RnPump *pump)
{
    *pump = (RnPump){ .pipe = RN_PIPE_NONE };
}

static void drop_rest(RnPump *pump, RnPumpGear *gear)
{
    if (pump->rest == NULL)
        return;
    gear->held -= pump->rest_offset + pump->rest_length;
    g_clear_pointer(&pump->rest, g_free);
}

void rn_pump_clear(RnPump *pump, RnPumpGear *gear)
{
    if (pump->piped > 0)
        rn_pipe_pool_discard(gear->pipes, &pump->pipe);
    else
        rn_pipe_pool_give(gear->pipes, &pump->pipe);
    drop_rest(pump, gear);
    rn_pump_init(pump);
}

/* A call failed: with EAGAIN the flag is cleared until the next edge. */
static Step stop_at(bool *ready)
{
    if (errno == EINTR)
        return STEP_MOVED;
    if (errno != EAGAIN)
        return STEP_FAILED;
    *ready = false;
    return STEP_WAIT;
}

static Step flush_pipe(RnPump *pump, RnPumpGear *gear, RnPumpEnd *to)
{
    ssize_t sent = 0;

    if (!to->writable)
        return STEP_WAIT;
    sent = splice(pump->pipe.read_fd, NULL, to->fd, NULL, pump->piped,
                  SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (sent < 0)
        return stop_at(&to->writable);
    pump->piped -= (gsize)sent;
    if (pump->piped == 0)
        rn_pipe_pool_give(gear->pipes, &pump->pipe);
    return STEP_MOVED;
}

static Step flush_rest(RnPump *pump, RnPumpGear *gear, RnPumpEnd *to)
{
    ssize_t sent = 0;

    if (!to->writable)
        return STEP_WAIT;
    sent = send(to->fd, pump->rest + pump->rest_offset, pump->rest_length,
                MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0)
        return stop_at(&to->writable);
    pump->rest_offset += (gsize)sent;
    pump->rest_length -= (gsize)sent;
    if (pump->rest_length == 0)
        drop_rest(pump, gear);
    return STEP_MOVED;
}

/*
 * Bounds what waits in the send buffer of a bulk flow's destination, if that is
 * on this host: the kernel lets it grow to megabytes, which carries less (doc/
 * PERFORMANCE.md, "What was tried"). A way through a network keeps what it has,
 * for with its delay the bytes under way need that room. Unlike a receive
 * buffer, a send buffer that shrinks loses nothing.
 */
static void bound_queue(RnPumpEnd *to)
{
    struct tcp_info info = { 0 };
    socklen_t length = sizeof info;
    int wanted = QUEUE_BYTES;

    if (to->is_bounded)
        return;
    to->is_bounded = true;
    /* fails for no TCP socket, which keeps what it has */
    if (getsockopt(to->fd, IPPROTO_TCP, TCP_INFO, &info, &length) < 0 ||
        info.tcpi_pmtu < LOOPBACK_MTU)
        return;
    /* best effort, and doubled by the kernel, socket(7) */
    (void)setsockopt(to->fd, SOL_SOCKET, SO_SNDBUF, &wanted, sizeof wanted);
}

static Step fill_pipe(RnPump *pump, RnPumpGear *gear, RnPumpEnd *from)
{
    ssize_t got = splice(from->fd, NULL, pump->pipe.write_fd, NULL,
                         SPLICE_BYTES, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

    if (got <= 0)
        rn_pipe_pool_give(gear->pipes, &pump->pipe);
    if (got < 0)
        return stop_at(&from->readable);
    if (got == 0)
        pump->at_end = true;
    pump->piped = (gsize)got;
    pump->moved += (gsize)got;
    pump->is_bulk = got >= BULK_BYTES;
    return STEP_MOVED;
}

/* Keeps what the destination did not take. */
static void keep_rest(RnPump *pump, RnPumpGear *gear, const uint8_t *bytes,
                      gsize length)
{
    gear->held += length;
    pump->rest = g_memdup2(bytes, length);
    pump->rest_offset = 0;
    pump->rest_length = length;
}

/* Takes bytes from the source into gear->chunk. */
static Step read_chunk(RnPump *pump, RnPumpGear *gear, RnPumpEnd *from,
                       gsize *out_got)
{
    gsize room = gear->held < HELD_BYTES ? CHUNK_BYTES : SMALL_CHUNK_BYTES;
    ssize_t got = recv(from->fd, gear->chunk, room, MSG_DONTWAIT);

    if (got < 0) {
        if (errno == EAGAIN)
            from->has_urgent = false;
        return stop_at(&from->readable);
    }
    if (got == 0)
        pump->at_end = true;
    /*
     * Less than asked for empties the socket, and what comes later makes a new
     * edge (epoll(7)); but an end of stream that is already there does not,
     * and a read stops short of an urgent byte.
     */
    if ((gsize)got < room && !from->hung_up && !from->has_urgent)
        from->readable = false;
    pump->moved += (gsize)got;
    pump->is_bulk = got >= BULK_BYTES || (gsize)got == room;
    *out_got = (gsize)got;
    return STEP_MOVED;
}

static Step copy_chunk(RnPump *pump, RnPumpGear *gear, RnPumpEnd *from,
                       RnPumpEnd *to)
{
    gsize got = 0;
    ssize_t sent = 0;
    Step step = read_chunk(pump, gear, from, &got);

    if (step != STEP_MOVED || got == 0)
        return step;
    sent = send(to->fd, gear->chunk, got, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
        sent = 0;
        if (stop_at(&to->writable) == STEP_FAILED)
            return STEP_FAILED;
    }
    if ((gsize)sent < got)
        keep_rest(pump, gear, gear->chunk + sent, got - (gsize)sent);
    return STEP_MOVED;
}

/* Passes the end of the stream on, after the last byte. */
static Step finish(RnPump *pump, RnPumpEnd *to)
{
    if (shutdown(to->fd, SHUT_WR) < 0)
        return STEP_FAILED;
    pump->is_done = true;
    return STEP_MOVED;
}

static Step run_step(RnPump *pump, RnPumpGear *gear, RnPumpEnd *from,
                     RnPumpEnd *to)
{
    if (pump->piped > 0)
        return flush_pipe(pump, gear, to);
    if (pump->rest != NULL)
        return flush_rest(pump, gear, to);
    if (pump->at_end)
        return finish(pump, to);
    /* what cannot go on is better left in the kernel */
    if (!from->readable || !to->writable)
        return STEP_WAIT;
    if (pump->is_bulk && !from->has_urgent &&
        rn_pipe_pool_take(gear->pipes, from->fd, &pump->pipe)) {
        bound_queue(to);
        return fill_pipe(pump, gear, from);
    }
    return copy_chunk(pump, gear, from, to);
}

RnPumpState rn_pump_run(RnPump *pump, RnPumpGear *gear, RnPumpEnd *from,
                        RnPumpEnd *to)
{
    uint64_t target = pump->moved + RUN_BUDGET;

    while (!pump->is_done && pump->moved < target) {
        Step step = run_step(pump, gear, from, to);

        if (step == STEP_WAIT)
            return RN_PUMP_WAITING;
        if (step == STEP_FAILED)
            return RN_PUMP_FAILED;
    }
    return pump->is_done ? RN_PUMP_DONE : RN_PUMP_MORE;
}
