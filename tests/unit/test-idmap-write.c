/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * idmap-write: what this system says of its ids, and real maps of real user
 * namespaces, as root and as an ordinary user
 */
#include "config.h"

#include <dlfcn.h>
#include <sched.h>
#include <signal.h>

#include <sys/mount.h>
#include <sys/prctl.h>

#include <unit.h>

#include <rnet/sys/caps.h>
#include <rnet/sys/idmap.h>
#include <rnet/sys/mapper.h>
#include <rnet/sys/process.h>
#include <rnet/util/fd.h>

#include "in-child.h"

enum {
    CASE_MAPS = 4, /* mappings of a case, ended by a size of 0 */
    NOBODY = 65534,
};

static GArray *make_maps(const RnIdMapping *mappings, gsize count)
{
    GArray *maps = g_array_new(FALSE, TRUE, sizeof(RnIdMapping));

    return g_array_append_vals(maps, mappings, (guint)count);
}

static GArray *make_case_maps(const RnIdMapping mappings[CASE_MAPS])
{
    gsize count = 0;

    while (count < CASE_MAPS && mappings[count].size != 0)
        count++;
    return make_maps(mappings, count);
}

static void read_own_has_our_ids(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < RN_ID_N_; kind++) {
        g_autoptr(GArray) map = NULL;
        g_autoptr(GError) error = NULL;
        uint32_t host_id = 0;

        assert_true(rn_idmap_read_own(kind, &map, &error));
        assert_true(rn_idmap_to_host(
            map, kind == RN_ID_USER ? geteuid() : getegid(), &host_id));
    }
}

static void subid_first_free_leaves_room_for_a_range(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < RN_ID_N_; kind++) {
        assert_true(rn_subid_first_free(kind) >= 100000);
        assert_true(rn_subid_first_free(kind) <= UINT32_MAX - 65536);
    }
}

static void subid_ranges_of_this_user_are_well_formed(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < RN_ID_N_; kind++) {
        g_autoptr(GArray) ranges = NULL;
        g_autoptr(GError) error = NULL;

        assert_true(rn_subid_ranges(kind, &ranges, &error));
        assert_non_null(ranges);
        assert_true(geteuid() != 0 || ranges->len == 0);
    }
}

/* Becomes an ordinary user; no change if the tests run as one. */
static bool become_ordinary(void)
{
    if (geteuid() != 0)
        return true;
    /* setresuid makes a process undumpable: /proc/PID would be root's */
    return setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
           setresuid(NOBODY, NOBODY, NOBODY) == 0 &&
           prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0;
}

/* The path of the library that rn_subid_ranges() loads; the caller's. */
static char *find_subid_library(void)
{
    g_autoptr(RnSubidLibrary) library = rn_subid_hold();
    void *function = library == NULL ? NULL : dlsym(library, "subid_init");
    Dl_info info = { 0 };

    return function != NULL && dladdr(function, &info) != 0
               ? g_strdup(info.dli_fname)
               : NULL;
}

/* An ordinary user in a mount namespace where the library is an empty file. */
static const char *look_up_without_library(void *data)
{
    g_autoptr(GArray) ranges = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *path = NULL;

    (void)data;
    if (unshare(CLONE_NEWNS) < 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return "make a mount namespace";
    if (seteuid(NOBODY) < 0) /* root holds no library */
        return "seteuid";
    path = find_subid_library();
    if (path == NULL || seteuid(0) < 0 ||
        mount("/dev/null", path, NULL, MS_BIND, NULL) < 0)
        return "hide the library";
    if (!become_ordinary())
        return "become an ordinary user";
    if (rn_subid_ranges(RN_ID_USER, &ranges, &error))
        return "there was an answer";
    return strstr(error->message, "libsubid.so") != NULL
               ? NULL
               : "the message does not name the library";
}

static void missing_libsubid_is_named(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        print_message("# not here: a mount over a library needs root\n");
        skip();
    }
    if (access("/etc/subuid", F_OK) < 0)
        skip_unless_required("no /etc/subuid");
    run_in_child(look_up_without_library, NULL);
}

