# SPDX-License-Identifier: GPL-2.0-or-later
unit_tests += tests/unit/test-cni-conf
tests_unit_test_cni_conf_SOURCES = tests/unit/test-cni-conf.c
tests_unit_test_cni_conf_LDADD = $(DIALECT_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-cni-result
tests_unit_test_cni_result_SOURCES = tests/unit/test-cni-result.c
tests_unit_test_cni_result_LDADD = $(DIALECT_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-hook-bundle
tests_unit_test_hook_bundle_SOURCES = tests/unit/test-hook-bundle.c
tests_unit_test_hook_bundle_LDADD = $(DIALECT_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-hook-files
tests_unit_test_hook_files_SOURCES = tests/unit/test-hook-files.c
tests_unit_test_hook_files_LDADD = $(DIALECT_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-hook-input
tests_unit_test_hook_input_SOURCES = tests/unit/test-hook-input.c
tests_unit_test_hook_input_LDADD = $(DIALECT_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-hook-resolv
tests_unit_test_hook_resolv_SOURCES = tests/unit/test-hook-resolv.c
tests_unit_test_hook_resolv_LDADD = $(DIALECT_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-slirp4netns-api
tests_unit_test_slirp4netns_api_SOURCES = tests/unit/test-slirp4netns-api.c
tests_unit_test_slirp4netns_api_LDADD = $(DIALECT_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-slirp4netns-options
tests_unit_test_slirp4netns_options_SOURCES = \
	tests/unit/test-slirp4netns-options.c
tests_unit_test_slirp4netns_options_LDADD = $(DIALECT_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-slirp4netns-server
tests_unit_test_slirp4netns_server_SOURCES = \
	tests/unit/test-slirp4netns-server.c
tests_unit_test_slirp4netns_server_LDADD = $(DIALECT_LIBS) $(CMOCKA_LIBS)
