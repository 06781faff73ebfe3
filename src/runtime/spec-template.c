/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * spec-template - the default config.json, and its rootless form
 *
 * Runs in `rnet spec`. The document is text, read by jansson; what depends on
 * the caller is added to the tree. An existing file is never touched, one that
 * cannot be written whole is removed again.
 */
#include "config.h"

#include <rnet/runtime/spec-template.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <rnet/oci/json.h>
#include <rnet/util/fd.h>

/* clang-format off */
static const char template_text[] =
"{"
"  \"ociVersion\": \"1.2.0\","
"  \"process\": {"
"    \"terminal\": true,"
"    \"user\": { \"uid\": 0, \"gid\": 0 },"
"    \"args\": [ \"sh\" ],"
"    \"env\": ["
"      \"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\","
"      \"TERM=xterm\""
"    ],"
"    \"cwd\": \"/\","
"    \"capabilities\": {"
"      \"bounding\":"
"        [ \"CAP_AUDIT_WRITE\", \"CAP_KILL\", \"CAP_NET_BIND_SERVICE\" ],"
"      \"effective\":"
"        [ \"CAP_AUDIT_WRITE\", \"CAP_KILL\", \"CAP_NET_BIND_SERVICE\" ],"
"      \"permitted\":"
"        [ \"CAP_AUDIT_WRITE\", \"CAP_KILL\", \"CAP_NET_BIND_SERVICE\" ]"
"    },"
"    \"rlimits\": ["
"      { \"type\": \"RLIMIT_NOFILE\", \"hard\": 1024, \"soft\": 1024 }"
"    ],"
"    \"noNewPrivileges\": true"
"  },"
"  \"root\": { \"path\": \"rootfs\", \"readonly\": true },"
"  \"hostname\": \"rnet\","
"  \"mounts\": ["
"    { \"destination\": \"/proc\", \"type\": \"proc\", \"source\": \"proc\" },"
"    { \"destination\": \"/dev\", \"type\": \"tmpfs\", \"source\": \"tmpfs\","
"      \"options\": [ \"nosuid\", \"strictatime\", \"mode=755\","
"                     \"size=65536k\" ] },"
"    { \"destination\": \"/dev/pts\", \"type\": \"devpts\","
"      \"source\": \"devpts\","
"      \"options\": [ \"nosuid\", \"noexec\", \"newinstance\","
"                     \"ptmxmode=0666\", \"mode=0620\", \"gid=5\" ] },"
"    { \"destination\": \"/dev/shm\", \"type\": \"tmpfs\", \"source\": \"shm\","
"      \"options\": [ \"nosuid\", \"noexec\", \"nodev\", \"mode=1777\","
"                     \"size=65536k\" ] },"
"    { \"destination\": \"/dev/mqueue\", \"type\": \"mqueue\","
"      \"source\": \"mqueue\","
"      \"options\": [ \"nosuid\", \"noexec\", \"nodev\" ] },"
"    { \"destination\": \"/sys\", \"type\": \"sysfs\", \"source\": \"sysfs\","
"      \"options\": [ \"nosuid\", \"noexec\", \"nodev\", \"ro\" ] },"
"    { \"destination\": \"/sys/fs/cgroup\", \"type\": \"cgroup\","
"      \"source\": \"cgroup\","
"      \"options\": [ \"nosuid\", \"noexec\", \"nodev\", \"relatime\","
"                     \"ro\" ] }"
"  ],"
"  \"linux\": {"
"    \"resources\": {"
"      \"devices\": [ { \"allow\": false, \"access\": \"rwm\" } ]"
"    },"
"    \"namespaces\": ["
"      { \"type\": \"pid\" },"
"      { \"type\": \"network\" },"
"      { \"type\": \"ipc\" },"
"      { \"type\": \"uts\" },"
"      { \"type\": \"mount\" }"
"    ],"
"    \"maskedPaths\": ["
"      \"/proc/acpi\", \"/proc/asound\", \"/proc/kcore\", \"/proc/keys\","
"      \"/proc/latency_stats\", \"/proc/timer_list\", \"/proc/timer_stats\","
"      \"/proc/sched_debug\", \"/sys/firmware\", \"/proc/scsi\","
"      \"/sys/devices/virtual/powercap\""
"    ],"
"    \"readonlyPaths\": ["
"      \"/proc/bus\", \"/proc/fs\", \"/proc/irq\", \"/proc/sys\","
"      \"/proc/sysrq-trigger\""
"    ]"
"  }"
"}";
/* clang-format on */

