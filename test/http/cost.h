/* SPDX-License-Identifier: MIT */
/*
 * What input costs when there is twice as much of it: twice, if the cost is linear, and four times
 * where each byte or item looks at all others. So less than three times is asked for.
 *
 * An input is a beginning, a unit again and again, and an end. Cost is the processor time of the
 * thread, the least of several; it is taken again while the machine disturbs it.
 */
#ifndef TEST_HTTP_COST_H
#define TEST_HTTP_COST_H

#include <malloc.h>
#include <stdlib.h>
#include <time.h>

#include "base/compat.h"
#include "base/memory.h"
#include "harness.h"

#define COST_MOST (1 << 20) /* bytes of an input */
#define COST_LEAST_TRIES 4
#define COST_MOST_TRIES 60

struct cost_input {
    const char *what;
    int (*take)(const char *data, size_t size); /* 0, or an error; the data end with a NUL */
    struct cost_text {
        const char *data;
        size_t size;
    } begin, unit, end;
};

/* Texts may have NULs in them. */
#define COST(what, take, begin, unit, end)                                                         \
    {                                                                                              \
        what, take, {begin, sizeof(begin) - 1}, {unit, sizeof(unit) - 1},                          \
        {                                                                                          \
            end, sizeof(end) - 1                                                                   \
        }                                                                                          \
    }

static inline size_t cost_put(char *to, size_t size, struct cost_text text)
{
    memcpy(to + size, text.data, text.size);
    return size + text.size;
}

/* Seconds that an input of so many bytes takes; negative when it cannot be taken. */
static inline double cost_once(const struct cost_input *input, size_t size)
{
    static char data[COST_MOST + 4096];
    struct timespec begin, end;
    size_t used = cost_put(data, 0, input->begin);
    int rc;

    while (used < size)
        used = cost_put(data, used, input->unit);
    used = cost_put(data, used, input->end);
    data[used] = '\0';
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
    rc = input->take(data, used);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    if (rc < 0) {
        fprintf(stderr, "%s: %s\n", input->what, eddy_error_message(rc));
        return -1;
    }
    return (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) * 1e-9;
}

/* Checks that an input costs less than three times as much as another. */
static inline int cost_is_at_most(const struct cost_input *more, size_t more_size,
                                  const struct cost_input *less, size_t less_size)
{
    double most = 1e9, least = 1e9;

    for (int i = 0; i < COST_LEAST_TRIES || (i < COST_MOST_TRIES && most >= 3 * least); i++) {
        double one = cost_once(less, less_size), other = cost_once(more, more_size);

        REQUIRE(one >= 0 && other >= 0);
        least = one < least ? one : least;
        most = other < most ? other : most;
    }
    if (most >= 3 * least)
        test_fail(__FILE__, __LINE__, "%s: %zu bytes take %.1f times as long as %zu of %s (%g s)",
                  more->what, more_size, most / least, less_size, less->what, most);
    return 0;
}

/* The same of an input that is twice as long, for each of several. */
static inline int costs_are_linear(const struct cost_input *inputs, size_t count, size_t size)
{
    size /= test_is_on_valgrind() || ed_memory_guarded() ? 8 : test_is_slow() ? 4 : 1;
    for (size_t i = 0; i < count; i++)
        EDDY_TRY(cost_is_at_most(&inputs[i], 2 * size, &inputs[i], size));
    return 0;
}
EDDY_ASYNC(costs_are_linear, const struct cost_input *, size_t, size_t);

/* In a loop of its own: what is measured may wait. The heap keeps large blocks, too, so that they
 * cost no more a byte than small ones. */
#define CHECK_LINEAR(inputs, size)                                                                 \
    (void)mallopt(M_MMAP_THRESHOLD, 32 << 20);                                                     \
    (void)mallopt(M_TRIM_THRESHOLD, 32 << 20);                                                     \
    CHECK_OK(eddy_run(costs_are_linear, inputs, ED_ARRAY_LENGTH(inputs), (size_t)(size)))

#endif
