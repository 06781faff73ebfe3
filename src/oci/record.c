/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * record - what is kept about a container, as JSON and back
 *
 * Runs in every command. The file is the specification's state (runtime.md)
 * with runc's additions, and a member "rnet" for what is nobody else's
 * business. It is this user's own, but may be of another version of rnet or
 * damaged: what is missing or of the wrong type is an error that names it.
 */
#include "config.h"

#include <rnet/oci/state.h>

#include <limits.h>

#include <rnet/oci/json-read.h>

static const char *const status_words[] = {
    [RN_STATUS_CREATING] = "creating", [RN_STATUS_CREATED] = "created",
    [RN_STATUS_RUNNING] = "running",   [RN_STATUS_PAUSED] = "paused",
    [RN_STATUS_STOPPED] = "stopped",
};
G_STATIC_ASSERT(G_N_ELEMENTS(status_words) == RN_STATUS_N_);

const char *rn_status_word(RnStatus status)
{
    return status_words[status];
}

void rn_record_init(RnRecord *record)
{
    *record = (RnRecord){
        .annotations =
            g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
    };
}

void rn_record_clear(RnRecord *record)
{
    g_clear_pointer(&record->oci_version, g_free);
    g_clear_pointer(&record->id, g_free);
    g_clear_pointer(&record->bundle, g_free);
    g_clear_pointer(&record->rootfs, g_free);
    g_clear_pointer(&record->created, g_free);
    g_clear_pointer(&record->annotations, g_hash_table_unref);
    g_clear_pointer(&record->cgroup, json_decref);
}

/* A path in JSON is text, while that of a bundle may be any bytes: then it is
 * there as it would be shown. */
static json_t *text_or_null(const char *text)
{
    g_autofree char *valid = text != NULL ? g_utf8_make_valid(text, -1) : NULL;

    return valid != NULL ? json_string(valid) : json_null();
}

static json_t *annotations_to_json(GHashTable *annotations)
{
    json_t *object = json_object();
    GHashTableIter iter;
    gpointer name = NULL;
    gpointer value = NULL;

    g_hash_table_iter_init(&iter, annotations);
    while (g_hash_table_iter_next(&iter, &name, &value))
        (void)json_object_set_new(object, name, text_or_null(value));
    return object;
}

json_t *rn_record_to_state(const RnRecord *record, RnStatus status, pid_t pid)
{
    json_t *root = json_object();

    (void)json_object_set_new(root, "ociVersion",
                              text_or_null(record->oci_version));
    (void)json_object_set_new(root, "id", text_or_null(record->id));
    (void)json_object_set_new(root, "status",
                              json_string(status_words[status]));
    if (pid != 0)
        (void)json_object_set_new(root, "pid", json_integer(pid));
    (void)json_object_set_new(root, "bundle", text_or_null(record->bundle));
    (void)json_object_set_new(root, "rootfs", text_or_null(record->rootfs));
    (void)json_object_set_new(root, "created", text_or_null(record->created));
    if (g_hash_table_size(record->annotations) > 0)
        (void)json_object_set_new(root, "annotations",
                                  annotations_to_json(record->annotations));
    return root;
}

static json_t *record_to_json(const RnRecord *record)
{
    json_t *root = rn_record_to_state(record, record->status, record->pid);
    json_t *own = json_object();

    (void)json_object_set_new(root, "owner", json_integer(record->owner));
    (void)json_object_set_new(own, "startTime",
                              json_integer((json_int_t)record->start_time));
    (void)json_object_set_new(own, "foreground",
                              json_boolean(record->foreground));
    if (record->monitor_pid != 0) {
        (void)json_object_set_new(own, "monitorPid",
                                  json_integer(record->monitor_pid));
        (void)json_object_set_new(
            own, "monitorStartTime",
            json_integer((json_int_t)record->monitor_start_time));
    }
    if (record->cgroup != NULL)
        (void)json_object_set(own, "cgroup", record->cgroup);
    (void)json_object_set_new(root, "rnet", own);
    return root;
}

