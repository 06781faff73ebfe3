/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tcp-pair - a TCP connection on the loopback, both ends non-blocking
 *
 * False without one: no assertions, since forked children use it, too.
 */
#ifndef RNET_TESTS_UNIT_TCP_PAIR_H
#define RNET_TESTS_UNIT_TCP_PAIR_H

#include <unit.h>

bool tcp_pair_open(int out_fds[2]);

#endif