static void add_namespace(json_t *spec, const char *type)
{
    json_t *all = json_object_get(json_object_get(spec, "linux"), "namespaces");

    (void)json_array_append_new(all, json_pack("{s:s}", "type", type));
}

json_t *rn_spec_template(bool unified)
{
    json_error_t failure = { 0 };
    json_t *spec = json_loads(template_text, 0, &failure);

    if (spec == NULL)
        g_error("the template: line %d, column %d: %s", failure.line,
                failure.column, failure.text);
    if (unified)
        add_namespace(spec, "cgroup");
    return spec;
}

static json_t *mappings_to_json(const GArray *maps)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < maps->len; i++) {
        const RnIdMapping *map = &g_array_index(maps, RnIdMapping, i);

        (void)json_array_append_new(
            list,
            json_pack("{s:I, s:I, s:I}", "containerID",
                      (json_int_t)map->container_id, "hostID",
                      (json_int_t)map->host_id, "size", (json_int_t)map->size));
    }
    return list;
}

/* An option "gid=N" of a group that has no id in the container fails. */
static void drop_unmapped_groups(json_t *spec, const GArray *gids)
{
    json_t *mounts = json_object_get(spec, "mounts");

    for (size_t i = 0; i < json_array_size(mounts); i++) {
        json_t *options = json_object_get(json_array_get(mounts, i), "options");

        for (size_t at = json_array_size(options); at > 0; at--) {
            const char *text =
                json_string_value(json_array_get(options, at - 1));
            uint32_t host_id = 0;

            if (g_str_has_prefix(text, "gid=") &&
                !rn_idmap_to_host(
                    gids,
                    (uint32_t)g_ascii_strtoull(text + strlen("gid="), NULL, 10),
                    &host_id))
                (void)json_array_remove(options, at - 1);
        }
    }
}

void rn_spec_make_rootless(json_t *spec, const RnHostFacts *facts)
{
    g_autoptr(GArray) uids = rn_plan_default_mappings(facts, RN_ID_USER, 0);
    g_autoptr(GArray) gids = rn_plan_default_mappings(facts, RN_ID_GROUP, 0);
    json_t *part = json_object_get(spec, "linux");

    add_namespace(spec, "user");
    (void)json_object_set_new(part, "uidMappings", mappings_to_json(uids));
    (void)json_object_set_new(part, "gidMappings", mappings_to_json(gids));
    (void)json_object_del(part, "resources");
    drop_unmapped_groups(spec, gids);
}

static bool write_document(int dirfd, const json_t *spec, const char *path,
                           GError **error)
{
    static const char name[] = "config.json";
    rn_autofd int fd =
        openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    g_autofree char *text = NULL;

    if (fd < 0 && errno == EEXIST) {
        (void)rn_set_error(error, RN_ERROR_EXISTS, "\"%s\" exists", path);
        return rn_error_add_hint(error, "remove it first");
    }
    if (fd < 0)
        return rn_set_errno(error, errno, "make \"%s\"", path);
    text = json_dumps(spec, JSON_INDENT(4) | JSON_PRESERVE_ORDER);
    if (rn_fd_write_all(fd, text, strlen(text), error) &&
        rn_fd_write_all(fd, "\n", 1, error))
        return true;
    (void)unlinkat(dirfd, name, 0); /* half a file is worse than none */
    g_prefix_error(error, "\"%s\": ", path);
    return false;
}

bool rn_spec_write(const char *bundle, bool rootless, GError **error)
{
    bool unified = access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;
    g_autoptr(json_t) spec = rn_spec_template(unified);
    g_autofree char *path = g_build_filename(bundle, "config.json", NULL);
    g_auto(RnHostFacts) facts = { 0 };
    rn_autofd int dirfd = open(bundle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (dirfd < 0)
        return rn_set_errno(error, errno, "open bundle \"%s\"", bundle);
    if (rootless) {
        rn_host_facts_init(&facts, true);
        rn_spec_make_rootless(spec, &facts);
    }
    return write_document(dirfd, spec, path, error);
}
