/* SPDX-License-Identifier: MIT */
/*
 * The cases that every WebSocket is measured by, as Autobahn's suite numbers them: what goes in,
 * frame by frame, and what comes out. Each is played to a server and to a client, as a whole, byte
 * by byte, and in pieces of three; an echo is at the other end of it.
 *
 * What came out is written as a line: "text:a ping:b close:1000"; long payloads by their size. It
 * is read by wslay, which shares no line with what wrote it.
 */
#include <stdlib.h>
#include <wslay/wslay.h>

#include "http/websocket_ends.h"

#define PARTS 12
#define ROOM (3 << 20)

struct part {
    int first;        /* byte of the frame; -1: bytes as they are; 0 behind the last: see `end` */
    const char *data; /* NULL: `size` times an asterisk */
    size_t size;
    bool is;
};

struct script {
    const char *name;
    struct part parts[PARTS];
    const char *out;
};

#define F(first, text)                                                                             \
    {                                                                                              \
        first, "" text, sizeof(text) - 1, true                                                     \
    }
#define LONG(first, count)                                                                         \
    {                                                                                              \
        first, NULL, count, true                                                                   \
    }
#define CLOSE F(0x88, "\x03\xe8")
#define TWENTY "01234567890123456789"

/* clang-format off */
static const struct script scripts[] = {
    {"1.1.1", {F(0x81, ""), CLOSE}, "text: close:1000"},
    {"1.1.2", {LONG(0x81, 125), CLOSE}, "text:125* close:1000"},
    {"1.1.3", {LONG(0x81, 126), CLOSE}, "text:126* close:1000"},
    {"1.1.4", {LONG(0x81, 127), CLOSE}, "text:127* close:1000"},
    {"1.1.5", {LONG(0x81, 128), CLOSE}, "text:128* close:1000"},
    {"1.1.6", {LONG(0x81, 65535), CLOSE}, "text:65535* close:1000"},
    {"1.1.7", {LONG(0x81, 65536), CLOSE}, "text:65536* close:1000"},
    {"1.2.1", {F(0x82, ""), CLOSE}, "binary: close:1000"},
    {"1.2.2", {LONG(0x82, 125), CLOSE}, "binary:125* close:1000"},
    {"1.2.3", {LONG(0x82, 126), CLOSE}, "binary:126* close:1000"},
    {"1.2.4", {LONG(0x82, 127), CLOSE}, "binary:127* close:1000"},
    {"1.2.5", {LONG(0x82, 128), CLOSE}, "binary:128* close:1000"},
    {"1.2.6", {LONG(0x82, 65535), CLOSE}, "binary:65535* close:1000"},
    {"1.2.7", {LONG(0x82, 65536), CLOSE}, "binary:65536* close:1000"},
    {"2.1", {F(0x89, ""), CLOSE}, "pong: close:1000"},
    {"2.2", {F(0x89, "hello"), CLOSE}, "pong:hello close:1000"},
    {"2.3", {F(0x89, "\xff\xfe\xfd"), CLOSE}, "pong:\xff\xfe\xfd close:1000"},
    {"2.4", {LONG(0x89, 125), CLOSE}, "pong:125* close:1000"},
    {"2.5", {LONG(0x89, 126), CLOSE}, "close:1002"},
    {"2.7", {F(0x8a, ""), CLOSE}, "close:1000"},
    {"2.8", {F(0x8a, "unasked"), CLOSE}, "close:1000"},
    {"2.9", {F(0x8a, "unasked"), F(0x89, "ping"), CLOSE}, "pong:ping close:1000"},
    {"2.10", {F(0x89, "1"), F(0x89, "2"), F(0x89, "3"), F(0x89, "4"), F(0x89, "5"), F(0x89, "6"),
              F(0x89, "7"), F(0x89, "8"), F(0x89, "9"), F(0x89, "10"), CLOSE},
     "pong:1 pong:2 pong:3 pong:4 pong:5 pong:6 pong:7 pong:8 pong:9 pong:10 close:1000"},
    {"3.1", {F(0x91, "x"), CLOSE}, "close:1002"},
    {"3.2", {F(0x81, "ok"), F(0xa1, "x"), F(0x89, ""), CLOSE}, "text:ok close:1002"},
    {"3.3", {F(0x81, "ok"), F(0xb1, "x"), F(0x89, ""), CLOSE}, "text:ok close:1002"},
    {"3.4", {F(0x81, "ok"), F(0xc1, "x"), F(0x89, ""), CLOSE}, "text:ok close:1002"},
    {"3.5", {F(0xd9, "x"), CLOSE}, "close:1002"},
    {"3.6", {LONG(0xe2, 255), CLOSE}, "close:1002"},
    {"3.7", {F(0xf8, "\x03\xe8"), CLOSE}, "close:1002"},
    {"4.1.1", {F(0x83, ""), CLOSE}, "close:1002"},
    {"4.1.2", {F(0x84, "x"), CLOSE}, "close:1002"},
    {"4.1.3", {F(0x81, "ok"), F(0x85, ""), CLOSE}, "text:ok close:1002"},
    {"4.1.4", {F(0x81, "ok"), F(0x86, "x"), CLOSE}, "text:ok close:1002"},
    {"4.1.5", {F(0x87, ""), CLOSE}, "close:1002"},
    {"4.2.1", {F(0x8b, ""), CLOSE}, "close:1002"},
    {"4.2.2", {F(0x8c, "x"), CLOSE}, "close:1002"},
    {"4.2.3", {F(0x81, "ok"), F(0x8d, ""), CLOSE}, "text:ok close:1002"},
    {"4.2.4", {F(0x81, "ok"), F(0x8e, "x"), CLOSE}, "text:ok close:1002"},
    {"4.2.5", {F(0x8f, ""), CLOSE}, "close:1002"},
    {"5.1", {F(0x09, "a"), F(0x80, "b"), CLOSE}, "close:1002"},
    {"5.2", {F(0x0a, "a"), F(0x80, "b"), CLOSE}, "close:1002"},
    {"5.3", {F(0x01, "a"), F(0x80, "b"), CLOSE}, "text:ab close:1000"},
    {"5.3.binary", {F(0x02, "\xff"), F(0x80, "b"), CLOSE}, "binary:\xff""b close:1000"},
    {"5.6", {F(0x01, "a"), F(0x89, "p"), F(0x80, "b"), CLOSE}, "pong:p text:ab close:1000"},
    {"5.9", {F(0x80, "a"), F(0x81, "b"), CLOSE}, "close:1002"},
    {"5.12", {F(0x00, "a"), F(0x81, "b"), CLOSE}, "close:1002"},
    {"5.15", {F(0x01, "a"), F(0x80, "b"), F(0x00, "c"), F(0x81, "d"), CLOSE}, "text:ab close:1002"},
    {"5.16", {F(0x00, "a"), F(0x01, "b"), F(0x80, "c"), F(0x00, "a"), CLOSE}, "close:1002"},
    {"5.17", {F(0x80, "a"), F(0x01, "b"), F(0x80, "c"), F(0x80, "a"), CLOSE}, "close:1002"},
    {"5.18", {F(0x01, "a"), F(0x81, "b"), CLOSE}, "close:1002"},
    {"5.18.binary", {F(0x01, "a"), F(0x82, "b"), CLOSE}, "close:1002"},
    {"5.19", {F(0x01, "1"), F(0x00, "2"), F(0x89, "p"), F(0x00, "3"), F(0x00, "4"), F(0x89, "q"),
              F(0x80, "5"), CLOSE}, "pong:p pong:q text:12345 close:1000"},
    {"5.close", {F(0x01, "a"), CLOSE}, "close:1000"},
    {"6.1.1", {F(0x81, ""), CLOSE}, "text: close:1000"},
    {"6.1.2", {F(0x01, ""), F(0x00, ""), F(0x80, ""), CLOSE}, "text: close:1000"},
    {"6.1.3", {F(0x01, ""), F(0x00, "middle"), F(0x80, ""), CLOSE}, "text:middle close:1000"},
    {"6.2.1", {F(0x81, "Hello-\xc2\xb5@\xc3\x9f"), CLOSE},
     "text:Hello-\xc2\xb5@\xc3\x9f close:1000"},
    {"6.2.2", {F(0x01, "Hello-\xc2\xb5@"), F(0x80, "\xc3\x9f!"), CLOSE},
     "text:Hello-\xc2\xb5@\xc3\x9f! close:1000"},
    {"6.2.3", {F(0x01, "\xce"), F(0x00, "\xba\xe1"), F(0x00, "\xbd"), F(0x00, "\xb9"),
               F(0x80, "\xcf\x83"), CLOSE}, "text:\xce\xba\xe1\xbd\xb9\xcf\x83 close:1000"},
    {"6.2.4", {F(0x01, "\xce"), F(0x00, "\xba"), F(0x00, "\xe1"), F(0x00, "\xbd"), F(0x00, "\xb9"),
               F(0x00, "\xcf"), F(0x80, "\x83"), CLOSE},
     "text:\xce\xba\xe1\xbd\xb9\xcf\x83 close:1000"},
    {"6.3.1", {F(0x81, "\xce\xba\xed\xa0\x80x"), CLOSE}, "close:1007"},
    {"6.3.2", {F(0x01, "\xce\xba"), F(0x00, "\xed\xa0"), F(0x80, "\x80x"), CLOSE}, "close:1007"},
    /* 6.4: refused by the byte that is wrong, although the message goes on */
    {"6.4.1", {F(0x01, "\xce\xba\xf4\x90"), F(0x89, "")}, "close:1007"},
    {"6.4.2", {F(0x01, "\xce\xba\xf4"), F(0x00, "\x90"), F(0x89, "")}, "close:1007"},
    {"6.5.1", {F(0x81, "\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbd\xf4\x8f\xbf\xbf"), CLOSE},
     "text:\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbd\xf4\x8f\xbf\xbf close:1000"},
    {"6.6.1", {F(0x81, "\xce"), CLOSE}, "close:1007"},
    {"6.6.3", {F(0x01, "\xce\xba\xe1"), F(0x80, "\xbd"), CLOSE}, "close:1007"},
    {"6.9.1", {F(0x81, "\xef\xbf\xbe\xef\xbf\xbf\xf0\x9f\xbf\xbe"), CLOSE},
     "text:\xef\xbf\xbe\xef\xbf\xbf\xf0\x9f\xbf\xbe close:1000"},
    {"6.11.1", {F(0x81, "\xf8\x88\x80\x80\x80"), CLOSE}, "close:1007"},
    {"6.12.1", {F(0x81, "\x80"), CLOSE}, "close:1007"},
    {"6.14.1", {F(0x81, "\xc0\xaf"), CLOSE}, "close:1007"},
    {"6.14.2", {F(0x81, "\xe0\x80\xaf"), CLOSE}, "close:1007"},
    {"6.14.3", {F(0x81, "\xf0\x80\x80\xaf"), CLOSE}, "close:1007"},
    {"6.20.1", {F(0x81, "\xed\xa0\x80"), CLOSE}, "close:1007"},
    {"6.21.1", {F(0x81, "\xed\xa0\x80\xed\xb0\x80"), CLOSE}, "close:1007"},
    {"6.22", {F(0x81, "\xfe"), CLOSE}, "close:1007"},
    {"7.1.1", {F(0x81, "a"), CLOSE}, "text:a close:1000"},
    {"7.1.2", {CLOSE, CLOSE}, "close:1000"},
    {"7.1.3", {CLOSE, F(0x89, "p")}, "close:1000"},
    {"7.1.4", {CLOSE, F(0x81, "a")}, "close:1000"},
    {"7.1.5", {F(0x01, "a"), CLOSE, F(0x80, "b")}, "close:1000"},
    {"7.1.6", {LONG(0x81, 1 << 18), CLOSE, F(0x89, "p")}, "text:262144* close:1000"},
    {"7.3.1", {F(0x88, "")}, "close:1005"},
    {"7.3.2", {F(0x88, "\x03")}, "close:1002"},
    {"7.3.3", {F(0x88, "\x03\xe8")}, "close:1000"},
    {"7.3.4", {F(0x88, "\x03\xe8so long")}, "close:1000"},
    {"7.3.5", {F(0x88, "\x03\xe8" TWENTY TWENTY TWENTY TWENTY TWENTY TWENTY "123")}, "close:1000"},
    {"7.3.6", {LONG(0x88, 126)}, "close:1002"},
    {"7.5.1", {F(0x88, "\x03\xe8\xce\xba\xed\xa0\x80")}, "close:1007"},
    {"7.7.1", {CLOSE}, "close:1000"},
    {"7.7.2", {F(0x88, "\x03\xe9")}, "close:1001"},
    {"7.7.3", {F(0x88, "\x03\xea")}, "close:1002"},
    {"7.7.4", {F(0x88, "\x03\xeb")}, "close:1003"},
    {"7.7.5", {F(0x88, "\x03\xef")}, "close:1007"},
    {"7.7.6", {F(0x88, "\x03\xf0")}, "close:1008"},
    {"7.7.7", {F(0x88, "\x03\xf1")}, "close:1009"},
    {"7.7.8", {F(0x88, "\x03\xf2")}, "close:1010"},
    {"7.7.9", {F(0x88, "\x03\xf3")}, "close:1011"},
    {"7.7.10", {F(0x88, "\x0b\xb8")}, "close:3000"},
    {"7.7.11", {F(0x88, "\x0f\x9f")}, "close:3999"},
    {"7.7.12", {F(0x88, "\x0f\xa0")}, "close:4000"},
    {"7.7.13", {F(0x88, "\x13\x87")}, "close:4999"},
    {"7.9.1", {F(0x88, "\x00\x00")}, "close:1002"},
    {"7.9.2", {F(0x88, "\x03\xe7")}, "close:1002"},
    {"7.9.3", {F(0x88, "\x03\xec")}, "close:1002"},
    {"7.9.4", {F(0x88, "\x03\xed")}, "close:1002"},
    {"7.9.5", {F(0x88, "\x03\xee")}, "close:1002"},
    {"7.9.6", {F(0x88, "\x03\xf8")}, "close:1002"},
    {"7.9.7", {F(0x88, "\x04\x4c")}, "close:1002"},
    {"7.9.8", {F(0x88, "\x07\xd0")}, "close:1002"},
    {"7.9.9", {F(0x88, "\x0b\xb7")}, "close:1002"},
    {"7.13.1", {F(0x88, "\x13\x88")}, "close:1002"},
    {"7.13.2", {F(0x88, "\xff\xff")}, "close:1002"},
    {"9.1", {LONG(0x81, 1 << 20), CLOSE}, "text:1048576* close:1000"},
    {"9.2", {LONG(0x82, 1 << 20), CLOSE}, "binary:1048576* close:1000"},
    {"9.3", {LONG(0x01, 65536), LONG(0x00, 65536), LONG(0x00, 1), LONG(0x80, 70000), CLOSE},
     "text:201073* close:1000"},
    {"10.1.1", {LONG(0x01, 1300), LONG(0x00, 64236), LONG(0x80, 0), CLOSE},
     "text:65536* close:1000"},
};
/* clang-format on */

