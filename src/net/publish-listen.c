/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * publish-listen - the host's sockets for published ports
 *
 * Runs in the launcher, in the host's network namespace, before anything else
 * is made: the cheapest moment to fail. The sockets go to the relay and stay
 * with the monitor, so that a relay that is started again has the same ones.
 * Failure closes all that were opened.
 */
#include "config.h"

#include <rnet/net/publish.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <netinet/in.h>

#include <rnet/net/port-owner.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>
#include <rnet/util/parse.h>

enum {
    SYSCTL_MAX = 64 /* bytes of /proc/sys/net/ipv4/... */
};

static const struct {
    const char *name;
    int type;
} transports[] = {
    [RN_TRANSPORT_TCP] = { "tcp", SOCK_STREAM },
    [RN_TRANSPORT_UDP] = { "udp", SOCK_DGRAM },
};
G_STATIC_ASSERT(G_N_ELEMENTS(transports) == RN_TRANSPORT_N_);

/* The first port that anyone may bind: ip_sysctl.rst; 0 if not known. */
static unsigned read_first_unprivileged_port(void)
{
    g_autofree char *text = NULL;
    uint64_t port = 0;

    if (!rn_file_read(AT_FDCWD, "/proc/sys/net/ipv4/ip_unprivileged_port_start",
                      SYSCTL_MAX, &text, NULL, NULL) ||
        !rn_parse_uint(g_strchomp(text), 0, UINT16_MAX + 1, "port", &port,
                       NULL))
        return 0;
    return (unsigned)port;
}

static bool explain_in_use(const RnRelayListener *info, const char *where,
                           GError **error)
{
    g_autofree char *owner =
        rn_port_owner_describe((RnTransport)info->transport, &info->host);

    (void)rn_set_error(error, RN_ERROR_EXISTS, "listen on %s: in use%s%s",
                       where, owner == NULL ? "" : " by ",
                       owner == NULL ? "" : owner);
    return rn_error_add_hint(
        error,
        "take another host port, or end what uses it "
        "(\"ss -lnp --%s 'sport = :%u'\" as root shows it)",
        transports[info->transport].name, info->host.port);
}

static bool explain_privileged(const RnRelayListener *info, const char *where,
                               GError **error)
{
    unsigned first = read_first_unprivileged_port();

    (void)rn_set_errno(error, EACCES, "listen on %s", where);
    if (info->host.port >= first)
        return false;
    return rn_error_add_hint(
        error,
        "ports below %u are for root (net.ipv4.ip_unprivileged_port_start): "
        "take a higher host port, or open them once with \"sudo sysctl "
        "net.ipv4.ip_unprivileged_port_start=%u\"",
        first, info->host.port);
}

/* Sets the error for a listener that could not be opened. Always false. */
static bool explain_failure(int errno_value, const RnRelayListener *info,
                            GError **error)
{
    char address[RN_ENDPOINT_TEXT];
    g_autofree char *where =
        g_strdup_printf("%s/%s", rn_endpoint_format(&info->host, address),
                        transports[info->transport].name);

    switch (errno_value) {
    case EADDRINUSE:
        return explain_in_use(info, where, error);
    case EACCES:
        return explain_privileged(info, where, error);
    case EADDRNOTAVAIL:
        (void)rn_set_errno(error, errno_value,
                           "listen on %s: no interface has this address",
                           where);
        return rn_error_add_hint(error, "\"ip address\" lists the addresses of "
                                        "this host");
    case EMFILE:
        (void)rn_set_errno(error, errno_value, "listen on %s", where);
        return rn_error_add_hint(error, "raise the limit of open files "
                                        "(ulimit -n), or publish fewer ports");
    default:
        return rn_set_errno(error, errno_value, "listen on %s", where);
    }
}

static bool set_flag(int fd, int level, int option)
{
    static const int on = 1;

    return setsockopt(fd, level, option, &on, sizeof on) == 0;
}

