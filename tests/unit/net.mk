# SPDX-License-Identifier: GPL-2.0-or-later

unit_tests += tests/unit/test-options
tests_unit_test_options_SOURCES = tests/unit/test-options.c
tests_unit_test_options_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-publish-spec
tests_unit_test_publish_spec_SOURCES = tests/unit/test-publish-spec.c
tests_unit_test_publish_spec_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-exposed-spec
tests_unit_test_exposed_spec_SOURCES = tests/unit/test-exposed-spec.c
tests_unit_test_exposed_spec_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-publish-listen
tests_unit_test_publish_listen_SOURCES = tests/unit/test-publish-listen.c
tests_unit_test_publish_listen_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-port-ranges
tests_unit_test_port_ranges_SOURCES = tests/unit/test-port-ranges.c
tests_unit_test_port_ranges_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
noinst_HEADERS += tests/unit/agent-world.h
unit_tests += tests/unit/test-agent-data
tests_unit_test_agent_data_SOURCES = tests/unit/test-agent-data.c
tests_unit_test_agent_data_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-agent
tests_unit_test_agent_SOURCES = tests/unit/test-agent.c \
	tests/unit/agent-world.c tests/unit/frames.c tests/unit/netns.c
tests_unit_test_agent_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-agent-link
tests_unit_test_agent_link_SOURCES = tests/unit/test-agent-link.c \
	tests/unit/agent-world.c tests/unit/frames.c tests/unit/netns.c
tests_unit_test_agent_link_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-agent-handoff
tests_unit_test_agent_handoff_SOURCES = tests/unit/test-agent-handoff.c \
	tests/unit/agent-world.c tests/unit/frames.c tests/unit/netns.c
tests_unit_test_agent_handoff_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-agent-manual
tests_unit_test_agent_manual_SOURCES = tests/unit/test-agent-manual.c \
	tests/unit/agent-world.c tests/unit/frames.c tests/unit/netns.c
tests_unit_test_agent_manual_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-agent-watch
tests_unit_test_agent_watch_SOURCES = tests/unit/test-agent-watch.c \
	tests/unit/agent-world.c tests/unit/frames.c tests/unit/netns.c
tests_unit_test_agent_watch_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-auto-publish
tests_unit_test_auto_publish_SOURCES = tests/unit/test-auto-publish.c
tests_unit_test_auto_publish_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-service
tests_unit_test_service_SOURCES = tests/unit/test-service.c
tests_unit_test_service_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-network
noinst_HEADERS += tests/unit/network-world.h
tests_unit_test_network_SOURCES = tests/unit/test-network.c \
	tests/unit/network-world.c tests/unit/netns.c
tests_unit_test_network_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-network-ports
tests_unit_test_network_ports_SOURCES = tests/unit/test-network-ports.c \
	tests/unit/network-world.c tests/unit/netns.c
tests_unit_test_network_ports_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
noinst_HEADERS += tests/unit/engine.h
noinst_HEADERS += tests/unit/frames.h
noinst_HEADERS += tests/unit/publish-bench.h
noinst_HEADERS += tests/unit/relay-bench.h
unit_tests += tests/unit/test-frame
tests_unit_test_frame_SOURCES = tests/unit/test-frame.c \
	tests/unit/frames.c
tests_unit_test_frame_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-filter
tests_unit_test_filter_SOURCES = tests/unit/test-filter.c \
	tests/unit/frames.c
tests_unit_test_filter_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-slirp-engine
tests_unit_test_slirp_engine_SOURCES = tests/unit/test-slirp-engine.c \
	tests/unit/engine.c tests/unit/frames.c
tests_unit_test_slirp_engine_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-exposed-frame
tests_unit_test_exposed_frame_SOURCES = tests/unit/test-exposed-frame.c \
	tests/unit/engine.c tests/unit/frames.c
tests_unit_test_exposed_frame_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-exposed
tests_unit_test_exposed_SOURCES = tests/unit/test-exposed.c \
	tests/unit/relay-bench.c tests/unit/frames.c
tests_unit_test_exposed_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-slirp-forward
tests_unit_test_slirp_forward_SOURCES = tests/unit/test-slirp-forward.c \
	tests/unit/engine.c tests/unit/frames.c
tests_unit_test_slirp_forward_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-agentless
tests_unit_test_agentless_SOURCES = tests/unit/test-agentless.c \
	tests/unit/relay-bench.c tests/unit/frames.c
tests_unit_test_agentless_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-outbound
tests_unit_test_outbound_SOURCES = tests/unit/test-outbound.c \
	tests/unit/relay-bench.c tests/unit/frames.c tests/unit/netns.c
tests_unit_test_outbound_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-splice
tests_unit_test_splice_SOURCES = tests/unit/test-splice.c \
	tests/unit/tcp-pair.c
tests_unit_test_splice_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
noinst_HEADERS += tests/unit/tcp-pair.h
unit_tests += tests/unit/test-pump
tests_unit_test_pump_SOURCES = tests/unit/test-pump.c \
	tests/unit/tcp-pair.c tests/unit/netns.c
tests_unit_test_pump_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-publish-tcp
tests_unit_test_publish_tcp_SOURCES = tests/unit/test-publish-tcp.c \
	tests/unit/publish-bench.c tests/unit/frames.c
tests_unit_test_publish_tcp_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-inside
tests_unit_test_inside_SOURCES = tests/unit/test-inside.c
tests_unit_test_inside_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-handoff
tests_unit_test_handoff_SOURCES = tests/unit/test-handoff.c \
	tests/unit/publish-bench.c tests/unit/frames.c tests/unit/netns.c
tests_unit_test_handoff_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-publish-udp
tests_unit_test_publish_udp_SOURCES = tests/unit/test-publish-udp.c \
	tests/unit/frames.c
tests_unit_test_publish_udp_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-udp-flows
tests_unit_test_udp_flows_SOURCES = tests/unit/test-udp-flows.c \
	tests/unit/frames.c
tests_unit_test_udp_flows_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
noinst_HEADERS += tests/unit/udp-bench.h
unit_tests += tests/unit/test-udp-batch
tests_unit_test_udp_batch_SOURCES = tests/unit/test-udp-batch.c \
	tests/unit/udp-bench.c tests/unit/frames.c
tests_unit_test_udp_batch_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-udp-out
tests_unit_test_udp_out_SOURCES = tests/unit/test-udp-out.c \
	tests/unit/udp-bench.c tests/unit/frames.c
tests_unit_test_udp_out_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-ping6
tests_unit_test_ping6_SOURCES = tests/unit/test-ping6.c \
	tests/unit/frames.c tests/unit/netns.c
tests_unit_test_ping6_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-relay
tests_unit_test_relay_SOURCES = tests/unit/test-relay.c \
	tests/unit/relay-bench.c tests/unit/frames.c
tests_unit_test_relay_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-relay-orders
tests_unit_test_relay_orders_SOURCES = tests/unit/test-relay-orders.c \
	tests/unit/relay-bench.c tests/unit/frames.c
tests_unit_test_relay_orders_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test-packet-link
tests_unit_test_packet_link_SOURCES = tests/unit/test-packet-link.c \
	tests/unit/agent-world.c tests/unit/netns.c tests/unit/frames.c
tests_unit_test_packet_link_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
