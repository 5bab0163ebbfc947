/* SPDX-License-Identifier: MIT */
/* How long many things took. */
#include "tools/latency.h"

#include "harness.h"

static struct ed_latency latency;

/* Whether a time is right to one part in 64. */
static bool is_about(double seconds, double wanted)
{
    return seconds >= wanted * 0.999 && seconds <= wanted * (1 + 1.0 / 64) + 1e-9;
}

RAW_TEST(latency_percentiles)
{
    for (int i = 1; i <= 1000; i++)
        ed_latency_add(&latency, i * 1e-3);
    CHECK(is_about(ed_latency_percentile(&latency, 50), 0.5));
    CHECK(is_about(ed_latency_percentile(&latency, 99), 0.99));
    CHECK(is_about(ed_latency_percentile(&latency, 99.9), 0.999));
    CHECK(is_about(ed_latency_percentile(&latency, 100), 1));
    CHECK(ed_latency_percentile(&latency, 100) <= 1);
    CHECK(is_about(ed_latency_percentile(&latency, 0), 1e-3));
    CHECK_EQ(latency.count, 1000);
}

RAW_TEST(latency_of_every_size)
{
    for (double seconds = 1e-9; seconds < 4000; seconds *= 1.37) {
        struct ed_latency one = {0};

        ed_latency_add(&one, seconds);
        ed_latency_add(&one, 4000);
        CHECK_THAT(
            is_about(ed_latency_percentile(&one, 50), (double)(uint64_t)(seconds * 1e9) / 1e9),
            "%g became %g", seconds, ed_latency_percentile(&one, 50));
    }
}

RAW_TEST(latency_of_nothing_and_beyond)
{
    CHECK(ed_latency_percentile(&latency, 50) == 0);
    ed_latency_add(&latency, -1);
    CHECK(ed_latency_percentile(&latency, 50) == 0);
    ed_latency_add(&latency, 1e6);
    CHECK(ed_latency_percentile(&latency, 100) > 3600);
}

RAW_TEST(latency_for_people)
{
    char text[32];

    CHECK_STR(ed_latency_text(0.00085, text), "850 us");
    CHECK_STR(ed_latency_text(0.00321, text), "3.21 ms");
    CHECK_STR(ed_latency_text(1.5, text), "1.50 s");
}
