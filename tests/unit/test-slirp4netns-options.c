/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-slirp4netns-options - slirp4netns' command line, plan and texts
 */
#include "config.h"

#include <unit.h>

#include <sys/socket.h>

#include <rnet/dialect/slirp4netns-options.h>
#include <rnet/dialect/slirp4netns-plan.h>
#include <rnet/dialect/slirp4netns-texts.h>

enum {
    MAX_WORDS = 16
};

/* One command line, taken apart; options point into `words`. */
typedef struct Parsed {
    char **words;
    char *argv[MAX_WORDS + 1]; /* what getopt may permute */
    RnSlirpOptions options;
    RnSlirpVerdict verdict;
    GString *out, *err;
} Parsed;

static void parse(const char *line, Parsed *parsed)
{
    g_autofree char *full = g_strconcat("slirp4netns ", line, NULL);
    int argc = 0;

    *parsed = (Parsed){
        .words = g_strsplit(g_strchomp(full), " ", -1),
        .out = g_string_new(NULL),
        .err = g_string_new(NULL),
    };
    argc = (int)g_strv_length(parsed->words);
    assert_true(argc <= MAX_WORDS);
    for (int i = 0; i < argc; i++)
        parsed->argv[i] = parsed->words[i];
    parsed->verdict = rn_slirp_options_parse(
        argc, parsed->argv, &parsed->options, parsed->out, parsed->err);
}

static void clear(Parsed *parsed)
{
    g_strfreev(parsed->words);
    g_string_free(parsed->out, TRUE);
    g_string_free(parsed->err, TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Parsed, clear)

static void defaults_are_the_originals(void **state)
{
    g_auto(Parsed) parsed = { 0 };
    const RnSlirpOptions *options = &parsed.options;

    (void)state;
    parse("4711 tap11", &parsed);
    assert_int_equal(parsed.verdict, RN_SLIRP_RUN);
    assert_int_equal(options->target, RN_SLIRP_TARGET_PID);
    assert_int_equal(options->pid, 4711);
    assert_string_equal(options->tap_name, "tap11");
    assert_int_equal(options->mtu, 1500);
    assert_int_equal(options->exit_fd, -1);
    assert_int_equal(options->ready_fd, -1);
    assert_int_equal(options->tap_fd, -1);
    assert_false(options->configure || options->ipv6 || options->sandbox ||
                 options->seccomp || options->disable_dns ||
                 options->disable_host_loopback);
    assert_null(options->api_socket);
    assert_int_equal(parsed.out->len, 0);
    assert_int_equal(parsed.err->len, 0);
}

static void podmans_command_line_is_read(void **state)
{
    g_auto(Parsed) parsed = { 0 };
    const RnSlirpOptions *options = &parsed.options;

    (void)state;
    parse("--disable-host-loopback --mtu=65520 --enable-sandbox "
          "--enable-seccomp --enable-ipv6 -c -r 3 -e 4 "
          "--api-socket /tmp/x.net --netns-type=path /proc/self tap0",
          &parsed);
    assert_int_equal(parsed.verdict, RN_SLIRP_RUN);
    assert_int_equal(options->target, RN_SLIRP_TARGET_PATH);
    assert_string_equal(options->path, "/proc/self");
    assert_string_equal(options->tap_name, "tap0");
    assert_int_equal(options->mtu, 65520);
    assert_int_equal(options->ready_fd, 3);
    assert_int_equal(options->exit_fd, 4);
    assert_string_equal(options->api_socket, "/tmp/x.net");
    assert_true(options->configure && options->ipv6 && options->sandbox &&
                options->seccomp && options->disable_host_loopback);
}

static void options_may_follow_operands(void **state)
{
    g_auto(Parsed) parsed = { 0 };

    (void)state;
    parse("-c 4711 --api-socket /tmp/s tap11", &parsed);
    assert_int_equal(parsed.verdict, RN_SLIRP_RUN);
    assert_int_equal(parsed.options.pid, 4711);
    assert_string_equal(parsed.options.tap_name, "tap11");
    assert_string_equal(parsed.options.api_socket, "/tmp/s");
}

static void other_targets_are_read(void **state)
{
    static const struct {
        const char *line;
        RnSlirpTarget target;
        int tap_fd;
        const char *path;
    } cases[] = {
        { "--netns-type=tapfd 7", RN_SLIRP_TARGET_TAPFD, 7, NULL },
        { "--target-type=tapfd 7", RN_SLIRP_TARGET_TAPFD, 7, NULL },
        { "--target-type=bess /tmp/b", RN_SLIRP_TARGET_BESS, -1, "/tmp/b" },
        /* any other type is a path */
        { "--netns-type=fifo /proc tap0", RN_SLIRP_TARGET_PATH, -1, "/proc" },
        { "--target-type=netns --netns-type pid 1 t", RN_SLIRP_TARGET_PID, -1,
          NULL },
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Parsed) parsed = { 0 };

        parse(cases[i].line, &parsed);
        assert_int_equal(parsed.verdict, RN_SLIRP_RUN);
        assert_int_equal(parsed.options.target, cases[i].target);
        assert_int_equal(parsed.options.tap_fd, cases[i].tap_fd);
        if (cases[i].path != NULL)
            assert_string_equal(parsed.options.path, cases[i].path);
    }
}

