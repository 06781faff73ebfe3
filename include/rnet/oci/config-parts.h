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

/* "linux.namespaces" into an RnConfig: its namespaces and joins. */
bool rn_config_read_namespaces(const RnJsonAt *at, void *target,
                               GError **error);
void rn_join_free(RnJoin *join);

/* Is it given there, new or joined? `flag`: one or more CLONE_NEW* bits. */
bool rn_config_has_namespace(const RnConfig *config, uint64_t flag);

/* "linux.timeOffsets" into a GArray * of RnTimeOffset. */
bool rn_config_read_time_offsets(const RnJsonAt *at, void *target,
                                 GError **error);

/* "hooks" into the array of GPtrArray * of RnHook. */
bool rn_config_read_hooks(const RnJsonAt *at, void *target, GError **error);
void rn_hook_free(RnHook *hook);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnHook, rn_hook_free)

/* "linux.resources" into an RnResources, and two parts of it: into its GArray *
 * of RnDeviceRule and into its RnBlockResources. */
bool rn_config_read_resources(const RnJsonAt *at, void *target, GError **error);
bool rn_config_read_device_rules(const RnJsonAt *at, void *target,
                                 GError **error);
bool rn_config_read_block(const RnJsonAt *at, void *target, GError **error);

typedef enum RnZero {
    RN_ZERO_IS_ZERO,
    RN_ZERO_IS_NONE, /* says nothing, config-resources.c */
} RnZero;

/* A member that is an RnOptionalInt, and its range. */
typedef struct RnConfigNumber {
    const char *name;
    gsize offset; /* of the RnOptionalInt in the target */
    int64_t min, max;
    RnZero zero;
} RnConfigNumber;

/* Reads these members of an object (the caller has seen that it is one). */
bool rn_config_read_numbers(const RnJsonAt *at, const RnConfigNumber *numbers,
                            gsize n_numbers, void *target,
                            GError **error) RN_CHECK;

/* A device's number into an int64_t. */
bool rn_config_read_major(const RnJsonAt *at, void *target, GError **error);
bool rn_config_read_minor(const RnJsonAt *at, void *target, GError **error);

/* A network interface's name into a char *; dev_valid_name() in the kernel. */
bool rn_config_read_interface(const RnJsonAt *at, void *target, GError **error);
bool rn_config_is_interface(const char *name);

/* Sets the error `"WORD" is not WHAT` for a value. Always false. */
bool rn_config_fail_word(const RnJsonAt *at, const char *word, const char *what,
                         GError **error);

/* A string into a char *, where an empty one counts as none (NULL). */
bool rn_config_read_optional_string(const RnJsonAt *at, void *target,
                                    GError **error);

/* At least one character, of ASCII, without spaces and control characters. */
bool rn_config_is_word(const char *text);

/* Environment into a char **: "NAME=value" each. */
bool rn_config_read_env(const RnJsonAt *at, void *target, GError **error);

/* "linux.seccomp" into an RnSeccomp *. */
bool rn_config_read_seccomp(const RnJsonAt *at, void *target, GError **error);

/* "process.scheduler", "ioPriority" and "execCPUAffinity" into an RnProcess. */
bool rn_config_read_scheduler(const RnJsonAt *at, void *target, GError **error);
bool rn_config_read_io_priority(const RnJsonAt *at, void *target,
                                GError **error);
bool rn_config_read_affinity(const RnJsonAt *at, void *target, GError **error);

/* A list of CPUs, or of memory nodes, into a char *; an empty one counts as
 * none. */
bool rn_config_read_cpu_list(const RnJsonAt *at, void *target, GError **error);

void rn_sysctl_free(RnSysctl *sysctl);
void rn_net_device_free(RnNetDevice *device);

/* "uidMappings" or "gidMappings" of "linux" or of a mount into a GArray * of RnIdMapping. */
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
