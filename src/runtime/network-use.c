/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * network-use - waits for the last user of a network namespace
 *
 * Runs in the keeper. In: events that say "look again", never what has
 * happened; all that counts is read anew each time. While the path leads to the
 * namespace nobody is looked for.
 * Failure: where a kind of event cannot be had (inotify(7) has limits for each
 * user) the others have to do; a failed search is tried again.
 */
#include "config.h"

#include <rnet/runtime/network-use.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <rnet/runtime/network-target.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>

enum {
    /* between two searches of /proc, which take a millisecond or more: a
     * namespace whose processes come and go is not to keep this one busy */
    SEARCH_INTERVAL_MS = 100,
    RETRY_MS = 1000,
};

struct RnNetworkUse {
    RnNetworkUseRequest request; /* its path is this one's */
    RnLoop *loop;
    char *path;
    int user;        /* pidfd of a process in the namespace, or -1 */
    int path_owner;  /* pidfd of the process whose /proc has the path */
    int inotify;     /* of the path's directory */
    int mounts;      /* /proc/self/mountinfo */
    int64_t next_ms; /* when /proc may be searched again */
    RnWatch user_watch, owner_watch, inotify_watch, mounts_watch;
    RnTimer timer;
};

static void look(RnNetworkUse *use);

static void on_timer(RnTimer *timer)
{
    look(timer->data);
}

static void look_later(RnNetworkUse *use, int64_t delay_ms)
{
    rn_loop_set_timer(use->loop, &use->timer, delay_ms, on_timer, use);
}

static bool path_leads_there(const RnNetworkUse *use)
{
    struct stat status = { 0 };

    return use->path != NULL && stat(use->path, &status) == 0 &&
           status.st_dev == use->request.dev &&
           status.st_ino == use->request.ino;
}

static void forget_user(RnNetworkUse *use)
{
    rn_watch_remove(&use->user_watch);
    rn_fd_close(&use->user);
}

static void on_user_end(RnWatch *watch, G_GNUC_UNUSED uint32_t events)
{
    RnNetworkUse *use = watch->data;

    forget_user(use);
    look(use);
}

static bool search(RnNetworkUse *use, GError **error)
{
    pid_t own = getpid();

    return rn_network_target_find_user(use->request.dev, use->request.ino, &own,
                                       1, &use->user, error) &&
           (use->user < 0 || rn_loop_add(use->loop, &use->user_watch, use->user,
                                         EPOLLIN, on_user_end, use, error));
}

static void find_user(RnNetworkUse *use)
{
    int64_t now = rn_clock_ms();
    g_autoptr(GError) failure = NULL;

    if (now < use->next_ms) {
        look_later(use, use->next_ms - now);
        return;
    }
    use->next_ms = now + SEARCH_INTERVAL_MS;
    if (!search(use, &failure)) {
        rn_log_warning("look for the network's users: %s", failure->message);
        forget_user(use);
        look_later(use, RETRY_MS);
    } else if (use->user < 0) {
        use->request.ended(use->request.data);
    }
}

static void look(RnNetworkUse *use)
{
    if (path_leads_there(use) || use->user >= 0)
        return;
    if (use->request.until_unused)
        find_user(use);
    else
        use->request.ended(use->request.data);
}

static void on_owner_end(RnWatch *watch, G_GNUC_UNUSED uint32_t events)
{
    RnNetworkUse *use = watch->data;

    rn_watch_remove(watch);
    look(use);
}

static void on_inotify(RnWatch *watch, G_GNUC_UNUSED uint32_t events)
{
    RnNetworkUse *use = watch->data;
    char buffer[4096];

    while (read(use->inotify, buffer, sizeof buffer) > 0)
        ;
    look(use);
}

static void on_mounts(RnWatch *watch, G_GNUC_UNUSED uint32_t events)
{
    look(watch->data);
}

/* The process whose directory in /proc the path is in; 0: it is elsewhere. */
static pid_t find_owner(const char *path)
{
    static const char proc[] = "/proc/";
    const char *number = path + strlen(proc);

    return g_str_has_prefix(path, proc) && g_ascii_isdigit(*number)
               ? (pid_t)g_ascii_strtoll(number, NULL, 10)
               : 0;
}

static bool watch_owner(RnNetworkUse *use, pid_t pid, GError **error)
{
    use->path_owner = (int)syscall(SYS_pidfd_open, pid, 0);
    if (use->path_owner < 0) /* it has ended: the first look will tell */
        return true;
    return rn_loop_add(use->loop, &use->owner_watch, use->path_owner, EPOLLIN,
                       on_owner_end, use, error);
}

static bool watch_folder(RnNetworkUse *use, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(use->path);

    use->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (use->inotify < 0 ||
        inotify_add_watch(use->inotify, folder,
                          IN_DELETE | IN_MOVE | IN_CREATE | IN_DELETE_SELF |
                              IN_MOVE_SELF | IN_ONLYDIR) < 0)
        return rn_set_errno(error, errno, "watch \"%s\"", folder);
    return rn_loop_add(use->loop, &use->inotify_watch, use->inotify, EPOLLIN,
                       on_inotify, use, error);
}

/* proc(5): an exceptional event when a mount comes or goes. */
static bool watch_mounts(RnNetworkUse *use, GError **error)
{
    use->mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
    if (use->mounts < 0)
        return rn_set_errno(error, errno, "open \"/proc/self/mountinfo\"");
    return rn_loop_add(use->loop, &use->mounts_watch, use->mounts, EPOLLPRI,
                       on_mounts, use, error);
}

static bool watch_path(RnNetworkUse *use, GError **error)
{
    g_autoptr(GError) failure = NULL;
    pid_t owner = find_owner(use->path);

    if (owner > 0)
        return watch_owner(use, owner, error);
    if (!watch_folder(use, &failure))
        rn_log_debug("%s", failure->message);
    return watch_mounts(use, error);
}

RnNetworkUse *rn_network_use_new(const RnNetworkUseRequest *request,
                                 RnLoop *loop, GError **error)
{
    RnNetworkUse *use = g_new0(RnNetworkUse, 1);

    use->request = *request;
    use->loop = loop;
    use->path = g_strdup(request->path);
    use->user = use->path_owner = use->inotify = use->mounts = -1;
    if (use->path != NULL && !watch_path(use, error)) {
        rn_network_use_free(use);
        return NULL;
    }
    look_later(use, 0);
    return use;
}

void rn_network_use_free(RnNetworkUse *use)
{
    if (use == NULL)
        return;
    rn_timer_cancel(&use->timer);
    forget_user(use);
    rn_watch_remove(&use->owner_watch);
    rn_watch_remove(&use->inotify_watch);
    rn_watch_remove(&use->mounts_watch);
    rn_fd_close(&use->path_owner);
    rn_fd_close(&use->inotify);
    rn_fd_close(&use->mounts);
    g_free(use->path);
    g_free(use);
}
