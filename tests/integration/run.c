/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * run - see run.h
 *
 * Role:     spawns rnet as whom the world says and collects what it prints
 * Runs in:  the world's pid 1
 * Data:     three pipes and a pidfd; one poll() waits for all of them
 * Failure:  ends the body with the output so far
 */
#include "config.h"

#include "run.h"

#include <fcntl.h>
#include <linux/keyctl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <rnet/sys/process.h>
#include <rnet/util/fd.h>

#include "check.h"

static const RunOptions standard_options = { 0 };

static void set_limits(const World *world, const RunOptions *options)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        _exit(99);
    limit.rlim_cur = world->nofile_soft;
    if (options->nofile > 0)
        limit.rlim_cur = limit.rlim_max = options->nofile;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        _exit(99);
}

static void set_stdio(const RunOptions *options, const int ends[3])
{
    if (options->terminal > 0) {
        (void)setsid();
        (void)ioctl(options->terminal, TIOCSCTTY, 0);
    }
    for (int i = 0; i < 3; i++) {
        int from = options->terminal > 0 ? options->terminal : ends[i];
        if (dup2(from, i) < 0)
            _exit(99);
    }
}

static char **make_environment(const World *world, const RunOptions *options)
{
    char **env = g_strsplit("PATH=/usr/bin:/bin:/usr/sbin:/sbin|HOME=/|"
                            "SECRET=of-the-host|TERM=dumb|LC_ALL=C",
                            "|", -1);

    if (world->kind != WORLD_ROOT)
        env =
            g_environ_setenv(env, "XDG_RUNTIME_DIR", world->runtime_dir, TRUE);
    for (size_t i = 0; options->env != NULL && options->env[i] != NULL; i++) {
        g_auto(GStrv) pair = g_strsplit(options->env[i], "=", 2);
        env = g_environ_setenv(env, pair[0], pair[1], TRUE);
    }
    /* keeps a sanitized build from failing on what seccomp takes away */
    const char *asan = g_getenv("ASAN_OPTIONS");
    if (asan != NULL)
        env = g_environ_setenv(env, "ASAN_OPTIONS", asan, TRUE);
    return env;
}

/* In the child: what a caller may pass on to rnet, and rnet must not. */
static void be_untidy(void)
{
    sigset_t blocked;

    (void)signal(SIGUSR2, SIG_IGN);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    (void)sigprocmask(SIG_SETMASK, &blocked, NULL);
    (void)umask(0077);
    if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, "rnet-test") < 0 ||
        syscall(SYS_add_key, "user", "rnet-test-secret", "x", 1,
                KEY_SPEC_SESSION_KEYRING) < 0)
        _exit(99);
}

static G_NORETURN void exec_rnet(const World *world, const char *const *args,
                                 const RunOptions *options, const int ends[3])
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    char **env = make_environment(world, options);
    const char *binary =
        options->binary != NULL ? options->binary : world->rnet;
    sigset_t none;

    g_ptr_array_add(argv, (void *)"rnet");
    for (size_t i = 0; args[i] != NULL; i++)
        g_ptr_array_add(argv, (void *)args[i]);
    g_ptr_array_add(argv, NULL);
    set_stdio(options, ends);
    if (options->leak_fds && (dup2(0, 7) < 0 || dup2(0, 9) < 0))
        _exit(99);
    for (unsigned i = 0; i < options->listen_fds; i++) {
        if (dup2(0, 3 + (int)i) < 0)
            _exit(99);
    }
    set_limits(world, options);
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    world_drop_ids(world);
    if (options->is_untidy)
        be_untidy();
    (void)execve(binary, (char *const *)argv->pdata, env);
    _exit(98);
}

static void make_pipe(int *read_end, int *write_end)
{
    int fds[2];

    check_call(pipe2(fds, O_CLOEXEC) == 0, "pipe");
    *read_end = fds[0];
    *write_end = fds[1];
}

Run *run_start(const World *world, const char *const *args,
               const RunOptions *options)
{
    Run *run = g_new0(Run, 1);
    int ends[3];

    options = options != NULL ? options : &standard_options;
    run->out_text = g_string_new("");
    run->err_text = g_string_new("");
    make_pipe(&ends[0], &run->in);
    make_pipe(&run->out, &ends[1]);
    make_pipe(&run->err, &ends[2]);
    check_call(fcntl(run->out, F_SETFL, O_NONBLOCK) == 0, "fcntl");
    check_call(fcntl(run->err, F_SETFL, O_NONBLOCK) == 0, "fcntl");
    run->pid = fork();
    check_call(run->pid >= 0, "fork");
    if (run->pid == 0)
        exec_rnet(world, args, options, ends);
    for (int i = 0; i < 3; i++)
        rn_fd_close(&ends[i]);
    run->pidfd = (int)syscall(SYS_pidfd_open, run->pid, 0);
    check_call(run->pidfd >= 0, "pidfd_open");
    return run;
}

