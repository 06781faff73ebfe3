/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bundle - see bundle.h
 *
 * Role:     writes bundles into the world's private directory
 * Runs in:  the world's pid 1
 * Data:     binaries are hard links to the copies in world->dir/base
 * Failure:  ends the body
 */
#include "config.h"

#include "bundle.h"

#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

static const char *const applets[] = {
    "cat",   "chmod", "cut",  "dd",    "echo",     "env",   "false",    "grep",
    "head",  "id",    "kill", "ls",    "mkdir",    "mount", "nslookup", "od",
    "ping",  "pwd",   "sh",   "sleep", "sort",     "stat",  "tail",     "test",
    "touch", "tr",    "true", "tty",   "hostname", "wc",    "wget",
};

static const char *const directories[] = {
    "bin", "dev", "etc", "hidden", "mnt", "proc", "sys", "tmp",
};

static const char standard_mounts[] =
    "{\"destination\": \"/proc\", \"type\": \"proc\", \"source\": \"proc\"},\n"
    "{\"destination\": \"/dev\", \"type\": \"tmpfs\", \"source\": \"tmpfs\", "
    "\"options\": [\"nosuid\", \"strictatime\", \"mode=755\", "
    "\"size=65536k\"]},\n"
    "{\"destination\": \"/dev/pts\", \"type\": \"devpts\", "
    "\"source\": \"devpts\", \"options\": [\"nosuid\", \"noexec\", "
    "\"newinstance\", \"ptmxmode=0666\", \"mode=0620\"]}";

static const char standard_capabilities[] =
    "\"CAP_AUDIT_WRITE\", \"CAP_KILL\", \"CAP_NET_BIND_SERVICE\", "
    "\"CAP_NET_RAW\"";

static void own(const World *world, const char *path)
{
    check_call(lchown(path, world->uid, world->gid) == 0, path);
}

static void make_dir(const World *world, const char *path)
{
    check_call(mkdir(path, 0755) == 0, path);
    own(world, path);
}

static void link_base(const World *world, const char *rootfs, const char *name)
{
    g_autofree char *from = g_build_filename(world->dir, "base", name, NULL);
    g_autofree char *to = g_build_filename(rootfs, "bin", name, NULL);

    check_call(link(from, to) == 0, to);
}

static void make_rootfs(const World *world, const char *bundle)
{
    g_autofree char *rootfs = g_build_filename(bundle, "rootfs", NULL);

    make_dir(world, rootfs);
    for (size_t i = 0; i < G_N_ELEMENTS(directories); i++) {
        g_autofree char *path = g_build_filename(rootfs, directories[i], NULL);
        make_dir(world, path);
    }
    link_base(world, rootfs, "busybox");
    link_base(world, rootfs, "payload");
    for (size_t i = 0; i < G_N_ELEMENTS(applets); i++) {
        g_autofree char *path =
            g_build_filename(rootfs, "bin", applets[i], NULL);
        check_call(symlink("busybox", path) == 0, path);
        own(world, path);
    }
}

/* A JSON string; enough for the plain text that tests pass. */
static void append_string(GString *out, const char *text)
{
    g_string_append_c(out, '"');
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            g_string_append_c(out, '\\');
        if (*c == '\n')
            g_string_append(out, "\\n");
        else
            g_string_append_c(out, *c);
    }
    g_string_append_c(out, '"');
}

static void append_capabilities(GString *out, const char *list)
{
    static const char *const sets[] = { "bounding", "effective", "permitted" };

    g_string_append(out, ",\n\"capabilities\": {");
    for (size_t i = 0; i < G_N_ELEMENTS(sets); i++)
        g_string_append_printf(out, "%s\"%s\": [%s]", i > 0 ? ", " : "",
                               sets[i], list);
    g_string_append_c(out, '}');
}

