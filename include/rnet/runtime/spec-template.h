/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * spec-template - a config.json to begin with
 *
 * What `runc spec` writes, in runtime-spec 1.2: a shell on a terminal, three
 * capabilities, the usual mounts, masked and read-only paths.
 */
#ifndef RNET_RUNTIME_SPEC_TEMPLATE_H
#define RNET_RUNTIME_SPEC_TEMPLATE_H

#include <jansson.h>

#include <rnet/runtime/plan.h>

/*
 * The document, a new reference. `unified`: the host has cgroup v2 only, and
 * the container then has a cgroup namespace, as runc's.
 */
json_t *rn_spec_template(bool unified) RN_CHECK;

/*
 * Makes it one that an ordinary user can run: a user namespace in which the
 * caller is root, followed by the extra ids of `facts`, and no limits, which
 * need a cgroup. The network namespace stays, unlike with runc: rnet makes a
 * network for it without privilege.
 */
void rn_spec_make_rootless(json_t *spec, const RnHostFacts *facts);

/*
 * Writes the document for this host and caller as config.json into the
 * directory `bundle`. RN_ERROR_EXISTS if there is one.
 */
bool rn_spec_write(const char *bundle, bool rootless, GError **error) RN_CHECK;

#endif
