/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cni - rnet-cni, a plugin of the Container Network Interface
 *
 * Run by a container runtime for each command, as root or as the "root" of the
 * user namespace that the containers' namespaces are in. In: CNI_ variables and
 * a configuration on stdin; out: JSON on stdout, also of a failure, and the
 * exit status. Nothing is kept but the entries of the networks: what there is,
 * DEL, CHECK and GC learn from them.
 *
 * An entry's key is "cni@NETWORK@CONTAINERID@IFNAME": GC is told of the
 * attachments of one network, and must not touch another's.
 */
#include "config.h"

#include <rnet/dialect/dialect.h>

#include <string.h>
#include <unistd.h>

#include <rnet/dialect/attached.h>
#include <rnet/dialect/cni-check.h>
#include <rnet/dialect/cni-result.h>
#include <rnet/dialect/input.h>
#include <rnet/runtime/attach.h>
#include <rnet/sys/netlink.h>
#include <rnet/util/fd.h>

#define DIALECT "cni"

/* One command while it is carried out. */
typedef struct Job {
    const RnDialectWorld *world;
    const char *container, *netns, *interface; /* NULL: not given */
    RnCniVersion version;
    RnCniConf conf;
    char *key;
    RnCniCode code; /* what a failure at this point is */
    json_t *answer; /* for stdout; NULL: nothing */
} Job;

static void clear_job(Job *job)
{
    rn_cni_conf_clear(&job->conf);
    g_free(job->key);
    json_decref(job->answer);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Job, clear_job)

static bool open_target(Job *job, RnNetworkTarget *target, GError **error)
{
    job->code = RN_CNI_CODE_ENVIRONMENT;
    if (rn_network_target_open(job->netns, target, error))
        return true;
    g_prefix_error(error, "CNI_NETNS: ");
    return false;
}

static bool answer_add(Job *job, GError **error)
{
    g_autoptr(json_t) network =
        rn_network_ask(job->world->state_dir, job->key, error);

    if (network == NULL)
        return false;
    job->answer = rn_cni_result(&job->conf, job->netns, network, error);
    return job->answer != NULL;
}

static bool act_add(Job *job, GError **error)
{
    g_auto(RnNetworkTarget)
        target = { .netns_fd = -1, .userns_fd = -1, .pidfd = -1 };
    g_auto(RnNetworkWish) wish = { 0 };
    const RnAttachRequest request = {
        .state_dir = job->world->state_dir,
        .key = job->key,
        .wish = &wish,
        .target = &target,
        .exit_fd = -1,
    };

    job->code = RN_CNI_CODE_CONFIG;
    if (!rn_cni_conf_wish(&job->conf, job->interface, &wish, error) ||
        !open_target(job, &target, error))
        return false;
    job->code = RN_CNI_CODE_NETWORK;
    if (!rn_attach_detached(&request, error))
        return false;
    if (answer_add(job, error))
        return true;
    (void)rn_attached_end(job->world->state_dir, job->key,
                          NULL); /* the first failure is the one to tell */
    return false;
}

static bool act_del(Job *job, GError **error)
{
    job->code = RN_CNI_CODE_NETWORK;
    return rn_attached_end(job->world->state_dir, job->key, error);
}

static bool check_keeper(const Job *job, const RnNetworkTarget *target,
                         GError **error)
{
    g_autoptr(json_t) network =
        rn_network_ask(job->world->state_dir, job->key, error);

    if (network == NULL) {
        g_prefix_error(error, "nobody keeps the network: ");
        return false;
    }
    if (!json_is_true(json_object_get(network, "up")))
        return rn_set_error(error, RN_ERROR_STATE, "its relay is not up");
    return rn_attached_to(network, target) ||
           rn_set_error(error, RN_ERROR_STATE,
                        "CNI_NETNS is another namespace than ADD had");
}

static bool act_check(Job *job, GError **error)
{
    g_auto(RnNetworkTarget)
        target = { .netns_fd = -1, .userns_fd = -1, .pidfd = -1 };
    g_auto(RnCniExpected) expected = { 0 };

    job->code = RN_CNI_CODE_CONFIG;
    if (!rn_cni_expect(&job->conf, job->interface, job->netns, &expected,
                       error) ||
        !open_target(job, &target, error))
        return false;
    job->code = RN_CNI_CODE_CHECK_FAILED;
    return check_keeper(job, &target, error) &&
           rn_cni_check(&target, job->interface, &expected, error);
}

