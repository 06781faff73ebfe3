/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * seccomp - system call lists for rnet's own processes
 *
 * An allow-list in the relay and in nsagent, at the end of their set-up; a
 * list of what is denied in the slirp4netns dialect. What is not allowed fails
 * with EPERM, so that a library's fallback path gets its chance;
 * a call through another ABI (x32, 32 bit) is no accident and ends the process.
 * On failure no filter is loaded.
 */
#include "config.h"

#include <rnet/sys/confine.h>

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <seccomp.h>
#include <string.h>
#include <unistd.h>

#include <linux/sockios.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <rnet/util/log.h>

/* No process can do without: to end, and to go on after a signal. */
static const char *const essential[] = {
    "exit",
    "exit_group",
    "rt_sigreturn",
    "restart_syscall",
#ifdef RN_SANITIZERS
    /* what the sanitizers' runtimes call at any time, to report above all */
    "close",
    "dup",
    "fstat",
    "futex",
    "getpid",
    "getrlimit",
    "gettid",
    "getuid",
    "lseek",
    "madvise",
    "mmap",
    "mprotect",
    "mremap",
    "munmap",
    "newfstatat",
    "openat",
    "prctl",
    "prlimit64",
    "read",
    "readlink",
    "readlinkat",
    "rt_sigaction",
    "rt_sigprocmask",
    "sched_getaffinity",
    "sched_yield",
    "sigaltstack",
    "stat",
    "sysinfo",
    "uname",
    "write",
#endif
};

/* A new process would be a new start: a list that has one is a mistake. */
static const char *const refused[] = {
    "clone", "clone3", "execve", "execveat", "fork", "vfork",
};

/* An open that cannot make, change or truncate a file. */
static const scmp_datum_t open_mask = O_ACCMODE | O_CREAT | O_TRUNC;

/* What is harmless of fcntl(2): flags, duplicates, the size of pipes. */
#define FCNTL_COMMANDS                                                         \
    {                                                                          \
        F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC, F_GETPIPE_SZ,     \
            F_SETPIPE_SZ                                                       \
    }

#define SOCKET_LEVELS                                                          \
    {                                                                          \
        SOL_SOCKET, IPPROTO_IP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_IPV6         \
    }

/* An argument, and the values of it that are let through. */
typedef struct ArgumentLimit {
    const char *name;
    unsigned argument; /* counted from 0 */
    unsigned n_values;
    scmp_datum_t values[8];
} ArgumentLimit;

/*
 * No AF_UNIX: behind a path or an abstract name wait the user's session bus and
 * agents. No fcntl() and ioctl() that make an fd send signals (F_SETOWN,
 * FIOSETOWN), which would reach any process of the user, and none for
 * terminals. Limits are only read, as prlimit(2) would set another process's.
 * No options of packet sockets (the link can be one), whose rings and fan-outs
 * are a large part of the kernel that nobody here needs.
 */
static const ArgumentLimit argument_limits[] = {
    { "socket", 0, 2, { AF_INET, AF_INET6 } },
    { "fcntl", 1, 7, FCNTL_COMMANDS },
    { "fcntl64", 1, 7, FCNTL_COMMANDS },
    { "ioctl", 1, 3, { FIONREAD, SIOCATMARK, SIOCGIFINDEX } },
    { "prlimit64", 2, 1, { 0 } },
    { "setsockopt", 1, 5, SOCKET_LEVELS },
};

static bool add_rule(scmp_filter_ctx filter, const char *name, int number,
                     const struct scmp_arg_cmp *condition, GError **error)
{
    int result = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number,
                                        condition == NULL ? 0 : 1, condition);

    if (result == 0 || result == -EEXIST) /* listed twice */
        return true;
    return rn_set_errno(error, -result, "allow the system call \"%s\"", name);
}

static bool allow_values(scmp_filter_ctx filter, const ArgumentLimit *limit,
                         int number, GError **error)
{
    for (unsigned i = 0; i < limit->n_values; i++) {
        const struct scmp_arg_cmp condition =
            SCMP_CMP(limit->argument, SCMP_CMP_EQ, limit->values[i]);

        if (!add_rule(filter, limit->name, number, &condition, error))
            return false;
    }
    return true;
}

static bool allow_open(scmp_filter_ctx filter, const char *name, int number,
                       GError **error)
{
    const struct scmp_arg_cmp condition =
        SCMP_A1(SCMP_CMP_MASKED_EQ, open_mask, O_RDONLY);

    return add_rule(filter, name, number, &condition, error);
}

