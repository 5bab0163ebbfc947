/* SPDX-License-Identifier: MIT */
/*
 * Whatever a peer sends, a WebSocket ends in order; what it makes of it does not depend on how the
 * bytes were cut; and what it says itself are frames.
 *
 * The input's first byte says which side it is and what was agreed, the second how to cut.
 */
#include <eddy.h>

#include "fuzz.h"
#include "http/websocket.h"

#define LIMIT 100000

struct input {
    const uint8_t *bytes;
    size_t size, cut;
    bool client, compressed, pieces;
};

/* What became of an input. */
struct outcome {
    int rc, code;
    uint64_t hash;
    size_t size;
};

static void outcome_add(struct outcome *outcome, const void *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        outcome->hash = (outcome->hash ^ ((const unsigned char *)data)[i]) * 0x100000001b3u;
    outcome->size += size;
}

static int receive(eddy_websocket *socket, const struct input *input, struct outcome *outcome)
{
    eddy_message message;
    bool last = true;
    int rc;

    do {
        rc = input->pieces ? eddy_websocket_receive_piece(socket, &message, &last)
                           : eddy_websocket_receive(socket, &message);
        if (rc <= 0)
            break;
        FUZZ_CHECK(message.text[message.size] == '\0');
        FUZZ_CHECK(input->pieces || message.size <= LIMIT);
        if (message.kind == EDDY_MESSAGE_TEXT) {
            struct ed_utf8 utf8 = {0};

            FUZZ_CHECK(ed_utf8_check(&utf8, message.text, message.size) && ed_utf8_may_end(&utf8));
        }
        outcome_add(outcome, message.text, message.size);
        if (last)
            outcome_add(outcome, &message.kind, 1);
    } while (outcome->size < 10 * LIMIT);
    return rc;
}

static int send_cut(eddy_stream *peer, const struct input *input)
{
    size_t sent = 0;
    int rc = 0;

    while (rc == 0 && sent < input->size) {
        size_t piece = input->cut < input->size - sent ? input->cut : input->size - sent;

        rc = eddy_write(peer, input->bytes + sent, piece);
        if (rc == 0)
            rc = eddy_sleep(0);
        sent += piece;
    }
    if (rc == 0)
        rc = eddy_write_eof(peer);
    return rc == -EPIPE || rc == -ECONNRESET ? 0 : rc;
}
EDDY_ASYNC(send_cut, eddy_stream *, const struct input *);

/* All that the WebSocket has sent are frames. */
static int check_sent(eddy_stream *peer, const struct input *input)
{
    struct ed_frame_rules rules = {.masked = input->client};
    struct ed_frame frame;
    const char *why, *next;
    size_t size;
    char *data;
    int rc = eddy_read_all(peer, 0, &data, &size);

    for (next = data; rc == 0 && size > 0;) {
        int head = ed_frame_parse(next, size, &rules, &frame, &why);

        FUZZ_CHECK(head > 0 && frame.size <= size - (size_t)head);
        next += (size_t)head + frame.size;
        size -= (size_t)head + (size_t)frame.size;
    }
    if (rc == 0)
        eddy_free(data);
    return rc == -ECONNRESET ? 0 : rc;
}
EDDY_ASYNC(check_sent, eddy_stream *, const struct input *);

static int play(const struct input *input, struct outcome *outcome)
{
    struct ed_websocket_agreed agreed = {
        .client = input->client,
        .deflate = {input->compressed, false, false, 15, 15},
    };
    const eddy_websocket_options options = {.limit = LIMIT, .close_time = 1};
    EDDY_STREAM own = NULL;
    EDDY_STREAM peer = NULL;
    eddy_websocket *socket;

    EDDY_TRY(eddy_stream_pair(&own, &peer));
    EDDY_TRY(ed_websocket_open(own, &agreed, &options, &socket));
    own = NULL;
    EDDY_TASK sender = eddy_create_task(send_cut, peer, input);
    EDDY_TASK checker = eddy_create_task(check_sent, peer, input);
    *outcome = (struct outcome){.hash = 0xcbf29ce484222325u};
    outcome->rc = receive(socket, input, outcome);
    outcome->code = eddy_websocket_close_code(socket);
    (void)eddy_websocket_close(&socket); /* most inputs end in disorder */
    EDDY_TRY(eddy_await(sender));
    return eddy_await(checker);
}
EDDY_ASYNC(play, const struct input *, struct outcome *);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct outcome whole, cut;
    struct input input;

    if (size < 2)
        return 0;
    setenv("EDDY_CLOCK", "virtual", 1);
    input = (struct input){data + 2, size - 2, size, data[0] & 1, data[0] & 2, data[0] & 4};
    FUZZ_CHECK(eddy_run(play, &input, &whole) == 0);
    input.cut = data[1] % 32u + 1;
    FUZZ_CHECK(eddy_run(play, &input, &cut) == 0);
    if (!input.compressed || whole.rc == 0) /* else two mistakes may change places */
        FUZZ_CHECK(whole.rc == cut.rc && whole.code == cut.code);
    if (whole.rc == 0 || (!input.compressed && !input.pieces)) /* else the cut ends the pieces */
        FUZZ_CHECK(whole.hash == cut.hash && whole.size == cut.size);
    return 0;
}
