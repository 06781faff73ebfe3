/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <unit.h>

#include <sys/mount.h>

#include <rnet/sys/mount-options.h>

enum {
    WORDS_MAX = 8
};

typedef struct Case {
    const char *words[WORDS_MAX];
    RnMountOptions expected;
} Case;

static const Case good_cases[] = {
    { { NULL }, { .flags = 0 } },
    { { "defaults", "" }, { .flags = 0 } },
    { { "ro", "nosuid", "nodev", "noexec" },
      { .flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC } },
    { { "rw", "suid", "dev", "exec" },
      { .cleared = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC } },
    { { "ro", "rw" }, { .cleared = MS_RDONLY } },
    { { "rw", "ro" }, { .flags = MS_RDONLY } },
    { { "noatime", "strictatime", "relatime" }, { .flags = MS_RELATIME } },
    { { "relatime", "noatime" }, { .flags = MS_NOATIME } },
    { { "atime", "diratime" }, { .cleared = MS_NOATIME | MS_NODIRATIME } },
    { { "nodiratime", "nosymfollow" },
      { .flags = MS_NODIRATIME | MS_NOSYMFOLLOW } },
    { { "sync", "dirsync", "mand", "lazytime", "silent" },
      { .flags = MS_SYNCHRONOUS | MS_DIRSYNC | MS_MANDLOCK | MS_LAZYTIME |
                 MS_SILENT } },
    { { "async", "nomand", "nolazytime", "loud" },
      { .cleared = MS_SYNCHRONOUS | MS_MANDLOCK | MS_LAZYTIME | MS_SILENT } },
    { { "bind" }, { .bind = true } },
    { { "rbind", "ro" },
      { .bind = true, .recursive = true, .flags = MS_RDONLY } },
    { { "rbind", "rro", "rnosuid" },
      { .bind = true,
        .recursive = true,
        .flags_recursive = MS_RDONLY | MS_NOSUID } },
    { { "rrw" }, { .cleared_recursive = MS_RDONLY } },
    { { "remount", "bind" }, { .bind = true, .remount = true } },
    { { "private" }, { .propagation = MS_PRIVATE } },
    { { "rshared", "rslave" }, { .propagation = MS_SLAVE | MS_REC } },
    { { "runbindable" }, { .propagation = MS_UNBINDABLE | MS_REC } },
    { { "size=64k", "ro", "mode=755", "newinstance" },
      { .flags = MS_RDONLY, .data = (char *)"size=64k,mode=755,newinstance" } },
    { { "tmpcopyup", "mode=1777" },
      { .copy_up = true, .data = (char *)"mode=1777" } },
    { { "bind", "idmap" }, { .bind = true, .idmap = true } },
    { { "rbind", "ridmap" },
      { .bind = true,
        .recursive = true,
        .idmap = true,
        .idmap_recursive = true } },
    { { "ridmap", "idmap" }, { .idmap = true } },
    { { "x-systemd.automount", "X-mount.mkdir", "ro" },
      { .flags = MS_RDONLY } },
    /* near a word, but none: the kernel may judge it */
    { { "RO" }, { .data = (char *)"RO" } },
};

static void check_case(const Case *item)
{
    g_autoptr(GError) error = NULL;
    g_auto(RnMountOptions) options = { 0 };
    const RnMountOptions *want = &item->expected;

    assert_true(rn_mount_options_parse(item->words, &options, &error));
    assert_no_error(error);
    assert_int_equal(options.flags, want->flags);
    assert_int_equal(options.cleared, want->cleared);
    assert_int_equal(options.flags_recursive, want->flags_recursive);
    assert_int_equal(options.cleared_recursive, want->cleared_recursive);
    assert_int_equal(options.propagation, want->propagation);
    assert_int_equal(options.bind, want->bind);
    assert_int_equal(options.recursive, want->recursive);
    assert_int_equal(options.remount, want->remount);
    assert_int_equal(options.idmap, want->idmap);
    assert_int_equal(options.idmap_recursive, want->idmap_recursive);
    assert_int_equal(options.copy_up, want->copy_up);
    if (g_strcmp0(options.data, want->data) != 0)
        fail_msg("data is \"%s\", not \"%s\"", options.data, want->data);
}

