/* SPDX-License-Identifier: MIT */
/* Reading messages: limits, whose place is exact however the bytes come; waits that are cut short;
 * costs. */
#include <eddy/stream_class.h>
#include <sys/socket.h>
#include <time.h>

#include "messages.h"
#include "seeds.h"

static struct messages messages;
static char text[200000];

static size_t append(size_t size, const char *part, size_t count)
{
    memcpy(text + size, part, count);
    return size + count;
}

static size_t append_text(size_t size, const char *part)
{
    return append(size, part, strlen(part));
}

static size_t append_many(size_t size, char c, size_t count)
{
    memset(text + size, c, count);
    return size + count;
}

static const struct ed_limits small = {.line_size = 60, .fields = 5, .head_size = 200};

static void check_limit(size_t size, int status)
{
    for (size_t piece = 0; piece < 60; piece += piece < 4 ? 1 : 13) {
        messages = (struct messages){
            .text = text,
            .size = size,
            .piece = piece,
            .limits = small,
        };
        CHECK_OK(messages_read(&messages));
        CHECK_THAT(messages.status == status, "%zu bytes in pieces of %zu: %d, %s", size, piece,
                   messages.status, eddy_error_message(messages.code));
        CHECK_EQ(messages.code, status == 0 ? 0 : status == 400 ? messages.code : EDDY_ELIMIT);
    }
}

/* H-PARSE-1, H-SEC-7. */
TEST(reader_limits_lines_to_the_byte)
{
    for (size_t over = 0; over < 3; over++) {
        size_t size = append_text(0, "GET /");

        size = append_many(size, 'a', 60 - 5 - 9 + over);
        size = append_text(size, " HTTP/1.1\r\nHost: h\r\n\r\n");
        check_limit(size, over ? 414 : 0);
        size = append_text(0, "GET / HTTP/1.1\r\nHost: h\r\nA:");
        size = append_many(size, 'b', 60 - 2 + over);
        size = append_text(size, "\r\n\r\n");
        check_limit(size, over ? 431 : 0);
        size = append_text(0, "GET / HTTP/1.1\r\nHost: h\r\n");
        size = append_many(size, 'A', 60 - 1 + over);
        size = append_text(size, ":\r\n\r\n");
        check_limit(size, over ? 431 : 0);
    }
    /* and without an end in sight */
    check_limit(append_many(append_text(0, "GET /"), 'a', 1000), 414);
    check_limit(append_many(append_text(0, "GET / HTTP/1.1\r\nA:"), 'a', 1000), 431);
    check_limit(append_many(append_text(0, "GET / HTTP/1.1\r\nA:"), ' ', 1000), 431);
    check_limit(append_many(0, 'A', 1000), 414);
}

