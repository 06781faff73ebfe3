/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * payload-client - clients inside the container, for the way out
 *
 * Role:     TCP, UDP, DNS, ping and raw frames out of the container
 * Runs in:  the container; see payload.h
 * Data:     what came back, as one line on stdout
 * Failure:  exit status 1 and an "error" line with errno's name; a reply that
 *           does not come within TIMEOUT_S seconds is ETIMEDOUT
 */
#include "config.h"

#include "payload.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>

enum {
    TIMEOUT_S = 10,
    DNS_PORT = 53,
    DNS_HEADER = 12, /* bytes, RFC 1035, 4.1.1 */
    ICMP_ECHO4 = 8,  /* RFC 792 */
    ICMP_ECHO6 = 128 /* RFC 4443, 4.1 */
};

void payload_await_readable(int fd, const char *what)
{
    struct pollfd polled = { .fd = fd, .events = POLLIN };

    if (poll(&polled, 1, TIMEOUT_S * 1000) == 1)
        return;
    errno = ETIMEDOUT;
    payload_fail(what);
}

int payload_dial(int type, int protocol, const char *address, const char *port)
{
    struct sockaddr_storage to;
    socklen_t length = payload_parse_address(address, port, &to);
    int fd = socket(to.ss_family, type | SOCK_CLOEXEC, protocol);

    if (fd < 0)
        payload_fail("socket");
    if (connect(fd, (struct sockaddr *)&to, length) < 0)
        payload_fail("connect");
    return fd;
}

/* connect ADDRESS PORT TEXT: sends, half-closes, shows all that comes back */
int payload_connect(char **arguments)
{
    char reply[256] = "";
    size_t length = 0;
    ssize_t n = 0;
    int fd = payload_dial(SOCK_STREAM, 0, arguments[0], arguments[1]);

    if (send(fd, arguments[2], strlen(arguments[2]), MSG_NOSIGNAL) < 0)
        payload_fail("send");
    if (shutdown(fd, SHUT_WR) < 0)
        payload_fail("shutdown");
    do {
        payload_await_readable(fd, "read");
        n = read(fd, reply + length, sizeof(reply) - 1 - length);
        if (n < 0)
            payload_fail("read");
        length += (size_t)n;
    } while (n > 0 && length < sizeof(reply) - 1);
    payload_say("reply %s", reply);
    return 0;
}

static void exchange(int fd, const void *out, size_t length, char *in,
                     size_t room)
{
    if (send(fd, out, length, 0) < 0)
        payload_fail("send");
    payload_await_readable(fd, "recv");
    ssize_t n = recv(fd, in, room - 1, 0);
    if (n < 0)
        payload_fail("recv");
    in[n] = '\0';
}

/* udp ADDRESS PORT TEXT: sends, shows the reply */
int payload_udp(char **arguments)
{
    char reply[256];
    int fd = payload_dial(SOCK_DGRAM, 0, arguments[0], arguments[1]);

    exchange(fd, arguments[2], strlen(arguments[2]), reply, sizeof(reply));
    payload_say("reply %s", reply);
    return 0;
}

/*
 * udp-many ADDRESS PORT COUNT SIZE: after one exchange sends so many datagrams,
 * each full of its number, and expects the same ones back, in order. Without
 * the exchange, what waits for the gateway's MAC can be overtaken
 */
int payload_udp_many(char **arguments)
{
    static uint8_t out[65536], in[65536];
    int count = 0;
    size_t size = 0;

    if (arguments[1] == NULL || arguments[2] == NULL || arguments[3] == NULL)
        return 2;
    count = payload_parse_number(arguments[2]);
    size = (size_t)payload_parse_number(arguments[3]);
    int fd = payload_dial(SOCK_DGRAM, 0, arguments[0], arguments[1]);
    exchange(fd, "first", 5, (char *)in, sizeof(in));
    for (int i = 0; i < count; i++) {
        memset(out, i, size);
        if (send(fd, out, size, 0) < 0)
            payload_fail("send");
    }
    for (int i = 0; i < count; i++) {
        memset(out, i, size);
        payload_await_readable(fd, "recv");
        ssize_t n = recv(fd, in, sizeof(in), 0);
        if (n < 0)
            payload_fail("recv");
        if ((size_t)n != size || memcmp(in, out, size) != 0) {
            payload_say("reply %d differs", i);
            return 1;
        }
    }
    payload_say("replies %d", count);
    return 0;
}

