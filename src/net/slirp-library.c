/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slirp-library - loads libslirp
 *
 * Runs in the relay, which alone needs it: linked, it would be in memory in
 * every launcher, guard and init. It brings the shared GLib, which is not
 * rnet's own where that is linked statically; so what libslirp logs is
 * redirected in that one, too.
 */
#include "config.h"

#include "slirp-library.h"

#include <dlfcn.h>

#include <rnet/util/log.h>

#define LIBRARY_NAME "libslirp.so.0"

typedef struct Loaded {
    void *handle;
    __typeof__(&g_log_set_default_handler) set_handler;
    __typeof__(&g_log_set_always_fatal) set_always_fatal;
    RnSlirpLibrary library;
} Loaded;

/* False: dlerror(3) says why. dlsym(3) finds GLib's among what libslirp was
 * loaded with. */
static bool resolve(Loaded *loaded)
{
#define RESOLVE(name)                                                          \
    loaded->library.name = dlsym(loaded->handle, #name);                       \
    if (loaded->library.name == NULL)                                          \
        return false;
    RN_SLIRP_FUNCTIONS(RESOLVE)
#undef RESOLVE
    loaded->set_handler = dlsym(loaded->handle, "g_log_set_default_handler");
    loaded->set_always_fatal = dlsym(loaded->handle, "g_log_set_always_fatal");
    return loaded->set_handler != NULL && loaded->set_always_fatal != NULL;
}

/* A guest's nonsense must not fill the log. */
static void log_line(const char *domain, GLogLevelFlags level, const char *text,
                     gpointer data)
{
    (void)level;
    (void)data;
    rn_log_debug("%s: %s", domain != NULL ? domain : "libslirp", text);
}

const RnSlirpLibrary *rn_slirp_library(GError **error)
{
    static Loaded loaded;

    if (loaded.handle != NULL)
        return &loaded.library;
    loaded.handle = dlopen(LIBRARY_NAME, RTLD_NOW | RTLD_LOCAL);
    if (loaded.handle != NULL && resolve(&loaded)) {
        /* $G_DEBUG=fatal-warnings would let a guest end the relay */
        (void)loaded.set_always_fatal((GLogLevelFlags)G_LOG_FATAL_MASK);
        (void)loaded.set_handler(log_line, NULL);
        return &loaded.library;
    }
    (void)rn_set_error(error, RN_ERROR_UNSUPPORTED, "load libslirp: %s",
                       dlerror());
    if (loaded.handle != NULL)
        (void)dlclose(loaded.handle); /* at worst it stays */
    loaded.handle = NULL;
    (void)rn_error_add_hint(error, "install libslirp0");
    return NULL;
}
