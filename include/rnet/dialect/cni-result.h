/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cni-result - what a CNI plugin answers on stdout (pure)
 *
 * CNI specification 1.1.0, section 5, and the shapes of the versions before it:
 * "ip4" and "ip6" up to 0.2.0, "version" in each address up to 0.4.0, "mtu" of
 * interfaces from 1.1.0 on.
 */
#ifndef RNET_DIALECT_CNI_RESULT_H
#define RNET_DIALECT_CNI_RESULT_H

#include <rnet/dialect/cni-conf.h>

/* "Error", section 5: what a failure is. From 100 on they are a plugin's. */
typedef enum RnCniCode {
    RN_CNI_CODE_VERSION = 1,     /* incompatible CNI version */
    RN_CNI_CODE_FIELD = 2,       /* unsupported field in the configuration */
    RN_CNI_CODE_ENVIRONMENT = 4, /* invalid environment variables */
    RN_CNI_CODE_IO = 5,
    RN_CNI_CODE_DECODE = 6,
    RN_CNI_CODE_CONFIG = 7,        /* invalid network configuration */
    RN_CNI_CODE_UNAVAILABLE = 50,  /* STATUS: ADD would fail */
    RN_CNI_CODE_NETWORK = 100,     /* the network could not be made or ended */
    RN_CNI_CODE_CHECK_FAILED = 101 /* it is not as ADD left it */
} RnCniCode;

/* A new reference; a hint becomes "details". */
json_t *rn_cni_error(RnCniVersion version, RnCniCode code,
                     const GError *failure) RN_CHECK;

/* {"cniVersion", "supportedVersions"}, a new reference. */
json_t *rn_cni_versions(RnCniVersion version) RN_CHECK;

/*
 * The result of ADD in the shape of the configuration's version, a new
 * reference: `network` is what the keeper says (runtime/keeper.h), which is
 * added to the configuration's prevResult where a chain has one.
 * RN_ERROR_INVALID for one whose lists are none.
 */
json_t *rn_cni_result(const RnCniConf *conf, const char *sandbox,
                      const json_t *network, GError **error) RN_CHECK;

/* What CHECK has to find; all borrowed from prevResult. */
typedef struct RnCniExpected {
    const char *mac;      /* NULL: not told */
    GPtrArray *addresses; /* of const char *: "10.0.2.100/24" */
} RnCniExpected;

/*
 * The interface's part of prevResult. RN_ERROR_INVALID if there is none; the
 * caller clears it in any case.
 */
bool rn_cni_expect(const RnCniConf *conf, const char *interface,
                   const char *sandbox, RnCniExpected *expected,
                   GError **error) RN_CHECK;
void rn_cni_expected_clear(RnCniExpected *expected);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RnCniExpected, rn_cni_expected_clear)

#endif
