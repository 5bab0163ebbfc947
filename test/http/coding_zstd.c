/* SPDX-License-Identifier: MIT */
/* What only zstd has; what all codings have is in coding.c. */
#include "http/coded.h"

RAW_TEST(a_zstd_body_may_have_several_frames_and_some_to_be_skipped)
{
    BYTES body = {0}, decoded = {0};

    for (int i = 0; i < 3; i++) {
        CHECK_OK(encode(ED_CODING_ZSTD, "abc", 3, &body));
        add(&body, "\x50\x2a\x4d\x18\x02\0\0\0??", 10);
    }
    CHECK_OK(decode(ED_CODING_ZSTD, body.data, body.size, 1, 1, &decoded));
    CHECK_EQ(decoded.size, 9);
    CHECK(memcmp(decoded.data, "abcabcabc", 9) == 0);
}

/* H-SEC-15, RFC 9659: a frame that asks for a window of 16 MiB. */
RAW_TEST(a_zstd_window_over_8_mib_is_refused)
{
    static const char frame[] = "\x28\xb5\x2f\xfd\x00\x70\x01\x00\x00";
    BYTES decoded = {0};

    CHECK_FAILS(decode(ED_CODING_ZSTD, frame, 9, 9, 64, &decoded), EDDY_EHTTP_PAYLOAD, "8 MiB");
}
