/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hook-files - the files by which Podman knows of a hook
 *
 * oci-hooks(5): one JSON file a hook, all stages of one get the same arguments.
 */
#ifndef RNET_DIALECT_HOOK_FILES_H
#define RNET_DIALECT_HOOK_FILES_H

#include <jansson.h>

#include <rnet/dialect/dialect.h>
#include <rnet/util/error.h>

/* All borrowed. */
typedef struct RnHookFiles {
    const char *program;          /* absolute path of rnet */
    const char *const *arguments; /* after "rnet hook
                                     --resolv-conf"; NULL: none */
    bool always; /* false: for containers with an annotation "rnet.*" */
} RnHookFiles;

/* One file's document for "createRuntime" or "poststop"; a new reference. */
json_t *rn_hook_file(const RnHookFiles *files, const char *stage) RN_CHECK;

/*
 * Makes `directory` if it is missing, and writes rnet-createRuntime.json and
 * rnet-poststop.json there, each as a whole; those that are there are replaced.
 * RN_ERROR_INVALID for texts that are not UTF-8.
 */
bool rn_hook_files_write(const RnHookFiles *files, const char *directory,
                         GError **error) RN_CHECK;

/* `rnet hook install`; a main function as those in dialect.h. */
int rn_hook_install(const RnDialectWorld *world, int argc, char **argv);

#endif
