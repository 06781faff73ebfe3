/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plan-files - decides the texts of resolv.conf and hosts
 *
 * Runs in the launcher; pure. In: the network plan and the host's own files.
 * Out: texts, which init puts in place (unless config.json mounts something
 * there). The host's resolv.conf is text from outside: only whole search words
 * of plain characters are taken over, resolv.conf(5).
 */
#include "config.h"

#include <rnet/runtime/plan-files.h>

#include <string.h>

enum {
    SEARCH_TEXT_MAX = 1024, /* bytes; glibc before 2.26 took 256 */
};

static bool is_domain(const char *word)
{
    return strspn(word,
                  "abcdefghijklmnopqrstuvwxyz"
                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == strlen(word);
}

/* The words of the last `search` or `domain` line, which is the one that
 * counts, resolv.conf(5); the caller's, may be empty. */
static char *find_search_domains(const char *resolv_conf)
{
    g_auto(GStrv) lines = g_strsplit(resolv_conf, "\n", -1);
    g_autoptr(GString) found = g_string_new(NULL);

    for (char **line = lines; *line != NULL; line++) {
        g_auto(GStrv) words = g_strsplit_set(*line, " \t\r", -1);

        if (!g_str_equal(words[0] != NULL ? words[0] : "", "search") &&
            !g_str_equal(words[0] != NULL ? words[0] : "", "domain"))
            continue;
        g_string_truncate(found, 0);
        for (char **word = words + 1; *word != NULL; word++) {
            if (**word == '\0' || !is_domain(*word) ||
                found->len + strlen(*word) > SEARCH_TEXT_MAX)
                continue;
            g_string_append_printf(found, " %s", *word);
        }
    }
    return g_string_free(g_steal_pointer(&found), FALSE);
}

static void append_nameserver(GString *text, const RnEndpoint *server)
{
    char address[RN_ENDPOINT_TEXT];

    g_string_append_printf(text, "nameserver %s\n",
                           rn_endpoint_format_address(server, address));
}

char *rn_plan_resolv_conf(const RnNetworkPlan *network,
                          const RnNetworkOptions *options,
                          const char *host_text)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *search = find_search_domains(host_text);

    if (search[0] != '\0')
        g_string_append_printf(text, "search%s\n", search);
    for (unsigned i = 0; i < options->dns->len; i++)
        append_nameserver(text, &g_array_index(options->dns, RnEndpoint, i));
    if (options->dns->len == 0)
        append_nameserver(text, &network->dns4);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static void append_host(GString *text, const RnEndpoint *address,
                        const char *name, const char *other_name)
{
    char shown[RN_ENDPOINT_TEXT];

    if (address->family == AF_UNSPEC)
        return;
    g_string_append_printf(text, "%s\t%s",
                           rn_endpoint_format_address(address, shown), name);
    if (other_name != NULL && !g_str_equal(name, other_name))
        g_string_append_printf(text, " %s", other_name);
    g_string_append_c(text, '\n');
}

static char *write_hosts(const RnPlan *plan)
{
    g_autoptr(GString) text =
        g_string_new("127.0.0.1\tlocalhost\n"
                     "::1\tlocalhost ip6-localhost ip6-loopback\n");
    const char *name = plan->hostname != NULL ? plan->hostname : plan->id;

    if (!plan->has_network) {
        g_string_append_printf(text, "127.0.1.1\t%s\n", name);
        return g_string_free(g_steal_pointer(&text), FALSE);
    }
    append_host(text, &plan->network.guest4, name, plan->id);
    append_host(text, &plan->network.guest6, name, plan->id);
    if (plan->network.host_loopback != 0 || plan->network.n_exposed > 0) {
        append_host(text, &plan->network.gateway4, "host.containers.internal",
                    NULL);
        append_host(text, &plan->network.gateway6, "host.containers.internal",
                    NULL);
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

void rn_plan_files(RnPlan *plan, const RnNetworkOptions *options,
                   const RnHostFacts *facts, bool no_hosts)
{
    bool host = options->mode == RN_NETWORK_HOST;

    if (options->write_resolv_conf && host && facts->resolv_conf[0] != '\0')
        plan->resolv_conf = g_strdup(facts->resolv_conf);
    else if (options->write_resolv_conf && plan->has_network)
        plan->resolv_conf =
            rn_plan_resolv_conf(&plan->network, options, facts->resolv_conf);
    if (no_hosts)
        return;
    if (!host)
        plan->hosts = write_hosts(plan);
    else if (facts->hosts[0] != '\0')
        plan->hosts = g_strdup(facts->hosts);
}
