/* SPDX-License-Identifier: MIT */
/*
 * Answers that are set as a whole.
 *
 * Until it is sent, an answer is a status, fields, and a body: bytes in the arena or the caller's,
 * a block that is the answer's, or a part of a file. It is sent once, when the handler and all
 * middlewares have returned: head and bytes in one write, so that what small answers there are go
 * out together when the loop looks at the kernel the next time.
 *
 * Fields whose texts are the library's own are put without a copy. The head is measured first,
 * and then written into one piece of the arena.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/uio.h>
#include <unistd.h>

#include "http/web_exchange.h"

#define ANSWER_READ ((size_t)64 << 10) /* bytes of a file that are sent with the head */

void ed_web_answer_init(eddy_web_request *request)
{
    request->answer = (struct ed_web_answer){.fd = -1};
    ed_headers_init(&request->answer.fields, &request->arena);
}

void ed_web_answer_drop(eddy_web_request *request)
{
    struct ed_web_answer *answer = &request->answer;

    eddy_free(answer->taken);
    ed_cached_leave(answer->cached);
    answer->cached = NULL;
    if (answer->fd >= 0)
        close(answer->fd);
    answer->fd = -1;
    answer->taken = NULL;
    answer->data = NULL;
    answer->size = 0;
    answer->status = 0;
}

