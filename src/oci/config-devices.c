/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config-devices - "linux.devices" and "linux.resources" of config.json
 *
 * runtime-spec config-linux.md, Devices and Control groups. Runs in the
 * launcher, as config.c says. Of the resources only one form is accepted, the
 * one that every template has: all device access denied.
 */
#include "config.h"

#include <rnet/oci/config-parts.h>

#include <string.h>

enum {
    MAJOR_MAX = (1 << 12) - 1, /* Linux, linux/kdev_t.h: 12 and 20 bits */
    MINOR_MAX = (1 << 20) - 1,
    MODE_MAX = 07777,
    NO_NUMBER = -1,
};

void rn_device_free(RnDevice *device)
{
    if (device == NULL)
        return;
    g_free(device->path);
    g_free(device);
}

static bool read_type(const RnJsonAt *at, void *target, GError **error)
{
    g_autofree char *text = NULL;

    if (!rn_json_read_string(at, &text, error))
        return false;
    if (text[0] == '\0' || text[1] != '\0' || strchr("cbup", text[0]) == NULL)
        return rn_json_fail(at, RN_ERROR_INVALID, error,
                            "must be \"c\", \"b\", \"u\" or \"p\"");
    *(char *)target = text[0];
    return true;
}

static bool read_number(const RnJsonAt *at, int64_t max, int64_t *out_number,
                        GError **error)
{
    int64_t value = 0;

    if (!rn_json_read_int64(at, &value, error))
        return false;
    if (value < 0 || value > max)
        return rn_json_fail(at, RN_ERROR_INVALID, error,
                            "must be from 0 to %" G_GINT64_FORMAT, max);
    *out_number = value;
    return true;
}

static bool read_major(const RnJsonAt *at, void *target, GError **error)
{
    return read_number(at, MAJOR_MAX, target, error);
}

static bool read_minor(const RnJsonAt *at, void *target, GError **error)
{
    return read_number(at, MINOR_MAX, target, error);
}

static bool read_mode(const RnJsonAt *at, void *target, GError **error)
{
    RnDevice *device = target;
    int64_t mode = 0;

    if (!read_number(at, MODE_MAX, &mode, error))
        return false;
    device->has_mode = true;
    device->mode = (uint32_t)mode;
    return true;
}

static bool append_device(const RnJsonAt *at, void *target, GError **error)
{
    static const RnJsonField fields[] = {
        { "path", rn_json_read_path, G_STRUCT_OFFSET(RnDevice, path),
          RN_JSON_REQUIRED },
        { "type", read_type, G_STRUCT_OFFSET(RnDevice, type),
          RN_JSON_REQUIRED },
        { "major", read_major, G_STRUCT_OFFSET(RnDevice, major),
          RN_JSON_OPTIONAL },
        { "minor", read_minor, G_STRUCT_OFFSET(RnDevice, minor),
          RN_JSON_OPTIONAL },
        { "fileMode", read_mode, 0, RN_JSON_OPTIONAL },
        { "uid", rn_json_read_id, G_STRUCT_OFFSET(RnDevice, uid),
          RN_JSON_OPTIONAL },
        { "gid", rn_json_read_id, G_STRUCT_OFFSET(RnDevice, gid),
          RN_JSON_OPTIONAL },
    };
    g_autoptr(RnDevice) device = g_new0(RnDevice, 1);

    device->major = NO_NUMBER;
    device->minor = NO_NUMBER;
    if (!rn_json_read_members(at, fields, G_N_ELEMENTS(fields), device, error))
        return false;
    if (device->type != 'p' &&
        (device->major == NO_NUMBER || device->minor == NO_NUMBER))
        return rn_json_fail(at, RN_ERROR_INVALID, error,
                            "needs major and minor");
    if (device->type == 'p') { /* a FIFO has neither */
        device->major = 0;
        device->minor = 0;
    }
    g_ptr_array_add(target, g_steal_pointer(&device));
    return true;
}

bool rn_config_read_devices(const RnJsonAt *at, void *target, GError **error)
{
    GPtrArray **devices = target;

    return rn_json_read_elements(at, append_device, *devices, error);
}

typedef struct DeviceRule {
    bool allow;
    char *type, *access;
} DeviceRule;

static void clear_rule(DeviceRule *rule)
{
    g_free(rule->type);
    g_free(rule->access);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DeviceRule, clear_rule)

/* Each of r, w and m, in any order, or none given at all. */
static bool is_all_access(const char *access)
{
    return access == NULL || access[0] == '\0' ||
           (strlen(access) == 3 && strchr(access, 'r') != NULL &&
            strchr(access, 'w') != NULL && strchr(access, 'm') != NULL);
}

/* Passes a rule that denies every device and refuses all others. */
static bool check_rule(const RnJsonAt *at, void *target, GError **error)
{
    static const RnJsonField fields[] = {
        { "allow", rn_json_read_bool, G_STRUCT_OFFSET(DeviceRule, allow),
          RN_JSON_REQUIRED },
        { "type", rn_json_read_string, G_STRUCT_OFFSET(DeviceRule, type),
          RN_JSON_OPTIONAL },
        { "access", rn_json_read_string, G_STRUCT_OFFSET(DeviceRule, access),
          RN_JSON_OPTIONAL },
        { "major", rn_json_refuse, 0, RN_JSON_OPTIONAL },
        { "minor", rn_json_refuse, 0, RN_JSON_OPTIONAL },
    };
    g_auto(DeviceRule) rule = { 0 };
    RnConfig *config = target;

    if (!rn_json_read_members(at, fields, G_N_ELEMENTS(fields), &rule, error))
        return false;
    if (rule.allow || !is_all_access(rule.access) ||
        (rule.type != NULL && strcmp(rule.type, "a") != 0))
        return rn_json_fail(at, RN_ERROR_UNSUPPORTED, error,
                            "not supported yet (only a rule that denies all "
                            "devices is)");
    config->denies_devices = true;
    return true;
}

static bool check_rules(const RnJsonAt *at, void *target, GError **error)
{
    return rn_json_read_elements(at, check_rule, target, error);
}

bool rn_config_read_resources(const RnJsonAt *at, void *target, GError **error)
{
    static const RnJsonField fields[] = {
        { "devices", check_rules, 0, RN_JSON_OPTIONAL },
        { "memory", rn_json_refuse, 0, RN_JSON_OPTIONAL },
        { "cpu", rn_json_refuse, 0, RN_JSON_OPTIONAL },
        { "pids", rn_json_refuse, 0, RN_JSON_OPTIONAL },
        { "blockIO", rn_json_refuse, 0, RN_JSON_OPTIONAL },
        { "hugepageLimits", rn_json_refuse, 0, RN_JSON_OPTIONAL },
        { "network", rn_json_refuse, 0, RN_JSON_OPTIONAL },
        { "rdma", rn_json_refuse_map, 0, RN_JSON_OPTIONAL },
        { "unified", rn_json_refuse_map, 0, RN_JSON_OPTIONAL },
    };

    return rn_json_read_members(at, fields, G_N_ELEMENTS(fields), target,
                                error);
}
