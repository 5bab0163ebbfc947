/* SPDX-License-Identifier: MIT */
/*
 * WebSocket echo beside TCP echo: websocket [--pairs N] [--connections N] [--seconds S].
 *
 * A contest of contest/contest.h: messages of 64 bytes, there and back. Each measurement is a
 * server process of its own on one processor and the load generator on another; the figure is the
 * server's processor time. The bar is what a frame, a mask and a message may cost beside the same
 * bytes.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contest/contest.h"
#include "contest/fail.h"

#define BAR                                                                                        \
    {                                                                                              \
        {                                                                                          \
            .most = 1.15                                                                           \
        }                                                                                          \
    }

static struct competitor competitors[] = {
    {.name = "WebSocket, io_uring",
     "TCP, io_uring",
     {"websocket-echo"},
     .engine = "uring",
     .bars = BAR},
    {.name = "TCP, io_uring", NULL, {"echo-server"}, .engine = "uring"},
    {.name = "WebSocket, epoll", "TCP, epoll", {"websocket-echo"}, .engine = "epoll", .bars = BAR},
    {.name = "TCP, epoll", NULL, {"echo-server"}, .engine = "epoll"},
};

/* The command line. */
struct settings {
    unsigned rounds;
    const char *connections, *seconds;
};

/* What the load generator says of a server. */
static bool load(const struct settings *settings, const char *mode, unsigned port, pid_t server,
                 double *figures)
{
    char port_text[16], pid[16];
    const char *argv[] = {build_path("load"),
                          mode,
                          port_text,
                          "--server",
                          pid,
                          "--seconds",
                          settings->seconds,
                          "--connections",
                          settings->connections,
                          NULL};
    struct process process;
    double count, bytes, seconds, cpu;
    bool complete;

    snprintf(port_text, sizeof port_text, "%u", port);
    snprintf(pid, sizeof pid, "%d", server);
    process = process_start(argv, NULL, 1);
    complete = fscanf(process.out, " count=%lf bytes=%lf seconds=%lf cpu=%lf", &count, &bytes,
                      &seconds, &cpu) == 4;
    if (process_wait(&process) != 0 || !complete || count <= 0)
        return false;
    figures[0] = 1e6 * cpu / count;
    figures[1] = count / seconds;
    return true;
}

static bool play(const void *argument, const struct competitor *competitor, double *figures)
{
    const char *const any_port[] = {"0", NULL};
    bool websocket = strcmp(competitor->command[0], "websocket-echo") == 0;
    struct process server = competitor_start(competitor, any_port, 0);
    unsigned port;
    bool complete = fscanf(server.out, "ready %u", &port) == 1 &&
                    load(argument, websocket ? "websocket" : "echo", port, server.pid, figures);

    kill(server.pid, SIGTERM);
    (void)process_wait(&server); /* it has been measured, however it ends */
    return complete;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"pairs", required_argument, NULL, 'p'},
        {"connections", required_argument, NULL, 'c'},
        {"seconds", required_argument, NULL, 's'},
        {0},
    };
    static const struct figure figures[] = {{"CPU us each", 2}, {"round trips/s", 0}, {NULL, 0}};
    struct settings settings = {.rounds = 7, .connections = "64", .seconds = "1"};
    struct contest contest = {
        .name = "websocket",
        .figures = figures,
        .competitors = competitors,
        .count = sizeof competitors / sizeof *competitors,
        .argument = &settings,
        .measure = play,
    };
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
        switch (option) {
        case 'p': settings.rounds = (unsigned)strtoul(optarg, NULL, 10); break;
        case 'c': settings.connections = optarg; break;
        case 's': settings.seconds = optarg; break;
        default: return 2;
        }
    }
    if (settings.rounds == 0 || settings.rounds > ROUNDS_MAX)
        fail("--pairs", EINVAL);
    signal(SIGPIPE, SIG_IGN);
    competitors_find(competitors, contest.count, false);
    printf("websocket: 64 bytes there and back, %s connections; %u rounds\n\n",
           settings.connections, settings.rounds);
    fflush(stdout);
    return !contest_play(&contest, settings.rounds);
}
