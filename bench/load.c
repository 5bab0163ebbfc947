/* SPDX-License-Identifier: MIT */
/*
 * The load generator: load MODE PORT [OPTION...]. It prints one line, of the part after
 * the warm-up; see load/load.h. Its modes are the files of load/.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "load/load.h"

#define PATIENCE 60 /* seconds that a run may take beside what is measured */

/* A mode, and its connections and depth unless others are asked for. */
static const struct mode {
    const char *name, *text;
    unsigned connections, depth;
    void (*run)(const struct load *load);
} modes[] = {
    {"echo", "sends a message, awaits it, compares it", 64, 1, load_echo},
    {"pipeline", "the same with 16 messages in flight on a connection", 64, 16, load_echo},
    {"websocket", "echo of WebSocket messages", 64, 1, load_websocket},
    {"stream", "writes blocks, or reads them with --receive", 1, 1, load_stream},
    {"accept", "connects and closes", 64, 1, load_accept},
    {"idle", "connects, and closes all on a line on the standard input", 10000, 1, load_idle},
#ifdef BENCH_TLS
    {"tls-handshake", "connects, shakes hands and closes", 16, 1, load_tls_handshake},
    {"tls-bulk", "stream over TLS", 1, 1, load_tls_bulk},
#endif
};
#define MODES (sizeof modes / sizeof *modes)

static const char usage[] = "usage: load MODE PORT [OPTION...]\n\n"
                            "  --connections N   of its own number in each mode\n"
                            "  --size BYTES      of a message (64)\n"
                            "  --depth N         messages in flight on a connection\n"
                            "  --seconds S       measured (1)\n"
                            "  --warm-up S       before (0.2)\n"
                            "  --rounds N        or until so many are done\n"
                            "  --server PID      whose processor time is read\n"
                            "  --receive         stream from the server\n"
                            "  --ca FILE         certificate that TLS trusts\n";

void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);

    if (!memory)
        fail("calloc", ENOMEM);
    return memory;
}

static int list_modes(void)
{
    fputs(usage, stdout);
    putchar('\n');
    for (size_t i = 0; i < MODES; i++)
        printf("  %-14s %s\n", modes[i].name, modes[i].text);
    return 2;
}

/* Descriptors for all connections, beyond the hard limit if we may. */
static void raise_limit(rlim_t wanted)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        fail("getrlimit", errno);
    if (limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = wanted;
    if (limit.rlim_max < wanted)
        limit.rlim_max = wanted;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        fail("limit of open files (ulimit -n)", errno);
}

static void parse_options(struct load *load, int argc, char **argv)
{
    static const struct option options[] = {
        {"connections", required_argument, NULL, 'c'}, {"size", required_argument, NULL, 's'},
        {"depth", required_argument, NULL, 'd'},       {"seconds", required_argument, NULL, 't'},
        {"warm-up", required_argument, NULL, 'w'},     {"rounds", required_argument, NULL, 'r'},
        {"server", required_argument, NULL, 'p'},      {"receive", no_argument, NULL, 'v'},
        {"ca", required_argument, NULL, 'a'},          {0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
        switch (option) {
        case 'c': load->connections = (unsigned)strtoul(optarg, NULL, 10); break;
        case 's': load->size = strtoul(optarg, NULL, 10); break;
        case 'd': load->depth = (unsigned)strtoul(optarg, NULL, 10); break;
        case 't': load->seconds = strtod(optarg, NULL); break;
        case 'w': load->warm_up = strtod(optarg, NULL); break;
        case 'r': load->rounds = strtoull(optarg, NULL, 10); break;
        case 'p': load->server = (pid_t)strtol(optarg, NULL, 10); break;
        case 'v': load->receive = true; break;
        case 'a': load->ca = optarg; break;
        default: exit(2);
        }
    }
    if (load->connections == 0 || load->depth == 0 || load->size == 0)
        fail("--connections, --depth and --size", EINVAL);
}

int main(int argc, char **argv)
{
    const struct mode *mode = modes;

    while (argc >= 3 && mode < modes + MODES && strcmp(mode->name, argv[1]) != 0)
        mode++;
    if (argc < 3 || mode == modes + MODES)
        return list_modes();
    struct load load = {
        .port = (uint16_t)strtoul(argv[2], NULL, 10),
        .connections = mode->connections,
        .depth = mode->depth,
        .size = 64,
        .seconds = 1,
        .warm_up = 0.2,
    };
    parse_options(&load, argc - 2, argv + 2);
    raise_limit(load.connections + 64);
    alarm(PATIENCE + (unsigned)(load.warm_up + load.seconds)); /* a server may hang */
    mode->run(&load);
    return 0;
}
