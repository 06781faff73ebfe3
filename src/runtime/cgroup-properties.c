/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup-properties - what systemd is told about a container's scope
 *
 * Runs in the launcher and in `update`, on data only. Annotations are the
 * bundle's and hostile: bounded, and none that would put other processes into
 * the scope or the scope elsewhere.
 */
#include "config.h"

#include <rnet/runtime/cgroup-properties.h>

#include <string.h>

#include <rnet/runtime/cgroup-setting.h>

#define ANNOTATION "org.systemd.property."

enum {
    CPU_MAX = 8191,         /* CONFIG_NR_CPUS, at most */
    ANNOTATION_MAX = 4096,  /* bytes of one value */
    ANNOTATIONS_MAX = 64,   /* that are properties */
    QUOTA_GRAIN = 10000,    /* systemd rounds to 1 % of a CPU, down */
    PERIOD_DEFAULT = 100000 /* cpu.max */
};

typedef GVariant *(*ConvertFunc)(const char *value);

/* A size, a weight or a number; "max" is the greatest; NULL: neither. */
static GVariant *convert_number(const char *value)
{
    guint64 number = G_MAXUINT64;

    if (strcmp(value, "max") != 0 &&
        !g_ascii_string_to_unsigned(value, 10, 0, G_MAXUINT64, &number, NULL))
        return NULL;
    return g_variant_new_uint64(number);
}

/* "default 100" of io.weight. */
static GVariant *convert_weight(const char *value)
{
    return g_str_has_prefix(value, "default ")
               ? convert_number(value + strlen("default "))
               : NULL;
}

static bool read_range(const char *text, guint64 *out_first, guint64 *out_last)
{
    g_auto(GStrv) ends = g_strsplit(text, "-", 2);

    if (ends[0] == NULL ||
        !g_ascii_string_to_unsigned(g_strstrip(ends[0]), 10, 0, CPU_MAX,
                                    out_first, NULL))
        return false;
    *out_last = *out_first;
    return ends[1] == NULL ||
           g_ascii_string_to_unsigned(g_strstrip(ends[1]), 10, *out_first,
                                      CPU_MAX, out_last, NULL);
}

GVariant *rn_cgroup_cpus_to_bits(const char *list)
{
    g_auto(GStrv) ranges = g_strsplit(list, ",", -1);
    guint8 bits[(CPU_MAX + 1) / 8] = { 0 };
    gsize length = 0;

    for (char **range = ranges; *range != NULL; range++) {
        guint64 first = 0;
        guint64 last = 0;

        if (!read_range(*range, &first, &last))
            return NULL;
        for (guint64 cpu = first; cpu <= last; cpu++)
            bits[cpu / 8] |= (guint8)(1U << (cpu % 8));
        length = MAX(length, last / 8 + 1);
    }
    return g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, bits, length, 1);
}

/* Where a setting's value is the property's. */
static const struct {
    const char *file, *property;
    ConvertFunc convert;
} simple[] = {
    { "memory.max", "MemoryMax", convert_number },
    { "memory.high", "MemoryHigh", convert_number },
    { "memory.low", "MemoryLow", convert_number },
    { "memory.min", "MemoryMin", convert_number },
    { "memory.swap.max", "MemorySwapMax", convert_number },
    { "cpu.weight", "CPUWeight", convert_number },
    { "pids.max", "TasksMax", convert_number },
    { "cpuset.cpus", "AllowedCPUs", rn_cgroup_cpus_to_bits },
    { "cpuset.mems", "AllowedMemoryNodes", rn_cgroup_cpus_to_bits },
    { "io.weight", "IOWeight", convert_weight },
};

static void add(GVariantBuilder *builder, const char *name, GVariant *value)
{
    if (value != NULL)
        g_variant_builder_add(builder, "(sv)", name, value);
}

/* cpu.max, "QUOTA [PERIOD]", with the period that is in force, -1: none. */
static void add_quota(GVariantBuilder *builder, const char *value,
                      int64_t present_period)
{
    g_auto(GStrv) words = g_strsplit(value, " ", 2);
    guint64 period =
        present_period > 0 ? (guint64)present_period : PERIOD_DEFAULT;
    guint64 quota = 0;
    guint64 rate = G_MAXUINT64; /* microseconds in a second: no limit */

    if (words[0] == NULL ||
        (words[1] != NULL &&
         !g_ascii_string_to_unsigned(words[1], 10, 1, G_MAXINT, &period, NULL)))
        return;
    if (g_ascii_string_to_unsigned(words[0], 10, 1, G_MAXINT, &quota, NULL)) {
        rate = quota * G_USEC_PER_SEC / period;
        rate = (rate + QUOTA_GRAIN - 1) / QUOTA_GRAIN * QUOTA_GRAIN;
    } else if (strcmp(words[0], "max") != 0) {
        return;
    }
    if (words[1] != NULL)
        add(builder, "CPUQuotaPeriodUSec", g_variant_new_uint64(period));
    add(builder, "CPUQuotaPerSecUSec", g_variant_new_uint64(rate));
}

