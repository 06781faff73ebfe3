/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slirp4netns-options - reads slirp4netns' command line
 *
 * Runs in the slirp4netns dialect. Each option is one line of a table: its name
 * for getopt_long(3), what it sets, and what the original says when it is
 * given. Checks come in the original's order. Failure: the original's message,
 * and the usage on stdout.
 */
#include "config.h"

#include <rnet/dialect/slirp4netns-options.h>

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rnet/dialect/slirp4netns-texts.h>

enum {
    MTU_DEFAULT = 1500,
    MTU_MAX = 65521,
};

/* What is read before the rules between options are checked. */
typedef struct Words {
    RnSlirpOptions *options;
    const char *netns_type, *target_type;
    const char *program;
    GString *out, *err;
    RnSlirpVerdict verdict;
} Words;

/* `value` is NULL for an option without one. False: refused, and said why. */
typedef bool (*OptionReader)(const char *value, Words *words);

static bool complain(Words *words, const char *text)
{
    g_string_append_printf(words->err, "%s\n", text);
    return false;
}

/* As strtol(3) with the whole text: a sign and leading blanks are taken. */
static bool read_number(const char *text, long min, long max, long *out_number)
{
    char *end = NULL;
    long number = 0;

    errno = 0;
    number = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || number < min ||
        number > max)
        return false;
    *out_number = number;
    return true;
}

static bool read_exit_fd(const char *value, Words *words)
{
    long fd = 0;

    if (!read_number(value, 0, G_MAXINT, &fd))
        return complain(words, "exit-fd must be a non-negative integer");
    words->options->exit_fd = (int)fd;
    return true;
}

static bool read_ready_fd(const char *value, Words *words)
{
    long fd = 0;

    if (!read_number(value, 0, G_MAXINT, &fd))
        return complain(words, "ready-fd must be a non-negative integer");
    words->options->ready_fd = (int)fd;
    return true;
}

static bool read_mtu(const char *value, Words *words)
{
    long mtu = 0;

    if (!read_number(value, 1, MTU_MAX, &mtu))
        return complain(words, "MTU must be a positive integer (< 65522)");
    words->options->mtu = (uint32_t)mtu;
    return true;
}

static bool read_userns_path(const char *value, Words *words)
{
    if (access(value, F_OK) < 0) {
        g_string_append_printf(words->err, "userns path doesn't exist: %s\n",
                               value);
        return false;
    }
    words->options->userns_path = value;
    return true;
}

static bool answer_help(G_GNUC_UNUSED const char *value, Words *words)
{
    rn_slirp_append_usage(words->out, words->program);
    words->verdict = RN_SLIRP_ANSWERED;
    return true;
}

static bool answer_version(G_GNUC_UNUSED const char *value, Words *words)
{
    rn_slirp_append_version(words->out);
    words->verdict = RN_SLIRP_ANSWERED;
    return true;
}

static bool read_netns_type(const char *value, Words *words)
{
    words->netns_type = value;
    return true;
}

static bool read_target_type(const char *value, Words *words)
{
    words->target_type = value;
    return true;
}

enum {
    NO_OFFSET = -1
};

/* One of read, text and flag says where an option's value goes. */
static const struct {
    const char *name;
    char letter; /* or 0 */
    OptionReader read;
    gssize text; /* offset of a const char * in RnSlirpOptions */
    gssize flag; /* offset of a bool */
    const char *warning;
    bool has_value;
} option_table[] = {
#define TEXT(member)                                                           \
    .text = offsetof(RnSlirpOptions, member), .flag = NO_OFFSET,               \
    .has_value = true
#define FLAG(member) .flag = offsetof(RnSlirpOptions, member), .text = NO_OFFSET
#define READER(function, wants_value)                                          \
    .read = (function), .text = NO_OFFSET, .flag = NO_OFFSET,                  \
    .has_value = (wants_value)
    { "configure", 'c', FLAG(configure) },
    { "exit-fd", 'e', READER(read_exit_fd, true) },
    { "ready-fd", 'r', READER(read_ready_fd, true) },
    { "mtu", 'm', READER(read_mtu, true) },
    { "cidr", 0, TEXT(cidr) },
    { "disable-host-loopback", 0, FLAG(disable_host_loopback) },
    { "no-host-loopback", 0, FLAG(disable_host_loopback),
      .warning = "--no-host-loopback is deprecated and will be removed in "
                 "future releases, please use --disable-host-loopback "
                 "instead." },
    { "netns-type", 0, READER(read_netns_type, true) },
    { "userns-path", 0, READER(read_userns_path, true) },
    { "api-socket", 'a', TEXT(api_socket) },
    { "enable-ipv6", '6', FLAG(ipv6) },
    { "enable-sandbox", 0, FLAG(sandbox) },
    { "create-sandbox", 0, FLAG(sandbox),
      .warning = "--create-sandbox is deprecated and will be removed in "
                 "future releases, please use --enable-sandbox instead." },
    { "enable-seccomp", 0, FLAG(seccomp) },
    { "help", 'h', READER(answer_help, false) },
    { "version", 'v', READER(answer_version, false) },
    { "outbound-addr", 0, TEXT(outbound4) },
    { "outbound-addr6", 0, TEXT(outbound6) },
    { "disable-dns", 0, FLAG(disable_dns) },
    { "macaddress", 0, TEXT(mac) },
    { "target-type", 0, READER(read_target_type, true) },
#undef TEXT
#undef FLAG
#undef READER
};

enum {
    N_OPTIONS = G_N_ELEMENTS(option_table),
    FIRST_LONG = 256, /* above all letters: getopt_long's value of a line */
};

