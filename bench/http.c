/* SPDX-License-Identifier: MIT */
/*
 * Eddy's web server beside nginx: http NAME... measures one benchmark or more and prints a table
 * of each. wrk makes the load, on another processor than the server.
 *
 * A contest of contest/contest.h: each measurement is a server process of its own; its processor
 * time is what it took between the first and the last request. Files stand in the build's folder.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "contest/contest.h"
#include "contest/fail.h"
#include "http/get.h"
#include "http/load.h"

#define ROUNDS 7 /* unless others are asked for; odd, for the median */

static struct competitor servers[] = {
    {.name = "Eddy, io_uring", "nginx", {"http-hello"}, .engine = "uring"},
    {.name = "Eddy, epoll", "nginx", {"http-hello"}, .engine = "epoll"},
    {.name = "nginx", NULL, {"/usr/sbin/nginx"}, .peer = true},
};
#define SERVERS (sizeof servers / sizeof *servers)

/* One competitor again and again, with other work. */
static struct competitor works[] = {
    {.name = "hello", NULL, {"http-hello"}},
    {.name = "of 10 routes", "hello", {"http-hello"}},
    {.name = "of 1,000 routes", "of 10 routes", {"http-hello"}},
};
#define WORKS (sizeof works / sizeof *works)

static const struct figure processor[] = {{"us/request", 2}, {"1,000/s", 1}, {NULL, 0}};
static const struct figure memory[] = {{"bytes/connection", 0}, {NULL, 0}};

static const struct benchmark {
    const char *name, *text, *path;
    unsigned connections[3]; /* up to a 0 */
    unsigned pipelined;
    bool idle, routes;
} benchmarks[] = {
    {"hello", "a text of 13 bytes", "/", {64, 1000}, 1, false, false},
    {"pipeline", "the same, 16 requests at a time", "/", {64}, 16, false, false},
    {"file", "a file of 4 KB", "/files/4k", {64}, 1, false, false},
    {"json", "some 200 bytes of JSON by a route with a name", "/json/bob", {64}, 1, false, false},
    {"routes", "finding the last of some routes", "/routes/%u/bob", {64}, 1, false, true},
    {"idle", "memory of a connection that was used once", "/", {10000}, 1, true, false},
    {NULL, NULL, NULL, {0}, 0, false, false},
};

/* A benchmark with its settings: what the contest hands back to us. */
struct run {
    const struct benchmark *benchmark;
    unsigned connections;
    double seconds;
};

static bool play(const void *argument, const struct competitor *competitor, double *figures)
{
    const struct run *run = argument;
    unsigned routes = competitor == &works[1] ? 10 : competitor == &works[2] ? 1000 : 0;
    struct http_server server;
    char path[64];
    bool complete;

    snprintf(path, sizeof path, "%s", run->benchmark->path);
    if (run->benchmark->routes && routes > 0)
        snprintf(path, sizeof path, "/routes/%u/bob", routes - 1);
    else if (run->benchmark->routes)
        snprintf(path, sizeof path, "/");
    if (!http_server_start(competitor, routes, &server))
        return false;
    complete = run->benchmark->idle
                   ? http_measure_idle(&server, run->connections, figures)
                   : http_measure_load(&server, path, run->connections, run->benchmark->pipelined,
                                       run->seconds, figures);
    http_server_stop(&server);
    return complete;
}

static bool run_one(const struct run *run, unsigned rounds)
{
    const struct benchmark *benchmark = run->benchmark;
    struct contest contest = {
        .name = benchmark->name,
        .figures = benchmark->idle ? memory : processor,
        .competitors = benchmark->routes ? works : servers,
        .count = benchmark->routes ? WORKS : SERVERS,
        .peers = true,
        .argument = run,
        .measure = play,
    };

    printf("%s: %s, %u connections; %u rounds\n\n", benchmark->name, benchmark->text,
           run->connections, rounds);
    fflush(stdout);
    return contest_play(&contest, rounds);
}

/* The contest of WebSocket echo is a program of its own. */
static bool run_websocket(unsigned rounds, double seconds)
{
    char pairs_text[16], seconds_text[32];
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        snprintf(pairs_text, sizeof pairs_text, "%u", rounds);
        snprintf(seconds_text, sizeof seconds_text, "%g", seconds);
        execl(build_path("websocket"), "websocket", "--pairs", pairs_text, "--seconds",
              seconds_text, (char *)NULL);
        _exit(127);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static bool run_name(const char *name, unsigned rounds, double seconds)
{
    bool found = false, complete = true;

    if (strcmp(name, "get") == 0)
        return http_get_play(rounds, seconds);
    if (strcmp(name, "websocket") == 0)
        return run_websocket(rounds, seconds);
    for (const struct benchmark *benchmark = benchmarks; benchmark->name; benchmark++)
        for (size_t i = 0; strcmp(benchmark->name, name) == 0 && benchmark->connections[i]; i++) {
            const struct run run = {benchmark, benchmark->connections[i], seconds};

            found = true;
            complete &= run_one(&run, rounds);
        }
    if (!found)
        fprintf(stderr, "http: no benchmark '%s'; without arguments I list them\n", name);
    return found && complete;
}

static int list_benchmarks(void)
{
    puts("usage: http NAME... [--pairs N] [--seconds S] [--no-peers]\n");
    for (const struct benchmark *benchmark = benchmarks; benchmark->name; benchmark++)
        printf("  %-10s %s\n", benchmark->name, benchmark->text);
    printf("  %-10s %s\n", "get", "GETs of a small page by clients, 64 at a time");
    printf("  %-10s %s\n", "websocket", "WebSocket echo beside TCP echo");
    return 2;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"pairs", required_argument, NULL, 'p'},
        {"seconds", required_argument, NULL, 's'},
        {"no-peers", no_argument, NULL, 'n'},
        {0},
    };
    unsigned rounds = ROUNDS;
    double seconds = 2;
    bool peers = true, complete = true;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
        switch (option) {
        case 'p': rounds = (unsigned)strtoul(optarg, NULL, 10); break;
        case 's': seconds = strtod(optarg, NULL); break;
        case 'n': peers = false; break;
        default: return list_benchmarks();
        }
    }
    if (optind == argc)
        return list_benchmarks();
    if (rounds == 0 || rounds > ROUNDS_MAX || !(seconds > 0))
        fail("--pairs or --seconds", EINVAL);
    signal(SIGPIPE, SIG_IGN);
    http_prepare();
    competitors_find(servers, SERVERS, peers);
    competitors_find(works, WORKS, peers);
    http_get_prepare(peers);
    for (; optind < argc; optind++)
        complete &= run_name(argv[optind], rounds, seconds);
    return !complete;
}
