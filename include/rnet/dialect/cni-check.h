/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cni-check - is the container's interface as ADD left it?
 */
#ifndef RNET_DIALECT_CNI_CHECK_H
#define RNET_DIALECT_CNI_CHECK_H

#include <rnet/dialect/cni-result.h>
#include <rnet/runtime/network-target.h>

/*
 * Enters the namespace, for good, and looks there: the interface is up, with
 * the MAC and all addresses that are expected. RN_ERROR_STATE says what is not
 * so.
 */
bool rn_cni_check(const RnNetworkTarget *target, const char *interface,
                  const RnCniExpected *expected, GError **error) RN_CHECK;

/*
 * Can a network be made here, with the link that the configuration wants? Tried
 * in a network namespace of its own, which takes the rights to make one.
 */
bool rn_cni_try(RnLinkMode link_mode, GError **error) RN_CHECK;

#endif
