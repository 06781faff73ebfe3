/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slirp - the glue to libslirp
 *
 * Role:     configuration from the plan, libslirp's callbacks, the poll turn
 * Runs in:  the relay
 * Data:     filtered frames -> libslirp -> host sockets, and back to `send`
 * Owns:     the stack, its timers, the array for poll(2), published ports
 * Failure:  a bad plan is found before slirp_new() (slirp-plan.c); what goes
 *           wrong with one connection, no more fds included, libslirp answers
 *           towards the guest
 */
#include "config.h"

#include <rnet/net/slirp.h>

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include <rnet/net/address-plan.h>
#include <rnet/net/fd-room.h>
#include <rnet/net/slirp-plan.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>

#include "slirp-forward.h"
#include "slirp-library.h"

/* libslirp.h, 4.7: what version 4 of the configuration has is what is set */
enum {
    CONFIG_VERSION = 4,
    STACK_IDLE_MS = 1000, /* slirp_update_timeout() in its src/slirp.c */

    FD_RESERVE = 32,     /* left to others when clients are accepted */
    SHORT_WAIT_MS = 500, /* until fds are looked for again */
};

G_STATIC_ASSERT(SLIRP_CONFIG_VERSION_MAX >= CONFIG_VERSION);

struct RnSlirp {
    const RnNetworkPlan *plan;
    const RnSlirpLibrary *library;
    Slirp *stack;
    RnLoop *loop;
    RnSlirpSendFunc send;
    void *send_data;
    GArray *polled; /* of struct pollfd; [0] is the loop's epoll fd */
    unsigned n_sockets;
    RnSlirpForwards forwards;
    bool is_short; /* of fds: nobody is accepted */
    /* libslirp keeps the pointers to these */
    struct sockaddr_in outbound4;
    struct sockaddr_in6 outbound6;
};

/* A timer of libslirp. */
typedef struct StackTimer {
    RnTimer timer;
    RnSlirp *slirp;
    SlirpTimerId id;
    void *opaque;
} StackTimer;

/* The bits of libslirp's poll interface and those of poll(2). */
static const struct {
    int slirp;
    short poll;
} event_bits[] = {
    { SLIRP_POLL_IN, POLLIN },   { SLIRP_POLL_OUT, POLLOUT },
    { SLIRP_POLL_PRI, POLLPRI }, { SLIRP_POLL_ERR, POLLERR },
    { SLIRP_POLL_HUP, POLLHUP },
};

/* SlirpCb.send_packet: a dropped frame counts as sent, TCP sends it again. */
static ssize_t send_packet(const void *frame, size_t length, void *opaque)
{
    RnSlirp *slirp = opaque;

    slirp->send(frame, length, slirp->send_data);
    return (ssize_t)length;
}

/* SlirpCb.guest_error */
static void note_guest_error(const char *text, void *opaque)
{
    (void)opaque;
    rn_log_debug("slirp: the guest misbehaves: %s", text);
}

