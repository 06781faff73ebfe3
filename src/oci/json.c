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

#include <string.h>

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

bool rn_json_get_large(const json_t *node, uint64_t *out_value)
{
    const char *text = json_string_value(node); /* no string: NULL */
    g_autofree char *code = NULL;
    g_autofree guchar *bytes = NULL;
    gsize length = 0;

    if (text == NULL || json_string_length(node) != RN_JSON_LARGE_LENGTH + 1 ||
        text[0] != '\0')
        return false;
    code = g_strconcat(text + 1, "=", NULL);
    bytes = g_base64_decode(code, &length);
    if (length != sizeof *out_value)
        return false;
    memcpy(out_value, bytes, length);
    return true;
}

json_t *rn_json_parse(const char *text, gsize length, const char *name,
                      GError **error)
{
    /* ANY: the document need not be an object or array; NUL: what the check
     * makes of large integers, and of nothing else */
    const gsize flags =
        JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL;
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
