/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cni-result - a network as CNI's versions show it
 *
 * Runs in rnet-cni, pure. In: the keeper's own words (trusted), and prevResult
 * of the plugins before in the chain, which is passed on as it is, whatever it
 * has, once its lists are known to be lists.
 */
#include "config.h"

#include <rnet/dialect/cni-result.h>

#include <string.h>

#include <rnet/oci/json.h>

enum {
    LIST_MAX = 4096 /* entries of a list of prevResult */
};

json_t *rn_cni_error(RnCniVersion version, RnCniCode code,
                     const GError *failure)
{
    g_autofree char *hint = NULL;
    g_autofree char *message = rn_error_split(failure, &hint);
    g_autofree char *valid = g_utf8_make_valid(message, -1);
    json_t *answer =
        json_pack("{s:s, s:i, s:s}", "cniVersion", rn_cni_version_text(version),
                  "code", (int)code, "msg", valid);

    if (hint != NULL)
        (void)json_object_set_new(answer, "details", json_string(hint));
    return answer;
}

json_t *rn_cni_versions(RnCniVersion version)
{
    json_t *all = json_array();

    for (unsigned i = 0; i < RN_CNI_N_; i++)
        (void)json_array_append_new(all, json_string(rn_cni_version_text(i)));
    return json_pack("{s:s, s:o}", "cniVersion", rn_cni_version_text(version),
                     "supportedVersions", all);
}

static bool is_ipv6(const char *address)
{
    return strchr(address, ':') != NULL;
}

static const char *get_text(const json_t *list, size_t i)
{
    return json_string_value(json_array_get(list, i));
}

/* The gateway of an address's family, or NULL. */
static const char *find_gateway(const json_t *network, const char *address)
{
    const json_t *all = json_object_get(network, "gateway");

    for (size_t i = 0; i < json_array_size(all); i++) {
        const char *text = get_text(all, i);

        if (text != NULL && is_ipv6(text) == is_ipv6(address))
            return text;
    }
    return NULL;
}

static json_t *make_route(const char *address, const char *gateway)
{
    return json_pack("{s:s, s:s*}", "dst",
                     is_ipv6(address) ? "::/0" : "0.0.0.0/0", "gw", gateway);
}

/* What the configuration says, a part at a time; else the network's own. */
static json_t *make_dns(const RnCniConf *conf, const json_t *network)
{
    json_t *dns = conf->dns != NULL ? json_copy(conf->dns) : json_object();
    json_t *own = json_object_get(network, "dns");

    if (json_object_get(dns, "nameservers") == NULL && json_array_size(own) > 0)
        (void)json_object_set(dns, "nameservers", own);
    return dns;
}

/* 0.1.0 and 0.2.0: one address a family, no interfaces, no chains. */
static json_t *make_old_result(const RnCniConf *conf, const json_t *network)
{
    json_t *result =
        json_pack("{s:s}", "cniVersion", rn_cni_version_text(conf->version));
    const json_t *guests = json_object_get(network, "guest");

    for (size_t i = 0; i < json_array_size(guests); i++) {
        const char *address = get_text(guests, i);
        const char *gateway = find_gateway(network, address);

        (void)json_object_set_new(result, is_ipv6(address) ? "ip6" : "ip4",
                                  json_pack("{s:s, s:s*, s:[o]}", "ip", address,
                                            "gateway", gateway, "routes",
                                            make_route(address, gateway)));
    }
    (void)json_object_set_new(result, "dns", make_dns(conf, network));
    return result;
}

/* The list of that name, made where it is missing; NULL: it is no list. */
static json_t *take_list(json_t *result, const char *name, GError **error)
{
    json_t *list = json_object_get(result, name);

    if (json_is_array(list) && json_array_size(list) <= LIST_MAX)
        return list;
    if (list != NULL && !json_is_null(list)) {
        (void)rn_set_error(error, RN_ERROR_INVALID,
                           "stdin: prevResult.%s: must be an array of at most "
                           "%d entries",
                           name, LIST_MAX);
        return NULL;
    }
    list = json_array();
    (void)json_object_set_new(result, name, list);
    return list;
}

static json_t *make_interface(const RnCniConf *conf, const char *sandbox,
                              const json_t *network)
{
    json_t *made = json_pack(
        "{s:O*, s:O*, s:s}", "name", json_object_get(network, "interface"),
        "mac", json_object_get(network, "mac"), "sandbox", sandbox);

    if (conf->version >= RN_CNI_1_1_0)
        (void)json_object_set(made, "mtu", json_object_get(network, "mtu"));
    return made;
}

