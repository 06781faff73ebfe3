/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * idmap: which maps can be had and why others cannot, on given facts
 */
#include "config.h"

#include <unit.h>

#include <rnet/sys/idmap.h>

enum {
    CASE_MAPS = 4
}; /* mappings of a case, ended by a size of 0 */

static GArray *make_maps(const RnIdMapping *mappings, gsize count)
{
    GArray *maps = g_array_new(FALSE, TRUE, sizeof(RnIdMapping));

    return g_array_append_vals(maps, mappings, (guint)count);
}

static GArray *make_case_maps(const RnIdMapping mappings[CASE_MAPS])
{
    gsize count = 0;

    while (count < CASE_MAPS && mappings[count].size != 0)
        count++;
    return make_maps(mappings, count);
}

typedef struct JudgeCase {
    const char *name;
    RnIdMapping maps[CASE_MAPS];
    RnIdMapping ranges[CASE_MAPS]; /* the user's */
    RnIdMapping mapped[CASE_MAPS]; /* none: not known */
    bool privileged, may_map_root, unknown_user;
    RnMapperState mapper;
    const char *text; /* NULL: can be had */
    RnErrorCode code;
    const char *hint; /* NULL: none */
} JudgeCase;

/* The user "web" with the id 1000. */
static const JudgeCase judge_cases[] = {
    { .name = "own id, nothing else there",
      .maps = { { 0, 1000, 1 } },
      .mapper = RN_MAPPER_MISSING },
    { .name = "own id as another id",
      .maps = { { 33, 1000, 1 } },
      .mapper = RN_MAPPER_MISSING },
    { .name = "another id needs the mapper",
      .maps = { { 0, 1001, 1 } },
      .mapper = RN_MAPPER_MISSING,
      .text = "needs newuidmap, which is not in /usr/bin:",
      .code = RN_ERROR_NOT_FOUND,
      .hint = "apt install uidmap" },
    { .name = "own id and a range",
      .maps = { { 0, 1000, 1 }, { 1, 100000, 65536 } },
      .ranges = { { 0, 100000, 65536 } } },
    { .name = "part of a range",
      .maps = { { 0, 100010, 10 } },
      .ranges = { { 0, 100000, 65536 } } },
    { .name = "adjoining ranges count as one",
      .maps = { { 0, 100000, 2000 } },
      .ranges = { { 0, 101000, 1000 }, { 0, 100000, 1000 } } },
    { .name = "ranges with a gap do not",
      .maps = { { 0, 100000, 2000 } },
      .ranges = { { 0, 100000, 1000 }, { 0, 101001, 1000 } },
      .text = "mapping 0:100000:2000 of uids (container:host:size) lies "
              "outside the subordinate uids 100000-100999, 101001-102000 of "
              "user \"web\"",
      .code = RN_ERROR_INVALID,
      .hint = "--add-subuids 300000-365535 web" },
    { .name = "one id too many",
      .maps = { { 0, 1000, 1 }, { 1, 100000, 65537 } },
      .ranges = { { 0, 100000, 65536 } },
      .text = "mapping 1:100000:65537",
      .code = RN_ERROR_INVALID,
      .hint = "use host ids of those" },
    { .name = "own id, but two of them",
      .maps = { { 0, 1000, 2 } },
      .ranges = { { 0, 100000, 65536 } },
      .text = "lies outside",
      .code = RN_ERROR_INVALID,
      .hint = "use host ids of those" },
    { .name = "mapper without privileges",
      .maps = { { 0, 100000, 10 } },
      .ranges = { { 0, 100000, 65536 } },
      .mapper = RN_MAPPER_UNPRIVILEGED,
      .text = "\"/usr/bin/newuidmap\" is neither setuid root nor has the file "
              "capability cap_setuid",
      .code = RN_ERROR_UNSUPPORTED,
      .hint = "chmod u+s /usr/bin/newuidmap" },
    { .name = "mapper on a nosuid mount",
      .maps = { { 0, 100000, 10 } },
      .ranges = { { 0, 100000, 65536 } },
      .mapper = RN_MAPPER_NOSUID,
      .text = "mounted nosuid",
      .code = RN_ERROR_UNSUPPORTED,
      .hint = "remount" },
    { .name = "no_new_privs",
      .maps = { { 0, 100000, 10 } },
      .ranges = { { 0, 100000, 65536 } },
      .mapper = RN_MAPPER_NO_NEW_PRIVS,
      .text = "no_new_privs",
      .code = RN_ERROR_UNSUPPORTED,
      .hint = "NoNewPrivileges" },
    { .name = "no range",
      .maps = { { 0, 1000, 1 }, { 1, 100000, 10 } },
      .text = "user \"web\" has no subordinate uids",
      .code = RN_ERROR_NOT_FOUND,
      .hint = "usermod --add-subuids 300000-365535 web" },
    { .name = "not in passwd",
      .maps = { { 0, 100000, 10 } },
      .unknown_user = true,
      .text = "no entry in passwd, which newuidmap needs",
      .code = RN_ERROR_NOT_FOUND },
    { .name = "privileged: any",
      .maps = { { 0, 5000, 10 }, { 20, 0, 1 } },
      .privileged = true,
      .may_map_root = true,
      .mapper = RN_MAPPER_MISSING },
    { .name = "privileged, but root only with CAP_SETFCAP",
      .maps = { { 0, 0, 10 } },
      .privileged = true,
      .text = "needs CAP_SETFCAP",
      .code = RN_ERROR_UNSUPPORTED,
      .hint = "outer container" },
    { .name = "privileged inside a map",
      .maps = { { 0, 10, 90 } },
      .mapped = { { 0, 1000, 1 }, { 1, 100000, 99 } },
      .privileged = true },
    { .name = "privileged across two lines of a map",
      .maps = { { 0, 0, 100 } },
      .mapped = { { 0, 1000, 1 }, { 1, 100000, 99 } },
      .privileged = true,
      .may_map_root = true,
      .text = "own user namespace does not have",
      .code = RN_ERROR_INVALID,
      .hint = "/proc/self/uid_map" },
    { .name = "nothing",
      .text = "no uids are mapped",
      .code = RN_ERROR_INVALID },
    { .name = "overlap in the container",
      .maps = { { 0, 1000, 10 }, { 9, 5000, 1 } },
      .privileged = true,
      .text = "mapping 9:5000:1 of uids (container:host:size) overlaps "
              "another one in the container",
      .code = RN_ERROR_INVALID },
    { .name = "overlap on the host",
      .maps = { { 0, 1000, 10 }, { 10, 1009, 1 } },
      .privileged = true,
      .text = "on the host",
      .code = RN_ERROR_INVALID },
    { .name = "neighbours",
      .maps = { { 0, 1000, 10 }, { 10, 1010, 1 } },
      .privileged = true },
    { .name = "the last id of the host",
      .maps = { { 0, UINT32_MAX - 1, 2 } },
      .privileged = true,
      .text = "beyond the last id",
      .code = RN_ERROR_INVALID },
    { .name = "the last id of the container",
      .maps = { { 1, 0, UINT32_MAX } },
      .privileged = true,
      .text = "beyond the last id",
      .code = RN_ERROR_INVALID },
    { .name = "all ids",
      .maps = { { 0, 0, UINT32_MAX } },
      .mapped = { { 0, 0, UINT32_MAX } },
      .privileged = true,
      .may_map_root = true },
};

