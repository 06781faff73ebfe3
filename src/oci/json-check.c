/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json-check - the strict gate before jansson
 *
 * Runs in the launcher. One pass over the text, without recursion: a stack of
 * open brackets and what may come next (Want). Each error has the line and the
 * column where the offending text begins. The member names of every open
 * object are kept to find duplicates.
 */
#include "config.h"

#include <rnet/oci/json.h>

#include <math.h>
#include <string.h>

typedef enum Want {
    WANT_VALUE,
    WANT_VALUE_OR_END, /* after [ */
    WANT_NAME,
    WANT_NAME_OR_END, /* after { */
    WANT_COLON,
    WANT_COMMA_OR_END,
    WANT_NOTHING, /* the document is complete */
    WANT_N_
} Want;

static const char *const want_texts[] = {
    [WANT_VALUE] = "a value",
    [WANT_VALUE_OR_END] = "a value or \"]\"",
    [WANT_NAME] = "a member's name in double quotes",
    [WANT_NAME_OR_END] = "a member's name in double quotes or \"}\"",
    [WANT_COLON] = "\":\" after the member's name",
    [WANT_COMMA_OR_END] = "\",\" or the closing bracket",
    [WANT_NOTHING] = "nothing more after the document",
};
G_STATIC_ASSERT(G_N_ELEMENTS(want_texts) == WANT_N_);

typedef struct Scan {
    char *text, *next, *end;
    const char *name; /* of the file */
    Want want;
    unsigned depth, n_values;
    GHashTable *members[RN_JSON_MAX_DEPTH]; /* NULL where an array is open */
} Scan;

