/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * list - states as an array, and the array as a table
 *
 * Runs in `rnet list`. In: what rn_managed_list() found. The paths in it are
 * bundles', any text. Nothing fails.
 */
#include "config.h"

#include <rnet/runtime/list.h>

#include <rnet/oci/json.h>
#include <rnet/runtime/managed.h>

enum {
    CELL_MIN = 12,              /* width of a column, as runc's */
    CELL_GAP = 3,               /* blanks between columns at least */
    COLUMNS = 6,
};

json_t *rn_list_to_json(const GPtrArray *managed)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < managed->len; i++) {
        const RnManaged *one = g_ptr_array_index(managed, i);
        json_t *state = rn_managed_state(one);

        if (json_object_get(state, "pid") == NULL)
            (void)json_object_set_new(state, "pid", json_integer(0));
        (void)json_array_append_new(list, state);
    }
    return list;
}

static char *format_cell(const json_t *value)
{
    g_autoptr(GString) cell = g_string_new(NULL);
    const char *text = json_string_value(value);

    if (json_is_integer(value))
        g_string_printf(cell, "%" JSON_INTEGER_FORMAT,
                        json_integer_value(value));
    for (const char *c = text != NULL ? text : ""; *c != '\0'; c++) {
        if (g_ascii_iscntrl(*c))
            g_string_append_printf(cell, "\\x%02x", (unsigned char)*c);
        else
            g_string_append_c(cell, *c);
    }
    return g_string_free(g_steal_pointer(&cell), FALSE);
}

typedef struct Row {
    char *cells[COLUMNS];
} Row;

static void clear_row(gpointer data)
{
    Row *row = data;

    for (unsigned i = 0; i < COLUMNS; i++)
        g_free(row->cells[i]);
}

static GArray *make_rows(const json_t *list)
{
    static const struct {
        const char *title;
        const char *member;
    } columns[] = {
        { "ID", "id" },           { "PID", "pid" },
        { "STATUS", "status" },   { "BUNDLE", "bundle" },
        { "CREATED", "created" }, { "OWNER", "owner" },
    };
    GArray *rows = g_array_new(FALSE, TRUE, sizeof(Row));
    Row row = { { NULL } };

    G_STATIC_ASSERT(G_N_ELEMENTS(columns) == COLUMNS);
    g_array_set_clear_func(rows, clear_row);
    for (unsigned c = 0; c < COLUMNS; c++)
        row.cells[c] = g_strdup(columns[c].title);
    g_array_append_val(rows, row);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *state = json_array_get(list, i);

        for (unsigned c = 0; c < COLUMNS; c++)
            row.cells[c] =
                format_cell(json_object_get(state, columns[c].member));
        g_array_append_val(rows, row);
    }
    return rows;
}

static glong width_of(const char *cell)
{
    return g_utf8_strlen(cell, -1);
}

char *rn_list_format(const json_t *list)
{
    g_autoptr(GArray) rows = make_rows(list);
    g_autoptr(GString) table = g_string_new(NULL);
    glong widths[COLUMNS] = { 0 };

    for (unsigned r = 0; r < rows->len; r++) {
        for (unsigned c = 0; c + 1 < COLUMNS; c++) {
            glong width = width_of(g_array_index(rows, Row, r).cells[c]);

            widths[c] = MAX(MAX(widths[c], CELL_MIN), width + CELL_GAP);
        }
    }
    for (unsigned r = 0; r < rows->len; r++) {
        for (unsigned c = 0; c < COLUMNS; c++) {
            const char *cell = g_array_index(rows, Row, r).cells[c];
            int pad = (int)MAX(widths[c] - width_of(cell), 0);

            g_string_append_printf(table, "%s%*s", cell, pad, "");
        }
        g_string_append_c(table, '\n');
    }
    return g_string_free(g_steal_pointer(&table), FALSE);
}