/* What the WebSocket's side does. */
static int echo(eddy_websocket *socket)
{
    eddy_message message;
    int rc;

    while ((rc = eddy_websocket_receive(socket, &message)) > 0) {
        REQUIRE(message.text[message.size] == '\0');
        EDDY_TRY(eddy_websocket_send(socket, message.kind, message.text, message.size));
    }
    return rc == EDDY_EWEBSOCKET ? 0 : rc;
}

static int echo_and_close(struct bare *bare)
{
    int rc = echo(bare->socket);

    EDDY_TRY(rc);
    (void)eddy_websocket_close(&bare->socket); /* some peers leave as they like */
    return 0;
}
EDDY_ASYNC(echo_and_close, struct bare *);

/* All bytes of a case. */
static size_t script_pack(const struct script *script, bool peer_is_client, char *to)
{
    static char stars[1 << 20];
    size_t size = 0;

    memset(stars, '*', sizeof stars);
    for (const struct part *part = script->parts; part < script->parts + PARTS && part->is; part++)
        size += bare_pack(peer_is_client, (uint8_t)part->first, part->data ? part->data : stars,
                          part->size, to + size);
    return size;
}

/* Writes bytes in pieces, each of which arrives before the next is sent. */
static int send_cut(eddy_stream *to, const char *data, size_t size, size_t cut)
{
    for (size_t sent = 0; sent < size; sent += cut) {
        EDDY_TRY(eddy_write(to, data + sent, cut < size - sent ? cut : size - sent));
        EDDY_TRY(eddy_sleep(0));
        EDDY_TRY(eddy_sleep(0));
    }
    return 0;
}

