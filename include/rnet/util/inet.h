/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inet - one value type for an IPv4 or IPv6 address and port
 *
 * Plain data without padding that matters, so it can be a message payload and
 * be compared. IPv4 uses the first 4 bytes of `address`, the rest are zero.
 */
#ifndef RNET_UTIL_INET_H
#define RNET_UTIL_INET_H

#include <stdint.h>

#include <sys/socket.h>

#include <rnet/util/error.h>

typedef struct RnEndpoint {
    uint16_t family;     /* AF_INET, AF_INET6, AF_UNSPEC: none */
    uint16_t port;       /* host byte order */
    uint32_t scope;      /* IPv6 scope id (interface index) or 0 */
    uint8_t address[16]; /* network byte order */
} RnEndpoint;

enum { RN_ENDPOINT_TEXT = 72 }; /* bytes for any formatted endpoint */

/* Parses an IPv4 or IPv6 literal without brackets; the port becomes 0. */
bool rn_endpoint_parse_address(const char *text, RnEndpoint *out_endpoint,
                               GError **error) RN_CHECK;

/* "10.0.2.100" or "fd00::2" into `text`, which it returns. */
const char *rn_endpoint_format_address(const RnEndpoint *endpoint,
                                       char text[RN_ENDPOINT_TEXT]);

/* "10.0.2.100:80" or "[fd00::2]:80" into `text`, which it returns. */
const char *rn_endpoint_format(const RnEndpoint *endpoint,
                               char text[RN_ENDPOINT_TEXT]);

/* Fills `storage` and returns the length that the family's sockaddr has. */
socklen_t rn_endpoint_to_sockaddr(const RnEndpoint *endpoint,
                                  struct sockaddr_storage *storage);

/*
 * From a sockaddr as the kernel gives it. An IPv4-mapped IPv6 address becomes
 * IPv4; any other family becomes AF_UNSPEC.
 */
void rn_endpoint_from_sockaddr(const struct sockaddr_storage *storage,
                               RnEndpoint *out_endpoint);

/* Family and address are equal; ports and scopes do not matter. */
bool rn_endpoint_same_address(const RnEndpoint *a, const RnEndpoint *b);

/* Family, address and port are equal. */
bool rn_endpoint_equal(const RnEndpoint *a, const RnEndpoint *b);

/* 127.0.0.0/8 or ::1. */
bool rn_endpoint_is_loopback(const RnEndpoint *endpoint);

/* 0.0.0.0 or ::. */
bool rn_endpoint_is_any(const RnEndpoint *endpoint);

#endif
