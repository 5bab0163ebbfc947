/* SPDX-License-Identifier: MIT */
/* Multipart bodies that come. */
#include "http/multipart.h"

#include "http/parts.h"
#include "http/payloads.h"

#define ALL (1 << 16)

/* What a body in text is, however it comes and is read. */
static const char *parts(const char *body)
{
    return parts_of(MIXED, body, strlen(body), 1 << 20, ALL, ALL, NULL);
}

static const char two[] = "--B\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nHoliday\r\n"
                          "--B\r\nContent-Disposition: form-data; name=\"photo\"; "
                          "filename=\"beach.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n"
                          "\r\n-\r\n--\r\n--A\r\r\n--b\r\n--B--\r\n";
static const char two_parts[] = "title:[Holiday]photo:beach.jpg[\r\n-\r\n--\r\n--A\r\r\n--b]";

/* H-FORM-7 */
TEST(a_form_that_comes_is_read_part_by_part)
{
    struct parts_source source = {two, sizeof two - 1, 1 << 20};
    EDDY_STREAM to = NULL;
    EDDY_STREAM from = NULL;
    EDDY_MULTIPART multipart = NULL;
    eddy_part part;
    char data[100];

    CHECK_OK(eddy_stream_pair(&to, &from));
    CHECK_OK(parts_send(to, &source));
    CHECK_OK(eddy_multipart_open(FORM_DATA, from, NULL, &multipart));
    CHECK_EQ(eddy_multipart_next(multipart, &part), 1);
    CHECK_STR(part.name, "title");
    CHECK(!part.filename);
    CHECK_STR(part.content_type, "text/plain");
    CHECK_EQ(eddy_read(part.body, data, sizeof data), 7);
    CHECK_EQ(eddy_read(part.body, data, sizeof data), 0);
    CHECK_EQ(eddy_read(part.body, data, sizeof data), 0);
    CHECK_EQ(eddy_multipart_next(multipart, &part), 1);
    CHECK_STR(part.name, "photo");
    CHECK_STR(part.filename, "beach.jpg");
    CHECK_STR(part.content_type, "image/jpeg");
    CHECK_STR(eddy_headers_get(part.headers, "content-type"), "image/jpeg");
    CHECK_EQ(eddy_headers_count(part.headers), 2);
    CHECK_EQ(eddy_headers_add((eddy_headers *)(uintptr_t)part.headers, "X", "y"), -EPERM);
    CHECK_STR(eddy_stream_kind(part.body), "multipart");
    CHECK_EQ(eddy_write(part.body, "x", 1), -EPERM);
    CHECK_EQ(eddy_multipart_next(multipart, &part), 0);
    CHECK_EQ(eddy_multipart_next(multipart, &part), 0);
}

/* H-FORM-7: the same parts byte by byte, at once, and read in any pieces. */
TEST(parts_are_the_same_however_they_come_and_are_read)
{
    static const size_t pieces[] = {1, 2, 3, 5, 7, 11, 50, 1000};

    for (size_t i = 0; i < ED_ARRAY_LENGTH(pieces); i++)
        for (size_t j = 0; j < ED_ARRAY_LENGTH(pieces); j++)
            CHECK_STR(parts_of(MIXED, two, sizeof two - 1, pieces[i], ALL, pieces[j], NULL),
                      two_parts);
}

/* H-FORM-7 */
TEST(what_is_left_of_a_part_is_skipped)
{
    for (size_t piece = 1; piece < 100; piece += 33) {
        CHECK_STR(parts_of(MIXED, two, sizeof two - 1, piece, 0, 1, NULL),
                  "title:[]photo:beach.jpg[]");
        CHECK_STR(parts_of(MIXED, two, sizeof two - 1, piece, 3, 2, NULL),
                  "title:[Hol]photo:beach.jpg[\r\n-]");
    }
}

/* H-FORM-7 */
TEST(what_is_before_the_first_and_behind_the_last_boundary_is_no_part)
{
    CHECK_STR(
        parts("a preamble\r\n--X\r\n--B\r\n\r\na\r\n--B--\r\nan epilogue\r\n--B\r\n\r\nb\r\n"),
        ":[a]");
    CHECK_STR(parts("\r\n--B\r\n\r\na\r\n--B--"), ":[a]");
    CHECK_STR(parts("--B--"), "");
    CHECK_STR(parts("--B--\r\n"), "");
}

TEST(parts_may_be_empty_and_have_no_fields)
{
    CHECK_STR(parts("--B\r\n\r\n\r\n--B\r\n\r\n--B\r\nX: y\r\n\r\n--B \t\r\n\r\na\r\n--B--\r\n"),
              ":[]:[]:[]:[a]");
    CHECK_STR(parts("--B\r\n\r\n--Ba\r\n--B--\r\n"), ":[]EDDY_EHTTP_PROTOCOL");
}

