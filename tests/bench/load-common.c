/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load-common - time, sockets and parallel jobs of bench-load
 *
 * Jobs are processes, so that the kernel spreads them over the cores as it
 * would a container's; they report through shared memory.
 */
#include "config.h"

#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

_Noreturn void load_die(const char *what)
{
    fprintf(stderr, "bench-load: %s: %s\n", what, strerror(errno));
    exit(1);
}

uint64_t load_now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void load_wait_us(uint64_t us)
{
    struct timespec pause = { .tv_sec = (time_t)(us / 1000000),
                              .tv_nsec = (long)(us % 1000000) * 1000 };

    (void)ppoll(NULL, 0, &pause, NULL); /* an early return does no harm */
}

unsigned load_parse_number(const char *text)
{
    char *end;
    unsigned long value = text != NULL ? strtoul(text, &end, 10) : 0;

    if (text == NULL || *text == '\0' || *end != '\0' || value > INT32_MAX) {
        fprintf(stderr, "bench-load: \"%s\" is no number\n",
                text != NULL ? text : "");
        exit(2);
    }
    return (unsigned)value;
}

double load_parse_seconds(const char *text)
{
    char *end;
    double value = text != NULL ? strtod(text, &end) : 0;

    if (text == NULL || *end != '\0' || !(value > 0 && value < 3600)) {
        fprintf(stderr, "bench-load: \"%s\" is no time in seconds\n",
                text != NULL ? text : "");
        exit(2);
    }
    return value;
}

struct sockaddr_in load_parse_address(const char *address, const char *port)
{
    struct sockaddr_in parsed = { .sin_family = AF_INET };
    unsigned number = load_parse_number(port);

    if (inet_pton(AF_INET, address, &parsed.sin_addr) != 1 || number == 0 ||
        number > UINT16_MAX) {
        fprintf(stderr, "bench-load: \"%s:%s\" is no address\n", address, port);
        exit(2);
    }
    parsed.sin_port = htons((uint16_t)number);
    return parsed;
}

int load_connect(const struct sockaddr_in *address)
{
    struct timeval limit = { .tv_sec = 5 };
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        load_die("socket");
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

bool load_read(int fd, void *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = read(fd, (char *)data + done, size - done);
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

bool load_write(int fd, const void *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = write(fd, (const char *)data + done, size - done);
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

bool load_request(int fd, LoadMode mode)
{
    char request[LOAD_REQUEST] = { (char)mode };

    return load_write(fd, request, sizeof(request));
}

static void *share(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED)
        load_die("mmap");
    return memory;
}

LoadJob *load_run_jobs(const LoadTarget *target, LoadWork work)
{
    LoadJob *jobs = share(target->jobs * sizeof(*jobs));

    for (unsigned i = 0; i < target->jobs; i++) {
        jobs[i].samples = share(LOAD_MAX_SAMPLES * sizeof(uint32_t));
        pid_t pid = fork();
        if (pid < 0)
            load_die("fork");
        if (pid == 0) {
            work(target, &jobs[i]);
            _exit(0);
        }
    }
    while (wait(NULL) > 0 || errno == EINTR)
        ;
    return jobs;
}

static int compare_samples(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

void load_print_latency(LoadJob *jobs, unsigned n)
{
    uint32_t *all = share((size_t)n * LOAD_MAX_SAMPLES * sizeof(*all));
    size_t count = 0;

    for (unsigned i = 0; i < n; i++) {
        size_t kept =
            jobs[i].done < LOAD_MAX_SAMPLES ? jobs[i].done : LOAD_MAX_SAMPLES;
        memcpy(all + count, jobs[i].samples, kept * sizeof(*all));
        count += kept;
    }
    if (count == 0)
        return;
    qsort(all, count, sizeof(*all), compare_samples);
    printf("p50 %u\np99 %u\n", all[count / 2], all[count * 99 / 100]);
}
