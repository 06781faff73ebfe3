/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * auto-publish - which ports to publish, from what listens inside
 *
 * Runs in the process that has the network; pure.
 */
#include "config.h"

#include <rnet/net/auto-publish.h>

#include <rnet/net/publish.h>

bool rn_auto_publish_parse(const char *text, RnPortRange *out_range,
                           GError **error)
{
    RnPortRange range = { 1, UINT16_MAX, RN_TRANSPORT_TCP };

    if (text[0] != '\0' && !rn_port_range_parse(text, "port", &range, error)) {
        g_prefix_error(error, "publish-all \"%s\": ", text);
        return false;
    }
    *out_range = range;
    return true;
}
