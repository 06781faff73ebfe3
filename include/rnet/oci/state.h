/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state - containers as entries of the state directory
 *
 *     BASE/ID/lock         held (flock) by who changes the entry
 *     BASE/ID/state.json   the record; replaced atomically, read without lock
 *     BASE/ID/config.json  the bundle's, as it was at creation
 *     BASE/ID/start        socket of an init that waits for `start`
 *
 * BASE is only the owner's (0700): who can enter it may control the
 * containers. The lock of a foreground container is held by the process that
 * answers for it, for its whole life; of others only while a command works on
 * it. An entry is stale, and the next container of that name takes it over,
 * when its lock is free and it is a foreground container's or half made: then
 * its owner died. One whose record cannot be read (another version's, say) is
 * not: nobody knows what it is about.
 */
#ifndef RNET_OCI_STATE_H
#define RNET_OCI_STATE_H

#include <stdint.h>

#include <sys/types.h>

#include <jansson.h>

#include <rnet/util/error.h>

/* runtime-spec runtime.md, State; and "paused", which is runc's. */
typedef enum RnStatus {
    RN_STATUS_CREATING,
    RN_STATUS_CREATED,
    RN_STATUS_RUNNING,
    RN_STATUS_PAUSED,
    RN_STATUS_STOPPED,
    RN_STATUS_N_
} RnStatus;

const char *rn_status_word(RnStatus status);

/* What is kept about a container. Strings are the record's. */
typedef struct RnRecord {
    char *oci_version;
    char *id;
    RnStatus status;     /* what was last written: not RN_STATUS_PAUSED */
    pid_t pid;           /* 0: none */
    uint64_t start_time; /* of the process, clock ticks after boot, proc(5):
                            with the pid it names one process for ever */
    char *bundle;        /* absolute */
    char *rootfs;        /* absolute, on the host */
    char *created;       /* RFC 3339, UTC */
    uint32_t owner;      /* uid that created it */
    bool foreground;     /* `run`, whose process holds the lock */
    pid_t monitor_pid;   /* of a detached network's monitor; 0: none */
    uint64_t monitor_start_time;
    GHashTable *annotations; /* char * to char *; never NULL after init */
    json_t *cgroup;          /* rn_cgroup_to_json(), or NULL */
} RnRecord;

void rn_record_init(RnRecord *record);
void rn_record_clear(RnRecord *record);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RnRecord, rn_record_clear)

/*
 * The record as the specification's state (a new reference), with `status` and
 * without what is rnet's own: what hooks, `state` and `list` show, with runc's
 * additions "rootfs" and "created". A pid of 0 is left out.
 */
json_t *rn_record_to_state(const RnRecord *record, RnStatus status,
                           pid_t pid) RN_CHECK;

/* The record as text, malloc'd (the caller's), and back; `name` stands for the
 * file in errors. */
char *rn_record_format(const RnRecord *record) RN_CHECK;
bool rn_record_parse(const char *text, gsize length, const char *name,
                     RnRecord *record, GError **error) RN_CHECK;

typedef struct RnEntry RnEntry;

/*
 * Letters, digits and `_ + - .`, not "." or "..", at most 255 bytes: as crun
 * and runc have it, and one path component.
 */
bool rn_id_check(const char *id, GError **error) RN_CHECK;

/*
 * Opens (makes, mode 0700) the base directory; parents are made too. Refuses
 * one that another user owns or may enter.
 */
bool rn_state_open_base(const char *path, int *out_dirfd,
                        GError **error) RN_CHECK;

/* The names of all entries, unsorted: GPtrArray of char *, the caller's. */
GPtrArray *rn_state_list(int base_dirfd, GError **error) RN_CHECK;

/*
 * Makes the entry of `id` and takes its lock. *out_stale: it is a stale one, as
 * its owner left it, and what its record names may still be there (dispose.h).
 * RN_ERROR_EXISTS if there is one that is not stale.
 */
RnEntry *rn_entry_new(int base_dirfd, const char *id, bool *out_stale,
                      GError **error) RN_CHECK;

/*
 * Opens the entry of `id` and takes its lock, for a command that changes it;
 * waits for another that does. RN_ERROR_NOT_FOUND if there is none.
 */
RnEntry *rn_entry_open(int base_dirfd, const char *id, GError **error) RN_CHECK;

/* The lock's fd, borrowed. Its copies hold the lock too, until all are closed:
 * that is how an entry is passed to another process. */
int rn_entry_lock(const RnEntry *entry);

/* The entry's directory, borrowed. */
int rn_entry_directory(const RnEntry *entry);

/*
 * The entry of `id` for a process that was given its lock's fd, which is taken.
 * NULL if the entry has been removed, whoever may have the name now.
 */
RnEntry *rn_entry_adopt(int base_dirfd, const char *id, int lock_fd);

/* Replaces state.json. */
bool rn_entry_write(RnEntry *entry, const RnRecord *record,
                    GError **error) RN_CHECK;

/* Keeps a copy of the bundle's configuration. */
bool rn_entry_keep_config(RnEntry *entry, const char *text, gsize length,
                          GError **error) RN_CHECK;

/*
 * Reads the record of `id` without the lock: state.json is always whole.
 * RN_ERROR_NOT_FOUND: no such container, or one that is not even begun.
 */
bool rn_record_load(int base_dirfd, const char *id, RnRecord *record,
                    GError **error) RN_CHECK;

/* The same for an entry that is open. */
bool rn_entry_load(const RnEntry *entry, RnRecord *record,
                   GError **error) RN_CHECK;

/* Gives up the lock, leaves the entry, frees. NULL is fine. */
void rn_entry_release(RnEntry *entry);

/* Removes the entry from the directory and frees it. NULL is fine. */
void rn_entry_remove(RnEntry *entry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnEntry, rn_entry_release)

#endif
