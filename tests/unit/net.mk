# SPDX-License-Identifier: GPL-2.0-or-later

unit_tests += tests/unit/test-options
tests_unit_test_options_SOURCES = tests/unit/test-options.c
tests_unit_test_options_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-publish-spec
tests_unit_test_publish_spec_SOURCES = tests/unit/test-publish-spec.c
tests_unit_test_publish_spec_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-publish-listen
tests_unit_test_publish_listen_SOURCES = tests/unit/test-publish-listen.c
tests_unit_test_publish_listen_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
