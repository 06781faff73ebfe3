/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slirp4netns-texts - help, version and the block at the start
 *
 * Runs in the slirp4netns dialect; pure.
 */
#include "config.h"

#include <rnet/dialect/slirp4netns-texts.h>

#include <string.h>

#include <arpa/inet.h>
#include <seccomp.h>

#include <rnet/net/slirp.h>
#include <rnet/util/inet.h>

#define SPOKEN_VERSION "1.2.0" /* of slirp4netns, whose interface this is */

enum {
    DHCP_CLIENTS = 16 /* libslirp's NB_BOOTP_CLIENTS */
};

static const char usage_text[] =
    "User-mode networking for unprivileged network namespaces.\n"
    "\n"
    "-c, --configure          bring up the interface\n"
    "-e, --exit-fd=FD         specify the FD for terminating slirp4netns\n"
    "-r, --ready-fd=FD        specify the FD to write to when the network is "
    "configured\n"
    "-m, --mtu=MTU            specify MTU (default=1500, max=65521)\n"
    "-6, --enable-ipv6        enable IPv6\n"
    "-a, --api-socket=PATH    specify API socket path\n"
    "--cidr=CIDR              specify network address CIDR "
    "(default=10.0.2.0/24)\n"
    "--disable-host-loopback  prohibit connecting to 127.0.0.1:* on the host "
    "namespace\n"
    "--netns-type=TYPE        specify network namespace type "
    "([path|pid|tapfd], default=pid)\n"
    "--userns-path=PATH       specify user namespace path\n"
    "--enable-sandbox         create a new mount namespace (and drop all caps "
    "except CAP_NET_BIND_SERVICE)\n"
    "--enable-seccomp         enable seccomp to limit syscalls\n"
    "--outbound-addr=IPv4     sets outbound ipv4 address (or interface) to "
    "bind to\n"
    "--outbound-addr6=IPv6    sets outbound ipv6 address (or interface) to "
    "bind to\n"
    "--disable-dns            disables 10.0.2.3 (or configured internal ip) "
    "to host dns redirect\n"
    "--macaddress=MAC         specify the MAC address of the TAP (only valid "
    "with -c)\n"
    "--target-type=TYPE       specify the target type ([netns|bess|tapfd], "
    "default=netns)\n"
    "-h, --help               show this help and exit\n"
    "-v, --version            show version and exit\n";

void rn_slirp_append_usage(GString *text, const char *program)
{
    g_string_append_printf(
        text, "Usage: %s [OPTION]... PID|PATH|FD [TAPNAME]\n", program);
    g_string_append(text, usage_text);
}

void rn_slirp_append_version(GString *text)
{
    const struct scmp_version *seccomp = seccomp_version();

    g_string_append_printf(text,
                           "slirp4netns version %s\n"
                           "commit: rnet %s\n"
                           "libslirp: %s\n"
                           "SLIRP_CONFIG_VERSION_MAX: %u\n"
                           "libseccomp: %u.%u.%u\n",
                           SPOKEN_VERSION, PACKAGE_VERSION,
                           rn_slirp_library_version(),
                           rn_slirp_config_version(), seccomp->major,
                           seccomp->minor, seccomp->micro);
}

static void append_address(GString *text, const char *title,
                           const RnEndpoint *address)
{
    char formatted[RN_ENDPOINT_TEXT];

    g_string_append_printf(text, "%-19s%s\n", title,
                           rn_endpoint_format_address(address, formatted));
}

static RnEndpoint add_ipv4(const RnEndpoint *address, uint32_t offset)
{
    RnEndpoint sum = *address;
    uint32_t value = 0;

    memcpy(&value, address->address, sizeof value);
    value = htonl(ntohl(value) + offset);
    memcpy(sum.address, &value, sizeof value);
    return sum;
}

static RnEndpoint make_netmask(uint8_t prefix)
{
    RnEndpoint mask = { .family = AF_INET };
    uint32_t value = htonl(UINT32_MAX << (32 - prefix));

    memcpy(mask.address, &value, sizeof value);
    return mask;
}

static void append_addresses(GString *text, const RnNetworkPlan *plan)
{
    RnEndpoint netmask = make_netmask(plan->prefix4);
    /* DHCP begins with the recommended address: net/slirp.c */
    RnEndpoint dhcp_end = add_ipv4(&plan->guest4, DHCP_CLIENTS - 1);

    append_address(text, "* Network:", &plan->network4);
    append_address(text, "* Netmask:", &netmask);
    append_address(text, "* Gateway:", &plan->gateway4);
    append_address(text, "* DNS:", &plan->dns4);
    append_address(text, "* DHCP begin:", &plan->guest4);
    append_address(text, "* DHCP end:", &dhcp_end);
    append_address(text, "* Recommended IP:", &plan->guest4);
}

void rn_slirp_append_start(GString *text, const RnNetworkPlan *plan,
                           const RnSlirpOptions *options)
{
    const uint8_t *mac = plan->guest_mac;
    char gateway[RN_ENDPOINT_TEXT];

    g_string_append_printf(text, "Starting slirp\n%-19s%u\n",
                           "* MTU:", plan->mtu);
    append_addresses(text, plan);
    if (options->api_socket != NULL)
        g_string_append_printf(text, "%-19s%s\n",
                               "* API Socket:", options->api_socket);
    if (plan->outbound4.family != AF_UNSPEC)
        append_address(text, "* Outbound IPv4:    ", &plan->outbound4);
    if (plan->outbound6.family != AF_UNSPEC)
        append_address(text, "* Outbound IPv6:    ", &plan->outbound6);
    if (options->mac != NULL)
        g_string_append_printf(text, "%-19s%02x:%02x:%02x:%02x:%02x:%02x\n",
                               "* MAC address:", mac[0], mac[1], mac[2], mac[3],
                               mac[4], mac[5]);
    if (plan->host_loopback)
        g_string_append_printf(
            text,
            "WARNING: 127.0.0.1:* on the host is accessible as %s (set "
            "--disable-host-loopback to prohibit connecting to 127.0.0.1:*)\n",
            rn_endpoint_format_address(&plan->gateway4, gateway));
}
