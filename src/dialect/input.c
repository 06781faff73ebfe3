/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * input - stdin to a JSON tree, bounded
 *
 * Runs in `rnet hook` and rnet-cni. What is too long is refused before it is
 * parsed, and not read to its end.
 */
#include "config.h"

#include <rnet/dialect/input.h>

#include <errno.h>
#include <poll.h>
#include <unistd.h>

/* One read, also of a fd that does not block; 0: the end. */
static ssize_t read_some(int fd, void *buffer, gsize size)
{
    while (true) {
        struct pollfd wait = { .fd = fd, .events = POLLIN };
        ssize_t got = TEMP_FAILURE_RETRY(read(fd, buffer, size));

        if (got >= 0 || errno != EAGAIN)
            return got;
        (void)poll(&wait, 1, -1); /* interrupted: read(2) tells again */
    }
}

json_t *rn_input_read(int fd, const char *name, GError **error)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    guint8 chunk[16384];
    ssize_t got = 0;

    while ((got = read_some(fd, chunk, sizeof chunk)) > 0) {
        g_byte_array_append(bytes, chunk, (guint)got);
        if (bytes->len <= RN_INPUT_MAX)
            continue;
        (void)rn_set_error(error, RN_ERROR_LIMIT, "%s: larger than %d bytes",
                           name, RN_INPUT_MAX);
        return NULL;
    }
    if (got < 0)
        (void)rn_set_errno(error, errno, "%s: read", name);
    else if (bytes->len == 0)
        (void)rn_set_error(error, RN_ERROR_INVALID, "%s: nothing came", name);
    if (got < 0 || bytes->len == 0)
        return NULL;
    return rn_json_parse((const char *)bytes->data, bytes->len, name, error);
}
