/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * device-program - which devices the processes of a cgroup may use
 *
 * cgroup v2 has no files for that: bpf(2), BPF_PROG_TYPE_CGROUP_DEVICE. v1 has
 * devices.allow and devices.deny.
 */
#ifndef RNET_SYS_DEVICE_PROGRAM_H
#define RNET_SYS_DEVICE_PROGRAM_H

#include <linux/bpf.h>

#include <rnet/sys/resources.h>

/*
 * The program (GArray of struct bpf_insn) that carries the rules (GArray of
 * RnDeviceRule) out. Each access (read, write, mknod) is decided by the last
 * rule that covers the device and that access; what none covers is denied.
 */
GArray *rn_device_program_build(const GArray *rules) RN_CHECK;

/*
 * Loads it and attaches it to the cgroup (a v2 directory), in the place of the
 * one that an earlier call attached there. The caller needs CAP_BPF and
 * CAP_NET_ADMIN over the host: RN_ERRNO EPERM otherwise.
 */
bool rn_device_program_attach(const char *path, const GArray *program,
                              GError **error) RN_CHECK;

/*
 * A rule as v1 has it, "c 1:3 rwm", the caller's. A rule of type 'a' that is
 * not for all devices and all access has to be told as two, of 'c' and 'b'.
 */
char *rn_device_rule_format(const RnDeviceRule *rule) RN_CHECK;

/* True if it covers all devices and all access. */
bool rn_device_rule_is_total(const RnDeviceRule *rule);

#endif
