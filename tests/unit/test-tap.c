/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-tap - TAP interfaces, and the words for why there is none
 */
#include "config.h"

#include <rnet/sys/tap.h>

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <unistd.h>

#include "netns.h"

static void failure_explained_with_its_own_hint(void **state)
{
    static const struct {
        RnTapStep step;
        int errno_value;
        const char *part; /* of the message, its hint included */
    } cases[] = {
        { RN_TAP_OPEN, ENOENT, "\nhint: load it with \"sudo modprobe tun\"" },
        { RN_TAP_OPEN, ENOENT, "--device /dev/net/tun" },
        { RN_TAP_OPEN, ENODEV, "modprobe tun" },
        { RN_TAP_OPEN, ENXIO, "modprobe tun" },
        { RN_TAP_OPEN, EACCES, "sudo chmod 0666 /dev/net/tun" },
        { RN_TAP_OPEN, EACCES, "/etc/udev/rules.d" },
        { RN_TAP_OPEN, EPERM, "device control group" },
        { RN_TAP_OPEN, EMFILE, "open \"/dev/net/tun\": " },
        { RN_TAP_CREATE, EPERM, "CAP_NET_ADMIN" },
        { RN_TAP_CREATE, EBUSY, "create interface \"tap7\": " },
        { RN_TAP_CREATE, EBUSY, "of that name already" },
        { RN_TAP_CREATE, EINVAL, "of that name already" },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;

        assert_false(rn_tap_explain(cases[i].step, cases[i].errno_value, "tap7",
                                    &error));
        assert_error(error, RN_ERRNO, cases[i].errno_value, cases[i].part);
    }
}

static void name_invalid_refused_before_the_device_is_opened(void **state)
{
    static const char *const names[] = {
        "", "tap%d", "../x", "a b", "a-name-that-is-too-long",
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GError) error = NULL;
        int fd = 77;

        assert_false(rn_tap_open(names[i], &fd, &error));
        assert_error(error, RN_ERROR, RN_ERROR_INVALID, "not an interface");
        assert_int_equal(fd, 77);
    }
}

static char *open_taps(void *data)
{
    g_autoptr(GError) error = NULL;
    int fd = -1;
    int second = -1;

    (void)data;
    if (!rn_tap_open("tap7", &fd, &error))
        return g_strdup(error->message);
    if (if_nametoindex("tap7") == 0)
        return g_strdup("the interface is not there");
    if ((fcntl(fd, F_GETFL) & O_NONBLOCK) == 0 ||
        (fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0)
        return g_strdup("not non-blocking, or not close-on-exec");
    if (rn_tap_open("tap7", &second, &error) ||
        !rn_error_is_errno(error, EBUSY))
        return g_strdup("the same name could be made twice");
    (void)close(fd);
    if (if_nametoindex("tap7") != 0)
        return g_strdup("the interface outlived its fd");
    return NULL;
}

static void tap_opened_lives_as_long_as_its_fd(void **state)
{
    Netns netns = { -1, -1 };

    (void)state;
    require_tun();
    netns_open(&netns);
    netns_run(&netns, open_taps, NULL);
    netns_close(&netns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failure_explained_with_its_own_hint),
        cmocka_unit_test(name_invalid_refused_before_the_device_is_opened),
        cmocka_unit_test(tap_opened_lives_as_long_as_its_fd),
    };

    return cmocka_run_group_tests_name("tap", tests, NULL, NULL);
}
