/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor-host - made-up facts of a host for the tests of doctor's verdicts
 */
#ifndef RNET_TESTS_UNIT_DOCTOR_HOST_H
#define RNET_TESTS_UNIT_DOCTOR_HOST_H

#include <unit.h>

#include <rnet/runtime/doctor-trial.h>

/* A host that has everything, seen by the ordinary user "web", 1000. */
void doctor_make_facts(RnDoctorFacts *facts);

/* Makes a trial one that failed; `hint` may be NULL. */
void doctor_fail_trial(RnDoctorFacts *facts, RnTrialKind kind, int errno_value,
                       const char *text, const char *hint);

/* Replaces a text of the facts. */
void doctor_set_text(char **target, const char *text);

/* The check of that name; fails the test if there is none. */
const RnDoctorCheck *doctor_find_check(const GPtrArray *checks,
                                       const char *name);

/* What holds for every list: details, losses and remedies go with states. */
void doctor_assert_whole(const GPtrArray *checks);

/* One change of the facts, and the verdict that has to follow. */
typedef struct DoctorCase {
    void (*change)(RnDoctorFacts *facts);
    const char *check;
    RnDoctorState state;
    RnDoctorWho who;
    const char *detail; /* a part of it */
    const char *remedy; /* a part of it; NULL: none */
} DoctorCase;

void doctor_assert_cases(const DoctorCase *cases, gsize count);

#endif
