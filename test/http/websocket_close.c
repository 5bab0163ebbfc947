/* SPDX-License-Identifier: MIT */
#include "http/websocket_ends.h"

static int receive_to_end(eddy_websocket *socket)
{
    eddy_message message;
    int rc;

    while ((rc = eddy_websocket_receive(socket, &message)) > 0)
        continue;
    return rc;
}
EDDY_ASYNC(receive_to_end, eddy_websocket *);

static int serve(eddy_websocket **socket)
{
    EDDY_TRY(receive_to_end(*socket));
    return eddy_websocket_close(socket);
}
EDDY_ASYNC(serve, eddy_websocket **);

/* H-WSC-8, -9, -11, -13 */
TEST(websocket_close_goes_both_ways)
{
    JOINED joined = {NULL, NULL};
    eddy_message message;

    CHECK_OK(joined_open(&joined, NULL, NULL, NULL));
    EDDY_TASK server = eddy_create_task(serve, &joined.server);
    CHECK_OK(eddy_websocket_begin_close(joined.client, 4001, "enough"));
    CHECK_OK(eddy_websocket_begin_close(joined.client, 4002, "again"));
    CHECK_EQ(eddy_websocket_send_text(joined.client, "x"), -ESHUTDOWN);
    CHECK_EQ(eddy_websocket_receive(joined.client, &message), 0);
    CHECK_EQ(eddy_websocket_receive(joined.client, &message), 0);
    CHECK_EQ(eddy_websocket_close_code(joined.client), 4001);
    CHECK_OK(eddy_websocket_close(&joined.client));
    CHECK(joined.client == NULL);
    CHECK_OK(eddy_websocket_close(&joined.client));
    CHECK_OK(eddy_await(server));
}

TEST(websocket_close_tells_code_and_reason)
{
    BARE bare = {NULL, NULL, false};
    eddy_message message;

    CHECK_OK(bare_open(&bare, true, NULL));
    CHECK_STR(eddy_websocket_close_reason(bare.socket), "");
    CHECK_OK(BARE_SEND(&bare, 0x88, "\x03\xe9going \xe2\x82\xac"));
    CHECK_EQ(eddy_websocket_receive(bare.socket, &message), 0);
    CHECK_EQ(eddy_websocket_close_code(bare.socket), 1001);
    CHECK_STR(eddy_websocket_close_reason(bare.socket), "going \xe2\x82\xac");
    CHECK_EQ(bare_read_close(&bare), 1001);
    CHECK_EQ(eddy_websocket_send_text(bare.socket, "x"), -ESHUTDOWN);
}

/* H-WSC-19: a close without a code reads as 1005. */
TEST(websocket_close_without_a_code_is_1005)
{
    BARE bare = {NULL, NULL, false};
    eddy_message message;

    CHECK_OK(bare_open(&bare, false, NULL));
    CHECK_OK(BARE_SEND(&bare, 0x88, ""));
    CHECK_EQ(eddy_websocket_receive(bare.socket, &message), 0);
    CHECK_EQ(eddy_websocket_close_code(bare.socket), 1005);
    CHECK_EQ(bare_read_close(&bare), 1005);
}

TEST(websocket_closes_that_are_none_are_refused)
{
    static const char long_reason[] =
        "0123456789012345678901234567890123456789012345678901234567890"
        "123456789012345678901234567890123456789012345678901234567890123";
    BARE bare = {NULL, NULL, false};

    CHECK_OK(bare_open(&bare, false, NULL));
    CHECK_FAILS(eddy_websocket_begin_close(bare.socket, 1006, NULL), -EINVAL, "1006");
    CHECK_FAILS(eddy_websocket_begin_close(bare.socket, 1005, NULL), -EINVAL, "1005");
    CHECK_FAILS(eddy_websocket_begin_close(bare.socket, 5000, NULL), -EINVAL, "5000");
    CHECK_FAILS(eddy_websocket_begin_close(bare.socket, 1000, "\xff"), -EINVAL, "UTF-8");
    CHECK_EQ(sizeof long_reason - 1, 124);
    CHECK_FAILS(eddy_websocket_begin_close(bare.socket, 1000, long_reason), -EINVAL, "123");
    CHECK_OK(eddy_websocket_begin_close(bare.socket, 1000, long_reason + 1));
    CHECK_EQ(bare_read_close(&bare), 1000);
}

