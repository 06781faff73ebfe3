/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hook-input - reads the state on a hook's stdin
 *
 * Runs in `rnet hook`, pure. What the container's maker chose (id, annotations)
 * is checked and bounded before anything is named after it.
 */
#include "config.h"

#include <rnet/dialect/hook-input.h>

#include <string.h>

#include <rnet/oci/json-read.h>

static bool read_pid(const RnJsonAt *at, void *target, GError **error)
{
    return rn_json_read_range(at, 0, INT32_MAX, target, error);
}

static bool read_id(const RnJsonAt *at, void *target, GError **error)
{
    char **id = target;

    if (!rn_json_read_string(at, id, error))
        return false;
    if ((*id)[0] == '\0')
        return rn_json_fail(at, RN_ERROR_INVALID, error, "must not be empty");
    return strlen(*id) <= RN_HOOK_ID_MAX ||
           rn_json_fail(at, RN_ERROR_LIMIT, error, "longer than %d bytes",
                        RN_HOOK_ID_MAX);
}

static const RnJsonField fields[] = {
    { "id", read_id, G_STRUCT_OFFSET(RnHookInput, id), RN_JSON_REQUIRED },
    { "status", rn_json_read_string, G_STRUCT_OFFSET(RnHookInput, status),
      RN_JSON_REQUIRED },
    { "pid", read_pid, G_STRUCT_OFFSET(RnHookInput, pid), RN_JSON_OPTIONAL },
    { "bundle", rn_json_read_path, G_STRUCT_OFFSET(RnHookInput, bundle),
      RN_JSON_OPTIONAL },
    { "annotations", rn_json_read_string_map,
      G_STRUCT_OFFSET(RnHookInput, annotations), RN_JSON_OPTIONAL },
};

/* What is to be done in each state; others are crun's for stages inside. */
static const struct {
    const char *status;
    RnHookTask task;
    bool needs_pid; /* crun has none in createContainer */
} tasks[] = {
    { "creating", RN_HOOK_ATTACH, false },
    { "created", RN_HOOK_ATTACH, false },
    { "running", RN_HOOK_ATTACH, true },
    { "stopped", RN_HOOK_DETACH, false },
};

/* Always false. */
static bool refuse_stage(GError **error)
{
    return rn_error_add_hint(error, "rnet hook is for the stages createRuntime "
                                    "(or prestart), createContainer and "
                                    "poststop");
}

static bool choose_task(RnHookInput *input, GError **error)
{
    g_autofree char *quoted = rn_json_quote(input->status);

    for (gsize i = 0; i < G_N_ELEMENTS(tasks); i++) {
        if (strcmp(input->status, tasks[i].status) != 0)
            continue;
        input->task = tasks[i].task;
        if (!tasks[i].needs_pid || input->pid > 0)
            return true;
        (void)rn_set_error(error, RN_ERROR_INVALID,
                           "state: status %s without a pid", quoted);
        return refuse_stage(error);
    }
    (void)rn_set_error(error, RN_ERROR_INVALID, "state: status %s is not known",
                       quoted);
    return refuse_stage(error);
}

bool rn_hook_input_read(json_t *state, RnHookInput *input, GError **error)
{
    const RnJsonAt at = { .name = "state", .node = state };

    *input = (RnHookInput){
        .annotations =
            g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
    };
    return rn_json_read_members(&at, fields, G_N_ELEMENTS(fields), input,
                                error) &&
           choose_task(input, error);
}

void rn_hook_input_clear(RnHookInput *input)
{
    g_clear_pointer(&input->id, g_free);
    g_clear_pointer(&input->status, g_free);
    g_clear_pointer(&input->bundle, g_free);
    g_clear_pointer(&input->annotations, g_hash_table_unref);
}
