/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * confine - seccomp allow-lists and Landlock for rnet's own helpers
 *
 * seccomp(2) through libseccomp, landlock(7) by system call. Both need
 * no_new_privs (rn_caps_confine() sets it).
 */
#ifndef RNET_SYS_CONFINE_H
#define RNET_SYS_CONFINE_H

#include <rnet/util/error.h>

/*
 * From now on only the system calls named in `allowed` (NULL-terminated) work,
 * and those to end and to return from a signal; any other fails with EPERM. A
 * name that this architecture does not have is passed over. A call through
 * another ABI (x32, 32 bit) ends the process with SIGSYS.
 *
 * Some are limited whatever the list says: open and openat only read what is
 * there; openat2 stays closed, since a filter cannot see its flags; socket
 * makes AF_INET and AF_INET6 sockets only; fcntl changes flags and pipe sizes
 * and duplicates; ioctl asks for FIONREAD, SIOCATMARK and SIOCGIFINDEX;
 * prlimit64 reads; tgkill reaches the process itself. clone, clone3, fork,
 * vfork, execve and execveat in the list are an RN_ERROR_INVALID. A build with
 * sanitizers also allows what their runtimes need.
 */
bool rn_seccomp_allow_only(const char *const *allowed, GError **error) RN_CHECK;

/*
 * From now on the system calls named in `denied` (NULL-terminated) fail with
 * EPERM, in this process and in all that it starts; a name that this
 * architecture does not have is passed over. A call through another ABI ends
 * the process with SIGSYS. For a process that has to start others; those that
 * do not, list what they need.
 */
bool rn_seccomp_deny(const char *const *denied, GError **error) RN_CHECK;

/*
 * From now on files can only be read beneath or at `readable` (paths,
 * NULL-terminated; one that does not exist or cannot be reached is passed
 * over), and nothing can be written, made or executed. Fds that are already
 * open keep working. A path stands for the file that it leads to now: where a
 * file may be replaced by rename(2), name its directory. *out_active is false
 * where the kernel has no Landlock; that is not an error.
 */
bool rn_landlock_read_only(const char *const *readable, bool *out_active,
                           GError **error) RN_CHECK;

#endif
