/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "http/websocket_ends.h"

static const struct ed_deflate_terms usual = {true, false, false, 15, 15};

/* H-WSC-5, H-WSS-6: masks are a client's, and fresh. */
TEST(websocket_client_masks_and_server_does_not)
{
    BARE client = {NULL, NULL, true}, server = {NULL, NULL, false};
    const char *bytes;
    char one[4];

    CHECK_OK(bare_open(&client, true, NULL));
    CHECK_OK(bare_open(&server, false, NULL));
    CHECK_OK(eddy_websocket_send_text(server.socket, "hi"));
    CHECK_EQ(eddy_peek(server.peer, 4, &bytes), 4);
    CHECK(memcmp(bytes, "\x81\x02hi", 4) == 0);
    CHECK_OK(eddy_websocket_send_text(client.socket, "hi"));
    CHECK_OK(eddy_websocket_send_text(client.socket, "hi"));
    CHECK_EQ(eddy_peek(client.peer, 16, &bytes), 16);
    CHECK(memcmp(bytes, "\x81\x82", 2) == 0 && memcmp(bytes + 8, "\x81\x82", 2) == 0);
    memcpy(one, bytes + 2, 4);
    CHECK(memcmp(one, bytes + 10, 4) != 0);
    CHECK(bytes[6] == (char)('h' ^ one[0]) && bytes[7] == (char)('i' ^ one[1]));
}

/* A message of one letter, and whether it is one. */
static int send_letters(eddy_websocket *socket, int letter, size_t size)
{
    char *data = eddy_alloc_(size);
    int rc = data ? 0 : -ENOMEM;

    if (data)
        memset(data, letter, size);
    for (int i = 0; i < 3 && rc == 0; i++)
        rc = eddy_websocket_send(socket, EDDY_MESSAGE_BINARY, data, size);
    eddy_free(data);
    return rc;
}
EDDY_ASYNC(send_letters, eddy_websocket *, int, size_t);

static bool is_letters(const eddy_message *message)
{
    for (size_t i = 1; i < message->size; i++)
        if (message->text[i] != message->text[0])
            return false;
    return message->size > 0;
}

/* H-WSC-22 */
static int send_at_once(const struct ed_deflate_terms *terms)
{
    static const size_t sizes[] = {50, 5000, 70000, 300000};
    JOINED joined = {NULL, NULL};
    eddy_message message;
    EDDY_GROUP(senders);

    EDDY_TRY(joined_open(&joined, terms, NULL, NULL));
    for (int i = 0; i < 8; i++)
        eddy_group_create_task(&senders, send_letters, i % 2 ? joined.client : joined.server,
                               'a' + i, sizes[i / 2]);
    for (int i = 0; i < 24; i++) {
        REQUIRE(eddy_websocket_receive(i % 2 ? joined.client : joined.server, &message) == 1);
        REQUIRE(is_letters(&message));
    }
    return eddy_group_join(&senders);
}

TEST(websocket_messages_of_many_senders_do_not_mix)
{
    CHECK_OK(send_at_once(NULL));
    CHECK_OK(send_at_once(&usual));
}

/* A send that is cancelled while it waits leaves nothing or a whole message: what comes next can be
 * read. `frames`: how many were read before the cancel. */
static int cancel_behind(bool client, size_t size, int frames)
{
    BARE bare = {NULL, NULL, false};
    static char data[600000];
    size_t got;
    int first, count = 0;

    EDDY_TRY(bare_open(&bare, client, NULL));
    EDDY_TASK sender = eddy_create_task(send_letters, bare.socket, 'x', size);
    test_settle();
    for (int i = 0; i < frames; i++)
        REQUIRE(bare_read(&bare, data, sizeof data, &got) == 0x82 && got == size);
    test_settle();
    eddy_cancel(sender);
    EDDY_TASK next = eddy_create_task(send_letters, bare.socket, 'y', (size_t)10);
    while (count < 3) {
        first = bare_read(&bare, data, sizeof data, &got);
        REQUIRE(first == 0x82 && (got == 10 || (got == size && count == 0)));
        count += got == 10;
    }
    first = eddy_await(sender);
    REQUIRE(first == -ECANCELED || (first == 0 && size < 100000));
    return eddy_await(next);
}

