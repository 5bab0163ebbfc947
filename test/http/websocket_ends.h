/* SPDX-License-Identifier: MIT */
/* A WebSocket over memory, and its peer: another one, or bare bytes. */
#ifndef WEBSOCKET_ENDS_H
#define WEBSOCKET_ENDS_H

#include <string.h>

#include "harness.h"
#include "http/websocket.h"

/* One WebSocket on an end of a pair; the other end is bare. */
struct bare {
    eddy_stream *peer;
    eddy_websocket *socket;
    bool client; /* the WebSocket is one */
};

__attribute__((unused)) static void bare_end(struct bare *bare)
{
    eddy_stream_end_scope_(&bare->peer); /* first: so no close waits for it */
    eddy_websocket_end_scope_(&bare->socket);
}
#define BARE __attribute__((cleanup(bare_end))) struct bare

__attribute__((unused)) static int bare_open_with(struct bare *bare,
                                                  const struct ed_websocket_agreed *agreed,
                                                  const eddy_websocket_options *options)
{
    EDDY_STREAM own = NULL;

    EDDY_TRY(eddy_stream_pair(&own, &bare->peer));
    EDDY_TRY(ed_websocket_open(own, agreed, options, &bare->socket));
    own = NULL;
    bare->client = agreed->client;
    return 0;
}

__attribute__((unused)) static int
bare_open(struct bare *bare, bool client, const eddy_websocket_options *options)
{
    struct ed_websocket_agreed agreed = {.client = client};

    return bare_open_with(bare, &agreed, options);
}

/* Writes a frame to `to` as the peer would: masked if it is the client. Returns its bytes. */
__attribute__((unused)) static size_t
bare_pack(bool peer_is_client, uint8_t first, const void *data, size_t size, char *to)
{
    struct ed_frame frame = {.first = first, .masked = peer_is_client, .size = size};
    size_t head;

    memcpy(&frame.mask, "\x12\x34\x56\x78", 4);
    head = ed_frame_pack(to, &frame);
    if (size > 0)
        ed_frame_mask(to + head, data, size, peer_is_client ? frame.mask : 0, 0);
    return head + size;
}

__attribute__((unused)) static int
bare_send(struct bare *bare, uint8_t first, const void *data, size_t size)
{
    char *bytes = eddy_alloc_(size + ED_FRAME_HEADER);
    int rc = bytes
                 ? eddy_write(bare->peer, bytes, bare_pack(!bare->client, first, data, size, bytes))
                 : -ENOMEM;

    eddy_free(bytes);
    return rc;
}
#define BARE_SEND(bare, first, text) bare_send((bare), (first), (text), sizeof(text) - 1)

/* Reads a frame that the WebSocket has sent: its first byte; and its payload, of at most `room`
 * bytes, with its size. Or an error. */
__attribute__((unused)) static int
bare_read(struct bare *bare, char *data, size_t room, size_t *size)
{
    struct ed_frame_rules rules = {.masked = bare->client, .compressed = true};
    struct ed_frame frame;
    const char *bytes, *why = "";
    ssize_t have = 0;
    int head = 0;

    for (size_t least = 1; head == 0; least = (size_t)have + 1) {
        have = eddy_peek(bare->peer, least, &bytes);
        if (have < 0)
            return (int)have;
        if ((size_t)have < least)
            return EDDY_EINCOMPLETE;
        rules.fragmented = (bytes[0] & ED_FRAME_OPCODE) == 0;
        head = ed_frame_parse(bytes, (size_t)have, &rules, &frame, &why);
    }
    if (head < 0 || frame.size > room)
        return eddy_raise(-EPROTO, "%s", why);
    eddy_consume(bare->peer, (size_t)head);
    EDDY_TRY(eddy_read_exactly(bare->peer, data, (size_t)frame.size));
    if (frame.masked)
        ed_frame_mask(data, data, (size_t)frame.size, frame.mask, 0);
    *size = (size_t)frame.size;
    return frame.first;
}

/* Reads frames up to the close; its code, or an error. */
__attribute__((unused)) static int bare_read_close(struct bare *bare)
{
    static char data[70000];
    size_t size = 0;
    int first;

    do
        first = bare_read(bare, data, sizeof data, &size);
    while (first >= 0 && first != (ED_FRAME_FIN | ED_OPCODE_CLOSE));
    if (first < 0)
        return first;
    return size < 2 ? 1005 : (unsigned char)data[0] << 8 | (unsigned char)data[1];
}

/* Two WebSockets, joined. */
struct joined {
    eddy_websocket *client, *server;
};

/* Both at once, since a close waits for the other's. */
__attribute__((unused)) static int joined_close_one(eddy_websocket **socket)
{
    return eddy_websocket_close(socket);
}
EDDY_ASYNC(joined_close_one, eddy_websocket **);

__attribute__((unused)) static void joined_end(struct joined *joined)
{
    EDDY_SHIELD(ending);
    EDDY_TASK other = eddy_create_task(joined_close_one, &joined->client);

    eddy_websocket_end_scope_(&joined->server);
    (void)eddy_await(other);
    if (joined->client) /* there was no memory for the task */
        (void)eddy_websocket_close(&joined->client);
}
#define JOINED __attribute__((cleanup(joined_end))) struct joined

__attribute__((unused)) static int
joined_open(struct joined *joined, const struct ed_deflate_terms *terms,
            const eddy_websocket_options *client, const eddy_websocket_options *server)
{
    struct ed_websocket_agreed agreed = {.client = true};
    EDDY_STREAM one = NULL;
    EDDY_STREAM other = NULL;

    if (terms)
        agreed.deflate = *terms;
    EDDY_TRY(eddy_stream_pair(&one, &other));
    EDDY_TRY(ed_websocket_open(one, &agreed, client, &joined->client));
    one = NULL;
    agreed.client = false;
    EDDY_TRY(ed_websocket_open(other, &agreed, server, &joined->server));
    other = NULL;
    return 0;
}

#endif
