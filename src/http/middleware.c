/* SPDX-License-Identifier: MIT */
/*
 * The middlewares of a client, around each hop of a request.
 *
 * A hop goes through the list from its first to its last, each calling the next one, and behind the
 * last it is sent. What it is answered by is always the request's one response, whose head and body
 * are those of the last answer: whoever sends again, or answers himself, drops the one before. So
 * nothing has to be carried from one middleware to the other, and nothing is left over.
 *
 *     behind a middleware that returns 0 the response has a status other than 0, and its body is
 *     open
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "http/client.h"

#define IN_A_MIDDLEWARE "in a middleware" /* the phase, for texts of errors */

/* Opens the body of an answer that is there, without which it is none. */
static int hop_open_body(const eddy_http_hop *hop)
{
    const eddy_http_options *options = &hop->request->choice.options;
    eddy_http_response *response = hop->request->response;
    int rc = ed_response_open_body(response, options->keep_encoding, options->decoded_limit);

    if (rc < 0)
        response->head.status = 0;
    return rc;
}

/* Behind the last middleware. */
static int hop_send(eddy_http_hop *hop)
{
    struct ed_request *request = hop->request;
    int rc;

    if (hop->sent || request->response->body)
        ed_response_restart(request->response);
    if (hop->sent && ed_request_rewind(request) < 0)
        return eddy_raise(EDDY_EHTTP_PAYLOAD, "the body cannot be sent a second time");
    hop->sent = true;
    rc = ed_request_hop(request);
    return rc < 0 ? rc : hop_open_body(hop);
}

static int hop_call(eddy_http_hop *hop, const eddy_http_middleware *middleware)
{
    int rc;

    hop->next = middleware + 1;
    hop->request->phase = IN_A_MIDDLEWARE;
    rc = middleware->call(hop, middleware->argument);
    hop->next = middleware;
    if (rc >= 0 && hop->request->response->head.status == 0)
        return eddy_raise(-EINVAL, "it returned without an answer");
    return rc < 0 ? rc : 0;
}

int eddy_http_next(eddy_http_hop *hop)
{
    int rc = hop->next->call ? hop_call(hop, hop->next) : hop_send(hop);

    if (rc == 0)
        hop->request->phase = IN_A_MIDDLEWARE;
    return rc;
}

int ed_request_visit(struct ed_request *request)
{
    eddy_http_hop hop = {.request = request, .next = request->choice.options.middlewares};
    int rc;

    if (ed_likely(!hop.next || !hop.next->call))
        return ed_request_hop(request);
    request->hop = &hop;
    rc = eddy_http_next(&hop);
    request->hop = NULL;
    return rc;
}

/* What a middleware sees and does ------------------------------------------------------------ */

const char *eddy_http_hop_method(const eddy_http_hop *hop)
{
    return hop->request->method;
}

const eddy_url *eddy_http_hop_url(const eddy_http_hop *hop)
{
    return hop->request->response->url;
}

eddy_http_response *eddy_http_hop_response(const eddy_http_hop *hop)
{
    eddy_http_response *response = hop->request->response;

    return response->head.status ? response : NULL;
}

/* The place of a field, which may be a new one; NULL when memory is short. */
static eddy_pair *hop_header(eddy_http_hop *hop, const char *name)
{
    struct ed_arena *arena = &hop->request->response->arena;
    size_t count = hop->header_count;
    eddy_pair *larger;

    for (size_t i = 0; i < count; i++)
        if (strcasecmp(hop->headers[i].name, name) == 0)
            return &hop->headers[i];
    larger = ed_arena_alloc(arena, (count + 2) * sizeof *larger);
    name = ed_arena_copy(arena, name, strlen(name));
    if (!larger || !name)
        return NULL;
    if (count > 0)
        memcpy(larger, hop->headers, count * sizeof *larger);
    larger[count] = (eddy_pair){name, NULL};
    larger[count + 1] = (eddy_pair){NULL, NULL};
    hop->headers = larger;
    hop->header_count++;
    return &larger[count];
}

int eddy_http_hop_set_header(eddy_http_hop *hop, const char *name, const char *value)
{
    const eddy_pair pairs[] = {{name, value}, {NULL, NULL}};
    eddy_pair *header;

    if (strcasecmp(name, "Content-Length") == 0 || strcasecmp(name, "Transfer-Encoding") == 0)
        return eddy_raise(-EINVAL, "%s is set by the client", name);
    EDDY_TRY(ed_request_check_headers(pairs));
    if (value && !(value = ed_arena_copy(&hop->request->response->arena, value, strlen(value))))
        return -ENOMEM;
    header = hop_header(hop, name);
    if (!header)
        return -ENOMEM;
    header->value = value;
    return 0;
}

/* Makes the head of an answer of one's own. */
static int
answer_set_head(eddy_http_response *response, int status, const eddy_pair *headers, size_t size)
{
    struct ed_head head = {.reason = eddy_http_reason(status), .minor = 1, .length = (int64_t)size};

    ed_headers_init(&head.fields, &response->arena);
    for (; headers && headers->name; headers++)
        if (headers->value)
            EDDY_TRY(eddy_headers_add(&head.fields, headers->name, headers->value));
    response->head = head;
    response->head.status = status;
    return 0;
}

int eddy_http_hop_answer(eddy_http_hop *hop, int status, const eddy_pair *headers, const void *data,
                         size_t size)
{
    eddy_http_response *response = hop->request->response;

    if (status < 200 || status > 599)
        return eddy_raise(-EINVAL, "%d is not the status of an answer", status);
    EDDY_TRY(ed_request_check_headers(headers));
    if (size > 0 && !(data = ed_arena_copy(&response->arena, data, size)))
        return -ENOMEM;
    ed_response_restart(response);
    EDDY_TRY(answer_set_head(response, status, headers, size));
    if (strcmp(hop->request->method, "HEAD") != 0) {
        response->given = data;
        response->given_size = size;
    }
    return hop_open_body(hop);
}
