/* SPDX-License-Identifier: MIT */
/*
 * The cases 12 and 13 of Autobahn's suite: compressed messages of many sizes, whole and in
 * fragments, with all that can be agreed on for what comes back. An echo is at the one end; at the
 * other is zlib itself, which cuts what it has compressed without regard to its blocks.
 */
#include <zlib.h>

#include "http/websocket_ends.h"

#define LARGEST 131072
#define TAIL "\0\0\xff\xff"

struct peer {
    struct bare bare;
    z_stream out, in;
    bool client;           /* the echo is one */
    bool compressed, text; /* what is to come back */
    bool alone;            /* and each message by itself */
};

static char data[2 * LARGEST], packed[2 * LARGEST + 64], back[LARGEST + 1];

/* What JSON looks like, which is a text, or bytes that hardly compress. */
static void fill_data(bool text)
{
    uint32_t state = 1;
    size_t size = 0;

    while (size < sizeof data - 64) {
        state = state * 1664525u + 1013904223u;
        if (text)
            size += (size_t)snprintf(data + size, 64,
                                     "{\"id\": %u, \"name\": \"gr\xc3\xbc\xc3\x9f%u\"},",
                                     state >> 16, state >> 28);
        else
            data[size++] = (char)(state >> (state & 1 ? 24 : 28));
    }
}

static int echo_and_close(struct bare *bare)
{
    eddy_message message;
    int rc;

    while ((rc = eddy_websocket_receive(bare->socket, &message)) > 0)
        EDDY_TRY(eddy_websocket_send(bare->socket, message.kind, message.text, message.size));
    EDDY_TRY(rc);
    return eddy_websocket_close(&bare->socket);
}
EDDY_ASYNC(echo_and_close, struct bare *);

/* Compresses a message and sends it, in fragments of `cut` bytes, 0: in one. */
static int peer_say(struct peer *peer, const char *message, size_t size, size_t cut)
{
    uint8_t first = ED_FRAME_RSV1 | (peer->text ? ED_OPCODE_TEXT : ED_OPCODE_BINARY);
    size_t total, sent = 0;

    peer->out.next_in = (void *)(uintptr_t)message;
    peer->out.avail_in = (unsigned)size;
    peer->out.next_out = (void *)packed;
    peer->out.avail_out = sizeof packed;
    REQUIRE(deflate(&peer->out, Z_SYNC_FLUSH) == Z_OK && peer->out.avail_in == 0);
    total = sizeof packed - peer->out.avail_out - 4;
    REQUIRE(memcmp(packed + total, TAIL, 4) == 0);
    do {
        size_t piece = cut && cut < total - sent ? cut : total - sent;
        uint8_t last = sent + piece == total ? ED_FRAME_FIN : 0;

        EDDY_TRY(bare_send(&peer->bare, first | last, packed + sent, piece));
        sent += piece;
        first = ED_OPCODE_CONTINUATION;
    } while (sent < total);
    return 0;
}

/* Gathers the frames of a message at `packed`: its size, with the first byte of the first. */
static int peer_gather(struct peer *peer, int *first, size_t *total)
{
    size_t size = 0;

    *total = 0;
    for (int one = 0, frames = 0; !(one & ED_FRAME_FIN); frames++, *total += size) {
        one = bare_read(&peer->bare, packed + *total, sizeof packed - 4 - *total, &size);
        EDDY_TRY(one);
        if (frames == 0)
            *first = one;
    }
    return 0;
}

