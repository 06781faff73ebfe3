/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config-devices - "linux.devices" and "linux.resources.devices" of config.json
 *
 * runtime-spec config-linux.md, Devices and Allowed Device list. Runs in the
 * launcher, as config.c says.
 */
#include "config.h"

#include <rnet/oci/config-parts.h>

#include <string.h>

#include <sys/stat.h>

enum {
    MAJOR_MAX = (1 << 12) - 1, /* Linux, linux/kdev_t.h: 12 and 20 bits */
    MINOR_MAX = (1 << 20) - 1,
    MODE_MAX = 0177777,
    PERMISSIONS = 07777,
    NO_NUMBER = -1,
    ANY_NUMBER = -1,
    /* each is a few instructions of a program that runs for every open(2) */
    RULES_MAX = 4096,
    DEVICES_MAX = 4096, /* each is a node or a mount */
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

bool rn_config_read_major(const RnJsonAt *at, void *target, GError **error)
{
    return rn_json_read_range(at, 0, MAJOR_MAX, target, error);
}

bool rn_config_read_minor(const RnJsonAt *at, void *target, GError **error)
{
    return rn_json_read_range(at, 0, MINOR_MAX, target, error);
}

/* Some producers leave the bits of the file's type in, as stat(2) has them. */
static bool read_mode(const RnJsonAt *at, void *target, GError **error)
{
    RnDevice *device = target;
    int64_t mode = 0;

    if (!rn_json_read_range(at, 0, MODE_MAX, &mode, error))
        return false;
    device->has_mode = true;
    device->mode = (uint32_t)mode;
    return true;
}

/* Is the type in the mode, if there is one, the device's? */
static bool is_mode_of(uint32_t mode, char type)
{
    uint32_t wanted = type == 'p' ? S_IFIFO : type == 'b' ? S_IFBLK : S_IFCHR;

    return (mode & S_IFMT) == 0 || (mode & S_IFMT) == wanted;
}

static bool append_device(const RnJsonAt *at, void *target, GError **error)
{
    static const RnJsonField fields[] = {
        { "path", rn_json_read_path, G_STRUCT_OFFSET(RnDevice, path),
          RN_JSON_REQUIRED },
        { "type", read_type, G_STRUCT_OFFSET(RnDevice, type),
          RN_JSON_REQUIRED },
        { "major", rn_config_read_major, G_STRUCT_OFFSET(RnDevice, major),
          RN_JSON_OPTIONAL },
        { "minor", rn_config_read_minor, G_STRUCT_OFFSET(RnDevice, minor),
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
    if (!is_mode_of(device->mode, device->type))
        return rn_json_fail(at, RN_ERROR_INVALID, error,
                            "fileMode is of another type of file");
    device->mode &= PERMISSIONS;
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

    return rn_json_check_count(at, DEVICES_MAX, error) &&
           rn_json_read_elements(at, append_device, *devices, error);
}

static bool read_rule_type(const RnJsonAt *at, void *target, GError **error)
{
    g_autofree char *text = NULL;

    if (!rn_json_read_string(at, &text, error))
        return false;
    if (text[0] == '\0') /* unset, for which 'a' stands already */
        return true;
    if (text[1] != '\0' || strchr("acb", text[0]) == NULL)
        return rn_json_fail(at, RN_ERROR_INVALID, error,
                            "must be \"a\", \"c\" or \"b\"");
    *(char *)target = text[0];
    return true;
}

static bool read_access(const RnJsonAt *at, void *target, GError **error)
{
    g_autofree char *text = NULL;
    RnDeviceRule *rule = target;

    if (!rn_json_read_string(at, &text, error))
        return false;
    if (text[0] == '\0')
        return true;
    if (strspn(text, "rwm") != strlen(text))
        return rn_json_fail(at, RN_ERROR_INVALID, error,
                            "must be of \"r\", \"w\" and \"m\"");
    rule->read = strchr(text, 'r') != NULL;
    rule->write = strchr(text, 'w') != NULL;
    rule->mknod = strchr(text, 'm') != NULL;
    return true;
}

static bool read_any_major(const RnJsonAt *at, void *target, GError **error)
{
    return rn_json_read_range(at, ANY_NUMBER, MAJOR_MAX, target, error);
}

static bool read_any_minor(const RnJsonAt *at, void *target, GError **error)
{
    return rn_json_read_range(at, ANY_NUMBER, MINOR_MAX, target, error);
}

static bool append_rule(const RnJsonAt *at, void *target, GError **error)
{
    static const RnJsonField fields[] = {
        { "allow", rn_json_read_bool, G_STRUCT_OFFSET(RnDeviceRule, allow),
          RN_JSON_REQUIRED },
        { "type", read_rule_type, G_STRUCT_OFFSET(RnDeviceRule, type),
          RN_JSON_OPTIONAL },
        { "major", read_any_major, G_STRUCT_OFFSET(RnDeviceRule, major),
          RN_JSON_OPTIONAL },
        { "minor", read_any_minor, G_STRUCT_OFFSET(RnDeviceRule, minor),
          RN_JSON_OPTIONAL },
        { "access", read_access, 0, RN_JSON_OPTIONAL },
    };
    /* what is not given means all */
    RnDeviceRule rule = {
        .type = 'a',
        .major = ANY_NUMBER,
        .minor = ANY_NUMBER,
        .read = true,
        .write = true,
        .mknod = true,
    };

    if (!rn_json_read_members(at, fields, G_N_ELEMENTS(fields), &rule, error))
        return false;
    g_array_append_val((GArray *)target, rule);
    return true;
}

bool rn_config_read_device_rules(const RnJsonAt *at, void *target,
                                 GError **error)
{
    GArray **rules = target;

    return rn_json_check_count(at, RULES_MAX, error) &&
           rn_json_read_elements(at, append_rule, *rules, error);
}
