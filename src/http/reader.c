/* SPDX-License-Identifier: MIT */
/*
 * Reading messages. The bytes of a head stay in the stream's buffer until it is whole; meanwhile
 * each new one goes through three hands, in this order:
 *
 *     lines.c takes what is well formed as lines, within the limits
 *     here the method of a request is taken off; llhttp, which knows a list of methods, while HTTP
 *         has none, is told GET or CONNECT in its place
 *     llhttp gets what was taken, and says where names and values are
 *
 *     fed <= taken <= what is there; all are counted from the head's first byte
 *
 * Each hand sees only bytes that those before it have passed, and decides at a byte from what came
 * before it. So the verdict on a head is that of its first wrong byte, in whatever pieces it comes;
 * what only the whole can tell, head.c says at its end.
 *
 * Then the head is copied to the arena, once, and names and values are ended there in place. On a
 * connection at work nothing is allocated for it: places of fields are kept from head to head.
 *
 * While a connection is silent its first byte is waited for alone, with room for one byte, so that
 * the stream need not have a buffer. That byte is kept here, before those of the stream.
 *
 * Bodies of known length and those up to the end do not go through llhttp. Chunked ones do: sizes
 * and ends of chunks line by line, their data wherever the caller wants them, of which llhttp
 * counts the bytes only. Trailers are read as the fields of a head are.
 */
#include "http/reader.h"

#include <errno.h>
#include <llhttp.h>
#include <stdio.h>
#include <string.h>

#include "base/die.h"
#include "eddy/stream_class.h"
#include "http/head.h"
#include "http/lines.h"

#define READER_METHOD 64           /* bytes of a method */
#define READER_SPANS 16            /* fields that there is room for at first */
#define READER_OVERHEAD (16 << 10) /* bytes of chunks that are not data, beyond what is usual */
#define READER_CHUNK 16            /* bytes that the size of a chunk may usually have */

/* Where something is, from the head's first byte on. */
struct reader_span {
    size_t at, size;
};

struct reader_field {
    struct reader_span name, value;
};

enum reader_stage {
    READER_IDLE,   /* no head has begun */
    READER_START,  /* its start line comes, */
    READER_FIELDS, /* or its fields */
    READER_HEAD,   /* it is whole, but was not given out */
    READER_SIZE,   /* of a chunked body: the line with a chunk's size comes, */
    READER_DATA,   /* its data, */
    READER_GAP,    /* the end of the line behind them, */
    READER_TRAILERS,
};

struct ed_parser {
    llhttp_t llhttp;
    struct ed_lines lines;
    enum reader_stage stage;

    int broken; /* the error that ended it, and its text: static */
    const char *why;

    char first; /* the head's first byte, if it was read apart */
    bool has_first;
    size_t taken, fed;
    ptrdiff_t shift; /* what, added to the address of a byte that llhttp sees, is its place */
    size_t start;    /* where the start line is: behind empty lines */
    bool method_read, version_read;
    size_t method_size;
    char method[READER_METHOD];
    struct reader_span target, version;

    struct reader_field *fields;
    size_t count, capacity;
    bool in_value; /* of the last field the value has come, or a part of it */

    struct ed_arena *arena; /* of the message */
    size_t head_fields;     /* which its head had */
    size_t overhead;        /* bytes, see READER_OVERHEAD */
    bool in_extension;      /* of a chunk */
    bool head_complete;     /* llhttp has seen the head's end, */
    bool complete;          /* and the message's */
};

static const char reader_version[] = "Invalid HTTP version"; /* llhttp's text for a valid form */

/* What llhttp calls. A place is an address and the shift. */

static struct ed_parser *reader_parser_of(llhttp_t *llhttp)
{
    return llhttp->data;
}

/* Adds a piece to what began with an earlier one. */
static int reader_extend(llhttp_t *llhttp, struct reader_span *span, const char *at, size_t size)
{
    if (span->size == 0)
        span->at = (size_t)((ptrdiff_t)at + reader_parser_of(llhttp)->shift);
    span->size += size;
    return 0;
}

static int reader_on_target(llhttp_t *llhttp, const char *at, size_t size)
{
    return reader_extend(llhttp, &reader_parser_of(llhttp)->target, at, size);
}

static int reader_on_version(llhttp_t *llhttp, const char *at, size_t size)
{
    return reader_extend(llhttp, &reader_parser_of(llhttp)->version, at, size);
}

