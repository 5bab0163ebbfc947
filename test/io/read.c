/* SPDX-License-Identifier: MIT */
/* Reading: rules A-READ-1 to -4 and -13 to -17. Lines stand in line.c, random reads against a
 * plain array in read_model.c. */
#include "script.h"

#include "base/fault.h"

static ssize_t seen; /* what a task's read returned */

static int read_some(eddy_stream *stream, char *data, size_t size)
{
    seen = eddy_read(stream, data, size);
    return seen < 0 ? (int)seen : 0;
}
EDDY_ASYNC(read_some, eddy_stream *, char *, size_t);

static int read_all_of(eddy_stream *stream, char *data, size_t size)
{
    return eddy_read_exactly(stream, data, size);
}
EDDY_ASYNC(read_all_of, eddy_stream *, char *, size_t);

static int write_text(eddy_stream *stream, const char *text)
{
    return eddy_write(stream, text, strlen(text));
}

static char big[200000], copy[sizeof big];

static void fill_big(void)
{
    for (size_t i = 0; i < sizeof big; i++)
        big[i] = (char)(i * 7 + i / 251);
}

/* A-READ-2: what there is, at once, up to the size asked for. */
TEST(read_returns_what_there_is)
{
    struct script script = SCRIPT("hello world", .step = 5, .pushed = 2);
    EDDY_STREAM stream = script_open(&script);
    char data[64];

    CHECK_EQ(eddy_read(stream, data, 3), 3);
    CHECK_EQ(eddy_read(stream, data + 3, sizeof data), 2); /* what was pushed, and no more */
    CHECK_EQ(eddy_read(stream, data + 5, sizeof data), 5);
    CHECK_EQ(eddy_read(stream, data + 10, sizeof data), 1);
    CHECK(memcmp(data, "hello world", 11) == 0);
    CHECK_EQ(eddy_read(stream, data, sizeof data), 0);
    CHECK_EQ(eddy_read(stream, data, sizeof data), 0); /* again and again */
    CHECK_EQ(script.reads, 3);                         /* the kind is not asked again */
}

/* A-READ-3: nothing is asked for, and nothing waited for. */
TEST(read_of_nothing_returns_at_once)
{
    struct script script = SCRIPT("", .end = SCRIPT_FOR_EVER);
    EDDY_STREAM stream = script_open(&script);
    char data[1];

    CHECK_EQ(eddy_read(stream, data, 0), 0);
    CHECK_OK(eddy_read_exactly(stream, data, 0));
    CHECK_EQ(script.reads, 0);
}

/* A-READ-4: exactly so many, or those that came before the end. */
TEST(read_exactly_returns_all_or_says_how_many_came)
{
    struct script script = SCRIPT("0123456789", .step = 3);
    EDDY_STREAM stream = script_open(&script);
    char data[16] = "";

    CHECK_OK(eddy_read_exactly(stream, data, 7));
    CHECK_STR(data, "0123456");
    CHECK_EQ(eddy_read_exactly(stream, data, 7), EDDY_EINCOMPLETE);
    CHECK_HAS(eddy_error_message(EDDY_EINCOMPLETE), "script nobody:7: read: the stream has ended "
                                                    "behind 3 of 7 bytes");
    CHECK_EQ(eddy_stream_partial(stream), 3);
    CHECK(memcmp(data, "789", 3) == 0);
    CHECK(eddy_at_eof(stream));
    CHECK_EQ(eddy_read_exactly(stream, data, 1), EDDY_EINCOMPLETE);
    CHECK_EQ(eddy_stream_partial(stream), 0);
}

/* A-READ-1, -4: also far more than the limit. */
TEST(read_exactly_of_more_than_the_limit)
{
    struct script script = {.text = big, .size = sizeof big, .step = 1500, .pushed = 700};
    EDDY_STREAM stream = script_open(&script);

    fill_big();
    CHECK_OK(eddy_stream_set_limit(stream, 10));
    CHECK_OK(eddy_read_exactly(stream, copy, 100));
    CHECK_OK(eddy_read_exactly(stream, copy + 100, 150000));
    CHECK_EQ(eddy_read_exactly(stream, copy + 150100, 60000), EDDY_EINCOMPLETE);
    CHECK_EQ(eddy_stream_partial(stream), sizeof big - 150100);
    CHECK(memcmp(copy, big, sizeof big) == 0);
    CHECK_EQ(eddy_stream_get_counters(stream).received, sizeof big);
}

