/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sysctls - judges and writes the bundle's kernel parameters
 *
 * rn_sysctls_check() runs in the launcher, rn_sysctls_write() in init, as the
 * container's root. In: names and values of the bundle. A file is written only
 * if it is the kernel's: opened below a /proc/sys without any link or mount on
 * the way (CVE-2025-52881 led such writes elsewhere).
 */
#include "config.h"

#include <rnet/runtime/sysctls.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include <rnet/oci/json.h>
#include <rnet/sys/rootpath.h>
#include <rnet/util/fd.h>

/* Which namespace a parameter, or all that begin so, belong to. */
typedef struct Scope {
    const char *path; /* with "/" at its end: a folder */
    uint64_t namespace_flag;
} Scope;

static const Scope scopes[] = {
    { "net/", CLONE_NEWNET },
    { "fs/mqueue/", CLONE_NEWIPC },
    { "kernel/domainname", CLONE_NEWUTS },
    { "kernel/msgmax", CLONE_NEWIPC },
    { "kernel/msgmnb", CLONE_NEWIPC },
    { "kernel/msgmni", CLONE_NEWIPC },
    { "kernel/sem", CLONE_NEWIPC },
    { "kernel/shm_rmid_forced", CLONE_NEWIPC },
    { "kernel/shmall", CLONE_NEWIPC },
    { "kernel/shmmax", CLONE_NEWIPC },
    { "kernel/shmmni", CLONE_NEWIPC },
};

typedef struct NamespaceName {
    uint64_t flag;
    const char *type; /* as config.json has it */
    const char *own;  /* this process's */
} NamespaceName;

static const NamespaceName namespace_names[] = {
    { CLONE_NEWNET, "network", "/proc/self/ns/net" },
    { CLONE_NEWIPC, "ipc", "/proc/self/ns/ipc" },
    { CLONE_NEWUTS, "uts", "/proc/self/ns/uts" },
};

static bool is_plain(const char *path)
{
    g_auto(GStrv) names = g_strsplit(path, "/", -1);

    for (char **name = names; *name != NULL; name++) {
        if (**name == '\0' || strcmp(*name, ".") == 0 ||
            strcmp(*name, "..") == 0)
            return false;
    }
    return names[0] != NULL;
}

char *rn_sysctl_path(const char *name, GError **error)
{
    g_autofree char *path = g_strdup(name);
    gsize first = strcspn(name, "./");

    for (char *c = path; name[first] == '.' && *c != '\0'; c++) {
        if (*c == '.' || *c == '/')
            *c = *c == '.' ? '/' : '.';
    }
    if (strlen(path) <= RN_SYSCTL_NAME_MAX && is_plain(path))
        return g_steal_pointer(&path);
    (void)rn_set_error(error, RN_ERROR_INVALID,
                       "is not a kernel parameter's name");
    return NULL;
}

static const Scope *find_scope(const char *path)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(scopes); i++) {
        const Scope *scope = &scopes[i];

        if (g_str_has_suffix(scope->path, "/")
                ? g_str_has_prefix(path, scope->path)
                : strcmp(path, scope->path) == 0)
            return scope;
    }
    return NULL;
}

static const NamespaceName *find_namespace(uint64_t flag)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(namespace_names); i++) {
        if (namespace_names[i].flag == flag)
            return &namespace_names[i];
    }
    g_assert_not_reached();
}

static const RnJoin *find_join(const RnPlan *plan, uint64_t flag)
{
    for (unsigned i = 0; i < plan->joins->len; i++) {
        const RnJoin *join = g_ptr_array_index(plan->joins, i);

        if (join->flag == flag)
            return join;
    }
    return NULL;
}

static bool is_own_namespace(const NamespaceName *name, const char *path)
{
    struct stat mine = { 0 };
    struct stat other = { 0 };

    return stat(name->own, &mine) == 0 && stat(path, &other) == 0 &&
           mine.st_dev == other.st_dev && mine.st_ino == other.st_ino;
}

/* `joins_count`: a joined namespace is the container's in any case. */
static bool check_scope(const RnPlan *plan, const char *path, bool joins_count,
                        GError **error)
{
    const Scope *scope = find_scope(path);
    const NamespaceName *name = NULL;
    const RnJoin *join = NULL;

    if (strcmp(path, "kernel/hostname") == 0)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "is what \"hostname\" in config.json is for");
    if (scope == NULL)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "belongs to no namespace: it would change the "
                            "host");
    if ((plan->namespaces & scope->namespace_flag) != 0)
        return true;
    name = find_namespace(scope->namespace_flag);
    join = find_join(plan, scope->namespace_flag);
    if (join != NULL && (joins_count || !is_own_namespace(name, join->path)))
        return true;
    (void)rn_set_error(error, RN_ERROR_INVALID,
                       "would change the host, since the container has no %s "
                       "namespace of its own",
                       name->type);
    return rn_error_add_hint(error,
                             "add { \"type\": \"%s\" } to "
                             "linux.namespaces",
                             name->type);
}