void ed_web_answer_drop_fields(eddy_web_request *request)
{
    static const char *const names[] = {
        "Content-Type",  "Content-Encoding",   "Content-Language", "Content-Location",
        "ETag",          "Last-Modified",      "Cache-Control",    "Expires",
        "Accept-Ranges", "Content-Disposition"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        (void)eddy_headers_remove(&request->answer.fields, names[i]); /* they are ours */
}

int ed_web_answer_check(const eddy_web_request *request)
{
    return request->answer.started
               ? eddy_raise(-EPERM, "the answer has begun, and cannot be changed")
               : 0;
}

bool ed_web_status_has_body(int status)
{
    return status >= 200 && status != 204 && status != 304;
}

/* Fields ------------------------------------------------------------------------------ */

int ed_web_answer_put(eddy_web_request *request, const char *name, const char *value)
{
    struct eddy_headers *fields = &request->answer.fields;

    if (fields->count > 0)
        (void)eddy_headers_remove(fields, name); /* they are ours */
    return ed_headers_put(fields, name, strlen(name), value, strlen(value));
}

/* Fields that say how the answer is framed are the server's. */
static int answer_check_field(eddy_web_request *request, const char *name)
{
    if (strcasecmp(name, "Content-Length") == 0 || strcasecmp(name, "Transfer-Encoding") == 0)
        return eddy_raise(-EINVAL, "%s is set by the server", name);
    return ed_web_answer_check(request);
}

/* "Connection: close" is a wish. */
static bool answer_takes_wish(eddy_web_request *request, const char *name, const char *value)
{
    if (strcasecmp(name, "Connection") != 0 || strcasecmp(value, "close") != 0)
        return false;
    request->answer.close = true;
    return true;
}

int eddy_web_add_header(eddy_web_request *request, const char *name, const char *value)
{
    int rc = answer_check_field(request, name);

    if (rc < 0 || answer_takes_wish(request, name, value))
        return rc;
    return eddy_headers_add(&request->answer.fields, name, value);
}

int eddy_web_set_header(eddy_web_request *request, const char *name, const char *value)
{
    int rc = answer_check_field(request, name);

    if (rc < 0 || answer_takes_wish(request, name, value))
        return rc;
    return eddy_headers_set(&request->answer.fields, name, value);
}

int eddy_web_set_cookie(eddy_web_request *request, const eddy_cookie *cookie)
{
    int rc = ed_web_answer_check(request);
    char *text = NULL;

    if (rc == 0)
        rc = eddy_cookie_format(cookie, &text);
    if (rc == 0)
        rc = eddy_headers_add(&request->answer.fields, "Set-Cookie", text);
    eddy_free(text);
    return rc;
}

int eddy_web_remove_cookie(eddy_web_request *request, const char *name)
{
    const eddy_cookie gone = {.name = name, .value = "", .path = "/", .max_age = -1, .expires = 1};

    return eddy_web_set_cookie(request, &gone);
}

/* Bodies ------------------------------------------------------------------------------ */

/* The type of a body: the one that is given, what was set before, or bytes. `lasting`: its text
 * stays valid. */
static int answer_set_type(eddy_web_request *request, const char *type, bool lasting)
{
    struct eddy_headers *fields = &request->answer.fields;

    if (!type) {
        if (fields->count > 0 && eddy_headers_get(fields, "Content-Type"))
            return 0;
        type = "application/octet-stream";
        lasting = true;
    }
    return lasting ? ed_web_answer_put(request, "Content-Type", type)
                   : eddy_headers_set(fields, "Content-Type", type);
}

/* Sets all of it; `data` stays valid until it is sent. */
static int answer_set(eddy_web_request *request, int status, const char *type, bool lasting,
                      const void *data, size_t size)
{
    int rc = ed_web_answer_check(request);

    if (rc == 0 && (status < 200 || status > 599))
        rc = eddy_raise(-EINVAL, "%d is not the status of an answer", status);
    if (rc < 0)
        return rc;
    ed_web_answer_drop(request);
    rc = answer_set_type(request, type, lasting);
    if (rc < 0)
        return rc;
    request->answer.status = status;
    request->answer.data = data;
    request->answer.size = size;
    return 0;
}

static int answer_send(eddy_web_request *request, int status, const char *type, bool lasting,
                       const void *data, size_t size)
{
    if (size > 0 && size <= ED_WEB_COPIED && !(data = ed_arena_copy(&request->arena, data, size)))
        return -ENOMEM;
    return answer_set(request, status, type, lasting, data, size);
}

int eddy_web_send(eddy_web_request *request, int status, const char *content_type, const void *data,
                  size_t size)
{
    return answer_send(request, status, content_type, false, data, size);
}

int eddy_web_send_taken(eddy_web_request *request, int status, const char *content_type, void *data,
                        size_t size)
{
    int rc = answer_set(request, status, content_type, false, data, size);

    if (rc < 0)
        eddy_free(data);
    else
        request->answer.taken = data;
    return rc;
}

#define TYPE_TEXT "text/plain; charset=utf-8"
#define TYPE_HTML "text/html; charset=utf-8"
#define TYPE_JSON "application/json"

int eddy_web_send_text(eddy_web_request *request, int status, const char *text)
{
    return answer_send(request, status, TYPE_TEXT, true, text, strlen(text));
}

int eddy_web_send_html(eddy_web_request *request, int status, const char *text)
{
    return answer_send(request, status, TYPE_HTML, true, text, strlen(text));
}

int eddy_web_send_json_text(eddy_web_request *request, int status, const char *text, size_t size)
{
    return answer_send(request, status, TYPE_JSON, true, text, size);
}

/* Formats into what is free of the arena's block, when it fits, else once more into a piece. */
static char *
answer_format(struct ed_arena *arena, size_t *size, const char *format, va_list arguments)
{
    size_t room = (size_t)(arena->end - arena->next);
    va_list again;
    char *text;
    int length;

    va_copy(again, arguments);
    length = vsnprintf(arena->next, room, format, arguments);
    text = length < 0 ? NULL : ed_arena_alloc(arena, (size_t)length + 1);
    if (text && (size_t)length >= room)
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    *size = (size_t)length;
    return text;
}

int eddy_web_printf(eddy_web_request *request, int status, const char *format, ...)
{
    va_list arguments;
    size_t size;
    char *text;

    va_start(arguments, format);
    text = answer_format(&request->arena, &size, format, arguments);
    va_end(arguments);
    return text ? answer_set(request, status, TYPE_TEXT, true, text, size) : -ENOMEM;
}

/* Room for JSON that jansson writes, which does not say how much it will be. */
struct json_text {
    struct ed_arena *arena;
    char *data;
    size_t size, capacity;
};

static int json_text_add(const char *data, size_t size, void *argument)
{
    struct json_text *text = argument;

    if (size > text->capacity - text->size) {
        size_t capacity = 2 * text->capacity + size + 512;
        char *larger = ed_arena_alloc(text->arena, capacity);

        if (!larger)
            return -1;
        if (text->size > 0)
            memcpy(larger, text->data, text->size);
        text->data = larger;
        text->capacity = capacity;
    }
    memcpy(text->data + text->size, data, size);
    text->size += size;
    return 0;
}

int eddy_web_send_json(eddy_web_request *request, int status, struct json_t *value)
{
    struct json_text text = {.arena = &request->arena};
    int rc = value ? json_dump_callback(value, json_text_add, &text, JSON_COMPACT | JSON_ENCODE_ANY)
                   : -1;

    json_decref(value);
    if (rc < 0)
        return -ENOMEM;
    return answer_set(request, status, TYPE_JSON, true, text.data, text.size);
}

int eddy_web_redirect(eddy_web_request *request, int status, const char *location)
{
    int rc;

    if (status != 301 && status != 302 && status != 303 && status != 307 && status != 308)
        return eddy_raise(-EINVAL, "%d is not the status of a redirect", status);
    rc = eddy_web_set_header(request, "Location", location);
    return rc < 0 ? rc : answer_set(request, status, TYPE_TEXT, true, "", 0);
}

void ed_web_answer_file(eddy_web_request *request, int fd, uint64_t offset, uint64_t length)
{
    request->answer.fd = fd;
    request->answer.offset = (off_t)offset;
    request->answer.length = length;
}

/* The head --------------------------------------------------------------------------- */

static char *head_put(char *at, const char *text, size_t size)
{
    memcpy(at, text, size);
    return at + size;
}
#define HEAD_PUT(at, text) head_put((at), (text), sizeof(text) - 1)

static char *head_put_number(char *at, uint64_t number)
{
    char digits[20];
    size_t count = 0;

    do
        digits[sizeof digits - ++count] = (char)('0' + number % 10);
    while (number /= 10);
    return head_put(at, digits + sizeof digits - count, count);
}

static char *head_put_status(char *at, int status)
{
    const char *reason;

    if (ed_likely(status == 200))
        return HEAD_PUT(at, "HTTP/1.1 200 OK\r\n");
    reason = eddy_http_reason(status);
    at = HEAD_PUT(at, "HTTP/1.1 ");
    at = head_put_number(at, (uint64_t)status);
    *at++ = ' ';
    at = head_put(at, reason, strlen(reason));
    return HEAD_PUT(at, "\r\n");
}

/* What is the server's of the fields: "Server" and "Date", unless they are among those set. */
static char *head_put_common(char *at, const eddy_web_request *request)
{
    const eddy_web_server *server = request->connection->server;
    const struct eddy_headers *fields = &request->answer.fields;
    size_t from = 0, to = server->common_size;

    if (fields->count > 1 || !ed_headers_find(fields, "Content-Type", 12, 0)) {
        if (ed_headers_find(fields, "Server", 6, 0))
            from = server->server_size;
        if (ed_headers_find(fields, "Date", 4, 0))
            to = server->server_size;
    }
    return from < to ? head_put(at, server->common + from, to - from) : at;
}

static char *head_put_fields(char *at, const struct eddy_headers *fields)
{
    for (uint32_t i = 0; i < fields->count; i++) {
        const struct ed_field *field = &fields->fields[i];

        at = head_put(at, field->name, field->name_size);
        at = HEAD_PUT(at, ": ");
        at = head_put(at, field->value, field->value_size);
        at = HEAD_PUT(at, "\r\n");
    }
    return at;
}

static char *head_put_connection(char *at, const eddy_web_request *request)
{
    if (request->answer.upgraded)
        return at;
    if (!ed_web_answer_keeps(request))
        return HEAD_PUT(at, "Connection: close\r\n");
    return ed_unlikely(request->head.minor == 0) ? HEAD_PUT(at, "Connection: keep-alive\r\n") : at;
}

ssize_t ed_web_answer_head(eddy_web_request *request, int64_t length, bool chunked, char **head)
{
    const struct ed_web_answer *answer = &request->answer;
    size_t room = 256 + sizeof request->connection->server->common;
    char *at;

    for (uint32_t i = 0; i < answer->fields.count; i++)
        room += answer->fields.fields[i].name_size + answer->fields.fields[i].value_size + 4;
    *head = at = ed_arena_alloc(&request->arena, room);
    if (!at)
        return -ENOMEM;
    at = head_put_status(at, answer->status);
    at = head_put_common(at, request);
    at = head_put_fields(at, &answer->fields);
    if (length >= 0) {
        at = HEAD_PUT(at, "Content-Length: ");
        at = head_put_number(at, (uint64_t)length);
        at = HEAD_PUT(at, "\r\n");
    } else if (chunked) {
        at = HEAD_PUT(at, "Transfer-Encoding: chunked\r\n");
    }
    at = head_put_connection(at, request);
    at = HEAD_PUT(at, "\r\n");
    return at - *head;
}

/* Sending ----------------------------------------------------------------------------- */

static int answer_write(eddy_web_request *request, const char *head, size_t head_size,
                        const void *data, size_t size)
{
    const struct iovec parts[] = {{(void *)(uintptr_t)head, head_size},
                                  {(void *)(uintptr_t)data, size}};

    request->answer.started = true;
    request->sent = size;
    return eddy_writev(request->connection->stream, parts, size > 0 ? 2 : 1);
}

/* Bytes of a small file that are in memory: how many, or less than there are. */
static size_t answer_read_file(eddy_web_request *request, char **data)
{
    const struct ed_web_answer *answer = &request->answer;
    struct iovec part = {NULL, (size_t)answer->length};
    ssize_t n;

    if (answer->length > ANSWER_READ)
        return 0;
    part.iov_base = *data = ed_arena_alloc(&request->arena, part.iov_len);
    n = *data ? preadv2(answer->fd, &part, 1, answer->offset, RWF_NOWAIT) : -1;
    return n > 0 ? (size_t)n : 0;
}

static int answer_send_file(eddy_web_request *request, const char *head, size_t head_size)
{
    struct ed_web_answer *answer = &request->answer;
    char *data = NULL;
    size_t have = answer_read_file(request, &data);
    uint64_t left = answer->length - have;
    int rc = answer_write(request, head, head_size, data, have);
    ssize_t n = 0;

    if (rc == 0 && left > 0)
        n = eddy_sendfile(request->connection->stream, answer->fd, answer->offset + (off_t)have,
                          (size_t)left);
    if (n < 0)
        return (int)n;
    request->sent += (uint64_t)n;
    if (rc == 0 && (uint64_t)n < left)
        rc = eddy_raise(-EMSGSIZE, "the file has become shorter meanwhile");
    return rc;
}

int ed_web_answer_send(eddy_web_request *request)
{
    struct ed_web_answer *answer = &request->answer;
    bool has_body = ed_web_status_has_body(answer->status);
    bool no_bytes = !has_body || strcmp(request->head.method, "HEAD") == 0;
    uint64_t length = answer->fd >= 0 ? answer->length : answer->size;
    char *head;
    ssize_t size;

    if (!has_body)
        (void)eddy_headers_remove(&answer->fields, "Content-Type"); /* they are ours */
    size = ed_web_answer_head(request, has_body ? (int64_t)length : -1, false, &head);
    if (size < 0)
        return (int)size;
    if (answer->fd >= 0 && !no_bytes && length > 0)
        return answer_send_file(request, head, (size_t)size);
    return answer_write(request, head, (size_t)size, answer->data,
                        no_bytes || answer->fd >= 0 ? 0 : answer->size);
}

int eddy_web_status(const eddy_web_request *request)
{
    return request->answer.status;
}

bool eddy_web_has_started(const eddy_web_request *request)
{
    return request->answer.started;
}

const eddy_headers *eddy_web_answer_headers(const eddy_web_request *request)
{
    return &request->answer.fields;
}
