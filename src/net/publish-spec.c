/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * publish-spec - published ports as data
 *
 * Runs in the launcher; pure. A SPEC is taken apart from the right, since only
 * the address on the left may have colons in it. Every error names its SPEC.
 */
#include "config.h"

#include <rnet/net/publish.h>

#include <string.h>

#include <netinet/in.h>

#include <rnet/util/parse.h>

enum {
    PORT_MAX = 65535
};

static const char *const transport_names[] = {
    [RN_TRANSPORT_TCP] = "tcp",
    [RN_TRANSPORT_UDP] = "udp",
};
G_STATIC_ASSERT(G_N_ELEMENTS(transport_names) == RN_TRANSPORT_N_);

/* Ports on one side of a SPEC; first 0: rnet picks. */
typedef struct PortSpan {
    uint16_t first;
    uint16_t count;
} PortSpan;

/* As docker has it, in any case of letters. */
static bool parse_transport(const char *text, RnTransport *out_transport,
                            GError **error)
{
    g_autofree char *lower = g_ascii_strdown(text, -1);

    for (unsigned i = 0; i < RN_TRANSPORT_N_; i++) {
        if (strcmp(lower, transport_names[i]) != 0)
            continue;
        *out_transport = (RnTransport)i;
        return true;
    }
    if (strcmp(lower, "sctp") == 0)
        return rn_set_error(error, RN_ERROR_UNSUPPORTED,
                            "sctp is not supported (tcp and udp are)");
    return rn_set_error(error, RN_ERROR_INVALID,
                        "protocol \"%s\" is neither tcp nor udp", text);
}

static bool parse_port(const char *text, const char *what, uint16_t *out_port,
                       GError **error)
{
    uint64_t port = 0;

    if (text[0] == '\0')
        return rn_set_error(error, RN_ERROR_INVALID, "the %s is empty", what);
    if (!rn_parse_uint(text, 1, PORT_MAX, what, &port, error))
        return false;
    *out_port = (uint16_t)port;
    return true;
}

bool rn_port_range_parse(const char *text, const char *what,
                         RnPortRange *out_range, GError **error)
{
    g_auto(GStrv) ends = g_strsplit(text, "-", 2);
    uint16_t first = 0;
    uint16_t last = 0;

    if (!parse_port(ends[0] == NULL ? "" : ends[0], what, &first, error))
        return false;
    last = first;
    if (ends[0] != NULL && ends[1] != NULL &&
        !parse_port(ends[1], what, &last, error))
        return false;
    if (last < first)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "the range %s runs backwards", text);
    *out_range = (RnPortRange){ first, last, RN_TRANSPORT_TCP };
    return true;
}

static bool parse_span(const char *text, const char *what, PortSpan *out_span,
                       GError **error)
{
    RnPortRange range;

    if (!rn_port_range_parse(text, what, &range, error))
        return false;
    *out_span =
        (PortSpan){ range.first, (uint16_t)(range.last - range.first + 1) };
    return true;
}

/* An IPv4-mapped address becomes IPv4: an IPv6-only socket cannot have it. */
static void unmap_address(RnEndpoint *endpoint)
{
    struct sockaddr_storage storage;

    (void)rn_endpoint_to_sockaddr(endpoint, &storage);
    rn_endpoint_from_sockaddr(&storage, endpoint);
}

static bool parse_host_address(const char *text, RnEndpoint *out_host,
                               GError **error)
{
    gsize length = strlen(text);
    bool brackets = text[0] == '[' && text[length - 1] == ']';
    g_autofree char *bare =
        brackets ? g_strndup(text + 1, length - 2) : g_strdup(text);
    RnEndpoint host = { 0 };

    if (!brackets && strchr(text, ':') != NULL) {
        (void)rn_set_error(error, RN_ERROR_INVALID,
                           "host address \"%s\" wants brackets", text);
        return rn_error_add_hint(error, "an IPv6 address is given as "
                                        "[::1]:8080:80");
    }
    if (!rn_endpoint_parse_address(bare, &host, NULL) ||
        (brackets && host.family != AF_INET6)) {
        (void)rn_set_error(error, RN_ERROR_INVALID,
                           "host address \"%s\" is not an IP address", text);
        if (strcmp(text, "localhost") == 0)
            return rn_error_add_hint(error, "for localhost say 127.0.0.1");
        return rn_error_add_hint(error, "names are not looked up, give the "
                                        "address itself");
    }
    unmap_address(&host);
    *out_host = host;
    return true;
}