/* Binds and listens; returns 0 or an errno value. */
static int prepare_socket(int fd, const RnRelayListener *info)
{
    struct sockaddr_storage storage;
    socklen_t length = rn_endpoint_to_sockaddr(&info->host, &storage);
    bool tcp = info->transport == RN_TRANSPORT_TCP;

    /* TCP: a port with connections in TIME_WAIT is free. On UDP the option
     * would let two sockets share a port. */
    if (tcp && !set_flag(fd, SOL_SOCKET, SO_REUSEADDR))
        return errno;
    if (info->host.family == AF_INET6 &&
        !set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY))
        return errno;
    if (bind(fd, (const struct sockaddr *)&storage, length) < 0)
        return errno;
    if (tcp && listen(fd, SOMAXCONN) < 0)
        return errno;
    return 0;
}

static int read_bound_port(int fd, uint16_t *out_port)
{
    struct sockaddr_storage storage;
    socklen_t length = sizeof storage;
    RnEndpoint bound;

    if (getsockname(fd, (struct sockaddr *)&storage, &length) < 0)
        return errno;
    rn_endpoint_from_sockaddr(&storage, &bound);
    *out_port = bound.port;
    return 0;
}

int rn_listener_open(RnRelayListener *info, int *out_fd)
{
    rn_autofd int fd = -1;
    int failure = 0;

    fd = socket(info->host.family,
                transports[info->transport].type | SOCK_CLOEXEC | SOCK_NONBLOCK,
                0);
    if (fd < 0)
        return errno;
    failure = prepare_socket(fd, info);
    if (failure == 0)
        failure = read_bound_port(fd, &info->host.port);
    if (failure == 0)
        *out_fd = g_steal_fd(&fd);
    return failure;
}

static bool add_listener(GArray *listeners, RnRelayListener *info,
                         GError **error)
{
    RnListener listener = { .fd = -1 };
    int failure = rn_listener_open(info, &listener.fd);

    if (failure != 0)
        return explain_failure(failure, info, error);
    listener.info = *info;
    g_array_append_val(listeners, listener);
    return true;
}

/*
 * All addresses: 0.0.0.0, then [::] with the same port. A host without IPv6
 * has no [::] to listen on, and nobody who could connect to it.
 */
static bool add_wildcards(GArray *listeners, const RnRelayListener *info,
                          GError **error)
{
    RnRelayListener v4 = *info;
    RnRelayListener v6 = *info;
    g_autoptr(GError) failure = NULL;

    v4.host.family = AF_INET;
    if (!add_listener(listeners, &v4, error))
        return false;
    v6.host.family = AF_INET6;
    v6.host.port = v4.host.port;
    if (add_listener(listeners, &v6, &failure))
        return true;
    if (!rn_error_is_errno(failure, EAFNOSUPPORT) &&
        !rn_error_is_errno(failure, EADDRNOTAVAIL)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    rn_log_debug("no IPv6 on this host: %s", failure->message);
    return true;
}

static bool add_spec(GArray *listeners, const RnPublishSpec *spec,
                     GError **error)
{
    for (unsigned i = 0; i < spec->count; i++) {
        RnRelayListener info = {
            .transport = spec->transport,
            .guest = { .port = (uint16_t)(spec->guest_port + i) },
            .host = spec->host,
        };
        bool opened = false;

        if (spec->host.port != 0)
            info.host.port = (uint16_t)(spec->host.port + i);
        opened = info.host.family == AF_UNSPEC
                     ? add_wildcards(listeners, &info, error)
                     : add_listener(listeners, &info, error);
        if (!opened)
            return false;
    }
    return true;
}

static void clear_listener(void *data)
{
    RnListener *listener = data;

    rn_fd_close(&listener->fd);
}

bool rn_listeners_open(const GArray *specs, GArray **out_listeners,
                       GError **error)
{
    g_autoptr(GArray) listeners = g_array_new(FALSE, FALSE, sizeof(RnListener));

    g_array_set_clear_func(listeners, clear_listener);
    for (unsigned i = 0; i < specs->len; i++) {
        const RnPublishSpec *spec = &g_array_index(specs, RnPublishSpec, i);

        if (!add_spec(listeners, spec, error)) {
            g_prefix_error(error, "publish port %u: ", spec->guest_port);
            return false;
        }
    }
    *out_listeners = g_steal_pointer(&listeners);
    return true;
}
