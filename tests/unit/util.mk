# SPDX-License-Identifier: GPL-2.0-or-later
unit_tests += tests/unit/test-error
tests_unit_test_error_SOURCES = tests/unit/test-error.c
tests_unit_test_error_LDADD = $(UTIL_LIBS) $(CMOCKA_LIBS)

