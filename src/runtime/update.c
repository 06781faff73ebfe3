/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * update - limits from options or JSON, handed to the cgroup
 *
 * Runs in `rnet update`, without the entry's lock: the kernel has the limits,
 * the entry does not change. On failure some limits may be set already; the
 * error names the one that is not.
 */
#include "config.h"

#include <rnet/runtime/update.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <rnet/oci/json.h>
#include <rnet/sys/schedule.h>
#include <rnet/util/fd.h>
#include <rnet/util/parse.h>
#include <rnet/util/units.h>

typedef enum LimitKind {
    LIMIT_NUMBER, /* into an RnOptionalInt */
    LIMIT_SIZE,   /* the same, in bytes */
    LIMIT_CPUS,   /* a cpuset list, into a char * */
    LIMIT_REFUSED,
} LimitKind;

typedef struct Limit {
    LimitKind kind;
    gsize offset; /* in RnResources */
    int64_t min, max;
} Limit;

#define AT(member) G_STRUCT_OFFSET(RnResources, member)

/* In the order of limits[]. */
static const RnUpdateOption options[] = {
    { "memory", "BYTES", "Memory; -1: no limit" },
    { "memory-reservation", "BYTES", "Memory that is kept for it" },
    { "memory-swap", "BYTES", "Memory and swap together; -1: no limit" },
    { "kernel-memory", "BYTES", NULL },
    { "kernel-memory-tcp", "BYTES", NULL },
    { "cpu-period", "US", "Period of the CPU quota" },
    { "cpu-quota", "US", "CPU time in a period; -1: no limit" },
    { "cpu-burst", "US", "CPU time saved up beyond the quota" },
    { "cpu-share", "N", "CPU weight beside others, 2 to 262144" },
    { "cpu-shares", "N", NULL },
    { "cpu-rt-period", "US", "Period of the real-time quota" },
    { "cpu-rt-runtime", "US", "Real-time CPU time in a period" },
    { "cpu-idle", "0|1", "1: only CPU time that nobody else wants" },
    { "cpuset-cpus", "LIST", "CPUs to run on, like 0-3,7" },
    { "cpuset-mems", "LIST", "Memory nodes to use" },
    { "blkio-weight", "N", "Block I/O weight, 10 to 1000" },
    { "pids-limit", "N", "Number of processes; -1: no limit" },
    { "l3-cache-schema", "TEXT", NULL },
    { "mem-bw-schema", "TEXT", NULL },
    { NULL },
};

static const Limit limits[] = {
    { LIMIT_SIZE, AT(memory.limit), -1, G_MAXINT64 },
    { LIMIT_SIZE, AT(memory.reservation), -1, G_MAXINT64 },
    { LIMIT_SIZE, AT(memory.swap), -1, G_MAXINT64 },
    { LIMIT_SIZE, AT(memory.kernel), -1, G_MAXINT64 },
    { LIMIT_SIZE, AT(memory.kernel_tcp), -1, G_MAXINT64 },
    { LIMIT_NUMBER, AT(cpu.period), 0, G_MAXINT64 },
    { LIMIT_NUMBER, AT(cpu.quota), -1, G_MAXINT64 },
    { LIMIT_NUMBER, AT(cpu.burst), 0, G_MAXINT64 },
    { LIMIT_NUMBER, AT(cpu.shares), 0, 262144 },
    { LIMIT_NUMBER, AT(cpu.shares), 0, 262144 },
    { LIMIT_NUMBER, AT(cpu.realtime_period), 0, G_MAXINT64 },
    { LIMIT_NUMBER, AT(cpu.realtime_runtime), -1, G_MAXINT64 },
    { LIMIT_NUMBER, AT(cpu.idle), 0, 1 },
    { LIMIT_CPUS, AT(cpu.cpus), 0, 0 },
    { LIMIT_CPUS, AT(cpu.mems), 0, 0 },
    { LIMIT_NUMBER, AT(block.weight), 0, 1000 },
    { LIMIT_NUMBER, AT(pids_limit), -1, G_MAXINT64 },
    { LIMIT_REFUSED, 0, 0, 0 },
    { LIMIT_REFUSED, 0, 0, 0 },
};
G_STATIC_ASSERT(G_N_ELEMENTS(limits) + 1 == G_N_ELEMENTS(options));

const RnUpdateOption *rn_update_options(void)
{
    return options;
}

