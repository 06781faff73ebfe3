/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hook-words - a container's annotations on top of the hook's arguments
 *
 * Runs in `rnet hook`, pure. The words themselves are checked where those of
 * all commands are, by rn_network_wish_parse().
 */
#include "config.h"

#include <rnet/dialect/hook-words.h>

#include <string.h>

#include <rnet/oci/json.h>

#define PREFIX "rnet."

void rn_hook_words_clear(RnHookWords *words)
{
    g_clear_pointer(&words->network, g_free);
    g_clear_pointer(&words->publish_all, g_free);
    g_clear_pointer(&words->publish, g_strfreev);
    g_clear_pointer(&words->expose_host, g_strfreev);
}

static void set_text(char **target, const char *value)
{
    g_free(*target);
    *target = g_strdup(value);
}

/* Appends the parts of a list; one that is empty has none. */
static void append_list(char ***target, const char *value)
{
    g_autoptr(GPtrArray) all = g_ptr_array_new();
    g_autofree char **parts = g_strsplit(value, ",", -1);

    for (char **at = *target; at != NULL && *at != NULL; at++)
        g_ptr_array_add(all, *at);
    for (char **at = parts; *at != NULL; at++)
        g_ptr_array_add(all, g_strstrip(*at));
    g_ptr_array_add(all, NULL);
    g_free(*target); /* its texts have moved */
    *target = (char **)g_ptr_array_steal(all, NULL);
}

static void take_network(RnHookWords *words, const char *value)
{
    set_text(&words->network, value);
}

static void take_publish(RnHookWords *words, const char *value)
{
    append_list(&words->publish, value);
}

static void take_expose_host(RnHookWords *words, const char *value)
{
    append_list(&words->expose_host, value);
}

static void take_publish_all(RnHookWords *words, const char *value)
{
    if (strcmp(value, "false") == 0)
        g_clear_pointer(&words->publish_all, g_free);
    else
        set_text(&words->publish_all, strcmp(value, "true") == 0 ? "" : value);
}

static const struct {
    const char *name;
    void (*take)(RnHookWords *words, const char *value);
} known[] = {
    { PREFIX "network", take_network },
    { PREFIX "publish", take_publish },
    { PREFIX "publish-all", take_publish_all },
    { PREFIX "expose-host", take_expose_host },
};

static bool take_annotation(RnHookWords *words, const char *name,
                            const char *value, GError **error)
{
    g_autofree char *quoted = rn_json_quote(name);

    for (gsize i = 0; i < G_N_ELEMENTS(known); i++) {
        if (strcmp(known[i].name, name) != 0)
            continue;
        known[i].take(words, value);
        return true;
    }
    (void)rn_set_error(error, RN_ERROR_INVALID, "unknown annotation %s",
                       quoted);
    return rn_error_add_hint(error, "there are rnet.network, rnet.publish, "
                                    "rnet.publish-all and rnet.expose-host");
}

bool rn_hook_words_annotate(RnHookWords *words, GHashTable *annotations,
                            GError **error)
{
    GHashTableIter iter;
    gpointer name = NULL, value = NULL;

    g_hash_table_iter_init(&iter, annotations);
    while (g_hash_table_iter_next(&iter, &name, &value)) {
        if (g_str_has_prefix(name, PREFIX) &&
            !take_annotation(words, name, value, error))
            return false;
    }
    return true;
}

RnNetworkWords rn_hook_words_view(const RnHookWords *words)
{
    return (RnNetworkWords){
        .network = words->network,
        .publish = (const char *const *)words->publish,
        .publish_all = words->publish_all,
        .expose_host = (const char *const *)words->expose_host,
    };
}
