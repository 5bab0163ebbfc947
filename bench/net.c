/* SPDX-License-Identifier: MIT */
/*
 * Eddy's networking beside what it costs without a runtime: net NAME... measures one
 * benchmark or more and prints a table of each.
 *
 * A contest of contest/contest.h: each measurement is a server process of its own on one
 * processor and the load generator on another.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "contest/fail.h"
#include "net/benchmark.h"

#define ROUNDS 7                  /* unless others are asked for; odd, for the median */
#define PYTHON "/usr/bin/python3" /* the one that python3-uvloop is for */
#define UVLOOP_ECHO BENCH_PEERS "/uvloop_echo.py"

/* Neighbours are compared. */
static struct competitor plain[] = {
    {.name = "Eddy, io_uring", "floor-uring", {"echo-server"}, .engine = "uring"},
    {.name = "floor-uring", "floor-epoll", {"floor-uring"}},
    {.name = "floor-epoll", NULL, {"floor-epoll"}},
    {.name = "Eddy, epoll", "floor-epoll", {"echo-server"}, .engine = "epoll"},
    {.name = "libuv", "floor-epoll", {"libuv-echo"}, .peer = true},
    {.name = "Go", "floor-epoll", {"peers/go-echo"}, .peer = true},
    {.name = "uvloop", "floor-epoll", {PYTHON, UVLOOP_ECHO}, .module = "uvloop", .peer = true},
    {.name = "uvloop, streams",
     "floor-epoll",
     {PYTHON, UVLOOP_ECHO, "--streams"},
     .module = "uvloop",
     .peer = true},
    {.name = "asyncio",
     "floor-epoll",
     {PYTHON, UVLOOP_ECHO, "--asyncio"},
     .module = "asyncio",
     .peer = true},
};

static struct competitor tls[] = {
    {.name = "Eddy, io_uring, TLS", "floor-openssl", {"echo-server"}, .engine = "uring"},
    {.name = "Eddy, epoll, TLS", "floor-openssl", {"echo-server"}, .engine = "epoll"},
    {.name = "floor-openssl", NULL, {"floor-openssl"}},
};
#define PLAIN (sizeof plain / sizeof *plain)
#define TLS (sizeof tls / sizeof *tls)

/* A benchmark with its settings: what the contest hands back to us. */
struct run {
    const struct benchmark *benchmark;
    const struct settings *settings;
};

static bool play(const void *argument, const struct competitor *competitor, double *figures)
{
    const struct benchmark *benchmark = ((const struct run *)argument)->benchmark;
    const struct settings *settings = ((const struct run *)argument)->settings;
    const char *more[] = {benchmark->tls ? "--cert" : benchmark->option,
                          settings->cert,
                          "--key",
                          settings->key,
                          benchmark->option,
                          NULL};
    struct server server;

    if (!benchmark->tls)
        more[1] = NULL;
    if (!server_start(competitor, more, &server))
        return false;
    bool complete = benchmark->measure(benchmark, settings, &server, figures);
    server_stop(&server);
    return complete;
}

/* All rounds with one number of connections. */
static bool run(const struct benchmark *benchmark, const struct settings *settings)
{
    struct run argument = {benchmark, settings};
    struct contest contest = {
        .name = benchmark->name,
        .figures = benchmark->figures,
        .competitors = benchmark->tls ? tls : plain,
        .count = benchmark->tls ? TLS : PLAIN,
        .peers = benchmark->peers,
        .argument = &argument,
        .measure = play,
    };

    printf("%s: %s, %u connection%s; %u round%s\n\n", benchmark->name, benchmark->text,
           settings->connections, settings->connections == 1 ? "" : "s", settings->rounds,
           settings->rounds == 1 ? "" : "s");
    fflush(stdout);
    return contest_play(&contest, settings->rounds);
}

static void run_openssl(const char *const *argv)
{
    struct process process = process_start(argv, NULL, 0);

    if (process_wait(&process) != 0)
        fail(argv[1], EPROTO);
}

/* Makes a key and a certificate for localhost that it signs itself. */
static void make_certificate(struct settings *settings)
{
    static char cert[2 * PATH_MAX], key[2 * PATH_MAX];
    const char *make_key[] = {"openssl", "ecparam", "-name", "prime256v1", "-genkey",
                              "-noout",  "-out",    key,     NULL};
    const char *sign[] = {"openssl", "req",   "-x509",         "-new", "-key", key, "-days",
                          "3650",    "-subj", "/CN=localhost", "-out", cert,   NULL};

    snprintf(cert, sizeof cert, "%s", build_path("tls-cert.pem"));
    snprintf(key, sizeof key, "%s", build_path("tls-key.pem"));
    run_openssl(make_key);
    run_openssl(sign);
    settings->cert = cert;
    settings->key = key;
}

/* Runs all benchmarks of that name; false if there is none, or one has not been complete. */
static bool run_name(const char *name, const unsigned *connections, const struct settings *given)
{
    bool found = false, complete = true;

    for (const struct benchmark *benchmark = benchmarks; benchmark->name; benchmark++) {
        const unsigned *numbers = connections[0] ? connections : benchmark->connections;
        struct settings settings = *given;

        if (strcmp(benchmark->name, name) != 0)
            continue;
        found = true;
        if (benchmark->tls)
            make_certificate(&settings);
        for (; *numbers; numbers++) {
            settings.connections = *numbers;
            complete &= run(benchmark, &settings);
        }
    }
    if (!found)
        fprintf(stderr, "net: no benchmark '%s'; without arguments I list them\n", name);
    return found && complete;
}

static int list_benchmarks(void)
{
    puts("usage: net NAME... [--pairs N] [--connections N[,N...]] [--seconds S] [--no-peers]\n");
    for (const struct benchmark *benchmark = benchmarks; benchmark->name; benchmark++)
        printf("  %-14s %s\n", benchmark->name, benchmark->text);
    return 2;
}

/* As many descriptors as we may have; the servers inherit the limit. */
static void raise_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        fail("getrlimit", errno);
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        fail("setrlimit", errno);
}

/* Reads up to `limit` numbers with commas between; a 0 ends them. */
static void parse_numbers(const char *text, unsigned *out, size_t limit)
{
    char *end;

    for (size_t i = 0; i < limit; i++) {
        out[i] = (unsigned)strtoul(text, &end, 10);
        if (out[i] == 0)
            fail(text, EINVAL);
        if (*end == '\0')
            return;
        text = end + 1;
    }
    fail("--connections", E2BIG);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"pairs", required_argument, NULL, 'p'},
        {"connections", required_argument, NULL, 'c'},
        {"seconds", required_argument, NULL, 's'},
        {"no-peers", no_argument, NULL, 'n'},
        {0},
    };
    struct settings settings = {.rounds = ROUNDS};
    unsigned connections[9] = {0};
    bool peers = true, complete = true;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
        switch (option) {
        case 'p': settings.rounds = (unsigned)strtoul(optarg, NULL, 10); break;
        case 'c': parse_numbers(optarg, connections, 8); break;
        case 's': settings.seconds = strtod(optarg, NULL); break;
        case 'n': peers = false; break;
        default: return list_benchmarks();
        }
    }
    if (optind == argc)
        return list_benchmarks();
    if (settings.rounds == 0 || settings.rounds > ROUNDS_MAX)
        fail("--pairs", EINVAL);
    signal(SIGPIPE, SIG_IGN);
    raise_limit();
    competitors_find(plain, PLAIN, peers);
    competitors_find(tls, TLS, peers);
    for (; optind < argc; optind++)
        complete &= run_name(argv[optind], connections, &settings);
    return !complete;
}
