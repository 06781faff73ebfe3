/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * entries - a state directory with networks in it
 */
#ifndef RNET_TESTS_UNIT_ENTRIES_H
#define RNET_TESTS_UNIT_ENTRIES_H

#include <rnet/runtime/network-entry.h>

/* A test's set-up and teardown: *state is the directory's path. */
int make_state_dir(void **state);
int remove_state_dir(void **state);

/* Also no lock file, nor the directory of the entries. */
void assert_nothing_left(const char *state_dir);

RnNetworkEntry *make_entry(const char *state_dir, const char *key);

/* For whoever asks and for whoever would end it. */
void assert_missing(const char *state_dir, const char *key);

#endif
