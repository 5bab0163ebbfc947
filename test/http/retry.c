/* SPDX-License-Identifier: MIT */
/* When a request is tried again: H-RETRY-1, -2, -5, and the delays. */
#include <errno.h>
#include <math.h>
#include <time.h>

#include "harness.h"
#include "http/client.h"

/* H-RETRY-1, -5. */
RAW_TEST(retry_repeats_methods_that_may_be_repeated)
{
    static const char *const safe[] = {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "QUERY"};

    for (size_t i = 0; i < ED_ARRAY_LENGTH(safe); i++)
        CHECK(ed_retry_is_idempotent(safe[i]));
    CHECK(!ed_retry_is_idempotent("POST"));
    CHECK(!ed_retry_is_idempotent("PATCH"));
    CHECK(!ed_retry_is_idempotent("get"));
}

/* H-RETRY-2: what would be the same the next time is not tried. */
RAW_TEST(retry_helps_where_time_may)
{
    CHECK(ed_retry_helps(EDDY_EHTTP_DISCONNECTED) && ed_retry_helps(-ECONNREFUSED));
    CHECK(ed_retry_helps(EDDY_EHTTP_READ_TIMEOUT) && ed_retry_helps(EDDY_EHTTP_CONNECT_TIMEOUT));
    CHECK(!ed_retry_helps(-ECANCELED) && !ed_retry_helps(-ETIMEDOUT) && !ed_retry_helps(-ENOMEM));
    CHECK(!ed_retry_helps(EDDY_EURL) && !ed_retry_helps(EDDY_EHTTP_PROTOCOL));
    CHECK(!ed_retry_helps(EDDY_ETLS_CERT_NAME) && !ed_retry_helps(EDDY_EDNS_NOT_FOUND));
    CHECK(ed_retry_helps_status(429) && ed_retry_helps_status(503) && ed_retry_helps_status(500));
    CHECK(!ed_retry_helps_status(404) && !ed_retry_helps_status(501) &&
          !ed_retry_helps_status(200));
}

static bool is(double value, double expected)
{
    return fabs(value - expected) < 1e-9;
}

RAW_TEST(retry_waits_twice_as_long_each_time_and_by_chance_down_to_half)
{
    const eddy_http_retries retries = {.delay = 0.1, .most = 2};

    CHECK(is(ed_retry_delay(&retries, 0, NULL, 1), 0.1));
    CHECK(is(ed_retry_delay(&retries, 0, NULL, 0), 0.05));
    CHECK(is(ed_retry_delay(&retries, 1, NULL, 1), 0.2));
    CHECK(is(ed_retry_delay(&retries, 3, NULL, 0.5), 0.6));
    CHECK(is(ed_retry_delay(&retries, 10, NULL, 1), 2));
    CHECK(is(ed_retry_delay(&retries, 4000000000u, NULL, 0), 1));
}

RAW_TEST(retry_waits_as_the_server_says_but_not_longer_than_the_most)
{
    const eddy_http_retries retries = {.delay = 0.1, .most = 30};
    char date[EDDY_HTTP_DATE_SIZE];

    CHECK(is(ed_retry_delay(&retries, 0, "7", 1), 7));
    CHECK(is(ed_retry_delay(&retries, 0, "0", 1), 0));
    CHECK(is(ed_retry_delay(&retries, 0, "120", 1), 30));
    CHECK(is(ed_retry_delay(&retries, 0, "99999999999999999999", 1), 30));
    CHECK(is(ed_retry_delay(&retries, 0, "-1", 1), 0.1)); /* it says nothing that is known */
    CHECK(is(ed_retry_delay(&retries, 0, "soon", 1), 0.1));
    CHECK(is(ed_retry_delay(&retries, 0, "Sun, 06 Nov 1994 08:49:37 GMT", 1), 0));
    eddy_http_format_date(time(NULL) + 10, date);
    CHECK(ed_retry_delay(&retries, 0, date, 1) > 5 && ed_retry_delay(&retries, 0, date, 1) <= 10);
}