static void options_of_each_kind_become_flags_and_data(void **state)
{
    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(good_cases); i++) {
        print_message("# case %u: \"%s\"\n", i,
                      good_cases[i].words[0] == NULL ? ""
                                                     : good_cases[i].words[0]);
        check_case(&good_cases[i]);
    }
}

/* config.md, "Linux mount options": none of them may end up as data. */
static const char *const spec_words[] = {
    "async",        "atime",
    "bind",         "defaults",
    "dev",          "diratime",
    "dirsync",      "exec",
    "idmap",        "iversion",
    "lazytime",     "loud",
    "mand",         "noatime",
    "nodev",        "nodiratime",
    "noexec",       "noiversion",
    "nolazytime",   "nomand",
    "norelatime",   "nostrictatime",
    "nosuid",       "nosymfollow",
    "private",      "ratime",
    "rbind",        "rdev",
    "rdiratime",    "relatime",
    "remount",      "rexec",
    "ridmap",       "rnoatime",
    "rnodev",       "rnodiratime",
    "rnoexec",      "rnorelatime",
    "rnosuid",      "rnostrictatime",
    "rnosymfollow", "ro",
    "rprivate",     "rrelatime",
    "rro",          "rrw",
    "rshared",      "rslave",
    "rstrictatime", "rsuid",
    "rsymfollow",   "runbindable",
    "rw",           "shared",
    "silent",       "slave",
    "strictatime",  "suid",
    "symfollow",    "sync",
    "tmpcopyup",    "unbindable",
};

static void options_of_the_specification_are_all_known(void **state)
{
    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(spec_words); i++) {
        const char *const list[] = { spec_words[i], NULL };
        g_auto(RnMountOptions) options = { 0 };
        g_autoptr(GError) error = NULL;

        if (!rn_mount_options_parse(list, &options, &error))
            fail_msg("%s: %s", spec_words[i], error->message);
        if (options.data != NULL)
            fail_msg("\"%s\" became data", spec_words[i]);
    }
}

static void options_that_are_not_supported_are_refused_by_name(void **state)
{
    static const char *const words[] = { "idmap=0:0:1", "tmpcopyup=x",
                                         "ridmap=0:0:1" };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++) {
        const char *const list[] = { "ro", words[i], NULL };
        g_auto(RnMountOptions) options = { 0 };
        g_autoptr(GError) error = NULL;

        assert_false(rn_mount_options_parse(list, &options, &error));
        assert_error(error, RN_ERROR, RN_ERROR_UNSUPPORTED, words[i]);
    }
}

static void options_longer_than_a_page_are_refused(void **state)
{
    g_autofree char *fits = g_strnfill(RN_MOUNT_DATA_MAX, 'x');
    g_autofree char *long_one = g_strnfill(RN_MOUNT_DATA_MAX + 1, 'x');
    const char *const good[] = { fits, NULL };
    const char *const bad[] = { long_one, NULL };
    const char *const sum[] = { fits, "y", NULL };
    g_auto(RnMountOptions) options = { 0 };
    g_autoptr(GError) error = NULL;

    (void)state;
    assert_true(rn_mount_options_parse(good, &options, &error));
    assert_no_error(error);
    rn_mount_options_clear(&options);
    assert_false(rn_mount_options_parse(bad, &options, &error));
    assert_error(error, RN_ERROR, RN_ERROR_LIMIT, "4095");
    g_clear_error(&error);
    assert_false(rn_mount_options_parse(sum, &options, &error));
    assert_error(error, RN_ERROR, RN_ERROR_LIMIT, "4095");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_of_each_kind_become_flags_and_data),
        cmocka_unit_test(options_of_the_specification_are_all_known),
        cmocka_unit_test(options_that_are_not_supported_are_refused_by_name),
        cmocka_unit_test(options_longer_than_a_page_are_refused),
    };

    return cmocka_run_group_tests_name("mount-options", tests, NULL, NULL);
}
