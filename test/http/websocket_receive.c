/* SPDX-License-Identifier: MIT */
#include "http/websocket_ends.h"

#define TEXT 0x81
#define BINARY 0x82

static const struct ed_deflate_terms usual = {true, false, false, 15, 15};

/* H-WSC-23: what came in one packet with the handshake is in the stream. */
TEST(websocket_receives_what_came_with_the_handshake)
{
    struct ed_websocket_agreed agreed = {.client = true};
    BARE bare = {NULL, NULL, true};
    EDDY_STREAM own = NULL;
    eddy_message message;
    const char *data;

    CHECK_OK(eddy_stream_pair(&own, &bare.peer));
    CHECK_OK(BARE_SEND(&bare, TEXT, "early"));
    CHECK_EQ(eddy_peek(own, 3, &data), 7);
    CHECK_OK(ed_websocket_open(own, &agreed, NULL, &bare.socket));
    own = NULL;
    CHECK_EQ(eddy_websocket_receive(bare.socket, &message), 1);
    CHECK_STR(message.text, "early");
}

static int receive_one(eddy_websocket *socket)
{
    eddy_message message;

    return eddy_websocket_receive(socket, &message);
}
EDDY_ASYNC(receive_one, eddy_websocket *);

/* H-WSC-10 */
TEST(websocket_has_one_receiver)
{
    BARE bare = {NULL, NULL, false};
    eddy_message message;

    CHECK_OK(bare_open(&bare, false, NULL));
    EDDY_TASK first = eddy_create_task(receive_one, bare.socket);
    test_settle();
    CHECK_FAILS(eddy_websocket_receive(bare.socket, &message), -EBUSY, "another task");
    CHECK_OK(BARE_SEND(&bare, TEXT, "for the first"));
    CHECK_EQ(eddy_await(first), 1);
}

/* A receive that is cut short takes nothing, wherever in the frames it was. */
TEST(websocket_receive_that_times_out_takes_nothing)
{
    static char bytes[6000], middle[3000];
    BARE bare = {NULL, NULL, false};
    eddy_message message;
    size_t size = 0;
    int rc = 0, count = 0;

    memset(middle, 'm', sizeof middle);
    size += bare_pack(true, 0x01, "begin ", 6, bytes + size);
    size += bare_pack(true, 0x89, "ping", 4, bytes + size);
    size += bare_pack(true, 0x00, middle, sizeof middle, bytes + size);
    size += bare_pack(true, 0x80, " end", 4, bytes + size);
    size += bare_pack(true, TEXT, "next", 4, bytes + size);
    CHECK_OK(bare_open(&bare, false, NULL));
    for (size_t i = 0; i < size; i++) {
        CHECK_OK(eddy_write(bare.peer, bytes + i, 1));
        EDDY_TIMEOUT(limit, 0.001);
        rc = eddy_websocket_receive(bare.socket, &message);
        CHECK(rc == 1 || rc == -ETIMEDOUT);
        count += rc == 1;
        if (rc == 1 && count == 1)
            CHECK(message.size == 3010 && strncmp(message.text, "begin mmm", 9) == 0 &&
                  strcmp(message.text + 3006, " end") == 0);
    }
    CHECK_EQ(count, 2);
    CHECK_STR(message.text, "next");
}

/* H-WSC-17: by its announced length, before any of it is there. */
TEST(websocket_refuses_a_message_that_is_announced_too_long)
{
    eddy_websocket_options options = {.limit = 1000};
    BARE bare = {NULL, NULL, false};
    eddy_message message;
    char frame[2000] = "";

    CHECK_OK(bare_open(&bare, false, &options));
    CHECK_OK(bare_send(&bare, BINARY, frame, 1000));
    CHECK_EQ(eddy_websocket_receive(bare.socket, &message), 1);
    bare_pack(true, BINARY, frame + 20, 1001, frame);
    CHECK_OK(eddy_write(bare.peer, frame, 8));
    CHECK_FAILS(eddy_websocket_receive(bare.socket, &message), EDDY_ELIMIT, "1000 bytes");
    CHECK_EQ(bare_read_close(&bare), 1009);
    CHECK_EQ(eddy_websocket_receive(bare.socket, &message), EDDY_ELIMIT);
    CHECK_EQ(eddy_websocket_send_text(bare.socket, "x"), -ESHUTDOWN);
    CHECK_EQ(eddy_websocket_close_code(bare.socket), 1006);
}

