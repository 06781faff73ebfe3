/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load-udp - the UDP clients: exchanges, and the highest rate that arrives
 *
 * Data:     a flood first: if it arrives there is nothing to search for; else
 *           the highest offered rate that loses less than MAX_LOSS is found by
 *           bisection
 * Limits:   a paced sender wakes TICK_US apart, so its bursts fit into the
 *           default socket buffer
 */
#include "config.h"

#include "load.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_LOSS   0.01
#define TICK_US    200
#define STEPS      7
#define SETTLE_MS  150 /* nothing for that long: nothing more will come */
#define ECHO_MS    200
#define MAX_PACKET 1472

typedef struct Trial {
    double mbit; /* that arrived */
    double offered;
    double loss; /* 0 to 1 */
} Trial;

static int connect_udp(const struct sockaddr_in *address)
{
    int buffer = 4 << 20;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0 ||
        connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
        load_die("UDP socket");
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
    return fd;
}

uint64_t load_udp_send(int fd, const struct sockaddr_in *to,
                       const LoadDatagram *order)
{
    char packet[MAX_PACKET] = { 0 };
    LoadDatagram head = { .kind = LOAD_UDP_DATA, .session = order->session };
    size_t size = order->bytes < sizeof(head) ? sizeof(head) : order->bytes;
    uint64_t start = load_now_us(), sent = 0, elapsed = 0;
    double per_us = (double)order->mbit / 8 / (double)size;

    size = size > sizeof(packet) ? sizeof(packet) : size;
    memcpy(packet, &head, sizeof(head));
    (void)prctl(PR_SET_TIMERSLACK, 1); /* else bursts grow by 50 us */
    while (elapsed < (uint64_t)order->ms * 1000) {
        if (order->mbit != 0 && (double)sent > per_us * (double)elapsed)
            load_wait_us(TICK_US);
        else if (sendto(fd, packet, size, 0, (const struct sockaddr *)to,
                        to != NULL ? sizeof(*to) : 0) >= 0)
            sent++;
        else if (errno != EAGAIN && errno != ENOBUFS && errno != ECONNREFUSED)
            break;
        elapsed = load_now_us() - start;
    }
    return sent;
}

static bool wait_readable(int fd, int timeout_ms)
{
    struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

    return poll(&poll_fd, 1, timeout_ms) > 0;
}

/* asks until the server tells how much of the session has arrived */
static uint64_t query_count(int fd, uint32_t session)
{
    LoadDatagram query = { .kind = LOAD_UDP_QUERY, .session = session };
    LoadDatagram reply;

    for (int i = 0; i < 20; i++) {
        (void)send(fd, &query, sizeof(query), 0); /* asked again below */
        while (wait_readable(fd, SETTLE_MS)) {
            if (recv(fd, &reply, sizeof(reply), 0) == sizeof(reply) &&
                reply.kind == LOAD_UDP_QUERY && reply.session == session)
                return reply.count;
        }
    }
    return 0;
}

static uint64_t count_arrivals(int fd, const LoadDatagram *order,
                               uint64_t *out_us)
{
    char packet[2048];
    LoadDatagram head;
    uint64_t count = 0, first = 0, last = 0;

    (void)send(fd, order, sizeof(*order), 0); /* lost: nothing arrives */
    while (wait_readable(fd, SETTLE_MS + (count == 0 ? 850 : 0))) {
        if (recv(fd, packet, sizeof(packet), 0) < (ssize_t)sizeof(head))
            continue;
        memcpy(&head, packet, sizeof(head));
        if (head.kind != LOAD_UDP_DATA || head.session != order->session)
            continue;
        last = load_now_us();
        first = count++ == 0 ? last : first;
    }
    *out_us = last - first + 1;
    return count;
}

/* The server alone knows what it sent, and what a paced sender sends is what
 * it was asked for: a flood's loss can be told for the way up only. */
