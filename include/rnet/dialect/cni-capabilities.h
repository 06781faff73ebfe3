/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cni-capabilities - "runtimeConfig" and "dns" of a CNI configuration (pure)
 */
#ifndef RNET_DIALECT_CNI_CAPABILITIES_H
#define RNET_DIALECT_CNI_CAPABILITIES_H

#include <rnet/dialect/cni-conf.h>
#include <rnet/oci/json-read.h>

/* Readers, json-read.h, into a RnCniConf. The capability "dns" replaces what
 * the configuration says. */
bool rn_cni_read_dns(const RnJsonAt *at, void *target, GError **error);
bool rn_cni_read_capabilities(const RnJsonAt *at, void *target, GError **error);

#endif
