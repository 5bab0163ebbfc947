/* SPDX-License-Identifier: MIT */
/* Seconds to nanoseconds and back, at the ends of the range too. */
#include "base/time.h"

#include <float.h>
#include <math.h>

#include "harness.h"

RAW_TEST(time_seconds_become_nanoseconds)
{
    CHECK_EQ(ed_time_from_seconds(0), 0);
    CHECK_EQ(ed_time_from_seconds(-0.0), 0);
    CHECK_EQ(ed_time_from_seconds(1.5), 1500000000);
    CHECK_EQ(ed_time_from_seconds(-2), -2000000000);
    CHECK_EQ(ed_time_from_seconds(1e-9), 1);
    CHECK_EQ(ed_time_from_seconds(86400 * 365.25), INT64_C(31557600000000000));
}

/* A-LOOP-6: a limit that is not a whole number of ns may be late, never early. */
RAW_TEST(time_is_rounded_up)
{
    CHECK_EQ(ed_time_from_seconds(1e-10), 1);
    CHECK_EQ(ed_time_from_seconds(1.1e-9), 2);
    CHECK_EQ(ed_time_from_seconds(DBL_MIN), 1);
    CHECK_EQ(ed_time_from_seconds(DBL_TRUE_MIN), 1);
    CHECK_EQ(ed_time_from_seconds(0.0000000015), 2);
    CHECK_EQ(ed_time_from_seconds(-1.5e-9), -1);
    CHECK_EQ(ed_time_from_seconds(-1e-10), 0);
}

RAW_TEST(time_that_is_no_number_is_zero)
{
    CHECK_EQ(ed_time_from_seconds(NAN), 0);
    CHECK_EQ(ed_time_from_seconds(-NAN), 0);
}

RAW_TEST(time_beyond_the_range_is_its_end)
{
    CHECK_EQ(ed_time_from_seconds(EDDY_FOREVER), ED_NEVER);
    CHECK_EQ(ed_time_from_seconds(-EDDY_FOREVER), INT64_MIN);
    CHECK_EQ(ed_time_from_seconds(DBL_MAX), ED_NEVER);
    CHECK_EQ(ed_time_from_seconds(-DBL_MAX), INT64_MIN);
    CHECK_EQ(ed_time_from_seconds(9.3e9), ED_NEVER);
    CHECK_EQ(ed_time_from_seconds(-9.3e9), INT64_MIN);
    CHECK(ed_time_from_seconds(9.1e9) < ED_NEVER);
    CHECK(ed_time_from_seconds(-9.1e9) > INT64_MIN);
}

RAW_TEST(time_goes_back_to_seconds)
{
    CHECK(ed_time_to_seconds(1500000000) == 1.5);
    CHECK(ed_time_to_seconds(-1500000000) == -1.5);
    CHECK(ed_time_to_seconds(0) == 0);
    CHECK(isinf(ed_time_to_seconds(ED_NEVER)));
    CHECK(isfinite(ed_time_to_seconds(ED_NEVER - 1)));
    for (int64_t ns = 1; ns < INT64_C(1) << 50; ns = ns * 3 + 1) {
        int64_t back = ed_time_from_seconds(ed_time_to_seconds(ns));

        CHECK(back >= ns - 1 && back <= ns + 1);
    }
}

RAW_TEST(time_sums_stop_at_the_ends)
{
    CHECK_EQ(ed_time_add(1, 2), 3);
    CHECK_EQ(ed_time_add(ED_NEVER, 1), ED_NEVER);
    CHECK_EQ(ed_time_add(1, ED_NEVER), ED_NEVER);
    CHECK_EQ(ed_time_add(ED_NEVER, ED_NEVER), ED_NEVER);
    CHECK_EQ(ed_time_add(ED_NEVER - 5, 5), ED_NEVER);
    CHECK_EQ(ed_time_add(INT64_MIN, -1), INT64_MIN);
    CHECK_EQ(ed_time_add(-1, INT64_MIN), INT64_MIN);
    CHECK_EQ(ed_time_add(INT64_MIN, ED_NEVER), -1);
}

/* The clock that timers run on never goes back. */
RAW_TEST(time_monotonic_does_not_go_back)
{
    int64_t before = ed_time_monotonic();

    for (int i = 0; i < 10000; i++) {
        int64_t now = ed_time_monotonic();

        CHECK(now >= before);
        before = now;
    }
}