static int reader_on_version_complete(llhttp_t *llhttp)
{
    if (llhttp->http_major != 1 || llhttp->http_minor > 1)
        return -1;
    reader_parser_of(llhttp)->version_read = true;
    return 0;
}

/* A name or value begins, or goes on; names and values take turns. */
static int reader_on_name(llhttp_t *llhttp, const char *at, size_t size)
{
    struct ed_parser *parser = reader_parser_of(llhttp);

    if (parser->in_value || parser->count == 0) {
        ED_ASSERT(parser->count < parser->capacity);
        parser->fields[parser->count++] = (struct reader_field){0};
        parser->in_value = false;
    }
    return reader_extend(llhttp, &parser->fields[parser->count - 1].name, at, size);
}

static int reader_on_value(llhttp_t *llhttp, const char *at, size_t size)
{
    struct ed_parser *parser = reader_parser_of(llhttp);

    ED_ASSERT(parser->count > 0);
    parser->in_value = true;
    return reader_extend(llhttp, &parser->fields[parser->count - 1].value, at, size);
}

static int reader_on_head(llhttp_t *llhttp)
{
    reader_parser_of(llhttp)->head_complete = true;
    return 0;
}

static int reader_on_complete(llhttp_t *llhttp)
{
    reader_parser_of(llhttp)->complete = true;
    return 0;
}

static const llhttp_settings_t reader_settings = {
    .on_url = reader_on_target,
    .on_version = reader_on_version,
    .on_version_complete = reader_on_version_complete,
    .on_header_field = reader_on_name,
    .on_header_value = reader_on_value,
    .on_headers_complete = reader_on_head,
    .on_message_complete = reader_on_complete,
};

/* Refusals. */

static int reader_raise(const struct ed_reader *reader, int code, const char *text)
{
    static const char *const places[] = {
        [READER_START] = "line", [READER_FIELDS] = "line",      [READER_HEAD] = "line",
        [READER_SIZE] = "chunk", [READER_DATA] = "chunk",       [READER_GAP] = "chunk",
        [READER_IDLE] = "line",  [READER_TRAILERS] = "trailer",
    };
    const struct ed_parser *parser = reader->parser;
    const char *peer = eddy_stream_peer_name(reader->stream);

    return eddy_raise(code, "http%s%s: %s %zu of the %s: %s", *peer ? " " : "", peer,
                      places[parser->stage], parser->lines.count,
                      reader->response ? "response" : "request", text);
}

/* Ends it: nothing that follows a wrong byte can be trusted. */
static int reader_refuse(struct ed_reader *reader, int code, int status, const char *text)
{
    reader->refusal = status;
    reader->parser->broken = code;
    reader->parser->why = text;
    return reader_raise(reader, code, text);
}

static int reader_refuse_protocol(struct ed_reader *reader, const char *text)
{
    return reader_refuse(reader, EDDY_EHTTP_PROTOCOL, 400, text);
}

static int reader_refuse_for(struct ed_reader *reader, const struct ed_refusal *why)
{
    if (why->status == 0)
        return -ENOMEM;
    return reader_refuse(reader, EDDY_EHTTP_PROTOCOL, why->status, why->text);
}

/* For what lines.c has found. */
static int reader_refuse_line(struct ed_reader *reader)
{
    enum reader_stage stage = reader->parser->stage;
    int status = stage == READER_START      ? 414
                 : stage == READER_FIELDS   ? 431
                 : stage == READER_TRAILERS ? 431
                                            : 400;

    switch (reader->parser->lines.fault) {
    case ED_LINES_BARE_CR: return reader_refuse_protocol(reader, "a CR without a LF behind it");
    case ED_LINES_BARE_LF: return reader_refuse_protocol(reader, "a LF without a CR before it");
    case ED_LINES_CONTROL: return reader_refuse_protocol(reader, "a control character");
    case ED_LINES_FRONT:
        return reader_refuse_protocol(reader, "a line is folded, or has no name before its colon");
    case ED_LINES_LINE: return reader_refuse(reader, EDDY_ELIMIT, status, "the line is too long");
    case ED_LINES_COUNT: return reader_refuse(reader, EDDY_ELIMIT, status, "too many fields");
    default: return reader_refuse(reader, EDDY_ELIMIT, status, "all together is too long");
    }
}

