/* SPDX-License-Identifier: MIT */
/* Arrays in both forms. */
#include "pg/array.h"

#include "values.h"

#define HEAD(dimensions, flag, oid) "\0\0\0" dimensions "\0\0\0" flag "\0\0\0" oid
#define SIZE(size) "\0\0\0" size "\0\0\0\1"
#define ONE "\0\0\0\4\0\0\0\1"

RAW_TEST(array_in_binary_form_is_looked_at)
{
    struct pg_array array;

    CHECK_OK(pg_array_read(HEAD("\2", "\1", "\x17") SIZE("\1") SIZE("\2") ONE "\xff\xff\xff\xff",
                           40, &array));
    CHECK(array.count == 2 && array.dimensions == 2 && array.element == 23);
    CHECK(array.sizes[0] == 1 && array.sizes[1] == 2 && array.bounds[1] == 1);
    CHECK_OK(pg_array_read(HEAD("\0", "\0", "\x17"), 12, &array));
    CHECK(array.count == 0 && array.dimensions == 0);
    CHECK_OK(pg_array_read(HEAD("\1", "\0", "\x1a") "\0\0\0\0\0\0\0\0", 20, &array));
    CHECK_EQ(array.dimensions, 0); /* an empty oidvector */
}

/* P-TYPE-8, P-LIFE-5, CVE-2020-17446: dimensions that are not those of the elements. */
RAW_TEST(array_bytes_that_are_none_are_refused)
{
    static const struct {
        const char *data;
        int size;
    } bad[] = {
        {BYTES("")},
        {BYTES("\0\0\0\0\0\0\0\0")},                                      /* no type */
        {BYTES(HEAD("\7", "\0", "\x17"))},                                /* too many dimensions */
        {BYTES("\xff\xff\xff\xff\0\0\0\0\0\0\0\x17")},                    /* less than none */
        {BYTES(HEAD("\0", "\2", "\x17"))},                                /* no flag */
        {BYTES(HEAD("\1", "\0", "\x17"))},                                /* no size */
        {BYTES(HEAD("\1", "\0", "\x17") SIZE("\2") ONE)},                 /* an element misses */
        {BYTES(HEAD("\1", "\0", "\x17") SIZE("\1") ONE ONE)},             /* one too many */
        {BYTES(HEAD("\0", "\0", "\x17") ONE)},                            /* not empty */
        {BYTES(HEAD("\1", "\0", "\x17") "\xff\xff\xff\xff\0\0\0\1" ONE)}, /* a negative size */
        {BYTES(HEAD("\1", "\0", "\x17") "\x7f\xff\xff\xff\0\0\0\1" ONE)}, /* a huge one */
        {BYTES(HEAD("\2", "\0", "\x17") "\0\1\0\0\0\0\0\1\0\1\0\0\0\0\0\1" ONE)}, /* 2^32 */
        {BYTES(HEAD("\2", "\0", "\x17") SIZE("\0") SIZE("\1") ONE)},
        {BYTES(HEAD("\1", "\0", "\x17") SIZE("\1") "\0\0\0\5\0\0\0\1")}, /* beyond the end */
        {BYTES(HEAD("\1", "\0", "\x17") SIZE("\1") "\xff\xff\xff\xfe")}, /* a length of -2 */
    };
    struct pg_array array;

    for (size_t i = 0; i < ED_ARRAY_LENGTH(bad); i++)
        CHECK_EQ(pg_array_read(bad[i].data, (size_t)bad[i].size, &array), EDDY_EPG_PROTOCOL);
}

/* The elements of a text, with "|" behind each; or the name of an error. */
static const char *elements(const char *text, char delimiter)
{
    static char out[256];
    struct eddy_buffer_ buffer = {.data = NULL};
    struct pg_array array;
    int rc = pg_array_from_text(text, strlen(text), delimiter, 25, &buffer);

    if (rc == 0)
        rc = pg_array_read(ed_buffer_bytes(&buffer), ed_buffer_size(&buffer), &array);
    (void)snprintf(out, sizeof out, "%s", rc < 0 ? eddy_error_name(rc) : "");
    for (size_t i = 0; rc == 0 && i < array.count; i++) {
        const char *data;
        int32_t size;

        (void)pg_take_part(&array.parts, &data, &size);
        (void)snprintf(out + strlen(out), sizeof out - strlen(out), "%.*s|", data ? size : 1,
                       data ? data : "-");
    }
    ed_buffer_release(&buffer);
    return out;
}

RAW_TEST(array_in_text_form_is_taken_apart)
{
    CHECK_STR(elements("{}", ','), "");
    CHECK_STR(elements("{1,2,NULL}", ','), "1|2|-|");
    CHECK_STR(elements("{ a , \"b c\" , \"NULL\" , null }", ','), "a|b c|NULL|-|");
    CHECK_STR(elements("{\"\",\"a\\\"b\\\\c\",a\\,b}", ','), "|a\"b\\c|a,b|");
    CHECK_STR(elements("{{1,2},{3,4}}", ','), "1|2|3|4|");
    CHECK_STR(elements("[2:3][-1:0]={{1,2},{3,4}}", ','), "1|2|3|4|");
    CHECK_STR(elements("{(1,1),(0,0);(2,2),(1,1)}", ';'), "(1,1),(0,0)|(2,2),(1,1)|");
    CHECK_STR(elements("{{{{{{1}}}}}}", ','), "1|");
}

RAW_TEST(array_in_text_form_that_is_none_is_refused)
{
    static const char *const bad[] = {
        "",
        "{",
        "}",
        "{}}",
        "1",
        "{1",
        "{1,}",
        "{,1}",
        "{1,,2}",
        "{1}{2}",
        "{\"a}",
        "{\"a\"b}",
        "{a\"b\"}",
        "{1,{2}}",
        "{{1},2}",
        "{{1},{2,3}}",
        "{{{{{{{1}}}}}}}",
        "[1:2={1,2}",
        "[1:2]{1,2}",
        "{a\\",
        "{1} x",
        "[99999999999:1]={1}",
    };

    for (size_t i = 0; i < ED_ARRAY_LENGTH(bad); i++)
        CHECK_STR(elements(bad[i], ','), "EINVAL");
    CHECK_STR(elements("{{},{1}}", ','), eddy_error_name(EDDY_EPG_PROTOCOL));
}
