/* SPDX-License-Identifier: MIT */
/*
 * The handshake of a WebSocket, both sides. Pure: fields in, verdicts out. Of fields that may come
 * once, two are refused. The only file of the library that uses OpenSSL: for SHA-1, and for Base64,
 * which comes with it.
 */
#include "http/websocket_handshake.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

#include "eddy/stream_class.h"
#include "http/headers.h"

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define KEY_BYTES 16
#define SHA1_BYTES 20

/* Keys ------------------------------------------------------------------------------- */

int ed_websocket_new_key(char out[ED_WEBSOCKET_KEY])
{
    unsigned char bytes[KEY_BYTES];
    int rc = eddy_random_(bytes, sizeof bytes);

    if (rc == 0)
        EVP_EncodeBlock((unsigned char *)out, bytes, sizeof bytes);
    return rc;
}

bool ed_websocket_is_key(const char *key)
{
    unsigned char bytes[ED_WEBSOCKET_KEY];
    char again[ED_WEBSOCKET_KEY];

    if (strlen(key) != ED_WEBSOCKET_KEY - 1 ||
        EVP_DecodeBlock(bytes, (const unsigned char *)key, ED_WEBSOCKET_KEY - 1) != KEY_BYTES + 2)
        return false;
    EVP_EncodeBlock((unsigned char *)again, bytes, KEY_BYTES);
    return strcmp(again, key) == 0;
}

int ed_websocket_answer_key(const char *key, char out[ED_WEBSOCKET_ACCEPT])
{
    char text[ED_WEBSOCKET_KEY + sizeof GUID];
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    size_t length = strlen(key);

    if (length >= ED_WEBSOCKET_KEY)
        return -EINVAL;
    memcpy(text, key, length);
    memcpy(text + length, GUID, sizeof GUID);
    if (EVP_Digest(text, length + sizeof GUID - 1, hash, &size, EVP_sha1(), NULL) != 1 ||
        size != SHA1_BYTES)
        return eddy_raise(EDDY_ETLS, "websocket: OpenSSL has no SHA-1");
    EVP_EncodeBlock((unsigned char *)out, hash, SHA1_BYTES);
    return 0;
}

/* Subprotocols ------------------------------------------------------------------------- */

/* A member of a list that is looked for, or looked at. */
struct member {
    const char *wanted;
    size_t size;
    unsigned count; /* how many are equal to it */
    bool is_token;  /* all are */
};

static bool member_count(const char *member, size_t size, void *argument)
{
    struct member *search = argument;

    search->is_token = search->is_token && ed_is_token(member, size);
    if (search->wanted && size == search->size && memcmp(member, search->wanted, size) == 0)
        search->count++;
    return true;
}

static struct member member_find(const char *list, const char *wanted, size_t size)
{
    struct member search = {wanted, size, 0, true};

    if (list)
        ed_each_member(list, member_count, &search);
    return search;
}

/* Whether a member of a list is in it once. */
static bool member_is_single(const char *member, size_t size, void *argument)
{
    const char **list = argument;

    if (member_find(*list, member, size).count > 1)
        *list = NULL;
    return *list != NULL;
}

bool ed_websocket_are_protocols(const char *list)
{
    const char *left = list;

    if (!member_find(list, NULL, 0).is_token)
        return false;
    ed_each_member(list, member_is_single, &left);
    return left != NULL;
}

bool ed_websocket_has_protocol(const char *list, const char *protocol)
{
    return member_find(list, protocol, strlen(protocol)).count > 0;
}

struct choice {
    const char *list; /* of the server */
    const char *found;
    size_t size;
};

static bool protocol_choose(const char *member, size_t size, void *argument)
{
    struct choice *choice = argument;

    if (member_find(choice->list, member, size).count == 0)
        return true;
    choice->found = member;
    choice->size = size;
    return false;
}

