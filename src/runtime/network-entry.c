/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * network-entry - networks as entries of the state directory
 *
 * Runs in whoever attaches, detaches or asks, and in the keeper. Whatever makes
 * or removes an entry, or finds one stale, holds the lock of the directory of
 * the entries while it does, so that nobody meets half an entry. That directory
 * goes with its last entry.
 * Failure: an entry that cannot be made is removed again.
 */
#include "config.h"

#include <rnet/runtime/network-entry.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <rnet/oci/state.h>
#include <rnet/sys/unix-socket.h>
#include <rnet/util/fd.h>

static const char base_name[] = "@networks";
static const char lock_name[] = "lock";
static const char control_name[] = "control";
static const char netns_name[] = "netns";

enum {
    IDENTITY_MAX = 64 /* bytes of "DEV-INO", each at most 20 digits */
};

struct RnNetworkEntry {
    char *key;
    int base_fd; /* directory of the entries */
    int dir_fd;
    int lock_fd;
    int control_fd;
};

char *rn_network_key(const char *dialect, const char *name)
{
    g_autofree char *digest = NULL;
    size_t length = strlen(dialect) + strlen("@") + strlen(name);

    if (length > RN_NETWORK_KEY_MAX || strchr(name, '/') != NULL)
        name = digest =
            g_compute_checksum_for_string(G_CHECKSUM_SHA256, name, -1);
    return g_strconcat(dialect, "@", name, NULL);
}

char *rn_network_key_of_namespace(dev_t dev, ino_t ino)
{
    return g_strdup_printf("ns@%ju-%ju", (uintmax_t)dev, (uintmax_t)ino);
}

/* What ends the exclusive use of the directory is the close of its fd, which
 * therefore is a file description of its own. */
static bool lock_base(int base_fd, int *out_fd, GError **error)
{
    rn_autofd int fd = openat(base_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || TEMP_FAILURE_RETRY(flock(fd, LOCK_EX)) < 0)
        return rn_set_errno(error, errno, "lock the directory of networks");
    *out_fd = g_steal_fd(&fd);
    return true;
}

/* The last entry may have gone, and the directory with it. */
static bool is_removed(int dir_fd)
{
    struct stat status = { 0 };

    return fstat(dir_fd, &status) < 0 || status.st_nlink == 0;
}

