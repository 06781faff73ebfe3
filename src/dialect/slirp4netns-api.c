/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slirp4netns-api - requests as data, replies as text
 *
 * Runs in the slirp4netns dialect; pure. The text is anybody's who may connect:
 * it is shorter than RN_SLIRP_REQUEST_MAX, and jansson bounds its depth. A bad
 * request is data as well: its reply.
 */
#include "config.h"

#include <rnet/dialect/slirp4netns-api.h>

#include <string.h>

#include <jansson.h>

#include <rnet/net/address-plan.h>
#include <rnet/oci/json.h>

#define BAD_ADD "bad request: add_hostfwd: bad arguments."

/* Reads one request's arguments (NULL: there are none); NULL: it is good. */
typedef const char *(*ArgumentsReader)(const json_t *arguments,
                                       const RnNetworkPlan *plan,
                                       RnSlirpForward *forward);

static bool get_integer(const json_t *arguments, const char *name, double max,
                        uint32_t *out_number)
{
    const json_t *node = json_object_get(arguments, name);
    double number = json_number_value(node);

    /* floor(3) would take libm, which nothing else here needs */
    if (!(number >= 1 && number <= max) || (uint32_t)number != number)
        return false;
    *out_number = (uint32_t)number;
    return true;
}

static bool get_port(const json_t *arguments, const char *name,
                     uint16_t *out_port)
{
    uint32_t port = 0;

    if (!get_integer(arguments, name, UINT16_MAX, &port))
        return false;
    *out_port = (uint16_t)port;
    return true;
}

static bool get_transport(const json_t *arguments, RnTransport *out_transport)
{
    const char *name = json_string_value(json_object_get(arguments, "proto"));
    bool is_udp = name != NULL && strcmp(name, "udp") == 0;

    if (name == NULL || (!is_udp && strcmp(name, "tcp") != 0))
        return false;
    *out_transport = is_udp ? RN_TRANSPORT_UDP : RN_TRANSPORT_TCP;
    return true;
}

/* Without it, or if it is empty or no string: `otherwise`. */
static bool get_address(const json_t *arguments, const char *name,
                        const RnEndpoint *otherwise, RnEndpoint *out_address)
{
    const char *text = json_string_value(json_object_get(arguments, name));

    if (text != NULL && text[0] != '\0')
        return rn_endpoint_parse_address(text, out_address, NULL);
    *out_address = *otherwise;
    return true;
}

/* An address of the namespace, or one behind it. */
static bool is_guest(const RnEndpoint *guest, const RnNetworkPlan *plan)
{
    if (guest->family == AF_INET6 && plan->prefix6 == 0)
        return false;
    return rn_endpoint_is_loopback(guest) || !rn_endpoint_is_special(guest);
}

static const char *read_add(const json_t *arguments, const RnNetworkPlan *plan,
                            RnSlirpForward *forward)
{
    static const RnEndpoint any = { .family = AF_INET };
    RnSlirpForward read = { .spec = { .count = 1 } };
    RnPublishSpec *spec = &read.spec;
    uint16_t host_port = 0;

    if (!get_transport(arguments, &spec->transport))
        return BAD_ADD "proto";
    if (!get_address(arguments, "host_addr", &any, &spec->host))
        return BAD_ADD "host_addr";
    if (!get_port(arguments, "host_port", &host_port))
        return BAD_ADD "host_port";
    if (!get_address(arguments, "guest_addr", &plan->guest4, &read.guest))
        return BAD_ADD "guest_addr";
    if (rn_endpoint_is_any(&read.guest)) /* as libslirp has it */
        read.guest = plan->guest4;
    if (!is_guest(&read.guest, plan))
        return BAD_ADD "guest_addr";
    if (!get_port(arguments, "guest_port", &spec->guest_port))
        return BAD_ADD "guest_port";
    spec->host.port = host_port;
    read.guest.port = spec->guest_port;
    *forward = read;
    return NULL;
}

static const char *read_list(G_GNUC_UNUSED const json_t *arguments,
                             G_GNUC_UNUSED const RnNetworkPlan *plan,
                             G_GNUC_UNUSED RnSlirpForward *forward)
{
    return NULL;
}

static const char *read_remove(const json_t *arguments,
                               G_GNUC_UNUSED const RnNetworkPlan *plan,
                               RnSlirpForward *forward)
{
    if (get_integer(arguments, "id", UINT32_MAX, &forward->id))
        return NULL;
    return RN_SLIRP_DESC_BAD_ID;
}

