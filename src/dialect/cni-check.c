/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cni-check - looks inside for CHECK, and tries for STATUS
 *
 * Runs in rnet-cni, which ends with the answer: so it may enter the container's
 * namespaces itself, where it only reads.
 */
#include "config.h"

#include <rnet/dialect/cni-check.h>

#include <errno.h>
#include <ifaddrs.h>
#include <sched.h>
#include <string.h>

#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>

#include <rnet/oci/json.h>
#include <rnet/runtime/doctor-trial.h>
#include <rnet/util/inet.h>

typedef struct ifaddrs Addresses; /* a list */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Addresses, freeifaddrs)

static bool enter(const RnNetworkTarget *target, GError **error)
{
    if (target->userns_fd >= 0 && setns(target->userns_fd, CLONE_NEWUSER) < 0)
        return rn_set_errno(error, errno, "enter its user namespace");
    return setns(target->netns_fd, CLONE_NEWNET) == 0 ||
           rn_set_errno(error, errno, "enter it");
}

static bool check_link(const Addresses *all, const char *interface,
                       const char *mac, GError **error)
{
    for (const Addresses *at = all; at != NULL; at = at->ifa_next) {
        const struct sockaddr_ll *link = (const void *)at->ifa_addr;
        g_autofree char *found = NULL;

        if (strcmp(at->ifa_name, interface) != 0 || link == NULL ||
            link->sll_family != AF_PACKET)
            continue;
        found = g_strdup_printf("%02x:%02x:%02x:%02x:%02x:%02x",
                                link->sll_addr[0], link->sll_addr[1],
                                link->sll_addr[2], link->sll_addr[3],
                                link->sll_addr[4], link->sll_addr[5]);
        if ((at->ifa_flags & IFF_UP) == 0)
            return rn_set_error(error, RN_ERROR_STATE,
                                "interface \"%s\" is down", interface);
        return mac == NULL || g_ascii_strcasecmp(mac, found) == 0 ||
               rn_set_error(error, RN_ERROR_STATE,
                            "interface \"%s\" has the MAC address %s, not the "
                            "result's",
                            interface, found);
    }
    return rn_set_error(error, RN_ERROR_STATE, "there is no interface \"%s\"",
                        interface);
}

static bool has_address(const Addresses *all, const char *interface,
                        const RnEndpoint *address)
{
    for (const Addresses *at = all; at != NULL; at = at->ifa_next) {
        struct sockaddr_storage storage = { 0 };
        RnEndpoint found = { 0 };

        if (strcmp(at->ifa_name, interface) != 0 || at->ifa_addr == NULL)
            continue;
        if (at->ifa_addr->sa_family == AF_INET)
            memcpy(&storage, at->ifa_addr, sizeof(struct sockaddr_in));
        else if (at->ifa_addr->sa_family == AF_INET6)
            memcpy(&storage, at->ifa_addr, sizeof(struct sockaddr_in6));
        else
            continue;
        rn_endpoint_from_sockaddr(&storage, &found);
        if (rn_endpoint_same_address(&found, address))
            return true;
    }
    return false;
}

static bool check_address(const Addresses *all, const char *interface,
                          const char *word, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(word, "/", 2);
    g_autofree char *quoted = rn_json_quote(word);
    RnEndpoint address = { 0 };

    if (parts[0] == NULL ||
        !rn_endpoint_parse_address(parts[0], &address, NULL))
        return rn_set_error(error, RN_ERROR_INVALID,
                            "stdin: prevResult.ips: %s is not an address",
                            quoted);
    return has_address(all, interface, &address) ||
           rn_set_error(error, RN_ERROR_STATE,
                        "interface \"%s\" has lost its address %s", interface,
                        quoted);
}

bool rn_cni_check(const RnNetworkTarget *target, const char *interface,
                  const RnCniExpected *expected, GError **error)
{
    g_autoptr(Addresses) all = NULL;

    if (!enter(target, error))
        return false;
    if (getifaddrs(&all) < 0)
        return rn_set_errno(error, errno, "list the interfaces");
    if (!check_link(all, interface, expected->mac, error))
        return false;
    for (guint i = 0; i < expected->addresses->len; i++) {
        if (!check_address(all, interface,
                           g_ptr_array_index(expected->addresses, i), error))
            return false;
    }
    return true;
}

static bool try_one(RnTrialFunc func, GError **error)
{
    const RnTrial trial = { .func = func, .namespaces = CLONE_NEWNET };
    RnTrialResult result = { 0 };
    bool works = false;

    rn_trial_run(&trial, &result);
    works = result.outcome == RN_TRIAL_WORKS;
    if (!works) {
        (void)rn_set_error(error, RN_ERROR_UNSUPPORTED, "%s",
                           result.text != NULL ? result.text
                                               : "the trial gave no answer");
        if (result.hint != NULL)
            (void)rn_error_add_hint(error, "%s", result.hint);
    }
    rn_trial_result_clear(&result);
    return works;
}

bool rn_cni_try(RnLinkMode link_mode, GError **error)
{
    if (link_mode == RN_LINK_MODE_AUTO && try_one(rn_try_tun, NULL))
        return true;
    return try_one(link_mode == RN_LINK_MODE_TAP ? rn_try_tun : rn_try_veth,
                   error);
}
