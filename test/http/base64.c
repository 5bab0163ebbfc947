/* SPDX-License-Identifier: MIT */
/* Base64: the examples of RFC 4648, 10, and what is none. */
#include "http/base64.h"

#include "harness.h"

static void check_both_ways(const char *plain, const char *text)
{
    char out[64];
    ssize_t size;

    ed_base64_encode(plain, strlen(plain), out);
    CHECK_STR(out, text);
    size = ed_base64_decode(text, strlen(text), out, sizeof out);
    CHECK_EQ(size, (ssize_t)strlen(plain));
    CHECK(memcmp(out, plain, strlen(plain)) == 0);
}

RAW_TEST(base64_goes_both_ways)
{
    check_both_ways("", "");
    check_both_ways("f", "Zg==");
    check_both_ways("fo", "Zm8=");
    check_both_ways("foo", "Zm9v");
    check_both_ways("foob", "Zm9vYg==");
    check_both_ways("fooba", "Zm9vYmE=");
    check_both_ways("foobar", "Zm9vYmFy");
    check_both_ways("\xff\xfe\xfb\xef", "//777w==");
}

RAW_TEST(base64_refuses_what_has_another_text)
{
    static const char *const bad[] = {"Z",    "Zg",    "Zg=",  "Zh==",  "Zm9=", "====", "Zg==Zg==",
                                      "Zm 9", "Zm9v=", "=m9v", "Zm9\n", "Z===", "Zm9-"};
    char out[64];

    for (size_t i = 0; i < ED_ARRAY_LENGTH(bad); i++)
        CHECK_THAT(ed_base64_decode(bad[i], strlen(bad[i]), out, sizeof out) < 0, "\"%s\" is taken",
                   bad[i]);
    CHECK_EQ(ed_base64_decode("Zm9v", 4, out, 2), -1); /* too long */
    CHECK_EQ(ed_base64_decode("Zm9v", 4, out, 3), 3);
}
