/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hook-input - the state that a hook is told, as data (pure)
 *
 * runtime-spec runtime.md, "State", and what runc and crun make of it: crun has
 * status "created" for createRuntime where runc has "creating", and a pid of 0
 * in stages that are run inside the container, where runc has the pid that is
 * known there.
 */
#ifndef RNET_DIALECT_HOOK_INPUT_H
#define RNET_DIALECT_HOOK_INPUT_H

#include <sys/types.h>

#include <jansson.h>

#include <rnet/util/error.h>

enum {
    RN_HOOK_ID_MAX = 1024 /* bytes of a container's id */
};

typedef enum RnHookTask {
    RN_HOOK_ATTACH, /* prestart, createRuntime, createContainer, poststart */
    RN_HOOK_DETACH, /* poststop */
} RnHookTask;

typedef struct RnHookInput {
    RnHookTask task;
    char *id;
    char *status;
    char *bundle;            /* absolute, or NULL */
    int64_t pid;             /* 0: none, in createContainer and poststop */
    GHashTable *annotations; /* char * to char * */
} RnHookInput;

/*
 * Reads and checks; *input is initialised in any case. A state of startContainer
 * is refused with a hint.
 */
bool rn_hook_input_read(json_t *state, RnHookInput *input,
                        GError **error) RN_CHECK;
void rn_hook_input_clear(RnHookInput *input);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RnHookInput, rn_hook_input_clear)

#endif
