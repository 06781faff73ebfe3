/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cmd-update - `rnet update`: other limits for a container
 */
#include "config.h"

#include "commands.h"

#include <rnet/runtime/update.h>

#include "syntax.h"

enum {
    OPTIONS_MAX = 32, /* of rn_update_options() */
};

typedef struct Update {
    char *resources;           /* --resources */
    char *values[OPTIONS_MAX]; /* in the order of rn_update_options() */
} Update;

static void clear_update(Update *update)
{
    g_free(update->resources);
    for (unsigned i = 0; i < OPTIONS_MAX; i++)
        g_free(update->values[i]);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Update, clear_update)

static const char description[] =
    "FILE is a JSON object like \"resources\" in config.json; - is stdin. Other\n"
    "options come on top of it. BYTES are a number, maybe with k, m or g. What is\n"
    "not given stays as it is; so it does for 0, but for the number of processes.";

static char **parse(Update *update, int argc, char **argv, GError **error)
{
    const RnUpdateOption *options = rn_update_options();
    GOptionEntry entries[OPTIONS_MAX + 2] = {
        { "resources", 'r', 0, G_OPTION_ARG_FILENAME, &update->resources,
          "Take the limits from there", "FILE" },
    };
    const RnSyntax syntax = {
        .operands = "ID",
        .summary = "Changes the limits of a container.",
        .description = description,
        .entries = entries,
        .min_operands = 1,
        .max_operands = 1,
    };

    for (unsigned i = 0; options[i].name != NULL && i < OPTIONS_MAX; i++) {
        entries[i + 1] = (GOptionEntry){
            .long_name = options[i].name,
            .flags = options[i].help == NULL ? G_OPTION_FLAG_HIDDEN : 0,
            .arg = G_OPTION_ARG_FILENAME,
            .arg_data = &update->values[i],
            .description = options[i].help,
            .arg_description = options[i].value,
        };
    }
    return rn_syntax_parse(&syntax, argc, argv, error);
}

static bool collect(const Update *update, RnResources *resources,
                    GError **error)
{
    const RnUpdateOption *options = rn_update_options();

    if (update->resources != NULL &&
        !rn_update_read(update->resources, resources, error))
        return false;
    for (unsigned i = 0; options[i].name != NULL && i < OPTIONS_MAX; i++) {
        if (update->values[i] != NULL &&
            !rn_update_set(resources, options[i].name, update->values[i],
                           error))
            return false;
    }
    return true;
}

int rn_cmd_update(const RnGlobals *globals, int argc, char **argv)
{
    g_auto(Update) update = { 0 };
    g_auto(RnResources) resources = { 0 };
    g_autoptr(GError) failure = NULL;
    g_auto(GStrv) operands = parse(&update, argc, argv, &failure);
    g_autoptr(RnManaged) managed = NULL;

    rn_resources_init(&resources);
    if (operands == NULL)
        return rn_usage_failure(argv[0], failure);
    managed = rn_managed_open(globals->root, operands[0], &failure);
    if (managed == NULL || !collect(&update, &resources, &failure) ||
        !rn_update_apply(managed, &resources, &failure))
        return rn_command_failure(failure);
    return 0;
}
