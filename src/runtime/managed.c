/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * managed - a container from its record and the kernel
 *
 * Runs in every command but `run` and `create`. Reads the entry without its
 * lock; nothing here changes a container.
 */
#include "config.h"

#include <rnet/runtime/managed.h>

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include <sys/socket.h>

#include <rnet/oci/json.h>
#include <rnet/sys/process-stat.h>
#include <rnet/sys/unix-socket.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>

enum {
    NAME_MAX_BYTES = 16 * 1024, /* a passwd entry with all its strings */
};

struct RnManaged {
    int base_fd;
    RnRecord record;
    int pidfd; /* -1: init has ended */
    RnCgroup *cgroup;
};

/*
 * A `start` that was killed could not write down what it did. init listens for
 * one until it has one, so nobody listens any more; a foreground container has
 * no such socket. Without waiting: a frozen init takes no connection.
 */
static bool was_started(int base_fd, const char *id)
{
    g_autofree char *path = g_build_filename(id, "start", NULL);
    g_autoptr(GError) failure = NULL;
    rn_autofd int socket = -1;

    return !rn_unix_connect(base_fd, path, SOCK_SEQPACKET | SOCK_NONBLOCK,
                            &socket, &failure) &&
           rn_error_is_errno(failure, ECONNREFUSED);
}

static RnManaged *open_at(int base_fd, const char *id, GError **error)
{
    g_autoptr(RnManaged) managed = g_new0(RnManaged, 1);
    const RnRecord *record = &managed->record;
    g_autoptr(GError) end = NULL;

    managed->base_fd = fcntl(base_fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    managed->pidfd = -1;
    rn_record_init(&managed->record);
    if (managed->base_fd < 0) {
        (void)rn_set_errno(error, errno, "duplicate the state directory");
        return NULL;
    }
    if (!rn_record_load(base_fd, id, &managed->record, error))
        return NULL;
    managed->cgroup = rn_cgroup_from_json(record->cgroup, error);
    if (managed->cgroup == NULL) {
        g_prefix_error(error, "container \"%s\": ", id);
        return NULL;
    }
    if (record->pid > 0 && record->status != RN_STATUS_STOPPED &&
        !rn_process_open(record->pid, record->start_time, &managed->pidfd,
                         &end))
        rn_log_debug("container \"%s\": %s", id, end->message);
    if (managed->pidfd >= 0 && record->status == RN_STATUS_CREATED &&
        was_started(base_fd, id))
        managed->record.status = RN_STATUS_RUNNING;
    return g_steal_pointer(&managed);
}

RnManaged *rn_managed_open(const char *state_dir, const char *id,
                           GError **error)
{
    rn_autofd int base_fd = -1;

    if (!rn_state_open_base(state_dir, &base_fd, error))
        return NULL;
    return open_at(base_fd, id, error);
}

void rn_managed_free(RnManaged *managed)
{
    if (managed == NULL)
        return;
    rn_fd_close(&managed->base_fd);
    rn_fd_close(&managed->pidfd);
    rn_record_clear(&managed->record);
    rn_cgroup_free(managed->cgroup);
    g_free(managed);
}

static int compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *rn_managed_list(const char *state_dir, GError **error)
{
    g_autoptr(GPtrArray) list =
        g_ptr_array_new_with_free_func((GDestroyNotify)rn_managed_free);
    g_autoptr(GPtrArray) names = NULL;
    rn_autofd int base_fd = -1;

    if (!rn_state_open_base(state_dir, &base_fd, error))
        return NULL;
    names = rn_state_list(base_fd, error);
    if (names == NULL)
        return NULL;
    g_ptr_array_sort(names, compare_names);
    for (unsigned i = 0; i < names->len; i++) {
        g_autoptr(GError) failure = NULL;
        RnManaged *managed =
            open_at(base_fd, g_ptr_array_index(names, i), &failure);

        if (managed != NULL)
            g_ptr_array_add(list, managed);
        else
            rn_log_debug("%s, ignoring", failure->message);
    }
    return g_steal_pointer(&list);
}

const RnRecord *rn_managed_record(const RnManaged *managed)
{
    return &managed->record;
}

RnStatus rn_managed_status(const RnManaged *managed)
{
    RnStatus written = managed->record.status;

    if (written == RN_STATUS_CREATING && managed->record.pid == 0)
        return RN_STATUS_CREATING;
    if (rn_managed_pid(managed) == 0)
        return RN_STATUS_STOPPED;
    if (rn_cgroup_exists(managed->cgroup) &&
        rn_cgroup_is_frozen(managed->cgroup))
        return RN_STATUS_PAUSED;
    return written;
}

int rn_managed_pidfd(const RnManaged *managed)
{
    return managed->pidfd;
}

pid_t rn_managed_pid(const RnManaged *managed)
{
    return managed->pidfd < 0 ? 0 : rn_pidfd_pid(managed->pidfd);
}

RnCgroup *rn_managed_cgroup(const RnManaged *managed)
{
    return managed->cgroup;
}

RnConfig *rn_managed_load_config(const RnManaged *managed, GError **error)
{
    const char *id = managed->record.id;
    g_autofree char *path = g_build_filename(id, "config.json", NULL);
    g_autofree char *text = NULL;
    gsize length = 0;

    if (rn_file_read(managed->base_fd, path, RN_JSON_MAX_SIZE, &text, &length,
                     error))
        return rn_config_parse(text, length, path, error);
    g_prefix_error(error, "container \"%s\": ", id);
    return NULL;
}

/* The user's name, or "#UID", as runc has it. */
static json_t *name_owner(uint32_t uid)
{
    g_autofree char *buffer = g_malloc(NAME_MAX_BYTES);
    g_autofree char *name = NULL;
    struct passwd entry = { 0 };
    struct passwd *found = NULL;

    if (getpwuid_r(uid, &entry, buffer, NAME_MAX_BYTES, &found) == 0 &&
        found != NULL)
        name = g_utf8_make_valid(found->pw_name, -1);
    else
        name = g_strdup_printf("#%u", uid);
    return json_string(name);
}

json_t *rn_managed_state(const RnManaged *managed)
{
    json_t *state = rn_record_to_state(
        &managed->record, rn_managed_status(managed), rn_managed_pid(managed));

    (void)json_object_set_new(state, "owner",
                              name_owner(managed->record.owner));
    return state;
}

bool rn_managed_check_alive(const RnManaged *managed, GError **error)
{
    RnStatus status = rn_managed_status(managed);

    if (status == RN_STATUS_RUNNING || status == RN_STATUS_PAUSED)
        return true;
    return rn_set_error(error, RN_ERROR_STATE, "container \"%s\" is %s",
                        managed->record.id, rn_status_word(status));
}
