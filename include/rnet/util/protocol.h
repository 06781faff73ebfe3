/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * protocol - every message between rnet's processes
 *
 * Five conversations, each over its own rn_msg_pair(); payloads are the
 * structures below, in host byte order, since both ends are the same binary.
 * A receiver checks length, fd count and every field; it trusts no peer that
 * stands closer to the container than itself (see doc/ARCHITECTURE.md,
 * Processes). RN_MSG_FAILED may stand in place of any answer. EOF means that
 * the peer is gone: an error, unless the table says otherwise.
 *
 * launcher (L) and init (I)
 *   MAPPED             L>I -                 id maps written, setgroups decided
 *   SOURCES            L>I RnSources         fds: detached mounts that init
 *                                            cannot make; as many of these as
 *                                            it takes, one at least
 *   READY_FOR_NETWORK  I>L -                 namespaces exist; nsagent may join
 *   NETWORK_UP         L>I -                 link, addresses, rules are in
 *                                            place, the relay is ready
 *   MOUNTED            I>L -                 the root file system is there, not
 *                                            yet entered: host-side hooks may run
 *   HOOKS_RAN          L>I -                 all of them succeeded
 *   TERMINAL           I>L fd: pty master    only with process.terminal
 *   PREPARED           I>L -                 root pivoted, program found; only
 *                                            ids, seccomp and exec are left
 *   START              L>I -                 exec now
 *   EXECING            I>L -                 then EOF: exec happened (CLOEXEC);
 *                                            FAILED instead: why not; EOF
 *                                            without EXECING: init died
 *   SECCOMP_LISTENER   I>L fd: listener      after EXECING, only with a filter
 *                                            that has SCMP_ACT_NOTIFY
 *   Without a network READY_FOR_NETWORK and NETWORK_UP are left out, without
 *   prestart and createRuntime hooks MOUNTED and HOOKS_RAN, by the plan that
 *   both sides were given. After `create` START, EXECING and what follows go
 *   over another socket, a connection of `start` to the one in the entry; a
 *   `start` that ends before START may be followed by another.
 *
 * monitor (M) and nsagent (A), on fd RN_HELPER_FD of nsagent
 *   AGENT_SETUP        M>A RnAgentSetup      fds: netns, then the user namespace
 *                                            that owns it, if that is another
 *   AGENT_READY        A>M RnAgentReady      fd: link, if one was asked for; the
 *                                            namespace is configured
 *   AGENT_EXPOSED      A>M RnExposedPort     fd: listens on the namespace's
 *                                            loopback; before READY, for each of
 *                                            plan.exposed and each family, if a
 *                                            link was asked for
 *   AGENT_SERVE        M>A -                 fd: a new serving socket, in place of
 *                                            the one before. M sends it after
 *                                            READY and whenever a relay starts
 *   AGENT_PUBLISH      M>A RnPortRange       one more port is published
 *   AGENT_WITHDRAW     M>A RnPortRange       one of these is not any more
 *   AGENT_LISTENING    A>M RnAgentListening  after READY, with watch_ports: all
 *                                            that listens now, at first and
 *                                            whenever that has changed
 *   EOF: the network ends, and nsagent with it.
 *
 * relay (R) and nsagent (A), on the serving socket; many requests in flight
 *   SOCKET_REQUEST     R>A RnSocketRequest   make a socket, begin to connect it;
 *                                            or make spares
 *   SOCKET_REPLY       A>R RnSocketReply     fd if errno_value is 0 (a connect
 *                                            that is in progress counts as 0);
 *                                            of spares 1 to as many as asked for
 *   EOF at A: wait for the next AGENT_SERVE. EOF at R: the relay ends.
 *
 * monitor (M) and relay (R), on fd RN_HELPER_FD of the relay
 *   RELAY_SETUP        M>R RnRelaySetup      fds: link, serving socket; the
 *                                            latter is missing where there is no
 *                                            nsagent (a link of the caller's)
 *   RELAY_LISTENER     M>R RnRelayListener   fd: bound (TCP: listening too); after
 *                                            READY as well
 *   RELAY_WITHDRAW     M>R uint32_t          after READY: the listeners of that id
 *                                            are closed; what they accepted
 *                                            goes on
 *   RELAY_EXPOSE       M>R RnExposedPort     fd: of AGENT_EXPOSED
 *   RELAY_START        M>R -                 all is handed over: confine, run
 *   RELAY_READY        R>M -                 frames and connections are moving
 *   EOF: the network ends, and the relay with it.
 *
 * launcher (L) and detached monitor (M), on fd RN_HELPER_FD of the monitor
 *   MONITOR_SETUP      L>M RnMonitorSetup    fds: those of RnMonitorFd that its
 *                                            bits name, in that order
 *   MONITOR_PATH       L>M path (no NUL)     only with RN_MONITOR_HAS_PATH
 *   MONITOR_LISTENER   L>M RnRelayListener   fd: bound (TCP: listening too)
 *   MONITOR_START      L>M -                 all is handed over
 *   MONITOR_READY      M>L -                 the network is up, or, where the set-up
 *                                            has no namespace, waited for
 *   EOF after READY: L is done; M ends as runtime/keeper.h has it. EOF before:
 *   M ends.
 *
 * whoever asks (C) and the keeper of a network (K), over a connection to the
 * socket of the network's entry (runtime/network-entry.h)
 *   CONTROL_STATUS     C>K -                 how is it?
 *   CONTROL_STATE      K>C -                 fd: a memory file with JSON, what
 *                                            keeper.h says of it
 *   CONTROL_DETACH     C>K -                 end the network; EOF: it has ended
 *   CONTROL_NAMESPACE  C>K fd: netns         to a keeper that has none yet: the
 *                                            network is for this one
 *   CONTROL_ATTACHED   K>C -                 it is up; FAILED instead: why not,
 *                                            and EOF when all is undone
 *
 * launcher (L) and guard (G), on fd RN_HELPER_FD of the guard
 *   GUARD_WATCH        L>G container id      fds: directory of the entries, then
 *                          (no NUL)          the entry's lock, then init's pidfd,
 *                                            as soon as there is one; sent again,
 *                                            it replaces the one before
 *   GUARD_DONE         L>G -                 all is undone; go in peace
 *   EOF without GUARD_DONE: the launcher died; kill init, remove the entry.
 *
 * joiner (J) and who wants a process in other namespaces (W)
 *   JOINED             J>W RnJoined          the process is there, a child of W
 */
#ifndef RNET_UTIL_PROTOCOL_H
#define RNET_UTIL_PROTOCOL_H

#include <stdint.h>

#include <rnet/util/inet.h>

enum {
    RN_HELPER_FD = 3
}; /* where a helper finds its socket */

typedef enum RnMsgType {
    RN_MSG_FAILED = 1, /* payload: see rn_msg_send_error() */

    RN_MSG_JOINED,

    RN_MSG_MAPPED,
    RN_MSG_SOURCES,
    RN_MSG_READY_FOR_NETWORK,
    RN_MSG_NETWORK_UP,
    RN_MSG_MOUNTED,
    RN_MSG_HOOKS_RAN,
    RN_MSG_TERMINAL,
    RN_MSG_PREPARED,
    RN_MSG_START,
    RN_MSG_EXECING,
    RN_MSG_SECCOMP_LISTENER,

    RN_MSG_AGENT_SETUP,
    RN_MSG_AGENT_READY,
    RN_MSG_AGENT_SERVE,
    RN_MSG_AGENT_EXPOSED,
    RN_MSG_AGENT_PUBLISH,
    RN_MSG_AGENT_WITHDRAW,
    RN_MSG_AGENT_LISTENING,

    RN_MSG_SOCKET_REQUEST,
    RN_MSG_SOCKET_REPLY,

    RN_MSG_RELAY_SETUP,
    RN_MSG_RELAY_LISTENER,
    RN_MSG_RELAY_WITHDRAW,
    RN_MSG_RELAY_EXPOSE,
    RN_MSG_RELAY_START,
    RN_MSG_RELAY_READY,

    RN_MSG_MONITOR_SETUP,
    RN_MSG_MONITOR_PATH,
    RN_MSG_MONITOR_LISTENER,
    RN_MSG_MONITOR_START,
    RN_MSG_MONITOR_READY,

    RN_MSG_GUARD_WATCH,
    RN_MSG_GUARD_DONE,

    RN_MSG_CONTROL_STATUS,
    RN_MSG_CONTROL_STATE,
    RN_MSG_CONTROL_DETACH,
    RN_MSG_CONTROL_NAMESPACE,
    RN_MSG_CONTROL_ATTACHED,

    RN_MSG_N_
} RnMsgType;

/* What moves the container's frames to the relay, see agent-link.c. */
typedef enum RnLinkMode {
    RN_LINK_MODE_AUTO,   /* a TAP if /dev/net/tun can be opened */
    RN_LINK_MODE_TAP,    /* or fail */
    RN_LINK_MODE_PACKET, /* a veth pair and a packet socket, or fail */
    RN_LINK_MODE_N_
} RnLinkMode;

/* Whether the kernel carries outbound TCP, see agent-handoff.c. */
typedef enum RnHandoffMode {
    RN_HANDOFF_MODE_AUTO, /* if all that it takes is there */
    RN_HANDOFF_MODE_ON,   /* or fail */
    RN_HANDOFF_MODE_OFF,  /* libslirp carries it */
    RN_HANDOFF_MODE_N_
} RnHandoffMode;

/* A port of the host's loopback that the container may reach (TCP). */
typedef struct RnExposedPort {
    uint16_t host_port;
    uint16_t guest_port; /* at the gateway, and on the container's loopback */
} RnExposedPort;

enum {
    RN_EXPOSED_MAX = 32
};

/* The addresses of one network: what design.md, 5, has as defaults. */
typedef struct RnNetworkPlan {
    char interface[16]; /* NUL-terminated, "tap0" */
    uint32_t mtu;       /* bytes */
    uint8_t guest_mac[6];
    uint8_t gateway_mac[6]; /* libslirp's: 52:55 and its IPv4 address */
    uint8_t prefix4;        /* bits */
    uint8_t prefix6;        /* bits; 0: no IPv6 */
    uint8_t host_loopback;  /* 1: the gateway is the host's loopback */
    uint8_t link_mode;      /* RnLinkMode */
    uint8_t handoff_mode;   /* RnHandoffMode */
    uint8_t handoff_mac[6]; /* where the SYNs go that the relay hands off */
    uint8_t no_dns;         /* 1: nobody answers at dns4 and dns6 */
    /* 1: addresses, routes and MAC of the interface are its owner's business,
     * now or later; nsagent opens the link (the TAP may exist already) and
     * hands TCP off once the guest's address is there. guest_mac counts from
     * AGENT_READY on. */
    uint8_t is_manual;
    uint16_t n_exposed;
    RnExposedPort exposed[RN_EXPOSED_MAX];
    /* what outbound sockets are bound to, ports 0; AF_UNSPEC: to nothing */
    RnEndpoint outbound4, outbound6;
    RnEndpoint network4, guest4, gateway4, dns4; /* ports 0 */
    RnEndpoint network6, guest6, gateway6, dns6; /* AF_UNSPEC: no IPv6 */
} RnNetworkPlan;

typedef enum RnTransport {
    RN_TRANSPORT_TCP,
    RN_TRANSPORT_UDP,
    RN_TRANSPORT_N_
} RnTransport;

/* Ports inside the container that are published, both ends included. */
typedef struct RnPortRange {
    uint16_t first, last;
    uint16_t transport; /* RnTransport */
} RnPortRange;

enum {
    RN_AGENT_MAX_RANGES = 256
};

enum {
    RN_SOURCES_MAX = 8
}; /* what one message carries, RN_MSG_MAX_FDS */

/* Which entries of config.json's mounts the fds are for. */
typedef struct RnSources {
    uint32_t count;   /* of fds and indexes */
    uint32_t is_last; /* 1: no other message of these follows */
    uint32_t indexes[RN_SOURCES_MAX];
} RnSources;

typedef struct RnAgentSetup {
    RnNetworkPlan plan;
    uint32_t make_link; /* 1: create and configure; 0: it is all there, serve */
    uint32_t n_ranges;
    uint32_t log_level;   /* RnLogLevel */
    uint32_t watch_ports; /* 1: AGENT_LISTENING is wanted */
    RnPortRange ranges[RN_AGENT_MAX_RANGES];
} RnAgentSetup;

typedef struct RnAgentReady {
    uint32_t handoff_mode; /* what came of it: RN_HANDOFF_MODE_ON or _OFF */
    uint8_t guest_mac[6];  /* what the interface has */
    uint8_t reserved[2];
} RnAgentReady;

enum {
    RN_LISTENING_MAX = 256
};

/*
 * TCP sockets that listen inside, in the order of their ports. With more than
 * RN_LISTENING_MAX the highest are left out.
 */
typedef struct RnAgentListening {
    uint32_t count;
    uint32_t reserved;
    RnEndpoint endpoints[RN_LISTENING_MAX]; /* the first count */
} RnAgentListening;

/*
 * "Give me a TCP socket like this": non-blocking, its connect() already called.
 * Where `local` has a family, the socket is transparent and bound to it (port
 * 0: any); if that address and port are in use towards `remote`, EADDRINUSE or
 * EADDRNOTAVAIL comes back and the relay may ask again with port 0.
 *
 * With n_spares it is that many sockets of rn_inside_socket_new() instead; of
 * the addresses only remote.family counts then.
 */
typedef struct RnSocketRequest {
    uint64_t id;       /* the relay's, echoed */
    uint32_t n_spares; /* at most RN_SPARES_MAX */
    uint32_t reserved; /* 0 */
    RnEndpoint local, remote;
} RnSocketRequest;

enum {
    RN_SPARES_MAX = 8
}; /* what one message carries, RN_MSG_MAX_FDS */

typedef struct RnSocketReply {
    uint64_t id;
    int32_t errno_value; /* 0 or a positive errno; then no fd */
    uint32_t reserved;
} RnSocketReply;

typedef struct RnRelaySetup {
    RnNetworkPlan plan;
    uint32_t log_level; /* RnLogLevel */
    uint32_t reserved;
} RnRelaySetup;

typedef struct RnRelayListener {
    uint32_t transport; /* RnTransport */
    uint32_t id;        /* the monitor's; several listeners may share one */
    RnEndpoint host;    /* what the fd is bound to, its port filled in */
    /* where to: port never 0; AF_UNSPEC: the guest's address of the client's
     * family. A loopback address is the namespace's own; clients are seen
     * there as that address, TCP's at other addresses that are not the guest's
     * as one of the namespace. */
    RnEndpoint guest;
} RnRelayListener;

typedef struct RnJoined {
    int32_t pid; /* in W's pid namespace */
    uint32_t reserved;
} RnJoined;

/* What the detached monitor is handed, in this order. */
typedef enum RnMonitorFd {
    RN_MONITOR_FD_NETNS,   /* else it comes by CONTROL_NAMESPACE */
    RN_MONITOR_FD_USERNS,  /* that owns it, if it is not the caller's */
    RN_MONITOR_FD_PROCESS, /* pidfd: its end is the network's */
    RN_MONITOR_FD_EXIT,    /* any event on it is the network's end */
    RN_MONITOR_FD_ENTRY,   /* directory of the entries */
    RN_MONITOR_FD_LOCK,    /* of the network's entry */
    RN_MONITOR_FD_CONTROL, /* listening socket of the network's entry */
    RN_MONITOR_FD_N_       /* at most RN_MSG_MAX_FDS */
} RnMonitorFd;

enum {
    RN_MONITOR_UNTIL_UNUSED = 1, /* keeper.h */
    RN_MONITOR_HAS_PATH = 2,
};

typedef struct RnMonitorSetup {
    RnNetworkPlan plan;
    uint32_t fds;             /* bits 1 << RnMonitorFd */
    uint32_t flags;           /* RN_MONITOR_... */
    RnPortRange auto_publish; /* first 0: none */
    uint16_t reserved;
    char key[256]; /* of the network's entry, NUL-terminated; "": none */
    uint32_t n_ranges;
    uint32_t log_level; /* RnLogLevel */
    RnPortRange ranges[RN_AGENT_MAX_RANGES];
} RnMonitorSetup;

#endif