Run *run_start_bundle(const World *world, const char *bundle,
                      const char *publish)
{
    const char *const plain[] = { "run", "--network", "none", bundle, NULL };
    const char *const published[] = { "run", "--publish", publish, bundle,
                                      NULL };

    return run_start(world, publish != NULL ? published : plain, NULL);
}

/* Takes what a pipe has; closes it at its end. */
static void drain(int *fd, GString *into)
{
    char buffer[4096];
    ssize_t n = 0;

    if (*fd < 0)
        return;
    while ((n = read(*fd, buffer, sizeof(buffer))) > 0)
        g_string_append_len(into, buffer, n);
    if (n == 0)
        rn_fd_close(fd);
}

/* Waits for any event of the run and takes it in. */
static void pump(Run *run, const char *what)
{
    struct pollfd polled[] = {
        { .fd = run->out, .events = POLLIN },
        { .fd = run->err, .events = POLLIN },
        { .fd = run->pidfd, .events = POLLIN },
    };
    int n = poll(polled, G_N_ELEMENTS(polled), RUN_TIMEOUT_S * 1000);

    check(n != 0, "waited %d s for %s; stdout \"%s\", stderr \"%s\"",
          RUN_TIMEOUT_S, what, run->out_text->str, run->err_text->str);
    bool over = run->pidfd >= 0 && polled[2].revents != 0;
    drain(&run->out, run->out_text);
    drain(&run->err, run->err_text);
    if (!over)
        return;
    int status = 0;
    GError *error = NULL;
    if (!rn_process_reap(run->pid, &status, &error))
        check_no_error(error);
    run->status = rn_process_exit_code(status);
    run->ended = true;
    rn_fd_close(&run->pidfd);
}

char *run_read_line(Run *run)
{
    for (;;) {
        const char *start = run->out_text->str + run->out_read;
        const char *end = strchr(start, '\n');
        if (end != NULL) {
            run->out_read += (gsize)(end - start) + 1;
            return g_strndup(start, (gsize)(end - start));
        }
        /* a container that is left alone has the pipe still */
        check(!run->ended || run->out >= 0,
              "ended with status %d, no line; stdout \"%s\", stderr \"%s\"",
              run->status, run->out_text->str, run->err_text->str);
        pump(run, "a line");
    }
}

char *run_read_until(Run *run, const char *prefix)
{
    for (;;) {
        g_autofree char *line = run_read_line(run);
        if (g_str_has_prefix(line, prefix))
            return g_strdup(line + strlen(prefix));
    }
}

void run_await(Run *run, const char *prefix)
{
    g_free(run_read_until(run, prefix));
}

bool run_await_output(Run *run)
{
    while (run->out_text->len == 0 && !run->ended)
        pump(run, "output");
    return run->out_text->len > 0;
}

void run_await_error(Run *run, const char *part)
{
    while (strstr(run->err_text->str, part) == NULL) {
        check(!run->ended, "ended without \"%s\" on stderr: \"%s\"", part,
              run->err_text->str);
        pump(run, part);
    }
}

void run_write(Run *run, const char *text)
{
    GError *error = NULL;

    if (!rn_fd_write_all(run->in, text, strlen(text), &error))
        check_no_error(error);
    rn_fd_close(&run->in);
}

void run_signal(const Run *run, int signal_number)
{
    GError *error = NULL;

    if (!rn_pidfd_signal(run->pidfd, signal_number, &error))
        check_no_error(error);
}

int run_wait(Run *run)
{
    while (!run->ended)
        pump(run, "its end");
    return run->status;
}

const char *run_said(Run *run)
{
    drain(&run->err, run->err_text);
    return run->err_text->str;
}

void run_expect_exit(Run *run, int status)
{
    int actual = run_wait(run);

    check(actual == status,
          "exit status %d, wanted %d; stdout \"%s\", stderr \"%s\"", actual,
          status, run->out_text->str, run->err_text->str);
}

void run_end(Run *run)
{
    if (run == NULL)
        return;
    if (!run->ended)
        rn_process_end(run->pid, &run->pidfd);
    rn_fd_close(&run->in);
    rn_fd_close(&run->out);
    rn_fd_close(&run->err);
    g_string_free(run->out_text, TRUE);
    g_string_free(run->err_text, TRUE);
    g_free(run);
}

Run *run_bundle(const World *world, const char *bundle, int status)
{
    Run *run = run_start_bundle(world, bundle, NULL);

    rn_fd_close(&run->in);
    run_expect_exit(run, status);
    return run;
}

Run *run_command(const World *world, const char *const *args, int status)
{
    Run *run = run_start(world, args, NULL);

    rn_fd_close(&run->in);
    run_expect_exit(run, status);
    return run;
}
