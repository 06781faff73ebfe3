/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pump - one direction of a flow: bytes from one socket to another
 *
 * Part of splice, which owns the sockets and says when to run.
 */
#ifndef RNET_NET_PUMP_H
#define RNET_NET_PUMP_H

#include <stdint.h>

#include <rnet/net/pipe-pool.h>

/* One socket as both pumps see it. */
typedef struct RnPumpEnd {
    int fd;
    bool readable, writable; /* no EAGAIN since the last edge */
    bool hung_up;            /* its peer sends no more, or it failed */
    bool has_urgent;         /* urgent data (tcp(7)) is not read past yet */
    bool is_bounded;         /* its send buffer has been seen to */
} RnPumpEnd;

/* What the pumps of one splicer share: pipes and a buffer. */
typedef struct RnPumpGear RnPumpGear;

RnPumpGear *rn_pump_gear_new(void);
void rn_pump_gear_free(RnPumpGear *gear);

typedef enum RnPumpState {
    RN_PUMP_WAITING, /* for one of the sockets */
    RN_PUMP_MORE,    /* its budget is used up, there is more to do */
    RN_PUMP_DONE,    /* end of stream passed on; nothing will follow */
    RN_PUMP_FAILED,  /* one of the sockets failed or was reset */
} RnPumpState;

typedef struct RnPump {
    uint64_t moved; /* bytes, ever */
    RnPipe pipe;    /* only while it holds bytes */
    gsize piped;    /* bytes in the pipe */
    uint8_t *rest;  /* copied bytes that found no room, or NULL */
    gsize rest_offset, rest_length;
    bool is_bulk; /* much came last time */
    bool at_end;  /* the source has no more */
    bool is_done;
} RnPump;

void rn_pump_init(RnPump *pump);
void rn_pump_clear(RnPump *pump, RnPumpGear *gear);

/* Moves what can be moved now, up to a budget. */
RnPumpState rn_pump_run(RnPump *pump, RnPumpGear *gear, RnPumpEnd *from,
                        RnPumpEnd *to);

#endif
