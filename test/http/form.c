/* SPDX-License-Identifier: MIT */
/* Forms that are sent. */
#include "eddy/form.h"

#include "http/payloads.h"
#include "os/files.h"

static char text[1 << 17];

/* The bytes of a form, with its boundary, which is random, written as "B". */
static const char *sent(eddy_form *form, struct ed_payload **payload, struct ed_arena *arena)
{
    const char *boundary;
    char *at = text;
    int rc = ed_payload_open(&EDDY_BODY_FORM(form), arena, payload);
    ssize_t n = rc < 0 ? rc : written(*payload, text, sizeof text);

    if (n < 0)
        return eddy_error_message((int)n);
    if (ed_payload_size(*payload) >= 0 && ed_payload_size(*payload) != n)
        return "another size than was announced";
    boundary = strstr(ed_payload_type(*payload), "boundary=");
    if (!boundary)
        return text;
    boundary += strlen("boundary=");
    while ((at = strstr(at, boundary))) {
        *at = 'B';
        memmove(at + 1, at + strlen(boundary), strlen(at + strlen(boundary)) + 1);
    }
    return text;
}

/* H-FORM-1 */
TEST(a_form_of_texts_is_urlencoded)
{
    ARENA arena = {0};
    PAYLOAD payload = NULL;
    EDDY_FORM form = NULL;

    CHECK_OK(eddy_form_new(&form));
    CHECK_OK(eddy_form_add(form, "title", "Holiday"));
    CHECK_OK(eddy_form_add(form, "page", "2"));
    CHECK_STR(sent(form, &payload, &arena), "title=Holiday&page=2");
    CHECK_STR(ed_payload_type(payload), "application/x-www-form-urlencoded");
    CHECK_OK(ed_payload_rewind(payload));
}

TEST(an_empty_form_has_no_bytes)
{
    ARENA arena = {0};
    PAYLOAD payload = NULL;
    EDDY_FORM form = NULL;

    CHECK_OK(eddy_form_new(&form));
    CHECK_STR(sent(form, &payload, &arena), "");
}

/* H-FORM-1, H-FORM-4, H-FORM-5 */
TEST(a_form_with_more_than_texts_is_multipart)
{
    const eddy_part_options options = {.filename = "a \"b\"\\c.txt",
                                       .content_type = "text/plain",
                                       .headers = EDDY_PAIRS({"X-Note", "one"})};
    ARENA arena = {0};
    PAYLOAD payload = NULL;
    EDDY_FORM form = NULL;

    CHECK_OK(eddy_form_new(&form));
    CHECK_OK(eddy_form_add(form, "titl\xc3\xa9", "a b"));
    CHECK_OK(eddy_form_add_bytes(form, "file", "x y", 3, &options));
    CHECK_OK(eddy_form_add_bytes(form, "plain", "", 0, NULL));
    CHECK_OK(eddy_form_add_bytes(form, "named", "z", 1, &(eddy_part_options){.filename = "f"}));
    CHECK_STR(sent(form, &payload, &arena),
              "--B\r\nContent-Disposition: form-data; name=\"titl\xc3\xa9\"\r\n\r\na b\r\n"
              "--B\r\nContent-Disposition: form-data; name=\"file\"; "
              "filename=\"a \\\"b\\\"\\\\c.txt\"\r\nContent-Type: text/plain\r\n"
              "X-Note: one\r\n\r\nx y\r\n"
              "--B\r\nContent-Disposition: form-data; name=\"plain\"\r\n\r\n\r\n"
              "--B\r\nContent-Disposition: form-data; name=\"named\"; filename=\"f\"\r\n"
              "Content-Type: application/octet-stream\r\n\r\nz\r\n--B--\r\n");
    CHECK_HAS(ed_payload_type(payload), "multipart/form-data; boundary=");
}

/* H-FORM-3 */
TEST(boundaries_are_random_and_no_longer_than_they_may_be)
{
    ARENA arena = {0};
    PAYLOAD one = NULL;
    PAYLOAD other = NULL;
    EDDY_FORM form = NULL;

    CHECK_OK(eddy_form_new(&form));
    CHECK_OK(eddy_form_add_bytes(form, "a", "b", 1, NULL));
    CHECK_OK(ed_payload_open(&EDDY_BODY_FORM(form), &arena, &one));
    CHECK_OK(ed_payload_open(&EDDY_BODY_FORM(form), &arena, &other));
    CHECK(strcmp(ed_payload_type(one), ed_payload_type(other)) != 0);
    CHECK(strlen(strchr(ed_payload_type(one), '=') + 1) <= 70);
}

