/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fake-launcher - bundles and the handshake for tests of init
 *
 * Runs in the test program. Every wait has a deadline of DEADLINE_S, so that a
 * test of a hanging init fails.
 */
#include "config.h"

#include "fake-launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <rnet/runtime/init.h>
#include <rnet/runtime/mount-sources.h>
#include <rnet/sys/process.h>
#include <rnet/util/fd.h>
#include <rnet/util/msg.h>
#include <rnet/util/protocol.h>

#include "scratch.h"

enum {
    DEADLINE_S = 60,
    OUTPUT_MAX = 65536,
    SHIFT = 100000,
};

static const char *const applets[] = {
    "cat",  "echo",  "head", "id", "ls", "mkdir",    "hostname", "grep", "pwd",
    "stat", "touch", "tty",  "wc", "dd", "readlink", "test",     "sort"
};

static const char config_form[] =
    "{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"rootfs\"%s},"
    "\"hostname\":\"box\","
    "\"process\":{\"cwd\":\"%s\",\"args\":%s,"
    "\"user\":%s,\"env\":%s%s},"
    "\"mounts\":["
    "{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
    "%s"
    "{\"destination\":\"/bin/busybox\",\"type\":\"bind\","
    "\"source\":\"/bin/busybox\",\"options\":[\"bind\",\"ro\"]}%s],"
    "\"linux\":{\"namespaces\":[%s{\"type\":\"mount\"},{\"type\":\"pid\"},"
    "{\"type\":\"ipc\"},{\"type\":\"uts\"},{\"type\":\"network\"}]%s}%s}";

static const char dev_mounts[] =
    "{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\","
    "\"options\":[\"nosuid\",\"strictatime\",\"mode=755\",\"size=64k\"]},"
    "{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\","
    "\"options\":[\"nosuid\",\"noexec\",\"newinstance\",\"ptmxmode=0666\","
    "\"mode=0620\",\"gid=5\"]},";

static const char *or_empty(const char *text)
{
    return text == NULL ? "" : text;
}

static void make_image(const char *bundle, const Container *container)
{
    g_autofree char *root = g_build_filename(bundle, "rootfs", NULL);
    g_autofree char *bin = g_build_filename(root, "bin", NULL);

    assert_int_equal(g_mkdir_with_parents(bin, 0755), 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(applets); i++) {
        g_autofree char *path = g_build_filename(bin, applets[i], NULL);

        assert_int_equal(symlink("busybox", path), 0);
    }
    for (char *const *link = container->image; link != NULL && *link != NULL;
         link += 2) {
        g_autofree char *path = g_build_filename(root, link[0], NULL);
        g_autofree char *folder = g_path_get_dirname(path);

        assert_int_equal(g_mkdir_with_parents(folder, 0755), 0);
        assert_int_equal(symlink(link[1], path), 0);
    }
}

static RnConfig *make_config(const Container *container)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *args = NULL;
    g_autofree char *user = NULL;
    g_autofree char *text = NULL;
    RnConfig *config = NULL;

    user = container->user != NULL
               ? g_strdup(container->user)
               : g_strdup_printf("{\"uid\":%u,\"gid\":%u}", container->uid,
                                 container->uid);
    args = container->args != NULL
               ? g_strdup(container->args)
               : g_strdup_printf("[\"/bin/busybox\",\"sh\",\"-c\",\"%s\"]",
                                 container->script);
    text = g_strdup_printf(
        config_form, or_empty(container->root),
        container->cwd == NULL ? "/" : container->cwd, args, user,
        container->env == NULL ? "[\"PATH=/bin\"]" : container->env,
        or_empty(container->process), container->bare_dev ? "" : dev_mounts,
        or_empty(container->mounts),
        container->no_userns ? "" : "{\"type\":\"user\"},",
        or_empty(container->kernel), or_empty(container->further));
    config = rn_config_parse(text, strlen(text), "test", &error);
    assert_no_error(error);
    if (container->amend != NULL)
        container->amend(config);
    return config;
}

