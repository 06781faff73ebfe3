/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-net-devices - interfaces that move from one namespace to another
 *
 * Both are below a user namespace that the test is root of, so that it runs
 * without privileges: a veth pair's ends are the interfaces.
 */
#include "config.h"

#include <unit.h>

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <unistd.h>

#include <linux/if_addr.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <rnet/runtime/net-devices.h>
#include <rnet/sys/netlink-link.h>
#include <rnet/util/fd.h>

#include "netns.h"

typedef struct Bench {
    RnConfig config;
    RnPlan plan;
    RnNetDevice device;
    int target_fd; /* the other network namespace */
} Bench;

static RnEndpoint address_of(const char *text)
{
    RnEndpoint endpoint = { 0 };

    (void)!rn_endpoint_parse_address(text, &endpoint, NULL);
    return endpoint;
}

/* Makes another network namespace and stays in the first. */
static int make_target(void)
{
    int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    int target = -1;

    if (unshare(CLONE_NEWNET) == 0)
        target = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (setns(home, CLONE_NEWNET) < 0)
        _exit(99);
    (void)close(home);
    return target;
}

static bool make_veth(const Bench *bench, RnNetlink *netlink, const char *name,
                      const char *peer, bool peer_there, GError **error)
{
    rn_autofd int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    const RnVeth veth = {
        .name = name,
        .peer = peer,
        .peer_netns_fd = peer_there ? bench->target_fd : here,
        .mtu = 1400,
    };

    return rn_netlink_veth_add(netlink, &veth, error);
}

static bool add_addresses(RnNetlink *netlink, unsigned index, GError **error)
{
    RnLinkAddress address = {
        .address = address_of("192.0.2.7"),
        .peer = address_of("192.0.2.7"),
        .broadcast = address_of("192.0.2.255"),
        .prefix = 24,
        .flags = IFA_F_NOPREFIXROUTE,
    };
    const RnEndpoint second = address_of("198.51.100.9");
    const RnEndpoint third = address_of("2001:db8::7");

    return rn_netlink_link_address_add(netlink, index, &address, error) &&
           rn_netlink_address_add(netlink, index, &second, 32, RN_ADDRESS_PLAIN,
                                  error) &&
           rn_netlink_address_add(netlink, index, &third, 64, RN_ADDRESS_NODAD,
                                  error);
}

static char *check_list(const GArray *list)
{
    static const char *const expected[] = { "192.0.2.7", "198.51.100.9",
                                            "2001:db8::7" };
    const RnLinkAddress *first = NULL;

    if (list->len != G_N_ELEMENTS(expected))
        return g_strdup_printf("%u addresses", list->len);
    for (unsigned i = 0; i < list->len; i++) {
        char text[RN_ENDPOINT_TEXT];

        (void)rn_endpoint_format_address(
            &g_array_index(list, RnLinkAddress, i).address, text);
        if (strcmp(text, expected[i]) != 0)
            return g_strdup_printf("%s in place of %s", text, expected[i]);
    }
    first = &g_array_index(list, RnLinkAddress, 0);
    if (first->prefix != 24 || first->broadcast.family != AF_INET ||
        first->flags != IFA_F_NOPREFIXROUTE)
        return g_strdup("the first address lost its prefix, broadcast or flag");
    return NULL;
}

static char *check_link(const char *name)
{
    struct ifreq request = { 0 };
    rn_autofd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    g_strlcpy(request.ifr_name, name, sizeof request.ifr_name);
    if (ioctl(fd, SIOCGIFFLAGS, &request) < 0)
        return g_strdup_printf("no \"%s\" in the container", name);
    if ((request.ifr_flags & IFF_UP) == 0)
        return g_strdup("the interface is down");
    if (ioctl(fd, SIOCGIFMTU, &request) < 0 || request.ifr_mtu != 1400)
        return g_strdup("the interface lost its MTU");
    return NULL;
}

static char *check_arrival(const Bench *bench, const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RnNetlink) there = rn_netlink_open_in(bench->target_fd, &error);
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(RnLinkAddress));
    unsigned index = 0;
    char *problem = NULL;

    if (there == NULL || !rn_netlink_link_index(there, name, &index, &error) ||
        !rn_netlink_link_addresses(there, index, list, &error))
        return g_strdup(error->message);
    problem = check_list(list);
    if (problem != NULL)
        return problem;
    if (setns(bench->target_fd, CLONE_NEWNET) < 0)
        return g_strdup("setns");
    return check_link(name);
}

static void bench_init(Bench *bench, const char *name, const char *new_name)
{
    bench->device = (RnNetDevice){ (char *)name, (char *)new_name };
    bench->config.net_devices = g_ptr_array_new();
    g_ptr_array_add(bench->config.net_devices, &bench->device);
    bench->plan.config = &bench->config;
    bench->plan.namespaces = CLONE_NEWNET;
    bench->plan.joins = g_ptr_array_new();
    bench->target_fd = make_target();
}

