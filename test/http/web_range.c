/* SPDX-License-Identifier: MIT */
/* Ranges. */
#include "http/web_range.h"

#include "harness.h"

static const char *parse(const char *value, uint64_t size)
{
    static char text[64];
    uint64_t first = 0, last = 0;

    switch (ed_range_parse(value, size, &first, &last)) {
    case ED_RANGE_WHOLE: return "200";
    case ED_RANGE_NONE: return "416";
    default:
        snprintf(text, sizeof text, "%llu-%llu", (unsigned long long)first,
                 (unsigned long long)last);
        return text;
    }
}

/* H-STATIC-7 */
TEST(web_range_one)
{
    CHECK_STR(parse("bytes=0-9", 100), "0-9");
    CHECK_STR(parse("bytes=0-0", 100), "0-0");
    CHECK_STR(parse("bytes=99-99", 100), "99-99");
    CHECK_STR(parse("bytes=90-", 100), "90-99");
    CHECK_STR(parse("bytes=-10", 100), "90-99");
    CHECK_STR(parse("bytes=-1000", 100), "0-99");
    CHECK_STR(parse("bytes=0-1000", 100), "0-99");
    CHECK_STR(parse("bytes=0-99", 100), "0-99");
    CHECK_STR(parse("BYTES= 5-6 ", 100), "5-6");
    CHECK_STR(parse("bytes=0-18446744073709551615999", 100), "0-99");
}

/* H-STATIC-8: what is malformed, reversed or behind the end is refused; H-SEC-5: ASCII digits. */
TEST(web_range_refused)
{
    static const char *const values[] = {
        "bytes=100-",  "bytes=100-200",    "bytes=5-4",  "bytes=-0",
        "bytes=",      "bytes=-",          "bytes=a-b",  "bytes=1",
        "bytes",       "bytes=1-2x",       "bytes=+1-2", "bytes=1 -2",
        "bytes=0x1-2", "bytes=\xd9\xa1-2", "bytes=1--2", "bytes=18446744073709551616-",
    };

    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        CHECK_THAT(strcmp(parse(values[i], 100), "416") == 0, "%s: %s", values[i],
                   parse(values[i], 100));
    CHECK_STR(parse("bytes=0-", 0), "416");
    CHECK_STR(parse("bytes=-5", 0), "416");
}

/* RFC 9110, 14.2: another unit is ignored, and several ranges may be. */
TEST(web_range_ignored)
{
    CHECK_STR(parse("lines=1-2", 100), "200");
    CHECK_STR(parse("bytes=0-1,5-6", 100), "200");
}
