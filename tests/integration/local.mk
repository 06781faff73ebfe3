# SPDX-License-Identifier: GPL-2.0-or-later
# The built rnet in real namespaces. A test program finds rnet two directories
# above itself (or at $RNET_BINARY), the payload and rnet-killpoints beside it.

integration_tests = \
	tests/integration/test-handoff \
	tests/integration/test-handoff-errors \
	tests/integration/test-run-basic \
	tests/integration/test-attach \
	tests/integration/test-slirp4netns \
	tests/integration/test-slirp4netns-links \
	tests/integration/test-attach-ends \
	tests/integration/test-attach-kills \
	tests/integration/test-commands \
	tests/integration/test-run-errors \
	tests/integration/test-payload-state \
	tests/integration/test-host-errors \
	tests/integration/test-doctor \
	tests/integration/test-terminal \
	tests/integration/test-up \
	tests/integration/test-up-ports \
	tests/integration/test-up-terminal \
	tests/integration/test-publish \
	tests/integration/test-outbound \
	tests/integration/test-handoff-streams \
	tests/integration/test-handoff-forward \
	tests/integration/test-lifecycle \
	tests/integration/test-exec \
	tests/integration/test-exec-settings \
	tests/integration/test-hooks \
	tests/integration/test-namespaces \
	tests/integration/test-lifetime \
	tests/integration/test-handshake-kills \
	tests/integration/test-network-lifetime

if HAVE_CMOCKA
check_LIBRARIES += tests/integration/libharness.a
check_PROGRAMS += $(integration_tests) tests/integration/payload \
	tests/integration/rnet-killpoints
endif

noinst_HEADERS += \
	tests/integration/box.h \
	tests/integration/bundle.h \
	tests/integration/check.h \
	tests/integration/console.h \
	tests/integration/doom.h \
	tests/integration/guest.h \
	tests/integration/handoff.h \
	tests/integration/inside.h \
	tests/integration/keeper-ask.h \
	tests/integration/leftovers.h \
	tests/integration/netns-watch.h \
	tests/integration/payload.h \
	tests/integration/peer.h \
	tests/integration/run.h \
	tests/integration/slirp.h \
	tests/integration/screen.h \
	tests/integration/stream.h \
	tests/integration/world.h \
	tests/integration/world-setup.h
tests_integration_libharness_a_SOURCES = \
	tests/integration/box.c \
	tests/integration/bundle.c \
	tests/integration/console.c \
	tests/integration/doom.c \
	tests/integration/guest.c \
	tests/integration/handoff.c \
	tests/integration/inside.c \
	tests/integration/keeper-ask.c \
	tests/integration/leftovers.c \
	tests/integration/netns-watch.c \
	tests/integration/peer.c \
	tests/integration/run.c \
	tests/integration/slirp.c \
	tests/integration/screen.c \
	tests/integration/stream.c \
	tests/integration/world.c \
	tests/integration/world-network.c \
	tests/integration/world-setup.c
HARNESS_LIBS = tests/integration/libharness.a $(SYS_LIBS) $(CMOCKA_LIBS)

# Runs in a bundle that has no libraries; sanitizers cannot be linked
# statically, so it leaves out AM_CFLAGS' hardening.
tests_integration_payload_SOURCES = \
	tests/integration/payload.c \
	tests/integration/payload-client.c \
	tests/integration/payload-serve.c \
	tests/integration/payload-state.c \
	tests/integration/payload-tcp.c
tests_integration_payload_CFLAGS = -std=gnu11 $(WARN_CFLAGS)
tests_integration_payload_LDFLAGS = -static

# rnet whose processes can be killed at any message
tests_integration_rnet_killpoints_SOURCES = \
	tests/integration/killpoint.c $(rnet_SOURCES)
tests_integration_rnet_killpoints_LDADD = $(rnet_LDADD)
tests_integration_rnet_killpoints_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=rn_msg_send

tests_integration_test_run_basic_SOURCES = tests/integration/test-run-basic.c
tests_integration_test_run_basic_LDADD = $(HARNESS_LIBS)
tests_integration_test_run_errors_SOURCES = \
	tests/integration/test-run-errors.c
tests_integration_test_run_errors_LDADD = $(HARNESS_LIBS)
tests_integration_test_host_errors_SOURCES = \
	tests/integration/test-host-errors.c
