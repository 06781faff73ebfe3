# SPDX-License-Identifier: GPL-2.0-or-later

unit_tests += tests/unit/test-options
tests_unit_test_options_SOURCES = tests/unit/test-options.c
tests_unit_test_options_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)

