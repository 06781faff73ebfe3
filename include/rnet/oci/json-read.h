/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json-read - a JSON tree into C structures, by tables
 *
 * A table has one line per member of an object: its name, what reads it, and
 * where in the target structure the value goes. Every error begins with the
 * value's path in the document: "config.json: process.args[2]: must be a
 * string". null counts as a member that is not there. Members that no table
 * names are ignored.
 */
#ifndef RNET_OCI_JSON_READ_H
#define RNET_OCI_JSON_READ_H

#include <stdint.h>

#include <rnet/oci/json.h>

/* A value and the way to it; lives on the stack of its readers. */
typedef struct RnJsonAt {
    const struct RnJsonAt *parent; /* NULL: this is the document */
    const char *name; /* the member's, or the document's; NULL: an element */
    bool is_key;      /* `name` is the document's choice, a key of a map */
    unsigned index;   /* of an element */
    json_t *node;     /* borrowed */
} RnJsonAt;

/*
 * Reads one value into *target. What it put there before failing stays: the
 * target's owner clears it in any case.
 */
typedef bool (*RnJsonReader)(const RnJsonAt *at, void *target, GError **error);

typedef enum RnJsonNeed {
    RN_JSON_OPTIONAL,
    RN_JSON_REQUIRED,
} RnJsonNeed;

typedef struct RnJsonField {
    const char *name;
    RnJsonReader read;
    gsize offset; /* of the value in the target */
    RnJsonNeed need;
} RnJsonField;

/* Sets an error whose text begins with the value's path. Always false. */
bool rn_json_fail(const RnJsonAt *at, RnErrorCode code, GError **error,
                  const char *format, ...) G_GNUC_PRINTF(4, 5);

/* Reads an object's members into `target`, in the table's order. */
bool rn_json_read_members(const RnJsonAt *at, const RnJsonField *fields,
                          gsize n_fields, void *target,
                          GError **error) RN_CHECK;

/* Reads each element of an array with `read` into the same `target`. */
bool rn_json_read_elements(const RnJsonAt *at, RnJsonReader read, void *target,
                           GError **error) RN_CHECK;

/* Reads each value of a map with `read`, which finds the key in at->name; in
 * the document's order. Its path in errors is `linux.sysctl["KEY"]`. */
bool rn_json_read_entries(const RnJsonAt *at, RnJsonReader read, void *target,
                          GError **error) RN_CHECK;

/* RN_ERROR_LIMIT if an array or object has more than `max` entries. */
bool rn_json_check_count(const RnJsonAt *at, gsize max,
                         GError **error) RN_CHECK;

/* An integer from min to max. */
bool rn_json_read_range(const RnJsonAt *at, int64_t min, int64_t max,
                        int64_t *out_value, GError **error) RN_CHECK;

/* Readers. Numbers are integers in the range of their type, nothing else. */
bool rn_json_read_bool(const RnJsonAt *at, void *target, GError **error);
bool rn_json_read_uint16(const RnJsonAt *at, void *target, GError **error);
bool rn_json_read_uint32(const RnJsonAt *at, void *target, GError **error);
bool rn_json_read_uint64(const RnJsonAt *at, void *target, GError **error);
bool rn_json_read_int64(const RnJsonAt *at, void *target, GError **error);

/* An id for the kernel: uint32_t, but not (uid_t)-1. */
bool rn_json_read_id(const RnJsonAt *at, void *target, GError **error);

/* char *, the target's; what it held is freed. */
bool rn_json_read_string(const RnJsonAt *at, void *target, GError **error);

/* The same, but it must begin with "/". */
bool rn_json_read_path(const RnJsonAt *at, void *target, GError **error);

/* char **, NULL-terminated, the target's; what it held is freed. */
bool rn_json_read_strings(const RnJsonAt *at, void *target, GError **error);
bool rn_json_read_paths(const RnJsonAt *at, void *target, GError **error);

/* GHashTable *, char * to char *, which exists: all members are added. */
bool rn_json_read_string_map(const RnJsonAt *at, void *target, GError **error);

/*
 * For what is not supported: RN_ERROR_UNSUPPORTED unless the value says
 * nothing: null, false, "", or an array or object that is empty or only has
 * such values. The target is not used.
 */
bool rn_json_refuse(const RnJsonAt *at, void *target, GError **error);

/* The same for maps, whose keys say something too: only null or {} pass. */
bool rn_json_refuse_map(const RnJsonAt *at, void *target, GError **error);

#endif
