/* SPDX-License-Identifier: MIT */
#include "get.h"

#include <sys/resource.h>

#include "contest/contest.h"
#include "contest/stopwatch.h"
#include "load.h"

#define GET_RATE 40000 /* pages in a second of measuring, about */

static struct competitor clients[] = {
    {.name = "Eddy, io_uring", "libcurl", {"http-get"}, .engine = "uring", .bars = {{.most = 0.5}}},
    {.name = "Eddy, epoll", "libcurl", {"http-get"}, .engine = "epoll", .bars = {{.most = 0.5}}},
    {.name = "libcurl", NULL, {"curl-get"}, .peer = true},
};
#define CLIENTS (sizeof clients / sizeof *clients)

static struct competitor nginx[] = {{.name = "nginx", NULL, {"/usr/sbin/nginx"}, .peer = true}};

void http_get_prepare(bool peers)
{
    competitors_find(clients, CLIENTS, peers);
    competitors_find(nginx, 1, true);
}

/* Processor time of all children that have ended, s. */
static double children_cpu(void)
{
    struct rusage usage;

    (void)getrusage(RUSAGE_CHILDREN, &usage); /* cannot fail */
    return (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6 +
           (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec / 1e6;
}

static bool measure(const void *argument, const struct competitor *competitor, double *figures)
{
    unsigned count = (unsigned)(*(const double *)argument * GET_RATE);
    char url[64], number[16];
    const char *more[] = {url, number, "64", NULL};
    struct http_server server;
    struct process client;
    double start, before;
    bool complete;

    if (!http_server_start(&nginx[0], 0, &server))
        return false;
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", server.port);
    snprintf(number, sizeof number, "%u", count);
    before = children_cpu();
    start = now();
    client = competitor_start(competitor, more, 1);
    complete = process_wait(&client) == 0;
    figures[0] = (children_cpu() - before) / count * 1e6;
    figures[1] = count / (now() - start) / 1e3;
    http_server_stop(&server);
    return complete;
}

bool http_get_play(unsigned rounds, double seconds)
{
    static const struct figure figures[] = {{"us/GET", 2}, {"1,000/s", 1}, {NULL, 0}};
    const struct contest contest = {
        .name = "get",
        .figures = figures,
        .competitors = clients,
        .count = CLIENTS,
        .peers = true,
        .argument = &seconds,
        .measure = measure,
    };

    printf("get: a page of 13 bytes from nginx, 64 in flight; %u rounds\n\n", rounds);
    fflush(stdout);
    return nginx[0].present && contest_play(&contest, rounds);
}