/* Measured with slirp4netns 1.2.0. */
static void what_is_wrong_is_said_as_the_original_does(void **state)
{
    static const struct {
        const char *line;
        const char *err; /* all of it; NULL: getopt's, or nothing */
    } cases[] = {
        { "", NULL },
        { "4711", NULL },
        { "--target-type=bess", NULL },
        { "--mtu=0 1 t", "MTU must be a positive integer (< 65522)\n" },
        { "--mtu=65522 1 t", "MTU must be a positive integer (< 65522)\n" },
        { "-m 1x 1 t", "MTU must be a positive integer (< 65522)\n" },
        { "-e x 1 t", "exit-fd must be a non-negative integer\n" },
        { "--ready-fd=-1 1 t", "ready-fd must be a non-negative integer\n" },
        { "abc tap0", "PID must be a positive integer\n" },
        { "0 tap0", "PID must be a positive integer\n" },
        { "--netns-type=path /nonexistent t",
          "existing path expected when --netns-type=path: No such file or "
          "directory\n" },
        { "--userns-path=/nonexistent 1 t",
          "userns path doesn't exist: /nonexistent\n" },
        { "--target-type=bess -c /x",
          "--configure conflicts with --target-type=bess\n" },
        { "--target-type=bess --netns-type=pid /x",
          "--netns-type conflicts with --target-type=bess\n" },
        { "--target-type=bess --userns-path=/proc /x",
          "--userns-path conflicts with --target-type=bess\n" },
        { "--target-type=bess a b", "too many arguments\n" },
        { "--macaddress=02:00:00:00:00:01 1 t",
          "--macaddr cannot be specified when --configure or -c is not "
          "specified\n" },
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Parsed) parsed = { 0 };

        parse(cases[i].line, &parsed);
        assert_int_equal(parsed.verdict, RN_SLIRP_REFUSED);
        assert_string_equal(parsed.err->str,
                            cases[i].err == NULL ? "" : cases[i].err);
        assert_non_null(strstr(parsed.out->str, "Usage: slirp4netns "));
    }
}

static void old_spellings_warn_and_work(void **state)
{
    g_auto(Parsed) parsed = { 0 };

    (void)state;
    parse("--no-host-loopback --create-sandbox 1 t more", &parsed);
    assert_int_equal(parsed.verdict, RN_SLIRP_RUN);
    assert_true(parsed.options.sandbox);
    assert_true(parsed.options.disable_host_loopback);
    assert_non_null(
        strstr(parsed.out->str, "WARNING: --no-host-loopback is deprecated"));
    assert_non_null(
        strstr(parsed.out->str, "WARNING: --create-sandbox is deprecated"));
    assert_non_null(strstr(parsed.out->str, "WARNING: too many arguments\n"));
}