static void append_process(GString *out, const BundleOptions *options)
{
    static const char *const standard_args[] = { "/bin/true", NULL };
    const char *const *args =
        options->args != NULL ? options->args : standard_args;

    g_string_append_printf(out, "\"process\": {\"terminal\": %s, \"user\": ",
                           options->terminal ? "true" : "false");
    g_string_append(out, options->user != NULL ? options->user
                                               : "{\"uid\": 0, \"gid\": 0}");
    g_string_append(out, ",\n\"args\": [");
    for (size_t i = 0; args[i] != NULL; i++) {
        g_string_append(out, i > 0 ? ", " : "");
        append_string(out, args[i]);
    }
    g_string_append(out, "],\n\"env\": [\"PATH=/bin\"");
    if (options->env != NULL)
        g_string_append_printf(out, ", %s", options->env);
    g_string_append(out, "],\n\"cwd\": ");
    append_string(out, options->cwd != NULL ? options->cwd : "/");
    append_capabilities(out, options->capabilities != NULL
                                 ? options->capabilities
                                 : standard_capabilities);
    if (options->process != NULL)
        g_string_append_printf(out, ",\n%s", options->process);
    g_string_append(out, "},\n");
}

static void append_linux(GString *out, const BundleOptions *options)
{
    g_auto(GStrv) types = g_strsplit(options->namespaces != NULL
                                         ? options->namespaces
                                         : "user network mount pid ipc uts",
                                     " ", -1);

    g_string_append(out, "\"linux\": {\"namespaces\": [");
    for (size_t i = 0; types[i] != NULL; i++) {
        char *path = strchr(types[i], '=');

        if (path != NULL)
            *path++ = '\0';
        g_string_append_printf(out, "%s{\"type\": \"%s\"", i > 0 ? ", " : "",
                               types[i]);
        if (path != NULL)
            g_string_append_printf(out, ", \"path\": \"%s\"", path);
        g_string_append_c(out, '}');
    }
    g_string_append_c(out, ']');
    if (options->linux_more != NULL)
        g_string_append_printf(out, ",\n%s", options->linux_more);
    g_string_append(out, "}\n");
}

static char *write_config(const BundleOptions *options)
{
    GString *out = g_string_new("{\n\"ociVersion\": \"1.0.2\",\n");

    append_process(out, options);
    g_string_append_printf(
        out, "\"root\": {\"path\": \"rootfs\", \"readonly\": %s},\n",
        options->readonly_root ? "true" : "false");
    g_string_append_printf(out, "\"mounts\": [%s", standard_mounts);
    if (options->mounts != NULL)
        g_string_append_printf(out, ",\n%s", options->mounts);
    g_string_append(out, "],\n");
    if (options->top != NULL)
        g_string_append_printf(out, "%s,\n", options->top);
    append_linux(out, options);
    g_string_append(out, "}\n");
    return g_string_free(out, FALSE);
}

void bundle_write(const World *world, const char *bundle, const char *path,
                  const char *text, mode_t mode)
{
    g_autofree char *full = g_build_filename(bundle, path, NULL);

    check(g_file_set_contents(full, text, -1, NULL), "write \"%s\"", full);
    own(world, full);
    check_call(chmod(full, mode) == 0, full);
}

char *bundle_new(const World *world, const char *name,
                 const BundleOptions *options)
{
    static const BundleOptions standard = { 0 };
    g_autofree char *config =
        write_config(options != NULL ? options : &standard);
    char *bundle = g_build_filename(world->dir, name, NULL);

    make_dir(world, bundle);
    make_rootfs(world, bundle);
    bundle_write(world, bundle, "config.json", config, 0644);
    return bundle;
}

char *bundle_new_shell(const World *world, const char *name, const char *script)
{
    const char *const args[] = { "/bin/sh", "-c", script, NULL };

    return bundle_new(world, name, &(BundleOptions){ .args = args });
}

char *bundle_new_payload(const World *world, const char *name,
                         const char *const *verb)
{
    g_autoptr(GPtrArray) args = g_ptr_array_new();

    g_ptr_array_add(args, (void *)"/bin/payload");
    for (size_t i = 0; verb[i] != NULL; i++)
        g_ptr_array_add(args, (void *)verb[i]);
    g_ptr_array_add(args, NULL);
    const BundleOptions options = {
        .args = (const char *const *)args->pdata,
    };
    return bundle_new(world, name, &options);
}