static Trial try_rate(int fd, bool up, uint32_t mbit, uint32_t ms,
                      uint32_t bytes)
{
    LoadDatagram order = { .kind = up ? LOAD_UDP_DATA : LOAD_UDP_SOURCE,
                           .session = (uint32_t)load_now_us(),
                           .mbit = mbit,
                           .ms = ms,
                           .bytes = bytes };
    uint64_t us = ms * 1000, sent, arrived;
    Trial trial;

    if (up) {
        sent = load_udp_send(fd, NULL, &order);
        arrived = query_count(fd, order.session);
    } else {
        arrived = count_arrivals(fd, &order, &us);
        us = us < ms * 1000 ? ms * 1000 : us;
        sent = mbit == 0 ? arrived : (uint64_t)mbit * ms * 125 / bytes;
    }
    trial.offered = (double)sent * bytes * 8 / (ms * 1e3);
    trial.mbit = (double)arrived * bytes * 8 / (double)us;
    trial.loss = sent > arrived ? 1 - (double)arrived / (double)sent : 0;
    return trial;
}

/* operands: ADDRESS PORT up|down SECONDS BYTES */
int load_udp_bulk(char **operands)
{
    struct sockaddr_in address = load_parse_address(operands[0], operands[1]);
    bool up = strcmp(operands[2], "up") == 0;
    uint32_t ms = (uint32_t)(load_parse_seconds(operands[3]) * 1000);
    uint32_t bytes = load_parse_number(operands[4]);
    int fd = connect_udp(&address);
    Trial flood = try_rate(fd, up, 0, ms, bytes);
    Trial best = { 0 };
    double low = 0, high = flood.offered * (up ? 1 : 2);
    double next = flood.mbit * 0.8;

    if (up && flood.loss < MAX_LOSS)
        best = flood;
    for (int i = 0; i < STEPS && best.offered < flood.offered; i++) {
        Trial trial = try_rate(fd, up, (uint32_t)next + 1, ms, bytes);
        if (trial.loss < MAX_LOSS) {
            best = trial.mbit > best.mbit ? trial : best;
            low = next;
        } else {
            high = next;
        }
        next = (low + high) / 2;
    }
    printf("mbit %.1f\nloss %.4f\nflood %.1f\nfloodloss %.4f\n", best.mbit,
           best.loss, flood.mbit, flood.loss);
    return 0;
}

/* operands: ADDRESS PORT SECONDS */
int load_udp_exchange(char **operands)
{
    struct sockaddr_in address = load_parse_address(operands[0], operands[1]);
    uint64_t length = (uint64_t)(load_parse_seconds(operands[2]) * 1e6);
    char packet[LOAD_REQUEST] = { 0 }, reply[LOAD_REQUEST];
    LoadDatagram head = { .kind = LOAD_UDP_ECHO };
    static uint32_t samples[LOAD_MAX_SAMPLES];
    LoadJob job = { .samples = samples };
    int fd = connect_udp(&address);
    uint64_t start = load_now_us();

    while (load_now_us() - start < length && job.done < LOAD_MAX_SAMPLES) {
        uint64_t then = load_now_us();
        head.count++;
        memcpy(packet, &head, sizeof(head));
        (void)send(fd, packet, sizeof(packet), 0); /* counted as lost below */
        while (wait_readable(fd, ECHO_MS)) {
            if (recv(fd, reply, sizeof(reply), 0) == LOAD_REQUEST &&
                memcmp(reply, packet, sizeof(head)) == 0)
                break;
        }
        if (load_now_us() - then >= ECHO_MS * 1000)
            job.errors++;
        else
            samples[job.done++] = (uint32_t)(load_now_us() - then);
    }
    printf("rate %.1f\nerrors %llu\n",
           (double)job.done * 1e6 / (double)(load_now_us() - start),
           (unsigned long long)job.errors);
    load_print_latency(&job, 1);
    return job.done == 0;
}
