/* SPDX-License-Identifier: MIT */
/*
 * Eddy's PostgreSQL client beside asyncpg and bare libpq: pg NAME... measures one benchmark or more
 * and prints a table of each.
 *
 * A contest of contest/contest.h: each measurement is a process of its own, PROGRAM NAME COUNT,
 * which connects, gets ready, and then measures itself. All ask one server that is started for
 * them, see pg/server.h; the processor time is the client's alone.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "contest/contest.h"
#include "contest/fail.h"
#include "contest/folder.h"
#include "pg/benchmark.h"
#include "pg/server.h"

#define ROUNDS 7 /* unless others are asked for; odd, for the median */

/* The command line, and where the server is. */
struct settings {
    unsigned rounds, rows;
    double seconds;
    bool peers;
    const char *folder;
};

struct run {
    const struct benchmark *benchmark;
    const struct settings *settings;
};

static bool play(const void *argument, const struct competitor *competitor, double *figures)
{
    const struct run *run = argument;
    const struct benchmark *benchmark = run->benchmark;
    struct reading reading;
    char count[16];
    const char *more[] = {count, NULL};

    snprintf(count, sizeof count, "%u",
             benchmark->rate ? (unsigned)(benchmark->rate * run->settings->seconds)
                             : run->settings->rows);
    server_use_link(run->settings->folder, false);
    if (benchmark->prepare)
        server_run(benchmark->prepare);
    server_use_link(run->settings->folder, benchmark->link);
    struct process process = competitor_start(competitor, more, ANYWHERE);
    bool complete = reading_parse(process.out, &reading);
    if (process_wait(&process) != 0 || !complete)
        return false;
    benchmark->convert(&reading, figures);
    return true;
}

static bool run_one(const struct benchmark *benchmark, const struct settings *settings)
{
    const struct run run = {benchmark, settings};
    struct contest contest = {
        .name = benchmark->name,
        .figures = benchmark->figures,
        .competitors = benchmark->competitors,
        .peers = true,
        .argument = &run,
        .measure = play,
    };

    while (benchmark->competitors[contest.count].name)
        contest.count++;
    competitors_find(benchmark->competitors, contest.count, settings->peers);
    printf("%s: %s; %u round%s\n\n", benchmark->name, benchmark->text, settings->rounds,
           settings->rounds == 1 ? "" : "s");
    fflush(stdout);
    return contest_play(&contest, settings->rounds);
}

static const struct benchmark *find(const char *name)
{
    const struct benchmark *benchmark = benchmarks;

    while (benchmark->name && strcmp(benchmark->name, name) != 0)
        benchmark++;
    return benchmark->name ? benchmark : NULL;
}

static int list_benchmarks(void)
{
    puts("usage: pg NAME... [--pairs N] [--seconds S] [--rows N] [--no-peers]\n");
    for (const struct benchmark *benchmark = benchmarks; benchmark->name; benchmark++)
        printf("  %-10s %s\n", benchmark->name, benchmark->text);
    return 2;
}

static bool parse(int argc, char **argv, struct settings *settings)
{
    static const struct option options[] = {
        {"pairs", required_argument, NULL, 'p'},
        {"seconds", required_argument, NULL, 's'},
        {"rows", required_argument, NULL, 'r'},
        {"no-peers", no_argument, NULL, 'n'},
        {0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
        switch (option) {
        case 'p': settings->rounds = (unsigned)strtoul(optarg, NULL, 10); break;
        case 's': settings->seconds = strtod(optarg, NULL); break;
        case 'r': settings->rows = (unsigned)strtoul(optarg, NULL, 10); break;
        case 'n': settings->peers = false; break;
        default: return false;
        }
    }
    if (settings->rounds == 0 || settings->rounds > ROUNDS_MAX || !(settings->seconds > 0) ||
        settings->rows == 0)
        fail("--pairs, --seconds or --rows", EINVAL);
    return optind < argc;
}

int main(int argc, char **argv)
{
    struct settings settings = {.rounds = ROUNDS, .rows = 1000000, .seconds = 2, .peers = true};
    bool complete = true;

    if (!parse(argc, argv, &settings))
        return list_benchmarks();
    for (int i = optind; i < argc; i++) {
        if (!find(argv[i])) {
            fprintf(stderr, "pg: no benchmark '%s'; without arguments I list them\n", argv[i]);
            return 1;
        }
    }
    if (!server_find()) {
        fputs("pg: no PostgreSQL server is installed (postgresql)\n", stderr);
        return 1;
    }
    settings.folder = folder_enter("/tmp", "pg");
    server_start(settings.folder, settings.rows);
    for (; optind < argc; optind++)
        complete &= run_one(find(argv[optind]), &settings);
    return !complete;
}
