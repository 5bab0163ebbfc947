/* SPDX-License-Identifier: MIT */
/* The heap against a model: smallest first, equal ones first come, first served. */
#include "base/heap.h"

#include <stdlib.h>

#include "harness.h"

#define HEAP_MAX 700

static alignas(16) char elements[HEAP_MAX * 128];
static uint64_t random_state = 1;

static unsigned heap_random(unsigned below)
{
    random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (unsigned)(random_state >> 33) % below;
}

/* The element's first two bytes are its key, the next two tell it from its equals. */
static int compare_keys(const void *a, const void *b)
{
    uint16_t x, y;

    memcpy(&x, a, 2);
    memcpy(&y, b, 2);
    return (x > y) - (x < y);
}

RAW_TEST(heap_elements_are_aligned_and_have_room_for_their_number)
{
    for (size_t size = 1; size <= 200; size++) {
        CHECK_EQ(ed_heap_stride(size) % 16, 0);
        CHECK(ed_heap_stride(size) >= size + 8);
        CHECK(ed_heap_stride(size) < size + 32);
    }
}

/* The smallest of the model; the first of equal ones. */
static size_t model_first(uint16_t (*model)[2], size_t count)
{
    size_t first = 0;

    for (size_t i = 1; i < count; i++)
        if (model[i][0] < model[first][0])
            first = i;
    return first;
}

static int check_heap(size_t size)
{
    static uint16_t model[HEAP_MAX][2];
    size_t count = 0;
    unsigned char item[128], got[128];

    for (unsigned step = 0; step < 5000; step++) {
        size_t first;

        if (count < HEAP_MAX && heap_random(100) < (step < 2500 ? 60 : 40)) {
            model[count][0] = (uint16_t)heap_random(30);
            model[count][1] = (uint16_t)step;
            memset(item, (int)step & 0xff, sizeof item);
            memcpy(item, model[count], 4);
            ed_heap_push(elements, count, size, item, step, compare_keys);
            count++;
        }
        if (!count || heap_random(2))
            continue;
        ed_heap_pop(elements, count, size, got, compare_keys);
        first = model_first(model, count);
        REQUIRE(memcmp(got, model[first], 4) == 0);
        for (size_t i = 4; i < size; i++) /* the rest came along */
            REQUIRE(got[i] == (model[first][1] & 0xff));
        memmove(model + first, model + first + 1, (count - first - 1) * sizeof model[0]);
        count--;
    }
    return 0;
}

/* D-4: equal priorities come out in the order in which they went in. */
RAW_TEST(heap_gives_the_smallest_and_equal_ones_in_order)
{
    static const size_t sizes[] = {4, 5, 8, 12, 16, 24, 100};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        CHECK_EQ(check_heap(sizes[i]), 0);
}

RAW_TEST(heap_of_one_gives_it_back)
{
    uint16_t item[2] = {7, 9}, got[2] = {0, 0};

    ed_heap_push(elements, 0, sizeof item, item, 0, compare_keys);
    ed_heap_pop(elements, 1, sizeof item, got, compare_keys);
    CHECK_EQ(got[0], 7);
    CHECK_EQ(got[1], 9);
}