/* Is it one of this network that nobody names any more? */
static bool is_garbage(const Job *job, const char *prefix, const char *key)
{
    return g_str_has_prefix(key, prefix) &&
           !g_hash_table_contains(job->conf.attachments, key + strlen(prefix));
}

/* Goes on after a failure; the first one is told. */
static bool act_gc(Job *job, GError **error)
{
    const char *state_dir = job->world->state_dir;
    g_autofree char *prefix = g_strdup_printf(DIALECT "@%s@", job->conf.name);
    g_autoptr(GPtrArray) keys = NULL;
    g_autoptr(GError) first = NULL;

    job->code = RN_CNI_CODE_CONFIG;
    if (!job->conf.has_attachments)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "stdin: cni.dev/valid-attachments: is missing");
    job->code = RN_CNI_CODE_NETWORK;
    keys = rn_network_list(state_dir, error);
    if (keys == NULL)
        return false;
    for (guint i = 0; i < keys->len; i++) {
        const char *key = g_ptr_array_index(keys, i);

        if (is_garbage(job, prefix, key))
            (void)rn_attached_end(state_dir, key,
                                  first == NULL ? &first : NULL);
    }
    if (first == NULL)
        return true;
    g_propagate_error(error, g_steal_pointer(&first));
    return false;
}

static bool act_status(Job *job, GError **error)
{
    g_auto(RnNetworkWish) wish = { 0 };

    job->code = RN_CNI_CODE_CONFIG;
    if (!rn_cni_conf_wish(&job->conf, "tap0", &wish, error))
        return false;
    job->code = RN_CNI_CODE_UNAVAILABLE;
    return rn_cni_try(wish.options.link_mode, error);
}

typedef enum CommandNeeds {
    NEEDS_NOTHING = 0,
    NEEDS_ATTACHMENT = 1, /* CNI_CONTAINERID and CNI_IFNAME */
    NEEDS_NETNS = 2,
} CommandNeeds;

typedef struct Command {
    const char *name;
    RnCniVersion since;
    CommandNeeds needs;
    RnCniConfPart part; /* what could not be added has to be deleted, too */
    bool (*act)(Job *job, GError **error);
} Command;

static const Command commands[] = {
    { "ADD", RN_CNI_0_1_0, NEEDS_ATTACHMENT | NEEDS_NETNS, RN_CNI_CONF_ALL,
      act_add },
    { "DEL", RN_CNI_0_1_0, NEEDS_ATTACHMENT, RN_CNI_CONF_HEAD, act_del },
    { "CHECK", RN_CNI_0_4_0, NEEDS_ATTACHMENT | NEEDS_NETNS, RN_CNI_CONF_ALL,
      act_check },
    { "GC", RN_CNI_1_1_0, NEEDS_NOTHING, RN_CNI_CONF_HEAD, act_gc },
    { "STATUS", RN_CNI_1_1_0, NEEDS_NOTHING, RN_CNI_CONF_ALL, act_status },
};

static const char *look_up(const Job *job, const char *name)
{
    const char *value = g_environ_getenv(job->world->environment, name);

    return value == NULL || value[0] == '\0' ? NULL : value;
}

static bool need(const char *name, const char *value, bool is_needed,
                 GError **error)
{
    return value != NULL || !is_needed ||
           rn_set_error(error, RN_ERROR_INVALID, "%s is not set", name);
}

static bool read_variables(Job *job, const Command *command, GError **error)
{
    bool attachment = (command->needs & NEEDS_ATTACHMENT) != 0;

    job->code = RN_CNI_CODE_ENVIRONMENT;
    job->container = look_up(job, "CNI_CONTAINERID");
    job->netns = look_up(job, "CNI_NETNS");
    job->interface = look_up(job, "CNI_IFNAME");
    if (!need("CNI_CONTAINERID", job->container, attachment, error) ||
        !need("CNI_IFNAME", job->interface, attachment, error) ||
        !need("CNI_NETNS", job->netns, (command->needs & NEEDS_NETNS) != 0,
              error))
        return false;
    if (attachment && !rn_cni_name_is_valid(job->container))
        return rn_set_error(error, RN_ERROR_INVALID,
                            "CNI_CONTAINERID: letters, digits and \"_.-\" "
                            "only, at most %d",
                            RN_CNI_NAME_MAX);
    return !attachment || rn_link_name_is_valid(job->interface) ||
           rn_set_error(error, RN_ERROR_INVALID,
                        "CNI_IFNAME: not an interface's name");
}

