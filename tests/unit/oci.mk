# SPDX-License-Identifier: GPL-2.0-or-later
unit_tests += tests/unit/test-state
tests_unit_test_state_SOURCES = tests/unit/test-state.c
tests_unit_test_state_LDADD = $(OCI_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-config
tests_unit_test_config_SOURCES = tests/unit/test-config.c
tests_unit_test_config_LDADD = $(OCI_LIBS) $(CMOCKA_LIBS)

noinst_HEADERS += tests/unit/config-text.h
unit_tests += tests/unit/test-config-refusals
tests_unit_test_config_refusals_SOURCES = tests/unit/test-config-refusals.c
tests_unit_test_config_refusals_LDADD = $(OCI_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-config-linux
tests_unit_test_config_linux_SOURCES = tests/unit/test-config-linux.c
tests_unit_test_config_linux_LDADD = $(OCI_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-config-resources
tests_unit_test_config_resources_SOURCES = tests/unit/test-config-resources.c
tests_unit_test_config_resources_LDADD = $(OCI_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-config-seccomp
tests_unit_test_config_seccomp_SOURCES = tests/unit/test-config-seccomp.c
tests_unit_test_config_seccomp_LDADD = $(OCI_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-config-engines
tests_unit_test_config_engines_SOURCES = tests/unit/test-config-engines.c
tests_unit_test_config_engines_LDADD = $(OCI_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-config-hostile
tests_unit_test_config_hostile_SOURCES = tests/unit/test-config-hostile.c
tests_unit_test_config_hostile_LDADD = $(OCI_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-json
tests_unit_test_json_SOURCES = tests/unit/test-json.c
tests_unit_test_json_LDADD = $(OCI_LIBS) $(CMOCKA_LIBS)
