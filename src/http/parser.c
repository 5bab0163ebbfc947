/* SPDX-License-Identifier: MIT */
/*
 * HTTP/1, from bytes. Those of a head stay where they came until it is whole; meanwhile each new
 * one goes through three hands, in this order:
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
 * Of a chunked body the sizes and ends of chunks go the same way, line by line, and trailers as the
 * fields of a head do. Of the data llhttp counts the bytes only.
 */
#include "http/parser.h"

#include <errno.h>
#include <llhttp.h>
#include <string.h>

#include "base/die.h"
#include "eddy/stream_class.h"
#include "http/head.h"

#define PARSER_METHOD 64           /* bytes of a method */
#define PARSER_FIELDS 16           /* that there is room for at first */
#define PARSER_OVERHEAD (16 << 10) /* bytes of chunks that are not data, beyond what is usual */
#define PARSER_CHUNK 16            /* bytes that the size of a chunk may usually have */

struct parser_block {
    struct ed_parser parser;
    llhttp_t llhttp;
};

static llhttp_t *parser_llhttp(const struct ed_parser *parser)
{
    return &ed_container_of(parser, struct parser_block, parser)->llhttp;
}

static const char parser_version[] = "Invalid HTTP version"; /* llhttp's text for a valid form */

/* What llhttp calls. A place is an address and the shift. */

static struct ed_parser *parser_of(llhttp_t *llhttp)
{
    return llhttp->data;
}

/* Adds a piece to what began with an earlier one. */
static int parser_extend(llhttp_t *llhttp, struct ed_span *span, const char *at, size_t size)
{
    if (span->size == 0)
        span->at = (uint32_t)((ptrdiff_t)at + parser_of(llhttp)->shift);
    span->size += (uint32_t)size;
    return 0;
}

static int parser_on_target(llhttp_t *llhttp, const char *at, size_t size)
{
    return parser_extend(llhttp, &parser_of(llhttp)->target, at, size);
}

static int parser_on_version(llhttp_t *llhttp, const char *at, size_t size)
{
    return parser_extend(llhttp, &parser_of(llhttp)->version, at, size);
}

static int parser_on_version_complete(llhttp_t *llhttp)
{
    if (llhttp->http_major != 1 || llhttp->http_minor > 1)
        return -1;
    parser_of(llhttp)->version_read = true;
    return 0;
}

/* A name or value begins, or goes on; names and values take turns. */
static int parser_on_name(llhttp_t *llhttp, const char *at, size_t size)
{
    struct ed_parser *parser = parser_of(llhttp);

    if (parser->in_value || parser->count == 0) {
        ED_ASSERT(parser->count < parser->capacity);
        parser->fields[parser->count++] = (struct ed_field_span){0};
        parser->in_value = false;
    }
    return parser_extend(llhttp, &parser->fields[parser->count - 1].name, at, size);
}

static int parser_on_value(llhttp_t *llhttp, const char *at, size_t size)
{
    struct ed_parser *parser = parser_of(llhttp);

    ED_ASSERT(parser->count > 0);
    parser->in_value = true;
    return parser_extend(llhttp, &parser->fields[parser->count - 1].value, at, size);
}

static int parser_on_head(llhttp_t *llhttp)
{
    parser_of(llhttp)->head_complete = true;
    return 0;
}

static int parser_on_complete(llhttp_t *llhttp)
{
    parser_of(llhttp)->complete = true;
    return 0;
}

static const llhttp_settings_t parser_settings = {
    .on_url = parser_on_target,
    .on_version = parser_on_version,
    .on_version_complete = parser_on_version_complete,
    .on_header_field = parser_on_name,
    .on_header_value = parser_on_value,
    .on_headers_complete = parser_on_head,
    .on_message_complete = parser_on_complete,
};

/* Ends it: nothing that follows a wrong byte can be trusted. */
static int parser_refuse(struct ed_parser *parser, int code, int status, const char *text)
{
    parser->broken = code;
    parser->status = status;
    parser->why = text;
    return code;
}

static int parser_refuse_protocol(struct ed_parser *parser, const char *text)
{
    return parser_refuse(parser, EDDY_EHTTP_PROTOCOL, 400, text);
}

static int parser_refuse_for(struct ed_parser *parser, const struct ed_refusal *why)
{
    if (why->status == 0)
        return -ENOMEM;
    return parser_refuse(parser, EDDY_EHTTP_PROTOCOL, why->status, why->text);
}

