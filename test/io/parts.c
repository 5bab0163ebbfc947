/* SPDX-License-Identifier: MIT */
/* Bytes in several parts. */
#include "io/parts.h"

#include "harness.h"

RAW_TEST(parts_begin_where_the_last_write_ended)
{
    char data[] = "abcdefghij";
    const struct iovec parts[] = {{data, 3}, {NULL, 0}, {data + 3, 4}, {data + 7, 3}};
    struct iovec rest[4];

    CHECK_EQ(ed_parts_rest(parts, 4, 0, rest, 4), 3);
    CHECK(rest[0].iov_base == data && rest[0].iov_len == 3);
    CHECK(rest[1].iov_base == data + 3 && rest[1].iov_len == 4);
    CHECK_EQ(ed_parts_rest(parts, 4, 4, rest, 4), 2);
    CHECK(rest[0].iov_base == data + 4 && rest[0].iov_len == 3);
    CHECK_EQ(ed_parts_rest(parts, 4, 7, rest, 4), 1);
    CHECK(rest[0].iov_base == data + 7 && rest[0].iov_len == 3);
    CHECK_EQ(ed_parts_rest(parts, 4, 10, rest, 4), 0);
    CHECK_EQ(ed_parts_rest(parts, 4, 0, rest, 2), 2);
}

RAW_TEST(parts_of_more_than_a_transfer_are_cut)
{
    const struct iovec part = {NULL, 3 * ED_PARTS_TRANSFER};
    struct iovec rest;

    CHECK_EQ(ed_parts_rest(&part, 1, 0, &rest, 1), 1);
    CHECK_EQ(rest.iov_len, ED_PARTS_TRANSFER);
    CHECK_EQ(ed_parts_rest(&part, 1, 2 * ED_PARTS_TRANSFER + 5, &rest, 1), 1);
    CHECK_EQ(rest.iov_len, ED_PARTS_TRANSFER - 5);
}
