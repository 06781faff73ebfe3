/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mount-table - reads mountinfo
 *
 * Runs in init. In: text of the kernel's, in which a mount point's name may be
 * anything: blanks and newlines come as octal escapes.
 */
#include "config.h"

#include <rnet/sys/mount-table.h>

#include <fcntl.h>
#include <string.h>

#include <rnet/util/fd.h>

/* Fields of a line before its optional ones, proc(5). */
enum {
    FIELD_ROOT = 3,
    FIELD_TARGET = 4,
    FIELD_OPTIONAL = 6,
};

static void free_entry(gpointer data)
{
    RnMountEntry *entry = data;

    g_free(entry->root);
    g_free(entry->target);
    g_free(entry->type);
    g_free(entry->options);
    g_free(entry);
}

/* "- TYPE SOURCE OPTIONS" follows any number of optional fields. */
static char **find_separator(char **fields)
{
    char **field = fields + FIELD_OPTIONAL;

    while (*field != NULL && strcmp(*field, "-") != 0)
        field++;
    return *field == NULL ? NULL : field;
}

static bool parse_line(const char *line, GPtrArray *table)
{
    g_auto(GStrv) fields = g_strsplit(line, " ", -1);
    char **separator = NULL;
    RnMountEntry *entry = NULL;

    if (g_strv_length(fields) <= FIELD_OPTIONAL)
        return false;
    separator = find_separator(fields);
    if (separator == NULL || g_strv_length(separator) < 4)
        return false;
    entry = g_new0(RnMountEntry, 1);
    entry->root = g_strcompress(fields[FIELD_ROOT]);
    entry->target = g_strcompress(fields[FIELD_TARGET]);
    entry->type = g_strcompress(separator[1]);
    entry->options = g_strcompress(separator[3]);
    g_ptr_array_add(table, entry);
    return true;
}

bool rn_mount_table_parse(const char *text, GPtrArray **out_table,
                          GError **error)
{
    g_autoptr(GPtrArray) table = g_ptr_array_new_with_free_func(free_entry);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line != NULL; line++) {
        if (**line != '\0' && !parse_line(*line, table))
            return rn_set_error(error, RN_ERROR_INVALID,
                                "mountinfo: a malformed line: \"%s\"", *line);
    }
    *out_table = g_steal_pointer(&table);
    return true;
}

bool rn_mount_table_read(const char *path, GPtrArray **out_table,
                         GError **error)
{
    g_autofree char *text = NULL;

    return rn_file_read(AT_FDCWD, path, RN_MOUNT_TABLE_SIZE_MAX, &text, NULL,
                        error) &&
           rn_mount_table_parse(text, out_table, error);
}
