/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-json - the strict gate, the tree behind it, and typed access
 */
#include "config.h"

#include <unit.h>

#include <rnet/oci/json-read.h>

/* `text` parses; the node is the caller's. */
static json_t *parse_valid(const char *text)
{
    g_autoptr(GError) error = NULL;
    json_t *node = rn_json_parse(text, strlen(text), "doc", &error);

    if (node == NULL)
        fail_msg("%s: %s", text, error->message);
    return node;
}

static void valid_documents_parse(void **state)
{
    static const char *const texts[] = {
        "{}",
        " [ ] ",
        "\"\"",
        "0",
        "-0",
        "-12.5e+3",
        "[1,2.5,-3,1E5,0.0]",
        "[true,false,null]",
        "{\"a\":{\"b\":[{}]},\"c\":\"\\u00e9\\n\\\"\\\\\\/\"}\n",
        "{\"a\":{\"a\":1},\"b\":{\"a\":1}}",
        "[\"\\ud83d\\ude00\"]",
        "[9223372036854775807,-9223372036854775808]",
        "[9223372036854775808,18446744073709551615,1e19]",
        "{\"\":1}",
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(json_t) node = parse_valid(texts[i]);

        assert_non_null(node);
    }
}

static const struct {
    const char *text;
    const char *part; /* of the error */
} malformed[] = {
    { "", "doc: line 1, column 1: expected a value, found the end" },
    { " \n ", "line 2, column 2: expected a value" },
    { "{\n \"a\": 1,\n \"b\" 2}", "line 3, column 6: expected \":\"" },
    { "{\"a\":1 \"b\":2}", "line 1, column 8: expected \",\"" },
    { "{\"a\":1,}", "column 8: expected a member's name in double quotes, "
                    "found \"}\"" },
    { "[1,]", "column 4: expected a value, found \"]\"" },
    { "[1,,2]", "column 4: expected a value" },
    { "[,1]", "column 2: expected a value" },
    { "{,}", "column 2: expected a member's name" },
    { "{\"a\":}", "column 6: expected a value, found \"}\"" },
    { "{a:1}", "column 2: expected a member's name" },
    { "{'a':1}", "column 2" },
    { "[1}", "column 3: expected \",\" or the closing bracket" },
    { "{\"a\":1]", "column 7: expected \",\"" },
    { "}", "column 1: expected a value" },
    { "{\"a\":1", "column 7: expected \",\" or the closing bracket, found "
                  "the end" },
    { "{} {}", "column 4: expected nothing more" },
    { "[1] x", "column 5" },
    { "/* c */ {}", "column 1: expected a value, found \"/\"" },
    { "var a = {}", "column 1" },
    { "[tru]", "column 2: expected a value" },
    { "[truely]", "column 6" },
    { "[NaN]", "column 2" },
    { "[01]", "a malformed number" },
    { "[0x10]", "column 3" },
    { "[1.]", "a malformed number" },
    { "[.5]", "column 2: expected a value" },
    { "[+5]", "column 2: expected a value" },
    { "[1e]", "a malformed number" },
    { "[- 1]", "a malformed number" },
    { "[--1]", "a malformed number" },
    { "[18446744073709551616]", "too large" },
    { "[-9223372036854775809]", "too large" },
    { "[1e999]", "too large" },
    { "[\"a", "column 2: a string without its closing quote" },
    { "[\"a\\", "column 4: an unknown escape" },
    { "[\"\\x41\"]", "column 3: an unknown escape" },
    { "[\"\\u12\"]", "column 3: \\u without four" },
    { "[\"\\u0000\"]", "column 3: a string with a NUL" },
    { "[\"\\ud800\"]", "column 3: half of a surrogate pair" },
    { "[\"\\ude00\"]", "half of a surrogate pair" },
    { "[\"\\ud800\\u0041\"]", "half of a surrogate pair" },
    { "[\"\\ud800\\u", "half of a surrogate pair" },
    { "[\"a\nb\"]", "column 4: a line break or control character" },
    { "[\"\xff\"]", "column 3: a byte that is not UTF-8" },
    { "\xef\xbb\xbf{}", "column 1: expected a value, found character U+FEFF" },
    { "[\"\xc3\xa9\", x]", "column 7: expected a value, found \"x\"" },
    { "{\"a\":1,\"b\":2,\n\"a\":3}", "line 2, column 1: member \"a\" is given "
                                     "twice" },
    { "{\"a\":1,\n\"\\u0061\":2}",
      "doc: line 2, column 8: \"duplicate object key" },
};

