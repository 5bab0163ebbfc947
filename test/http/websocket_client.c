/* SPDX-License-Identifier: MIT */
#include <eddy/websocket.h>

#include "http/websocket_ends.h"
#include "http/websocket_handshake.h"
#include "stand.h"

/* What a test's server answers with; "%s" is the right answer to the key. */
struct served {
    struct stand stand; /* first, so that it is one */
    const char *head;
    const char *frames; /* that come in one piece with the head */
    size_t frames_size;
    int redirects; /* that come before */
    bool careless; /* the close need not be in order */
};

/* The value of a field in the requests that were seen; the last one. */
static void seen_field(const struct stand *stand, const char *name, char *value, size_t size)
{
    const char *at = stand->seen, *next;

    *value = '\0';
    while ((next = strcasestr(at, name))) {
        at = next + strlen(name) + 2;
        snprintf(value, size, "%.*s", (int)strcspn(at, "\r"), at);
    }
}

static int serve_handshake(struct stand *stand, eddy_stream *stream, int number)
{
    struct served *served = (struct served *)(void *)stand;
    char key[64], answer[ED_WEBSOCKET_ACCEPT], head[1024];
    struct bare bare = {stream, NULL, true};
    int size;

    (void)number;
    EDDY_TRY(stand_read(stand, stream));
    if (served->redirects > 0) {
        served->redirects--;
        return eddy_printf(stream, "HTTP/1.1 302 Found\r\nLocation: /moved\r\n"
                                   "Content-Length: 0\r\nConnection: close\r\n\r\n");
    }
    seen_field(stand, "\nSec-WebSocket-Key", key, sizeof key);
    EDDY_TRY(ed_websocket_answer_key(key, answer));
    size = snprintf(head, sizeof head, served->head, answer);
    if (served->frames_size > 0)
        memcpy(head + size, served->frames, served->frames_size);
    EDDY_TRY(eddy_write(stream, head, (size_t)size + served->frames_size));
    if (bare_read_close(&bare) == 1000)
        return eddy_write(stream, "\x88\x02\x03\xe8", 4);
    return 0;
}

#define RIGHT                                                                                      \
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"            \
    "Sec-WebSocket-Accept: %s\r\n"

/* Connects to a server that answers so. */
static int connect_to(struct served *served, const char *url, const eddy_websocket_options *options)
{
    EDDY_GROUP(group);
    EDDY_HTTP_SESSION session = NULL;
    EDDY_WEBSOCKET socket = NULL;
    eddy_message message;

    served->stand.group = &group;
    served->stand.serve = serve_handshake;
    EDDY_TRY(stand_open(&served->stand, NULL, &session));
    EDDY_TRY(eddy_websocket_connect(session, url, options, &socket));
    if (served->frames_size > 0) {
        REQUIRE(eddy_websocket_receive(socket, &message) == 1);
        REQUIRE(strcmp(message.text, "early") == 0);
    }
    if (options && options->protocols)
        REQUIRE(strcmp(eddy_websocket_protocol(socket), "superchat") == 0);
    REQUIRE(eddy_websocket_close(&socket) == 0 || served->careless);
    return eddy_cancelled() ? -ECANCELED : 0;
}

/* H-WSC-1, -2, -23 */
TEST(websocket_client_asks_and_is_answered)
{
    struct served served = {.head = RIGHT "Sec-WebSocket-Protocol: superchat\r\n\r\n",
                            .frames = "\x81\x05"
                                      "early",
                            .frames_size = 7};
    eddy_websocket_options options = {.protocols = "chat, superchat", .origin = "https://a.org"};
    char value[200];

    CHECK_OK(connect_to(&served, "ws://example.org/chat?room=1", &options));
    CHECK_HAS(served.stand.seen, "GET /chat?room=1 HTTP/1.1\r\n");
    seen_field(&served.stand, "\nUpgrade", value, sizeof value);
    CHECK_STR(value, "websocket");
    seen_field(&served.stand, "\nConnection", value, sizeof value);
    CHECK_STR(value, "Upgrade");
    seen_field(&served.stand, "\nSec-WebSocket-Version", value, sizeof value);
    CHECK_STR(value, "13");
    seen_field(&served.stand, "\nSec-WebSocket-Protocol", value, sizeof value);
    CHECK_STR(value, "chat, superchat");
    seen_field(&served.stand, "\nSec-WebSocket-Extensions", value, sizeof value);
    CHECK_STR(value, "permessage-deflate; client_max_window_bits");
    seen_field(&served.stand, "\nOrigin", value, sizeof value);
    CHECK_STR(value, "https://a.org");
    seen_field(&served.stand, "\nSec-WebSocket-Key", value, sizeof value);
    CHECK(ed_websocket_is_key(value));
}

