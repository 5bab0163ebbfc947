/* SPDX-License-Identifier: MIT */
/*
 * What a head says about its message. All heads come here once, when they are whole, with fields
 * that are valid one by one; here is what they must not be together.
 *
 * How long a message is must be beyond doubt, since who sees its end elsewhere than others do
 * takes a part of it for the next (RFC 9112, 6.3 and 11.2): one Content-Length of digits alone, or
 * one Transfer-Encoding that is "chunked" alone, never both, and the latter not in HTTP/1.0.
 * Whom it is for likewise: one Host, and the authority of the target before it.
 */
#include "http/head.h"

#include <string.h>

/* Fields that mean something here, as bits. */
enum head_field {
    HEAD_OTHER = 0,
    HEAD_HOST = 1,
    HEAD_LENGTH = 2,
    HEAD_TRANSFER = 4,
    HEAD_CONNECTION = 8,
    HEAD_UPGRADE = 16,
    HEAD_EXPECT = 32,
    HEAD_CONTENT_TYPE = 64,
    HEAD_CONTENT_RANGE = 128,
    HEAD_CONTENT_LOCATION = 256,
    HEAD_ETAG = 512,
    HEAD_MAX_FORWARDS = 1024,
    HEAD_SERVER = 2048,
    HEAD_USER_AGENT = 4096,
};

/* Which of them a message may have once only. */
#define HEAD_SINGLE (HEAD_LENGTH | HEAD_TRANSFER)
#define HEAD_SINGLE_REQUEST                                                                        \
    (HEAD_SINGLE | HEAD_HOST | HEAD_CONTENT_TYPE | HEAD_CONTENT_RANGE | HEAD_CONTENT_LOCATION |    \
     HEAD_ETAG | HEAD_MAX_FORWARDS | HEAD_SERVER | HEAD_USER_AGENT)

struct head_name {
    const char *name;
    enum head_field field;
};

/* Names by their length, since most fields are told apart by that already. */
static const struct head_name head_names[][3] = {
    [4] = {{"host", HEAD_HOST}, {"etag", HEAD_ETAG}},
    [6] = {{"expect", HEAD_EXPECT}, {"server", HEAD_SERVER}},
    [7] = {{"upgrade", HEAD_UPGRADE}},
    [10] = {{"connection", HEAD_CONNECTION}, {"user-agent", HEAD_USER_AGENT}},
    [12] = {{"content-type", HEAD_CONTENT_TYPE}, {"max-forwards", HEAD_MAX_FORWARDS}},
    [13] = {{"content-range", HEAD_CONTENT_RANGE}},
    [14] = {{"content-length", HEAD_LENGTH}},
    [16] = {{"content-location", HEAD_CONTENT_LOCATION}},
    [17] = {{"transfer-encoding", HEAD_TRANSFER}},
};

/* What the fields of a head have said so far. */
struct head_state {
    struct ed_head *head;
    unsigned seen; /* of enum head_field */
    bool close, keep_alive, upgrade;
};

static enum head_field head_field_of(const struct ed_field *field)
{
    size_t size = field->name_size;

    if (size >= ED_ARRAY_LENGTH(head_names))
        return HEAD_OTHER;
    for (const struct head_name *name = head_names[size]; name->name; name++) {
        if (ed_same_letters(field->name, name->name, size))
            return name->field;
    }
    return HEAD_OTHER;
}

static bool head_refuse(struct ed_refusal *why, int status, const char *text)
{
    *why = (struct ed_refusal){status, text};
    return false;
}

static bool head_is(const char *text, size_t size, const char *word)
{
    return size == strlen(word) && ed_same_letters(text, word, size);
}

/* Who a request is for. */

static bool head_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* How many bytes at the front may stand in a host: a name, or an address in brackets. */
static size_t head_host_size(const char *text, size_t size)
{
    const char *also = *text == '[' ? ":." : "-._~!$&'()*+;=%";
    size_t i = *text == '[';

    while (i < size && text[i] &&
           (head_is_digit(text[i]) || ((text[i] | 0x20) >= 'a' && (text[i] | 0x20) <= 'z') ||
            strchr(also, text[i])))
        i++;
    if (*text == '[')
        return i > 1 && i < size && text[i] == ']' ? i + 1 : 0;
    return i;
}

