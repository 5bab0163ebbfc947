/* SPDX-License-Identifier: MIT */
/*
 * Eddy's files and processes beside what they cost without a runtime: file NAME... measures one
 * benchmark or more and prints a table of each.
 *
 * A contest of contest/contest.h: each measurement is a process of its own, which measures
 * itself, wherever the kernel puts it. Its files are made once, and are in the page cache or
 * out of it before each measurement, as the benchmark says; see file/work.h.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "contest/fail.h"
#include "contest/folder.h"
#include "file/benchmark.h"

#define ROUNDS 7 /* unless others are asked for; odd, for the median */

static bool play(const void *argument, const struct competitor *competitor, double *figures)
{
    const struct benchmark *benchmark = argument;
    struct reading reading;

    if (benchmark->prepare)
        benchmark->prepare();
    struct process process = competitor_start(competitor, NULL, ANYWHERE);
    bool complete = reading_parse(process.out, &reading);
    if (process_wait(&process) != 0 || !complete)
        return false;
    benchmark->convert(&reading, figures);
    return true;
}

static bool run(const struct benchmark *benchmark, unsigned rounds, bool peers)
{
    struct contest contest = {
        .name = benchmark->name,
        .figures = benchmark->figures,
        .competitors = benchmark->competitors,
        .peers = true,
        .argument = benchmark,
        .measure = play,
    };

    while (benchmark->competitors[contest.count].name)
        contest.count++;
    competitors_find(benchmark->competitors, contest.count, peers);
    if (benchmark->make)
        benchmark->make();
    printf("%s: %s; %u round%s\n\n", benchmark->name, benchmark->text, rounds,
           rounds == 1 ? "" : "s");
    fflush(stdout);
    return contest_play(&contest, rounds);
}

/* Runs all benchmarks of that name; false if there is none, or one has not been complete. */
static bool run_name(const char *name, unsigned rounds, bool peers)
{
    bool found = false, complete = true;

    for (const struct benchmark *benchmark = benchmarks; benchmark->name; benchmark++) {
        if (strcmp(benchmark->name, name) != 0)
            continue;
        found = true;
        complete &= run(benchmark, rounds, peers);
    }
    if (!found)
        fprintf(stderr, "file: no benchmark '%s'; without arguments I list them\n", name);
    return found && complete;
}

static int list_benchmarks(void)
{
    puts("usage: file NAME... [--pairs N] [--no-peers]\n");
    for (const struct benchmark *benchmark = benchmarks; benchmark->name; benchmark++)
        printf("  %-14s %s\n", benchmark->name, benchmark->text);
    return 2;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"pairs", required_argument, NULL, 'p'},
        {"no-peers", no_argument, NULL, 'n'},
        {0},
    };
    unsigned rounds = ROUNDS;
    bool peers = true, complete = true;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
        switch (option) {
        case 'p': rounds = (unsigned)strtoul(optarg, NULL, 10); break;
        case 'n': peers = false; break;
        default: return list_benchmarks();
        }
    }
    if (optind == argc)
        return list_benchmarks();
    if (rounds == 0 || rounds > ROUNDS_MAX)
        fail("--pairs", EINVAL);
    (void)folder_enter(build_path("."), "file");
    for (; optind < argc; optind++)
        complete &= run_name(argv[optind], rounds, peers);
    return !complete;
}
