/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * port-owner - finds the process behind a port that is in use
 *
 * Runs in the launcher, only when a bind failed. Two steps: the socket's inode
 * from /proc/net, then the process that has it open. Both lists may be long
 * and change while they are read, so the work is bounded and the answer is a
 * best effort: what cannot be read is passed over.
 */
#include "config.h"

#include <rnet/net/port-owner.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <rnet/util/fd.h>
#include <rnet/util/parse.h>

enum {
    LINES_MAX = 65536,  /* of /proc/net/tcp, listeners come first */
    LINKS_MAX = 262144, /* of /proc/PID/fd, over all processes */
    COMM_MAX = 64,      /* bytes, TASK_COMM_LEN is 16 */
    UDP_BOUND = 7,      /* state of an unconnected socket, as TCP_CLOSE */
    ADDRESS_WORD = 8,   /* hex digits for 32 bits of an address */
};

typedef struct Owner {
    unsigned long inode;
    unsigned uid;
} Owner;

static const struct {
    const char *path;
    uint16_t family;
} tables[RN_TRANSPORT_N_][2] = {
    [RN_TRANSPORT_TCP] = { { "/proc/net/tcp", AF_INET },
                           { "/proc/net/tcp6", AF_INET6 } },
    [RN_TRANSPORT_UDP] = { { "/proc/net/udp", AF_INET },
                           { "/proc/net/udp6", AF_INET6 } },
};

/* The kernel prints an address as 32-bit words in the host's byte order. */
static void parse_address(const char *digits, RnEndpoint *endpoint)
{
    for (gsize i = 0; digits[i * ADDRESS_WORD] != '\0'; i++) {
        char word[ADDRESS_WORD + 1];
        uint32_t value = 0;

        if ((i + 1) * sizeof value > sizeof endpoint->address)
            return;
        g_strlcpy(word, digits + i * ADDRESS_WORD, sizeof word);
        value = (uint32_t)strtoul(word, NULL, 16);
        memcpy(endpoint->address + i * sizeof value, &value, sizeof value);
        if (strlen(word) < ADDRESS_WORD)
            return;
    }
}

/* Does a socket bound to `held` keep `wanted` from being bound? */
static bool stands_in_the_way(const RnEndpoint *held, const RnEndpoint *wanted)
{
    if (held->port != wanted->port)
        return false;
    /* a socket on [::] has IPv4, too, unless it is IPV6_V6ONLY, which is not
     * shown; rnet's own are, so those of IPv4 never stand in their way */
    if (held->family != wanted->family)
        return held->family == AF_INET6 && rn_endpoint_is_any(held);
    if (rn_endpoint_is_any(held) || rn_endpoint_is_any(wanted))
        return true;
    return rn_endpoint_same_address(held, wanted);
}

/* One line of /proc/net/{tcp,udp}{,6}. */
static bool match_line(const char *line, RnTransport transport, uint16_t family,
                       const RnEndpoint *wanted, Owner *out_owner)
{
    RnEndpoint held = { .family = family };
    Owner owner = { 0 };
    char address[33] = "";
    unsigned port = 0;
    unsigned state = 0;

    if (sscanf(line,
               " %*u: %32[0-9A-Fa-f]:%4x %*[0-9A-Fa-f]:%*x %2x %*x:%*x "
               "%*x:%*x %*x %u %*u %lu",
               address, &port, &state, &owner.uid, &owner.inode) != 5)
        return false;
    held.port = (uint16_t)port;
    parse_address(address, &held);
    if (state != (transport == RN_TRANSPORT_TCP ? TCP_LISTEN : UDP_BOUND) ||
        !stands_in_the_way(&held, wanted))
        return false;
    *out_owner = owner;
    return true;
}

static bool search_table(const char *path, RnTransport transport,
                         uint16_t family, const RnEndpoint *wanted,
                         Owner *out_owner)
{
    FILE *file = fopen(path, "re");
    char line[512];
    bool found = false;

    if (file == NULL)
        return false;
    for (int i = 0; i < LINES_MAX && !found; i++) {
        if (fgets(line, sizeof line, file) == NULL)
            break;
        found = match_line(line, transport, family, wanted, out_owner);
    }
    (void)fclose(file); /* only read from */
    return found;
}

static bool find_socket(RnTransport transport, const RnEndpoint *wanted,
                        Owner *out_owner)
{
    for (gsize i = 0; i < G_N_ELEMENTS(tables[transport]); i++)
        if (search_table(tables[transport][i].path, transport,
                         tables[transport][i].family, wanted, out_owner))
            return true;
    return false;
}

/* Opens a directory, NULL if that cannot be done. */
static DIR *open_directory(int dirfd, const char *path)
{
    rn_autofd int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);

    if (directory != NULL)
        (void)g_steal_fd(&fd); /* the stream's now */
    return directory;
}

/* Is one of the process's fds a link to `target`? Counts *budget down. */
static bool has_open(int proc_fd, const char *pid, const char *target,
                     int *budget)
{
    g_autofree char *path = g_strconcat(pid, "/fd", NULL);
    DIR *directory = open_directory(proc_fd, path);
    const struct dirent *entry = NULL;
    char text[64];
    bool found = false;

    if (directory == NULL)
        return false;
    while (!found && *budget > 0 && (entry = readdir(directory)) != NULL) {
        ssize_t length =
            readlinkat(dirfd(directory), entry->d_name, text, sizeof text);

        (*budget)--;
        found = length == (ssize_t)strlen(target) &&
                memcmp(text, target, (size_t)length) == 0;
    }
    (void)closedir(directory);
    return found;
}

/* The process's name is its own choice: only printable ASCII is shown. */
static char *describe_process(int proc_fd, const char *pid)
{
    g_autofree char *path = g_strconcat(pid, "/comm", NULL);
    g_autofree char *comm = NULL;

    if (!rn_file_read(proc_fd, path, COMM_MAX, &comm, NULL, NULL))
        return g_strdup_printf("pid %s", pid);
    g_strchomp(comm);
    for (char *c = comm; *c != '\0'; c++)
        if (!g_ascii_isprint(*c) || *c == '"')
            *c = '?';
    return g_strdup_printf("\"%s\" (pid %s)", comm, pid);
}

static char *find_process(unsigned long inode)
{
    DIR *proc = open_directory(AT_FDCWD, "/proc");
    g_autofree char *target = g_strdup_printf("socket:[%lu]", inode);
    const struct dirent *entry = NULL;
    char *description = NULL;
    int budget = LINKS_MAX;

    if (proc == NULL)
        return NULL;
    while (description == NULL && budget > 0 &&
           (entry = readdir(proc)) != NULL) {
        if (g_ascii_isdigit(entry->d_name[0]) &&
            has_open(dirfd(proc), entry->d_name, target, &budget))
            description = describe_process(dirfd(proc), entry->d_name);
    }
    (void)closedir(proc);
    return description;
}

char *rn_port_owner_describe(RnTransport transport, const RnEndpoint *endpoint)
{
    Owner owner = { 0 };
    char *description = NULL;

    if (!find_socket(transport, endpoint, &owner))
        return NULL;
    description = find_process(owner.inode);
    if (description == NULL)
        description = g_strdup_printf("a process of user %u", owner.uid);
    return description;
}