static bool take_option(unsigned index, const char *value, Words *words)
{
    char *base = (char *)words->options;

    if (option_table[index].warning != NULL)
        g_string_append_printf(words->out, "WARNING: %s\n",
                               option_table[index].warning);
    if (option_table[index].read != NULL)
        return option_table[index].read(value, words);
    if (option_table[index].text != NO_OFFSET)
        *(const char **)(void *)(base + option_table[index].text) = value;
    else
        *(bool *)(base + option_table[index].flag) = true;
    return true;
}

/* The line of the table for what getopt_long() returned, or N_OPTIONS. */
static unsigned find_option(int found)
{
    unsigned i = 0;

    if (found >= FIRST_LONG)
        return (unsigned)(found - FIRST_LONG);
    while (i < N_OPTIONS && (option_table[i].letter == 0 ||
                             option_table[i].letter != (char)found))
        i++;
    return i;
}

static bool read_options(int argc, char **argv, Words *words)
{
    struct option longs[N_OPTIONS + 1] = { { 0 } };
    int found = -1;

    for (unsigned i = 0; i < N_OPTIONS; i++)
        longs[i] = (struct option){
            .name = option_table[i].name,
            .has_arg =
                option_table[i].has_value ? required_argument : no_argument,
            .val = (int)(FIRST_LONG + i),
        };
    optind = 0; /* glibc: start anew, with GNU's permutation */
    while (words->verdict == RN_SLIRP_RUN &&
           (found = getopt_long(argc, argv, "ce:r:m:a:6hv", longs, NULL)) >=
               0) {
        unsigned index = find_option(found);

        if (index >= N_OPTIONS || !take_option(index, optarg, words))
            return false;
    }
    return true;
}

static bool check_bess(int n_operands, char **operands, Words *words)
{
    RnSlirpOptions *options = words->options;

    if (options->configure)
        return complain(words, "--configure conflicts with --target-type=bess");
    if (words->netns_type != NULL)
        return complain(words,
                        "--netns-type conflicts with --target-type=bess");
    if (options->userns_path != NULL)
        return complain(words,
                        "--userns-path conflicts with --target-type=bess");
    if (n_operands < 1)
        return false;
    if (n_operands > 1)
        return complain(words, "too many arguments");
    g_string_append(words->out, "WARNING: BESS mode is experimental\n");
    options->target = RN_SLIRP_TARGET_BESS;
    options->path = operands[0];
    return true;
}

static bool check_tapfd(int n_operands, char **operands, Words *words)
{
    long fd = 0;

    if (words->options->configure)
        return complain(words, "--configure conflicts with a tapfd");
    if (n_operands < 1)
        return false;
    if (n_operands > 1)
        g_string_append(words->out, "WARNING: too many arguments\n");
    if (!read_number(operands[0], 0, G_MAXINT, &fd))
        return complain(words, "FD must be a non-negative integer");
    words->options->target = RN_SLIRP_TARGET_TAPFD;
    words->options->tap_fd = (int)fd;
    return true;
}

static bool check_netns(int n_operands, char **operands, Words *words)
{
    RnSlirpOptions *options = words->options;
    long pid = 0;

    if (n_operands < 2)
        return false;
    if (n_operands > 2)
        g_string_append(words->out, "WARNING: too many arguments\n");
    options->tap_name = operands[1];
    if (words->netns_type == NULL || strcmp(words->netns_type, "pid") == 0) {
        if (!read_number(operands[0], 1, G_MAXINT, &pid))
            return complain(words, "PID must be a positive integer");
        options->target = RN_SLIRP_TARGET_PID;
        options->pid = (pid_t)pid;
        return true;
    }
    if (access(operands[0], F_OK) < 0) {
        g_string_append_printf(
            words->err, "existing path expected when --netns-type=path: %s\n",
            g_strerror(errno));
        return false;
    }
    options->target = RN_SLIRP_TARGET_PATH;
    options->path = operands[0];
    return true;
}

static bool check_target(int n_operands, char **operands, Words *words)
{
    const char *type =
        words->target_type == NULL ? "netns" : words->target_type;
    bool is_tapfd =
        words->netns_type != NULL && strcmp(words->netns_type, "tapfd") == 0;

    if (words->options->mac != NULL && !words->options->configure)
        return complain(words, "--macaddr cannot be specified when --configure "
                               "or -c is not specified");
    if (strcmp(type, "bess") == 0)
        return check_bess(n_operands, operands, words);
    if (strcmp(type, "tapfd") == 0 || (is_tapfd && strcmp(type, "netns") == 0))
        return check_tapfd(n_operands, operands, words);
    if (strcmp(type, "netns") == 0)
        return check_netns(n_operands, operands, words);
    return complain(
        words,
        "--target-type must be either \"netns\" or \"bess\" or \"tapfd\"");
}

RnSlirpVerdict rn_slirp_options_parse(int argc, char **argv,
                                      RnSlirpOptions *out_options, GString *out,
                                      GString *err)
{
    RnSlirpOptions options = {
        .tap_fd = -1,
        .exit_fd = -1,
        .ready_fd = -1,
        .mtu = MTU_DEFAULT,
    };
    Words words = {
        .options = &options,
        .program = argv[0],
        .out = out,
        .err = err,
        .verdict = RN_SLIRP_RUN,
    };

    if (!read_options(argc, argv, &words) ||
        (words.verdict == RN_SLIRP_RUN &&
         !check_target(argc - optind, argv + optind, &words))) {
        rn_slirp_append_usage(out, words.program);
        return RN_SLIRP_REFUSED;
    }
    *out_options = options;
    return words.verdict;
}