/* Messages that were on their way still come. */
TEST(websocket_receives_up_to_the_peers_close)
{
    BARE bare = {NULL, NULL, false};
    eddy_message message;

    CHECK_OK(bare_open(&bare, false, NULL));
    CHECK_OK(eddy_websocket_begin_close(bare.socket, 1000, NULL));
    CHECK_OK(BARE_SEND(&bare, 0x81, "on its way"));
    CHECK_OK(BARE_SEND(&bare, 0x88, "\x03\xe8"));
    CHECK_EQ(eddy_websocket_receive(bare.socket, &message), 1);
    CHECK_STR(message.text, "on its way");
    CHECK_EQ(eddy_websocket_receive(bare.socket, &message), 0);
}

/* The peer's close may have come together with the last message that was received. */
TEST(websocket_close_sees_what_came_with_the_last_message)
{
    BARE bare = {NULL, NULL, false};
    eddy_message message;

    CHECK_OK(bare_open(&bare, false, NULL));
    CHECK_OK(BARE_SEND(&bare, 0x81, "goodbye"));
    CHECK_OK(BARE_SEND(&bare, 0x88, "\x03\xe8"));
    CHECK_EQ(eddy_websocket_receive(bare.socket, &message), 1);
    CHECK_STR(message.text, "goodbye");
    CHECK_OK(eddy_websocket_close(&bare.socket));
}

/* A peer that leaves without a word, after we have closed, is no error of the messages'. */
TEST(websocket_receives_the_end_behind_its_own_close)
{
    eddy_websocket_options options = {.close_time = 3};
    BARE bare = {NULL, NULL, false}, silent = {NULL, NULL, false};
    eddy_message message;
    double begin = eddy_time();

    CHECK_OK(bare_open(&bare, false, &options));
    CHECK_OK(eddy_websocket_begin_close(bare.socket, 1000, NULL));
    CHECK_OK(eddy_stream_close(&bare.peer));
    CHECK_EQ(eddy_websocket_receive(bare.socket, &message), 0);
    CHECK_EQ(eddy_websocket_close_code(bare.socket), 1006);
    CHECK_EQ(eddy_websocket_close(&bare.socket), EDDY_EINCOMPLETE);

    CHECK_OK(bare_open(&silent, false, &options));
    EDDY_TASK receiver = eddy_create_task(receive_to_end, silent.socket);
    test_settle();
    CHECK_OK(eddy_websocket_begin_close(silent.socket, 1000, NULL));
    CHECK_EQ(eddy_await(receiver), 0);
    CHECK_EQ(eddy_time() - begin + 0.5, 3);
    CHECK_EQ(eddy_websocket_close_code(silent.socket), 1006);
}

static int chatter(struct bare *bare)
{
    for (;;) {
        EDDY_TRY(BARE_SEND(bare, 0x81, "and another thing"));
        EDDY_TRY(eddy_sleep(0.3));
    }
}
EDDY_ASYNC(chatter, struct bare *);

/* H-WSC-12: one deadline, however much comes. */
TEST(websocket_close_has_one_deadline)
{
    eddy_websocket_options options = {.close_time = 2};
    BARE bare = {NULL, NULL, false};
    double begin = eddy_time();

    CHECK_OK(bare_open(&bare, false, &options));
    EDDY_TASK peer = eddy_create_task(chatter, &bare);
    CHECK_FAILS(eddy_websocket_close(&bare.socket), EDDY_EINCOMPLETE, "in order");
    CHECK_EQ(eddy_time() - begin + 0.5, 2);
    eddy_cancel(peer);
    (void)eddy_await(peer);
}

static int answer_close(struct bare *bare)
{
    REQUIRE(bare_read_close(bare) == 1000);
    EDDY_TRY(eddy_sleep(1));
    EDDY_TRY(BARE_SEND(bare, 0x81, "dropped"));
    return BARE_SEND(bare, 0x88, "\x03\xe8");
}
EDDY_ASYNC(answer_close, struct bare *);

/* H-WSC-11 */
TEST(websocket_close_by_another_task_ends_a_receive)
{
    BARE bare = {NULL, NULL, false};

    CHECK_OK(bare_open(&bare, false, NULL));
    EDDY_TASK peer = eddy_create_task(answer_close, &bare);
    EDDY_TASK receiver = eddy_create_task(receive_to_end, bare.socket);
    test_settle();
    CHECK_OK(eddy_websocket_close(&bare.socket));
    CHECK_EQ(eddy_await(receiver), -ESHUTDOWN);
    CHECK_OK(eddy_await(peer));
}