static void clear_scan(Scan *scan)
{
    for (unsigned i = 0; i < scan->depth; i++)
        g_clear_pointer(&scan->members[i], g_hash_table_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Scan, clear_scan)

/* Sets an error for the text at `where`. Always false. */
static bool refuse(const Scan *scan, const char *where, RnErrorCode code,
                   GError **error, const char *problem)
{
    const char *line = scan->text;
    unsigned number = 1;

    for (const char *at = scan->text; at < where; at++) {
        if (*at != '\n')
            continue;
        number++;
        line = at + 1;
    }
    (void)rn_set_error(error, code, "%s: line %u, column %ld: %s", scan->name,
                       number, g_utf8_strlen(line, where - line) + 1, problem);
    if (code != RN_ERROR_INVALID)
        return false;
    return rn_error_add_hint(error, "it has to be JSON (RFC 8259), without "
                                    "comments and trailing commas");
}

static bool refuse_token(const Scan *scan, GError **error)
{
    g_autofree char *found = NULL;
    g_autofree char *problem = NULL;
    gunichar character = 0;

    if (scan->next < scan->end)
        character = g_utf8_get_char(scan->next);
    if (scan->next == scan->end)
        found = g_strdup("the end of the text");
    else if (g_unichar_isprint(character))
        found = g_strdup_printf(
            "\"%.*s\"", (int)g_utf8_skip[(guchar)*scan->next], scan->next);
    else
        found = g_strdup_printf("character U+%04X", character);
    problem =
        g_strdup_printf("expected %s, found %s", want_texts[scan->want], found);
    return refuse(scan, scan->next, RN_ERROR_INVALID, error, problem);
}

/* After a value: what the innermost open bracket wants next. */
static void end_value(Scan *scan)
{
    scan->want = scan->depth == 0 ? WANT_NOTHING : WANT_COMMA_OR_END;
}

/* Four hex digits at `digits`, or -1. */
static int parse_hex4(const char *digits)
{
    int value = 0;

    for (int i = 0; i < 4; i++) {
        if (!g_ascii_isxdigit(digits[i])) /* the final NUL is none */
            return -1;
        value = value * 16 + g_ascii_xdigit_value(digits[i]);
    }
    return value;
}

/*
 * The four digits after \u, at `digits`. Returns how many more bytes belong to
 * the character: 6 for the second half of a surrogate pair (RFC 8259, 7), else
 * 0; -1 with *out_problem set if it is none.
 */
static int check_unicode_escape(const char *digits, const char **out_problem)
{
    int unit = parse_hex4(digits);

    if (unit > 0 && (unit < 0xd800 || unit > 0xdfff))
        return 0;
    if (unit >= 0xd800 && unit <= 0xdbff && digits[4] == '\\' &&
        digits[5] == 'u' && (parse_hex4(digits + 6) & ~0x3ff) == 0xdc00)
        return 6;
    *out_problem = unit < 0    ? "\\u without four hexadecimal digits"
                   : unit == 0 ? "a string with a NUL character"
                               : "half of a surrogate pair in a string";
    return -1;
}

/* The escape at *at, a backslash; moves *at to its last byte. */
static bool check_escape(const Scan *scan, char **at, GError **error)
{
    const char *problem = "an unknown escape in a string";
    char kind = (*at)[1];
    int more = 0;

    if (kind != '\0' && strchr("\"\\/bfnrt", kind) != NULL) {
        *at += 1;
        return true;
    }
    more = kind == 'u' ? check_unicode_escape(*at + 2, &problem) : -1;
    if (more < 0)
        return refuse(scan, *at, RN_ERROR_INVALID, error, problem);
    *at += 5 + more;
    return true;
}

/* Passes over the string that starts at scan->next. */
static bool check_string(Scan *scan, GError **error)
{
    char *at = scan->next + 1;

    for (; at < scan->end && *at != '"'; at++) {
        if ((guchar)*at < 0x20)
            return refuse(scan, at, RN_ERROR_INVALID, error,
                          "a line break or control character in a string");
        if (*at == '\\' && !check_escape(scan, &at, error))
            return false;
    }
    if (at >= scan->end)
        return refuse(scan, scan->next, RN_ERROR_INVALID, error,
                      "a string without its closing quote");
    scan->next = at + 1;
    return true;
}

static bool check_name(Scan *scan, GError **error)
{
    const char *start = scan->next;
    g_autofree char *member = NULL;
    g_autofree char *quoted = NULL;
    g_autofree char *problem = NULL;

    if (*start != '"')
        return refuse_token(scan, error);
    if (!check_string(scan, error))
        return false;
    scan->want = WANT_COLON;
    member = g_strndup(start + 1, (gsize)(scan->next - start) - 2);
    if (g_hash_table_add(scan->members[scan->depth - 1], g_strdup(member)))
        return true;
    quoted = rn_json_quote(member);
    problem = g_strdup_printf("member %s is given twice", quoted);
    return refuse(scan, start, RN_ERROR_INVALID, error, problem);
}

static char *skip_digits(char *at)
{
    while (g_ascii_isdigit(*at)) /* the final NUL is none */
        at++;
    return at;
}

/*
 * The end of the number at `at`, or NULL if it breaks RFC 8259, 6.
 * *out_integer: there is neither a fraction nor an exponent.
 */
static char *find_number_end(char *at, bool *out_integer)
{
    char *digits = at + (*at == '-');

    *out_integer = true;
    at = skip_digits(digits);
    if (at == digits || (*digits == '0' && at - digits > 1))
        return NULL;
    if (*at == '.') {
        *out_integer = false;
        digits = at + 1;
        at = skip_digits(digits);
        if (at == digits)
            return NULL;
    }
    if (*at != 'e' && *at != 'E')
        return at;
    *out_integer = false;
    at++;
    digits = at + (*at == '+' || *at == '-');
    at = skip_digits(digits);
    return at == digits ? NULL : at;
}

/* Overwrites an integer from 2^63 to 2^64-1; see json.h. */
static bool replace_large(Scan *scan, const char *token)
{
    static const char head[] = "\"\\u0000";
    guint64 value = 0;
    g_autofree char *code = NULL;
    g_autofree char *text = NULL;

    if (!g_ascii_string_to_unsigned(token, 10, UINT64_C(1) << 63, G_MAXUINT64,
                                    &value, NULL))
        return false;
    code = g_base64_encode((const guchar *)&value, sizeof value);
    text = g_strdup_printf("%s%.*s\"", head, RN_JSON_LARGE_LENGTH, code);
    /* 19 digits at least, and the quotes, \u0000 and 11 characters are 19 */
    memset(scan->next, ' ', strlen(token));
    memcpy(scan->next, text, strlen(text));
    return true;
}

static bool check_number(Scan *scan, GError **error)
{
    bool integer = false;
    bool fits = false;
    char *after = find_number_end(scan->next, &integer);
    g_autofree char *token = NULL;

    if (after == NULL)
        return refuse(scan, scan->next, RN_ERROR_INVALID, error,
                      "a malformed number");
    token = g_strndup(scan->next, (gsize)(after - scan->next));
    if (integer)
        fits = g_ascii_string_to_signed(token, 10, G_MININT64, G_MAXINT64, NULL,
                                        NULL) ||
               replace_large(scan, token);
    else
        fits = isfinite(g_ascii_strtod(token, NULL));
    if (!fits)
        return refuse(scan, scan->next, RN_ERROR_INVALID, error,
                      "a number that is too large");
    scan->next = after;
    return true;
}

static bool check_word(Scan *scan, GError **error)
{
    static const char *const words[] = { "true", "false", "null" };

    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        gsize length = strlen(words[i]);

        if ((gsize)(scan->end - scan->next) < length ||
            memcmp(scan->next, words[i], length) != 0)
            continue;
        scan->next += length;
        return true;
    }
    return refuse_token(scan, error);
}

