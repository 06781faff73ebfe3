/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config-text - documents for the tests of config.json, readable: ' for "
 */
#ifndef RNET_TESTS_UNIT_CONFIG_TEXT_H
#define RNET_TESTS_UNIT_CONFIG_TEXT_H

#include <unit.h>

#include <rnet/oci/config.h>

/* Parses `text` with " for each '. */
static inline RnConfig *parse_config(const char *text, GError **error)
{
    g_autofree char *json = g_strdelimit(g_strdup(text), "'", '"');

    return rn_config_parse(json, strlen(json), "config.json", error);
}

/* A small valid document with additional members in its sections. */
static inline char *build_config(const char *top, const char *process,
                                 const char *lin)
{
    return g_strdup_printf(
        "{'ociVersion':'1.0.2','root':{'path':'rootfs'},"
        "'process':{'args':['/bin/true'],'cwd':'/'%s},"
        "'linux':{'namespaces':[{'type':'user'},{'type':'uts'},"
        "{'type':'network'}]%s}%s}",
        process, lin, top);
}

/* The same, parsed; it must be valid. */
static inline RnConfig *parse_config_with(const char *top, const char *process,
                                          const char *lin)
{
    g_autofree char *text = build_config(top, process, lin);
    g_autoptr(GError) error = NULL;
    RnConfig *config = parse_config(text, &error);

    if (config == NULL)
        fail_msg("%s: %s", text, error->message);
    return config;
}

/* What must not be accepted, and a part of the error. */
typedef struct ConfigRefusal {
    const char *member; /* put into a section, or the whole document */
    RnErrorCode code;
    const char *part;
} ConfigRefusal;

static inline void check_config_refusal(const char *text,
                                        const ConfigRefusal *refusal)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RnConfig) config = parse_config(text, &error);

    if (config != NULL)
        fail_msg("accepted: %s", text);
    assert_error(error, RN_ERROR, refusal->code, refusal->part);
}

#endif
