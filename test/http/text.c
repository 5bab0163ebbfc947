/* SPDX-License-Identifier: MIT */
/* Bytes of a charset as UTF-8: H-RESP-7. */
#include "harness.h"
#include "http/client.h"

#define BAD "\xef\xbf\xbd"

static int check_sized(const char *charset, const char *data, size_t size, const char *expected)
{
    char *text = NULL;
    int rc = ed_text_decode(charset, data, size, &text), differs;

    if (rc < 0)
        return rc;
    differs = strcmp(text, expected);
    if (differs)
        fprintf(stderr, "it is \"%s\", not \"%s\"\n", text, expected);
    eddy_free(text);
    return differs ? EDDY_ETEST : 0;
}

static int check(const char *charset, const char *data, const char *expected)
{
    return check_sized(charset, data, strlen(data), expected);
}

RAW_TEST(text_keeps_what_is_valid_utf8)
{
    CHECK_OK(check(NULL, "", ""));
    CHECK_OK(check("utf-8", "plain", "plain"));
    CHECK_OK(check("UTF-8", "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x8c\x80",
                   "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x8c\x80"));
    CHECK_OK(check(NULL, "\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf",
                   "\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf"));
}

/* The example of Unicode 15, table 3-8, and others. */
RAW_TEST(text_replaces_what_is_not_utf8)
{
    CHECK_OK(check(NULL,
                   "a\xf1\x80\x80\xe1\x80\xc2"
                   "b\x80"
                   "c\x80\xbf"
                   "d",
                   "a" BAD BAD BAD "b" BAD "c" BAD BAD "d"));
    CHECK_OK(check(NULL, "\xc0\xaf", BAD BAD));                 /* too long a form */
    CHECK_OK(check(NULL, "\xe0\x80\xaf", BAD BAD BAD));         /* likewise */
    CHECK_OK(check(NULL, "\xed\xa0\x80", BAD BAD BAD));         /* a surrogate */
    CHECK_OK(check(NULL, "\xf4\x90\x80\x80", BAD BAD BAD BAD)); /* beyond U+10FFFF */
    CHECK_OK(check(NULL, "x\xe2\x82", "x" BAD));                /* cut */
    CHECK_OK(check(NULL, "\xff", BAD));
}

RAW_TEST(text_converts_other_charsets)
{
    CHECK_OK(check("iso-8859-1", "gr\xfc\xdf", "gr\xc3\xbc\xc3\x9f"));
    CHECK_OK(check("windows-1252", "\x80 5", "\xe2\x82\xac 5"));
    CHECK_OK(check_sized("utf-16le", "a\0\xac\x20", 4, "a\xe2\x82\xac"));
    CHECK_OK(check_sized("utf-16le", "a\0\xac", 3, "a" BAD)); /* cut */
    CHECK_OK(check("us-ascii",
                   "a\xfc"
                   "b",
                   "a" BAD "b"));
    CHECK_OK(check("shift_jis", "\x83\x65", "\xe3\x83\x86"));
}

RAW_TEST(text_of_many_bytes_is_converted_in_steps)
{
    static char data[50000], expected[100001];

    memset(data, '\xfc', sizeof data);
    for (size_t i = 0; i < sizeof data; i++)
        memcpy(expected + 2 * i, "\xc3\xbc", 2);
    CHECK_OK(check_sized("latin1", data, sizeof data, expected));
}

RAW_TEST(text_of_an_unknown_charset_is_refused)
{
    CHECK_EQ(check("klingon", "x", "x"), -EINVAL);
    CHECK_EQ(check("", "x", "x"), -EINVAL);
    CHECK_EQ(check("utf-16//IGNORE", "x", "x"), -EINVAL); /* iconv's own */
    CHECK_EQ(check("../../x", "x", "x"), -EINVAL);
}
