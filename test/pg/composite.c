/* SPDX-License-Identifier: MIT */
/* Composites, ranges and multiranges. */
#include "pg/composite.h"

#include "values.h"

/* The parts of a text, with "|" behind each, "-" for NULL; or the name of an error. */
static const char *fields(const char *text)
{
    static char out[256];
    static const uint32_t types[] = {23, 25};
    struct eddy_buffer_ buffer = {.data = NULL};
    struct pg_rest rest;
    int64_t count = pg_composite_from_text(text, strlen(text), types, 2, &buffer);

    if (count == 0)
        count = pg_composite_read(ed_buffer_bytes(&buffer), ed_buffer_size(&buffer), &rest);
    (void)snprintf(out, sizeof out, "%s", count < 0 ? eddy_error_name((int)count) : "");
    for (int64_t i = 0; i < count; i++) {
        const char *data = NULL;
        uint32_t type = 0;
        int32_t size = 0;

        (void)pg_composite_next(&rest, &type, &data, &size);
        (void)snprintf(out + strlen(out), sizeof out - strlen(out), "%u:%.*s|", type,
                       data ? size : 1, data ? data : "-");
    }
    ed_buffer_release(&buffer);
    return out;
}

RAW_TEST(composite_text_is_taken_apart)
{
    CHECK_STR(fields("()"), "");
    CHECK_STR(fields("(1,a)"), "23:1|25:a|");
    CHECK_STR(fields("(,\"\")"), "23:-|25:|");
    CHECK_STR(fields("(1,\"a \"\"b\"\", (c)\\\\\",x)"), "23:1|25:a \"b\", (c)\\|705:x|");
    CHECK_STR(fields("(\"(1,\"\"x\"\")\",a\\,b)"), "23:(1,\"x\")|25:a,b|");
}

RAW_TEST(composite_text_that_is_none_is_refused)
{
    static const char *const bad[] = {"", "(", "1", "(1", "(1,", "(1))", "(\"1)", "(1)x", "(a\\"};

    for (size_t i = 0; i < ED_ARRAY_LENGTH(bad); i++)
        CHECK_STR(fields(bad[i]), "EINVAL");
}

/* P-TYPE-8 */
RAW_TEST(composite_bytes_that_are_none_are_refused)
{
    static const struct {
        const char *data;
        int size;
    } bad[] = {
        {BYTES("")},
        {BYTES("\0\0\0\1")},
        {BYTES("\0\0\0\1\0\0\0\x17\0\0\0\4\0\0\0")},
        {BYTES("\0\0\0\0x")},
        {BYTES("\xff\xff\xff\xff\0\0\0\x17\xff\xff\xff\xff")},
    };
    struct pg_rest rest;

    for (size_t i = 0; i < ED_ARRAY_LENGTH(bad); i++)
        CHECK_EQ(pg_composite_read(bad[i].data, (size_t)bad[i].size, &rest), EDDY_EPG_PROTOCOL);
    CHECK_EQ(pg_multirange_read(BYTES("\0\0\0\1\xff\xff\xff\xff"), &rest), EDDY_EPG_PROTOCOL);
    CHECK_EQ(pg_multirange_read(BYTES("\0\0\0\2\0\0\0\1\1"), &rest), EDDY_EPG_PROTOCOL);
    CHECK_EQ(pg_multirange_read(BYTES("\0\0"), &rest), EDDY_EPG_PROTOCOL);
    CHECK_EQ(pg_multirange_read(BYTES("\0\0\0\1\0\0\0\1\1"), &rest), 1);
}

RAW_TEST(composite_texts_of_ranges_are_laid_out_like_ranges)
{
    static const struct {
        const char *text, *layout;
        int size;
    } ranges[] = {
        {"empty", BYTES("\1")},
        {"[1,10)", BYTES("\2\0\0\0\1"
                         "1\0\0\0\2"
                         "10")},
        {"(,\"a b\"]", BYTES("\x0c\0\0\0\3"
                             "a b")},
        {"(,)", BYTES("\x18")},
    };
    static const char *const bad[] = {"", "[", "[1", "[1,", "[1,2", "1,2)", "[1,2)x", "[1)"};
    struct eddy_buffer_ buffer = {.data = NULL};
    struct pg_rest rest;

    for (size_t i = 0; i < ED_ARRAY_LENGTH(ranges); i++) {
        buffer.end = buffer.start;
        CHECK_OK(pg_range_from_text(ranges[i].text, strlen(ranges[i].text), &buffer));
        CHECK_EQ(ed_buffer_size(&buffer), ranges[i].size);
        CHECK(memcmp(ed_buffer_bytes(&buffer), ranges[i].layout, (size_t)ranges[i].size) == 0);
    }
    for (size_t i = 0; i < ED_ARRAY_LENGTH(bad); i++)
        CHECK_EQ(pg_range_from_text(bad[i], strlen(bad[i]), &buffer), -EINVAL);
    buffer.end = buffer.start;
    CHECK_OK(pg_multirange_from_text("{[1,3),[5,8)}", 13, &buffer));
    CHECK_EQ(pg_multirange_read(ed_buffer_bytes(&buffer), ed_buffer_size(&buffer), &rest), 2);
    CHECK_EQ(pg_multirange_from_text("{[1,3)", 6, &buffer), -EINVAL);
    CHECK_EQ(pg_multirange_from_text("{[1,3)[5,8)}", 12, &buffer), -EINVAL);
    ed_buffer_release(&buffer);
}
