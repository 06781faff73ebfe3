/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup-freezer - freezes and thaws a cgroup, and waits for its events
 *
 * Runs in the commands that deal with a cgroup. v2 tells through cgroup.events,
 * which can be polled; v1 tells nothing, and has to be asked again.
 */
#include "config.h"

#include <rnet/sys/cgroup-dir.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <rnet/util/fd.h>

enum {
    EVENTS_MAX = 4096, /* bytes; two short lines today */
    RETRY_MS = 1,      /* between two looks at v1's freezer */
};

/* What cgroup.events has for the key: 0, 1, or -1 for a cgroup that is gone. */
static int read_event(int fd, const char *key)
{
    char text[EVENTS_MAX] = "";
    ssize_t length = pread(fd, text, sizeof text - 1, 0);
    const char *line = text;

    if (length < 0)
        return -1;
    text[length] = '\0';
    while (line != NULL) {
        if (g_str_has_prefix(line, key) && line[strlen(key)] == ' ')
            return line[strlen(key) + 1] == '1' ? 1 : 0;
        line = strchr(line, '\n');
        line = line == NULL ? NULL : line + 1;
    }
    return 0;
}

static int64_t patience_end(void)
{
    return g_get_monotonic_time() + RN_CGROUP_PATIENCE_MS * (int64_t)1000;
}

static int milliseconds_left(int64_t end)
{
    return (int)MAX(0, (end - g_get_monotonic_time()) / 1000);
}

bool rn_cgroup_dir_wait_event(const char *path, const char *key, bool value,
                              GError **error)
{
    g_autofree char *name = g_build_filename(path, "cgroup.events", NULL);
    rn_autofd int fd = open(name, O_RDONLY | O_CLOEXEC);
    struct pollfd poll_fd = { .fd = fd, .events = POLLPRI };
    int64_t end = patience_end();
    int found = 0;

    if (fd < 0 && errno == ENOENT && !value)
        return true;
    if (fd < 0)
        return rn_set_errno(error, errno, "open \"%s\"", name);
    while ((found = read_event(fd, key)) != (value ? 1 : 0)) {
        if (found < 0 && !value)
            return true;
        if (found < 0)
            return rn_set_errno(error, ENOENT, "read \"%s\"", name);
        if (milliseconds_left(end) == 0)
            return rn_set_error(error, RN_ERROR_STATE,
                                "the cgroup \"%s\" is still not %s%s", path,
                                value ? "" : "un", key);
        (void)poll(&poll_fd, 1, milliseconds_left(end)); /* read again */
    }
    return true;
}

/* v1: true if the state is `wanted` at some time before the end. While a
 * process is being forked the kernel stays at FREEZING, and only what is
 * written once more gets hold of the child. */
static bool settle_v1(const char *path, const char *wanted, GError **error)
{
    int64_t end = patience_end();

    do {
        g_autofree char *state = NULL;

        if (!rn_cgroup_dir_write(path, "freezer.state", wanted, error) ||
            !rn_cgroup_dir_read(path, "freezer.state", &state, error))
            return false;
        if (strcmp(state, wanted) == 0)
            return true;
        (void)poll(NULL, 0, RETRY_MS); /* there is no event to wait for */
    } while (milliseconds_left(end) > 0);
    return rn_set_error(error, RN_ERROR_STATE,
                        "the cgroup \"%s\" does not become %s", path, wanted);
}

static bool settle(const char *path, unsigned version, bool frozen,
                   GError **error)
{
    if (version == 1)
        return settle_v1(path, frozen ? "FROZEN" : "THAWED", error);
    return rn_cgroup_dir_write(path, "cgroup.freeze", frozen ? "1" : "0",
                               error) &&
           rn_cgroup_dir_wait_event(path, "frozen", frozen, error);
}

bool rn_cgroup_dir_set_frozen(const char *path, unsigned version, bool frozen,
                              GError **error)
{
    if (settle(path, version, frozen, error))
        return true;
    if (frozen) /* half frozen is of no use; the first error counts */
        (void)settle(path, version, false, NULL);
    return false;
}

bool rn_cgroup_dir_is_frozen(const char *path, unsigned version)
{
    g_autofree char *text = NULL;

    if (!rn_cgroup_dir_read(path,
                            version == 1 ? "freezer.state" : "cgroup.freeze",
                            &text, NULL))
        return false;
    return version == 1 ? strcmp(text, "THAWED") != 0 : strcmp(text, "1") == 0;
}