static bool allow_openat(scmp_filter_ctx filter, const char *name, int number,
                         GError **error)
{
    const struct scmp_arg_cmp condition =
        SCMP_A2(SCMP_CMP_MASKED_EQ, open_mask, O_RDONLY);

    return add_rule(filter, name, number, &condition, error);
}

/* abort(3) sends its signal with it; it would reach other processes as well. */
static bool allow_own_threads(scmp_filter_ctx filter, const char *name,
                              int number, GError **error)
{
    const struct scmp_arg_cmp condition =
        SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid());

    return add_rule(filter, name, number, &condition, error);
}

/* Its flags lie behind a pointer, where no filter can look. */
static bool pass_over(scmp_filter_ctx filter, const char *name, int number,
                      GError **error)
{
    (void)filter;
    (void)number;
    (void)error;
    rn_log_debug("seccomp: \"%s\" stays closed", name);
    return true;
}

/* The calls that are opened in another way, whatever the list says. */
static const struct {
    const char *name;
    bool (*allow)(scmp_filter_ctx filter, const char *name, int number,
                  GError **error);
} limited[] = {
    { "open", allow_open },
    { "openat", allow_openat },
    { "openat2", pass_over },
    { "tgkill", allow_own_threads },
};

static bool is_refused(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
        if (strcmp(refused[i], name) == 0)
            return true;
    }
    return false;
}

static bool allow_call(scmp_filter_ctx filter, const char *name, GError **error)
{
    int number = seccomp_syscall_resolve_name(name);

    if (is_refused(name))
        return rn_set_error(error, RN_ERROR_INVALID,
                            "the system call \"%s\" is never allowed", name);
    /* negative: libseccomp knows it on other architectures only, or not */
    if (number < 0) {
        rn_log_debug("seccomp: there is no \"%s\" here", name);
        return true;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(limited); i++) {
        if (strcmp(limited[i].name, name) == 0)
            return limited[i].allow(filter, name, number, error);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(argument_limits); i++) {
        if (strcmp(argument_limits[i].name, name) == 0)
            return allow_values(filter, &argument_limits[i], number, error);
    }
    return add_rule(filter, name, number, NULL, error);
}

static bool fill_filter(scmp_filter_ctx filter, const char *const *allowed,
                        GError **error)
{
    int result = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH,
                                  SCMP_ACT_KILL_PROCESS);

    if (result == 0) /* seccomp_load() then gives the kernel's errno */
        result = seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
    if (result < 0)
        return rn_set_errno(error, -result, "set up a seccomp filter");
    for (gsize i = 0; i < G_N_ELEMENTS(essential); i++) {
        if (!allow_call(filter, essential[i], error))
            return false;
    }
    for (const char *const *name = allowed; *name != NULL; name++) {
        if (!allow_call(filter, *name, error))
            return false;
    }
    return true;
}

bool rn_seccomp_allow_only(const char *const *allowed, GError **error)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    bool filled = false;
    int result = 0;

    if (filter == NULL)
        return rn_set_errno(error, ENOMEM, "make a seccomp filter");
    filled = fill_filter(filter, allowed, error);
    if (filled)
        result = seccomp_load(filter);
    seccomp_release(filter);
    /* compiling a filter leaves free memory all over the heap */
    (void)malloc_trim(0);
    if (result < 0)
        return rn_set_errno(error, -result, "load a seccomp filter");
    return filled;
}

static bool deny_calls(scmp_filter_ctx filter, const char *const *denied,
                       GError **error)
{
    int result = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH,
                                  SCMP_ACT_KILL_PROCESS);

    if (result == 0)
        result = seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
    if (result < 0)
        return rn_set_errno(error, -result, "set up a seccomp filter");
    for (const char *const *name = denied; *name != NULL; name++) {
        int number = seccomp_syscall_resolve_name(*name);

        if (number < 0) /* not of this architecture */
            continue;
        result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 0);
        if (result < 0)
            return rn_set_errno(error, -result, "deny the system call \"%s\"",
                                *name);
    }
    return true;
}

bool rn_seccomp_deny(const char *const *denied, GError **error)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    bool filled = false;
    int result = 0;

    if (filter == NULL)
        return rn_set_errno(error, ENOMEM, "make a seccomp filter");
    filled = deny_calls(filter, denied, error);
    if (filled)
        result = seccomp_load(filter);
    seccomp_release(filter);
    if (result < 0)
        return rn_set_errno(error, -result, "load a seccomp filter");
    return filled;
}
