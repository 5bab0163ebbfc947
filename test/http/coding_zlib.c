/* SPDX-License-Identifier: MIT */
/* What only gzip and deflate has; what all codings have is in coding.c. */
#include "http/coded.h"

/* H-RESP-13: what a server calls deflate is zlib's format, or raw. */
RAW_TEST(deflate_without_a_frame_is_recognised)
{
    static char data[3000];
    BYTES framed = {0}, small = {0};

    fill(data, sizeof data);
    CHECK_OK(encode(ED_CODING_DEFLATE, data, sizeof data, &framed));
    for (size_t piece = 1; piece <= 3; piece++) {
        BYTES decoded = {0};

        CHECK_OK(decode(ED_CODING_DEFLATE, framed.data + 2, framed.size - 6, piece, 1, &decoded));
        CHECK_EQ(decoded.size, sizeof data);
        CHECK(memcmp(decoded.data, data, sizeof data) == 0);
    }
    /* the shortest of all: a final block of nothing; and a stored block whose first byte could be
     * the beginning of a frame, but whose second is not */
    CHECK_OK(decode(ED_CODING_DEFLATE, "\x03\x00", 2, 1, 1, &small));
    CHECK_EQ(small.size, 0);
    CHECK_OK(decode(ED_CODING_DEFLATE, "\x78\x02\x00\xfd\xffhi\x03\x00", 9, 1, 1, &small));
    CHECK_EQ(small.size, 2);
}

/* H-SEC-15 */
RAW_TEST(a_gzip_body_has_1024_members_and_no_more)
{
    BYTES member = {0}, body = {0}, decoded = {0};

    CHECK_OK(encode(ED_CODING_GZIP, "x", 1, &member));
    for (int i = 0; i < 1024; i++)
        add(&body, member.data, member.size);
    CHECK_OK(decode(ED_CODING_GZIP, body.data, body.size, 1000, 10, &decoded));
    CHECK_EQ(decoded.size, 1024);
    CHECK_OK(decode(ED_CODING_GZIP, body.data, body.size, 1, 1, &decoded));
    CHECK_EQ(decoded.size, 2048);
    add(&body, member.data, member.size);
    CHECK_FAILS(decode(ED_CODING_GZIP, body.data, body.size, 1000, 10, &decoded),
                EDDY_EHTTP_PAYLOAD, "too many members");
}

/* RFC 1952, 2.3: a name, a comment, an extra field and a checksum of the header. */
RAW_TEST(a_gzip_header_with_all_its_fields_is_passed_over)
{
    BYTES member = {0}, body = {0}, decoded = {0};

    CHECK_OK(encode(ED_CODING_GZIP, "abc", 3, &member));
    add(&body, "\x1f\x8b\x08\x1c\0\0\0\0\0\x03\x02\0xx", 14);
    add(&body, "name.txt\0a comment", 19);
    add(&body, member.data + 10, member.size - 10);
    CHECK_OK(decode(ED_CODING_GZIP, body.data, body.size, 1, 1, &decoded));
    CHECK_EQ(decoded.size, 3);
}

/* H-RESP-14 */
RAW_TEST(a_wrong_checksum_is_an_error)
{
    for (int i = 0; i < 2; i++) {
        BYTES body = {0}, decoded = {0};

        CHECK_OK(encode(i ? ED_CODING_GZIP : ED_CODING_DEFLATE, "abc", 3, &body));
        body.data[body.size - (i ? 5 : 1)] ^= 1;
        CHECK_FAILS(
            decode(i ? ED_CODING_GZIP : ED_CODING_DEFLATE, body.data, body.size, 9, 9, &decoded),
            EDDY_EHTTP_PAYLOAD, "incorrect data check");
    }
}
