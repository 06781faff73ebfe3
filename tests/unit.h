/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * unit - what every cmocka test program includes
 *
 * cmocka.h wants these headers before it and brings none of them.
 */
#ifndef RNET_TESTS_UNIT_H
#define RNET_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>

#include <rnet/util/error.h>

/* Ends the test with the error's text if there is one. */
#define assert_no_error(error)                                                 \
    do {                                                                       \
        if ((error) != NULL)                                                   \
            fail_msg("unexpected error: %s", (error)->message);                \
    } while (0)

/* The error has this domain and code, and its text contains `part`. */
#define assert_error(error, error_domain, error_code, part)                    \
    do {                                                                       \
        assert_non_null(error);                                                \
        if ((error)->domain != (error_domain) ||                               \
            (error)->code != (int)(error_code) ||                              \
            strstr((error)->message, (part)) == NULL)                          \
            fail_msg("wrong error: %s %d \"%s\", wanted code %d and \"%s\"",  \
                     g_quark_to_string((error)->domain), (error)->code,        \
                     (error)->message, (int)(error_code), (part));             \
    } while (0)

#endif
