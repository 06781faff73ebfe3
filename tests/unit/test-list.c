/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-list - states as a table
 */
#include "config.h"

#include <unit.h>

#include <rnet/oci/json.h>
#include <rnet/runtime/list.h>

static void assert_table(const char *json, const char *wanted)
{
    g_autoptr(json_t) list = json_loads(json, 0, NULL);
    g_autofree char *table = NULL;

    assert_non_null(list);
    table = rn_list_format(list);
    assert_string_equal(table, wanted);
}

static void no_container_is_the_titles(void **state)
{
    (void)state;
    /* to the blank as runc has it */
    assert_table("[]", "ID          PID         STATUS      BUNDLE      "
                       "CREATED     OWNER\n");
}

static void columns_are_as_wide_as_needed(void **state)
{
    (void)state;
    assert_table("[{\"id\":\"a\",\"pid\":0,\"status\":\"stopped\","
                 "\"bundle\":\"/b\",\"created\":\"2026-11-22T08:00:00Z\","
                 "\"owner\":\"root\"},"
                 "{\"id\":\"b-long-name\",\"pid\":12345,"
                 "\"status\":\"running\",\"bundle\":\"/srv/b\\u00fc\","
                 "\"created\":\"2026-11-22T08:00:01Z\",\"owner\":\"me\"}]",
                 "ID            PID         STATUS      BUNDLE      CREATED"
                 "                OWNER\n"
                 "a             0           stopped     /b          "
                 "2026-11-22T08:00:00Z   root\n"
                 "b-long-name   12345       running     /srv/b\xc3\xbc     "
                 "2026-11-22T08:00:01Z   me\n");
}

static void hostile_path_stays_on_its_line(void **state)
{
    g_autoptr(json_t) list =
        json_loads("[{\"id\":\"a\",\"bundle\":\"/x\\n\\u001b[31m\"}]", 0, NULL);
    g_autofree char *table = rn_list_format(list);

    (void)state;
    assert_non_null(strstr(table, "/x\\x0a\\x1b[31m "));
    assert_null(strchr(table, '\x1b'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_container_is_the_titles),
        cmocka_unit_test(columns_are_as_wide_as_needed),
        cmocka_unit_test(hostile_path_stays_on_its_line),
    };

    return cmocka_run_group_tests_name("list", tests, NULL, NULL);
}
