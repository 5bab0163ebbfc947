/* SPDX-License-Identifier: MIT */
#include "contest.h"

#include <stdlib.h>
#include <string.h>

/* All figures of a run: [competitor][figure][round]. */
static double results[COMPETITORS_MAX][FIGURES][ROUNDS_MAX];

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

/* The number of the competitor that this one is compared with; COMPETITORS_MAX if that was not
 * measured. */
static size_t base_of(const struct contest *contest, size_t competitor, const bool *measured)
{
    const char *base = contest->competitors[competitor].base;
    size_t i = 0;

    while (i < contest->count && (!base || strcmp(contest->competitors[i].name, base)))
        i++;
    return i < contest->count && measured[i] ? i : COMPETITORS_MAX;
}

/* The median of the rounds' ratios to the base; 0 if there is none. */
static double ratio_to(size_t competitor, size_t base, int figure, unsigned rounds)
{
    double ratios[ROUNDS_MAX];

    if (base == COMPETITORS_MAX || results[base][figure][0] == 0)
        return 0;
    for (unsigned i = 0; i < rounds; i++)
        ratios[i] = results[competitor][figure][i] / results[base][figure][i];
    return sorted(ratios, rounds)[rounds / 2];
}

/* One cell: the median, the range, and the ratio, if there is one. */
static void print_cell(size_t competitor, double ratio, int figure, int decimals, unsigned rounds)
{
    char cell[96];
    const double *order = sorted(results[competitor][figure], rounds);
    int length = snprintf(cell, sizeof cell, "%.*f (%.*f..%.*f)", decimals, order[rounds / 2],
                          decimals, order[0], decimals, order[rounds - 1]);

    printf("  %*s%s", length < 26 ? 26 - length : 0, "", cell);
    if (ratio > 0)
        printf(" x%.3f", ratio);
    else
        printf("%7s", "");
}

static void print_bar(const struct contest *contest, size_t competitor, size_t base, int figure,
                      unsigned rounds)
{
    const struct competitor *self = &contest->competitors[competitor];
    const struct bar *bar = &self->bars[figure];
    bool most = bar->most > 0;
    double value = bar->alone ? sorted(results[competitor][figure], rounds)[rounds / 2]
                              : ratio_to(competitor, base, figure, rounds);

    if ((!most && bar->least <= 0) || value <= 0)
        return;
    printf("bar: %s: %s at %s %g", self->name, contest->figures[figure].text,
           most ? "most" : "least", most ? bar->most : bar->least);
    if (!bar->alone)
        printf(" x %s", self->base);
    printf(": %.3f, %s\n", value,
           (most ? value <= bar->most : value >= bar->least) ? "reached" : "MISSED");
}

static int name_width(const struct contest *contest, const bool *measured)
{
    size_t width = 16;

    for (size_t i = 0; i < contest->count; i++) {
        size_t length = strlen(contest->competitors[i].name);

        if (measured[i] && length > width)
            width = length;
    }
    return (int)width;
}

static void print_table(const struct contest *contest, const bool *measured, unsigned rounds)
{
    int width = name_width(contest, measured);

    printf("%-*s", width, "");
    for (const struct figure *figure = contest->figures; figure->text; figure++)
        printf("  %26s%7s", figure->text, "");
    putchar('\n');
    for (size_t i = 0; i < contest->count; i++) {
        size_t base = base_of(contest, i, measured);

        if (!measured[i])
            continue;
        printf("%-*s", width, contest->competitors[i].name);
        for (int j = 0; contest->figures[j].text; j++)
            print_cell(i, ratio_to(i, base, j, rounds), j, contest->figures[j].decimals, rounds);
        if (base < COMPETITORS_MAX)
            printf("  of %s", contest->competitors[base].name);
        putchar('\n');
    }
}

static void print_bars(const struct contest *contest, const bool *measured, unsigned rounds)
{
    for (size_t i = 0; i < contest->count; i++) {
        size_t base = base_of(contest, i, measured);

        for (int j = 0; measured[i] && contest->figures[j].text; j++)
            print_bar(contest, i, base, j, rounds);
    }
}

/* Measures one competitor once; false if it could not be. */
static bool measure(const struct contest *contest, size_t competitor, unsigned round)
{
    const struct competitor *self = &contest->competitors[competitor];
    double figures[FIGURES] = {0};
    bool complete = contest->measure(contest->argument, self, figures);

    if (!complete)
        fprintf(stderr, "%s: %s failed\n", contest->name, self->name);
    for (int i = 0; i < FIGURES; i++)
        results[competitor][i][round] = figures[i];
    return complete;
}

bool contest_play(const struct contest *contest, unsigned rounds)
{
    bool measured[COMPETITORS_MAX], complete = true;
    size_t count = contest->count;

    for (size_t i = 0; i < count; i++) {
        const struct competitor *competitor = &contest->competitors[i];

        measured[i] = competitor->present && (contest->peers || !competitor->peer);
    }
    for (unsigned round = 0; round < rounds; round++) {
        for (size_t turn = 0; turn < count; turn++) {
            size_t i = round % 2 ? count - 1 - turn : turn;

            if (measured[i] && !measure(contest, i, round))
                measured[i] = complete = false;
        }
    }
    print_table(contest, measured, rounds);
    print_bars(contest, measured, rounds);
    putchar('\n');
    fflush(stdout);
    return complete;
}
