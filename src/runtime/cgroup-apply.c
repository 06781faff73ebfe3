/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup-apply - writes linux.resources into the files of a container's cgroup
 *
 * Runs in the launcher and in `update`. Every limit that is asked for is set,
 * or the error names it; what was written before stays.
 */
#include "config.h"

#include <rnet/runtime/cgroup-make.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <rnet/sys/cgroup-dir.h>
#include <rnet/util/fd.h>

enum {
    SWAPS_MAX = 1 << 20, /* bytes of /proc/swaps */
};

/* A setting, and where it goes. */
typedef struct Choice {
    const RnCgroupPart *part;
    const RnCgroupSetting *setting;
} Choice;

/* Both versions' forms of all limits; only those that have a part count. */
typedef struct Settings {
    GPtrArray *forms[2]; /* v1's, v2's */
} Settings;

static void clear_settings(Settings *settings)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(settings->forms); i++)
        g_clear_pointer(&settings->forms[i], g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Settings, clear_settings)

RnCgroupPart *rn_cgroup_find_part(const GPtrArray *parts, unsigned version,
                                  const char *controller)
{
    for (unsigned i = 0; i < parts->len; i++) {
        RnCgroupPart *part = g_ptr_array_index(parts, i);

        if (part->version == version &&
            (strcmp(controller, "cgroup") == 0 ||
             g_strv_contains((const char *const *)part->controllers,
                             controller)))
            return part;
    }
    return NULL;
}

/* "max", or anything else that is no number: -1. */
static int64_t read_number(const RnCgroupPart *part, const char *file)
{
    g_autofree char *text = NULL;

    if (part == NULL || !rn_cgroup_dir_read(part->directory, file, &text, NULL))
        return -1;
    return g_ascii_isdigit(text[0]) ? g_ascii_strtoll(text, NULL, 10) : -1;
}

void rn_cgroup_read_present(const GPtrArray *parts, RnCgroupPresent *present)
{
    const RnCgroupPart *cpu = rn_cgroup_find_part(parts, 2, "cpu");
    g_autofree char *text = NULL;
    const char *period = NULL; /* cpu.max, "QUOTA PERIOD" */

    present->memory =
        read_number(rn_cgroup_find_part(parts, 2, "memory"), "memory.max");
    present->quota = read_number(cpu, "cpu.max");
    present->period = -1;
    if (cpu != NULL &&
        rn_cgroup_dir_read(cpu->directory, "cpu.max", &text, NULL) &&
        (period = strchr(text, ' ')) != NULL)
        present->period = g_ascii_strtoll(period, NULL, 10);
}

static void init_settings(Settings *settings, const RnResources *resources,
                          const RnCgroupPresent *present)
{
    settings->forms[0] = rn_cgroup_settings_v1(resources);
    settings->forms[1] = rn_cgroup_settings_v2(resources, present);
}

/* Finds the part of each setting; the limits that have one go into `taken`. */
static GArray *choose(const GPtrArray *parts, const Settings *settings,
                      GHashTable *taken)
{
    GArray *choices = g_array_new(FALSE, FALSE, sizeof(Choice));

    for (unsigned form = 0; form < G_N_ELEMENTS(settings->forms); form++) {
        for (unsigned i = 0; i < settings->forms[form]->len; i++) {
            const RnCgroupSetting *setting =
                g_ptr_array_index(settings->forms[form], i);
            const Choice choice = {
                rn_cgroup_find_part(parts, form + 1, setting->controller),
                setting,
            };

            if (choice.part == NULL || setting->file == NULL)
                continue;
            g_array_append_val(choices, choice);
            g_hash_table_add(taken, setting->limit);
        }
    }
    return choices;
}

static bool has_version(const GPtrArray *parts, unsigned version)
{
    for (unsigned i = 0; i < parts->len; i++) {
        const RnCgroupPart *part = g_ptr_array_index(parts, i);

        if (part->version == version)
            return true;
    }
    return parts->len == 0; /* any form will do to say what is not there */
}

/* The first limit that no part can take; NULL: none. */
static const RnCgroupSetting *
find_left(const GPtrArray *parts, const Settings *settings, GHashTable *taken)
{
    for (unsigned form = G_N_ELEMENTS(settings->forms); form > 0; form--) {
        const GPtrArray *list = settings->forms[form - 1];

        for (unsigned i = 0; i < list->len && has_version(parts, form); i++) {
            const RnCgroupSetting *setting = g_ptr_array_index(list, i);

            if (!setting->lifts &&
                !g_hash_table_contains(taken, setting->limit))
                return setting;
        }
    }
    return NULL;
}

char *rn_cgroup_first_limit(const RnResources *resources)
{
    const RnCgroupPresent none = RN_CGROUP_PRESENT_NONE;
    g_auto(Settings) settings = { { NULL } };

    init_settings(&settings, resources, &none);
    for (unsigned form = G_N_ELEMENTS(settings.forms); form > 0; form--) {
        const GPtrArray *list = settings.forms[form - 1];

        for (unsigned i = 0; i < list->len; i++) {
            const RnCgroupSetting *setting = g_ptr_array_index(list, i);

            if (!setting->lifts)
                return g_strdup(setting->limit);
        }
    }
    return NULL;
}

char **rn_cgroup_needed_controllers(const RnResources *resources)
{
    const RnCgroupPresent none = RN_CGROUP_PRESENT_NONE;
    g_autoptr(GPtrArray) settings = rn_cgroup_settings_v2(resources, &none);
    GPtrArray *names = g_ptr_array_new();

    for (unsigned i = 0; i < settings->len; i++) {
        const RnCgroupSetting *setting = g_ptr_array_index(settings, i);

        if (setting->file != NULL)
            g_ptr_array_add(names, g_strdup(setting->controller));
    }
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(names, FALSE);
}