/* Gives bytes to llhttp, which are those from `fed` on. */
static int reader_execute(struct ed_reader *reader, const char *data, size_t size)
{
    llhttp_t *llhttp = &reader->parser->llhttp;
    llhttp_errno_t rc = llhttp_execute(llhttp, data, size);
    const char *reason = llhttp_get_error_reason(llhttp);

    if (ed_likely(rc == HPE_OK || rc == HPE_PAUSED_UPGRADE))
        return 0;
    if (rc == HPE_CB_VERSION_COMPLETE || strcmp(reason, reader_version) == 0)
        return reader_refuse(reader, EDDY_EHTTP_PROTOCOL, 505, reader_version);
    return reader_refuse_protocol(reader, reason);
}

/* A head, a piece of it after the other: `data` is what is at the place `at`, `size` bytes. */

static void reader_begin(struct ed_reader *reader)
{
    struct ed_parser *parser = reader->parser;

    llhttp_init(&parser->llhttp, reader->response ? HTTP_RESPONSE : HTTP_REQUEST, &reader_settings);
    parser->llhttp.data = parser;
    parser->lines = (struct ed_lines){
        .line_limit = reader->limits.line_size,
        .count_limit = reader->limits.fields + 1,
        .size_limit = reader->limits.head_size,
    };
    parser->taken = parser->fed = parser->start = parser->method_size = 0;
    parser->method_read = parser->version_read = parser->in_value = false;
    parser->head_complete = parser->complete = false;
    parser->target = parser->version = (struct reader_span){0};
    parser->count = 0;
    parser->stage = READER_START;
    reader->trailers = NULL;
    reader->refusal = 0;
}

/* Takes a request's method off, as far as it has come: 0, or an error. */
static int reader_feed_method(struct ed_reader *reader, const char *data, size_t size, size_t *used)
{
    struct ed_parser *parser = reader->parser;
    const char *known = "GET ";
    size_t i = 0;

    for (; i < size && data[i] != ' '; i++) {
        if (!ed_is_token(&data[i], 1))
            return reader_refuse_protocol(reader, "the method is not a token");
        if (parser->method_size == READER_METHOD)
            return reader_refuse(reader, EDDY_EHTTP_PROTOCOL, 501, "the method is too long");
        parser->method[parser->method_size++] = data[i];
    }
    *used = i;
    if (i == size)
        return 0;
    *used = i + 1;
    parser->method_read = true;
    if (parser->method_size == 7 && memcmp(parser->method, "CONNECT", 7) == 0)
        known = "CONNECT ";
    return reader_execute(reader, known, strlen(known));
}

/* Feeds a line with a chunk's size, but no extensions of it, of which llhttp 8.1 refuses valid
 * ones: 0, or an error. */
static int reader_feed_size(struct ed_reader *reader, const char *data, size_t size)
{
    struct ed_parser *parser = reader->parser;
    const char *extension = parser->in_extension ? data : memchr(data, ';', size);
    int rc = reader_execute(reader, data, extension ? (size_t)(extension - data) : size);

    parser->in_extension = extension != NULL;
    if (rc == 0 && extension && parser->lines.whole)
        rc = reader_execute(reader, "\r\n", 2);
    return rc;
}

/* Feeds what was taken: 0, or an error. */
static int reader_feed(struct ed_reader *reader, const char *data, size_t at)
{
    struct ed_parser *parser = reader->parser;
    size_t used = 0;
    int rc = 0;

    if (parser->stage == READER_START && parser->lines.line == 0) {
        parser->fed = parser->taken; /* an empty line */
        return 0;
    }
    data += parser->fed - at;
    if (!parser->method_read && !reader->response && parser->stage == READER_START) {
        rc = reader_feed_method(reader, data, parser->taken - parser->fed, &used);
        if (rc < 0)
            return rc;
        parser->fed += used;
        data += used;
    }
    parser->shift = (ptrdiff_t)parser->fed - (ptrdiff_t)data;
    if (parser->fed < parser->taken)
        rc = parser->stage == READER_SIZE
                 ? reader_feed_size(reader, data, parser->taken - parser->fed)
                 : reader_execute(reader, data, parser->taken - parser->fed);
    parser->fed = parser->taken;
    return rc;
}

