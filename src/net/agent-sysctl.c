/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agent-sysctl - kernel parameters of the container's network namespace
 *
 * Runs in nsagent while it configures. All of them make things better, none is
 * needed: in another container /proc/sys is often read-only, and a kernel may
 * lack IPv6. So a failure is one warning, and the container starts.
 *
 * On the link, router advertisements and address autoconfiguration are off,
 * because the plan alone gives out addresses, and duplicate address detection
 * is off, because nobody else is on the link and it would keep the addresses
 * tentative for a second (RFC 4862, 5.4). In the namespace, published ports
 * are kept from being chosen for outgoing connections that libslirp carries,
 * since answers to those would be taken for answers of the service; and every
 * mapped group may open ICMP echo sockets, so that ping works without
 * CAP_NET_RAW.
 */
#include "config.h"

#include <rnet/net/agent.h>

#include <fcntl.h>
#include <stdio.h>

#include <rnet/net/port-ranges.h>
#include <rnet/sys/sysctl.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>

enum {
    GID_MAP_MAX = 16384, /* bytes; 340 lines of 33, user_namespaces(7) */
};

/* The kernel takes no larger group id here (GID_T_MAX in net/ipv4/). */
#define PING_GROUP_MAX UINT32_C(0x7fffffff)

static const struct {
    const char *name;
    const char *value;
} link_settings[] = {
    { "disable_ipv6", "0" },
    { "accept_ra", "0" },
    { "autoconf", "0" },
    { "accept_dad", "0" },
};

/* Writes one parameter; the first failure of a go is logged. */
static void write_or_warn(const char *name, const char *value, bool *warned)
{
    g_autoptr(GError) failure = NULL;

    if (rn_sysctl_write(name, value, &failure))
        return;
    rn_log(*warned ? RN_LOG_DEBUG : RN_LOG_WARNING, "%s, ignoring",
           failure->message);
    *warned = true;
}

void rn_agent_tune_link(const RnNetworkPlan *plan)
{
    bool warned = false;

    if (plan->network6.family == AF_UNSPEC)
        return;
    /* answers of published ports go through lo */
    write_or_warn("net/ipv6/conf/lo/disable_ipv6", "0", &warned);
    for (size_t i = 0; i < G_N_ELEMENTS(link_settings); i++) {
        g_autofree char *name = g_strdup_printf(
            "net/ipv6/conf/%s/%s", plan->interface, link_settings[i].name);

        write_or_warn(name, link_settings[i].value, &warned);
    }
}

static void reserve_ports(const GArray *reserved, bool *warned)
{
    g_autofree char *ports = rn_port_ranges_format(reserved, RN_TRANSPORT_TCP);

    if (*ports != '\0')
        write_or_warn("net/ipv4/ip_local_reserved_ports", ports, warned);
}

/* One line of a gid_map: `size` ids from `inside` are those from `outside`. */
typedef struct GroupRange {
    uint32_t inside, outside, size;
} GroupRange;

static uint32_t last_inside(const GroupRange *range)
{
    return range->inside + (range->size - 1);
}

static uint32_t last_outside(const GroupRange *range)
{
    return range->outside + (range->size - 1);
}

/* The lines that hold the lowest and the highest host id, and the largest. */
typedef struct GroupExtremes {
    GroupRange lowest, highest, largest;
} GroupExtremes;

static bool read_extremes(const char *gid_map, GroupExtremes *out_extremes)
{
    g_auto(GStrv) lines = g_strsplit(gid_map, "\n", -1);
    GroupExtremes found = { 0 };

    for (char **line = lines; *line != NULL && **line != '\0'; line++) {
        GroupRange range = { 0 };

        if (sscanf(*line, "%u %u %u", &range.inside, &range.outside,
                   &range.size) != 3 ||
            range.size == 0)
            return false;
        if (found.largest.size == 0)
            found = (GroupExtremes){ range, range, range };
        if (range.outside < found.lowest.outside)
            found.lowest = range;
        if (last_outside(&range) > last_outside(&found.highest))
            found.highest = range;
        if (range.size > found.largest.size)
            found.largest = range;
    }
    *out_extremes = found;
    return found.largest.size > 0;
}

bool rn_agent_ping_groups(const char *gid_map, uint32_t *out_low,
                          uint32_t *out_high)
{
    GroupExtremes extremes = { 0 };
    uint32_t low = 0;
    uint32_t high = 0;

    if (!read_extremes(gid_map, &extremes))
        return false;
    low = extremes.lowest.inside;
    high = last_inside(&extremes.highest);
    /* the kernel wants both pairs of ends in order, those inside and outside */
    if (low > high) {
        low = extremes.largest.inside;
        high = last_inside(&extremes.largest);
    }
    if (low > PING_GROUP_MAX)
        return false;
    *out_low = low;
    *out_high = MIN(high, PING_GROUP_MAX);
    return true;
}

static void open_ping(bool *warned)
{
    g_autofree char *gid_map = NULL;
    g_autofree char *range = NULL;
    uint32_t low = 0;
    uint32_t high = 0;

    if (!rn_file_read(AT_FDCWD, "/proc/self/gid_map", GID_MAP_MAX, &gid_map,
                      NULL, NULL) ||
        !rn_agent_ping_groups(gid_map, &low, &high))
        return;
    range = g_strdup_printf("%u %u", low, high);
    write_or_warn("net/ipv4/ping_group_range", range, warned);
}

void rn_agent_tune_namespace(const GArray *reserved)
{
    bool warned = false;

    if (reserved != NULL)
        reserve_ports(reserved, &warned);
    open_ping(&warned);
}
