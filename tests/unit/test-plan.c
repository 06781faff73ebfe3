/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-plan - namespaces, id maps, network mode and generated files, decided
 */
#include "config.h"

#include <unit.h>

#include <sched.h>

#include <rnet/runtime/plan.h>

#define PROCESS                                                                \
    "\"process\":{\"args\":[\"/bin/true\"],\"cwd\":\"/\","                     \
    "\"user\":{\"uid\":%u,\"gid\":%u}}"
#define ROOT "\"root\":{\"path\":\"rootfs\"}"

typedef struct Fixture {
    RnHostFacts facts;
    RnConfig *config;
    RnPlanRequest request;
    RnNetworkWords words;
    RnNetworkWish wish;
} Fixture;

static int make_fixture(void **state)
{
    Fixture *fixture = g_new0(Fixture, 1);

    *state = fixture;
    fixture->facts = (RnHostFacts){
        .uid = 1000,
        .gid = 1001,
        .extra_uids = g_array_new(FALSE, FALSE, sizeof(RnIdMapping)),
        .extra_gids = g_array_new(FALSE, FALSE, sizeof(RnIdMapping)),
        .resolv_conf =
            g_strdup("nameserver 192.0.2.1\n"
                     "search example.org bad;word sub.example.org\n"),
        .hosts = g_strdup("127.0.0.1 localhost host-name\n"),
    };
    fixture->request = (RnPlanRequest){
        .id = "web",
        .bundle = "/srv/web",
        .words = &fixture->words,
        .wish = &fixture->wish,
    };
    return 0;
}

static int free_fixture(void **state)
{
    Fixture *fixture = *state;

    rn_host_facts_clear(&fixture->facts);
    rn_config_free(fixture->config);
    rn_network_wish_clear(&fixture->wish);
    g_free(fixture);
    return 0;
}

static void load(Fixture *fixture, unsigned uid, const char *namespaces,
                 const char *linux_rest)
{
    g_autofree char *process = g_strdup_printf(PROCESS, uid, uid);
    g_autofree char *text = g_strdup_printf(
        "{\"ociVersion\":\"1.0.2\",\"hostname\":\"box\"," ROOT
        ",%s,\"linux\":{\"namespaces\":[{\"type\":\"uts\"},%s]%s}}",
        process, namespaces, linux_rest);
    g_autoptr(GError) error = NULL;

    fixture->config =
        rn_config_parse(text, strlen(text), "config.json", &error);
    assert_no_error(error);
}

static void use_network(Fixture *fixture, const char *text)
{
    fixture->words.network = text;
}

static void add_range(GArray *ranges, uint32_t start, uint32_t size)
{
    RnIdMapping range = { .host_id = start, .size = size };

    g_array_append_val(ranges, range);
}

static RnPlan *make(Fixture *fixture, GError **error)
{
    rn_network_wish_clear(&fixture->wish);
    if (!rn_network_wish_parse(&fixture->words, &fixture->wish, error))
        return NULL;
    return rn_plan_new(fixture->config, &fixture->request, &fixture->facts,
                       error);
}

static void assert_mapping(const GArray *maps, unsigned index,
                           uint32_t container_id, uint32_t host_id,
                           uint32_t size)
{
    const RnIdMapping *mapping = NULL;

    assert_true(index < maps->len);
    mapping = &g_array_index(maps, RnIdMapping, index);
    assert_int_equal(mapping->container_id, container_id);
    assert_int_equal(mapping->host_id, host_id);
    assert_int_equal(mapping->size, size);
}

static void user_without_user_namespace_gets_one(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(RnPlan) plan = NULL;
    g_autoptr(GError) error = NULL;

    load(fixture, 7,
         "{\"type\":\"mount\"},{\"type\":\"pid\"},{\"type\":\"network\"}", "");
    plan = make(fixture, &error);
    assert_no_error(error);
    assert_true((plan->namespaces & CLONE_NEWUSER) != 0);
    assert_true(plan->single_id);
    assert_int_equal(plan->uid_mappings->len, 1);
    assert_mapping(plan->uid_mappings, 0, 7, 1000, 1);
    assert_mapping(plan->gid_mappings, 0, 7, 1001, 1);
    assert_string_equal(plan->rootfs, "/srv/web/rootfs");
}

