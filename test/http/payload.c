/* SPDX-License-Identifier: MIT */
/* Bodies to be sent, of every kind: their sizes, types, bytes, and whether they can be sent again.
 * */
#include "http/payload.h"

#include <jansson.h>

#include "http/payloads.h"
#include "os/files.h"

static char text[1 << 17];

TEST(no_body_has_no_bytes_and_no_type)
{
    ARENA arena = {0};
    PAYLOAD payload = NULL;
    const void *data;
    size_t size;

    CHECK_OK(ed_payload_open(&(eddy_body){0}, &arena, &payload));
    CHECK_EQ(ed_payload_size(payload), 0);
    CHECK(!ed_payload_type(payload));
    CHECK(ed_payload_bytes(payload, &data, &size));
    CHECK_EQ(size, 0);
    CHECK_EQ(written(payload, text, sizeof text), 0);
}

/* H-REQ-3, H-REQ-7 */
TEST(bytes_and_texts_are_sent_as_they_are)
{
    ARENA arena = {0};
    PAYLOAD bytes = NULL;
    PAYLOAD words = NULL;
    const void *data;
    size_t size;

    CHECK_OK(ed_payload_open(&EDDY_BODY("a\0b", 3), &arena, &bytes));
    CHECK_EQ(ed_payload_size(bytes), 3);
    CHECK_STR(ed_payload_type(bytes), "application/octet-stream");
    CHECK(ed_payload_bytes(bytes, &data, &size));
    CHECK_EQ(size, 3);
    CHECK_EQ(written(bytes, text, sizeof text), 3);
    CHECK_OK(ed_payload_open(&EDDY_BODY_TEXT("hello"), &arena, &words));
    CHECK_EQ(ed_payload_size(words), 5);
    CHECK_STR(ed_payload_type(words), "text/plain; charset=utf-8");
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(written(words, text, sizeof text), 5);
        CHECK_STR(text, "hello");
        CHECK_OK(ed_payload_rewind(words));
    }
}

/* H-REQ-3 */
TEST(pairs_are_sent_urlencoded)
{
    ARENA arena = {0};
    PAYLOAD payload = NULL;

    CHECK_OK(ed_payload_open(&EDDY_BODY_PAIRS({"user", "ann"}, {"age", "30"}), &arena, &payload));
    CHECK_STR(ed_payload_type(payload), "application/x-www-form-urlencoded");
    CHECK_EQ(written(payload, text, sizeof text), 15);
    CHECK_STR(text, "user=ann&age=30");
}

/* H-SES-8 */
TEST(json_is_sent_as_text_of_any_length)
{
    ARENA arena = {0};
    PAYLOAD small = NULL;
    PAYLOAD large = NULL;
    json_t *value = json_pack("{s:i,s:[b,n]}", "a", 1, "b", 1), *list = json_array();
    eddy_body body = EDDY_BODY_JSON(value);

    body.content_type = "application/vnd.api+json";
    CHECK_OK(ed_payload_open(&body, &arena, &small));
    CHECK_STR(ed_payload_type(small), "application/vnd.api+json");
    CHECK_EQ(written(small, text, sizeof text), 23);
    CHECK_STR(text, "{\"a\":1,\"b\":[true,null]}");
    json_decref(value);
    for (int i = 0; i < 1000; i++)
        json_array_append_new(list, json_string("0123456789"));
    CHECK_OK(ed_payload_open(&EDDY_BODY_JSON(list), &arena, &large));
    json_decref(list);
    CHECK_STR(ed_payload_type(large), "application/json");
    CHECK_EQ(ed_payload_size(large), 13001);
    CHECK_EQ(written(large, text, sizeof text), 13001);
}

TEST(json_that_cannot_be_written_is_an_error)
{
    ARENA arena = {0};
    PAYLOAD payload = NULL;
    json_t *list = json_array(), *inner = json_array();

    json_array_append(list, inner);
    json_array_append(inner, list);
    CHECK_EQ(ed_payload_open(&EDDY_BODY_JSON(list), &arena, &payload), EDDY_EJSON);
    json_array_clear(inner);
    json_decref(inner);
    json_decref(list);
    CHECK_EQ(ed_payload_open(&EDDY_BODY_JSON(NULL), &arena, &payload), -ENOMEM);
}

/* H-REQ-7, H-REQ-8: from the current position on, and again. */
TEST(a_file_is_sent_from_its_position_and_can_be_sent_again)
{
    ARENA arena = {0};
    PAYLOAD payload = NULL;
    EDDY_STREAM file = NULL;
    char skipped[2];

    FILES();
    files_put("data.txt", "hello world");
    CHECK_OK(eddy_open(files_path("data.txt"), "r", &file));
    CHECK_OK(eddy_read_exactly(file, skipped, 2));
    CHECK_OK(ed_payload_open(&EDDY_BODY_STREAM(file, -1), &arena, &payload));
    CHECK_EQ(ed_payload_size(payload), 9);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(written(payload, text, sizeof text), 9);
        CHECK_STR(text, "llo world");
        CHECK_OK(ed_payload_rewind(payload));
    }
}

/* Its size is 0, but it has bytes. */
TEST(a_file_that_does_not_know_its_size_is_sent_to_its_end)
{
    ARENA arena = {0};
    PAYLOAD payload = NULL;
    PAYLOAD empty = NULL;
    EDDY_STREAM file = NULL;
    EDDY_STREAM nothing = NULL;

    FILES();
    files_put("empty", "");
    CHECK_OK(eddy_open("/proc/self/status", "r", &file));
    CHECK_OK(ed_payload_open(&EDDY_BODY_STREAM(file, -1), &arena, &payload));
    CHECK_EQ(ed_payload_size(payload), -1);
    CHECK(written(payload, text, sizeof text) > 100);
    CHECK_OK(eddy_open(files_path("empty"), "r", &nothing));
    CHECK_OK(ed_payload_open(&EDDY_BODY_STREAM(nothing, -1), &arena, &empty));
    CHECK_EQ(ed_payload_size(empty), 0);
    CHECK_EQ(written(empty, text, sizeof text), 0);
}

