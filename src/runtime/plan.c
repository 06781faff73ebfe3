/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plan - decides what creating a container will do
 *
 * Runs in the launcher, before anything exists; pure. In: the checked
 * config.json, the command's request, facts of the host. Out: RnPlan, or an
 * error that names what cannot be had. Files that rnet generates for the
 * container are decided in plan-files.c.
 */
#include "config.h"

#include <rnet/runtime/plan.h>

#include <sched.h>
#include <string.h>

#include <rnet/runtime/plan-files.h>

bool rn_plan_joins(const RnPlan *plan, uint64_t flag)
{
    for (unsigned i = 0; i < plan->joins->len; i++) {
        const RnJoin *join = g_ptr_array_index(plan->joins, i);

        if (join->flag == flag)
            return true;
    }
    return false;
}

bool rn_plan_hides_init(const RnPlan *plan)
{
    return rn_plan_joins(plan, CLONE_NEWUSER) && !plan->has_network;
}

bool rn_plan_has_runtime_hooks(const RnPlan *plan)
{
    GPtrArray *const *hooks = plan->config->hooks;

    return hooks[RN_HOOK_PRESTART]->len > 0 ||
           hooks[RN_HOOK_CREATE_RUNTIME]->len > 0;
}

static void plan_namespaces(RnPlan *plan, RnNetworkMode mode,
                            const RnHostFacts *facts)
{
    bool joins_userns = rn_plan_joins(plan, CLONE_NEWUSER);

    plan->namespaces = plan->config->namespaces;
    if (facts->uid != 0 && !joins_userns)
        plan->namespaces |= CLONE_NEWUSER;
    plan->has_userns = joins_userns || (plan->namespaces & CLONE_NEWUSER) != 0;
    if (mode == RN_NETWORK_HOST)
        plan->namespaces &= ~(uint64_t)CLONE_NEWNET;
    else
        plan->namespaces |= CLONE_NEWNET;
    plan->has_network = mode == RN_NETWORK_SLIRP;
}

static bool check_namespaces(const RnPlan *plan, GError **error)
{
    if ((plan->namespaces & CLONE_NEWNS) == 0) {
        (void)rn_set_error(error, RN_ERROR_UNSUPPORTED,
                           "linux.namespaces: a container without a new mount "
                           "namespace is not supported");
        return rn_error_add_hint(error, "add { \"type\": \"mount\" } to "
                                        "linux.namespaces");
    }
    return true;
}

static void append_mapping(GArray *maps, uint32_t container_id,
                           uint32_t host_id, uint32_t size)
{
    RnIdMapping mapping = {
        .container_id = container_id,
        .host_id = host_id,
        .size = size,
    };

    g_array_append_val(maps, mapping);
}

GArray *rn_plan_default_mappings(const RnHostFacts *facts, RnIdKind kind,
                                 uint32_t process_id)
{
    const GArray *extra =
        kind == RN_ID_USER ? facts->extra_uids : facts->extra_gids;
    uint32_t caller = kind == RN_ID_USER ? facts->uid : facts->gid;
    GArray *maps = g_array_new(FALSE, FALSE, sizeof(RnIdMapping));
    uint32_t next = 1;

    /* both or neither: a half-mapped pair surprises more than one id */
    if (facts->extra_uids->len == 0 || facts->extra_gids->len == 0) {
        append_mapping(maps, process_id, caller, 1);
        return maps;
    }
    append_mapping(maps, 0, caller, 1);
    for (unsigned i = 0; i < extra->len && i + 1 < RN_IDMAP_MAX; i++) {
        const RnIdMapping *range = &g_array_index(extra, RnIdMapping, i);
        uint32_t size = MIN(range->size, UINT32_MAX - next);

        append_mapping(maps, next, range->host_id, size);
        next += size;
    }
    return maps;
}

static GArray *copy_mappings(const GArray *maps)
{
    GArray *copy = g_array_new(FALSE, FALSE, sizeof(RnIdMapping));

    return g_array_append_vals(copy, maps->data, maps->len);
}

static bool maps_one_id(const GArray *maps)
{
    return maps->len == 1 && g_array_index(maps, RnIdMapping, 0).size == 1;
}

static void plan_mappings(RnPlan *plan, const RnHostFacts *facts)
{
    const RnConfig *config = plan->config;
    bool given = config->uid_mappings->len > 0;

    if ((plan->namespaces & CLONE_NEWUSER) == 0) {
        plan->uid_mappings = g_array_new(FALSE, FALSE, sizeof(RnIdMapping));
        plan->gid_mappings = g_array_new(FALSE, FALSE, sizeof(RnIdMapping));
        return;
    }
    if (given) {
        plan->uid_mappings = copy_mappings(config->uid_mappings);
        plan->gid_mappings = copy_mappings(config->gid_mappings);
    } else {
        plan->uid_mappings =
            rn_plan_default_mappings(facts, RN_ID_USER, config->process.uid);
        plan->gid_mappings =
            rn_plan_default_mappings(facts, RN_ID_GROUP, config->process.gid);
    }
    plan->single_id =
        maps_one_id(plan->uid_mappings) && maps_one_id(plan->gid_mappings);
}

