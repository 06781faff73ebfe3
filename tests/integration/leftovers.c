/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * leftovers - see leftovers.h
 *
 * Role:     proves that a finished container left nothing
 * Runs in:  the world's pid 1, with SIGCHLD blocked
 * Data:     /proc of the world's own pid and network namespace
 * Failure:  ends the body and names what is left
 */
#include "config.h"

#include "leftovers.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <rnet/sys/process.h>
#include <rnet/util/fd.h>

#include "check.h"

/* argv of a process, words joined by spaces; NULL for one that has none. */
static char *read_command_line(const char *pid)
{
    g_autofree char *path = g_build_filename("/proc", pid, "cmdline", NULL);
    char *text = NULL;
    gsize length = 0;

    if (!g_file_get_contents(path, &text, &length, NULL) || length == 0) {
        g_free(text);
        return NULL;
    }
    for (gsize i = 0; i + 1 < length; i++)
        text[i] = text[i] == '\0' ? ' ' : text[i];
    return text;
}

static bool is_listed(pid_t pid, const pid_t *list, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (list[i] == pid)
            return true;
    }
    return false;
}

/*
 * Reaps what is to be gone; the text names what of it is still there, NULL if
 * nothing is. Who is not the body's child yet may become it.
 */
static char *reap_all_but(const pid_t *but, unsigned n)
{
    g_autoptr(GString) list = g_string_new("");
    g_autoptr(GDir) dir = g_dir_open("/proc", 0, NULL);
    const char *name = NULL;

    check(dir != NULL, "open /proc");
    while ((name = g_dir_read_name(dir)) != NULL) {
        pid_t pid = (pid_t)strtol(name, NULL, 10);

        if (!g_ascii_isdigit(name[0]) || pid == getpid() ||
            is_listed(pid, but, n) || waitpid(pid, NULL, WNOHANG) > 0 ||
            kill(pid, 0) < 0) /* its own parent may have been faster */
            continue;
        g_autofree char *line = read_command_line(name);
        g_string_append_printf(list, " %s (%s)", name,
                               line != NULL ? line : "zombie");
    }
    return list->len > 0 ? g_string_free(g_steal_pointer(&list), FALSE) : NULL;
}

void await_no_processes_but(const pid_t *but, unsigned n)
{
    const struct timespec timeout = { .tv_sec = LEFTOVERS_TIMEOUT_S };
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    for (;;) {
        g_autofree char *left = reap_all_but(but, n);

        if (left == NULL)
            return;
        if (sigtimedwait(&set, NULL, &timeout) < 0)
            check(errno != EAGAIN, "processes left:%s", left);
    }
}

static void check_mounts(const World *world)
{
    g_autofree char *now = NULL;

    check(g_file_get_contents("/proc/self/mountinfo", &now, NULL, NULL),
          "read mountinfo");
    check(strcmp(now, world->mounts) == 0, "mounts changed to:\n%s", now);
}

void check_no_state(const World *world)
{
    g_autoptr(GDir) dir = g_dir_open(world->state_dir, 0, NULL);
    const char *name = dir != NULL ? g_dir_read_name(dir) : NULL;

    check(name == NULL, "left in %s: \"%s\"", world->state_dir, name);
    if (world->kind == WORLD_ROOT)
        return;
    g_autoptr(GDir) runtime = g_dir_open(world->runtime_dir, 0, NULL);
    while (runtime != NULL && (name = g_dir_read_name(runtime)) != NULL)
        check(strcmp(name, "rnet") == 0, "left in %s: \"%s\"",
              world->runtime_dir, name);
}

/* No TCP socket listens: column 4 of /proc/net/tcp is 0A for one that does. */
static void check_listeners(const char *path)
{
    g_autofree char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return; /* no IPv6 */
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (size_t i = 1; lines[i] != NULL; i++) {
        g_auto(GStrv) words = g_strsplit(g_strstrip(lines[i]), " ", 5);
        check(g_strv_length(words) < 4 || strcmp(words[3], "0A") != 0,
              "%s: a listener is left: %s", path, lines[i]);
    }
}

void check_nothing_left(const World *world)
{
    await_no_processes_but(NULL, 0);
    check_mounts(world);
    check_no_state(world);
    check_listeners("/proc/net/tcp");
    check_listeners("/proc/net/tcp6");
}

pid_t find_process(const char *name)
{
    g_autoptr(GDir) dir = g_dir_open("/proc", 0, NULL);
    const char *entry = NULL;

    check(dir != NULL, "open /proc");
    while ((entry = g_dir_read_name(dir)) != NULL) {
        if (!g_ascii_isdigit(entry[0]))
            continue;
        g_autofree char *line = read_command_line(entry);
        if (line == NULL)
            continue;
        line[strcspn(line, " ")] = '\0';
        if (strcmp(line, name) == 0)
            return (pid_t)strtol(entry, NULL, 10);
    }
    return 0;
}

void kill_process(pid_t pid)
{
    rn_autofd int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    GError *error = NULL;

    check_call(pidfd >= 0, "pidfd_open");
    if (!rn_pidfd_signal(pidfd, SIGKILL, &error) ||
        !rn_pidfd_wait_exit(pidfd, &error))
        check_no_error(error);
}
