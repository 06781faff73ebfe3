/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hook - `rnet hook`: a container's network as an OCI hook
 *
 * Run by a runtime (crun, runc, youki, rnet) with the container's state on
 * stdin: attaches a network that a monitor keeps, or detaches it. The entry's
 * key is the container's id, since poststop has no pid. Whatever fails is told
 * on stderr and by the exit status, which makes the runtime give up the
 * container; a network that was half made is undone by then.
 */
#include "config.h"

#include <rnet/dialect/dialect.h>

#include <unistd.h>

#include <sys/stat.h>
#include <sys/syscall.h>

#include <rnet/dialect/attached.h>
#include <rnet/dialect/hook-files.h>
#include <rnet/dialect/hook-input.h>
#include <rnet/dialect/hook-inside.h>
#include <rnet/dialect/hook-options.h>
#include <rnet/dialect/hook-resolv.h>
#include <rnet/dialect/input.h>
#include <rnet/runtime/attach.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>

enum {
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
};

/* A container that has no network namespace of its own. */
static bool refuse_own_network(const RnHookInput *input, GError **error)
{
    g_autofree char *path =
        g_strdup_printf("/proc/%" G_GINT64_FORMAT "/ns/net", input->pid);
    struct stat own = { 0 }, other = { 0 };

    /* what cannot be looked at is told, and why, by the attempt to open it */
    if (stat("/proc/self/ns/net", &own) < 0 || stat(path, &other) < 0 ||
        own.st_dev != other.st_dev || own.st_ino != other.st_ino)
        return true;
    (void)rn_set_error(error, RN_ERROR_STATE,
                       "it has the host's network namespace");
    return rn_error_add_hint(error,
                             "rnet hook wants a container with a network "
                             "namespace that nobody has configured: podman run "
                             "--network none, or \"network\" among "
                             "linux.namespaces of config.json");
}

/*
 * A hook may be called twice: *out_done tells that there is nothing left to do.
 * Any other network of this key is one of an earlier container.
 */
static bool make_room(const char *state_dir, const char *key,
                      const RnNetworkTarget *target, bool *out_done,
                      GError **error)
{
    g_autoptr(json_t) state = rn_network_ask(state_dir, key, NULL);

    if (state != NULL)
        *out_done = target->netns_fd >= 0
                        ? rn_attached_to(state, target)
                        : rn_attached_waits(state, target->pid);
    return *out_done || rn_attached_end(state_dir, key, error);
}

/* What rnet picked is told nowhere else. */
static void print_notice(const char *line)
{
    g_printerr("rnet: hook: %s\n", line);
}

/* Opens the container's namespace, or, where only it itself can do that, the
 * process that will. */
static bool open_target(const RnHookInput *input, RnNetworkTarget *target,
                        GError **error)
{
    g_autoptr(GError) failure = NULL;

    if (!refuse_own_network(input, error))
        return false;
    if (rn_network_target_open_pid((pid_t)input->pid, target, &failure))
        return true;
    if (input->bundle == NULL || (!rn_error_is_errno(failure, EACCES) &&
                                  !rn_error_is_errno(failure, EPERM))) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    if (!rn_hook_check_inside(input->bundle, error)) {
        g_prefix_error(error, "%s; ", failure->message);
        return false;
    }
    target->pid = (pid_t)input->pid;
    target->pidfd = (int)syscall(SYS_pidfd_open, target->pid, 0);
    return target->pidfd >= 0 ||
           rn_set_errno(error, errno, "watch process %d", (int)target->pid);
}

static bool attach(const RnDialectWorld *world, const char *key,
                   const RnHookInput *input, const RnNetworkWish *wish,
                   GError **error)
{
    g_auto(RnNetworkTarget)
        target = { .netns_fd = -1, .userns_fd = -1, .pidfd = -1 };
    const RnAttachRequest request = {
        .state_dir = world->state_dir,
        .key = key,
        .wish = wish,
        .target = &target,
        .exit_fd = -1,
        .notice = print_notice,
    };
    bool done = false;

    return open_target(input, &target, error) &&
           make_room(world->state_dir, key, &target, &done, error) &&
           (done || rn_attach_detached(&request, error));
}

/* Only before there is a process in it: "running" is too late. */
static bool write_resolv(const RnHookInput *input, const RnHookOptions *options,
                         const RnNetworkWish *wish, GError **error)
{
    if (!options->resolv_conf || input->bundle == NULL ||
        g_str_equal(input->status, "running"))
        return true;
    if (rn_hook_write_resolv(input->bundle, wish, error))
        return true;
    g_prefix_error(error, "--resolv-conf: ");
    return false;
}

/* Nothing to do for a container that says "rnet.network=none". */
static bool attach_as_wished(const RnDialectWorld *world, const char *key,
                             const RnHookInput *input, RnHookOptions *options,
                             GError **error)
{
    g_auto(RnNetworkWish) wish = { 0 };

    if (!options->no_annotations &&
        !rn_hook_words_annotate(&options->words, input->annotations, error))
        return false;
    if (!rn_hook_options_wish(options, &wish, error))
        return false;
    if (wish.options.mode == RN_NETWORK_NONE)
        return true;
    if (rn_hook_is_inside(input))
        return rn_hook_hand_over(world->state_dir, key, &wish, error);
    return write_resolv(input, options, &wish, error) &&
           attach(world, key, input, &wish, error);
}

static bool run_hook(const RnDialectWorld *world, RnHookOptions *options,
                     GError **error)
{
    g_autoptr(json_t) state = rn_input_read(STDIN_FILENO, "stdin", error);
    g_auto(RnHookInput) input = { 0 };
    g_autofree char *key = NULL;
    g_autofree char *quoted = NULL;
    bool done = false;

    if (state == NULL || !rn_hook_input_read(state, &input, error))
        return false;
    key = rn_network_key("hook", input.id);
    if (input.task == RN_HOOK_DETACH)
        done = rn_attached_end(world->state_dir, key, error);
    else
        done = attach_as_wished(world, key, &input, options, error);
    if (done)
        return true;
    quoted = rn_json_quote(input.id);
    g_prefix_error(error, "container %s: ", quoted);
    return false;
}

static int fail(int status, GError *failure)
{
    g_prefix_error(&failure, "hook: ");
    rn_log_gerror(RN_LOG_ERROR, failure);
    return status;
}

int rn_dialect_hook(const RnDialectWorld *world, int argc, char **argv)
{
    g_auto(RnHookOptions) options = { 0 };
    g_autoptr(GError) failure = NULL;

    if (argc > 1 && g_str_equal(argv[1], "install"))
        return rn_hook_install(world, argc - 1, argv + 1);
    if (!rn_hook_options_parse(argc, argv, &options, &failure))
        return fail(EXIT_USAGE, failure);
    if (!run_hook(world, &options, &failure))
        return fail(EXIT_FAILED, failure);
    return 0;
}
