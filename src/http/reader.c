/* SPDX-License-Identifier: MIT */
/*
 * Reading messages from a stream: waits for the bytes that parser.c wants. A head's stay in the
 * stream's buffer until it is whole, and so do those of a line of the framing of chunks; a cancel
 * may come at any of them, and the next call finds all where it was.
 *
 * While a connection is silent its first byte is waited for alone, with room for one byte, so that
 * the stream need not have a buffer. That byte is kept by the parser, before those of the stream.
 *
 * Bodies of known length and those up to the end do not go through the parser. Data of chunks are
 * read to where the caller wants them, and only shown to it.
 */
#include "http/reader.h"

#include <errno.h>

#include "base/die.h"
#include "eddy/stream_class.h"
#include "http/parser.h"

static int reader_raise(const struct ed_reader *reader, int code, const char *text)
{
    static const char *const places[] = {
        [ED_PARSER_IDLE] = "line", [ED_PARSER_START] = "line",       [ED_PARSER_FIELDS] = "line",
        [ED_PARSER_HEAD] = "line", [ED_PARSER_SIZE] = "chunk",       [ED_PARSER_DATA] = "chunk",
        [ED_PARSER_GAP] = "chunk", [ED_PARSER_TRAILERS] = "trailer", [ED_PARSER_END] = "trailer",
    };
    const struct ed_parser *parser = reader->parser;
    const char *peer = eddy_stream_peer_name(reader->stream);

    return eddy_raise(code, "http%s%s: %s %zu of the %s: %s", *peer ? " " : "", peer,
                      places[parser->stage], parser->lines.count,
                      reader->response ? "response" : "request", text);
}

/* An error of the parser's, with its text. */
static int reader_fail(struct ed_reader *reader, int rc)
{
    if (rc != reader->parser->broken)
        return rc;
    reader->refusal = reader->parser->status;
    return reader_raise(reader, rc, reader->parser->why);
}

int ed_reader_open(struct ed_reader *reader, eddy_stream *stream, bool response,
                   const struct ed_limits *limits)
{
    struct ed_parser *parser = ed_parser_new(response, limits);

    if (!parser)
        return -ENOMEM;
    *reader = (struct ed_reader){
        .stream = stream,
        .limits = *limits,
        .response = response,
        .parser = parser,
        .ended = true,
    };
    return 0;
}

void ed_reader_close(struct ed_reader *reader)
{
    ed_parser_free(reader->parser);
    reader->parser = NULL;
}

/* Shows what the stream has from the head's or the line's first byte on, and waits for more than
 * was taken. How many bytes, or an error; no more than were taken: it has ended. */
static ssize_t reader_look(const struct ed_reader *reader, const char **data)
{
    const struct ed_parser *parser = reader->parser;

    return eddy_peek(reader->stream,
                     parser->taken - parser->has_first + !ed_parser_is_stuck(parser), data);
}

/* Heads. */

/* How the body of a message with this head ends (RFC 9112, 6.3). */
static void reader_frame(struct ed_reader *reader, const struct ed_head *head)
{
    bool none =
        reader->response && (head->status < 200 || head->status == 204 || head->status == 304);

    reader->left = 0;
    if (none)
        reader->framing = ED_FRAMING_NONE;
    else if (head->chunked)
        reader->framing = ED_FRAMING_CHUNKED;
    else if (head->length >= 0 || !reader->response)
        reader->framing = head->length > 0 ? ED_FRAMING_LENGTH : ED_FRAMING_NONE;
    else
        reader->framing = ED_FRAMING_EOF;
    reader->ended = reader->framing == ED_FRAMING_NONE;
    if (reader->framing == ED_FRAMING_LENGTH)
        reader->left = head->length;
    if (reader->framing == ED_FRAMING_CHUNKED)
        ed_parser_begin_chunks(reader->parser);
}

/* Waits for the first byte: 1; 0 at the end, or an error. */
static int reader_wait_first(struct ed_reader *reader)
{
    struct ed_parser *parser = reader->parser;
    bool apart = false;
    const char *data;
    ssize_t n = 1;

    if (eddy_stream_kept(reader->stream, &data) == 0) {
        n = eddy_read(reader->stream, &parser->first, 1);
        apart = true;
    }
    if (n == 1) {
        reader->trailers = NULL;
        reader->refusal = 0;
        ed_parser_begin(parser, apart);
    }
    return (int)n;
}

/* The stream has ended in a head. Empty lines alone are none. */
static int reader_ended_early(struct ed_reader *reader)
{
    struct ed_parser *parser = reader->parser;

    if (parser->stage == ED_PARSER_START && parser->lines.line == 0 && !parser->lines.cr) {
        eddy_consume(reader->stream, parser->taken - parser->has_first);
        parser->stage = ED_PARSER_IDLE;
        return 0;
    }
    return reader_raise(reader, EDDY_EINCOMPLETE, "the connection ended in it");
}

/* Gives a whole head out, of what the stream shows: 1, or an error. */
static int reader_finish_head(struct ed_reader *reader, const char *data, struct ed_arena *arena,
                              struct ed_head *out)
{
    struct ed_parser *parser = reader->parser;
    int rc = ed_parser_finish_head(parser, data, arena, out);

    if (rc < 0)
        return reader_fail(reader, rc);
    eddy_consume(reader->stream, parser->taken - parser->has_first);
    reader->arena = arena;
    reader_frame(reader, out);
    return 1;
}

