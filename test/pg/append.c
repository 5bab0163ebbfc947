/* SPDX-License-Identifier: MIT */
/* Values in binary form, made. */
#include "pg/append.h"

#include "values.h"

#define CHECK_BYTES(buffer, literal)                                                               \
    do {                                                                                           \
        CHECK_EQ(ed_buffer_size(&(buffer)), sizeof(literal) - 1);                                  \
        CHECK(memcmp(ed_buffer_bytes(&(buffer)), (literal), sizeof(literal) - 1) == 0);            \
        ed_buffer_release(&(buffer));                                                              \
    } while (0)

RAW_TEST(append_numbers_in_the_size_of_their_kind)
{
    struct eddy_buffer_ buffer = {.data = NULL};

    CHECK_OK(pg_append_whole(&buffer, PG_KIND_BOOL, 1));
    CHECK_OK(pg_append_whole(&buffer, PG_KIND_INT2, (uint64_t)-2));
    CHECK_OK(pg_append_whole(&buffer, PG_KIND_INT4, 0x01020304));
    CHECK_OK(pg_append_whole(&buffer, PG_KIND_INT8, 5));
    CHECK_OK(pg_append_real(&buffer, PG_KIND_FLOAT4, 1));
    CHECK_OK(pg_append_real(&buffer, PG_KIND_FLOAT8, 1));
    CHECK_BYTES(buffer, "\1\xff\xfe\1\2\3\4\0\0\0\0\0\0\0\5\x3f\x80\0\0\x3f\xf0\0\0\0\0\0\0");
}

RAW_TEST(append_types_of_c_as_the_server_wants_them)
{
    struct eddy_buffer_ buffer = {.data = NULL};

    CHECK_OK(pg_append_time(&buffer, true, (eddy_pg_time){1, 3600}));
    CHECK_BYTES(buffer, "\0\0\0\0\0\0\0\1\xff\xff\xf1\xf0");
    CHECK_OK(pg_append_interval(&buffer, (eddy_pg_interval){1, 2, 3}));
    CHECK_BYTES(buffer, "\0\0\0\0\0\0\0\3\0\0\0\2\0\0\0\1");
    CHECK_OK(pg_append_inet(&buffer, true, &(eddy_pg_inet){{10}, 8, false}));
    CHECK_BYTES(buffer, "\2\x08\1\4\x0a\0\0\0");
}

/* Bits behind the last are not sent. */
RAW_TEST(append_bits_without_what_is_behind_them)
{
    struct eddy_buffer_ buffer = {.data = NULL};

    CHECK_OK(pg_append_bits(&buffer, (eddy_pg_bits){(const uint8_t *)"\xff\xff", 11}));
    CHECK_BYTES(buffer, "\0\0\0\x0b\xff\xe0");
    CHECK_OK(pg_append_bits(&buffer, (eddy_pg_bits){NULL, 0}));
    CHECK_BYTES(buffer, "\0\0\0\0");
}

RAW_TEST(append_a_length_that_is_known_later)
{
    struct eddy_buffer_ buffer = {.data = NULL};
    size_t place;

    CHECK_OK(ed_buffer_append(&buffer, "ab", 2));
    CHECK_OK(pg_append_length(&buffer, &place));
    CHECK_OK(ed_buffer_append(&buffer, "cde", 3));
    pg_end_length(&buffer, place);
    CHECK_BYTES(buffer, "ab\0\0\0\3cde");
}