/* UNSUPPORTED is what rnet refuses by name; the specification has a code. */
static bool read_conf(Job *job, RnCniConfPart part, json_t *document,
                      GError **error)
{
    g_autoptr(GError) failure = NULL;

    job->code = RN_CNI_CODE_VERSION;
    if (!rn_cni_conf_version(document, &job->version, error))
        return false;
    if (rn_cni_conf_read(document, part, &job->conf, &failure))
        return true;
    job->code = g_error_matches(failure, RN_ERROR, RN_ERROR_UNSUPPORTED)
                    ? RN_CNI_CODE_FIELD
                    : RN_CNI_CODE_CONFIG;
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

static bool run_command(Job *job, const Command *command, GError **error)
{
    g_autoptr(json_t) document = NULL;
    g_autofree char *name = NULL;

    if (!read_variables(job, command, error))
        return false;
    job->code = RN_CNI_CODE_DECODE;
    document = rn_input_read(STDIN_FILENO, "stdin", error);
    if (document == NULL || !read_conf(job, command->part, document, error))
        return false;
    job->code = RN_CNI_CODE_VERSION;
    if (job->version < command->since)
        return rn_set_error(error, RN_ERROR_INVALID, "cniVersion %s has no %s",
                            rn_cni_version_text(job->version), command->name);
    name = g_strdup_printf("%s@%s@%s", job->conf.name, job->container,
                           job->interface);
    job->key = rn_network_key(DIALECT, name);
    return command->act(job, error);
}

/* Whoever asks for versions may have one that is not known here. */
static void answer_versions(Job *job)
{
    g_autoptr(json_t) document = rn_input_read(STDIN_FILENO, "stdin", NULL);

    if (document != NULL && !rn_cni_conf_version(document, &job->version, NULL))
        job->version = RN_CNI_1_1_0;
    job->answer = rn_cni_versions(job->version);
}

static bool run_any(Job *job, const char *name, GError **error)
{
    if (g_str_equal(name, "VERSION")) {
        answer_versions(job);
        return true;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (g_str_equal(name, commands[i].name))
            return run_command(job, &commands[i], error);
    }
    job->code = RN_CNI_CODE_ENVIRONMENT;
    return rn_set_error(error, RN_ERROR_INVALID,
                        "CNI_COMMAND: none of ADD, DEL, CHECK, GC, STATUS and "
                        "VERSION");
}

static bool print_answer(const json_t *answer, GError **error)
{
    g_autofree char *text =
        json_dumps(answer, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    g_autofree char *line = g_strconcat(text, "\n", NULL);

    return rn_fd_write_all(STDOUT_FILENO, line, strlen(line), error);
}

/* Whoever asked for a network and is not told of it has none. */
static bool answer(const Job *job, const char *command, GError **error)
{
    if (job->answer == NULL)
        return true;
    /* SIGPIPE, for one: it would leave no time to end the network */
    if (rn_keeper_block_signals(error) && print_answer(job->answer, error))
        return true;
    if (g_str_equal(command, "ADD"))
        (void)rn_attached_end(job->world->state_dir, job->key,
                              NULL); /* the first failure is the one to tell */
    return false;
}

/* For a person who started it. */
static int tell_about(void)
{
    g_printerr("rnet-cni: a plugin of the Container Network Interface, for a "
               "container runtime\nto start. Versions 0.1.0 to 1.1.0; see "
               "rnet(1).\n");
    return 0;
}

int rn_dialect_cni(const RnDialectWorld *world, G_GNUC_UNUSED int argc,
                   G_GNUC_UNUSED char **argv)
{
    g_auto(Job) job = { .world = world, .version = RN_CNI_1_1_0 };
    g_autoptr(GError) failure = NULL;
    const char *name = look_up(&job, "CNI_COMMAND");

    if (name == NULL)
        return tell_about();
    if (run_any(&job, name, &failure)) {
        if (answer(&job, name, &failure))
            return 0;
        job.code = RN_CNI_CODE_IO;
    }
    json_decref(job.answer);
    job.answer = rn_cni_error(job.version, job.code, failure);
    (void)print_answer(job.answer, NULL); /* nobody is left to tell */
    return 1;
}
