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
noinst_HEADERS += tests/unit/netns.h
unit_tests += tests/unit/test-netlink
tests_unit_test_netlink_SOURCES = tests/unit/test-netlink.c tests/unit/netns.c
tests_unit_test_netlink_LDADD = $(SYS_LIBS) $(CMOCKA_LIBS)
noinst_HEADERS += tests/unit/ways.h
unit_tests += tests/unit/test-routing
tests_unit_test_routing_SOURCES = tests/unit/test-routing.c \
	tests/unit/ways.c tests/unit/netns.c
tests_unit_test_routing_LDADD = $(SYS_LIBS) $(CMOCKA_LIBS)
noinst_HEADERS += tests/unit/nft-world.h
unit_tests += tests/unit/test-nft
tests_unit_test_nft_SOURCES = tests/unit/test-nft.c \
	tests/unit/nft-world.c tests/unit/ways.c tests/unit/netns.c
tests_unit_test_nft_LDADD = $(SYS_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-tap
tests_unit_test_tap_SOURCES = tests/unit/test-tap.c tests/unit/netns.c
tests_unit_test_tap_LDADD = $(SYS_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-veth
tests_unit_test_veth_SOURCES = tests/unit/test-veth.c tests/unit/netns.c
tests_unit_test_veth_LDADD = $(SYS_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-mount-options
tests_unit_test_mount_options_SOURCES = tests/unit/test-mount-options.c
tests_unit_test_mount_options_LDADD = $(SYS_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-rootpath
tests_unit_test_rootpath_SOURCES = tests/unit/test-rootpath.c
tests_unit_test_rootpath_LDADD = $(SYS_LIBS) $(CMOCKA_LIBS)
noinst_HEADERS += tests/unit/refusal.h
noinst_HEADERS += tests/unit/scratch.h

unit_tests += tests/unit/test-seccomp-filter
tests_unit_test_seccomp_filter_SOURCES = tests/unit/test-seccomp-filter.c
tests_unit_test_seccomp_filter_LDADD = $(SYS_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-schedule
tests_unit_test_schedule_SOURCES = tests/unit/test-schedule.c
tests_unit_test_schedule_LDADD = $(SYS_LIBS) $(CMOCKA_LIBS)