/* Room for the places of all fields that have begun: 0 or -ENOMEM. */
static int reader_reserve(struct ed_parser *parser)
{
    size_t capacity = parser->capacity ? parser->capacity : READER_SPANS;
    struct reader_field *fields;

    if (ed_likely(parser->lines.count <= parser->capacity))
        return 0;
    while (capacity < parser->lines.count)
        capacity *= 2;
    fields = eddy_realloc_(parser->fields, capacity * sizeof *fields);
    if (!fields)
        return -ENOMEM;
    parser->fields = fields;
    parser->capacity = capacity;
    return 0;
}

/* Takes the lines of fields up to the end of them, of what is there, or a fault. */
static void reader_take_fields(struct ed_parser *parser, const char *data, size_t size, size_t at)
{
    do {
        parser->taken +=
            ed_lines_take(&parser->lines, data + (parser->taken - at), size - (parser->taken - at));
    } while (parser->lines.whole && parser->lines.line > 0 && parser->taken < at + size);
}

static bool reader_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Single blanks stand between a request line's parts, and nothing behind them. */
static int reader_check_request(struct ed_reader *reader, const char *data, size_t at)
{
    const struct ed_parser *parser = reader->parser;
    size_t target = parser->target.at, behind = target + parser->target.size;
    struct ed_refusal why;

    if (!parser->version_read)
        return reader_refuse_protocol(reader, "the version is missing");
    if (target != parser->start + parser->method_size + 1 || parser->version.at != behind + 6 ||
        memcmp(data + (behind - at), " HTTP/", 6) != 0 ||
        parser->lines.line != parser->version.at + 3 - parser->start)
        return reader_refuse_protocol(reader, "the request line has other blanks than two");
    if (!ed_target_check(parser->method, parser->method_size, data + (target - at),
                         parser->target.size, &why))
        return reader_refuse_for(reader, &why);
    return 0;
}

/* The reason may be missing, with its blank or without (RFC 9112, 4: as some servers do). */
static int reader_check_response(struct ed_reader *reader, const char *data, size_t at)
{
    const struct ed_parser *parser = reader->parser;
    size_t line = parser->lines.line, start = parser->start;
    const char *text = data + (start + 8 - at); /* the first byte may be in another piece */

    if (!parser->version_read || parser->version.at != start + 5 || line < 12 || text[0] != ' ' ||
        text[1] == '0' || (line > 12 && text[4] != ' '))
        return reader_refuse_protocol(reader, "not a status line");
    for (int i = 1; i < 4; i++) {
        if (!reader_is_digit(text[i]))
            return reader_refuse_protocol(reader, "not a status");
    }
    return 0;
}

/* Behind a line that ends where a start line is expected: 0, or an error. */
static int reader_start_ends(struct ed_reader *reader, const char *data, size_t at)
{
    struct ed_parser *parser = reader->parser;
    int rc;

    if (parser->lines.line == 0 && reader->response)
        return reader_refuse_protocol(reader, "an empty line instead of a status line");
    if (parser->lines.line == 0) {
        parser->start = parser->fed = parser->taken;
        return 0;
    }
    rc = reader->response ? reader_check_response(reader, data, at)
                          : reader_check_request(reader, data, at);
    if (rc == 0)
        parser->stage = READER_FIELDS;
    return rc;
}

/* Goes through new bytes of a head, from where it was left: 0, or an error. */
static int reader_piece(struct ed_reader *reader, const char *data, size_t size, size_t at)
{
    struct ed_parser *parser = reader->parser;
    int rc = 0;

    while (rc == 0 && parser->stage < READER_HEAD) {
        bool begins = parser->stage == READER_START, stuck = parser->fed < parser->taken;

        if (!stuck && parser->taken == at + size)
            break;
        if (!stuck && begins)
            parser->taken += ed_lines_take(&parser->lines, data + (parser->taken - at),
                                           size - (parser->taken - at));
        else if (!stuck)
            reader_take_fields(parser, data, size, at);
        rc = reader_reserve(parser);
        if (rc == 0)
            rc = reader_feed(reader, data, at);
        if (rc == 0 && parser->lines.fault)
            rc = reader_refuse_line(reader);
        if (rc == 0 && parser->lines.whole && begins)
            rc = reader_start_ends(reader, data, at);
        else if (rc == 0 && parser->lines.whole && parser->lines.line == 0)
            parser->stage = READER_HEAD;
    }
    return rc;
}

/* What is whole goes to the arena. */

static bool reader_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Ends names and values in the text at whose front the place `start` is, and lists them: 0 or
 * -ENOMEM. */
