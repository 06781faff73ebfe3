/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * udp-flows - the table of UDP flows, found from both sides
 *
 * Role:     two hash tables over the same flows, by origin (which owns them)
 *           and by what the guest sees; two queues in the order of last use,
 *           one for each idle time, so that what expires next is at a head
 * Runs in:  the relay
 * Limits:   `max` flows; hashes are seeded, as clients choose the keys
 */
#include "config.h"

#include <rnet/net/udp-flows.h>

#include <string.h>

#include <rnet/net/address-plan.h>

/* IANA's dynamic ports, RFC 6335, 6: for clients shown as the gateway */
enum {
    DYNAMIC_FIRST = 49152,
    DYNAMIC_LAST = 65535,
};

/* The keys have no padding, so that they can be hashed and compared whole. */
typedef struct OriginKey {
    uint32_t seed; /* first: so it changes how all that follows is mixed */
    RnUdpOrigin origin;
} OriginKey;

typedef struct ShownKey {
    uint32_t seed;
    RnEndpoint guest, shown;
} ShownKey;

G_STATIC_ASSERT(sizeof(RnEndpoint) == 24);
G_STATIC_ASSERT(sizeof(RnUdpOrigin) == 2 * sizeof(RnEndpoint) + 4);
G_STATIC_ASSERT(sizeof(OriginKey) == sizeof(RnUdpOrigin) + 4);
G_STATIC_ASSERT(sizeof(ShownKey) == 2 * sizeof(RnEndpoint) + 4);

typedef struct Entry {
    RnUdpFlow flow;
    OriginKey origin_key;
    ShownKey shown_key;
} Entry;

struct RnUdpFlows {
    const RnNetworkPlan *plan;
    unsigned max;
    uint32_t seed;
    unsigned port_cursor;  /* from DYNAMIC_FIRST, the next to try */
    GHashTable *by_origin; /* OriginKey in Entry -> Entry, which it owns */
    GHashTable *by_shown;  /* ShownKey in Entry -> Entry */
    GQueue idle[2];        /* [is_answered], of Entry, oldest first */
};

static const int idle_ms[2] = { RN_UDP_UNANSWERED_MS, RN_UDP_ANSWERED_MS };

/* FNV-1a over 32-bit words, finished with a shift as words mix less well. */
static guint hash_words(const void *words, gsize length)
{
    const uint8_t *bytes = words;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (gsize i = 0; i < length; i += sizeof(uint32_t)) {
        uint32_t word = 0;

        memcpy(&word, bytes + i, sizeof word);
        hash = (hash ^ word) * UINT64_C(0x100000001b3);
        hash ^= hash >> 29;
    }
    return (guint)(hash ^ hash >> 32);
}

static guint hash_origin(gconstpointer key)
{
    return hash_words(key, sizeof(OriginKey));
}

static gboolean equal_origin(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, sizeof(OriginKey)) == 0;
}

static guint hash_shown(gconstpointer key)
{
    return hash_words(key, sizeof(ShownKey));
}

static gboolean equal_shown(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, sizeof(ShownKey)) == 0;
}

RnUdpFlows *rn_udp_flows_new(const RnNetworkPlan *plan, unsigned max)
{
    RnUdpFlows *flows = g_new0(RnUdpFlows, 1);

    flows->plan = plan;
    flows->max = MAX(max, 1);
    flows->seed = g_random_int();
    flows->by_origin =
        g_hash_table_new_full(hash_origin, equal_origin, NULL, g_free);
    flows->by_shown = g_hash_table_new(hash_shown, equal_shown);
    return flows;
}

void rn_udp_flows_free(RnUdpFlows *flows)
{
    if (flows == NULL)
        return;
    g_hash_table_unref(flows->by_shown);
    g_hash_table_unref(flows->by_origin);
    g_free(flows);
}

static ShownKey make_shown_key(const RnUdpFlows *flows, const RnEndpoint *guest,
                               const RnEndpoint *shown)
{
    ShownKey key = { .guest = *guest, .shown = *shown, .seed = flows->seed };

    /* a frame has no scope, a plan's address might */
    key.guest.scope = 0;
    key.shown.scope = 0;
    return key;
}

static void remove_entry(RnUdpFlows *flows, Entry *entry)
{
    g_queue_unlink(&flows->idle[entry->flow.is_answered], &entry->flow.link);
    g_hash_table_remove(flows->by_shown, &entry->shown_key);
    g_hash_table_remove(flows->by_origin, &entry->origin_key);
}

static void touch_entry(RnUdpFlows *flows, Entry *entry, bool is_answered,
                        int64_t now_ms)
{
    RnUdpFlow *flow = &entry->flow;

    g_queue_unlink(&flows->idle[flow->is_answered], &flow->link);
    flow->is_answered = flow->is_answered || is_answered;
    flow->last_ms = now_ms;
    g_queue_push_tail_link(&flows->idle[flow->is_answered], &flow->link);
}