/* For what lines.c has found. */
static int parser_refuse_line(struct ed_parser *parser)
{
    enum ed_parser_stage stage = parser->stage;
    int status = stage == ED_PARSER_START      ? 414
                 : stage == ED_PARSER_FIELDS   ? 431
                 : stage == ED_PARSER_TRAILERS ? 431
                                               : 400;

    switch (parser->lines.fault) {
    case ED_LINES_BARE_CR: return parser_refuse_protocol(parser, "a CR without a LF behind it");
    case ED_LINES_BARE_LF: return parser_refuse_protocol(parser, "a LF without a CR before it");
    case ED_LINES_CONTROL: return parser_refuse_protocol(parser, "a control character");
    case ED_LINES_FRONT:
        return parser_refuse_protocol(parser, "a line is folded, or has no name before its colon");
    case ED_LINES_LINE: return parser_refuse(parser, EDDY_ELIMIT, status, "the line is too long");
    case ED_LINES_COUNT: return parser_refuse(parser, EDDY_ELIMIT, status, "too many fields");
    default: return parser_refuse(parser, EDDY_ELIMIT, status, "all together is too long");
    }
}

/* Gives bytes to llhttp, which are those from `fed` on. */
static int parser_execute(struct ed_parser *parser, const char *data, size_t size)
{
    llhttp_t *llhttp = parser_llhttp(parser);
    llhttp_errno_t rc = llhttp_execute(llhttp, data, size);
    const char *reason = llhttp_get_error_reason(llhttp);

    if (ed_likely(rc == HPE_OK || rc == HPE_PAUSED_UPGRADE))
        return 0;
    if (rc == HPE_CB_VERSION_COMPLETE || (reason && strcmp(reason, parser_version) == 0))
        return parser_refuse(parser, EDDY_EHTTP_PROTOCOL, 505, parser_version);
    return parser_refuse_protocol(parser, reason ? reason : "not HTTP");
}

/* A head, a piece of it after the other: `data` is what is at the place `at`, `size` bytes. */

static void parser_begin_lines(struct ed_parser *parser, size_t count, size_t size)
{
    parser->lines = (struct ed_lines){
        .line_limit = parser->limits.line_size,
        .count_limit = count,
        .size_limit = size,
    };
    parser->taken = parser->fed = parser->count = 0;
    parser->in_value = false;
}

void ed_parser_begin(struct ed_parser *parser, bool has_first)
{
    llhttp_t *llhttp = parser_llhttp(parser);

    llhttp_init(llhttp, parser->response ? HTTP_RESPONSE : HTTP_REQUEST, &parser_settings);
    llhttp->data = parser;
    parser_begin_lines(parser, parser->limits.fields + 1, parser->limits.head_size);
    parser->has_first = has_first;
    parser->start = parser->method_size = 0;
    parser->method_read = parser->version_read = false;
    parser->head_complete = parser->complete = parser->in_extension = false;
    parser->target = parser->version = (struct ed_span){0};
    parser->stage = ED_PARSER_START;
}

/* Takes a request's method off, as far as it has come: 0, or an error. */
static int parser_feed_method(struct ed_parser *parser, const char *data, size_t size, size_t *used)
{
    const char *known = "GET ";
    size_t i = 0;

    for (; i < size && data[i] != ' '; i++) {
        if (!ed_is_token(&data[i], 1))
            return parser_refuse_protocol(parser, "the method is not a token");
        if (parser->method_size == PARSER_METHOD)
            return parser_refuse(parser, EDDY_EHTTP_PROTOCOL, 501, "the method is too long");
        if (parser->method_size < sizeof parser->method)
            parser->method[parser->method_size] = data[i];
        parser->method_size++;
    }
    *used = i;
    if (i == size)
        return 0;
    *used = i + 1;
    parser->method_read = true;
    if (parser->method_size == 7 && memcmp(parser->method, "CONNECT", 7) == 0)
        known = "CONNECT ";
    return parser_execute(parser, known, strlen(known));
}

/* Feeds a line with a chunk's size, but no extensions of it, of which llhttp 8.1 refuses valid
 * ones: 0, or an error. */
static int parser_feed_size(struct ed_parser *parser, const char *data, size_t size)
{
    const char *extension = parser->in_extension ? data : memchr(data, ';', size);
    int rc = parser_execute(parser, data, extension ? (size_t)(extension - data) : size);

    parser->in_extension = extension != NULL;
    if (rc == 0 && extension && parser->lines.whole)
        rc = parser_execute(parser, "\r\n", 2);
    return rc;
}