/* Appends an address of interface `index`, and its default route. */
static void add_address(const RnCniConf *conf, const json_t *network,
                        const char *address, json_t *ips, json_t *routes)
{
    const char *gateway = find_gateway(network, address);
    json_t *entry =
        json_pack("{s:s, s:s*}", "address", address, "gateway", gateway);

    if (conf->version < RN_CNI_1_0_0)
        (void)json_object_set_new(entry, "version",
                                  json_string(is_ipv6(address) ? "6" : "4"));
    (void)json_array_append_new(ips, entry);
    (void)json_array_append_new(routes, make_route(address, gateway));
}

/* Name servers of plugins before stay: they knew which network that is. */
static void merge_dns(const RnCniConf *conf, const json_t *network,
                      json_t *result)
{
    g_autoptr(json_t) own = make_dns(conf, network);
    json_t *before = json_object_get(result, "dns");

    if (conf->dns == NULL &&
        json_array_size(json_object_get(before, "nameservers")) > 0)
        return;
    if (!json_is_object(before))
        (void)json_object_set(result, "dns", own);
    else
        (void)json_object_update(before, own);
}

json_t *rn_cni_result(const RnCniConf *conf, const char *sandbox,
                      const json_t *network, GError **error)
{
    const json_t *guests = json_object_get(network, "guest");
    g_autoptr(json_t) result = NULL;
    json_t *interfaces = NULL, *ips = NULL, *routes = NULL;
    json_int_t index = 0;

    if (conf->version < RN_CNI_0_3_0)
        return make_old_result(conf, network);
    result = conf->prev_result != NULL ? json_deep_copy(conf->prev_result)
                                       : json_object();
    (void)json_object_set_new(result, "cniVersion",
                              json_string(rn_cni_version_text(conf->version)));
    interfaces = take_list(result, "interfaces", error);
    ips = interfaces == NULL ? NULL : take_list(result, "ips", error);
    routes = ips == NULL ? NULL : take_list(result, "routes", error);
    if (routes == NULL)
        return NULL;
    index = (json_int_t)json_array_size(interfaces);
    (void)json_array_append_new(interfaces,
                                make_interface(conf, sandbox, network));
    for (size_t i = 0; i < json_array_size(guests); i++) {
        add_address(conf, network, get_text(guests, i), ips, routes);
        (void)json_object_set_new(json_array_get(ips, json_array_size(ips) - 1),
                                  "interface", json_integer(index));
    }
    merge_dns(conf, network, result);
    return g_steal_pointer(&result);
}

/* The index of the interface in its list, or -1. */
static json_int_t find_interface(const json_t *interfaces, const char *name,
                                 const char *sandbox)
{
    for (size_t i = 0; i < json_array_size(interfaces); i++) {
        const json_t *one = json_array_get(interfaces, i);
        const char *its_name = json_string_value(json_object_get(one, "name"));
        const char *its_sandbox =
            json_string_value(json_object_get(one, "sandbox"));

        if (g_strcmp0(its_name, name) == 0 &&
            g_strcmp0(its_sandbox, sandbox) == 0)
            return (json_int_t)i;
    }
    return -1;
}

bool rn_cni_expect(const RnCniConf *conf, const char *interface,
                   const char *sandbox, RnCniExpected *expected, GError **error)
{
    const json_t *interfaces = json_object_get(conf->prev_result, "interfaces");
    const json_t *ips = json_object_get(conf->prev_result, "ips");
    json_int_t index = find_interface(interfaces, interface, sandbox);

    *expected = (RnCniExpected){ .addresses = g_ptr_array_new() };
    if (conf->prev_result == NULL)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "stdin: prevResult: is missing");
    if (index < 0)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "stdin: prevResult: no interface \"%s\" in \"%s\"",
                            interface, sandbox);
    expected->mac = json_string_value(
        json_object_get(json_array_get(interfaces, (size_t)index), "mac"));
    for (size_t i = 0; i < json_array_size(ips); i++) {
        const json_t *one = json_array_get(ips, i);
        const json_t *owner = json_object_get(one, "interface");
        const char *address =
            json_string_value(json_object_get(one, "address"));

        if (json_is_integer(owner) && json_integer_value(owner) == index &&
            address != NULL)
            g_ptr_array_add(expected->addresses, (gpointer)(uintptr_t)address);
    }
    return true;
}

void rn_cni_expected_clear(RnCniExpected *expected)
{
    g_clear_pointer(&expected->addresses, g_ptr_array_unref);
}
