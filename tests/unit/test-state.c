/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-state - entries: names, locks, takeover of stale ones, removal
 */
#include "config.h"

#include <unit.h>

#include <fcntl.h>
#include <unistd.h>

#include <sys/stat.h>

#include <rnet/oci/state.h>
#include <rnet/util/fd.h>

typedef struct Fixture {
    char *path;
    int base_fd;
} Fixture;

static int make_base(void **state)
{
    Fixture *fixture = g_new0(Fixture, 1);
    g_autofree char *parent = g_strdup("/tmp/rnet-test-state.XXXXXX");

    *state = fixture;
    fixture->base_fd = -1;
    if (g_mkdtemp(parent) == NULL)
        return -1;
    fixture->path = g_build_filename(parent, "rnet", NULL);
    return rn_state_open_base(fixture->path, &fixture->base_fd, NULL) ? 0 : -1;
}

/* Fails if a test left an entry behind. */
static int remove_base(void **state)
{
    Fixture *fixture = *state;
    g_autofree char *path = fixture->path;
    g_autofree char *parent = g_path_get_dirname(path);

    rn_fd_close(&fixture->base_fd);
    g_free(fixture);
    return rmdir(path) == 0 && rmdir(parent) == 0 ? 0 : -1;
}

static void id_outside_the_rules_is_refused(void **state)
{
    g_autofree char *too_long = g_strnfill(256, 'a');
    const char *const bad[] = { "",    ".",   "..",       "a/b",   "../x",
                                "a b", "a\n", "\xc3\xa4", too_long };
    const char *const good[] = { "web", "a.b-c_d+e", "...", "0" };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        assert_false(rn_id_check(bad[i], &error));
        assert_error(error, RN_ERROR, RN_ERROR_INVALID, "container name");
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(good); i++)
        assert_true(rn_id_check(good[i], NULL));
}

static void base_that_others_can_enter_is_refused(void **state)
{
    Fixture *fixture = *state;
    int fd = -1;
    g_autoptr(GError) error = NULL;

    assert_int_equal(chmod(fixture->path, 0755), 0);
    assert_false(rn_state_open_base(fixture->path, &fd, &error));
    assert_error(error, RN_ERROR, RN_ERROR_STATE, "0755");
}

/* Most tests leave nothing behind. */
typedef RnEntry RemovedEntry;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RemovedEntry, rn_entry_remove)

static RnEntry *new_entry(const Fixture *fixture, GError **error)
{
    bool stale = false;

    return rn_entry_new(fixture->base_fd, "web", &stale, error);
}

static RnRecord make_record(RnStatus status, bool foreground)
{
    RnRecord record = { 0 };

    rn_record_init(&record);
    record.oci_version = g_strdup("1.0.2");
    record.id = g_strdup("web");
    record.status = status;
    record.pid = 4711;
    record.start_time = UINT64_C(123456789012);
    record.bundle = g_strdup("/srv/\"web\"");
    record.rootfs = g_strdup("/srv/\"web\"/rootfs");
    record.created = g_strdup("2026-01-02T03:04:05.000006Z");
    record.foreground = foreground;
    (void)g_hash_table_insert(record.annotations, g_strdup("a.b"),
                              g_strdup("c\nd"));
    return record;
}

static void name_of_a_living_container_is_taken(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(RemovedEntry) first = NULL;
    g_autoptr(RemovedEntry) second = NULL;
    g_autoptr(GError) error = NULL;

    first = new_entry(fixture, &error);
    assert_no_error(error);
    second = new_entry(fixture, &error);
    assert_null(second);
    assert_error(error, RN_ERROR, RN_ERROR_EXISTS, "web");
}

typedef struct ReleasedCase {
    RnStatus status;
    bool foreground;
    bool is_taken_over;
} ReleasedCase;

static void entry_is_stale_only_without_an_owner(void **state)
{
    static const ReleasedCase cases[] = {
        { RN_STATUS_CREATING, false, true },
        { RN_STATUS_CREATED, false, false },
        { RN_STATUS_RUNNING, false, false },
        { RN_STATUS_CREATED, true, true },
        { RN_STATUS_RUNNING, true, true },
    };
    Fixture *fixture = *state;

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(RnRecord) record =
            make_record(cases[i].status, cases[i].foreground);
        RnEntry *entry = new_entry(fixture, NULL);
        g_autoptr(RemovedEntry) last = NULL;
        g_auto(RnRecord) left = { 0 };
        bool stale = false;
        g_autoptr(GError) error = NULL;

        assert_non_null(entry);
        assert_true(rn_entry_write(entry, &record, &error));
        rn_entry_release(entry);
        entry = rn_entry_new(fixture->base_fd, "web", &stale, &error);
        assert_int_equal(entry != NULL, cases[i].is_taken_over);
        assert_int_equal(stale, cases[i].is_taken_over);
        /* what is left of it is still to be found */
        rn_record_init(&left);
        assert_true(rn_record_load(fixture->base_fd, "web", &left, NULL));
        if (entry == NULL)
            assert_error(error, RN_ERROR, RN_ERROR_EXISTS, "web");
        rn_entry_release(entry);
        last = rn_entry_open(fixture->base_fd, "web", NULL);
        assert_non_null(last);
    }
}