int ed_reader_await(struct ed_reader *reader)
{
    ED_ASSERT(reader->ended);
    if (reader->parser->broken)
        return reader_fail(reader, reader->parser->broken);
    return reader->parser->stage == ED_PARSER_IDLE ? reader_wait_first(reader) : 1;
}

int ed_reader_head(struct ed_reader *reader, struct ed_arena *arena, struct ed_head *out,
                   bool *begun)
{
    struct ed_parser *parser = reader->parser;
    const char *data;
    ssize_t n;
    int rc = 1;

    ED_ASSERT(reader->ended);
    if (parser->broken)
        return reader_fail(reader, parser->broken);
    if (parser->stage == ED_PARSER_IDLE)
        rc = reader_wait_first(reader);
    if (rc <= 0)
        return rc;
    if (begun)
        *begun = true;
    rc = parser->has_first && parser->fed == 0 ? ed_parser_head(parser, &parser->first, 1, 0) : 0;
    while (rc == 0) {
        n = reader_look(reader, &data);
        if (n < 0)
            return (int)n;
        if ((size_t)n + parser->has_first == parser->taken && !ed_parser_is_stuck(parser))
            return reader_ended_early(reader);
        rc = ed_parser_head(parser, data, (size_t)n, parser->has_first);
        if (rc == 0 && parser->stage == ED_PARSER_HEAD)
            return reader_finish_head(reader, data, arena, out);
    }
    return reader_fail(reader, rc);
}

void ed_reader_expect_no_body(struct ed_reader *reader)
{
    reader->framing = ED_FRAMING_NONE;
    reader->left = 0;
    reader->ended = true;
    reader->parser->stage = ED_PARSER_IDLE;
}

/* Bodies. */

/* The stream has ended in a body. */
static int reader_cut(const struct ed_reader *reader)
{
    const char *peer = eddy_stream_peer_name(reader->stream);

    return eddy_raise(EDDY_EHTTP_PAYLOAD, "http%s%s: the connection ended in the body of the %s",
                      *peer ? " " : "", peer, reader->response ? "response" : "request");
}

/* Takes a line of the framing, or a part: 1; 0 when it would have to wait; or an error. */
static int reader_chunk_line(struct ed_reader *reader, bool wait)
{
    struct ed_parser *parser = reader->parser;
    const char *data;
    ssize_t n =
        wait ? reader_look(reader, &data) : (ssize_t)eddy_stream_kept(reader->stream, &data);
    size_t used;
    int rc;

    if (n < 0)
        return (int)n;
    if ((size_t)n <= parser->taken && !ed_parser_is_stuck(parser))
        return wait ? reader_cut(reader) : 0;
    rc = ed_parser_line(parser, data, (size_t)n, &used);
    if (rc == 0 && parser->stage == ED_PARSER_END) {
        rc = ed_parser_finish_trailers(parser, data, reader->arena, &reader->trailers);
        reader->ended = rc == 0;
        used = reader->ended ? parser->taken : 0;
    }
    eddy_consume(reader->stream, used);
    return rc < 0 ? reader_fail(reader, rc) : 1;
}

/* Reads data of a chunk: how many bytes; 0 when it would have to wait; or an error. */
static ssize_t reader_chunk_data(struct ed_reader *reader, char *data, size_t size, bool wait)
{
    struct ed_parser *parser = reader->parser;
    const char *kept;
    ssize_t n;
    int rc;

    if (!wait && eddy_stream_kept(reader->stream, &kept) == 0)
        return 0;
    n = eddy_read(reader->stream, data, size < parser->chunk_left ? size : parser->chunk_left);
    if (n <= 0)
        return n < 0 ? n : reader_cut(reader);
    rc = ed_parser_data(parser, data, (size_t)n);
    return rc < 0 ? reader_fail(reader, rc) : n;
}

/* As much as there is, without waiting once there is some; an error behind that comes again. */
static ssize_t reader_chunked(struct ed_reader *reader, char *data, size_t size)
{
    size_t got = 0;
    ssize_t n = 1;

    while (n > 0 && got < size && !reader->ended) {
        if (reader->parser->stage == ED_PARSER_DATA) {
            n = reader_chunk_data(reader, data + got, size - got, got == 0);
            got += n > 0 ? (size_t)n : 0;
        } else {
            n = reader_chunk_line(reader, got == 0);
        }
    }
    return got > 0 || n > 0 ? (ssize_t)got : n;
}

ssize_t ed_reader_body(struct ed_reader *reader, void *data, size_t size)
{
    ssize_t n;

    if (reader->parser->broken)
        return reader_fail(reader, reader->parser->broken);
    if (reader->ended || size == 0)
        return 0;
    if (reader->framing == ED_FRAMING_CHUNKED)
        return reader_chunked(reader, data, size);
    if (reader->framing == ED_FRAMING_LENGTH && (uint64_t)reader->left < size)
        size = (size_t)reader->left;
    n = eddy_read(reader->stream, data, size);
    if (reader->framing == ED_FRAMING_EOF) {
        reader->ended = n == 0;
        return n;
    }
    if (n <= 0)
        return n < 0 ? n : reader_cut(reader);
    reader->left -= n;
    reader->ended = reader->left == 0;
    return n;
}
