/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * systemd - transient scopes of a systemd manager, over D-Bus
 *
 * org.freedesktop.systemd1(5). libsystemd is loaded when a manager is opened:
 * it brings a compression library or three, which nobody else needs.
 */
#ifndef RNET_SYS_SYSTEMD_H
#define RNET_SYS_SYSTEMD_H

#include <sys/types.h>

#include <rnet/util/error.h>

typedef struct RnSystemd RnSystemd;

typedef enum RnSystemdManager {
    RN_SYSTEMD_SYSTEM, /* the host's, by the system bus */
    RN_SYSTEMD_USER,   /* the user's own, by the user's bus */
} RnSystemdManager;

/*
 * Connects to a manager. The user's bus is where libsystemd finds it in the
 * environment (DBUS_SESSION_BUS_ADDRESS, XDG_RUNTIME_DIR: the one place where
 * rnet's environment is read by a library), else at /run/user/UID/bus, with the
 * UID that the host has for the caller.
 */
RnSystemd *rn_systemd_open(RnSystemdManager manager, GError **error) RN_CHECK;
void rn_systemd_free(RnSystemd *systemd);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnSystemd, rn_systemd_free)

/*
 * Starts a transient scope and returns when it is there, 30 s later at most.
 * `properties` is an a(sv); a floating reference is taken.
 */
bool rn_systemd_start_scope(RnSystemd *systemd, const char *unit,
                            GVariant *properties, GError **error) RN_CHECK;

/* Sets properties (as above) of a unit, until it is stopped. */
bool rn_systemd_set_properties(RnSystemd *systemd, const char *unit,
                               GVariant *properties, GError **error) RN_CHECK;

/* Moves a process of the caller's into a unit that is delegated: systemd may
 * where the caller may not. */
bool rn_systemd_attach(RnSystemd *systemd, const char *unit, pid_t pid,
                       GError **error) RN_CHECK;

/* Stops a unit and forgets its failure; one that is gone is fine. */
bool rn_systemd_stop(RnSystemd *systemd, const char *unit,
                     GError **error) RN_CHECK;

#endif
