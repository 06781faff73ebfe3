/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * systemd - starts, changes and stops a scope, and waits for systemd's jobs
 *
 * Runs in the launcher and in the commands that deal with a cgroup. A
 * connection is made for one command and closed with it. Failure: what systemd
 * said, as RN_ERROR_UNSUPPORTED, or the errno of a lost connection.
 */
#include "config.h"

#include <rnet/sys/systemd.h>

#include <errno.h>
#include <string.h>

#include "systemd-bus.h"

#define SERVICE   "org.freedesktop.systemd1"
#define OBJECT    "/org/freedesktop/systemd1"
#define INTERFACE "org.freedesktop.systemd1.Manager"

/* what a call and a job may take */
static const uint64_t patience_us = 30 * G_USEC_PER_SEC;

struct RnSystemd {
    RnSdLibrary library;
    sd_bus *bus;
    GHashTable *ended; /* jobs (object path) that ended, to their result */
};

/* sd_bus_error with the library it is freed by. */
typedef struct Refusal {
    const RnSdLibrary *library;
    sd_bus_error error;
} Refusal;

static void clear_refusal(Refusal *refusal)
{
    refusal->library->sd_bus_error_free(&refusal->error);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Refusal, clear_refusal)

void rn_systemd_free(RnSystemd *systemd)
{
    if (systemd == NULL)
        return;
    if (systemd->bus != NULL)
        (void)systemd->library.sd_bus_flush_close_unref(systemd->bus);
    rn_sd_unload(&systemd->library);
    g_clear_pointer(&systemd->ended, g_hash_table_unref);
    g_free(systemd);
}

/* JobRemoved(u id, o job, s unit, s result) */
static int note_job(sd_bus_message *message, void *data, sd_bus_error *error)
{
    RnSystemd *systemd = data;
    const RnSdLibrary *library = &systemd->library;
    uint32_t id = 0;
    const char *job = NULL;
    const char *unit = NULL;
    const char *result = NULL;

    (void)error;
    if (library->sd_bus_message_read_basic(message, 'u', &id) > 0 &&
        library->sd_bus_message_read_basic(message, 'o', &job) > 0 &&
        library->sd_bus_message_read_basic(message, 's', &unit) > 0 &&
        library->sd_bus_message_read_basic(message, 's', &result) > 0)
        (void)g_hash_table_replace(systemd->ended, g_strdup(job),
                                   g_strdup(result));
    return 0;
}

RnSystemd *rn_systemd_open(RnSystemdManager manager, GError **error)
{
    g_autoptr(RnSystemd) systemd = g_new0(RnSystemd, 1);
    int result = 0;

    systemd->ended =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (!rn_sd_load(&systemd->library, error) ||
        !rn_sd_connect(&systemd->library, manager, &systemd->bus, error))
        return NULL;
    result = systemd->library.sd_bus_match_signal(
        systemd->bus, NULL, SERVICE, OBJECT, INTERFACE, "JobRemoved", note_job,
        systemd);
    if (result < 0) {
        (void)rn_set_errno(error, -result, "listen to systemd's jobs");
        return NULL;
    }
    return g_steal_pointer(&systemd);
}

/* Calls a method; *out_job (may be NULL): the job in its answer. `refusal` is
 * for the caller who can deal with one. */
static bool call(RnSystemd *systemd, const char *method, GVariant *arguments,
                 Refusal *refusal, char **out_job, GError **error)
{
    const RnSdLibrary *library = &systemd->library;
    g_autoptr(GVariant) tuple = g_variant_ref_sink(arguments);
    sd_bus_message *message = NULL;
    sd_bus_message *answer = NULL;
    const char *job = NULL;
    int result = library->sd_bus_message_new_method_call(
        systemd->bus, &message, SERVICE, OBJECT, INTERFACE, method);
    bool appended = false;

    if (result < 0)
        return rn_set_errno(error, -result, "make a message to systemd");
    appended = rn_sd_append(library, message, tuple, error);
    if (appended)
        result = library->sd_bus_call(systemd->bus, message, patience_us,
                                      &refusal->error, &answer);
    (void)library->sd_bus_message_unref(message);
    if (!appended)
        return false;
    if (result < 0)
        return rn_set_error(error, RN_ERROR_UNSUPPORTED, "%s: %s", method,
                            refusal->error.message != NULL
                                ? refusal->error.message
                                : g_strerror(-result));
    if (out_job != NULL &&
        library->sd_bus_message_read_basic(answer, 'o', &job) > 0)
        *out_job = g_strdup(job);
    (void)library->sd_bus_message_unref(answer);
    return true;
}

