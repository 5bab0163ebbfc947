/* SPDX-License-Identifier: MIT */
/* Public suffixes. */
#include "http/cookies.h"

RAW_TEST(public_suffixes_are_known)
{
    static const char *const public[] = {"com", "localhost", "co.uk", "github.io", "xn--p1ai", ""};
    static const char *const others[] = {"example.com", "www.co.uk", "a.github.io", "bbc.co.uk"};

    for (size_t i = 0; i < ED_ARRAY_LENGTH(public); i++)
        CHECK_THAT(ed_is_public_suffix(public[i]), "%s", public[i]);
    for (size_t i = 0; i < ED_ARRAY_LENGTH(others); i++)
        CHECK_THAT(!ed_is_public_suffix(others[i]), "%s", others[i]);
}
