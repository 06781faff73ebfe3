/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-hook-input - what runtimes tell a hook, and what annotations ask for
 */
#include "config.h"

#include <unit.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <rnet/dialect/hook-input.h>
#include <rnet/dialect/hook-words.h>
#include <rnet/dialect/input.h>
#include <rnet/util/fd.h>

static json_t *parse(const char *text)
{
    g_autoptr(GError) error = NULL;
    json_t *tree = rn_json_parse(text, strlen(text), "stdin", &error);

    assert_no_error(error);
    return tree;
}

/* crun 1.8.1's and runc 1.1.5's own words, ids shortened. */
static void state_of_a_runtime_is_understood(void **state)
{
    static const struct {
        const char *text;
        RnHookTask task;
        int64_t pid;
    } cases[] = {
        { "{\"ociVersion\":\"1.0\",\"id\":\"box\",\"pid\":4711,"
          "\"root\":\"/b/rootfs\",\"bundle\":\"/b\",\"status\":\"created\"}",
          RN_HOOK_ATTACH, 4711 },
        { "{\"ociVersion\":\"1.0\",\"id\":\"box\",\"pid\":0,"
          "\"root\":\"/b/rootfs\",\"bundle\":\"/b\",\"status\":\"created\"}",
          RN_HOOK_ATTACH, 0 },
        { "{\"ociVersion\":\"1.0.2-dev\",\"id\":\"box\","
          "\"status\":\"creating\",\"pid\":12,\"bundle\":\"/b\"}",
          RN_HOOK_ATTACH, 12 },
        { "{\"ociVersion\":\"1.0\",\"id\":\"box\",\"status\":\"running\","
          "\"pid\":12,\"bundle\":\"/b\"}",
          RN_HOOK_ATTACH, 12 },
        { "{\"ociVersion\":\"1.0\",\"id\":\"box\",\"pid\":0,"
          "\"bundle\":\"/b\",\"status\":\"stopped\"}",
          RN_HOOK_DETACH, 0 },
        { "{\"ociVersion\":\"1.0\",\"id\":\"box\",\"status\":\"stopped\","
          "\"bundle\":\"/b\",\"annotations\":null}",
          RN_HOOK_DETACH, 0 },
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(json_t) tree = parse(cases[i].text);
        g_auto(RnHookInput) input = { 0 };
        g_autoptr(GError) error = NULL;

        assert_true(rn_hook_input_read(tree, &input, &error));
        assert_no_error(error);
        assert_int_equal(input.task, cases[i].task);
        assert_int_equal(input.pid, cases[i].pid);
        assert_string_equal(input.id, "box");
        assert_string_equal(input.bundle, "/b");
    }
}

static void wrong_state_is_refused(void **state)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        { "[]", "state: must be an object" },
        { "{\"status\":\"created\",\"pid\":1}", "state: id: is missing" },
        { "{\"id\":\"\",\"status\":\"created\",\"pid\":1}", "not be empty" },
        { "{\"id\":7,\"status\":\"created\",\"pid\":1}", "state: id:" },
        { "{\"id\":\"box\",\"pid\":1}", "state: status" },
        { "{\"id\":\"box\",\"status\":\"created\",\"pid\":-1}", "state: pid" },
        { "{\"id\":\"box\",\"status\":\"created\",\"pid\":4294967296}",
          "state: pid" },
        { "{\"id\":\"box\",\"status\":\"created\",\"pid\":\"1\"}",
          "state: pid" },
        { "{\"id\":\"box\",\"status\":\"running\",\"pid\":0}",
          "createRuntime" },
        /* crun's startContainer */
        { "{\"id\":\"box\",\"status\":\"starting\",\"pid\":0}",
          "status \"starting\" is not known" },
        { "{\"id\":\"box\",\"status\":\"created\",\"pid\":1,"
          "\"bundle\":\"here\"}",
          "absolute path" },
        { "{\"id\":\"box\",\"status\":\"created\",\"pid\":1,"
          "\"annotations\":{\"rnet.publish\":80}}",
          "annotations" },
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(json_t) tree = parse(cases[i].text);
        g_auto(RnHookInput) input = { 0 };
        g_autoptr(GError) error = NULL;

        assert_false(rn_hook_input_read(tree, &input, &error));
        assert_error(error, RN_ERROR, RN_ERROR_INVALID, cases[i].part);
    }
}

static void long_id_is_refused(void **state)
{
    g_autofree char *id = g_strnfill(RN_HOOK_ID_MAX + 1, 'x');
    g_autoptr(json_t) tree =
        json_pack("{s:s, s:s, s:i}", "id", id, "status", "created", "pid", 1);
    g_auto(RnHookInput) input = { 0 };
    g_autoptr(GError) error = NULL;

    (void)state;
    assert_false(rn_hook_input_read(tree, &input, &error));
    assert_error(error, RN_ERROR, RN_ERROR_LIMIT, "state: id: longer");
}

