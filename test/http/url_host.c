/* SPDX-License-Identifier: MIT */
/* Hosts by themselves; as parts of URLs they stand in url.c. */
#include "http/url_host.h"

#include <eddy.h>

#include "harness.h"

RAW_TEST(url_host_is_as_long_as_it_is_told)
{
    char host[ED_URL_HOST];

    CHECK_OK(ed_url_host("Example.orgX", 11, host));
    CHECK_STR(host, "example.org");
    CHECK_OK(ed_url_host("[::1]x", 5, host));
    CHECK_STR(host, "::1");
    CHECK_EQ(ed_url_host("a\0b", 3, host), EDDY_EURL);
    CHECK_EQ(ed_url_host("", 0, host), EDDY_EURL);
    CHECK_EQ(ed_url_host("[", 1, host), EDDY_EURL);
    CHECK_EQ(ed_url_host("[]", 2, host), EDDY_EURL);
}
