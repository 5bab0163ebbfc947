/* SPDX-License-Identifier: MIT */
/* The bytes of parts: random bodies against a search of the whole. */
#include <stdlib.h>

#include "http/parts.h"

/* Bytes of a few kinds, so that delimiters and their beginnings are frequent. */
static size_t random_body(unsigned *state, char *body, size_t size)
{
    static const char *const pieces[] = {"\r", "\n",   "-",     "--",     "B",
                                         "a",  "\r\n", "\r\n-", "\r\n--", "\r\n--B\r\n\r\n"};
    size_t length = (size_t)snprintf(body, size, "--B\r\n\r\n");

    while (length < size - 40) {
        *state = *state * 1103515245u + 12345u;
        length += (size_t)snprintf(body + length, size - length, "%s",
                                   pieces[*state >> 16 & 0x7fff ? (*state >> 16) % 10 : 0]);
    }
    return length + (size_t)snprintf(body + length, size - length, "\r\n--B--");
}

/* However the body comes and is read, it has the parts that it has at once. */
TEST(random_bodies_have_the_same_parts_however_they_come)
{
    static char body[300], whole[1 << 17];
    unsigned state = 1;
    int rounds = test_is_deep() ? 5000 : test_is_slow() ? 20 : 200;

    for (int i = 0; i < rounds; i++) {
        size_t size = random_body(&state, body, sizeof body);

        snprintf(whole, sizeof whole, "%s",
                 parts_of(MIXED, body, size, 1 << 20, 1 << 16, 1 << 16, NULL));
        for (size_t piece = 1; piece < 12; piece += 5)
            CHECK_STR(parts_of(MIXED, body, size, piece, 1 << 16, piece, NULL), whole);
    }
}