static void extra_ids_follow_the_caller(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(RnPlan) plan = NULL;
    g_autoptr(GError) error = NULL;

    add_range(fixture->facts.extra_uids, 100000, 65536);
    add_range(fixture->facts.extra_uids, 300000, 10);
    add_range(fixture->facts.extra_gids, 200000, 65536);
    load(fixture, 33,
         "{\"type\":\"mount\"},{\"type\":\"pid\"},{\"type\":\"user\"}", "");
    plan = make(fixture, &error);
    assert_no_error(error);
    assert_false(plan->single_id);
    assert_mapping(plan->uid_mappings, 0, 0, 1000, 1);
    assert_mapping(plan->uid_mappings, 1, 1, 100000, 65536);
    assert_mapping(plan->uid_mappings, 2, 65537, 300000, 10);
    assert_mapping(plan->gid_mappings, 1, 1, 200000, 65536);
}

static void extra_uids_alone_are_not_used(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(RnPlan) plan = NULL;
    g_autoptr(GError) error = NULL;

    add_range(fixture->facts.extra_uids, 100000, 65536);
    load(fixture, 0,
         "{\"type\":\"mount\"},{\"type\":\"pid\"},{\"type\":\"user\"}", "");
    plan = make(fixture, &error);
    assert_no_error(error);
    assert_true(plan->single_id);
}

static void id_that_the_bundle_does_not_map_is_refused(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(RnPlan) plan = NULL;
    g_autoptr(GError) error = NULL;

    load(fixture, 33,
         "{\"type\":\"mount\"},{\"type\":\"pid\"},{\"type\":\"user\"}",
         ",\"uidMappings\":[{\"containerID\":0,\"hostID\":1000,\"size\":1}]"
         ",\"gidMappings\":[{\"containerID\":33,\"hostID\":1001,"
         "\"size\":1}]");
    plan = make(fixture, &error);
    assert_null(plan);
    assert_error(error, RN_ERROR, RN_ERROR_UNSUPPORTED, "process.user.uid: 33");
}

static void
id_beyond_the_callers_is_refused_with_a_hint_that_helps(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(RnPlan) plan = NULL;
    g_autoptr(GError) error = NULL;

    add_range(fixture->facts.extra_uids, 100000, 65536);
    add_range(fixture->facts.extra_gids, 200000, 65536);
    load(fixture, 70000, "{\"type\":\"mount\"},{\"type\":\"pid\"}", "");
    plan = make(fixture, &error);
    assert_null(plan);
    assert_error(error, RN_ERROR, RN_ERROR_UNSUPPORTED,
                 "process.user.uid: 70000");
    /* the bundle has no mappings that could be left out */
    assert_null(strstr(error->message, "leave these out"));
    assert_non_null(strstr(error->message, "/etc/subuid"));
}

static void additional_gid_that_is_not_mapped_is_refused(void **state)
{
    Fixture *fixture = *state;
    const uint32_t gid = 9;
    g_autoptr(RnPlan) plan = NULL;
    g_autoptr(GError) error = NULL;

    load(fixture, 0, "{\"type\":\"mount\"},{\"type\":\"pid\"}", "");
    g_array_append_val(fixture->config->process.additional_gids, gid);
    plan = make(fixture, &error);
    assert_null(plan);
    assert_error(error, RN_ERROR, RN_ERROR_UNSUPPORTED,
                 "process.user.additionalGids: 9 is not mapped");
}

static void id_minus_1_is_refused_without_a_user_namespace(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(RnPlan) plan = NULL;
    g_autoptr(GError) error = NULL;

    fixture->facts.uid = 0;
    load(fixture, 0, "{\"type\":\"mount\"},{\"type\":\"pid\"}", "");
    fixture->config->process.uid = UINT32_MAX;
    plan = make(fixture, &error);
    assert_null(plan);
    assert_error(error, RN_ERROR, RN_ERROR_INVALID, "process.user.uid");
}