static void malformed_documents_name_line_and_column(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(malformed); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(json_t) node = rn_json_parse(
            malformed[i].text, strlen(malformed[i].text), "doc", &error);

        if (node != NULL)
            fail_msg("accepted: %s", malformed[i].text);
        assert_error(error, RN_ERROR, RN_ERROR_INVALID, malformed[i].part);
    }
}

static void nul_byte_is_refused(void **state)
{
    static const char text[] = "{\"a\":1}\0{";
    g_autoptr(GError) error = NULL;

    (void)state;
    assert_null(rn_json_parse(text, sizeof text - 1, "doc", &error));
    assert_error(error, RN_ERROR, RN_ERROR_INVALID,
                 "line 1, column 8: a NUL byte");
}

/* `depth` brackets around nothing. */
static char *nest(unsigned depth, char opening, char closing)
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < depth; i++)
        g_string_append_c(text, opening);
    for (unsigned i = 0; i < depth; i++)
        g_string_append_c(text, closing);
    return g_string_free(text, FALSE);
}

static void nesting_is_bounded(void **state)
{
    g_autofree char *deepest = nest(RN_JSON_MAX_DEPTH, '[', ']');
    g_autofree char *too_deep = nest(RN_JSON_MAX_DEPTH + 1, '[', ']');
    g_autofree char *bomb = nest(1000000, '[', ']');
    g_autoptr(json_t) node = parse_valid(deepest);
    g_autoptr(GError) error = NULL;

    (void)state;
    assert_non_null(node);
    assert_null(rn_json_parse(too_deep, strlen(too_deep), "doc", &error));
    assert_error(error, RN_ERROR, RN_ERROR_LIMIT,
                 "column 65: nested too deeply");
    g_clear_error(&error);
    assert_null(rn_json_parse(bomb, strlen(bomb), "doc", &error));
    assert_error(error, RN_ERROR, RN_ERROR_LIMIT, "nested too deeply");
}

/* An array of `count` empty objects. */
static char *fill(unsigned count)
{
    GString *text = g_string_new("[");

    for (unsigned i = 0; i < count; i++)
        g_string_append(text, i == 0 ? "{}" : ",{}");
    g_string_append_c(text, ']');
    return g_string_free(text, FALSE);
}

static void number_of_values_is_bounded(void **state)
{
    g_autofree char *most = fill(RN_JSON_MAX_VALUES - 1);
    g_autofree char *more = fill(RN_JSON_MAX_VALUES);
    g_autoptr(json_t) node = parse_valid(most);
    g_autoptr(GError) error = NULL;

    (void)state;
    assert_int_equal(json_array_size(node), RN_JSON_MAX_VALUES - 1);
    assert_null(rn_json_parse(more, strlen(more), "doc", &error));
    assert_error(error, RN_ERROR, RN_ERROR_LIMIT,
                 "line 1, column 1499999: too many values");
}

static void size_is_bounded(void **state)
{
    g_autofree char *large = g_strnfill(RN_JSON_MAX_SIZE + 1, ' ');
    g_autoptr(GError) error = NULL;

    (void)state;
    large[0] = '1';
    assert_null(rn_json_parse(large, RN_JSON_MAX_SIZE + 1, "doc", &error));
    assert_error(error, RN_ERROR, RN_ERROR_LIMIT, "larger than");
}

