/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check - assertions of a test body
 *
 * As cmocka's, but a failure ends the world's process and travels to the test
 * program, see world.h.
 */
#ifndef RNET_TESTS_CHECK_H
#define RNET_TESTS_CHECK_H

#include <errno.h>
#include <string.h>

#include "world.h"

#define check(condition, ...)                                                  \
    do {                                                                       \
        if (!(condition))                                                      \
            world_fail(__FILE__, __LINE__, __VA_ARGS__);                       \
    } while (0)

/* For a system call: the text gets errno's meaning. */
#define check_call(condition, what)                                            \
    check(condition, "%s: %s", (what), g_strerror(errno))

#define check_no_error(error)                                                  \
    check((error) == NULL, "unexpected error: %s", (error)->message)

#define check_number(actual, expected, what)                                   \
    do {                                                                       \
        long long actual_ = (actual), expected_ = (expected);                  \
        check(actual_ == expected_, "%s: %lld, wanted %lld", (what), actual_,  \
              expected_);                                                      \
    } while (0)

#define check_text(actual, expected)                                           \
    do {                                                                       \
        const char *actual_ = (actual), *expected_ = (expected);               \
        check(strcmp(actual_, expected_) == 0, "\"%s\", wanted \"%s\"",        \
              actual_, expected_);                                             \
    } while (0)

#define check_contains(actual, part)                                           \
    do {                                                                       \
        const char *actual_ = (actual), *part_ = (part);                       \
        check(strstr(actual_, part_) != NULL, "\"%s\" lacks \"%s\"", actual_,  \
              part_);                                                          \
    } while (0)

#define check_lacks(actual, part)                                              \
    do {                                                                       \
        const char *actual_ = (actual), *part_ = (part);                       \
        check(strstr(actual_, part_) == NULL, "\"%s\" contains \"%s\"",        \
              actual_, part_);                                                 \
    } while (0)

#endif
