/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor: the verdicts on network and cgroups, on made-up facts
 */
#include "config.h"

#include <errno.h>

#include "doctor-host.h"

static void closed_tun(RnDoctorFacts *facts)
{
    doctor_fail_trial(facts, RN_TRIAL_TUN, EACCES, "open \"/dev/net/tun\"",
                      "open it to users with \"sudo chmod 0666 /dev/net/tun\"");
    facts->sysctls[RN_SYSCTL_RMEM_MAX] = 212992;
}

static void closed_tun_in_container(RnDoctorFacts *facts)
{
    facts->container = g_strdup("docker");
    doctor_fail_trial(facts, RN_TRIAL_TUN, ENOENT, "open \"/dev/net/tun\"",
                      "load it with \"sudo modprobe tun\"; or");
}

static void no_link(RnDoctorFacts *facts)
{
    closed_tun(facts);
    doctor_fail_trial(facts, RN_TRIAL_VETH, EOPNOTSUPP, "create a veth pair",
                      "load it with \"sudo modprobe veth\"");
    doctor_fail_trial(facts, RN_TRIAL_HANDOFF, EACCES, "no link", NULL);
}

static void no_veth(RnDoctorFacts *facts)
{
    doctor_fail_trial(facts, RN_TRIAL_VETH, EOPNOTSUPP, "create a veth pair",
                      NULL);
}

static void small_queue(RnDoctorFacts *facts)
{
    facts->sysctls[RN_SYSCTL_RMEM_MAX] = 212992;
}

static void no_nf_tables(RnDoctorFacts *facts)
{
    doctor_fail_trial(facts, RN_TRIAL_NF_TABLES, EPROTONOSUPPORT,
                      "nf_tables: no", "root can load it: modprobe nf_tables");
    doctor_fail_trial(facts, RN_TRIAL_HANDOFF, EPROTONOSUPPORT,
                      "TCP handoff: no",
                      "root can load it: modprobe nf_tables");
}

static void no_transparent(RnDoctorFacts *facts)
{
    doctor_fail_trial(facts, RN_TRIAL_TRANSPARENT, EPERM, "make a", NULL);
}

static void read_only_sysctls(RnDoctorFacts *facts)
{
    doctor_fail_trial(facts, RN_TRIAL_HANDOFF, EROFS, "TCP handoff: read-only",
                      "a container around rnet has /proc/sys read-only");
}

static void no_ping(RnDoctorFacts *facts)
{
    doctor_fail_trial(facts, RN_TRIAL_PING, EACCES, "open a ping socket", NULL);
}

static void no_ping_in_userns(RnDoctorFacts *facts)
{
    no_ping(facts);
    facts->in_userns = true;
}

static void no_low_port(RnDoctorFacts *facts)
{
    doctor_fail_trial(facts, RN_TRIAL_LOW_PORT, EACCES, "bind to port 80",
                      NULL);
}
static void no_cgroup(RnDoctorFacts *facts)
{
    facts->cgroup.layout = RN_LAYOUT_NONE;
}

static void refuse_cgroup(RnDoctorFacts *facts, int errno_value)
{
    doctor_fail_trial(facts, RN_TRIAL_CGROUP, errno_value,
                      "make a cgroup: refused", NULL);
}

static void systemd_cgroup(RnDoctorFacts *facts)
{
    refuse_cgroup(facts, EACCES);
}

static void systemd_cgroup_partly(RnDoctorFacts *facts)
{
    systemd_cgroup(facts);
    doctor_set_text(&facts->cgroup.delegated, "memory pids");
}

static void no_bus(RnDoctorFacts *facts)
{
    systemd_cgroup(facts);
    doctor_fail_trial(facts, RN_TRIAL_BUS, ENOENT, "connect to the bus", NULL);
}

static void no_bus_address(RnDoctorFacts *facts)
{
    facts->trials[RN_TRIAL_BUS].outcome = RN_TRIAL_UNTRIED;
}

static void no_manager(RnDoctorFacts *facts)
{
    systemd_cgroup(facts);
    doctor_set_text(&facts->cgroup.delegated, NULL);
}

static void no_systemd(RnDoctorFacts *facts)
{
    no_manager(facts);
    facts->systemd_booted = false;
}

static void direct_partly(RnDoctorFacts *facts)
{
    doctor_set_text(&facts->cgroup.controllers, "cpu pids");
}

static void cgroup_v1(RnDoctorFacts *facts)
{
    refuse_cgroup(facts, EACCES);
    facts->cgroup.layout = RN_LAYOUT_V1;
    doctor_set_text(&facts->cgroup.delegated, NULL);
}

static void cgroup_v1_as_root(RnDoctorFacts *facts)
{
    facts->uid = 0;
    facts->privileged = true;
    facts->cgroup.layout = RN_LAYOUT_V1;
}

static void read_only_cgroup(RnDoctorFacts *facts)
{
    cgroup_v1(facts);
    refuse_cgroup(facts, EROFS);
    facts->container = g_strdup("docker");
}

static void cgroup_elsewhere(RnDoctorFacts *facts)
{
    no_manager(facts);
    doctor_set_text(&facts->cgroup.own, NULL);
    rn_trial_result_clear(&facts->trials[RN_TRIAL_CGROUP]);
    facts->trials[RN_TRIAL_CGROUP].outcome = RN_TRIAL_UNTRIED;
}