static void quote_hides_control_characters_and_cuts(void **state)
{
    g_autofree char *escape = rn_json_quote("a\033[2J\xff");
    g_autofree char *fill = g_strnfill(100, 'x');
    g_autofree char *cut = rn_json_quote(fill);

    (void)state;
    assert_string_equal(escape, "\"a?[2J\xef\xbf\xbd\"");
    assert_int_equal(strlen(cut), 64 + 5);
    assert_true(g_str_has_suffix(cut, "x...\""));
}

typedef struct Sample {
    bool flag;
    uint16_t small;
    uint32_t number, id;
    uint64_t large;
    int64_t integer;
    char *text, *path;
    char **texts, **paths;
} Sample;

static const RnJsonField sample_fields[] = {
    { "flag", rn_json_read_bool, G_STRUCT_OFFSET(Sample, flag),
      RN_JSON_REQUIRED },
    { "small", rn_json_read_uint16, G_STRUCT_OFFSET(Sample, small),
      RN_JSON_OPTIONAL },
    { "number", rn_json_read_uint32, G_STRUCT_OFFSET(Sample, number),
      RN_JSON_OPTIONAL },
    { "id", rn_json_read_id, G_STRUCT_OFFSET(Sample, id), RN_JSON_OPTIONAL },
    { "large", rn_json_read_uint64, G_STRUCT_OFFSET(Sample, large),
      RN_JSON_OPTIONAL },
    { "integer", rn_json_read_int64, G_STRUCT_OFFSET(Sample, integer),
      RN_JSON_OPTIONAL },
    { "text", rn_json_read_string, G_STRUCT_OFFSET(Sample, text),
      RN_JSON_OPTIONAL },
    { "path", rn_json_read_path, G_STRUCT_OFFSET(Sample, path),
      RN_JSON_OPTIONAL },
    { "texts", rn_json_read_strings, G_STRUCT_OFFSET(Sample, texts),
      RN_JSON_OPTIONAL },
    { "paths", rn_json_read_paths, G_STRUCT_OFFSET(Sample, paths),
      RN_JSON_OPTIONAL },
    { "refused", rn_json_refuse, 0, RN_JSON_OPTIONAL },
    { "map", rn_json_refuse_map, 0, RN_JSON_OPTIONAL },
};

static void clear_sample(Sample *sample)
{
    g_free(sample->text);
    g_free(sample->path);
    g_strfreev(sample->texts);
    g_strfreev(sample->paths);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Sample, clear_sample)

/* Reads {"sample": `text`}, so that errors have a path of two names. */
static bool read_sample(const char *text, Sample *sample, GError **error)
{
    g_autoptr(json_t) node = parse_valid(text);
    RnJsonAt document = { .name = "doc" };
    RnJsonAt at = { .parent = &document, .name = "sample", .node = node };

    return rn_json_read_members(&at, sample_fields, G_N_ELEMENTS(sample_fields),
                                sample, error);
}

static void members_of_all_types_are_read(void **state)
{
    g_auto(Sample) sample = { 0 };
    g_autoptr(GError) error = NULL;

    (void)state;
    assert_true(read_sample(
        "{\"flag\":true,\"small\":65535,\"number\":4294967295,"
        "\"id\":4294967294,\"large\":18446744073709551615,\"integer\":-5,"
        "\"text\":\"a b\",\"path\":\"/x\",\"texts\":[\"a\",\"\"],"
        "\"paths\":[],\"unknown\":[1.5],\"map\":{},"
        "\"refused\":{\"a\":[null,false,\"\",{}]}}",
        &sample, &error));
    assert_no_error(error);
    assert_true(sample.flag);
    assert_int_equal(sample.small, 65535);
    assert_int_equal(sample.number, UINT32_MAX);
    assert_int_equal(sample.id, UINT32_MAX - 1);
    assert_true(sample.large == UINT64_MAX);
    assert_int_equal(sample.integer, -5);
    assert_string_equal(sample.text, "a b");
    assert_string_equal(sample.path, "/x");
    assert_int_equal(g_strv_length(sample.texts), 2);
    assert_string_equal(sample.texts[1], "");
    assert_non_null(sample.paths);
    assert_int_equal(g_strv_length(sample.paths), 0);
}

