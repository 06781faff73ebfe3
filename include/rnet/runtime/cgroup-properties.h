/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup-properties - linux.resources and annotations as systemd's properties
 *
 * systemd.resource-control(5). What has a property is told to systemd, which
 * would else put its own idea of the file in place, at a daemon-reload say;
 * the exact value goes into the file all the same.
 */
#ifndef RNET_RUNTIME_CGROUP_PROPERTIES_H
#define RNET_RUNTIME_CGROUP_PROPERTIES_H

#include <sys/types.h>

#include <rnet/runtime/cgroup-setting.h>

/* Of a running scope in which `present` is in force: the limits alone. An
 * a(sv), floating. */
GVariant *rn_cgroup_limit_properties(const RnResources *resources,
                                     const RnCgroupPresent *present) RN_CHECK;

/*
 * Of a new scope of the process `pid` in `slice`: delegated, with accounting,
 * the limits, and what annotations (char * to char *, may be NULL) have as
 * "org.systemd.property.NAME": a value in GVariant's text form, a NAME that
 * ends in "Sec" in seconds, as runc has it. RN_ERROR_INVALID names the
 * annotation. An a(sv), floating.
 */
GVariant *rn_cgroup_scope_properties(const char *id, const char *slice,
                                     pid_t pid, const RnResources *resources,
                                     GHashTable *annotations,
                                     GError **error) RN_CHECK;

/* A list of CPUs ("0-3,7") as the bytes of AllowedCPUs; NULL: it is none, or
 * has a number above 8191, the kernel's limit. */
GVariant *rn_cgroup_cpus_to_bits(const char *list) RN_CHECK;

#endif