/*
 * Is the text left of the last colon a host address (and no port, no address
 * with a port)? Ports have digits and "-" only.
 */
static bool looks_like_address(const char *text)
{
    return text[strspn(text, "0123456789-")] != '\0';
}

/*
 * Splits "[HOSTADDR:][HOSTPORT]", what stands left of PORT's colon, in place.
 * *out_port is NULL where there is only an address.
 */
static void split_host_part(char *text, const char **out_address,
                            const char **out_port)
{
    char *bracket = strrchr(text, ']');
    char *colon = strrchr(bracket == NULL ? text : bracket, ':');

    *out_address = NULL;
    *out_port = NULL;
    if (colon != NULL && (bracket != NULL || !looks_like_address(colon + 1))) {
        *colon = '\0';
        *out_address = text;
        *out_port = colon + 1;
    } else if (looks_like_address(text)) {
        *out_address = text;
    } else {
        *out_port = text;
    }
}

/* "" and "0" after an address, and no host port at all, mean: pick one. */
static bool parse_host_port(const char *address, const char *port,
                            PortSpan *out_span, GError **error)
{
    if (port == NULL || strcmp(port, "0") == 0 ||
        (address != NULL && port[0] == '\0'))
        return true;
    return parse_span(port, "host port", out_span, error);
}

/* `text` is all that stands left of PORT's colon. */
static bool parse_host_part(char *text, RnEndpoint *host, PortSpan *span,
                            GError **error)
{
    const char *address = NULL;
    const char *port = NULL;

    split_host_part(text, &address, &port);
    if (address != NULL && address[0] == '\0')
        return rn_set_error(error, RN_ERROR_INVALID,
                            "the host address is empty");
    if (address != NULL && !parse_host_address(address, host, error))
        return false;
    return parse_host_port(address, port, span, error);
}

/* Joins both sides. */
static bool fill_spec(const PortSpan *host_span, const PortSpan *guest_span,
                      RnPublishSpec *spec, GError **error)
{
    static const RnEndpoint loopback = { .family = AF_INET,
                                         .address = { 127, 0, 0, 1 } };
    if (host_span->first == 0) {
        if (spec->host.family == AF_UNSPEC)
            spec->host = loopback; /* see publish.h */
    } else if (host_span->count != guest_span->count) {
        return rn_set_error(error, RN_ERROR_INVALID,
                            "%u host ports for %u container ports",
                            host_span->count, guest_span->count);
    }
    spec->host.port = host_span->first;
    spec->guest_port = guest_span->first;
    spec->count = guest_span->count;
    return true;
}

static bool parse_spec(const char *text, RnPublishSpec *spec, GError **error)
{
    g_autofree char *copy = g_strdup(text);
    char *slash = strchr(copy, '/');
    char *colon = NULL;
    PortSpan host_span = { 0, 0 };
    PortSpan guest_span = { 0, 0 };

    if (slash != NULL) {
        *slash = '\0';
        if (!parse_transport(slash + 1, &spec->transport, error))
            return false;
    }
    colon = strrchr(copy, ':');
    if (colon != NULL)
        *colon = '\0';
    if (!parse_span(colon == NULL ? copy : colon + 1, "container port",
                    &guest_span, error))
        return false;
    if (colon != NULL && !parse_host_part(copy, &spec->host, &host_span, error))
        return false;
    return fill_spec(&host_span, &guest_span, spec, error);
}

bool rn_publish_parse(const char *text, RnPublishSpec *out_spec, GError **error)
{
    RnPublishSpec spec = { .transport = RN_TRANSPORT_TCP,
                           .host = { .family = AF_UNSPEC } };

    if (!parse_spec(text, &spec, error)) {
        g_prefix_error(error, "publish \"%s\": ", text);
        return false;
    }
    *out_spec = spec;
    return true;
}

