/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-slirp4netns-api - requests of slirp4netns' API socket, and its replies
 */
#include "config.h"

#include <unit.h>

#include <sys/socket.h>

#include <rnet/dialect/slirp4netns-api.h>
#include <rnet/net/options.h>

static RnNetworkPlan make_plan(const char *text)
{
    g_auto(RnNetworkOptions) options = { 0 };
    RnNetworkPlan plan;

    assert_true(rn_network_options_parse(text, &options, NULL));
    rn_network_options_plan(&options, &plan);
    return plan;
}

static RnSlirpRequest parse(const char *text)
{
    RnNetworkPlan plan = make_plan("slirp:ipv6=off");
    RnSlirpRequest request;

    rn_slirp_request_parse(text, strlen(text), &plan, &request);
    return request;
}

#define ADD(arguments)                                                         \
    "{\"execute\":\"add_hostfwd\",\"arguments\":{" arguments "}}"

static void assert_address(const RnEndpoint *endpoint, const char *wanted,
                           uint16_t port)
{
    char text[RN_ENDPOINT_TEXT];

    assert_string_equal(rn_endpoint_format_address(endpoint, text), wanted);
    assert_int_equal(endpoint->port, port);
}

static void add_is_read_in_full(void **state)
{
    RnSlirpRequest request =
        parse(ADD("\"proto\":\"udp\",\"host_addr\":\"127.0.0.1\","
                  "\"host_port\":8080,\"guest_addr\":\"10.0.2.5\","
                  "\"guest_port\":80") "\n");

    (void)state;
    assert_int_equal(request.kind, RN_SLIRP_REQUEST_ADD);
    assert_int_equal(request.forward.spec.transport, RN_TRANSPORT_UDP);
    assert_int_equal(request.forward.spec.count, 1);
    assert_int_equal(request.forward.spec.guest_port, 80);
    assert_address(&request.forward.spec.host, "127.0.0.1", 8080);
    assert_address(&request.forward.guest, "10.0.2.5", 80);
}

/* Podman sends empty strings. */
static void addresses_have_defaults_of_ipv4_only(void **state)
{
    static const char *const requests[] = {
        ADD("\"proto\":\"tcp\",\"host_port\":1,\"guest_port\":65535"),
        ADD("\"proto\":\"tcp\",\"host_addr\":\"\",\"host_port\":1,"
            "\"guest_addr\":\"\",\"guest_port\":65535"),
        ADD("\"proto\":\"tcp\",\"host_addr\":\"0.0.0.0\",\"host_port\":1,"
            "\"guest_addr\":\"0.0.0.0\",\"guest_port\":65535"),
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(requests); i++) {
        RnSlirpRequest request = parse(requests[i]);

        assert_int_equal(request.kind, RN_SLIRP_REQUEST_ADD);
        assert_address(&request.forward.spec.host, "0.0.0.0", 1);
        assert_address(&request.forward.guest, "10.0.2.100", 65535);
    }
}

static void ipv6_hosts_are_taken(void **state)
{
    RnSlirpRequest request =
        parse(ADD("\"proto\":\"tcp\",\"host_addr\":\"::1\","
                  "\"host_port\":8080,\"guest_port\":80"));

    (void)state;
    assert_int_equal(request.kind, RN_SLIRP_REQUEST_ADD);
    assert_address(&request.forward.spec.host, "::1", 8080);
}

static void list_and_remove_are_read(void **state)
{
    RnSlirpRequest request = parse("{\"execute\":\"list_hostfwd\"}");

    (void)state;
    assert_int_equal(request.kind, RN_SLIRP_REQUEST_LIST);
    request = parse("{\"execute\": \"remove_hostfwd\","
                    "\"arguments\": {\"id\": 42}} rest");
    assert_int_equal(request.kind, RN_SLIRP_REQUEST_REMOVE);
    assert_int_equal(request.forward.id, 42);
}

