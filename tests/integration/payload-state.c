/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * payload-state - everything that an exec hands on to a process, as lines
 *
 * Role:     shows a test what the payload has got from whoever started it
 * Runs in:  the container, as its pid 1; static, without GLib
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/keyctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "payload.h"

static const char *const fields[] = {
    "Threads:", "SigPnd:",     "ShdPnd:",  "SigBlk:", "SigIgn:",
    "SigCgt:",  "CapInh:",     "CapPrm:",  "CapEff:", "CapBnd:",
    "CapAmb:",  "NoNewPrivs:", "Seccomp:", "Umask:",  "TracerPid:"
};

static void say_status(void)
{
    char line[512];
    FILE *file = fopen("/proc/self/status", "re");

    if (file == NULL)
        payload_fail("open /proc/self/status");
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
            if (strncmp(line, fields[i], strlen(fields[i])) == 0)
                payload_say("%s", line);
        }
    }
    (void)fclose(file);
}

static void say_keyring(void)
{
    char text[512] = "";
    const char *name = NULL;

    if (syscall(SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING, text,
                sizeof text - 1) < 0)
        payload_fail("keyctl");
    name = strrchr(text, ';');
    payload_say("keyring %s", name == NULL ? "?" : name + 1);
    payload_say("secret %ld",
                syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING,
                        "user", "rnet-test-secret", 0) >= 0
                    ? 1L
                    : 0L);
}

static void say_children(void)
{
    char text[64] = "";
    int fd = open("/proc/self/task/1/children", O_RDONLY | O_CLOEXEC);

    if (fd < 0 || read(fd, text, sizeof text - 1) < 0)
        payload_fail("children");
    (void)close(fd);
    payload_say("children %s", text);
}

int payload_state(char **arguments)
{
    int dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);

    (void)arguments;
    say_status();
    for (char **entry = environ; *entry != NULL; entry++)
        payload_say("env %s", *entry);
    say_keyring();
    say_children();
    payload_say("nice %d", getpriority(PRIO_PROCESS, 0));
    payload_say("dumpable %d", dumpable);
    payload_say("securebits %d", prctl(PR_GET_SECUREBITS, 0, 0, 0, 0));
    return 0;
}

int payload_keyring(char **arguments)
{
    long serial = syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID,
                          KEY_SPEC_SESSION_KEYRING, 0, 0, 0);

    (void)arguments;
    if (serial < 0)
        payload_fail("keyctl");
    payload_say("session keyring %ld", serial);
    return 0;
}
