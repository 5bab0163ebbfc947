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
    {what, take, {begin, sizeof(begin) - 1}, {unit, sizeof(unit) - 1}, {end, sizeof(end) - 1}}

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

/* Whether an input of so many bytes, and one of twice as many, cost as they should. */
static inline int cost_is_linear(const struct cost_input *input, size_t size)
{
    double once = 1e9, twice = 1e9;

    size /= test_is_on_valgrind() ? 8 : test_is_slow() ? 4 : 1;
    for (int i = 0; i < COST_LEAST_TRIES || (i < COST_MOST_TRIES && twice >= 3 * once); i++) {
        double one = cost_once(input, size), two = cost_once(input, 2 * size);

        REQUIRE(one >= 0 && two >= 0);
        once = one < once ? one : once;
        twice = two < twice ? two : twice;
    }
    if (getenv("EDDY_TEST_COST"))
        fprintf(stderr, "%s: %.0f ns a byte, %.2f\n", input->what, twice / (double)size / 2 * 1e9,
                twice / once);
    if (twice >= 3 * once)
        test_fail(__FILE__, __LINE__, "%s: twice as much takes %.1f times as long (%g s)",
                  input->what, twice / once, twice);
    return 0;
}

static inline int costs_are_linear(const struct cost_input *inputs, size_t count, size_t size)
{
    for (size_t i = 0; i < count; i++)
        EDDY_TRY(cost_is_linear(&inputs[i], size));
    return 0;
}
EDDY_ASYNC(costs_are_linear, const struct cost_input *, size_t, size_t);

/* In a loop of its own: what is measured may wait. The heap keeps large blocks, too, so that they
 * cost no more a byte than small ones. */
#define CHECK_LINEAR(inputs, size)                                                                 \
    (void)mallopt(M_MMAP_THRESHOLD, 1 << 30);                                                      \
    (void)mallopt(M_TRIM_THRESHOLD, 1 << 30);                                                      \
    CHECK_OK(eddy_run(costs_are_linear, inputs, ED_ARRAY_LENGTH(inputs), (size_t)(size)))

#endif
