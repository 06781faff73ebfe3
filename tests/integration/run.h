/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * run - rnet as a child of the test, its output captured
 *
 * Every wait is for an event (output, the process's end) and bounded by
 * RUN_TIMEOUT_S; a failed wait ends the body and shows what rnet said.
 */
#ifndef RNET_TESTS_RUN_H
#define RNET_TESTS_RUN_H

#include "world.h"

enum {
    RUN_TIMEOUT_S = 20
};

typedef struct Run {
    pid_t pid;
    int pidfd, in, out, err; /* -1 when closed; in: write end of its stdin */
    GString *out_text;       /* all of its stdout so far */
    GString *err_text;
    gsize out_read; /* how much run_read_line() has given out */
    int status;     /* as a shell has it, once it ended */
    bool ended;
} Run;

/* How a run differs from the standard; zero is the standard. */
typedef struct RunOptions {
    const char *binary;     /* NULL: world->rnet */
    const char *const *env; /* more variables, NULL-terminated, or NULL */
    unsigned nofile;        /* RLIMIT_NOFILE soft and hard, 0: as it was */
    int terminal;           /* fd for stdin to stderr, a session leader's
                               controlling terminal; 0: pipes */
    unsigned listen_fds;    /* gives it fds from 3 on, each /dev/null */
    bool leak_fds;          /* gives it fds 7 and 9 without CLOEXEC */
    bool is_untidy;         /* gives it a blocked and an ignored signal, a
                               umask, and a session keyring with a key */
} RunOptions;

/* Starts `rnet ARGS...` (NULL-terminated, without "rnet"); see run_end(). */
Run *run_start(const World *world, const char *const *args,
               const RunOptions *options) G_GNUC_WARN_UNUSED_RESULT;

/* Starts `rnet run BUNDLE` with at most one --publish SPEC (or NULL). */
Run *run_start_bundle(const World *world, const char *bundle,
                      const char *publish) G_GNUC_WARN_UNUSED_RESULT;

/* The next line of its stdout without the newline, the caller's. */
char *run_read_line(Run *run) G_GNUC_WARN_UNUSED_RESULT;

/* Reads lines up to one that starts with `prefix`; the rest of that line. */
char *run_read_until(Run *run, const char *prefix) G_GNUC_WARN_UNUSED_RESULT;

/* The same when only its appearance matters. */
void run_await(Run *run, const char *prefix);

/* Waits until it has written to its stdout; false: it ended before. */
bool run_await_output(Run *run);

/* Waits until its stderr contains `part`. */
void run_await_error(Run *run, const char *part);

/* Closes its stdin after writing `text` to it. */
void run_write(Run *run, const char *text);

void run_signal(const Run *run, int signal_number);

/* Waits for its end; returns the exit status as a shell has it. */
int run_wait(Run *run);

/* run_wait() and a check of the exit status; shows the output if wrong. */
void run_expect_exit(Run *run, int status);

/* Its stderr so far, the Run's; also of what it left behind with the pipe. */
const char *run_said(Run *run);

/* Its stdout so far is this; shows the stderr, too, if it is not. */
#define run_check_out(run, expected)                                           \
    do {                                                                       \
        const Run *run_ = (run);                                               \
        const char *expected_ = (expected);                                    \
        check(strcmp(run_->out_text->str, expected_) == 0,                     \
              "stdout \"%s\", wanted \"%s\"; stderr \"%s\"",                   \
              run_->out_text->str, expected_, run_->err_text->str);            \
    } while (0)

/* Frees; kills first if it still runs. */
void run_end(Run *run);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Run, run_end)

/* Runs a bundle to its end, which must be `status`; returns the Run. */
Run *run_bundle(const World *world, const char *bundle,
                int status) G_GNUC_WARN_UNUSED_RESULT;

/* `rnet ARGS...` to its end, which must be `status`; returns the Run. A
 * container that it leaves behind goes on writing to the Run's pipes, which
 * run_read_line() reads. */
Run *run_command(const World *world, const char *const *args,
                 int status) G_GNUC_WARN_UNUSED_RESULT;

#endif
