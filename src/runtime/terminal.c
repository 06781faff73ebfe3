/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * terminal - copies between the caller's terminal and the container's
 *
 * Runs in the foreground launcher. Data: stdin -> master, master -> stdout,
 * each through one buffer: a side is only read while its buffer is empty, so a
 * slow reader slows the writer down. stdin and stdout stay blocking, since
 * their file descriptions are shared with the caller's other programs; what
 * keeps a write from waiting is said at takes_data(). Failure of either side
 * ends that direction, not the container.
 */
#include "config.h"

#include <rnet/runtime/terminal.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <sys/ioctl.h>

#include <rnet/util/fd.h>
#include <rnet/util/log.h>

enum {
    /* the line discipline's, N_TTY_BUF_SIZE, and PIPE_BUF, pipe(7) */
    BUFFER_SIZE = 4096,
    COPY_BUDGET = 16, /* buffers in a turn of the loop */
    /* a watch that waits for nothing: unlike with no events at all, a hang-up
     * is then told once, not in every turn; epoll_ctl(2) */
    NO_EVENTS = EPOLLET,
};

/* Bytes that were read and not yet written. */
typedef struct Buffer {
    char bytes[BUFFER_SIZE];
    size_t start, end;
} Buffer;

struct RnTerminal {
    int master_fd;
    int output_fd; /* stdout */
    bool is_raw;
    struct termios saved;
    RnTerminalGoneFunc gone;
    void *data;
    RnWatch input;      /* stdin */
    RnWatch output;     /* stdout; not in the loop if it is a file */
    RnWatch master;     /* the container's side */
    bool input_is_file; /* epoll cannot watch stdin */
    bool input_ended;
    bool is_within_line; /* the last byte of stdin did not end a line */
    bool output_is_lost; /* stdout takes no more, ever */
    bool master_hung_up; /* no process of the container has it open */
    Buffer to_container, to_caller;
};

static bool is_empty(const Buffer *buffer)
{
    return buffer->start == buffer->end;
}

static bool make_raw(RnTerminal *terminal, GError **error)
{
    struct termios raw = { 0 };

    if (tcgetattr(STDIN_FILENO, &terminal->saved) < 0)
        return true; /* no terminal: nothing to restore */
    raw = terminal->saved;
    cfmakeraw(&raw);
    if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) < 0)
        return rn_set_errno(error, errno, "set the terminal to raw mode");
    terminal->is_raw = true;
    return true;
}

/*
 * Each side waits for data while its buffer is empty and for room while it is
 * not. A hung-up master has nothing to tell until the container opens its
 * terminal again, which is an edge.
 */
static void update_watches(RnTerminal *terminal)
{
    bool file_goes_on = terminal->input_is_file && !terminal->input_ended;
    bool has_input = !is_empty(&terminal->to_container);
    bool has_output = !is_empty(&terminal->to_caller);
    uint32_t events = NO_EVENTS;

    if (!terminal->master_hung_up && !has_output)
        events = EPOLLIN;
    else if (terminal->master_hung_up)
        events |= EPOLLIN;
    if (!terminal->master_hung_up && (has_input || file_goes_on))
        events |= EPOLLOUT;
    rn_watch_set_events(&terminal->master, events);
    rn_watch_set_events(&terminal->output, has_output ? EPOLLOUT : NO_EVENTS);
    if (terminal->input_ended)
        rn_watch_remove(&terminal->input);
    else
        rn_watch_set_events(&terminal->input, has_input ? NO_EVENTS : EPOLLIN);
}

static void write_input(RnTerminal *terminal)
{
    Buffer *buffer = &terminal->to_container;
    ssize_t written = write(terminal->master_fd, buffer->bytes + buffer->start,
                            buffer->end - buffer->start);

    if (written > 0)
        buffer->start += (size_t)written;
    else if (written < 0 && errno != EAGAIN && errno != EINTR)
        buffer->start = buffer->end; /* nobody reads */
}

