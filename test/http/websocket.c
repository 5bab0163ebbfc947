/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "http/websocket_ends.h"

static const struct ed_deflate_terms usual = {true, false, false, 15, 15};

TEST(websocket_brings_messages_both_ways)
{
    JOINED joined = {NULL, NULL};
    eddy_message message;

    CHECK_OK(joined_open(&joined, NULL, NULL, NULL));
    CHECK_OK(eddy_websocket_send_text(joined.client, "hello"));
    CHECK_EQ(eddy_websocket_receive(joined.server, &message), 1);
    CHECK(message.kind == EDDY_MESSAGE_TEXT && message.size == 5);
    CHECK_STR(message.text, "hello");
    CHECK_OK(eddy_websocket_send(joined.server, EDDY_MESSAGE_BINARY, "\0\1", 2));
    CHECK_EQ(eddy_websocket_receive(joined.client, &message), 1);
    CHECK(message.kind == EDDY_MESSAGE_BINARY && message.size == 2);
    CHECK(memcmp(message.text, "\0\1", 3) == 0);
    CHECK_OK(eddy_websocket_printf(joined.client, "%d %s", 7, "dwarfs"));
    CHECK_EQ(eddy_websocket_receive(joined.server, &message), 1);
    CHECK_STR(message.text, "7 dwarfs");
    CHECK_STR(eddy_websocket_protocol(joined.client), "");
    CHECK_EQ(eddy_websocket_close_code(joined.client), 0);
}

/* Sections 12 and 13 of the suite: all sizes, compressed by all terms. */
static int exchange(const struct ed_deflate_terms *terms, size_t size)
{
    static char data[300000];
    JOINED joined = {NULL, NULL};
    eddy_message message;

    for (size_t i = 0; i < size; i++)
        data[i] = (char)("etaoin shrdlu"[i * i % 13]);
    EDDY_TRY(joined_open(&joined, terms, NULL, NULL));
    for (int i = 0; i < 5; i++) {
        eddy_websocket *from = i % 2 ? joined.client : joined.server;
        eddy_websocket *to = i % 2 ? joined.server : joined.client;

        EDDY_TRY(eddy_websocket_send(from, EDDY_MESSAGE_TEXT, data, size));
        REQUIRE(eddy_websocket_receive(to, &message) == 1);
        REQUIRE(message.size == size && memcmp(message.text, data, size) == 0);
        REQUIRE(message.text[size] == '\0');
    }
    return 0;
}

static int exchange_sizes(void)
{
    static const size_t sizes[] = {0,    16,   64,   127,   128,   256,
                                   1024, 4096, 8192, 32768, 65536, 131072};

    for (size_t i = 0; i < ED_ARRAY_LENGTH(sizes); i++)
        EDDY_TRY(exchange(&usual, sizes[i]));
    return 0;
}
EDDY_ASYNC(exchange_sizes);

RAW_TEST(websocket_case_12_compressed_messages_of_all_sizes)
{
    CHECK_OK(eddy_test(exchange_sizes));
}

static int exchange_terms(void)
{
    for (int alone = 0; alone < 4; alone++)
        for (int bits = 8; bits <= 15; bits += bits == 8 ? 1 : 3) {
            struct ed_deflate_terms terms = {true, alone & 1, alone & 2, bits == 8 ? 9 : bits,
                                             bits};

            EDDY_TRY(exchange(&terms, 1024));
            EDDY_TRY(exchange(&terms, 100000));
        }
    return 0;
}
EDDY_ASYNC(exchange_terms);

RAW_TEST(websocket_case_13_compressed_by_all_terms)
{
    CHECK_OK(eddy_test(exchange_terms));
}

TEST(websocket_messages_are_a_generator)
{
    JOINED joined = {NULL, NULL};
    eddy_message message;
    int rc, count = 0;

    CHECK_OK(joined_open(&joined, NULL, NULL, NULL));
    for (int i = 0; i < 5; i++)
        CHECK_OK(eddy_websocket_printf(joined.client, "%d", i));
    CHECK_OK(eddy_websocket_begin_close(joined.client, 1000, NULL));
    EDDY_FOR_EACH(rc, message, eddy_websocket_messages(joined.server)) {
        CHECK_EQ(message.text[0], '0' + count);
        count++;
    }
    CHECK_OK(rc);
    CHECK_EQ(count, 5);
}

TEST(websocket_options_that_make_no_sense_are_refused)
{
    static const eddy_websocket_options bad[] = {
        {.heartbeat = -1}, {.heartbeat = NAN}, {.close_time = -1}, {.close_time = NAN}};
    struct ed_websocket_agreed agreed = {.client = true, .protocol = "chat"};
    BARE bare = {NULL, NULL, false};
    EDDY_STREAM own = NULL, peer = NULL;

    CHECK_OK(bare_open_with(&bare, &agreed, NULL));
    CHECK_STR(eddy_websocket_protocol(bare.socket), "chat");
    CHECK_OK(eddy_stream_pair(&own, &peer));
    for (size_t i = 0; i < ED_ARRAY_LENGTH(bad); i++)
        CHECK_FAILS(ed_websocket_open(own, &agreed, &bad[i], &bare.socket), -EINVAL, "seconds");
}

static int talk(void)
{
    JOINED joined = {NULL, NULL};
    eddy_message message;
    static char data[9000];

    memset(data, 'x', sizeof data);
    EDDY_TRY(joined_open(&joined, &usual, NULL, NULL));
    for (size_t size = 0; size <= sizeof data; size += 4500) {
        EDDY_TRY(eddy_websocket_send(joined.client, EDDY_MESSAGE_TEXT, data, size));
        EDDY_TRY(eddy_websocket_receive(joined.server, &message));
        REQUIRE(message.size == size);
        EDDY_TRY(eddy_websocket_send_piece(joined.server, EDDY_MESSAGE_BINARY, data, size, false));
        EDDY_TRY(eddy_websocket_send_piece(joined.server, EDDY_MESSAGE_BINARY, "y", 1, true));
        EDDY_TRY(eddy_websocket_receive(joined.client, &message));
        REQUIRE(message.size == size + 1);
    }
    return 0;
}
EDDY_ASYNC(talk);

RAW_TEST(websocket_stands_each_allocation_that_fails)
{
    CHECK_OK(eddy_test_allocations(talk));
}