static void entry_that_was_not_begun_is_emptied(void **state)
{
    static const char *const names[] = { "web/state.json.new",
                                         "web/config.json", "web/start" };
    Fixture *fixture = *state;
    g_autoptr(RemovedEntry) entry = NULL;
    g_autoptr(GError) error = NULL;

    assert_int_equal(mkdirat(fixture->base_fd, "web", 0700), 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        rn_autofd int old = openat(fixture->base_fd, names[i],
                                   O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

        assert_true(old >= 0);
    }
    entry = new_entry(fixture, &error);
    assert_no_error(error);
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
        assert_int_not_equal(faccessat(fixture->base_fd, names[i], F_OK, 0), 0);
}

static void entry_that_cannot_be_read_is_left_alone(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(RnEntry) entry = NULL;
    g_autoptr(RemovedEntry) last = NULL;
    g_autoptr(GError) error = NULL;
    rn_autofd int file = -1;

    assert_int_equal(mkdirat(fixture->base_fd, "web", 0700), 0);
    file = openat(fixture->base_fd, "web/state.json",
                  O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(rn_fd_write_all(file, "{}", 2, NULL));
    entry = new_entry(fixture, &error);
    assert_null(entry);
    assert_error(error, RN_ERROR, RN_ERROR_EXISTS, "ociVersion");
    assert_int_equal(faccessat(fixture->base_fd, "web/state.json", F_OK, 0), 0);
    last = rn_entry_open(fixture->base_fd, "web", NULL);
    assert_non_null(last);
}

static void symlink_in_place_of_an_entry_is_refused(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(RnEntry) entry = NULL;
    g_autoptr(RnEntry) opened = NULL;
    g_autoptr(GError) error = NULL;

    assert_int_equal(symlinkat("/tmp", fixture->base_fd, "web"), 0);
    entry = new_entry(fixture, &error);
    assert_null(entry);
    assert_non_null(error);
    opened = rn_entry_open(fixture->base_fd, "web", NULL);
    assert_null(opened);
    assert_int_equal(unlinkat(fixture->base_fd, "web", 0), 0);
}

static void state_is_what_the_specification_has(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(RemovedEntry) entry = new_entry(fixture, NULL);
    g_auto(RnRecord) written = make_record(RN_STATUS_CREATED, false);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    static const char *const parts[] = {
        "\"ociVersion\": \"1.0.2\"",        "\"id\": \"web\"",
        "\"status\": \"created\"",          "\"pid\": 4711",
        "\"bundle\": \"/srv/\\\"web\\\"\"", "\"a.b\": \"c\\nd\"",
    };

    assert_non_null(entry);
    assert_true(rn_entry_write(entry, &written, &error));
    assert_true(rn_file_read(fixture->base_fd, "web/state.json", 4096, &text,
                             NULL, &error));
    for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++)
        assert_non_null(strstr(text, parts[i]));
}

static void record_comes_back_as_it_was(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(RemovedEntry) entry = new_entry(fixture, NULL);
    g_auto(RnRecord) written = make_record(RN_STATUS_RUNNING, true);
    g_auto(RnRecord) loaded = { 0 };
    g_autoptr(GError) error = NULL;

    rn_record_init(&loaded);
    written.cgroup = json_pack("{s:s}", "path", "/x");
    written.monitor_pid = 4712;
    written.monitor_start_time = 99;
    assert_true(rn_entry_write(entry, &written, &error));
    assert_true(rn_record_load(fixture->base_fd, "web", &loaded, &error));
    assert_string_equal(loaded.id, "web");
    assert_string_equal(loaded.bundle, written.bundle);
    assert_string_equal(loaded.rootfs, written.rootfs);
    assert_string_equal(loaded.created, written.created);
    assert_int_equal(loaded.status, RN_STATUS_RUNNING);
    assert_int_equal(loaded.pid, 4711);
    assert_true(loaded.start_time == written.start_time);
    assert_int_equal(loaded.monitor_pid, 4712);
    assert_true(loaded.foreground);
    assert_true(json_equal(loaded.cgroup, written.cgroup));
    assert_string_equal(g_hash_table_lookup(loaded.annotations, "a.b"), "c\nd");
}

static void damaged_record_is_an_error_that_names_what(void **state)
{
    static const char *const texts[] = {
        "",
        "[]",
        "{}",
        "{\"ociVersion\": 1}",
        "{\"ociVersion\": \"1.0.2\", \"id\": \"web\", \"status\": \"x\"}",
    };
    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_auto(RnRecord) record = { 0 };
        g_autoptr(GError) error = NULL;

        rn_record_init(&record);
        assert_false(rn_record_parse(texts[i], strlen(texts[i]),
                                     "web/state.json", &record, &error));
        assert_non_null(strstr(error->message, "web/state.json"));
    }
}

