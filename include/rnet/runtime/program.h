/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * program - finds what to exec and says why it could not be executed
 *
 * execve(2) has one errno for many causes: ENOENT is a missing program, loader
 * or interpreter. This looks first, so that the container never counts as
 * created with a program that cannot start, and the error names the cause.
 */
#ifndef RNET_RUNTIME_PROGRAM_H
#define RNET_RUNTIME_PROGRAM_H

#include <rnet/util/error.h>

/*
 * The text of an errno about a program. Podman and Docker find out by it which
 * exit status is theirs, docker(1) with an eye to capitals: 126 for "permission
 * denied", 127 for "no such file or directory", as Go's library has them, and
 * for "executable file not found".
 */
const char *rn_program_words(int errno_value);

/*
 * Finds `name` as execvp(3) does: with a slash it is a path as it stands, else
 * the directories of PATH in `env` are searched (without PATH: the usual six;
 * an empty element: cwd). Relative paths begin at `cwd`, an absolute path, or
 * where that is NULL at the process's own. *out_path is the path for execve(2),
 * the caller's.
 *
 * The file is then checked: a regular, executable file, not on a noexec mount;
 * an ELF program for this machine, whole, with a loader for this machine; or a
 * script whose interpreter passes the same check. RN_ERROR_PROGRAM_MISSING:
 * there is no such program; RN_ERROR_PROGRAM_UNRUNNABLE: there is, but it
 * cannot run. The texts are those of rn_program_words().
 *
 * With foreign_formats (binfmt_misc has entries) unknown formats and other
 * machines' programs pass.
 */
bool rn_program_find(const char *name, char **env, const char *cwd,
                     bool foreign_formats, char **out_path,
                     GError **error) RN_CHECK;

#endif
