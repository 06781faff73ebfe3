/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * run - one container: `run` and `create`
 *
 * Runs in: the launcher, which in the foreground is the monitor as well. First
 * everything is read and decided (bundle, options, plan, listeners), then the
 * container is made, then foreground.c waits for its end or it is left alone.
 * Until then a signal ends the launcher as it would any program, and the guard
 * cleans up.
 */
#include "config.h"

#include <rnet/runtime/run.h>

#include <sched.h>
#include <string.h>

#include <rnet/net/publish.h>
#include <rnet/oci/state.h>
#include <rnet/runtime/container.h>
#include <rnet/runtime/foreground.h>
#include <rnet/runtime/guard.h>
#include <rnet/runtime/handover.h>
#include <rnet/sys/idmap.h>
#include <rnet/util/log.h>

static char *make_up_id(void)
{
    return g_strdup_printf("%08x%04x", g_random_int(), g_random_int() & 0xffff);
}

static RnPlanManner choose_manner(const RnRunRequest *request)
{
    return (RnPlanManner){
        .waits_for_start = request->mode == RN_RUN_CREATE,
        .dies_with_caller = request->mode == RN_RUN_FOREGROUND,
        .no_pivot = request->no_pivot,
        .keep_keyring = request->no_new_keyring,
        .preserved_fds = request->preserve_fds + request->listen_fds,
        .listen_fds = request->listen_fds,
        .environment = request->environment,
    };
}

static RnPlan *make_plan(const RnRunRequest *request, const RnNetworkWish *wish,
                         const RnConfig *config, const char *bundle,
                         const char *id, GError **error)
{
    g_auto(RnHostFacts) facts = { 0 };
    const RnPlanRequest plan_request = {
        .id = id,
        .bundle = bundle,
        .words = &request->network,
        .wish = wish,
        .engine = request->mode == RN_RUN_CREATE,
        .no_hosts = request->no_hosts,
        .manner = choose_manner(request),
    };

    /* with mappings of the bundle's own nobody asks for others */
    rn_host_facts_init(&facts, config->uid_mappings->len == 0);
    return rn_plan_new(config, &plan_request, &facts, error);
}

static bool check_ids(const RnPlan *plan, GError **error)
{
    return (plan->namespaces & CLONE_NEWUSER) == 0 ||
           rn_idmap_check(plan->uid_mappings, plan->gid_mappings, error);
}

/* The library goes before there is an init, which has all of this process in
 * memory. */
static RnPlan *make_checked_plan(const RnRunRequest *request,
                                 const RnNetworkWish *wish,
                                 const RnConfig *config, const char *bundle,
                                 const char *id, GError **error)
{
    /* asked more than once, but for the bundle's one id, which nobody looks
     * up */
    g_autoptr(RnSubidLibrary) library G_GNUC_UNUSED =
        config->uid_mappings->len != 1 ? rn_subid_hold() : NULL;
    g_autoptr(RnPlan) plan =
        make_plan(request, wish, config, bundle, id, error);

    return plan != NULL && check_ids(plan, error) ? g_steal_pointer(&plan)
                                                  : NULL;
}

/* Who is to have the terminal? */
static bool check_terminal(const RnRunRequest *request, const RnConfig *config,
                           GError **error)
{
    bool foreground = request->mode == RN_RUN_FOREGROUND;

    if (config->process.terminal && !foreground &&
        request->console_socket == NULL)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "process.terminal: a container that is left alone "
                            "needs --console-socket");
    if (request->console_socket != NULL &&
        (foreground || !config->process.terminal))
        return rn_set_error(error, RN_ERROR_INVALID, "--console-socket: %s",
                            foreground ? "the terminal is this one, add "
                                         "--detach"
                                       : "process.terminal is not set in "
                                         "config.json");
    return true;
}

/* The container is there: tells those who asked. */
static bool hand_over(const RnRunRequest *request, const RnContainer *container,
                      GError **error)
{
    return (request->console_socket == NULL ||
            rn_handover_console(request->console_socket,
                                rn_container_terminal(container), error)) &&
           (request->pid_file == NULL ||
            rn_handover_pid(request->pid_file, rn_container_pid(container),
                            error));
}

