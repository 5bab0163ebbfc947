/* SPDX-License-Identifier: MIT */
/* Content codings: there and back in any pieces, broken data, bombs. */
#include "http/coding.h"

#include "base/memory.h"
#include "http/coded.h"

/* H-RESP-13: gzip, deflate, br, zstd. */
RAW_TEST(what_is_encoded_is_decoded_again_in_any_pieces)
{
    static char data[30000];
    static const size_t pieces[] = {1, 7, 1000, 100000};

    fill(data, sizeof data);
    for (size_t i = 0; i < CODINGS; i++) {
        BYTES encoded = {0};

        CHECK_OK(encode(codings[i], data, sizeof data, &encoded));
        CHECK(encoded.size < sizeof data);
        for (size_t j = 0; j < ED_ARRAY_LENGTH(pieces); j++) {
            BYTES decoded = {0};
            size_t room = pieces[j] < 4096 ? pieces[j] : 4096;

            CHECK_OK(decode(codings[i], encoded.data, encoded.size, pieces[j], room, &decoded));
            CHECK_EQ(decoded.size, sizeof data);
            CHECK(memcmp(decoded.data, data, sizeof data) == 0);
        }
    }
}

RAW_TEST(nothing_is_encoded_and_decoded_as_nothing)
{
    for (size_t i = 0; i < CODINGS; i++) {
        BYTES encoded = {0}, decoded = {0};

        CHECK_OK(encode(codings[i], "", 0, &encoded));
        CHECK(encoded.size > 0);
        CHECK_OK(decode(codings[i], encoded.data, encoded.size, 1, 1, &decoded));
        CHECK_OK(decode(codings[i], "", 0, 1, 1, &decoded)); /* an empty body */
        CHECK_EQ(decoded.size, 0);
    }
}

/* H-RESP-14 */
RAW_TEST(data_that_end_early_are_an_error_wherever_they_end)
{
    static char data[300];

    fill(data, sizeof data);
    for (size_t i = 0; i < CODINGS; i++) {
        BYTES encoded = {0};

        CHECK_OK(encode(codings[i], data, sizeof data, &encoded));
        for (size_t size = 1; size < encoded.size; size++) {
            BYTES decoded = {0};

            CHECK_EQ(decode(codings[i], encoded.data, size, 16, 64, &decoded), EDDY_EHTTP_PAYLOAD);
            CHECK_HAS(eddy_error_message(EDDY_EHTTP_PAYLOAD), ed_coding_name(codings[i]));
            CHECK(decoded.size <= sizeof data);
            CHECK(decoded.size == 0 || memcmp(decoded.data, data, decoded.size) == 0);
        }
    }
}

/* H-RESP-14 */
RAW_TEST(data_that_go_on_behind_their_end_are_an_error)
{
    for (size_t i = 0; i < CODINGS; i++) {
        BYTES encoded = {0}, decoded = {0};

        CHECK_OK(encode(codings[i], "eddy", 4, &encoded));
        add(&encoded, "surplus", 7);
        for (size_t piece = 1; piece < 100; piece += 98)
            CHECK_EQ(decode(codings[i], encoded.data, encoded.size, piece, 64, &decoded),
                     EDDY_EHTTP_PAYLOAD);
    }
}

/* H-RESP-14 */
RAW_TEST(broken_data_are_an_error_or_other_data_and_never_more)
{
    static char data[500];

    fill(data, sizeof data);
    for (size_t i = 0; i < CODINGS; i++) {
        BYTES encoded = {0};

        CHECK_OK(encode(codings[i], data, sizeof data, &encoded));
        for (size_t at = 0; at < encoded.size; at++) {
            BYTES decoded = {0};
            int rc;

            encoded.data[at] ^= 0x55;
            rc = decode(codings[i], encoded.data, encoded.size, 64, 64, &decoded);
            CHECK(rc == 0 || rc == EDDY_EHTTP_PAYLOAD);
            encoded.data[at] ^= 0x55;
        }
    }
}

/* Puts all out that an encoder makes of `size` zeros into a decoder. Gives the decoded bytes, and
 * the most memory that was in use. */
