/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "holder.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <sys/prctl.h>

#include <rnet/sys/process.h>
#include <rnet/util/fd.h>

const HolderKind holder_kinds[HOLDER_KINDS] = {
    { CLONE_NEWUSER, "user" },     { CLONE_NEWPID, "pid" },
    { CLONE_NEWNET, "net" },       { CLONE_NEWIPC, "ipc" },
    { CLONE_NEWUTS, "uts" },       { CLONE_NEWTIME, "time" },
    { CLONE_NEWCGROUP, "cgroup" }, { CLONE_NEWNS, "mnt" },
};

static bool write_file(const char *process, const char *file, const char *text)
{
    g_autofree char *path = g_strdup_printf("/proc/%s/%s", process, file);

    return rn_file_write(AT_FDCWD, path, text, NULL);
}

static bool map_ids(const char *process, unsigned uid, unsigned gid)
{
    g_autofree char *uids = g_strdup_printf("0 %u 1", uid);
    g_autofree char *gids = g_strdup_printf("0 %u 1", gid);

    return write_file(process, "setgroups", "deny") &&
           write_file(process, "uid_map", uids) &&
           write_file(process, "gid_map", gids);
}

void holder_start(Holder *holder, uint64_t namespaces)
{
    g_autofree char *process = NULL;
    g_autoptr(GError) error = NULL;

    if (!rn_clone(namespaces, &holder->pid, &holder->pidfd, &error))
        assert_no_error(error);
    if (holder->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        for (;;)
            (void)pause();
    }
    process = g_strdup_printf("%d", (int)holder->pid);
    if ((namespaces & CLONE_NEWUSER) != 0)
        assert_true(map_ids(process, geteuid(), getegid()));
}

void holder_end(Holder *holder)
{
    rn_process_end(holder->pid, &holder->pidfd);
}

char *holder_ns_path(pid_t pid, const char *name)
{
    return pid == 0 ? g_strconcat("/proc/self/ns/", name, NULL)
                    : g_strdup_printf("/proc/%d/ns/%s", (int)pid, name);
}

char *holder_describe(pid_t pid, uint64_t flags)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (unsigned i = 0; i < HOLDER_KINDS; i++) {
        g_autofree char *path = holder_ns_path(pid, holder_kinds[i].name);
        g_autofree char *link = NULL;

        if ((flags & holder_kinds[i].flag) == 0)
            continue;
        link = g_file_read_link(path, NULL);
        g_string_append_printf(text, "%s\n", link != NULL ? link : "?");
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

bool holder_unshare_user(void)
{
    unsigned uid = geteuid();
    unsigned gid = getegid();

    return unshare(CLONE_NEWUSER) == 0 && map_ids("self", uid, gid);
}
