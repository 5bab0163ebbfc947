/* SPDX-License-Identifier: MIT */
#include "http/websocket_deflate.h"

#include <stdlib.h>
#include <zlib.h>

#include "harness.h"

static const struct ed_deflate_terms usual = {true, false, false, 15, 15};

/* Expands a whole message; its size, or an error. */
static ssize_t
expand(struct ed_deflate *deflate, const char *in, size_t size, char *out, size_t room)
{
    const char *parts[] = {in, ED_DEFLATE_TAIL};
    size_t sizes[] = {size, ED_DEFLATE_TAIL_SIZE}, used = 0;

    for (int i = 0; i < 2; i++) {
        ssize_t got = 1;

        while ((sizes[i] > 0 || got > 0) && used < room) {
            got = ed_deflate_receive(deflate, &parts[i], &sizes[i], out + used,
                                     room - used < 100 ? room - used : 100);
            if (got < 0)
                return got;
            used += (size_t)got;
        }
    }
    ed_deflate_received(deflate);
    return (ssize_t)used;
}

#define EXPANDS(deflate, bytes, text)                                                              \
    do {                                                                                           \
        char test_out[200] = "";                                                                   \
        CHECK_EQ(expand((deflate), (bytes), sizeof(bytes) - 1, test_out, 199), sizeof(text) - 1);  \
        CHECK_STR(test_out, (text));                                                               \
    } while (0)

/* RFC 7692, 7.2.3: one block, a shared window, no compression, a final block, two blocks. */
RAW_TEST(deflate_reads_the_examples_of_its_standard)
{
    struct ed_deflate *deflate;

    CHECK_OK(ed_deflate_open(&usual, true, &deflate));
    EXPANDS(deflate, "\xf2\x48\xcd\xc9\xc9\x07\x00", "Hello");
    EXPANDS(deflate, "\xf2\x00\x11\x00\x00", "Hello");
    EXPANDS(deflate, "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", "Hello");
    EXPANDS(deflate, "\xf3\x48\xcd\xc9\xc9\x07\x00\x00", "Hello");
    EXPANDS(deflate, "\xf2\x00\x11\x00\x00", "Hello"); /* behind a final block, from its window */
    EXPANDS(deflate, "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", "Hello");
    EXPANDS(deflate, "\x00", "");
    ed_deflate_close(deflate);
}

/* H-SEC-15: an empty stream that ends is two bytes, and dear; few are more than any peer sends. */
RAW_TEST(deflate_takes_few_streams_that_say_nothing)
{
    struct ed_deflate *deflate;
    char few[17] = "", more[19] = "", out[8];

    for (size_t i = 0; i + 2 < sizeof more; i += 2) {
        memcpy(more + i, "\x03\x00", 2);
        memcpy(few + (i < 16 ? i : 0), "\x03\x00", 2); /* and a byte for the tail to go on from */
    }
    CHECK_OK(ed_deflate_open(&usual, true, &deflate));
    CHECK_EQ(expand(deflate, few, sizeof few, out, sizeof out), 0);
    CHECK_EQ(expand(deflate, few, sizeof few, out, sizeof out), 0); /* each has its own count */
    CHECK_EQ(expand(deflate, more, sizeof more, out, sizeof out), -EBADMSG);
    ed_deflate_close(deflate);
}

static void check_round(const struct ed_deflate_terms *terms, bool client)
{
    struct ed_deflate *to, *from;
    struct eddy_buffer_ bytes = {.data = NULL};
    static char text[50000], back[50001];

    CHECK_OK(ed_deflate_open(terms, client, &to));
    CHECK_OK(ed_deflate_open(terms, !client, &from));
    srandom(1);
    for (int round = 0; round < 12; round++) {
        size_t size = (size_t)random() % (round % 2 ? 200 : sizeof text), cut = size / 3;

        for (size_t i = 0; i < size; i++)
            text[i] = (char)("abcdefgh"[random() % (round % 3 ? 2 : 8)]);
        ed_buffer_release(&bytes);
        CHECK_OK(ed_deflate_send(to, text, cut, false, &bytes));
        CHECK_OK(ed_deflate_send(to, text + cut, size - cut, false, &bytes));
        CHECK_OK(ed_deflate_send(to, "", 0, true, &bytes));
        CHECK_EQ(expand(from, ed_buffer_bytes(&bytes), ed_buffer_size(&bytes), back, sizeof back),
                 size);
        CHECK(memcmp(text, back, size) == 0);
    }
    ed_buffer_release(&bytes);
    ed_deflate_close(to);
    ed_deflate_close(from);
}

/* H-WSC-21 */
TEST(deflate_goes_and_comes_back_with_every_window_and_without_context)
{
    for (int bits = 9; bits <= 15; bits += 3)
        for (int alone = 0; alone < 4; alone++) {
            struct ed_deflate_terms terms = {true, alone & 1, alone & 2, bits, 24 - bits};

            check_round(&terms, false);
            check_round(&terms, true);
        }
}

TEST(deflate_without_context_needs_none)
{
    struct ed_deflate_terms terms = {true, true, true, 15, 15};
    struct eddy_buffer_ one = {.data = NULL}, two = {.data = NULL};
    struct ed_deflate *deflate;

    CHECK_OK(ed_deflate_open(&terms, true, &deflate));
    CHECK_OK(ed_deflate_send(deflate, "Hello Hello Hello", 17, true, &one));
    CHECK_OK(ed_deflate_send(deflate, "Hello Hello Hello", 17, true, &two));
    CHECK(ed_buffer_size(&one) == ed_buffer_size(&two));
    CHECK(memcmp(ed_buffer_bytes(&one), ed_buffer_bytes(&two), ed_buffer_size(&one)) == 0);
    ed_buffer_release(&one);
    ed_buffer_release(&two);
    ed_deflate_close(deflate);
}

/* H-SEC-15 */
RAW_TEST(deflate_never_makes_more_than_was_asked_for)
{
    static char zeros[1 << 20], out[5000];
    struct eddy_buffer_ bytes = {.data = NULL};
    struct ed_deflate *to, *from;
    const char *in;
    size_t size;

    CHECK_OK(ed_deflate_open(&usual, true, &to));
    CHECK_OK(ed_deflate_open(&usual, false, &from));
    CHECK_OK(ed_deflate_send(to, zeros, sizeof zeros, true, &bytes));
    CHECK(ed_buffer_size(&bytes) < 2000);
    in = ed_buffer_bytes(&bytes);
    size = ed_buffer_size(&bytes);
    for (int i = 0; i < 100; i++)
        CHECK_EQ(ed_deflate_receive(from, &in, &size, out, 4096), 4096);
    ed_buffer_release(&bytes);
    ed_deflate_close(to);
    ed_deflate_close(from);
}

RAW_TEST(deflate_refuses_what_is_not_deflated)
{
    struct ed_deflate *deflate;
    char out[100];

    CHECK_OK(ed_deflate_open(&usual, true, &deflate));
    CHECK_EQ(expand(deflate, "\x07\xff\xff\xff", 4, out, sizeof out), -EBADMSG);
    ed_deflate_close(deflate);
}

/* A window of 8 bits can be read, but not written. */
RAW_TEST(deflate_does_not_compress_for_a_window_of_256_bytes)
{
    struct ed_deflate_terms terms = {true, false, false, 8, 8};
    struct ed_deflate *deflate;

    CHECK_OK(ed_deflate_open(&terms, true, &deflate));
    CHECK(!ed_deflate_can_send(deflate));
    EXPANDS(deflate, "\xf2\x48\xcd\xc9\xc9\x07\x00", "Hello");
    ed_deflate_close(deflate);
}
