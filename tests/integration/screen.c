/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * screen - see screen.h
 *
 * Role:     a person at a terminal
 * Runs in:  the world's pid 1
 * Data:     the pty's master; its slave is kept open, so that the terminal
 *           outlives rnet
 * Failure:  ends the body and shows what was on the screen
 */
#include "config.h"

#include "screen.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "check.h"
#include "run.h"

void screen_open(const World *world, Screen *screen)
{
    const struct winsize size = { .ws_row = 33, .ws_col = 101 };

    check_call(openpty(&screen->master, &screen->slave, NULL, NULL, &size) == 0,
               "openpty");
    check_call(fcntl(screen->master, F_SETFD, FD_CLOEXEC) == 0 &&
                   fcntl(screen->slave, F_SETFD, FD_CLOEXEC) == 0,
               "fcntl");
    check_call(fchown(screen->slave, world->uid, (gid_t)-1) == 0, "fchown");
    check_call(tcgetattr(screen->slave, &screen->before) == 0, "tcgetattr");
    screen->shown = g_string_new("");
}

void screen_await(Screen *screen, const char *part)
{
    char buffer[1024];

    while (strstr(screen->shown->str, part) == NULL) {
        struct pollfd polled = { .fd = screen->master, .events = POLLIN };
        int n = poll(&polled, 1, RUN_TIMEOUT_S * 1000);
        check(n == 1, "waited for \"%s\", shown: \"%s\"", part,
              screen->shown->str);
        ssize_t got = read(screen->master, buffer, sizeof(buffer));
        check_call(got > 0, "read the terminal");
        g_string_append_len(screen->shown, buffer, got);
    }
}

void screen_type(const Screen *screen, const char *text)
{
    ssize_t length = (ssize_t)strlen(text);

    check_call(write(screen->master, text, (size_t)length) == length, "type");
}

void screen_check_restored(const Screen *screen)
{
    struct termios now;

    check_call(tcgetattr(screen->slave, &now) == 0, "tcgetattr");
    check(now.c_lflag == screen->before.c_lflag &&
              now.c_iflag == screen->before.c_iflag &&
              now.c_oflag == screen->before.c_oflag,
          "the terminal's modes are not restored");
}