/* H-FORM-8, H-SEC-13: an error, and never a loop. */
TEST(a_body_that_ends_early_is_an_error_wherever_it_ends)
{
    for (size_t size = 0; size < sizeof two - 3; size++) {
        CHECK_HAS(parts_of(MIXED, two, size, 1 << 20, ALL, ALL, NULL), "EDDY_EINCOMPLETE");
        CHECK_HAS(parts_of(MIXED, two, size, 1 << 20, 0, ALL, NULL), "EDDY_EINCOMPLETE");
    }
}

/* H-FORM-8, H-SEC-13 */
TEST(what_is_not_multipart_is_an_error)
{
    CHECK_STR(parts(""), "EDDY_EINCOMPLETE");
    CHECK_STR(parts("no boundary at all"), "EDDY_EINCOMPLETE");
    CHECK_STR(parts("--Bx\r\n\r\na\r\n--B--\r\n"), "EDDY_EHTTP_PROTOCOL");
    CHECK_STR(parts("--B-\r\n\r\na\r\n--B--\r\n"), "EDDY_EHTTP_PROTOCOL");
    CHECK_STR(parts("--B\n\na\n--B--\n"), "EDDY_EHTTP_PROTOCOL");
    CHECK_STR(parts("--B\r\nno field\r\n\r\na\r\n--B--\r\n"), "EDDY_EHTTP_PROTOCOL");
    CHECK_STR(parts("--B\r\nX : y\r\n\r\na\r\n--B--\r\n"), "EDDY_EHTTP_PROTOCOL");
    CHECK_STR(parts("--B\r\nX: a\r\n b\r\n\r\na\r\n--B--\r\n"), "EDDY_EHTTP_PROTOCOL");
    CHECK_STR(parts("--B\r\nX: a\nY: b\r\n\r\na\r\n--B--\r\n"), "EDDY_EHTTP_PROTOCOL");
    CHECK_STR(parts("--B\r\n: a\r\n\r\na\r\n--B--\r\n"), "EDDY_EHTTP_PROTOCOL");
    CHECK_STR(parts("--B\r\nContent-Transfer-Encoding: rot13\r\n\r\na\r\n--B--\r\n"),
              "EDDY_EHTTP_PROTOCOL");
}

TEST(an_error_stays)
{
    struct parts_source source = {"--Bxy", 5, 5};
    EDDY_STREAM to = NULL;
    EDDY_STREAM from = NULL;
    EDDY_MULTIPART multipart = NULL;
    eddy_part part;

    CHECK_OK(eddy_stream_pair(&to, &from));
    CHECK_OK(parts_send(to, &source));
    CHECK_OK(eddy_multipart_open(MIXED, from, NULL, &multipart));
    for (int i = 0; i < 3; i++)
        CHECK_EQ(eddy_multipart_next(multipart, &part), EDDY_EHTTP_PROTOCOL);
}

/* H-FORM-3, H-FORM-8 */
TEST(a_boundary_has_1_to_70_characters_that_are_allowed)
{
    static const char *const good[] = {
        "multipart/form-data; boundary=B",
        "Multipart/Mixed;charset=utf-8;BOUNDARY=\"B\"",
        ("multipart/mixed; boundary=\"01234567890123456789012345678901234"
         "56789012345678901234567890123456789\""),
        "multipart/mixed; boundary=\"a b:/=?'()+_,-.\"",
    };
    static const char *const bad[] = {
        "multipart/mixed",
        "multipart/mixed; boundary=",
        "multipart/mixed; boundary=\"\"",
        "multipart/mixed; boundary=\"a \"",
        "multipart/mixed; boundary=\"a*b\"",
        "multipart/mixed; boundary=\"a\\\"b\"",
        "multipart/mixed; boundary=\xc3\xa9",
        ("multipart/mixed; boundary=\"012345678901234567890123456789012345678901"
         "23456789012345678901234567890\""),
        "text/plain; boundary=B",
        "multipartx; boundary=B",
        "",
        NULL,
    };
    EDDY_STREAM to = NULL;
    EDDY_STREAM from = NULL;

    CHECK_OK(eddy_stream_pair(&to, &from));
    for (size_t i = 0; i < ED_ARRAY_LENGTH(good); i++) {
        EDDY_MULTIPART multipart = NULL;

        CHECK_OK(eddy_multipart_open(good[i], from, NULL, &multipart));
    }
    for (size_t i = 0; i < ED_ARRAY_LENGTH(bad); i++) {
        eddy_multipart *multipart = NULL;

        CHECK_EQ(eddy_multipart_open(bad[i], from, NULL, &multipart), EDDY_EHTTP_CONTENT_TYPE);
        CHECK(!multipart);
    }
}