static const struct {
    const char *name;
    RnSlirpRequestKind kind;
    ArgumentsReader read;
} executes[] = {
    { "add_hostfwd", RN_SLIRP_REQUEST_ADD, read_add },
    { "list_hostfwd", RN_SLIRP_REQUEST_LIST, read_list },
    { "remove_hostfwd", RN_SLIRP_REQUEST_REMOVE, read_remove },
};

static void read_tree(const json_t *tree, const RnNetworkPlan *plan,
                      RnSlirpRequest *request)
{
    const json_t *arguments = json_object_get(tree, "arguments");
    const char *name = json_string_value(json_object_get(tree, "execute"));

    request->kind = RN_SLIRP_REQUEST_BAD;
    if (!json_is_object(tree)) {
        request->desc = "bad request: json_object() failed";
        return;
    }
    request->desc = name == NULL ? "bad request: no execute found"
                                 : "bad request: unknown execute";
    for (unsigned i = 0; name != NULL && i < G_N_ELEMENTS(executes); i++) {
        if (strcmp(name, executes[i].name) != 0)
            continue;
        request->desc = executes[i].read(arguments, plan, &request->forward);
        if (request->desc == NULL)
            request->kind = executes[i].kind;
    }
}

void rn_slirp_request_parse(const char *text, gsize length,
                            const RnNetworkPlan *plan,
                            RnSlirpRequest *out_request)
{
    json_error_t failure;
    /* what follows the value is nobody's business, as in the original */
    g_autoptr(json_t) tree = json_loadb(
        text, length, JSON_DISABLE_EOF_CHECK | JSON_DECODE_ANY, &failure);
    bool cut = false;

    *out_request = (RnSlirpRequest){ .kind = RN_SLIRP_REQUEST_BAD };
    if (tree != NULL) {
        read_tree(tree, plan, out_request);
        return;
    }
    cut = json_error_code(&failure) == json_error_premature_end_of_input;
    if (cut)
        out_request->kind = RN_SLIRP_REQUEST_INCOMPLETE;
    out_request->desc = RN_SLIRP_DESC_CANNOT_PARSE;
}

/* The text of a new tree, which it frees. */
static char *take_text(json_t *take_tree)
{
    g_autoptr(json_t) tree = take_tree;

    return json_dumps(tree, JSON_COMPACT | JSON_PRESERVE_ORDER);
}

char *rn_slirp_reply_error(const char *desc, const char *reason)
{
    json_t *inner = json_object();
    json_t *outer = json_object();

    (void)json_object_set_new(inner, "desc", json_string(desc));
    /* not UTF-8: without it */
    if (reason != NULL)
        (void)json_object_set_new(inner, "reason", json_string(reason));
    (void)json_object_set_new(outer, "error", inner);
    return take_text(outer);
}

char *rn_slirp_reply_added(uint32_t id)
{
    return take_text(json_pack("{s:{s:I}}", "return", "id", (json_int_t)id));
}

char *rn_slirp_reply_removed(void)
{
    return take_text(json_pack("{s:{}}", "return"));
}

static json_t *make_entry(const RnSlirpForward *forward)
{
    const RnPublishSpec *spec = &forward->spec;
    bool is_udp = spec->transport == RN_TRANSPORT_UDP;
    char host[RN_ENDPOINT_TEXT];
    char guest[RN_ENDPOINT_TEXT];

    return json_pack("{s:I,s:s,s:s,s:i,s:s,s:i}", "id", (json_int_t)forward->id,
                     "proto", is_udp ? "udp" : "tcp", "host_addr",
                     rn_endpoint_format_address(&spec->host, host), "host_port",
                     (int)spec->host.port, "guest_addr",
                     rn_endpoint_format_address(&forward->guest, guest),
                     "guest_port", (int)spec->guest_port);
}

char *rn_slirp_reply_list(const GArray *forwards)
{
    json_t *entries = json_array();

    for (unsigned i = 0; i < forwards->len; i++)
        (void)json_array_append_new(
            entries, make_entry(&g_array_index(forwards, RnSlirpForward, i)));
    return take_text(json_pack("{s:O,s:{s:o}}", "entries", entries, "return",
                               "entries", entries));
}
