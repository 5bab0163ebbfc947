/* SPDX-License-Identifier: MIT */
/* Lines and separators: rules A-READ-5 to -12. */
#include "script.h"

#include <time.h>

static int lines_seen;

/* A-READ-5: up to and with the separator, which counts. */
TEST(line_until_a_separator)
{
    struct script script = SCRIPT("key: value\r\nrest", .step = 3);
    EDDY_STREAM stream = script_open(&script);
    char data[16] = "";

    CHECK_EQ(eddy_read_until(stream, "", 0, data, sizeof data), -EINVAL);
    CHECK_EQ(eddy_read_until(stream, ": ", 2, data, sizeof data), 5);
    CHECK(memcmp(data, "key: ", 5) == 0);
    CHECK_EQ(eddy_read_until(stream, "\r\n", 2, data, 7), 7); /* it just fits */
    CHECK(memcmp(data, "value\r\n", 7) == 0);
}

/* A-READ-6: over the limit everything stays, and what can be skipped is known. */
TEST(line_until_a_separator_that_is_too_far_away_stays)
{
    struct script script = SCRIPT("0123456789\r\nrest");
    EDDY_STREAM stream = script_open(&script);
    char data[16] = "";

    CHECK_EQ(eddy_read_until(stream, "\r\n", 2, data, 11), EDDY_ELIMIT);
    CHECK_EQ(eddy_stream_partial(stream), 10);
    CHECK_HAS(eddy_error_message(EDDY_ELIMIT), "no separator in 11 bytes");
    eddy_consume(stream, eddy_stream_partial(stream));
    CHECK_EQ(eddy_read_until(stream, "\r\n", 2, data, 11), 2);
    CHECK_EQ(eddy_read_until(stream, "long separator", 14, data, 3), EDDY_ELIMIT);
    CHECK_EQ(eddy_stream_partial(stream), 0);
}

/* A-READ-7: at the end without a separator what came is the caller's. */
TEST(line_until_a_separator_that_never_comes)
{
    struct script script = SCRIPT("half a li", .step = 4);
    EDDY_STREAM stream = script_open(&script);
    char data[16] = "";

    CHECK_EQ(eddy_read_until(stream, "\n", 1, data, sizeof data), EDDY_EINCOMPLETE);
    CHECK_EQ(eddy_stream_partial(stream), 9);
    CHECK_STR(data, "half a li");
    CHECK_EQ(eddy_read_until(stream, "\n", 1, data, sizeof data), EDDY_EINCOMPLETE);
    CHECK_EQ(eddy_stream_partial(stream), 0);
}

/* A-READ-9: however it is cut, also where the separator begins again within itself. */
TEST(line_separator_in_pieces_is_found)
{
    for (size_t step = 1; step < 14; step++)
        for (size_t pushed = 0; pushed < 4; pushed++) {
            struct script script =
                SCRIPT("xaaaaabab\r\r\n-", .step = step, .pushed = pushed, .slow = step % 2);
            EDDY_STREAM stream = script_open(&script);
            char data[32];

            CHECK_EQ(eddy_read_until(stream, "aab", 3, data, sizeof data), 7);
            CHECK_EQ(eddy_read_until(stream, "\r\n", 2, data, sizeof data), 5);
            CHECK(memcmp(data, "ab\r\r\n", 5) == 0);
        }
}

/* A-READ-10: the last line need not be ended. */
TEST(line_last_one_without_a_newline)
{
    struct script script = SCRIPT("one\n\nlast", .step = 1);
    EDDY_STREAM stream = script_open(&script);
    char line[16];

    CHECK_EQ(eddy_read_line(stream, line, sizeof line), 4);
    CHECK_STR(line, "one\n");
    CHECK_EQ(eddy_read_line(stream, line, sizeof line), 1);
    CHECK_STR(line, "\n");
    CHECK_EQ(eddy_read_line(stream, line, sizeof line), 4);
    CHECK_STR(line, "last");
    CHECK_EQ(eddy_read_line(stream, line, sizeof line), 0);
    CHECK_STR(line, "");
    CHECK_EQ(eddy_read_line(stream, line, 0), -EINVAL);
}

/* A-READ-11, where Eddy differs: a line that is too long stays. What fits does not depend on
 * how it came. */
TEST(line_that_does_not_fit_stays)
{
    for (size_t step = 0; step < 4; step++) {
        struct script script = SCRIPT("abc\nabcd\nabcd", .step = step);
        EDDY_STREAM stream = script_open(&script);
        char line[16];

        CHECK_EQ(eddy_read_line(stream, line, 5), 4);
        CHECK_EQ(eddy_read_line(stream, line, 5), EDDY_ELIMIT);
        CHECK_HAS(eddy_error_message(EDDY_ELIMIT), "a line is longer than 4 bytes");
        CHECK_EQ(eddy_stream_partial(stream), 4);
        CHECK_EQ(eddy_read_line(stream, line, 1), EDDY_ELIMIT);
        CHECK_EQ(eddy_read_line(stream, line, 6), 5);
        CHECK_EQ(eddy_read_line(stream, line, 4), EDDY_ELIMIT);
        CHECK_EQ(eddy_read_line(stream, line, 5), 4); /* four, and the end */
        CHECK_EQ(eddy_read_line(stream, line, 1), 0);
    }
}