static void missing_entry_is_said_to_be_missing(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(RnEntry) entry = NULL;
    g_auto(RnRecord) record = { 0 };
    g_autoptr(GError) opened = NULL;
    g_autoptr(GError) loaded = NULL;

    rn_record_init(&record);
    entry = rn_entry_open(fixture->base_fd, "web", &opened);
    assert_null(entry);
    assert_error(opened, RN_ERROR, RN_ERROR_NOT_FOUND, "does not exist");
    assert_false(rn_record_load(fixture->base_fd, "web", &record, &loaded));
    assert_error(loaded, RN_ERROR, RN_ERROR_NOT_FOUND, "does not exist");
}

static void state_of_a_bundle_whose_path_is_no_text_is_utf8(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(RemovedEntry) entry = new_entry(fixture, NULL);
    g_auto(RnRecord) written = make_record(RN_STATUS_CREATING, false);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;

    assert_non_null(entry);
    written.pid = 0;
    g_free(written.bundle);
    written.bundle = g_strdup("/srv/\xff");
    assert_true(rn_entry_write(entry, &written, &error));
    assert_true(rn_file_read(fixture->base_fd, "web/state.json", 4096, &text,
                             NULL, &error));
    assert_true(g_utf8_validate(text, -1, NULL));
    assert_non_null(strstr(text, "\"/srv/\xef\xbf\xbd\""));
    assert_null(strstr(text, "\"pid\""));
}

/* As the guard does: another copy of the lock, such as a helper's that was just
 * forked, must not keep it from removing the entry. */
static void
adopted_entry_is_removed_while_a_copy_of_the_lock_is_held(void **state)
{
    Fixture *fixture = *state;
    RnEntry *entry = new_entry(fixture, NULL);
    rn_autofd int helpers = -1;
    int guards = -1;
    RnEntry *adopted = NULL;
    g_autofree char *path = g_build_filename(fixture->path, "web", NULL);

    assert_non_null(entry);
    helpers = dup(rn_entry_lock(entry));
    guards = dup(rn_entry_lock(entry));
    adopted = rn_entry_adopt(fixture->base_fd, "web", guards);
    assert_non_null(adopted);
    rn_entry_remove(adopted);
    assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    rn_entry_remove(entry); /* nothing is left to remove, but the memory */
}

static void entry_that_has_another_owner_is_not_adopted(void **state)
{
    Fixture *fixture = *state;
    RnEntry *entry = new_entry(fixture, NULL);
    g_autoptr(RemovedEntry) next = NULL;
    int guards = -1;

    assert_non_null(entry);
    guards = dup(rn_entry_lock(entry));
    rn_entry_remove(entry);
    next = new_entry(fixture, NULL);
    assert_non_null(next);
    assert_null(rn_entry_adopt(fixture->base_fd, "web", guards));
}

#define with_base(test)                                                        \
    cmocka_unit_test_setup_teardown(test, make_base, remove_base)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(id_outside_the_rules_is_refused),
        with_base(base_that_others_can_enter_is_refused),
        with_base(name_of_a_living_container_is_taken),
        with_base(entry_is_stale_only_without_an_owner),
        with_base(entry_that_was_not_begun_is_emptied),
        with_base(entry_that_cannot_be_read_is_left_alone),
        with_base(missing_entry_is_said_to_be_missing),
        with_base(record_comes_back_as_it_was),
        cmocka_unit_test(damaged_record_is_an_error_that_names_what),
        with_base(adopted_entry_is_removed_while_a_copy_of_the_lock_is_held),
        with_base(entry_that_has_another_owner_is_not_adopted),
        with_base(symlink_in_place_of_an_entry_is_refused),
        with_base(state_is_what_the_specification_has),
        with_base(state_of_a_bundle_whose_path_is_no_text_is_utf8),
    };

    return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
