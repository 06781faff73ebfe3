/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frame-fields - big-endian fields at any alignment
 *
 * The caller has checked that the bytes are there.
 */
#ifndef RNET_NET_FRAME_FIELDS_H
#define RNET_NET_FRAME_FIELDS_H

#include <stdint.h>

static inline uint16_t rn_get16(const uint8_t *field)
{
    return (uint16_t)(field[0] << 8 | field[1]);
}

static inline uint32_t rn_get32(const uint8_t *field)
{
    return (uint32_t)rn_get16(field) << 16 | rn_get16(field + 2);
}

static inline void rn_put16(uint8_t *field, uint16_t value)
{
    field[0] = (uint8_t)(value >> 8);
    field[1] = (uint8_t)value;
}

static inline void rn_put32(uint8_t *field, uint32_t value)
{
    rn_put16(field, (uint16_t)(value >> 16));
    rn_put16(field + 2, (uint16_t)value);
}

#endif
