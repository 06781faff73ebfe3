/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * update - other limits for a container that is there
 */
#ifndef RNET_RUNTIME_UPDATE_H
#define RNET_RUNTIME_UPDATE_H

#include <rnet/runtime/managed.h>

/* One limit as `rnet update` has it on its command line. */
typedef struct RnUpdateOption {
    const char *name;  /* "memory" of --memory */
    const char *value; /* what it takes, for the help */
    const char *help;  /* NULL: an old spelling, not shown */
} RnUpdateOption;

/* All of them; those of runc, and --cpu-shares. Ends with a NULL name. */
const RnUpdateOption *rn_update_options(void);

/*
 * Sets the limit `name` from text: numbers as config.json has them, sizes also
 * as "512m". RN_ERROR_INVALID for an unknown name or a wrong value,
 * RN_ERROR_UNSUPPORTED for what rnet does not do (Intel RDT).
 */
bool rn_update_set(RnResources *resources, const char *name, const char *text,
                   GError **error) RN_CHECK;

/*
 * Reads the "resources" object (config-linux.md, Control groups) in the file
 * `path`, or from stdin for "-", of at most RN_JSON_MAX_SIZE bytes.
 */
bool rn_update_read(const char *path, RnResources *resources,
                    GError **error) RN_CHECK;

/*
 * Sets the limits of a container that has not ended. As with runc, of the
 * limits for memory, CPU and block I/O a 0 asks for nothing: that is what
 * engines send for what they do not want to change; and no limit on memory
 * means none on memory and swap, unless swap is given.
 */
bool rn_update_apply(const RnManaged *managed, RnResources *resources,
                     GError **error) RN_CHECK;

/* The rules above alone, on plain data. */
void rn_update_settle(RnResources *resources);

#endif