tests_integration_test_host_errors_LDADD = $(HARNESS_LIBS)
tests_integration_test_terminal_SOURCES = tests/integration/test-terminal.c
tests_integration_test_terminal_LDADD = $(HARNESS_LIBS)
tests_integration_test_up_SOURCES = tests/integration/test-up.c
tests_integration_test_up_LDADD = $(HARNESS_LIBS)
tests_integration_test_up_ports_SOURCES = tests/integration/test-up-ports.c
tests_integration_test_up_ports_LDADD = $(HARNESS_LIBS)
tests_integration_test_up_terminal_SOURCES = \
	tests/integration/test-up-terminal.c
tests_integration_test_up_terminal_LDADD = $(HARNESS_LIBS)
tests_integration_test_publish_SOURCES = tests/integration/test-publish.c
tests_integration_test_publish_LDADD = $(HARNESS_LIBS)
tests_integration_test_outbound_SOURCES = tests/integration/test-outbound.c
tests_integration_test_outbound_LDADD = $(HARNESS_LIBS)
tests_integration_test_handoff_SOURCES = tests/integration/test-handoff.c
tests_integration_test_handoff_LDADD = $(HARNESS_LIBS)
tests_integration_test_handoff_errors_SOURCES = \
	tests/integration/test-handoff-errors.c
tests_integration_test_handoff_errors_LDADD = $(HARNESS_LIBS)
tests_integration_test_handoff_streams_SOURCES = \
	tests/integration/test-handoff-streams.c
tests_integration_test_handoff_streams_LDADD = $(HARNESS_LIBS)
tests_integration_test_handoff_forward_SOURCES = \
	tests/integration/test-handoff-forward.c
tests_integration_test_handoff_forward_LDADD = $(HARNESS_LIBS)
tests_integration_test_lifetime_SOURCES = tests/integration/test-lifetime.c
tests_integration_test_lifetime_LDADD = $(HARNESS_LIBS)
tests_integration_test_handshake_kills_SOURCES = \
	tests/integration/test-handshake-kills.c
tests_integration_test_handshake_kills_LDADD = $(HARNESS_LIBS)
tests_integration_test_network_lifetime_SOURCES = \
	tests/integration/test-network-lifetime.c
tests_integration_test_network_lifetime_LDADD = $(HARNESS_LIBS)
tests_integration_test_lifecycle_SOURCES = tests/integration/test-lifecycle.c
tests_integration_test_lifecycle_LDADD = $(HARNESS_LIBS)
tests_integration_test_commands_SOURCES = tests/integration/test-commands.c
tests_integration_test_commands_LDADD = $(HARNESS_LIBS)
tests_integration_test_doctor_SOURCES = tests/integration/test-doctor.c
tests_integration_test_doctor_LDADD = $(HARNESS_LIBS)
tests_integration_test_payload_state_SOURCES = \
	tests/integration/test-payload-state.c
tests_integration_test_payload_state_LDADD = $(HARNESS_LIBS)
tests_integration_test_exec_SOURCES = tests/integration/test-exec.c
tests_integration_test_exec_LDADD = $(HARNESS_LIBS)
tests_integration_test_exec_settings_SOURCES = \
	tests/integration/test-exec-settings.c
tests_integration_test_exec_settings_LDADD = $(HARNESS_LIBS)
tests_integration_test_hooks_SOURCES = tests/integration/test-hooks.c
tests_integration_test_hooks_LDADD = $(HARNESS_LIBS)
tests_integration_test_namespaces_SOURCES = tests/integration/test-namespaces.c
tests_integration_test_namespaces_LDADD = $(HARNESS_LIBS)
tests_integration_test_slirp4netns_SOURCES = \
	tests/integration/test-slirp4netns.c
tests_integration_test_slirp4netns_LDADD = $(HARNESS_LIBS)
tests_integration_test_slirp4netns_links_SOURCES = \
	tests/integration/test-slirp4netns-links.c
tests_integration_test_slirp4netns_links_LDADD = $(HARNESS_LIBS)
tests_integration_test_attach_SOURCES = tests/integration/test-attach.c
tests_integration_test_attach_LDADD = $(HARNESS_LIBS)
tests_integration_test_attach_kills_SOURCES = \
	tests/integration/test-attach-kills.c
tests_integration_test_attach_kills_LDADD = $(HARNESS_LIBS)
tests_integration_test_attach_ends_SOURCES = \
	tests/integration/test-attach-ends.c
tests_integration_test_attach_ends_LDADD = $(HARNESS_LIBS)