/* A-READ-1: a pair's reader keeps twice its limit, and lets more come at the limit. */
TEST(read_keeps_twice_the_limit_and_goes_on_at_the_limit)
{
    EDDY_STREAM one = NULL;
    EDDY_STREAM other = NULL;

    CHECK_OK(eddy_stream_pair(&one, &other));
    CHECK_EQ(eddy_stream_set_limit(other, 0), -EINVAL);
    CHECK_OK(eddy_stream_set_limit(other, 100));
    CHECK_OK(eddy_write(one, big, 350));
    CHECK_EQ(eddy_stream_get_counters(other).to_read, 200);
    CHECK_EQ(eddy_stream_get_counters(one).to_send, 150);
    CHECK_EQ(eddy_stream_get_counters(one).sent, 200);
    CHECK_EQ(eddy_read(other, copy, 99), 99);
    CHECK_EQ(eddy_stream_get_counters(other).to_read, 101); /* still above the limit */
    CHECK_EQ(eddy_read(other, copy, 1), 1);
    CHECK_EQ(eddy_stream_get_counters(other).to_read, 200);
    CHECK_EQ(eddy_stream_get_counters(one).to_send, 50);
    CHECK_OK(eddy_stream_set_limit(other, 1000)); /* so does a larger limit */
    CHECK_EQ(eddy_stream_get_counters(one).to_send, 0);
    CHECK_EQ(eddy_stream_get_counters(other).received, 350);
}

/* A-READ-13: one reader at a time, and the first goes on. */
TEST(read_by_a_second_task_is_refused)
{
    EDDY_STREAM one = NULL;
    EDDY_STREAM other = NULL;
    char data[16] = "", line[16];
    const char *shown;

    CHECK_OK(eddy_stream_pair(&one, &other));
    EDDY_TASK first = eddy_create_task(read_some, other, data, sizeof data);
    test_settle();
    CHECK_EQ(eddy_read(other, line, 1), -EBUSY);
    CHECK_HAS(eddy_error_message(-EBUSY), "another task reads");
    CHECK_EQ(eddy_read_exactly(other, line, 1), -EBUSY);
    CHECK_EQ(eddy_read_line(other, line, sizeof line), -EBUSY);
    CHECK_EQ(eddy_peek(other, 0, &shown), -EBUSY);
    CHECK_OK(write_text(one, "for the first"));
    CHECK_OK(eddy_await(first));
    CHECK_STR(data, "for the first");
}

/* A-READ-14: a read that is cancelled takes nothing. */
TEST(read_that_is_cancelled_loses_no_bytes)
{
    struct script script = {.text = big, .size = sizeof big, .step = 1000, .slow = true};
    EDDY_STREAM stream = script_open(&script);

    fill_big();
    EDDY_TASK small = eddy_create_task(read_all_of, stream, copy, (size_t)4000);
    CHECK_OK(eddy_sleep(0.0025)); /* two pieces have come */
    eddy_cancel(small);
    CHECK_EQ(eddy_await(small), -ECANCELED);
    CHECK_EQ(eddy_stream_get_counters(stream).to_read, 2000);
    EDDY_TASK large = eddy_create_task(read_all_of, stream, copy, sizeof copy);
    CHECK_OK(eddy_sleep(0.0025));
    eddy_cancel(large);
    CHECK_EQ(eddy_await(large), -ECANCELED);
    CHECK_EQ(eddy_stream_get_counters(stream).to_read, 4000); /* put back */
    CHECK_EQ(eddy_stream_get_counters(stream).received, 4000);
    memset(copy, 0, sizeof copy);
    CHECK_OK(eddy_read_exactly(stream, copy, sizeof copy));
    CHECK(memcmp(copy, big, sizeof big) == 0);
}

/* A-READ-14, promise 3: what was handed over before the cancel stands. */
TEST(read_cancelled_in_the_tick_of_its_bytes_has_them)
{
    EDDY_STREAM one = NULL;
    EDDY_STREAM other = NULL;
    char data[16] = "";

    CHECK_OK(eddy_stream_pair(&one, &other));
    EDDY_TASK reader = eddy_create_task(read_some, other, data, sizeof data);
    test_settle();
    CHECK_OK(write_text(one, "abc"));
    eddy_cancel(reader);
    CHECK_OK(eddy_await(reader));
    CHECK_EQ(seen, 3);
    CHECK_STR(data, "abc");
}

/* Promise 2: a pending cancel wins on entry, also when the bytes are there. */
static int read_cancelled(eddy_stream *stream)
{
    char data[8];
    const char *shown;

    eddy_cancel(eddy_current_task());
    REQUIRE(eddy_read(stream, data, 1) == -ECANCELED);
    REQUIRE(eddy_read_exactly(stream, data, 1) == -ECANCELED);
    REQUIRE(eddy_read_until(stream, "b", 1, data, sizeof data) == -ECANCELED);
    REQUIRE(eddy_read_line(stream, data, sizeof data) == -ECANCELED);
    REQUIRE(eddy_peek(stream, 0, &shown) == -ECANCELED);
    return eddy_uncancel();
}
EDDY_ASYNC(read_cancelled, eddy_stream *);

