/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * payload - what the container of an integration test runs
 *
 * A static program of verbs: `payload VERB [ARGUMENT]...`. Each prints what it
 * found as lines on stdout, flushed one by one, so that the test can wait for
 * them; `ready` means that a server can be used.
 */
#ifndef RNET_TESTS_PAYLOAD_H
#define RNET_TESTS_PAYLOAD_H

#include <sys/socket.h>

/* A verb gets its arguments, NULL-terminated; returns the exit status. */
typedef int (*PayloadVerb)(char **arguments);

int payload_serve_tcp(char **arguments);
int payload_serve_fork(char **arguments);
int payload_serve_reset(char **arguments);
int payload_serve_udp(char **arguments);
int payload_connect(char **arguments);
int payload_udp(char **arguments);
int payload_udp_many(char **arguments);
int payload_resolve(char **arguments);
int payload_ping(char **arguments);
int payload_frame(char **arguments);

int payload_state(char **arguments);
int payload_keyring(char **arguments);
int payload_names(char **arguments);
int payload_crowd(char **arguments);

/* A line on stdout at once. */
void payload_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Ends with status 1 and a line "error WHAT: ERRNO-NAME" on stdout. */
void payload_fail(const char *what) __attribute__((noreturn));

/* Says "WORD ADDRESS PORT"; an IPv4-mapped address as IPv4. */
void payload_say_address(const char *word, const struct sockaddr_storage *from);

/* Fills in an IPv4 or IPv6 literal; ends the program if it is neither. */
socklen_t payload_parse_address(const char *text, const char *port,
                                struct sockaddr_storage *out_address);

/* A connected socket; ends the program if there is none. */
int payload_dial(int type, int protocol, const char *address, const char *port);

/* Ends the program with ETIMEDOUT if nothing can be read for 10 seconds. */
void payload_await_readable(int fd, const char *what);

/* Raises the soft limit of open files to the hard one. */
void payload_raise_nofile(void);

/* A number in an argument; ends the program if there is none. */
int payload_parse_number(const char *text);

#endif
