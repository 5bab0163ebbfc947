/* SPDX-License-Identifier: MIT */
/* Bodies that come: decoding, limits, and what their owners are told. */
#include "http/body.h"
#include "http/coded.h"

/* An owner whose connection gives what is in a script, in pieces. */
struct owner {
    struct ed_reader reader;
    const char *data;
    size_t size, piece;
    int error; /* behind the data, 0: the end */
    int begun, ended, rc;
    size_t largest; /* that was asked for */
};

static int owner_before(void *argument)
{
    struct owner *owner = argument;

    owner->begun++;
    return 0;
}

static ssize_t owner_read(void *argument, void *data, size_t size)
{
    struct owner *owner = argument;

    if (size > owner->largest)
        owner->largest = size;
    EDDY_TRY(eddy_sleep(0.001));
    if (owner->size == 0 && owner->error)
        return eddy_raise(owner->error, "the script says so");
    if (size > owner->piece)
        size = owner->piece;
    if (size > owner->size)
        size = owner->size;
    if (size > 0)
        memcpy(data, owner->data, size);
    owner->data += size;
    owner->size -= size;
    owner->reader.ended = owner->size == 0 && !owner->error;
    return (ssize_t)size;
}

static void owner_ended(void *argument, int rc)
{
    struct owner *owner = argument;

    owner->ended++;
    owner->rc = rc;
}

/* Gives an owner a connection, whose name is in texts of errors. */
#define CONNECT(owner)                                                                             \
    EDDY_STREAM near = NULL;                                                                       \
    EDDY_STREAM far = NULL;                                                                        \
    CHECK_OK(eddy_stream_pair(&near, &far));                                                       \
    (owner).reader.stream = near

static const struct ed_body_watch watch = {owner_before, owner_read, owner_ended};

/* Reads to the end or an error; how many bytes came. */
static ssize_t read_all(eddy_stream *body, char *data, size_t size, size_t piece)
{
    size_t got = 0;
    ssize_t n;

    while ((n = eddy_read(body, data + got, piece < size - got ? piece : size - got)) > 0)
        got += (size_t)n;
    return n < 0 ? n : (ssize_t)got;
}

static void close_reader(void *reader)
{
    ed_reader_close(reader);
}

static void free_arena(void *arena)
{
    ed_arena_free(arena);
}

TEST(a_body_is_read_into_the_memory_of_who_asks)
{
    struct owner owner = {.data = "hello world", .size = 11, .piece = 1 << 20};
    static char data[1 << 16];
    EDDY_STREAM near = NULL;
    EDDY_STREAM far = NULL;
    EDDY_STREAM body = NULL;

    CHECK_OK(eddy_stream_pair(&near, &far));
    owner.reader.stream = near;
    CHECK_OK(ed_body_reader_open(&owner.reader, ED_CODING_IDENTITY, UINT64_MAX, EDDY_ELIMIT, &watch,
                                 &owner, &body));
    CHECK_STR(eddy_stream_kind(body), "http");
    CHECK_EQ(owner.begun, 0);
    CHECK_EQ(eddy_read(body, data, sizeof data), 11);
    CHECK_EQ(owner.largest, sizeof data);
    CHECK_EQ(owner.begun, 1);
    CHECK_EQ(owner.ended, 1); /* known with the last bytes: H-CONN-6 */
    CHECK_EQ(owner.rc, 0);
    CHECK_EQ(eddy_read(body, data, sizeof data), 0);
    CHECK_EQ(eddy_read(body, data, sizeof data), 0);
    CHECK_EQ(owner.begun, 1);
    CHECK_EQ(owner.ended, 1);
    CHECK_EQ(eddy_write(body, "x", 1), -EPERM);
}

/* H-SEC-15: empty blocks, five bytes each, could come for ever below every limit. */
TEST(a_coded_body_that_says_nothing_ends)
{
    static const char head[] = "\x1f\x8b\x08\0\0\0\0\0\0\3", block[] = "\0\0\0\xff\xff";
    static char data[1 << 20];
    struct owner owner = {.data = data, .size = sizeof data, .piece = 1 << 14};
    EDDY_STREAM near = NULL;
    EDDY_STREAM far = NULL;
    EDDY_STREAM body = NULL;
    char got[100];

    for (size_t i = 0; i < sizeof data; i++)
        data[i] = i < 10 ? head[i] : block[(i - 10) % 5];
    CHECK_OK(eddy_stream_pair(&near, &far));
    owner.reader.stream = near;
    CHECK_OK(ed_body_reader_open(&owner.reader, ED_CODING_GZIP, 1000, EDDY_ELIMIT, &watch, &owner,
                                 &body));
    CHECK_FAILS((int)eddy_read(body, got, sizeof got), EDDY_EHTTP_PAYLOAD, "says nothing");
    CHECK_EQ(owner.ended, 1);
}