static void bad_requests_have_the_originals_words(void **state)
{
#define PORTS "\"host_port\":80,\"guest_port\":80"
    static const struct {
        const char *text;
        const char *desc; /* after "bad request: " */
    } cases[] = {
        { "badjson", "cannot parse JSON" },
        { "{]", "cannot parse JSON" },
        { "\xff", "cannot parse JSON" },
        { "[1]", "json_object() failed" },
        { "7", "json_object() failed" },
        { "{\"unexpectedjson\": 42}", "no execute found" },
        { "{\"execute\": 42}", "no execute found" },
        { "{\"execute\": \"bad\"}", "unknown execute" },
        /* the original ends with SIGSEGV */
        { "{\"execute\": \"add_hostfwd\"}",
          "add_hostfwd: bad arguments.proto" },
        { "{\"execute\": \"add_hostfwd\",\"arguments\":[]}",
          "add_hostfwd: bad arguments.proto" },
        { ADD(PORTS), "add_hostfwd: bad arguments.proto" },
        { ADD("\"proto\":\"sctp\"," PORTS),
          "add_hostfwd: bad arguments.proto" },
        { ADD("\"proto\":\"tcp\",\"host_addr\":\"x\"," PORTS),
          "add_hostfwd: bad arguments.host_addr" },
        { ADD("\"proto\":\"tcp\",\"guest_port\":80"),
          "add_hostfwd: bad arguments.host_port" },
        /* the original takes it for 4464 */
        { ADD("\"proto\":\"tcp\",\"host_port\":70000,\"guest_port\":80"),
          "add_hostfwd: bad arguments.host_port" },
        { ADD("\"proto\":\"tcp\",\"host_port\":-1,\"guest_port\":80"),
          "add_hostfwd: bad arguments.host_port" },
        { ADD("\"proto\":\"tcp\",\"host_port\":80.5,\"guest_port\":80"),
          "add_hostfwd: bad arguments.host_port" },
        { ADD("\"proto\":\"tcp\",\"host_port\":\"80\",\"guest_port\":80"),
          "add_hostfwd: bad arguments.host_port" },
        { ADD("\"proto\":\"tcp\",\"guest_addr\":\"x\"," PORTS),
          "add_hostfwd: bad arguments.guest_addr" },
        { ADD("\"proto\":\"tcp\",\"guest_addr\":\"224.0.0.1\"," PORTS),
          "add_hostfwd: bad arguments.guest_addr" },
        { ADD("\"proto\":\"tcp\",\"guest_addr\":\"fd00::100\"," PORTS),
          "add_hostfwd: bad arguments.guest_addr" },
        { ADD("\"proto\":\"tcp\",\"host_port\":80"),
          "add_hostfwd: bad arguments.guest_port" },
        { ADD("\"proto\":\"tcp\",\"host_port\":80,\"guest_port\":65536"),
          "add_hostfwd: bad arguments.guest_port" },
        { "{\"execute\":\"remove_hostfwd\"}",
          "remove_hostfwd: bad arguments.id" },
        { "{\"execute\":\"remove_hostfwd\",\"arguments\":{\"id\":1e300}}",
          "remove_hostfwd: bad arguments.id" },
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *wanted =
            g_strconcat("bad request: ", cases[i].desc, NULL);
        RnSlirpRequest request = parse(cases[i].text);

        assert_int_equal(request.kind, RN_SLIRP_REQUEST_BAD);
        assert_string_equal(request.desc, wanted);
    }
}

static void every_part_of_a_request_is_incomplete(void **state)
{
    static const char text[] =
        ADD("\"proto\":\"tcp\",\"host_port\":80,\"guest_port\":8080");
    RnNetworkPlan plan = make_plan("slirp");
    RnSlirpRequest request;

    (void)state;
    for (gsize length = 0; length < strlen(text); length++) {
        rn_slirp_request_parse(text, length, &plan, &request);
        assert_int_equal(request.kind, RN_SLIRP_REQUEST_INCOMPLETE);
        assert_string_equal(request.desc, RN_SLIRP_DESC_CANNOT_PARSE);
    }
}

static void deep_nesting_is_an_error(void **state)
{
    g_autofree char *text = g_strnfill(RN_SLIRP_REQUEST_MAX - 1, '[');

    (void)state;
    assert_int_equal(parse(text).kind, RN_SLIRP_REQUEST_BAD);
}

static void assert_reply(char *take_reply, const char *wanted)
{
    g_autofree char *reply = take_reply;

    assert_string_equal(reply, wanted);
}

static void replies_are_the_originals_bytes(void **state)
{
    g_autoptr(GArray) forwards =
        g_array_new(FALSE, FALSE, sizeof(RnSlirpForward));
    RnSlirpRequest request =
        parse(ADD("\"proto\":\"tcp\",\"host_port\":8080,\"guest_port\":80"));

    (void)state;
    assert_reply(rn_slirp_reply_added(1), "{\"return\":{\"id\":1}}");
    assert_reply(rn_slirp_reply_removed(), "{\"return\":{}}");
    assert_reply(rn_slirp_reply_error(RN_SLIRP_DESC_TOO_LARGE, NULL),
                 "{\"error\":{\"desc\":\"bad request: too large message\"}}");
    assert_reply(rn_slirp_reply_error("d", "in use"),
                 "{\"error\":{\"desc\":\"d\",\"reason\":\"in use\"}}");
    assert_reply(rn_slirp_reply_list(forwards),
                 "{\"entries\":[],\"return\":{\"entries\":[]}}");
    request.forward.id = 1;
    g_array_append_val(forwards, request.forward);
#define ENTRY                                                                  \
    "[{\"id\":1,\"proto\":\"tcp\",\"host_addr\":\"0.0.0.0\","                  \
    "\"host_port\":8080,\"guest_addr\":\"10.0.2.100\",\"guest_port\":80}]"
    assert_reply(rn_slirp_reply_list(forwards),
                 "{\"entries\":" ENTRY ",\"return\":{\"entries\":" ENTRY "}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(add_is_read_in_full),
        cmocka_unit_test(addresses_have_defaults_of_ipv4_only),
        cmocka_unit_test(ipv6_hosts_are_taken),
        cmocka_unit_test(list_and_remove_are_read),
        cmocka_unit_test(bad_requests_have_the_originals_words),
        cmocka_unit_test(every_part_of_a_request_is_incomplete),
        cmocka_unit_test(deep_nesting_is_an_error),
        cmocka_unit_test(replies_are_the_originals_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
