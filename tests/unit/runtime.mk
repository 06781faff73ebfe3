# SPDX-License-Identifier: GPL-2.0-or-later
unit_tests += tests/unit/test-plan
tests_unit_test_plan_SOURCES = tests/unit/test-plan.c
tests_unit_test_plan_LDADD = $(RUNTIME_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-network-wish
tests_unit_test_network_wish_SOURCES = tests/unit/test-network-wish.c
tests_unit_test_network_wish_LDADD = $(RUNTIME_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-program
tests_unit_test_program_SOURCES = tests/unit/test-program.c
tests_unit_test_program_LDADD = $(RUNTIME_LIBS) $(CMOCKA_LIBS)

noinst_HEADERS += tests/unit/fake-launcher.h

unit_tests += tests/unit/test-init
tests_unit_test_init_SOURCES = tests/unit/test-init.c \
	tests/unit/fake-launcher.c
tests_unit_test_init_LDADD = $(RUNTIME_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-rootfs
tests_unit_test_rootfs_SOURCES = tests/unit/test-rootfs.c \
	tests/unit/fake-launcher.c
tests_unit_test_rootfs_LDADD = $(RUNTIME_LIBS) $(CMOCKA_LIBS)

noinst_HEADERS += tests/unit/mount-cases.h

unit_tests += tests/unit/test-mount-sources
tests_unit_test_mount_sources_SOURCES = tests/unit/test-mount-sources.c \
	tests/unit/fake-launcher.c
tests_unit_test_mount_sources_LDADD = $(RUNTIME_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-mounts
tests_unit_test_mounts_SOURCES = tests/unit/test-mounts.c \
	tests/unit/fake-launcher.c
tests_unit_test_mounts_LDADD = $(RUNTIME_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-hostile-images
tests_unit_test_hostile_images_SOURCES = tests/unit/test-hostile-images.c \
	tests/unit/fake-launcher.c
tests_unit_test_hostile_images_LDADD = $(RUNTIME_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-sysctls
tests_unit_test_sysctls_SOURCES = tests/unit/test-sysctls.c \
	tests/unit/fake-launcher.c
tests_unit_test_sysctls_LDADD = $(RUNTIME_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-net-devices
tests_unit_test_net_devices_SOURCES = tests/unit/test-net-devices.c \
	tests/unit/netns.c
tests_unit_test_net_devices_LDADD = $(RUNTIME_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-identity
tests_unit_test_identity_SOURCES = tests/unit/test-identity.c \
	tests/unit/fake-launcher.c
tests_unit_test_identity_LDADD = $(RUNTIME_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-identity-settings
tests_unit_test_identity_settings_SOURCES = \
	tests/unit/test-identity-settings.c tests/unit/fake-launcher.c
tests_unit_test_identity_settings_LDADD = $(RUNTIME_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-terminal
tests_unit_test_terminal_SOURCES = tests/unit/test-terminal.c
tests_unit_test_terminal_LDADD = $(RUNTIME_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-hooks
tests_unit_test_hooks_SOURCES = tests/unit/test-hooks.c
tests_unit_test_hooks_LDADD = $(RUNTIME_LIBS) $(CMOCKA_LIBS)

noinst_HEADERS += tests/unit/holder.h
unit_tests += tests/unit/test-join
tests_unit_test_join_SOURCES = tests/unit/test-join.c tests/unit/holder.c
tests_unit_test_join_LDADD = $(RUNTIME_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-exec-program
tests_unit_test_exec_program_SOURCES = tests/unit/test-exec-program.c
tests_unit_test_exec_program_LDADD = $(RUNTIME_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-seccomp-notify
tests_unit_test_seccomp_notify_SOURCES = tests/unit/test-seccomp-notify.c
tests_unit_test_seccomp_notify_LDADD = $(RUNTIME_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-exec-process
tests_unit_test_exec_process_SOURCES = tests/unit/test-exec-process.c
tests_unit_test_exec_process_LDADD = $(RUNTIME_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-spec-template
tests_unit_test_spec_template_SOURCES = tests/unit/test-spec-template.c
tests_unit_test_spec_template_LDADD = $(RUNTIME_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-list
tests_unit_test_list_SOURCES = tests/unit/test-list.c
tests_unit_test_list_LDADD = $(RUNTIME_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-ps-filter
tests_unit_test_ps_filter_SOURCES = tests/unit/test-ps-filter.c
tests_unit_test_ps_filter_LDADD = $(RUNTIME_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-update
tests_unit_test_update_SOURCES = tests/unit/test-update.c
tests_unit_test_update_LDADD = $(RUNTIME_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-features
tests_unit_test_features_SOURCES = tests/unit/test-features.c
tests_unit_test_features_LDADD = $(RUNTIME_LIBS) $(CMOCKA_LIBS)
noinst_HEADERS += tests/unit/doctor-host.h

unit_tests += tests/unit/test-doctor
tests_unit_test_doctor_SOURCES = tests/unit/test-doctor.c \
	tests/unit/doctor-host.c
tests_unit_test_doctor_LDADD = $(RUNTIME_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-doctor-host
tests_unit_test_doctor_host_SOURCES = tests/unit/test-doctor-host.c \
	tests/unit/doctor-host.c
tests_unit_test_doctor_host_LDADD = $(RUNTIME_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-doctor-network
tests_unit_test_doctor_network_SOURCES = tests/unit/test-doctor-network.c \
	tests/unit/doctor-host.c
tests_unit_test_doctor_network_LDADD = $(RUNTIME_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-cgroup-place
tests_unit_test_cgroup_place_SOURCES = tests/unit/test-cgroup-place.c
tests_unit_test_cgroup_place_LDADD = $(RUNTIME_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-cgroup-setting
tests_unit_test_cgroup_setting_SOURCES = tests/unit/test-cgroup-setting.c
tests_unit_test_cgroup_setting_LDADD = $(RUNTIME_LIBS) $(CMOCKA_LIBS)
noinst_HEADERS += tests/unit/cgroup-made.h
unit_tests += tests/unit/test-cgroup-plan
tests_unit_test_cgroup_plan_SOURCES = tests/unit/test-cgroup-plan.c
tests_unit_test_cgroup_plan_LDADD = $(RUNTIME_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-cgroup
tests_unit_test_cgroup_SOURCES = tests/unit/test-cgroup.c
tests_unit_test_cgroup_LDADD = $(RUNTIME_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-cgroup-none
tests_unit_test_cgroup_none_SOURCES = tests/unit/test-cgroup-none.c
tests_unit_test_cgroup_none_LDADD = $(RUNTIME_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-cgroup-properties
tests_unit_test_cgroup_properties_SOURCES = \
	tests/unit/test-cgroup-properties.c
tests_unit_test_cgroup_properties_LDADD = $(RUNTIME_LIBS) $(CMOCKA_LIBS)
noinst_HEADERS += tests/unit/entries.h
unit_tests += tests/unit/test-network-control
tests_unit_test_network_control_SOURCES = tests/unit/test-network-control.c \
	tests/unit/entries.c
tests_unit_test_network_control_LDADD = $(RUNTIME_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-network-entry
tests_unit_test_network_entry_SOURCES = tests/unit/test-network-entry.c \
	tests/unit/entries.c
tests_unit_test_network_entry_LDADD = $(RUNTIME_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-network-state
tests_unit_test_network_state_SOURCES = tests/unit/test-network-state.c
tests_unit_test_network_state_LDADD = $(RUNTIME_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-network-target
tests_unit_test_network_target_SOURCES = tests/unit/test-network-target.c \
	tests/unit/holder.c
tests_unit_test_network_target_LDADD = $(RUNTIME_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-network-use
tests_unit_test_network_use_SOURCES = tests/unit/test-network-use.c \
	tests/unit/holder.c
tests_unit_test_network_use_LDADD = $(RUNTIME_LIBS) $(CMOCKA_LIBS)
