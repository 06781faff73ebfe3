/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lifecycle - start, kill, delete
 *
 * Runs in the commands of these names. start and delete hold the entry's lock,
 * so that of two of them one comes after the other; kill changes nothing that
 * is recorded and takes none.
 */
#include "config.h"

#include <rnet/runtime/lifecycle.h>

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <sys/socket.h>

#include <rnet/oci/json.h>
#include <rnet/oci/state.h>
#include <rnet/runtime/dispose.h>
#include <rnet/runtime/hooks.h>
#include <rnet/runtime/init-talk.h>
#include <rnet/runtime/managed.h>
#include <rnet/sys/pid-namespace.h>
#include <rnet/sys/process.h>
#include <rnet/sys/unix-socket.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>

static RnEntry *open_entry(const char *state_dir, const char *id,
                           GError **error)
{
    rn_autofd int base_fd = -1;

    if (!rn_state_open_base(state_dir, &base_fd, error))
        return NULL;
    return rn_entry_open(base_fd, id, error);
}

static bool check_created(const RnManaged *managed, GError **error)
{
    const char *id = rn_managed_record(managed)->id;
    RnStatus status = rn_managed_status(managed);

    if (status == RN_STATUS_CREATED && !rn_managed_record(managed)->foreground)
        return true;
    if (status == RN_STATUS_CREATED)
        return rn_set_error(error, RN_ERROR_STATE,
                            "cannot start container \"%s\": the rnet that "
                            "made it is about to",
                            id);
    return rn_set_error(error, RN_ERROR_STATE,
                        "cannot start container \"%s\": it is %s, not created",
                        id, rn_status_word(status));
}

/* runtime.md, 10: a failed hook stops the container. */
static bool run_poststart(const RnManaged *managed, const RnConfig *config,
                          GError **error)
{
    const GPtrArray *hooks = config->hooks[RN_HOOK_POSTSTART];
    g_autoptr(json_t) state = NULL;
    g_autofree char *text = NULL;

    if (hooks->len == 0)
        return true;
    state = rn_record_to_state(rn_managed_record(managed), RN_STATUS_RUNNING,
                               rn_managed_pid(managed));
    text = json_dumps(state, JSON_COMPACT);
    return rn_hooks_run(hooks, RN_HOOK_POSTSTART, text,
                        rn_managed_record(managed)->bundle, environ, error);
}

static bool start_init(const RnEntry *entry, const RnManaged *managed,
                       const RnConfig *config, GError **error)
{
    const RnInitStart start = {
        .seccomp = config->seccomp,
        .record = rn_managed_record(managed),
        .pid = rn_managed_pid(managed),
    };
    rn_autofd int socket = -1;

    return rn_unix_connect(rn_entry_directory(entry), "start", SOCK_SEQPACKET,
                           &socket, error) &&
           rn_init_start(socket, &start, error);
}

static bool start_entry(RnEntry *entry, const RnManaged *managed,
                        GError **error)
{
    g_auto(RnRecord) record = { 0 };
    g_autoptr(RnConfig) config = NULL;

    rn_record_init(&record);
    if (!check_created(managed, error) || !rn_entry_load(entry, &record, error))
        return false;
    config = rn_managed_load_config(managed, error);
    if (config == NULL || !start_init(entry, managed, config, error))
        return false;
    record.status = RN_STATUS_RUNNING;
    if (rn_entry_write(entry, &record, error) &&
        run_poststart(managed, config, error))
        return true;
    if (!rn_pidfd_signal(rn_managed_pidfd(managed), SIGKILL, NULL))
        rn_log_debug("the container could not be killed");
    return false;
}

bool rn_start(const char *state_dir, const char *id, GError **error)
{
    g_autoptr(RnEntry) entry = NULL;
    g_autoptr(RnManaged) managed = rn_managed_open(state_dir, id, error);

    /* a foreground container's lock is never free */
    if (managed == NULL || !check_created(managed, error))
        return false;
    entry = open_entry(state_dir, id, error);
    if (entry == NULL)
        return false;
    rn_managed_free(managed);
    managed = rn_managed_open(state_dir, id, error);
    return managed != NULL && start_entry(entry, managed, error);
}

/* signal(7): names that are others' too. */
static const struct {
    const char *name;
    int number;
} synonyms[] = {
    { "IOT", SIGABRT },
    { "CLD", SIGCHLD },
    { "IO", SIGIO },
};

static bool parse_synonym(const char *name, int *out_signal)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(synonyms); i++) {
        if (strcmp(name, synonyms[i].name) == 0) {
            *out_signal = synonyms[i].number;
            return true;
        }
    }
    return false;
}

static bool parse_realtime(const char *name, int *out_signal)
{
    static const char first[] = "RTMIN";
    static const char last[] = "RTMAX";
    bool from_first = g_str_has_prefix(name, first);
    const char *offset = name + strlen(first);
    guint64 number = 0;

    if (!from_first && !g_str_has_prefix(name, last))
        return false;
    if (*offset != '\0' &&
        (*offset != (from_first ? '+' : '-') ||
         !g_ascii_string_to_unsigned(
             offset + 1, 10, 0, (guint64)(SIGRTMAX - SIGRTMIN), &number, NULL)))
        return false;
    *out_signal = from_first ? SIGRTMIN + (int)number : SIGRTMAX - (int)number;
    return true;
}