/* All up to the separator goes, however it comes, and whatever was kept of it before. */
TEST(line_skipped_up_to_a_separator)
{
    for (size_t step = 0; step < 16; step++) {
        struct script script = SCRIPT("0123456789 aaab\r\r\nrest\nlast", .step = step,
                                      .pushed = step % 3, .slow = step % 2);
        EDDY_STREAM stream = script_open(&script);
        char line[16];

        CHECK_EQ(eddy_skip_until(stream, "", 0), -EINVAL);
        CHECK_EQ(eddy_read_line(stream, line, 5), EDDY_ELIMIT);
        CHECK_EQ(eddy_skip_until(stream, "aab", 3), 1);
        CHECK_EQ(eddy_skip_until(stream, "\r\n", 2), 1);
        CHECK_EQ(eddy_read_line(stream, line, sizeof line), 5);
        CHECK_STR(line, "rest\n");
        CHECK_EQ(eddy_skip_until(stream, "\n", 1), 0); /* the end came first */
        CHECK(eddy_at_eof(stream));
        CHECK_EQ(eddy_skip_until(stream, "\r\n", 2), 0);
    }
}

/* More than the stream keeps, and the line lent before stays whole until then. */
TEST(line_skipped_that_is_longer_than_the_limit)
{
    static char text[100000];
    struct script script = {.text = text, .size = sizeof text, .step = 999};
    EDDY_STREAM stream = script_open(&script);
    eddy_line line;
    int rc, count = 0;

    memset(text, 'x', sizeof text);
    memcpy(text, "first\n", 6);
    memcpy(text + sizeof text - 6, "\nlast\n", 6);
    CHECK_OK(eddy_stream_set_limit(stream, 100));
    do {
        EDDY_FOR_EACH(rc, line, eddy_lines(stream)) {
            CHECK_STR(line.text, count ? "last\n" : "first\n");
            count++;
        }
    } while (rc == EDDY_ELIMIT && eddy_skip_until(stream, "\n", 1) == 1);
    CHECK_OK(rc);
    CHECK_EQ(count, 2);
}

/* A skip that is cut short has dropped what it says, and another one goes on. */
TEST(line_skip_that_is_cut_short_goes_on)
{
    struct script script = SCRIPT("a long line\r\nnext\n", .step = 1, .slow = true);
    EDDY_STREAM stream = script_open(&script);
    size_t dropped = 0;
    char line[32];
    int tries = 0;
    int rc;

    do {
        EDDY_TIMEOUT(limit, 0.0025);
        rc = eddy_skip_until(stream, "\r\n", 2);
        dropped += rc < 0 ? eddy_stream_partial(stream) : 0;
        tries++;
    } while (rc == -ETIMEDOUT);
    CHECK_EQ(rc, 1);
    CHECK(tries > 3);
    CHECK(dropped >= 8 && dropped <= 12);
    CHECK_EQ(eddy_read_line(stream, line, sizeof line), 5);
    CHECK_STR(line, "next\n");
}

/* A-READ-12: all lines, NUL-terminated, without a copy, whole and byte by byte. */
TEST(line_by_line_up_to_the_end)
{
    static const char *const expected[] = {"first\n", "\n", "third\n", "last"};

    for (size_t step = 0; step < 8; step++) {
        struct script script = SCRIPT("first\n\nthird\nlast", .step = step, .pushed = step % 3);
        EDDY_STREAM stream = script_open(&script);
        eddy_line line;
        int rc, count = 0;

        EDDY_FOR_EACH(rc, line, eddy_lines(stream)) {
            CHECK(count < 4);
            CHECK_STR(line.text, expected[count]);
            CHECK_EQ(line.size, strlen(expected[count]));
            count++;
        }
        CHECK_OK(rc);
        CHECK_EQ(count, 4);
        CHECK(eddy_at_eof(stream));
    }
}

/* A-READ-5: exactly the limit is allowed before the newline. */
TEST(line_by_line_as_long_as_the_limit)
{
    struct script script = SCRIPT("12345\n123456\n");
    EDDY_STREAM stream = script_open(&script);
    char data[16];
    eddy_line line;
    int rc;

    CHECK_OK(eddy_stream_set_limit(stream, 5));
    EDDY_FOR_EACH(rc, line, eddy_lines(stream)) {
        CHECK_STR(line.text, "12345\n");
        lines_seen++;
    }
    CHECK_EQ(rc, EDDY_ELIMIT);
    CHECK_HAS(eddy_error_message(rc), "a line is longer than 5 bytes");
    CHECK_EQ(lines_seen, 1);
    CHECK_EQ(eddy_read(stream, data, sizeof data), 7); /* it stays readable */
}

