/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cni-capabilities - what a runtime asks of a CNI plugin for one container
 *
 * Runs in rnet-cni, pure. Port mappings become the SPECs of --publish; what
 * rnet cannot do is refused by its name, so that nobody believes it is done.
 */
#include "config.h"

#include <rnet/dialect/cni-capabilities.h>

#include <string.h>

typedef struct Mapping {
    int64_t host_port, container_port;
    char *protocol, *host_ip;
} Mapping;

static void clear_mapping(Mapping *mapping)
{
    g_free(mapping->protocol);
    g_free(mapping->host_ip);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Mapping, clear_mapping)

static bool read_port(const RnJsonAt *at, void *target, GError **error)
{
    return rn_json_read_range(at, 1, UINT16_MAX, target, error);
}

static bool read_protocol(const RnJsonAt *at, void *target, GError **error)
{
    g_autofree char *text = NULL;
    g_autofree char *quoted = NULL;
    char **protocol = target;

    if (!rn_json_read_string(at, &text, error))
        return false;
    g_free(*protocol);
    *protocol = g_ascii_strdown(text, -1);
    if (g_str_equal(*protocol, ""))
        g_clear_pointer(protocol, g_free);
    if (*protocol == NULL || g_str_equal(*protocol, "tcp") ||
        g_str_equal(*protocol, "udp"))
        return true;
    quoted = rn_json_quote(text);
    return rn_json_fail(at, RN_ERROR_UNSUPPORTED, error,
                        "%s: only tcp and udp can be published", quoted);
}

static bool read_host_ip(const RnJsonAt *at, void *target, GError **error)
{
    g_autofree char *text = NULL;
    char formatted[RN_ENDPOINT_TEXT];
    RnEndpoint address = { 0 };
    char **host_ip = target;

    if (!rn_json_read_string(at, &text, error))
        return false;
    if (text[0] == '\0')
        return true;
    if (!rn_endpoint_parse_address(text, &address, NULL))
        return rn_json_fail(at, RN_ERROR_INVALID, error,
                            "must be an IP address");
    (void)rn_endpoint_format_address(&address, formatted);
    g_free(*host_ip);
    *host_ip = g_strdup_printf(address.family == AF_INET6 ? "[%s]:" : "%s:",
                               formatted);
    return true;
}

/* CONVENTIONS.md, "portMappings"; hostIP is nerdctl's and the CRI's. */
static bool add_mapping(const RnJsonAt *at, void *target, GError **error)
{
    static const RnJsonField fields[] = {
        { "hostPort", read_port, G_STRUCT_OFFSET(Mapping, host_port),
          RN_JSON_REQUIRED },
        { "containerPort", read_port, G_STRUCT_OFFSET(Mapping, container_port),
          RN_JSON_REQUIRED },
        { "protocol", read_protocol, G_STRUCT_OFFSET(Mapping, protocol),
          RN_JSON_OPTIONAL },
        { "hostIP", read_host_ip, G_STRUCT_OFFSET(Mapping, host_ip),
          RN_JSON_OPTIONAL },
    };
    g_auto(Mapping) mapping = { 0 };
    GPtrArray *all = target;

    if (!rn_json_read_members(at, fields, G_N_ELEMENTS(fields), &mapping,
                              error))
        return false;
    g_ptr_array_add(
        all, g_strdup_printf(
                 "%s%u:%u/%s", mapping.host_ip != NULL ? mapping.host_ip : "",
                 (unsigned)mapping.host_port, (unsigned)mapping.container_port,
                 mapping.protocol != NULL ? mapping.protocol : "tcp"));
    return true;
}

static bool read_mappings(const RnJsonAt *at, void *target, GError **error)
{
    RnCniConf *conf = target;

    return rn_json_check_count(at, RN_PUBLISH_MAX, error) &&
           rn_json_read_elements(at, add_mapping, conf->publish, error);
}

static bool parse_mac(const char *text, uint8_t mac[6])
{
    for (int i = 0; i < 6; i++, text += 3) {
        if (!g_ascii_isxdigit(text[0]) || !g_ascii_isxdigit(text[1]) ||
            text[2] != (i < 5 ? ':' : '\0'))
            return false;
        mac[i] = (uint8_t)(g_ascii_xdigit_value(text[0]) * 16 +
                           g_ascii_xdigit_value(text[1]));
    }
    return true;
}

