/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dispose - undoes what of a container outlives its init
 *
 * Runs in: launcher, guard, `delete`. In: the record, which is this user's
 * own. init has ended or is about to; the lock of the entry is held.
 */
#include "config.h"

#include <rnet/runtime/dispose.h>

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include <rnet/oci/json.h>
#include <rnet/runtime/hooks.h>
#include <rnet/sys/process-stat.h>
#include <rnet/sys/process.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>

enum {
    TAKE_ATTEMPTS = 16 /* lost races before giving up */
};

bool rn_dispose_kill(int pidfd, const RnCgroup *cgroup, GError **error)
{
    g_autoptr(GError) failure = NULL;

    if (!rn_pidfd_signal(pidfd, SIGKILL, error))
        return false;
    if (cgroup != NULL && rn_cgroup_exists(cgroup) &&
        rn_cgroup_is_frozen(cgroup) &&
        !rn_cgroup_set_frozen(cgroup, false, &failure))
        rn_log_debug("%s, ignoring", failure->message);
    return true;
}

/* Most often it has ended. One that is frozen dies when its cgroup is thawed,
 * cgroup v1, so that this waits for nothing; *out_pidfd is -1 if it is dead. */
static void kill_init(const RnRecord *record, int *out_pidfd)
{
    g_autoptr(GError) failure = NULL;

    if (record->pid > 0 &&
        rn_process_open(record->pid, record->start_time, out_pidfd, NULL) &&
        !rn_pidfd_signal(*out_pidfd, SIGKILL, &failure)) {
        rn_log_gerror(RN_LOG_WARNING, failure);
        rn_fd_close(out_pidfd);
    }
}

static void await_init(int pidfd)
{
    g_autoptr(GError) failure = NULL;

    if (pidfd >= 0 && !rn_pidfd_wait_exit(pidfd, &failure))
        rn_log_gerror(RN_LOG_WARNING, failure);
}

/* The detached monitor ends by itself with init; this waits for it. */
static void await_monitor(const RnRecord *record)
{
    rn_autofd int pidfd = -1;
    g_autoptr(GError) failure = NULL;

    if (record->monitor_pid == 0 ||
        !rn_process_open(record->monitor_pid, record->monitor_start_time,
                         &pidfd, &failure))
        return;
    if (!rn_pidfd_wait_exit(pidfd, &failure))
        rn_log_gerror(RN_LOG_WARNING, failure);
}

static bool remove_cgroup(const RnRecord *record, GError **error)
{
    g_autoptr(RnCgroup) cgroup = NULL;

    if (record->cgroup == NULL)
        return true;
    cgroup = rn_cgroup_from_json(record->cgroup, error);
    return cgroup != NULL && rn_cgroup_remove(cgroup, error);
}

static RnConfig *load_config(RnEntry *entry, GError **error)
{
    g_autofree char *text = NULL;
    gsize length = 0;

    if (!rn_file_read(rn_entry_directory(entry), "config.json",
                      RN_JSON_MAX_SIZE, &text, &length, error))
        return NULL;
    return rn_config_parse(text, length, "config.json", error);
}

/* runtime.md, 13: a failure is a warning, the rest goes on. */
static void run_poststop(const RnRecord *record, const RnConfig *config)
{
    const GPtrArray *hooks = config->hooks[RN_HOOK_POSTSTOP];
    g_autoptr(json_t) state = rn_record_to_state(record, RN_STATUS_STOPPED, 0);
    g_autofree char *text = json_dumps(state, JSON_COMPACT);

    for (unsigned i = 0; text != NULL && i < hooks->len; i++) {
        gpointer hook = g_ptr_array_index(hooks, i);
        GPtrArray one = { .pdata = &hook, .len = 1 };
        g_autoptr(GError) failure = NULL;

        if (!rn_hooks_run(&one, RN_HOOK_POSTSTOP, text, record->bundle, environ,
                          &failure))
            rn_log_gerror(RN_LOG_WARNING, failure);
    }
}

bool rn_dispose(RnEntry *take_entry, const RnRecord *record,
                const RnConfig *config, GError **error)
{
    g_autoptr(RnEntry) entry = take_entry;
    g_autoptr(RnConfig) loaded = NULL;
    g_autoptr(GError) failure = NULL;
    rn_autofd int init = -1;

    if (entry == NULL)
        return true;
    kill_init(record, &init);
    if (!remove_cgroup(record, error))
        return false;
    await_init(init);
    await_monitor(record);
    if (config == NULL)
        config = loaded = load_config(entry, &failure);
    /* an entry that was never filled has no configuration, and no hooks; a
     * container of which no process was made has nothing to be told about */
    if (config != NULL && record->pid != 0)
        run_poststop(record, config);
    else if (failure != NULL && !rn_error_is_errno(failure, ENOENT))
        rn_log_gerror(RN_LOG_WARNING, failure);
    rn_entry_remove(g_steal_pointer(&entry));
    return true;
}

bool rn_dispose_entry(RnEntry *take_entry, GError **error)
{
    g_auto(RnRecord) record = { 0 };
    g_autoptr(GError) failure = NULL;

    rn_record_init(&record);
    if (take_entry == NULL)
        return true;
    if (rn_entry_load(take_entry, &record, &failure))
        return rn_dispose(take_entry, &record, NULL, error);
    if (!g_error_matches(failure, RN_ERROR, RN_ERROR_NOT_FOUND))
        rn_log_gerror(RN_LOG_WARNING, failure);
    rn_entry_remove(take_entry);
    return true;
}

RnEntry *rn_dispose_and_take(int base_dirfd, const char *id, GError **error)
{
    for (int i = 0; i < TAKE_ATTEMPTS; i++) {
        bool stale = false;
        RnEntry *entry = rn_entry_new(base_dirfd, id, &stale, error);

        if (entry == NULL || !stale)
            return entry;
        rn_log_debug("a container \"%s\" was abandoned, ending it", id);
        if (!rn_dispose_entry(entry, error))
            return NULL;
    }
    (void)rn_set_errno(error, EBUSY, "create the state entry \"%s\"", id);
    return NULL;
}
