/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options - parses --network and lays out the addresses
 *
 * Runs in the launcher; pure. Each option of the text is one line of a table;
 * rules that hold between options are checked at the end, so their order does
 * not matter. Failure leaves options that only wait to be cleared.
 */
#include "config.h"

#include <rnet/net/options.h>

#include <string.h>

#include <netinet/in.h>

#include <rnet/util/parse.h>

enum {
    MTU_MIN = 68,        /* bytes: RFC 791, 3.2 */
    MTU_MIN_IPV6 = 1280, /* bytes: RFC 8200, 5 */
    MTU_MAX = 65520,     /* bytes: what libslirp's buffers hold */
    PREFIX_MAX = 25,     /* the guest's address is network+100 */
    DNS_MAX = 3,         /* resolv.conf(5), MAXNS */

    GATEWAY_HOST = 2, /* host parts of the addresses, as in slirp4netns */
    DNS_HOST = 3,
    GUEST_HOST = 100,
    PREFIX6 = 64, /* bits: what router advertisements need */
};

static const char *const mode_names[] = {
    [RN_NETWORK_SLIRP] = "slirp",
    [RN_NETWORK_NONE] = "none",
    [RN_NETWORK_HOST] = "host",
};
G_STATIC_ASSERT(G_N_ELEMENTS(mode_names) == RN_NETWORK_N_);

static const char *const link_mode_names[] = {
    [RN_LINK_MODE_AUTO] = "auto",
    [RN_LINK_MODE_TAP] = "tap",
    [RN_LINK_MODE_PACKET] = "packet",
};
G_STATIC_ASSERT(G_N_ELEMENTS(link_mode_names) == RN_LINK_MODE_N_);

static const char *const handoff_mode_names[] = {
    [RN_HANDOFF_MODE_AUTO] = "auto",
    [RN_HANDOFF_MODE_ON] = "on",
    [RN_HANDOFF_MODE_OFF] = "off",
};
G_STATIC_ASSERT(G_N_ELEMENTS(handoff_mode_names) == RN_HANDOFF_MODE_N_);

/* `value` is NULL where the option stands without "=". */
typedef bool (*OptionReader)(const char *value, RnNetworkOptions *options,
                             GError **error);

static bool refuse_missing_value(const char *name, const char *wanted,
                                 GError **error)
{
    return rn_set_error(error, RN_ERROR_INVALID, "option \"%s\" wants %s", name,
                        wanted);
}

static bool read_mtu(const char *value, RnNetworkOptions *options,
                     GError **error)
{
    uint64_t mtu = 0;

    if (value == NULL)
        return refuse_missing_value("mtu", "mtu=BYTES", error);
    if (!rn_parse_uint(value, MTU_MIN, MTU_MAX, "mtu", &mtu, error))
        return false;
    options->mtu = (uint32_t)mtu;
    return true;
}

static uint32_t get_ipv4(const RnEndpoint *endpoint)
{
    uint32_t value = 0;

    memcpy(&value, endpoint->address, sizeof value);
    return ntohl(value);
}

/* The address with `host` in its host part, which is zero so far. */
static RnEndpoint add_ipv4_host(const RnEndpoint *network, uint32_t host)
{
    RnEndpoint endpoint = *network;
    uint32_t value = htonl(get_ipv4(network) | host);

    memcpy(endpoint.address, &value, sizeof value);
    return endpoint;
}

/* Blocks that a host cannot have an address in: RFC 6890, 2.2.2, RFC 5771. */
static bool is_reserved(uint32_t network)
{
    uint32_t first = network >> 24;

    return first == 0 || first == IN_LOOPBACKNET || first >= 224;
}

static bool check_network(const RnEndpoint *network, uint8_t prefix,
                          const char *value, GError **error)
{
    uint32_t address = get_ipv4(network);
    uint32_t mask = UINT32_MAX << (32 - prefix);
    RnEndpoint base = *network;
    uint32_t masked = htonl(address & mask);
    char text[RN_ENDPOINT_TEXT];

    if (is_reserved(address))
        return rn_set_error(error, RN_ERROR_INVALID,
                            "cidr \"%s\": hosts cannot have such addresses",
                            value);
    if ((address & ~mask) == 0)
        return true;
    memcpy(base.address, &masked, sizeof masked);
    (void)rn_set_error(error, RN_ERROR_INVALID,
                       "cidr \"%s\" is a host's address, not a network's",
                       value);
    return rn_error_add_hint(error, "its network is %s/%u",
                             rn_endpoint_format_address(&base, text), prefix);
}

static bool read_cidr(const char *value, RnNetworkOptions *options,
                      GError **error)
{
    const char *slash = value == NULL ? NULL : strchr(value, '/');
    g_autofree char *address = NULL;
    RnEndpoint network = { 0 };
    uint64_t prefix = 0;

    if (slash == NULL)
        return refuse_missing_value("cidr", "cidr=NETWORK/PREFIX", error);
    address = g_strndup(value, (gsize)(slash - value));
    if (!rn_endpoint_parse_address(address, &network, NULL) ||
        network.family != AF_INET)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "cidr \"%s\": \"%s\" is not an IPv4 address", value,
                            address);
    if (!rn_parse_uint(slash + 1, 1, PREFIX_MAX, "prefix", &prefix, error)) {
        g_prefix_error(error, "cidr \"%s\": ", value);
        return false;
    }
    if (!check_network(&network, (uint8_t)prefix, value, error))
        return false;
    options->network4 = network;
    options->prefix4 = (uint8_t)prefix;
    return true;
}

