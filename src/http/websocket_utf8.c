/* SPDX-License-Identifier: MIT */
/*
 * Validation of UTF-8, piece by piece.
 *
 * Of a character that has begun it is known how many bytes are missing and between which bounds the
 * next one must be. Only the second byte has bounds of its own: they rule out overlong forms,
 * surrogates and what is beyond U+10FFFF (Unicode, table 3-7). So a text is refused at the first
 * byte that no valid text has there. Where no character is open, ASCII is passed over by the
 * thirty-two bytes.
 */
#include "http/websocket_utf8.h"

#include <string.h>

#define NOT_ASCII 0x8080808080808080u

/* Passes over ASCII; where it ends, or near that. */
static const unsigned char *utf8_skip_ascii(const unsigned char *next, const unsigned char *end)
{
    uint64_t words[4];

    while (end - next >= 32) {
        memcpy(words, next, sizeof words);
        if ((words[0] | words[1] | words[2] | words[3]) & NOT_ASCII)
            break;
        next += 32;
    }
    while (end - next >= 8) {
        memcpy(words, next, 8);
        if (words[0] & NOT_ASCII)
            break;
        next += 8;
    }
    while (next < end && *next < 0x80)
        next++;
    return next;
}

/* The first byte of a character that is not ASCII. */
static bool utf8_begin(struct ed_utf8 *state, unsigned char byte)
{
    if (byte < 0xc2 || byte > 0xf4)
        return false;
    state->missing = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    state->seen = 1;
    state->low = byte == 0xe0 ? 0xa0 : byte == 0xf0 ? 0x90 : 0x80;
    state->high = byte == 0xed ? 0x9f : byte == 0xf4 ? 0x8f : 0xbf;
    return true;
}

bool ed_utf8_check(struct ed_utf8 *state, const char *data, size_t size)
{
    const unsigned char *next = (const unsigned char *)data, *end = next + size;

    while (next < end) {
        if (state->missing == 0) {
            next = utf8_skip_ascii(next, end);
            if (next < end && !utf8_begin(state, *next++))
                return false;
            continue;
        }
        if (*next < state->low || *next > state->high)
            return false;
        state->low = 0x80;
        state->high = 0xbf;
        state->seen++;
        state->missing--;
        next++;
    }
    return true;
}
