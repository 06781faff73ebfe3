/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * relay-confine - what the relay may still do while it relays
 *
 * Role:     no capabilities, no new privileges; files: only resolv.conf is
 *           readable (Landlock); system calls: only those listed (seccomp)
 * Runs in:  the relay, once, with all fds at hand, before the first frame
 * Failure:  the relay does not start; a kernel without Landlock is no failure
 */
#include "config.h"

#include <rnet/net/relay.h>

#include <stdlib.h>

#include <rnet/sys/caps.h>
#include <rnet/sys/confine.h>
#include <rnet/util/log.h>

#define RESOLV_CONF "/etc/resolv.conf"

static const char *const allowed_calls[] = {
    /* waiting: the loop, and libslirp's sockets */
    "epoll_wait", "epoll_pwait", "epoll_ctl", "poll", "ppoll",
    /* poll, interrupted by a stop signal, is restarted through this */
    "restart_syscall",

    /* the link: frames */
    "read", "write", "writev",

    /* the agent and the monitor; UDP in batches; libslirp's sockets */
    "sendmsg", "recvmsg", "recvmmsg", "sendto", "recvfrom",

    /* published TCP: accepting, copying, splicing, ending */
    "accept4", "splice", "pipe2", "shutdown", "close",

    /* libslirp, ping6: outgoing connections, ping sockets */
    "socket", "bind", "connect", "getsockname", "getpeername", "setsockopt",
    "getsockopt",
    /* ... FIONREAD, SIOCATMARK; SIOCGIFINDEX of a name server's %scope */
    "ioctl",
    /* pipe sizes, O_NONBLOCK, looking for the lowest free fd */
    "fcntl", "fcntl64",
    /* how many fds there can be */
    "prlimit64", "getrlimit", "ugetrlimit",

    /* libslirp reads resolv.conf through stdio, and looks for changes */
    "openat", "open", "fstat", "newfstatat", "stat", "statx", "lseek",
    "_llseek",

    /* memory: malloc, the tables of GLib */
    "brk", "mmap", "munmap", "mremap", "madvise", "mprotect",
    /* GLib's locks and once-blocks, malloc's */
    "futex",
    /* malloc's and GLib's random seeds */
    "getrandom",
    /* qsort(3) of glibc 2.36 asks how much memory there is */
    "sysinfo",

    /* where the vDSO cannot help */
    "clock_gettime", "clock_gettime64", "gettimeofday",

    /* abort(3), so that a broken invariant leaves a trace */
    "rt_sigprocmask", "rt_sigaction", "getpid", "gettid", "tgkill", NULL
};

/* Published TCP without nsagent: libslirp's listeners (slirp-forward.c). */
static const char *const listening_calls[] = { "listen", "dup3", "accept",
                                               NULL };

/* Both lists in one, NULL-terminated; the caller frees it, not its strings. */
static const char **join_lists(const char *const *first,
                               const char *const *second)
{
    GPtrArray *all = g_ptr_array_new();

    for (; *first != NULL; first++)
        g_ptr_array_add(all, (gpointer)*first);
    for (; *second != NULL; second++)
        g_ptr_array_add(all, (gpointer)*second);
    g_ptr_array_add(all, NULL);
    return (const char **)g_ptr_array_free(all, FALSE);
}

/*
 * The file that RESOLV_CONF leads to now, and, below /run, its directory too:
 * there the file is replaced whenever the host's network changes
 * (systemd-resolved, NetworkManager, resolvconf). The caller frees it; NULL:
 * nothing to add.
 */
static char *find_resolv_directory(void)
{
    g_autofree char *target = NULL;
    char *resolved = realpath(RESOLV_CONF, NULL);

    if (resolved == NULL)
        return NULL;
    target = g_strdup(resolved);
    free(resolved);
    if (!g_str_has_prefix(target, "/run/"))
        return NULL;
    return g_path_get_dirname(target);
}

bool rn_relay_confine(bool has_agent, GError **error)
{
    static const char *const nothing[] = { NULL };
    g_autofree const char **calls =
        join_lists(allowed_calls, has_agent ? nothing : listening_calls);
    g_autofree char *directory = find_resolv_directory();
    const char *readable[] = { RESOLV_CONF, directory, NULL };
    bool has_landlock = false;

    if (!rn_caps_confine(0, error) ||
        !rn_landlock_read_only(readable, &has_landlock, error))
        return false;
    if (!has_landlock)
        rn_log_debug("no Landlock in this kernel, ignoring");
    return rn_seccomp_allow_only(calls, error);
}
