/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nft-world - ways that the mark of a packet decides on, for tests of nft
 *
 * A packet with MARK is delivered here, any other one leaves by the link. All
 * but run_in_world() runs in its child. What can fail returns NULL or a
 * failure, a new string.
 */
#ifndef RNET_TESTS_UNIT_NFT_WORLD_H
#define RNET_TESTS_UNIT_NFT_WORLD_H

#include <rnet/sys/nft.h>

#include "netns.h"
#include "ways.h"

enum {
    MARK = 0x40000004, /* two bits, to see that setting one keeps the other */
};

#define HOST        "192.0.2.1"
#define HOST_OTHER  "198.51.100.1"
#define HOST6       "2001:db8::1"
#define HOST6_OTHER "2001:db8:1::1"

/* Runs func in a new namespace; skips where the kernel has no nf_tables. */
void run_in_world(NetnsFunc func, void *data);

typedef struct World {
    Ways ways;
    RnNft *nft;
} World;

/* `world` is all zero before; closing takes one that was opened by half. */
char *world_open(World *world);
void world_close(World *world);

/* Starts the table "rnet" with a chain "out". */
void begin_table(RnNft *nft);

/* The same with a rule that marks whatever leaves. */
void begin_marking_table(RnNft *nft);
char *commit_table(RnNft *nft);

/* Which way a datagram takes. */
char *expect_way(World *world, const char *to, Way wanted);

#endif