bool rn_signal_parse(const char *text, int *out_signal, GError **error)
{
    g_autofree char *upper = g_ascii_strup(text, -1);
    const char *name = g_str_has_prefix(upper, "SIG") ? upper + 3 : upper;
    guint64 number = 0;

    if (g_ascii_string_to_unsigned(text, 10, 0, NSIG - 1, &number, NULL)) {
        *out_signal = (int)number;
        return true;
    }
    for (int i = 1; i < NSIG; i++) {
        if (g_strcmp0(sigabbrev_np(i), name) == 0) {
            *out_signal = i;
            return true;
        }
    }
    return parse_synonym(name, out_signal) ||
           parse_realtime(name, out_signal) ||
           rn_set_error(error, RN_ERROR_INVALID, "unknown signal \"%s\"", text);
}

/* Of a container without a cgroup. In the caller's pid namespace only the first
 * process is known to be the container's. */
static bool signal_members(const RnManaged *managed, int signal_number,
                           GError **error)
{
    g_autoptr(GError) failure = NULL;

    if (rn_pid_namespace_signal(rn_managed_pid(managed), signal_number,
                                &failure))
        return true;
    if (!g_error_matches(failure, RN_ERROR, RN_ERROR_UNSUPPORTED)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    rn_log_warning("container \"%s\" has no cgroup, and %s: only that one gets "
                   "the signal",
                   rn_managed_record(managed)->id, failure->message);
    return rn_pidfd_signal(rn_managed_pidfd(managed), signal_number, error);
}

bool rn_kill(const char *state_dir, const char *id, int signal_number, bool all,
             GError **error)
{
    g_autoptr(RnManaged) managed = rn_managed_open(state_dir, id, error);
    RnCgroup *cgroup = NULL;

    if (managed == NULL)
        return false;
    cgroup = rn_managed_cgroup(managed);
    if (all && rn_cgroup_exists(cgroup))
        return rn_cgroup_signal(cgroup, signal_number, error);
    if (rn_managed_pid(managed) == 0)
        return all || rn_set_error(error, RN_ERROR_STATE,
                                   "container not running: \"%s\"", id);
    return all ? signal_members(managed, signal_number, error)
               : rn_pidfd_signal(rn_managed_pidfd(managed), signal_number,
                                 error);
}

static bool end_init(const RnManaged *managed, GError **error)
{
    int pidfd = rn_managed_pidfd(managed);

    return pidfd < 0 ||
           (rn_dispose_kill(pidfd, rn_managed_cgroup(managed), error) &&
            rn_pidfd_wait_exit(pidfd, error));
}

static bool check_deletable(const RnManaged *managed, bool force,
                            GError **error)
{
    RnStatus status = rn_managed_status(managed);

    if (force || status == RN_STATUS_STOPPED || status == RN_STATUS_CREATED)
        return true;
    (void)rn_set_error(error, RN_ERROR_STATE,
                       "cannot delete container \"%s\" that is not stopped: "
                       "it is %s",
                       rn_managed_record(managed)->id, rn_status_word(status));
    return rn_error_add_hint(error, "delete --force kills it first");
}

/* The name may be another container's by the time that the lock is ours. */
static bool is_same(const RnManaged *now, const RnManaged *before)
{
    return g_strcmp0(rn_managed_record(now)->created,
                     rn_managed_record(before)->created) == 0;
}

static bool delete_present(const char *state_dir, const char *id, bool force,
                           GError **error)
{
    g_autoptr(RnManaged) managed = rn_managed_open(state_dir, id, error);
    g_autoptr(RnManaged) locked = NULL;
    g_autoptr(RnEntry) entry = NULL;

    if (managed == NULL || !check_deletable(managed, force, error) ||
        !end_init(managed, error))
        return false;
    /* waits for the process of a foreground container, which removes it, and
     * for a `create`, whose container is another thing afterwards */
    entry = open_entry(state_dir, id, error);
    if (entry == NULL)
        return false;
    locked = rn_managed_open(state_dir, id, error);
    if (locked == NULL)
        return false;
    if (!is_same(locked, managed))
        return rn_set_error(error, RN_ERROR_NOT_FOUND,
                            "container \"%s\" does not exist any more", id);
    return check_deletable(locked, force, error) && end_init(locked, error) &&
           rn_dispose_entry(g_steal_pointer(&entry), error);
}

/*
 * An entry that was begun and abandoned has no record, that of another version
 * of rnet, or a damaged one, none that can be read. True if it is gone now, or
 * if there was none.
 */
static bool delete_unreadable(const char *state_dir, const char *id,
                              const GError *failure)
{
    bool missing = g_error_matches(failure, RN_ERROR, RN_ERROR_NOT_FOUND);
    g_autoptr(RnEntry) entry = open_entry(state_dir, id, NULL);
    g_autoptr(RnManaged) managed = NULL;

    if (entry == NULL)
        return missing;
    managed = rn_managed_open(state_dir, id, NULL);
    if (managed != NULL)
        return missing; /* another's of the name, or it is no good reason */
    if (!missing)
        rn_log_warning("%s; removed, its processes are not known",
                       failure->message);
    rn_entry_remove(g_steal_pointer(&entry));
    return true;
}

bool rn_delete(const char *state_dir, const char *id, bool force,
               GError **error)
{
    g_autoptr(GError) failure = NULL;

    if (delete_present(state_dir, id, force, &failure) ||
        (force && delete_unreadable(state_dir, id, failure)))
        return true;
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}