static GArray *make_maps(const Container *container, uint32_t host_id)
{
    GArray *maps = g_array_new(FALSE, FALSE, sizeof(RnIdMapping));
    RnIdMapping mapping = { container->uid, host_id, 1 };

    if (container->many_ids)
        mapping = (RnIdMapping){ 0, 0, 65536 };
    if (container->shifted_ids)
        mapping = (RnIdMapping){ 0, SHIFT, 65536 };
    return container->no_userns ? maps : g_array_append_val(maps, mapping);
}

static bool is_only_for_root(const Container *container)
{
    return container->no_userns || container->many_ids ||
           container->shifted_ids;
}

static RnPlan *make_plan(const Container *container, const RnConfig *config,
                         const char *bundle)
{
    RnPlan *plan = g_new0(RnPlan, 1);

    plan->config = config;
    plan->id = g_strdup("test");
    plan->bundle = g_strdup(bundle);
    plan->rootfs = g_build_filename(bundle, "rootfs", NULL);
    plan->namespaces = config->namespaces;
    plan->namespaces &= ~container->without;
    plan->joins = config->joins;
    plan->has_userns = (plan->namespaces & CLONE_NEWUSER) != 0;
    plan->uid_mappings = make_maps(container, geteuid());
    plan->gid_mappings = make_maps(container, getegid());
    plan->single_id = !is_only_for_root(container);
    plan->has_network = container->has_network;
    plan->resolv_conf = g_strdup(container->resolv_conf);
    plan->hosts = g_strdup(container->hosts);
    plan->hostname = g_strdup(config->hostname);
    plan->etc_hostname = g_strdup(config->hostname);
    plan->manner.no_pivot = container->no_pivot;
    plan->manner.dies_with_caller = true; /* as `run` has it */
    return plan;
}

static bool say(int socket, RnMsgType type, GError **error)
{
    return rn_msg_send(socket, type, NULL, 0, NULL, 0, error);
}

static bool hear(int socket, RnMsgType type, unsigned n_fds, int *out_fd,
                 GError **error)
{
    g_auto(RnMsg) msg = { 0 };

    if (!rn_msg_expect(socket, type, 0, n_fds, &msg, error))
        return false;
    if (n_fds == 1)
        *out_fd = rn_msg_steal_fd(&msg, 0);
    return true;
}

/* Up to PREPARED; *socket is closed where the test wants it. */
static bool prepare(const Container *container, const RnPlan *plan, pid_t pid,
                    int *socket, int *out_master, GError **error)
{
    if (!container->no_userns &&
        !rn_idmap_write(pid, plan->uid_mappings, plan->gid_mappings, error))
        return false;
    if (container->end == LAUNCHER_GOES_BEFORE_MAPPED) {
        rn_fd_close(socket);
        return true;
    }
    if (!say(*socket, RN_MSG_MAPPED, error) ||
        !rn_mount_sources_send(plan, pid, *socket, error))
        return false;
    if (container->has_network) {
        if (!hear(*socket, RN_MSG_READY_FOR_NETWORK, 0, NULL, error))
            return false;
        if (container->end == LAUNCHER_GOES_BEFORE_NETWORK_UP) {
            rn_fd_close(socket);
            return true;
        }
        if (!say(*socket, RN_MSG_NETWORK_UP, error))
            return false;
    }
    if (plan->config->process.terminal &&
        !hear(*socket, RN_MSG_TERMINAL, 1, out_master, error))
        return false;
    if (!hear(*socket, RN_MSG_PREPARED, 0, NULL, error))
        return false;
    if (container->end == LAUNCHER_GOES_BEFORE_START)
        rn_fd_close(socket);
    return true;
}

static bool start(int socket, GError **error)
{
    g_auto(RnMsg) msg = { 0 };
    g_autoptr(GError) end = NULL;

    if (!say(socket, RN_MSG_START, error) ||
        !hear(socket, RN_MSG_EXECING, 0, NULL, error))
        return false;
    if (rn_msg_recv(socket, &msg, &end))
        return rn_msg_take_error(&msg, error);
    if (g_error_matches(end, RN_ERROR, RN_ERROR_PEER_DIED))
        return true;
    g_propagate_error(error, g_steal_pointer(&end));
    return false;
}

