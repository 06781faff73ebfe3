/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup-setting - what both versions' settings are made with
 *
 * Runs in the launcher and in `update`, on data only; it cannot fail.
 */
#include "config.h"

#include <rnet/runtime/cgroup-setting.h>

#include <string.h>

enum {
    SHARES_MIN = 2, /* v1's cpu.shares */
    SHARES_MAX = 262144,
    WEIGHT_MIN = 1, /* v2's cpu.weight and io.weight */
    WEIGHT_MAX = 10000,
    BLOCK_MIN = 10, /* v1's blkio.weight */
    BLOCK_MAX = 1000,
    LOG2_BITS = 48,      /* behind the point */
    EXP10_HALVINGS = 10, /* to below 0.01 for what has 4 or 5 digits */
    EXP10_TERMS = 8,
};

void rn_cgroup_setting_free(RnCgroupSetting *setting)
{
    if (setting == NULL)
        return;
    g_free(setting->limit);
    g_free(setting->controller);
    g_free(setting->file);
    g_free(setting->value);
    g_free(setting->other_value);
    g_free(setting);
}

RnCgroupSetting *rn_cgroup_setting_add(GPtrArray *settings, const char *limit,
                                       const char *controller, const char *file,
                                       const char *value)
{
    RnCgroupSetting *setting = g_new0(RnCgroupSetting, 1);

    setting->limit = g_strdup(limit);
    setting->controller = g_strdup(controller);
    setting->file = g_strdup(file);
    setting->value = g_strdup(value);
    g_ptr_array_add(settings, setting);
    return setting;
}

void rn_cgroup_setting_add_cpuset(GPtrArray *settings,
                                  const RnCpuResources *cpu)
{
    if (cpu->cpus != NULL && cpu->cpus[0] != '\0')
        (void)rn_cgroup_setting_add(settings, "cpu.cpus", "cpuset",
                                    "cpuset.cpus", cpu->cpus);
    if (cpu->mems != NULL && cpu->mems[0] != '\0')
        (void)rn_cgroup_setting_add(settings, "cpu.mems", "cpuset",
                                    "cpuset.mems", cpu->mems);
}

void rn_cgroup_setting_add_pids(GPtrArray *settings, const RnOptionalInt *limit)
{
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, limit->value);

    if (limit->given)
        rn_cgroup_setting_add(settings, "pids.limit", "pids", "pids.max",
                              limit->value > 0 ? text : "max")
            ->lifts = limit->value <= 0;
}

void rn_cgroup_setting_refuse(GPtrArray *settings, const char *limit,
                              const char *controller, const char *why)
{
    rn_cgroup_setting_add(settings, limit, controller, NULL, NULL)->refusal =
        why;
}

static void add_number(GPtrArray *settings, const RnCgroupNumber *number,
                       int64_t value)
{
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, value);
    RnCgroupSetting *setting = rn_cgroup_setting_add(
        settings, number->limit, number->controller, number->file,
        value < 0 && number->none != NULL ? number->none : text);

    setting->lifts = value < 0 || (value == 0 && number->zero_lifts);
    setting->other_file = number->other_file;
    if (number->other_file != NULL)
        setting->other_value = g_strdup(setting->value);
}

void rn_cgroup_setting_add_numbers(GPtrArray *settings,
                                   const RnResources *resources,
                                   const RnCgroupNumber *numbers,
                                   unsigned n_numbers)
{
    for (unsigned i = 0; i < n_numbers; i++) {
        const RnOptionalInt *given =
            G_STRUCT_MEMBER_P(resources, numbers[i].offset);

        if (given->given && (given->value != 0 || numbers[i].zero_counts))
            add_number(settings, &numbers[i], given->value);
    }
}

bool rn_cgroup_is_page_size(const char *text)
{
    gsize digits = strspn(text, "0123456789");

    return digits > 0 && strlen(text) == digits + 2 &&
           strchr("KMGT", text[digits]) != NULL && text[digits + 1] == 'B';
}

char *rn_cgroup_format_rdma(const RnRdmaLimit *limit)
{
    GString *text = g_string_new(limit->device);

    if (limit->handles.given)
        g_string_append_printf(text, " hca_handle=%" G_GINT64_FORMAT,
                               limit->handles.value);
    if (limit->objects.given)
        g_string_append_printf(text, " hca_object=%" G_GINT64_FORMAT,
                               limit->objects.value);
    return g_string_free(text, FALSE);
}

char *rn_cgroup_format_unified(const RnUnifiedValue *unified)
{
    g_autofree char *shown = g_strescape(unified->file, NULL);

    return g_strdup_printf("unified \"%.128s\"", shown);
}

/*
 * log2(3) and pow(3), for which alone every process of rnet would have libm in
 * memory. Bit by bit; value is at least 1.
 */
static double find_log2(double value)
{
    double result = 0;
    double bit = 1;

    for (; value >= 2; value /= 2)
        result += 1;
    for (unsigned i = 0; i < LOG2_BITS; i++) {
        value *= value;
        bit /= 2;
        if (value >= 2) {
            value /= 2;
            result += bit;
        }
    }
    return result;
}

/* 10 to the power: e's series for a small part of it, squared. */
static double find_exp10(double power)
{
    double small = power * G_LN10 / (1 << EXP10_HALVINGS);
    double result = 1;

    for (unsigned i = EXP10_TERMS; i > 0; i--)
        result = 1 + result * small / i;
    for (unsigned i = 0; i < EXP10_HALVINGS; i++)
        result *= result;
    return result;
}

uint64_t rn_cgroup_weight_from_shares(int64_t shares)
{
    double power = 0;
    double weight = 0;
    uint64_t whole = 0;

    if (shares <= SHARES_MIN)
        return WEIGHT_MIN;
    if (shares >= SHARES_MAX)
        return WEIGHT_MAX;
    /* a parabola through (2, 1), (1024, 100) and (262144, 10000), both axes
     * logarithmic; rounded up, but for what is an error of the calculation */
    power = find_log2((double)shares);
    weight = find_exp10((power * power + 125 * power) / 612.0 - 7.0 / 34.0);
    whole = (uint64_t)weight;
    return weight - (double)whole > 1e-8 ? whole + 1 : whole;
}

uint64_t rn_cgroup_weight_from_block(int64_t weight)
{
    int64_t bounded = CLAMP(weight, BLOCK_MIN, BLOCK_MAX);

    return (uint64_t)(WEIGHT_MIN + (bounded - BLOCK_MIN) *
                                       (WEIGHT_MAX - WEIGHT_MIN) /
                                       (BLOCK_MAX - BLOCK_MIN));
}

bool rn_cgroup_swap_alone(int64_t both, int64_t memory, int64_t *out_swap)
{
    if (both >= 0 && (memory < 0 || both < memory))
        return false;
    *out_swap = both < 0 ? -1 : both - memory;
    return true;
}
