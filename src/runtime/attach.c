/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attach - a network for a namespace, kept here or by a monitor
 *
 * Runs in the command or dialect that was asked, which in the foreground is the
 * keeper as well. First what can fail without a trace: the wish is looked at,
 * the listeners are bound. Then the entry, which keeps a second one away, then
 * the network.
 * Failure: everything is undone, in either case.
 */
#include "config.h"

#include <rnet/runtime/attach.h>

#include <rnet/oci/json.h>
#include <rnet/runtime/monitor.h>

static bool check_wish(const RnNetworkWish *wish, GError **error)
{
    return wish->options.mode == RN_NETWORK_SLIRP ||
           rn_set_error(error, RN_ERROR_INVALID,
                        "--network: only slirp can be attached");
}

/* Which network is in the way, and who has it: as far as it can be had. */
static void explain_existing(const RnAttachRequest *request, GError **failure)
{
    const RnNetworkTarget *target = request->target;
    g_autofree char *key =
        rn_network_find(request->state_dir, target->dev, target->ino, NULL);
    g_autoptr(json_t) state = NULL;
    json_int_t keeper = 0;

    if (key == NULL)
        return;
    state = rn_network_ask(request->state_dir, key, NULL);
    keeper = json_integer_value(json_object_get(state, "monitor"));
    if (keeper == 0)
        return;
    g_clear_error(failure);
    (void)rn_set_error(failure, RN_ERROR_EXISTS,
                       "the namespace has a network already, \"%s\", which "
                       "process %d keeps",
                       key, (int)keeper);
}

static RnNetworkEntry *make_entry(const RnAttachRequest *request,
                                  GError **error)
{
    const RnNetworkTarget *target = request->target;
    g_autoptr(GError) failure = NULL;
    g_autoptr(RnNetworkEntry) entry =
        rn_network_entry_new(request->state_dir, request->key, &failure);

    if (entry != NULL &&
        (target->netns_fd < 0 ||
         rn_network_entry_claim(entry, target->dev, target->ino, &failure)))
        return g_steal_pointer(&entry);
    if (g_error_matches(failure, RN_ERROR, RN_ERROR_EXISTS))
        explain_existing(request, &failure);
    g_propagate_error(error, g_steal_pointer(&failure));
    return NULL;
}

static void pass_notice(const char *line, void *data)
{
    const RnAttachRequest *request = data;

    if (request->notice != NULL)
        request->notice(line);
}

/* All but the entry; the listeners are borrowed. */
static RnKeeperRequest describe(const RnAttachRequest *request,
                                GArray *listeners)
{
    const RnNetworkTarget *target = request->target;
    const RnNetworkWish *wish = request->wish;

    return (RnKeeperRequest){
        .network = {
            .plan = &wish->plan,
            .ranges = wish->ranges,
            .take_listeners = listeners,
            .auto_publish = wish->auto_publish,
            .notice = pass_notice,
            .notice_data = (void *)request,
            .take_link = -1,
        },
        .netns_fd = target->netns_fd,
        .userns_fd = target->userns_fd,
        .pidfd = target->pidfd,
        .exit_fd = request->exit_fd,
        .netns_path = target->path,
        .until_unused = request->until_unused,
        .key = request->key,
    };
}

static void announce(const RnAttachRequest *request, const GArray *listeners)
{
    if (request->notice != NULL)
        rn_network_wish_announce(request->wish, listeners, request->notice);
}

bool rn_attach_detached(const RnAttachRequest *request, GError **error)
{
    g_autoptr(GArray) listeners = NULL;
    g_autoptr(RnNetworkEntry) entry = NULL;
    RnKeeperRequest keeper = { 0 };
    pid_t pid = 0;

    if (!check_wish(request->wish, error) ||
        !rn_listeners_open(request->wish->specs, &listeners, error))
        return false;
    entry = make_entry(request, error);
    if (entry == NULL)
        return false;
    keeper = describe(request, listeners);
    keeper.take_entry = entry;
    if (!rn_monitor_spawn(&keeper, &pid, error))
        return false;
    (void)g_steal_pointer(&entry);
    announce(request, listeners);
    return true;
}

bool rn_attach_foreground(const RnAttachRequest *request, RnAttachReady ready,
                          void *data, int *out_signal, GError **error)
{
    g_autoptr(GArray) listeners = NULL;
    g_autoptr(RnNetworkEntry) entry = NULL;
    g_autoptr(RnLoop) loop = NULL;
    g_autoptr(RnKeeper) keeper = NULL;
    RnKeeperRequest keeper_request = { 0 };

    if (!check_wish(request->wish, error) || !rn_keeper_block_signals(error) ||
        !rn_listeners_open(request->wish->specs, &listeners, error))
        return false;
    loop = rn_loop_new(error);
    entry = loop != NULL ? make_entry(request, error) : NULL;
    if (entry == NULL)
        return false;
    keeper_request = describe(request, g_array_ref(listeners));
    keeper_request.heeds_signals = true;
    keeper_request.take_entry = g_steal_pointer(&entry);
    keeper = rn_keeper_new(&keeper_request, loop, error);
    if (keeper == NULL)
        return false;
    announce(request, listeners);
    /* the network's alone: one that is withdrawn is to be closed */
    g_clear_pointer(&listeners, g_array_unref);
    if (!ready(data, error) || !rn_loop_run(loop, error))
        return false;
    *out_signal = rn_keeper_ended_by(keeper);
    return true;
}