/* H-FORM-11 */
TEST(names_of_files_lose_their_leading_slashes)
{
    CHECK_STR(
        parts("--B\r\nContent-Disposition: attachment; filename=\"/\\\\/../etc/passwd\"\r\n\r\n"
              "\r\n--B--"),
        ":../etc/passwd[]");
    CHECK_STR(
        parts("--B\r\nContent-Disposition: form-data; name=a; filename*=UTF-8''%2f%e2%82%ac\r\n"
              "\r\n\r\n--B--"),
        "a:\xe2\x82\xac[]");
}

/* H-FORM-9: and a part's length means nothing. */
TEST(the_length_that_a_part_claims_is_ignored)
{
    CHECK_STR(parts("--B\r\nContent-Length: 1\r\n\r\nabc\r\n--B\r\nContent-Length: x\r\n\r\nd\r\n"
                    "--B--"),
              ":[abc]:[d]");
}

static const char *limited(const char *body, const eddy_multipart_options *options)
{
    return parts_of(MIXED, body, strlen(body), 1000, ALL, ALL, options);
}

/* H-FORM-9, H-SEC-14 */
TEST(fields_of_a_part_have_limits)
{
    static char body[1 << 17];
    const eddy_multipart_options options = {.head_size = 100, .head_fields = 3};
    size_t size = (size_t)snprintf(body, sizeof body, "--B\r\n");

    CHECK_STR(limited("--B\r\nA:1\r\nB:2\r\nC:3\r\n\r\nx\r\n--B--", &options), ":[x]");
    CHECK_STR(limited("--B\r\nA:1\r\nB:2\r\nC:3\r\nD:4\r\n\r\nx\r\n--B--", &options),
              "EDDY_ELIMIT");
    for (int i = 95; i <= 96; i++) { /* with its line end 100 bytes, and 101 */
        int length = snprintf(body, sizeof body, "--B\r\nAB:%0*d\r\n\r\nx\r\n--B--", i, 0);

        for (size_t piece = 1; piece < 200; piece += 199)
            CHECK_STR(parts_of(MIXED, body, (size_t)length, piece, ALL, ALL, &options),
                      i == 95 ? ":[x]" : "EDDY_ELIMIT");
    }
    size = 5; /* a flood of fields, and one that is too long, in the defaults */
    while (size < sizeof body - 10)
        size += (size_t)snprintf(body + size, sizeof body - size, "a:b\r\n");
    CHECK_STR(parts_of(MIXED, body, size, 1 << 20, ALL, ALL, NULL), "EDDY_ELIMIT");
    memset(body + 5, 'x', sizeof body - 5);
    CHECK_STR(parts_of(MIXED, body, sizeof body, 1 << 20, ALL, ALL, NULL), "EDDY_ELIMIT");
    memset(body + 3, ' ', sizeof body - 3);
    CHECK_STR(parts_of(MIXED, body, sizeof body, 1 << 20, ALL, ALL, NULL), "EDDY_ELIMIT");
}

/* H-SEC-14 */
TEST(a_body_has_no_more_parts_than_it_may)
{
    const eddy_multipart_options options = {.parts = 2};

    CHECK_STR(limited("--B\r\n\r\na\r\n--B\r\n\r\nb\r\n--B--", &options), ":[a]:[b]");
    CHECK_STR(limited("--B\r\n\r\na\r\n--B\r\n\r\nb\r\n--B\r\n\r\nc\r\n--B--", &options),
              ":[a]:[b]EDDY_ELIMIT");
}

/* H-FORM-10 */
TEST(encoded_parts_are_decoded)
{
    static const char body[] =
        "--B\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8g\r\nd29ybGQ=\r\n\r\n"
        "--B\r\nContent-Transfer-Encoding: Quoted-Printable\r\n\r\ncaf=C3=A9=\r\n!\r\n"
        "--B\r\nContent-Transfer-Encoding: 8bit\r\n\r\n=41\r\n"
        "--B\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8\r\n"
        "--B\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!\r\n"
        "--B\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\na=\r\v!\r\n--B--";

    for (size_t piece = 1; piece < 200; piece += 33)
        CHECK_STR(parts_of(MIXED, body, sizeof body - 1, piece, ALL, piece, NULL),
                  ":[hello world]:[caf\xc3\xa9!]:[=41]:[helloEDDY_EHTTP_PAYLOAD]"
                  ":[EDDY_EHTTP_PAYLOAD]:[aEDDY_EHTTP_PAYLOAD]");
}