/* A line is lent: what comes meanwhile leaves it alone, and the byte under its NUL is still
 * there for whoever reads on, in whichever way. */
TEST(line_lent_is_not_disturbed_by_what_comes)
{
    static const char much[9000] = "!";

    for (int way = 0; way < 8; way++) {
        struct script script = SCRIPT("line\nXYZ");
        EDDY_STREAM stream = script_open(&script);
        EDDY_GENERATOR lines = eddy_lines(stream);
        const char *shown;
        char data[16] = "";
        eddy_line line;

        CHECK_EQ(eddy_next(lines, &line), 1);
        CHECK_OK(eddy_stream_push(stream, way % 2 ? much : "!", way % 2 ? sizeof much : 1));
        CHECK_STR(line.text, "line\n");
        if (way < 2) {
            CHECK_EQ(eddy_read(stream, data, 4), 4);
        } else if (way < 4) {
            eddy_consume(stream, 0);
            CHECK_EQ(eddy_read_exactly(stream, data, 4), 0);
        } else if (way < 6) {
            CHECK(eddy_peek(stream, 4, &shown) >= 4);
            memcpy(data, shown, 4);
        } else {
            CHECK(eddy_stream_kept(stream, &shown) >= 4);
            memcpy(data, shown, 4);
            eddy_consume(stream, 4);
        }
        CHECK_STR(data, "XYZ!");
    }
}

/* The same for a line that is all there is: its NUL stands behind it. */
TEST(line_lent_that_is_all_there_is)
{
    static const char much[9000] = "!";
    struct script script = {.text = much, .size = 0, .end = SCRIPT_FOR_EVER};
    EDDY_STREAM stream = script_open(&script);
    EDDY_GENERATOR lines = eddy_lines(stream);
    char data[16] = "";
    eddy_line line;

    CHECK_OK(eddy_stream_push(stream, "line\n", 5));
    CHECK_EQ(eddy_next(lines, &line), 1);
    CHECK_OK(eddy_stream_push(stream, "more\n", 5));
    CHECK_STR(line.text, "line\n");
    CHECK_EQ(eddy_next(lines, &line), 1);
    CHECK_OK(eddy_stream_push(stream, much, sizeof much));
    CHECK_STR(line.text, "more\n");
    eddy_consume(stream, 0);
    CHECK_EQ(eddy_read(stream, data, 1), 1);
    CHECK_STR(data, "!");
    CHECK_EQ(eddy_stream_get_counters(stream).to_read, sizeof much - 1);
}

/* A block of exactly a line: there is room for the NUL all the same. */
TEST(line_lent_that_fills_its_block)
{
    static char text[4096];
    struct script script = {.text = text, .size = sizeof text};
    EDDY_STREAM stream = script_open(&script);
    eddy_line line;
    int rc;

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\n';
    EDDY_FOR_EACH(rc, line, eddy_lines(stream))
        CHECK_EQ(strlen(line.text), sizeof text);
    CHECK_OK(rc);
}

/* Linear costs: a megabyte in one line, byte by byte. A search from the start each time would
 * look at half a million megabytes. */
TEST(line_that_comes_byte_by_byte_costs_no_more_than_its_length)
{
    enum { SIZE = 1 << 20 };
    static char text[SIZE], line[SIZE + 1];
    struct script script = {.text = text, .size = SIZE, .step = 1};
    EDDY_STREAM stream = script_open(&script);
    clock_t before = clock();

    memset(text, 'x', SIZE);
    text[SIZE - 2] = '\r';
    text[SIZE - 1] = '\n';
    CHECK_EQ(eddy_read_until(stream, "\r\n", 2, line, sizeof line), SIZE);
    CHECK(clock() - before < 4 * CLOCKS_PER_SEC);
}

/* A-READ-14: lines that are cut short by a timeout come whole afterwards. */
TEST(line_that_is_cancelled_comes_whole_later)
{
    struct script script = SCRIPT("a long line\nnext\n", .step = 1, .slow = true);
    EDDY_STREAM stream = script_open(&script);
    char line[32];
    int tries = 0;
    ssize_t n;

    do {
        EDDY_TIMEOUT(limit, 0.0025);
        n = eddy_read_line(stream, line, sizeof line);
        tries++;
    } while (n == -ETIMEDOUT);
    CHECK_EQ(n, 12);
    CHECK_STR(line, "a long line\n");
    CHECK_EQ(tries, 6);
}
