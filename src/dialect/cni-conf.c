/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cni-conf - reads what a container runtime gives a CNI plugin on stdin
 *
 * Runs in rnet-cni, pure. Keys of rnet's own become the words of --network and
 * --publish, so that one place checks them; what can change the meaning of such
 * a text (a comma, a colon) does not get into it.
 */
#include "config.h"

#include <rnet/dialect/cni-conf.h>

#include <string.h>

#include <rnet/dialect/cni-capabilities.h>

static const char *const version_texts[] = {
    [RN_CNI_0_1_0] = "0.1.0", [RN_CNI_0_2_0] = "0.2.0",
    [RN_CNI_0_3_0] = "0.3.0", [RN_CNI_0_3_1] = "0.3.1",
    [RN_CNI_0_4_0] = "0.4.0", [RN_CNI_1_0_0] = "1.0.0",
    [RN_CNI_1_1_0] = "1.1.0",
};
G_STATIC_ASSERT(G_N_ELEMENTS(version_texts) == RN_CNI_N_);

#define NAME_CHARACTERS G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS
#define DOCUMENT        "stdin"

const char *rn_cni_version_text(RnCniVersion version)
{
    return version_texts[version];
}

bool rn_cni_name_is_valid(const char *name)
{
    gsize length = strlen(name);

    return length > 0 && length <= RN_CNI_NAME_MAX &&
           strspn(name, NAME_CHARACTERS "_.-") == length &&
           strchr("_.-", name[0]) == NULL;
}

static bool find_version(const char *text, RnCniVersion *out_version,
                         GError **error)
{
    g_autofree char *quoted = rn_json_quote(text);

    for (unsigned i = 0; i < RN_CNI_N_; i++) {
        if (strcmp(text, version_texts[i]) != 0)
            continue;
        *out_version = (RnCniVersion)i;
        return true;
    }
    (void)rn_set_error(error, RN_ERROR_UNSUPPORTED,
                       "cniVersion %s is not known", quoted);
    return rn_error_add_hint(error, "rnet-cni knows 0.1.0 to 1.1.0");
}

bool rn_cni_conf_version(json_t *document, RnCniVersion *out_version,
                         GError **error)
{
    static const RnJsonField field = { "cniVersion", rn_json_read_string, 0,
                                       RN_JSON_OPTIONAL };
    const RnJsonAt at = { .name = DOCUMENT, .node = document };
    g_autofree char *text = NULL;

    return rn_json_read_members(&at, &field, 1, &text, error) &&
           find_version(text != NULL && text[0] != '\0' ? text : "0.1.0",
                        out_version, error);
}

/* What is read before it becomes words. */
typedef struct Draft {
    RnCniConf *conf;
    uint32_t mtu; /* 0: not given */
    char *cidr, *handoff, *link;
    bool ipv6, host_loopback;
} Draft;

static void clear_draft(Draft *draft)
{
    g_free(draft->cidr);
    g_free(draft->handoff);
    g_free(draft->link);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Draft, clear_draft)

/* A value of --network: nothing that ends an option there. */
static bool read_word(const RnJsonAt *at, void *target, GError **error)
{
    char **word = target;

    if (!rn_json_read_string(at, word, error))
        return false;
    return ((*word)[0] != '\0' && strchr(*word, ',') == NULL) ||
           rn_json_fail(at, RN_ERROR_INVALID, error, "not such a value");
}

static bool read_name(const RnJsonAt *at, void *target, GError **error)
{
    Draft *draft = target;

    if (!rn_json_read_string(at, &draft->conf->name, error))
        return false;
    return rn_cni_name_is_valid(draft->conf->name) ||
           rn_json_fail(at, RN_ERROR_INVALID, error,
                        "must have letters, digits and \"_.-\" only, begin "
                        "with none of the latter, at most %d",
                        RN_CNI_NAME_MAX);
}

static bool add_exposed(const RnJsonAt *at, void *target, GError **error)
{
    GPtrArray *all = target;
    char *text = NULL;
    uint16_t port = 0;

    if (json_is_integer(at->node)) {
        if (!rn_json_read_uint16(at, &port, error))
            return false;
        text = g_strdup_printf("%u", port);
    } else if (!rn_json_read_string(at, &text, error)) {
        return false;
    }
    g_ptr_array_add(all, text);
    return true;
}

static bool read_exposed(const RnJsonAt *at, void *target, GError **error)
{
    Draft *draft = target;

    return rn_json_check_count(at, RN_EXPOSED_MAX, error) &&
           rn_json_read_elements(at, add_exposed, draft->conf->expose_host,
                                 error);
}

static bool read_publish_all(const RnJsonAt *at, void *target, GError **error)
{
    Draft *draft = target;
    bool on = false;

    if (json_is_string(at->node))
        return rn_json_read_string(at, &draft->conf->publish_all, error);
    if (!rn_json_read_bool(at, &on, error))
        return false;
    if (on)
        draft->conf->publish_all = g_strdup("");
    return true;
}

static bool read_prev_result(const RnJsonAt *at, void *target, GError **error)
{
    Draft *draft = target;

    if (!json_is_object(at->node))
        return rn_json_fail(at, RN_ERROR_INVALID, error, "must be an object");
    draft->conf->prev_result = json_incref(at->node);
    return true;
}

static bool read_dns(const RnJsonAt *at, void *target, GError **error)
{
    Draft *draft = target;

    return rn_cni_read_dns(at, draft->conf, error);
}