static bool read_switch(const char *name, const char *value, bool *out_on,
                        GError **error)
{
    if (strcmp(value, "on") != 0 && strcmp(value, "off") != 0)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "%s \"%s\" is neither \"on\" nor \"off\"", name,
                            value);
    *out_on = strcmp(value, "on") == 0;
    return true;
}

static bool read_ipv6(const char *value, RnNetworkOptions *options,
                      GError **error)
{
    if (value == NULL)
        return refuse_missing_value("ipv6", "ipv6=on or ipv6=off", error);
    return read_switch("ipv6", value, &options->ipv6, error);
}

static bool read_host_loopback(const char *value, RnNetworkOptions *options,
                               GError **error)
{
    return read_switch("host-loopback", value == NULL ? "on" : value,
                       &options->host_loopback, error);
}

/* The index of `value` among `n` names, or n. */
static unsigned find_name(const char *value, const char *const *names,
                          unsigned n)
{
    unsigned i = 0;

    while (i < n && strcmp(value, names[i]) != 0)
        i++;
    return i;
}

static bool read_link(const char *value, RnNetworkOptions *options,
                      GError **error)
{
    if (value == NULL)
        return refuse_missing_value(
            "link", "link=tap, link=packet or link=auto", error);
    options->link_mode =
        (RnLinkMode)find_name(value, link_mode_names, RN_LINK_MODE_N_);
    if (options->link_mode < RN_LINK_MODE_N_)
        return true;
    return rn_set_error(error, RN_ERROR_INVALID,
                        "link \"%s\" is none of tap, packet and auto", value);
}

static bool read_handoff(const char *value, RnNetworkOptions *options,
                         GError **error)
{
    if (value == NULL)
        return refuse_missing_value(
            "handoff", "handoff=on, handoff=off or handoff=auto", error);
    options->handoff_mode =
        (RnHandoffMode)find_name(value, handoff_mode_names, RN_HANDOFF_MODE_N_);
    if (options->handoff_mode < RN_HANDOFF_MODE_N_)
        return true;
    return rn_set_error(error, RN_ERROR_INVALID,
                        "handoff \"%s\" is none of on, off and auto", value);
}

static bool read_dns(const char *value, RnNetworkOptions *options,
                     GError **error)
{
    RnEndpoint server = { 0 };

    if (value == NULL)
        return refuse_missing_value("dns", "dns=ADDRESS or dns=none", error);
    if (strcmp(value, "none") == 0) {
        options->write_resolv_conf = false;
        return true;
    }
    if (!rn_endpoint_parse_address(value, &server, error)) {
        g_prefix_error(error, "dns: ");
        return false;
    }
    if (rn_endpoint_is_any(&server))
        return rn_set_error(error, RN_ERROR_INVALID,
                            "dns \"%s\" is no server's address", value);
    if (options->dns->len == DNS_MAX)
        return rn_set_error(error, RN_ERROR_LIMIT,
                            "more than %d dns servers: resolvers use no more",
                            DNS_MAX);
    g_array_append_val(options->dns, server);
    return true;
}

static const struct {
    const char *name;
    OptionReader read;
    bool repeatable;
} option_table[] = {
    { "mtu", read_mtu, false },
    { "cidr", read_cidr, false },
    { "ipv6", read_ipv6, false },
    { "dns", read_dns, true },
    { "host-loopback", read_host_loopback, false },
    { "link", read_link, false },
    { "handoff", read_handoff, false },
};

/* Reads "NAME" or "NAME=VALUE"; *seen has a bit for each name read before. */
static bool read_option(const char *text, unsigned *seen,
                        RnNetworkOptions *options, GError **error)
{
    const char *equals = strchr(text, '=');
    gsize length = equals == NULL ? strlen(text) : (gsize)(equals - text);

    for (unsigned i = 0; i < G_N_ELEMENTS(option_table); i++) {
        if (strlen(option_table[i].name) != length ||
            strncmp(option_table[i].name, text, length) != 0)
            continue;
        if ((*seen & (1u << i)) != 0 && !option_table[i].repeatable)
            return rn_set_error(error, RN_ERROR_INVALID,
                                "option \"%s\" is given twice",
                                option_table[i].name);
        *seen |= 1u << i;
        return option_table[i].read(equals == NULL ? NULL : equals + 1, options,
                                    error);
    }
    (void)rn_set_error(error, RN_ERROR_INVALID, "unknown option \"%s\"", text);
    return rn_error_add_hint(error, "the options are mtu=, cidr=, ipv6=, dns=, "
                                    "host-loopback, link= and handoff=");
}

