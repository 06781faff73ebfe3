/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * box - see box.h
 *
 * Role:     single commands about one container
 * Runs in:  the world's pid 1
 * Failure:  ends the body
 */
#include "config.h"

#include "box.h"

#include <stdlib.h>

#include "check.h"
#include "leftovers.h"

char *box_rnet(const World *world, int status, const char *const *args)
{
    g_autoptr(Run) run = run_command(world, args, status);

    return g_strdup(run->out_text->str);
}

void box_do(const World *world, int status, const char *const *args)
{
    g_free(box_rnet(world, status, args));
}

char *box_refusal(const World *world, int status, const char *const *args)
{
    g_autoptr(Run) run = run_command(world, args, status);

    return g_strdup(run->err_text->str);
}

Run *box_start(const World *world, const BundleOptions *options)
{
    static const char *const waits[] = { "/bin/sh", "-c",
                                         "echo ready; exec tail -f /dev/null",
                                         NULL };
    BundleOptions with_args = *options;
    g_autofree char *bundle = NULL;
    Run *run = NULL;

    if (with_args.args == NULL)
        with_args.args = waits;
    bundle = bundle_new(world, "box", &with_args);
    run = run_command(world, WORDS("create", "--bundle", bundle, "box"), 0);
    box_do(world, 0, WORDS("start", "box"));
    run_await(run, "ready");
    return run;
}

char *box_shell(const World *world, const char *script)
{
    return box_rnet(world, 0, WORDS("exec", "box", "/bin/sh", "-c", script));
}

pid_t box_pid(const World *world)
{
    static const char key[] = "\"pid\": ";
    g_autofree char *text = box_rnet(world, 0, WORDS("state", "box"));
    const char *pid = strstr(text, key);

    check(pid != NULL, "no pid in \"%s\"", text);
    return (pid_t)strtol(pid + strlen(key), NULL, 10);
}

void box_delete(const World *world, const Run *box)
{
    check_text(box->err_text->str, "");
    box_do(world, 0, WORDS("delete", "--force", "box"));
    check_nothing_left(world);
}