TEST(websocket_client_follows_redirects)
{
    struct served served = {.head = RIGHT "\r\n", .redirects = 2};

    CHECK_OK(connect_to(&served, "http://example.org/", NULL));
    CHECK_EQ(stand_count(&served.stand, "GET /moved "), 2);
}

/* H-WSC-2, -3, -4 */
TEST(websocket_client_refuses_answers_that_are_wrong)
{
    static const struct {
        const char *head, *why;
    } wrong[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n%.0s", "200 OK"},
        {"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnope%.0s", "404 Not Found"},
        {"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Accept: no%.0s\r\n\r\n",
         "Accept"},
        {"HTTP/1.1 101 x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Accept: %s\r\n\r\n",
         "Upgrade"},
        {RIGHT "Sec-WebSocket-Protocol: other\r\n\r\n", "subprotocol"},
        {RIGHT "Sec-WebSocket-Extensions: x-other\r\n\r\n", "not offered"},
        {RIGHT "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=99\r\n\r\n",
         "parameters"},
    };

    for (size_t i = 0; i < ED_ARRAY_LENGTH(wrong); i++) {
        struct served served = {.head = wrong[i].head};

        CHECK_FAILS(connect_to(&served, "ws://example.org/", NULL), EDDY_EWEBSOCKET_HANDSHAKE,
                    wrong[i].why);
    }
}

/* H-SEC-12: nothing that is sent can end a line. */
TEST(websocket_client_sends_no_lists_that_are_none)
{
    struct served served = {.head = RIGHT "\r\n"};
    eddy_websocket_options options = {.protocols = "chat\r\nX-Injected: 1"};

    CHECK_EQ(connect_to(&served, "ws://example.org/", &options), -EINVAL);
    options = (eddy_websocket_options){.origin = "https://a\r\nX-Injected: 1"};
    CHECK_EQ(connect_to(&served, "ws://example.org/", &options), -EINVAL);
    CHECK_EQ(stand_count(&served.stand, "Injected"), 0);
}

TEST(websocket_client_says_what_the_user_wants_said)
{
    struct served served = {.head = RIGHT "\r\n"};
    eddy_http_options http = {.headers =
                                  EDDY_PAIRS({"X-Token", "secret"}, {"Sec-WebSocket-Key", "mine"})};
    eddy_websocket_options options = {.http = &http, .no_compression = true};

    CHECK_OK(connect_to(&served, "ws://example.org/", &options));
    CHECK_EQ(stand_count(&served.stand, "X-Token: secret"), 1);
    CHECK_EQ(stand_count(&served.stand, "mine"), 0);
    CHECK_EQ(stand_count(&served.stand, "Sec-WebSocket-Extensions"), 0);
}

static int whole_connection(void)
{
    struct served served = {.careless = true,
                            .head = RIGHT "\r\n",
                            .frames = "\x81\x05"
                                      "early",
                            .frames_size = 7};

    return connect_to(&served, "ws://example.org/", NULL);
}
EDDY_ASYNC(whole_connection);

RAW_TEST(websocket_client_stands_every_cancel_and_lack_of_memory)
{
    CHECK_OK(eddy_test_cancels(whole_connection));
    CHECK_OK(eddy_test_allocations(whole_connection));
}
