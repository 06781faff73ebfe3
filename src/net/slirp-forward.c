/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slirp-forward - puts our listeners in the place of libslirp's
 *
 * Role:     listener -> libslirp, which accepts and connects over the link
 * Runs in:  the relay, where there is no nsagent
 * Owns:     the list; the sockets are libslirp's
 * Failure:  a libslirp that does not show its new socket among those that it
 *           polls cannot be used so
 */
#include "config.h"

#include "slirp-forward.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include <rnet/net/address-plan.h>
#include <rnet/util/log.h>

void rn_slirp_forwards_clear(RnSlirpForwards *forwards)
{
    g_clear_pointer(&forwards->list, g_array_unref);
}

unsigned rn_slirp_forwards_count(const RnSlirpForwards *forwards)
{
    return forwards->list != NULL ? forwards->list->len : 0;
}

bool rn_slirp_forwards_have(const RnSlirpForwards *forwards, int fd)
{
    for (unsigned i = 0; i < rn_slirp_forwards_count(forwards); i++) {
        if (g_array_index(forwards->list, RnSlirpForward, i).fd == fd)
            return true;
    }
    return false;
}

/* The search for a listening socket that is no forward yet. */
typedef struct Search {
    const RnSlirpForwards *forwards;
    int found; /* -1: not yet */
} Search;

static bool is_listening(int fd)
{
    int value = 0;
    socklen_t length = sizeof value;

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &length) == 0 &&
           value != 0;
}

/* SlirpAddPollCb; nothing is polled, so the index does not matter. */
static int look_at(int fd, int events, void *opaque)
{
    Search *search = opaque;

    (void)events;
    if (search->found < 0 && is_listening(fd) &&
        !rn_slirp_forwards_have(search->forwards, fd))
        search->found = fd;
    return 0;
}

static int find_new_socket(const RnSlirpForwards *forwards,
                           const RnSlirpLibrary *library, Slirp *stack)
{
    Search search = { .forwards = forwards, .found = -1 };
    uint32_t wait_ms = UINT32_MAX;

    library->slirp_pollfds_fill(stack, &wait_ms, look_at, &search);
    return search.found;
}

bool rn_slirp_forward_add(RnSlirpForwards *forwards, Slirp *stack, uint32_t id,
                          int listener, const RnEndpoint *target,
                          GError **error)
{
    const RnSlirpLibrary *library = rn_slirp_library(error);
    RnEndpoint place = rn_endpoint_loopback(target->family, 0);
    RnSlirpForward forward = { .id = id };
    struct sockaddr_storage from, to;
    socklen_t length = rn_endpoint_to_sockaddr(&place, &from);

    if (library == NULL)
        return false;
    (void)rn_endpoint_to_sockaddr(target, &to); /* of the same family */
    if (library->slirp_add_hostxfwd(stack, (struct sockaddr *)&from, length,
                                    (struct sockaddr *)&to, length, 0) < 0)
        return rn_set_errno(error, errno, "forward by libslirp");
    forward.fd = find_new_socket(forwards, library, stack);
    if (forward.fd < 0 || dup3(listener, forward.fd, O_CLOEXEC) < 0)
        return rn_set_error(error, RN_ERROR_UNSUPPORTED,
                            "libslirp %s hides its sockets",
                            library->slirp_version_string());
    if (forwards->list == NULL)
        forwards->list = g_array_new(FALSE, FALSE, sizeof forward);
    g_array_append_val(forwards->list, forward);
    return true;
}

static void remove_one(const RnSlirpForward *forward, Slirp *stack)
{
    const RnSlirpLibrary *library = rn_slirp_library(NULL);
    struct sockaddr_storage at = { 0 };
    socklen_t length = sizeof at;

    /* libslirp finds it by where it is bound to */
    if (library == NULL ||
        getsockname(forward->fd, (struct sockaddr *)&at, &length) < 0 ||
        library->slirp_remove_hostxfwd(stack, (struct sockaddr *)&at, length,
                                       0) < 0)
        rn_log_debug("slirp: a forward is gone already");
}

unsigned rn_slirp_forward_remove(RnSlirpForwards *forwards, Slirp *stack,
                                 uint32_t id)
{
    unsigned n_removed = 0;

    for (unsigned i = rn_slirp_forwards_count(forwards); i > 0; i--) {
        RnSlirpForward forward =
            g_array_index(forwards->list, RnSlirpForward, i - 1);

        if (forward.id != id)
            continue;
        g_array_remove_index_fast(forwards->list, i - 1);
        remove_one(&forward, stack);
        n_removed++;
    }
    return n_removed;
}
