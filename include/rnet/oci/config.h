/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config - config.json of an OCI bundle as a checked structure
 *
 * runtime-spec config.md and config-linux.md, ociVersion 1.0 to 1.3. What is
 * in the structure is syntactically right; whether the host can do it is the
 * plan's business. What rnet does not support yet is refused by its path in
 * the document ("linux.seccomp: not supported yet"), never dropped, unless its
 * value says nothing (json-read.h, rn_json_refuse()). Unknown properties are
 * ignored, as the specification (Extensibility) wants; annotations, which ask
 * nothing of a runtime, are checked and kept nowhere yet.
 */
#ifndef RNET_OCI_CONFIG_H
#define RNET_OCI_CONFIG_H

#include <stdint.h>

#include <rnet/sys/caps.h>
#include <rnet/sys/idmap.h>
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
} RnProcess;

typedef struct RnMount {
    char *destination; /* absolute, or relative to / as 1.0 allowed */
    char *type;        /* NULL: none given */
    char *source;      /* NULL: none given */
    char **options;    /* never NULL */
} RnMount;

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
    GArray *uid_mappings, *gid_mappings; /* of RnIdMapping */
    GPtrArray *devices;                  /* of RnDevice */
    char **masked_paths;                 /* never NULL */
    char **readonly_paths;               /* never NULL */
    uint64_t rootfs_propagation;         /* MS_* flags, 0: none given */
    bool denies_devices; /* linux.resources.devices denies all; a user
                            namespace does so by itself (mknod(2)), without
                            one it takes a cgroup program */
} RnConfig;

/*
 * Reads BUNDLE/config.json (at most 4 MiB, nesting at most 64). Malformed JSON
 * is reported with line and column. RN_ERROR_NOT_FOUND: no such directory, or
 * no config.json in it.
 */
RnConfig *rn_config_load(const char *bundle, GError **error) RN_CHECK;

/* The same from text; `name` stands for the file in errors. */
RnConfig *rn_config_parse(const char *text, gsize length, const char *name,
                          GError **error) RN_CHECK;

void rn_config_free(RnConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnConfig, rn_config_free)

#endif
