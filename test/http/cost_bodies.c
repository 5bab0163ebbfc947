/* SPDX-License-Identifier: MIT */
/* What bodies cost that are made to be long: multipart, content codings, frames of WebSockets. */
#include "http/coded.h"
#include "http/cost.h"
#include "http/parts.h"
#include "http/websocket_ends.h"

/* Goes through all parts of a body, whose boundary is that of a pitfall. */
static int take_pieces(const char *data, size_t size, size_t piece)
{
    static const char type[] = "multipart/form-data; boundary=--------";
    const eddy_multipart_options options = {
        .parts = COST_MOST, .head_fields = COST_MOST, .head_size = 2 * COST_MOST};
    struct parts_source source = {data, size, piece};
    EDDY_STREAM to = NULL;
    EDDY_STREAM from = NULL;
    EDDY_MULTIPART multipart = NULL;
    eddy_part part;
    char text[4096];
    ssize_t n = 0;
    int rc;

    EDDY_TRY(eddy_stream_pair(&to, &from));
    EDDY_TASK sender = eddy_create_task(parts_send, to, &source);
    EDDY_TRY(eddy_multipart_open(type, from, &options, &multipart));
    while (n == 0 && (rc = eddy_multipart_next(multipart, &part)) > 0)
        while ((n = eddy_read(part.body, text, sizeof text)) > 0)
            ;
    eddy_stream_abort(from);
    (void)eddy_await(sender); /* may not have been read to the end */
    return n < 0 ? (int)n : rc;
}

static int take_parts(const char *data, size_t size)
{
    return take_pieces(data, size, COST_MOST);
}

static int take_parts_slowly(const char *data, size_t size)
{
    return take_pieces(data, size, 1);
}

#define LINE "----------" /* of the boundary */
#define PART LINE "\r\n\r\n"
#define PARTS_END "\r\n" LINE "--\r\n"
#define PARTS(take)                                                                                \
    {                                                                                              \
        COST("parts", take, "", PART "x\r\n", LINE "--\r\n"),                                      \
            COST("empty parts", take, "", PART "\r\n", LINE "--\r\n"),                             \
            COST("data", take, PART, "x", PARTS_END),                                              \
            COST("line ends", take, PART, "\r\n", PARTS_END),                                      \
            COST("half line ends", take, PART, "\r", PARTS_END),                                   \
            COST("dashes", take, PART "x", "-", PARTS_END),                                        \
            COST("nearly delimiters", take, PART, "\r\n---------", PARTS_END),                     \
            COST("a preamble", take, "", "\r\n---------", "\r\n" PART PARTS_END),                  \
            COST("fields", take, LINE "\r\n", "a:b\r\n", "\r\n" PARTS_END),                        \
            COST("a value", take, LINE "\r\nA:", " b", "\r\n\r\n" PARTS_END),                      \
            COST("a name", take, LINE "\r\nContent-Disposition: x; name=\"", "\\\"",               \
                 "\"\r\n\r\n" PARTS_END),                                                          \
            COST("base64", take, LINE "\r\nContent-Transfer-Encoding: base64\r\n\r\n",             \
                 "QUJD\r\n \t", PARTS_END),                                                        \
            COST("quoted", take, LINE "\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n",   \
                 "=41 =\r\n", PARTS_END),                                                          \
    }

RAW_TEST(cost_of_multipart_bodies_is_linear)
{
    static const struct cost_input inputs[] = PARTS(take_parts);
    static const struct cost_input slow[] = PARTS(take_parts_slowly);

    CHECK_LINEAR(inputs, 100000);
    CHECK_LINEAR(slow, 10000);
}

/* Blanks behind a boundary count against the limit of a head, which here is none. */
RAW_TEST(cost_of_blanks_behind_a_boundary_is_linear)
{
    static const struct cost_input inputs[] = {
        COST("at once", take_parts, LINE, " \t", "\r\n\r\n" PARTS_END),
        COST("slowly", take_parts_slowly, LINE, " \t", "\r\n\r\n" PARTS_END),
    };

    CHECK_LINEAR(inputs, 10000);
}

/* Content codings, of which parts have nothing in them, or little. */
static int take_coded(enum ed_coding coding, const char *data, size_t size, size_t piece)
{
    BYTES bytes = {NULL, 0};
    struct ed_coder *coder;
    char out[4096];
    int rc = ed_decoder_new(coding, &coder);
    ssize_t n = 0;

    while (rc == 0 && n == 0 && size > 0) {
        size_t take = size < piece ? size : piece;

        size -= take;
        while ((n = ed_coder_step(coder, &data, &take, out, sizeof out, false, size == 0)) > 0)
            ;
    }
    rc = rc < 0 ? rc : n < 0 ? (int)n : ed_coder_ended(coder) ? 0 : -EDOM;
    ed_coder_free(coder);
    return rc;
}

#define TAKE_CODED(name, coding)                                                                   \
    static int take_##name(const char *data, size_t size)                                          \
    {                                                                                              \
        return take_coded(coding, data, size, size);                                               \
    }                                                                                              \
    static int take_##name##_slowly(const char *data, size_t size)                                 \
    {                                                                                              \
        return take_coded(coding, data, size, 1);                                                  \
    }