static int send_much(eddy_websocket *socket)
{
    static char data[1 << 20];

    return eddy_websocket_send(socket, EDDY_MESSAGE_BINARY, data, sizeof data);
}
EDDY_ASYNC(send_much, eddy_websocket *);

TEST(websocket_close_gets_senders_out)
{
    eddy_websocket_options options = {.close_time = 5};
    BARE bare = {NULL, NULL, false};
    double begin = eddy_time();

    CHECK_OK(bare_open(&bare, false, &options));
    EDDY_TASK one = eddy_create_task(send_much, bare.socket);
    EDDY_TASK other = eddy_create_task(send_much, bare.socket);
    EDDY_TASK receiver = eddy_create_task(receive_to_end, bare.socket);
    test_settle();
    CHECK_EQ(eddy_websocket_close(&bare.socket), EDDY_EINCOMPLETE);
    CHECK_EQ(eddy_time() - begin + 0.5, 5);
    CHECK(eddy_await(one) < 0);
    CHECK_EQ(eddy_await(other), -ESHUTDOWN);
    CHECK_EQ(eddy_await(receiver), -ESHUTDOWN);
}

static int close_it(eddy_websocket *socket)
{
    return eddy_websocket_close(&socket);
}
EDDY_ASYNC(close_it, eddy_websocket *);

TEST(websocket_is_closed_by_two_and_freed_once)
{
    BARE bare = {NULL, NULL, false};
    eddy_websocket *mine;

    CHECK_OK(bare_open(&bare, false, NULL));
    mine = bare.socket;
    bare.socket = NULL;
    EDDY_TASK first = eddy_create_task(close_it, mine);
    test_settle();
    EDDY_TASK second = eddy_create_task(close_it, mine);
    test_settle();
    CHECK_OK(BARE_SEND(&bare, 0x88, "\x03\xe8"));
    CHECK_OK(eddy_await(first));
    CHECK_OK(eddy_await(second));
}

static int close_cancelled(eddy_websocket *socket)
{
    EDDY_WEBSOCKET mine = socket;

    return eddy_sleep(100);
}
EDDY_ASYNC(close_cancelled, eddy_websocket *);

/* The peer still hears of it. */
TEST(websocket_close_in_a_task_that_is_cancelled_does_not_wait)
{
    BARE bare = {NULL, NULL, false};
    eddy_websocket *mine;
    double begin = eddy_time();

    CHECK_OK(bare_open(&bare, false, NULL));
    mine = bare.socket;
    bare.socket = NULL;
    EDDY_TASK task = eddy_create_task(close_cancelled, mine);
    test_settle();
    eddy_cancel(task);
    CHECK_EQ(eddy_await(task), -ECANCELED);
    CHECK_EQ(eddy_time(), begin);
}

static int fail_inside(eddy_websocket *socket)
{
    EDDY_WEBSOCKET mine = socket;

    return eddy_raise(-EXDEV, "what really went wrong");
}

TEST(websocket_end_of_a_block_keeps_its_error)
{
    BARE bare = {NULL, NULL, false};
    eddy_websocket *mine;

    CHECK_OK(bare_open(&bare, false, NULL));
    mine = bare.socket;
    bare.socket = NULL;
    CHECK_FAILS(fail_inside(mine), -EXDEV, "what really went wrong");
}

static int close_from_callback(void *socket)
{
    return eddy_websocket_begin_close(socket, 1001, "shutdown");
}

/* H-RUN-4, H-WSS-7: a hook closes what is open. */
TEST(websocket_close_is_begun_from_a_callback)
{
    BARE bare = {NULL, NULL, false};

    CHECK_OK(bare_open(&bare, false, NULL));
    EDDY_TASK receiver = eddy_create_task(receive_to_end, bare.socket);
    test_settle();
    eddy_loop_call_soon(eddy_get_running_loop(), close_from_callback, bare.socket);
    CHECK_EQ(bare_read_close(&bare), 1001);
    CHECK_OK(BARE_SEND(&bare, 0x88, "\x03\xe9"));
    CHECK_EQ(eddy_await(receiver), 0);
    CHECK_OK(eddy_websocket_close(&bare.socket));
}

static void release(void *owner, int failed)
{
    if (failed == 0)
        ++*(int *)owner;
}