/* Reads to the end; EIO is how a terminal's master reports it. */
static char *read_all(int fd)
{
    g_autoptr(GString) text = g_string_new(NULL);
    char chunk[4096];
    ssize_t got = 0;

    while (text->len < OUTPUT_MAX && (got = read(fd, chunk, sizeof chunk)) > 0)
        g_string_append_len(text, chunk, got);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

G_NORETURN static void become_init(const Container *container,
                                   const RnPlan *plan, int socket, int output)
{
    int null_fd = open("/dev/null", O_RDONLY);
    int input = container->stdin_fd > 0 ? container->stdin_fd : null_fd;

    if (null_fd < 0 || dup2(input, STDIN_FILENO) < 0 ||
        dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0)
        _exit(99);
    /* what init must not pass on */
    (void)signal(SIGUSR1, SIG_IGN);
    if (dup(null_fd) < 0)
        _exit(99);
    rn_init_main(plan, socket, -1);
}

static void converse(const Container *container, const RnPlan *plan, pid_t pid,
                     int socket, int output, Outcome *outcome)
{
    const struct timeval deadline = { .tv_sec = DEADLINE_S };
    rn_autofd int master = -1;

    assert_int_equal(
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline),
        0);
    if (prepare(container, plan, pid, &socket, &master, &outcome->failure) &&
        socket >= 0)
        (void)start(socket, &outcome->failure);
    rn_fd_close(&socket);
    outcome->got_terminal = master >= 0;
    outcome->output = read_all(master >= 0 ? master : output);
}

static void run_plan(const Container *container, const RnPlan *plan,
                     Outcome *outcome)
{
    g_autoptr(GError) error = NULL;
    rn_autofd int pidfd = -1;
    int sockets[2] = { -1, -1 };
    int pipes[2] = { -1, -1 };
    pid_t pid = 0;
    int status = 0;

    assert_true(rn_msg_pair(sockets, &error));
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    (void)alarm(2 * DEADLINE_S); /* ends a test program that hangs */
    if (!rn_clone(plan->namespaces & ~(uint64_t)CLONE_NEWTIME, &pid, &pidfd,
                  &error))
        fail_msg("clone: %s", error->message);
    if (pid == 0)
        become_init(container, plan, sockets[1], pipes[1]);
    rn_fd_close(&sockets[1]);
    rn_fd_close(&pipes[1]);
    converse(container, plan, pid, sockets[0], pipes[0], outcome);
    rn_fd_close(&pipes[0]);
    assert_true(rn_process_reap(pid, &status, &error));
    (void)alarm(0);
    outcome->exit_code = rn_process_exit_code(status);
}

void container_require(const Container *container)
{
    const char *missing = NULL;

    if (access("/bin/busybox", X_OK) != 0)
        missing = "no /bin/busybox (package busybox-static)";
    if (is_only_for_root(container) && geteuid() != 0)
        missing = "not root";
    if (missing == NULL)
        return;
    print_message("skipped: %s\n", missing);
    if (!is_only_for_root(container) &&
        g_strcmp0(g_getenv("RNET_TEST_REQUIRE"), "1") == 0)
        fail_msg("RNET_TEST_REQUIRE=1: %s", missing);
    skip();
}

void container_run(const Container *container, Outcome *outcome)
{
    g_autofree char *bundle = NULL;
    g_autoptr(RnConfig) config = NULL;
    g_autoptr(RnPlan) plan = NULL;

    *outcome = (Outcome){ 0 };
    container_require(container);
    bundle = container->folder != NULL ? g_strdup(container->folder)
                                       : scratch_make();
    if (!container->no_image)
        make_image(bundle, container);
    config = make_config(container);
    plan = make_plan(container, config, bundle);
    run_plan(container, plan, outcome);
    if (container->folder == NULL)
        scratch_remove(bundle);
}

void outcome_clear(Outcome *outcome)
{
    g_clear_error(&outcome->failure);
    g_clear_pointer(&outcome->output, g_free);
}