/*
 * Passes the end of stdin on as the character that means it, so that a shell in
 * the container ends as it would on Ctrl-D. Within a line the first one only
 * hands over what there is of the line, termios(3).
 */
static void end_input(RnTerminal *terminal)
{
    Buffer *buffer = &terminal->to_container;
    struct termios settings = { 0 };

    terminal->input_ended = true;
    if (tcgetattr(terminal->master_fd, &settings) < 0)
        return;
    if (terminal->is_within_line && (settings.c_lflag & ICANON) != 0)
        buffer->bytes[buffer->end++] = (char)settings.c_cc[VEOF];
    buffer->bytes[buffer->end++] = (char)settings.c_cc[VEOF];
}

/* Fills the empty buffer. */
static void read_input(RnTerminal *terminal)
{
    Buffer *buffer = &terminal->to_container;
    ssize_t got = read(STDIN_FILENO, buffer->bytes, BUFFER_SIZE);
    char last = 0;

    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    buffer->start = 0;
    buffer->end = got > 0 ? (size_t)got : 0;
    if (got <= 0) {
        end_input(terminal);
        return;
    }
    last = buffer->bytes[got - 1];
    terminal->is_within_line = last != '\n' && last != '\r';
}

static void pump_input(RnTerminal *terminal)
{
    if (is_empty(&terminal->to_container) && !terminal->input_ended)
        read_input(terminal);
    if (!is_empty(&terminal->to_container))
        write_input(terminal);
}

static void on_input(RnWatch *watch, uint32_t events)
{
    RnTerminal *terminal = watch->data;

    (void)events; /* data, end and failure all show when it is read */
    pump_input(terminal);
    update_watches(terminal);
}

/*
 * A pipe with room takes PIPE_BUF bytes without waiting. A terminal may have
 * less room than that, so it is opened anew, as a description of ours that does
 * not wait; see open_output().
 */
static bool takes_data(int fd)
{
    struct pollfd polled = { .fd = fd, .events = POLLOUT };

    return poll(&polled, 1, 0) > 0; /* failure shows when it is written */
}

static void lose_output(RnTerminal *terminal)
{
    terminal->to_caller.start = terminal->to_caller.end;
    if (terminal->output_is_lost)
        return;
    rn_log_debug("write the terminal's output: %s", g_strerror(errno));
    terminal->output_is_lost = true;
    rn_watch_remove(&terminal->output);
    terminal->gone(terminal->data);
}

static void write_output(RnTerminal *terminal)
{
    Buffer *buffer = &terminal->to_caller;
    ssize_t written = 0;

    if (terminal->output_is_lost) {
        buffer->start = buffer->end;
        return;
    }
    if (!takes_data(terminal->output_fd))
        return;
    written = write(terminal->output_fd, buffer->bytes + buffer->start,
                    buffer->end - buffer->start);
    if (written >= 0)
        buffer->start += (size_t)written;
    else if (errno != EAGAIN && errno != EINTR)
        lose_output(terminal);
}

/* Fills the empty buffer; false when there is nothing more for now. */
static bool read_output(RnTerminal *terminal)
{
    Buffer *buffer = &terminal->to_caller;
    ssize_t got = TEMP_FAILURE_RETRY(
        read(terminal->master_fd, buffer->bytes, BUFFER_SIZE));

    /* EIO: the last process closed the container's side; it may be opened
     * again, as long as there are processes */
    terminal->master_hung_up = got == 0 || (got < 0 && errno != EAGAIN);
    buffer->start = 0;
    buffer->end = got > 0 ? (size_t)got : 0;
    return got > 0;
}

/* False when nothing moves for now. */
static bool pump_output(RnTerminal *terminal)
{
    if (is_empty(&terminal->to_caller) && !read_output(terminal))
        return false;
    write_output(terminal);
    return is_empty(&terminal->to_caller);
}

static void on_output(RnWatch *watch, uint32_t events)
{
    RnTerminal *terminal = watch->data;

    (void)events; /* room and failure both show when it is written */
    if (!is_empty(&terminal->to_caller))
        write_output(terminal);
    update_watches(terminal);
}

