/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * container - carries out a plan from the launcher's side
 *
 * Runs in the launcher, on the host. Talks to init, nsagent and the relay (the
 * last two through net/network or a detached monitor) and the guard. What
 * exists is recorded in RnContainer as it comes into being, so that
 * rn_container_free() undoes a container in any state, half-made ones included.
 */
#include "config.h"

#include <rnet/runtime/container.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include <sys/socket.h>

#include <rnet/net/network.h>
#include <rnet/oci/state.h>
#include <rnet/runtime/dispose.h>
#include <rnet/runtime/hook-state.h>
#include <rnet/runtime/identity.h>
#include <rnet/runtime/init-talk.h>
#include <rnet/runtime/init.h>
#include <rnet/runtime/join.h>
#include <rnet/runtime/monitor.h>
#include <rnet/runtime/mount-sources.h>
#include <rnet/runtime/net-devices.h>
#include <rnet/runtime/sysctls.h>
#include <rnet/sys/process-stat.h>
#include <rnet/sys/process.h>
#include <rnet/sys/unix-socket.h>
#include <rnet/sys/userns.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>
#include <rnet/util/msg.h>
#include <rnet/util/protocol.h>

struct RnContainer {
    const RnPlan *plan;
    int base_fd;
    RnEntry *entry;
    RnRecord record;
    RnGuard *guard;
    RnCgroup *cgroup;
    /* its ranges are borrowed until created; its listeners are NULL where there
     * are none, or handed over */
    RnNetworkRequest network_request;
    RnNetwork *network; /* NULL without one, or if a monitor has it */
    pid_t pid;          /* 0: none, or reaped */
    int pidfd;
    int socket;       /* to init */
    int start_socket; /* listening, for `start`; -1: START goes over socket */
    int terminal_fd;
    bool is_kept;
    bool is_born_inside; /* init, in its cgroup of v2 */
};

static RnContainer *new_container(const RnContainerRequest *request)
{
    RnContainer *container = g_new0(RnContainer, 1);

    container->plan = request->plan;
    container->network_request = (RnNetworkRequest){
        .plan = &request->plan->network,
        .ranges = request->ranges,
        .take_listeners = request->listeners,
        .auto_publish = request->auto_publish,
        .notice = request->notice,
        .notice_data = request->notice_data,
        .take_link = -1,
    };
    container->guard = request->guard;
    container->base_fd = -1;
    container->pidfd = -1;
    container->socket = -1;
    container->start_socket = -1;
    container->terminal_fd = -1;
    rn_record_init(&container->record);
    rn_plan_fill_record(request->plan, &container->record);
    return container;
}

static bool record_state(RnContainer *container, RnStatus status,
                         GError **error)
{
    container->record.status = status;
    return rn_entry_write(container->entry, &container->record, error);
}

/* Tells the guard what there is by now. */
static bool update_guard(const RnContainer *container, GError **error)
{
    const RnGuarded guarded = {
        .id = container->plan->id,
        .base_fd = container->base_fd,
        .lock_fd =
            container->entry != NULL ? rn_entry_lock(container->entry) : -1,
        .pidfd = container->pidfd,
    };

    return rn_guard_watch(container->guard, &guarded, error);
}

static RnCgroupRequest describe_cgroup(const RnPlan *plan,
                                       RnCgroupManager manager)
{
    return (RnCgroupRequest){
        .manager = manager,
        .id = plan->id,
        .path = plan->config->cgroups_path,
        .resources = &plan->config->resources,
        .annotations = plan->config->annotations,
        .has_userns = plan->has_userns,
    };
}

/* Whether it has changed is *out_changed. */
static void take_cgroup(RnContainer *container, bool *out_changed)
{
    RnRecord *record = &container->record;
    json_t *before = record->cgroup;

    record->cgroup = rn_cgroup_to_json(container->cgroup);
    *out_changed = !json_equal(before, record->cgroup);
    json_decref(before);
}

/* Recorded before it is made: whoever cleans up has to know where to look. */
static bool plan_cgroup(RnContainer *container, RnCgroupManager manager,
                        GError **error)
{
    const RnCgroupRequest request = describe_cgroup(container->plan, manager);
    bool changed = false;

    container->cgroup = rn_cgroup_plan(&request, error);
    if (container->cgroup == NULL)
        return false;
    take_cgroup(container, &changed);
    return record_state(container, RN_STATUS_CREATING, error);
}