TEST(read_in_a_cancelled_task_takes_nothing)
{
    struct script script = SCRIPT("abc\n");
    EDDY_STREAM stream = script_open(&script);
    const char *shown;

    CHECK_EQ(eddy_peek(stream, 4, &shown), 4);
    EDDY_TASK task = eddy_create_task(read_cancelled, stream);
    CHECK_OK(eddy_await(task));
    CHECK_EQ(eddy_peek(stream, 0, &shown), 4);
    CHECK(memcmp(shown, "abc\n", 4) == 0);
}

/* A-READ-16, where Eddy differs: what came before the error stays readable. */
TEST(read_of_a_broken_stream_gives_its_bytes_and_then_the_error)
{
    struct script script = SCRIPT("hello", .end = -ECONNRESET);
    EDDY_STREAM stream = script_open(&script);
    char data[16];

    CHECK_EQ(eddy_read_exactly(stream, data, 8), -ECONNRESET);
    CHECK_STR(eddy_error_message(-ECONNRESET), "script nobody:7: read: Connection reset by peer");
    CHECK_EQ(eddy_read_line(stream, data, sizeof data), -ECONNRESET);
    CHECK_HAS(eddy_error_message(-ECONNRESET), "broken before");
    CHECK_EQ(eddy_read(stream, data, sizeof data), 5);
    CHECK(!eddy_at_eof(stream));
    CHECK_EQ(eddy_read(stream, data, sizeof data), -ECONNRESET);
    CHECK_EQ(script.reads, 2);
    CHECK_EQ(eddy_write(stream, "x", 1), -ECONNRESET); /* A-WRITE-6 */
    CHECK_EQ(eddy_drain(stream), -ECONNRESET);
}

/* What comes together with the end, or an error, comes before it. */
TEST(read_of_bytes_that_come_with_the_end)
{
    for (int broken = 0; broken < 2; broken++) {
        struct script script = SCRIPT("abc", .last = "def", .end = broken ? -EIO : 0);
        EDDY_STREAM stream = script_open(&script);
        char data[8] = "";

        CHECK_OK(eddy_read_exactly(stream, data, 6));
        CHECK_STR(data, "abcdef");
        CHECK_EQ(eddy_read(stream, data, 1), broken ? -EIO : 0);
        CHECK_EQ(script.reads, 2);
    }
}

/* A kind's own text is kept. */
TEST(read_error_with_a_text_of_the_kinds_keeps_it)
{
    struct script script = SCRIPT("", .end = -EPROTO, .own_text = 1);
    EDDY_STREAM stream = script_open(&script);
    char data[16];

    (void)eddy_raise(-EPROTO, "an older one");
    CHECK_EQ(eddy_read(stream, data, sizeof data), -EPROTO);
    CHECK_STR(eddy_error_message(-EPROTO), "the script says so");
}

/* Texts tell of the last failure only: a read that works leaves the task's text alone, one
 * that fails by the kernel's code does not take an older text for its own. */
TEST(read_leaves_the_texts_of_other_errors_alone)
{
    struct script script = SCRIPT("abc", .end = -ECONNRESET);
    EDDY_STREAM stream = script_open(&script);
    char data[16];

    (void)eddy_raise(-ECONNRESET, "another connection");
    CHECK_EQ(eddy_read(stream, data, sizeof data), 3);
    CHECK_STR(eddy_error_message(-ECONNRESET), "another connection");
    CHECK_EQ(eddy_read(stream, data, sizeof data), -ECONNRESET);
    CHECK_HAS(eddy_error_message(-ECONNRESET), "script nobody:7");
}

/* The kernel's own ETIMEDOUT breaks a connection; a timeout around the call does not. */
TEST(read_tells_a_timeout_of_its_task_from_one_of_the_connection)
{
    struct script patient = SCRIPT("", .end = SCRIPT_FOR_EVER);
    struct script broken = SCRIPT("", .end = -ETIMEDOUT);
    EDDY_STREAM stream = script_open(&patient);
    EDDY_STREAM second = script_open(&broken);
    char data[1];

    {
        EDDY_TIMEOUT(limit, 0.5);
        CHECK_EQ(eddy_read(stream, data, 1), -ETIMEDOUT);
    }
    CHECK_EQ(patient.reads, 1);
    {
        EDDY_TIMEOUT(limit, 0.5);
        CHECK_EQ(eddy_read(stream, data, 1), -ETIMEDOUT);
    }
    CHECK_EQ(patient.reads, 2); /* it is asked again */
    CHECK_EQ(eddy_read(second, data, 1), -ETIMEDOUT);
    CHECK_EQ(eddy_read(second, data, 1), -ETIMEDOUT);
    CHECK_EQ(broken.reads, 1);
}

