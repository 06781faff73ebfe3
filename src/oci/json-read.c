/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json-read - typed, table-driven access to a JSON tree
 *
 * Runs in the launcher. The path of a value is only made into text when there
 * is an error to report; until then it is the chain of RnJsonAt on the stack.
 * The tree is at most RN_JSON_MAX_DEPTH deep, so recursion is bounded.
 */
#include "config.h"

#include <rnet/oci/json-read.h>

/* "[2]" of an array; of a map, whose keys may be hostile, "[\"key\"]". */
static char *format_index(const RnJsonAt *at)
{
    g_autofree char *quoted = at->is_key ? rn_json_quote(at->name) : NULL;

    if (at->is_key)
        return g_strdup_printf("[%s]", quoted);
    return g_strdup_printf("[%u]", at->index);
}

/* "config.json: process.args[2]", or "config.json" for the document. */
static char *format_path(const RnJsonAt *at)
{
    g_autoptr(GString) path = g_string_new(NULL);
    g_autofree char *index = NULL;

    for (; at->parent != NULL; at = at->parent) {
        bool first = at->parent->parent == NULL;

        if (at->name == NULL || at->is_key) {
            g_free(index);
            index = format_index(at);
            g_string_prepend(path, index);
            continue;
        }
        g_string_prepend(path, at->name);
        if (!first)
            g_string_prepend_c(path, '.');
    }
    if (path->len > 0)
        g_string_prepend(path, ": ");
    g_string_prepend(path, at->name);
    return g_string_free(g_steal_pointer(&path), FALSE);
}

bool rn_json_fail(const RnJsonAt *at, RnErrorCode code, GError **error,
                  const char *format, ...)
{
    g_autofree char *path = format_path(at);
    g_autofree char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return rn_set_error(error, code, "%s: %s", path, text);
}

static bool fail_type(const RnJsonAt *at, const char *wanted, GError **error)
{
    return rn_json_fail(at, RN_ERROR_INVALID, error, "must be %s", wanted);
}

bool rn_json_read_members(const RnJsonAt *at, const RnJsonField *fields,
                          gsize n_fields, void *target, GError **error)
{
    if (!json_is_object(at->node))
        return fail_type(at, "an object", error);
    for (gsize i = 0; i < n_fields; i++) {
        const RnJsonField *field = &fields[i];
        RnJsonAt member = { .parent = at,
                            .name = field->name,
                            .node = json_object_get(at->node, field->name) };
        bool missing = member.node == NULL || json_is_null(member.node);

        if (missing && field->need == RN_JSON_OPTIONAL)
            continue;
        if (missing)
            return rn_json_fail(&member, RN_ERROR_INVALID, error, "is missing");
        if (!field->read(&member, (char *)target + field->offset, error))
            return false;
    }
    return true;
}

bool rn_json_read_elements(const RnJsonAt *at, RnJsonReader read, void *target,
                           GError **error)
{
    if (!json_is_array(at->node))
        return fail_type(at, "an array", error);
    for (unsigned i = 0; i < json_array_size(at->node); i++) {
        RnJsonAt element = { .parent = at,
                             .index = i,
                             .node = json_array_get(at->node, i) };

        if (!read(&element, target, error))
            return false;
    }
    return true;
}

bool rn_json_read_entries(const RnJsonAt *at, RnJsonReader read, void *target,
                          GError **error)
{
    const char *key = NULL;
    json_t *value = NULL;

    if (!json_is_object(at->node))
        return fail_type(at, "an object", error);
    json_object_foreach (at->node, key, value) {
        RnJsonAt entry = {
            .parent = at, .name = key, .is_key = true, .node = value
        };

        if (!read(&entry, target, error))
            return false;
    }
    return true;
}

bool rn_json_check_count(const RnJsonAt *at, gsize max, GError **error)
{
    if (json_array_size(at->node) <= max && json_object_size(at->node) <= max)
        return true;
    return rn_json_fail(at, RN_ERROR_LIMIT, error,
                        "has more than %" G_GSIZE_FORMAT " entries", max);
}

bool rn_json_read_bool(const RnJsonAt *at, void *target, GError **error)
{
    bool *value = target;

    if (!json_is_boolean(at->node))
        return fail_type(at, "true or false", error);
    *value = json_is_true(at->node);
    return true;
}

/* An integer from 0 to max. */
static bool read_unsigned(const RnJsonAt *at, uint64_t max, uint64_t *out_value,
                          GError **error)
{
    uint64_t value = 0;
    bool fits = false;

    if (rn_json_get_large(at->node, &value)) {
        fits = value <= max;
    } else if (json_is_integer(at->node)) {
        value = (uint64_t)json_integer_value(at->node);
        fits = value <= INT64_MAX && value <= max; /* above it: negative */
    } else {
        return fail_type(at, "an integer", error);
    }
    if (!fits)
        return rn_json_fail(at, RN_ERROR_INVALID, error,
                            "must be from 0 to %" G_GUINT64_FORMAT, max);
    *out_value = value;
    return true;
}

bool rn_json_read_uint16(const RnJsonAt *at, void *target, GError **error)
{
    uint64_t value = 0;

    if (!read_unsigned(at, UINT16_MAX, &value, error))
        return false;
    *(uint16_t *)target = (uint16_t)value;
    return true;
}