/* H-FORM-4: the size is known when those of all parts are. */
TEST(a_form_with_files_knows_its_size_and_can_be_sent_again)
{
    ARENA arena = {0};
    PAYLOAD payload = NULL;
    PAYLOAD again = NULL;
    EDDY_FORM form = NULL;
    EDDY_STREAM open = NULL;
    char expected[1000];

    FILES();
    files_put("photo.JPG", "\xff\xd8");
    files_put("notes", "abcdef");
    CHECK_OK(eddy_open(files_path("notes"), "r", &open));
    CHECK_OK(eddy_seek(open, 3, SEEK_SET));
    CHECK_OK(eddy_form_new(&form));
    CHECK_OK(eddy_form_add_file(form, "photo", files_path("photo.JPG")));
    CHECK_OK(eddy_form_add_stream(form, "notes", open, -1, NULL));
    CHECK_STR(sent(form, &payload, &arena),
              "--B\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"photo.JPG\"\r\n"
              "Content-Type: image/jpeg\r\n\r\n\xff\xd8\r\n"
              "--B\r\nContent-Disposition: form-data; name=\"notes\"\r\n\r\ndef\r\n--B--\r\n");
    CHECK(ed_payload_size(payload) > 0);
    snprintf(expected, sizeof expected, "%.900s", text);
    CHECK_OK(ed_payload_rewind(payload));
    CHECK_EQ(written(payload, text, sizeof text), ed_payload_size(payload));
    CHECK_STR(sent(form, &again, &arena), expected); /* in a request of its own */
}

/* H-FORM-6 */
TEST(a_form_with_a_stream_can_be_sent_once_only)
{
    ARENA arena = {0};
    PAYLOAD payload = NULL;
    PAYLOAD again = NULL;
    EDDY_FORM form = NULL;
    EDDY_STREAM near = NULL;
    EDDY_STREAM far = NULL;

    CHECK_OK(eddy_stream_pair(&near, &far));
    CHECK_OK(eddy_write(far, "hello", 5));
    CHECK_OK(eddy_write_eof(far));
    CHECK_OK(eddy_form_new(&form));
    CHECK_OK(eddy_form_add_stream(form, "s", near, -1, NULL));
    CHECK_HAS(sent(form, &payload, &arena), "\r\n\r\nhello\r\n--B--\r\n");
    CHECK_EQ(ed_payload_size(payload), -1);
    CHECK_EQ(ed_payload_rewind(payload), -EPIPE);
    CHECK_EQ(ed_payload_open(&EDDY_BODY_FORM(form), &arena, &again), -EPIPE);
}

TEST(a_file_of_a_form_that_is_not_there_is_an_error)
{
    ARENA arena = {0};
    PAYLOAD payload = NULL;
    EDDY_FORM form = NULL;

    CHECK_OK(eddy_form_new(&form));
    CHECK_OK(eddy_form_add_file(form, "f", "/nowhere/file.txt"));
    CHECK_FAILS(ed_payload_open(&EDDY_BODY_FORM(form), &arena, &payload), -ENOENT,
                "/nowhere/file.txt");
}

/* H-FORM-2, H-SEC-12 */
TEST(nothing_that_ends_a_line_gets_into_a_form)
{
    static const char *const bad[] = {"a\r\nb", "a\nb", "a\rb", "a\tb", "\x7f", "\x01"};
    EDDY_FORM form = NULL;

    CHECK_OK(eddy_form_new(&form));
    for (size_t i = 0; i < ED_ARRAY_LENGTH(bad); i++) {
        const eddy_part_options options[] = {
            {.filename = bad[i]},
            {.content_type = i == 3 ? "a\x02" : bad[i]},
            {.headers = EDDY_PAIRS({"X", i == 3 ? "a\x02" : bad[i]})},
            {.headers = EDDY_PAIRS({bad[i], "x"})},
            {.headers = EDDY_PAIRS({"Content-Type", "x"})},
        };

        CHECK_EQ(eddy_form_add(form, bad[i], "x"), -EINVAL);
        CHECK_EQ(eddy_form_add_file(form, "x", bad[i]), -EINVAL);
        for (size_t j = 0; j < ED_ARRAY_LENGTH(options); j++)
            CHECK_EQ(eddy_form_add_bytes(form, "x", "", 0, &options[j]), -EINVAL);
    }
    CHECK_EQ(eddy_form_add(form, "x", "any\r\nvalue\1"), 0);
}

static int send_form(void)
{
    ARENA arena = {0};
    PAYLOAD payload = NULL;
    EDDY_FORM form = NULL;

    EDDY_TRY(eddy_form_new(&form));
    EDDY_TRY(eddy_form_add(form, "a", "b"));
    EDDY_TRY(eddy_form_add_file(form, "f", "/proc/self/cmdline"));
    EDDY_TRY(eddy_form_add_bytes(form, "c", "d", 1, NULL));
    EDDY_TRY(ed_payload_open(&EDDY_BODY_FORM(form), &arena, &payload));
    return (int)written(payload, text, sizeof text);
}

static int send_form_whole(void)
{
    int rc = send_form();

    return rc > 0 ? 0 : rc;
}
EDDY_ASYNC(send_form_whole);

RAW_TEST(a_form_survives_each_failing_allocation_and_cancel)
{
    CHECK_OK(eddy_test_allocations(send_form_whole));
    CHECK_OK(eddy_test_cancels(send_form_whole));
}
