/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config-names - names of config.json that end up in kernel interfaces
 *
 * Runs in the launcher, as config.c says.
 */
#include "config.h"

#include <rnet/oci/config-parts.h>

#include <string.h>

#include <net/if.h>

bool rn_config_fail_word(const RnJsonAt *at, const char *word, const char *what,
                         GError **error)
{
    g_autofree char *quoted = rn_json_quote(word);

    return rn_json_fail(at, RN_ERROR_INVALID, error, "%s is not %s", quoted,
                        what);
}

bool rn_config_is_word(const char *text)
{
    for (const char *c = text; *c != '\0'; c++)
        if (!g_ascii_isgraph(*c))
            return false;
    return text[0] != '\0';
}

bool rn_config_is_interface(const char *name)
{
    gsize length = strlen(name);

    if (length == 0 || length >= IFNAMSIZ || strcmp(name, ".") == 0 ||
        strcmp(name, "..") == 0)
        return false;
    for (const char *c = name; *c != '\0'; c++)
        if (*c == '/' || *c == ':' || g_ascii_isspace(*c))
            return false;
    return true;
}

bool rn_config_read_interface(const RnJsonAt *at, void *target, GError **error)
{
    char **name = target;

    if (!rn_json_read_string(at, name, error))
        return false;
    if (rn_config_is_interface(*name))
        return true;
    return rn_config_fail_word(at, *name, "the name of a network interface",
                               error);
}

bool rn_config_read_optional_string(const RnJsonAt *at, void *target,
                                    GError **error)
{
    char **value = target;

    if (!rn_json_read_string(at, value, error))
        return false;
    if ((*value)[0] == '\0')
        g_clear_pointer(value, g_free);
    return true;
}
