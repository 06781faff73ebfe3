/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * terminal - the caller's terminal joined to the container's
 *
 * Puts the caller's terminal in raw mode, so that every key, Ctrl-C included,
 * is the container's, and copies bytes both ways with back-pressure. Without
 * a terminal on stdin, stdin is copied as it is and its end is passed on as
 * the end-of-file character, termios(3) VEOF.
 */
#ifndef RNET_RUNTIME_TERMINAL_H
#define RNET_RUNTIME_TERMINAL_H

#include <rnet/sys/loop.h>

typedef struct RnTerminal RnTerminal;

/* Is told once that stdout takes no more: as if the caller's terminal were
 * gone. Output is read and dropped from then on. */
typedef void (*RnTerminalGoneFunc)(void *data);

/* master_fd is borrowed; stdin and stdout are used as they are. SIGPIPE must be
 * blocked or ignored. */
RnTerminal *rn_terminal_new(RnLoop *loop, int master_fd,
                            RnTerminalGoneFunc gone, void *data,
                            GError **error) RN_CHECK;

/* Gives the container's terminal the size of the caller's, if there is one. */
void rn_terminal_copy_size(int master_fd);

/* The same after SIGWINCH. */
void rn_terminal_resize(RnTerminal *terminal);

/* Copies what is left when the container has ended, as far as stdout takes it;
 * false if turns of the loop have to bring the rest. */
bool rn_terminal_drain(RnTerminal *terminal);

/* Restores the caller's terminal. NULL is fine. */
void rn_terminal_free(RnTerminal *terminal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnTerminal, rn_terminal_free)

#endif