static void integers_to_2_64_are_exact(void **state)
{
    static const struct {
        const char *text;
        uint64_t value;
    } cases[] = {
        { "9223372036854775807", UINT64_C(9223372036854775807) },
        { "9223372036854775808", UINT64_C(9223372036854775808) },
        { "9999999999999999999", UINT64_C(9999999999999999999) },
        { "18446744073709551516", UINT64_C(18446744073709551516) },
        { "18446744073709551615", UINT64_MAX },
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Sample) sample = { 0 };
        g_autoptr(GError) error = NULL;
        g_autofree char *text = g_strdup_printf(
            "{\"flag\":true,\"large\":%s,\"small\":7}", cases[i].text);

        assert_true(read_sample(text, &sample, &error));
        if (sample.large != cases[i].value || sample.small != 7)
            fail_msg("%s became another value", cases[i].text);
    }
}

/* Joins keys and values: "a=x;b=y;". */
static bool join_entry(const RnJsonAt *at, void *target, GError **error)
{
    g_autofree char *value = NULL;

    if (!rn_json_read_string(at, &value, error))
        return false;
    g_string_append_printf(target, "%s=%s;", at->name, value);
    return true;
}

static bool read_map(const char *text, GString *joined, GError **error)
{
    g_autoptr(json_t) node = parse_valid(text);
    RnJsonAt document = { .name = "doc" };
    RnJsonAt at = { .parent = &document, .name = "map", .node = node };

    return rn_json_check_count(&at, 3, error) &&
           rn_json_read_entries(&at, join_entry, joined, error);
}

static void maps_are_read_in_order(void **state)
{
    g_autoptr(GString) joined = g_string_new(NULL);
    g_autoptr(GError) error = NULL;

    (void)state;
    assert_true(
        read_map("{\"z\":\"1\",\"\":\"\",\"b\":\"2\"}", joined, &error));
    assert_string_equal(joined->str, "z=1;=;b=2;");
}

static void maps_are_refused_by_key(void **state)
{
    static const struct {
        const char *text;
        RnErrorCode code;
        const char *part;
    } cases[] = {
        { "[]", RN_ERROR_INVALID, "doc: map: must be an object" },
        { "{\"a\":\"x\",\"b.c\":1}", RN_ERROR_INVALID,
          "doc: map[\"b.c\"]: must be a string" },
        { "{\"a\\n\\u001b[2J\":null}", RN_ERROR_INVALID,
          "doc: map[\"a??[2J\"]: must be a string" },
        { "{\"a\":\"\",\"b\":\"\",\"c\":\"\",\"d\":\"\"}", RN_ERROR_LIMIT,
          "doc: map: has more than 3 entries" },
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) joined = g_string_new(NULL);
        g_autoptr(GError) error = NULL;

        if (read_map(cases[i].text, joined, &error))
            fail_msg("accepted: %s", cases[i].text);
        assert_error(error, RN_ERROR, cases[i].code, cases[i].part);
    }
}

static void null_counts_as_missing(void **state)
{
    g_auto(Sample) sample = { .text = NULL };
    g_autoptr(GError) error = NULL;

    (void)state;
    assert_true(read_sample("{\"flag\":false,\"text\":null,\"refused\":null}",
                            &sample, &error));
    assert_null(sample.text);
    assert_false(read_sample("{\"flag\":null}", &sample, &error));
    assert_error(error, RN_ERROR, RN_ERROR_INVALID,
                 "doc: sample.flag: is missing");
}