/* The rules between options. */
static bool check_options(const RnNetworkOptions *options, GError **error)
{
    if (options->ipv6 && options->mtu < MTU_MIN_IPV6) {
        (void)rn_set_error(error, RN_ERROR_INVALID,
                           "mtu %u is too small for IPv6, which needs %d",
                           options->mtu, MTU_MIN_IPV6);
        return rn_error_add_hint(error, "add ipv6=off");
    }
    if (!options->write_resolv_conf && options->dns->len > 0)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "dns=none goes with no other dns=");
    for (unsigned i = 0; i < options->dns->len && !options->ipv6; i++) {
        const RnEndpoint *server = &g_array_index(options->dns, RnEndpoint, i);
        char text[RN_ENDPOINT_TEXT];

        if (server->family == AF_INET6)
            return rn_set_error(error, RN_ERROR_INVALID,
                                "dns \"%s\" cannot be reached with ipv6=off",
                                rn_endpoint_format_address(server, text));
    }
    return true;
}

static bool find_mode(const char *name, RnNetworkMode *out_mode, GError **error)
{
    for (unsigned i = 0; i < RN_NETWORK_N_; i++) {
        if (strcmp(name, mode_names[i]) != 0)
            continue;
        *out_mode = (RnNetworkMode)i;
        return true;
    }
    return rn_set_error(error, RN_ERROR_INVALID,
                        "\"%s\" is none of slirp, none and host", name);
}

static bool parse_text(const char *text, RnNetworkOptions *options,
                       GError **error)
{
    g_auto(GStrv) parts = g_strsplit(text, ":", 2);
    g_auto(GStrv) words = NULL;
    unsigned seen = 0;

    if (!find_mode(parts[0] == NULL ? "" : parts[0], &options->mode, error))
        return false;
    if (parts[1] == NULL)
        return true;
    if (options->mode != RN_NETWORK_SLIRP)
        return rn_set_error(error, RN_ERROR_INVALID, "\"%s\" has no options",
                            parts[0]);
    if (parts[1][0] == '\0')
        return rn_set_error(error, RN_ERROR_INVALID,
                            "no options after the colon");
    words = g_strsplit(parts[1], ",", -1);
    for (gsize i = 0; words[i] != NULL; i++)
        if (!read_option(words[i], &seen, options, error))
            return false;
    return check_options(options, error);
}

static void init_options(RnNetworkOptions *options)
{
    *options = (RnNetworkOptions){
        .mode = RN_NETWORK_SLIRP,
        .mtu = MTU_MAX,
        .network4 = { .family = AF_INET, .address = { 10, 0, 2, 0 } },
        .prefix4 = 24,
        .ipv6 = true,
        .write_resolv_conf = true,
        .dns = g_array_new(FALSE, FALSE, sizeof(RnEndpoint)),
    };
}

bool rn_network_options_parse(const char *text, RnNetworkOptions *options,
                              GError **error)
{
    init_options(options);
    if (parse_text(text, options, error))
        return true;
    g_prefix_error(error, "network \"%s\": ", text);
    return false;
}

void rn_network_options_clear(RnNetworkOptions *options)
{
    g_clear_pointer(&options->dns, g_array_unref);
}

/* fd00::HOST, the two last bytes of it. */
static RnEndpoint make_ipv6(uint16_t host)
{
    return (RnEndpoint){
        .family = AF_INET6,
        .address = { 0xfd, [14] = (uint8_t)(host >> 8), (uint8_t)host },
    };
}

static void plan_ipv6(RnNetworkPlan *plan)
{
    plan->prefix6 = PREFIX6;
    plan->network6 = make_ipv6(0);
    plan->gateway6 = make_ipv6(0x2);
    plan->dns6 = make_ipv6(0x3);
    plan->guest6 = make_ipv6(0x100);
}

void rn_network_options_plan(const RnNetworkOptions *options,
                             RnNetworkPlan *out_plan)
{
    /* libslirp answers for its gateway with 52:55 and the IPv4 address; the
     * others are locally administered (IEEE 802, bit 1) and have "rn" in them */
    RnNetworkPlan plan = {
        .interface = "tap0",
        .mtu = options->mtu,
        .guest_mac = { 0x02, 'r', 'n' },
        .gateway_mac = { 0x52, 0x55 },
        .handoff_mac = { 0x06, 'r', 'n' },
        .prefix4 = options->prefix4,
        .host_loopback = options->host_loopback,
        .link_mode = (uint8_t)options->link_mode,
        .handoff_mode = (uint8_t)options->handoff_mode,
        .network4 = options->network4,
        .guest4 = add_ipv4_host(&options->network4, GUEST_HOST),
        .gateway4 = add_ipv4_host(&options->network4, GATEWAY_HOST),
        .dns4 = add_ipv4_host(&options->network4, DNS_HOST),
    };

    memcpy(plan.guest_mac + 3, plan.guest4.address + 1, 3);
    memcpy(plan.handoff_mac + 3, plan.guest4.address + 1, 3);
    memcpy(plan.gateway_mac + 2, plan.gateway4.address, 4);
    if (options->ipv6)
        plan_ipv6(&plan);
    *out_plan = plan;
}