static bool open_bracket(Scan *scan, GError **error)
{
    bool object = *scan->next == '{';

    if (scan->depth == RN_JSON_MAX_DEPTH)
        return refuse(scan, scan->next, RN_ERROR_LIMIT, error,
                      "nested too deeply");
    scan->members[scan->depth++] =
        object ? g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)
               : NULL;
    scan->want = object ? WANT_NAME_OR_END : WANT_VALUE_OR_END;
    scan->next++;
    return true;
}

static bool close_bracket(Scan *scan)
{
    scan->depth--;
    g_clear_pointer(&scan->members[scan->depth], g_hash_table_unref);
    end_value(scan);
    scan->next++;
    return true;
}

static bool check_value(Scan *scan, GError **error)
{
    char first = *scan->next;
    bool valid = false;

    if (++scan->n_values > RN_JSON_MAX_VALUES)
        return refuse(scan, scan->next, RN_ERROR_LIMIT, error,
                      "too many values");
    if (first == '{' || first == '[')
        return open_bracket(scan, error);
    if (first == '"')
        valid = check_string(scan, error);
    else if (first == '-' || g_ascii_isdigit(first))
        valid = check_number(scan, error);
    else
        valid = check_word(scan, error);
    end_value(scan);
    return valid;
}

/* Passes over the one character that must be here. */
static bool check_punctuation(Scan *scan, char wanted, Want next,
                              GError **error)
{
    if (*scan->next != wanted)
        return refuse_token(scan, error);
    scan->want = next;
    scan->next++;
    return true;
}

/* Takes the token at scan->next, which is not white space. */
static bool check_token(Scan *scan, GError **error)
{
    bool in_object = scan->depth > 0 && scan->members[scan->depth - 1] != NULL;
    bool closes = *scan->next == (in_object ? '}' : ']');

    switch (scan->want) {
    case WANT_VALUE_OR_END:
        return closes ? close_bracket(scan) : check_value(scan, error);
    case WANT_VALUE:
        return check_value(scan, error);
    case WANT_NAME_OR_END:
        return closes ? close_bracket(scan) : check_name(scan, error);
    case WANT_NAME:
        return check_name(scan, error);
    case WANT_COLON:
        return check_punctuation(scan, ':', WANT_VALUE, error);
    case WANT_COMMA_OR_END:
        return closes ? close_bracket(scan)
                      : check_punctuation(scan, ',',
                                          in_object ? WANT_NAME : WANT_VALUE,
                                          error);
    default:
        return refuse_token(scan, error);
    }
}

bool rn_json_check(char *text, gsize length, const char *name, GError **error)
{
    g_auto(Scan) scan = {
        .text = text, .next = text, .end = text + length, .name = name
    };
    const char *invalid = NULL;

    /* NUL, too, is invalid to this function */
    if (!g_utf8_validate_len(text, length, &invalid))
        return refuse(&scan, invalid, RN_ERROR_INVALID, error,
                      *invalid == '\0' ? "a NUL byte"
                                       : "a byte that is not UTF-8");
    while (true) {
        while (*scan.next != '\0' && strchr(" \t\r\n", *scan.next) != NULL)
            scan.next++;
        if (scan.next == scan.end)
            break;
        if (!check_token(&scan, error))
            return false;
    }
    if (scan.want != WANT_NOTHING)
        return refuse_token(&scan, error);
    return true;
}
