/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * up-child - the steps of `rnet up`'s process up to its command
 *
 * Runs in the child, in the caller's process group and with all of its fds:
 * rnet's own are CLOEXEC. A resolv.conf that cannot be replaced is a warning;
 * any other failure is sent with its step's name in front.
 */
#include "config.h"

#include <rnet/runtime/up-child.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include <rnet/runtime/program.h>
#include <rnet/sys/binfmt.h>
#include <rnet/sys/caps.h>
#include <rnet/sys/mount.h>
#include <rnet/sys/netlink.h>
#include <rnet/sys/sysctl.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>
#include <rnet/util/msg.h>
#include <rnet/util/protocol.h>

static const char resolv_conf_path[] = "/etc/resolv.conf";

typedef struct Child {
    const RnUpPlan *plan;
    int socket;
} Child;

typedef bool (*StepFunc)(const Child *child, GError **error);

typedef struct Step {
    const char *name; /* the prefix of its errors */
    StepFunc func;
} Step;

static bool hear(const Child *child, RnMsgType type, GError **error)
{
    g_auto(RnMsg) msg = { 0 };

    return rn_msg_expect(child->socket, type, 0, 0, &msg, error);
}

static bool say(const Child *child, RnMsgType type, GError **error)
{
    return rn_msg_send(child->socket, type, NULL, 0, NULL, 0, error);
}

/* Until the guard knows of it, and if that is killed: the kernel forgets this
 * when the command changes its ids. The socket tells whether rnet lives. */
static bool die_with_caller(const Child *child, GError **error)
{
    (void)child;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
        return rn_set_errno(error, errno, "ask for the caller's end");
    return true;
}

static bool wait_for_maps(const Child *child, GError **error)
{
    return hear(child, RN_MSG_MAPPED, error);
}

/* Mounts of the host's that come later show here, and none of these there. */
static bool cut_propagation(GError **error)
{
    rn_autofd int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (root_fd < 0)
        return rn_set_errno(error, errno, "open \"/\"");
    if (rn_mount_set_propagation(root_fd, MS_SLAVE | MS_REC, error))
        return true;
    g_prefix_error(error, "\"/\": ");
    return false;
}

/* A detached mount of one file. The tmpfs that it lies in has to be attached,
 * since only then can its files be cloned: in /etc, which nobody else is to see
 * in this mount namespace yet. */