static bool wait_for_job(RnSystemd *systemd, const char *job, GError **error)
{
    int64_t end = g_get_monotonic_time() + (int64_t)patience_us;
    const char *said = NULL;

    while ((said = g_hash_table_lookup(systemd->ended, job)) == NULL) {
        int64_t left = end - g_get_monotonic_time();
        int result = systemd->library.sd_bus_process(systemd->bus, NULL);

        if (result == 0 && left > 0)
            result = systemd->library.sd_bus_wait(systemd->bus, (uint64_t)left);
        if (result < 0 && result != -EINTR)
            return rn_set_errno(error, -result, "wait for systemd's job");
        if (left <= 0)
            return rn_set_errno(error, ETIMEDOUT, "wait for systemd's job");
    }
    if (strcmp(said, "done") == 0)
        return true;
    return rn_set_error(error, RN_ERROR_UNSUPPORTED, "systemd's job: %s", said);
}

static void forget_failure(RnSystemd *systemd, const char *unit)
{
    g_auto(Refusal) refusal = { &systemd->library, { 0 } };
    g_autoptr(GError) ignored = NULL;

    /* most often there is none to forget */
    if (!call(systemd, "ResetFailedUnit", g_variant_new("(s)", unit), &refusal,
              NULL, &ignored))
        g_clear_error(&ignored);
}

static bool start_once(RnSystemd *systemd, const char *unit,
                       GVariant *properties, bool *out_exists, GError **error)
{
    g_auto(Refusal) refusal = { &systemd->library, { 0 } };
    g_autofree char *job = NULL;
    GVariant *none = g_variant_new_array(G_VARIANT_TYPE("(sa(sv))"), NULL, 0);

    if (!call(systemd, "StartTransientUnit",
              g_variant_new("(ss@a(sv)@a(sa(sv)))", unit, "replace", properties,
                            none),
              &refusal, &job, error)) {
        *out_exists = refusal.error.name != NULL &&
                      strcmp(refusal.error.name, SERVICE ".UnitExists") == 0;
        return false;
    }
    return job == NULL || wait_for_job(systemd, job, error);
}

bool rn_systemd_start_scope(RnSystemd *systemd, const char *unit,
                            GVariant *properties, GError **error)
{
    g_autoptr(GVariant) held = g_variant_ref_sink(properties);
    g_autoptr(GError) failure = NULL;
    bool exists = false;

    if (start_once(systemd, unit, held, &exists, &failure))
        return true;
    if (exists) { /* it may be one that failed and that systemd remembers */
        g_clear_error(&failure);
        forget_failure(systemd, unit);
        if (start_once(systemd, unit, held, &exists, &failure))
            return true;
    }
    g_propagate_error(error, g_steal_pointer(&failure));
    g_prefix_error(error, "start \"%s\" by systemd: ", unit);
    return false;
}

bool rn_systemd_set_properties(RnSystemd *systemd, const char *unit,
                               GVariant *properties, GError **error)
{
    g_auto(Refusal) refusal = { &systemd->library, { 0 } };

    if (call(systemd, "SetUnitProperties",
             g_variant_new("(sb@a(sv))", unit, TRUE, properties), &refusal,
             NULL, error))
        return true;
    g_prefix_error(error, "change \"%s\" by systemd: ", unit);
    return false;
}

bool rn_systemd_attach(RnSystemd *systemd, const char *unit, pid_t pid,
                       GError **error)
{
    g_auto(Refusal) refusal = { &systemd->library, { 0 } };
    guint32 pids[] = { (guint32)pid };

    if (call(systemd, "AttachProcessesToUnit",
             g_variant_new("(ss@au)", unit, "",
                           g_variant_new_fixed_array(G_VARIANT_TYPE_UINT32,
                                                     pids, 1, sizeof pids[0])),
             &refusal, NULL, error))
        return true;
    g_prefix_error(error, "move process %d to \"%s\" by systemd: ", (int)pid,
                   unit);
    return false;
}

bool rn_systemd_stop(RnSystemd *systemd, const char *unit, GError **error)
{
    g_auto(Refusal) refusal = { &systemd->library, { 0 } };
    g_autoptr(GError) failure = NULL;
    g_autofree char *job = NULL;

    if (call(systemd, "StopUnit", g_variant_new("(ss)", unit, "replace"),
             &refusal, &job, &failure)) {
        if (job != NULL && !wait_for_job(systemd, job, error))
            return false;
    } else if (refusal.error.name == NULL ||
               strcmp(refusal.error.name, SERVICE ".NoSuchUnit") != 0) {
        g_propagate_error(error, g_steal_pointer(&failure));
        g_prefix_error(error, "stop \"%s\" by systemd: ", unit);
        return false;
    }
    forget_failure(systemd, unit);
    return true;
}
