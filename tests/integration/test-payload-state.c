/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-payload-state - the payload has what config.json says and nothing else
 *
 * Role:     starts rnet with signals, keys and a umask of its own, and looks
 *           at what of it is there in the container
 * Runs in:  see world.h
 */
#include "config.h"

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
    "keyring _ses.tidy\n"
    "secret 0\n"
    "children \n"
    "nice 0\n"
    "dumpable 1\n"
    "securebits 0\n";

static void test_untidy_caller_leaves_nothing_to_the_payload(World *world)
{
    const char *const payload[] = { "/bin/payload", "state", NULL };
    g_autofree char *bundle = bundle_new(
        world, "tidy", &(BundleOptions){ .args = payload, .capabilities = "" });
    const char *const args[] = { "run",  "--network", "none", "--name",
                                 "tidy", bundle,      NULL };
    g_autoptr(Run) run = run_start(
        world, args, &(RunOptions){ .leak_fds = true, .is_untidy = true });

    run_expect_exit(run, 0);
    check_text(run->out_text->str, nothing_left);
    check_nothing_left(world);
}

int main(void)
{
    static const WorldTest tests[] = {
        { "untidy_caller_leaves_nothing_to_the_payload",
          test_untidy_caller_leaves_nothing_to_the_payload, 0 },
    };

    return world_run_tests("payload-state", tests, G_N_ELEMENTS(tests));
}
