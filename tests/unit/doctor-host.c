/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor-host - see doctor-host.h
 */
#include "config.h"

#include "doctor-host.h"

enum {
    TABLE_COLUMNS = 80
};

void doctor_make_facts(RnDoctorFacts *facts)
{
    *facts = (RnDoctorFacts){
        .uid = 1000,
        .gid = 1000,
        .user = g_strdup("web"),
        .systemd_booted = true,
        .release = g_strdup("6.1.0-18-amd64"),
        .executable = g_strdup("/usr/bin/rnet"),
        .own_ids = { UINT32_MAX, UINT32_MAX },
        .sub_ids = { 65536, 65536 },
        .first_free = { 300000, 400000 },
        .nofile_hard = 524288,
        .runtime_dir = { .path = g_strdup("/run/user/1000"),
                         .is_directory = true,
                         .owner = 1000,
                         .mode = 0700 },
        .cgroup = { .layout = RN_LAYOUT_V2,
                    .own = g_strdup("/sys/fs/cgroup/user.slice/own"),
                    .mount = g_strdup("/sys/fs/cgroup"),
                    .controllers = g_strdup("cpuset cpu io memory pids"),
                    .delegated = g_strdup("cpu memory pids") },
    };
    for (RnDoctorSysctl i = 0; i < RN_SYSCTL_N_; i++)
        facts->sysctls[i] = 5000000;
    facts->sysctls[RN_SYSCTL_APPARMOR_USERNS] = -1;
    facts->sysctls[RN_SYSCTL_PORT_START] = 1024;
    for (RnTrialKind i = 0; i < RN_TRIAL_N_; i++)
        facts->trials[i].outcome = RN_TRIAL_WORKS;
}

void doctor_fail_trial(RnDoctorFacts *facts, RnTrialKind kind, int errno_value,
                       const char *text, const char *hint)
{
    RnTrialResult *result = &facts->trials[kind];

    rn_trial_result_clear(result);
    *result = (RnTrialResult){
        .outcome = RN_TRIAL_FAILS,
        .errno_value = errno_value,
        .text = g_strdup(text),
        .hint = g_strdup(hint),
    };
}

void doctor_set_text(char **target, const char *text)
{
    g_free(*target);
    *target = g_strdup(text);
}

const RnDoctorCheck *doctor_find_check(const GPtrArray *checks,
                                       const char *name)
{
    for (guint i = 0; i < checks->len; i++) {
        const RnDoctorCheck *check = g_ptr_array_index(checks, i);

        if (strcmp(check->name, name) == 0)
            return check;
    }
    fail_msg("there is no check \"%s\"", name);
    return NULL;
}

void doctor_assert_whole(const GPtrArray *checks)
{
    for (guint i = 0; i < checks->len; i++) {
        const RnDoctorCheck *check = g_ptr_array_index(checks, i);
        bool is_bad = check->state >= RN_DOCTOR_DEGRADED;

        assert_non_null(check->detail);
        assert_null(strstr(check->detail, "(null)"));
        assert_true(check->state <= rn_doctor_state(checks));
        if (!is_bad && (check->loss != NULL || check->remedy != NULL))
            fail_msg("%s is not bad, but has a loss or remedy", check->name);
        if ((check->remedy == NULL) != (check->who == RN_WHO_NOBODY))
            fail_msg("%s: remedy for nobody, or none for somebody",
                     check->name);
    }
}

/* No line of the table is wider than a terminal. */
static void assert_fits(const GPtrArray *checks)
{
    g_autofree char *table = rn_doctor_format(checks);
    g_auto(GStrv) lines = g_strsplit(table, "\n", -1);

    for (char **line = lines; *line != NULL; line++) {
        if (strlen(*line) > TABLE_COLUMNS)
            fail_msg("%zu columns: %s", strlen(*line), *line);
    }
}

static bool has_part(const char *text, const char *part)
{
    if (text == NULL || part == NULL)
        return text == part;
    return strstr(text, part) != NULL;
}

void doctor_assert_cases(const DoctorCase *cases, gsize count)
{
    for (gsize i = 0; i < count; i++) {
        g_auto(RnDoctorFacts) facts = { 0 };
        g_autoptr(GPtrArray) checks = NULL;
        const RnDoctorCheck *check = NULL;

        doctor_make_facts(&facts);
        cases[i].change(&facts);
        checks = rn_doctor_judge(&facts);
        doctor_assert_whole(checks);
        assert_fits(checks);
        check = doctor_find_check(checks, cases[i].check);
        if (check->state != cases[i].state || check->who != cases[i].who ||
            !has_part(check->detail, cases[i].detail) ||
            !has_part(check->remedy, cases[i].remedy))
            fail_msg("case %zu, %s: state %d, who %d, \"%s\", remedy \"%s\"", i,
                     check->name, check->state, check->who, check->detail,
                     check->remedy);
    }
}