/* A-READ-17, A-READ-3: all, a NUL behind it, up to a limit. */
TEST(read_all_returns_everything_in_a_block)
{
    struct script script = {.text = big, .size = sizeof big, .step = 999};
    struct script none = SCRIPT("");
    EDDY_STREAM stream = script_open(&script);
    EDDY_STREAM empty = script_open(&none);
    char *data = NULL;
    size_t size = 0;

    fill_big();
    CHECK_EQ(eddy_read_exactly(stream, copy, 10), 0);
    CHECK_EQ(eddy_read_all(stream, sizeof big - 11, &data, &size), EDDY_ELIMIT);
    CHECK(data == NULL);
    CHECK_OK(eddy_read_all(stream, sizeof big - 10, &data, &size));
    CHECK_EQ(size, sizeof big - 10);
    CHECK(memcmp(data, big + 10, size) == 0);
    CHECK_EQ(data[size], 0);
    eddy_free(data);
    CHECK_OK(eddy_read_all(empty, 0, &data, NULL));
    CHECK_STR(data, "");
    eddy_free(data);
    eddy_free(NULL);
}

/* A large read that is cancelled without memory to put its bytes back: the stream says that
 * bytes are lost, and is broken. */
TEST(read_that_cannot_put_its_bytes_back_breaks_the_stream)
{
    struct script script = {.text = big, .size = sizeof big, .step = 8000, .slow = true};
    EDDY_STREAM stream = script_open(&script);
    EDDY_TASK reader = eddy_create_task(read_all_of, stream, copy, sizeof copy);

    CHECK_OK(eddy_sleep(0.0025));
    eddy_cancel(reader);
    ed_fault_set(ED_FAULT_ALLOC, 1, -ENOMEM);
    CHECK_EQ(eddy_await(reader), -ENOMEM);
    ed_fault_set(ED_FAULT_ALLOC, 0, 0);
    CHECK_EQ(eddy_read(stream, copy, 1), -ENOMEM);
    CHECK_HAS(eddy_error_message(-ENOMEM), "broken before");
}

/* Promise 7: small reads allocate nothing, whichever way the bytes come. */
TEST(read_of_little_does_not_allocate)
{
    EDDY_STREAM one = NULL;
    EDDY_STREAM other = NULL;
    char data[64];
    uint64_t before = 0;

    if (ed_memory_guarded() || ED_WATCHED)
        test_skip("blocks are not used again under a checker");
    CHECK_OK(eddy_stream_pair(&one, &other));
    for (int i = 0; i < 20; i++) {
        if (i == 2)
            before = ed_fault_count(ED_FAULT_ALLOC);
        CHECK_OK(eddy_write(one, "a line\nand more", 15));
        CHECK_EQ(eddy_read_line(other, data, sizeof data), 7);
        CHECK_EQ(eddy_read(other, data, sizeof data), 8);
    }
    CHECK_EQ(ed_fault_count(ED_FAULT_ALLOC), before);
}

static int now_reads, now_closes;

static ssize_t read_now(eddy_stream *stream, void *data, size_t size)
{
    (void)stream;
    if (now_reads++ % 2 == 0)
        return -EAGAIN;
    memset(data, 'n', size);
    return (ssize_t)size;
}

static int close_now(eddy_stream *stream)
{
    (void)stream;
    now_closes++;
    return -EAGAIN;
}

/* A kind that can do it at once is asked first, and the other way behind that. */
TEST(read_and_close_ask_first_for_what_is_done_at_once)
{
    struct script script = SCRIPT("abc");
    eddy_stream_class kind = script_class;
    EDDY_STREAM stream = script_open(&script);
    char data[8];

    now_reads = now_closes = 0;
    kind.read_nowait = read_now;
    kind.close_nowait = close_now;
    stream->kind = &kind;
    CHECK_EQ(eddy_read(stream, data, sizeof data), 3);
    CHECK_EQ(eddy_read(stream, data, sizeof data), sizeof data);
    CHECK_EQ(data[7], 'n');
    CHECK_EQ(eddy_stream_get_counters(stream).received, 3 + sizeof data);
    CHECK_EQ(now_reads, 2);
    CHECK_OK(eddy_stream_close(&stream));
    CHECK_EQ(now_closes, 1);
    CHECK_EQ(script.closes, 1);
}
