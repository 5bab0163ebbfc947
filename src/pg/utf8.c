/* SPDX-License-Identifier: MIT */
/*
 * UTF-8 (RFC 3629): no character in more bytes than it takes, no surrogate, none above 10FFFF.
 * Eight bytes of ASCII at a time are passed over; a NUL among them is found by what borrows from
 * it.
 */
#include "pg/utf8.h"

#include <string.h>

#define UTF8_HIGH UINT64_C(0x8080808080808080)
#define UTF8_ONES UINT64_C(0x0101010101010101)

size_t pg_utf8_next(const char *text, size_t size, uint32_t *character)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *bytes = (const unsigned char *)text;
    size_t length = size == 0          ? 0
                    : bytes[0] < 0x80  ? 1
                    : bytes[0] < 0xc2  ? 0
                    : bytes[0] < 0xe0  ? 2
                    : bytes[0] < 0xf0  ? 3
                    : bytes[0] <= 0xf4 ? 4
                                       : 0;
    uint32_t value;

    if (length == 0 || length > size)
        return 0;
    value = length == 1 ? bytes[0] : bytes[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (bytes[i] & 0x3f);
    }
    if (value < least[length] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return 0;
    *character = value;
    return length;
}

size_t pg_utf8_check(const char *text, size_t size)
{
    size_t at = 0, length;
    uint32_t character;
    uint64_t word;

    while (at < size) {
        if (size - at >= sizeof word) {
            memcpy(&word, text + at, sizeof word);
            if (((word | (word - UTF8_ONES)) & UTF8_HIGH) == 0) {
                at += sizeof word;
                continue;
            }
        }
        length = pg_utf8_next(text + at, size - at, &character);
        if (length == 0 || character == 0)
            return at;
        at += length;
    }
    return at;
}