TEST(websocket_refuses_fragments_that_are_too_long_together)
{
    eddy_websocket_options options = {.limit = 10};
    BARE bare = {NULL, NULL, false};
    eddy_message message;

    CHECK_OK(bare_open(&bare, true, &options));
    CHECK_OK(BARE_SEND(&bare, 0x02, "12345"));
    CHECK_OK(BARE_SEND(&bare, 0x00, "12345"));
    CHECK_OK(BARE_SEND(&bare, 0x80, "1"));
    CHECK_EQ(eddy_websocket_receive(bare.socket, &message), EDDY_ELIMIT);
    CHECK_EQ(bare_read_close(&bare), 1009);
}

static int bomb(eddy_websocket *socket)
{
    static char zeros[1 << 20];
    bool last = false;

    for (int i = 0; i < 64; i++)
        EDDY_TRY(eddy_websocket_send_piece(socket, EDDY_MESSAGE_BINARY, zeros, sizeof zeros, last));
    return 0;
}
EDDY_ASYNC(bomb, eddy_websocket *);

/* H-SEC-15: the limit counts what a message becomes, and memory does not go far beyond it. */
TEST(websocket_refuses_a_message_that_explodes)
{
    JOINED joined = {NULL, NULL};
    eddy_websocket_options options = {.limit = 100000};
    eddy_message message;

    CHECK_OK(joined_open(&joined, &usual, NULL, &options));
    EDDY_TASK sender = eddy_create_task(bomb, joined.client);
    CHECK_EQ(eddy_websocket_receive(joined.server, &message), EDDY_ELIMIT);
    CHECK(joined.server->message.capacity < 300000);
    eddy_cancel(sender);
    (void)eddy_await(sender);
}

/* H-SEC-18, H-WSC-24 */
TEST(websocket_fragments_cost_their_bytes_and_nothing_else)
{
    BARE bare = {NULL, NULL, false};
    char frame[ED_FRAME_HEADER + 1];
    size_t size = bare_pack(true, 0x00, "x", 1, frame);

    CHECK_OK(bare_open(&bare, false, NULL));
    CHECK_OK(BARE_SEND(&bare, 0x02, ""));
    EDDY_TASK receiver = eddy_create_task(receive_one, bare.socket);
    for (int i = 0; i < 20000; i++) {
        CHECK_OK(eddy_write(bare.peer, frame, size));
        if (i % 500 == 0)
            test_settle();
    }
    CHECK(bare.socket->message.capacity <= 65536);
    CHECK_OK(BARE_SEND(&bare, 0x80, ""));
    CHECK_EQ(eddy_await(receiver), 1);
    CHECK_EQ(ed_buffer_size(&bare.socket->message), 20000);
}

/* Each piece of a text ends between characters, however the frames are cut. */
TEST(websocket_pieces_of_texts_are_texts)
{
    static const char text[] = "\xe2\x82\xac uro \xf0\x9f\x98\x80 smile \xc3\x9f sz";
    BARE bare = {NULL, NULL, false};
    struct eddy_buffer_ got = {.data = NULL};
    eddy_message piece;
    bool last = false;
    int pieces = 0;

    CHECK_OK(bare_open(&bare, false, NULL));
    for (size_t i = 0; i < sizeof text - 1; i++)
        CHECK_OK(bare_send(&bare, i == 0 ? 0x01 : 0x00, text + i, 1));
    CHECK_OK(BARE_SEND(&bare, 0x80, ""));
    while (!last) {
        struct ed_utf8 utf8 = {0};

        CHECK_EQ(eddy_websocket_receive_piece(bare.socket, &piece, &last), 1);
        CHECK(ed_utf8_check(&utf8, piece.text, piece.size) && ed_utf8_may_end(&utf8));
        CHECK_EQ(piece.text[piece.size], '\0');
        CHECK_OK(ed_buffer_append(&got, piece.text, piece.size));
        pieces++;
    }
    CHECK_EQ(ed_buffer_size(&got), sizeof text - 1);
    CHECK(memcmp(ed_buffer_bytes(&got), text, sizeof text - 1) == 0);
    ed_buffer_release(&got);
    CHECK(pieces > 10);
}

/* The limit does not count for pieces, and a message may be longer than memory. */
TEST(websocket_pieces_have_no_limit)
{
    JOINED joined = {NULL, NULL};
    eddy_websocket_options options = {.limit = 1000};
    eddy_message piece;
    size_t size = 0;
    bool last = false;

    CHECK_OK(joined_open(&joined, &usual, NULL, &options));
    EDDY_TASK sender = eddy_create_task(bomb, joined.client);
    while (size < (test_is_swept() ? 1u : 20u) << 20) {
        CHECK_EQ(eddy_websocket_receive_piece(joined.server, &piece, &last), 1);
        CHECK(piece.size <= 2 * ED_WEBSOCKET_PIECE && !last);
        size += piece.size;
    }
    eddy_cancel(sender);
    (void)eddy_await(sender);
}