static bool finish_in_foreground(const RnRunRequest *request,
                                 RnContainer *container, const RnPlan *plan,
                                 RnLoop *loop, int *out_exit_code,
                                 GError **error)
{
    return rn_foreground_prepare(container, error) &&
           rn_container_start(container, error) &&
           rn_foreground_wait(container, plan, loop, out_exit_code, error) &&
           (!request->keep || rn_container_keep_ended(container, error));
}

static bool finish_detached(const RnRunRequest *request, RnContainer *container,
                            int *out_exit_code, GError **error)
{
    if (request->mode == RN_RUN_DETACHED &&
        !rn_container_start(container, error))
        return false;
    rn_container_keep(container);
    *out_exit_code = 0;
    return true;
}

static void pass_notice(const char *line, void *data)
{
    const RnRunRequest *request = data;

    request->notice(line);
}

static RnContainer *create_container(const RnRunRequest *request,
                                     const RnNetworkWish *wish,
                                     const RnPlan *plan,
                                     const char *config_text,
                                     RnGuard *take_guard, GError **error)
{
    g_autoptr(RnGuard) guard = take_guard;
    g_autoptr(GArray) listeners = NULL;
    g_autoptr(RnContainer) container = NULL;
    RnContainerRequest container_request = {
        .plan = plan,
        .state_dir = request->state_dir,
        .config_text = config_text,
        .ranges = wish->ranges,
        .auto_publish = wish->auto_publish,
        .notice = pass_notice,
        .notice_data = (void *)request,
        .cgroup_manager = request->cgroup_manager,
    };

    if (!rn_listeners_open(wish->specs, &listeners, error))
        return NULL;
    container_request.listeners = g_array_ref(listeners);
    container_request.guard = g_steal_pointer(&guard);
    container = rn_container_create(&container_request, error);
    if (container != NULL)
        rn_network_wish_announce(wish, listeners, request->notice);
    return g_steal_pointer(&container);
}

static bool run_plan(const RnRunRequest *request, const RnNetworkWish *wish,
                     const RnPlan *plan, const char *config_text,
                     RnGuard *take_guard, int *out_exit_code, GError **error)
{
    g_autoptr(RnGuard) guard = take_guard;
    /* before the container, so that it is freed after it */
    g_autoptr(RnLoop) loop = rn_loop_new(error);
    g_autoptr(RnContainer) container = NULL;

    if (loop == NULL)
        return false;
    container = create_container(request, wish, plan, config_text,
                                 g_steal_pointer(&guard), error);
    if (container == NULL)
        return false;
    return hand_over(request, container, error) &&
           (request->mode == RN_RUN_FOREGROUND
                ? finish_in_foreground(request, container, plan, loop,
                                       out_exit_code, error)
                : finish_detached(request, container, out_exit_code, error));
}

/* What of the bundle was passed over. */
static void log_warnings(const RnProcess *process)
{
    for (unsigned i = 0; i < process->warnings->len; i++)
        rn_log_warning("%s",
                       (const char *)g_ptr_array_index(process->warnings, i));
}

bool rn_run(const RnRunRequest *request, int *out_exit_code, GError **error)
{
    g_autofree char *bundle = g_canonicalize_filename(request->bundle, NULL);
    g_autofree char *id =
        request->id != NULL ? g_strdup(request->id) : make_up_id();
    g_autofree char *config_text = NULL;
    g_autoptr(RnGuard) guard = NULL;
    g_autoptr(RnConfig) config = NULL;
    g_auto(RnNetworkWish) wish = { 0 };
    g_autoptr(RnPlan) plan = NULL;

    if (!rn_id_check(id, error) ||
        !rn_handover_check_fds(request->preserve_fds + request->listen_fds,
                               error))
        return false;
    /* it starts while the rest is read, and has none of that in memory */
    guard = rn_guard_new(error);
    if (guard == NULL)
        return false;
    config = rn_config_load(bundle, &config_text, error);
    if (config != NULL)
        log_warnings(&config->process);
    if (config != NULL && check_terminal(request, config, error) &&
        rn_network_wish_parse(&request->network, &wish, error))
        plan = make_checked_plan(request, &wish, config, bundle, id, error);
    if (plan != NULL && run_plan(request, &wish, plan, config_text,
                                 g_steal_pointer(&guard), out_exit_code, error))
        return true;
    g_prefix_error(error, "%s \"%s\": ",
                   request->mode == RN_RUN_CREATE ? "create" : "run", id);
    return false;
}
