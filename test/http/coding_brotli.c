/* SPDX-License-Identifier: MIT */
/* What only br has; what all codings have is in coding.c. */
#include "http/coded.h"

/* H-SEC-15: a window of up to 1 GiB, which RFC 7932 does not have. */
RAW_TEST(a_large_brotli_window_is_refused)
{
    BYTES decoded = {0};

    CHECK_FAILS(decode(ED_CODING_BROTLI, "\x11\x1e\x03\x03", 4, 4, 64, &decoded),
                EDDY_EHTTP_PAYLOAD, "not valid br");
    CHECK_EQ(decoded.size, 0);
}

/* Of a reference to the static dictionary of RFC 7932. */
RAW_TEST(a_brotli_body_may_use_its_dictionary)
{
    static const char text[] = "The time has come, the Walrus said, to talk of many things";
    BYTES body = {0}, decoded = {0};

    CHECK_OK(encode(ED_CODING_BROTLI, text, sizeof text, &body));
    CHECK_OK(decode(ED_CODING_BROTLI, body.data, body.size, 3, 5, &decoded));
    CHECK_STR(decoded.data, text);
}