/* H-WSC-14: 1006 for an end without a close. */
TEST(websocket_that_ends_without_a_close_is_incomplete)
{
    BARE bare = {NULL, NULL, false};
    eddy_message message;

    CHECK_OK(bare_open(&bare, false, NULL));
    CHECK_OK(BARE_SEND(&bare, TEXT, "last words"));
    CHECK_OK(BARE_SEND(&bare, 0x01, "unfinished"));
    CHECK_OK(eddy_stream_close(&bare.peer));
    CHECK_EQ(eddy_websocket_receive(bare.socket, &message), 1);
    CHECK_STR(message.text, "last words");
    for (int i = 0; i < 3; i++)
        CHECK_FAILS(eddy_websocket_receive(bare.socket, &message), EDDY_EINCOMPLETE,
                    "without a close");
    CHECK_EQ(eddy_websocket_close_code(bare.socket), 1006);
    CHECK_EQ(eddy_websocket_send_text(bare.socket, "x"), -EPIPE);
}

TEST(websocket_that_breaks_tells_the_error)
{
    BARE bare = {NULL, NULL, true};
    eddy_message message;

    CHECK_OK(bare_open(&bare, true, NULL));
    eddy_stream_abort(bare.peer);
    CHECK_EQ(eddy_websocket_receive(bare.socket, &message), -ECONNRESET);
    CHECK_EQ(eddy_websocket_receive(bare.socket, &message), -ECONNRESET);
    CHECK_EQ(eddy_websocket_close_code(bare.socket), 1006);
}

/* H-WSC-7, H-WSC-20 */
TEST(websocket_answers_pings_while_it_receives)
{
    BARE bare = {NULL, NULL, true};
    char data[200];
    size_t size;

    CHECK_OK(bare_open(&bare, true, NULL));
    EDDY_TASK receiver = eddy_create_task(receive_one, bare.socket);
    CHECK_OK(BARE_SEND(&bare, 0x89, "are you there?"));
    CHECK_EQ(bare_read(&bare, data, sizeof data, &size), 0x8a);
    CHECK(size == 14 && memcmp(data, "are you there?", 14) == 0);
    CHECK(!eddy_task_done(receiver));
}

/* A peer that pings and does not read costs a bounded amount of memory. */
TEST(websocket_flood_of_pings_is_bounded)
{
    BARE bare = {NULL, NULL, false};
    char content[125], ping[ED_FRAME_HEADER + 125];
    size_t size;

    memset(content, 'p', sizeof content);
    size = bare_pack(true, 0x89, content, sizeof content, ping);
    CHECK_OK(bare_open(&bare, false, NULL));
    EDDY_TASK receiver = eddy_create_task(receive_one, bare.socket);
    for (int i = 0; i < 10000; i++) {
        CHECK_OK(eddy_write(bare.peer, ping, size));
        if (i % 100 == 0)
            test_settle();
    }
    test_settle();
    CHECK(eddy_stream_get_counters(bare.socket->stream).to_send < 64 * 1024 + 8192);
    CHECK(!eddy_task_done(receiver));
}

/* H-WSC-15, under virtual time */
TEST(websocket_heartbeat_asks_and_gives_up)
{
    eddy_websocket_options options = {.heartbeat = 10};
    BARE bare = {NULL, NULL, false};
    double begin = eddy_time();
    char data[200];
    size_t size;

    CHECK_OK(bare_open(&bare, false, &options));
    EDDY_TASK receiver = eddy_create_task(receive_one, bare.socket);
    CHECK_EQ(bare_read(&bare, data, sizeof data, &size), 0x89);
    CHECK_EQ((eddy_time() - begin) * 10 + 0.5, 100);
    CHECK_EQ(eddy_await(receiver), -ETIMEDOUT);
    CHECK_EQ((eddy_time() - begin) * 10 + 0.5, 150);
    CHECK_EQ(eddy_websocket_close_code(bare.socket), 1006);
    CHECK_EQ(bare_read(&bare, data, sizeof data, &size), -ECONNRESET);
}

