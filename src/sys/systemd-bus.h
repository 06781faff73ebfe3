/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * systemd-bus - a connection to a bus, by a libsystemd loaded at run time
 */
#ifndef RNET_SYS_SYSTEMD_BUS_H
#define RNET_SYS_SYSTEMD_BUS_H

#include <stdint.h>

#include <systemd/sd-bus.h>

#include <rnet/sys/systemd.h>

/* Each function of libsystemd that is used; the types are the header's. */
#define RN_SD_FUNCTIONS(DO)                                                    \
    DO(sd_bus_open_system)                                                     \
    DO(sd_bus_open_user)                                                       \
    DO(sd_bus_new)                                                             \
    DO(sd_bus_set_address)                                                     \
    DO(sd_bus_set_bus_client)                                                  \
    DO(sd_bus_start)                                                           \
    DO(sd_bus_get_unique_name)                                                 \
    DO(sd_bus_flush_close_unref)                                               \
    DO(sd_bus_message_new_method_call)                                         \
    DO(sd_bus_message_append_basic)                                            \
    DO(sd_bus_message_open_container)                                          \
    DO(sd_bus_message_close_container)                                         \
    DO(sd_bus_message_read_basic)                                              \
    DO(sd_bus_message_unref)                                                   \
    DO(sd_bus_match_signal)                                                    \
    DO(sd_bus_call)                                                            \
    DO(sd_bus_process)                                                         \
    DO(sd_bus_wait)                                                            \
    DO(sd_bus_error_free)

typedef struct RnSdLibrary {
    void *handle;
#define RN_SD_MEMBER(name) __typeof__(&name) name;
    RN_SD_FUNCTIONS(RN_SD_MEMBER)
#undef RN_SD_MEMBER
} RnSdLibrary;

bool rn_sd_load(RnSdLibrary *library, GError **error) RN_CHECK;
void rn_sd_unload(RnSdLibrary *library);

/* Connects, and waits until the bus has said hello. */
bool rn_sd_connect(const RnSdLibrary *library, RnSystemdManager manager,
                   sd_bus **out_bus, GError **error) RN_CHECK;

/*
 * Appends the members of a tuple to a message. Types that D-Bus does not have
 * (maybe) are RN_ERROR_INVALID.
 */
bool rn_sd_append(const RnSdLibrary *library, sd_bus_message *message,
                  GVariant *tuple, GError **error) RN_CHECK;

#endif
