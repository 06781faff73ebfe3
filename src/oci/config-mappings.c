/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config-mappings - "uidMappings" and "gidMappings" of config.json
 *
 * runtime-spec config-linux.md, User namespace mappings, and config.md, Mounts.
 * Runs in the launcher, as config.c says.
 */
#include "config.h"

#include <rnet/oci/config-parts.h>

#define ID_COUNT UINT64_C(0xffffffff) /* ids 0 to 2^32-2; -1 is none */

/* Do two ranges of ids have one in common? */
static bool overlap(uint32_t a, uint32_t size_a, uint32_t b, uint32_t size_b)
{
    return a < (uint64_t)b + size_b && b < (uint64_t)a + size_a;
}

static bool check_mapping(const RnJsonAt *at, const GArray *before,
                          const RnIdMapping *mapping, GError **error)
{
    uint64_t last = MAX(mapping->container_id, mapping->host_id);

    if (mapping->size == 0)
        return rn_json_fail(at, RN_ERROR_INVALID, error, "size is 0");
    if (last + mapping->size > ID_COUNT)
        return rn_json_fail(at, RN_ERROR_INVALID, error,
                            "goes beyond the last id, 4294967294");
    if (before->len == RN_IDMAP_MAX)
        return rn_json_fail(at, RN_ERROR_LIMIT, error, "more than %d mappings",
                            RN_IDMAP_MAX);
    /* the kernel takes no overlap on either side: user_namespaces(7) */
    for (unsigned i = 0; i < before->len; i++) {
        const RnIdMapping *other = &g_array_index(before, RnIdMapping, i);

        if (overlap(other->container_id, other->size, mapping->container_id,
                    mapping->size) ||
            overlap(other->host_id, other->size, mapping->host_id,
                    mapping->size))
            return rn_json_fail(at, RN_ERROR_INVALID, error,
                                "overlaps with mapping [%u]", i);
    }
    return true;
}

static bool append_mapping(const RnJsonAt *at, void *target, GError **error)
{
    static const RnJsonField fields[] = {
        { "containerID", rn_json_read_id,
          G_STRUCT_OFFSET(RnIdMapping, container_id), RN_JSON_REQUIRED },
        { "hostID", rn_json_read_id, G_STRUCT_OFFSET(RnIdMapping, host_id),
          RN_JSON_REQUIRED },
        { "size", rn_json_read_uint32, G_STRUCT_OFFSET(RnIdMapping, size),
          RN_JSON_REQUIRED },
    };
    RnIdMapping mapping = { 0 };

    if (!rn_json_read_members(at, fields, G_N_ELEMENTS(fields), &mapping,
                              error))
        return false;
    if (!check_mapping(at, target, &mapping, error))
        return false;
    g_array_append_val((GArray *)target, mapping);
    return true;
}

bool rn_config_read_mappings(const RnJsonAt *at, void *target, GError **error)
{
    GArray **mappings = target;

    return rn_json_read_elements(at, append_mapping, *mappings, error);
}
