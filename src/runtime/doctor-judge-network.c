/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor-judge-network - verdicts on the link, the handoff and low ports
 *
 * Runs in `rnet doctor`. Pure, see doctor-judge.c. A TAP and a packet link
 * stand in for each other, so a verdict on one looks at the other.
 */
#include "config.h"

#include <rnet/runtime/doctor-judge.h>

#include <errno.h>

enum {
    WANTED_QUEUE = 4 << 20, /* bytes; twice that is some 100 frames of 64 KiB */
    HTTP_PORT = 80,
    USUAL_PORT_START = 1024,
};

static const char no_link[] =
    "containers with a network of their own (--network slirp)";

static bool works(const RnDoctorFacts *facts, RnTrialKind kind)
{
    return facts->trials[kind].outcome == RN_TRIAL_WORKS;
}

/* True if the trial could not be made. */
static bool is_untried(const RnDoctorFacts *facts, RnTrialKind kind,
                       RnDoctorCheck *check)
{
    if (facts->trials[kind].outcome != RN_TRIAL_UNTRIED)
        return false;
    rn_check_set(check, RN_DOCTOR_UNTRIED, "not tried without user-namespaces");
    return true;
}

void rn_judge_tun(const RnDoctorFacts *facts, RnDoctorCheck *check)
{
    bool packet = works(facts, RN_TRIAL_VETH);

    if (is_untried(facts, RN_TRIAL_TUN, check))
        return;
    if (works(facts, RN_TRIAL_TUN)) {
        rn_check_set(check, RN_DOCTOR_FINE, "made a TAP with /dev/net/tun");
        return;
    }
    rn_check_take(check, packet ? RN_DOCTOR_DEGRADED : RN_DOCTOR_MISSING,
                  &facts->trials[RN_TRIAL_TUN],
                  packet ? "a packet link takes its place: UDP is slower, and "
                           "much of it at once loses some"
                         : no_link,
                  RN_WHO_ROOT);
    /* the hint has the remedies of both; in a container only one helps */
    if (facts->container != NULL &&
        facts->trials[RN_TRIAL_TUN].errno_value != EACCES)
        rn_check_mend(check, check->loss, RN_WHO_OUTSIDE,
                      "start the outer container with --device /dev/net/tun");
}

void rn_judge_packet_link(const RnDoctorFacts *facts, RnDoctorCheck *check)
{
    const RnTrialResult *result = &facts->trials[RN_TRIAL_VETH];

    if (is_untried(facts, RN_TRIAL_VETH, check))
        return;
    if (works(facts, RN_TRIAL_VETH))
        rn_check_set(check, RN_DOCTOR_FINE, "made a veth pair and its socket");
    else if (works(facts, RN_TRIAL_TUN))
        rn_check_set(check, RN_DOCTOR_FINE, "not needed with /dev/net/tun (%s)",
                     result->text);
    else
        rn_check_take(check, RN_DOCTOR_MISSING, result, no_link, RN_WHO_ROOT);
}

/* SO_RCVBUFFORCE gets past it, with the host's CAP_NET_ADMIN. */
void rn_judge_packet_queue(const RnDoctorFacts *facts, RnDoctorCheck *check)
{
    int64_t value = facts->sysctls[RN_SYSCTL_RMEM_MAX];
    const char *name = rn_doctor_sysctl_name(RN_SYSCTL_RMEM_MAX);

    if (value >= WANTED_QUEUE || (facts->privileged && !facts->in_userns)) {
        rn_check_set(check, RN_DOCTOR_FINE,
                     "large enough for a packet link's frames");
        return;
    }
    if (value < 0) { /* a network namespace does not show it */
        rn_check_set(check, RN_DOCTOR_FINE, "not known");
        return;
    }
    rn_check_set(check, RN_DOCTOR_FINE,
                 "%s is %" G_GINT64_FORMAT ", which matters without "
                 "/dev/net/tun",
                 name, value);
    if (works(facts, RN_TRIAL_TUN) || !works(facts, RN_TRIAL_VETH))
        return;
    rn_check_set(check, RN_DOCTOR_DEGRADED, "%s is %" G_GINT64_FORMAT, name,
                 value);
    rn_check_mend(check, "much UDP at once loses frames on a packet link",
                  RN_WHO_ROOT, "sysctl -w %s=%d", name, WANTED_QUEUE);
}