int ed_websocket_choose_protocol(const eddy_headers *asked, const char *list, char **out)
{
    struct choice choice = {list, NULL, 0};
    const char *value;
    size_t at = 0;

    *out = NULL;
    while (!choice.found && (value = eddy_headers_next(asked, "Sec-WebSocket-Protocol", &at)))
        ed_each_member(value, protocol_choose, &choice);
    if (!choice.found)
        return 0;
    *out = eddy_alloc_(choice.size + 1);
    if (!*out)
        return -ENOMEM;
    memcpy(*out, choice.found, choice.size);
    return 0;
}

/* Origins -------------------------------------------------------------------------------- */

struct place {
    const char *host;
    size_t size;
    const char *port; /* "" where none is said */
};

static struct place place_split(const char *authority)
{
    const char *bracket = strchr(authority, ']');
    const char *colon = strrchr(bracket ? bracket : authority, ':');

    if (!colon)
        return (struct place){authority, strlen(authority), ""};
    return (struct place){authority, (size_t)(colon - authority), colon + 1};
}

/* Whether an origin, "https://example.org", is a page of a host, "example.org:443". */
static bool origin_is_host(const char *origin, const char *host)
{
    bool secure = strncasecmp(origin, "https://", 8) == 0;
    const char *usual = secure ? "443" : "80";
    struct place page, here = place_split(host);

    if (!secure && strncasecmp(origin, "http://", 7) != 0)
        return false;
    page = place_split(origin + (secure ? 8 : 7));
    return page.size == here.size && strncasecmp(page.host, here.host, page.size) == 0 &&
           strcmp(*page.port ? page.port : usual, *here.port ? here.port : usual) == 0;
}

static bool origin_is(const char *member, size_t size, void *argument)
{
    const char **origin = argument;

    if (strlen(*origin) == size && strncasecmp(member, *origin, size) == 0)
        *origin = NULL;
    return *origin != NULL;
}

bool ed_websocket_may_connect(const char *origin, const char *host, const char *origins)
{
    if (!origin || (origins && strcmp(origins, "*") == 0))
        return true;
    if (!origins)
        return origin_is_host(origin, host);
    ed_each_member(origins, origin_is, &origin);
    return origin == NULL;
}

/* Requests and answers -------------------------------------------------------------------- */

/* The value of a field that may come once; NULL: it does not, or comes twice. */
static const char *handshake_single(const eddy_headers *headers, const char *name)
{
    size_t at = 0;
    const char *value = eddy_headers_next(headers, name, &at);

    return value && !eddy_headers_next(headers, name, &at) ? value : NULL;
}

int ed_websocket_check_request(const char *method, const eddy_headers *headers, const char **why)
{
    const char *version = handshake_single(headers, "Sec-WebSocket-Version");
    const char *key = handshake_single(headers, "Sec-WebSocket-Key");

    if (strcmp(method, "GET") != 0 || !eddy_headers_has_token(headers, "Upgrade", "websocket") ||
        !eddy_headers_has_token(headers, "Connection", "upgrade")) {
        *why = "a WebSocket is expected here";
        return 400;
    }
    if (!version || strcmp(version, "13") != 0) {
        *why = "only version 13 of the WebSocket protocol is spoken here";
        return 426;
    }
    if (!key || !ed_websocket_is_key(key)) {
        *why = "the key of the WebSocket is none";
        return 400;
    }
    return 0;
}

const char *ed_websocket_check_answer(int status, const eddy_headers *headers, const char *key)
{
    const char *upgrade = handshake_single(headers, "Upgrade");
    const char *answer = handshake_single(headers, "Sec-WebSocket-Accept");
    char right[ED_WEBSOCKET_ACCEPT];

    if (status != 101)
        return "it does not change to a WebSocket";
    if (!upgrade || strcasecmp(upgrade, "websocket") != 0)
        return "its Upgrade is not websocket";
    if (!eddy_headers_has_token(headers, "Connection", "upgrade"))
        return "its Connection is not upgrade";
    if (!answer || ed_websocket_answer_key(key, right) < 0 || strcmp(answer, right) != 0)
        return "its Sec-WebSocket-Accept is not the answer to our key";
    return NULL;
}
