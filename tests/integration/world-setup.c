/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * world-setup - mounts and files of a test's private "host"
 *
 * Role:     turns fresh namespaces into a host that rnet can run on
 * Runs in:  the world's pid 1, before the body
 * Data:     binaries come in as O_PATH fds, because the build directory may
 *           lie beneath a place that gets covered
 * Failure:  ends the body with the step's text
 */
#include "config.h"

#include "world-setup.h"

#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <rnet/util/fd.h>

#include "check.h"

enum {
    TUN_MAJOR = 10,
    TUN_MINOR = 200
}; /* Documentation/networking/tuntap */

void world_files_open(WorldFiles *files)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_assert(self != NULL);
    g_autofree char *dir = g_path_get_dirname(self);
    g_autofree char *built = g_build_filename(dir, "../../rnet", NULL);
    g_autofree char *killpoints =
        g_build_filename(dir, "rnet-killpoints", NULL);
    g_autofree char *payload = g_build_filename(dir, "payload", NULL);
    const char *rnet = g_getenv("RNET_BINARY");

    files->rnet = open(rnet != NULL ? rnet : built, O_PATH | O_CLOEXEC);
    files->killpoints = open(killpoints, O_PATH | O_CLOEXEC);
    files->payload = open(payload, O_PATH | O_CLOEXEC);
    files->busybox = open("/bin/busybox", O_PATH | O_CLOEXEC);
}

static void make_dir(const char *path)
{
    g_autofree char *what = g_strdup_printf("mkdir \"%s\"", path);
    check_call(g_mkdir_with_parents(path, 0755) == 0, what);
}

static void bind_fd(int fd, const char *target)
{
    char source[32];
    g_autofree char *what = g_strdup_printf("bind on \"%s\"", target);

    (void)snprintf(source, sizeof(source), "/proc/self/fd/%d", fd);
    check_call(mount(source, target, NULL, MS_BIND, NULL) == 0, what);
    (void)close(fd);
}

/* Binds an outside file at dir/name; returns that path. */
static char *take_in(const World *world, int fd, const char *name)
{
    char *path = g_build_filename(world->dir, name, NULL);

    check(fd >= 0, "%s is missing: is everything built and installed?", name);
    check(g_file_set_contents(path, "", 0, NULL), "create \"%s\"", path);
    bind_fd(fd, path);
    return path;
}

/* The same as a copy, which can be linked into a bundle. */
static void copy_in(const World *world, int fd, const char *name)
{
    g_autofree char *path = g_build_filename(world->dir, "base", name, NULL);
    g_autofree char *source = g_strdup_printf("/proc/self/fd/%d", fd);
    g_autofree char *bytes = NULL;
    gsize length = 0;

    check(fd >= 0, "%s is missing: is everything built and installed?", name);
    check(g_file_get_contents(source, &bytes, &length, NULL), "read %s", name);
    check(g_file_set_contents_full(path, bytes, (gssize)length,
                                   G_FILE_SET_CONTENTS_NONE, 0755, NULL),
          "write \"%s\"", path);
    check_call(chown(path, world->uid, world->gid) == 0, "chown");
    (void)close(fd);
}

/*
 * Covers /etc/NAME with a file of the world's. Where the name leads into the
 * covered /run, the file it leads to is made there instead.
 */
static void cover_etc(const World *world, const char *name, const char *text)
{
    g_autofree char *target = g_build_filename("/etc", name, NULL);
    g_autofree char *source = g_build_filename(world->dir, name, NULL);
    g_autofree char *link = g_file_read_link(target, NULL);

    check(g_file_set_contents(source, text, -1, NULL), "write \"%s\"", source);
    check_call(chmod(source, 0644) == 0, "chmod");
    if (link != NULL) {
        g_autofree char *full = g_canonicalize_filename(link, "/etc");
        g_autofree char *dir = g_path_get_dirname(full);
        if (g_str_has_prefix(full, "/run/")) {
            make_dir(dir);
            check(g_file_set_contents(full, "", 0, NULL), "write %s", full);
        }
    }
    if (access(target, F_OK) < 0)
        world_skip("%s does not exist", target);
    check_call(mount(source, target, NULL, MS_BIND, NULL) == 0, target);
}

/* A node of the world's own, open to all; only real root can make one. */
static void open_tun(const World *world)
{
    g_autofree char *node = g_build_filename(world->dir, "tun", NULL);
    dev_t device = makedev(TUN_MAJOR, TUN_MINOR);

    if (!world->real_root || access("/dev/net/tun", F_OK) < 0)
        return;
    check_call(mknod(node, S_IFCHR | 0666, device) == 0, "mknod tun");
    check_call(chmod(node, 0666) == 0, "chmod tun");
    check_call(mount(node, "/dev/net/tun", NULL, MS_BIND, NULL) == 0,
               "bind on /dev/net/tun");
}

static void hide_tun(void)
{
    if (access("/dev/net", F_OK) == 0)
        check_call(mount("tmpfs", "/dev/net", "tmpfs", 0, NULL) == 0,
                   "cover /dev/net");
}

static void make_directories(World *world)
{
    bool root = world->kind == WORLD_ROOT;
    g_autofree char *base = NULL;

    world->dir = g_strdup("/run/world");
    make_dir(world->dir);
    base = g_build_filename(world->dir, "base", NULL);
    make_dir(base);
    world->runtime_dir =
        root ? g_strdup("/run")
             : g_strdup_printf("/run/user/%u", (unsigned)world->uid);
    make_dir(world->runtime_dir);
    if (!root) {
        check_call(chown(world->runtime_dir, world->uid, world->gid) == 0 &&
                       chmod(world->runtime_dir, 0700) == 0,
                   "own the runtime directory");
    }
    world->state_dir = g_build_filename(world->runtime_dir, "rnet", NULL);
}

void world_setup_mounts(World *world, const WorldFiles *files)
{
    (void)umask(022);
    check_call(mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0,
               "make mounts private");
    check_call(mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC,
                     NULL) == 0,
               "mount /proc");
    check_call(mount("tmpfs", "/run", "tmpfs", 0, "mode=755") == 0,
               "mount /run");
    make_directories(world);
    world->rnet = take_in(world, files->rnet, "rnet");
    if (files->killpoints >= 0)
        world->killpoints = take_in(world, files->killpoints, "killpoints");
    copy_in(world, files->payload, "payload");
    copy_in(world, files->busybox, "busybox");
    cover_etc(world, "resolv.conf",
              "nameserver 127.0.0.1\nsearch example.test\n");
    cover_etc(world, "subuid", "");
    cover_etc(world, "subgid", "");
    if (world->without_tun)
        hide_tun();
    else
        open_tun(world);
    if (!g_file_get_contents("/proc/self/mountinfo", &world->mounts, NULL,
                             NULL))
        check(false, "read /proc/self/mountinfo");
}

void world_give_sub_ids(const World *world, unsigned first, unsigned count)
{
    const struct passwd *user = getpwuid(world->uid);
    g_autofree char *line = NULL;
    GError *error = NULL;

    if (user == NULL)
        world_skip("uid %u has no name", (unsigned)world->uid);
    line = g_strdup_printf("%s:%u:%u\n", user->pw_name, first, count);
    if (!rn_file_write(AT_FDCWD, "/etc/subuid", line, &error) ||
        !rn_file_write(AT_FDCWD, "/etc/subgid", line, &error))
        check_no_error(error);
}