/* Opens and locks the directory of the entries, which is made. */
static bool make_base(const char *state_dir, int *out_fd, GError **error)
{
    g_autofree char *path = g_build_filename(state_dir, base_name, NULL);
    rn_autofd int root_fd = -1;

    if (!rn_state_open_base(state_dir, &root_fd, error))
        return false;
    for (;;) {
        rn_autofd int found = -1;
        rn_autofd int fd = -1;
        g_autoptr(GError) failure = NULL;

        if (!rn_state_open_base(path, &found, &failure)) {
            /* it went between being made and being opened */
            if (rn_error_is_errno(failure, ENOENT))
                continue;
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
        if (!lock_base(found, &fd, error))
            return false;
        if (is_removed(fd))
            continue;
        *out_fd = g_steal_fd(&fd);
        return true;
    }
}

/* The same if it is there; else *out_fd is -1. */
static bool find_base(const char *state_dir, int *out_fd, GError **error)
{
    g_autofree char *path = g_build_filename(state_dir, base_name, NULL);

    if (access(path, F_OK) < 0 && errno == ENOENT) {
        *out_fd = -1;
        return true;
    }
    return make_base(state_dir, out_fd, error);
}

/* Under its lock: then one that is there is what its name leads to. */
static void remove_base(int base_fd)
{
    /* fails while there are others in it */
    if (!is_removed(base_fd))
        (void)unlinkat(base_fd, "../@networks", AT_REMOVEDIR);
}

/* All that is in an entry, and the entry. Under the lock of the directory. */
static void remove_files(int base_fd, int dir_fd, const char *key)
{
    (void)unlinkat(dir_fd, control_name, 0);
    (void)unlinkat(dir_fd, netns_name, 0);
    (void)unlinkat(dir_fd, lock_name, 0);
    (void)unlinkat(base_fd, key, AT_REMOVEDIR);
    remove_base(base_fd);
}

static int open_entry(int base_fd, const char *key)
{
    return openat(base_fd, key,
                  O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Takes the lock of an entry if it is free; an errno. */
static int take_lock(int dir_fd, int *out_fd)
{
    rn_autofd int fd = openat(dir_fd, lock_name,
                              O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
        return errno;
    *out_fd = g_steal_fd(&fd);
    return 0;
}

static RnNetworkEntry *new_entry(const char *key)
{
    RnNetworkEntry *entry = g_new0(RnNetworkEntry, 1);

    entry->key = g_strdup(key);
    entry->base_fd = entry->dir_fd = entry->lock_fd = entry->control_fd = -1;
    return entry;
}

void rn_network_entry_release(RnNetworkEntry *entry)
{
    if (entry == NULL)
        return;
    rn_fd_close(&entry->control_fd);
    rn_fd_close(&entry->dir_fd);
    rn_fd_close(&entry->base_fd);
    /* last: until then it is this process's */
    rn_fd_close(&entry->lock_fd);
    g_free(entry->key);
    g_free(entry);
}

static bool fill_entry(RnNetworkEntry *entry, GError **error)
{
    int result = 0;

    if (mkdirat(entry->base_fd, entry->key, 0700) < 0 && errno != EEXIST)
        return rn_set_errno(error, errno, "make the entry");
    entry->dir_fd = open_entry(entry->base_fd, entry->key);
    if (entry->dir_fd < 0)
        return rn_set_errno(error, errno, "open the entry");
    result = take_lock(entry->dir_fd, &entry->lock_fd);
    if (result == EWOULDBLOCK)
        return rn_set_error(error, RN_ERROR_EXISTS, "there is one already");
    if (result != 0)
        return rn_set_errno(error, result, "lock the entry");
    /* a dead keeper's */
    (void)unlinkat(entry->dir_fd, control_name, 0);
    (void)unlinkat(entry->dir_fd, netns_name, 0);
    return rn_unix_listen(entry->dir_fd, control_name, SOCK_SEQPACKET,
                          &entry->control_fd, error) &&
           rn_fd_set_nonblocking(entry->control_fd, true, error);
}

RnNetworkEntry *rn_network_entry_new(const char *state_dir, const char *key,
                                     GError **error)
{
    rn_autofd int locked = -1;
    RnNetworkEntry *entry = NULL;

    g_return_val_if_fail(strlen(key) <= RN_NETWORK_KEY_MAX, NULL);
    if (!make_base(state_dir, &locked, error))
        return NULL;
    entry = new_entry(key);
    /* another description, which keeps nobody out */
    entry->base_fd = openat(locked, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (entry->base_fd < 0)
        (void)rn_set_errno(error, errno, "open the directory of networks");
    else if (fill_entry(entry, error))
        return entry;
    g_prefix_error(error, "network \"%s\": ", key);
    if (entry->lock_fd >= 0)
        remove_files(locked, entry->dir_fd, key);
    rn_network_entry_release(entry);
    return NULL;
}

int rn_network_entry_base(const RnNetworkEntry *entry)
{
    return entry->base_fd;
}

int rn_network_entry_lock(const RnNetworkEntry *entry)
{
    return entry->lock_fd;
}

int rn_network_entry_control(const RnNetworkEntry *entry)
{
    return entry->control_fd;
}

RnNetworkEntry *rn_network_entry_adopt(const char *key, int base_fd,
                                       int lock_fd, int control_fd)
{
    RnNetworkEntry *entry = new_entry(key);

    entry->base_fd = base_fd;
    entry->lock_fd = lock_fd;
    entry->control_fd = control_fd;
    /* -1 if somebody removed it: then there is nothing to remove later */
    entry->dir_fd = open_entry(base_fd, key);
    return entry;
}

void rn_network_entry_remove(RnNetworkEntry *entry)
{
    rn_autofd int locked = -1;

    if (entry == NULL)
        return;
    /* what fails here leaves a stale entry, which the next command removes */
    if (entry->dir_fd >= 0 && lock_base(entry->base_fd, &locked, NULL))
        remove_files(locked, entry->dir_fd, entry->key);
    rn_network_entry_release(entry);
}

/* Is somebody keeping the entry? If not, it is removed. Under the lock of the
 * directory. */
static bool is_kept(int base_fd, const char *key, int *out_dir_fd)
{
    rn_autofd int dir_fd = open_entry(base_fd, key);
    rn_autofd int lock_fd = -1;

    if (dir_fd < 0)
        return false;
    if (take_lock(dir_fd, &lock_fd) == EWOULDBLOCK) {
        *out_dir_fd = g_steal_fd(&dir_fd);
        return true;
    }
    if (lock_fd >= 0)
        remove_files(base_fd, dir_fd, key);
    return false;
}

static bool fail_missing(const char *key, GError **error)
{
    return rn_set_error(error, RN_ERROR_NOT_FOUND, "there is no network \"%s\"",
                        key);
}

/* Without waiting: EAGAIN if the queue of a keeper that hangs is full. */
static bool connect_keeper(int dir_fd, int *out_socket, GError **error)
{
    rn_autofd int socket = -1;

    if (!rn_unix_connect(dir_fd, control_name, SOCK_SEQPACKET | SOCK_NONBLOCK,
                         &socket, error) ||
        !rn_fd_set_nonblocking(socket, false, error))
        return false;
    *out_socket = g_steal_fd(&socket);
    return true;
}

/* Of an entry that is kept. Nobody listening means that its keeper is being
 * killed, and loses its fds one by one: its lock is about to go. */
static bool open_keeper(int base_fd, int dir_fd, const char *key,
                        int *out_socket, int *out_lock, GError **error)
{
    rn_autofd int lock = openat(dir_fd, lock_name, O_RDONLY | O_CLOEXEC);
    g_autoptr(GError) failure = NULL;

    if (lock < 0)
        return rn_set_errno(error, errno, "network \"%s\": open its lock", key);
    if (connect_keeper(dir_fd, out_socket, &failure)) {
        if (out_lock != NULL)
            *out_lock = g_steal_fd(&lock);
        return true;
    }
    if (rn_error_is_errno(failure, ECONNREFUSED) &&
        TEMP_FAILURE_RETRY(flock(lock, LOCK_EX)) == 0) {
        remove_files(base_fd, dir_fd, key);
        return fail_missing(key, error);
    }
    g_propagate_prefixed_error(error, g_steal_pointer(&failure),
                               "network \"%s\": ", key);
    return false;
}

bool rn_network_entry_connect(const char *state_dir, const char *key,
                              int *out_socket, int *out_lock, GError **error)
{
    rn_autofd int base_fd = -1;
    rn_autofd int dir_fd = -1;

    if (!find_base(state_dir, &base_fd, error))
        return false;
    if (base_fd < 0)
        return fail_missing(key, error);
    if (is_kept(base_fd, key, &dir_fd))
        return open_keeper(base_fd, dir_fd, key, out_socket, out_lock, error);
    remove_base(base_fd);
    return fail_missing(key, error);
}

static void collect_keys(int base_fd, DIR *folder, GPtrArray *keys)
{
    const struct dirent *item = NULL;

    while ((item = readdir(folder)) != NULL) {
        rn_autofd int dir_fd = -1;

        if (item->d_name[0] != '.' && is_kept(base_fd, item->d_name, &dir_fd))
            g_ptr_array_add(keys, g_strdup(item->d_name));
    }
}

/* Under the lock of the directory. */
static GPtrArray *list_keys(int base_fd, GError **error)
{
    g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
    int copy = openat(base_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = copy >= 0 ? fdopendir(copy) : NULL;

    if (folder == NULL) {
        (void)rn_set_errno(error, errno, "read the directory of networks");
        rn_fd_close(&copy);
        return NULL;
    }
    collect_keys(base_fd, folder, keys);
    (void)closedir(folder);
    return g_steal_pointer(&keys);
}

GPtrArray *rn_network_list(const char *state_dir, GError **error)
{
    rn_autofd int base_fd = -1;
    GPtrArray *keys = NULL;

    if (!find_base(state_dir, &base_fd, error))
        return NULL;
    if (base_fd < 0)
        return g_ptr_array_new_with_free_func(g_free);
    keys = list_keys(base_fd, error);
    remove_base(base_fd);
    return keys;
}

static void format_identity(char text[IDENTITY_MAX], dev_t dev, ino_t ino)
{
    (void)snprintf(text, IDENTITY_MAX, "%ju-%ju", (uintmax_t)dev,
                   (uintmax_t)ino);
}

static bool is_for(int base_fd, const char *key, const char *identity)
{
    g_autofree char *path = g_build_filename(key, netns_name, NULL);
    char text[IDENTITY_MAX] = "";

    return readlinkat(base_fd, path, text, sizeof text - 1) > 0 &&
           strcmp(text, identity) == 0;
}

/* The key of a network for this namespace; *out_key NULL: there is none. Under
 * the lock of the directory. */
static bool find_key(int base_fd, const char *identity, char **out_key,
                     GError **error)
{
    g_autoptr(GPtrArray) keys = list_keys(base_fd, error);

    if (keys == NULL)
        return false;
    *out_key = NULL;
    for (unsigned i = 0; i < keys->len && *out_key == NULL; i++) {
        const char *key = g_ptr_array_index(keys, i);

        if (is_for(base_fd, key, identity))
            *out_key = g_strdup(key);
    }
    return true;
}

bool rn_network_entry_claim(RnNetworkEntry *entry, dev_t dev, ino_t ino,
                            GError **error)
{
    rn_autofd int locked = -1;
    g_autofree char *other = NULL;
    char identity[IDENTITY_MAX];

    format_identity(identity, dev, ino);
    if (!lock_base(entry->base_fd, &locked, error) ||
        !find_key(locked, identity, &other, error))
        return false;
    if (other != NULL)
        return rn_set_error(error, RN_ERROR_EXISTS,
                            "the namespace has a network: \"%s\"", other);
    if (symlinkat(identity, entry->dir_fd, netns_name) < 0)
        return rn_set_errno(error, errno, "write down the namespace of \"%s\"",
                            entry->key);
    return true;
}

char *rn_network_find(const char *state_dir, dev_t dev, ino_t ino,
                      GError **error)
{
    rn_autofd int base_fd = -1;
    char identity[IDENTITY_MAX];
    char *key = NULL;

    format_identity(identity, dev, ino);
    if (!find_base(state_dir, &base_fd, error))
        return NULL;
    if (base_fd >= 0) {
        if (!find_key(base_fd, identity, &key, error))
            return NULL;
        remove_base(base_fd);
    }
    if (key == NULL)
        (void)rn_set_error(error, RN_ERROR_NOT_FOUND,
                           "the namespace has no network of rnet's");
    return key;
}