/* SlirpCb.clock_get_ns */
static int64_t get_clock_ns(void *opaque)
{
    struct timespec now = { 0 };

    (void)opaque;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* SlirpCb.timer_new_opaque */
static void *create_timer(SlirpTimerId id, void *timer_opaque, void *opaque)
{
    StackTimer *created = g_new0(StackTimer, 1);

    created->slirp = opaque;
    created->id = id;
    created->opaque = timer_opaque;
    return created;
}

/* SlirpCb.timer_free */
static void free_timer(void *timer, void *opaque)
{
    StackTimer *ended = timer;

    (void)opaque;
    if (ended == NULL)
        return;
    rn_timer_cancel(&ended->timer);
    g_free(ended);
}

static void fire_timer(RnTimer *timer)
{
    StackTimer *due = timer->data;

    due->slirp->library->slirp_handle_timer(due->slirp->stack, due->id,
                                            due->opaque);
}

/* SlirpCb.timer_mod: the time is on the clock of get_clock_ns(). */
static void set_timer(void *timer, int64_t expire_ms, void *opaque)
{
    StackTimer *changed = timer;
    RnSlirp *slirp = opaque;

    rn_loop_set_timer(slirp->loop, &changed->timer,
                      expire_ms - get_clock_ns(NULL) / 1000000, fire_timer,
                      changed);
}

/* SlirpCb.register_poll_fd: the set is asked for every turn; only counted. */
static void register_fd(int fd, void *opaque)
{
    RnSlirp *slirp = opaque;

    (void)fd;
    slirp->n_sockets++;
}

/* SlirpCb.unregister_poll_fd; libslirp 4.7 also names fds it never got. */
static void unregister_fd(int fd, void *opaque)
{
    RnSlirp *slirp = opaque;

    if (fd >= 0 && slirp->n_sockets > 0)
        slirp->n_sockets--;
}

/* SlirpCb.notify: nothing sleeps while libslirp runs. */
static void ignore_notify(void *opaque)
{
    (void)opaque;
}

/*
 * libslirp keeps the pointer to this table. The names changed with version 6
 * (libslirp 4.9), which still takes these in a configuration of version 4.
 */
static const SlirpCb callbacks = {
    .send_packet = send_packet,
    .guest_error = note_guest_error,
    .clock_get_ns = get_clock_ns,
    .timer_new_opaque = create_timer,
    .timer_free = free_timer,
    .timer_mod = set_timer,
    .register_poll_fd = register_fd,
    .unregister_poll_fd = unregister_fd,
    .notify = ignore_notify,
};

static struct in_addr get_in4(const RnEndpoint *endpoint)
{
    struct in_addr address;

    memcpy(&address, endpoint->address, sizeof address);
    return address;
}

static struct in6_addr get_in6(const RnEndpoint *endpoint)
{
    struct in6_addr address;

    memcpy(&address, endpoint->address, sizeof address);
    return address;
}

/* What libslirp's own sockets are bound to. */
static void set_outbound(RnSlirp *slirp, const RnNetworkPlan *plan,
                         SlirpConfig *config)
{
    if (plan->outbound4.family == AF_INET) {
        slirp->outbound4 = (struct sockaddr_in){
            .sin_family = AF_INET,
            .sin_addr = get_in4(&plan->outbound4),
        };
        config->outbound_addr = &slirp->outbound4;
    }
    if (plan->outbound6.family == AF_INET6) {
        slirp->outbound6 = (struct sockaddr_in6){
            .sin6_family = AF_INET6,
            .sin6_addr = get_in6(&plan->outbound6),
            .sin6_scope_id = plan->outbound6.scope,
        };
        config->outbound_addr6 = &slirp->outbound6;
    }
}

static SlirpConfig make_config(const RnNetworkPlan *plan)
{
    uint32_t mask = UINT32_MAX << (32 - plan->prefix4);

    return (SlirpConfig){
        .version = CONFIG_VERSION,
        .restricted = 0,
        .in_enabled = true,
        .vnetwork = get_in4(&plan->network4),
        .vnetmask = { .s_addr = htonl(mask) },
        .vhost = get_in4(&plan->gateway4),
        .in6_enabled = plan->prefix6 > 0,
        .vprefix_addr6 = get_in6(&plan->network6),
        .vprefix_len = plan->prefix6,
        .vhost6 = get_in6(&plan->gateway6),
        .vdhcp_start = get_in4(&plan->guest4),
        .vnameserver = get_in4(&plan->dns4),
        .vnameserver6 = get_in6(&plan->dns6),
        .if_mtu = plan->mtu,
        .if_mru = plan->mtu,
        .disable_host_loopback = plan->host_loopback == 0,
        .enable_emu = false,
        .disable_dns = plan->no_dns != 0,
        .disable_dhcp = false,
    };
}

const char *rn_slirp_library_version(void)
{
    const RnSlirpLibrary *library = rn_slirp_library(NULL);

    return library == NULL ? "missing" : library->slirp_version_string();
}

unsigned rn_slirp_config_version(void)
{
    return CONFIG_VERSION;
}

RnSlirp *rn_slirp_new(const RnNetworkPlan *plan, RnLoop *loop,
                      RnSlirpSendFunc send, void *data, GError **error)
{
    g_autoptr(RnSlirp) slirp = g_new0(RnSlirp, 1);
    SlirpConfig config = { 0 };

    slirp->polled = g_array_new(FALSE, FALSE, sizeof(struct pollfd));
    slirp->plan = plan;
    slirp->loop = loop;
    slirp->send = send;
    slirp->send_data = data;
    if (!rn_slirp_check_plan(plan, error)) {
        g_prefix_error(error, "network plan: ");
        return NULL;
    }
    slirp->library = rn_slirp_library(error);
    if (slirp->library == NULL)
        return NULL;
    config = make_config(plan);
    set_outbound(slirp, plan, &config);
    slirp->stack = slirp->library->slirp_new(&config, &callbacks, slirp);
    if (slirp->stack == NULL) {
        (void)rn_set_error(error, RN_ERROR_INVALID,
                           "libslirp %s refuses its configuration",
                           slirp->library->slirp_version_string());
        return NULL;
    }
    return g_steal_pointer(&slirp);
}

void rn_slirp_free(RnSlirp *slirp)
{
    if (slirp == NULL)
        return;
    if (slirp->stack != NULL)
        slirp->library->slirp_cleanup(slirp->stack);
    rn_slirp_forwards_clear(&slirp->forwards);
    g_array_unref(slirp->polled);
    g_free(slirp);
}

void rn_slirp_input(RnSlirp *slirp, const uint8_t *frame, gsize length)
{
    slirp->library->slirp_input(slirp->stack, frame, (int)length);
}

bool rn_slirp_forwards_ping6(void)
{
    /* its commit bc0ccfd, "icmp6: Add echo request forwarding support" */
    return SLIRP_CHECK_VERSION(4, 8, 0);
}

unsigned rn_slirp_n_sockets(const RnSlirp *slirp)
{
    return slirp->n_sockets;
}

/* SlirpAddPollCb: the answer is the index that get_events() is asked for. */
static int add_fd(int fd, int events, void *opaque)
{
    RnSlirp *slirp = opaque;
    struct pollfd entry = { .fd = fd };

    /* libslirp does not know what a lack of fds is, and would try for ever */
    if (slirp->is_short && rn_slirp_forwards_have(&slirp->forwards, fd))
        events = 0;
    for (unsigned i = 0; i < G_N_ELEMENTS(event_bits); i++) {
        if ((events & event_bits[i].slirp) != 0)
            entry.events |= event_bits[i].poll;
    }
    g_array_append_val(slirp->polled, entry);
    return (int)slirp->polled->len - 1;
}

/* SlirpGetREventsCb */
static int get_events(int index, void *opaque)
{
    RnSlirp *slirp = opaque;
    const struct pollfd *entry =
        &g_array_index(slirp->polled, struct pollfd, index);
    int events = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(event_bits); i++) {
        if ((entry->revents & event_bits[i].poll) != 0)
            events |= event_bits[i].slirp;
    }
    return events;
}