static bool read_mac(const RnJsonAt *at, void *target, GError **error)
{
    static const uint8_t none[6] = { 0 };
    g_autofree char *text = NULL;
    RnCniConf *conf = target;
    uint8_t mac[6];

    if (!rn_json_read_string(at, &text, error))
        return false;
    if (text[0] == '\0')
        return true;
    /* IEEE 802: bit 0 of the first byte is a group's */
    if (!parse_mac(text, mac) || (mac[0] & 1) != 0 ||
        memcmp(mac, none, sizeof mac) == 0)
        return rn_json_fail(at, RN_ERROR_INVALID, error,
                            "must be an interface's address, like "
                            "\"02:00:00:00:00:01\"");
    memcpy(conf->mac, mac, sizeof mac);
    conf->has_mac = true;
    return true;
}

static bool read_ips(const RnJsonAt *at, void *target, GError **error)
{
    RnCniConf *conf = target;

    return rn_json_check_count(at, 2, error) &&
           rn_json_read_strings(at, &conf->ips, error);
}

/* A list of texts, as it is, under the name that a result has for it. */
static bool copy_texts(const RnJsonAt *at, const char *name, json_t *dns,
                       GError **error)
{
    g_auto(GStrv) texts = NULL;

    if (!rn_json_read_strings(at, &texts, error))
        return false;
    if (texts[0] != NULL)
        (void)json_object_set(dns, name, at->node);
    return true;
}

static bool copy_nameservers(const RnJsonAt *at, void *target, GError **error)
{
    return copy_texts(at, "nameservers", target, error);
}

static bool copy_search(const RnJsonAt *at, void *target, GError **error)
{
    return copy_texts(at, "search", target, error);
}

static bool copy_options(const RnJsonAt *at, void *target, GError **error)
{
    return copy_texts(at, "options", target, error);
}

static bool copy_domain(const RnJsonAt *at, void *target, GError **error)
{
    g_autofree char *text = NULL;

    if (!rn_json_read_string(at, &text, error))
        return false;
    if (text[0] != '\0')
        (void)json_object_set((json_t *)target, "domain", at->node);
    return true;
}

static bool read_dns(const RnJsonAt *at, const RnJsonField *fields,
                     gsize n_fields, RnCniConf *conf, GError **error)
{
    json_decref(conf->dns);
    conf->dns = json_object();
    return rn_json_read_members(at, fields, n_fields, conf->dns, error);
}

/* The specification's, section 1. */
bool rn_cni_read_dns(const RnJsonAt *at, void *target, GError **error)
{
    static const RnJsonField fields[] = {
        { "nameservers", copy_nameservers, 0, RN_JSON_OPTIONAL },
        { "domain", copy_domain, 0, RN_JSON_OPTIONAL },
        { "search", copy_search, 0, RN_JSON_OPTIONAL },
        { "options", copy_options, 0, RN_JSON_OPTIONAL },
    };

    return read_dns(at, fields, G_N_ELEMENTS(fields), target, error);
}

/* The capability's, CONVENTIONS.md; it goes before the configuration's. */
static bool read_runtime_dns(const RnJsonAt *at, void *target, GError **error)
{
    static const RnJsonField fields[] = {
        { "servers", copy_nameservers, 0, RN_JSON_OPTIONAL },
        { "searches", copy_search, 0, RN_JSON_OPTIONAL },
        { "options", copy_options, 0, RN_JSON_OPTIONAL },
    };

    return read_dns(at, fields, G_N_ELEMENTS(fields), target, error);
}

bool rn_cni_read_capabilities(const RnJsonAt *at, void *target, GError **error)
{
    static const RnJsonField fields[] = {
        { "portMappings", read_mappings, 0, RN_JSON_OPTIONAL },
        { "dns", read_runtime_dns, 0, RN_JSON_OPTIONAL },
        { "mac", read_mac, 0, RN_JSON_OPTIONAL },
        { "ips", read_ips, 0, RN_JSON_OPTIONAL },
        { "bandwidth", rn_json_refuse, 0, RN_JSON_OPTIONAL },
        { "aliases", rn_json_refuse, 0, RN_JSON_OPTIONAL },
    };

    return rn_json_read_members(at, fields, G_N_ELEMENTS(fields), target,
                                error);
}