TEST(websocket_send_that_is_cancelled_leaves_nothing_or_all)
{
    for (int frames = 0; frames < 2; frames++) {
        CHECK_OK(cancel_behind(false, 500000, frames));
        CHECK_OK(cancel_behind(true, 500000, frames));
        CHECK_OK(cancel_behind(false, 90000, frames));
        CHECK_OK(cancel_behind(true, 90000, frames));
    }
}

/* The same with a window that both sides share: the peer could not go on without it. */
static int cancel_compressed(bool client)
{
    JOINED joined = {NULL, NULL};
    static char noise[200000];
    eddy_websocket *from, *to;
    eddy_message message;

    EDDY_TRY(joined_open(&joined, &usual, NULL, NULL));
    from = client ? joined.client : joined.server;
    to = client ? joined.server : joined.client;
    srandom(1);
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (char)random();
    for (int i = 0; i < 6; i++) {
        EDDY_TIMEOUT(limit, 1);
        int rc = eddy_websocket_send(from, EDDY_MESSAGE_BINARY, noise, sizeof noise);

        REQUIRE(rc == 0 || rc == -ETIMEDOUT);
        if (rc == 0)
            continue;
        REQUIRE(i > 0 || rc == -ETIMEDOUT);
        break;
    }
    EDDY_TASK next = eddy_create_task(send_letters, from, 'y', (size_t)1000);
    do {
        REQUIRE(eddy_websocket_receive(to, &message) == 1);
        REQUIRE(message.size == 1000 || memcmp(message.text, noise, sizeof noise) == 0);
    } while (message.size != 1000);
    REQUIRE(is_letters(&message));
    return eddy_await(next);
}

TEST(websocket_compressed_send_that_is_cancelled_keeps_the_window)
{
    CHECK_OK(cancel_compressed(false));
    CHECK_OK(cancel_compressed(true));
}

/* Nobody reads: the second message waits before it is begun, and is taken back by a cancel. */
TEST(websocket_send_that_has_not_begun_is_taken_back)
{
    BARE bare = {NULL, NULL, false};
    static char data[400000];
    size_t size;

    CHECK_OK(bare_open(&bare, false, NULL));
    for (int i = 0; i < 2; i++) {
        EDDY_TIMEOUT(limit, 1);

        CHECK_EQ(
            eddy_websocket_send(bare.socket, EDDY_MESSAGE_BINARY, data, sizeof data - (size_t)i),
            -ETIMEDOUT);
    }
    CHECK_EQ(bare_read(&bare, data, sizeof data, &size), 0x82);
    CHECK_EQ(size, sizeof data);
    CHECK_OK(eddy_websocket_send_text(bare.socket, "next"));
    CHECK_EQ(bare_read(&bare, data, sizeof data, &size), 0x81);
    CHECK_EQ(size, 4);
}

TEST(websocket_texts_to_be_sent_are_utf8)
{
    BARE bare = {NULL, NULL, false};
    char data[10];
    size_t size;

    CHECK_OK(bare_open(&bare, true, NULL));
    CHECK_FAILS(eddy_websocket_send_text(bare.socket, "\xff"), -EINVAL, "UTF-8");
    CHECK_FAILS(eddy_websocket_send(bare.socket, EDDY_MESSAGE_TEXT, "\xc3", 1), -EINVAL, "UTF-8");
    CHECK_FAILS(eddy_websocket_send(bare.socket, (enum eddy_message_kind)9, "", 0), -EINVAL,
                "kind");
    CHECK_OK(eddy_websocket_send(bare.socket, EDDY_MESSAGE_BINARY, "\xff", 1));
    CHECK_EQ(bare_read(&bare, data, sizeof data, &size), 0x82);
}

static int send_pieces(eddy_websocket *socket)
{
    EDDY_TRY(eddy_websocket_send_piece(socket, EDDY_MESSAGE_TEXT, "one \xe2", 5, false));
    EDDY_TRY(eddy_sleep(1));
    EDDY_TRY(eddy_websocket_ping(socket, "p", 1));
    EDDY_TRY(eddy_websocket_send_piece(socket, EDDY_MESSAGE_TEXT, "\x82\xac", 2, false));
    EDDY_TRY(eddy_sleep(1));
    REQUIRE(eddy_websocket_send_text(socket, "mine") == -EINVAL);
    REQUIRE(eddy_websocket_send_piece(socket, EDDY_MESSAGE_TEXT, "\xff", 1, true) == -EINVAL);
    return eddy_websocket_send_piece(socket, EDDY_MESSAGE_TEXT, " end", 4, true);
}
EDDY_ASYNC(send_pieces, eddy_websocket *);

