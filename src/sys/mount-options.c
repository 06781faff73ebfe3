/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mount-options - one table of option words
 *
 * Runs in init (and wherever a bundle is to be judged without privileges). In:
 * words of config.json. Out: flags and data. A word is never dropped: it is in
 * the table, or data, or refused by name; but mount(8)'s comments are.
 */
#include "config.h"

#include <rnet/sys/mount-options.h>

#include <string.h>

#include <sys/mount.h>

typedef enum WordKind {
    WORD_SET,
    WORD_CLEAR,
    WORD_SET_BELOW, /* this mount and all below it */
    WORD_CLEAR_BELOW,
    WORD_PROPAGATION,
    WORD_BIND, /* flag: 0 or MS_REC */
    WORD_REMOUNT,
    WORD_DEFAULT, /* asks for what holds anyway */
    WORD_IDMAP,   /* flag: 0 or MS_REC */
    WORD_COPY_UP,
} WordKind;

typedef struct Word {
    const char *name;
    WordKind kind;
    unsigned long flag;
} Word;

static const Word words_known[] = {
    { "async", WORD_CLEAR, MS_SYNCHRONOUS },
    { "atime", WORD_CLEAR, MS_NOATIME },
    { "bind", WORD_BIND, 0 },
    { "defaults", WORD_DEFAULT, 0 },
    { "dev", WORD_CLEAR, MS_NODEV },
    { "diratime", WORD_CLEAR, MS_NODIRATIME },
    { "dirsync", WORD_SET, MS_DIRSYNC },
    { "exec", WORD_CLEAR, MS_NOEXEC },
    { "idmap", WORD_IDMAP, 0 },
    { "iversion", WORD_SET, MS_I_VERSION },
    { "lazytime", WORD_SET, MS_LAZYTIME },
    { "loud", WORD_CLEAR, MS_SILENT },
    { "mand", WORD_SET, MS_MANDLOCK },
    { "noatime", WORD_SET, MS_NOATIME },
    { "nodev", WORD_SET, MS_NODEV },
    { "nodiratime", WORD_SET, MS_NODIRATIME },
    { "noexec", WORD_SET, MS_NOEXEC },
    { "noiversion", WORD_CLEAR, MS_I_VERSION },
    { "nolazytime", WORD_CLEAR, MS_LAZYTIME },
    { "nomand", WORD_CLEAR, MS_MANDLOCK },
    { "norelatime", WORD_CLEAR, MS_RELATIME },
    { "nostrictatime", WORD_CLEAR, MS_STRICTATIME },
    { "nosuid", WORD_SET, MS_NOSUID },
    { "nosymfollow", WORD_SET, MS_NOSYMFOLLOW },
    { "private", WORD_PROPAGATION, MS_PRIVATE },
    { "ratime", WORD_CLEAR_BELOW, MS_NOATIME },
    { "rbind", WORD_BIND, MS_REC },
    { "rdev", WORD_CLEAR_BELOW, MS_NODEV },
    { "rdiratime", WORD_CLEAR_BELOW, MS_NODIRATIME },
    { "relatime", WORD_SET, MS_RELATIME },
    { "remount", WORD_REMOUNT, 0 },
    { "rexec", WORD_CLEAR_BELOW, MS_NOEXEC },
    { "ridmap", WORD_IDMAP, MS_REC },
    { "rnoatime", WORD_SET_BELOW, MS_NOATIME },
    { "rnodev", WORD_SET_BELOW, MS_NODEV },
    { "rnodiratime", WORD_SET_BELOW, MS_NODIRATIME },
    { "rnoexec", WORD_SET_BELOW, MS_NOEXEC },
    { "rnorelatime", WORD_CLEAR_BELOW, MS_RELATIME },
    { "rnostrictatime", WORD_CLEAR_BELOW, MS_STRICTATIME },
    { "rnosuid", WORD_SET_BELOW, MS_NOSUID },
    { "rnosymfollow", WORD_SET_BELOW, MS_NOSYMFOLLOW },
    { "ro", WORD_SET, MS_RDONLY },
    { "rprivate", WORD_PROPAGATION, MS_PRIVATE | MS_REC },
    { "rrelatime", WORD_SET_BELOW, MS_RELATIME },
    { "rro", WORD_SET_BELOW, MS_RDONLY },
    { "rrw", WORD_CLEAR_BELOW, MS_RDONLY },
    { "rshared", WORD_PROPAGATION, MS_SHARED | MS_REC },
    { "rslave", WORD_PROPAGATION, MS_SLAVE | MS_REC },
    { "rstrictatime", WORD_SET_BELOW, MS_STRICTATIME },
    { "rsuid", WORD_CLEAR_BELOW, MS_NOSUID },
    { "rsymfollow", WORD_CLEAR_BELOW, MS_NOSYMFOLLOW },
    { "runbindable", WORD_PROPAGATION, MS_UNBINDABLE | MS_REC },
    { "rw", WORD_CLEAR, MS_RDONLY },
    { "shared", WORD_PROPAGATION, MS_SHARED },
    { "silent", WORD_SET, MS_SILENT },
    { "slave", WORD_PROPAGATION, MS_SLAVE },
    { "strictatime", WORD_SET, MS_STRICTATIME },
    { "suid", WORD_CLEAR, MS_NOSUID },
    { "symfollow", WORD_CLEAR, MS_NOSYMFOLLOW },
    { "sync", WORD_SET, MS_SYNCHRONOUS },
    { "tmpcopyup", WORD_COPY_UP, 0 },
    { "unbindable", WORD_PROPAGATION, MS_UNBINDABLE },
};

