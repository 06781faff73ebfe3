/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * processes - a container's pids, and ps(1) on them
 *
 * Runs in `rnet ps`. ps is a child with the caller's environment, stdin and
 * stderr; what it prints comes through a pipe. If it fails, or says what
 * cannot be understood, it is ended.
 */
#include "config.h"

#include <rnet/runtime/processes.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rnet/oci/json.h>
#include <rnet/runtime/ps-filter.h>
#include <rnet/sys/pid-namespace.h>
#include <rnet/sys/process.h>
#include <rnet/util/fd.h>

enum {
    CHUNK = 64 * 1024,  /* bytes read at a time */
    EXIT_NOT_RUN = 127, /* as a shell has it */
};

static int compare_pids(gconstpointer a, gconstpointer b)
{
    const pid_t *left = a;
    const pid_t *right = b;

    return (*left > *right) - (*left < *right);
}

bool rn_processes_list(const RnManaged *managed, GArray **out_pids,
                       GError **error)
{
    const RnCgroup *cgroup = rn_managed_cgroup(managed);
    pid_t init = rn_managed_pid(managed);

    if (rn_cgroup_exists(cgroup)) {
        if (!rn_cgroup_processes(cgroup, out_pids, error))
            return false;
        g_array_sort(*out_pids, compare_pids);
        return true;
    }
    if (init == 0) {
        *out_pids = g_array_new(FALSE, FALSE, sizeof(pid_t));
        return true;
    }
    if (rn_pid_namespace_members(init, out_pids, error))
        return true;
    g_prefix_error(error, "container \"%s\" has no cgroup: ",
                   rn_managed_record(managed)->id);
    return false;
}

json_t *rn_processes_to_json(const GArray *pids)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < pids->len; i++)
        (void)json_array_append_new(
            list, json_integer(g_array_index(pids, pid_t, i)));
    return list;
}

static G_NORETURN void ps_main(char **arguments, int output)
{
    rn_signals_reset();
    if (dup2(output, STDOUT_FILENO) < 0)
        _exit(EXIT_NOT_RUN);
    rn_fd_close_all_but(NULL, 0);
    (void)execvp(arguments[0], arguments);
    dprintf(STDERR_FILENO, "ps: %s\n", strerror(errno));
    _exit(EXIT_NOT_RUN);
}

static char **make_arguments(const char *const *arguments)
{
    g_autoptr(GPtrArray) all = g_ptr_array_new();

    g_ptr_array_add(all, g_strdup("ps"));
    for (; *arguments != NULL; arguments++)
        g_ptr_array_add(all, g_strdup(*arguments));
    if (all->len == 1)
        g_ptr_array_add(all, g_strdup("-ef"));
    g_ptr_array_add(all, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&all), FALSE);
}

static bool pass_on(int fd, const GArray *pids, RnProcessesWrite write,
                    GError **error)
{
    g_autoptr(RnPsFilter) filter = rn_ps_filter_new(pids);
    g_autoptr(GString) shown = g_string_new(NULL);
    g_autofree char *chunk = g_malloc(CHUNK);
    ssize_t got = 0;

    while ((got = TEMP_FAILURE_RETRY(read(fd, chunk, CHUNK))) > 0) {
        g_string_truncate(shown, 0);
        if (!rn_ps_filter_feed(filter, chunk, (gsize)got, shown, error) ||
            !write(shown->str, error))
            return false;
    }
    if (got < 0)
        return rn_set_errno(error, errno, "read what ps says");
    return true;
}

static bool judge_end(pid_t pid, GError **error)
{
    int status = 0;

    if (!rn_process_reap(pid, &status, error))
        return false;
    if (status == 0)
        return true;
    return rn_set_error(error, RN_ERROR_INVALID, "ps ended with status %d",
                        rn_process_exit_code(status));
}

bool rn_processes_show(const GArray *pids, const char *const *arguments,
                       RnProcessesWrite write, GError **error)
{
    g_auto(GStrv) all = make_arguments(arguments);
    int ends[2] = { -1, -1 };
    rn_autofd int input = -1;
    rn_autofd int output = -1;
    rn_autofd int pidfd = -1;
    pid_t pid = -1;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return rn_set_errno(error, errno, "make a pipe for ps");
    input = ends[0];
    output = ends[1];
    if (!rn_clone(0, &pid, &pidfd, error))
        return false;
    if (pid == 0)
        ps_main(all, output);
    rn_fd_close(&output);
    if (pass_on(input, pids, write, error))
        return judge_end(pid, error);
    rn_process_end(pid, &pidfd);
    return false;
}
