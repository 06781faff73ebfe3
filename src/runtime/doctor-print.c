/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor-print - the list of checks as a table and as JSON
 *
 * Runs in `rnet doctor`. A check is a line with its state, its name and what
 * was found, then one each for what is lost and how to mend it, wrapped at 80
 * columns. Text from outside (paths, the kernel's) is made printable, so that
 * it cannot write to a terminal or break the JSON.
 */
#include "config.h"

#include <rnet/runtime/doctor.h>

#include <string.h>

enum {
    COLUMNS = 80,
    NAME_COLUMN = 10,
    NAME_WIDTH = 20,
    DETAIL_COLUMN = NAME_COLUMN + NAME_WIDTH + 1,
    MORE_COLUMN = NAME_COLUMN,
};

static const char *const state_words[] = {
    [RN_DOCTOR_FINE] = "fine",
    [RN_DOCTOR_UNTRIED] = "untried",
    [RN_DOCTOR_DEGRADED] = "degraded",
    [RN_DOCTOR_MISSING] = "missing",
};
G_STATIC_ASSERT(G_N_ELEMENTS(state_words) == RN_DOCTOR_N_);

static const char *const who_words[] = {
    [RN_WHO_NOBODY] = NULL,
    [RN_WHO_YOU] = "you",
    [RN_WHO_ROOT] = "root",
    [RN_WHO_OUTSIDE] = "outside",
};
G_STATIC_ASSERT(G_N_ELEMENTS(who_words) == RN_WHO_N_);

/* What the table has before what is lost. */
static const char *const loss_words[] = {
    [RN_DOCTOR_FINE] = "lost",
    [RN_DOCTOR_UNTRIED] = "lost",
    [RN_DOCTOR_DEGRADED] = "lost",
    [RN_DOCTOR_MISSING] = "fails",
};
G_STATIC_ASSERT(G_N_ELEMENTS(loss_words) == RN_DOCTOR_N_);

/* Valid UTF-8 without control characters but newlines. */
static char *make_printable(const char *text)
{
    char *printable = g_utf8_make_valid(text, -1);

    for (char *c = printable; *c != '\0'; c++) {
        if (g_ascii_iscntrl(*c) && *c != '\n')
            *c = '?';
    }
    return printable;
}

/* Adds words from `column` on, going on at `indent` in the next line. */
static void append_wrapped(GString *table, const char *text, gsize column,
                           gsize indent)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    bool is_first = true;

    for (char **word = words; *word != NULL; word++) {
        gsize length = (gsize)g_utf8_strlen(*word, -1);

        if (!is_first && column + 1 + length > COLUMNS) {
            g_string_append_printf(table, "\n%*s", (int)indent, "");
            column = indent;
        } else if (!is_first) {
            g_string_append_c(table, ' ');
            column++;
        }
        g_string_append(table, *word);
        column += length;
        is_first = false;
    }
    g_string_append_c(table, '\n');
}

/* "          root: COMMAND", and lines of a text that has several. */
static void append_more(GString *table, const char *label, const char *text)
{
    g_autofree char *printable = make_printable(text);
    g_auto(GStrv) lines = g_strsplit(printable, "\n", -1);
    gsize indent = MORE_COLUMN + strlen(label) + 2;

    g_string_append_printf(table, "%*s%s: ", MORE_COLUMN, "", label);
    if (g_strv_length(lines) == 1) {
        append_wrapped(table, lines[0], indent, indent);
        return;
    }
    /* to be copied: as it is, from the margin on */
    g_string_append_c(table, '\n');
    for (char **line = lines; *line != NULL; line++)
        g_string_append_printf(table, "%s\n", *line);
}

static void append_check(GString *table, const RnDoctorCheck *check)
{
    g_autofree char *detail = make_printable(check->detail);

    g_string_append_printf(table, "%-*s%-*s ", NAME_COLUMN,
                           state_words[check->state], NAME_WIDTH, check->name);
    append_wrapped(table, detail, DETAIL_COLUMN, DETAIL_COLUMN);
    if (check->loss != NULL)
        append_more(table, loss_words[check->state], check->loss);
    if (check->remedy != NULL)
        append_more(table, who_words[check->who], check->remedy);
}

char *rn_doctor_format(const GPtrArray *checks)
{
    GString *table = g_string_new(NULL);
    guint counts[RN_DOCTOR_N_] = { 0 };

    for (guint i = 0; i < checks->len; i++) {
        const RnDoctorCheck *check = g_ptr_array_index(checks, i);

        append_check(table, check);
        counts[check->state]++;
    }
    g_string_append_printf(table, "\n%u fine, %u degraded, %u missing",
                           counts[RN_DOCTOR_FINE], counts[RN_DOCTOR_DEGRADED],
                           counts[RN_DOCTOR_MISSING]);
    if (counts[RN_DOCTOR_UNTRIED] > 0)
        g_string_append_printf(table, ", %u not tried",
                               counts[RN_DOCTOR_UNTRIED]);
    g_string_append_c(table, '\n');
    return g_string_free(table, FALSE);
}

static json_t *make_text(const char *text)
{
    g_autofree char *printable = NULL;

    if (text == NULL)
        return json_null();
    printable = make_printable(text);
    return json_string(printable);
}

json_t *rn_doctor_to_json(const GPtrArray *checks)
{
    json_t *list = json_array();

    for (guint i = 0; i < checks->len; i++) {
        const RnDoctorCheck *check = g_ptr_array_index(checks, i);

        json_array_append_new(
            list,
            json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "name", check->name,
                      "state", state_words[check->state], "detail",
                      make_text(check->detail), "loss", make_text(check->loss),
                      "remedy", make_text(check->remedy), "who",
                      make_text(who_words[check->who])));
    }
    return json_pack("{s:s, s:o}", "state",
                     state_words[rn_doctor_state(checks)], "checks", list);
}