/* Feeds what was taken: 0, or an error. */
static int parser_feed(struct ed_parser *parser, const char *data, size_t at)
{
    size_t used = 0;
    int rc = 0;

    if (parser->stage == ED_PARSER_START && parser->lines.line == 0) {
        parser->fed = parser->taken; /* an empty line */
        return 0;
    }
    data += parser->fed - at;
    if (!parser->method_read && !parser->response && parser->stage == ED_PARSER_START) {
        rc = parser_feed_method(parser, data, parser->taken - parser->fed, &used);
        if (rc < 0)
            return rc;
        parser->fed += used;
        data += used;
    }
    parser->shift = (ptrdiff_t)parser->fed - (ptrdiff_t)data;
    if (parser->fed < parser->taken)
        rc = parser->stage == ED_PARSER_SIZE
                 ? parser_feed_size(parser, data, parser->taken - parser->fed)
                 : parser_execute(parser, data, parser->taken - parser->fed);
    parser->fed = parser->taken;
    return rc;
}

/* Room for the places of all fields that have begun: 0 or -ENOMEM. */
static int parser_reserve(struct ed_parser *parser)
{
    size_t capacity = parser->capacity ? parser->capacity : PARSER_FIELDS;
    struct ed_field_span *fields;

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
static void parser_take_fields(struct ed_parser *parser, const char *data, size_t size, size_t at)
{
    do {
        parser->taken +=
            ed_lines_take(&parser->lines, data + (parser->taken - at), size - (parser->taken - at));
    } while (parser->lines.whole && parser->lines.line > 0 && parser->taken < at + size);
}

static bool parser_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Single blanks stand between a request line's parts, and nothing behind them. */
static int parser_check_request(struct ed_parser *parser, const char *data, size_t at)
{
    size_t target = parser->target.at, behind = target + parser->target.size;
    struct ed_refusal why;

    if (!parser->version_read)
        return parser_refuse_protocol(parser, "the version is missing");
    if (target != parser->start + parser->method_size + 1 || parser->version.at != behind + 6 ||
        memcmp(data + (behind - at), " HTTP/", 6) != 0 ||
        parser->lines.line != parser->version.at + 3 - parser->start)
        return parser_refuse_protocol(parser, "the request line has other blanks than two");
    if (!ed_target_check(parser->method, parser->method_size, data + (target - at),
                         parser->target.size, &why))
        return parser_refuse_for(parser, &why);
    return 0;
}

/* The reason may be missing, with its blank or without (RFC 9112, 4: as some servers do). */
static int parser_check_response(struct ed_parser *parser, const char *data, size_t at)
{
    size_t line = parser->lines.line, start = parser->start;
    const char *text = data + (start + 8 - at); /* the first byte may be in another piece */

    if (!parser->version_read || parser->version.at != start + 5 || line < 12 || text[0] != ' ' ||
        text[1] == '0' || (line > 12 && text[4] != ' '))
        return parser_refuse_protocol(parser, "not a status line");
    for (int i = 1; i < 4; i++) {
        if (!parser_is_digit(text[i]))
            return parser_refuse_protocol(parser, "not a status");
    }
    return 0;
}

/* Behind a line that ends where a start line is expected: 0, or an error. */
static int parser_start_ends(struct ed_parser *parser, const char *data, size_t at)
{
    int rc;

    if (parser->lines.line == 0 && parser->response)
        return parser_refuse_protocol(parser, "an empty line instead of a status line");
    if (parser->lines.line == 0) {
        parser->start = parser->fed = parser->taken;
        return 0;
    }
    rc = parser->response ? parser_check_response(parser, data, at)
                          : parser_check_request(parser, data, at);
    if (rc == 0)
        parser->stage = ED_PARSER_FIELDS;
    return rc;
}

/* Goes through new bytes of a head, from where it was left: 0, or an error. */
int ed_parser_head(struct ed_parser *parser, const char *data, size_t size, size_t at)
{
    int rc = 0;

    while (rc == 0 && parser->stage < ED_PARSER_HEAD) {
        bool begins = parser->stage == ED_PARSER_START, stuck = parser->fed < parser->taken;

        if (!stuck && parser->taken == at + size)
            break;
        if (!stuck && begins)
            parser->taken += ed_lines_take(&parser->lines, data + (parser->taken - at),
                                           size - (parser->taken - at));
        else if (!stuck)
            parser_take_fields(parser, data, size, at);
        rc = parser_reserve(parser);
        if (rc == 0)
            rc = parser_feed(parser, data, at);
        if (rc == 0 && parser->lines.fault)
            rc = parser_refuse_line(parser);
        if (rc == 0 && parser->lines.whole && begins)
            rc = parser_start_ends(parser, data, at);
        else if (rc == 0 && parser->lines.whole && parser->lines.line == 0)
            parser->stage = ED_PARSER_HEAD;
    }
    return rc;
}

static bool parser_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Ends names and values in the text at whose front the place `start` is, and lists them: 0 or
 * -ENOMEM. */
static int parser_list_fields(const struct ed_parser *parser, char *text, size_t start,
                              struct ed_arena *arena, struct eddy_headers *out)
{
    struct ed_field *fields = NULL;

    if (parser->count > 0 && !(fields = ed_arena_alloc(arena, parser->count * sizeof *fields)))
        return -ENOMEM;
    for (size_t i = 0; i < parser->count; i++) {
        const struct ed_span *name = &parser->fields[i].name, *value = &parser->fields[i].value;
        /* an empty value has no place: it is the NUL behind the name */
        char *from = text + (value->size ? value->at : name->at + name->size) - start;
        size_t size = value->size;

        while (size > 0 && parser_is_blank(from[size - 1]))
            size--;
        text[name->at + name->size - start] = from[size] = '\0';
        fields[i] = (struct ed_field){
            .name = text + name->at - start,
            .value = from,
            .name_size = name->size,
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
static void parser_list_start(const struct ed_parser *parser, char *text, struct ed_head *out)
{
    size_t line = (size_t)(strchr(text, '\r') - text);

    text[line] = '\0';
    out->minor = parser_llhttp(parser)->http_minor;
    if (parser->response) {
        out->status = parser_llhttp(parser)->status_code;
        out->reason = text + (line > 13 ? 13 : line);
        return;
    }
    text[parser->method_size] = text[parser->version.at - 6 - parser->start] = '\0';
    out->method = text;
    out->method_size = parser->method_size;
    out->target = text + (parser->target.at - parser->start);
    out->target_size = parser->target.size;
}

void ed_parser_begin_chunks(struct ed_parser *parser)
{
    parser->head_fields = parser->count;
    parser->overhead = 0;
    parser->has_first = false;
    parser_begin_lines(parser, SIZE_MAX, SIZE_MAX);
    parser->stage = ED_PARSER_SIZE;
}

int ed_parser_finish_head(struct ed_parser *parser, const char *data, struct ed_arena *arena,
                          struct ed_head *out)
{
    size_t apart = parser->has_first, start = parser->start, size = parser->taken - start;
    struct ed_head head = {.status = 0};
    struct ed_refusal why;
    char *text;

    if (!parser->head_complete)
        return parser_refuse_protocol(parser, "the head has no end");
    text = ed_arena_alloc(arena, size + 1);
    if (!text)
        return -ENOMEM;
    if (start == 0 && apart)
        text[0] = parser->first;
    memcpy(text + (start == 0 ? apart : 0), data + (start > 0 ? start - apart : 0),
           size - (start == 0 ? apart : 0));
    text[size] = '\0';
    if (parser_list_fields(parser, text, start, arena, &head.fields) < 0)
        return -ENOMEM;
    parser_list_start(parser, text, &head);
    if (!ed_head_complete(&head, parser->response, &why))
        return parser_refuse_for(parser, &why);
    parser->stage = ED_PARSER_IDLE;
    *out = head;
    return 0;
}

int ed_parser_finish_trailers(struct ed_parser *parser, const char *data, struct ed_arena *arena,
                              struct eddy_headers **out)
{
    struct eddy_headers *trailers = NULL;
    struct ed_refusal why;
    char *text;

    if (parser->count > 0) {
        trailers = ed_arena_alloc(arena, sizeof *trailers);
        text = ed_arena_copy(arena, data, parser->taken);
        if (!trailers || !text || parser_list_fields(parser, text, 0, arena, trailers) < 0)
            return -ENOMEM;
        if (!ed_trailers_check(trailers, &why))
            return parser_refuse_for(parser, &why);
    }
    parser->stage = ED_PARSER_IDLE;
    *out = trailers;
    return 0;
}

/* Behind the line with a chunk's size: 0, or an error. Chunks that have more around them than in
 * them cost the reader more than the sender. */
static int parser_size_ends(struct ed_parser *parser, const char *data)
{
    uint64_t size = parser_llhttp(parser)->content_length;
    size_t line = parser->lines.line + 2, usual = PARSER_CHUNK;

    if (size > INT64_MAX)
        return parser_refuse_protocol(parser, "the size of a chunk is too large");
    if (parser->in_extension && !ed_chunk_extensions_check(data, parser->lines.line))
        return parser_refuse_protocol(parser, "the extensions of a chunk are not valid");
    parser->in_extension = false;
    usual += size < PARSER_OVERHEAD ? (size_t)(2 * size) : 2 * PARSER_OVERHEAD;
    parser->overhead += line;
    parser->overhead -= usual < parser->overhead ? usual : parser->overhead;
    if (parser->overhead > PARSER_OVERHEAD)
        return parser_refuse(parser, EDDY_ELIMIT, 400, "the chunks have too much but data");
    parser->chunk_left = size;
    parser->stage = ED_PARSER_DATA;
    if (size > 0)
        return 0;
    parser->stage = ED_PARSER_TRAILERS;
    parser_begin_lines(parser, parser->limits.fields - parser->head_fields,
                       parser->limits.head_size);
    return 0;
}

/* Behind a line of the framing, which `data` shows: 0, or an error. */
static int parser_line_ends(struct ed_parser *parser, const char *data)
{
    if (parser->stage == ED_PARSER_SIZE)
        return parser_size_ends(parser, data);
    if (parser->stage == ED_PARSER_TRAILERS && parser->lines.line > 0)
        return 0;
    if (parser->lines.line > 0)
        return parser_refuse_protocol(parser, "data behind the end of a chunk");
    if (parser->stage == ED_PARSER_TRAILERS && !parser->complete)
        return parser_refuse_protocol(parser, "the trailers have no end");
    parser->stage = parser->stage == ED_PARSER_GAP ? ED_PARSER_SIZE : ED_PARSER_END;
    return 0;
}

bool ed_parser_is_stuck(const struct ed_parser *parser)
{
    return parser->fed < parser->taken || parser->stage == ED_PARSER_HEAD ||
           parser->stage == ED_PARSER_END;
}

int ed_parser_line(struct ed_parser *parser, const char *data, size_t size, size_t *used)
{
    enum ed_parser_stage stage = parser->stage;
    size_t taken;
    int rc = 0;

    *used = 0;
    if (!ed_parser_is_stuck(parser))
        parser->taken += ed_lines_take(&parser->lines, data + parser->taken, size - parser->taken);
    if (stage == ED_PARSER_TRAILERS)
        rc = parser_reserve(parser);
    if (rc == 0)
        rc = parser_feed(parser, data, 0);
    if (rc == 0 && parser->lines.fault)
        rc = parser_refuse_line(parser);
    if (rc < 0 || !parser->lines.whole || stage == ED_PARSER_END)
        return rc;
    taken = parser->taken;
    rc = parser_line_ends(parser, data);
    if (rc == 0 && stage != ED_PARSER_TRAILERS) {
        parser->taken = parser->fed = 0;
        *used = taken;
    }
    return rc;
}

int ed_parser_data(struct ed_parser *parser, const char *data, size_t size)
{
    int rc = parser_execute(parser, data, size);

    parser->chunk_left -= size;
    if (rc == 0 && parser->chunk_left == 0)
        parser->stage = ED_PARSER_GAP;
    return rc;
}

struct ed_parser *ed_parser_new(bool response, const struct ed_limits *limits)
{
    struct parser_block *block = eddy_alloc_(sizeof *block);

    if (!block)
        return NULL;
    block->parser.response = response;
    block->parser.limits = *limits;
    /* Places have 32 bits. */
    if (limits->head_size > INT32_MAX)
        block->parser.limits.head_size = INT32_MAX;
    if (limits->fields > INT32_MAX)
        block->parser.limits.fields = INT32_MAX;
    return &block->parser;
}

void ed_parser_free(struct ed_parser *parser)
{
    if (!parser)
        return;
    eddy_free(parser->fields);
    eddy_free(ed_container_of(parser, struct parser_block, parser));
}
