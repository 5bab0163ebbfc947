/* SPDX-License-Identifier: MIT */
/* Ranges in binary form. */
#include "pg/range.h"

#include "values.h"

RAW_TEST(range_bounds_are_found_or_infinite)
{
    struct pg_range range;

    CHECK_OK(pg_range_read("\2\0\0\0\4\0\0\0\1\0\0\0\4\0\0\0\x0a", 17, &range));
    CHECK(range.flags == PG_RANGE_LOWER_INCLUSIVE && range.sizes[0] == 4 && range.sizes[1] == 4);
    CHECK_EQ(range.bounds[1][3], 10);
    CHECK_OK(pg_range_read("\x18", 1, &range));
    CHECK(!range.bounds[0] && !range.bounds[1]);
    CHECK_OK(pg_range_read("\1", 1, &range));
    CHECK(range.flags == PG_RANGE_EMPTY && !range.bounds[0]);
}

/* P-TYPE-8 */
RAW_TEST(range_bytes_that_are_none_are_refused)
{
    static const struct {
        const char *data;
        int size;
    } bad[] = {
        {BYTES("")},
        {BYTES("\x20")},                 /* a flag that there is not */
        {BYTES("\2")},                   /* no bounds */
        {BYTES("\x12\xff\xff\xff\xff")}, /* a bound that is NULL */
        {BYTES("\x12\0\0\0\5\0\0\0\1")}, /* longer than what is there */
        {BYTES("\1x")},                  /* something behind it */
    };
    struct pg_range range;

    for (size_t i = 0; i < ED_ARRAY_LENGTH(bad); i++)
        CHECK_EQ(pg_range_read(bad[i].data, (size_t)bad[i].size, &range), EDDY_EPG_PROTOCOL);
}
