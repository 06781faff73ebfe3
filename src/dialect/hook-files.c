/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hook-files - writes Podman's hook files
 *
 * Runs in `rnet hook install`. A file that cannot be written leaves the one
 * before it, and Podman never sees half of one.
 */
#include "config.h"

#include <rnet/dialect/hook-files.h>

#include <errno.h>

#include <rnet/oci/json.h>

static const char *const stages[] = { "createRuntime", "poststop" };

static json_t *make_arguments(const RnHookFiles *files)
{
    /* Podman's containers have a root file system each, and no resolv.conf
     * without a network of Podman's */
    json_t *list = json_pack("[s, s, s]", "rnet", "hook", "--resolv-conf");

    for (gsize i = 0; files->arguments != NULL && files->arguments[i] != NULL;
         i++)
        (void)json_array_append_new(list, json_string(files->arguments[i]));
    return list;
}

json_t *rn_hook_file(const RnHookFiles *files, const char *stage)
{
    json_t *when =
        files->always ? json_pack("{s:b}", "always", 1)
                      : json_pack("{s:{s:s}}", "annotations", "^rnet\\.", ".*");

    return json_pack("{s:s, s:{s:s, s:o}, s:o, s:[s]}", "version", "1.0.0",
                     "hook", "path", files->program, "args",
                     make_arguments(files), "when", when, "stages", stage);
}

static bool write_file(const RnHookFiles *files, const char *directory,
                       const char *stage, GError **error)
{
    g_autoptr(json_t) document = rn_hook_file(files, stage);
    g_autofree char *name = g_strdup_printf("rnet-%s.json", stage);
    g_autofree char *path = g_build_filename(directory, name, NULL);
    g_autofree char *text =
        json_dumps(document, JSON_INDENT(4) | JSON_PRESERVE_ORDER);
    g_autofree char *lines = g_strconcat(text, "\n", NULL);
    g_autoptr(GError) failure = NULL;

    if (g_file_set_contents_full(
            path, lines, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0644, &failure))
        return true;
    return rn_set_error(error, RN_ERROR_STATE, "write \"%s\": %s", path,
                        failure->message);
}

/* JSON has nothing else. */
static bool check_text(const char *text, GError **error)
{
    g_autofree char *quoted = rn_json_quote(text);

    return g_utf8_validate(text, -1, NULL) ||
           rn_set_error(error, RN_ERROR_INVALID, "%s is not UTF-8", quoted);
}

static bool check_texts(const RnHookFiles *files, GError **error)
{
    for (gsize i = 0; files->arguments != NULL && files->arguments[i] != NULL;
         i++) {
        if (!check_text(files->arguments[i], error))
            return false;
    }
    return check_text(files->program, error);
}

bool rn_hook_files_write(const RnHookFiles *files, const char *directory,
                         GError **error)
{
    if (!check_texts(files, error))
        return false;
    if (g_mkdir_with_parents(directory, 0755) < 0)
        return rn_set_errno(error, errno, "make \"%s\"", directory);
    for (gsize i = 0; i < G_N_ELEMENTS(stages); i++) {
        if (!write_file(files, directory, stages[i], error))
            return false;
    }
    return true;
}
