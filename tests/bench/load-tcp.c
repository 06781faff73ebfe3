/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load-tcp - the TCP clients: bulk, connection rate, exchanges, many at once
 *
 * Data:     what is counted is what arrived: the server's count going up, the
 *           client's coming down
 * Failure:  a connection that fails counts as an error and is tried again
 */
#include "config.h"

#include "load.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static uint64_t end_of(const LoadTarget *target, uint64_t start)
{
    return start + (uint64_t)(target->seconds * 1e6);
}

static void push(int fd, uint64_t end, LoadJob *job)
{
    static const char block[LOAD_BLOCK];

    while (load_now_us() < end && load_write(fd, block, sizeof(block)))
        ;
    shutdown(fd, SHUT_WR);
    if (!load_read(fd, &job->bytes, sizeof(job->bytes)))
        job->errors++;
}

static void pull(int fd, uint64_t end, LoadJob *job)
{
    static char block[LOAD_BLOCK];

    while (load_now_us() < end) {
        ssize_t n = read(fd, block, sizeof(block));
        if (n <= 0) {
            job->errors++;
            return;
        }
        job->bytes += (uint64_t)n;
    }
}

static void move_bulk(const LoadTarget *target, LoadJob *job)
{
    bool up = strcmp(target->mode, "up") == 0;
    uint64_t start = load_now_us();
    int fd = load_connect(&target->address);

    if (fd < 0 || !load_request(fd, up ? LOAD_UP : LOAD_DOWN)) {
        job->errors++;
        return;
    }
    (up ? push : pull)(fd, end_of(target, start), job);
    job->us = load_now_us() - start;
    close(fd);
}

static LoadTarget parse_target(char **operands)
{
    LoadTarget target = {
        .address = load_parse_address(operands[0], operands[1]),
        .jobs = load_parse_number(operands[2]),
        .seconds = load_parse_seconds(operands[3]),
        .mode = operands[4],
    };

    signal(SIGPIPE, SIG_IGN);
    if (target.jobs == 0 || target.jobs > LOAD_MAX_JOBS) {
        fprintf(stderr, "bench-load: 1 to %d at once\n", LOAD_MAX_JOBS);
        exit(2);
    }
    return target;
}

int load_bulk(char **operands)
{
    LoadTarget target = parse_target(operands);
    LoadJob *jobs = load_run_jobs(&target, move_bulk);
    uint64_t bytes = 0, errors = 0, us = 1;

    for (unsigned i = 0; i < target.jobs; i++) {
        bytes += jobs[i].bytes;
        errors += jobs[i].errors;
        us = jobs[i].us > us ? jobs[i].us : us;
    }
    printf("gbit %.4f\nbytes %llu\nerrors %llu\n",
           (double)bytes * 8 / (double)us / 1e3, (unsigned long long)bytes,
           (unsigned long long)errors);
    return bytes == 0;
}

static bool ask_once(const struct sockaddr_in *address)
{
    char reply[LOAD_REPLY];
    int fd = load_connect(address);
    bool ok = fd >= 0 && load_request(fd, LOAD_CLOSE) &&
              load_read(fd, reply, sizeof(reply)) &&
              read(fd, reply, 1) == 0; /* the server closes first */

    if (fd >= 0)
        close(fd);
    return ok;
}

static void note_sample(LoadJob *job, uint64_t us)
{
    if (job->done < LOAD_MAX_SAMPLES)
        job->samples[job->done] = (uint32_t)us;
    job->done++;
}

static void connect_often(const LoadTarget *target, LoadJob *job)
{
    uint64_t start = load_now_us(), now = start;

    while (now < end_of(target, start)) {
        bool ok = ask_once(&target->address);
        uint64_t then = now;
        now = load_now_us();
        if (ok)
            note_sample(job, now - then);
        else
            job->errors++;
        if (!ok)
            load_wait_us(1000);
    }
    job->us = load_now_us() - start;
}

static int print_rate(const LoadTarget *target, LoadJob *jobs)
{
    uint64_t errors = 0, done = 0;
    double rate = 0;

    for (unsigned i = 0; i < target->jobs; i++) {
        rate += (double)jobs[i].done * 1e6 / (double)(jobs[i].us + 1);
        errors += jobs[i].errors;
        done += jobs[i].done;
    }
    printf("rate %.1f\nerrors %llu\n", rate, (unsigned long long)errors);
    load_print_latency(jobs, target->jobs);
    return done == 0;
}

int load_rate(char **operands)
{
    LoadTarget target = parse_target(operands);

    return print_rate(&target, load_run_jobs(&target, connect_often));
}

static void exchange(const LoadTarget *target, LoadJob *job)
{
    char reply[LOAD_REQUEST];
    uint64_t start = load_now_us(), now = start;
    int fd = load_connect(&target->address);

    while (fd >= 0 && now < end_of(target, start)) {
        uint64_t then = load_now_us();
        if (!load_request(fd, LOAD_ECHO) ||
            !load_read(fd, reply, sizeof(reply)))
            break;
        now = load_now_us();
        note_sample(job, now - then);
    }
    job->errors = now < end_of(target, start);
    job->us = load_now_us() - start;
}

int load_exchange(char **operands)
{
    LoadTarget target = parse_target(operands);

    return print_rate(&target, load_run_jobs(&target, exchange));
}

/* Opens connections that have answered once, then waits for stdin's end. */
int load_hold(char **operands)
{
    struct sockaddr_in address = load_parse_address(operands[0], operands[1]);
    unsigned wanted = load_parse_number(operands[2]), have = 0;
    uint64_t end =
        load_now_us() + (uint64_t)(load_parse_seconds(operands[3]) * 1e6);
    struct rlimit limit;
    char reply[LOAD_REQUEST];

    signal(SIGPIPE, SIG_IGN);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit); /* fewer connections then */
        if (wanted + 16 > limit.rlim_cur)
            wanted = (unsigned)limit.rlim_cur - 16;
    }
    while (have < wanted && load_now_us() < end) {
        int fd = load_connect(&address);
        if (fd < 0)
            break;
        if (!load_request(fd, LOAD_ECHO) ||
            !load_read(fd, reply, sizeof(reply)))
            break;
        have++;
    }
    printf("held %u\n", have);
    fflush(stdout);
    while (read(STDIN_FILENO, reply, sizeof(reply)) > 0)
        ;
    return 0;
}