static const unsigned long atime_modes =
    MS_NOATIME | MS_RELATIME | MS_STRICTATIME;

static void set_flag(unsigned long *flags, unsigned long *cleared,
                     unsigned long flag)
{
    /* the kernel knows one mode at a time */
    if ((flag & atime_modes) != 0)
        *flags &= ~atime_modes;
    *flags |= flag;
    *cleared &= ~flag;
}

static void apply_word(const Word *word, RnMountOptions *options)
{
    unsigned long flag = word->flag;

    switch (word->kind) {
    case WORD_SET:
        set_flag(&options->flags, &options->cleared, flag);
        break;
    case WORD_CLEAR:
        options->cleared |= flag;
        options->flags &= ~flag;
        break;
    case WORD_SET_BELOW:
        set_flag(&options->flags_recursive, &options->cleared_recursive, flag);
        break;
    case WORD_CLEAR_BELOW:
        options->cleared_recursive |= flag;
        options->flags_recursive &= ~flag;
        break;
    case WORD_PROPAGATION:
        options->propagation = flag;
        break;
    case WORD_BIND:
        options->bind = true;
        options->recursive = flag != 0;
        break;
    case WORD_REMOUNT:
        options->remount = true;
        break;
    case WORD_IDMAP:
        options->idmap = true;
        options->idmap_recursive = flag != 0;
        break;
    case WORD_COPY_UP:
        options->copy_up = true;
        break;
    case WORD_DEFAULT:
        break;
    }
}

/* Words with a value that only runtimes know, not the kernel. */
static bool is_refused_with_value(const char *text)
{
    return g_str_has_prefix(text, "idmap=") ||
           g_str_has_prefix(text, "ridmap=") ||
           g_str_has_prefix(text, "tmpcopyup=");
}

/* mount(8): "x-..." is for whoever wrote it, and never for the kernel. */
static bool is_comment(const char *text)
{
    return g_ascii_strncasecmp(text, "x-", 2) == 0;
}

static const Word *find_word(const char *text)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(words_known); i++) {
        if (strcmp(words_known[i].name, text) == 0)
            return &words_known[i];
    }
    return NULL;
}

static bool add_data(GString *data, const char *text, GError **error)
{
    if (text[0] == '\0' || is_comment(text))
        return true;
    if (is_refused_with_value(text))
        return rn_set_error(error, RN_ERROR_UNSUPPORTED,
                            "mount option \"%s\": not supported: its value "
                            "is an extension of other runtimes",
                            text);
    if (data->len > 0)
        g_string_append_c(data, ',');
    g_string_append(data, text);
    if (data->len > RN_MOUNT_DATA_MAX)
        return rn_set_error(error, RN_ERROR_LIMIT,
                            "mount options are longer than %d bytes",
                            RN_MOUNT_DATA_MAX);
    return true;
}

bool rn_mount_options_parse(const char *const *words, RnMountOptions *options,
                            GError **error)
{
    g_autoptr(GString) data = g_string_new(NULL);

    *options = (RnMountOptions){ 0 };
    for (; *words != NULL; words++) {
        const Word *word = find_word(*words);

        if (word != NULL)
            apply_word(word, options);
        else if (!add_data(data, *words, error))
            return false;
    }
    if (data->len > 0)
        options->data = g_string_free(g_steal_pointer(&data), FALSE);
    return true;
}

void rn_mount_options_clear(RnMountOptions *options)
{
    g_clear_pointer(&options->data, g_free);
}

const char **rn_mount_option_words(void)
{
    const char **names = g_new0(const char *, G_N_ELEMENTS(words_known) + 1);

    for (unsigned i = 0; i < G_N_ELEMENTS(words_known); i++)
        names[i] = words_known[i].name;
    return names;
}