static int receive_all(eddy_websocket *socket)
{
    eddy_message message;
    int rc;

    while ((rc = eddy_websocket_receive(socket, &message)) > 0)
        continue;
    return rc;
}
EDDY_ASYNC(receive_all, eddy_websocket *);

TEST(websocket_heartbeat_is_content_with_anything_that_comes)
{
    eddy_websocket_options options = {.heartbeat = 10};
    BARE bare = {NULL, NULL, false};
    char data[200];
    size_t size;

    CHECK_OK(bare_open(&bare, false, &options));
    EDDY_TASK receiver = eddy_create_task(receive_all, bare.socket);
    for (int i = 0; i < 20; i++) {
        CHECK_OK(eddy_sleep(9));
        CHECK_OK(BARE_SEND(&bare, TEXT, "alive"));
    }
    for (int i = 0; i < 5; i++) { /* each ping is answered in time */
        CHECK_EQ(bare_read(&bare, data, sizeof data, &size), 0x89);
        CHECK_OK(eddy_sleep(4));
        CHECK_OK(bare_send(&bare, 0x8a, data, size));
    }
    CHECK(!eddy_task_done(receiver));
}

/* Time in which nobody receives is not the peer's, and short receives add up. */
TEST(websocket_heartbeat_counts_while_somebody_receives)
{
    eddy_websocket_options options = {.heartbeat = 10};
    BARE bare = {NULL, NULL, false};
    eddy_message message;
    char data[200];
    size_t size;
    int rc = -ETIMEDOUT, rounds = 0;

    CHECK_OK(bare_open(&bare, false, &options));
    for (; rc == -ETIMEDOUT && !bare.socket->over; rounds++) {
        EDDY_TIMEOUT(limit, 1);

        rc = eddy_websocket_receive(bare.socket, &message);
        if (!bare.socket->over)
            CHECK_EQ(rc, -ETIMEDOUT);
    }
    CHECK(rounds >= 15 && rounds <= 16);
    CHECK_EQ(bare_read(&bare, data, sizeof data, &size), 0x89);
}

TEST(websocket_compressed_frame_that_was_not_agreed_on_is_refused)
{
    BARE bare = {NULL, NULL, false};
    eddy_message message;

    CHECK_OK(bare_open(&bare, false, NULL));
    CHECK_OK(BARE_SEND(&bare, 0xc1, "\xf2\x48\xcd\xc9\xc9\x07\x00"));
    CHECK_FAILS(eddy_websocket_receive(bare.socket, &message), EDDY_EWEBSOCKET, "compressed");
    CHECK_EQ(bare_read_close(&bare), 1002);
}

/* H-WSC-21: fragments, a ping between them, texts that are none. */
TEST(websocket_expands_messages_in_fragments)
{
    struct ed_websocket_agreed agreed = {.client = true, .deflate = usual};
    BARE bare = {NULL, NULL, true};
    eddy_message message;

    CHECK_OK(bare_open_with(&bare, &agreed, NULL));
    CHECK_OK(BARE_SEND(&bare, 0x41, "\xf2\x48\xcd"));
    CHECK_OK(BARE_SEND(&bare, 0x89, ""));
    CHECK_OK(BARE_SEND(&bare, 0x00, ""));
    CHECK_OK(BARE_SEND(&bare, 0x80, "\xc9\xc9\x07\x00"));
    CHECK_EQ(eddy_websocket_receive(bare.socket, &message), 1);
    CHECK_STR(message.text, "Hello");
    CHECK_OK(BARE_SEND(&bare, 0x81, "plain between"));
    CHECK_EQ(eddy_websocket_receive(bare.socket, &message), 1);
    CHECK_STR(message.text, "plain between");
    CHECK_OK(BARE_SEND(&bare, 0xc1, "\x00\x02\x00\xfd\xff\xce\xff\x00"));
    CHECK_FAILS(eddy_websocket_receive(bare.socket, &message), EDDY_EWEBSOCKET, "UTF-8");
    CHECK_EQ(bare_read_close(&bare), 1007);
}

TEST(websocket_refuses_what_cannot_be_expanded)
{
    struct ed_websocket_agreed agreed = {.client = false, .deflate = usual};
    BARE bare = {NULL, NULL, false};
    eddy_message message;

    CHECK_OK(bare_open_with(&bare, &agreed, NULL));
    CHECK_OK(BARE_SEND(&bare, 0xc2, "\x07\xff\xff\xff"));
    CHECK_FAILS(eddy_websocket_receive(bare.socket, &message), EDDY_EWEBSOCKET, "decompressed");
    CHECK_EQ(bare_read_close(&bare), 1007);
}
