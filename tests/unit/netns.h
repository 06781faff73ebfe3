/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netns - a user and network namespace of its own for a test
 *
 * The test process stays where it is; what has to happen inside is done by a
 * forked child, whose failure comes back as text, since cmocka's asserts must
 * not cross a fork.
 */
#ifndef RNET_TESTS_UNIT_NETNS_H
#define RNET_TESTS_UNIT_NETNS_H

#include <unit.h>

#include <rnet/util/inet.h>

typedef struct Netns {
    int userns_fd, netns_fd;
} Netns;

/*
 * Makes a pair; skips the test where that is impossible. Only lo is there, and
 * it is down. The caller is uid and gid 0 inside, no other id is mapped.
 */
void netns_open(Netns *netns);
void netns_close(Netns *netns);

/* Returns NULL or a failure, a new string. */
typedef char *(*NetnsFunc)(void *data);

/* Runs func in a forked child inside; fails the test with its text. */
void netns_run(const Netns *netns, NetnsFunc func, void *data);

/* Brings lo up. */
void netns_bring_up_loopback(const Netns *netns);

/* A blocking socket of the namespace, bound, and listening if a stream. */
int netns_listen(const Netns *netns, int type, const char *address,
                 uint16_t port);

/*
 * A non-blocking socket of the namespace whose connect has begun, from `source`
 * unless that is NULL.
 */
int netns_connect(const Netns *netns, int type, const RnEndpoint *to,
                  const RnEndpoint *source);

/* /proc/sys/NAME as seen inside, a new string without the newline. */
char *netns_read_sysctl(const Netns *netns, const char *name);

/* Skips the test unless an interface can be made through /dev/net/tun. */
void require_tun(void);

/* Skips, or fails where RNET_TEST_REQUIRE=1 says that it all must be here. */
#define skip_without(...)                                                      \
    do {                                                                       \
        g_autofree char *missing_ = g_strdup_printf(__VA_ARGS__);              \
                                                                               \
        if (g_strcmp0(g_getenv("RNET_TEST_REQUIRE"), "1") == 0)                \
            fail_msg("required: %s", missing_);                                \
        print_message("skipped: %s\n", missing_);                              \
        skip();                                                                \
    } while (0)

#endif