/* H-RESP-13, H-SREQ-7 */
TEST(a_body_is_decoded_in_any_pieces)
{
    static const size_t pieces[] = {1, 100, 1 << 20};
    static char data[30000], got[30001];

    fill(data, sizeof data);
    for (size_t i = 0; i < CODINGS; i++) {
        BYTES encoded = {0};

        CHECK_OK(encode(codings[i], data, sizeof data, &encoded));
        for (size_t j = 0; j < ED_ARRAY_LENGTH(pieces); j++) {
            struct owner owner = {.data = encoded.data, .size = encoded.size, .piece = pieces[j]};
            EDDY_STREAM body = NULL;

            CHECK_OK(ed_body_reader_open(&owner.reader, codings[i], sizeof data, EDDY_ELIMIT,
                                         &watch, &owner, &body));
            CHECK_EQ(read_all(body, got, sizeof got, 777), sizeof data);
            CHECK(memcmp(got, data, sizeof data) == 0);
            CHECK_EQ(owner.ended, 1);
            CHECK_EQ(owner.rc, 0);
        }
    }
}

/* H-RESP-13: an unknown coding is passed through. */
TEST(a_body_of_an_unknown_coding_is_read_as_it_is)
{
    struct owner owner = {.data = "hello", .size = 5, .piece = 2};
    EDDY_STREAM body = NULL;
    char got[10];

    CHECK_OK(ed_body_reader_open(&owner.reader, ED_CODING_UNKNOWN, 100, EDDY_ELIMIT, &watch, &owner,
                                 &body));
    CHECK_EQ(read_all(body, got, sizeof got, sizeof got), 5);
}

/* H-SEC-15: what counts is what a body is decoded to. */
TEST(a_body_over_its_limit_fails_behind_the_bytes_within)
{
    static char zeros[100000], got[sizeof zeros];

    for (size_t i = 0; i <= CODINGS; i++) {
        enum ed_coding coding = i < CODINGS ? codings[i] : ED_CODING_IDENTITY;
        BYTES encoded = {0};
        struct owner owner = {.data = zeros, .size = sizeof zeros, .piece = 5000};
        EDDY_STREAM body = NULL;
        ssize_t n, all = 0;

        if (coding) {
            CHECK_OK(encode(coding, zeros, sizeof zeros, &encoded));
            owner.data = encoded.data;
            owner.size = encoded.size;
        }
        CONNECT(owner);
        CHECK_OK(ed_body_reader_open(&owner.reader, coding, sizeof zeros - 1, -4711, &watch, &owner,
                                     &body));
        while ((n = eddy_read(body, got, sizeof got)) > 0)
            all += n;
        CHECK_EQ(all, sizeof zeros - 1);
        CHECK_EQ(n, -4711);
        CHECK_HAS(eddy_error_message(-4711), "longer than 99999 bytes");
        CHECK_EQ(owner.ended, 1);
        CHECK_EQ(owner.rc, -4711);
    }
}

/* H-RESP-14, H-RESP-6 */
TEST(a_coded_body_that_ends_early_is_an_error)
{
    for (size_t i = 0; i < CODINGS; i++) {
        BYTES encoded = {0};
        struct owner owner = {.piece = 10};
        EDDY_STREAM body = NULL;
        char got[100];

        CHECK_OK(encode(codings[i], "hello", 5, &encoded));
        owner.data = encoded.data;
        owner.size = encoded.size - 1;
        CONNECT(owner);
        CHECK_OK(ed_body_reader_open(&owner.reader, codings[i], 100, EDDY_ELIMIT, &watch, &owner,
                                     &body));
        CHECK_EQ(read_all(body, got, sizeof got, 1), EDDY_EHTTP_PAYLOAD);
        CHECK_HAS(eddy_error_message(EDDY_EHTTP_PAYLOAD), "ends early");
        CHECK_EQ(owner.rc, EDDY_EHTTP_PAYLOAD);
        CHECK_EQ(eddy_read(body, got, 1), EDDY_EHTTP_PAYLOAD);
    }
}

/* H-RESP-6: what was received stays readable first. */
TEST(a_connection_that_breaks_is_told_behind_what_came)
{
    struct owner owner = {.data = "hello", .size = 5, .piece = 10, .error = -ECONNRESET};
    EDDY_STREAM body = NULL;
    char got[10];

    CONNECT(owner);
    CHECK_OK(ed_body_reader_open(&owner.reader, ED_CODING_IDENTITY, 100, EDDY_ELIMIT, &watch,
                                 &owner, &body));
    CHECK_EQ(eddy_read(body, got, sizeof got), 5);
    CHECK_EQ(owner.ended, 0);
    CHECK_FAILS((int)eddy_read(body, got, sizeof got), -ECONNRESET, "the script says so");
    CHECK_EQ(owner.ended, 1);
    CHECK_EQ(owner.rc, -ECONNRESET);
}