static bool read_status(const RnJsonAt *at, void *target, GError **error)
{
    g_autofree char *word = NULL;
    RnStatus *status = target;

    if (!rn_json_read_string(at, &word, error))
        return false;
    for (unsigned i = 0; i < RN_STATUS_N_; i++) {
        if (g_str_equal(word, status_words[i])) {
            *status = i;
            return true;
        }
    }
    return rn_json_fail(at, RN_ERROR_INVALID, error, "is no status");
}

static bool read_pid(const RnJsonAt *at, void *target, GError **error)
{
    uint32_t value = 0;
    pid_t *pid = target;

    if (!rn_json_read_uint32(at, &value, error))
        return false;
    if (value > INT_MAX)
        return rn_json_fail(at, RN_ERROR_INVALID, error, "is no pid");
    *pid = (pid_t)value;
    return true;
}

static bool read_cgroup(const RnJsonAt *at, void *target, GError **error)
{
    json_t **cgroup = target;

    (void)error;
    *cgroup = json_incref(at->node);
    return true;
}

static bool read_own(const RnJsonAt *at, void *target, GError **error)
{
    static const RnJsonField fields[] = {
        { "startTime", rn_json_read_uint64,
          G_STRUCT_OFFSET(RnRecord, start_time), RN_JSON_REQUIRED },
        { "foreground", rn_json_read_bool,
          G_STRUCT_OFFSET(RnRecord, foreground), RN_JSON_REQUIRED },
        { "monitorPid", read_pid, G_STRUCT_OFFSET(RnRecord, monitor_pid),
          RN_JSON_OPTIONAL },
        { "monitorStartTime", rn_json_read_uint64,
          G_STRUCT_OFFSET(RnRecord, monitor_start_time), RN_JSON_OPTIONAL },
        { "cgroup", read_cgroup, G_STRUCT_OFFSET(RnRecord, cgroup),
          RN_JSON_OPTIONAL },
    };

    return rn_json_read_members(at, fields, G_N_ELEMENTS(fields), target,
                                error);
}

static const RnJsonField record_fields[] = {
    { "ociVersion", rn_json_read_string, G_STRUCT_OFFSET(RnRecord, oci_version),
      RN_JSON_REQUIRED },
    { "id", rn_json_read_string, G_STRUCT_OFFSET(RnRecord, id),
      RN_JSON_REQUIRED },
    { "status", read_status, G_STRUCT_OFFSET(RnRecord, status),
      RN_JSON_REQUIRED },
    { "pid", read_pid, G_STRUCT_OFFSET(RnRecord, pid), RN_JSON_OPTIONAL },
    { "bundle", rn_json_read_path, G_STRUCT_OFFSET(RnRecord, bundle),
      RN_JSON_REQUIRED },
    { "rootfs", rn_json_read_string, G_STRUCT_OFFSET(RnRecord, rootfs),
      RN_JSON_OPTIONAL },
    { "created", rn_json_read_string, G_STRUCT_OFFSET(RnRecord, created),
      RN_JSON_OPTIONAL },
    { "owner", rn_json_read_uint32, G_STRUCT_OFFSET(RnRecord, owner),
      RN_JSON_OPTIONAL },
    { "annotations", rn_json_read_string_map,
      G_STRUCT_OFFSET(RnRecord, annotations), RN_JSON_OPTIONAL },
    { "rnet", read_own, 0, RN_JSON_REQUIRED },
};

char *rn_record_format(const RnRecord *record)
{
    g_autoptr(json_t) root = record_to_json(record);

    return json_dumps(root, JSON_INDENT(2)); /* malloc'd, as of g_malloc */
}

bool rn_record_parse(const char *text, gsize length, const char *name,
                     RnRecord *record, GError **error)
{
    g_autoptr(json_t) root = rn_json_parse(text, length, name, error);
    RnJsonAt document = { .name = name, .node = root };

    return root != NULL &&
           rn_json_read_members(&document, record_fields,
                                G_N_ELEMENTS(record_fields), record, error);
}
