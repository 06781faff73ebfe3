/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * units - sizes and durations from a command line
 *
 * Runs in the command line. A number is digits with maybe a point: neither a
 * sign nor the exponents, hexadecimal digits and words of strtod(3).
 */
#include "config.h"

#include <rnet/util/units.h>

#include <string.h>

typedef struct Unit {
    const char *name;
    double factor;
} Unit;

static const Unit sizes[] = {
    { "", 1 },         { "b", 1 },        { "k", 0x1p10 },   { "kb", 0x1p10 },
    { "kib", 0x1p10 }, { "m", 0x1p20 },   { "mb", 0x1p20 },  { "mib", 0x1p20 },
    { "g", 0x1p30 },   { "gb", 0x1p30 },  { "gib", 0x1p30 }, { "t", 0x1p40 },
    { "tb", 0x1p40 },  { "tib", 0x1p40 }, { "p", 0x1p50 },   { "pb", 0x1p50 },
    { "pib", 0x1p50 },
};

/* in milliseconds; "\u00b5s" and "\u03bcs" are both Go's micro */
static const Unit times[] = {
    { "ns", 1e-6 },        { "us", 1e-3 },  { "\xc2\xb5s", 1e-3 },
    { "\xce\xbcs", 1e-3 }, { "ms", 1 },     { "s", 1e3 },
    { "m", 60e3 },         { "h", 3600e3 },
};

static const double year_ms = 366 * 24 * 3600e3;

static const Unit *find_unit(const Unit *units, gsize n, const char *name,
                             gsize length)
{
    for (gsize i = 0; i < n; i++) {
        if (strlen(units[i].name) == length &&
            g_ascii_strncasecmp(units[i].name, name, length) == 0)
            return &units[i];
    }
    return NULL;
}

/* Reads a number at *text and moves on behind it. */
static bool take_number(const char **text, double *out_number)
{
    gsize length = strspn(*text, "0123456789.");
    g_autofree char *digits = g_strndup(*text, length);
    char *end = NULL;

    if (!g_ascii_isdigit(digits[0]))
        return false;
    *out_number = g_ascii_strtod(digits, &end);
    *text += length;
    return *end == '\0';
}

bool rn_parse_size(const char *text, const char *what, int64_t *out_bytes,
                   GError **error)
{
    const char *at = text;
    const Unit *unit = NULL;
    double number = 0;
    guint64 whole = 0;

    /* exactly, where a double could not */
    if (g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT64, &whole, NULL) &&
        g_ascii_isdigit(text[0])) {
        *out_bytes = (int64_t)whole;
        return true;
    }
    if (take_number(&at, &number)) {
        at += *at == ' ' && at[1] != '\0' ? 1 : 0;
        unit = find_unit(sizes, G_N_ELEMENTS(sizes), at, strlen(at));
    }
    if (unit == NULL || number * unit->factor >= 0x1p63)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "%s \"%s\" is not a size like 512, 64k or 1.5g",
                            what, text);
    *out_bytes = (int64_t)(number * unit->factor);
    return true;
}

bool rn_parse_duration(const char *text, const char *what, int64_t *out_ms,
                       GError **error)
{
    const char *at = text;
    double sum = 0;
    bool good = *text != '\0';

    while (good && *at != '\0' && strcmp(text, "0") != 0) {
        const Unit *unit = NULL;
        double number = 0;
        gsize length = 0;

        if (take_number(&at, &number)) {
            length = strcspn(at, "0123456789.");
            unit = find_unit(times, G_N_ELEMENTS(times), at, length);
        }
        good = unit != NULL;
        sum += good ? number * unit->factor : 0;
        at += length;
    }
    if (!good || sum > year_ms)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "%s \"%s\" is not a time like 5s, 200ms or 1m30s",
                            what, text);
    *out_ms = (int64_t)(sum + 0.5);
    return true;
}
