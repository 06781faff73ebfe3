/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * program - looks for the program to run as execvp(3) would, and into it
 *
 * Runs in init, inside the container's root and with the container's root's
 * rights; the image may be hostile. A file's type is known before it is
 * opened, at most its first 256 bytes and its ELF headers are read, scripts
 * that name scripts are followed as far as the kernel does. Whether the user
 * of the payload may execute the file is left to the exec itself.
 */
#include "config.h"

#include <rnet/runtime/program.h>

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <rnet/runtime/program-elf.h>
#include <rnet/util/fd.h>

enum {
    START_SIZE = 256, /* bytes that exec looks at: BINPRM_BUF_SIZE */
    SCRIPT_DEPTH = 5, /* scripts in a row: Linux 5.8, fs/exec.c; before it
                          and in execve(2) there are 4 */
};

static const char default_path[] =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/* One file on the way from the program to what the kernel will load. */
typedef struct Candidate {
    const char *role; /* "program", "interpreter", "loader" */
    const char *path;
    const char *cwd;
    bool foreign_formats;
    unsigned depth; /* scripts on the way here */
} Candidate;

const char *rn_program_words(int errno_value)
{
    switch (errno_value) {
    case EACCES:
        return "permission denied";
    case ENOENT:
        return "no such file or directory";
    default:
        return g_strerror(errno_value);
    }
}

/* "program \"/bin/sh\"", the caller's; what the image chose is escaped. */
static char *name_candidate(const Candidate *candidate)
{
    g_autofree char *path = g_strescape(candidate->path, NULL);

    return g_strdup_printf("%s \"%s\"", candidate->role, path);
}

static bool refuse(const Candidate *candidate, const char *problem,
                   GError **error)
{
    g_autofree char *name = name_candidate(candidate);

    return rn_set_error(error, RN_ERROR_PROGRAM_UNRUNNABLE, "%s %s", name,
                        problem);
}

/* What execve(2) would give EACCES for. */
static bool deny(const Candidate *candidate, const char *problem,
                 GError **error)
{
    g_autofree char *text =
        g_strdup_printf("%s: %s", problem, rn_program_words(EACCES));

    return refuse(candidate, text, error);
}

static const char missing_hint[] =
    "process.args[0] is looked for in the container's own files: the bundle's "
    "root.path and its mounts";

/* Where the file is looked for: relative paths begin at cwd. */
static char *resolve(const char *path, const char *cwd)
{
    if (path[0] == '/' || cwd == NULL)
        return g_strdup(path);
    return g_build_filename(cwd, path, NULL);
}

static bool refuse_missing(const Candidate *candidate, const char *resolved,
                           GError **error)
{
    g_autofree char *name = name_candidate(candidate);
    struct stat status = { 0 };
    bool dangling = lstat(resolved, &status) == 0;

    /* a missing interpreter or loader is a program that cannot run */
    (void)rn_set_error(error,
                       candidate->depth == 0 ? RN_ERROR_PROGRAM_MISSING
                                             : RN_ERROR_PROGRAM_UNRUNNABLE,
                       "%s is %s: %s", name,
                       dangling ? "a symbolic link to a missing file"
                                : "missing",
                       rn_program_words(ENOENT));
    if (candidate->depth == 0)
        return rn_error_add_hint(error, "%s", missing_hint);
    return false; /* the caller knows who needs it */
}

static bool check_status(const Candidate *candidate, const char *resolved,
                         GError **error)
{
    struct stat status = { 0 };
    struct statvfs mount = { 0 };
    g_autofree char *problem = NULL;

    if (stat(resolved, &status) < 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            return refuse_missing(candidate, resolved, error);
        problem =
            g_strdup_printf("cannot be reached: %s", rn_program_words(errno));
        return refuse(candidate, problem, error);
    }
    if (!S_ISREG(status.st_mode)) {
        (void)deny(candidate,
                   S_ISDIR(status.st_mode) ? "is a directory"
                                           : "is not a regular file",
                   error);
        return rn_error_add_hint(error, "process.args[0] has to name a "
                                        "program's file");
    }
    if ((status.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) == 0) {
        (void)deny(candidate, "is not executable", error);
        return rn_error_add_hint(error, "chmod +x gives it the permission");
    }
    if (statvfs(resolved, &mount) == 0 && (mount.f_flag & ST_NOEXEC) != 0)
        return deny(candidate, "is on a mount with the option noexec", error);
    return true;
}

