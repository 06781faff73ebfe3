/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * entries - a state directory with networks in it
 */
#include "config.h"

#include <unit.h>

#include "entries.h"
#include "scratch.h"

int make_state_dir(void **state)
{
    *state = scratch_make();
    return 0;
}

int remove_state_dir(void **state)
{
    scratch_remove(*state);
    g_free(*state);
    return 0;
}

void assert_nothing_left(const char *state_dir)
{
    g_autoptr(GDir) dir = g_dir_open(state_dir, 0, NULL);

    assert_non_null(dir);
    assert_null(g_dir_read_name(dir));
}

RnNetworkEntry *make_entry(const char *state_dir, const char *key)
{
    g_autoptr(GError) error = NULL;
    RnNetworkEntry *entry = rn_network_entry_new(state_dir, key, &error);

    assert_no_error(error);
    return entry;
}

void assert_missing(const char *state_dir, const char *key)
{
    g_autoptr(GError) error = NULL;

    assert_false(rn_network_detach(state_dir, key, &error));
    assert_error(error, RN_ERROR, RN_ERROR_NOT_FOUND, key);
    g_clear_error(&error);
    assert_null(rn_network_ask(state_dir, key, &error));
    assert_error(error, RN_ERROR, RN_ERROR_NOT_FOUND, key);
}
