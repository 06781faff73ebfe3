/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-tcp - TCP sockets as a relay needs them
 */
#include "config.h"

#include <unit.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include <rnet/sys/tcp.h>
#include <rnet/util/fd.h>

#include "own-peer.h"
#include "tcp-pair.h"

static void socket_that_met_itself_is_known(void **state)
{
    rn_autofd int own = make_own_peer();
    int pair[2];

    (void)state;
    assert_true(rn_tcp_is_own_peer(own));
    assert_true(tcp_pair_open(pair));
    for (unsigned i = 0; i < 2; i++) {
        assert_false(rn_tcp_is_own_peer(pair[i]));
        rn_fd_close(&pair[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(socket_that_met_itself_is_known),
    };

    return cmocka_run_group_tests_name("tcp", tests, NULL, NULL);
}
