/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ps-filter - the lines of some processes out of what ps(1) prints
 */
#ifndef RNET_RUNTIME_PS_FILTER_H
#define RNET_RUNTIME_PS_FILTER_H

#include <sys/types.h>

#include <rnet/util/error.h>

typedef struct RnPsFilter RnPsFilter;

enum {
    RN_PS_LINE_MAX = 4 * 1024 * 1024 /* bytes; the kernel gives a program less
                                        than that in arguments by default */
};

/* `pids`: GArray of pid_t in rising order, borrowed. */
RnPsFilter *rn_ps_filter_new(const GArray *pids) RN_CHECK;
void rn_ps_filter_free(RnPsFilter *filter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnPsFilter, rn_ps_filter_free)

/*
 * Takes more of the output and appends the lines to be shown, which have
 * become whole, to `shown`. Fails when the first line has no column PID, or
 * another no number there.
 */
bool rn_ps_filter_feed(RnPsFilter *filter, const char *text, gsize length,
                       GString *shown, GError **error) RN_CHECK;

#endif
