/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup-dir - one cgroup of one hierarchy, as a directory
 *
 * cgroups(7), the kernel's admin-guide/cgroup-v2.rst and cgroup-v1/. `path` is
 * the directory's, absolute; `version` is 1 or 2. Errors are RN_ERRNO unless
 * it says otherwise. What has to be waited for is waited for
 * RN_CGROUP_PATIENCE_MS at most, RN_ERROR_STATE then.
 */
#ifndef RNET_SYS_CGROUP_DIR_H
#define RNET_SYS_CGROUP_DIR_H

#include <sys/types.h>

#include <rnet/util/error.h>

enum {
    RN_CGROUP_PATIENCE_MS = 10000,
    RN_CGROUP_FILE_MAX = 64 << 20, /* bytes that are read of one file: all
                                      pids of a cgroup fit, pid_max is 2^22 */
};

/* mkdir(2); one that exists is fine, *out_made (may be NULL) then false. */
bool rn_cgroup_dir_make(const char *path, bool *out_made,
                        GError **error) RN_CHECK;

/*
 * Removes it with all below, the deepest first. One that does not exist is
 * fine. EBUSY: there are processes in it.
 */
bool rn_cgroup_dir_remove(const char *path, GError **error) RN_CHECK;

/* The whole text of a file in it, without the newline at its end. */
bool rn_cgroup_dir_read(const char *path, const char *file, char **out_text,
                        GError **error) RN_CHECK;
bool rn_cgroup_dir_write(const char *path, const char *file, const char *text,
                         GError **error) RN_CHECK;

/* True if there is a file of that name. */
bool rn_cgroup_dir_has(const char *path, const char *file);

/* Moves a process into it. */
bool rn_cgroup_dir_attach(const char *path, pid_t pid, GError **error) RN_CHECK;

/*
 * Appends the processes in it and below to `pids` (of pid_t), as the caller's
 * pid namespace has them; those that it cannot name are left out. A directory
 * that does not exist has none.
 */
bool rn_cgroup_dir_processes(const char *path, GArray *pids,
                             GError **error) RN_CHECK;

/*
 * Sends a signal to all processes in it and below, once: what they fork
 * meanwhile is missed, unless it is frozen. No other process is hit, even if a
 * pid is used again.
 */
bool rn_cgroup_dir_signal(const char *path, int signal_number,
                          GError **error) RN_CHECK;

/* Kills all processes in it and below, whatever they do, in a frozen one too
 * (it is thawed on v1), and waits until they are gone. */
bool rn_cgroup_dir_kill(const char *path, unsigned version,
                        GError **error) RN_CHECK;

/* Freezes (v1: a directory of the freezer's) or thaws, and waits for it. One
 * that cannot be frozen is thawed again. */
bool rn_cgroup_dir_set_frozen(const char *path, unsigned version, bool frozen,
                              GError **error) RN_CHECK;

/* True if it is frozen, or about to be. */
bool rn_cgroup_dir_is_frozen(const char *path, unsigned version);

/*
 * v2: waits until cgroup.events has this value of this key. A cgroup that is
 * removed meanwhile is not populated.
 */
bool rn_cgroup_dir_wait_event(const char *path, const char *key, bool value,
                              GError **error) RN_CHECK;

#endif
