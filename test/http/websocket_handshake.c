/* SPDX-License-Identifier: MIT */
#include "http/websocket_handshake.h"

#include "base/compat.h"
#include "harness.h"

#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ANSWER "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

/* RFC 6455, 1.3 */
RAW_TEST(handshake_answers_a_key_as_the_standard_does)
{
    char answer[ED_WEBSOCKET_ACCEPT], one[ED_WEBSOCKET_KEY], other[ED_WEBSOCKET_KEY];

    CHECK_OK(ed_websocket_answer_key(KEY, answer));
    CHECK_STR(answer, ANSWER);
    CHECK_OK(ed_websocket_new_key(one));
    CHECK_OK(ed_websocket_new_key(other));
    CHECK(strcmp(one, other) != 0);
    CHECK(ed_websocket_is_key(one) && ed_websocket_is_key(other));
}

RAW_TEST(handshake_takes_keys_of_sixteen_bytes_only)
{
    static const char *const bad[] = {"",
                                      "dGhlIHNhbXBsZSBub25jZQ",
                                      "dGhlIHNhbXBsZSBub25jZQ===",
                                      "dGhlIHNhbXBsZSBub25jZQA=",
                                      "dGhlIHNhbXBsZSBub25jZR==",
                                      "dGhlIHNhbXBsZSBub25*ZQ==",
                                      "dGhlIHNhbXBsZSBub25jZSEh"};

    CHECK(ed_websocket_is_key(KEY));
    for (size_t i = 0; i < ED_ARRAY_LENGTH(bad); i++)
        CHECK_THAT(!ed_websocket_is_key(bad[i]), "\"%s\" is taken", bad[i]);
}

/* A list of fields from "Name: value" lines. */
static eddy_headers *fields(const char *const *lines)
{
    eddy_headers *headers = eddy_headers_new();

    for (; *lines; lines++) {
        char name[64];
        const char *colon = strchr(*lines, ':');

        snprintf(name, sizeof name, "%.*s", (int)(colon - *lines), *lines);
        if (eddy_headers_add(headers, name, colon + 1) < 0)
            test_fail(__FILE__, __LINE__, "%s", *lines);
    }
    return headers;
}
#define FIELDS(...) fields((const char *const[]){__VA_ARGS__, NULL})

static int check_request(const char *method, eddy_headers *headers)
{
    const char *why = NULL;
    int status = ed_websocket_check_request(method, headers, &why);

    eddy_headers_free(headers);
    return status;
}
#define UPGRADE "Connection: keep-alive, Upgrade", "Upgrade: WebSocket"
#define VERSION "Sec-WebSocket-Version: 13"
#define A_KEY "Sec-WebSocket-Key: " KEY

/* H-WSS-1 */
RAW_TEST(handshake_refuses_requests_that_are_none)
{
    CHECK_EQ(check_request("GET", FIELDS(UPGRADE, VERSION, A_KEY)), 0);
    CHECK_EQ(check_request("POST", FIELDS(UPGRADE, VERSION, A_KEY)), 400);
    CHECK_EQ(check_request("GET", FIELDS("Connection: Upgrade", VERSION, A_KEY)), 400);
    CHECK_EQ(check_request("GET", FIELDS("Upgrade: websocket", VERSION, A_KEY)), 400);
    CHECK_EQ(check_request("GET", FIELDS("Connection: Upgrade", "Upgrade: h2c", VERSION, A_KEY)),
             400);
    CHECK_EQ(check_request("GET", FIELDS(UPGRADE, VERSION)), 400);
    CHECK_EQ(check_request("GET", FIELDS(UPGRADE, VERSION, A_KEY, A_KEY)), 400);
    CHECK_EQ(check_request("GET", FIELDS(UPGRADE, VERSION, "Sec-WebSocket-Key: short")), 400);
    CHECK_EQ(check_request("GET", FIELDS(UPGRADE, A_KEY)), 426);
    CHECK_EQ(check_request("GET", FIELDS(UPGRADE, A_KEY, "Sec-WebSocket-Version: 8")), 426);
    CHECK_EQ(check_request("GET", FIELDS(UPGRADE, A_KEY, VERSION, VERSION)), 426);
}

static const char *check_answer(int status, eddy_headers *headers)
{
    const char *why = ed_websocket_check_answer(status, headers, KEY);

    eddy_headers_free(headers);
    return why ? why : "";
}
#define RIGHT "Sec-WebSocket-Accept: " ANSWER