static void check_outcome(const JudgeCase *wanted, bool ok, const GError *error)
{
    g_autofree char *text = NULL;
    g_autofree char *hint = NULL;

    if (ok != (wanted->text == NULL))
        fail_msg("%s: %s", wanted->name, ok ? "taken" : error->message);
    if (ok)
        return;
    text = rn_error_split(error, &hint);
    if (!g_error_matches(error, RN_ERROR, (int)wanted->code) ||
        strstr(text, wanted->text) == NULL)
        fail_msg("%s: code %d, \"%s\"", wanted->name, error->code, text);
    if (wanted->hint == NULL && hint != NULL)
        fail_msg("%s: hint \"%s\"", wanted->name, hint);
    if (wanted->hint != NULL &&
        (hint == NULL || strstr(hint, wanted->hint) == NULL))
        fail_msg("%s: hint \"%s\"", wanted->name, hint == NULL ? "" : hint);
}

static void judge_each_obstacle_named_with_its_hint(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(judge_cases); i++) {
        const JudgeCase *one = &judge_cases[i];
        g_autoptr(GArray) maps = make_case_maps(one->maps);
        g_autoptr(GArray) ranges = make_case_maps(one->ranges);
        g_autoptr(GArray) mapped = make_case_maps(one->mapped);
        g_autoptr(GError) error = NULL;
        const RnIdmapFacts facts = {
            .own_id = 1000,
            .privileged = one->privileged,
            .may_map_root = one->may_map_root,
            .mapped = mapped->len == 0 ? NULL : mapped,
            .user = one->unknown_user ? NULL : "web",
            .mapper = one->mapper,
            .mapper_path =
                one->mapper == RN_MAPPER_MISSING ? NULL : "/usr/bin/newuidmap",
            .ranges = ranges,
            .first_free = 300000,
        };
        bool ok = false;

        ok = rn_idmap_judge(RN_ID_USER, maps, &facts, &error);
        check_outcome(one, ok, error);
    }
}