typedef bool (*SysctlFunc)(const RnPlan *plan, const RnSysctl *sysctl,
                           const void *data, GError **error);

static bool for_each(const RnPlan *plan, SysctlFunc func, const void *data,
                     GError **error)
{
    const GPtrArray *sysctls = plan->config->sysctls;

    for (unsigned i = 0; i < sysctls->len; i++) {
        const RnSysctl *sysctl = g_ptr_array_index(sysctls, i);

        if (!func(plan, sysctl, data, error)) {
            g_autofree char *name = rn_json_quote(sysctl->name);

            g_prefix_error(error, "linux.sysctl: %s: ", name);
            return false;
        }
    }
    return true;
}

static bool check_one(const RnPlan *plan, const RnSysctl *sysctl,
                      const void *data, GError **error)
{
    g_autofree char *path = rn_sysctl_path(sysctl->name, error);
    const bool *joins_count = data;

    if (path == NULL)
        return false;
    if (strlen(sysctl->value) > RN_SYSCTL_VALUE_MAX)
        return rn_set_error(error, RN_ERROR_LIMIT,
                            "the value is longer than %d bytes",
                            RN_SYSCTL_VALUE_MAX);
    return check_scope(plan, path, *joins_count, error);
}

bool rn_sysctls_check(const RnPlan *plan, GError **error)
{
    const bool joins_count = false;

    return for_each(plan, check_one, &joins_count, error);
}

/* A file of the procfs that /proc/sys is of. */
static bool open_parameter(int folder_fd, const char *path, int *out_fd,
                           GError **error)
{
    struct statfs status = { 0 };
    rn_autofd int fd = -1;

    if (!rn_rootpath_open_inner(folder_fd, path, O_WRONLY | O_NOFOLLOW, &fd,
                                error))
        return false;
    if (fstatfs(fd, &status) < 0 || status.f_type != PROC_SUPER_MAGIC)
        return rn_set_error(error, RN_ERROR_STATE, "is not of a proc");
    *out_fd = g_steal_fd(&fd);
    return true;
}

/* One write(2), as /proc files want it. */
static bool write_value(int folder_fd, const char *path, const char *value,
                        GError **error)
{
    rn_autofd int fd = -1;

    if (!open_parameter(folder_fd, path, &fd, error))
        return false;
    if (write(fd, value, strlen(value)) < 0)
        return rn_set_errno(error, errno, "write \"%.64s\"", value);
    return true;
}

static bool write_one(const RnPlan *plan, const RnSysctl *sysctl,
                      const void *data, GError **error)
{
    g_autofree char *path = rn_sysctl_path(sysctl->name, error);
    const int *folder_fd = data;

    (void)plan;
    if (path == NULL)
        return false;
    /* its file is root's of the host alone, the system call is not */
    if (strcmp(path, "kernel/domainname") == 0)
        return setdomainname(sysctl->value, strlen(sysctl->value)) == 0 ||
               rn_set_errno(error, errno, "set it");
    return write_value(*folder_fd, path, sysctl->value, error);
}

/* The host's /proc cannot be an image's; but a container around rnet may have
 * it read-only, and only the new one can be written. */
static bool open_folder(int root_fd, int *out_fd, GError **error)
{
    struct statfs status = { 0 };
    rn_autofd int fd = open("/proc/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return rn_set_errno(error, errno, "open \"/proc/sys\"");
    if (fstatfs(fd, &status) == 0 && (status.f_flags & ST_RDONLY) != 0) {
        rn_fd_close(&fd);
        if (!rn_rootpath_open_plain(root_fd, "/proc/sys", &fd, error))
            return false;
    }
    *out_fd = g_steal_fd(&fd);
    return true;
}

bool rn_sysctls_write(const RnPlan *plan, int root_fd, GError **error)
{
    const bool joins_count = true;
    rn_autofd int folder_fd = -1;

    if (plan->config->sysctls->len == 0)
        return true;
    return for_each(plan, check_one, &joins_count, error) &&
           open_folder(root_fd, &folder_fd, error) &&
           for_each(plan, write_one, &folder_fd, error);
}
