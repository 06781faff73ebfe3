/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load-spawn - what commands cost that run one after the other
 *
 * Role:     the start-up figures of `make bench`
 * Runs in:  the benchmark's own namespaces. Processes that lose their parent
 *           (a created container's first one) become this one's, as they
 *           become an engine's, so that their end can be awaited.
 * Failure:  a command that does not exit with 0 ends it without a figure
 */
#include "config.h"

#include "load.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t spawn(char **command)
{
    pid_t pid = fork();

    if (pid < 0)
        load_die("fork");
    if (pid == 0) {
        dup2(STDERR_FILENO, STDOUT_FILENO);
        execvp(command[0], command);
        load_die(command[0]);
    }
    return pid;
}

/* reaps until `pid` has ended: its status */
static int await_child(pid_t pid)
{
    int status = 0;
    pid_t got;

    while ((got = waitpid(-1, &status, 0)) != pid) {
        if (got < 0 && errno != EINTR)
            load_die("wait");
    }
    return status;
}

static void await_all(void)
{
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
        ;
}

static double to_ms(const struct timeval *time)
{
    return (double)time->tv_sec * 1e3 + (double)time->tv_usec / 1e3;
}

/* cuts off the command that begins at *words; *words: what follows it */
static char **take_command(char ***words)
{
    char **command = *words;
    char **word = command;

    while (*word != NULL && strcmp(*word, ",") != 0)
        word++;
    *words = *word == NULL ? word : word + 1;
    *word = NULL;
    return command;
}

/*
 * Commands separated by ",": from the start of the first to the end of the
 * last. Before the last of several all their other processes have to end.
 * ms: on the clock. cpu: user and system time of all processes, in ms. peak:
 * the largest resident set of one of them, MiB.
 */
int load_spawn(char **operands)
{
    struct rusage usage = { 0 };
    uint64_t then;
    uint64_t end;

    signal(SIGPIPE, SIG_DFL);
    if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
        load_die("become a reaper");
    then = load_now_us();
    for (char **rest = operands; *rest != NULL;) {
        char **command = take_command(&rest);
        bool is_last = *rest == NULL;
        int status;

        if (is_last && command != operands)
            await_all();
        status = await_child(spawn(command));
        if (status != 0) {
            fprintf(stderr, "bench-load: %s: status %d\n", command[0], status);
            return 1;
        }
    }
    end = load_now_us();
    await_all();
    if (getrusage(RUSAGE_CHILDREN, &usage) < 0)
        load_die("getrusage");
    printf("ms %.3f\ncpu %.3f\npeak %.3f\n", (double)(end - then) / 1000,
           to_ms(&usage.ru_utime) + to_ms(&usage.ru_stime),
           (double)usage.ru_maxrss / 1024);
    return 0;
}
