/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-keyring - a session keyring of one's own, and joining it by name */
#include "config.h"

#include <unit.h>

#include <errno.h>
#include <unistd.h>

#include <linux/keyctl.h>
#include <sys/syscall.h>

#include <rnet/sys/keyring.h>

#include "in-child.h"

static long session_keyring(void)
{
    return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING,
                   1);
}

static const char *joins(void *data)
{
    char text[256] = "";
    g_autoptr(GError) error = NULL;
    long key = 0;
    long before = 0;

    (void)data;
    /* a secret of the caller, in the caller's session keyring */
    if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0)
        return "no keyring for the caller";
    before = session_keyring();
    key = syscall(SYS_add_key, "user", "rnet-test-secret", "x", 1,
                  KEY_SPEC_SESSION_KEYRING);
    if (key < 0)
        return "no key for the caller";
    if (!rn_keyring_join("_ses.rnet-test", &error))
        return g_strdup(error->message);
    if (session_keyring() == before)
        return "the keyring is the caller's";
    if (syscall(SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING, text,
                sizeof text) < 0 ||
        !g_str_has_prefix(text, "keyring;") ||
        !g_str_has_suffix(text, ";3f1b0000;_ses.rnet-test"))
        return g_strdup(text);
    if (syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user",
                "rnet-test-secret", 0) >= 0)
        return "the caller's key is within reach";
    return NULL;
}

/* Another process of the container, while the first one lives. */
static const char *joins_by_name(void *data)
{
    g_autoptr(GError) error = NULL;
    long first = 0;

    (void)data;
    if (!rn_keyring_join("_ses.rnet-test", &error))
        return g_strdup(error->message);
    first = session_keyring();
    if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 ||
        session_keyring() == first)
        return "cannot leave the keyring";
    /* held by nobody it may be gone already: then the name is free again */
    return rn_keyring_join("_ses.rnet-test", &error) ? NULL
                                                     : g_strdup(error->message);
}

static void session_keyring_is_the_containers(void **state)
{
    (void)state;
    if (session_keyring() < 0 && errno == ENOSYS)
        skip_unless_required("a kernel with keyrings");
    run_in_child(joins, NULL);
    run_in_child(joins_by_name, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(session_keyring_is_the_containers),
    };

    return cmocka_run_group_tests_name("keyring", tests, NULL, NULL);
}
