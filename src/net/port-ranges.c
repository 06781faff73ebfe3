/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * port-ranges - sets of ports, kept merged
 *
 * Runs in the monitor and in nsagent. Nothing fails.
 */
#include "config.h"

#include <rnet/net/port-ranges.h>

GArray *rn_port_ranges_new(void)
{
    return g_array_new(FALSE, FALSE, sizeof(RnPortRange));
}

static bool is_before(const RnPortRange *a, const RnPortRange *b)
{
    if (a->transport != b->transport)
        return a->transport < b->transport;
    return a->first < b->first;
}

/* Whether both are of one transport and leave no port between them. */
static bool touches(const RnPortRange *a, const RnPortRange *b)
{
    return a->transport == b->transport && a->first <= b->last + 1 &&
           b->first <= a->last + 1;
}

void rn_port_ranges_add(GArray *ranges, const RnPortRange *range)
{
    RnPortRange merged = *range;
    guint place = 0;

    for (guint i = 0; i < ranges->len;) {
        const RnPortRange *other = &g_array_index(ranges, RnPortRange, i);

        if (!touches(other, &merged)) {
            i++;
            continue;
        }
        merged.first = MIN(merged.first, other->first);
        merged.last = MAX(merged.last, other->last);
        g_array_remove_index(ranges, i);
    }
    while (place < ranges->len &&
           is_before(&g_array_index(ranges, RnPortRange, place), &merged))
        place++;
    g_array_insert_val(ranges, place, merged);
}

void rn_port_ranges_remove(GArray *ranges, const RnPortRange *range)
{
    for (guint i = 0; i < ranges->len;) {
        const RnPortRange had = g_array_index(ranges, RnPortRange, i);
        RnPortRange low = had;
        RnPortRange high = had;

        if (had.transport != range->transport || had.last < range->first ||
            had.first > range->last) {
            i++;
            continue;
        }
        g_array_remove_index(ranges, i);
        low.last = (uint16_t)(range->first - 1);
        high.first = (uint16_t)(range->last + 1);
        if (had.last > range->last)
            g_array_insert_val(ranges, i, high);
        if (had.first < range->first)
            g_array_insert_val(ranges, i, low);
        i += (had.last > range->last) + (had.first < range->first);
    }
}

bool rn_port_ranges_have(const GArray *ranges, uint16_t transport,
                         uint16_t port)
{
    for (guint i = 0; i < ranges->len; i++) {
        const RnPortRange *range = &g_array_index(ranges, RnPortRange, i);

        if (range->transport == transport && range->first <= port &&
            port <= range->last)
            return true;
    }
    return false;
}

char *rn_port_ranges_format(const GArray *ranges, uint16_t transport)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < ranges->len; i++) {
        const RnPortRange *range = &g_array_index(ranges, RnPortRange, i);

        if (range->transport == transport)
            g_string_append_printf(text, "%s%u-%u", text->len > 0 ? "," : "",
                                   range->first, range->last);
    }
    return g_string_free(text, FALSE);
}
