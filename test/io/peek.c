/* SPDX-License-Identifier: MIT */
/* Looking at bytes without taking them. */
#include "script.h"

static void consume_too_much_in(void)
{
    struct script script = SCRIPT("abc");
    struct script_stream made = {.script = &script};
    const char *data;

    made.stream.kind = &script_class;
    made.stream.limit = 100;
    (void)eddy_stream_push(&made.stream, "abc", 3);
    (void)eddy_stream_kept(&made.stream, &data);
    eddy_consume(&made.stream, 4);
}

TEST(peek_waits_for_so_many_and_takes_none)
{
    struct script script = SCRIPT("hello world", .step = 2);
    EDDY_STREAM stream = script_open(&script);
    const char *data = NULL;
    char word[8] = "";

    CHECK_EQ(eddy_peek(stream, 0, &data), 0);
    CHECK_STR(data, "");
    CHECK_EQ(script.reads, 0);
    CHECK_EQ(eddy_peek(stream, 5, &data), 6);
    CHECK(memcmp(data, "hello ", 6) == 0);
    CHECK_EQ(eddy_peek(stream, 1, &data), 6);
    eddy_consume(stream, 2);
    CHECK_EQ(eddy_read(stream, word, 3), 3);
    CHECK_STR(word, "llo");
    CHECK_EQ(eddy_peek(stream, 100, &data), 6); /* the end */
    CHECK(memcmp(data, " world", 6) == 0);
    CHECK(!eddy_at_eof(stream));
    eddy_consume(stream, 6);
    CHECK(eddy_at_eof(stream)); /* A-READ-15 */
    CHECK_EQ(eddy_peek(stream, 1, &data), 0);
}

/* What is shown stays where it is, also while much comes, and after it was consumed. */
TEST(peek_shows_bytes_that_stay)
{
    static char much[10000];
    struct script script = SCRIPT("0123456789", .end = SCRIPT_FOR_EVER);
    EDDY_STREAM stream = script_open(&script);
    const char *data, *again;
    char text[32] = "";

    memset(much, '+', sizeof much);
    CHECK_EQ(eddy_peek(stream, 1, &data), 10);
    for (size_t size = 1; size < sizeof much; size *= 3)
        CHECK_OK(eddy_stream_push(stream, much, size));
    CHECK(memcmp(data, "0123456789", 10) == 0);
    eddy_consume(stream, 10);
    CHECK(memcmp(data, "0123456789", 10) == 0);
    CHECK_EQ(eddy_stream_get_counters(stream).to_read, 9841);
    CHECK_EQ(eddy_peek(stream, 9841, &again), 9841);
    CHECK(memcmp(again, much, 9841) == 0);
    eddy_consume(stream, 9841);
    CHECK_OK(eddy_stream_push(stream, "end", 3));
    CHECK_EQ(eddy_read(stream, text, sizeof text), 3);
    CHECK_STR(text, "end");
}

TEST(peek_of_a_broken_stream_shows_what_came)
{
    struct script script = SCRIPT("abc", .end = -EIO);
    EDDY_STREAM stream = script_open(&script);
    const char *data;

    CHECK_EQ(eddy_peek(stream, 4, &data), -EIO);
    CHECK_EQ(eddy_peek(stream, 3, &data), 3);
    CHECK(memcmp(data, "abc", 3) == 0);
}

TEST(peek_cannot_be_consumed_twice)
{
    CHECK_DIES(consume_too_much_in, "eddy_consume: 4 bytes are taken from a script stream");
}