/* A time limit of the reader's own changes nothing. */
TEST(a_read_that_times_out_loses_nothing)
{
    BYTES encoded = {0};
    struct owner owner = {.piece = 3};
    static char data[2000], got[3000];
    EDDY_STREAM body = NULL;
    size_t size = 0;
    ssize_t n;
    int late = 0;

    fill(data, sizeof data);
    CHECK_OK(encode(ED_CODING_GZIP, data, sizeof data, &encoded));
    owner.data = encoded.data;
    owner.size = encoded.size;
    CONNECT(owner);
    CHECK_OK(ed_body_reader_open(&owner.reader, ED_CODING_GZIP, 10000, EDDY_ELIMIT, &watch, &owner,
                                 &body));
    do {
        EDDY_TIMEOUT(limit, size % 2 == 0 && late < 50 ? 0.0005 : 0.0015);
        n = eddy_read(body, got + size, sizeof got - size);
        if (n > 0)
            size += (size_t)n;
        late += n == -ETIMEDOUT;
    } while (n > 0 || n == -ETIMEDOUT);
    CHECK_OK(n);
    CHECK(late > 10);
    CHECK_EQ(size, sizeof data);
    CHECK(memcmp(got, data, size) == 0);
    CHECK_EQ(owner.ended, 1);
}

TEST(a_body_that_is_closed_unread_tells_nothing)
{
    struct owner owner = {.data = "hello", .size = 5, .piece = 10};
    EDDY_STREAM body = NULL;

    CHECK_OK(ed_body_reader_open(&owner.reader, ED_CODING_BROTLI, 100, EDDY_ELIMIT, &watch, &owner,
                                 &body));
    CHECK_OK(eddy_stream_close(&body));
    CHECK_EQ(owner.begun, 0);
    CHECK_EQ(owner.ended, 0);
}

static int send_message(eddy_stream *near, const char *data, size_t size, enum ed_coding coding)
{
    EDDY_STREAM body = NULL;

    EDDY_TRY(eddy_printf(near, "POST / HTTP/1.1\r\nHost: h\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n"));
    EDDY_TRY(ed_body_writer_open(near, -1, false, coding, &body));
    for (size_t done = 0; done < size; done += 1000)
        EDDY_TRY(eddy_write(body, data + done, 1000));
    EDDY_TRY(ed_body_finish(body));
    return eddy_stream_close(&body);
}
EDDY_ASYNC(send_message, eddy_stream *, const char *, size_t, enum ed_coding);

/* What the writer of a body sends is what the two readers take, message by message. */
TEST(bodies_go_and_come_over_a_connection)
{
    const struct ed_limits limits = {8190, 100, 65536};
    static char data[50000], got[60000];
    struct ed_reader reader = {0};
    struct ed_arena arena = {0};
    EDDY_STREAM near = NULL;
    EDDY_STREAM far = NULL;

    fill(data, sizeof data);
    CHECK_OK(eddy_stream_pair(&near, &far));
    CHECK_OK(ed_reader_open(&reader, far, false, &limits));
    EDDY_DEFER(close_reader, &reader);
    EDDY_DEFER(free_arena, &arena);
    for (size_t i = 0; i <= CODINGS; i++) {
        enum ed_coding coding = i < CODINGS ? codings[i] : ED_CODING_IDENTITY;
        EDDY_STREAM body = NULL;
        struct ed_head head;

        EDDY_TASK sender = eddy_create_task(send_message, near, data, sizeof data, coding);
        CHECK_EQ(ed_reader_head(&reader, &arena, &head, NULL), 1);
        CHECK(head.chunked && head.has_body);
        CHECK_OK(ed_body_reader_open(&reader, coding, sizeof data, EDDY_ELIMIT, NULL, NULL, &body));
        CHECK_EQ(read_all(body, got, sizeof got, 5000), sizeof data);
        CHECK(memcmp(got, data, sizeof data) == 0);
        CHECK(reader.ended);
        CHECK_OK(eddy_await(sender));
        ed_arena_reset(&arena);
    }
}

static int read_gzip(void)
{
    static const char packed[] = "\x1f\x8b\x08\0\0\0\0\0\x02\x03\x4b\x4d\x49\xa9"
                                 "\x04\0\xea\xdc\x2a\x4a\x04\0\0";
    struct owner owner = {.data = packed, .size = sizeof packed, .piece = 7};
    EDDY_STREAM body = NULL;
    char got[10];
    ssize_t n;

    EDDY_TRY(ed_body_reader_open(&owner.reader, ED_CODING_GZIP, 100, EDDY_ELIMIT, &watch, &owner,
                                 &body));
    n = read_all(body, got, sizeof got, 3);
    EDDY_TRY(n);
    EDDY_TRY(eddy_expect_equal(n, 4));
    return eddy_expect(memcmp(got, "eddy", 4) == 0);
}
EDDY_ASYNC(read_gzip);

RAW_TEST(a_body_that_comes_survives_each_failing_allocation_and_cancel)
{
    CHECK_OK(eddy_test_allocations(read_gzip));
    CHECK_OK(eddy_test_cancels(read_gzip));
}
