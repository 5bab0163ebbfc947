/* SPDX-License-Identifier: MIT */
/*
 * Eddy's networking beside what it costs without a runtime: net NAME... measures one
 * benchmark or more and prints a table of each.
 *
 * The competitors of a benchmark are measured one after the other, again and again, every
 * second round in the opposite order: a change of the machine's speed hits all alike. Each
 * measurement is a server process of its own on one processor and the load generator on
 * another. The table gives medians of the rounds, the lowest and highest, and the median
 * of each round's ratio to the floor, which other noise hardly touches.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "net/contest.h"

#define ROUNDS 7 /* unless others are asked for; odd, for the median */
#define ROUNDS_MAX 1000
#define PYTHON "/usr/bin/python3" /* the one that python3-uvloop is for */
#define UVLOOP_ECHO BENCH_PEERS "/uvloop_echo.py"

/* Neighbours are compared. */
static struct competitor competitors[] = {
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
    {.name = "Eddy, io_uring, TLS",
     "floor-openssl",
     {"echo-server"},
     .engine = "uring",
     .tls = true},
    {.name = "Eddy, epoll, TLS", "floor-openssl", {"echo-server"}, .engine = "epoll", .tls = true},
    {.name = "floor-openssl", NULL, {"floor-openssl"}, .tls = true},
};
#define COMPETITORS (sizeof competitors / sizeof *competitors)

/* All figures of a run: [competitor][figure][round]. */
static double results[COMPETITORS][FIGURES][ROUNDS_MAX];

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* A sorted copy, in a static buffer. */
static const double *sorted(const double *values, unsigned count)
{
    static double copy[ROUNDS_MAX];

    memcpy(copy, values, count * sizeof *values);
    qsort(copy, count, sizeof *copy, compare_doubles);
    return copy;
}

static bool takes_part(const struct competitor *competitor, const struct contest *contest)
{
    return competitor->present && competitor->tls == contest->tls &&
           (contest->peers || !competitor->peer);
}

static size_t base_of(const struct competitor *competitor)
{
    size_t i = 0;

    while (i < COMPETITORS && (!competitor->base || strcmp(competitors[i].name, competitor->base)))
        i++;
    return i;
}

/* One cell: the median, the range, and the median of the ratios to the base, if measured. */
static void print_cell(size_t competitor, size_t base, int figure, int decimals, unsigned rounds)
{
    char cell[96];
    const double *values = results[competitor][figure], *order = sorted(values, rounds);
    int length = snprintf(cell, sizeof cell, "%.*f (%.*f..%.*f)", decimals, order[rounds / 2],
                          decimals, order[0], decimals, order[rounds - 1]);

    printf("  %*s%s", length < 26 ? 26 - length : 0, "", cell);
    if (base == COMPETITORS || results[base][figure][0] == 0) {
        printf("%7s", "");
        return;
    }
    double ratios[ROUNDS_MAX];
    for (unsigned i = 0; i < rounds; i++)
        ratios[i] = values[i] / results[base][figure][i];
    printf(" x%.3f", sorted(ratios, rounds)[rounds / 2]);
}

static void print_table(const struct contest *contest, const bool *measured, unsigned rounds)
{
    printf("%-16s", "");
    for (const struct figure *figure = contest->figures; figure->text; figure++)
        printf("  %26s%7s", figure->text, "");
    putchar('\n');
    for (size_t i = 0; i < COMPETITORS; i++) {
        size_t base = base_of(&competitors[i]);

        if (!measured[i])
            continue;
        if (base < COMPETITORS && !measured[base])
            base = COMPETITORS;
        printf("%-16s", competitors[i].name);
        for (int j = 0; contest->figures[j].text; j++)
            print_cell(i, base, j, contest->figures[j].decimals, rounds);
        if (base < COMPETITORS)
            printf("  of %s", competitors[base].name);
        putchar('\n');
    }
    putchar('\n');
    fflush(stdout);
}

/* Measures one competitor once; false if it could not be. */
static bool play(const struct contest *contest, const struct settings *settings, size_t competitor,
                 unsigned round)
{
    const char *more[] = {contest->tls ? "--cert" : contest->option,
                          settings->cert,
                          "--key",
                          settings->key,
                          contest->option,
                          NULL};
    double figures[FIGURES] = {0};
    struct server server;

    if (!contest->tls)
        more[1] = NULL;
    if (!server_start(&competitors[competitor], more, &server))
        return false;
    bool complete = contest->measure(contest, settings, &server, figures);
    server_stop(&server);
    if (!complete)
        fprintf(stderr, "net: %s: %s failed\n", contest->name, competitors[competitor].name);
    for (int i = 0; i < FIGURES; i++)
        results[competitor][i][round] = figures[i];
    return complete;
}

/* All rounds with one number of connections. Who fails once is left out from then on. */
static bool run(const struct contest *contest, const struct settings *settings)
{
    bool measured[COMPETITORS], complete = true;

    for (size_t i = 0; i < COMPETITORS; i++)
        measured[i] = takes_part(&competitors[i], contest);
    printf("%s: %s, %u connection%s; %u round%s\n\n", contest->name, contest->text,
           settings->connections, settings->connections == 1 ? "" : "s", settings->rounds,
           settings->rounds == 1 ? "" : "s");
    fflush(stdout);
    for (unsigned round = 0; round < settings->rounds; round++) {
        for (size_t turn = 0; turn < COMPETITORS; turn++) {
            size_t i = round % 2 ? COMPETITORS - 1 - turn : turn;

            if (measured[i] && !play(contest, settings, i, round))
                measured[i] = complete = false;
        }
    }
    print_table(contest, measured, settings->rounds);
    return complete;
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

/* Runs all contests of that name; false if there is none, or one has not been complete. */
static bool run_name(const char *name, const unsigned *connections, const struct settings *given)
{
    bool found = false, complete = true;

    for (const struct contest *contest = contests; contest->name; contest++) {
        const unsigned *numbers = connections[0] ? connections : contest->connections;
        struct settings settings = *given;

        if (strcmp(contest->name, name) != 0)
            continue;
        found = true;
        if (contest->tls)
            make_certificate(&settings);
        for (; *numbers; numbers++) {
            settings.connections = *numbers;
            complete &= run(contest, &settings);
        }
    }
    if (!found)
        fprintf(stderr, "net: no benchmark '%s'; without arguments I list them\n", name);
    return found && complete;
}

static int list_contests(void)
{
    puts("usage: net NAME... [--pairs N] [--connections N[,N...]] [--seconds S] [--no-peers]\n");
    for (const struct contest *contest = contests; contest->name; contest++)
        printf("  %-14s %s\n", contest->name, contest->text);
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
        default: return list_contests();
        }
    }
    if (optind == argc)
        return list_contests();
    if (settings.rounds == 0 || settings.rounds > ROUNDS_MAX)
        fail("--pairs", EINVAL);
    signal(SIGPIPE, SIG_IGN);
    raise_limit();
    competitors_find(competitors, COMPETITORS, peers);
    for (; optind < argc; optind++)
        complete &= run_name(argv[optind], connections, &settings);
    return !complete;
}