static void help_has_what_callers_look_for(void **state)
{
    static const char *const wanted[] = {
        "--netns-type",     "--disable-host-loopback", "--mtu",
        "--enable-sandbox", "--enable-seccomp",        "--cidr",
        "--outbound-addr",  "--outbound-addr6",        "--enable-ipv6",
        "--api-socket",     "--userns-path",           "--disable-dns",
        "--macaddress",     "--target-type",
    };
    g_auto(Parsed) parsed = { 0 };

    (void)state;
    parse("-c --help", &parsed);
    assert_int_equal(parsed.verdict, RN_SLIRP_ANSWERED);
    for (unsigned i = 0; i < G_N_ELEMENTS(wanted); i++)
        assert_non_null(strstr(parsed.out->str, wanted[i]));
}

static void version_has_the_originals_lines(void **state)
{
    static const char *const wanted[] = {
        "slirp4netns version 1.",          "\ncommit: ",       "\nlibslirp: 4.",
        "\nSLIRP_CONFIG_VERSION_MAX: 4\n", "\nlibseccomp: 2.",
    };
    g_auto(Parsed) parsed = { 0 };

    (void)state;
    parse("--version", &parsed);
    assert_int_equal(parsed.verdict, RN_SLIRP_ANSWERED);
    for (unsigned i = 0; i < G_N_ELEMENTS(wanted); i++)
        assert_non_null(strstr(parsed.out->str, wanted[i]));
}

static void assert_address(const RnEndpoint *endpoint, const char *wanted)
{
    char text[RN_ENDPOINT_TEXT];

    assert_string_equal(rn_endpoint_format_address(endpoint, text), wanted);
}

static void plan_has_the_originals_defaults(void **state)
{
    g_auto(Parsed) parsed = { 0 };
    g_autoptr(GError) error = NULL;
    RnNetworkPlan plan;

    (void)state;
    parse("1 tap7", &parsed);
    assert_true(rn_slirp_plan(&parsed.options, &plan, &error));
    assert_string_equal(plan.interface, "tap7");
    assert_int_equal(plan.mtu, 1500);
    assert_int_equal(plan.prefix6, 0);
    assert_int_equal(plan.host_loopback, 1);
    assert_int_equal(plan.is_manual, 1);
    assert_int_equal(plan.no_dns, 0);
    assert_address(&plan.guest4, "10.0.2.100");
    assert_int_equal(plan.outbound4.family, AF_UNSPEC);
}

static void plan_has_what_was_asked_for(void **state)
{
    static const uint8_t mac[] = { 2, 0xa, 0xff, 0, 0x11, 1 };
    g_auto(Parsed) parsed = { 0 };
    g_autoptr(GError) error = NULL;
    RnNetworkPlan plan;

    (void)state;
    parse("-c -6 --cidr=192.168.0.0/17 --disable-host-loopback --disable-dns "
          "--macaddress=2:a:FF:0:11:01 --mtu 65521 "
          "--outbound-addr=127.0.0.2 --outbound-addr6=lo 1 tap7",
          &parsed);
    if (!rn_slirp_plan(&parsed.options, &plan, &error))
        assert_no_error(error);
    assert_int_equal(plan.mtu, 65521);
    assert_int_equal(plan.prefix4, 17);
    assert_int_equal(plan.prefix6, 64);
    assert_int_equal(plan.host_loopback, 0);
    assert_int_equal(plan.is_manual, 0);
    assert_int_equal(plan.no_dns, 1);
    assert_address(&plan.gateway4, "192.168.0.2");
    assert_address(&plan.guest4, "192.168.0.100");
    assert_memory_equal(plan.guest_mac, mac, sizeof mac);
    assert_address(&plan.outbound4, "127.0.0.2");
    /* alone, without --outbound-addr=lo: the original's defect */
    assert_address(&plan.outbound6, "::1");
}

static void small_mtu_goes_without_ipv6(void **state)
{
    static const struct {
        const char *line;
        uint8_t prefix6;
    } cases[] = {
        { "-c -6 --mtu=1279 1 t", 0 },
        { "-c -6 --mtu=1280 1 t", 64 },
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Parsed) parsed = { 0 };
        RnNetworkPlan plan;

        parse(cases[i].line, &parsed);
        assert_true(rn_slirp_plan(&parsed.options, &plan, NULL));
        assert_int_equal(plan.prefix6, cases[i].prefix6);
    }
}

