/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-packet-link - nsagent's link without /dev/net/tun, frame by frame
 *
 * The test is the monitor and the relay: it reads what sockets of the
 * namespace send, answers ARP as the gateway, and writes frames back.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <rnet/net/frame-fields.h>
#include <rnet/net/link.h>
#include <rnet/sys/loop.h>
#include <rnet/util/fd.h>

#include "agent-world.h"
#include "frames.h"

enum {
    TIMEOUT_MS = 20000,
    ARP_LENGTH = 42,
    MAC = 6,
    DEFAULT_MSS = 536, /* RFC 9293, 3.7.1 */
};

static void open_packet_world(World *world, uint32_t mtu)
{
    RnAgentSetup setup = make_setup(true);

    setup.plan = test_plan();
    setup.plan.mtu = mtu;
    setup.plan.link_mode = RN_LINK_MODE_PACKET;
    setup.plan.handoff_mode = RN_HANDOFF_MODE_OFF;
    open_world_with(world, &setup);
}

/* Frames of the test are the guest's; turned round they are the gateway's. */
static void swap_macs(uint8_t *frame)
{
    uint8_t mac[MAC];

    memcpy(mac, frame, MAC);
    memcpy(frame, frame + MAC, MAC);
    memcpy(frame + MAC, mac, MAC);
}

static void write_to_guest(const World *world, TestFrame *frame)
{
    swap_macs(frame->bytes);
    assert_int_equal(write(world->link, frame->bytes, frame->length),
                     frame->length);
}

/* Says that the gateway has the address that is asked for. */
static void answer_arp(const World *world, const uint8_t *request)
{
    RnNetworkPlan plan = test_plan();
    uint8_t reply[ARP_LENGTH];

    memcpy(reply, request, sizeof reply);
    memcpy(reply, request + MAC, MAC);
    memcpy(reply + MAC, plan.gateway_mac, MAC);
    reply[21] = 2;
    memcpy(reply + 22, plan.gateway_mac, MAC);
    memcpy(reply + 28, request + 38, 4);
    memcpy(reply + 32, request + 22, 10);
    assert_int_equal(write(world->link, reply, sizeof reply), sizeof reply);
}

/* The next IPv4 frame of `protocol`; every frame has to be the guest's. */
static void read_frame(const World *world, uint8_t protocol, RnFrame *frame)
{
    static uint8_t buffer[RN_FRAME_MAX];
    RnNetworkPlan plan = test_plan();
    struct pollfd entry = { .fd = world->link, .events = POLLIN };

    for (;;) {
        ssize_t got = 0;

        assert_int_equal(poll(&entry, 1, TIMEOUT_MS), 1);
        got = read(world->link, buffer, sizeof buffer);
        assert_true(got > RN_ETHER_HEADER);
        /* else one of our own writes came back */
        assert_memory_equal(buffer + MAC, plan.guest_mac, MAC);
        /* false: multicast reports, with an extension header */
        if (!rn_frame_parse(buffer, (gsize)got, frame))
            continue;
        if (frame->ether_type == RN_ETHER_TYPE_ARP)
            answer_arp(world, buffer);
        if (frame->source.family == AF_INET && frame->protocol == protocol)
            return;
    }
}

static bool has_right_checksum(const RnFrame *frame)
{
    uint64_t sum = rn_checksum_pseudo(&frame->source, &frame->destination,
                                      frame->protocol, frame->transport_length);

    sum = rn_checksum_add(sum, frame->transport, frame->transport_length);
    return rn_checksum_finish(sum) == 0;
}

static int connect_out(const World *world, int type)
{
    RnEndpoint to = endpoint_of("192.0.2.1", 80);

    return netns_connect(&world->netns, type, &to, NULL);
}

static void datagrams_cross_whole_both_ways(void **state)
{
    static const gsize lengths[] = { 1, 1400, 65000 };
    static uint8_t payload[65536];
    static TestFrame back;
    RnNetworkPlan plan = test_plan();
    World world;
    int fd = -1;

    (void)state;
    open_packet_world(&world, 65520);
    fd = connect_out(&world, SOCK_DGRAM);
    for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++) {
        struct pollfd entry = { .fd = fd, .events = POLLIN };
        RnFrame frame;

        memset(payload, 'a' + (int)i, sizeof payload);
        assert_int_equal(send(fd, payload, lengths[i], 0), lengths[i]);
        read_frame(&world, IPPROTO_UDP, &frame);
        assert_memory_equal(frame.ether, plan.gateway_mac, MAC);
        assert_int_equal(frame.payload_length, lengths[i]);
        assert_memory_equal(frame.payload, payload, lengths[i]);
        assert_int_not_equal(rn_get16(frame.transport + 6), 0);
        assert_true(has_right_checksum(&frame));

        test_udp_frame(&plan, &frame.destination, &frame.source, payload,
                       lengths[i], &back);
        write_to_guest(&world, &back);
        assert_int_equal(poll(&entry, 1, TIMEOUT_MS), 1);
        assert_int_equal(recv(fd, payload, sizeof payload, 0), lengths[i]);
    }
    (void)close(fd);
    close_world(&world);
}

