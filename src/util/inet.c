/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inet - IPv4 and IPv6 endpoints as one plain value
 *
 * Runs in every process; pure. IPv4-mapped IPv6 addresses are turned into IPv4
 * where they come in, so that one address has one form.
 */
#include "config.h"

#include <rnet/util/inet.h>

#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>

static const uint8_t any_address[16];
static const uint8_t loopback6[16] = { [15] = 1 };

bool rn_endpoint_parse_address(const char *text, RnEndpoint *out_endpoint,
                               GError **error)
{
    RnEndpoint parsed = { .family = AF_INET };

    if (inet_pton(AF_INET, text, parsed.address) != 1) {
        parsed.family = AF_INET6;
        if (inet_pton(AF_INET6, text, parsed.address) != 1)
            return rn_set_error(error, RN_ERROR_INVALID,
                                "\"%s\" is not an IPv4 or IPv6 address", text);
    }
    *out_endpoint = parsed;
    return true;
}

const char *rn_endpoint_format_address(const RnEndpoint *endpoint,
                                       char text[RN_ENDPOINT_TEXT])
{
    if (inet_ntop(endpoint->family, endpoint->address, text,
                  RN_ENDPOINT_TEXT) == NULL)
        g_strlcpy(text, "none", RN_ENDPOINT_TEXT);
    return text;
}

const char *rn_endpoint_format(const RnEndpoint *endpoint,
                               char text[RN_ENDPOINT_TEXT])
{
    char address[RN_ENDPOINT_TEXT];
    bool brackets = endpoint->family == AF_INET6;

    rn_endpoint_format_address(endpoint, address);
    g_snprintf(text, RN_ENDPOINT_TEXT, "%s%s%s:%u", brackets ? "[" : "",
               address, brackets ? "]" : "", endpoint->port);
    return text;
}

socklen_t rn_endpoint_to_sockaddr(const RnEndpoint *endpoint,
                                  struct sockaddr_storage *storage)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)storage;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)storage;

    memset(storage, 0, sizeof *storage);
    storage->ss_family = endpoint->family;
    if (endpoint->family == AF_INET) {
        v4->sin_port = htons(endpoint->port);
        memcpy(&v4->sin_addr, endpoint->address, sizeof v4->sin_addr);
        return sizeof *v4;
    }
    if (endpoint->family == AF_INET6) {
        v6->sin6_port = htons(endpoint->port);
        v6->sin6_scope_id = endpoint->scope;
        memcpy(&v6->sin6_addr, endpoint->address, sizeof v6->sin6_addr);
        return sizeof *v6;
    }
    return sizeof storage->ss_family;
}

static void take_v6(const struct sockaddr_in6 *v6, RnEndpoint *endpoint)
{
    endpoint->port = ntohs(v6->sin6_port);
    if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
        endpoint->family = AF_INET;
        memcpy(endpoint->address, v6->sin6_addr.s6_addr + 12, 4);
        return;
    }
    endpoint->family = AF_INET6;
    endpoint->scope = v6->sin6_scope_id;
    memcpy(endpoint->address, &v6->sin6_addr, sizeof v6->sin6_addr);
}

void rn_endpoint_from_sockaddr(const struct sockaddr_storage *storage,
                               RnEndpoint *out_endpoint)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)storage;

    *out_endpoint = (RnEndpoint){ .family = AF_UNSPEC };
    if (storage->ss_family == AF_INET) {
        out_endpoint->family = AF_INET;
        out_endpoint->port = ntohs(v4->sin_port);
        memcpy(out_endpoint->address, &v4->sin_addr, sizeof v4->sin_addr);
    } else if (storage->ss_family == AF_INET6) {
        take_v6((const struct sockaddr_in6 *)storage, out_endpoint);
    }
}

bool rn_endpoint_same_address(const RnEndpoint *a, const RnEndpoint *b)
{
    return a->family == b->family &&
           memcmp(a->address, b->address, sizeof a->address) == 0;
}

bool rn_endpoint_equal(const RnEndpoint *a, const RnEndpoint *b)
{
    return a->port == b->port && rn_endpoint_same_address(a, b);
}

bool rn_endpoint_is_loopback(const RnEndpoint *endpoint)
{
    if (endpoint->family == AF_INET)
        return endpoint->address[0] == IN_LOOPBACKNET;
    return endpoint->family == AF_INET6 &&
           memcmp(endpoint->address, loopback6, sizeof loopback6) == 0;
}

bool rn_endpoint_is_any(const RnEndpoint *endpoint)
{
    return endpoint->family != AF_UNSPEC &&
           memcmp(endpoint->address, any_address, sizeof any_address) == 0;
}
