/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * world - one integration test in namespaces of its own
 *
 * A test body runs as pid 1 of fresh mount, pid, network and IPC namespaces,
 * the "host" that rnet then finds: loopback up, 198.51.100.2 and 2001:db8::2
 * as addresses that are not loopback, a private /run, /etc/resolv.conf,
 * /etc/subuid and /etc/subgid, and /dev/net/tun open to users. Whatever a test
 * starts ends with it, since its pid namespace ends.
 *
 * Started by root, every test runs three times: rnet as root, rnet as uid
 * 65534, and the latter in a user namespace that has no other id. Started by an
 * ordinary user it runs once, in such a namespace. The body has all
 * capabilities over its world, rnet has none but as root.
 *
 * A failed check ends the body; its text goes to the test program over a
 * socket, so that cmocka's longjmp never crosses a fork. A test that takes
 * longer than WORLD_DEADLINE_S seconds fails and is killed.
 */
#ifndef RNET_TESTS_WORLD_H
#define RNET_TESTS_WORLD_H

#include <stdbool.h>

#include <sys/types.h>

#include <glib.h>

enum {
    WORLD_DEADLINE_S = 90
};

/* The addresses of the world's "host" that are not loopback. */
#define WORLD_ADDRESS4 "198.51.100.2"
#define WORLD_ADDRESS6 "2001:db8::2"

typedef enum WorldKind {
    WORLD_ROOT,   /* rnet runs as root */
    WORLD_USER,   /* rnet runs as an ordinary user */
    WORLD_NESTED, /* the same in a user namespace with that id alone */
    WORLD_N_
} WorldKind;

/* What a test cannot do without. */
typedef enum WorldNeeds {
    WORLD_NEEDS_LINK = 1 << 0,   /* /dev/net/tun that rnet can open */
    WORLD_NEEDS_IPV6 = 1 << 1,   /* IPv6 in the kernel */
    WORLD_NEEDS_IDS = 1 << 2,    /* more ids than one in the world */
    WORLD_ONLY_AS_USER = 1 << 3, /* rnet as root has nothing to show */
    WORLD_OWN_USERNS = 1 << 4,   /* a user namespace although root started */
    WORLD_ONLY_AS_ROOT = 1 << 5, /* rnet as an ordinary user cannot do it */
    WORLD_WITHOUT_TUN = 1 << 6,  /* no /dev/net/tun, so that auto is packet */
} WorldNeeds;

typedef struct World {
    WorldKind kind;
    uid_t uid; /* whom rnet runs as */
    gid_t gid;
    bool is_other;   /* than whom the test program runs as */
    bool real_root;  /* the body is root of the initial user namespace */
    bool has_userns; /* the world has a user namespace of its own */
    bool has_ipv6;
    bool without_tun;
    unsigned nofile_soft; /* RLIMIT_NOFILE at start; the body's is raised */
    char *dir;            /* private directory for bundles and files */
    char *runtime_dir;    /* rnet's XDG_RUNTIME_DIR */
    char *state_dir;      /* where rnet keeps its entries */
    char *rnet;           /* path of the binary inside the world */
    char *killpoints;     /* path of rnet-killpoints inside the world */
    char *mounts;         /* /proc/self/mountinfo after setting up */
    const void *data;     /* the WorldTest's */
} World;

typedef void (*WorldFunc)(World *world);

typedef struct WorldTest {
    const char *name; /* <what>_<condition>_<expected> */
    WorldFunc body;
    unsigned needs;   /* of WorldNeeds */
    const void *data; /* for a body of several tests, as world->data */
} WorldTest;

/* Runs the tests as a cmocka group; returns main()'s exit status. */
int world_run_tests(const char *group, const WorldTest *tests, size_t n_tests);

/* Ends the body: the test failed, with this text. */
G_NORETURN void world_fail(const char *file, int line, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* Ends the body: something that the test needs is missing here. */
G_NORETURN void world_skip(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* Becomes whom rnet runs as; for a freshly forked child. */
void world_drop_ids(const World *world);

/* Forks a process with the ids that rnet has; 0 in the child. */
pid_t world_fork_user(const World *world);

/*
 * Gives rnet's user one subordinate range in /etc/subuid and /etc/subgid, by
 * name: for groups libsubid does not look for a number.
 */
void world_give_sub_ids(const World *world, unsigned first, unsigned count);

#endif