void rn_judge_handoff(const RnDoctorFacts *facts, RnDoctorCheck *check)
{
    if (is_untried(facts, RN_TRIAL_HANDOFF, check))
        return;
    if (works(facts, RN_TRIAL_HANDOFF)) {
        rn_check_set(check, RN_DOCTOR_FINE,
                     "configured a network with outbound TCP in the kernel");
        return;
    }
    if (!works(facts, RN_TRIAL_TUN) && !works(facts, RN_TRIAL_VETH)) {
        rn_check_set(check, RN_DOCTOR_UNTRIED,
                     "not tried without tun or packet-link");
        return;
    }
    rn_check_take(check, RN_DOCTOR_DEGRADED, &facts->trials[RN_TRIAL_HANDOFF],
                  "outbound TCP goes through libslirp: slower", RN_WHO_ROOT);
}

/* Parameters of a network namespace: inside a user namespace /proc/sys is
 * seldom writable, and who makes the namespace can set them from the start. */
static void mend_by_sysctl(const RnDoctorFacts *facts, const char *loss,
                           const char *setting, RnDoctorCheck *check)
{
    if (facts->in_userns)
        rn_check_mend(check, loss, RN_WHO_OUTSIDE,
                      "start the outer container with --sysctl \"%s\"",
                      setting);
    else
        rn_check_mend(check, loss, RN_WHO_ROOT, "sysctl -w \"%s\"", setting);
}

void rn_judge_ping(const RnDoctorFacts *facts, RnDoctorCheck *check)
{
    const RnTrialResult *result = &facts->trials[RN_TRIAL_PING];
    g_autofree char *setting = NULL;

    if (is_untried(facts, RN_TRIAL_PING, check))
        return;
    if (result->outcome == RN_TRIAL_WORKS) {
        rn_check_set(check, RN_DOCTOR_FINE, "opened a ping socket");
        return;
    }
    rn_check_set(check, RN_DOCTOR_DEGRADED, "%s", result->text);
    /* both ends have to be mapped */
    setting = facts->in_userns
                  ? g_strdup_printf("net.ipv4.ping_group_range=%u %u",
                                    facts->gid, facts->gid)
                  : g_strdup("net.ipv4.ping_group_range=0 2147483647");
    mend_by_sysctl(facts, "ping from a container to the outside", setting,
                   check);
}

void rn_judge_low_ports(const RnDoctorFacts *facts, RnDoctorCheck *check)
{
    const RnTrialResult *result = &facts->trials[RN_TRIAL_LOW_PORT];
    int64_t start = facts->sysctls[RN_SYSCTL_PORT_START];
    g_autofree char *setting = NULL;

    if (is_untried(facts, RN_TRIAL_LOW_PORT, check))
        return;
    if (result->outcome == RN_TRIAL_WORKS) {
        rn_check_set(check, RN_DOCTOR_FINE,
                     "port %d can be published on the host", HTTP_PORT);
        return;
    }
    if (result->outcome == RN_TRIAL_FAILS && result->errno_value == EACCES)
        rn_check_set(check, RN_DOCTOR_DEGRADED,
                     "ports below %" G_GINT64_FORMAT " are closed to this user",
                     start < 0 ? USUAL_PORT_START : start);
    else
        rn_check_set(check, RN_DOCTOR_DEGRADED, "%s", result->text);
    setting = g_strdup_printf(
        "%s=%d", rn_doctor_sysctl_name(RN_SYSCTL_PORT_START), HTTP_PORT);
    mend_by_sysctl(
        facts, "publishing ports such as 80 and 443 under their own numbers",
        setting, check);
}
