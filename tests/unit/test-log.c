/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-log - what an engine finds in the log file
 */
#include "config.h"

#include <unit.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/stat.h>

#include <jansson.h>

#include <rnet/util/fd.h>
#include <rnet/util/log.h>

#include "in-child.h"
#include "scratch.h"

/* What the children put into the log. */
typedef struct Case {
    const char *path;
    RnLogFormat format;
    RnLogLevel sink_level;
    const char *text;
    const char *hint;
} Case;

/* In a child, whose stderr is the file "stderr" beside the log. */
static const char *log_one(void *data)
{
    const Case *one = data;
    g_autoptr(GError) error = NULL;
    g_autofree char *directory = g_path_get_dirname(one->path);
    g_autofree char *stderr_path = g_build_filename(directory, "stderr", NULL);
    rn_autofd int fd = open(stderr_path, O_WRONLY | O_CREAT | O_APPEND, 0600);

    if (fd < 0 || dup2(fd, STDERR_FILENO) < 0)
        return "no stderr";
    rn_log_set_level(one->sink_level);
    if (!rn_log_open_file(one->path, one->format, &error))
        return "the log file cannot be opened";
    (void)rn_set_error(&error, RN_ERROR_INVALID, "%s", one->text);
    if (one->hint != NULL)
        (void)rn_error_add_hint(&error, "%s", one->hint);
    rn_log_warning("only a warning");
    rn_log_gerror(RN_LOG_ERROR, error);
    return NULL;
}

static char *read_beside(const char *directory, const char *name)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);
    char *text = NULL;

    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    return text;
}

static char *run_case(Case one, const char *directory, const char *name)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);

    one.path = path;
    run_in_child(log_one, &one);
    return read_beside(directory, name);
}

static void json_error_is_one_document(void **state)
{
    static const Case cases[] = {
        { .text = "plain" },
        { .text = "\"quoted\" \\ and\ttab" },
        { .text = "two\nlines, \x1b[31mred" },
        { .text = "b\xc3\xbcndel" },
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *directory = scratch_make();
        Case one = cases[i];
        g_autofree char *text = NULL;
        g_autoptr(GDateTime) time = NULL;
        json_t *tree = NULL;

        one.format = RN_LOG_JSON;
        one.sink_level = RN_LOG_WARNING;
        text = run_case(one, directory, "log");
        assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
        /* as Podman reads it: nothing may follow the document */
        tree = json_loads(text, 0, NULL);
        assert_non_null(tree);
        assert_string_equal(json_string_value(json_object_get(tree, "level")),
                            "error");
        assert_string_equal(json_string_value(json_object_get(tree, "msg")),
                            one.text);
        time = g_date_time_new_from_iso8601(
            json_string_value(json_object_get(tree, "time")), NULL);
        assert_non_null(time);
        assert_int_equal(json_object_size(tree), 3);
        json_decref(tree);
        scratch_remove(directory);
    }
}

static void hint_is_part_of_the_message(void **state)
{
    g_autofree char *directory = scratch_make();
    g_autofree char *text = NULL;
    g_autofree char *shown = NULL;
    const Case one = { .format = RN_LOG_JSON,
                       .sink_level = RN_LOG_WARNING,
                       .text = "no ids",
                       .hint = "usermod" };

    (void)state;
    text = run_case(one, directory, "log");
    assert_non_null(strstr(text, "\"msg\":\"no ids; hint: usermod\""));
    shown = read_beside(directory, "stderr");
    assert_string_equal(
        shown, "rnet: warning: only a warning\nrnet: no ids\nhint: usermod\n");
    scratch_remove(directory);
}

static void text_line_is_quoted(void **state)
{
    g_autofree char *directory = scratch_make();
    g_autofree char *text = NULL;
    const Case one = { .format = RN_LOG_TEXT,
                       .sink_level = RN_LOG_WARNING,
                       .text = "a \"b\" \\ c\nlevel=info" };

    (void)state;
    text = run_case(one, directory, "log");
    assert_true(g_str_has_prefix(text, "time=\""));
    assert_true(g_str_has_suffix(
        text, " level=error msg=\"a \\\"b\\\" \\\\ c\\x0alevel=info\"\n"));
    scratch_remove(directory);
}

static void debug_level_logs_everything(void **state)
{
    g_autofree char *directory = scratch_make();
    g_autofree char *text = NULL;
    const Case one = { .format = RN_LOG_JSON,
                       .sink_level = RN_LOG_DEBUG,
                       .text = "failed" };

    (void)state;
    text = run_case(one, directory, "log");
    assert_non_null(
        strstr(text, "{\"level\":\"warning\",\"msg\":\"only a warning\","));
    assert_non_null(strstr(text, "\n{\"level\":\"error\",\"msg\":\"failed\","));
    scratch_remove(directory);
}