/* Recorded before there is a process in it, which may be killed with it. */
static bool make_cgroup(RnContainer *container, RnCgroupManager manager,
                        GError **error)
{
    const RnCgroupRequest request = describe_cgroup(container->plan, manager);
    bool changed = false;

    if (!rn_cgroup_make(container->cgroup, &request, error))
        return false;
    take_cgroup(container, &changed);
    return !changed || record_state(container, RN_STATUS_CREATING, error);
}

static bool make_entry(RnContainer *container,
                       const RnContainerRequest *request, GError **error)
{
    const char *id = container->plan->id;
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();

    container->record.created =
        g_date_time_format(now, "%Y-%m-%dT%H:%M:%S.%fZ");
    if (!rn_state_open_base(request->state_dir, &container->base_fd, error))
        return false;
    /* before the entry is made, so that there is no moment without a guard;
     * it leaves an entry alone whose lock another container holds */
    if (!update_guard(container, error))
        return false;
    container->entry = rn_dispose_and_take(container->base_fd, id, error);
    return container->entry != NULL && update_guard(container, error) &&
           plan_cgroup(container, request->cgroup_manager, error) &&
           rn_entry_keep_config(container->entry, request->config_text,
                                strlen(request->config_text), error);
}

static bool open_start_socket(RnContainer *container, GError **error)
{
    return !container->plan->manner.waits_for_start ||
           rn_unix_listen(rn_entry_directory(container->entry), "start",
                          SOCK_SEQPACKET, &container->start_socket, error);
}

/* The score is inherited; the files of a hidden init are the host root's. */
static bool set_oom_score(const RnPlan *plan, GError **error)
{
    rn_autofd int proc_fd = -1;

    return !rn_plan_hides_init(plan) ||
           (rn_identity_open_proc(plan, &proc_fd, error) &&
            rn_identity_set_oom_score(plan, proc_fd, error));
}

/* Into its cgroup at once if that can be; what refuses it is found out by the
 * other way, with the reason. */
static bool clone_process(RnContainer *container, GError **error)
{
    const RnPlan *plan = container->plan;
    const uint64_t namespaces = plan->namespaces & ~RN_PLAN_LATE_NAMESPACES;
    rn_autofd int cgroup_fd =
        plan->joins->len == 0 ? rn_cgroup_open(container->cgroup) : -1;

    container->is_born_inside =
        cgroup_fd >= 0 && rn_clone_into(namespaces, cgroup_fd, &container->pid,
                                        &container->pidfd, NULL);
    return container->is_born_inside ||
           rn_join_clone(namespaces, plan->joins, &container->pid,
                         &container->pidfd, error);
}

static bool clone_init(RnContainer *container, GError **error)
{
    const RnPlan *plan = container->plan;
    int pair[2] = { -1, -1 };

    if (!set_oom_score(plan, error) || !rn_msg_pair(pair, error))
        return false;
    container->socket = pair[0];
    if (!clone_process(container, error)) {
        rn_fd_close(&pair[1]);
        return false;
    }
    if (container->pid == 0)
        rn_init_main(plan, pair[1], container->start_socket);
    rn_fd_close(&pair[1]);
    rn_fd_close(&container->start_socket);
    container->record.pid = container->pid;
    return update_guard(container, error) &&
           rn_process_start_time(container->pid, &container->record.start_time,
                                 error);
}

static bool has_hooks(const RnPlan *plan)
{
    for (unsigned i = 0; i < RN_HOOK_N_; i++) {
        if (plan->config->hooks[i]->len > 0)
            return true;
    }
    return false;
}

/*
 * Before init does anything: what it makes counts, and its children are in. The
 * pid is recorded now for whoever runs poststop hooks in the launcher's place;
 * without hooks it is time enough when init waits for `start`, since till then
 * it ends with the launcher.
 */