/* H-REQ-11: never a valid end. */
TEST(a_source_that_ends_early_is_an_error)
{
    ARENA arena = {0};
    PAYLOAD payload = NULL;
    PAYLOAD second = NULL;
    EDDY_STREAM file = NULL;
    EDDY_STREAM near = NULL;
    EDDY_STREAM far = NULL;

    FILES();
    files_put("data.txt", "hello world");
    CHECK_OK(eddy_open(files_path("data.txt"), "r+", &file));
    CHECK_OK(ed_payload_open(&EDDY_BODY_STREAM(file, -1), &arena, &payload));
    CHECK_OK(eddy_truncate(file, 4));
    CHECK_FAILS((int)written(payload, text, sizeof text), EDDY_EHTTP_PAYLOAD,
                "ended 7 bytes before its 11 bytes");
    CHECK_OK(eddy_stream_pair(&near, &far));
    CHECK_OK(eddy_write(far, "hel", 3));
    CHECK_OK(eddy_write_eof(far));
    CHECK_OK(ed_payload_open(&EDDY_BODY_STREAM(near, 4), &arena, &second));
    CHECK_EQ(ed_payload_size(second), 4);
    CHECK_EQ(written(second, text, sizeof text), EDDY_EHTTP_PAYLOAD);
}

/* H-REQ-11 */
TEST(a_source_that_fails_is_an_error)
{
    ARENA arena = {0};
    PAYLOAD payload = NULL;
    EDDY_STREAM near = NULL;
    EDDY_STREAM far = NULL;

    CHECK_OK(eddy_stream_pair(&near, &far));
    CHECK_OK(eddy_write(far, "hel", 3));
    eddy_stream_abort(far);
    CHECK_OK(ed_payload_open(&EDDY_BODY_STREAM(near, -1), &arena, &payload));
    CHECK_EQ(written(payload, text, sizeof text), -ECONNRESET);
}

/* H-REQ-7, H-RETRY-3 */
TEST(a_stream_is_sent_up_to_its_size_and_once_only)
{
    ARENA arena = {0};
    PAYLOAD payload = NULL;
    EDDY_STREAM near = NULL;
    EDDY_STREAM far = NULL;

    CHECK_OK(eddy_stream_pair(&near, &far));
    CHECK_OK(eddy_write(far, "hello", 5));
    CHECK_OK(eddy_write_eof(far));
    CHECK_OK(ed_payload_open(&EDDY_BODY_STREAM(near, 4), &arena, &payload));
    CHECK_OK(ed_payload_rewind(payload)); /* nothing was taken */
    CHECK_EQ(written(payload, text, sizeof text), 4);
    CHECK_STR(text, "hell");
    CHECK_FAILS(ed_payload_rewind(payload), -EPIPE, "stream");
    CHECK_EQ(written(payload, text, sizeof text), -EPIPE);
    CHECK_EQ(eddy_read(near, text, 10), 1); /* the rest is the caller's */
}

static int pieces(eddy_generator *generator, int error)
{
    EDDY_TRY(eddy_yield(generator, &(struct iovec){(void *)(uintptr_t) "hello ", 6}));
    EDDY_TRY(eddy_sleep(1));
    EDDY_TRY(eddy_yield(generator, &(struct iovec){NULL, 0}));
    EDDY_TRY(eddy_yield(generator, &(struct iovec){(void *)(uintptr_t) "world", 5}));
    return error ? eddy_raise(error, "no more pieces") : 0;
}
EDDY_ASYNC_GENERATOR(struct iovec, pieces, int);

/* H-REQ-7, H-REQ-11 */
TEST(what_a_generator_yields_is_sent)
{
    ARENA arena = {0};
    PAYLOAD good = NULL;
    PAYLOAD bad = NULL;
    EDDY_GENERATOR whole = eddy_generate(pieces, 0);
    EDDY_GENERATOR broken = eddy_generate(pieces, -EIO);

    CHECK_OK(ed_payload_open(&EDDY_BODY_GENERATOR(whole), &arena, &good));
    CHECK_EQ(ed_payload_size(good), -1);
    CHECK_OK(ed_payload_rewind(good));
    CHECK_EQ(written(good, text, sizeof text), 11);
    CHECK_STR(text, "hello world");
    CHECK_FAILS(ed_payload_rewind(good), -EPIPE, "generator");
    CHECK_OK(ed_payload_open(&EDDY_BODY_GENERATOR(broken), &arena, &bad));
    CHECK_FAILS((int)written(bad, text, sizeof text), -EIO, "no more pieces");
}

TEST(a_generator_is_closed_when_its_body_is_not_sent)
{
    ARENA arena = {0};
    struct iovec piece;
    EDDY_GENERATOR generator = eddy_generate(pieces, 0);
    {
        PAYLOAD payload = NULL;

        CHECK_OK(ed_payload_open(&EDDY_BODY_GENERATOR(generator), &arena, &payload));
    }
    CHECK_EQ(eddy_next(generator, &piece), 0);
    PAYLOAD none = NULL;
    CHECK_EQ(ed_payload_open(&EDDY_BODY_GENERATOR(NULL), &arena, &none), -ENOMEM);
}
