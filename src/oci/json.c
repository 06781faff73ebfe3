/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json - from text to a tree of jansson's
 *
 * Runs in the launcher, on a bundle's files, which may be hostile. Size, UTF-8
 * and grammar are checked before jansson, whose parser recurses, sees a byte.
 * Failure leaves nothing behind.
 */
#include "config.h"

#include <rnet/oci/json.h>

enum {
    QUOTE_MAX = 64 /* characters */
};

char *rn_json_quote(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_autoptr(GString) quoted = g_string_new("\"");
    const char *at = valid;

    for (int i = 0; *at != '\0' && i < QUOTE_MAX; i++) {
        gunichar character = g_utf8_get_char(at);

        g_string_append_unichar(quoted,
                                g_unichar_isprint(character) ? character : '?');
        at = g_utf8_next_char(at);
    }
    g_string_append(quoted, *at == '\0' ? "\"" : "...\"");
    return g_string_free(g_steal_pointer(&quoted), FALSE);
}

json_t *rn_json_parse(const char *text, gsize length, const char *name,
                      GError **error)
{
    /* ANY: the document need not be an object or array */
    const gsize flags = JSON_DECODE_ANY | JSON_REJECT_DUPLICATES;
    g_autofree char *copy = NULL;
    json_error_t failure = { 0 };
    g_autofree char *problem = NULL;
    json_t *tree = NULL;

    if (length > RN_JSON_MAX_SIZE) {
        (void)rn_set_error(error, RN_ERROR_LIMIT, "%s: larger than %d bytes",
                           name, RN_JSON_MAX_SIZE);
        return NULL;
    }
    copy = g_strndup(text, length); /* the check writes to it */
    if (!rn_json_check(copy, length, name, error))
        return NULL;
    tree = json_loadb(copy, length, flags, &failure);
    if (tree != NULL)
        return tree;
    problem = rn_json_quote(failure.text); /* has words of the document */
    (void)rn_set_error(error, RN_ERROR_INVALID, "%s: line %d, column %d: %s",
                       name, failure.line, failure.column, problem);
    return NULL;
}
