/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foreground - waits for a running container's end, as its command's front
 */
#ifndef RNET_RUNTIME_FOREGROUND_H
#define RNET_RUNTIME_FOREGROUND_H

#include <rnet/runtime/container.h>

/*
 * Between creating and starting the container: blocks the signals that will be
 * passed on, so that one that comes early waits for the payload instead of
 * ending rnet, and gives the container's terminal its size.
 */
bool rn_foreground_prepare(const RnContainer *container,
                           GError **error) RN_CHECK;

/*
 * Supervises the network, passes signals and the terminal on (see rn_run()),
 * and reaps the container when it ends. The container's network stays in
 * `loop`, which therefore must live longer than the container.
 */
bool rn_foreground_wait(RnContainer *container, const RnPlan *plan,
                        RnLoop *loop, int *out_exit_code,
                        GError **error) RN_CHECK;

#endif
