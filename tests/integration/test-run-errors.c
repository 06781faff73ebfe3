/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-run-errors - errors that a person can act on, one by one
 *
 * Role:     breaks one thing about a bundle or the command line at a time
 * Runs in:  see world.h; conditions of the host are in test-host-errors
 * Data:     a table: what is broken, exit status, parts of the message; in
 *           each case nothing may be left
 */
#include "config.h"

#include <elf.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bundle.h"
#include "check.h"
#include "leftovers.h"
#include "run.h"

/* An architecture that this machine does not run. */
#ifdef __aarch64__
enum {
    FOREIGN_MACHINE = EM_RISCV
};
#define FOREIGN_NAME "riscv64"
#else
enum {
    FOREIGN_MACHINE = EM_AARCH64
};
#define FOREIGN_NAME "aarch64"
#endif

/* Breaks the bundle; NULL: it is broken by its options. */
typedef void (*BreakFunc)(const World *world, const char *bundle);

typedef struct ErrorCase {
    const char *name;
    BundleOptions options;
    BreakFunc break_it;
    int status;
    const char *message; /* part of the first line */
    const char *more;    /* another part of stderr, NULL: none wanted */
} ErrorCase;

static void add_unexecutable(const World *world, const char *bundle)
{
    bundle_write(world, bundle, "rootfs/bin/program", "#!/bin/sh\n", 0644);
}

static void add_unknown_format(const World *world, const char *bundle)
{
    bundle_write(world, bundle, "rootfs/bin/program", "just words\n", 0755);
}

static void add_bad_script(const World *world, const char *bundle)
{
    bundle_write(world, bundle, "rootfs/bin/program", "#!/no/interpreter\n",
                 0755);
}

/* An ELF header of a machine that this one is not. */
static void add_foreign(const World *world, const char *bundle)
{
    g_autofree char *path =
        g_build_filename(bundle, "rootfs/bin/program", NULL);
    const Elf64_Ehdr header = {
        .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
                     ELFDATA2LSB, EV_CURRENT },
        .e_type = ET_EXEC,
        .e_machine = FOREIGN_MACHINE,
        .e_version = EV_CURRENT,
        .e_ehsize = sizeof(Elf64_Ehdr),
    };

    check(
        g_file_set_contents(path, (const char *)&header, sizeof(header), NULL),
        "write \"%s\"", path);
    check_call(chmod(path, 0755) == 0 &&
                   chown(path, world->uid, world->gid) == 0,
               path);
}

/* This very program needs a loader that the bundle does not have. */
static void add_dynamic(const World *world, const char *bundle)
{
    g_autofree char *path =
        g_build_filename(bundle, "rootfs/bin/program", NULL);
    g_autofree char *bytes = NULL;
    gsize length = 0;

    check(g_file_get_contents("/proc/self/exe", &bytes, &length, NULL),
          "read own program");
    check(g_file_set_contents(path, bytes, (gssize)length, NULL),
          "write \"%s\"", path);
    check_call(chmod(path, 0755) == 0 &&
                   chown(path, world->uid, world->gid) == 0,
               path);
}

static void remove_config(const World *world, const char *bundle)
{
    g_autofree char *path = g_build_filename(bundle, "config.json", NULL);

    (void)world;
    check_call(unlink(path) == 0, path);
}

static void spoil_config(const World *world, const char *bundle)
{
    bundle_write(world, bundle, "config.json",
                 "{\n  \"ociVersion\": \"1.0.2\",\n  \"process\": oops\n}\n",
                 0644);
}

static void set_version(const World *world, const char *bundle)
{
    bundle_write(world, bundle, "config.json",
                 "{ \"ociVersion\": \"2.0.0\" }\n", 0644);
}

static void remove_rootfs(const World *world, const char *bundle)
{
    g_autofree char *from = g_build_filename(bundle, "rootfs", NULL);
    g_autofree char *to = g_build_filename(bundle, "elsewhere", NULL);

    (void)world;
    check_call(rename(from, to) == 0, from);
}

static void remove_bundle(const World *world, const char *bundle)
{
    g_autofree char *to = g_strconcat(bundle, "-moved", NULL);

    (void)world;
    check_call(rename(bundle, to) == 0, bundle);
}