/* What `text` on stdin gives. */
static json_t *read_text(const char *text, gsize length, GError **error)
{
    rn_autofd int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_true(rn_fd_write_all(fd, text, length, NULL));
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return rn_input_read(fd, "stdin", error);
}

static void stdin_is_bounded(void **state)
{
    g_autofree char *text = g_strnfill(RN_INPUT_MAX + 1, ' ');
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) tree = NULL;

    (void)state;
    text[0] = '{';
    text[RN_INPUT_MAX - 1] = '}';
    tree = read_text(text, RN_INPUT_MAX, &error);
    assert_no_error(error);
    assert_true(json_is_object(tree));
    assert_null(read_text(text, RN_INPUT_MAX + 1, &error));
    assert_error(error, RN_ERROR, RN_ERROR_LIMIT, "stdin: larger than");
    g_clear_error(&error);
    assert_null(read_text("", 0, &error));
    assert_error(error, RN_ERROR, RN_ERROR_INVALID, "stdin: nothing came");
    g_clear_error(&error);
    assert_null(read_text("{\"a\":", 5, &error));
    assert_error(error, RN_ERROR, RN_ERROR_INVALID, "stdin: line 1");
}

static GHashTable *annotate(const char *const *pairs)
{
    GHashTable *all =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

    for (; pairs[0] != NULL; pairs += 2)
        (void)g_hash_table_insert(all, g_strdup(pairs[0]), g_strdup(pairs[1]));
    return all;
}

static void annotations_add_to_and_replace_arguments(void **state)
{
    static const char *const pairs[] = {
        "rnet.publish",
        "8080:80, 127.0.0.1:5353:53/udp",
        "rnet.network",
        "slirp:mtu=1500",
        "rnet.publish-all",
        "3000-9000",
        "rnet.expose-host",
        "5432",
        "org.example.rnet.publish",
        "nobody's",
        NULL,
    };
    g_autoptr(GHashTable) annotations = annotate(pairs);
    g_auto(RnHookWords) words = {
        .network = g_strdup("slirp:ipv6=off"),
        .publish = g_strsplit("443:443", ",", -1),
    };
    g_autoptr(GError) error = NULL;
    RnNetworkWords view;

    (void)state;
    assert_true(rn_hook_words_annotate(&words, annotations, &error));
    assert_no_error(error);
    view = rn_hook_words_view(&words);
    assert_string_equal(view.network, "slirp:mtu=1500");
    assert_string_equal(view.publish[0], "443:443");
    assert_string_equal(view.publish[1], "8080:80");
    assert_string_equal(view.publish[2], "127.0.0.1:5353:53/udp");
    assert_null(view.publish[3]);
    assert_string_equal(view.publish_all, "3000-9000");
    assert_string_equal(view.expose_host[0], "5432");
    assert_null(view.expose_host[1]);
}

static void publish_all_is_switched(void **state)
{
    static const struct {
        const char *argument, *annotation, *wanted;
    } cases[] = {
        { NULL, "true", "" },
        { NULL, "", "" },
        { "", "false", NULL },
        { "", "1-2", "1-2" },
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *pairs[] = { "rnet.publish-all", cases[i].annotation, NULL };
        g_autoptr(GHashTable) annotations = annotate(pairs);
        g_auto(RnHookWords)
            words = { .publish_all = g_strdup(cases[i].argument) };

        assert_true(rn_hook_words_annotate(&words, annotations, NULL));
        assert_int_equal(g_strcmp0(words.publish_all, cases[i].wanted), 0);
    }
}

static void misspelt_annotation_is_refused(void **state)
{
    static const char *const pairs[] = { "rnet.pubish", "80:80", NULL };
    g_autoptr(GHashTable) annotations = annotate(pairs);
    g_auto(RnHookWords) words = { 0 };
    g_autoptr(GError) error = NULL;

    (void)state;
    assert_false(rn_hook_words_annotate(&words, annotations, &error));
    assert_error(error, RN_ERROR, RN_ERROR_INVALID, "\"rnet.pubish\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(state_of_a_runtime_is_understood),
        cmocka_unit_test(wrong_state_is_refused),
        cmocka_unit_test(long_id_is_refused),
        cmocka_unit_test(stdin_is_bounded),
        cmocka_unit_test(annotations_add_to_and_replace_arguments),
        cmocka_unit_test(publish_all_is_switched),
        cmocka_unit_test(misspelt_annotation_is_refused),
    };

    return cmocka_run_group_tests_name("hook-input", tests, NULL, NULL);
}