/* What is sent at once would be one frame if the kernel left the cutting. */
static void tcp_arrives_in_segments_with_checksums(void **state)
{
    static uint8_t payload[8 * DEFAULT_MSS];
    static TestFrame back;
    RnNetworkPlan plan = test_plan();
    TestSegment segment = { .sequence = 1000,
                            .flags = RN_TCP_SYN | RN_TCP_ACK };
    gsize seen = 0;
    World world;
    RnFrame frame;
    int fd = -1;

    (void)state;
    open_packet_world(&world, 1500);
    fd = connect_out(&world, SOCK_STREAM);
    read_frame(&world, IPPROTO_TCP, &frame);
    assert_int_equal(frame.tcp_flags & RN_TCP_SYN, RN_TCP_SYN);
    assert_true(has_right_checksum(&frame));
    segment.source = frame.destination;
    segment.destination = frame.source;
    segment.acknowledged = rn_get32(frame.transport + 4) + 1;
    test_tcp_frame(&plan, &segment, &back);
    write_to_guest(&world, &back);
    assert_int_equal(await_connect(fd), 0);
    assert_int_equal(send(fd, payload, sizeof payload, 0), sizeof payload);
    while (seen < sizeof payload) {
        gsize header = 0;

        read_frame(&world, IPPROTO_TCP, &frame);
        assert_true(has_right_checksum(&frame));
        header = (gsize)(frame.transport[12] >> 4) * 4;
        assert_true(frame.transport_length - header <= DEFAULT_MSS);
        seen += frame.transport_length - header;
    }
    (void)close(fd);
    close_world(&world);
}

static char *delete_link(void *data)
{
    struct {
        struct nlmsghdr header;
        struct ifinfomsg link;
    } request = {
        .header = { .nlmsg_len = sizeof request,
                    .nlmsg_type = RTM_DELLINK,
                    .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
        .link = { .ifi_index = (int)if_nametoindex("tap0") },
    };
    struct {
        struct nlmsghdr header;
        struct nlmsgerr status;
        struct nlmsghdr spare[8];
    } reply = { 0 };
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

    (void)data;
    if (send(fd, &request, sizeof request, 0) != sizeof request ||
        recv(fd, &reply, sizeof reply, 0) < 0 || reply.status.error != 0)
        return g_strdup("cannot delete the interface");
    return NULL;
}

static void note_frame(G_GNUC_UNUSED const uint8_t *frame,
                       G_GNUC_UNUSED gsize length, G_GNUC_UNUSED void *data)
{
}

static void note_end(G_GNUC_UNUSED int errno_value, void *data)
{
    *(bool *)data = true;
}

/* The container may do that; it cuts off nobody but itself. */
static void interface_deleted_inside_is_not_the_relays_end(void **state)
{
    static TestFrame frame;
    RnNetworkPlan plan = test_plan();
    bool has_ended = false;
    RnLinkHandlers handlers = {
        .frame = note_frame,
        .end = note_end,
        .data = &has_ended,
    };
    g_autoptr(RnLoop) loop = rn_loop_new(NULL);
    struct pollfd entry = { .events = POLLIN };
    World world;
    RnLink *link = NULL;

    (void)state;
    open_packet_world(&world, 65520);
    entry.fd = world.link;
    link = rn_link_new(loop, world.link, &handlers, NULL);
    world.link = -1;
    netns_run(&world.netns, delete_link, NULL);
    do
        assert_true(rn_loop_turn(loop, TIMEOUT_MS, NULL));
    while (poll(&entry, 1, 0) == 1);
    test_arp_frame(&plan, &plan.guest4, &frame);
    rn_link_send(link, frame.bytes, frame.length);
    assert_int_equal(rn_link_counters(link)->dropped, 1);
    assert_false(has_ended);
    rn_link_free(link);
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(datagrams_cross_whole_both_ways),
        cmocka_unit_test(tcp_arrives_in_segments_with_checksums),
        cmocka_unit_test(interface_deleted_inside_is_not_the_relays_end),
    };

    return cmocka_run_group_tests_name("packet-link", tests, NULL, NULL);
}