/* What comes back is what was said, and compressed if it is to be. */
static int peer_hear(struct peer *peer, const char *message, size_t size)
{
    int kind = peer->text ? ED_OPCODE_TEXT : ED_OPCODE_BINARY, first;
    size_t total;

    EDDY_TRY(peer_gather(peer, &first, &total));
    REQUIRE((first & ED_FRAME_OPCODE) == (unsigned)kind);
    REQUIRE((first & ED_FRAME_RSV1 ? 1 : 0) == (peer->compressed && size >= 128));
    if (!(first & ED_FRAME_RSV1)) {
        REQUIRE(total == size && memcmp(packed, message, size) == 0);
        return 0;
    }
    memcpy(packed + total, TAIL, 4);
    peer->in.next_in = (void *)packed;
    peer->in.avail_in = (unsigned)total + 4;
    peer->in.next_out = (void *)back;
    peer->in.avail_out = sizeof back;
    REQUIRE(inflate(&peer->in, Z_SYNC_FLUSH) == Z_OK && peer->in.avail_in == 0);
    REQUIRE(sizeof back - peer->in.avail_out == size && memcmp(back, message, size) == 0);
    if (peer->alone)
        REQUIRE(inflateReset(&peer->in) == Z_OK);
    return 0;
}

static int peer_talk(struct peer *peer)
{
    static const struct {
        size_t size, cut;
    } sizes[] = {
        {16, 0},      {64, 0},      {256, 0},      {1024, 0},      {4096, 0},      {8192, 0},
        {16384, 0},   {32768, 0},   {65536, 0},    {131072, 0},    {8192, 256},    {16384, 256},
        {32768, 256}, {65536, 256}, {131072, 256}, {131072, 1024}, {131072, 4096}, {131072, 32768},
    };
    size_t at = 0;

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t size = sizes[i].size;
        int count = size > 16384 ? 1 : test_is_slow() ? 2 : 10;

        for (int n = 0; n < count; n++) {
            at = (at + 977) % (sizeof data - 64 - LARGEST);
            while (peer->text && (data[at] & 0xc0) == 0x80)
                at++;
            while (peer->text && size > 0 && (data[at + size] & 0xc0) == 0x80)
                size--;
            EDDY_TRY(peer_say(peer, data + at, size, sizes[i].cut));
            EDDY_TRY(peer_hear(peer, data + at, size));
        }
    }
    EDDY_TRY(BARE_SEND(&peer->bare, ED_FRAME_FIN | ED_OPCODE_CLOSE, "\x03\xe8"));
    REQUIRE(bare_read_close(&peer->bare) == 1000);
    return 0;
}

/* One case: what was agreed on for the echo's direction. */
static int play(bool client, bool text, bool alone, int bits)
{
    struct ed_websocket_agreed agreed = {.client = client};
    struct peer peer = {.client = client, .compressed = bits > 8, .text = text, .alone = alone};
    int rc;

    agreed.deflate = client ? (struct ed_deflate_terms){true, false, alone, 15, bits}
                            : (struct ed_deflate_terms){true, alone, false, bits, 15};
    REQUIRE(deflateInit2(&peer.out, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    REQUIRE(inflateInit2(&peer.in, -bits) == Z_OK);
    fill_data(text);
    {
        BARE bare = {NULL, NULL, false};

        EDDY_TRY(bare_open_with(&bare, &agreed, NULL));
        EDDY_TASK echoing = eddy_create_task(echo_and_close, &bare);
        peer.bare = bare;
        rc = peer_talk(&peer);
        rc = rc < 0 ? rc : eddy_await(echoing);
    }
    deflateEnd(&peer.out);
    inflateEnd(&peer.in);
    return rc;
}
EDDY_ASYNC(play, bool, bool, bool, int);

/* H-WSC-21; not as a TEST, which a sweep cancels at each of its many waits. */
RAW_TEST(websocket_case_12_compressed)
{
    for (int way = 0; way < 4; way++)
        CHECK_OK(eddy_test(play, (way & 1) != 0, (way & 2) != 0, false, 15));
}

RAW_TEST(websocket_case_13_compressed_as_agreed)
{
    static const int bits[] = {8, 9, 12, 15};

    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++)
        for (int way = 0; way < 4; way++)
            CHECK_OK(eddy_test(play, (way & 1) != 0, true, (way & 2) != 0, bits[i]));
}
