/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-ps-filter - only the lines of a container's processes, however the
 * output comes in
 */
#include "config.h"

#include <unit.h>

#include <rnet/runtime/ps-filter.h>

static const char output[] = "UID          PID    PPID CMD\n"
                             "root           1       0 /sbin/init 42\n"
                             "root          42       1 sh -c PID\n"
                             "me           421       1 sleep 42\n"
                             "\n"
                             "me           500      42 [kworker]\n";
static const char wanted[] = "UID          PID    PPID CMD\n"
                             "root          42       1 sh -c PID\n"
                             "me           500      42 [kworker]\n";

static GArray *make_pids(void)
{
    const pid_t pids[] = { 42, 500, 7000 };

    return g_array_append_vals(g_array_new(FALSE, FALSE, sizeof(pid_t)), pids,
                               G_N_ELEMENTS(pids));
}

static void output_in_pieces_is_filtered(void **state)
{
    (void)state;
    for (gsize piece = 1; piece <= sizeof output; piece++) {
        g_autoptr(GArray) pids = make_pids();
        g_autoptr(RnPsFilter) filter = rn_ps_filter_new(pids);
        g_autoptr(GString) shown = g_string_new(NULL);
        g_autoptr(GError) error = NULL;

        for (gsize at = 0; at < strlen(output); at += piece) {
            assert_true(rn_ps_filter_feed(filter, output + at,
                                          MIN(piece, strlen(output) - at),
                                          shown, &error));
            assert_no_error(error);
        }
        assert_string_equal(shown->str, wanted);
    }
}

static void other_output_is_refused(void **state)
{
    static const struct {
        const char *text;
        const char *part;
    } cases[] = {
        { "USER COMMAND\n", "no column PID" },
        { "\n", "no column PID" },
        { "A PID\nroot x\n", "\"x\"" },
        { "A PID\nroot\n", "a line without pid" },
        { "PID\n-1\n", "\"-1\"" },
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GArray) pids = make_pids();
        g_autoptr(RnPsFilter) filter = rn_ps_filter_new(pids);
        g_autoptr(GString) shown = g_string_new(NULL);
        g_autoptr(GError) error = NULL;

        assert_false(rn_ps_filter_feed(filter, cases[i].text,
                                       strlen(cases[i].text), shown, &error));
        assert_error(error, RN_ERROR, RN_ERROR_INVALID, cases[i].part);
    }
}

static void endless_line_is_refused(void **state)
{
    g_autoptr(GArray) pids = make_pids();
    g_autoptr(RnPsFilter) filter = rn_ps_filter_new(pids);
    g_autoptr(GString) shown = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    g_autofree char *half = g_strnfill(RN_PS_LINE_MAX / 2 + 1, 'x');

    (void)state;
    assert_true(rn_ps_filter_feed(filter, half, strlen(half), shown, &error));
    assert_false(rn_ps_filter_feed(filter, half, strlen(half), shown, &error));
    assert_error(error, RN_ERROR, RN_ERROR_LIMIT, "a line of more than");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_in_pieces_is_filtered),
        cmocka_unit_test(other_output_is_refused),
        cmocka_unit_test(endless_line_is_refused),
    };

    return cmocka_run_group_tests_name("ps-filter", tests, NULL, NULL);
}