static void make_room(RnUdpFlows *flows)
{
    GQueue *queue = &flows->idle[flows->idle[0].head == NULL];

    if (rn_udp_flows_count(flows) >= flows->max && queue->head != NULL)
        remove_entry(flows, queue->head->data);
}

static bool is_taken(const RnUdpFlows *flows, const Entry *entry)
{
    ShownKey key =
        make_shown_key(flows, &entry->flow.guest, &entry->flow.shown);

    return g_hash_table_contains(flows->by_shown, &key);
}

/* Shows the client as the gateway with a port that no other flow has. */
static bool show_as_gateway(RnUdpFlows *flows, Entry *entry)
{
    const unsigned n_ports = DYNAMIC_LAST - DYNAMIC_FIRST + 1;
    uint16_t port = entry->flow.shown.port;

    entry->flow.shown = *rn_plan_gateway(flows->plan, entry->flow.guest.family);
    entry->flow.shown.port = port;
    for (unsigned i = 0; i < n_ports && is_taken(flows, entry); i++) {
        flows->port_cursor = (flows->port_cursor + 1) % n_ports;
        entry->flow.shown.port = (uint16_t)(DYNAMIC_FIRST + flows->port_cursor);
    }
    return !is_taken(flows, entry);
}

static Entry *add_entry(RnUdpFlows *flows, const OriginKey *key,
                        const RnEndpoint *target, int64_t now_ms)
{
    g_autofree Entry *entry = g_new0(Entry, 1);

    make_room(flows);
    entry->flow.origin = key->origin;
    entry->flow.last_ms = now_ms;
    entry->flow.link.data = entry;
    rn_plan_lead_client(flows->plan, &key->origin.client, target,
                        &entry->flow.shown, &entry->flow.guest);
    if (is_taken(flows, entry) && !show_as_gateway(flows, entry))
        return NULL;

    entry->origin_key = *key;
    entry->shown_key =
        make_shown_key(flows, &entry->flow.guest, &entry->flow.shown);
    g_hash_table_insert(flows->by_origin, &entry->origin_key, entry);
    g_hash_table_insert(flows->by_shown, &entry->shown_key, entry);
    g_queue_push_tail_link(&flows->idle[0], &entry->flow.link);
    return g_steal_pointer(&entry);
}

const RnUdpFlow *rn_udp_flows_enter(RnUdpFlows *flows,
                                    const RnUdpOrigin *origin,
                                    const RnEndpoint *target, int64_t now_ms)
{
    OriginKey key = { .origin = *origin, .seed = flows->seed };
    Entry *entry = g_hash_table_lookup(flows->by_origin, &key);

    if (entry == NULL)
        entry = add_entry(flows, &key, target, now_ms);
    else
        touch_entry(flows, entry, false, now_ms);
    return entry != NULL ? &entry->flow : NULL;
}

const RnUdpFlow *rn_udp_flows_answer(RnUdpFlows *flows, const RnEndpoint *guest,
                                     const RnEndpoint *shown, int64_t now_ms)
{
    ShownKey key = make_shown_key(flows, guest, shown);
    Entry *entry = g_hash_table_lookup(flows->by_shown, &key);

    if (entry == NULL)
        return NULL;
    touch_entry(flows, entry, true, now_ms);
    return &entry->flow;
}

void rn_udp_flows_expire(RnUdpFlows *flows, int64_t now_ms)
{
    for (unsigned i = 0; i < 2; i++) {
        Entry *entry = NULL;

        while ((entry = g_queue_peek_head(&flows->idle[i])) != NULL &&
               now_ms - entry->flow.last_ms >= idle_ms[i])
            remove_entry(flows, entry);
    }
}

void rn_udp_flows_remove(RnUdpFlows *flows, uint32_t listener)
{
    for (unsigned i = 0; i < 2; i++) {
        GList *next = NULL;

        for (GList *link = flows->idle[i].head; link != NULL; link = next) {
            Entry *entry = link->data;

            next = link->next;
            if (entry->flow.origin.listener == listener)
                remove_entry(flows, entry);
        }
    }
}

int64_t rn_udp_flows_next_expiry_ms(const RnUdpFlows *flows)
{
    int64_t next_ms = -1;

    for (unsigned i = 0; i < 2; i++) {
        const Entry *entry = NULL;
        int64_t due_ms = 0;

        if (flows->idle[i].head == NULL)
            continue;
        entry = flows->idle[i].head->data;
        due_ms = entry->flow.last_ms + idle_ms[i];
        if (next_ms < 0 || due_ms < next_ms)
            next_ms = due_ms;
    }
    return next_ms;
}

unsigned rn_udp_flows_count(const RnUdpFlows *flows)
{
    return g_hash_table_size(flows->by_origin);
}