static int explode(enum ed_coding coding, uint64_t size, uint64_t *decoded, size_t *most)
{
    static char zeros[1 << 16], packed[1 << 14], out[1 << 16];
    struct ed_coder *encoder, *decoder;
    ssize_t n, m;

    EDDY_TRY(ed_encoder_new(coding, 1, &encoder));
    EDDY_TRY(ed_decoder_new(coding, &decoder));
    do {
        const char *in = zeros, *next = packed;
        size_t in_size = size < sizeof zeros ? (size_t)size : sizeof zeros, packed_size;
        bool last = size == in_size;

        size -= in_size;
        do {
            n = ed_coder_step(encoder, &in, &in_size, packed, sizeof packed, false, last);
            REQUIRE(n >= 0);
            packed_size = (size_t)n;
            next = packed;
            do {
                m = ed_coder_step(decoder, &next, &packed_size, out, sizeof out, false,
                                  ed_coder_ended(encoder));
                REQUIRE(m >= 0);
                *decoded += (uint64_t)m;
                if (ed_memory_bytes() > *most)
                    *most = ed_memory_bytes();
            } while (m > 0);
        } while (n > 0);
    } while (size > 0);
    REQUIRE(ed_coder_ended(decoder));
    ed_coder_free(encoder);
    ed_coder_free(decoder);
    return 0;
}

/* H-SEC-15: whatever the ratio, memory is bounded; a gibibyte of zeros where there is time. */
RAW_TEST(a_bomb_explodes_step_by_step_in_bounded_memory)
{
    const uint64_t size = (uint64_t)1 << (test_is_deep() ? 30 : test_is_slow() ? 21 : 23);

    for (size_t i = 0; i < CODINGS; i++) {
        size_t before = ed_memory_bytes(), most = 0;
        uint64_t decoded = 0;

        CHECK_OK(explode(codings[i], size, &decoded, &most));
        CHECK_EQ(decoded, size);
        CHECK_THAT(most - before < (size_t)16 << 20, "%s: %zu bytes", ed_coding_name(codings[i]),
                   most - before);
    }
}

RAW_TEST(a_flush_puts_out_all_that_was_given)
{
    for (size_t i = 0; i < CODINGS; i++) {
        struct ed_coder *encoder, *decoder;
        char packed[256], text[64];

        CHECK_OK(ed_encoder_new(codings[i], 0, &encoder));
        CHECK_OK(ed_decoder_new(codings[i], &decoder));
        for (int round = 0; round < 3; round++) {
            const char *in = "a line\n", *next = packed;
            size_t in_size = 7, packed_size;
            ssize_t n = ed_coder_step(encoder, &in, &in_size, packed, sizeof packed, true, false);

            CHECK(n > 0);
            CHECK_EQ(in_size, 0);
            packed_size = (size_t)n;
            CHECK_EQ(ed_coder_step(encoder, &in, &in_size, text, sizeof text, true, false), 0);
            CHECK_EQ(ed_coder_step(decoder, &next, &packed_size, text, sizeof text, false, false),
                     7);
            CHECK(memcmp(text, "a line\n", 7) == 0);
        }
        ed_coder_free(encoder);
        ed_coder_free(decoder);
    }
}

static int round_trips(void)
{
    static char data[3000];

    fill(data, sizeof data);
    for (size_t i = 0; i < CODINGS; i++) {
        char room[8192];
        struct ed_coder *coder;
        const char *in = data;
        size_t size = sizeof data, left;
        ssize_t n;

        EDDY_TRY(ed_encoder_new(codings[i], 0, &coder));
        n = ed_coder_step(coder, &in, &size, room, sizeof room, false, true);
        ed_coder_free(coder);
        EDDY_TRY(n);
        in = room;
        left = (size_t)n;
        EDDY_TRY(ed_decoder_new(codings[i], &coder));
        n = ed_coder_step(coder, &in, &left, data, sizeof data, false, true);
        ed_coder_free(coder);
        EDDY_TRY(n);
        EDDY_TRY(eddy_expect_equal(n, sizeof data));
    }
    return 0;
}
EDDY_ASYNC(round_trips);

RAW_TEST(codings_survive_each_failing_allocation)
{
    CHECK_OK(eddy_test_allocations(round_trips));
}

static int code_much(enum ed_coding coding)
{
    static char data[300000];
    BYTES encoded = {0}, decoded = {0};

    fill(data, sizeof data);
    EDDY_TRY(encode(coding, data, sizeof data, &encoded));
    EDDY_TRY(decode(coding, encoded.data, encoded.size, 5000, 4096, &decoded));
    return eddy_expect_equal(decoded.size, sizeof data);
}
EDDY_ASYNC(code_much, enum ed_coding);

