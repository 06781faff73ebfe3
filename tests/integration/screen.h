/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * screen - a pty as a person's terminal
 */
#ifndef RNET_TESTS_SCREEN_H
#define RNET_TESTS_SCREEN_H

#include <termios.h>

#include "world.h"

typedef struct Screen {
    int master, slave;
    struct termios before;
    GString *shown; /* all of it so far */
} Screen;

/* Opens one of 33 rows and 101 columns; the slave belongs to rnet's user. */
void screen_open(const World *world, Screen *screen);

/* Reads what is shown until `part` appears. */
void screen_await(Screen *screen, const char *part);

void screen_type(const Screen *screen, const char *text);

/* Its modes are as they were. */
void screen_check_restored(const Screen *screen);

#endif
