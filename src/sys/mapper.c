/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mapper - newuidmap and newgidmap: finding them and running them
 *
 * Runs in the launcher. The programs are the system's, setuid root, and check
 * the ranges themselves; they get a fixed environment and no fd of ours but a
 * pipe for what they print. Whatever they say is bounded and made one line of
 * printable text, since it ends up in an error message.
 */
#include "config.h"

#include <rnet/sys/mapper.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#include <rnet/sys/process.h>
#include <rnet/util/fd.h>

enum {
    SAID_MAX = 512,     /* bytes of a mapper's output that are kept */
    EXIT_NOT_RUN = 127, /* as a shell has it */
};

typedef struct Mapper {
    const char *name;
    cap_value_t capability; /* what it needs when it is not setuid root */
} Mapper;

static const Mapper mappers[] = {
    [RN_ID_USER] = { "newuidmap", CAP_SETUID },
    [RN_ID_GROUP] = { "newgidmap", CAP_SETGID },
};
G_STATIC_ASSERT(G_N_ELEMENTS(mappers) == RN_ID_N_);

static const char search_path[] =
    "/usr/bin:/bin:/usr/local/bin:/usr/sbin:/sbin";

const char *rn_mapper_name(RnIdKind kind)
{
    return mappers[kind].name;
}

const char *rn_mapper_search_path(void)
{
    return search_path;
}

static bool has_file_capability(const char *path, cap_value_t capability)
{
    cap_t state = cap_get_file(path);
    cap_flag_value_t value = CAP_CLEAR;

    if (state == NULL)
        return false;
    if (cap_get_flag(state, capability, CAP_PERMITTED, &value) < 0)
        value = CAP_CLEAR;
    (void)cap_free(state);
    return value == CAP_SET;
}

static RnMapperState judge_file(const char *path, const struct stat *status,
                                cap_value_t capability)
{
    struct statvfs volume = { 0 };
    bool setuid_root = (status->st_mode & S_ISUID) != 0 && status->st_uid == 0;

    if (!setuid_root && !has_file_capability(path, capability))
        return RN_MAPPER_UNPRIVILEGED;
    if (statvfs(path, &volume) == 0 && (volume.f_flag & ST_NOSUID) != 0)
        return RN_MAPPER_NOSUID;
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
        return RN_MAPPER_NO_NEW_PRIVS;
    return RN_MAPPER_READY;
}

RnMapperState rn_mapper_find(RnIdKind kind, char **out_path)
{
    g_auto(GStrv) folders = g_strsplit(search_path, ":", -1);

    *out_path = NULL;
    for (char **folder = folders; *folder != NULL; folder++) {
        g_autofree char *path =
            g_build_filename(*folder, mappers[kind].name, NULL);
        struct stat status = { 0 };

        if (stat(path, &status) < 0 || !S_ISREG(status.st_mode) ||
            access(path, X_OK) < 0)
            continue;
        *out_path = g_steal_pointer(&path);
        return judge_file(*out_path, &status, mappers[kind].capability);
    }
    return RN_MAPPER_MISSING;
}

/* "newuidmap PID CONTAINER HOST SIZE ..." as an argument vector. */
static GPtrArray *make_arguments(RnIdKind kind, pid_t pid, const GArray *maps)
{
    GPtrArray *arguments = g_ptr_array_new_with_free_func(g_free);

    g_ptr_array_add(arguments, g_strdup(mappers[kind].name));
    g_ptr_array_add(arguments, g_strdup_printf("%d", (int)pid));
    for (guint i = 0; i < maps->len; i++) {
        const RnIdMapping *map = &g_array_index(maps, RnIdMapping, i);

        g_ptr_array_add(arguments, g_strdup_printf("%u", map->container_id));
        g_ptr_array_add(arguments, g_strdup_printf("%u", map->host_id));
        g_ptr_array_add(arguments, g_strdup_printf("%u", map->size));
    }
    g_ptr_array_add(arguments, NULL);
    return arguments;
}

/* The child of rn_mapper_run(): execs or tells why not on the pipe. */
static G_NORETURN void mapper_child_main(const char *path, char **arguments,
                                         int output)
{
    static char path_setting[] = "PATH=/usr/bin:/bin:/usr/sbin:/sbin";
    static char locale_setting[] = "LC_ALL=C";
    char *const environment[] = { path_setting, locale_setting, NULL };
    int null = -1;
    int high = fcntl(output, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

    rn_signals_reset();
    /* 0 may be the pipe itself if the caller was started with it closed */
    null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    null = null < 0 ? -1 : fcntl(null, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (high < 0 || null < 0 || dup2(null, STDIN_FILENO) < 0 ||
        dup2(high, STDOUT_FILENO) < 0 || dup2(high, STDERR_FILENO) < 0)
        _exit(EXIT_NOT_RUN);
    rn_fd_close_all_but(NULL, 0);
    (void)execve(path, arguments, environment);
    dprintf(STDERR_FILENO, "exec: %s", strerror(errno));
    _exit(EXIT_NOT_RUN);
}

/* Reads to EOF, keeps the first SAID_MAX bytes, as one printable line. */
static char *read_said(int fd)
{
    g_autoptr(GString) said = g_string_new(NULL);
    char chunk[SAID_MAX];
    ssize_t got = 0;

    while ((got = TEMP_FAILURE_RETRY(read(fd, chunk, sizeof chunk))) > 0) {
        gsize room = SAID_MAX - said->len;

        g_string_append_len(said, chunk, (gssize)MIN((gsize)got, room));
    }
    for (gsize i = 0; i < said->len; i++) {
        if (!g_ascii_isprint(said->str[i]))
            said->str[i] = ' ';
    }
    g_strstrip(said->str);
    return g_string_free(g_steal_pointer(&said), FALSE);
}

static bool judge_end(RnIdKind kind, const char *said, int status,
                      GError **error)
{
    const char *name = mappers[kind].name;

    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    if (*said == '\0')
        return rn_set_error(error, RN_ERROR_UNSUPPORTED,
                            "%s ended with status %d without a word", name,
                            rn_process_exit_code(status));
    /* most of its messages start with its name already */
    if (g_str_has_prefix(said, name))
        return rn_set_error(error, RN_ERROR_UNSUPPORTED, "%s", said);
    return rn_set_error(error, RN_ERROR_UNSUPPORTED, "%s: %s", name, said);
}

bool rn_mapper_run(RnIdKind kind, pid_t pid, const GArray *maps, GError **error)
{
    g_autoptr(GPtrArray) arguments = make_arguments(kind, pid, maps);
    g_autofree char *path = NULL;
    g_autofree char *said = NULL;
    int output[2] = { -1, -1 };
    rn_autofd int output_read = -1;
    rn_autofd int output_write = -1;
    rn_autofd int pidfd = -1;
    pid_t mapper_pid = -1;
    int status = 0;

    if (rn_mapper_find(kind, &path) == RN_MAPPER_MISSING)
        return rn_set_error(error, RN_ERROR_NOT_FOUND, "no %s in %s",
                            mappers[kind].name, search_path);
    if (pipe2(output, O_CLOEXEC) < 0)
        return rn_set_errno(error, errno, "make a pipe for %s",
                            mappers[kind].name);
    output_read = output[0];
    output_write = output[1];
    if (!rn_clone(0, &mapper_pid, &pidfd, error))
        return false;
    if (mapper_pid == 0)
        mapper_child_main(path, (char **)arguments->pdata, output_write);
    rn_fd_close(&output_write);
    said = read_said(output_read);
    return rn_process_reap(mapper_pid, &status, error) &&
           judge_end(kind, said, status, error);
}