TEST(coders_need_less_than_half_of_a_stack)
{
    for (size_t i = 0; i < CODINGS; i++) {
        EDDY_TASK task = eddy_create_task(code_much, codings[i]);

        CHECK_OK(eddy_await(task));
        CHECK_THAT(test_is_slow() || eddy_task_stack_used(task) < EDDY_STACK_SIZE / 2,
                   "%s: %zu bytes", ed_coding_name(codings[i]), eddy_task_stack_used(task));
    }
}

RAW_TEST(codings_have_names)
{
    CHECK_EQ(ed_coding_by_name("gzip", 4), ED_CODING_GZIP);
    CHECK_EQ(ed_coding_by_name("X-GZip", 6), ED_CODING_GZIP);
    CHECK_EQ(ed_coding_by_name("Deflate", 7), ED_CODING_DEFLATE);
    CHECK_EQ(ed_coding_by_name("br", 2), ED_CODING_BROTLI);
    CHECK_EQ(ed_coding_by_name("zstd", 4), ED_CODING_ZSTD);
    CHECK_EQ(ed_coding_by_name("identity", 8), ED_CODING_IDENTITY);
    CHECK_EQ(ed_coding_by_name("", 0), ED_CODING_IDENTITY);
    CHECK_EQ(ed_coding_by_name("gzi", 3), ED_CODING_UNKNOWN);
    CHECK_EQ(ed_coding_by_name("compress", 8), ED_CODING_UNKNOWN);
    for (size_t i = 0; i < CODINGS; i++)
        CHECK_HAS(ed_codings, ed_coding_name(codings[i]));
}

/* H-SRESP-7, RFC 9110, 12.5.3 */
RAW_TEST(the_coding_is_chosen_by_weight_and_then_by_what_is_best)
{
    static const struct {
        const char *accepted;
        enum ed_coding coding;
    } cases[] = {
        {NULL, ED_CODING_IDENTITY},
        {"", ED_CODING_IDENTITY},
        {"gzip", ED_CODING_GZIP},
        {"GZIP", ED_CODING_GZIP},
        {"x-gzip", ED_CODING_GZIP},
        {"gzip, deflate, br, zstd", ED_CODING_BROTLI},
        {"gzip, deflate, zstd", ED_CODING_ZSTD},
        {"deflate, gzip", ED_CODING_GZIP},
        {"deflate;q=0.9, gzip;q=0.8", ED_CODING_DEFLATE},
        {"br;q=0.5, gzip ; q=0.501", ED_CODING_GZIP},
        {"gzip;q=0", ED_CODING_IDENTITY},
        {"gzip;q=0.000, *", ED_CODING_BROTLI},
        {"*", ED_CODING_BROTLI},
        {"*;q=0", ED_CODING_IDENTITY},
        {"br;q=0, *;q=0.1", ED_CODING_ZSTD},
        {"identity", ED_CODING_IDENTITY},
        {"identity, gzip", ED_CODING_GZIP},
        {"identity, gzip;q=0.5", ED_CODING_IDENTITY},
        {"identity;q=0, gzip;q=0.1", ED_CODING_GZIP},
        {"identity;q=0", ED_CODING_IDENTITY},
        {"compress, gzip;q=1.000", ED_CODING_GZIP},
        {"gzip;q=2", ED_CODING_IDENTITY},
        {"gzip;q=x", ED_CODING_IDENTITY},
        {"gzip;q=0.0001", ED_CODING_IDENTITY},
        {"gzip;level=9", ED_CODING_IDENTITY},
    };

    for (size_t i = 0; i < ED_ARRAY_LENGTH(cases); i++)
        CHECK_THAT(ed_coding_choose(cases[i].accepted) == cases[i].coding, "%s is %s",
                   cases[i].accepted, ed_coding_name(ed_coding_choose(cases[i].accepted)));
}

RAW_TEST(no_coder_is_made_for_identity_or_what_is_unknown)
{
    struct ed_coder *coder;

    CHECK_EQ(ed_encoder_new(ED_CODING_IDENTITY, 0, &coder), -EINVAL);
    CHECK_EQ(ed_encoder_new(ED_CODING_UNKNOWN, 0, &coder), -EINVAL);
    CHECK_EQ(ed_decoder_new(ED_CODING_IDENTITY, &coder), -EINVAL);
    CHECK_EQ(ed_decoder_new(ED_CODING_UNKNOWN, &coder), -EINVAL);
    ed_coder_free(NULL);
}
