/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state - entries of the state directory, their lock and state.json
 *
 * Runs in the launcher, and in the guard once the launcher is dead. The lock
 * decides who an entry belongs to: whoever holds it may fill and remove the
 * entry. Since an entry can be removed between opening its lock file and
 * locking it, the name is looked up once more afterwards. A failure leaves the
 * entry as it was.
 */
#include "config.h"

#include <rnet/oci/state.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/file.h>
#include <sys/stat.h>

#include <rnet/oci/json.h>
#include <rnet/util/fd.h>

enum {
    ID_MAX = 255,      /* bytes, NAME_MAX */
    TAKE_ATTEMPTS = 64 /* lost races before giving up */
};

static const char lock_name[] = "lock";
static const char state_name[] = "state.json";
static const char new_state_name[] = "state.json.new";

/* All that an entry may have in it; the lock comes last, see remove below. */
static const char *const content_names[] = {
    new_state_name, state_name, "config.json", "config.json.new", "start",
};

struct RnEntry {
    int base_fd;
    int dir_fd;
    int lock_fd;
    char *id;
};

bool rn_id_check(const char *id, GError **error)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-.";
    size_t length = strlen(id);

    if (length > 0 && length <= ID_MAX && strspn(id, allowed) == length &&
        !g_str_equal(id, ".") && !g_str_equal(id, ".."))
        return true;
    return rn_set_error(error, RN_ERROR_INVALID,
                        "container name \"%s\": only letters, digits and "
                        "_ + - . are possible, at most %d",
                        id, ID_MAX);
}

bool rn_state_open_base(const char *path, int *out_dirfd, GError **error)
{
    rn_autofd int fd = -1;
    struct stat status = { 0 };

    if (g_mkdir_with_parents(path, 0700) < 0) {
        (void)rn_set_errno(error, errno, "create the state directory \"%s\"",
                           path);
        return rn_error_add_hint(error, "--root DIR takes another one");
    }
    fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) < 0)
        return rn_set_errno(error, errno, "open the state directory \"%s\"",
                            path);
    if (status.st_uid != geteuid() || (status.st_mode & 077) != 0) {
        (void)rn_set_error(error, RN_ERROR_STATE,
                           "state directory \"%s\": owned by user %u with "
                           "mode %04o, not this user's alone",
                           path, status.st_uid, status.st_mode & 07777);
        return status.st_uid == geteuid()
                   ? rn_error_add_hint(error, "chmod 700 %s", path)
                   : rn_error_add_hint(error, "--root DIR takes another one");
    }
    *out_dirfd = g_steal_fd(&fd);
    return true;
}

static void free_entry(RnEntry *entry)
{
    rn_fd_close(&entry->dir_fd);
    rn_fd_close(&entry->lock_fd);
    rn_fd_close(&entry->base_fd);
    g_free(entry->id);
    g_free(entry);
}

