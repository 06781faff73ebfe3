/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * self-seal - rnet's own binary out of a container's reach (CVE-2019-5736)
 *
 * A process of the container can open /proc/PID/exe of a process that enters
 * the container and write to it once nobody runs it any more; or name
 * /proc/self/exe as the program to run. memfd_create(2), fcntl(2), Seals.
 */
#ifndef RNET_SYS_SELF_SEAL_H
#define RNET_SYS_SELF_SEAL_H

#include <rnet/util/error.h>

/*
 * Where the caller, or a container that it makes, might write to the running
 * binary, the process executes it again where nobody can write: on a read-only
 * mount that no namespace has, or, without CAP_SYS_ADMIN, as a sealed copy in
 * memory. It does so with `argv` (the original one: GOption takes arguments out
 * of it) and the same environment: it starts anew and calls this again, which
 * then does nothing. So it comes first in main(), before any thread, file or
 * state. Without need, an ordinary user of a binary that root has installed, it
 * returns true at once.
 *
 * Cost: a second exec; of a copy, also its making (0.25 ms of CPU for 0.6 MB,
 * measured), and the file's size in memory for as long as a process runs it.
 */
bool rn_self_seal(char **argv, GError **error) RN_CHECK;

#endif
