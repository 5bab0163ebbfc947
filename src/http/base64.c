/* SPDX-License-Identifier: MIT */
/*
 * Base64: three bytes are four characters. A text is refused that has another length, other
 * characters, padding elsewhere than at its end, or bits in the last character that mean nothing,
 * so that each sequence of bytes has one text.
 */
#include "http/base64.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void ed_base64_encode(const void *data, size_t size, char *out)
{
    const unsigned char *in = data;

    for (; size > 0; in += 3, out += 4) {
        size_t count = size < 3 ? size : 3;
        unsigned bits = (unsigned)in[0] << 16 | (count > 1 ? (unsigned)in[1] << 8 : 0) |
                        (count > 2 ? in[2] : 0);

        out[0] = letters[bits >> 18];
        out[1] = letters[bits >> 12 & 63];
        out[2] = count > 1 ? letters[bits >> 6 & 63] : '=';
        out[3] = count > 2 ? letters[bits & 63] : '=';
        size -= count;
    }
    *out = '\0';
}

static int letter_value(char letter)
{
    if (letter >= 'A' && letter <= 'Z')
        return letter - 'A';
    if (letter >= 'a' && letter <= 'z')
        return letter - 'a' + 26;
    if (letter >= '0' && letter <= '9')
        return letter - '0' + 52;
    return letter == '+' ? 62 : letter == '/' ? 63 : -1;
}

ssize_t ed_base64_decode(const char *text, size_t size, void *out, size_t room)
{
    unsigned char *bytes = out;
    size_t pads = 0, done = 0;
    unsigned bits = 0;

    if (size % 4 != 0)
        return -1;
    while (pads < 2 && pads < size && text[size - 1 - pads] == '=')
        pads++;
    if (size / 4 * 3 - pads > room)
        return -1;
    for (size_t i = 0; i < size - pads; i++) {
        int value = letter_value(text[i]);

        if (value < 0)
            return -1;
        bits = bits << 6 | (unsigned)value;
        if (i % 4 > 0)
            bytes[done++] = (unsigned char)(bits >> (6 - i % 4 * 2));
    }
    return pads > 0 && bits & (pads == 2 ? 15u : 3u) ? -1 : (ssize_t)done;
}
