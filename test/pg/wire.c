/* SPDX-License-Identifier: MIT */
/* Numbers and parts of binary forms. */
#include "pg/wire.h"

#include "values.h"

RAW_TEST(wire_numbers_are_big_endian)
{
    struct eddy_buffer_ buffer = {.data = NULL};

    CHECK_OK(pg_append16(&buffer, 0x0102));
    CHECK_OK(pg_append32(&buffer, 0x03040506));
    CHECK_OK(pg_append64(&buffer, 0x0708090a0b0c0d0e));
    CHECK_OK(pg_append_double(&buffer, 1));
    CHECK_OK(pg_append_text(&buffer, "x"));
    CHECK_EQ(ed_buffer_size(&buffer), 23);
    CHECK(memcmp(ed_buffer_bytes(&buffer),
                 "\1\2\3\4\5\6\7\x8\x9\xa\xb\xc\xd\xe\x3f\xf0\0\0\0\0\0\0x", 23) == 0);
    CHECK_EQ(pg_load16(buffer.data), 0x0102);
    CHECK_EQ(pg_load32(buffer.data + 2), 0x03040506);
    CHECK_EQ(pg_load64(buffer.data + 6), 0x0708090a0b0c0d0e);
    CHECK(pg_load_double(buffer.data + 14) == 1);
    ed_buffer_release(&buffer);
}

/* P-TYPE-8: a length is never believed. */
RAW_TEST(wire_parts_end_where_their_value_ends)
{
    static const char bytes[] = "\0\0\0\2ab\xff\xff\xff\xff\0\0\0\0\0\0\0\5abcd";
    struct pg_rest rest = {bytes, bytes + sizeof bytes - 1};
    const char *data = NULL;
    int32_t size = 0;

    CHECK_OK(pg_take_part(&rest, &data, &size));
    CHECK(size == 2 && memcmp(data, "ab", 2) == 0);
    CHECK_OK(pg_take_part(&rest, &data, &size));
    CHECK(!data);
    CHECK_OK(pg_take_part(&rest, &data, &size));
    CHECK(data && size == 0);
    CHECK_EQ(pg_take_part(&rest, &data, &size), EDDY_EPG_PROTOCOL);
    rest = (struct pg_rest){bytes, bytes + 3};
    CHECK_EQ(pg_take_part(&rest, &data, &size), EDDY_EPG_PROTOCOL);
    data = "\xff\xff\xff\xfe";
    rest = (struct pg_rest){data, data + 4};
    CHECK_EQ(pg_take_part(&rest, &data, &size), EDDY_EPG_PROTOCOL);
}
