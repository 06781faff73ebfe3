# SPDX-License-Identifier: GPL-2.0-or-later
unit_tests += tests/unit/test-plan
tests_unit_test_plan_SOURCES = tests/unit/test-plan.c
tests_unit_test_plan_LDADD = $(RUNTIME_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-program
tests_unit_test_program_SOURCES = tests/unit/test-program.c
tests_unit_test_program_LDADD = $(RUNTIME_LIBS) $(CMOCKA_LIBS)

