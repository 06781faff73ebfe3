/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config - config.json of an OCI bundle as a checked structure
 *
 * runtime-spec config.md and config-linux.md, ociVersion 1.0 to 1.3. What is
 * in the structure is syntactically right, and in the range that the
 * specification or the kernel has; whether the host can do it is the plan's
 * business. What rnet does not do is refused by its path in the document
 * ("linux.intelRdt: not supported"), never dropped, unless its value says
 * nothing (json-read.h, rn_json_refuse()). Unknown properties are ignored, as
 * the specification (Extensibility) wants. doc/CONFORMANCE.md has the list.
 */
#ifndef RNET_OCI_CONFIG_H
#define RNET_OCI_CONFIG_H

#include <stdint.h>

#include <rnet/oci/json-read.h>
#include <rnet/sys/caps.h>
#include <rnet/sys/idmap.h>
#include <rnet/sys/resources.h>
#include <rnet/sys/schedule.h>
#include <rnet/sys/seccomp-filter.h>
#include <rnet/util/error.h>

typedef struct RnRlimit {
    int resource; /* RLIMIT_* */
    uint64_t soft, hard;
} RnRlimit;

typedef struct RnProcess {
    bool terminal;
    uint16_t console_width, console_height; /* 0: not given */
    uint32_t uid, gid;
    GArray *additional_gids; /* of uint32_t */
    bool has_umask;
    uint32_t umask;
    char *cwd;   /* absolute */
    char **args; /* at least one */
    char **env;  /* "NAME=value" each */
    bool has_capabilities;
    RnCapSets capabilities;
    GArray *rlimits; /* of RnRlimit */
    bool no_new_privileges;
    bool has_oom_score_adj;
    int oom_score_adj;
    char *apparmor_profile; /* NULL: none given */
    char *selinux_label;    /* NULL: none given */
    bool has_scheduler;
    RnScheduler scheduler;
    bool has_io_priority;
    RnIoPriority io_priority;
    char *affinity_initial, *affinity_final; /* execCPUAffinity: CPU lists,
                                                NULL: none given */
    GPtrArray *warnings; /* of char *, for the log: what was passed over, which
                            are the names of unknown capabilities; never NULL */
} RnProcess;

typedef struct RnMount {
    char *destination; /* absolute, or relative to / as 1.0 allowed */
    char *type;        /* NULL: none given */
    char *source;      /* NULL: none given */
    char **options;    /* never NULL */
    GArray *uid_mappings, *gid_mappings; /* of RnIdMapping, for an idmapped
                                            mount; never NULL */
} RnMount;

/* A namespace to join instead of a new one. */
typedef struct RnJoin {
    uint64_t flag; /* one CLONE_NEW* bit */
    char *path;    /* absolute */
} RnJoin;

typedef struct RnTimeOffset {
    const char *clock; /* "monotonic" or "boottime" */
    int64_t seconds;
    uint32_t nanoseconds; /* below 1e9 */
} RnTimeOffset;

typedef struct RnSysctl {
    char *name; /* "net.ipv4.ip_forward" as written */
    char *value;
} RnSysctl;

/* linux.netDevices: an interface of the host that becomes the container's. */
typedef struct RnNetDevice {
    char *name;     /* the host's */
    char *new_name; /* in the container, NULL: the same */
} RnNetDevice;

/* In the order in which they run, config.md, POSIX-platform Hooks. */
typedef enum RnHookStage {
    RN_HOOK_PRESTART,
    RN_HOOK_CREATE_RUNTIME,
    RN_HOOK_CREATE_CONTAINER,
    RN_HOOK_START_CONTAINER,
    RN_HOOK_POSTSTART,
    RN_HOOK_POSTSTOP,
    RN_HOOK_N_
} RnHookStage;

typedef struct RnHook {
    char *path;         /* absolute */
    char **args;        /* argv, args[0] included; NULL: the path alone */
    char **env;         /* NULL: none given */
    uint32_t timeout_s; /* 0: none */
} RnHook;

typedef struct RnDevice {
    char *path; /* absolute */
    char type;  /* 'c', 'b', 'u' or 'p' */
    int64_t major, minor;
    bool has_mode;
    uint32_t mode, uid, gid;
} RnDevice;

typedef struct RnConfig {
    char *oci_version;
    RnProcess process;
    char *root_path; /* as written: absolute or relative to the bundle */
    bool root_readonly;
    char *hostname;                      /* NULL: none */
    char *domainname;                    /* NULL: none */
    GPtrArray *mounts;                   /* of RnMount, in order */
    uint64_t namespaces;                 /* CLONE_NEW* bits to create */
    GPtrArray *joins;                    /* of RnJoin, none of them above */
    GArray *time_offsets;                /* of RnTimeOffset */
    GArray *uid_mappings, *gid_mappings; /* of RnIdMapping */
    GPtrArray *devices;                  /* of RnDevice */
    char **masked_paths;                 /* never NULL */
    char **readonly_paths;               /* never NULL */
    uint64_t rootfs_propagation;         /* MS_* flags, 0: none given */
    char *cgroups_path;                  /* NULL: none given */
    RnResources resources;
    GPtrArray *sysctls; /* of RnSysctl */
    RnSeccomp *seccomp; /* NULL: none */
    char *mount_label;  /* NULL: none */
    bool has_personality;
    unsigned long personality;    /* personality(2) */
    GPtrArray *net_devices;       /* of RnNetDevice */
    GPtrArray *hooks[RN_HOOK_N_]; /* of RnHook; never NULL */
    GHashTable *annotations;      /* char * to char *; never NULL */
} RnConfig;

/*
 * Reads BUNDLE/config.json (at most 4 MiB, nesting at most 64). Malformed JSON
 * is reported with line and column. *out_text (may be NULL) is the document as
 * it was read, the caller's. RN_ERROR_NOT_FOUND: no such directory, or
 * no config.json in it.
 */
RnConfig *rn_config_load(const char *bundle, char **out_text,
                         GError **error) RN_CHECK;

/*
 * Reads BUNDLE/config.json in the same way, but gives the document to `read`
 * alone: what that does not want is not looked at. For who only needs a part,
 * of a bundle that another runtime may understand better.
 */
bool rn_config_look(const char *bundle, RnJsonReader read, void *target,
                    GError **error) RN_CHECK;

/*
 * Reads one "process" object by itself, for `exec --process FILE` (at most
 * 4 MiB). *process is initialised in any case.
 */
bool rn_process_load(const char *path, RnProcess *process,
                     GError **error) RN_CHECK;
void rn_process_clear(RnProcess *process);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RnProcess, rn_process_clear)

/*
 * The same for one "resources" object, for `update --resources FILE` or -.
 * `name` stands for the file in errors; *resources is initialised in any case.
 */
bool rn_resources_parse(const char *text, gsize length, const char *name,
                        RnResources *resources, GError **error) RN_CHECK;

/* The same from text; `name` stands for the file in errors. */
RnConfig *rn_config_parse(const char *text, gsize length, const char *name,
                          GError **error) RN_CHECK;

/* The types of linux.namespaces, NULL-terminated; the array is the caller's. */
const char **rn_config_namespace_words(void) RN_CHECK;

void rn_config_free(RnConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnConfig, rn_config_free)

#endif
