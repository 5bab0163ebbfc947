/* SPDX-License-Identifier: MIT */
#include "tools/escape.h"

#include "harness.h"

#define ESCAPED(text, expected)                                                                    \
    do {                                                                                           \
        char test_out[100];                                                                        \
        ed_escape((text), test_out, sizeof test_out);                                              \
        CHECK_STR(test_out, (expected));                                                           \
    } while (0)

RAW_TEST(escape_leaves_letters_alone)
{
    ESCAPED("", "");
    ESCAPED("GET http://a/: refused", "GET http://a/: refused");
    ESCAPED("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
            "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
}

RAW_TEST(escape_shows_what_steers_a_terminal)
{
    ESCAPED("a\x1b[31mb\r\n\t\x7f", "a\\x1b[31mb\\x0d\\x0a\\x09\\x7f");
    ESCAPED("\xc2\x9b"
            "31m",
            "\\xc2\\x9b31m");                                /* CSI of C1 */
    ESCAPED("\xe2\x80\xae", "\\xe2\\x80\\xae");              /* right to left */
    ESCAPED("\x9b \xff \xc0\xaf", "\\x9b \\xff \\xc0\\xaf"); /* no UTF-8 */
    ESCAPED("\xed\xa0\x80 \xf4\x90\x80\x80", "\\xed\\xa0\\x80 \\xf4\\x90\\x80\\x80");
    ESCAPED("cut \xe2\x82", "cut \\xe2\\x82");
}

RAW_TEST(escape_keeps_to_its_room)
{
    char out[6];

    ed_escape("abc\x1b", out, sizeof out);
    CHECK_STR(out, "abc");
    ed_escape("abcd\xc3\xa9", out, sizeof out);
    CHECK_STR(out, "abcd");
    ed_escape("abcdefgh", out, sizeof out);
    CHECK_STR(out, "abcde");
}