static bool read_capabilities(const RnJsonAt *at, void *target, GError **error)
{
    Draft *draft = target;

    return rn_cni_read_capabilities(at, draft->conf, error);
}

typedef struct Attachment {
    char *container, *interface;
} Attachment;

static void clear_attachment(Attachment *attachment)
{
    g_free(attachment->container);
    g_free(attachment->interface);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Attachment, clear_attachment)

static bool add_attachment(const RnJsonAt *at, void *target, GError **error)
{
    static const RnJsonField fields[] = {
        { "containerID", rn_json_read_string,
          G_STRUCT_OFFSET(Attachment, container), RN_JSON_REQUIRED },
        { "ifname", rn_json_read_string, G_STRUCT_OFFSET(Attachment, interface),
          RN_JSON_REQUIRED },
    };
    g_auto(Attachment) attachment = { 0 };

    if (!rn_json_read_members(at, fields, G_N_ELEMENTS(fields), &attachment,
                              error))
        return false;
    (void)g_hash_table_add(
        target,
        g_strdup_printf("%s@%s", attachment.container, attachment.interface));
    return true;
}

static bool read_attachments(const RnJsonAt *at, void *target, GError **error)
{
    Draft *draft = target;

    return rn_json_check_count(at, RN_CNI_ATTACHMENTS_MAX, error) &&
           rn_json_read_elements(at, add_attachment, draft->conf->attachments,
                                 error);
}

static const RnJsonField head_fields[] = {
    { "name", read_name, 0, RN_JSON_REQUIRED },
    { "cni.dev/valid-attachments", read_attachments, 0, RN_JSON_OPTIONAL },
};

static const RnJsonField fields[] = {
    { "mtu", rn_json_read_uint32, G_STRUCT_OFFSET(Draft, mtu),
      RN_JSON_OPTIONAL },
    { "cidr", read_word, G_STRUCT_OFFSET(Draft, cidr), RN_JSON_OPTIONAL },
    { "ipv6", rn_json_read_bool, G_STRUCT_OFFSET(Draft, ipv6),
      RN_JSON_OPTIONAL },
    { "dns", read_dns, 0, RN_JSON_OPTIONAL },
    { "hostLoopback", rn_json_read_bool, G_STRUCT_OFFSET(Draft, host_loopback),
      RN_JSON_OPTIONAL },
    { "handoff", read_word, G_STRUCT_OFFSET(Draft, handoff), RN_JSON_OPTIONAL },
    { "link", read_word, G_STRUCT_OFFSET(Draft, link), RN_JSON_OPTIONAL },
    { "exposeHost", read_exposed, 0, RN_JSON_OPTIONAL },
    { "publishAll", read_publish_all, 0, RN_JSON_OPTIONAL },
    { "ipam", rn_json_refuse, 0, RN_JSON_OPTIONAL },
    { "runtimeConfig", read_capabilities, 0, RN_JSON_OPTIONAL },
    { "prevResult", read_prev_result, 0, RN_JSON_OPTIONAL },
};

/* The text of --network. */
static char *write_words(const Draft *draft)
{
    g_autoptr(GString) text = g_string_new("slirp:");

    g_string_append_printf(text, "ipv6=%s,host-loopback=%s",
                           draft->ipv6 ? "on" : "off",
                           draft->host_loopback ? "on" : "off");
    if (draft->mtu != 0)
        g_string_append_printf(text, ",mtu=%u", draft->mtu);
    if (draft->cidr != NULL)
        g_string_append_printf(text, ",cidr=%s", draft->cidr);
    if (draft->handoff != NULL)
        g_string_append_printf(text, ",handoff=%s", draft->handoff);
    if (draft->link != NULL)
        g_string_append_printf(text, ",link=%s", draft->link);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

bool rn_cni_conf_read(json_t *document, RnCniConfPart part, RnCniConf *conf,
                      GError **error)
{
    const RnJsonAt at = { .name = DOCUMENT, .node = document };
    g_auto(Draft) draft = { .conf = conf, .ipv6 = true };

    *conf = (RnCniConf){
        .publish = g_ptr_array_new_with_free_func(g_free),
        .expose_host = g_ptr_array_new_with_free_func(g_free),
        .attachments =
            g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
        .has_attachments =
            json_object_get(document, "cni.dev/valid-attachments") != NULL,
    };
    if (!rn_cni_conf_version(document, &conf->version, error) ||
        !rn_json_read_members(&at, head_fields, G_N_ELEMENTS(head_fields),
                              &draft, error))
        return false;
    if (part == RN_CNI_CONF_ALL &&
        !rn_json_read_members(&at, fields, G_N_ELEMENTS(fields), &draft, error))
        return false;
    g_ptr_array_add(conf->publish, NULL);
    g_ptr_array_add(conf->expose_host, NULL);
    conf->network = write_words(&draft);
    return true;
}

void rn_cni_conf_clear(RnCniConf *conf)
{
    g_clear_pointer(&conf->name, g_free);
    g_clear_pointer(&conf->network, g_free);
    g_clear_pointer(&conf->publish, g_ptr_array_unref);
    g_clear_pointer(&conf->expose_host, g_ptr_array_unref);
    g_clear_pointer(&conf->publish_all, g_free);
    g_clear_pointer(&conf->ips, g_strfreev);
    g_clear_pointer(&conf->dns, json_decref);
    g_clear_pointer(&conf->prev_result, json_decref);
    g_clear_pointer(&conf->attachments, g_hash_table_unref);
}