static bool check_id(const RnPlan *plan, const GArray *maps, uint32_t id,
                     const char *field, GError **error)
{
    uint32_t host_id = 0;

    /* -1 means "leave it" to setresuid(2) */
    if (id == UINT32_MAX)
        return rn_set_error(error, RN_ERROR_INVALID, "%s: %u is no id", field,
                            id);
    if ((plan->namespaces & CLONE_NEWUSER) == 0 ||
        rn_idmap_to_host(maps, id, &host_id))
        return true;
    (void)rn_set_error(error, RN_ERROR_UNSUPPORTED,
                       "%s: %u is not mapped into the container's user "
                       "namespace",
                       field, id);
    if (plan->config->uid_mappings->len > 0)
        return rn_error_add_hint(error, "map it in linux.uidMappings and "
                                        "linux.gidMappings, or leave these "
                                        "out");
    return rn_error_add_hint(error, "more ids take newuidmap and newgidmap "
                                    "(package uidmap) and larger ranges in "
                                    "/etc/subuid and /etc/subgid");
}

static bool check_identity(const RnPlan *plan, GError **error)
{
    const RnProcess *process = &plan->config->process;
    const GArray *gids = process->additional_gids;

    if (!check_id(plan, plan->uid_mappings, process->uid, "process.user.uid",
                  error) ||
        !check_id(plan, plan->gid_mappings, process->gid, "process.user.gid",
                  error))
        return false;
    for (unsigned i = 0; i < gids->len; i++) {
        if (!check_id(plan, plan->gid_mappings,
                      g_array_index(gids, uint32_t, i),
                      "process.user.additionalGids", error))
            return false;
    }
    return true;
}

/* From an engine published ports are a wish for a network, too. */
static bool wants_network(const RnPlanRequest *request)
{
    return request->words->network != NULL ||
           (request->engine && rn_network_words_publish(request->words));
}

static RnNetworkMode choose_mode(const RnPlan *plan,
                                 const RnPlanRequest *request)
{
    if (wants_network(request))
        return request->wish->options.mode;
    if ((plan->config->namespaces & CLONE_NEWNET) == 0)
        return RN_NETWORK_HOST;
    return request->engine ? RN_NETWORK_NONE : RN_NETWORK_SLIRP;
}

static bool plan_network(RnPlan *plan, const RnPlanRequest *request,
                         const RnHostFacts *facts, GError **error)
{
    RnNetworkMode mode = choose_mode(plan, request);
    RnNetworkOptions options = request->wish->options; /* borrowed */

    options.mode = mode;
    plan_namespaces(plan, mode, facts);
    if (wants_network(request) && mode != RN_NETWORK_HOST &&
        rn_plan_joins(plan, CLONE_NEWNET)) {
        (void)rn_set_error(error, RN_ERROR_INVALID,
                           "--network: the bundle joins a network namespace "
                           "that exists");
        return rn_error_add_hint(error, "take \"path\" out of the network "
                                        "entry of linux.namespaces");
    }
    if (!rn_network_words_check(request->words, mode, error))
        return false;
    if (plan->has_network)
        plan->network = request->wish->plan;
    if (wants_network(request) || !request->engine) {
        plan->etc_hostname = g_strdup(plan->hostname);
        rn_plan_files(plan, &options, facts, request->no_hosts);
    }
    return true;
}

static char *resolve_root(const char *bundle, const char *root_path)
{
    if (g_path_is_absolute(root_path))
        return g_strdup(root_path);
    return g_build_filename(bundle, root_path, NULL);
}

RnPlan *rn_plan_new(const RnConfig *config, const RnPlanRequest *request,
                    const RnHostFacts *facts, GError **error)
{
    g_autoptr(RnPlan) plan = g_new0(RnPlan, 1);

    plan->config = config;
    plan->id = g_strdup(request->id);
    plan->bundle = g_strdup(request->bundle);
    plan->rootfs = resolve_root(request->bundle, config->root_path);
    plan->hostname = g_strdup(config->hostname);
    plan->joins = config->joins;
    plan->manner = request->manner;
    if (!plan_network(plan, request, facts, error) ||
        !check_namespaces(plan, error))
        return NULL;
    plan_mappings(plan, facts);
    if (!check_identity(plan, error))
        return NULL;
    return g_steal_pointer(&plan);
}

void rn_plan_free(RnPlan *plan)
{
    if (plan == NULL)
        return;
    g_free(plan->id);
    g_free(plan->bundle);
    g_free(plan->rootfs);
    g_clear_pointer(&plan->uid_mappings, g_array_unref);
    g_clear_pointer(&plan->gid_mappings, g_array_unref);
    g_free(plan->resolv_conf);
    g_free(plan->hosts);
    g_free(plan->hostname);
    g_free(plan->etc_hostname);
    g_free(plan);
}