/* A name as labels, RFC 1035, 3.1; returns how many bytes it takes. */
static size_t encode_name(const char *name, uint8_t *out)
{
    size_t used = 0;

    while (*name != '\0') {
        size_t label = strcspn(name, ".");
        out[used++] = (uint8_t)label;
        memcpy(out + used, name, label);
        used += label;
        name += label + (name[label] == '.');
    }
    out[used++] = 0;
    return used;
}

/* resolve SERVER NAME: an A query; shows the last four bytes of the answer */
int payload_resolve(char **arguments)
{
    static const uint8_t header[DNS_HEADER] = { 0x12, 0x34, 1, 0, 0, 1 };
    static const uint8_t question[4] = { 0, 1, 0, 1 }; /* A, IN */
    uint8_t query[512];
    char reply[512];
    char address[INET_ADDRSTRLEN];
    char port[8];

    if (arguments[1] == NULL || strlen(arguments[1]) > 255)
        return 2;
    (void)snprintf(port, sizeof(port), "%d", DNS_PORT);
    int fd = payload_dial(SOCK_DGRAM, 0, arguments[0], port);
    memcpy(query, header, sizeof(header));
    size_t length = DNS_HEADER;
    length += encode_name(arguments[1], query + length);
    memcpy(query + length, question, sizeof(question));
    length += sizeof(question);
    if (send(fd, query, length, 0) < 0)
        payload_fail("send");
    payload_await_readable(fd, "recv");
    ssize_t n = recv(fd, reply, sizeof(reply), 0);
    if (n < (ssize_t)length + 4)
        payload_fail("recv");
    (void)inet_ntop(AF_INET, reply + n - 4, address, sizeof(address));
    payload_say("address %s", address);
    return 0;
}

/* ping ADDRESS: one ICMP echo through a ping socket, icmp(7) */
int payload_ping(char **arguments)
{
    int is_v6 = strchr(arguments[0], ':') != NULL;
    uint8_t request[] = {
        is_v6 ? ICMP_ECHO6 : ICMP_ECHO4, 0, 0, 0, 0, 0, 0, 1, 'r', 'n', 'e', 't'
    };
    char reply[256];
    int fd = payload_dial(SOCK_DGRAM, is_v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP,
                          arguments[0], "0");

    exchange(fd, request, sizeof(request), reply, sizeof(reply));
    payload_say("reply %s", reply + 8);
    return 0;
}

static uint16_t checksum(const uint8_t *data, size_t length)
{
    uint32_t sum = 0;

    for (size_t i = 0; i + 1 < length; i += 2)
        sum += (uint32_t)(data[i] << 8 | data[i + 1]);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t) ~((sum & 0xffff) + (sum >> 16));
}

/* Ethernet, IPv4, UDP without a checksum, as long as `frame`. */
static void write_frame(uint8_t frame[64], const char *to, int port)
{
    static const uint8_t head[] = {
        0x52, 0x55, 10, 0,   2, 2, 0x52, 0x55, 10, 0,           2, 100,
        8,    0,                                                      /* MACs */
        0x45, 0,    0,  50,  0, 1, 0,    0,    64, IPPROTO_UDP, 0, 0, /* IPv4 */
        10,   0,    2,  100, /* source */
    };
    uint8_t *ip = frame + ETH_HLEN;

    memset(frame, 0, 64);
    memcpy(frame, head, sizeof(head));
    (void)inet_pton(AF_INET, to, ip + 16);
    uint16_t sum = checksum(ip, 20);
    ip[10] = (uint8_t)(sum >> 8);
    ip[11] = (uint8_t)sum;
    ip[20] = 0x30; /* source port 12345 */
    ip[21] = 0x39;
    ip[22] = (uint8_t)(port >> 8);
    ip[23] = (uint8_t)port;
    ip[25] = 30; /* UDP length: header and 22 bytes */
    memcpy(ip + 28, "frame", 5);
}

/* frame ADDRESS PORT: a hand-made UDP frame through tap0 to the gateway */
int payload_frame(char **arguments)
{
    uint8_t frame[64];
    struct sockaddr_ll link = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(ETH_P_IP),
        .sll_ifindex = (int)if_nametoindex("tap0"),
    };
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_IP));

    if (fd < 0 || bind(fd, (struct sockaddr *)&link, sizeof(link)) < 0)
        payload_fail("packet socket");
    write_frame(frame, arguments[0], payload_parse_number(arguments[1]));
    if (send(fd, frame, sizeof(frame), 0) < 0)
        payload_fail("send frame");
    payload_say("sent");
    return 0;
}
