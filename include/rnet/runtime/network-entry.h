/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * network-entry - networks as entries of the state directory
 *
 *     ROOT/@networks/KEY/lock     held (flock) by the process that keeps it
 *     ROOT/@networks/KEY/control  its socket: protocol.h, CONTROL_...
 *     ROOT/@networks/KEY/netns    a link to nowhere: "DEV-INO", which namespace
 *                                 it is for
 *
 * A key says whose the network is: rn_network_key(). An entry whose lock is
 * free is stale: its keeper died, and its helpers with it. It is removed by
 * whoever meets it. "@" is in no container's id, so ROOT/@networks is nobody's
 * container.
 */
#ifndef RNET_RUNTIME_NETWORK_ENTRY_H
#define RNET_RUNTIME_NETWORK_ENTRY_H

#include <sys/types.h>

#include <jansson.h>

#include <rnet/util/error.h>

typedef struct RnNetworkEntry RnNetworkEntry;

enum {
    RN_NETWORK_KEY_MAX = 255
}; /* bytes, a file name */

/*
 * "DIALECT@NAME": the caller's string. What no file name can have, or what is
 * too long, becomes a SHA-256 of the name.
 */
char *rn_network_key(const char *dialect, const char *name) RN_CHECK;

/* "ns@DEV-INO": of a namespace that was attached to by hand. */
char *rn_network_key_of_namespace(dev_t dev, ino_t ino) RN_CHECK;

/*
 * Makes the entry, takes its lock, opens its socket (listening, non-blocking).
 * A stale one is taken over. RN_ERROR_EXISTS if it is kept by somebody.
 */
RnNetworkEntry *rn_network_entry_new(const char *state_dir, const char *key,
                                     GError **error) RN_CHECK;

/*
 * Says which namespace the entry is for. RN_ERROR_EXISTS, naming it, if another
 * network is for the same. Stale entries are removed, all of them.
 */
bool rn_network_entry_claim(RnNetworkEntry *entry, dev_t dev, ino_t ino,
                            GError **error) RN_CHECK;

/* What a detached monitor is handed; borrowed. */
int rn_network_entry_base(const RnNetworkEntry *entry);
int rn_network_entry_lock(const RnNetworkEntry *entry);
int rn_network_entry_control(const RnNetworkEntry *entry);

/* The entry in the process that was handed these fds, which are taken. */
RnNetworkEntry *rn_network_entry_adopt(const char *key, int base_fd,
                                       int lock_fd, int control_fd) RN_CHECK;

/* Removes the entry, gives up the lock, frees. NULL is fine. */
void rn_network_entry_remove(RnNetworkEntry *entry);

/* Closes this process's copies, leaves the entry to who adopted it, frees. */
void rn_network_entry_release(RnNetworkEntry *entry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnNetworkEntry, rn_network_entry_remove)

/*
 * A blocking connection to the keeper of `key`, and the file that it has locked
 * (may be NULL): both the caller's. RN_ERROR_NOT_FOUND if there is none (a stale
 * one is removed).
 */
bool rn_network_entry_connect(const char *state_dir, const char *key,
                              int *out_socket, int *out_lock,
                              GError **error) RN_CHECK;

/*
 * Ends the network of `key` and returns when it has ended. RN_ERROR_NOT_FOUND
 * as above, RN_ERROR_STATE if its keeper does not answer.
 */
bool rn_network_detach(const char *state_dir, const char *key,
                       GError **error) RN_CHECK;

/* What its keeper says of it (keeper.h), the caller's; errors as above. */
json_t *rn_network_ask(const char *state_dir, const char *key,
                       GError **error) RN_CHECK;

/*
 * Gives a keeper that waits for it (attach.h) its network namespace (borrowed)
 * and returns when the network is up. On failure that network has ended; errors
 * as above, and RN_ERROR_STATE if nobody waits for one.
 */
bool rn_network_hand_over(const char *state_dir, const char *key, int netns_fd,
                          GError **error) RN_CHECK;

/* The keys of all entries: GPtrArray of char *, the caller's. Stale ones are
 * removed. */
GPtrArray *rn_network_list(const char *state_dir, GError **error) RN_CHECK;

/* The key of the network that the namespace has, whoever made it, the caller's;
 * RN_ERROR_NOT_FOUND. */
char *rn_network_find(const char *state_dir, dev_t dev, ino_t ino,
                      GError **error) RN_CHECK;

#endif
