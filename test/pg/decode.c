/* SPDX-License-Identifier: MIT */
/* Values in binary form, one by one. */
#include "pg/decode.h"

#include <math.h>

#include "values.h"

RAW_TEST(decode_reads_whole_numbers_of_all_sizes)
{
    static const struct {
        enum pg_kind kind;
        const char *data;
        int size;
        int64_t value;
    } numbers[] = {
        {PG_KIND_BOOL, BYTES("\1"), 1},
        {PG_KIND_INT2, BYTES("\xff\xfe"), -2},
        {PG_KIND_INT4, BYTES("\x80\0\0\0"), INT32_MIN},
        {PG_KIND_INT8, BYTES("\x80\0\0\0\0\0\0\0"), INT64_MIN},
        {PG_KIND_OID, BYTES("\xff\xff\xff\xff"), UINT32_MAX},
        {PG_KIND_XID8, BYTES("\0\0\0\1\0\0\0\0"), INT64_C(1) << 32},
        {PG_KIND_LSN, BYTES("\0\0\0\0\0\0\0\1"), 1},
        {PG_KIND_NUMERIC, BYTES("\0\1\0\1\x40\0\0\0\0\1"), -10000},
    };
    __int128 whole;
    double real;

    for (size_t i = 0; i < ED_ARRAY_LENGTH(numbers); i++) {
        CHECK_OK(
            pg_decode_whole(numbers[i].kind, numbers[i].data, (size_t)numbers[i].size, &whole));
        CHECK_EQ(whole, numbers[i].value);
        if (numbers[i].kind == PG_KIND_BOOL || numbers[i].kind == PG_KIND_LSN)
            continue;
        CHECK_OK(
            pg_decode_double(numbers[i].kind, numbers[i].data, (size_t)numbers[i].size, &real));
        CHECK(real == (double)numbers[i].value);
    }
    CHECK_OK(pg_decode_double(PG_KIND_FLOAT4, "\x3f\x80\0\0", 4, &real));
    CHECK(real == 1);
    CHECK_OK(pg_decode_double(PG_KIND_FLOAT8, "\x7f\xf0\0\0\0\0\0\0", 8, &real));
    CHECK(isinf(real));
    CHECK_EQ(pg_decode_whole(PG_KIND_FLOAT8, "\x3f\xf0\0\0\0\0\0\0", 8, &whole), EDDY_EPG_TYPE);
    CHECK_EQ(pg_decode_whole(PG_KIND_BOOL, "\2", 1, &whole), EDDY_EPG_PROTOCOL);
}

/* P-TYPE-8: a value is of the size of its kind, no byte more or less. */
RAW_TEST(decode_takes_no_value_of_another_size)
{
    static const char bytes[64] = {0};
    union {
        eddy_pg_date date;
        eddy_pg_time time;
        eddy_pg_timestamp timestamp;
        eddy_pg_interval interval;
        eddy_pg_uuid uuid;
    } value;
    __int128 whole;
    double real;

    for (size_t size = 0; size < sizeof bytes; size++) {
        for (int kind = PG_KIND_BOOL; kind <= PG_KIND_LSN; kind++)
            CHECK_EQ(pg_decode_whole((enum pg_kind)kind, bytes, size, &whole),
                     size == pg_kind_size((enum pg_kind)kind) ? 0 : EDDY_EPG_PROTOCOL);
        CHECK_EQ(pg_decode_double(PG_KIND_FLOAT4, bytes, size, &real),
                 size == 4 ? 0 : EDDY_EPG_PROTOCOL);
        CHECK_EQ(pg_decode_double(PG_KIND_FLOAT8, bytes, size, &real),
                 size == 8 ? 0 : EDDY_EPG_PROTOCOL);
        CHECK_EQ(pg_decode_date(bytes, size, &value.date), size == 4 ? 0 : EDDY_EPG_PROTOCOL);
        CHECK_EQ(pg_decode_time(false, bytes, size, &value.time),
                 size == 8 ? 0 : EDDY_EPG_PROTOCOL);
        CHECK_EQ(pg_decode_time(true, bytes, size, &value.time),
                 size == 12 ? 0 : EDDY_EPG_PROTOCOL);
        CHECK_EQ(pg_decode_timestamp(bytes, size, &value.timestamp),
                 size == 8 ? 0 : EDDY_EPG_PROTOCOL);
        CHECK_EQ(pg_decode_interval(bytes, size, &value.interval),
                 size == 16 ? 0 : EDDY_EPG_PROTOCOL);
        CHECK_EQ(pg_decode_uuid(bytes, size, &value.uuid), size == 16 ? 0 : EDDY_EPG_PROTOCOL);
    }
}

