/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-veth - a veth pair as a link, and what its interface leaves undone
 */
#include "config.h"

#include <rnet/sys/veth.h>

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <unistd.h>

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <linux/ethtool.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>

#include <rnet/sys/ethtool.h>

#include "netns.h"

enum {
    MTU = 65520,
    DEADLINE_S = 20,
};

static void offloads_told_apart_by_name(void **state)
{
    static const struct {
        const char *feature;
        bool is_offload;
    } cases[] = {
        { "tx-checksum-ip-generic", true },
        { "tx-tcp-segmentation", true },
        { "tx-udp-segmentation", true },
        { "tx-vlan-hw-insert", true },
        { "tx-scatter-gather", false },
        { "tx-scatter-gather-fraglist", false },
        { "tx-generic-segmentation", false },
        { "rx-checksum", false },
        { "", false },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        if (rn_ethtool_is_offload(cases[i].feature) != cases[i].is_offload)
            fail_msg("\"%s\"", cases[i].feature);
    }
}

static void name_invalid_refused_before_anything_is_made(void **state)
{
    static const char *const names[] = { "", "tap%d", "../x", "a b" };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GError) error = NULL;
        int fd = 77;

        assert_false(rn_veth_open(names[i], MTU, &fd, &error));
        assert_error(error, RN_ERROR, RN_ERROR_INVALID, "not an interface");
        assert_int_equal(fd, 77);
    }
}

/* One of the old ETHTOOL_G* requests for a flag; MTU for SIOCGIFMTU. */
static int ask_interface(unsigned long request, uint32_t command)
{
    struct ethtool_value value = { .cmd = command };
    struct ifreq ifreq = { .ifr_name = "tap7" };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int result = -1;

    if (request == SIOCETHTOOL)
        ifreq.ifr_data = (void *)&value;
    if (ioctl(fd, request, &ifreq) == 0)
        result = request == SIOCETHTOOL ? (int)value.data : ifreq.ifr_mtu;
    (void)close(fd);
    return result;
}

static char *wait_for_end(int events)
{
    struct timeval deadline = { .tv_sec = DEADLINE_S };
    char buffer[8192];

    (void)setsockopt(events, SOL_SOCKET, SO_RCVTIMEO, &deadline,
                     sizeof deadline);
    while (if_nametoindex("tap7") != 0) {
        if (recv(events, buffer, sizeof buffer, 0) < 0)
            return g_strdup("the interface outlived its fd");
    }
    return NULL;
}

static char *open_pairs(void *data)
{
    struct sockaddr_nl address = { .nl_family = AF_NETLINK,
                                   .nl_groups = RTMGRP_LINK };
    g_autoptr(GError) error = NULL;
    int events = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    int fd = -1;
    int second = -1;

    (void)data;
    if (!rn_veth_open("tap7", MTU, &fd, &error))
        return g_strdup(error->message);
    if (bind(events, (struct sockaddr *)&address, sizeof address) < 0)
        return g_strdup("no netlink events");
    if (if_nametoindex("tap7") == 0 || if_nametoindex("link0") != 0)
        return g_strdup("not exactly one interface came up here");
    if (ask_interface(SIOCGIFMTU, 0) != MTU)
        return g_strdup("not the MTU");
    if (ask_interface(SIOCETHTOOL, ETHTOOL_GTXCSUM) != 0 ||
        ask_interface(SIOCETHTOOL, ETHTOOL_GTSO) != 0)
        return g_strdup("checksums or segments are left to the link");
    if ((fcntl(fd, F_GETFL) & O_NONBLOCK) == 0 ||
        (fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0)
        return g_strdup("not non-blocking, or not close-on-exec");
    if (rn_veth_open("tap7", MTU, &second, &error) ||
        !rn_error_is_errno(error, EEXIST) ||
        strstr(error->message, "\nhint: the namespace has") == NULL)
        return g_strdup("the same name could be made twice");
    if (if_nametoindex("tap7") == 0)
        return g_strdup("a failure leads out of the namespace");
    (void)close(fd);
    return wait_for_end(events);
}

static void pair_opened_lives_as_long_as_its_fd(void **state)
{
    Netns netns = { -1, -1 };

    (void)state;
    netns_open(&netns);
    netns_run(&netns, open_pairs, NULL);
    netns_close(&netns);
}

static char *exhaust_namespaces(void *data)
{
    g_autoptr(GError) error = NULL;
    int limit = open("/proc/sys/user/max_net_namespaces", O_WRONLY | O_CLOEXEC);
    int fd = -1;

    (void)data;
    if (limit < 0 || write(limit, "0", 1) != 1)
        return NULL; /* read-only: nothing to show */
    if (rn_veth_open("tap7", MTU, &fd, &error) ||
        !rn_error_is_errno(error, ENOSPC) ||
        strstr(error->message, "max_net_namespaces") == NULL)
        return g_strdup("a limit of 0 was not told");
    return NULL;
}

static void namespaces_used_up_are_told(void **state)
{
    Netns netns = { -1, -1 };

    (void)state;
    netns_open(&netns);
    netns_run(&netns, exhaust_namespaces, NULL);
    netns_close(&netns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offloads_told_apart_by_name),
        cmocka_unit_test(name_invalid_refused_before_anything_is_made),
        cmocka_unit_test(pair_opened_lives_as_long_as_its_fd),
        cmocka_unit_test(namespaces_used_up_are_told),
    };

    return cmocka_run_group_tests_name("veth", tests, NULL, NULL);
}
