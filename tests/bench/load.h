/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load - what the parts of bench-load share
 *
 * A TCP exchange begins with a request of LOAD_REQUEST bytes whose first byte
 * is its LoadMode. A UDP datagram begins with a LoadDatagram.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOAD_REQUEST  64
#define LOAD_REPLY    1024
#define LOAD_BLOCK    (128 * 1024)
#define LOAD_MAX_JOBS 64

typedef enum LoadMode {
    LOAD_CLOSE = 'c', /* reply LOAD_REPLY bytes, then the server closes */
    LOAD_ECHO = 'r',  /* reply LOAD_REQUEST bytes, wait for the next one */
    LOAD_UP = 'u',    /* read to the end, reply the 8-byte count */
    LOAD_DOWN = 'd',  /* send until the client closes */
} LoadMode;

typedef enum LoadKind {
    LOAD_UDP_ECHO = 1,
    LOAD_UDP_DATA,   /* counted; a new session starts at 0 */
    LOAD_UDP_QUERY,  /* answered with the session's count */
    LOAD_UDP_SOURCE, /* send LOAD_UDP_DATA back, as asked for here */
} LoadKind;

typedef struct LoadDatagram {
    uint32_t kind;
    uint32_t session;
    uint64_t count;
    uint32_t mbit; /* 0: as fast as it goes */
    uint32_t ms;
    uint32_t bytes; /* of a datagram */
    uint32_t unused;
} LoadDatagram;

/* What one job of a parallel run found; lives in memory shared with it. */
typedef struct LoadJob {
    uint64_t bytes;
    uint64_t done;
    uint64_t errors;
    uint64_t us;
    uint32_t *samples; /* LOAD_MAX_SAMPLES, in microseconds */
} LoadJob;

#define LOAD_MAX_SAMPLES (1u << 20)

typedef struct LoadTarget {
    struct sockaddr_in address;
    const char *mode;
    unsigned jobs;
    double seconds;
} LoadTarget;

typedef void (*LoadWork)(const LoadTarget *target, LoadJob *job);

/* load-common.c; none of these returns after a failure unless it says so */
_Noreturn void load_die(const char *what);
uint64_t load_now_us(void);
void load_wait_us(uint64_t us);
unsigned load_parse_number(const char *text);
double load_parse_seconds(const char *text);
struct sockaddr_in load_parse_address(const char *address, const char *port);
int load_connect(const struct sockaddr_in *address); /* -1: not connected */
bool load_read(int fd, void *data, size_t size);     /* false: end, error */
bool load_write(int fd, const void *data, size_t size);
bool load_request(int fd, LoadMode mode);
LoadJob *load_run_jobs(const LoadTarget *target, LoadWork work);
void load_print_latency(LoadJob *jobs, unsigned n);

/* the commands: NULL-terminated operands, exit status */
int load_serve(char **operands); /* load-serve.c */
int load_bulk(char **operands);  /* load-tcp.c */
int load_rate(char **operands);
int load_exchange(char **operands);
int load_hold(char **operands);
int load_udp_exchange(char **operands); /* load-udp.c */
int load_udp_bulk(char **operands);
int load_spawn(char **operands); /* load-spawn.c */

/* sends datagrams as `order` says; what the socket refuses counts as lost */
uint64_t load_udp_send(int fd, const struct sockaddr_in *to,
                       const LoadDatagram *order);