/* The directory and lock that are open are still what the name leads to. */
static bool is_current(const RnEntry *entry)
{
    struct stat opened = { 0 };
    struct stat named = { 0 };
    g_autofree char *path = g_build_filename(entry->id, lock_name, NULL);

    return fstat(entry->lock_fd, &opened) == 0 &&
           fstatat(entry->base_fd, path, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

/* Opens what the name leads to and locks it; how: LOCK_NB or 0. ESTALE: the
 * entry vanished under us, try again. */
static int lock_directory(RnEntry *entry, int lock_flags, int how)
{
    rn_fd_close(&entry->dir_fd);
    rn_fd_close(&entry->lock_fd);
    entry->dir_fd = openat(entry->base_fd, entry->id,
                           O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (entry->dir_fd < 0)
        return errno;
    entry->lock_fd = openat(entry->dir_fd, lock_name,
                            O_RDWR | lock_flags | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (entry->lock_fd < 0)
        return errno;
    if (TEMP_FAILURE_RETRY(flock(entry->lock_fd, LOCK_EX | how)) < 0)
        return errno;
    return is_current(entry) ? 0 : ESTALE;
}

/* One attempt; ESTALE: try again. */
static int try_take(RnEntry *entry)
{
    int result = 0;

    if (mkdirat(entry->base_fd, entry->id, 0700) < 0 && errno != EEXIST)
        return errno;
    result = lock_directory(entry, O_CREAT, LOCK_NB);
    return result == ENOENT ? ESTALE : result;
}

static bool fail_existing(const char *id, GError **error)
{
    return rn_set_error(error, RN_ERROR_EXISTS,
                        "a container of the name \"%s\" exists", id);
}

/* Of an entry whose lock is free: false if it is a container's. */
static bool check_ownerless(const RnEntry *entry, bool *out_stale,
                            GError **error)
{
    g_auto(RnRecord) record = { 0 };
    g_autoptr(GError) failure = NULL;

    rn_record_init(&record);
    *out_stale = rn_entry_load(entry, &record, &failure);
    if (*out_stale)
        return record.foreground || record.status == RN_STATUS_CREATING ||
               fail_existing(entry->id, error);
    if (g_error_matches(failure, RN_ERROR, RN_ERROR_NOT_FOUND))
        return true; /* not even begun */
    (void)rn_set_error(error, RN_ERROR_EXISTS,
                       "a container of the name \"%s\" exists, but: %s",
                       entry->id, failure->message);
    return rn_error_add_hint(error, "delete --force removes what is known of "
                                    "it, not its processes");
}

/* Still without directory and lock; NULL if no fd is left, with errno. */
static RnEntry *new_entry(int base_dirfd, const char *id)
{
    int base_fd = fcntl(base_dirfd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    RnEntry *entry = NULL;

    if (base_fd < 0)
        return NULL;
    entry = g_new0(RnEntry, 1);
    entry->base_fd = base_fd;
    entry->dir_fd = -1;
    entry->lock_fd = -1;
    entry->id = g_strdup(id);
    return entry;
}

static void empty_entry(const RnEntry *entry)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(content_names); i++)
        (void)unlinkat(entry->dir_fd, content_names[i], 0);
}

RnEntry *rn_entry_new(int base_dirfd, const char *id, bool *out_stale,
                      GError **error)
{
    RnEntry *entry = new_entry(base_dirfd, id);
    int result = ESTALE;
    bool stale = false;

    if (entry == NULL) {
        (void)rn_set_errno(error, errno, "duplicate the state directory");
        return NULL;
    }
    for (int i = 0; result == ESTALE && i < TAKE_ATTEMPTS; i++)
        result = try_take(entry);
    if (result == 0 && check_ownerless(entry, &stale, error)) {
        if (!stale)
            empty_entry(entry);
        *out_stale = stale;
        return entry;
    }
    if (result == EWOULDBLOCK)
        (void)fail_existing(id, error);
    else if (result != 0)
        (void)rn_set_errno(error, result, "create the state entry \"%s\"", id);
    free_entry(entry);
    return NULL;
}

static bool fail_missing(const char *id, GError **error)
{
    return rn_set_error(error, RN_ERROR_NOT_FOUND,
                        "container \"%s\" does not exist", id);
}

RnEntry *rn_entry_open(int base_dirfd, const char *id, GError **error)
{
    RnEntry *entry = NULL;
    int result = ESTALE;

    if (!rn_id_check(id, error))
        return NULL;
    entry = new_entry(base_dirfd, id);
    if (entry == NULL) {
        (void)rn_set_errno(error, errno, "duplicate the state directory");
        return NULL;
    }
    for (int i = 0; result == ESTALE && i < TAKE_ATTEMPTS; i++)
        result = lock_directory(entry, 0, 0);
    if (result == 0)
        return entry;
    if (result == ENOENT)
        (void)fail_missing(id, error);
    else
        (void)rn_set_errno(error, result, "open the state entry \"%s\"", id);
    rn_entry_release(entry);
    return NULL;
}

int rn_entry_lock(const RnEntry *entry)
{
    return entry->lock_fd;
}

int rn_entry_directory(const RnEntry *entry)
{
    return entry->dir_fd;
}

RnEntry *rn_entry_adopt(int base_dirfd, const char *id, int lock_fd)
{
    RnEntry *entry = new_entry(base_dirfd, id);

    if (entry == NULL) {
        rn_fd_close(&lock_fd);
        return NULL;
    }
    entry->lock_fd = lock_fd;
    entry->dir_fd =
        openat(base_dirfd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (entry->dir_fd >= 0 && is_current(entry))
        return entry;
    free_entry(entry);
    return NULL;
}

/* A reader sees the old content or the new one, never a part. */
static bool replace_file(RnEntry *entry, const char *name, const char *new_name,
                         const char *text, gsize length, GError **error)
{
    rn_autofd int fd =
        openat(entry->dir_fd, new_name,
               O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0)
        return rn_set_errno(error, errno, "write \"%s\" of \"%s\"", name,
                            entry->id);
    if (!rn_fd_write_all(fd, text, length, error)) {
        g_prefix_error(error, "write \"%s\" of \"%s\": ", name, entry->id);
        return false;
    }
    if (renameat(entry->dir_fd, new_name, entry->dir_fd, name) < 0)
        return rn_set_errno(error, errno, "replace \"%s\" of \"%s\"", name,
                            entry->id);
    return true;
}

bool rn_entry_write(RnEntry *entry, const RnRecord *record, GError **error)
{
    g_autofree char *text = rn_record_format(record);

    if (text == NULL)
        return rn_set_errno(error, ENOMEM, "format the state of \"%s\"",
                            entry->id);
    return replace_file(entry, state_name, new_state_name, text, strlen(text),
                        error);
}

bool rn_entry_keep_config(RnEntry *entry, const char *text, gsize length,
                          GError **error)
{
    return replace_file(entry, "config.json", "config.json.new", text, length,
                        error);
}

bool rn_record_load(int base_dirfd, const char *id, RnRecord *record,
                    GError **error)
{
    g_autofree char *path = NULL;
    g_autofree char *text = NULL;
    gsize length = 0;
    g_autoptr(GError) failure = NULL;

    if (!rn_id_check(id, error))
        return false;
    path = g_build_filename(id, state_name, NULL);
    if (rn_file_read(base_dirfd, path, RN_JSON_MAX_SIZE, &text, &length,
                     &failure))
        return rn_record_parse(text, length, path, record, error);
    if (rn_error_is_errno(failure, ENOENT))
        return fail_missing(id, error);
    g_propagate_prefixed_error(error, g_steal_pointer(&failure),
                               "container \"%s\": ", id);
    return false;
}

bool rn_entry_load(const RnEntry *entry, RnRecord *record, GError **error)
{
    return rn_record_load(entry->base_fd, entry->id, record, error);
}

GPtrArray *rn_state_list(int base_dirfd, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    int fd = openat(base_dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *item = NULL;

    if (folder == NULL) {
        (void)rn_set_errno(error, errno, "read the state directory");
        rn_fd_close(&fd);
        return NULL;
    }
    while ((item = readdir(folder)) != NULL) {
        if (rn_id_check(item->d_name, NULL))
            g_ptr_array_add(names, g_strdup(item->d_name));
    }
    (void)closedir(folder);
    return g_steal_pointer(&names);
}

void rn_entry_release(RnEntry *entry)
{
    if (entry != NULL)
        free_entry(entry);
}

void rn_entry_remove(RnEntry *entry)
{
    if (entry == NULL)
        return;
    empty_entry(entry);
    /* the lock last: until it is gone the name is ours */
    (void)unlinkat(entry->dir_fd, lock_name, 0);
    (void)unlinkat(entry->base_fd, entry->id, AT_REMOVEDIR);
    free_entry(entry);
}
