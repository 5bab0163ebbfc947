/* SPDX-License-Identifier: MIT */
/*
 * A letter is taken whole or its first byte is escaped alone, so that nothing hides behind a letter
 * that was cut off.
 */
#include "tools/escape.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Unicode's controls: C1, those of direction, line and paragraph separators. */
static bool is_control(uint32_t letter)
{
    return letter < 0x20 || (letter >= 0x7f && letter < 0xa0) || letter == 0x61c ||
           (letter >= 0x200e && letter <= 0x200f) || (letter >= 0x2028 && letter <= 0x202e) ||
           (letter >= 0x2066 && letter <= 0x2069) || letter == 0xfeff;
}

/* The bytes of the letter at `text`; 0 for a control, or what is no UTF-8 (RFC 3629). */
static size_t letter_size(const unsigned char *text)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t size = text[0] < 0x80   ? 1
                  : text[0] < 0xc0 ? 0
                  : text[0] < 0xe0 ? 2
                  : text[0] < 0xf0 ? 3
                                   : 4;
    uint32_t letter = size == 1 ? text[0] : text[0] & (0x7fu >> size);

    if (size == 0 || text[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < size; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0; /* the text's end too */
        letter = letter << 6 | (text[i] & 0x3f);
    }
    if (letter < least[size] || letter > 0x10ffff || (letter >= 0xd800 && letter <= 0xdfff))
        return 0;
    return is_control(letter) ? 0 : size;
}

void ed_escape(const char *text, char *out, size_t room)
{
    const unsigned char *next = (const unsigned char *)text;
    char piece[8];

    for (size_t used; *next; next += used) {
        size_t size = used = letter_size(next);

        if (size > 0)
            memcpy(piece, next, size);
        else
            used = 1, size = (size_t)snprintf(piece, sizeof piece, "\\x%02x", *next);
        if (size + 1 > room)
            break;
        memcpy(out, piece, size);
        out += size;
        room -= size;
    }
    *out = '\0';
}
