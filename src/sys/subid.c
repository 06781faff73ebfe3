/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * subid - subordinate id ranges of the calling user, through libsubid
 *
 * Runs in the launcher. libsubid asks what nsswitch.conf names for "subid",
 * by default /etc/subuid and /etc/subgid. It writes its complaints to a stream,
 * by default stderr: here they become the error's text.
 *
 * The library is loaded here and not by the linker: it brings nine others (PAM,
 * SELinux, audit), which each process of rnet would have in memory although
 * only an unprivileged launcher asks, and that only before a container runs.
 *
 * What libsubid and open_memstream allocate with malloc is freed with g_free,
 * which is the same since GLib 2.46.
 */
#include "config.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include <shadow/subid.h>

#include <rnet/sys/idmap.h>
#include <rnet/util/fd.h>
#include <rnet/util/parse.h>

enum {
    SUBID_FILE_MAX = 4 << 20, /* bytes of /etc/subuid that are looked at */
    SUBID_FIELDS = 3,         /* subuid(5): owner:start:count */
};

/* login.defs(5), SUB_UID_MIN and SUB_GID_MIN by default */
static const uint32_t first_subid = 100000;

/* the library that the header describes */
#define LIBRARY_NAME "libsubid.so." G_STRINGIFY(SUBID_ABI_MAJOR)

typedef struct Source {
    const char *function; /* of type GetRangesFunc */
    const char *path;
    const char *what;
} Source;

static const Source sources[] = {
    [RN_ID_USER] = { "subid_get_uid_ranges", "/etc/subuid", "uids" },
    [RN_ID_GROUP] = { "subid_get_gid_ranges", "/etc/subgid", "gids" },
};
G_STATIC_ASSERT(G_N_ELEMENTS(sources) == RN_ID_N_);

/* The types are those that the header declares the functions with. */
typedef __typeof__(&subid_init) InitFunc;
typedef __typeof__(&subid_get_uid_ranges) GetRangesFunc;

typedef struct Library {
    void *handle;
    InitFunc init;
    GetRangesFunc get_ranges;
} Library;

static void clear_library(Library *library)
{
    if (library->handle != NULL)
        (void)dlclose(library->handle); /* at worst it stays */
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Library, clear_library)

RnSubidLibrary *rn_subid_hold(void)
{
    return geteuid() == 0 ? NULL : dlopen(LIBRARY_NAME, RTLD_NOW | RTLD_LOCAL);
}

void rn_subid_release(RnSubidLibrary *library)
{
    Library held = { .handle = library };

    clear_library(&held);
}

/* False: dlerror(3) says why. */
static bool load_library(const Source *source, Library *library)
{
    library->handle = dlopen(LIBRARY_NAME, RTLD_NOW | RTLD_LOCAL);
    if (library->handle == NULL)
        return false;
    library->init = dlsym(library->handle, "subid_init");
    library->get_ranges = dlsym(library->handle, source->function);
    return library->init != NULL && library->get_ranges != NULL;
}

static void append_range(GArray *ranges, const struct subid_range *range)
{
    RnIdMapping mapping = { 0 };

    if (range->count == 0 || range->start > UINT32_MAX)
        return;
    mapping.host_id = (uint32_t)range->start;
    mapping.size =
        (uint32_t)MIN(range->count, (gulong)UINT32_MAX - range->start);
    g_array_append_val(ranges, mapping);
}

/*
 * Calls libsubid with its stream turned into *out_said (malloc'd), and back to
 * stderr, its default, before the stream goes away.
 */
static int query(const Source *source, const char *owner,
                 struct subid_range **out_ranges, char **out_said)
{
    g_auto(Library) library = { NULL };
    size_t length = 0;
    FILE *stream = NULL;
    int count = -1;

    if (!load_library(source, &library)) {
        *out_said = g_strdup(dlerror());
        return -1;
    }
    stream = open_memstream(out_said, &length);
    if (stream == NULL)
        return -1;
    (void)library.init(NULL, stream);
    count = library.get_ranges(owner, out_ranges);
    (void)library.init(NULL, stderr);
    (void)fclose(stream);
    return count;
}

/* The login name as newuidmap takes it: of the real uid. */
static char *get_owner(void)
{
    const struct passwd *entry = getpwuid(getuid());

    return entry == NULL ? g_strdup_printf("%u", (unsigned)getuid())
                         : g_strdup(entry->pw_name);
}

bool rn_subid_ranges(RnIdKind kind, GArray **out_ranges, GError **error)
{
    const Source *source = &sources[kind];
    g_autoptr(GArray) ranges = g_array_new(FALSE, TRUE, sizeof(RnIdMapping));
    g_autofree struct subid_range *found = NULL;
    g_autofree char *said = NULL;
    g_autofree char *owner = NULL;
    int count = 0;

    if (geteuid() != 0) {
        owner = get_owner();
        count = query(source, owner, &found, &said);
    }
    /* no file at all is no range, not a failure */
    if (count < 0 && access(source->path, F_OK) == 0)
        return rn_set_error(error, RN_ERROR_UNSUPPORTED,
                            "look up the subordinate %s of \"%s\": %s",
                            source->what, owner,
                            said == NULL || *said == '\0' ? "libsubid failed"
                                                          : g_strchomp(said));
    for (int i = 0; i < count; i++)
        append_range(ranges, &found[i]);
    *out_ranges = g_steal_pointer(&ranges);
    return true;
}

/* The first id behind the range of one line, 0 if the line has none. */
static uint64_t find_line_end(const char *line)
{
    g_auto(GStrv) fields = g_strsplit(line, ":", SUBID_FIELDS);
    uint64_t start = 0;
    uint64_t count = 0;

    if (g_strv_length(fields) != SUBID_FIELDS ||
        !rn_parse_uint(fields[1], 0, UINT32_MAX, "start", &start, NULL) ||
        !rn_parse_uint(fields[2], 0, UINT32_MAX, "count", &count, NULL))
        return 0;
    return start + count;
}

uint32_t rn_subid_first_free(RnIdKind kind)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    uint64_t free_id = first_subid;

    if (!rn_file_read(AT_FDCWD, sources[kind].path, SUBID_FILE_MAX, &text, NULL,
                      NULL))
        return first_subid;
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        uint64_t end = find_line_end(*line);

        /* a line at the very end of the ids leaves no room behind it */
        if (end <= UINT32_MAX - 2 * 65536)
            free_id = MAX(free_id, end);
    }
    return (uint32_t)free_id;
}