static void on_master(RnWatch *watch, uint32_t events)
{
    RnTerminal *terminal = watch->data;

    if ((events & EPOLLOUT) != 0 && !is_empty(&terminal->to_container))
        write_input(terminal);
    for (unsigned i = 0; i < COPY_BUDGET && pump_output(terminal); i++)
        continue;
    if (terminal->input_is_file)
        pump_input(terminal);
    update_watches(terminal);
}

/* A file is always ready and cannot be watched, epoll_ctl(2): then *watch stays
 * out of the loop. */
static bool watch_unless_file(RnTerminal *terminal, RnLoop *loop,
                              RnWatch *watch, int fd, uint32_t events,
                              RnWatchFunc func, GError **error)
{
    g_autoptr(GError) failure = NULL;

    if (rn_loop_add(loop, watch, fd, events, func, terminal, &failure) ||
        rn_error_is_errno(failure, EPERM))
        return true;
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

static bool watch_all(RnTerminal *terminal, RnLoop *loop, GError **error)
{
    if (!rn_loop_add(loop, &terminal->master, terminal->master_fd, EPOLLIN,
                     on_master, terminal, error) ||
        !watch_unless_file(terminal, loop, &terminal->output,
                           terminal->output_fd, NO_EVENTS, on_output, error) ||
        !watch_unless_file(terminal, loop, &terminal->input, STDIN_FILENO,
                           EPOLLIN, on_input, error))
        return false;
    terminal->input_is_file = terminal->input.loop == NULL;
    if (terminal->input_is_file) /* the master's turns pull it along */
        pump_input(terminal);
    update_watches(terminal);
    return true;
}

/* stdout itself where it cannot be opened anew: a socket, another user's. */
static bool open_output(int *out_fd, GError **error)
{
    int fd = -1;

    if (isatty(STDOUT_FILENO) == 1)
        fd = open("/proc/self/fd/1",
                  O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (fd < 0)
        return rn_set_errno(error, errno, "open stdout");
    *out_fd = fd;
    return true;
}

RnTerminal *rn_terminal_new(RnLoop *loop, int master_fd,
                            RnTerminalGoneFunc gone, void *data, GError **error)
{
    g_autoptr(RnTerminal) terminal = g_new0(RnTerminal, 1);

    terminal->master_fd = master_fd;
    terminal->output_fd = -1;
    terminal->gone = gone;
    terminal->data = data;
    if (!rn_fd_set_nonblocking(master_fd, true, error) ||
        !open_output(&terminal->output_fd, error) ||
        !watch_all(terminal, loop, error) || !make_raw(terminal, error))
        return NULL;
    rn_terminal_resize(terminal);
    return g_steal_pointer(&terminal);
}

void rn_terminal_copy_size(int master_fd)
{
    struct winsize size = { 0 };

    if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row == 0)
        return; /* no terminal, or one that does not know its size */
    if (ioctl(master_fd, TIOCSWINSZ, &size) < 0)
        rn_log_debug("resize the container's terminal: %s", g_strerror(errno));
}

void rn_terminal_resize(RnTerminal *terminal)
{
    rn_terminal_copy_size(terminal->master_fd);
}

bool rn_terminal_drain(RnTerminal *terminal)
{
    while (pump_output(terminal))
        continue;
    update_watches(terminal);
    return is_empty(&terminal->to_caller);
}

void rn_terminal_free(RnTerminal *terminal)
{
    if (terminal == NULL)
        return;
    rn_watch_remove(&terminal->input);
    rn_watch_remove(&terminal->output);
    rn_watch_remove(&terminal->master);
    rn_fd_close(&terminal->output_fd);
    /* TCSADRAIN would wait for output that nobody may be reading */
    if (terminal->is_raw &&
        tcsetattr(STDIN_FILENO, TCSANOW, &terminal->saved) < 0)
        rn_log_warning("restore the terminal: %s", g_strerror(errno));
    g_free(terminal);
}
