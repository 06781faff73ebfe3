/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * in-child - runs a part of a test in a forked process
 *
 * For what cannot be taken back (privileges, filters, closed fds). The function
 * answers with the text of what went wrong, or NULL; it must not use cmocka's
 * assertions, whose longjmp would leave the child in the parent's code.
 */
#ifndef RNET_TESTS_UNIT_IN_CHILD_H
#define RNET_TESTS_UNIT_IN_CHILD_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/wait.h>

#include <unit.h>

typedef const char *(*InChildFunc)(void *data);

enum {
    /* where the child's answer goes: above all fds that a test may touch */
    IN_CHILD_ANSWER_FD = 200,
};

/*
 * Runs func in a child. Returns its waitpid status; its answer is in `text`, ""
 * if there was none.
 */
static inline int in_child_status(InChildFunc func, void *data, char text[512])
{
    int answer[2] = { -1, -1 };
    const char *failure = NULL;
    size_t length = 0;
    ssize_t got = 0;
    pid_t pid = -1;
    int status = 0;

    assert_int_equal(pipe2(answer, O_CLOEXEC), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (dup3(answer[1], IN_CHILD_ANSWER_FD, O_CLOEXEC) < 0)
            _exit(EXIT_FAILURE);
        (void)close(answer[0]);
        (void)close(answer[1]);
        failure = func(data);
        if (failure != NULL)
            (void)!write(IN_CHILD_ANSWER_FD, failure, strlen(failure));
        _exit(EXIT_SUCCESS);
    }
    (void)close(answer[1]);
    while (length < 511 &&
           (got = read(answer[0], text + length, 511 - length)) > 0)
        length += (size_t)got;
    text[length] = '\0';
    (void)close(answer[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

/* Runs func in a child and fails with its answer, if there is one. */
static inline void run_in_child(InChildFunc func, void *data)
{
    char text[512] = "";
    int status = in_child_status(func, data, text);

    if (text[0] != '\0')
        fail_msg("in the child: %s", text);
    assert_int_equal(status, 0);
}

/* Ends the test: as failed if everything is required to be there. */
static inline void skip_unless_required(const char *reason)
{
    const char *required = getenv("RNET_TEST_REQUIRE");

    print_message("# not here: %s\n", reason);
    if (required != NULL && strcmp(required, "1") == 0)
        fail_msg("RNET_TEST_REQUIRE is set, but: %s", reason);
    skip();
}

#endif