static void add_setting(GVariantBuilder *builder,
                        const RnCgroupSetting *setting,
                        const RnCgroupPresent *present)
{
    bool other = setting->other_file != NULL &&
                 strcmp(setting->other_file, "io.weight") == 0;
    const char *file = other ? setting->other_file : setting->file;
    const char *value = other ? setting->other_value : setting->value;

    if (file == NULL)
        return; /* the error comes when it is to be written */
    if (strcmp(file, "cpu.max") == 0)
        add_quota(builder, value, present->period);
    for (unsigned i = 0; i < G_N_ELEMENTS(simple); i++) {
        if (strcmp(simple[i].file, file) == 0)
            add(builder, simple[i].property, simple[i].convert(value));
    }
}

static void add_limits(GVariantBuilder *builder, const RnResources *resources,
                       const RnCgroupPresent *present)
{
    g_autoptr(GPtrArray) settings = rn_cgroup_settings_v2(resources, present);

    for (unsigned i = 0; i < settings->len; i++)
        add_setting(builder, g_ptr_array_index(settings, i), present);
}

GVariant *rn_cgroup_limit_properties(const RnResources *resources,
                                     const RnCgroupPresent *present)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("a(sv)"));
    add_limits(&builder, resources, present);
    return g_variant_builder_end(&builder);
}

static bool is_property_name(const char *name)
{
    static const char *const ours[] = { "Controller", "Delegate", "PIDs",
                                        "Slice", NULL };
    gsize length = strspn(name, G_CSET_a_2_z G_CSET_A_2_Z);

    return length > 0 && name[length] == '\0' && g_ascii_isupper(name[0]) &&
           !g_strv_contains(ours, name);
}

/* Seconds in whichever type they were written, as microseconds; NULL: none. */
static GVariant *convert_seconds(GVariant *value)
{
    g_autofree char *text = g_variant_print(value, FALSE);
    char *stop = NULL;
    double seconds = g_ascii_strtod(text, &stop);

    if (stop == text || *stop != '\0' || seconds < 0 || seconds > 1e12)
        return NULL;
    return g_variant_new_uint64((guint64)(seconds * G_USEC_PER_SEC));
}

static bool add_annotation(GVariantBuilder *builder, const char *name,
                           const char *text, GError **error)
{
    g_autoptr(GVariant) value = NULL;
    GVariant *seconds = NULL;
    g_autofree char *renamed = NULL;

    if (!is_property_name(name))
        return rn_set_error(error, RN_ERROR_INVALID, "not for a bundle to set");
    if (strlen(text) > ANNOTATION_MAX)
        return rn_set_error(error, RN_ERROR_LIMIT, "more than %d bytes",
                            ANNOTATION_MAX);
    value = g_variant_parse(NULL, text, NULL, NULL, NULL);
    if (value == NULL)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "not a value in GVariant's text form");
    if (!g_str_has_suffix(name, "Sec") || g_str_has_suffix(name, "USec")) {
        add(builder, name, value);
        return true;
    }
    seconds = convert_seconds(value);
    if (seconds == NULL)
        return rn_set_error(error, RN_ERROR_INVALID, "not a number of seconds");
    renamed =
        g_strdup_printf("%.*sUSec", (int)(strlen(name) - strlen("Sec")), name);
    add(builder, renamed, seconds);
    return true;
}

static bool add_annotations(GVariantBuilder *builder, GHashTable *annotations,
                            GError **error)
{
    GHashTableIter iterator;
    gpointer key = NULL;
    gpointer value = NULL;
    unsigned count = 0;

    if (annotations == NULL)
        return true;
    g_hash_table_iter_init(&iterator, annotations);
    while (g_hash_table_iter_next(&iterator, &key, &value)) {
        if (!g_str_has_prefix(key, ANNOTATION))
            continue;
        if (count++ >= ANNOTATIONS_MAX)
            return rn_set_error(error, RN_ERROR_LIMIT,
                                "more than %d annotations \"" ANNOTATION
                                "...\"",
                                ANNOTATIONS_MAX);
        if (!add_annotation(builder, (char *)key + strlen(ANNOTATION), value,
                            error)) {
            g_prefix_error(error, "annotations[\"%.256s\"]: ", (char *)key);
            return false;
        }
    }
    return true;
}

GVariant *rn_cgroup_scope_properties(const char *id, const char *slice,
                                     pid_t pid, const RnResources *resources,
                                     GHashTable *annotations, GError **error)
{
    static const char *const accounting[] = { "CPUAccounting", "IOAccounting",
                                              "MemoryAccounting",
                                              "TasksAccounting" };
    const RnCgroupPresent none = RN_CGROUP_PRESENT_NONE;
    g_autofree char *description = g_strdup_printf("rnet container %s", id);
    guint32 pids[] = { (guint32)pid };
    g_auto(GVariantBuilder) builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("a(sv)"));
    add(&builder, "Description", g_variant_new_string(description));
    add(&builder, "Slice", g_variant_new_string(slice));
    add(&builder, "PIDs",
        g_variant_new_fixed_array(G_VARIANT_TYPE_UINT32, pids, 1,
                                  sizeof pids[0]));
    add(&builder, "Delegate", g_variant_new_boolean(TRUE));
    add(&builder, "DefaultDependencies", g_variant_new_boolean(FALSE));
    /* a scope that failed is not to stand in the way of the next */
    add(&builder, "CollectMode", g_variant_new_string("inactive-or-failed"));
    for (unsigned i = 0; i < G_N_ELEMENTS(accounting); i++)
        add(&builder, accounting[i], g_variant_new_boolean(TRUE));
    add_limits(&builder, resources, &none);
    if (!add_annotations(&builder, annotations, error))
        return NULL;
    return g_variant_builder_end(&builder);
}
