/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slirp4netns-plan - from slirp4netns' options to the address plan
 *
 * Runs in the slirp4netns dialect. Failure: an error with the original's text.
 * Where the defaults differ from rnet's, they are slirp4netns': no IPv6, the
 * host's loopback open at the gateway.
 */
#include "config.h"

#include <rnet/dialect/slirp4netns-plan.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <ifaddrs.h>

#include <rnet/net/options.h>
#include <rnet/util/parse.h>

enum {
    PREFIX_MIN = 1,
    PREFIX_MAX = 25,     /* the recommended address is network+100 */
    MTU_MIN_IPV6 = 1280, /* bytes: RFC 8200, 5 */
    MAC_LENGTH = 6,
    OCTET_DIGITS = 3,
    PREFIX_DIGITS = 2,
};

/* One to `max` digits at *text, which moves behind them. */
static bool skip_digits(const char **text, unsigned max)
{
    unsigned n = 0;

    while (n <= max && g_ascii_isdigit((*text)[n]))
        n++;
    *text += n;
    return n >= 1 && n <= max;
}

/* N.N.N.N/N, each of few digits; *out_slash is where the slash is. */
static bool has_cidr_form(const char *cidr, const char **out_slash)
{
    const char *rest = cidr;

    for (unsigned i = 0; i < 4; i++) {
        if (i > 0 && *rest++ != '.')
            return false;
        if (!skip_digits(&rest, OCTET_DIGITS))
            return false;
    }
    *out_slash = rest;
    if (*rest++ != '/')
        return false;
    return skip_digits(&rest, PREFIX_DIGITS) && *rest == '\0';
}

static bool is_network(const RnEndpoint *network, unsigned prefix)
{
    uint32_t value = 0;

    memcpy(&value, network->address, sizeof value);
    return (ntohl(value) & ~(UINT32_MAX << (32 - prefix))) == 0;
}

static bool read_cidr(const char *cidr, RnNetworkOptions *options,
                      GError **error)
{
    const char *slash = NULL;
    g_autofree char *address = NULL;
    RnEndpoint network = { 0 };
    uint64_t prefix = 0;

    if (!has_cidr_form(cidr, &slash))
        return rn_set_error(error, RN_ERROR_INVALID, "invalid CIDR: %s", cidr);
    address = g_strndup(cidr, (gsize)(slash - cidr));
    if (!rn_endpoint_parse_address(address, &network, NULL))
        return rn_set_error(error, RN_ERROR_INVALID,
                            "invalid network address: %s", address);
    if (!rn_parse_uint(slash + 1, PREFIX_MIN, PREFIX_MAX, "prefix", &prefix,
                       NULL))
        return rn_set_error(error, RN_ERROR_INVALID,
                            "prefix length needs to be %d-%d", PREFIX_MIN,
                            PREFIX_MAX);
    if (!is_network(&network, (unsigned)prefix))
        return rn_set_error(error, RN_ERROR_INVALID,
                            "CIDR needs to be a network address like "
                            "10.0.2.0/24, not like 10.0.2.100/24");
    options->network4 = network;
    options->prefix4 = (uint8_t)prefix;
    return true;
}

/* Six numbers in hexadecimal with colons between. */
static bool parse_mac(const char *text, uint8_t out_mac[MAC_LENGTH])
{
    const char *rest = text;
    uint8_t mac[MAC_LENGTH];

    for (unsigned i = 0; i < MAC_LENGTH; i++) {
        char *end = NULL;
        unsigned long byte = 0;

        if (i > 0 && *rest++ != ':')
            return false;
        if (!g_ascii_isxdigit(*rest))
            return false;
        errno = 0;
        byte = strtoul(rest, &end, 16);
        if (errno != 0 || byte > UINT8_MAX)
            return false;
        mac[i] = (uint8_t)byte;
        rest = end;
    }
    if (*rest != '\0')
        return false;
    memcpy(out_mac, mac, MAC_LENGTH);
    return true;
}

static bool read_mac(const char *text, RnNetworkPlan *plan, GError **error)
{
    if (text == NULL || parse_mac(text, plan->guest_mac))
        return true;
    return rn_set_error(error, RN_ERROR_INVALID,
                        "\"%s\" is an invalid MAC address.\n"
                        "macaddress has to be a valid MAC address (hex string, "
                        "6 bytes, each byte separated by a ':').",
                        text);
}

/* The first address of this family that the host's interface has. */
static bool find_interface_address(const char *interface, uint16_t family,
                                   RnEndpoint *out_address)
{
    struct ifaddrs *list = NULL;
    bool found = false;

    if (getifaddrs(&list) < 0)
        return false;
    for (struct ifaddrs *at = list; at != NULL && !found; at = at->ifa_next) {
        struct sockaddr_storage storage = { 0 };

        if (at->ifa_addr == NULL || at->ifa_addr->sa_family != family ||
            strcmp(at->ifa_name, interface) != 0)
            continue;
        memcpy(&storage, at->ifa_addr,
               family == AF_INET ? sizeof(struct sockaddr_in)
                                 : sizeof(struct sockaddr_in6));
        rn_endpoint_from_sockaddr(&storage, out_address);
        found = true;
    }
    freeifaddrs(list);
    return found;
}

static bool read_outbound(const char *text, uint16_t family,
                          RnEndpoint *out_address, GError **error)
{
    RnEndpoint address = { 0 };

    if (text == NULL)
        return true;
    if (rn_endpoint_parse_address(text, &address, NULL)
            ? address.family != family
            : !find_interface_address(text, family, &address))
        return rn_set_error(error, RN_ERROR_INVALID,
                            "outbound-addr has to be valid %s address or "
                            "interface name.",
                            family == AF_INET ? "ipv4" : "ipv6");
    *out_address = address;
    return true;
}

static bool read_tap_name(const char *name, RnNetworkPlan *plan, GError **error)
{
    if (name == NULL)
        return true;
    if (name[0] == '\0' || strlen(name) >= sizeof plan->interface ||
        strchr(name, '/') != NULL)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "TAPNAME \"%s\" is no interface's name", name);
    g_strlcpy(plan->interface, name, sizeof plan->interface);
    return true;
}

bool rn_slirp_plan(const RnSlirpOptions *options, RnNetworkPlan *out_plan,
                   GError **error)
{
    g_auto(RnNetworkOptions) network = { 0 };
    RnNetworkPlan plan;

    if (!rn_network_options_parse("slirp", &network, error) ||
        (options->cidr != NULL && !read_cidr(options->cidr, &network, error)))
        return false;
    network.mtu = options->mtu;
    /* the kernel has no IPv6 on such an interface, and Podman asks for both */
    network.ipv6 = options->ipv6 && options->mtu >= MTU_MIN_IPV6;
    network.host_loopback = !options->disable_host_loopback;
    rn_network_options_plan(&network, &plan);
    plan.no_dns = options->disable_dns;
    plan.is_manual = !options->configure;
    if (!read_mac(options->mac, &plan, error) ||
        !read_outbound(options->outbound4, AF_INET, &plan.outbound4, error) ||
        !read_outbound(options->outbound6, AF_INET6, &plan.outbound6, error) ||
        !read_tap_name(options->tap_name, &plan, error))
        return false;
    *out_plan = plan;
    return true;
}
