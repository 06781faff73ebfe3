/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config-block - "linux.resources.blockIO" of config.json
 *
 * runtime-spec config-linux.md, Block IO. Runs in the launcher and in `update`,
 * as config-resources.c says.
 */
#include "config.h"

#include <rnet/oci/config-parts.h>

enum {
    WEIGHT_MIN = 10, /* blkio-controller.rst, blkio.weight */
    WEIGHT_MAX = 1000,
    DEVICES_MAX = 4096, /* each is one write to a file of the cgroup */
};

static const RnJsonField number_fields[] = {
    { "major", rn_config_read_major, G_STRUCT_OFFSET(RnBlockDevice, major),
      RN_JSON_REQUIRED },
    { "minor", rn_config_read_minor, G_STRUCT_OFFSET(RnBlockDevice, minor),
      RN_JSON_REQUIRED },
};

static bool append_weight(const RnJsonAt *at, void *target, GError **error)
{
    static const RnConfigNumber numbers[] = {
        { "weight", G_STRUCT_OFFSET(RnBlockDevice, weight), WEIGHT_MIN,
          WEIGHT_MAX, RN_ZERO_IS_NONE },
        { "leafWeight", G_STRUCT_OFFSET(RnBlockDevice, leaf_weight), WEIGHT_MIN,
          WEIGHT_MAX, RN_ZERO_IS_NONE },
    };
    RnBlockDevice device = { 0 };

    if (!rn_json_read_members(at, number_fields, G_N_ELEMENTS(number_fields),
                              &device, error) ||
        !rn_config_read_numbers(at, numbers, G_N_ELEMENTS(numbers), &device,
                                error))
        return false;
    if (!device.weight.given && !device.leaf_weight.given)
        return rn_json_fail(at, RN_ERROR_INVALID, error,
                            "needs weight or leafWeight");
    g_array_append_val((GArray *)target, device);
    return true;
}

static bool read_weights(const RnJsonAt *at, void *target, GError **error)
{
    GArray **devices = target;

    return rn_json_check_count(at, DEVICES_MAX, error) &&
           rn_json_read_elements(at, append_weight, *devices, error);
}

static bool append_throttle(const RnJsonAt *at, void *target, GError **error)
{
    static const RnJsonField fields[] = {
        { "rate", rn_json_read_uint64, G_STRUCT_OFFSET(RnBlockDevice, rate),
          RN_JSON_REQUIRED },
    };
    RnBlockDevice device = { 0 };

    if (!rn_json_read_members(at, number_fields, G_N_ELEMENTS(number_fields),
                              &device, error) ||
        !rn_json_read_members(at, fields, G_N_ELEMENTS(fields), &device, error))
        return false;
    g_array_append_val((GArray *)target, device);
    return true;
}

static bool read_throttle(const RnJsonAt *at, void *target, GError **error)
{
    GArray **devices = target;

    return rn_json_check_count(at, DEVICES_MAX, error) &&
           rn_json_read_elements(at, append_throttle, *devices, error);
}

#define THROTTLE(which) G_STRUCT_OFFSET(RnBlockResources, throttles[which])

bool rn_config_read_block(const RnJsonAt *at, void *target, GError **error)
{
    static const RnConfigNumber numbers[] = {
        { "weight", G_STRUCT_OFFSET(RnBlockResources, weight), WEIGHT_MIN,
          WEIGHT_MAX, RN_ZERO_IS_NONE },
        { "leafWeight", G_STRUCT_OFFSET(RnBlockResources, leaf_weight),
          WEIGHT_MIN, WEIGHT_MAX, RN_ZERO_IS_NONE },
    };
    static const RnJsonField fields[] = {
        { "weightDevice", read_weights,
          G_STRUCT_OFFSET(RnBlockResources, devices), RN_JSON_OPTIONAL },
        { "throttleReadBpsDevice", read_throttle,
          THROTTLE(RN_THROTTLE_READ_BPS), RN_JSON_OPTIONAL },
        { "throttleWriteBpsDevice", read_throttle,
          THROTTLE(RN_THROTTLE_WRITE_BPS), RN_JSON_OPTIONAL },
        { "throttleReadIOPSDevice", read_throttle,
          THROTTLE(RN_THROTTLE_READ_IOPS), RN_JSON_OPTIONAL },
        { "throttleWriteIOPSDevice", read_throttle,
          THROTTLE(RN_THROTTLE_WRITE_IOPS), RN_JSON_OPTIONAL },
    };

    return rn_json_read_members(at, fields, G_N_ELEMENTS(fields), target,
                                error) &&
           rn_config_read_numbers(at, numbers, G_N_ELEMENTS(numbers), target,
                                  error);
}