static int send_later(eddy_websocket *socket)
{
    EDDY_TRY(eddy_sleep(0.5));
    return eddy_websocket_send_text(socket, "another's");
}
EDDY_ASYNC(send_later, eddy_websocket *);

static int send_in_pieces(const struct ed_deflate_terms *terms)
{
    JOINED joined = {NULL, NULL};
    eddy_websocket_options options = {.compress_from = 1};
    eddy_message message;

    EDDY_TRY(joined_open(&joined, terms, &options, NULL));
    EDDY_TASK pieces = eddy_create_task(send_pieces, joined.client);
    EDDY_TASK other = eddy_create_task(send_later, joined.client);
    REQUIRE(eddy_websocket_receive(joined.server, &message) == 1);
    REQUIRE(strcmp(message.text, "one \xe2\x82\xac end") == 0);
    REQUIRE(eddy_websocket_receive(joined.server, &message) == 1);
    REQUIRE(strcmp(message.text, "another's") == 0);
    EDDY_TRY(eddy_await(pieces));
    return eddy_await(other);
}

TEST(websocket_pieces_are_one_message_for_which_others_wait)
{
    CHECK_OK(send_in_pieces(NULL));
    CHECK_OK(send_in_pieces(&usual));
}

/* What waits for the end of a message in pieces goes on when there will be none. */
TEST(websocket_close_lets_those_go_who_wait_for_pieces)
{
    BARE bare = {NULL, NULL, false};

    CHECK_OK(bare_open(&bare, false, NULL));
    CHECK_OK(eddy_websocket_send_piece(bare.socket, EDDY_MESSAGE_TEXT, "never", 5, false));
    EDDY_TASK other = eddy_create_task(send_later, bare.socket);
    CHECK_OK(eddy_sleep(1));
    CHECK_OK(eddy_websocket_begin_close(bare.socket, 1001, NULL));
    CHECK_EQ(eddy_await(other), -ESHUTDOWN);
    CHECK_EQ(bare_read_close(&bare), 1001);
}

TEST(websocket_pings_are_sent)
{
    BARE bare = {NULL, NULL, true};
    char data[200];
    size_t size;

    CHECK_OK(bare_open(&bare, true, NULL));
    CHECK_OK(eddy_websocket_ping(bare.socket, "payload", 7));
    CHECK_EQ(bare_read(&bare, data, sizeof data, &size), 0x89);
    CHECK(size == 7 && memcmp(data, "payload", 7) == 0);
    CHECK_OK(eddy_websocket_ping(bare.socket, NULL, 0));
    CHECK_EQ(bare_read(&bare, data, sizeof data, &size), 0x89);
    CHECK_EQ(size, 0);
    CHECK_FAILS(eddy_websocket_ping(bare.socket, data, 126), -EINVAL, "125");
}

/* H-WSC-21: from how many bytes on, and never for an empty one. */
TEST(websocket_compresses_from_a_size_on)
{
    struct ed_websocket_agreed agreed = {.client = false, .deflate = usual};
    eddy_websocket_options options = {.compress_from = 20};
    BARE bare = {NULL, NULL, false};
    char data[200];
    size_t size;

    CHECK_OK(bare_open_with(&bare, &agreed, &options));
    CHECK_OK(eddy_websocket_send_text(bare.socket, "aaaaaaaaaaaaaaaaaaa"));
    CHECK_EQ(bare_read(&bare, data, sizeof data, &size), 0x81);
    CHECK_OK(eddy_websocket_send_text(bare.socket, "aaaaaaaaaaaaaaaaaaaa"));
    CHECK_EQ(bare_read(&bare, data, sizeof data, &size), 0xc1);
    CHECK(size < 15);
    CHECK_OK(eddy_websocket_send_text(bare.socket, ""));
    CHECK_EQ(bare_read(&bare, data, sizeof data, &size), 0x81);
}

TEST(websocket_send_waits_while_the_peer_takes_nothing)
{
    BARE bare = {NULL, NULL, false};
    static char data[20000];
    int sent = 0, rc = 0;

    CHECK_OK(bare_open(&bare, false, NULL));
    while (rc == 0) {
        EDDY_TIMEOUT(limit, 1);

        rc = eddy_websocket_send(bare.socket, EDDY_MESSAGE_BINARY, data, sizeof data);
        sent += rc == 0;
    }
    CHECK_EQ(rc, -ETIMEDOUT);
    CHECK(sent < 20);
}