static bool enter_cgroup(RnContainer *container, RnCgroupManager manager,
                         GError **error)
{
    const RnCgroupRequest request = describe_cgroup(container->plan, manager);
    bool changed = false;

    if (!rn_cgroup_enter(container->cgroup, &request, container->pid,
                         container->is_born_inside, error))
        return false;
    take_cgroup(container, &changed);
    return (!changed && !has_hooks(container->plan)) ||
           record_state(container, RN_STATUS_CREATING, error);
}

static bool open_namespaces(const RnContainer *container, int *out_userns_fd,
                            int *out_netns_fd, GError **error)
{
    return rn_process_open_namespace(container->pid, "net", out_netns_fd,
                                     error) &&
           (!container->plan->has_userns ||
            rn_process_open_namespace(container->pid, "user", out_userns_fd,
                                      error));
}

static bool move_net_devices(const RnContainer *container, GError **error)
{
    rn_autofd int netns_fd = -1;

    return container->plan->config->net_devices->len == 0 ||
           (rn_process_open_namespace(container->pid, "net", &netns_fd,
                                      error) &&
            rn_net_devices_move(container->plan, netns_fd, error));
}

/* The network of a container that outlives this process has one of its own. */
static bool detach_network(RnContainer *container, int userns_fd, int netns_fd,
                           GError **error)
{
    RnRecord *record = &container->record;
    const RnKeeperRequest request = {
        .network = container->network_request,
        .pidfd = container->pidfd,
        .exit_fd = -1,
        .netns_fd = netns_fd,
        .userns_fd = userns_fd,
    };

    if (!rn_monitor_spawn(&request, &record->monitor_pid, error))
        return false;
    g_clear_pointer(&container->network_request.take_listeners, g_array_unref);
    return rn_process_start_time(record->monitor_pid,
                                 &record->monitor_start_time, error) &&
           record_state(container, RN_STATUS_CREATING, error);
}

static bool keep_network(RnContainer *container, int userns_fd, int netns_fd,
                         GError **error)
{
    container->network = rn_network_new(&container->network_request);
    container->network_request.take_listeners = NULL;
    return rn_network_start(container->network, userns_fd, netns_fd, error);
}

static bool bring_up_network(RnContainer *container, GError **error)
{
    const RnPlan *plan = container->plan;
    g_auto(RnMsg) msg = { 0 };
    rn_autofd int userns_fd = -1;
    rn_autofd int netns_fd = -1;

    if (!rn_init_hear(container->socket, RN_MSG_READY_FOR_NETWORK, 0, &msg,
                      error) ||
        !open_namespaces(container, &userns_fd, &netns_fd, error))
        return false;
    if (plan->manner.dies_with_caller) {
        if (!keep_network(container, userns_fd, netns_fd, error))
            return false;
    } else if (!detach_network(container, userns_fd, netns_fd, error)) {
        return false;
    }
    return rn_init_say(container->socket, RN_MSG_NETWORK_UP, error);
}

/* runtime.md, Lifecycle, 3 and 4: in the runtime's namespaces. */
static bool run_runtime_hooks(RnContainer *container, GError **error)
{
    const RnPlan *plan = container->plan;
    g_auto(RnMsg) msg = { 0 };

    return rn_init_hear(container->socket, RN_MSG_MOUNTED, 0, &msg, error) &&
           rn_plan_run_hooks(plan, RN_HOOK_PRESTART, container->pid, error) &&
           rn_plan_run_hooks(plan, RN_HOOK_CREATE_RUNTIME, container->pid,
                             error) &&
           rn_init_say(container->socket, RN_MSG_HOOKS_RAN, error);
}

static bool map_ids(const RnContainer *container, GError **error)
{
    const RnPlan *plan = container->plan;

    return (plan->namespaces & CLONE_NEWUSER) == 0 ||
           rn_userns_map(container->pid, plan->uid_mappings, plan->gid_mappings,
                         error);
}