static int reader_list_fields(const struct ed_parser *parser, char *text, size_t start,
                              struct ed_arena *arena, struct eddy_headers *out)
{
    struct ed_field *fields = NULL;

    if (parser->count > 0 && !(fields = ed_arena_alloc(arena, parser->count * sizeof *fields)))
        return -ENOMEM;
    for (size_t i = 0; i < parser->count; i++) {
        const struct reader_span *name = &parser->fields[i].name, *value = &parser->fields[i].value;
        /* an empty value has no place: it is the NUL behind the name */
        char *from = text + (value->size ? value->at : name->at + name->size) - start;
        size_t size = value->size;

        while (size > 0 && reader_is_blank(from[size - 1]))
            size--;
        text[name->at + name->size - start] = from[size] = '\0';
        fields[i] = (struct ed_field){
            .name = text + name->at - start,
            .value = from,
            .name_size = (uint32_t)name->size,
            .value_size = (uint32_t)size,
        };
    }
    *out = (struct eddy_headers){
        .arena = arena,
        .fields = fields,
        .count = (uint32_t)parser->count,
        .capacity = (uint32_t)parser->count,
        .received = true,
    };
    return 0;
}

/* Ends the parts of the start line, which `text` begins with. */
static void reader_list_start(const struct ed_reader *reader, char *text, struct ed_head *out)
{
    const struct ed_parser *parser = reader->parser;
    size_t line = (size_t)(strchr(text, '\r') - text);

    text[line] = '\0';
    out->minor = parser->llhttp.http_minor;
    if (reader->response) {
        out->status = parser->llhttp.status_code;
        out->reason = text + (line > 13 ? 13 : line);
        return;
    }
    text[parser->method_size] = text[parser->version.at - 6 - parser->start] = '\0';
    out->method = text;
    out->method_size = parser->method_size;
    out->target = text + (parser->target.at - parser->start);
    out->target_size = parser->target.size;
}

/* How the body of a message with this head ends (RFC 9112, 6.3). */
static void reader_frame(struct ed_reader *reader, const struct ed_head *head)
{
    struct ed_parser *parser = reader->parser;
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
    parser->stage = READER_IDLE;
    if (reader->framing == ED_FRAMING_CHUNKED)
        parser->stage = READER_SIZE;
}

/* Takes lines of chunks from here on, of any number. */
static void reader_begin_chunks(struct ed_reader *reader)
{
    struct ed_parser *parser = reader->parser;

    parser->head_fields = parser->count;
    parser->has_first = parser->in_extension = false;
    parser->taken = parser->fed = parser->overhead = 0;
    parser->lines = (struct ed_lines){
        .line_limit = reader->limits.line_size,
        .count_limit = SIZE_MAX,
        .size_limit = SIZE_MAX,
    };
}

/* Gives a whole head out, whose bytes but the first one `data` has: 1, or an error. */
static int reader_finish_head(struct ed_reader *reader, const char *data, struct ed_arena *arena,
                              struct ed_head *out)
{
    struct ed_parser *parser = reader->parser;
    size_t apart = parser->has_first, start = parser->start, size = parser->taken - start;
    struct ed_head head = {.status = 0};
    struct ed_refusal why;
    char *text;

    if (!parser->head_complete)
        return reader_refuse_protocol(reader, "the head has no end");
    text = ed_arena_alloc(arena, size + 1);
    if (!text)
        return -ENOMEM;
    if (start == 0 && apart)
        text[0] = parser->first;
    memcpy(text + (start == 0 ? apart : 0), data + (start > 0 ? start - apart : 0),
           size - (start == 0 ? apart : 0));
    text[size] = '\0';
    if (reader_list_fields(parser, text, start, arena, &head.fields) < 0)
        return -ENOMEM;
    reader_list_start(reader, text, &head);
    if (!ed_head_complete(&head, reader->response, &why))
        return reader_refuse_for(reader, &why);
    eddy_consume(reader->stream, parser->taken - apart);
    parser->arena = arena;
    parser->has_first = false;
    reader_frame(reader, &head);
    if (parser->stage == READER_SIZE)
        reader_begin_chunks(reader);
    *out = head;
    return 1;
}

