/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slirp4netns-options - slirp4netns' command line as data
 *
 * slirp4netns(1) 1.2, and of later versions --netns-type=tapfd. Options may
 * stand between the operands, as getopt_long(3) has it; messages and their
 * streams are the original's, since callers look for them.
 */
#ifndef RNET_DIALECT_SLIRP4NETNS_OPTIONS_H
#define RNET_DIALECT_SLIRP4NETNS_OPTIONS_H

#include <stdint.h>

#include <sys/types.h>

#include <rnet/util/error.h>

typedef enum RnSlirpTarget {
    RN_SLIRP_TARGET_PID,   /* the network namespace of a process */
    RN_SLIRP_TARGET_PATH,  /* ... at a path */
    RN_SLIRP_TARGET_TAPFD, /* a TAP that is open already */
    RN_SLIRP_TARGET_BESS,  /* one connection to a socket that is made here */
    RN_SLIRP_TARGET_N_
} RnSlirpTarget;

/* Strings are argv's. */
typedef struct RnSlirpOptions {
    RnSlirpTarget target;
    pid_t pid;               /* RN_SLIRP_TARGET_PID */
    int tap_fd;              /* RN_SLIRP_TARGET_TAPFD, else -1 */
    const char *path;        /* RN_SLIRP_TARGET_PATH, RN_SLIRP_TARGET_BESS */
    const char *tap_name;    /* NULL with TAPFD and BESS */
    const char *userns_path; /* these: NULL if not given */
    const char *api_socket;
    const char *cidr;
    const char *mac;
    const char *outbound4, *outbound6;
    int exit_fd, ready_fd; /* -1: none */
    uint32_t mtu;          /* bytes */
    bool configure;
    bool ipv6;
    bool disable_host_loopback;
    bool disable_dns;
    bool sandbox;
    bool seccomp;
} RnSlirpOptions;

typedef enum RnSlirpVerdict {
    RN_SLIRP_RUN,
    RN_SLIRP_ANSWERED, /* --help, --version: exit status 0 */
    RN_SLIRP_REFUSED,  /* exit status 1 */
    RN_SLIRP_VERDICT_N_
} RnSlirpVerdict;

/*
 * Reads the command line. What is to be written to stdout is appended to `out`,
 * to stderr to `err`; getopt_long() itself writes to stderr at once. Whether
 * paths exist is looked up. argv is permuted.
 */
RnSlirpVerdict rn_slirp_options_parse(int argc, char **argv,
                                      RnSlirpOptions *out_options, GString *out,
                                      GString *err) RN_CHECK;

#endif