static bool set_number(const Limit *limit, const char *name, const char *text,
                       RnOptionalInt *target, GError **error)
{
    int64_t value = -1;
    uint64_t number = 0;

    if (strcmp(text, "-1") == 0 && limit->min < 0) {
        value = -1;
    } else if (limit->kind == LIMIT_SIZE) {
        if (!rn_parse_size(text, name, &value, error))
            return false;
    } else {
        if (!rn_parse_uint(text, 0, (uint64_t)limit->max, name, &number, error))
            return false;
        value = (int64_t)number;
    }
    *target = (RnOptionalInt){ .given = true, .value = value };
    return true;
}

static bool set_list(const char *name, const char *text, char **target,
                     GError **error)
{
    if (!rn_cpu_list_check(text, error)) {
        g_prefix_error(error, "%s: ", name);
        return false;
    }
    g_free(*target);
    *target = g_strdup(text);
    return true;
}

bool rn_update_set(RnResources *resources, const char *name, const char *text,
                   GError **error)
{
    for (unsigned i = 0; options[i].name != NULL; i++) {
        gpointer target = G_STRUCT_MEMBER_P(resources, limits[i].offset);

        if (strcmp(options[i].name, name) != 0)
            continue;
        if (limits[i].kind == LIMIT_CPUS)
            return set_list(name, text, target, error);
        if (limits[i].kind != LIMIT_REFUSED)
            return set_number(&limits[i], name, text, target, error);
        return rn_set_error(error, RN_ERROR_UNSUPPORTED,
                            "%s: Intel RDT is not supported", name);
    }
    return rn_set_error(error, RN_ERROR_INVALID, "no limit is named \"%s\"",
                        name);
}

/* To the end, also of a pipe. */
static char *read_bounded(int fd, gsize *out_length, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    char chunk[4096];
    ssize_t got = 0;

    while ((got = TEMP_FAILURE_RETRY(read(fd, chunk, sizeof chunk))) > 0) {
        g_string_append_len(text, chunk, got);
        if (text->len <= RN_JSON_MAX_SIZE)
            continue;
        (void)rn_set_error(error, RN_ERROR_LIMIT, "larger than %d bytes",
                           RN_JSON_MAX_SIZE);
        return NULL;
    }
    if (got < 0) {
        (void)rn_set_errno(error, errno, "read");
        return NULL;
    }
    *out_length = text->len;
    return g_string_free(g_steal_pointer(&text), FALSE);
}

bool rn_update_read(const char *path, RnResources *resources, GError **error)
{
    bool is_stdin = strcmp(path, "-") == 0;
    const char *name = is_stdin ? "stdin" : path;
    rn_autofd int file = -1;
    g_autofree char *text = NULL;
    gsize length = 0;

    if (!is_stdin) {
        file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (file < 0)
            return rn_set_errno(error, errno, "open \"%s\"", path);
    }
    text = read_bounded(is_stdin ? STDIN_FILENO : file, &length, error);
    if (text != NULL)
        return rn_resources_parse(text, length, name, resources, error);
    g_prefix_error(error, "%s: ", name);
    return false;
}

void rn_update_settle(RnResources *resources)
{
    RnMemoryResources *memory = &resources->memory;
    RnCpuResources *cpu = &resources->cpu;
    RnOptionalInt *const zero_is_nothing[] = {
        &memory->limit,
        &memory->reservation,
        &memory->swap,
        &memory->kernel,
        &memory->kernel_tcp,
        &cpu->shares,
        &cpu->quota,
        &cpu->period,
        &cpu->realtime_period,
        &cpu->realtime_runtime,
        &resources->block.weight,
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(zero_is_nothing); i++) {
        if (zero_is_nothing[i]->value == 0)
            zero_is_nothing[i]->given = false;
    }
    if (memory->limit.given && memory->limit.value == -1 && !memory->swap.given)
        memory->swap = memory->limit;
}

static bool apply(const RnManaged *managed, RnResources *resources,
                  GError **error)
{
    if (rn_managed_pid(managed) == 0)
        return rn_set_error(error, RN_ERROR_STATE, "the container is stopped");
    rn_update_settle(resources);
    return rn_cgroup_update(rn_managed_cgroup(managed), resources, error);
}

bool rn_update_apply(const RnManaged *managed, RnResources *resources,
                     GError **error)
{
    if (apply(managed, resources, error))
        return true;
    g_prefix_error(error, "update \"%s\": ", rn_managed_record(managed)->id);
    return false;
}