/* A connection that is another's stays open, and is given back once. */
TEST(websocket_gives_a_borrowed_stream_back)
{
    int released = 0;
    struct ed_websocket_agreed agreed = {.borrowed = true, .release = release, .owner = &released};
    EDDY_STREAM own = NULL;
    EDDY_STREAM peer = NULL;
    eddy_websocket *socket;
    char data[100];

    CHECK_OK(eddy_stream_pair(&own, &peer));
    CHECK_OK(ed_websocket_open(own, &agreed, NULL, &socket));
    CHECK_OK(eddy_write(peer, "\x88\x82\0\0\0\0\x03\xe8", 8));
    CHECK_OK(eddy_websocket_close(&socket));
    CHECK_EQ(released, 1);
    CHECK_EQ(eddy_read(peer, data, sizeof data), 4);
    CHECK_EQ(eddy_read(peer, data, sizeof data), 0);
    CHECK_OK(eddy_write(peer, "more", 4));
    CHECK_EQ(eddy_read(own, data, sizeof data), 4);
}

static int whole_life(void)
{
    JOINED joined = {NULL, NULL};

    EDDY_TRY(joined_open(&joined, NULL, NULL, NULL));
    {
        EDDY_TASK server = eddy_create_task(serve, &joined.server);

        EDDY_TRY(eddy_websocket_send_text(joined.client, "hello"));
        EDDY_TRY(eddy_sleep(1));
        EDDY_TRY(eddy_websocket_send_text(joined.client, "again"));
        (void)eddy_websocket_close(&joined.client);
        (void)eddy_await(server);
    }
    return eddy_cancelled() ? -ECANCELED : 0;
}
EDDY_ASYNC(whole_life);

RAW_TEST(websocket_life_stands_every_cancel_and_order)
{
    CHECK_OK(eddy_test_cancels(whole_life));
    CHECK_OK(eddy_test_seeds(1, 50, whole_life));
}

/* Sends back whatever comes, in pieces. */
static int return_pieces(eddy_websocket **socket)
{
    eddy_message piece;
    bool last;
    int rc;

    do {
        rc = eddy_websocket_receive_piece(*socket, &piece, &last);
        if (rc > 0 &&
            eddy_websocket_send_piece(*socket, piece.kind, piece.text, piece.size, last) < 0)
            break;
    } while (rc > 0);
    (void)eddy_websocket_close(socket); /* also where it could not be sent: else who waits, waits */
    return rc;
}
EDDY_ASYNC(return_pieces, eddy_websocket **);

/* A message that must come. */
static int receive_one(eddy_websocket *socket, eddy_message *message)
{
    int rc = eddy_websocket_receive(socket, message);

    return rc > 0 ? 0 : rc < 0 ? rc : -ECONNRESET;
}

static int exchange_much(eddy_websocket *client)
{
    static char much[150000];
    eddy_message message;

    for (size_t i = 0; i < sizeof much; i++)
        much[i] = (char)('a' + i * i % 23);
    EDDY_TRY(eddy_websocket_ping(client, "ping", 4));
    EDDY_TRY(eddy_websocket_send(client, EDDY_MESSAGE_TEXT, much, sizeof much));
    EDDY_TRY(eddy_websocket_send(client, EDDY_MESSAGE_BINARY, much, 10));
    EDDY_TRY(receive_one(client, &message));
    REQUIRE(message.size == sizeof much && memcmp(message.text, much, sizeof much) == 0);
    EDDY_TRY(receive_one(client, &message));
    REQUIRE(message.size == 10 && memcmp(message.text, much, 10) == 0);
    return 0;
}

/* Large messages, compressed, in pieces; what has failed at one end the other sees as an end. */
static int whole_life_of_much(void)
{
    static const struct ed_deflate_terms terms = {
        .agreed = true, .server_bits = 15, .client_bits = 15};
    JOINED joined = {NULL, NULL};
    int rc;

    EDDY_TRY(joined_open(&joined, &terms, NULL, NULL));
    {
        EDDY_TASK server = eddy_create_task(return_pieces, &joined.server);

        rc = server ? exchange_much(joined.client) : -ENOMEM;
        (void)eddy_websocket_close(&joined.client);
        if (server)
            (void)eddy_await(server);
    }
    return eddy_cancelled() ? -ECANCELED : rc;
}
EDDY_ASYNC(whole_life_of_much);

static int whole_life_or_no_memory(void)
{
    int rc = whole_life_of_much();

    return rc < 0 && rc != EDDY_ETEST ? -ENOMEM : rc;
}
EDDY_ASYNC(whole_life_or_no_memory);

RAW_TEST(websocket_life_of_much_stands_every_cancel_and_lack_of_memory)
{
    CHECK_OK(eddy_test_cancels(whole_life_of_much));
    CHECK_OK(eddy_test_allocations(whole_life_or_no_memory));
}