static void engine_gets_no_network_and_no_files(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(RnPlan) plan = NULL;
    g_autoptr(GError) error = NULL;

    load(fixture, 0, "{\"type\":\"mount\"},{\"type\":\"network\"}", "");
    fixture->request.engine = true;
    plan = make(fixture, &error);
    assert_no_error(error);
    assert_true((plan->namespaces & CLONE_NEWNET) != 0);
    assert_false(plan->has_network);
    assert_null(plan->resolv_conf);
    assert_null(plan->hosts);
    assert_null(plan->etc_hostname);
}

static void engine_that_publishes_gets_a_network(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(RnPlan) plan = NULL;
    g_autoptr(GError) error = NULL;

    load(fixture, 0, "{\"type\":\"mount\"},{\"type\":\"network\"}", "");
    fixture->request.engine = true;
    fixture->words.publish_all = "";
    plan = make(fixture, &error);
    assert_no_error(error);
    assert_true(plan->has_network);
    assert_non_null(plan->resolv_conf);
}

static void exposed_ports_are_the_plans(void **state)
{
    static const char *const ports[] = { "5432:15432", NULL };
    Fixture *fixture = *state;
    g_autoptr(RnPlan) plan = NULL;
    g_autoptr(GError) error = NULL;

    load(fixture, 0, "{\"type\":\"mount\"},{\"type\":\"network\"}", "");
    fixture->words.expose_host = ports;
    plan = make(fixture, &error);
    assert_no_error(error);
    assert_int_equal(plan->network.n_exposed, 1);
    assert_int_equal(plan->network.exposed[0].host_port, 5432);
    /* the gateway has a name when it leads anywhere */
    assert_non_null(
        strstr(plan->hosts, "10.0.2.2\thost.containers.internal\n"));
}

static void joined_network_takes_no_option(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(RnPlan) plan = NULL;
    g_autoptr(RnPlan) joining = NULL;
    g_autoptr(GError) error = NULL;
    static const char namespaces[] =
        "{\"type\":\"mount\"},{\"type\":\"network\",\"path\":\"/run/x\"}";

    load(fixture, 0, namespaces, "");
    joining = make(fixture, &error);
    assert_no_error(error);
    assert_false(joining->has_network);
    assert_true((joining->namespaces & CLONE_NEWNET) == 0);
    assert_true(rn_plan_joins(joining, CLONE_NEWNET));
    use_network(fixture, "slirp");
    plan = make(fixture, &error);
    assert_null(plan);
    assert_error(error, RN_ERROR, RN_ERROR_INVALID, "--network");
}

static void bundle_without_mount_namespace_is_refused(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(RnPlan) plan = NULL;
    g_autoptr(GError) error = NULL;

    load(fixture, 0, "{\"type\":\"pid\"}", "");
    plan = make(fixture, &error);
    assert_null(plan);
    assert_error(error, RN_ERROR, RN_ERROR_UNSUPPORTED, "mount namespace");
}

static void network_follows_bundle_and_option(void **state)
{
    static const struct {
        const char *namespaces;
        const char *option;
        bool own_namespace, has_network;
    } cases[] = {
        { "{\"type\":\"mount\"},{\"type\":\"pid\"},{\"type\":\"network\"}",
          NULL, true, true },
        { "{\"type\":\"mount\"},{\"type\":\"pid\"}", NULL, false, false },
        { "{\"type\":\"mount\"},{\"type\":\"pid\"}", "slirp", true, true },
        { "{\"type\":\"mount\"},{\"type\":\"pid\"}", "none", true, false },
        { "{\"type\":\"mount\"},{\"type\":\"pid\"},{\"type\":\"network\"}",
          "none", true, false },
        { "{\"type\":\"mount\"},{\"type\":\"pid\"},{\"type\":\"network\"}",
          "host", false, false },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        Fixture *fixture = *state;
        g_autoptr(RnPlan) plan = NULL;
        g_autoptr(GError) error = NULL;

        load(fixture, 0, cases[i].namespaces, "");
        use_network(fixture, cases[i].option);
        plan = make(fixture, &error);
        assert_no_error(error);
        assert_int_equal((plan->namespaces & CLONE_NEWNET) != 0,
                         cases[i].own_namespace);
        assert_int_equal(plan->has_network, cases[i].has_network);
        g_clear_pointer(&fixture->config, rn_config_free);
    }
}

