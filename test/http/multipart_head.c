/* SPDX-License-Identifier: MIT */
/* The fields of parts are tested with the rest of multipart.c; here, what they may contain. */
#include "http/parts.h"

TEST(values_of_fields_lose_the_blanks_around_them)
{
    static const char body[] = "--B\r\nX-One: \t a b \t \r\nX-Two:\r\nx-one:c\r\n\r\n\r\n--B--";
    struct parts_source source = {body, sizeof body - 1, 1000};
    EDDY_STREAM to = NULL;
    EDDY_STREAM from = NULL;
    EDDY_MULTIPART multipart = NULL;
    eddy_part part;

    CHECK_OK(eddy_stream_pair(&to, &from));
    CHECK_OK(parts_send(to, &source));
    CHECK_OK(eddy_multipart_open(MIXED, from, NULL, &multipart));
    CHECK_EQ(eddy_multipart_next(multipart, &part), 1);
    CHECK_EQ(eddy_headers_count(part.headers), 3);
    CHECK_STR(eddy_headers_get(part.headers, "x-one"), "a b");
    CHECK_STR(eddy_headers_get(part.headers, "x-two"), "");
    CHECK_STR(eddy_headers_at(part.headers, 2).value, "c");
    CHECK(!part.name);
}
