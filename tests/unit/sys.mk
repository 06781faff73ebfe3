# SPDX-License-Identifier: GPL-2.0-or-later
unit_tests += tests/unit/test-loop
tests_unit_test_loop_SOURCES = tests/unit/test-loop.c
tests_unit_test_loop_LDADD = $(SYS_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-process
tests_unit_test_process_SOURCES = tests/unit/test-process.c
tests_unit_test_process_LDADD = $(SYS_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-idmap
tests_unit_test_idmap_SOURCES = tests/unit/test-idmap.c
tests_unit_test_idmap_LDADD = $(SYS_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-idmap-write
tests_unit_test_idmap_write_SOURCES = tests/unit/test-idmap-write.c
tests_unit_test_idmap_write_LDADD = $(SYS_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-userns
tests_unit_test_userns_SOURCES = tests/unit/test-userns.c
tests_unit_test_userns_LDADD = $(SYS_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-caps
tests_unit_test_caps_SOURCES = tests/unit/test-caps.c
tests_unit_test_caps_LDADD = $(SYS_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-confine
tests_unit_test_confine_SOURCES = tests/unit/test-confine.c
tests_unit_test_confine_LDADD = $(SYS_LIBS) $(CMOCKA_LIBS)
noinst_HEADERS += tests/unit/in-child.h