/* A child in a new user namespace that waits for its end. */
static bool start_namespace(pid_t *out_pid, int *out_pidfd, GError **error)
{
    if (!rn_clone(CLONE_NEWUSER, out_pid, out_pidfd, error))
        return false;
    if (*out_pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        (void)pause();
        _exit(EXIT_SUCCESS);
    }
    return true;
}

static const char *expect_file(pid_t pid, const char *name, const char *wanted)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/%s", (int)pid, name);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) words = NULL;
    g_autofree char *joined = NULL;

    if (!rn_file_read(AT_FDCWD, path, 65536, &text, NULL, &error))
        return g_strdup(error->message);
    /* the kernel pads its columns */
    words = g_regex_split_simple("\\s+", g_strstrip(text), 0, 0);
    joined = g_strjoinv(" ", words);
    return strcmp(joined, wanted) == 0
               ? NULL
               : g_strdup_printf("%s has \"%s\"", name, joined);
}

typedef struct WriteCase {
    bool ordinary;
    RnIdMapping uids[CASE_MAPS], gids[CASE_MAPS];
    const char *uid_map, *gid_map, *setgroups; /* as read afterwards */
    const char *error_text; /* instead: what check and write say */
} WriteCase;

static const char *check_written(const WriteCase *wanted, pid_t pid, bool ok,
                                 const GError *error)
{
    const char *failure = NULL;

    if (!ok)
        return wanted->error_text != NULL &&
                       strstr(error->message, wanted->error_text) != NULL
                   ? NULL
                   : g_strdup(error->message);
    if (wanted->error_text != NULL)
        return "written";
    failure = expect_file(pid, "uid_map", wanted->uid_map);
    if (failure == NULL)
        failure = expect_file(pid, "gid_map", wanted->gid_map);
    if (failure == NULL)
        failure = expect_file(pid, "setgroups", wanted->setgroups);
    return failure;
}

static const char *write_maps(void *data)
{
    const WriteCase *wanted = data;
    g_autoptr(GArray) uids = make_case_maps(wanted->uids);
    g_autoptr(GArray) gids = make_case_maps(wanted->gids);
    g_autoptr(GError) checking = NULL;
    g_autoptr(GError) error = NULL;
    const char *failure = NULL;
    pid_t pid = -1;
    int pidfd = -1;
    bool ok = false;

    if (wanted->ordinary && !become_ordinary())
        return "become an ordinary user";
    if (!start_namespace(&pid, &pidfd, &error))
        return "no user namespace";
    ok = rn_idmap_check(uids, gids, &checking);
    if (ok != (wanted->error_text == NULL))
        failure = ok ? "check took it" : g_strdup(checking->message);
    ok = rn_idmap_write(pid, uids, gids, &error);
    if (failure == NULL)
        failure = check_written(wanted, pid, ok, error);
    rn_process_end(pid, &pidfd);
    return failure;
}

static void run_write_case(WriteCase *wanted)
{
    char text[512] = "";
    int status = in_child_status(write_maps, wanted, text);

    if (strcmp(text, "no user namespace") == 0)
        skip_unless_required("user namespaces");
    assert_string_equal(text, "");
    assert_int_equal(status, 0);
}

static void write_own_id_as_ordinary_user_denies_setgroups(void **state)
{
    uint32_t uid = geteuid() == 0 ? NOBODY : geteuid();
    uint32_t gid = geteuid() == 0 ? NOBODY : getegid();
    g_autofree char *uid_map = g_strdup_printf("0 %u 1", uid);
    g_autofree char *gid_map = g_strdup_printf("7 %u 1", gid);
    WriteCase wanted = { .ordinary = true,
                         .uids = { { 0, uid, 1 } },
                         .gids = { { 7, gid, 1 } },
                         .uid_map = uid_map,
                         .gid_map = gid_map,
                         .setgroups = "deny" };

    (void)state;
    run_write_case(&wanted);
}