/*
 * Opens the file if exec would. *out_fd is -1 for a file that may be executed
 * but not read: then there is nothing to judge.
 */
static bool open_candidate(const Candidate *candidate, int *out_fd,
                           GError **error)
{
    g_autofree char *resolved = resolve(candidate->path, candidate->cwd);

    if (!check_status(candidate, resolved, error))
        return false;
    *out_fd = open(resolved, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    return true;
}

/* The kernel loads it itself: a script or a foreign format is none. */
static bool check_loader_content(const Candidate *loader, int fd,
                                 GError **error)
{
    g_autofree char *name = name_candidate(loader);
    g_autofree char *unused = NULL;
    char start[SELFMAG] = "";

    if (TEMP_FAILURE_RETRY(pread(fd, start, sizeof start, 0)) !=
            (ssize_t)sizeof start ||
        memcmp(start, ELFMAG, SELFMAG) != 0)
        return refuse(loader, "is no ELF file", error);
    return rn_elf_check(fd, name, RN_ELF_NATIVE_ONLY, &unused, error);
}

static bool explain_loader(const char *path, const char *name, GError **error)
{
    const char *library = "another system";

    if (strstr(path, "ld-musl") != NULL)
        library = "musl (Alpine Linux)";
    else if (strstr(path, "ld-linux") != NULL || strstr(path, "ld64") != NULL)
        library = "glibc (Debian, Fedora, ...)";
    g_prefix_error(error, "%s: ", name);
    return rn_error_add_hint(error,
                             "the program was built for %s, and the image has "
                             "no such C library; take a static program or the "
                             "right image",
                             library);
}

static bool check_loader(const Candidate *user, const char *path,
                         GError **error)
{
    Candidate loader = *user;
    rn_autofd int fd = -1;
    g_autofree char *name = name_candidate(user);

    loader.role = "loader";
    loader.path = path;
    loader.depth++;
    if (!open_candidate(&loader, &fd, error))
        return explain_loader(path, name, error);
    if (fd < 0 || check_loader_content(&loader, fd, error))
        return true;
    g_prefix_error(error, "%s: ", name);
    return false;
}
static bool check_elf(const Candidate *candidate, int fd, GError **error)
{
    g_autofree char *name = name_candidate(candidate);
    g_autofree char *loader = NULL;

    if (!rn_elf_check(fd, name,
                      candidate->foreign_formats ? RN_ELF_ANY_MACHINE
                                                 : RN_ELF_NATIVE_ONLY,
                      &loader, error))
        return false;
    return loader == NULL || check_loader(candidate, loader, error);
}

/*
 * The interpreter's path out of "#! PATH [ARGUMENT]\n", the caller's, by the
 * kernel's rules (fs/binfmt_script.c); NULL if there is none or it is cut off.
 */
static char *parse_interpreter(const char *start, gsize length)
{
    const char *newline = memchr(start, '\n', length);
    const char *end = newline == NULL ? start + length : newline;
    const char *first = start + 2;
    const char *after = NULL;

    while (first < end && (*first == ' ' || *first == '\t'))
        first++;
    after = first;
    while (after < end && *after != ' ' && *after != '\t' && *after != '\0')
        after++;
    if (after == first || (after == start + START_SIZE))
        return NULL;
    return g_strndup(first, (gsize)(after - first));
}

static bool check_candidate(const Candidate *candidate, GError **error);

static bool check_script(const Candidate *script, const char *start,
                         gsize length, GError **error)
{
    g_autofree char *path = parse_interpreter(start, length);
    g_autofree char *name = name_candidate(script);
    Candidate interpreter = *script;

    if (path == NULL)
        return refuse(script, "names no interpreter after #!", error);
    if (script->depth == SCRIPT_DEPTH)
        return refuse(script, "is one script too many in a row", error);
    interpreter.role = "interpreter";
    interpreter.path = path;
    interpreter.depth++;
    if (check_candidate(&interpreter, error))
        return true;
    g_prefix_error(error, "%s: ", name);
    if (g_str_has_suffix(path, "\r"))
        return rn_error_add_hint(error, "the script has DOS line endings: "
                                        "sed -i 's/\\r$//' mends it");
    return rn_error_add_hint(error, "the first line of the script names the "
                                    "interpreter; the image has to have it");
}

/* What execve(2) makes of the content. */
static bool check_content(const Candidate *candidate, int fd, GError **error)
{
    char start[START_SIZE] = "";
    ssize_t length = TEMP_FAILURE_RETRY(pread(fd, start, sizeof start, 0));

    if (length < 0)
        return refuse(candidate, "cannot be read", error);
    if (length == 0)
        return refuse(candidate, "is empty", error);
    if (length >= SELFMAG && memcmp(start, ELFMAG, SELFMAG) == 0)
        return check_elf(candidate, fd, error);
    if (length >= 2 && start[0] == '#' && start[1] == '!')
        return check_script(candidate, start, (gsize)length, error);
    if (candidate->foreign_formats)
        return true;
    (void)refuse(candidate, "is of no format that this system runs", error);
    return rn_error_add_hint(error, "a script begins with a line like "
                                    "#!/bin/sh");
}

static bool check_candidate(const Candidate *candidate, GError **error)
{
    rn_autofd int fd = -1;

    if (!open_candidate(candidate, &fd, error))
        return false;
    return fd < 0 || check_content(candidate, fd, error);
}

static bool fail_search(const char *name, const char *path, GError **error)
{
    g_autofree char *shown_name = g_strescape(name, NULL);
    g_autofree char *shown_path = g_strescape(path, NULL);

    (void)rn_set_error(error, RN_ERROR_PROGRAM_MISSING,
                       "program \"%s\": executable file not found in $PATH "
                       "(\"%.256s\")",
                       shown_name, shown_path);
    return rn_error_add_hint(error, "%s; PATH is in process.env", missing_hint);
}

/*
 * As execvp(3): the first one that may be executed counts, whether it is good
 * or not; of those that may not, the first is reported if there is no other.
 */
static bool search_path(Candidate *candidate, const char *path, char **out_path,
                        GError **error)
{
    const char *name = candidate->path;
    g_auto(GStrv) directories =
        g_strsplit(path[0] == '\0' ? ":" : path, ":", -1);
    g_autoptr(GError) denied = NULL;

    for (gsize i = 0; directories[i] != NULL; i++) {
        const char *directory = directories[i];
        g_autofree char *file = g_build_filename(
            directory[0] == '\0' ? "." : directory, name, NULL);
        g_autoptr(GError) failure = NULL;
        rn_autofd int fd = -1;

        candidate->path = file;
        if (open_candidate(candidate, &fd, &failure)) {
            if (fd >= 0 && !check_content(candidate, fd, error))
                return false;
            *out_path = g_steal_pointer(&file);
            return true;
        }
        if (failure->code == RN_ERROR_PROGRAM_UNRUNNABLE && denied == NULL)
            denied = g_steal_pointer(&failure);
    }
    if (denied == NULL)
        return fail_search(name, path, error);
    g_propagate_error(error, g_steal_pointer(&denied));
    return false;
}

bool rn_program_find(const char *name, char **env, const char *cwd,
                     bool foreign_formats, char **out_path, GError **error)
{
    Candidate candidate = { .role = "program",
                            .path = name,
                            .cwd = cwd,
                            .foreign_formats = foreign_formats };
    const char *path = g_environ_getenv(env, "PATH");

    /* in a directory of PATH this would be the directory */
    if (name[0] == '\0')
        return rn_set_error(error, RN_ERROR_PROGRAM_MISSING,
                            "process.args[0] is empty: %s",
                            rn_program_words(ENOENT));
    if (strchr(name, '/') == NULL)
        return search_path(&candidate, path == NULL ? default_path : path,
                           out_path, error);
    if (!check_candidate(&candidate, error))
        return false;
    *out_path = g_strdup(name);
    return true;
}
