# SPDX-License-Identifier: GPL-2.0-or-later
unit_tests += tests/unit/test-loop
tests_unit_test_loop_SOURCES = tests/unit/test-loop.c
tests_unit_test_loop_LDADD = $(SYS_LIBS) $(CMOCKA_LIBS)

