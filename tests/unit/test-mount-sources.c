/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sources of binds that the launcher takes: idmapped and closed ones. */
#include "config.h"

#include <unit.h>

#include <errno.h>
#include <unistd.h>

#include <sys/stat.h>

#include "mount-cases.h"

#define MAPS(id)                                                               \
    "[{\"containerID\":0,\"hostID\":" #id ",\"size\":1},"                      \
    "{\"containerID\":7,\"hostID\":70,\"size\":10}]"

static const Case idmap_cases[] = {
    { "mappings of the mount",
      { .script = "stat -c '%u %g' /p/file; touch /p/new && "
                  "stat -c '%u %g' /p/new; grep -c ' /p .*idmapped' "
                  "/proc/self/mountinfo",
        .no_userns = true,
        .user = "{\"uid\":1000,\"gid\":2000}",
        .mounts = ",{\"destination\":\"/p\",\"source\":\"volume\","
                  "\"options\":[\"bind\",\"idmap\"],\"uidMappings\":" MAPS(
                      1000) ",\"gidMappings\":" MAPS(2000) "}" },
      "1000 2000\n1000 2000\n1\n" },
    { "mappings alone, recursive or not",
      { .script = "stat -c '%u %g' /p/file /q/file /r/file",
        .no_userns = true,
        .mounts =
            ",{\"destination\":\"/p\",\"source\":\"volume\","
            "\"options\":[\"rbind\"],\"uidMappings\":" MAPS(3) ",\"gidMappings\":" MAPS(
                4) "},"
                   "{\"destination\":\"/q\",\"source\":\"volume\","
                   "\"options\":[\"rbind\",\"ridmap\"],\"uidMappings\":" MAPS(
                       5) ",\"gidMappings\":" MAPS(6) "},"
                                                      "{\"destination\":\"/r\",\"source\":\"volume\","
                                                      "\"options\":[\"rbind\"]}" },
      "3 4\n5 6\n0 0\n" },
    { "the container's mappings",
      { .script = "stat -c '%u %g' /p/file; grep -c ' /p .*idmapped' "
                  "/proc/self/mountinfo",
        .many_ids = true,
        .mounts = ",{\"destination\":\"/p\",\"source\":\"volume\","
                  "\"options\":[\"bind\",\"idmap\",\"ro\"]}" },
      "0 0\n1\n" },
};

static void owners_in_idmapped_binds_are_others(void **state)
{
    (void)state;
    container_require(&idmap_cases[0].container);
    for (unsigned i = 0; i < G_N_ELEMENTS(idmap_cases); i++) {
        g_autofree char *bundle = make_bundle();
        g_autofree char *volume = g_build_filename(bundle, "volume", NULL);
        Case item = idmap_cases[i];

        put_file(bundle, "volume/file", "text\n", 0644);
        assert_int_equal(chmod(volume, 0777), 0);
        item.container.folder = bundle;
        run_case(&item);
        scratch_remove(bundle);
    }
}

/* More than a message carries. */
static void idmapped_binds_may_be_many(void **state)
{
    g_autofree char *bundle = NULL;
    g_autoptr(GString) mounts = g_string_new(NULL);
    Case item = { "19 of them",
                  { .script = "grep -c idmapped /proc/self/mountinfo; "
                              "stat -c %u /m0/file /m9/file /m18/file",
                    .no_userns = true },
                  "19\n1\n10\n19\n" };

    (void)state;
    container_require(&item.container);
    bundle = make_bundle();
    put_file(bundle, "volume/file", "text\n", 0644);
    for (unsigned i = 0; i < 19; i++)
        g_string_append_printf(
            mounts,
            ",{\"destination\":\"/m%u\",\"source\":\"volume\",\"options\":"
            "[\"bind\"],\"uidMappings\":[{\"containerID\":0,\"hostID\":%u,"
            "\"size\":1}],\"gidMappings\":" MAPS(
                0) "},"
                   "{\"destination\":\"/o%u\",\"source\":\"volume\",\"options\":"
                   "[\"bind\"]}",
            i, i + 1, i);
    item.container.mounts = mounts->str;
    item.container.folder = bundle;
    run_case(&item);
    scratch_remove(bundle);
}

