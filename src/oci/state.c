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

struct RnEntry {
    int base_fd;
    int dir_fd;
    int lock_fd;
    char *id;
};

static const char *const status_words[] = {
    [RN_STATUS_CREATING] = "creating",
    [RN_STATUS_CREATED] = "created",
    [RN_STATUS_RUNNING] = "running",
    [RN_STATUS_STOPPED] = "stopped",
};
G_STATIC_ASSERT(G_N_ELEMENTS(status_words) == RN_STATUS_N_);

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

/* One attempt; errno ESTALE: the entry vanished under us, try again. */
static int try_take(RnEntry *entry)
{
    rn_fd_close(&entry->dir_fd);
    rn_fd_close(&entry->lock_fd);
    if (mkdirat(entry->base_fd, entry->id, 0700) < 0 && errno != EEXIST)
        return errno;
    entry->dir_fd = openat(entry->base_fd, entry->id,
                           O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (entry->dir_fd < 0)
        return errno == ENOENT ? ESTALE : errno;
    entry->lock_fd = openat(entry->dir_fd, lock_name,
                            O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (entry->lock_fd < 0)
        return errno == ENOENT ? ESTALE : errno;
    if (flock(entry->lock_fd, LOCK_EX | LOCK_NB) < 0)
        return errno;
    return is_current(entry) ? 0 : ESTALE;
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

RnEntry *rn_entry_new(int base_dirfd, const char *id, GError **error)
{
    RnEntry *entry = new_entry(base_dirfd, id);
    int result = ESTALE;

    if (entry == NULL) {
        (void)rn_set_errno(error, errno, "duplicate the state directory");
        return NULL;
    }
    for (int i = 0; result == ESTALE && i < TAKE_ATTEMPTS; i++)
        result = try_take(entry);
    if (result == 0) {
        (void)unlinkat(entry->dir_fd, state_name, 0); /* a stale one's */
        return entry;
    }
    if (result == EWOULDBLOCK)
        (void)rn_set_error(error, RN_ERROR_EXISTS,
                           "a container of the name \"%s\" exists", id);
    else
        (void)rn_set_errno(error, result, "create the state entry \"%s\"", id);
    free_entry(entry);
    return NULL;
}

int rn_entry_lock(const RnEntry *entry)
{
    return entry->lock_fd;
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

/*
 * The caller's, NULL when memory runs out. A path in JSON is text, while that
 * of a bundle may be any bytes: then it is there as it would be shown.
 */
static char *format_state(const RnState *state)
{
    g_autofree char *bundle = g_utf8_make_valid(state->bundle, -1);
    g_autoptr(json_t) root = json_pack(
        "{s:s, s:s, s:s, s:s}", "ociVersion", state->oci_version, "id",
        state->id, "status", status_words[state->status], "bundle", bundle);

    if (state->pid != 0 &&
        json_object_set_new(root, "pid", json_integer(state->pid)) < 0)
        return NULL;
    return json_dumps(root, JSON_INDENT(2)); /* malloc'd, as of g_malloc */
}

bool rn_entry_write(RnEntry *entry, const RnState *state, GError **error)
{
    g_autofree char *text = format_state(state);
    rn_autofd int fd = -1;

    if (text == NULL)
        return rn_set_errno(error, ENOMEM, "format the state of \"%s\"",
                            entry->id);
    fd = openat(entry->dir_fd, new_state_name,
                O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return rn_set_errno(error, errno, "write the state of \"%s\"",
                            entry->id);
    if (!rn_fd_write_all(fd, text, strlen(text), error)) {
        g_prefix_error(error, "write the state of \"%s\": ", entry->id);
        return false;
    }
    if (renameat(entry->dir_fd, new_state_name, entry->dir_fd, state_name) < 0)
        return rn_set_errno(error, errno, "replace the state of \"%s\"",
                            entry->id);
    return true;
}

void rn_entry_remove(RnEntry *entry)
{
    if (entry == NULL)
        return;
    (void)unlinkat(entry->dir_fd, new_state_name, 0);
    (void)unlinkat(entry->dir_fd, state_name, 0);
    /* the lock last: until it is gone the name is ours */
    (void)unlinkat(entry->dir_fd, lock_name, 0);
    (void)unlinkat(entry->base_fd, entry->id, AT_REMOVEDIR);
    free_entry(entry);
}
