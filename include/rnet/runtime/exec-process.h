/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exec-process - the process that `exec` is to start, from what was asked for
 *
 * As runc has it: the process of config.json with other arguments and without
 * a terminal, or the one in --process FILE; then what the options say.
 */
#ifndef RNET_RUNTIME_EXEC_PROCESS_H
#define RNET_RUNTIME_EXEC_PROCESS_H

#include <rnet/oci/config.h>

/* The command line's words, not yet checked; all borrowed, NULL: not given. */
typedef struct RnExecWishes {
    const char *process_file;  /* --process */
    const char *const *args;   /* the command; one of these two is given */
    const char *cwd;           /* --cwd */
    const char *const *env;    /* --env, "NAME=value" each */
    const char *user;          /* --user, "UID[:GID]", numbers */
    const char *const *groups; /* --additional-gids, a number each; added */
    const char *const *caps;   /* --cap, added to the bounding, effective and
                                   permitted sets */
    const char *process_label; /* --process-label */
    const char *apparmor;      /* --apparmor */
    bool terminal;             /* --tty */
    bool no_new_privileges;    /* --no-new-privs */
} RnExecWishes;

/*
 * Makes `process`, that of the container's config.json, the one to be started.
 * RN_ERROR_INVALID names the option. After a failure it is neither.
 */
bool rn_exec_process_choose(RnProcess *process, const RnExecWishes *wishes,
                            GError **error) RN_CHECK;

#endif
