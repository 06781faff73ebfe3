/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-load - the load of `make bench`: one server and its clients
 *
 * Role:     measures what a shell cannot; prints "name value" lines
 * Runs in:  the benchmark's own namespaces, and static in a container's
 */
#include "config.h"

#include "load.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* A helper may accept before it can deliver; such a connection may hang, so
 * whoever only waits for it to be ready tries another one. */
static bool answers(const struct sockaddr_in *address, unsigned limit_ms)
{
    struct timeval limit = { .tv_sec = limit_ms / 1000,
                             .tv_usec = limit_ms % 1000 * 1000 };
    char reply[LOAD_REQUEST];
    int fd = load_connect(address);
    bool ok =
        fd >= 0 &&
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0 &&
        load_request(fd, LOAD_ECHO) && load_read(fd, reply, sizeof(reply));

    if (fd >= 0)
        close(fd);
    return ok;
}

/* until the server answers; false after that many seconds */
static bool await_answer(const struct sockaddr_in *address, double seconds,
                         unsigned limit_ms)
{
    uint64_t end = load_now_us() + (uint64_t)(seconds * 1e6);

    while (!answers(address, limit_ms)) {
        if (load_now_us() > end)
            return false;
        load_wait_us(200);
    }
    return true;
}

/* operands: ADDRESS PORT SECONDS */
static int await(char **operands)
{
    struct sockaddr_in address = load_parse_address(operands[0], operands[1]);

    return !await_answer(&address, load_parse_seconds(operands[2]), 300);
}

/* Time from the start of a command to the first byte that its container
 * serves. The command gets SIGTERM then. operands: ADDRESS PORT COMMAND... */
static int start(char **operands)
{
    struct sockaddr_in address = load_parse_address(operands[0], operands[1]);
    uint64_t then = load_now_us();
    pid_t pid = fork();

    if (pid < 0)
        load_die("fork");
    if (pid == 0) {
        dup2(STDERR_FILENO, STDOUT_FILENO);
        execvp(operands[2], operands + 2);
        load_die(operands[2]);
    }
    bool ok = await_answer(&address, 10, 3000);
    if (ok)
        printf("ms %.2f\n", (double)(load_now_us() - then) / 1000);
    kill(pid, SIGTERM);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return !ok;
}

/* one request to a slirp4netns API socket. operands: PATH JSON */
static int call_api(char **operands)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    char reply[1024];
    uint64_t end = load_now_us() + 2000000; /* ready comes before its API */
    bool connected = false;
    ssize_t n;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (strlen(operands[0]) >= sizeof(address.sun_path))
        return 2;
    strcpy(address.sun_path, operands[0]);
    while (fd >= 0 && !connected && load_now_us() < end) {
        connected =
            connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
        if (!connected)
            load_wait_us(1000);
    }
    if (!connected)
        load_die(operands[0]);
    if (!load_write(fd, operands[1], strlen(operands[1])))
        load_die("write");
    shutdown(fd, SHUT_WR);
    while ((n = read(fd, reply, sizeof(reply))) > 0)
        (void)fwrite(reply, 1, (size_t)n, stdout); /* checked by the caller */
    return 0;
}

/* the payload of a container that is only started */
static int do_nothing(char **operands)
{
    (void)operands;
    return 0;
}

static const struct {
    const char *name;
    int operands; /* at least */
    int (*run)(char **operands);
    const char *usage;
} commands[] = {
    { "serve", 1, load_serve, "PORT" },
    { "bulk", 5, load_bulk, "ADDRESS PORT STREAMS SECONDS up|down" },
    { "rate", 4, load_rate, "ADDRESS PORT AT-ONCE SECONDS" },
    { "rr", 4, load_exchange, "ADDRESS PORT AT-ONCE SECONDS" },
    { "hold", 4, load_hold, "ADDRESS PORT CONNECTIONS SECONDS" },
    { "udp", 5, load_udp_bulk, "ADDRESS PORT up|down SECONDS BYTES" },
    { "udp-rr", 3, load_udp_exchange, "ADDRESS PORT SECONDS" },
    { "await", 3, await, "ADDRESS PORT SECONDS" },
    { "start", 3, start, "ADDRESS PORT COMMAND..." },
    { "api", 2, call_api, "SOCKET JSON" },
    { "nothing", 0, do_nothing, "" },
    { "spawn", 1, load_spawn, "COMMAND... [, COMMAND...]" },
};

int main(int argc, char **argv)
{
    size_t n = sizeof(commands) / sizeof(commands[0]);

    for (size_t i = 0; i < n && argc > 1; i++) {
        if (strcmp(argv[1], commands[i].name) == 0 &&
            argc - 2 >= commands[i].operands)
            return commands[i].run(argv + 2);
    }
    for (size_t i = 0; i < n; i++)
        fprintf(stderr, "usage: bench-load %s %s\n", commands[i].name,
                commands[i].usage);
    return 2;
}