struct sender {
    eddy_stream *to;
    const char *data;
    size_t size, cut;
};

static int send_all(struct sender *sender)
{
    int rc = send_cut(sender->to, sender->data, sender->size, sender->cut);

    return rc == -EPIPE || rc == -ECONNRESET ? 0 : rc; /* behind a close nobody reads */
}
EDDY_ASYNC(send_all, struct sender *);

/* wslay's side: reads from memory, and writes a line. */
struct output {
    const char *data;
    size_t size, at;
    char line[512];
};

static ssize_t
output_read(wslay_event_context_ptr context, uint8_t *to, size_t size, int flags, void *argument)
{
    struct output *output = argument;

    (void)flags;
    if (size > output->size - output->at)
        size = output->size - output->at;
    if (size == 0) {
        wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    memcpy(to, output->data + output->at, size);
    output->at += size;
    return (ssize_t)size;
}

static void output_message(wslay_event_context_ptr context,
                           const struct wslay_event_on_msg_recv_arg *message, void *argument)
{
    static const char *const names[] = {
        [1] = "text", [2] = "binary", [8] = "close", [9] = "ping", [10] = "pong"};
    struct output *output = argument;
    size_t used = strlen(output->line), room = sizeof output->line - used;
    int size = (int)message->msg_length;

    (void)context;
    if (message->opcode == WSLAY_CONNECTION_CLOSE)
        snprintf(output->line + used, room, "%sclose:%d", used ? " " : "",
                 message->status_code ? message->status_code : 1005);
    else if (size > 64)
        snprintf(output->line + used, room, "%s%s:%d*", used ? " " : "", names[message->opcode],
                 size);
    else
        snprintf(output->line + used, room, "%s%s:%.*s", used ? " " : "", names[message->opcode],
                 size, (const char *)message->msg);
}

/* What the WebSocket has sent, as a line. */
static void output_describe(struct output *output, bool from_client)
{
    static const struct wslay_event_callbacks callbacks = {.recv_callback = output_read,
                                                           .on_msg_recv_callback = output_message};
    wslay_event_context_ptr context;

    output->line[0] = '\0';
    if ((from_client ? wslay_event_context_server_init(&context, &callbacks, output)
                     : wslay_event_context_client_init(&context, &callbacks, output)) != 0)
        return;
    (void)wslay_event_recv(context);
    wslay_event_context_free(context);
}

static int play(const struct script *script, bool client, size_t cut, char *bytes)
{
    BARE bare = {NULL, NULL, false};
    struct sender sender = {.data = bytes, .cut = cut};
    struct output output = {.at = 0};
    char *data;

    EDDY_TRY(bare_open(&bare, client, NULL));
    sender.to = bare.peer;
    sender.size = script_pack(script, !client, bytes);
    EDDY_TASK echoing = eddy_create_task(echo_and_close, &bare);
    EDDY_TASK sending = eddy_create_task(send_all, &sender);
    EDDY_TRY(eddy_read_all(bare.peer, ROOM, &data, &output.size));
    output.data = data;
    output_describe(&output, client);
    eddy_free(data);
    EDDY_TRY(eddy_await(sending));
    EDDY_TRY(eddy_await(echoing));
    if (strcmp(output.line, script->out) != 0)
        return eddy_raise(-EPROTO, "case %s, %s, cut to %zu: \"%s\", not \"%s\"", script->name,
                          client ? "client" : "server", cut, output.line, script->out);
    return 0;
}

/* All cases whose name begins so. */
static int play_all(const char *section, bool client, size_t cut)
{
    char *bytes = eddy_alloc_(ROOM);
    int rc = bytes ? 0 : -ENOMEM;

    for (size_t i = 0; rc == 0 && i < ED_ARRAY_LENGTH(scripts); i++)
        if (strncmp(scripts[i].name, section, strlen(section)) == 0)
            rc = play(&scripts[i], client, cut, bytes);
    eddy_free(bytes);
    return rc;
}
EDDY_ASYNC(play_all, const char *, bool, size_t);

/* Not as TESTs, which a sweep cancels at each of their many waits. */
#define SECTION(number, what)                                                                      \
    RAW_TEST(websocket_case_##number##_##what)                                                     \
    {                                                                                              \
        CHECK_OK(eddy_test(play_all, #number ".", false, (size_t)ROOM));                           \
        CHECK_OK(eddy_test(play_all, #number ".", true, (size_t)ROOM));                            \
    }                                                                                              \
    RAW_TEST(websocket_case_##number##_##what##_in_pieces)                                         \
    {                                                                                              \
        size_t least = #number[0] == '9' ? 1000 : test_is_slow() && #number[0] == '1' ? 50 : 1;    \
                                                                                                   \
        CHECK_OK(eddy_test(play_all, #number ".", false, least));                                  \
        CHECK_OK(eddy_test(play_all, #number ".", true, least));                                   \
        CHECK_OK(eddy_test(play_all, #number ".", false, 3 * least));                              \
    }

/* H-WSC-5 to -7, -18 to -20, H-WSS-6 */
SECTION(1, framing)
SECTION(2, pings_and_pongs)
SECTION(3, reserved_bits)
SECTION(4, opcodes)
SECTION(5, fragments)
SECTION(6, texts)
SECTION(7, closes)
SECTION(9, long_messages)
SECTION(10, fragments_made_by_the_peer)

/* 6.4.3 and 6.4.4: a frame of a text is refused by the byte that is wrong, although the rest of the
 * frame has not come; but not before. */
static int refuse_within_a_frame(bool client, size_t cut)
{
    static const char text[] = "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xf4\x90\x80\x80"
                               "edited";
    BARE bare = {NULL, NULL, false};
    size_t wrong = (size_t)(strchr(text, '\x90') - text), head, size;
    char bytes[64];
    EDDY_TIMEOUT(limit, 5);

    EDDY_TRY(bare_open(&bare, client, NULL));
    size = bare_pack(!client, 0x81, text, sizeof text - 1, bytes);
    head = size - (sizeof text - 1);
    EDDY_TASK echoing = eddy_create_task(echo_and_close, &bare);
    EDDY_TRY(send_cut(bare.peer, bytes, head + wrong, cut));
    EDDY_TRY(eddy_test_settle());
    REQUIRE(eddy_stream_is_quiet_(bare.peer));
    EDDY_TRY(eddy_write(bare.peer, bytes + head + wrong, 1));
    REQUIRE(bare_read_close(&bare) == 1007);
    return eddy_await(echoing);
}
EDDY_ASYNC(refuse_within_a_frame, bool, size_t);

RAW_TEST(websocket_case_6_texts_within_a_frame)
{
    for (int client = 0; client < 2; client++) {
        CHECK_OK(eddy_test(refuse_within_a_frame, client != 0, (size_t)64));
        CHECK_OK(eddy_test(refuse_within_a_frame, client != 0, (size_t)1));
    }
}