static bool make_file(const char *text, int *out_fd, GError **error)
{
    rn_autofd int scratch_fd = open("/etc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    rn_autofd int folder_fd = -1;
    rn_autofd int file_fd = -1;
    rn_autofd int tree_fd = -1;

    if (scratch_fd < 0)
        return rn_set_errno(error, errno, "open \"/etc\"");
    if (!rn_mount_make_tmpfs("1m", MS_NOSUID | MS_NODEV | MS_NOEXEC, &folder_fd,
                             error) ||
        !rn_mount_attach(folder_fd, scratch_fd, error))
        return false;
    file_fd = openat(folder_fd, "resolv.conf",
                     O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (file_fd < 0)
        return rn_set_errno(error, errno, "create");
    /* whatever the caller's umask has to say */
    if (fchmod(file_fd, 0644) < 0)
        return rn_set_errno(error, errno, "change its mode");
    if (!rn_fd_write_all(file_fd, text, strlen(text), error) ||
        !rn_mount_clone(folder_fd, "resolv.conf", RN_MOUNT_ONE, &tree_fd,
                        error) ||
        !rn_mount_detach(folder_fd, error))
        return false;
    *out_fd = g_steal_fd(&tree_fd);
    return true;
}

static bool cover_resolv_conf(const char *text, GError **error)
{
    /* where its symbolic link leads */
    rn_autofd int target_fd = open(resolv_conf_path, O_PATH | O_CLOEXEC);
    rn_autofd int tree_fd = -1;

    if (target_fd < 0)
        return rn_set_errno(error, errno, "open");
    return cut_propagation(error) && make_file(text, &tree_fd, error) &&
           rn_mount_attach(tree_fd, target_fd, error);
}

static bool replace_resolv_conf(const Child *child, GError **error)
{
    g_autoptr(GError) failure = NULL;

    (void)error;
    if (child->plan->resolv_conf != NULL &&
        !cover_resolv_conf(child->plan->resolv_conf, &failure))
        rn_log_warning("the command's name servers are the host's: \"%s\": %s",
                       resolv_conf_path, failure->message);
    return true;
}

/* The command has no capability, and nobody else is in its network. */
static void open_low_ports(void)
{
    g_autoptr(GError) failure = NULL;

    if (!rn_sysctl_write("net/ipv4/ip_unprivileged_port_start", "0", &failure))
        rn_log_debug("up: %s, ignoring", failure->message);
}

static bool wait_for_network(const Child *child, GError **error)
{
    open_low_ports();
    if (child->plan->has_network) /* nsagent sets all of it up */
        return say(child, RN_MSG_READY_FOR_NETWORK, error) &&
               hear(child, RN_MSG_NETWORK_UP, error);
    return rn_netlink_loopback_up(error);
}

static bool wait_for_start(const Child *child, GError **error)
{
    return say(child, RN_MSG_PREPARED, error) &&
           hear(child, RN_MSG_START, error);
}

/* An exec takes them from an ordinary user; here is no id by which it could
 * leave any, and root of the new user namespace is to have them. */
static bool drop_capabilities(const Child *child, GError **error)
{
    const RnCapSets none = { 0 };

    (void)child;
    return geteuid() == 0 || rn_caps_apply(&none, error);
}

/* execve(2) has one errno for many causes. */
static bool explain_exec(const Child *child, int errno_value, GError **error)
{
    const char *name = child->plan->args[0];
    g_autoptr(GError) cause = NULL;
    g_autofree char *path = NULL;
    g_autofree char *text = NULL;
    g_autofree char *unused = NULL;

    if (name[0] == '\0' ||
        rn_program_find(name, (char **)child->plan->environment, NULL,
                        rn_binfmt_has_entries(), &path, &cause))
        return rn_set_error(error,
                            errno_value == ENOENT ? RN_ERROR_PROGRAM_MISSING
                                                  : RN_ERROR_PROGRAM_UNRUNNABLE,
                            "\"%s\": %s", name, rn_program_words(errno_value));
    /* its hints are about a bundle */
    text = rn_error_split(cause, &unused);
    return rn_set_error(error, (RnErrorCode)cause->code, "%s", text);
}

static bool exec_command(const Child *child, GError **error)
{
    const RnUpPlan *plan = child->plan;

    if (!say(child, RN_MSG_EXECING, error))
        return false;
    if (sigprocmask(SIG_SETMASK, &plan->signal_mask, NULL) < 0)
        return rn_set_errno(error, errno, "restore the signal mask");
    (void)execvpe(plan->args[0], plan->args, plan->environment);
    return explain_exec(child, errno, error);
}

static const Step steps[] = {
    { "process", die_with_caller },    { "user namespace", wait_for_maps },
    { "mounts", replace_resolv_conf }, { "network", wait_for_network },
    { "start", wait_for_start },       { "process", drop_capabilities },
    { "exec", exec_command },
};

void rn_up_child_main(const RnUpPlan *plan, int socket)
{
    const Child child = { .plan = plan, .socket = socket };
    GError *failure = NULL;

    for (unsigned i = 0; i < G_N_ELEMENTS(steps); i++) {
        rn_log_debug("up: %s", steps[i].name);
        if (steps[i].func(&child, &failure))
            continue;
        g_prefix_error(&failure, "%s: ", steps[i].name);
        break;
    }
    /* rnet that is gone does not hear of it */
    (void)rn_msg_send_error(child.socket, failure, NULL);
    _exit(EXIT_FAILURE);
}
