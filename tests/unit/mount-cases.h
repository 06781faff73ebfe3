/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mount-cases - containers whose payload tells what it sees, and their bundles
 */
#ifndef RNET_TESTS_UNIT_MOUNT_CASES_H
#define RNET_TESTS_UNIT_MOUNT_CASES_H

#include <unit.h>

#include <sys/stat.h>

#include "fake-launcher.h"
#include "scratch.h"

typedef struct Case {
    const char *name;
    Container container;
    const char *output; /* all of it */
} Case;

static inline void run_case(const Case *item)
{
    g_auto(Outcome) outcome = { 0 };

    print_message("# %s\n", item->name);
    container_run(&item->container, &outcome);
    assert_no_error(outcome.failure);
    if (strcmp(outcome.output, item->output) != 0)
        fail_msg("%s: \"%s\", not \"%s\"", item->name, outcome.output,
                 item->output);
    assert_int_equal(outcome.exit_code, 0);
}

#define run_cases(cases)                                                       \
    for (unsigned i_ = 0; i_ < G_N_ELEMENTS(cases); i_++)                      \
    run_case(&(cases)[i_])

/* A bundle of its own, so that files can be put beside and into the image. */
static inline char *make_bundle(void)
{
    char *bundle = scratch_make();
    g_autofree char *root = g_build_filename(bundle, "rootfs", NULL);

    assert_int_equal(mkdir(root, 0755), 0);
    return bundle;
}

static inline void put_file(const char *bundle, const char *name,
                            const char *text, mode_t mode)
{
    g_autofree char *path = g_build_filename(bundle, name, NULL);
    g_autofree char *folder = g_path_get_dirname(path);
    g_autoptr(GError) error = NULL;

    assert_int_equal(g_mkdir_with_parents(folder, 0755), 0);
    (void)g_file_set_contents(path, text, -1, &error);
    assert_no_error(error);
    assert_int_equal(chmod(path, mode), 0);
}

#endif