/* Gives whole trailers out, and with them the end of the body: 0, or an error. */
static int reader_finish_trailers(struct ed_reader *reader, const char *data)
{
    struct ed_parser *parser = reader->parser;
    struct eddy_headers *trailers;
    struct ed_refusal why;
    char *text;

    if (parser->count > 0) {
        trailers = ed_arena_alloc(parser->arena, sizeof *trailers);
        text = ed_arena_copy(parser->arena, data, parser->taken);
        if (!trailers || !text || reader_list_fields(parser, text, 0, parser->arena, trailers) < 0)
            return -ENOMEM;
        if (!ed_trailers_check(trailers, &why))
            return reader_refuse_for(reader, &why);
        reader->trailers = trailers;
    }
    eddy_consume(reader->stream, parser->taken);
    parser->stage = READER_IDLE;
    reader->ended = true;
    return 0;
}

/* Waiting for bytes. */

int ed_reader_open(struct ed_reader *reader, eddy_stream *stream, bool response,
                   const struct ed_limits *limits)
{
    struct ed_parser *parser = eddy_alloc_(sizeof *parser);

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
    if (!reader->parser)
        return;
    eddy_free(reader->parser->fields);
    eddy_free(reader->parser);
    reader->parser = NULL;
}

/* Shows what the stream has behind what was taken, waiting for some; nothing new is waited for
 * while there is work left. How many bytes, or an error; no more than were taken: it has ended. */
static ssize_t reader_look(const struct ed_reader *reader, const char **data)
{
    const struct ed_parser *parser = reader->parser;
    size_t have = parser->taken - parser->has_first;
    bool left = parser->fed < parser->taken || parser->stage == READER_HEAD || parser->complete;

    return eddy_peek(reader->stream, left ? have : have + 1, data);
}

/* Waits for the first byte: 1; 0 at the end, or an error. */
static int reader_wait_first(struct ed_reader *reader)
{
    struct ed_parser *parser = reader->parser;
    const char *data;
    ssize_t n = 1;

    parser->has_first = false;
    if (eddy_stream_kept(reader->stream, &data) == 0) {
        n = eddy_read(reader->stream, &parser->first, 1);
        parser->has_first = n == 1;
    }
    if (n == 1)
        reader_begin(reader);
    return (int)n;
}

/* The stream has ended in a head. Empty lines alone are none. */
static int reader_ended_early(struct ed_reader *reader)
{
    const struct ed_parser *parser = reader->parser;

    if (parser->stage == READER_START && parser->lines.line == 0 && !parser->lines.cr) {
        eddy_consume(reader->stream, parser->taken - parser->has_first);
        reader->parser->stage = READER_IDLE;
        return 0;
    }
    return reader_raise(reader, EDDY_EINCOMPLETE, "the connection ended in it");
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
        return reader_raise(reader, parser->broken, parser->why);
    if (parser->stage == READER_IDLE)
        rc = reader_wait_first(reader);
    if (rc <= 0)
        return rc;
    if (begun)
        *begun = true;
    rc = parser->has_first && parser->fed == 0 ? reader_piece(reader, &parser->first, 1, 0) : 0;
    while (rc == 0) {
        n = reader_look(reader, &data);
        if (n < 0)
            return (int)n;
        if ((size_t)n + parser->has_first == parser->fed && parser->stage < READER_HEAD)
            return reader_ended_early(reader);
        rc = reader_piece(reader, data, (size_t)n, parser->has_first);
        if (rc == 0 && parser->stage == READER_HEAD)
            return reader_finish_head(reader, data, arena, out);
    }
    return rc;
}

void ed_reader_expect_no_body(struct ed_reader *reader)
{
    reader->framing = ED_FRAMING_NONE;
    reader->left = 0;
    reader->ended = true;
    reader->parser->stage = READER_IDLE;
}

/* Bodies. */

/* The stream has ended in a body. */
static int reader_cut(const struct ed_reader *reader)
{
    const char *peer = eddy_stream_peer_name(reader->stream);

    return eddy_raise(EDDY_EHTTP_PAYLOAD, "http%s%s: the connection ended in the body of the %s",
                      *peer ? " " : "", peer, reader->response ? "response" : "request");
}

/* Behind the line with a chunk's size: 0, or an error. Chunks that have more around them than in
 * them cost the reader more than the sender. */
