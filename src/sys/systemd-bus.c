/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * systemd-bus - loads libsystemd, connects, and fills messages
 *
 * Runs in the launcher and in the commands that deal with a cgroup, if systemd
 * is to manage it. sd-bus and not GDBus: it starts no thread, and it lets the
 * kernel tell the bus who the caller is, which is what works from within a user
 * namespace, where podman runs rnet.
 */
#include "config.h"

#include "systemd-bus.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rnet/util/fd.h>

#define LIBRARY_NAME "libsystemd.so.0"

enum {
    ID_MAP_MAX = 1 << 16, /* bytes */
};

/* False: dlerror(3) says why. */
static bool resolve(RnSdLibrary *library)
{
#define RESOLVE(name)                                                          \
    library->name = dlsym(library->handle, #name);                             \
    if (library->name == NULL)                                                 \
        return false;
    RN_SD_FUNCTIONS(RESOLVE)
#undef RESOLVE
    return true;
}

bool rn_sd_load(RnSdLibrary *library, GError **error)
{
    library->handle = dlopen(LIBRARY_NAME, RTLD_NOW | RTLD_LOCAL);
    if (library->handle != NULL && resolve(library))
        return true;
    (void)rn_set_error(error, RN_ERROR_UNSUPPORTED,
                       "load the library that speaks to systemd: %s",
                       dlerror());
    rn_sd_unload(library);
    return rn_error_add_hint(error, "install libsystemd0, or leave out "
                                    "--systemd-cgroup");
}

void rn_sd_unload(RnSdLibrary *library)
{
    if (library->handle != NULL)
        (void)dlclose(library->handle); /* at worst it stays */
    library->handle = NULL;
}

/* The caller's uid as the host has it: a user namespace shows another. */
static unsigned find_host_uid(void)
{
    g_autofree char *text = NULL;
    unsigned uid = geteuid();
    const char *line = NULL;

    if (!rn_file_read(AT_FDCWD, "/proc/self/uid_map", ID_MAP_MAX, &text, NULL,
                      NULL))
        return uid;
    for (line = text; line != NULL && *line != '\0';) {
        unsigned inside = 0;
        unsigned outside = 0;
        unsigned size = 0;

        if (sscanf(line, "%u %u %u", &inside, &outside, &size) == 3 &&
            uid >= inside && uid - inside < size)
            return outside + (uid - inside);
        line = strchr(line, '\n');
        line = line == NULL ? NULL : line + 1;
    }
    return uid;
}

/* The user's bus where systemd puts it, without the environment. */
static int open_usual_place(const RnSdLibrary *library, unsigned uid,
                            sd_bus **out_bus)
{
    g_autofree char *address =
        g_strdup_printf("unix:path=/run/user/%u/bus", uid);
    sd_bus *bus = NULL;
    int result = library->sd_bus_new(&bus);

    if (result < 0)
        return result;
    if ((result = library->sd_bus_set_address(bus, address)) < 0 ||
        (result = library->sd_bus_set_bus_client(bus, 1)) < 0 ||
        (result = library->sd_bus_start(bus)) < 0) {
        (void)library->sd_bus_flush_close_unref(bus);
        return result;
    }
    *out_bus = bus;
    return 0;
}

/* Asks for what is only known when the bus has answered. */
static int wait_for_hello(const RnSdLibrary *library, sd_bus *bus)
{
    const char *name = NULL;

    return library->sd_bus_get_unique_name(bus, &name);
}

static bool fail_user(unsigned uid, int result, GError **error)
{
    (void)rn_set_errno(error, -result,
                       "connect to the bus of the user %u, where systemd "
                       "listens",
                       uid);
    return rn_error_add_hint(
        error,
        "/run/user/%u/bus has to be there, or DBUS_SESSION_BUS_ADDRESS to name "
        "another: install dbus-user-session, and log in, or `loginctl "
        "enable-linger` for the user; else leave out --systemd-cgroup",
        uid);
}

static int try_user(const RnSdLibrary *library, unsigned uid, sd_bus **out_bus)
{
    int result = library->sd_bus_open_user(out_bus);

    if (result >= 0) {
        result = wait_for_hello(library, *out_bus);
        if (result >= 0)
            return result;
        (void)library->sd_bus_flush_close_unref(*out_bus);
    }
    result = open_usual_place(library, uid, out_bus);
    if (result < 0)
        return result;
    result = wait_for_hello(library, *out_bus);
    if (result < 0)
        (void)library->sd_bus_flush_close_unref(*out_bus);
    return result;
}

bool rn_sd_connect(const RnSdLibrary *library, RnSystemdManager manager,
                   sd_bus **out_bus, GError **error)
{
    unsigned uid = find_host_uid();
    sd_bus *bus = NULL;
    int result = 0;

    if (manager == RN_SYSTEMD_USER) {
        result = try_user(library, uid, &bus);
        if (result < 0)
            return fail_user(uid, result, error);
    } else {
        result = library->sd_bus_open_system(&bus);
        if (result >= 0 && (result = wait_for_hello(library, bus)) < 0)
            (void)library->sd_bus_flush_close_unref(bus);
        if (result < 0) {
            (void)rn_set_errno(error, -result,
                               "connect to the system bus, where systemd "
                               "listens");
            return rn_error_add_hint(error, "where systemd is not pid 1, leave "
                                            "out --systemd-cgroup");
        }
    }
    *out_bus = bus;
    return true;
}

static int append(const RnSdLibrary *library, sd_bus_message *message,
                  GVariant *value);

static int append_members(const RnSdLibrary *library, sd_bus_message *message,
                          GVariant *value)
{
    for (gsize i = 0; i < g_variant_n_children(value); i++) {
        g_autoptr(GVariant) member = g_variant_get_child_value(value, i);
        int result = append(library, message, member);

        if (result < 0)
            return result;
    }
    return 0;
}

static int append_container(const RnSdLibrary *library, sd_bus_message *message,
                            GVariant *value)
{
    const char *type = g_variant_get_type_string(value);
    g_autofree char *contents = NULL;
    char kind = type[0];
    int result = 0;

    if (kind == 'v') {
        g_autoptr(GVariant) member = g_variant_get_variant(value);

        contents = g_strdup(g_variant_get_type_string(member));
    } else if (kind == 'a') {
        contents = g_strdup(type + 1);
    } else { /* in brackets */
        contents = g_strndup(type + 1, strlen(type) - 2);
        kind = kind == '{' ? 'e' : 'r';
    }
    result = library->sd_bus_message_open_container(message, kind, contents);
    if (result >= 0)
        result = append_members(library, message, value);
    if (result >= 0)
        result = library->sd_bus_message_close_container(message);
    return result;
}

static int append(const RnSdLibrary *library, sd_bus_message *message,
                  GVariant *value)
{
    const char *type = g_variant_get_type_string(value);
    guint64 number = 0;
    int truth = 0;

    if (strchr("va({", type[0]) != NULL)
        return append_container(library, message, value);
    if (strchr("sog", type[0]) != NULL)
        return library->sd_bus_message_append_basic(
            message, type[0], g_variant_get_string(value, NULL));
    if (type[0] == 'b') { /* an int here, a byte in GVariant */
        truth = g_variant_get_boolean(value);
        return library->sd_bus_message_append_basic(message, 'b', &truth);
    }
    if (strchr("ynqiuxtd", type[0]) == NULL)
        return -EINVAL;
    g_variant_store(value, &number);
    return library->sd_bus_message_append_basic(message, type[0], &number);
}

bool rn_sd_append(const RnSdLibrary *library, sd_bus_message *message,
                  GVariant *tuple, GError **error)
{
    int result = append_members(library, message, tuple);

    if (result >= 0)
        return true;
    return rn_set_error(error, RN_ERROR_INVALID,
                        "D-Bus cannot carry a value of type %s",
                        g_variant_get_type_string(tuple));
}
