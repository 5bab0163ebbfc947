/* SPDX-License-Identifier: MIT */
/* The text form of values that are made of others. */
#include "pg/format.h"

#include "values.h"

#define INT "\0\0\0\4\0\0\0"
#define ARRAY(dimensions, flag, oid) "\0\0\0" dimensions "\0\0\0" flag "\0\0\0" oid

/* A value of a built-in type as text, or the name of an error. */
static const char *formatted(uint32_t oid, const char *data, int size)
{
    static char out[512];
    struct eddy_buffer_ buffer = {.data = NULL};
    int rc = pg_format(NULL, pg_types_find(NULL, oid), data, (size_t)size, &buffer);

    (void)snprintf(out, sizeof out, "%.*s", (int)ed_buffer_size(&buffer),
                   buffer.data ? ed_buffer_bytes(&buffer) : "");
    if (rc < 0)
        (void)snprintf(out, sizeof out, "%s", eddy_error_name(rc));
    ed_buffer_release(&buffer);
    return out;
}

RAW_TEST(format_arrays_in_braces_with_quotes_where_they_need_them)
{
    CHECK_STR(formatted(1007, BYTES(ARRAY("\0", "\0", "\x17"))), "{}");
    CHECK_STR(
        formatted(1007, BYTES(ARRAY("\2", "\1", "\x17") "\0\0\0\2\0\0\0\1\0\0\0\2\0\0\0\1" INT
                                                        "\1" INT "\2" INT "\3\xff\xff\xff\xff")),
        "{{1,2},{3,NULL}}");
    CHECK_STR(formatted(1007, BYTES(ARRAY("\1", "\0", "\x17") "\0\0\0\2\xff\xff\xff\xff" INT
                                                              "\1" INT "\2")),
              "[-1:0]={1,2}");
    CHECK_STR(
        formatted(1009, BYTES(ARRAY("\1", "\0", "\x19") "\0\0\0\5\0\0\0\1\0\0\0\0\0\0\0\4null"
                                                        "\0\0\0\3a b\0\0\0\4\"\\,{\0\0\0\1x")),
        "{\"\",\"null\",\"a b\",\"\\\"\\\\,{\",x}");
    CHECK_STR(
        formatted(22, BYTES(ARRAY("\1", "\0", "\x15") "\0\0\0\2\0\0\0\0\0\0\0\2\0\1\0\0\0\2\0\2")),
        "1 2");
}

RAW_TEST(format_ranges_and_multiranges)
{
    CHECK_STR(formatted(3904, BYTES("\2" INT "\1" INT "\x0a")), "[1,10)");
    CHECK_STR(formatted(3904, BYTES("\1")), "empty");
    CHECK_STR(formatted(3904, BYTES("\x18")), "(,)");
    CHECK_STR(formatted(3904, BYTES("\x0c" INT "\5")), "(,5]");
    CHECK_STR(formatted(3908, BYTES("\x12\0\0\0\x08\0\0\0\0\0\0\0\0")),
              "[\"2000-01-01 00:00:00\",)");
    CHECK_STR(formatted(4451, BYTES("\0\0\0\0")), "{}");
    CHECK_STR(formatted(4451, BYTES("\0\0\0\2\0\0\0\x11\2" INT "\1" INT "\3\0\0\0\1\x18")),
              "{[1,3),(,)}");
}

/* P-TYPE-8, at every level. */
RAW_TEST(format_bytes_that_are_none_are_refused)
{
    static const struct {
        uint32_t type;
        const char *data;
        int size;
    } bad[] = {
        {23, BYTES("\0\0\0")},
        {1700, BYTES("\0\1")},
        {3802, BYTES("\2{}")},
        {1007,
         BYTES(ARRAY("\1", "\0", "\x17") "\0\0\0\1\0\0\0\1\0\0\0\3\0\0\1")}, /* an int of 3 bytes */
        {1007, BYTES(ARRAY("\1", "\0", "\x19") "\0\0\0\1\0\0\0\1\0\0\0\1x")}, /* texts */
        {3904, BYTES("\x12\0\0\0\3\0\0\1")},
        {4451, BYTES("\0\0\0\1\xff\xff\xff\xff")},
        {4451, BYTES("\0\0\0\0x")},
        {4451, BYTES("\x7f\xff\xff\xff")},
        {3614, BYTES("x")}, /* tsvector has no binary form here */
        {22, BYTES(ARRAY("\1", "\1", "\x15") "\0\0\0\1\0\0\0\0\xff\xff\xff\xff")},
    };

    for (size_t i = 0; i < ED_ARRAY_LENGTH(bad); i++)
        CHECK_STR(formatted(bad[i].type, bad[i].data, bad[i].size),
                  eddy_error_name(EDDY_EPG_PROTOCOL));
}

/* A composite, a domain's array, and one type too deep in others. */
RAW_TEST(format_composites_of_types_that_were_learned)
{
    struct pg_types *types = pg_types_new();
    struct eddy_buffer_ buffer = {.data = NULL};

    CHECK_OK(pg_types_add(types, &(struct pg_type){.oid = 50000,
                                                   .kind = PG_KIND_COMPOSITE,
                                                   .name = "pair",
                                                   .delimiter = ',',
                                                   .count = 2,
                                                   .fields = (uint32_t[]){23, 25}}));
    CHECK_OK(pg_format(types, pg_types_find(types, 50000),
                       BYTES("\0\0\0\3\0\0\0\x17" INT "\1\0\0\0\x19\0\0\0\4a\"b "
                             "\0\0\0\x19\xff\xff\xff\xff"),
                       &buffer));
    CHECK_OK(ed_buffer_append(&buffer, "", 1));
    CHECK_STR(ed_buffer_bytes(&buffer), "(1,\"a\"\"b \",)");
    buffer.end = buffer.start;
    CHECK_EQ(pg_format(types, pg_types_find(types, 50000), BYTES("\0\0\0\1\0\0\xff\xff" INT "\1"),
                       &buffer),
             EDDY_EPG_PROTOCOL);
    CHECK_EQ(pg_format(types, pg_types_find(types, 50000), BYTES("\0\0\0\2\0\0\0\x17" INT "\1"),
                       &buffer),
             EDDY_EPG_PROTOCOL);
    ed_buffer_release(&buffer);
    pg_types_unref(types);
}