static const DoctorCase cases[] = {
    { closed_tun, "tun", RN_DOCTOR_DEGRADED, RN_WHO_ROOT, "/dev/net/tun",
      "chmod 0666" },
    { closed_tun, "packet-queue", RN_DOCTOR_DEGRADED, RN_WHO_ROOT, "212992",
      "sysctl -w net.core.rmem_max=4194304" },
    { closed_tun_in_container, "tun", RN_DOCTOR_DEGRADED, RN_WHO_OUTSIDE,
      "/dev/net/tun", "--device /dev/net/tun" },
    { small_queue, "packet-queue", RN_DOCTOR_FINE, RN_WHO_NOBODY, "212992",
      NULL },
    { no_link, "tun", RN_DOCTOR_MISSING, RN_WHO_ROOT, "/dev/net/tun",
      "chmod 0666" },
    { no_link, "packet-link", RN_DOCTOR_MISSING, RN_WHO_ROOT, "veth",
      "modprobe veth" },
    { no_link, "tcp-handoff", RN_DOCTOR_UNTRIED, RN_WHO_NOBODY, "packet-link",
      NULL },
    { no_veth, "packet-link", RN_DOCTOR_FINE, RN_WHO_NOBODY, "not needed",
      NULL },
    { no_nf_tables, "nf-tables", RN_DOCTOR_DEGRADED, RN_WHO_ROOT, "nf_tables",
      "modprobe nf_tables" },
    { no_nf_tables, "tcp-handoff", RN_DOCTOR_DEGRADED, RN_WHO_ROOT, "handoff",
      "modprobe nf_tables" },
    { no_transparent, "transparent-sockets", RN_DOCTOR_DEGRADED, RN_WHO_ROOT,
      "make a", "unmodified" },
    { read_only_sysctls, "tcp-handoff", RN_DOCTOR_DEGRADED, RN_WHO_OUTSIDE,
      "read-only", "container around" },
    { no_ping, "ping", RN_DOCTOR_DEGRADED, RN_WHO_ROOT, "ping socket",
      "sysctl -w \"net.ipv4.ping_group_range=0 2147483647\"" },
    { no_ping_in_userns, "ping", RN_DOCTOR_DEGRADED, RN_WHO_OUTSIDE,
      "ping socket", "--sysctl \"net.ipv4.ping_group_range=1000 1000\"" },
    { no_low_port, "low-ports", RN_DOCTOR_DEGRADED, RN_WHO_ROOT, "below 1024",
      "sysctl -w \"net.ipv4.ip_unprivileged_port_start=80\"" },
    { no_cgroup, "cgroups", RN_DOCTOR_DEGRADED, RN_WHO_ROOT, "none",
      "mount -t cgroup2" },
    { direct_partly, "cgroups", RN_DOCTOR_DEGRADED, RN_WHO_ROOT,
      "controllers: memory", "Delegate=" },
    { systemd_cgroup, "cgroups", RN_DOCTOR_FINE, RN_WHO_NOBODY,
      "--systemd-cgroup): cpu memory pids", NULL },
    { systemd_cgroup_partly, "cgroups", RN_DOCTOR_DEGRADED, RN_WHO_ROOT,
      "not delegated: cpu", "Delegate=" },
    { no_bus, "cgroups", RN_DOCTOR_DEGRADED, RN_WHO_YOU, "not reached",
      "systemd" },
    { no_bus, "systemd", RN_DOCTOR_DEGRADED, RN_WHO_ROOT, "connect to the bus",
      "enable-linger web" },
    { no_bus_address, "systemd", RN_DOCTOR_DEGRADED, RN_WHO_ROOT,
      "XDG_RUNTIME_DIR", "dbus-user-session" },
    { no_manager, "cgroups", RN_DOCTOR_DEGRADED, RN_WHO_ROOT, "v2: make",
      "loginctl enable-linger web" },
    { no_systemd, "cgroups", RN_DOCTOR_DEGRADED, RN_WHO_ROOT, "v2: make",
      "chown" },
    { no_systemd, "systemd", RN_DOCTOR_DEGRADED, RN_WHO_YOU, "does not run",
      "cgroupfs" },
    { cgroup_v1, "cgroups", RN_DOCTOR_DEGRADED, RN_WHO_ROOT, "v1 or hybrid",
      "systemd.unified_cgroup_hierarchy=1" },
    { cgroup_v1_as_root, "cgroups", RN_DOCTOR_FINE, RN_WHO_NOBODY,
      "v1 or hybrid", NULL },
    { read_only_cgroup, "cgroups", RN_DOCTOR_DEGRADED, RN_WHO_OUTSIDE,
      "refused", "mounted writable" },
    { cgroup_elsewhere, "cgroups", RN_DOCTOR_DEGRADED, RN_WHO_ROOT, "out of",
      "enable-linger" },
};

static void judge_each_fact_its_verdict(void **state)
{
    (void)state;
    doctor_assert_cases(cases, G_N_ELEMENTS(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judge_each_fact_its_verdict),
    };

    return cmocka_run_group_tests_name("doctor-network", tests, NULL, NULL);
}
