/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netns-watch - that network namespaces are really freed
 *
 * The kernel tells the network namespace that has numbered another one when
 * that ends (rtnetlink(7), RTM_DELNSID): after its last process, fd, mount and
 * socket have gone, wherever they were.
 */
#ifndef RNET_TESTS_NETNS_WATCH_H
#define RNET_TESTS_NETNS_WATCH_H

#include <stdint.h>

#include <glib.h>

typedef struct NetnsWatch {
    int netlink;     /* of the network namespace of the moment */
    GArray *awaited; /* int32_t, the numbers of those that live */
    int32_t next;
} NetnsWatch;

void netns_watch_init(NetnsWatch *watch);
void netns_watch_clear(NetnsWatch *watch);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(NetnsWatch, netns_watch_clear)

/* Takes note of every network namespace that some process is in and the body
 * is not; returns how many those are. */
unsigned netns_watch_add_all(NetnsWatch *watch);

/* Waits for the end of all that were noted. */
void netns_watch_await_end(NetnsWatch *watch);

#endif