/* H-FORM-7, H-FORM-4 */
TEST(a_part_may_be_multipart_itself)
{
    static const char body[] =
        "--B\r\nContent-Type: multipart/mixed; boundary=inner\r\n\r\n"
        "--inner\r\n\r\none\r\n--inner\r\n\r\ntwo\r\n--inner--\r\n\r\n--B\r\n\r\nthree\r\n--B--";
    struct parts_source source = {body, sizeof body - 1, 5};
    EDDY_STREAM to = NULL;
    EDDY_STREAM from = NULL;
    EDDY_MULTIPART outer = NULL;
    eddy_part part;
    char text[100];

    CHECK_OK(eddy_stream_pair(&to, &from));
    EDDY_TASK sender = eddy_create_task(parts_send, to, &source);
    CHECK_OK(eddy_multipart_open(MIXED, from, NULL, &outer));
    CHECK_EQ(eddy_multipart_next(outer, &part), 1);
    {
        EDDY_MULTIPART inner = NULL;

        CHECK_OK(eddy_multipart_open(part.content_type, part.body, NULL, &inner));
        CHECK_OK(parts_show(inner, ALL, ALL, text, sizeof text));
        CHECK_STR(text, ":[one]:[two]");
    }
    CHECK_OK(parts_show(outer, ALL, ALL, text, sizeof text));
    CHECK_STR(text, ":[three]");
    CHECK_OK(eddy_await(sender));
}

/* H-SEC-13, H-SEC-14: what is no delimiter, but nearly, costs no more than other bytes, whether it
 * comes at once or byte by byte. */
TEST(text_that_is_nearly_a_boundary_is_read_in_linear_time)
{
    static char body[1 << 16];
    static char boundary[71];
    char type[120];
    size_t size;

    memset(boundary, '-', 70);
    snprintf(type, sizeof type, "multipart/mixed; boundary=%s", boundary);
    size = (size_t)snprintf(body, sizeof body, "--%s\r\n\r\n", boundary);
    while (size < sizeof body - 200)
        size += (size_t)snprintf(body + size, sizeof body - size, "\r\n--%.69s", boundary);
    size += (size_t)snprintf(body + size, sizeof body - size, "\r\n--%s--", boundary);
    CHECK_EQ(strlen(parts_of(type, body, size, 1 << 20, ALL, ALL, NULL)), size - 149);
    CHECK_EQ(strlen(parts_of(type, body, size, 1, ALL, 1, NULL)), size - 149);
}

/* A cancelled call takes nothing: the next one goes on. */
TEST(a_wait_for_a_part_that_times_out_can_be_made_again)
{
    struct parts_source source = {two, sizeof two - 1, 1};
    EDDY_STREAM to = NULL;
    EDDY_STREAM from = NULL;
    EDDY_MULTIPART multipart = NULL;
    char text[200] = "";
    size_t sent = 0, length = 0;
    eddy_part part = {0};
    int rc;

    (void)source;
    CHECK_OK(eddy_stream_pair(&to, &from));
    CHECK_OK(eddy_multipart_open(MIXED, from, NULL, &multipart));
    do {
        EDDY_TIMEOUT(limit, 1);

        if (part.body) {
            ssize_t n = eddy_read(part.body, text + length, sizeof text - length);

            length += n > 0 ? (size_t)n : 0;
            rc = n < 0 ? (int)n : 1;
            if (n == 0)
                part.body = NULL;
        } else {
            rc = eddy_multipart_next(multipart, &part);
        }
        CHECK(rc >= 0 || rc == -ETIMEDOUT);
        eddy_timeout_reschedule(&limit, 1000);
        if (rc == -ETIMEDOUT)
            rc = 1;
        else
            continue;
        if (sent < sizeof two - 1) {
            EDDY_SHIELD(shield);
            CHECK_OK(eddy_write(to, two + sent, 1));
            sent++;
        }
    } while (rc > 0);
    CHECK_EQ(rc, 0);
    CHECK_STR(text, "Holiday\r\n-\r\n--\r\n--A\r\r\n--b");
}

static int read_two(void)
{
    struct parts_source source = {two, sizeof two - 1, 40};
    EDDY_STREAM to = NULL;
    EDDY_STREAM from = NULL;
    EDDY_MULTIPART multipart = NULL;
    eddy_part part;
    char data[100];
    int rc;

    EDDY_TRY(eddy_stream_pair(&to, &from));
    EDDY_TASK sender = eddy_create_task(parts_send, to, &source);
    if (!sender)
        return -ENOMEM;
    EDDY_TRY(eddy_multipart_open(MIXED, from, NULL, &multipart));
    while ((rc = eddy_multipart_next(multipart, &part)) > 0)
        while ((rc = (int)eddy_read(part.body, data, sizeof data)) != 0)
            EDDY_TRY(rc);
    EDDY_TRY(rc);
    return eddy_await(sender);
}
EDDY_ASYNC(read_two);

RAW_TEST(a_multipart_body_survives_each_failing_allocation_and_cancel)
{
    CHECK_OK(eddy_test_allocations(read_two));
    CHECK_OK(eddy_test_cancels(read_two));
}
