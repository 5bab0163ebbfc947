/* SPDX-License-Identifier: MIT */
/* Random bytes. */
#include <eddy/stream_class.h>

#include "harness.h"

RAW_TEST(random_bytes_fill_all_that_was_asked_for_and_no_more)
{
    unsigned char data[4098], seen[256] = {0};
    int different = 0;

    memset(data, 0, sizeof data);
    CHECK_OK(eddy_random_(data + 1, 4096));
    CHECK_EQ(data[0], 0);
    CHECK_EQ(data[4097], 0);
    for (int i = 1; i <= 4096; i++)
        different += !seen[data[i]]++;
    CHECK(different > 200); /* fails by chance less often than the machine does */
}

/* Outside a loop there is no seed that could be repeated. */
RAW_TEST(random_seeds_are_other_ones_each_time)
{
    uint64_t one, other;

    CHECK_OK(eddy_seed_(&one));
    CHECK_OK(eddy_seed_(&other));
    CHECK(one != other);
}

RAW_TEST(random_bytes_are_other_ones_each_time)
{
    char one[16], other[16];

    CHECK_OK(eddy_random_(one, sizeof one));
    CHECK_OK(eddy_random_(other, sizeof other));
    CHECK(memcmp(one, other, sizeof one) != 0);
    CHECK_OK(eddy_random_(NULL, 0));
}