/* Whether a text is a host, and perhaps a port behind it (RFC 3986, 3.2, without a user). */
static bool head_is_authority(const char *text, size_t size, bool needs_port)
{
    size_t host = size ? head_host_size(text, size) : 0, digits = 0;

    if (host == 0 || (host < size && text[host] != ':'))
        return false;
    for (size_t i = host + 1; i < size; i++, digits++) {
        if (!head_is_digit(text[i]))
            return false;
    }
    return digits <= 5 && (digits > 0 || !needs_port);
}

/* How long the scheme and "://" of an absolute target are; 0: it has none that is served. */
static size_t head_scheme_size(const char *target, size_t size)
{
    if (size > 7 && ed_same_letters(target, "http://", 7))
        return 7;
    return size > 8 && ed_same_letters(target, "https://", 8) ? 8 : 0;
}

static size_t head_authority_size(const char *authority, size_t size)
{
    size_t i = 0;

    while (i < size && authority[i] != '/' && authority[i] != '?')
        i++;
    return i;
}

bool ed_target_check(const char *method, size_t method_size, const char *target, size_t size,
                     struct ed_refusal *why)
{
    bool connect = method_size == 7 && memcmp(method, "CONNECT", 7) == 0;
    size_t scheme;

    if (size == 0)
        return head_refuse(why, 400, "the target is missing");
    if (memchr(target, '#', size))
        return head_refuse(why, 400, "the target has a fragment");
    if (connect)
        return head_is_authority(target, size, true) ||
               head_refuse(why, 400, "the target of CONNECT is not a host and a port");
    if (*target == '/')
        return true;
    if (size == 1 && *target == '*')
        return (method_size == 7 && memcmp(method, "OPTIONS", 7) == 0) ||
               head_refuse(why, 400, "only OPTIONS may have the target *");
    scheme = head_scheme_size(target, size);
    if (scheme == 0)
        return head_refuse(why, 400, "the target is neither a path nor an http URL");
    target += scheme;
    return head_is_authority(target, head_authority_size(target, size - scheme), false) ||
           head_refuse(why, 400, "the target's host is not valid");
}

/* Sets host and path from the target, where they are there: 0 or -ENOMEM. */
static bool head_read_target(struct ed_head *head)
{
    size_t scheme, size;
    const char *rest;

    head->path = head->target;
    if (*head->target == '/' || *head->target == '*')
        return true;
    if (head->method_size == 7 && memcmp(head->method, "CONNECT", 7) == 0) {
        head->path = "";
        head->host = head->target;
        return true;
    }
    scheme = head_scheme_size(head->target, head->target_size);
    rest = head->target + scheme;
    size = head_authority_size(rest, head->target_size - scheme);
    head->host = ed_arena_copy(head->fields.arena, rest, size);
    head->path = rest[size] == '/'   ? rest + size
                 : rest[size] == '?' ? ed_arena_printf(head->fields.arena, "/%s", rest + size)
                                     : "/";
    return head->host && head->path;
}

static bool
head_read_host(struct head_state *state, const struct ed_field *field, struct ed_refusal *why)
{
    struct ed_head *head = state->head;
    bool may_be_empty = head->minor == 0 || *head->target == '*';

    if (field->value_size == 0 ? !may_be_empty
                               : !head_is_authority(field->value, field->value_size, false))
        return head_refuse(why, 400, "Host is not valid");
    if (!head->host)
        head->host = field->value;
    return true;
}

/* How long a message is. */

static bool
head_read_length(struct ed_head *head, const struct ed_field *field, struct ed_refusal *why)
{
    int64_t length = 0;

    if (field->value_size == 0)
        return head_refuse(why, 400, "Content-Length is empty");
    for (size_t i = 0; i < field->value_size; i++) {
        if (!head_is_digit(field->value[i]))
            return head_refuse(why, 400, "Content-Length is not a number");
        if (__builtin_mul_overflow(length, 10, &length) ||
            __builtin_add_overflow(length, field->value[i] - '0', &length))
            return head_refuse(why, 400, "Content-Length is too large");
    }
    head->length = length;
    return true;
}

/* Other codings than chunked are understood by nobody here; if chunked is not the last, nobody can
 * say where the body ends (RFC 9112, 6.1 and 6.3). */