static void publishing_without_a_network_is_refused(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(RnPlan) plan = NULL;
    g_autoptr(GError) error = NULL;

    load(fixture, 0, "{\"type\":\"mount\"},{\"type\":\"pid\"}", "");
    fixture->words.publish_all = "";
    plan = make(fixture, &error);
    assert_null(plan);
    assert_error(error, RN_ERROR, RN_ERROR_INVALID, "--network slirp");
}

static void files_name_what_the_network_has(void **state)
{
    static const struct {
        const char *option;
        const char *resolv_conf;
        const char *in_hosts, *not_in_hosts;
    } cases[] = {
        { "slirp", "search example.org sub.example.org\nnameserver 10.0.2.3\n",
          "10.0.2.100\tbox web\n", "host.containers.internal" },
        { "slirp:host-loopback,cidr=10.7.0.0/24",
          "search example.org sub.example.org\nnameserver 10.7.0.3\n",
          "10.7.0.2\thost.containers.internal\n", "10.0.2." },
        { "slirp:dns=192.0.2.9,dns=2001:db8::1",
          "search example.org sub.example.org\nnameserver 192.0.2.9\n"
          "nameserver 2001:db8::1\n",
          "fd00::100\tbox web\n", "host-name" },
        { "slirp:dns=none", NULL, "box", "host-name" },
        { "none", NULL, "127.0.1.1\tbox\n", "10.0.2.100" },
        { "host",
          "nameserver 192.0.2.1\n"
          "search example.org bad;word sub.example.org\n",
          "host-name", "box" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        Fixture *fixture = *state;
        g_autoptr(RnPlan) plan = NULL;
        g_autoptr(GError) error = NULL;

        load(fixture, 0, "{\"type\":\"mount\"},{\"type\":\"pid\"}", "");
        use_network(fixture, cases[i].option);
        plan = make(fixture, &error);
        assert_no_error(error);
        if (cases[i].resolv_conf == NULL)
            assert_null(plan->resolv_conf);
        else
            assert_string_equal(plan->resolv_conf, cases[i].resolv_conf);
        assert_non_null(strstr(plan->hosts, cases[i].in_hosts));
        assert_null(strstr(plan->hosts, cases[i].not_in_hosts));
        g_clear_pointer(&fixture->config, rn_config_free);
    }
}

static void hosts_stay_when_they_are_not_wanted(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(RnPlan) plan = NULL;
    g_autoptr(GError) error = NULL;

    load(fixture, 0,
         "{\"type\":\"mount\"},{\"type\":\"pid\"},{\"type\":\"network\"}", "");
    fixture->request.no_hosts = true;
    plan = make(fixture, &error);
    assert_no_error(error);
    assert_null(plan->hosts);
    assert_non_null(plan->resolv_conf);
}

#define with_fixture(test)                                                     \
    cmocka_unit_test_setup_teardown(test, make_fixture, free_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_fixture(user_without_user_namespace_gets_one),
        with_fixture(extra_ids_follow_the_caller),
        with_fixture(extra_uids_alone_are_not_used),
        with_fixture(id_that_the_bundle_does_not_map_is_refused),
        with_fixture(id_beyond_the_callers_is_refused_with_a_hint_that_helps),
        with_fixture(additional_gid_that_is_not_mapped_is_refused),
        with_fixture(id_minus_1_is_refused_without_a_user_namespace),
        with_fixture(engine_gets_no_network_and_no_files),
        with_fixture(engine_that_publishes_gets_a_network),
        with_fixture(exposed_ports_are_the_plans),
        with_fixture(joined_network_takes_no_option),
        with_fixture(bundle_without_mount_namespace_is_refused),
        with_fixture(network_follows_bundle_and_option),
        with_fixture(publishing_without_a_network_is_refused),
        with_fixture(files_name_what_the_network_has),
        with_fixture(hosts_stay_when_they_are_not_wanted),
    };

    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