/* root's folder; the container's root is another user, who may not enter it */
static void source_that_is_closed_to_the_container_is_mounted(void **state)
{
    g_autofree char *bundle = NULL;
    g_autofree char *closed = NULL;
    g_autofree char *root = NULL;
    Case item = { "a closed folder",
                  { .script = "cat /p /q/file",
                    .shifted_ids = true,
                    .mounts = ",{\"destination\":\"/p\",\"source\":"
                              "\"closed/file\",\"options\":[\"bind\",\"ro\"]},"
                              "{\"destination\":\"/q\",\"source\":"
                              "\"closed/v\",\"options\":[\"rbind\"]}" },
                  "text\ntext\n" };

    (void)state;
    container_require(&item.container);
    bundle = make_bundle();
    closed = g_build_filename(bundle, "closed", NULL);
    /* mount points are made by the container's root */
    put_file(bundle, "rootfs/bin/busybox", "", 0644);
    root = g_build_filename(bundle, "rootfs", NULL);
    assert_int_equal(chown(root, 100000, 100000), 0);
    put_file(bundle, "closed/file", "text\n", 0644);
    put_file(bundle, "closed/v/file", "text\n", 0644);
    assert_int_equal(chmod(closed, 0700), 0);
    assert_int_equal(chmod(bundle, 0755), 0);
    item.container.folder = bundle;
    run_case(&item);
    scratch_remove(bundle);
}

typedef struct IdmapFailure {
    const char *mounts;
    bool no_userns;
    bool is_errno;
    int code;
    const char *text;
} IdmapFailure;

static const IdmapFailure idmap_failures[] = {
    { ",{\"destination\":\"/p\",\"source\":\"/tmp\",\"options\":"
      "[\"bind\",\"idmap\"]}",
      true, false, RN_ERROR_INVALID,
      "mount \"/p\": an idmap of a container without a user namespace" },
    { ",{\"destination\":\"/p\",\"type\":\"tmpfs\",\"options\":"
      "[\"idmap\"]}",
      false, false, RN_ERROR_UNSUPPORTED,
      "mount \"/p\": only a bind can have an idmap" },
    { ",{\"destination\":\"/p\",\"source\":\"/proc\",\"options\":"
      "[\"bind\",\"idmap\"],\"uidMappings\":" MAPS(3) ",\"gidMappings\":" MAPS(
          4) "}",
      true, true, EINVAL, "mount \"/p\": map the mount's ids" },
    { ",{\"destination\":\"/p\",\"source\":\"/no\",\"options\":"
      "[\"bind\",\"idmap\"],\"uidMappings\":" MAPS(3) ",\"gidMappings\":" MAPS(
          4) "}",
      true, true, ENOENT, "mount \"/p\": open the source \"/no\"" },
};

static void idmaps_that_cannot_be_are_named(void **state)
{
    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(idmap_failures); i++) {
        const IdmapFailure *item = &idmap_failures[i];
        const Container container = {
            .script = "",
            .mounts = item->mounts,
            .no_userns = item->no_userns,
        };
        g_auto(Outcome) outcome = { 0 };

        if (item->no_userns && geteuid() != 0)
            continue;
        print_message("# %s\n", item->text);
        container_run(&container, &outcome);
        assert_error(outcome.failure, item->is_errno ? RN_ERRNO : RN_ERROR,
                     item->code, item->text);
    }
}

static void idmap_without_rights_is_refused_with_a_hint(void **state)
{
    const Container container = {
        .script = "",
        .mounts = ",{\"destination\":\"/p\",\"source\":\"/tmp\","
                  "\"options\":[\"bind\",\"idmap\"]}",
    };
    g_auto(Outcome) outcome = { 0 };

    (void)state;
    if (geteuid() == 0)
        return; /* root has them: owners_in_idmapped_binds_are_others */
    container_run(&container, &outcome);
    assert_error(outcome.failure, RN_ERRNO, EPERM,
                 "mount \"/p\": clone the mount");
    assert_error(outcome.failure, RN_ERRNO, EPERM,
                 "an idmapped mount takes root's rights");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(owners_in_idmapped_binds_are_others),
        cmocka_unit_test(idmapped_binds_may_be_many),
        cmocka_unit_test(source_that_is_closed_to_the_container_is_mounted),
        cmocka_unit_test(idmaps_that_cannot_be_are_named),
        cmocka_unit_test(idmap_without_rights_is_refused_with_a_hint),
    };

    return cmocka_run_group_tests_name("mount-sources", tests, NULL, NULL);
}
