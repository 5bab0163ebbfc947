/* SPDX-License-Identifier: MIT */
/* Statuses. */
#include <eddy/http_message.h>

#include "harness.h"

RAW_TEST(status_and_its_error_are_each_others)
{
    for (int status = 100; status <= 599; status++)
        CHECK_EQ(eddy_http_status_of(EDDY_HTTP_STATUS(status)), status);
    CHECK_EQ(eddy_http_status_of(0), 0);
    CHECK_EQ(eddy_http_status_of(-EINVAL), 0);
    CHECK_EQ(eddy_http_status_of(EDDY_EURL), 0);
    CHECK_EQ(eddy_http_status_of(EDDY_HTTP_STATUS(99)), 0);
    CHECK_EQ(eddy_http_status_of(EDDY_HTTP_STATUS(600)), 0);
    CHECK_EQ(eddy_http_status_of(404), 0);
    CHECK_STR(eddy_error_name(EDDY_HTTP_STATUS(404)), "EDDY_HTTP_STATUS");
    CHECK_STR(eddy_strerror(EDDY_HTTP_STATUS(599)), "an HTTP status");
    CHECK_STR(eddy_error_name(EDDY_HTTP_STATUS(99)), "E?");
    CHECK_STR(eddy_error_name(EDDY_HTTP_STATUS(600)), "E?");
}

RAW_TEST(status_reasons_are_those_of_the_registry)
{
    CHECK_STR(eddy_http_reason(200), "OK");
    CHECK_STR(eddy_http_reason(404), "Not Found");
    CHECK_STR(eddy_http_reason(599), "");
    CHECK_STR(eddy_http_reason(600), "");
    CHECK_STR(eddy_http_reason(99), "");
    CHECK_STR(eddy_http_reason(-404), "");
}