static void second_line_is_appended(void **state)
{
    g_autofree char *directory = scratch_make();
    g_autofree char *first = NULL;
    g_autofree char *both = NULL;
    Case one = { .format = RN_LOG_JSON,
                 .sink_level = RN_LOG_WARNING,
                 .text = "first" };

    (void)state;
    first = run_case(one, directory, "log");
    one.text = "second";
    both = run_case(one, directory, "log");
    assert_true(g_str_has_prefix(both, first));
    assert_non_null(strstr(both, "\"msg\":\"second\""));
    scratch_remove(directory);
}

static void huge_text_is_cut(void **state)
{
    g_autofree char *directory = scratch_make();
    g_autofree char *huge = g_strnfill(RN_LOG_TEXT_MAX + 4096, 'x');
    g_autofree char *text = NULL;
    const Case one = { .format = RN_LOG_JSON,
                       .sink_level = RN_LOG_WARNING,
                       .text = huge };

    (void)state;
    text = run_case(one, directory, "log");
    assert_in_range(strlen(text), RN_LOG_TEXT_MAX, RN_LOG_TEXT_MAX + 100);
    scratch_remove(directory);
}

static const char *log_json_on_stderr(void *data)
{
    g_autoptr(GError) error = NULL;
    rn_autofd int fd = open(data, O_WRONLY | O_CREAT | O_APPEND, 0600);

    if (fd < 0 || dup2(fd, STDERR_FILENO) < 0)
        return "no stderr";
    if (!rn_log_open_file(NULL, RN_LOG_JSON, &error))
        return "no file is no file";
    rn_log_error("\xff");
    return NULL;
}

static void no_file_gives_stderr_the_format(void **state)
{
    g_autofree char *directory = scratch_make();
    g_autofree char *path = g_build_filename(directory, "stderr", NULL);
    g_autofree char *text = NULL;

    (void)state;
    run_in_child(log_json_on_stderr, path);
    text = read_beside(directory, "stderr");
    /* no UTF-8: the replacement character stands for it */
    assert_true(g_str_has_prefix(
        text, "{\"level\":\"error\",\"msg\":\"\xef\xbf\xbd\",\"time\":\""));
    scratch_remove(directory);
}

static const char *log_to_closed_fifo(void *data)
{
    g_autoptr(GError) error = NULL;
    int reader = open(data, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    sigset_t pending;

    if (reader < 0 || !rn_log_open_file(data, RN_LOG_JSON, &error))
        return "no FIFO";
    (void)close(reader);
    rn_log_set_name("test-log");
    rn_log_error("nobody reads this in the FIFO");
    sigpending(&pending);
    return sigismember(&pending, SIGPIPE) ? "SIGPIPE is left" : NULL;
}

static void fifo_without_reader_ends_nobody(void **state)
{
    g_autofree char *directory = scratch_make();
    g_autofree char *path = g_build_filename(directory, "fifo", NULL);

    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    run_in_child(log_to_closed_fifo, path);
    scratch_remove(directory);
}

static void file_that_cannot_be_opened_is_an_error(void **state)
{
    g_autoptr(GError) error = NULL;

    (void)state;
    assert_false(rn_log_open_file("/nonexistent/log", RN_LOG_JSON, &error));
    assert_error(error, RN_ERRNO, ENOENT, "open log file \"/nonexistent/log\"");
}

static void unknown_format_is_refused(void **state)
{
    g_autoptr(GError) error = NULL;
    RnLogFormat format = RN_LOG_FORMAT_N_;

    (void)state;
    assert_true(rn_log_parse_format("json", &format, &error));
    assert_int_equal(format, RN_LOG_JSON);
    assert_true(rn_log_parse_format("text", &format, &error));
    assert_int_equal(format, RN_LOG_TEXT);
    assert_false(rn_log_parse_format("xml", &format, &error));
    assert_error(error, RN_ERROR, RN_ERROR_INVALID, "\"xml\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_error_is_one_document),
        cmocka_unit_test(hint_is_part_of_the_message),
        cmocka_unit_test(text_line_is_quoted),
        cmocka_unit_test(debug_level_logs_everything),
        cmocka_unit_test(second_line_is_appended),
        cmocka_unit_test(huge_text_is_cut),
        cmocka_unit_test(no_file_gives_stderr_the_format),
        cmocka_unit_test(fifo_without_reader_ends_nobody),
        cmocka_unit_test(file_that_cannot_be_opened_is_an_error),
        cmocka_unit_test(unknown_format_is_refused),
    };

    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
