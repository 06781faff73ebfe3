/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exposed-spec - the host's loopback ports that the container may reach, as
 * data
 *
 * Runs in the process that reads the command line, and in the relay; pure.
 * Every error names its text.
 */
#include "config.h"

#include <rnet/net/exposed-spec.h>

#include <string.h>

#include <rnet/util/parse.h>

static bool parse_port(const char *text, const char *what, uint16_t *out_port,
                       GError **error)
{
    uint64_t port = 0;

    if (!rn_parse_uint(text, 1, UINT16_MAX, what, &port, error))
        return false;
    *out_port = (uint16_t)port;
    return true;
}

bool rn_exposed_parse(const char *text, RnExposedPort *out_port, GError **error)
{
    g_auto(GStrv) sides = g_strsplit(text, ":", 2);
    const char *host = sides[0] != NULL ? sides[0] : "";
    const char *guest = sides[0] != NULL && sides[1] != NULL ? sides[1] : host;
    RnExposedPort port = { 0 };

    if (!parse_port(host, "host port", &port.host_port, error) ||
        !parse_port(guest, "container port", &port.guest_port, error)) {
        g_prefix_error(error, "expose-host \"%s\": ", text);
        return false;
    }
    *out_port = port;
    return true;
}

static bool add_port(const char *text, const RnExposedPort *port,
                     RnNetworkPlan *plan, GError **error)
{
    if (rn_exposed_host_port(plan, port->guest_port) != 0)
        return rn_set_error(error, RN_ERROR_EXISTS,
                            "expose-host \"%s\": container port %u is given "
                            "twice",
                            text, port->guest_port);
    if (plan->n_exposed == RN_EXPOSED_MAX)
        return rn_set_error(error, RN_ERROR_LIMIT,
                            "expose-host \"%s\": more than %d ports", text,
                            RN_EXPOSED_MAX);
    plan->exposed[plan->n_exposed++] = *port;
    return true;
}

bool rn_exposed_parse_all(const char *const *texts, RnNetworkPlan *plan,
                          GError **error)
{
    RnNetworkPlan result = *plan;

    for (; texts != NULL && *texts != NULL; texts++) {
        RnExposedPort port;

        if (!rn_exposed_parse(*texts, &port, error) ||
            !add_port(*texts, &port, &result, error))
            return false;
    }
    *plan = result;
    return true;
}

uint16_t rn_exposed_host_port(const RnNetworkPlan *plan, uint16_t guest_port)
{
    for (unsigned i = 0; i < plan->n_exposed; i++) {
        if (plan->exposed[i].guest_port == guest_port)
            return plan->exposed[i].host_port;
    }
    return 0;
}