/* True where there is nothing that memory could be swapped to. */
static bool has_no_swap(void)
{
    g_autofree char *text = NULL;

    return !rn_file_read(AT_FDCWD, "/proc/swaps", SWAPS_MAX, &text, NULL,
                         NULL) ||
           strchr(g_strchomp(text), '\n') == NULL; /* the title alone */
}

static bool judge_missing(const Choice *choice, GError **error)
{
    const RnCgroupSetting *setting = choice->setting;

    if (setting->lifts || setting->missing == RN_CGROUP_MISSING_IS_FINE ||
        (setting->missing == RN_CGROUP_MISSING_SWAP && has_no_swap()))
        return true;
    if (choice->part->version == 2 &&
        rn_cgroup_dir_has(choice->part->directory, "cgroup.procs") &&
        strcmp(setting->controller, "cgroup") != 0) {
        g_autofree char *text = NULL;
        g_auto(GStrv) names = NULL;

        if (rn_cgroup_dir_read(choice->part->directory, "cgroup.controllers",
                               &text, NULL))
            names = g_strsplit(text, " ", -1);
        if (names == NULL ||
            !g_strv_contains((const char *const *)names, setting->controller))
            return rn_cgroup_explain_controller(choice->part,
                                                setting->controller, error);
    }
    (void)rn_set_error(error, RN_ERROR_UNSUPPORTED,
                       "this kernel has no file \"%s\" in \"%s\"",
                       setting->file, choice->part->directory);
    if (setting->missing == RN_CGROUP_MISSING_SWAP)
        return rn_error_add_hint(error, "boot with swapaccount=1");
    return false;
}

static bool write_setting(const Choice *choice, GError **error)
{
    const RnCgroupSetting *setting = choice->setting;
    const char *directory = choice->part->directory;
    const char *file = setting->file;
    const char *value = setting->value;

    if (setting->other_file != NULL && !rn_cgroup_dir_has(directory, file)) {
        file = setting->other_file;
        value = setting->other_value;
    }
    if (!rn_cgroup_dir_has(directory, file))
        return judge_missing(choice, error);
    if (rn_cgroup_dir_write(directory, file, value, error))
        return true;
    return rn_cgroup_explain_refusal(choice->part, error);
}

/*
 * Some files refuse a value for that of another one (memory and swap, quota,
 * period and burst), and which is to go first depends on what they have. So all
 * that was refused is tried again, as long as that helps.
 */
static bool write_all(GArray *choices, GError **error)
{
    unsigned before = 0;

    do {
        g_autoptr(GError) failure = NULL;
        unsigned left = 0;

        before = choices->len;
        for (unsigned i = 0; i < before; i++) {
            const Choice choice = g_array_index(choices, Choice, i);

            if (write_setting(&choice, failure == NULL ? &failure : NULL))
                continue;
            if (left == 0)
                g_prefix_error(&failure,
                               "linux.resources.%s: ", choice.setting->limit);
            g_array_index(choices, Choice, left++) = choice;
        }
        g_array_set_size(choices, left);
        if (left > 0 && left == before) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
    } while (choices->len > 0);
    return true;
}

static bool refuse(const RnCgroupSetting *setting, const GPtrArray *parts,
                   const GError *no_parts, GError **error)
{
    if (setting->file == NULL)
        return rn_set_error(error, RN_ERROR_UNSUPPORTED,
                            "linux.resources.%s: %s", setting->limit,
                            setting->refusal);
    if (no_parts != NULL && error != NULL) {
        *error = g_error_copy(no_parts);
        g_prefix_error(error, "linux.resources.%s: ", setting->limit);
        return false;
    }
    (void)rn_set_error(error, RN_ERROR_UNSUPPORTED,
                       "linux.resources.%s: this host has no cgroup "
                       "controller \"%s\"",
                       setting->limit, setting->controller);
    if (parts->len == 0)
        return rn_error_add_hint(error, "no cgroups are mounted here; mount "
                                        "cgroup2 on /sys/fs/cgroup");
    return false;
}

/* memory.checkBeforeUpdate: a limit below the usage would end processes. */
static bool check_usage(const GPtrArray *parts, const RnMemoryResources *memory,
                        GError **error)
{
    const RnCgroupPart *v2 = rn_cgroup_find_part(parts, 2, "memory");
    const RnCgroupPart *v1 = rn_cgroup_find_part(parts, 1, "memory");
    int64_t usage = v2 != NULL ? read_number(v2, "memory.current")
                               : read_number(v1, "memory.usage_in_bytes");

    if (!memory->check_before_update.given ||
        memory->check_before_update.value == 0 || !memory->limit.given ||
        memory->limit.value <= 0 || memory->limit.value >= usage)
        return true;
    return rn_set_error(error, RN_ERROR_STATE,
                        "linux.resources.memory.limit: %" G_GINT64_FORMAT
                        " bytes are in use already",
                        usage);
}

bool rn_cgroup_apply(const GPtrArray *parts, const RnResources *resources,
                     const RnCgroupPresent *present, const GError *no_parts,
                     GError **error)
{
    g_auto(Settings) settings = { { NULL } };
    g_autoptr(GHashTable) taken = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GArray) choices = NULL;
    const RnCgroupSetting *left = NULL;

    init_settings(&settings, resources, present);
    choices = choose(parts, &settings, taken);
    left = find_left(parts, &settings, taken);
    if (left != NULL)
        return refuse(left, parts, no_parts, error);
    return check_usage(parts, &resources->memory, error) &&
           write_all(choices, error);
}
