/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor-judge - one function a check; for rn_doctor_judge() alone
 *
 * Each is given a check that is fine and has nothing but its name, and sets the
 * rest.
 */
#ifndef RNET_RUNTIME_DOCTOR_JUDGE_H
#define RNET_RUNTIME_DOCTOR_JUDGE_H

#include <rnet/runtime/doctor.h>

typedef void (*RnJudge)(const RnDoctorFacts *facts, RnDoctorCheck *check);

/* Sets the state and the detail. */
void rn_check_set(RnDoctorCheck *check, RnDoctorState state, const char *format,
                  ...) G_GNUC_PRINTF(3, 4);

/* Sets the loss (kept, not copied) and who can mend it how. */
void rn_check_mend(RnDoctorCheck *check, const char *loss, RnDoctorWho who,
                   const char *format, ...) G_GNUC_PRINTF(4, 5);

/* What a trial that did not work leaves: its text, and its error's hint with
 * who that is for (`who` where the hint does not say). */
void rn_check_take(RnDoctorCheck *check, RnDoctorState state,
                   const RnTrialResult *result, const char *loss,
                   RnDoctorWho who);

void rn_judge_kernel(const RnDoctorFacts *facts, RnDoctorCheck *check);
void rn_judge_container(const RnDoctorFacts *facts, RnDoctorCheck *check);
void rn_judge_apparmor(const RnDoctorFacts *facts, RnDoctorCheck *check);
void rn_judge_limits(const RnDoctorFacts *facts, RnDoctorCheck *check);
void rn_judge_sub_uids(const RnDoctorFacts *facts, RnDoctorCheck *check);
void rn_judge_sub_gids(const RnDoctorFacts *facts, RnDoctorCheck *check);
void rn_judge_setgroups(const RnDoctorFacts *facts, RnDoctorCheck *check);
void rn_judge_privileges(const RnDoctorFacts *facts, RnDoctorCheck *check);
void rn_judge_runtime_dir(const RnDoctorFacts *facts, RnDoctorCheck *check);
void rn_judge_open_files(const RnDoctorFacts *facts, RnDoctorCheck *check);
void rn_judge_mount_limit(const RnDoctorFacts *facts, RnDoctorCheck *check);
void rn_judge_tun(const RnDoctorFacts *facts, RnDoctorCheck *check);
void rn_judge_packet_link(const RnDoctorFacts *facts, RnDoctorCheck *check);
void rn_judge_packet_queue(const RnDoctorFacts *facts, RnDoctorCheck *check);
void rn_judge_handoff(const RnDoctorFacts *facts, RnDoctorCheck *check);
void rn_judge_ping(const RnDoctorFacts *facts, RnDoctorCheck *check);
void rn_judge_low_ports(const RnDoctorFacts *facts, RnDoctorCheck *check);
void rn_judge_cgroups(const RnDoctorFacts *facts, RnDoctorCheck *check);
void rn_judge_systemd(const RnDoctorFacts *facts, RnDoctorCheck *check);

#endif
