/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * payload - verbs about the process itself, and the table of all verbs
 *
 * Role:     shows a test how the container looks from inside
 * Runs in:  the container, as its pid 1; static, without GLib
 * Failure:  exit status 1 and an "error" line; 2 for an unknown verb
 */
#include "config.h"

#include "payload.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <netinet/in.h>

void payload_say(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vprintf(format, arguments);
    va_end(arguments);
    (void)putchar('\n');
    (void)fflush(stdout);
}

void payload_fail(const char *what)
{
    payload_say("error %s: %s", what, strerrorname_np(errno));
    _exit(1);
}

void payload_say_address(const char *word, const struct sockaddr_storage *from)
{
    char text[INET6_ADDRSTRLEN] = "?";
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;
    unsigned port = ntohs(v4->sin_port); /* at the same place in both */

    if (from->ss_family == AF_INET)
        (void)inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text));
    else if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
        (void)inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], text,
                        sizeof(text));
    else
        (void)inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof(text));
    payload_say("%s %s %u", word, text, port);
}

int payload_parse_number(const char *text)
{
    char *end = NULL;
    long value = text != NULL ? strtol(text, &end, 10) : -1;

    if (text == NULL || *text == '\0' || *end != '\0' || value < 0 ||
        value > 1 << 30) {
        payload_say("error argument: a number is wanted");
        _exit(2);
    }
    return (int)value;
}

socklen_t payload_parse_address(const char *text, const char *port,
                                struct sockaddr_storage *out_address)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)out_address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out_address;
    uint16_t number = htons((uint16_t)payload_parse_number(port));

    memset(out_address, 0, sizeof(*out_address));
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = number;
        return sizeof(*v4);
    }
    if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = number;
        return sizeof(*v6);
    }
    payload_say("error argument: an address is wanted");
    _exit(2);
}

/* "fds 0 1 2": all open ones but the directory's own. */
static int show_fds(char **arguments)
{
    DIR *dir = opendir("/proc/self/fd");
    struct dirent *entry = NULL;
    char line[512] = "fds";
    size_t length = strlen(line);

    (void)arguments;
    if (dir == NULL)
        payload_fail("open /proc/self/fd");
    while ((entry = readdir(dir)) != NULL) {
        int fd = (int)strtol(entry->d_name, NULL, 10);
        if (entry->d_name[0] == '.' || fd == dirfd(dir))
            continue;
        length +=
            (size_t)snprintf(line + length, sizeof(line) - length, " %d", fd);
        if (length >= sizeof(line))
            break;
    }
    (void)closedir(dir);
    payload_say("%s", line);
    return 0;
}

static void block_signals(sigset_t *set)
{
    sigfillset(set);
    (void)sigprocmask(SIG_BLOCK, set, NULL);
}

/* Says "signal N" for each; SIGTERM and, without an argument, SIGINT end it,
 * with 128 + N. */
static int show_signals(char **arguments)
{
    sigset_t set;
    int number = 0;

    block_signals(&set);
    payload_say("ready");
    while (sigwait(&set, &number) == 0) {
        payload_say("signal %d", number);
        if (number == SIGTERM || (number == SIGINT && arguments[0] == NULL))
            return 128 + number;
    }
    return 1;
}

/* A program that does nothing about signals. */
static int wait_unprepared(char **arguments)
{
    const struct sigaction standard = { .sa_handler = SIG_DFL };

    (void)arguments;
    (void)sigaction(SIGTERM, &standard, NULL);
    payload_say("ready");
    while (pause() < 0)
        continue;
    return 1;
}

static void say_size(void)
{
    struct winsize size = { 0 };

    if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0)
        payload_fail("window size");
    payload_say("size %u %u", size.ws_row, size.ws_col);
}

/* The terminal's facts, then its size at every change, until SIGINT. */
static int show_terminal(char **arguments)
{
    sigset_t set;
    int number = 0;

    (void)arguments;
    block_signals(&set);
    payload_say("tty %d %d %d", isatty(0), isatty(1), isatty(2));
    payload_say("leader %d",
                getsid(0) == getpid() && tcgetpgrp(STDIN_FILENO) == getpid());
    say_size();
    payload_say("ready");
    while (sigwait(&set, &number) == 0) {
        if (number == SIGWINCH)
            say_size();
        if (number != SIGINT && number != SIGHUP)
            continue;
        payload_say("signal %d", number);
        return 128 + number;
    }
    return 1;
}

static int end_by_fault(char **arguments)
{
    (void)arguments;
    (void)raise(SIGSEGV); /* from a handler-less pid 1 it is ignored */
    __builtin_trap();     /* SIGILL, which the kernel forces */
}

typedef struct VerbEntry {
    const char *name;
    PayloadVerb verb;
} VerbEntry;

static const VerbEntry verbs[] = {
    { "fds", show_fds },
    { "signals", show_signals },
    { "terminal", show_terminal },
    { "unprepared", wait_unprepared },
    { "fault", end_by_fault },
    { "serve-tcp", payload_serve_tcp },
    { "serve-fork", payload_serve_fork },
    { "serve-reset", payload_serve_reset },
    { "serve-udp", payload_serve_udp },
    { "connect", payload_connect },
    { "udp", payload_udp },
    { "udp-many", payload_udp_many },
    { "resolve", payload_resolve },
    { "ping", payload_ping },
    { "frame", payload_frame },
    { "names", payload_names },
    { "crowd", payload_crowd },
    { "state", payload_state },
    { "keyring", payload_keyring },
};

static void end_at_once(int signal_number)
{
    (void)signal_number;
    _exit(0);
}

/* A pid 1 hears only signals that it handles: SIGTERM ends any verb. */
int main(int argc, char **argv)
{
    const struct sigaction end = { .sa_handler = end_at_once };

    (void)sigaction(SIGTERM, &end, NULL);
    for (size_t i = 0; argc > 1 && i < sizeof(verbs) / sizeof(*verbs); i++) {
        if (strcmp(argv[1], verbs[i].name) == 0)
            return verbs[i].verb(argv + 2);
    }
    payload_say("error argument: unknown verb");
    return 2;
}
