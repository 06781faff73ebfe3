/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config-parts - the sections of config.json, each read by a file of its own
 *
 * Only for src/oci/config*.c. These are RnJsonReaders (json-read.h): `target`
 * is what the comment says, it has been zeroed or filled by an earlier reader,
 * and its owner clears it whether the reader succeeds or fails.
 */
#ifndef RNET_OCI_CONFIG_PARTS_H
#define RNET_OCI_CONFIG_PARTS_H

#include <rnet/oci/config.h>
#include <rnet/oci/json-read.h>

/* "process" into an RnProcess. */
bool rn_config_read_process(const RnJsonAt *at, void *target, GError **error);
void rn_process_init(RnProcess *process);

/* "linux" into an RnConfig. */
bool rn_config_read_linux(const RnJsonAt *at, void *target, GError **error);

/* "linux.resources" into an RnConfig: its denies_devices. */
bool rn_config_read_resources(const RnJsonAt *at, void *target, GError **error);

/* "linux.uidMappings" or "gidMappings" into a GArray * of RnIdMapping. */
bool rn_config_read_mappings(const RnJsonAt *at, void *target, GError **error);

/* "mounts" into a GPtrArray * of RnMount. */
bool rn_config_read_mounts(const RnJsonAt *at, void *target, GError **error);
void rn_mount_free(RnMount *mount);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnMount, rn_mount_free)

/* "linux.devices" into a GPtrArray * of RnDevice. */
bool rn_config_read_devices(const RnJsonAt *at, void *target, GError **error);
void rn_device_free(RnDevice *device);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnDevice, rn_device_free)

#endif