static const struct {
    const char *member; /* beside a valid "flag" */
    RnErrorCode code;
    const char *part;
} misfits[] = {
    { "\"small\":65536", RN_ERROR_INVALID, "small: must be from 0 to 65535" },
    { "\"small\":-1", RN_ERROR_INVALID, "small: must be from 0" },
    { "\"number\":4294967296", RN_ERROR_INVALID, "to 4294967295" },
    { "\"number\":18446744073709551615", RN_ERROR_INVALID, "to 4294967295" },
    { "\"number\":1.0", RN_ERROR_INVALID, "number: must be an integer" },
    { "\"number\":1e3", RN_ERROR_INVALID, "number: must be an integer" },
    { "\"number\":\"1\"", RN_ERROR_INVALID, "number: must be an integer" },
    { "\"number\":true", RN_ERROR_INVALID, "number: must be an integer" },
    { "\"id\":4294967295", RN_ERROR_INVALID, "to 4294967294" },
    { "\"large\":-1", RN_ERROR_INVALID, "to 18446744073709551615" },
    { "\"integer\":18446744073709551615", RN_ERROR_INVALID, "integer: must" },
    { "\"integer\":2.5", RN_ERROR_INVALID, "integer: must be an integer" },
    { "\"text\":5", RN_ERROR_INVALID, "text: must be a string" },
    { "\"text\":18446744073709551615", RN_ERROR_INVALID,
      "text: must be a string" },
    { "\"refused\":18446744073709551615", RN_ERROR_UNSUPPORTED, "refused" },
    { "\"text\":[]", RN_ERROR_INVALID, "text: must be a string" },
    { "\"path\":\"x\"", RN_ERROR_INVALID,
      "doc: sample.path: \"x\" must be an absolute path" },
    { "\"path\":\"\"", RN_ERROR_INVALID, "must be an absolute path" },
    { "\"texts\":\"a\"", RN_ERROR_INVALID, "texts: must be an array" },
    { "\"texts\":[\"a\",\"b\",3]", RN_ERROR_INVALID,
      "doc: sample.texts[2]: must be a string" },
    { "\"texts\":[null]", RN_ERROR_INVALID, "texts[0]: must be a string" },
    { "\"paths\":[\"/a\",\"b\"]", RN_ERROR_INVALID, "sample.paths[1]: \"b\"" },
    { "\"refused\":{\"a\":{\"b\":[0]}}", RN_ERROR_UNSUPPORTED,
      "doc: sample.refused: not supported" },
    { "\"refused\":\"x\"", RN_ERROR_UNSUPPORTED, "refused" },
    { "\"refused\":true", RN_ERROR_UNSUPPORTED, "refused" },
    { "\"map\":{\"eth0\":{}}", RN_ERROR_UNSUPPORTED, "sample.map: not" },
};

static void misfits_are_refused_by_path(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(misfits); i++) {
        g_auto(Sample) sample = { 0 };
        g_autoptr(GError) error = NULL;
        g_autofree char *text =
            g_strdup_printf("{\"flag\":true,%s}", misfits[i].member);

        if (read_sample(text, &sample, &error))
            fail_msg("accepted: %s", text);
        assert_error(error, RN_ERROR, misfits[i].code, misfits[i].part);
    }
}

static void wrong_root_type_names_the_document(void **state)
{
    g_autoptr(json_t) node = parse_valid("[]");
    RnJsonAt document = { .name = "doc", .node = node };
    g_autoptr(GError) error = NULL;
    g_auto(Sample) sample = { 0 };

    (void)state;
    assert_false(rn_json_read_members(&document, sample_fields,
                                      G_N_ELEMENTS(sample_fields), &sample,
                                      &error));
    assert_error(error, RN_ERROR, RN_ERROR_INVALID, "doc: must be an object");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_documents_parse),
        cmocka_unit_test(malformed_documents_name_line_and_column),
        cmocka_unit_test(nul_byte_is_refused),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(number_of_values_is_bounded),
        cmocka_unit_test(size_is_bounded),
        cmocka_unit_test(quote_hides_control_characters_and_cuts),
        cmocka_unit_test(members_of_all_types_are_read),
        cmocka_unit_test(integers_to_2_64_are_exact),
        cmocka_unit_test(maps_are_read_in_order),
        cmocka_unit_test(maps_are_refused_by_key),
        cmocka_unit_test(null_counts_as_missing),
        cmocka_unit_test(misfits_are_refused_by_path),
        cmocka_unit_test(wrong_root_type_names_the_document),
    };

    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