static void write_ranges_as_root_keeps_setgroups(void **state)
{
    WriteCase wanted = { .uids = { { 0, 0, 1 }, { 1, 100000, 65536 } },
                         .gids = { { 0, 5, 10 } },
                         .uid_map = "0 0 1 1 100000 65536",
                         .gid_map = "0 5 10",
                         .setgroups = "allow" };
    const RnCapMask needed = RN_CAP_BIT(6) | RN_CAP_BIT(7) | RN_CAP_BIT(31);

    (void)state;
    /* CAP_SETGID, CAP_SETUID, CAP_SETFCAP: the other half runs as root only */
    if ((rn_caps_effective() & needed) != needed)
        return;
    run_write_case(&wanted);
}

static bool is_ready(RnIdKind kind)
{
    g_autofree char *path = NULL;

    return rn_mapper_find(kind, &path) == RN_MAPPER_READY;
}

static void write_ids_of_others_as_ordinary_user_refused(void **state)
{
    /* root's ids are in nobody's subordinate range */
    WriteCase wanted = { .ordinary = true,
                         .uids = { { 0, 0, 10 } },
                         .gids = { { 0, 0, 10 } },
                         .error_text = "uid" };

    (void)state;
    if (!is_ready(RN_ID_USER))
        skip_unless_required("newuidmap");
    run_write_case(&wanted);
}

static const char *run_mapper_alone(void *data)
{
    g_autoptr(GArray) maps =
        make_maps((const RnIdMapping[]){ { 0, 0, 10 } }, 1);
    g_autoptr(GError) error = NULL;

    (void)data;
    if (!become_ordinary())
        return "become an ordinary user";
    if (rn_mapper_run(RN_ID_USER, getpid(), maps, &error))
        return "it worked";
    if (!g_error_matches(error, RN_ERROR, RN_ERROR_UNSUPPORTED) ||
        !g_str_has_prefix(error->message, "newuidmap: ") ||
        strchr(error->message, '\n') != NULL)
        return g_strdup(error->message);
    return NULL;
}

static void mapper_that_refuses_is_quoted(void **state)
{
    (void)state;
    if (!is_ready(RN_ID_USER))
        skip_unless_required("newuidmap");
    run_in_child(run_mapper_alone, NULL);
}

static const char *find_without_privileges(void *data)
{
    g_autofree char *path = NULL;
    g_autoptr(GError) error = NULL;

    (void)data;
    if (!rn_caps_confine(0, &error))
        return g_strdup(error->message);
    return rn_mapper_find(RN_ID_USER, &path) == RN_MAPPER_NO_NEW_PRIVS
               ? NULL
               : "not told apart";
}

static void mapper_under_no_new_privs_is_told_apart(void **state)
{
    (void)state;
    if (!is_ready(RN_ID_USER))
        skip_unless_required("newuidmap");
    run_in_child(find_without_privileges, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_own_has_our_ids),
        cmocka_unit_test(subid_first_free_leaves_room_for_a_range),
        cmocka_unit_test(subid_ranges_of_this_user_are_well_formed),
        cmocka_unit_test(missing_libsubid_is_named),
        cmocka_unit_test(write_own_id_as_ordinary_user_denies_setgroups),
        cmocka_unit_test(write_ranges_as_root_keeps_setgroups),
        cmocka_unit_test(write_ids_of_others_as_ordinary_user_refused),
        cmocka_unit_test(mapper_that_refuses_is_quoted),
        cmocka_unit_test(mapper_under_no_new_privs_is_told_apart),
    };

    return cmocka_run_group_tests_name("idmap-write", tests, NULL, NULL);
}