bool rn_json_read_uint32(const RnJsonAt *at, void *target, GError **error)
{
    uint64_t value = 0;

    if (!read_unsigned(at, UINT32_MAX, &value, error))
        return false;
    *(uint32_t *)target = (uint32_t)value;
    return true;
}

bool rn_json_read_uint64(const RnJsonAt *at, void *target, GError **error)
{
    return read_unsigned(at, UINT64_MAX, target, error);
}

bool rn_json_read_range(const RnJsonAt *at, int64_t min, int64_t max,
                        int64_t *out_value, GError **error)
{
    int64_t value = json_integer_value(at->node);
    uint64_t large = 0;
    bool is_large = rn_json_get_large(at->node, &large);

    if (!is_large && !json_is_integer(at->node))
        return fail_type(at, "an integer", error);
    if (is_large || value < min || value > max)
        return rn_json_fail(
            at, RN_ERROR_INVALID, error,
            "must be from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, min, max);
    *out_value = value;
    return true;
}

bool rn_json_read_int64(const RnJsonAt *at, void *target, GError **error)
{
    return rn_json_read_range(at, INT64_MIN, INT64_MAX, target, error);
}

bool rn_json_read_id(const RnJsonAt *at, void *target, GError **error)
{
    uint64_t value = 0;

    /* credentials(7): (uid_t)-1 means "leave it" to system calls */
    if (!read_unsigned(at, UINT32_MAX - 1, &value, error))
        return false;
    *(uint32_t *)target = (uint32_t)value;
    return true;
}

bool rn_json_read_string(const RnJsonAt *at, void *target, GError **error)
{
    char **value = target;
    uint64_t large = 0;

    if (!json_is_string(at->node) || rn_json_get_large(at->node, &large))
        return fail_type(at, "a string", error);
    g_free(*value);
    *value = g_strdup(json_string_value(at->node));
    return true;
}

bool rn_json_read_path(const RnJsonAt *at, void *target, GError **error)
{
    g_autofree char *path = NULL;
    g_autofree char *quoted = NULL;
    char **value = target;

    if (!rn_json_read_string(at, &path, error))
        return false;
    if (path[0] != '/') {
        quoted = rn_json_quote(path);
        return rn_json_fail(at, RN_ERROR_INVALID, error,
                            "%s must be an absolute path", quoted);
    }
    g_free(*value);
    *value = g_steal_pointer(&path);
    return true;
}

static bool append_string(const RnJsonAt *at, void *target, GError **error)
{
    char *text = NULL;

    if (!rn_json_read_string(at, &text, error))
        return false;
    g_ptr_array_add(target, text);
    return true;
}

static bool append_path(const RnJsonAt *at, void *target, GError **error)
{
    char *text = NULL;

    if (!rn_json_read_path(at, &text, error))
        return false;
    g_ptr_array_add(target, text);
    return true;
}

static bool read_vector(const RnJsonAt *at, RnJsonReader append, char ***target,
                        GError **error)
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);

    if (!rn_json_read_elements(at, append, texts, error))
        return false;
    g_ptr_array_add(texts, NULL);
    g_strfreev(*target);
    *target = (char **)g_ptr_array_steal(texts, NULL);
    return true;
}

bool rn_json_read_strings(const RnJsonAt *at, void *target, GError **error)
{
    return read_vector(at, append_string, target, error);
}

bool rn_json_read_paths(const RnJsonAt *at, void *target, GError **error)
{
    return read_vector(at, append_path, target, error);
}

static bool says_nothing(json_t *node)
{
    const char *name = NULL;
    json_t *member = NULL;

    for (gsize i = 0; i < json_array_size(node); i++) { /* no array: none */
        if (!says_nothing(json_array_get(node, i)))
            return false;
    }
    json_object_foreach (node, name, member) { /* no object: none */
        if (!says_nothing(member))
            return false;
    }
    if (json_is_string(node))
        return json_string_length(node) == 0;
    return !json_is_true(node) && !json_is_number(node);
}

bool rn_json_refuse(const RnJsonAt *at, void *target, GError **error)
{
    (void)target;
    if (says_nothing(at->node))
        return true;
    return rn_json_fail(at, RN_ERROR_UNSUPPORTED, error, "not supported");
}

bool rn_json_refuse_map(const RnJsonAt *at, void *target, GError **error)
{
    (void)target;
    if (json_is_object(at->node) && json_object_size(at->node) == 0)
        return true;
    return rn_json_fail(at, RN_ERROR_UNSUPPORTED, error, "not supported");
}

bool rn_json_read_string_map(const RnJsonAt *at, void *target, GError **error)
{
    GHashTable **map = target;
    const char *name = NULL;
    json_t *value = NULL;

    if (!json_is_object(at->node))
        return fail_type(at, "an object", error);
    json_object_foreach (at->node, name, value) {
        const RnJsonAt member = { .parent = at, .name = name, .node = value };

        if (!json_is_string(value))
            return fail_type(&member, "a string", error);
        (void)g_hash_table_replace(*map, g_strdup(name),
                                   g_strdup(json_string_value(value)));
    }
    return true;
}
