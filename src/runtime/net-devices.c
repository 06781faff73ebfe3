/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net-devices - moves interfaces between network namespaces
 *
 * Runs in the launcher, as root, over a netlink socket in each of the two
 * namespaces. In: names of the bundle, and addresses as the kernel lists them.
 */
#include "config.h"

#include <rnet/runtime/net-devices.h>

#include <errno.h>
#include <sched.h>
#include <string.h>

#include <rnet/oci/json.h>
#include <rnet/sys/netlink-link.h>

enum {
    TEMPLATE_TRIES = 4096 /* numbers in place of "%d" */
};

/* The two network namespaces. */
typedef struct Sides {
    RnNetlink *here, *there;
    int netns_fd;
} Sides;

static const char *new_name_of(const RnNetDevice *device)
{
    return device->new_name != NULL && device->new_name[0] != '\0'
               ? device->new_name
               : device->name;
}

/* dev_alloc_name() takes one "%d"; the specification wants it at the end. */
static bool is_template_or_name(const char *name)
{
    const char *percent = strchr(name, '%');

    return rn_link_name_is_valid(name) &&
           (percent == NULL || (strcmp(percent, "%d") == 0 && percent != name));
}

static bool check_device(const RnPlan *plan, unsigned index, GError **error)
{
    const GPtrArray *devices = plan->config->net_devices;
    const RnNetDevice *device = g_ptr_array_index(devices, index);
    const char *name = new_name_of(device);

    if (!rn_link_name_is_valid(device->name) ||
        strchr(device->name, '%') != NULL)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "is not an interface's name");
    if (!is_template_or_name(name))
        return rn_set_error(error, RN_ERROR_INVALID,
                            "the new name is not an interface's");
    for (unsigned i = 0; i < index; i++) {
        if (strchr(name, '%') == NULL &&
            strcmp(new_name_of(g_ptr_array_index(devices, i)), name) == 0)
            return rn_set_error(error, RN_ERROR_INVALID,
                                "\"%s\" is the new name of another one", name);
    }
    return true;
}

static void add_scope(const RnNetDevice *device, GError **error)
{
    g_autofree char *name = rn_json_quote(device->name);

    g_prefix_error(error, "linux.netDevices: %s: ", name);
}

bool rn_net_devices_check(const RnPlan *plan, GError **error)
{
    const GPtrArray *devices = plan->config->net_devices;

    if (devices->len > 0 && (plan->namespaces & CLONE_NEWNET) == 0 &&
        !rn_plan_joins(plan, CLONE_NEWNET)) {
        (void)rn_set_error(error, RN_ERROR_INVALID,
                           "linux.netDevices: the container has no network "
                           "namespace of its own");
        return rn_error_add_hint(error, "add { \"type\": \"network\" } to "
                                        "linux.namespaces");
    }
    for (unsigned i = 0; i < devices->len; i++) {
        if (!check_device(plan, i, error)) {
            add_scope(g_ptr_array_index(devices, i), error);
            return false;
        }
    }
    return true;
}

static bool is_free(RnNetlink *netlink, const char *name, bool *out_free,
                    GError **error)
{
    g_autoptr(GError) failure = NULL;
    unsigned index = 0;

    *out_free = false;
    if (rn_netlink_link_index(netlink, name, &index, &failure))
        return true;
    *out_free = rn_error_is_errno(failure, ENODEV);
    if (!*out_free)
        g_propagate_error(error, g_steal_pointer(&failure));
    return *out_free;
}

/* As the kernel does it with a template: the first number that is free. */
static bool fill_template(RnNetlink *there, const char *template,
                          char **out_name, GError **error)
{
    int length = (int)strlen(template) - (int)strlen("%d");

    for (unsigned i = 0; i < TEMPLATE_TRIES; i++) {
        g_autofree char *name = g_strdup_printf("%.*s%u", length, template, i);
        bool is_unused = false;

        if (!rn_link_name_is_valid(name))
            break;
        if (!is_free(there, name, &is_unused, error))
            return false;
        if (is_unused) {
            *out_name = g_steal_pointer(&name);
            return true;
        }
    }
    return rn_set_error(error, RN_ERROR_EXISTS, "no free name like \"%s\"",
                        template);
}

/* Looked at before: the kernel would move it and then fail to rename it. */
static bool choose_name(RnNetlink *there, const char *wanted, char **out_name,
                        GError **error)
{
    bool is_unused = false;

    if (strchr(wanted, '%') != NULL)
        return fill_template(there, wanted, out_name, error);
    if (!is_free(there, wanted, &is_unused, error))
        return false;
    if (!is_unused)
        return rn_set_error(error, RN_ERROR_EXISTS,
                            "the container's network namespace has an "
                            "interface \"%s\" already",
                            wanted);
    *out_name = g_strdup(wanted);
    return true;
}

static bool leave(const Sides *sides, unsigned index, const char *new_name,
                  GError **error)
{
    if (rn_netlink_link_move(sides->here, index, sides->netns_fd, new_name,
                             error))
        return true;
    if (rn_error_is_errno(*error, EPERM))
        (void)rn_error_add_hint(error, "only root can give an interface of the "
                                       "host to a container");
    return false;
}

static bool arrive(const Sides *sides, const char *new_name,
                   const GArray *addresses, GError **error)
{
    const RnLinkChange up = { .up = true };
    unsigned index = 0;

    if (!rn_netlink_link_index(sides->there, new_name, &index, error))
        return false;
    for (unsigned i = 0; i < addresses->len; i++) {
        if (!rn_netlink_link_address_add(
                sides->there, index,
                &g_array_index(addresses, RnLinkAddress, i), error))
            return false;
    }
    return rn_netlink_link_change(sides->there, new_name, &up, error);
}

static bool move_device(const Sides *sides, const RnNetDevice *device,
                        GError **error)
{
    g_autoptr(GArray) addresses =
        g_array_new(FALSE, FALSE, sizeof(RnLinkAddress));
    g_autofree char *new_name = NULL;
    unsigned index = 0;

    return rn_netlink_link_index(sides->here, device->name, &index, error) &&
           rn_netlink_link_addresses(sides->here, index, addresses, error) &&
           choose_name(sides->there, new_name_of(device), &new_name, error) &&
           leave(sides, index, new_name, error) &&
           arrive(sides, new_name, addresses, error);
}

static bool move_all(const Sides *sides, const GPtrArray *devices,
                     GError **error)
{
    for (unsigned i = 0; i < devices->len; i++) {
        const RnNetDevice *device = g_ptr_array_index(devices, i);

        if (!move_device(sides, device, error)) {
            add_scope(device, error);
            return false;
        }
    }
    return true;
}

bool rn_net_devices_move(const RnPlan *plan, int netns_fd, GError **error)
{
    const GPtrArray *devices = plan->config->net_devices;
    g_autoptr(RnNetlink) here = NULL;
    g_autoptr(RnNetlink) there = NULL;
    Sides sides = { .netns_fd = netns_fd };

    if (devices->len == 0)
        return true;
    if (!rn_net_devices_check(plan, error))
        return false;
    sides.here = here = rn_netlink_open(error);
    if (here == NULL)
        return false;
    sides.there = there = rn_netlink_open_in(netns_fd, error);
    if (there == NULL) {
        g_prefix_error(error, "linux.netDevices: ");
        return rn_error_is_errno(*error, EPERM)
                   ? rn_error_add_hint(error, "only root can give an interface "
                                              "of the host to a container")
                   : false;
    }
    return move_all(&sides, devices, error);
}