RAW_TEST(decode_reads_times_with_their_zones_turned_east)
{
    eddy_pg_time time;

    CHECK_OK(pg_decode_time(true, "\0\0\0\0\0\0\0\1\xff\xff\xf1\xf0", 12, &time));
    CHECK(time.microseconds == 1 && time.zone == 3600);
    CHECK_OK(pg_decode_time(false, "\0\0\0\x14\x1d\xd7\x60\0", 8, &time)); /* 24:00:00 */
    CHECK_EQ(time.microseconds, INT64_C(86400000000));
    CHECK_EQ(pg_decode_time(false, "\0\0\0\x14\x1d\xd7\x60\1", 8, &time), EDDY_EPG_PROTOCOL);
    CHECK_EQ(pg_decode_time(false, "\xff\0\0\0\0\0\0\0", 8, &time), EDDY_EPG_PROTOCOL);
    CHECK_EQ(pg_decode_time(true, "\0\0\0\0\0\0\0\1\x80\0\0\0", 12, &time), EDDY_EPG_PROTOCOL);
}

RAW_TEST(decode_checks_addresses_and_bits)
{
    static const struct {
        const char *data;
        int size;
    } addresses[] =
        {
            {BYTES("")},
            {BYTES("\2")},
            {BYTES("\2\x20\0\4\1\2\3")},     /* too short */
            {BYTES("\2\x20\0\4\1\2\3\4\5")}, /* too long */
            {BYTES("\2\x21\0\4\1\2\3\4")},   /* a prefix of 33 bits */
            {BYTES("\2\x20\0\5\1\2\3\4")},   /* a length that lies */
            {BYTES("\4\x20\0\4\1\2\3\4")},   /* no family */
            {BYTES("\3\x20\0\4\1\2\3\4")},   /* IPv6 of 4 bytes */
        },
      bits[] = {
          {BYTES("")},
          {BYTES("\0\0\0\1")},
          {BYTES("\0\0\0\x09\xff")},
          {BYTES("\0\0\0\x08\xff\xff")},
          {BYTES("\xff\xff\xff\xff\xff")},
      };
    eddy_pg_inet inet;
    eddy_pg_bits value;
    eddy_pg_mac mac;

    for (size_t i = 0; i < ED_ARRAY_LENGTH(addresses); i++)
        CHECK_EQ(pg_decode_inet(addresses[i].data, (size_t)addresses[i].size, &inet),
                 EDDY_EPG_PROTOCOL);
    for (size_t i = 0; i < ED_ARRAY_LENGTH(bits); i++)
        CHECK_EQ(pg_decode_bits(bits[i].data, (size_t)bits[i].size, &value), EDDY_EPG_PROTOCOL);
    CHECK_OK(pg_decode_bits("\0\0\0\x09\xff\x80", 6, &value));
    CHECK(value.count == 9 && value.data[1] == 0x80);
    CHECK_OK(pg_decode_inet("\2\x18\0\4\1\2\3\4", 8, &inet));
    CHECK(!inet.ipv6 && inet.prefix == 24 && inet.bytes[3] == 4);
    CHECK_EQ(pg_decode_mac("1234567", 7, &mac), EDDY_EPG_PROTOCOL);
}

RAW_TEST(decode_finds_the_text_behind_the_version_of_jsonb)
{
    eddy_pg_bytes bytes;

    CHECK_OK(pg_decode_text(PG_KIND_JSONB, "\1{}", 3, &bytes));
    CHECK(bytes.size == 2 && memcmp(bytes.data, "{}", 2) == 0);
    CHECK_OK(pg_decode_text(PG_KIND_TEXT, "\1{}", 3, &bytes));
    CHECK_EQ(bytes.size, 3);
    CHECK_EQ(pg_decode_text(PG_KIND_JSONB, "\2{}", 3, &bytes), EDDY_EPG_PROTOCOL);
    CHECK_EQ(pg_decode_text(PG_KIND_JSONB, "", 0, &bytes), EDDY_EPG_PROTOCOL);
}
