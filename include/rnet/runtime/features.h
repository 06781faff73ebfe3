/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * features - what this rnet can do, for engines
 *
 * runtime-spec features.md and features-linux.md: what it recognises and
 * implements, whether the host has it or not.
 */
#ifndef RNET_RUNTIME_FEATURES_H
#define RNET_RUNTIME_FEATURES_H

#include <jansson.h>

#include <rnet/util/error.h>

/* The document, a new reference. */
json_t *rn_features(void) RN_CHECK;

#endif
