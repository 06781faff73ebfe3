/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * home - the home directory of an id, by the container's /etc/passwd
 *
 * Runs in init and in the process of an exec, inside the container's root and
 * with the payload's rights. The file is the image's, hostile: it is bounded,
 * and what is no entry of passwd(5) is passed over. Nothing here fails.
 */
#include "config.h"

#include <rnet/runtime/home.h>

#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include <rnet/util/fd.h>
#include <rnet/util/log.h>

enum {
    PASSWD_MAX = 1024 * 1024, /* bytes; 10000 users are half of it */
};

/* passwd(5) */
enum {
    FIELD_UID = 2,
    FIELD_HOME = 5,
    N_FIELDS = 7,
};

/* The home directory in `line`, the caller's, if it is the entry of `uid`. */
static char *match_line(const char *line, uint32_t uid)
{
    g_auto(GStrv) fields = g_strsplit(line, ":", N_FIELDS);
    guint64 number = 0;

    if (g_strv_length(fields) != N_FIELDS ||
        !g_ascii_string_to_unsigned(fields[FIELD_UID], 10, 0, UINT32_MAX,
                                    &number, NULL) ||
        number != uid || fields[FIELD_HOME][0] != '/' ||
        strlen(fields[FIELD_HOME]) >= PATH_MAX)
        return NULL;
    return g_strdup(fields[FIELD_HOME]);
}

char *rn_home_find(uint32_t uid)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) failure = NULL;
    g_auto(GStrv) lines = NULL;
    char *home = NULL;

    if (!rn_file_read(AT_FDCWD, "/etc/passwd", PASSWD_MAX, &text, NULL,
                      &failure)) {
        rn_log_debug("HOME: %s", failure->message);
        return g_strdup("/");
    }
    lines = g_strsplit(text, "\n", -1);
    for (unsigned i = 0; lines[i] != NULL && home == NULL; i++)
        home = match_line(lines[i], uid);
    return home != NULL ? home : g_strdup("/");
}
