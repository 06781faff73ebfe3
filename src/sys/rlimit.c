/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rlimit - resource limits and their names
 *
 * Runs in init, just before it gives up its ids. Values are the bundle's.
 */
#include "config.h"

#include <rnet/sys/rlimit.h>

#include <errno.h>

#include <sys/resource.h>

static const char *const names[] = {
    [RLIMIT_AS] = "RLIMIT_AS",
    [RLIMIT_CORE] = "RLIMIT_CORE",
    [RLIMIT_CPU] = "RLIMIT_CPU",
    [RLIMIT_DATA] = "RLIMIT_DATA",
    [RLIMIT_FSIZE] = "RLIMIT_FSIZE",
    [RLIMIT_LOCKS] = "RLIMIT_LOCKS",
    [RLIMIT_MEMLOCK] = "RLIMIT_MEMLOCK",
    [RLIMIT_MSGQUEUE] = "RLIMIT_MSGQUEUE",
    [RLIMIT_NICE] = "RLIMIT_NICE",
    [RLIMIT_NOFILE] = "RLIMIT_NOFILE",
    [RLIMIT_NPROC] = "RLIMIT_NPROC",
    [RLIMIT_RSS] = "RLIMIT_RSS",
    [RLIMIT_RTPRIO] = "RLIMIT_RTPRIO",
    [RLIMIT_RTTIME] = "RLIMIT_RTTIME",
    [RLIMIT_SIGPENDING] = "RLIMIT_SIGPENDING",
    [RLIMIT_STACK] = "RLIMIT_STACK",
};
G_STATIC_ASSERT(G_N_ELEMENTS(names) == RLIMIT_NLIMITS);

const char *rn_rlimit_name(int resource)
{
    if (resource < 0 || resource >= (int)G_N_ELEMENTS(names))
        return "RLIMIT_?";
    return names[resource];
}

bool rn_rlimit_set(int resource, uint64_t soft, uint64_t hard, GError **error)
{
    const struct rlimit wanted = { .rlim_cur = soft, .rlim_max = hard };
    struct rlimit present = { 0 };
    int errno_value = 0;

    if (setrlimit((__rlimit_resource_t)resource, &wanted) == 0)
        return true;
    errno_value = errno;
    (void)rn_set_errno(error, errno_value,
                       "set %s to %" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT,
                       rn_rlimit_name(resource), soft, hard);
    if (errno_value != EPERM ||
        getrlimit((__rlimit_resource_t)resource, &present) < 0)
        return false;
    return rn_error_add_hint(error,
                             "the hard limit is %" G_GUINT64_FORMAT
                             " here, and raising it takes CAP_SYS_RESOURCE on "
                             "the host, which root may lack, too",
                             (uint64_t)present.rlim_max);
}
