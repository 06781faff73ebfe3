/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hook-state - the plan as the state that hooks read, and their call
 *
 * Runs in the launcher (prestart, createRuntime, poststart) and in init
 * (createContainer, startContainer), which therefore needs no record.
 */
#include "config.h"

#include <rnet/runtime/hook-state.h>

#include <errno.h>
#include <unistd.h>

#include <rnet/oci/json.h>
#include <rnet/runtime/hooks.h>

/* runc's, contracts of runtime-spec runtime.md, State. */
static const RnStatus statuses[] = {
    [RN_HOOK_PRESTART] = RN_STATUS_CREATING,
    [RN_HOOK_CREATE_RUNTIME] = RN_STATUS_CREATING,
    [RN_HOOK_CREATE_CONTAINER] = RN_STATUS_CREATING,
    [RN_HOOK_START_CONTAINER] = RN_STATUS_CREATED,
    [RN_HOOK_POSTSTART] = RN_STATUS_RUNNING,
    [RN_HOOK_POSTSTOP] = RN_STATUS_STOPPED,
};
G_STATIC_ASSERT(G_N_ELEMENTS(statuses) == RN_HOOK_N_);

void rn_plan_fill_record(const RnPlan *plan, RnRecord *record)
{
    GHashTableIter iter;
    gpointer name = NULL;
    gpointer value = NULL;

    record->oci_version = g_strdup(plan->config->oci_version);
    record->id = g_strdup(plan->id);
    record->bundle = g_strdup(plan->bundle);
    record->rootfs = g_strdup(plan->rootfs);
    record->foreground = plan->manner.dies_with_caller;
    record->owner = geteuid();
    g_hash_table_iter_init(&iter, plan->config->annotations);
    while (g_hash_table_iter_next(&iter, &name, &value))
        (void)g_hash_table_insert(record->annotations, g_strdup(name),
                                  g_strdup(value));
}

bool rn_plan_run_hooks(const RnPlan *plan, RnHookStage stage, pid_t pid,
                       GError **error)
{
    const GPtrArray *hooks = plan->config->hooks[stage];
    /* a program of the image: there is no bundle in the container's own root,
     * and the caller's environment is not the image's to know */
    bool is_images = stage == RN_HOOK_START_CONTAINER;
    const char *directory = is_images ? NULL : plan->bundle;
    char **environment =
        is_images ? plan->config->process.env : plan->manner.environment;
    g_auto(RnRecord) record = { 0 };
    g_autoptr(json_t) state = NULL;
    g_autofree char *text = NULL;

    if (hooks->len == 0)
        return true;
    rn_record_init(&record);
    rn_plan_fill_record(plan, &record);
    state = rn_record_to_state(&record, statuses[stage], pid);
    text = json_dumps(state, JSON_COMPACT);
    if (text == NULL)
        return rn_set_errno(error, ENOMEM, "format the state for hooks");
    return rn_hooks_run(hooks, stage, text, directory, environment, error);
}
