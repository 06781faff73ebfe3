/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup-devices - linux.resources.devices in a container's cgroup
 *
 * Runs in the launcher and in `update`. What the bundle denies must not be left
 * allowed: where that cannot be had for a container that could make device
 * nodes, it is an error.
 */
#include "config.h"

#include <rnet/runtime/cgroup-make.h>

#include <errno.h>
#include <string.h>

#include <rnet/sys/cgroup-dir.h>
#include <rnet/sys/device-program.h>
#include <rnet/util/log.h>

#define CHARACTER(major_number, minor_number)                                  \
    {                                                                          \
        .allow = true, .type = 'c', .major = (major_number),                   \
        .minor = (minor_number), .read = true, .write = true, .mknod = true    \
    }

/* What a rule list begins with. */
static const RnDeviceRule deny_all = {
    .type = 'a',
    .major = -1,
    .minor = -1,
    .read = true,
    .write = true,
    .mknod = true,
};

/*
 * What it ends with: runc's list, but for /dev/net/tun as runc since 1.2. A
 * node of any number can be made, not opened. admin-guide/devices.txt.
 */
static const RnDeviceRule default_rules[] = {
    { .allow = true, .type = 'c', .major = -1, .minor = -1, .mknod = true },
    { .allow = true, .type = 'b', .major = -1, .minor = -1, .mknod = true },
    CHARACTER(1, 3),    /* null */
    CHARACTER(1, 5),    /* zero */
    CHARACTER(1, 7),    /* full */
    CHARACTER(1, 8),    /* random */
    CHARACTER(1, 9),    /* urandom */
    CHARACTER(5, 0),    /* tty */
    CHARACTER(5, 1),    /* console */
    CHARACTER(5, 2),    /* ptmx */
    CHARACTER(136, -1), /* pts/N */
};

/* Appends a rule, one of type 'a' for some devices as two. */
static void append_rule(GArray *rules, const RnDeviceRule *rule)
{
    RnDeviceRule typed = *rule;

    if (!rule->read && !rule->write && !rule->mknod)
        return; /* says nothing */
    if (rn_device_rule_is_total(rule)) {
        g_array_set_size(rules, 0); /* what came before is overruled */
        g_array_append_val(rules, typed);
        return;
    }
    if (rule->type != 'a') {
        g_array_append_val(rules, typed);
        return;
    }
    typed.type = 'c';
    g_array_append_val(rules, typed);
    typed.type = 'b';
    g_array_append_val(rules, typed);
}

static GArray *complete(const GArray *given)
{
    GArray *rules = g_array_new(FALSE, FALSE, sizeof(RnDeviceRule));

    append_rule(rules, &deny_all);
    for (unsigned i = 0; i < given->len; i++)
        append_rule(rules, &g_array_index(given, RnDeviceRule, i));
    for (unsigned i = 0; i < G_N_ELEMENTS(default_rules); i++)
        append_rule(rules, &default_rules[i]);
    return rules;
}

static bool same_number(int64_t a, int64_t b)
{
    return a == b || a < 0 || b < 0;
}

static bool overlaps(const RnDeviceRule *a, const RnDeviceRule *b)
{
    return a->type == b->type && same_number(a->major, b->major) &&
           same_number(a->minor, b->minor) &&
           ((a->read && b->read) || (a->write && b->write) ||
            (a->mknod && b->mknod));
}

/* v1 keeps a list of exceptions: a denial takes only the very same device off
 * it, and leaves one in force that is part of a wider exception. */
static bool check_v1(const GArray *rules, unsigned index, GError **error)
{
    const RnDeviceRule *denied = &g_array_index(rules, RnDeviceRule, index);

    for (unsigned i = 1; i < index && !denied->allow; i++) {
        const RnDeviceRule *rule = &g_array_index(rules, RnDeviceRule, i);
        g_autofree char *text = NULL;

        if (!rule->allow || !overlaps(rule, denied) ||
            (rule->major == denied->major && rule->minor == denied->minor))
            continue;
        text = rn_device_rule_format(denied);
        return rn_set_error(error, RN_ERROR_UNSUPPORTED,
                            "cgroup v1 cannot deny \"%s\", a part of what an "
                            "earlier rule allows",
                            text);
    }
    return true;
}

static bool write_v1(const RnCgroupPart *part, const GArray *rules,
                     GError **error)
{
    gsize first_default = rules->len - G_N_ELEMENTS(default_rules);

    for (unsigned i = 0; i < rules->len; i++) {
        const RnDeviceRule *rule = &g_array_index(rules, RnDeviceRule, i);
        g_autofree char *text = rn_device_rule_format(rule);
        g_autoptr(GError) failure = NULL;

        if (!check_v1(rules, i, error))
            return false;
        if (rn_cgroup_dir_write(part->directory,
                                rule->allow ? "devices.allow" : "devices.deny",
                                text, &failure))
            continue;
        /* rnet itself is in a container that may not have all of them */
        if (i >= first_default && rn_error_is_errno(failure, EPERM)) {
            rn_log_debug("device \"%s\" is not this cgroup's to allow", text);
            continue;
        }
        g_propagate_error(error, g_steal_pointer(&failure));
        g_prefix_error(error, "device rule \"%s\": ", text);
        return false;
    }
    return true;
}

static bool apply_rules(const GPtrArray *parts, const GArray *given,
                        GError **error)
{
    const RnCgroupPart *v1 = rn_cgroup_find_part(parts, 1, "devices");
    const RnCgroupPart *v2 = rn_cgroup_find_part(parts, 2, "cgroup");
    g_autoptr(GArray) rules = complete(given);
    g_autoptr(GArray) program = NULL;

    if (v1 != NULL)
        return write_v1(v1, rules, error);
    if (v2 == NULL)
        return rn_set_error(error, RN_ERROR_UNSUPPORTED,
                            "there is no cgroup to carry them out");
    program = rn_device_program_build(rules);
    return rn_device_program_attach(v2->directory, program, error);
}

static bool denies(const GArray *rules)
{
    for (unsigned i = 0; i < rules->len; i++) {
        if (!g_array_index(rules, RnDeviceRule, i).allow)
            return true;
    }
    return false;
}

bool rn_cgroup_apply_devices(const GPtrArray *parts, const GArray *rules,
                             bool lenient, GError **error)
{
    g_autoptr(GError) failure = NULL;

    if (rules->len == 0 && lenient)
        return true;
    if (apply_rules(parts, rules, &failure))
        return true;
    if (lenient || !denies(rules)) {
        rn_log_debug("device rules are not enforced: %s", failure->message);
        return true;
    }
    g_propagate_error(error, g_steal_pointer(&failure));
    g_prefix_error(error, "linux.resources.devices: ");
    return rn_error_add_hint(error, "only root can have device rules, unless "
                                    "the container has a user namespace");
}
