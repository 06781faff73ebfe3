/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tap - creates a TAP interface and tells apart why it cannot
 *
 * Runs in nsagent, inside the container's network namespace but with the
 * host's /dev: the device remembers the namespace of the process that opened
 * it. An ordinary user meets several gates on the way; each gets its own hint.
 */
#include "config.h"

#include <rnet/sys/tap.h>

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <string.h>

#include <sys/ioctl.h>

#include <linux/if_tun.h>

#include <rnet/sys/netlink.h>
#include <rnet/util/fd.h>

#define TUN_DEVICE "/dev/net/tun"

#define HINT_MISSING                                                           \
    "load it with \"sudo modprobe tun\"; inside another container, start "     \
    "that one with \"--device " TUN_DEVICE "\""
#define HINT_CLOSED                                                            \
    "open it to users with \"sudo chmod 0666 " TUN_DEVICE "\"; to keep it "    \
    "so, put 'KERNEL==\"tun\", MODE=\"0666\"' into a file in "                 \
    "/etc/udev/rules.d"
#define HINT_DEVICE_GROUP                                                      \
    "a device control group or a security module forbids it; inside another "  \
    "container, start that one with \"--device " TUN_DEVICE "\""
#define HINT_TAKEN                                                             \
    "the namespace has an interface of that name already, which is in use or " \
    "no TAP; choose another network namespace"
#define HINT_ADMIN                                                             \
    "it takes CAP_NET_ADMIN in the user namespace that owns the network "      \
    "namespace"

static const struct {
    RnTapStep step;
    int errno_value;
    const char *hint;
} hints[] = {
    { RN_TAP_OPEN, ENOENT, HINT_MISSING },
    { RN_TAP_OPEN, ENODEV, HINT_MISSING },
    { RN_TAP_OPEN, ENXIO, HINT_MISSING },
    { RN_TAP_OPEN, EACCES, HINT_CLOSED },
    { RN_TAP_OPEN, EPERM, HINT_DEVICE_GROUP },
    { RN_TAP_CREATE, EPERM, HINT_ADMIN },
    { RN_TAP_CREATE, EBUSY, HINT_TAKEN },
    { RN_TAP_CREATE, EEXIST, HINT_TAKEN },
    /* what the kernel says when the interface there is not a TAP */
    { RN_TAP_CREATE, EINVAL, HINT_TAKEN },
};

bool rn_tap_explain(RnTapStep step, int errno_value, const char *name,
                    GError **error)
{
    if (step == RN_TAP_OPEN)
        (void)rn_set_errno(error, errno_value, "open \"%s\"", TUN_DEVICE);
    else
        (void)rn_set_errno(error, errno_value, "create interface \"%s\"", name);
    for (size_t i = 0; i < G_N_ELEMENTS(hints); i++) {
        if (hints[i].step == step && hints[i].errno_value == errno_value)
            return rn_error_add_hint(error, "%s", hints[i].hint);
    }
    return false;
}

static bool open_device(int *out_fd, GError **error)
{
    int fd = open(TUN_DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        return rn_tap_explain(RN_TAP_OPEN, errno, NULL, error);
    *out_fd = fd;
    return true;
}

bool rn_tap_is_usable(GError **error)
{
    rn_autofd int fd = -1;

    return open_device(&fd, error);
}

bool rn_tap_open(const char *name, int *out_fd, GError **error)
{
    struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
    rn_autofd int fd = -1;

    /* the kernel would take "tap%d" as a pattern */
    if (!rn_link_name_is_valid(name) || strchr(name, '%') != NULL)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "\"%s\" is not an interface name", name);
    g_strlcpy(request.ifr_name, name, sizeof request.ifr_name);
    if (!open_device(&fd, error))
        return false;
    if (ioctl(fd, TUNSETIFF, &request) < 0)
        return rn_tap_explain(RN_TAP_CREATE, errno, name, error);
    *out_fd = g_steal_fd(&fd);
    return true;
}