#define ARGS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static const ErrorCase error_cases[] = {
    { "program missing",
      { .args = ARGS("/bin/nothing") },
      NULL,
      127,
      "\"/bin/nothing\"",
      NULL },
    { "program not in PATH",
      { .args = ARGS("nothing") },
      NULL,
      127,
      "\"nothing\"",
      "PATH" },
    { "program is a directory",
      { .args = ARGS("/tmp") },
      NULL,
      126,
      "\"/tmp\"",
      "is a directory" },
    { "program not executable",
      { .args = ARGS("/bin/program") },
      add_unexecutable,
      126,
      "\"/bin/program\"",
      "not executable" },
    { "unknown format",
      { .args = ARGS("/bin/program") },
      add_unknown_format,
      126,
      "\"/bin/program\"",
      "format" },
    { "other architecture",
      { .args = ARGS("/bin/program") },
      add_foreign,
      126,
      "\"/bin/program\"",
      FOREIGN_NAME },
    { "script interpreter missing",
      { .args = ARGS("/bin/program") },
      add_bad_script,
      126,
      "\"/bin/program\"",
      "\"/no/interpreter\"" },
    { "ELF loader missing",
      { .args = ARGS("/bin/program") },
      add_dynamic,
      126,
      "\"/bin/program\"",
      "hint: " },
    { "working directory is a file",
      { .cwd = "/bin/busybox" },
      NULL,
      1,
      "/bin/busybox",
      NULL },
    { "mount source missing",
      { .mounts = "{\"destination\": \"/mnt\", \"type\": \"bind\", "
                  "\"source\": \"/no/source\", \"options\": [\"bind\"]}" },
      NULL,
      1,
      "/no/source",
      NULL },
    { "mount type unknown",
      { .mounts = "{\"destination\": \"/mnt\", \"type\": \"nonsense\", "
                  "\"source\": \"x\"}" },
      NULL,
      1,
      "/mnt",
      NULL },
    { "config.json missing", { 0 }, remove_config, 1, "config.json", "hint: " },
    { "config.json malformed",
      { 0 },
      spoil_config,
      1,
      "config.json",
      "line 3, column " },
    { "version unsupported", { 0 }, set_version, 1, "ociVersion", "\"2.0.0\"" },
    { "rootfs missing", { 0 }, remove_rootfs, 1, "rootfs", "hint: " },
    { "bundle missing", { 0 }, remove_bundle, 1, "bundle", NULL },
    { "hook without a path",
      { .top = "\"hooks\": {\"prestart\": [{\"path\": \"x\"}]}" },
      NULL,
      1,
      "hooks.prestart[0].path",
      "absolute path" },
    { "Intel RDT",
      { .linux_more = "\"intelRdt\": {\"closID\": \"x\"}" },
      NULL,
      1,
      "linux.intelRdt",
      "not supported" },
    { "no mount namespace",
      { .namespaces = "user network pid ipc uts" },
      NULL,
      1,
      "linux.namespaces",
      "not supported" },
    { "rlimit soft above hard",
      { .process = "\"rlimits\": [{\"type\": \"RLIMIT_NOFILE\", "
                   "\"soft\": 200, \"hard\": 100}]" },
      NULL,
      1,
      "process.rlimits",
      NULL },
    { "working directory relative",
      { .cwd = "tmp" },
      NULL,
      1,
      "process.cwd",
      NULL },
};

/* "rnet: run "ID": ..." on one line, then at most a hint. */
static void check_form(const Run *run, const char *name, const char *id)
{
    g_autofree char *prefix = g_strdup_printf("rnet: run \"%s\": ", id);
    g_auto(GStrv) lines = g_strsplit(run->err_text->str, "\n", -1);
    guint n = g_strv_length(lines);

    check(g_str_has_prefix(lines[0], prefix), "%s: \"%s\"", name,
          run->err_text->str);
    check(n >= 2 && lines[n - 1][0] == '\0' &&
              (n == 2 || g_str_has_prefix(lines[1], "hint: ")) && n <= 3,
          "%s: lines of stderr: \"%s\"", name, run->err_text->str);
}

static void check_error_case(World *world, const ErrorCase *error_case)
{
    g_autofree char *bundle = bundle_new(world, "broken", &error_case->options);
    const char *const args[] = { "run",  "--network", "none", "--name",
                                 "case", bundle,      NULL };

    if (error_case->break_it != NULL)
        error_case->break_it(world, bundle);
    g_autoptr(Run) run = run_start(world, args, NULL);
    (void)run_wait(run);
    const char *text = run->err_text->str;
    check(run->status == error_case->status &&
              strstr(text, error_case->message) != NULL &&
              (error_case->more == NULL ||
               strstr(text, error_case->more) != NULL),
          "%s: status %d, stdout \"%s\", stderr \"%s\"", error_case->name,
          run->status, run->out_text->str, text);
    check_form(run, error_case->name, "case");
    run_check_out(run, "");
    check_nothing_left(world);

    g_autofree char *aside = g_strdup_printf("%s-%s", bundle, error_case->name);
    if (error_case->break_it != remove_bundle)
        check_call(rename(bundle, aside) == 0, bundle);
}

