/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ps-filter - line by line, whatever the output's size
 *
 * Runs in `rnet ps`. Titles and values of ps are separated by blanks; as in
 * runc the pid is the word at the title's place. A command line, which may
 * have any words, comes last in all of ps' own formats.
 */
#include "config.h"

#include <rnet/runtime/ps-filter.h>

#include <string.h>

#include <rnet/util/parse.h>

struct RnPsFilter {
    const GArray *pids;
    GString *line;  /* as far as it came */
    int pid_column; /* -1: the first line is still to come */
};

RnPsFilter *rn_ps_filter_new(const GArray *pids)
{
    RnPsFilter *filter = g_new0(RnPsFilter, 1);

    filter->pids = pids;
    filter->line = g_string_new(NULL);
    filter->pid_column = -1;
    return filter;
}

void rn_ps_filter_free(RnPsFilter *filter)
{
    if (filter == NULL)
        return;
    (void)g_string_free(filter->line, TRUE);
    g_free(filter);
}

/* The word at place `wanted` (NULL: too few), or, with wanted -1, the place of
 * the word `title`. */
static char *find_word(const char *line, int wanted, const char *title,
                       int *out_place)
{
    static const char blanks[] = " \t";
    const char *at = line + strspn(line, blanks);

    for (int place = 0; *at != '\0'; place++) {
        gsize length = strcspn(at, blanks);
        g_autofree char *word = g_strndup(at, length);

        if (place == wanted || (title != NULL && strcmp(word, title) == 0)) {
            *out_place = place;
            return g_steal_pointer(&word);
        }
        at += length;
        at += strspn(at, blanks);
    }
    return NULL;
}

static int compare_pids(gconstpointer a, gconstpointer b)
{
    const pid_t *left = a;
    const pid_t *right = b;

    return (*left > *right) - (*left < *right);
}

static bool is_wanted(const RnPsFilter *filter, const char *line,
                      bool *out_wanted, GError **error)
{
    int place = 0;
    g_autofree char *word = find_word(line, filter->pid_column, NULL, &place);
    uint64_t number = 0;
    pid_t pid = 0;

    if (word == NULL ||
        !rn_parse_uint(word, 1, G_MAXINT, "pid", &number, error)) {
        if (word == NULL)
            (void)rn_set_error(error, RN_ERROR_INVALID, "a line without pid");
        g_prefix_error(error, "what ps says: ");
        return false;
    }
    pid = (pid_t)number;
    *out_wanted =
        g_array_binary_search((GArray *)filter->pids, &pid, compare_pids, NULL);
    return true;
}

static bool take_line(RnPsFilter *filter, const char *line, GString *shown,
                      GError **error)
{
    bool wanted = true;

    if (filter->pid_column < 0) {
        g_autofree char *word = find_word(line, -1, "PID", &filter->pid_column);

        if (word == NULL)
            return rn_set_error(error, RN_ERROR_INVALID,
                                "no column PID in what ps says");
    } else if (line[0] == '\0') {
        return true;
    } else if (!is_wanted(filter, line, &wanted, error)) {
        return false;
    }
    if (wanted)
        g_string_append_printf(shown, "%s\n", line);
    return true;
}

bool rn_ps_filter_feed(RnPsFilter *filter, const char *text, gsize length,
                       GString *shown, GError **error)
{
    const char *end = text + length;

    while (text < end) {
        const char *stop = memchr(text, '\n', (gsize)(end - text));
        gsize part = (gsize)((stop != NULL ? stop : end) - text);

        if (filter->line->len + part > RN_PS_LINE_MAX)
            return rn_set_error(error, RN_ERROR_LIMIT,
                                "what ps says: a line of more than %d bytes",
                                RN_PS_LINE_MAX);
        g_string_append_len(filter->line, text, (gssize)part);
        text += part + 1;
        if (stop == NULL)
            return true;
        if (!take_line(filter, filter->line->str, shown, error))
            return false;
        g_string_truncate(filter->line, 0);
    }
    return true;
}
