/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * seccomp-data - a filter as data, from config.json to its compilation
 *
 * Runs in the launcher. Nothing here fails.
 */
#include "config.h"

#include <rnet/sys/seccomp-filter.h>

static void free_rule(gpointer rule)
{
    rn_seccomp_rule_free(rule);
}

RnSeccomp *rn_seccomp_new(void)
{
    RnSeccomp *seccomp = g_new0(RnSeccomp, 1);

    seccomp->architectures = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    seccomp->rules = g_ptr_array_new_with_free_func(free_rule);
    return seccomp;
}

void rn_seccomp_free(RnSeccomp *seccomp)
{
    if (seccomp == NULL)
        return;
    g_clear_pointer(&seccomp->architectures, g_array_unref);
    g_clear_pointer(&seccomp->rules, g_ptr_array_unref);
    g_free(seccomp->listener_path);
    g_free(seccomp->listener_metadata);
    g_free(seccomp);
}

void rn_seccomp_rule_free(RnSeccompRule *rule)
{
    if (rule == NULL)
        return;
    g_strfreev(rule->names);
    g_clear_pointer(&rule->args, g_array_unref);
    g_free(rule);
}
