/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor-network - trials of what a container's network is made of
 *
 * Each runs in a child that ends with it (doctor-trial.c); those of the inside
 * in a network namespace of its own, by the functions that nsagent uses, those
 * of the outside where the relay would be.
 */
#include "config.h"

#include <rnet/runtime/doctor-trial.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <rnet/net/agent.h>
#include <rnet/net/inside-socket.h>
#include <rnet/net/options.h>
#include <rnet/sys/tap.h>
#include <rnet/sys/veth.h>
#include <rnet/util/fd.h>

enum {
    USUAL_MTU = 1500,
    HTTP_PORT = 80, /* the low port that is published most */
};

#define LINK_NAME "tap0"

bool rn_try_tun(G_GNUC_UNUSED const void *data, GError **error)
{
    rn_autofd int fd = -1;

    return rn_tap_open(LINK_NAME, &fd, error);
}

bool rn_try_veth(G_GNUC_UNUSED const void *data, GError **error)
{
    rn_autofd int fd = -1;

    return rn_veth_open(LINK_NAME, USUAL_MTU, &fd, error);
}

/* The network that `--network slirp:handoff=on` makes. */
static bool plan_network(RnNetworkPlan *out_plan, GError **error)
{
    g_auto(RnNetworkOptions) options = { 0 };

    if (!rn_network_options_parse("slirp:handoff=on", &options, error))
        return false;
    rn_network_options_plan(&options, out_plan);
    return true;
}

bool rn_try_nf_tables(G_GNUC_UNUSED const void *data, GError **error)
{
    static const uint16_t families[] = { AF_INET, AF_UNSPEC };
    g_autoptr(RnNft) nft = NULL;
    RnNetworkPlan plan;

    return plan_network(&plan, error) &&
           rn_agent_mark_syns(&plan, families, &nft, error);
}

/* IP_TRANSPARENT and TCP_REPAIR: handoff and published ports stand on them. */
bool rn_try_transparent(G_GNUC_UNUSED const void *data, GError **error)
{
    int errno_value = 0;
    rn_autofd int fd = rn_inside_socket_new(AF_INET, &errno_value);

    if (fd < 0)
        return rn_set_errno(error, errno_value,
                            "make a transparent socket in repair mode");
    return true;
}

/* All that nsagent does for a container. */
bool rn_try_handoff(G_GNUC_UNUSED const void *data, GError **error)
{
    g_auto(RnAgentNetwork) network = { .link = -1 };
    RnAgentSetup setup = { .make_link = 1 };

    return plan_network(&setup.plan, error) &&
           rn_agent_configure(&setup, &network, error);
}

/* The relay's own pings, which the range of the host's namespace decides on. */
bool rn_try_ping(G_GNUC_UNUSED const void *data, GError **error)
{
    rn_autofd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMP);

    if (fd < 0)
        return rn_set_errno(error, errno, "open a ping socket as group %u",
                            getegid());
    return true;
}

/* EADDRINUSE comes after the question whether one may. Nothing listens. */
bool rn_try_low_port(G_GNUC_UNUSED const void *data, GError **error)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(HTTP_PORT),
        .sin_addr = { htonl(INADDR_LOOPBACK) },
    };
    rn_autofd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return rn_set_errno(error, errno, "make a socket");
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) < 0 &&
        errno != EADDRINUSE)
        return rn_set_errno(error, errno, "bind to port %d", HTTP_PORT);
    return true;
}

/* "unix:path=..." or "unix:abstract=...", D-Bus Specification, "Addresses";
 * the first of a list. */
static bool parse_bus(const char *text, struct sockaddr_un *address,
                      socklen_t *out_length)
{
    static const char *const kinds[] = { "unix:path=", "unix:abstract=" };
    gsize room = sizeof address->sun_path - 1;

    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        const char *path = text + strlen(kinds[i]);
        gsize length = 0;

        if (!g_str_has_prefix(text, kinds[i]))
            continue;
        length = strcspn(path, ",;");
        if (length == 0 || length > room - i)
            return false;
        address->sun_family = AF_UNIX;
        memcpy(address->sun_path + i, path, length);
        *out_length =
            (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + i);
        return true;
    }
    return false;
}

bool rn_try_bus(const void *data, GError **error)
{
    struct sockaddr_un address = { 0 };
    socklen_t length = 0;
    rn_autofd int fd = -1;

    if (!parse_bus(data, &address, &length))
        return rn_set_error(error, RN_ERROR_INVALID,
                            "\"%s\" is not the address of a local bus",
                            (const char *)data);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return rn_set_errno(error, errno, "make a socket");
    if (connect(fd, (const struct sockaddr *)&address, length) < 0)
        return rn_set_errno(error, errno, "connect to the bus \"%s\"",
                            (const char *)data);
    return true;
}