static void impossible_plans_are_refused_as_by_the_original(void **state)
{
    static const struct {
        const char *line;
        const char *part;
    } cases[] = {
        { "--cidr=x 1 t", "invalid CIDR: x" },
        { "--cidr=10.0.2.0 1 t", "invalid CIDR: " },
        { "--cidr=10.0.2.0/240 1 t", "invalid CIDR: " },
        { "--cidr=10.0.2.0/24x 1 t", "invalid CIDR: " },
        { "--cidr=10.0.2.1234/24 1 t", "invalid CIDR: " },
        { "--cidr=10.0.300.0/24 1 t", "invalid network address: 10.0.300.0" },
        { "--cidr=10.0.2.0/26 1 t", "prefix length needs to be 1-25" },
        { "--cidr=10.0.2.0/0 1 t", "prefix length needs to be 1-25" },
        { "--cidr=10.0.2.100/24 1 t",
          "CIDR needs to be a network address like 10.0.2.0/24, not like "
          "10.0.2.100/24" },
        { "-c --macaddress=zz 1 t", "\"zz\" is an invalid MAC address." },
        { "-c --macaddress=1:2:3:4:5 1 t", "is an invalid MAC address." },
        { "-c --macaddress=1:2:3:4:5:6:7 1 t", "is an invalid MAC address." },
        { "-c --macaddress=1:2:3:4:5:100 1 t", "is an invalid MAC address." },
        { "--outbound-addr=nosuchif 1 t",
          "outbound-addr has to be valid ipv4 address or interface name." },
        { "--outbound-addr=::1 1 t", "outbound-addr has to be valid ipv4" },
        { "--outbound-addr6=10.0.0.1 1 t", "valid ipv6 address" },
        { "1 interface-of-long-name", "no interface's name" },
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Parsed) parsed = { 0 };
        g_autoptr(GError) error = NULL;
        RnNetworkPlan plan;

        parse(cases[i].line, &parsed);
        assert_int_equal(parsed.verdict, RN_SLIRP_RUN);
        assert_false(rn_slirp_plan(&parsed.options, &plan, &error));
        assert_error(error, RN_ERROR, RN_ERROR_INVALID, cases[i].part);
    }
}

static void start_block_has_the_originals_form(void **state)
{
    g_auto(Parsed) parsed = { 0 };
    g_autoptr(GString) text = g_string_new(NULL);
    RnNetworkPlan plan;

    (void)state;
    parse("-c --api-socket=/tmp/s --outbound-addr=127.0.0.1 "
          "--macaddress=02:00:00:00:00:0a 1 t",
          &parsed);
    assert_true(rn_slirp_plan(&parsed.options, &plan, NULL));
    rn_slirp_append_start(text, &plan, &parsed.options);
    assert_string_equal(
        text->str,
        "Starting slirp\n"
        "* MTU:             1500\n"
        "* Network:         10.0.2.0\n"
        "* Netmask:         255.255.255.0\n"
        "* Gateway:         10.0.2.2\n"
        "* DNS:             10.0.2.3\n"
        "* DHCP begin:      10.0.2.100\n"
        "* DHCP end:        10.0.2.115\n"
        "* Recommended IP:  10.0.2.100\n"
        "* API Socket:      /tmp/s\n"
        "* Outbound IPv4:    127.0.0.1\n"
        "* MAC address:     02:00:00:00:00:0a\n"
        "WARNING: 127.0.0.1:* on the host is accessible as 10.0.2.2 (set "
        "--disable-host-loopback to prohibit connecting to 127.0.0.1:*)\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_the_originals),
        cmocka_unit_test(podmans_command_line_is_read),
        cmocka_unit_test(options_may_follow_operands),
        cmocka_unit_test(other_targets_are_read),
        cmocka_unit_test(what_is_wrong_is_said_as_the_original_does),
        cmocka_unit_test(old_spellings_warn_and_work),
        cmocka_unit_test(help_has_what_callers_look_for),
        cmocka_unit_test(version_has_the_originals_lines),
        cmocka_unit_test(plan_has_the_originals_defaults),
        cmocka_unit_test(plan_has_what_was_asked_for),
        cmocka_unit_test(small_mtu_goes_without_ipv6),
        cmocka_unit_test(impossible_plans_are_refused_as_by_the_original),
        cmocka_unit_test(start_block_has_the_originals_form),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
