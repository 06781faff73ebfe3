/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-payload-state - the payload has what config.json says and nothing else
 *
 * Role:     starts rnet with signals, keys and a umask of its own, and looks
 *           at what of it is there in the container
 * Runs in:  see world.h
 */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

#include <rnet/util/fd.h>

#include "bundle.h"
#include "check.h"
#include "leftovers.h"
#include "run.h"

static const char nothing_left[] =
    "Umask:\t0022\n"
    "TracerPid:\t0\n"
    "Threads:\t1\n"
    "SigPnd:\t0000000000000000\n"
    "ShdPnd:\t0000000000000000\n"
    "SigBlk:\t0000000000000000\n"
    "SigIgn:\t0000000000000000\n"
    "SigCgt:\t0000000000004000\n" /* the payload's own, for SIGTERM */
    "CapInh:\t0000000000000000\n"
    "CapPrm:\t0000000000000000\n"
    "CapEff:\t0000000000000000\n"
    "CapBnd:\t0000000000000000\n"
    "CapAmb:\t0000000000000000\n"
    "NoNewPrivs:\t0\n"
    "Seccomp:\t0\n"
    "env PATH=/bin\n"
    "env HOME=/\n"
    "keyring _ses.tidy\n"
    "secret 0\n"
    "children \n"
    "nice %d\n" /* as this program's */
    "dumpable 1\n"
    "securebits 0\n";

static void test_untidy_caller_leaves_nothing_to_the_payload(World *world)
{
    const char *const payload[] = { "/bin/payload", "state", NULL };
    g_autofree char *bundle = bundle_new(
        world, "tidy", &(BundleOptions){ .args = payload, .capabilities = "" });
    const char *const args[] = { "run",  "--network", "none", "--name",
                                 "tidy", bundle,      NULL };
    g_autofree char *expected =
        g_strdup_printf(nothing_left, getpriority(PRIO_PROCESS, 0));
    g_autoptr(Run) run = run_start(
        world, args, &(RunOptions){ .leak_fds = true, .is_untidy = true });

    run_expect_exit(run, 0);
    run_check_out(run, expected);
    check_nothing_left(world);
}

/* The binary that the world runs, whole. */
static char *read_rnet(const World *world, gsize *out_length)
{
    char *bytes = NULL;

    check(g_file_get_contents(world->rnet, &bytes, out_length, NULL), "read %s",
          world->rnet);
    return bytes;
}

/*
 * CVE-2019-5736, of what root runs: all of these may write to its files. A
 * container that can open the binary of a process of rnet can only read it, and
 * one that names it as its program finds nothing that could run it.
 */
static void test_binary_of_root_is_out_of_reach(World *world)
{
    const char *const self[] = { "/proc/self/exe", "--version", NULL };
    g_autofree char *one = bundle_new_payload(
        world, "reach", (const char *const[]){ "signals", NULL });
    g_autofree char *two =
        bundle_new(world, "self", &(BundleOptions){ .args = self });
    gsize length = 0;
    gsize length_after = 0;
    g_autofree char *before = read_rnet(world, &length);
    g_autofree char *after = NULL;
    g_autoptr(Run) running = run_start_bundle(world, one, NULL);
    g_autoptr(Run) itself = run_bundle(world, two, 126);
    g_autofree char *path = g_strdup_printf("/proc/%d/exe", running->pid);
    struct statvfs status = { 0 };
    rn_autofd int fd = -1;

    run_await(running, "ready");
    fd = open(path, O_RDONLY | O_CLOEXEC);
    check_call(fd >= 0, path);
    check(fstatvfs(fd, &status) == 0 && (status.f_flag & ST_RDONLY) != 0,
          "%s can be written", path);
    run_signal(running, SIGTERM);
    run_expect_exit(running, 128 + SIGTERM);
    check_text(itself->out_text->str, "");
    check_contains(itself->err_text->str, "\"/proc/self/exe\"");
    after = read_rnet(world, &length_after);
    check(length == length_after && memcmp(before, after, length) == 0,
          "the binary has changed");
    check_nothing_left(world);
}

int main(void)
{
    static const WorldTest tests[] = {
        { "untidy_caller_leaves_nothing_to_the_payload",
          test_untidy_caller_leaves_nothing_to_the_payload, 0 },
        { "binary_of_root_is_out_of_reach", test_binary_of_root_is_out_of_reach,
          WORLD_ONLY_AS_ROOT },
    };

    return world_run_tests("payload-state", tests, G_N_ELEMENTS(tests));
}