static bool prepare(RnContainer *container, GError **error)
{
    const RnPlan *plan = container->plan;
    g_auto(RnMsg) msg = { 0 };

    if (!map_ids(container, error) || !move_net_devices(container, error) ||
        !rn_init_say(container->socket, RN_MSG_MAPPED, error) ||
        !rn_mount_sources_send(plan, container->pid, container->socket,
                               error) ||
        (plan->has_network && !bring_up_network(container, error)) ||
        (rn_plan_has_runtime_hooks(plan) &&
         !run_runtime_hooks(container, error)))
        return false;
    if (plan->config->process.terminal) {
        if (!rn_init_hear(container->socket, RN_MSG_TERMINAL, 1, &msg, error))
            return false;
        container->terminal_fd = rn_msg_steal_fd(&msg, 0);
    }
    return rn_init_hear(container->socket, RN_MSG_PREPARED, 0, &msg, error) &&
           record_state(container, RN_STATUS_CREATED, error);
}

RnContainer *rn_container_create(const RnContainerRequest *request,
                                 GError **error)
{
    g_autoptr(RnContainer) container = new_container(request);
    const RnPlan *plan = request->plan;

    if (!rn_sysctls_check(plan, error) || !rn_net_devices_check(plan, error))
        return NULL;
    if (!make_entry(container, request, error) ||
        !open_start_socket(container, error) ||
        !make_cgroup(container, request->cgroup_manager, error) ||
        !clone_init(container, error) ||
        !enter_cgroup(container, request->cgroup_manager, error) ||
        !prepare(container, error))
        return NULL;
    return g_steal_pointer(&container);
}

bool rn_container_start(RnContainer *container, GError **error)
{
    const RnInitStart start = {
        .seccomp = container->plan->config->seccomp,
        .record = &container->record,
        .pid = container->pid,
    };

    if (!rn_init_start(container->socket, &start, error))
        return false;
    rn_fd_close(&container->socket);
    return record_state(container, RN_STATUS_RUNNING, error) &&
           rn_plan_run_hooks(container->plan, RN_HOOK_POSTSTART, container->pid,
                             error);
}

bool rn_container_watch(RnContainer *container, RnLoop *loop, GError **error)
{
    return container->network == NULL ||
           rn_network_watch(container->network, loop, error);
}

int rn_container_pidfd(const RnContainer *container)
{
    return container->pidfd;
}

pid_t rn_container_pid(const RnContainer *container)
{
    return container->pid;
}

int rn_container_terminal(const RnContainer *container)
{
    return container->terminal_fd;
}

bool rn_container_reap(RnContainer *container, int *out_exit_code,
                       GError **error)
{
    int status = 0;

    if (!rn_process_reap(container->pid, &status, error))
        return false;
    container->pid = 0;
    *out_exit_code = rn_process_exit_code(status);
    return true;
}

void rn_container_keep(RnContainer *container)
{
    container->is_kept = true;
}

bool rn_container_keep_ended(RnContainer *container, GError **error)
{
    container->record.foreground = false;
    container->is_kept = record_state(container, RN_STATUS_STOPPED, error);
    return container->is_kept;
}

/* Leaves nothing but what was there before; see dispose.h. */
static void undo(RnContainer *container)
{
    g_autoptr(GError) failure = NULL;

    if (container->pid > 0 &&
        !rn_dispose_kill(container->pidfd, container->cgroup, &failure))
        rn_log_gerror(RN_LOG_WARNING, failure);
    g_clear_error(&failure);
    if (container->pid > 0)
        rn_process_end(container->pid, &container->pidfd);
    rn_network_free(g_steal_pointer(&container->network));
    if (!rn_dispose(g_steal_pointer(&container->entry), &container->record,
                    container->plan->config, &failure))
        rn_log_gerror(RN_LOG_WARNING, failure);
}

void rn_container_free(RnContainer *container)
{
    if (container == NULL)
        return;
    rn_fd_close(&container->socket);
    if (!container->is_kept)
        undo(container);
    rn_fd_close(&container->pidfd);
    rn_fd_close(&container->start_socket);
    rn_network_free(container->network);
    rn_cgroup_free(container->cgroup);
    g_clear_pointer(&container->network_request.take_listeners, g_array_unref);
    rn_fd_close(&container->terminal_fd);
    /* the guard last: it holds a copy of the entry's lock */
    rn_guard_free(container->guard);
    rn_entry_release(container->entry);
    rn_fd_close(&container->base_fd);
    rn_record_clear(&container->record);
    g_free(container);
}