TEST(reader_limits_the_number_of_fields)
{
    for (size_t over = 0; over < 3; over++) {
        size_t size = append_text(0, "GET / HTTP/1.1\r\nHost: h\r\n");

        for (size_t i = 0; i < 4 + over; i++)
            size = append_text(size, "A:b\r\n");
        size = append_text(size, "\r\n");
        check_limit(size, over ? 431 : 0);
        size =
            append_text(0, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:chunked\r\n\r\n0\r\n");
        for (size_t i = 0; i < 3 + over; i++)
            size = append_text(size, "A:b\r\n");
        size = append_text(size, "\r\n");
        check_limit(size, over ? 431 : 0);
    }
}

TEST(reader_limits_the_head_and_the_trailers)
{
    size_t size;

    for (size_t over = 0; over < 3; over++) {
        size = append_text(0, "GET / HTTP/1.1\r\nHost: h\r\n");

        for (size_t i = 0; i < 3; i++) {
            size = append_text(size, "A:");
            size = append_many(size, 'b', 48);
            size = append_text(size, "\r\n");
        }
        size = append_text(size, "A:");
        size = append_many(size, 'b', 200 - size - 4 + over);
        size = append_text(size, "\r\n\r\n");
        CHECK_EQ(size, 200 + over);
        check_limit(size, over ? 431 : 0);
    }
    size = 0;
    for (size_t i = 0; i < 150; i++)
        size = append_text(size, "\r\n");
    check_limit(size, 414);
}

/* A chunk's line has the limit of lines, and extensions of many chunks together one of theirs. */
TEST(reader_limits_the_extensions_of_chunks)
{
    size_t size = append_text(0, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:chunked\r\n\r\n");
    size_t head = size;

    size = append_text(size, "1;");
    size = append_many(size, 'a', 59);
    size = append_text(size, "\r\n!\r\n0\r\n\r\n");
    check_limit(size, 400);
    size = append_many(head, '0', 100);
    check_limit(size, 400);
    size = head;
    for (size_t i = 0; i < 600; i++) {
        size = append_text(size, "1;");
        size = append_many(size, 'a', 50);
        size = append_text(size, "\r\n!\r\n");
    }
    check_limit(append_text(size, "0\r\n\r\n"), 400);
    size = head;
    for (size_t i = 0; i < 10000; i++)
        size = append_text(size, "1\r\n!\r\n");
    messages = (struct messages){
        .text = text, .size = append_text(size, "0\r\n\r\n"), .limits = small, .room = 4096};
    CHECK_OK(messages_read(&messages));
    CHECK_EQ(messages.code, 0);
    CHECK_EQ(messages.count, 1);
}

/* Waits. */

#define LATE "GET /late HTTP/1.1\r\nHost: h\r\nA: b\r\n\r\n"
#define LATE_CHUNKS                                                                                \
    "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"                             \
    "3;x\r\nabc\r\n0\r\nT: v\r\n\r\n"

/* Reads with a time limit that ends at each byte. */
static int
read_with_timeouts(struct ed_reader *reader, struct ed_arena *arena, char *said, size_t *cuts)
{
    struct ed_head head;
    ssize_t n = -ETIMEDOUT;
    char data[8];

    while (n == -ETIMEDOUT) {
        EDDY_TIMEOUT(limit, 0.5);
        ed_arena_reset(arena);
        n = ed_reader_head(reader, arena, &head, NULL);
        *cuts += n == -ETIMEDOUT;
    }
    REQUIRE(n == 1);
    snprintf(said, 100, "%s %s:", head.method, head.target);
    n = 1;
    while (n != 0) {
        EDDY_TIMEOUT(limit, 0.5);
        n = ed_reader_body(reader, data, sizeof data);
        *cuts += n == -ETIMEDOUT;
        REQUIRE(n >= 0 || n == -ETIMEDOUT);
        if (n > 0)
            snprintf(said + strlen(said), 100 - strlen(said), "%.*s", (int)n, data);
    }
    if (reader->trailers)
        snprintf(said + strlen(said), 100 - strlen(said), "%s",
                 eddy_headers_get(reader->trailers, "T"));
    return 0;
}

static int send_slowly(eddy_stream *to, const char *what)
{
    for (; *what; what++) {
        EDDY_TRY(eddy_sleep(0.7));
        EDDY_TRY(eddy_write(to, what, 1));
    }
    return 0;
}
EDDY_ASYNC(send_slowly, eddy_stream *, const char *);

static void check_slow(const char *what, const char *said, size_t least)
{
    EDDY_STREAM to = NULL, from = NULL;
    ARENA arena = {0};
    READER reader = {0};
    char got[100];
    size_t cuts = 0;

    CHECK_OK(eddy_stream_pair(&to, &from));
    CHECK_OK(ed_reader_open(&reader, from, false, &small));
    EDDY_TASK sender = eddy_create_task(send_slowly, to, what);
    CHECK_OK(read_with_timeouts(&reader, &arena, got, &cuts));
    CHECK_STR(got, said);
    CHECK(cuts >= least);
    CHECK_OK(eddy_await(sender));
    ed_reader_close(&reader);
    ed_reader_close(&reader);
}

/* Whatever is cut short, the next call goes on, and nothing is lost. */
TEST(reader_goes_on_where_a_timeout_has_cut_it_short)
{
    check_slow(LATE, "GET /late:", sizeof LATE - 2);
    check_slow("\r\n" LATE, "GET /late:", sizeof LATE);
    check_slow(LATE_CHUNKS, "POST /:abcv", sizeof LATE_CHUNKS - 2);
}

TEST(reader_says_when_a_head_has_begun)
{
    EDDY_STREAM to = NULL, from = NULL;
    ARENA arena = {0};
    READER reader = {0};
    struct ed_head head;
    bool begun = false;

    CHECK_OK(eddy_stream_pair(&to, &from));
    CHECK_OK(ed_reader_open(&reader, from, false, &small));
    for (int i = 0; i < 3; i++) {
        EDDY_TIMEOUT(limit, 1);
        CHECK_EQ(ed_reader_head(&reader, &arena, &head, &begun), -ETIMEDOUT);
        CHECK_EQ(begun, i > 0);
        CHECK_OK(eddy_write_nowait(to, &"GET"[i], 1));
        begun = false;
    }
}

/* H-SEC-24: what follows a message stays in the stream. */
TEST(reader_leaves_what_follows_a_message)
{
    EDDY_STREAM to = NULL, from = NULL;
    ARENA arena = {0};
    READER reader = {0};
    struct ed_head head;
    const char *kept;
    char data[64];

    CHECK_OK(eddy_stream_pair(&to, &from));
    CHECK_OK(ed_reader_open(&reader, from, true, &small));
    CHECK_OK(eddy_printf(to, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nraw"));
    CHECK_EQ(ed_reader_head(&reader, &arena, &head, NULL), 1);
    CHECK_EQ(eddy_stream_kept(from, &kept), 3);
    CHECK(memcmp(kept, "raw", 3) == 0);
    CHECK_EQ(eddy_read(from, data, sizeof data), 3);
    CHECK_OK(eddy_printf(to, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhimore"));
    CHECK_EQ(ed_reader_head(&reader, &arena, &head, NULL), 1);
    CHECK_EQ(ed_reader_body(&reader, data, sizeof data), 2);
    CHECK(reader.ended);
    CHECK_EQ(eddy_stream_kept(from, &kept), 4);
}

static int read_heads(struct ed_reader *reader, int *count)
{
    ARENA arena = {0};
    struct ed_head head;
    int rc;

    while ((rc = ed_reader_head(reader, &arena, &head, NULL)) > 0) {
        *count += 1;
        ed_arena_free(&arena);
    }
    return rc;
}
EDDY_ASYNC(read_heads, struct ed_reader *, int *);

/* Ten thousand silent connections cost what their tasks do. */
TEST(reader_holds_no_buffer_while_the_connection_is_silent)
{
    EDDY_STREAM to = NULL, from = NULL;
    READER reader = {0};
    int ends[2], count = 0;

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    CHECK_OK(eddy_stream_from_fd(ends[0], &from));
    CHECK_OK(eddy_stream_from_fd(ends[1], &to));
    CHECK_OK(ed_reader_open(&reader, from, false, &small));
    EDDY_TASK task = eddy_create_task(read_heads, &reader, &count);
    for (int i = 0; i < 3; i++) {
        test_settle();
        CHECK_EQ(count, i);
        CHECK(!from->in.data && !from->behind.data);
        CHECK_OK(eddy_write(to, LATE, sizeof LATE - 1));
        CHECK_OK(eddy_flush(to));
        CHECK_OK(eddy_sleep(0.01));
    }
    CHECK_EQ(count, 3);
    CHECK_OK(eddy_stream_close(&to));
    CHECK_OK(eddy_await(task));
}

/* An error ends it; only what was refused has a status. */
TEST(reader_stays_broken)
{
    EDDY_STREAM to = NULL, from = NULL;
    ARENA arena = {0};
    READER reader = {0};
    struct ed_head head;

    CHECK_OK(eddy_stream_pair(&to, &from));
    CHECK_OK(ed_reader_open(&reader, from, false, &small));
    CHECK_OK(eddy_printf(to, "GET / HTTP/1.1\r\nHost: h\r\nA b\r\n\r\n" LATE));
    for (int i = 0; i < 2; i++) {
        CHECK_FAILS(ed_reader_head(&reader, &arena, &head, NULL), EDDY_EHTTP_PROTOCOL,
                    "line 3 of the request: Invalid header token");
        CHECK_EQ(reader.refusal, 400);
    }
}

/* Lack of memory. */

static int read_all(struct ed_reader *reader, struct ed_arena *arena)
{
    struct ed_head head;
    char data[16];
    ssize_t n;

    for (int i = 0; i < 2; i++) {
        EDDY_TRY(ed_reader_head(reader, arena, &head, NULL));
        while ((n = ed_reader_body(reader, data, sizeof data)) > 0)
            continue;
        EDDY_TRY(n);
        REQUIRE(strcmp(eddy_headers_get(reader->trailers, "T"), "v") == 0);
    }
    return 0;
}

static int reader_each_allocation(void)
{
    static const char many[] =
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
        "A: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\n"
        "A: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\n"
        "\r\n3;x\r\nabc\r\n0\r\nT: v\r\n\r\n";
    EDDY_STREAM to = NULL, from = NULL;
    ARENA arena = {0};
    READER reader = {0};
    int rc;

    EDDY_TRY(eddy_stream_pair(&to, &from));
    EDDY_TRY(eddy_write(to, many, sizeof many - 1));
    EDDY_TRY(eddy_write(to, many, sizeof many - 1));
    rc = ed_reader_open(&reader, from, false, &MESSAGES_LIMITS);
    return rc < 0 ? rc : read_all(&reader, &arena);
}
EDDY_ASYNC(reader_each_allocation);

RAW_TEST(reader_survives_the_failure_of_each_allocation_and_each_cancel)
{
    CHECK_OK(eddy_test_allocations(reader_each_allocation));
    CHECK_OK(eddy_test_cancels(reader_each_allocation));
}

/* H-SEC-9: a body of tiny chunks costs as much a byte whether it is short or long; counted in
 * steps of the reader, each of which takes a line or more. */
static double nanoseconds_of(size_t count)
{
    struct timespec begin, end;
    size_t size = append_text(0, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:chunked\r\n\r\n");

    for (size_t i = 0; i < count; i++)
        size = append_text(size, "1\r\n!\r\n");
    messages = (struct messages){
        .text = text, .size = append_text(size, "0\r\n\r\n"), .limits = small, .room = 4096};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
    if (messages_read(&messages) < 0 || messages.count != 1)
        return -1;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    return (double)(end.tv_sec - begin.tv_sec) * 1e9 + (double)(end.tv_nsec - begin.tv_nsec);
}

TEST(reader_costs_no_more_a_chunk_when_there_are_many)
{
    double few = 1e12, many = 1e12;

    for (int i = 0; i < 5; i++) {
        double once = nanoseconds_of(7500), often = nanoseconds_of(30000);

        CHECK(once > 0 && often > 0);
        few = once < few ? once : few;
        many = often < many ? often : many;
    }
    CHECK_THAT(many < 8 * few, "4 times as many take %.1f times as long", many / few);
}
