/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup-world - processes to put into cgroups, and hosts to do it on
 */
#ifndef RNET_TESTS_UNIT_CGROUP_WORLD_H
#define RNET_TESTS_UNIT_CGROUP_WORLD_H

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <sys/mount.h>
#include <sys/wait.h>

#include <unit.h>

#include <rnet/sys/resources.h>

/* A child that waits for its end. */
static inline pid_t cgroup_world_spawn(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        for (;;)
            (void)pause();
    }
    return pid;
}

/* Kills and reaps it; the wait status. */
static inline int cgroup_world_end(pid_t pid)
{
    int status = 0;

    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, &status, 0);
    return status;
}

/* A name that no other run has. */
static inline char *cgroup_world_name(void)
{
    return g_strdup_printf("test-%d-%u", (int)getpid(), g_random_int());
}

/* A mount namespace of the caller's own in which the only cgroups are v2's;
 * what went wrong, or NULL. For a forked child, as root. */
static inline const char *cgroup_world_enter_v2(void)
{
    if (unshare(CLONE_NEWNS) < 0)
        return "unshare";
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return "make the mounts private";
    if (mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, NULL) < 0)
        return "mount cgroup2";
    return NULL;
}

static inline RnOptionalInt give(int64_t value)
{
    return (RnOptionalInt){ .given = true, .value = value };
}

/* Appends a rule for all access. */
static inline void add_rule(RnResources *resources, RnDeviceRule rule)
{
    rule.read = true;
    rule.write = true;
    rule.mknod = true;
    g_array_append_val(resources->devices, rule);
}

#endif