/* data: the new name, and the one that comes of it */
static char *move_with_addresses(void *data)
{
    const char *const *names = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(RnNetlink) netlink = rn_netlink_open(&error);
    const RnLinkChange up = { .up = true };
    Bench bench = { 0 };
    unsigned index = 0;

    bench_init(&bench, "out0", names[0]);
    /* eth0 there is taken, and the index, too */
    if (!make_veth(&bench, netlink, "other", "eth0", true, &error) ||
        !make_veth(&bench, netlink, "out0", "out1", false, &error) ||
        !rn_netlink_link_index(netlink, "out0", &index, &error) ||
        !rn_netlink_link_change(netlink, "out0", &up, &error) ||
        !add_addresses(netlink, index, &error) ||
        !rn_net_devices_move(&bench.plan, bench.target_fd, &error))
        return g_strdup(error->message);
    if (rn_netlink_link_index(netlink, "out0", &index, NULL))
        return g_strdup("the interface is still here");
    return check_arrival(&bench, names[1]);
}

static char *move_to_a_name_that_is_taken(void *data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RnNetlink) netlink = rn_netlink_open(&error);
    Bench bench = { 0 };
    unsigned index = 0;

    (void)data;
    bench_init(&bench, "out0", "eth0");
    if (!make_veth(&bench, netlink, "other", "eth0", true, &error) ||
        !make_veth(&bench, netlink, "out0", "out1", false, &error))
        return g_strdup(error->message);
    if (rn_net_devices_move(&bench.plan, bench.target_fd, &error))
        return g_strdup("moved");
    if (!g_error_matches(error, RN_ERROR, RN_ERROR_EXISTS) ||
        strstr(error->message, "linux.netDevices: \"out0\"") == NULL)
        return g_strdup(error->message);
    return rn_netlink_link_index(netlink, "out0", &index, NULL)
               ? NULL
               : g_strdup("the interface is away");
}

static char *move_what_is_not_there(void *data)
{
    g_autoptr(GError) error = NULL;
    Bench bench = { 0 };

    (void)data;
    bench_init(&bench, "none", NULL);
    if (rn_net_devices_move(&bench.plan, bench.target_fd, &error))
        return g_strdup("moved");
    return rn_error_is_errno(error, ENODEV) &&
                   strstr(error->message, "\"none\"") != NULL
               ? NULL
               : g_strdup(error->message);
}

static void run_inside(NetnsFunc func, void *data)
{
    Netns netns = { -1, -1 };

    netns_open(&netns);
    netns_run(&netns, func, data);
    netns_close(&netns);
}

static void device_keeps_what_it_was_given(void **state)
{
    static const char *const plain[] = { "ctr0", "ctr0" };
    static const char *const same[] = { NULL, "out0" };
    static const char *const template[] = { "eth%d", "eth1" };

    (void)state;
    run_inside(move_with_addresses, (void *)plain);
    run_inside(move_with_addresses, (void *)same);
    run_inside(move_with_addresses, (void *)template);
}

static void device_that_cannot_move_stays(void **state)
{
    (void)state;
    run_inside(move_to_a_name_that_is_taken, NULL);
    run_inside(move_what_is_not_there, NULL);
}

typedef struct CheckCase {
    const char *name, *new_name;
    uint64_t namespaces;
    const char *refusal;
} CheckCase;

static const CheckCase check_cases[] = {
    { "eth0", NULL, CLONE_NEWNET, NULL },
    { "eth0", "ctr%d", CLONE_NEWNET, NULL },
    { "eth0", "", CLONE_NEWNET, NULL },
    { "eth0", NULL, 0, "no network namespace" },
    { "eth/0", NULL, CLONE_NEWNET, "\"eth/0\": is not an interface's name" },
    { "eth%d", "x", CLONE_NEWNET, "is not an interface's name" },
    { "eth0", "a b", CLONE_NEWNET, "the new name is not" },
    { "eth0", "%d", CLONE_NEWNET, "the new name is not" },
    { "eth0", "a%db", CLONE_NEWNET, "the new name is not" },
    { "eth0", "a%s", CLONE_NEWNET, "the new name is not" },
    { "eth0", "sixteen--letters", CLONE_NEWNET, "the new name is not" },
    { "eth0", "twin", CLONE_NEWNET, "is the new name of another one" },
};

static void names_are_checked_before_anything_moves(void **state)
{
    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(check_cases); i++) {
        const CheckCase *item = &check_cases[i];
        RnNetDevice devices[] = {
            { (char *)"first", (char *)"twin" },
            { (char *)item->name, (char *)item->new_name },
        };
        g_autoptr(GPtrArray) list = g_ptr_array_new();
        g_autoptr(GPtrArray) joins = g_ptr_array_new();
        RnConfig config = { .net_devices = list };
        RnPlan plan = {
            .config = &config,
            .namespaces = item->namespaces,
            .joins = joins,
        };
        g_autoptr(GError) error = NULL;

        g_ptr_array_add(list, &devices[0]);
        g_ptr_array_add(list, &devices[1]);
        print_message("# case %u\n", i);
        assert_true(rn_net_devices_check(&plan, &error) ==
                    (item->refusal == NULL));
        if (item->refusal == NULL)
            assert_no_error(error);
        else
            assert_error(error, RN_ERROR, RN_ERROR_INVALID, item->refusal);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(device_keeps_what_it_was_given),
        cmocka_unit_test(device_that_cannot_move_stays),
        cmocka_unit_test(names_are_checked_before_anything_moves),
    };

    return cmocka_run_group_tests_name("net-devices", tests, NULL, NULL);
}