/* H-WSC-2 */
RAW_TEST(handshake_refuses_answers_that_are_none)
{
    CHECK_STR(check_answer(101, FIELDS(UPGRADE, RIGHT)), "");
    CHECK_HAS(check_answer(200, FIELDS(UPGRADE, RIGHT)), "does not change");
    CHECK_HAS(check_answer(101, FIELDS("Connection: upgrade", RIGHT)), "Upgrade");
    CHECK_HAS(check_answer(101, FIELDS("Connection: upgrade", "Upgrade: h2c", RIGHT)), "Upgrade");
    CHECK_HAS(check_answer(101, FIELDS("Upgrade: websocket", RIGHT)), "Connection");
    CHECK_HAS(check_answer(101, FIELDS(UPGRADE, A_KEY)), "Accept");
    CHECK_HAS(
        check_answer(101, FIELDS(UPGRADE, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOp=")),
        "Accept");
    CHECK_HAS(check_answer(101, FIELDS(UPGRADE, RIGHT, RIGHT)), "Accept");
}

static char *choose(const char *known, eddy_headers *headers)
{
    static char chosen[64];
    char *out = NULL;

    if (ed_websocket_choose_protocol(headers, known, &out) < 0)
        test_fail(__FILE__, __LINE__, "no memory");
    snprintf(chosen, sizeof chosen, "%s", out ? out : "none");
    eddy_free(out);
    eddy_headers_free(headers);
    return chosen;
}

/* H-WSS-2: the client's order counts. */
RAW_TEST(handshake_chooses_the_clients_first_subprotocol_that_is_known)
{
    CHECK_STR(choose("chat, superchat", FIELDS("Sec-WebSocket-Protocol: superchat, chat")),
              "superchat");
    CHECK_STR(
        choose("chat", FIELDS("Sec-WebSocket-Protocol: a", "Sec-WebSocket-Protocol: b, chat")),
        "chat");
    CHECK_STR(choose("chat", FIELDS("Sec-WebSocket-Protocol: Chat, chats, cha")), "none");
    CHECK_STR(choose("chat", FIELDS(UPGRADE)), "none");
    CHECK_STR(choose(NULL, FIELDS("Sec-WebSocket-Protocol: chat")), "none");
}

/* H-SEC-11, -12: nothing in a list can end a line. */
RAW_TEST(handshake_takes_lists_of_tokens_only)
{
    CHECK(ed_websocket_are_protocols("chat, superchat"));
    CHECK(ed_websocket_are_protocols("v1.chat"));
    CHECK(!ed_websocket_are_protocols("chat, chat"));
    CHECK(!ed_websocket_are_protocols("chat\r\nX: y"));
    CHECK(!ed_websocket_are_protocols("super chat"));
    CHECK(!ed_websocket_are_protocols("a/b"));
    CHECK(ed_websocket_has_protocol("chat, superchat", "superchat"));
    CHECK(!ed_websocket_has_protocol("chat, superchat", "super"));
}

/* H-WSS-5: Eddy checks, where aiohttp leaves it to the application. */
RAW_TEST(handshake_lets_in_pages_of_its_own_host)
{
    CHECK(ed_websocket_may_connect(NULL, "example.org", NULL));
    CHECK(ed_websocket_may_connect("https://example.org", "example.org", NULL));
    CHECK(ed_websocket_may_connect("https://Example.org:443", "example.org", NULL));
    CHECK(ed_websocket_may_connect("http://example.org", "example.org:80", NULL));
    CHECK(ed_websocket_may_connect("http://[::1]:8080", "[::1]:8080", NULL));
    CHECK(!ed_websocket_may_connect("https://example.org", "example.org:8080", NULL));
    CHECK(!ed_websocket_may_connect("https://evil.org", "example.org", NULL));
    CHECK(!ed_websocket_may_connect("https://example.org.evil.org", "example.org", NULL));
    CHECK(!ed_websocket_may_connect("null", "example.org", NULL));
    CHECK(!ed_websocket_may_connect("file://example.org", "example.org", NULL));
}

RAW_TEST(handshake_lets_in_pages_that_are_listed)
{
    const char *list = "https://a.org, https://b.org:8443";

    CHECK(ed_websocket_may_connect("https://b.org:8443", "example.org", list));
    CHECK(ed_websocket_may_connect("HTTPS://A.org", "example.org", list));
    CHECK(ed_websocket_may_connect(NULL, "example.org", list));
    CHECK(!ed_websocket_may_connect("https://example.org", "example.org", list));
    CHECK(!ed_websocket_may_connect("https://b.org", "example.org", list));
    CHECK(ed_websocket_may_connect("https://evil.org", "example.org", "*"));
}
