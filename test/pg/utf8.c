/* SPDX-License-Identifier: MIT */
/* UTF-8, as the server takes it (P-TYPE-4). */
#include "pg/utf8.h"

#include "values.h"

RAW_TEST(utf8_that_is_valid_is_taken)
{
    static const char *const texts[] = {
        "",
        "a",
        "eight by",
        "nine byte",
        "äöü",
        "€",
        "\xf0\x9f\x98\x80",
        "\xf4\x8f\xbf\xbf",
        "\xed\x9f\xbf",
        "\xee\x80\x80",
        "1234567\xc3\xa4",
        "a text of more than eight bytes \x7f",
    };

    for (size_t i = 0; i < ED_ARRAY_LENGTH(texts); i++)
        CHECK_EQ(pg_utf8_check(texts[i], strlen(texts[i])), strlen(texts[i]));
}

RAW_TEST(utf8_that_is_wrong_is_found_at_its_place)
{
    static const struct {
        const char *data;
        int size;
        size_t at;
    } texts[] = {
        {BYTES("\0"), 0},
        {BYTES("abc\0defghijk"), 3},
        {BYTES("12345678\0"), 8},
        {BYTES("\x80"), 0},
        {BYTES("ab\xff"), 2},
        {BYTES("\xc0\x80"), 0}, /* a NUL in two bytes */
        {BYTES("\xc1\xbf"), 0},
        {BYTES("\xe0\x80\x80"), 0},
        {BYTES("\xed\xa0\x80"), 0},     /* a surrogate */
        {BYTES("\xf4\x90\x80\x80"), 0}, /* above 10FFFF */
        {BYTES("\xf5\x80\x80\x80"), 0},
        {BYTES("12345678\xc3"), 8}, /* ends too early */
        {BYTES("\xe2\x82"), 0},
        {BYTES("\xe2\x82x"), 0},
    };

    for (size_t i = 0; i < ED_ARRAY_LENGTH(texts); i++)
        CHECK_EQ(pg_utf8_check(texts[i].data, (size_t)texts[i].size), texts[i].at);
}
