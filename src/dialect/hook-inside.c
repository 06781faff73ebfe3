/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hook-inside - the createContainer stage of `rnet hook`
 *
 * Run by the container's first process, in its namespaces, before its root is
 * entered: the host's paths are there. Whom it talks to is in the state
 * directory, which only the same user can enter, and attaches to nothing that
 * this user may not enter. Failure makes the runtime give up the container.
 */
#include "config.h"

#include <rnet/dialect/hook-inside.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <net/if.h>

#include <rnet/runtime/network-entry.h>
#include <rnet/util/fd.h>

enum {
    STATUS_MAX = 1024 * 1024 /* bytes; "Groups:" can be long */
};

/* In how many pid namespaces, below that of /proc, this process has a number:
 * proc(5), NSpid. With several /proc is that of the host, this is not. */
static bool is_in_pid_namespace(void)
{
    static const char key[] = "\nNSpid:";
    g_autofree char *text = NULL;
    g_autofree char *line = NULL;
    const char *found = NULL;

    if (!rn_file_read(AT_FDCWD, "/proc/self/status", STATUS_MAX, &text, NULL,
                      NULL))
        return false;
    found = strstr(text, key);
    if (found == NULL)
        return false;
    found += strlen(key);
    line = g_strstrip(g_strndup(found, strcspn(found, "\n")));
    return strpbrk(line, " \t") != NULL;
}

#ifdef RN_SANITIZERS
/* In there the leak checker would look into the host's /proc for this process
 * by a number that is another's. It asks this at the end. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
    return is_in_pid_namespace();
}
#endif

bool rn_hook_is_inside(const RnHookInput *input)
{
    /* a container may have the host's pid namespace, and a hook's parent may
     * be a script: one of these is enough */
    return input->pid == 0 || input->pid == getppid() || is_in_pid_namespace();
}

bool rn_hook_hand_over(const char *state_dir, const char *key,
                       const RnNetworkWish *wish, GError **error)
{
    g_autoptr(GError) failure = NULL;
    rn_autofd int fd = -1;

    /* createRuntime could open the namespace itself */
    if (if_nametoindex(wish->plan.interface) != 0)
        return true;
    fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return rn_set_errno(error, errno, "open \"/proc/self/ns/net\"");
    if (rn_network_hand_over(state_dir, key, fd, &failure))
        return true;
    if (!g_error_matches(failure, RN_ERROR, RN_ERROR_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    (void)rn_set_error(error, RN_ERROR_NOT_FOUND,
                       "nobody waits for its network namespace in \"%s\"",
                       state_dir);
    return rn_error_add_hint(error,
                             "the same hook has to be in createRuntime, with "
                             "the same state directory: --root DIR before "
                             "\"hook\", or XDG_RUNTIME_DIR in the hook's "
                             "\"env\"");
}