/* The shorter of two waits in ms, where -1 is for ever. */
static int min_wait(int a, int b)
{
    if (a < 0)
        return b;
    return b < 0 ? a : MIN(a, b);
}

/*
 * Waits for libslirp's sockets and the loop's fds. Without sockets, the case of
 * an idle or merely publishing container, the loop's wait is enough: one system
 * call a turn instead of two.
 */
static bool wait_for_all(RnSlirp *slirp, int wait_ms, bool *out_failed,
                         GError **error)
{
    struct pollfd *entries = (struct pollfd *)(void *)slirp->polled->data;
    int n_ready = 0;

    *out_failed = false;
    if (slirp->polled->len == 1)
        return rn_loop_wait(slirp->loop, wait_ms, error);
    wait_ms = min_wait(wait_ms, rn_loop_next_timeout(slirp->loop));
    n_ready = poll(entries, slirp->polled->len, wait_ms);
    if (n_ready < 0 && errno != EINTR)
        return rn_set_errno(error, errno, "poll %u sockets",
                            slirp->polled->len);
    *out_failed = n_ready < 0;
    return n_ready <= 0 || entries[0].revents == 0 ||
           rn_loop_wait(slirp->loop, 0, error);
}

bool rn_slirp_turn(RnSlirp *slirp, int max_wait_ms, GError **error)
{
    struct pollfd loop_entry = { .fd = rn_loop_fd(slirp->loop),
                                 .events = POLLIN };
    uint32_t stack_wait_ms = UINT32_MAX;
    int wait_ms = max_wait_ms;
    bool failed = false;

    slirp->is_short = rn_slirp_forwards_count(&slirp->forwards) > 0 &&
                      !rn_fd_room(rn_loop_fd(slirp->loop), FD_RESERVE);
    if (slirp->is_short)
        wait_ms = min_wait(wait_ms, SHORT_WAIT_MS);
    g_array_set_size(slirp->polled, 0);
    g_array_append_val(slirp->polled, loop_entry);
    slirp->library->slirp_pollfds_fill(slirp->stack, &stack_wait_ms, add_fd,
                                       slirp);
    /* the longest it asks for means that it has nothing to time */
    if (stack_wait_ms < STACK_IDLE_MS)
        wait_ms = min_wait(wait_ms, (int)stack_wait_ms);
    if (!wait_for_all(slirp, wait_ms, &failed, error))
        return false;
    slirp->library->slirp_pollfds_poll(slirp->stack, failed, get_events, slirp);
    rn_loop_dispatch(slirp->loop);
    return true;
}

bool rn_slirp_publish(RnSlirp *slirp, const RnRelayListener *info, int take_fd,
                      GError **error)
{
    rn_autofd int listener = take_fd;
    RnEndpoint target;

    if (!rn_slirp_find_target(slirp->plan, info, &target, error) ||
        !rn_slirp_forward_add(&slirp->forwards, slirp->stack, info->id,
                              listener, &target, error))
        return false;
    slirp->n_sockets++; /* it will be unregistered without having been so */
    return true;
}

unsigned rn_slirp_withdraw(RnSlirp *slirp, uint32_t id)
{
    return rn_slirp_forward_remove(&slirp->forwards, slirp->stack, id);
}