/* Root of an outer container that keeps CAP_SETFCAP from it. */
static void judge_own_root_id_without_setfcap_refused(void **state)
{
    g_autoptr(GArray) maps = make_maps((const RnIdMapping[]){ { 0, 0, 1 } }, 1);
    g_autoptr(GError) error = NULL;
    RnIdmapFacts facts = { .own_id = 0 };

    (void)state;
    assert_false(rn_idmap_judge(RN_ID_USER, maps, &facts, &error));
    assert_error(error, RN_ERROR, RN_ERROR_UNSUPPORTED, "CAP_SETFCAP");
    facts.may_map_root = true;
    assert_true(rn_idmap_judge(RN_ID_USER, maps, &facts, NULL));
}

static void judge_groups_named_as_such(void **state)
{
    g_autoptr(GArray) maps =
        make_maps((const RnIdMapping[]){ { 0, 100000, 10 } }, 1);
    g_autoptr(GArray) ranges = make_maps(NULL, 0);
    g_autoptr(GError) missing = NULL;
    g_autoptr(GError) rangeless = NULL;
    RnIdmapFacts facts = { .own_id = 1000,
                           .user = "web",
                           .mapper = RN_MAPPER_MISSING,
                           .ranges = ranges,
                           .first_free = 100000 };

    (void)state;
    assert_false(rn_idmap_judge(RN_ID_GROUP, maps, &facts, &missing));
    assert_error(missing, RN_ERROR, RN_ERROR_NOT_FOUND, "newgidmap");
    facts.mapper = RN_MAPPER_READY;
    facts.mapper_path = "/usr/bin/newgidmap";
    assert_false(rn_idmap_judge(RN_ID_GROUP, maps, &facts, &rangeless));
    assert_error(rangeless, RN_ERROR, RN_ERROR_NOT_FOUND,
                 "usermod --add-subgids 100000-165535 web");
}

static GArray *make_many(guint count, uint32_t first)
{
    GArray *maps = make_maps(NULL, 0);

    for (guint i = 0; i < count; i++) {
        const RnIdMapping map = { first + 2 * i, first + 2 * i, 1 };

        g_array_append_val(maps, map);
    }
    return maps;
}

static void judge_more_than_the_kernel_takes_refused(void **state)
{
    static const struct {
        guint count;
        uint32_t first;
        const char *text; /* NULL: taken */
    } cases[] = {
        { RN_IDMAP_MAX, 1, NULL },
        { RN_IDMAP_MAX + 1, 1, "341 mappings of uids" },
        /* ids of ten digits: 340 lines of 24 bytes are more than a page */
        { RN_IDMAP_MAX, 4000000000, "bytes as text" },
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GArray) maps = make_many(cases[i].count, cases[i].first);
        g_autoptr(GError) error = NULL;
        const RnIdmapFacts facts = { .privileged = true };
        bool ok = rn_idmap_judge(RN_ID_USER, maps, &facts, &error);

        if (cases[i].text == NULL) {
            assert_no_error(error);
            assert_true(ok);
            continue;
        }
        assert_false(ok);
        assert_error(error, RN_ERROR, RN_ERROR_LIMIT, cases[i].text);
    }
}

static void to_host_translates_mapped_ids_only(void **state)
{
    static const struct {
        uint32_t container_id;
        bool mapped;
        uint32_t host_id;
    } cases[] = {
        { 0, true, 1000 },        { 1, true, 100000 }, { 99, true, 100098 },
        { 100, false, 0 },        { 199, false, 0 },   { 200, true, 5 },
        { UINT32_MAX, false, 0 },
    };
    g_autoptr(GArray) maps = make_maps((const RnIdMapping[]){ { 0, 1000, 1 },
                                                              { 1, 100000, 99 },
                                                              { 200, 5, 1 } },
                                       3);

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        uint32_t host_id = 77;

        assert_int_equal(
            rn_idmap_to_host(maps, cases[i].container_id, &host_id),
            cases[i].mapped);
        assert_int_equal(host_id, cases[i].mapped ? cases[i].host_id : 77);
    }
}

static void format_gives_the_kernels_lines(void **state)
{
    g_autoptr(GArray) maps = make_maps(
        (const RnIdMapping[]){ { 0, 1000, 1 }, { 1, 100000, UINT32_MAX } }, 2);
    g_autofree char *text = rn_idmap_format(maps);

    (void)state;
    assert_string_equal(text, "0 1000 1\n1 100000 4294967295\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judge_each_obstacle_named_with_its_hint),
        cmocka_unit_test(judge_own_root_id_without_setfcap_refused),
        cmocka_unit_test(judge_groups_named_as_such),
        cmocka_unit_test(judge_more_than_the_kernel_takes_refused),
        cmocka_unit_test(to_host_translates_mapped_ids_only),
        cmocka_unit_test(format_gives_the_kernels_lines),
    };

    return cmocka_run_group_tests_name("idmap", tests, NULL, NULL);
}
