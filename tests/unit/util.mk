# SPDX-License-Identifier: GPL-2.0-or-later
unit_tests += tests/unit/test-error
tests_unit_test_error_SOURCES = tests/unit/test-error.c
tests_unit_test_error_LDADD = $(UTIL_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-fd
tests_unit_test_fd_SOURCES = tests/unit/test-fd.c
tests_unit_test_fd_LDADD = $(UTIL_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-msg
tests_unit_test_msg_SOURCES = tests/unit/test-msg.c
tests_unit_test_msg_LDADD = $(UTIL_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-text
tests_unit_test_text_SOURCES = tests/unit/test-text.c
tests_unit_test_text_LDADD = $(UTIL_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-log
tests_unit_test_log_SOURCES = tests/unit/test-log.c
tests_unit_test_log_LDADD = $(UTIL_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-units
tests_unit_test_units_SOURCES = tests/unit/test-units.c
tests_unit_test_units_LDADD = $(UTIL_LIBS) $(CMOCKA_LIBS)