static void test_bundle_broken_is_explained(World *world)
{
    for (size_t i = 0; i < G_N_ELEMENTS(error_cases); i++)
        check_error_case(world, &error_cases[i]);
}

typedef struct SpecCase {
    const char *specs[3]; /* of --publish, NULL-terminated */
    const char *message;
} SpecCase;

static const SpecCase spec_cases[] = {
    { { "70000:80", NULL }, "70000" },
    { { "8080:0", NULL }, "8080:0" },
    { { "8000-8010:80-85", NULL }, "8000-8010:80-85" },
    { { "8010-8000:80-90", NULL }, "8010-8000" },
    { { "8080:80/sctp", NULL }, "sctp" },
    { { "localhost:8080:80", NULL }, "localhost" },
    { { "8080:", NULL }, "8080:" },
    { { "8080:80", "8080:81", NULL }, "8080:81" },
    { { "203.0.113.9:8080:80", NULL }, "203.0.113.9" },
};

static void test_publish_wrong_is_explained(World *world)
{
    g_autofree char *bundle = bundle_new(world, "published", NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(spec_cases); i++) {
        const char *args[8] = { "run" };
        size_t n = 1;
        for (size_t j = 0; spec_cases[i].specs[j] != NULL; j++) {
            args[n++] = "--publish";
            args[n++] = spec_cases[i].specs[j];
        }
        args[n] = bundle;
        g_autoptr(Run) run = run_start(world, args, NULL);
        (void)run_wait(run);
        check((run->status == 1 || run->status == 2) &&
                  strstr(run->err_text->str, spec_cases[i].message) != NULL,
              "%s: status %d, stderr \"%s\"", spec_cases[i].specs[0],
              run->status, run->err_text->str);
        check_lacks(run->err_text->str, "warning");
        check_nothing_left(world);
    }
}

static const char *const wrong_networks[] = {
    "magic",
    "slirp:magic",
    "slirp:mtu=9",
    "slirp:mtu=99999",
    "none:mtu=10",
    "slirp:cidr=10.0.2.100/24",
    "slirp:dns=nowhere",
};

static void test_network_wrong_is_explained(World *world)
{
    g_autofree char *bundle = bundle_new(world, "networked", NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(wrong_networks); i++) {
        const char *const args[] = { "run", "--network", wrong_networks[i],
                                     bundle, NULL };
        const char *value = strpbrk(wrong_networks[i], ":");
        g_autoptr(Run) run = run_start(world, args, NULL);
        (void)run_wait(run);
        value = value == NULL ? wrong_networks[i] : value + 1;
        check((run->status == 1 || run->status == 2) &&
                  strstr(run->err_text->str, value) != NULL,
              "%s: status %d, stderr \"%s\"", wrong_networks[i], run->status,
              run->err_text->str);
        check_nothing_left(world);
    }
}

typedef struct UsageCase {
    const char *args[5];
    int status;
    const char *message;
} UsageCase;

static const UsageCase usage_cases[] = {
    { { NULL }, 2, "command" },
    { { "dance", NULL }, 2, "dance" },
    { { "run", NULL }, 2, "bundle" },
    { { "run", "--no-such-option", NULL }, 2, "--no-such-option" },
    { { "run", "a", "b", NULL }, 2, "\"b\"" },
    { { "run", "--name", "../up", "/tmp", NULL }, 1, "../up" },
};

static void test_usage_wrong_is_explained(World *world)
{
    for (size_t i = 0; i < G_N_ELEMENTS(usage_cases); i++) {
        g_autoptr(Run) run = run_start(world, usage_cases[i].args, NULL);
        (void)run_wait(run);
        check(run->status == usage_cases[i].status &&
                  strstr(run->err_text->str, usage_cases[i].message) != NULL &&
                  g_str_has_prefix(run->err_text->str, "rnet: "),
              "case %zu: status %d, stderr \"%s\"", i, run->status,
              run->err_text->str);
        check_nothing_left(world);
    }
}

int main(void)
{
    static const WorldTest tests[] = {
        { "bundle_broken_is_explained", test_bundle_broken_is_explained, 0 },
        { "publish_wrong_is_explained", test_publish_wrong_is_explained, 0 },
        { "network_wrong_is_explained", test_network_wrong_is_explained, 0 },
        { "usage_wrong_is_explained", test_usage_wrong_is_explained, 0 },
    };

    return world_run_tests("run-errors", tests, G_N_ELEMENTS(tests));
}