static int reader_size_ends(struct ed_reader *reader, const char *data)
{
    struct ed_parser *parser = reader->parser;
    uint64_t size = parser->llhttp.content_length;
    size_t line = parser->lines.line + 2, usual = READER_CHUNK;

    if (size > INT64_MAX)
        return reader_refuse_protocol(reader, "the size of a chunk is too large");
    if (parser->in_extension && !ed_chunk_extensions_check(data, parser->lines.line))
        return reader_refuse_protocol(reader, "the extensions of a chunk are not valid");
    parser->in_extension = false;
    usual += size < READER_OVERHEAD ? (size_t)(2 * size) : 2 * READER_OVERHEAD;
    parser->overhead += line;
    parser->overhead -= usual < parser->overhead ? usual : parser->overhead;
    if (parser->overhead > READER_OVERHEAD)
        return reader_refuse(reader, EDDY_ELIMIT, 400, "the chunks have too much but data");
    reader->left = (int64_t)size;
    parser->stage = size > 0 ? READER_DATA : READER_TRAILERS;
    if (size > 0)
        return 0;
    parser->count = 0;
    parser->in_value = false;
    parser->lines = (struct ed_lines){
        .line_limit = reader->limits.line_size,
        .count_limit = reader->limits.fields - parser->head_fields,
        .size_limit = reader->limits.head_size,
    };
    return 0;
}

/* Behind a line of the framing, which `data` shows: 0, or an error. */
static int reader_line_ends(struct ed_reader *reader, const char *data)
{
    struct ed_parser *parser = reader->parser;
    int rc = 0;

    if (parser->stage == READER_TRAILERS) {
        if (parser->lines.line > 0)
            return 0;
        return parser->complete ? reader_finish_trailers(reader, data)
                                : reader_refuse_protocol(reader, "the trailers have no end");
    }
    if (parser->stage == READER_SIZE)
        rc = reader_size_ends(reader, data);
    else if (parser->lines.line > 0)
        rc = reader_refuse_protocol(reader, "data behind the end of a chunk");
    else
        parser->stage = READER_SIZE;
    eddy_consume(reader->stream, parser->taken);
    parser->taken = parser->fed = 0;
    return rc;
}

/* Takes a line of the framing, or a part: 1; 0 when it would have to wait; or an error. */
static int reader_chunk_line(struct ed_reader *reader, bool wait)
{
    struct ed_parser *parser = reader->parser;
    bool stuck = parser->fed < parser->taken || parser->complete; /* for lack of memory */
    const char *data;
    ssize_t n =
        wait ? reader_look(reader, &data) : (ssize_t)eddy_stream_kept(reader->stream, &data);
    int rc = 0;

    if (n < 0)
        return (int)n;
    if ((size_t)n <= parser->taken && !stuck)
        return wait ? reader_cut(reader) : 0;
    if (!stuck)
        parser->taken +=
            ed_lines_take(&parser->lines, data + parser->taken, (size_t)n - parser->taken);
    if (parser->stage == READER_TRAILERS)
        rc = reader_reserve(parser);
    if (rc == 0)
        rc = reader_feed(reader, data, 0);
    if (rc == 0 && parser->lines.fault)
        rc = reader_refuse_line(reader);
    if (rc == 0 && parser->lines.whole)
        rc = reader_line_ends(reader, data);
    return rc < 0 ? rc : 1;
}

/* Reads data of a chunk: how many bytes; 0 when it would have to wait; or an error. */
static ssize_t reader_chunk_data(struct ed_reader *reader, char *data, size_t size, bool wait)
{
    const char *kept;
    ssize_t n;
    int rc;

    if (!wait && eddy_stream_kept(reader->stream, &kept) == 0)
        return 0;
    if ((uint64_t)reader->left < size)
        size = (size_t)reader->left;
    n = eddy_read(reader->stream, data, size);
    if (n <= 0)
        return n < 0 ? n : reader_cut(reader);
    rc = reader_execute(reader, data, (size_t)n);
    if (rc < 0)
        return rc;
    reader->left -= n;
    if (reader->left == 0)
        reader->parser->stage = READER_GAP;
    return n;
}

/* As much as there is, without waiting once there is some; an error behind that comes again. */
static ssize_t reader_chunked(struct ed_reader *reader, char *data, size_t size)
{
    size_t got = 0;
    ssize_t n = 1;

    while (n > 0 && got < size && !reader->ended) {
        if (reader->parser->stage == READER_DATA) {
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
        return reader_raise(reader, reader->parser->broken, reader->parser->why);
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