static bool
head_read_transfer(struct ed_head *head, const struct ed_field *field, struct ed_refusal *why)
{
    static const char chunked[] = "chunked";
    const size_t word = sizeof chunked - 1, size = field->value_size;
    size_t other;

    if (head->minor == 0)
        return head_refuse(why, 400, "Transfer-Encoding does not belong to HTTP/1.0");
    head->chunked = head_is(field->value, size, chunked);
    if (head->chunked)
        return true;
    for (other = size > word ? size - word : 0; other > 0; other--) {
        if (field->value[other - 1] != ' ' && field->value[other - 1] != '\t')
            break;
    }
    if (other > 1 && field->value[other - 1] == ',' && ed_is_token(field->value, other - 1) &&
        !head_is(field->value, other - 1, chunked) &&
        ed_same_letters(field->value + size - word, chunked, word))
        return head_refuse(why, 501, "Transfer-Encoding has another coding than chunked");
    return head_refuse(why, 400, "Transfer-Encoding is not chunked");
}

/* The rest. */

static bool head_read_option(const char *member, size_t size, void *argument)
{
    struct head_state *state = argument;

    state->close |= head_is(member, size, "close");
    state->keep_alive |= head_is(member, size, "keep-alive");
    state->upgrade |= head_is(member, size, "upgrade");
    return true;
}

static bool head_read_field(struct head_state *state, enum head_field kind,
                            const struct ed_field *field, struct ed_refusal *why)
{
    struct ed_head *head = state->head;

    switch (kind) {
    case HEAD_HOST: return !head->method || head_read_host(state, field, why);
    case HEAD_LENGTH: return head_read_length(head, field, why);
    case HEAD_TRANSFER: return head_read_transfer(head, field, why);
    case HEAD_CONNECTION: ed_each_member(field->value, head_read_option, state); return true;
    case HEAD_EXPECT:
        head->expects = head->minor > 0 && head_is(field->value, field->value_size, "100-continue");
        return true;
    default: return true;
    }
}

static bool head_check_all(const struct head_state *state, bool response, struct ed_refusal *why)
{
    const struct ed_head *head = state->head;
    bool framed = state->seen & (HEAD_LENGTH | HEAD_TRANSFER);

    if ((state->seen & HEAD_LENGTH) && (state->seen & HEAD_TRANSFER))
        return head_refuse(why, 400, "both Content-Length and Transfer-Encoding are there");
    if (response)
        return true;
    if (head->minor > 0 && !(state->seen & HEAD_HOST))
        return head_refuse(why, 400, "Host is missing");
    if (framed && !*head->path)
        return head_refuse(why, 400, "CONNECT has no body");
    return true;
}

bool ed_head_complete(struct ed_head *head, bool response, struct ed_refusal *why)
{
    struct head_state state = {.head = head};
    unsigned single = response ? HEAD_SINGLE : HEAD_SINGLE_REQUEST;

    head->length = -1;
    head->host = NULL;
    if (!response && !head_read_target(head))
        return head_refuse(why, 0, NULL);
    for (size_t i = 0; i < head->fields.count; i++) {
        const struct ed_field *field = &head->fields.fields[i];
        enum head_field kind = head_field_of(field);

        if (kind & state.seen & single)
            return head_refuse(why, 400, "a field that may stand there once is there twice");
        state.seen |= kind;
        if (kind && !head_read_field(&state, kind, field, why))
            return false;
    }
    if (!head_check_all(&state, response, why))
        return false;
    if (!head->host)
        head->host = "";
    head->keep_alive = !state.close && (head->minor > 0 || state.keep_alive);
    head->upgrade = head->minor > 0 && state.upgrade && (state.seen & HEAD_UPGRADE);
    head->has_body = head->chunked || head->length > 0;
    return true;
}

bool ed_trailers_check(const struct eddy_headers *trailers, struct ed_refusal *why)
{
    for (size_t i = 0; i < trailers->count; i++) {
        if (head_field_of(&trailers->fields[i]) &
            (HEAD_SINGLE | HEAD_HOST | HEAD_CONNECTION | HEAD_UPGRADE))
            return head_refuse(why, 400, "a trailer says how the message is framed or routed");
    }
    return true;
}