/* Can one socket be bound to both? Addresses without a family are all. */
static bool addresses_overlap(const RnEndpoint *a, const RnEndpoint *b)
{
    if (a->family == AF_UNSPEC || b->family == AF_UNSPEC)
        return true;
    if (a->family != b->family)
        return false; /* IPv6 listeners are IPV6_V6ONLY */
    return rn_endpoint_is_any(a) || rn_endpoint_is_any(b) ||
           rn_endpoint_same_address(a, b);
}

static bool specs_collide(const RnPublishSpec *a, const RnPublishSpec *b)
{
    if (a->host.port == 0 || b->host.port == 0 || a->transport != b->transport)
        return false;
    return a->host.port < b->host.port + b->count &&
           b->host.port < a->host.port + a->count &&
           addresses_overlap(&a->host, &b->host);
}

/* specs[i] comes from texts[i]. */
static bool check_duplicates(const GArray *specs, const char *const *texts,
                             GError **error)
{
    for (unsigned i = 1; i < specs->len; i++) {
        for (unsigned j = 0; j < i; j++) {
            if (!specs_collide(&g_array_index(specs, RnPublishSpec, i),
                               &g_array_index(specs, RnPublishSpec, j)))
                continue;
            return rn_set_error(error, RN_ERROR_EXISTS,
                                "publish \"%s\": has a host port of \"%s\"",
                                texts[i], texts[j]);
        }
    }
    return true;
}

bool rn_publish_parse_all(const char *const *texts, GArray **out_specs,
                          GError **error)
{
    g_autoptr(GArray) specs = g_array_new(FALSE, FALSE, sizeof(RnPublishSpec));
    g_autoptr(GArray) ranges = NULL;
    static const char *const none[] = { NULL };
    unsigned total = 0;

    texts = texts == NULL ? none : texts;
    for (gsize i = 0; texts[i] != NULL; i++) {
        RnPublishSpec spec;

        if (!rn_publish_parse(texts[i], &spec, error))
            return false;
        total += spec.count;
        if (total > RN_PUBLISH_MAX)
            return rn_set_error(error, RN_ERROR_LIMIT,
                                "publish \"%s\": more than %d ports in all",
                                texts[i], RN_PUBLISH_MAX);
        g_array_append_val(specs, spec);
    }
    if (!check_duplicates(specs, texts, error))
        return false;
    ranges = rn_publish_ranges(specs);
    if (ranges->len > RN_AGENT_MAX_RANGES)
        return rn_set_error(error, RN_ERROR_LIMIT,
                            "publish: more than %d separate container ports",
                            RN_AGENT_MAX_RANGES);
    *out_specs = g_steal_pointer(&specs);
    return true;
}

static int compare_ranges(const void *a, const void *b)
{
    const RnPortRange *left = a;
    const RnPortRange *right = b;

    if (left->transport != right->transport)
        return left->transport - right->transport;
    return left->first - right->first;
}

GArray *rn_publish_ranges(const GArray *specs)
{
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(RnPortRange));
    GArray *merged = g_array_new(FALSE, FALSE, sizeof(RnPortRange));

    for (unsigned i = 0; i < specs->len; i++) {
        const RnPublishSpec *spec = &g_array_index(specs, RnPublishSpec, i);
        RnPortRange range = {
            .first = spec->guest_port,
            .last = (uint16_t)(spec->guest_port + spec->count - 1),
            .transport = (uint16_t)spec->transport,
        };

        g_array_append_val(all, range);
    }
    g_array_sort(all, compare_ranges);
    for (unsigned i = 0; i < all->len; i++) {
        const RnPortRange *range = &g_array_index(all, RnPortRange, i);
        RnPortRange *before =
            merged->len == 0
                ? NULL
                : &g_array_index(merged, RnPortRange, merged->len - 1);

        if (before != NULL && before->transport == range->transport &&
            range->first <= before->last + 1)
            before->last = MAX(before->last, range->last);
        else
            g_array_append_val(merged, *range);
    }
    return merged;
}