TAKE_CODED(deflate, ED_CODING_DEFLATE)
TAKE_CODED(brotli, ED_CODING_BROTLI)
TAKE_CODED(zstd, ED_CODING_ZSTD)

#define STORED_NONE "\0\0\0\xff\xff"
#define STORED_ONE "\0\1\0\xfe\xff!"
#define ZSTD_NONE "\x28\xb5\x2f\xfd\x20\0\1\0\0"
#define ZSTD_SKIPPED "\x50\x2a\x4d\x18\0\0\0\0"
#define ZSTD_BEGIN "\x28\xb5\x2f\xfd\0\x58" /* a window of 2 MiB */

RAW_TEST(cost_of_content_codings_is_linear)
{
    static const struct cost_input inputs[] = {
        COST("empty blocks of deflate", take_deflate, "", STORED_NONE, "\3\0"),
        COST("little blocks of deflate", take_deflate, "", STORED_ONE, "\3\0"),
        COST("empty blocks of deflate", take_deflate_slowly, "", STORED_NONE, "\3\0"),
        COST("little blocks of deflate", take_deflate_slowly, "", STORED_ONE, "\3\0"),
        COST("empty blocks of br", take_brotli, "\x0c", "\x06", "\3"),
        COST("empty blocks of br", take_brotli_slowly, "\x0c", "\x06", "\3"),
        COST("frames of zstd", take_zstd, "", ZSTD_NONE, ""),
        COST("frames of zstd", take_zstd_slowly, "", ZSTD_NONE, ""),
        COST("skipped frames of zstd", take_zstd, "", ZSTD_SKIPPED, ZSTD_NONE),
        COST("blocks of zstd", take_zstd, ZSTD_BEGIN, "\0\0\0", "\1\0\0"),
        COST("blocks of zstd", take_zstd_slowly, ZSTD_BEGIN, "\0\0\0", "\1\0\0"),
        COST("frames with windows of zstd", take_zstd, "", ZSTD_BEGIN "\1\0\0", ""),
    };

    CHECK_LINEAR(inputs, 100000);
}

/* Messages, as a client gets them; whole, or in pieces. */
static int take_messages(const char *data, size_t size, bool compressed, bool pieces)
{
    struct ed_websocket_agreed agreed = {.client = true};
    const eddy_websocket_options options = {.limit = 2 * COST_MOST, .close_time = 1};
    EDDY_STREAM peer = NULL;
    EDDY_STREAM own = NULL;
    eddy_websocket *socket;
    eddy_message message;
    bool last;
    int rc;

    if (compressed)
        agreed.deflate = (struct ed_deflate_terms){true, false, false, 15, 15};
    EDDY_TRY(eddy_stream_pair(&own, &peer));
    EDDY_TRY(ed_websocket_open(own, &agreed, &options, &socket));
    own = NULL;
    rc = eddy_write_nowait(peer, data, size);
    while (rc >= 0 && (rc = pieces ? eddy_websocket_receive_piece(socket, &message, &last)
                                   : eddy_websocket_receive(socket, &message)) > 0)
        ;
    eddy_stream_abort(peer);
    (void)eddy_websocket_close(&socket); /* whose peer has left */
    return rc;
}

static int take_plain(const char *data, size_t size)
{
    return take_messages(data, size, false, false);
}

static int take_plain_pieces(const char *data, size_t size)
{
    return take_messages(data, size, false, true);
}

static int take_compressed(const char *data, size_t size)
{
    return take_messages(data, size, true, false);
}

static int take_compressed_pieces(const char *data, size_t size)
{
    return take_messages(data, size, true, true);
}

#define FRAMES_END "\x88\2\x03\xe8"
#define FRAMES(take)                                                                               \
    COST("messages", take, "", "\x81\1x", FRAMES_END),                                             \
        COST("empty messages", take, "", "\x82\0", FRAMES_END),                                    \
        COST("fragments", take, "\2\0", "\0\1x", "\x80\0" FRAMES_END),                             \
        COST("empty fragments", take, "\1\0", "\0\0", "\x80\0" FRAMES_END),                        \
        COST("characters in fragments", take, "\1\0", "\0\1\xc3\0\1\xbc", "\x80\0" FRAMES_END),    \
        COST("pings", take, "", "\x89\1x", FRAMES_END),                                            \
        COST("pings in a message", take, "\1\0", "\x89\1x\0\1x", "\x80\0" FRAMES_END)

RAW_TEST(cost_of_websocket_frames_is_linear)
{
    static const struct cost_input inputs[] = {
        FRAMES(take_plain),
        FRAMES(take_plain_pieces),
        COST("blocks", take_compressed, "\x42\0", "\0\5" STORED_NONE, "\x80\1\0" FRAMES_END),
        COST("blocks with a byte", take_compressed, "\x42\0", "\0\6" STORED_ONE,
             "\x80\1\0" FRAMES_END),
        COST("empty compressed fragments", take_compressed, "\x42\0", "\0\0",
             "\x80\1\0" FRAMES_END),
        COST("compressed messages", take_compressed, "", "\xc2\1\0", FRAMES_END),
        COST("blocks in pieces", take_compressed_pieces, "\x42\0", "\0\6" STORED_ONE,
             "\x80\1\0" FRAMES_END),
    };

    CHECK_LINEAR(inputs, 60000);
}
