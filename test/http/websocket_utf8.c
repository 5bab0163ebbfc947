/* SPDX-License-Identifier: MIT */
#include "http/websocket_utf8.h"

#include "harness.h"

static bool is_text(const char *data, size_t size)
{
    struct ed_utf8 state = {0};

    return ed_utf8_check(&state, data, size) && ed_utf8_may_end(&state);
}

/* The character that a number is, as RFC 3629 writes it. */
static size_t encode(uint32_t point, char *to)
{
    static const unsigned char firsts[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t size = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;

    for (size_t i = size; i-- > 1; point >>= 6)
        to[i] = (char)(0x80 | (point & 0x3f));
    to[0] = (char)(firsts[size] | point);
    return size;
}

RAW_TEST(utf8_takes_every_character_and_no_surrogate)
{
    char text[4];

    for (uint32_t point = 0; point < 0x120000; point++) {
        bool valid = point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
        size_t size = encode(point, text);

        CHECK_THAT(is_text(text, size) == valid, "U+%04X", point);
        for (size_t cut = 1; cut < size && point % 97 == 0; cut++)
            CHECK_THAT(!is_text(text, cut), "U+%04X cut", point);
    }
}

/* All texts of up to three bytes, against the table of the standard. */
static bool is_text_by_table(const unsigned char *data, size_t size)
{
    if (size == 0)
        return true;
    if (data[0] < 0x80)
        return is_text_by_table(data + 1, size - 1);
    if (size >= 2 && data[0] >= 0xc2 && data[0] <= 0xdf && (data[1] & 0xc0) == 0x80)
        return is_text_by_table(data + 2, size - 2);
    if (size >= 3 && (data[0] & 0xf0) == 0xe0 && (data[1] & 0xc0) == 0x80 &&
        (data[2] & 0xc0) == 0x80 && (data[0] != 0xe0 || data[1] >= 0xa0) &&
        (data[0] != 0xed || data[1] < 0xa0))
        return is_text_by_table(data + 3, size - 3);
    return false;
}

RAW_TEST(utf8_judges_all_short_texts_as_the_standard_does)
{
    for (uint32_t word = 0; word < 1u << 24; word += word < 1u << 16 ? 1 : 7) {
        unsigned char data[3] = {(unsigned char)(word >> 16), (unsigned char)(word >> 8),
                                 (unsigned char)word};

        for (size_t size = 2; size <= 3; size++)
            if (is_text((char *)data, size) != is_text_by_table(data, size))
                test_fail(__FILE__, __LINE__, "%06x of %zu bytes", word, size);
    }
}

RAW_TEST(utf8_judges_the_same_in_whatever_pieces)
{
    static const char text[] = "plain text, long enough for words of eight and thirty-two bytes; "
                               "\xc2\xb5\xe2\x82\xac\xf0\x9f\x98\x80 and plain again, to its end.";
    size_t size = sizeof text - 1;

    for (size_t cut = 1; cut <= size; cut++) {
        struct ed_utf8 state = {0};

        for (size_t at = 0; at < size; at += cut)
            CHECK(ed_utf8_check(&state, text + at, cut < size - at ? cut : size - at));
        CHECK(ed_utf8_may_end(&state));
    }
    for (size_t at = 0; at < size; at++) {
        char broken[sizeof text];

        memcpy(broken, text, sizeof text);
        broken[at] = (char)0xff;
        CHECK(!is_text(broken, size));
    }
}
