/* SPDX-License-Identifier: MIT */
/*
 * A request, from its URL to the head of the answer that counts.
 *
 *     request    its time in all; the redirects
 *      visit      the middlewares, if there are any (middleware.c)
 *       hop        one URL; the tries, with a delay before each
 *        attempt    one try; and once more on a new connection, where an idle one turns out stale
 *         exchange   one connection, one head sent, one head read
 *
 * The response is made at the start and filled on the way, so that whatever ends the request is
 * undone in one place. A connection is either the response's or the pool's; what fails with one in
 * hand breaks it. The text of an error is made where it happens, without saying of what; the end of
 * the request puts the method, the URL and the phase in front.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "http/client.h"

#define REQUEST_INLINE 15360 /* bytes of a body that goes with its head, as one small write */
#define REQUEST_REDIRECTS 10

/* An exchange ------------------------------------------------------------------------- */

/* How many bytes the body is going to be, as the server is told. 0, or -EINVAL with a text. */
static int exchange_measure(struct ed_request *request, int64_t *out)
{
    const struct ed_upload *upload = &request->response->upload;
    int64_t size;

    *out = ED_NO_BODY;
    if (!upload->payload || request->bodiless)
        return 0;
    size = ed_payload_size(upload->payload);
    if (request->length >= 0 && size >= 0 && request->length != size)
        return eddy_raise(-EINVAL, "the Content-Length is %lld, and the body has %lld bytes",
                          (long long)request->length, (long long)size);
    if (size == 0)
        request->coding = ED_CODING_IDENTITY;
    if (request->coding != ED_CODING_IDENTITY || request->choice.options.chunked)
        size = -1;
    *out = request->length >= 0 ? request->length : size;
    return 0;
}

/* Sends head and body, or begins to. A small body goes with its head. */
static int exchange_send(struct ed_request *request)
{
    eddy_http_response *response = request->response;
    struct ed_upload *upload = &response->upload;
    eddy_stream *stream = response->connection->stream;
    struct iovec parts[2] = {{NULL, 0}, {NULL, 0}};
    const void *bytes = NULL;
    bool small;
    int64_t size;

    EDDY_TRY(exchange_measure(request, &size));
    upload->waits = request->choice.options.expect_continue && size != ED_NO_BODY && size != 0;
    upload->size = size;
    upload->coding = request->coding;
    EDDY_TRY(ed_request_head(request, size,
                             upload->payload ? ed_payload_type(upload->payload) : NULL, &parts[0]));
    small = size == ED_NO_BODY || (size >= 0 && !upload->waits &&
                                   ed_payload_bytes(upload->payload, &bytes, &parts[1].iov_len) &&
                                   (int64_t)parts[1].iov_len == size && size <= REQUEST_INLINE);
    parts[1].iov_base = (void *)(uintptr_t)bytes;
    if (small && size > 0)
        EDDY_TRY(eddy_writev(stream, parts, 2));
    else
        EDDY_TRY(eddy_write(stream, parts[0].iov_base, parts[0].iov_len));
    ed_trace(response, EDDY_HTTP_HEADERS_SENT, 0, 0);
    if (!small)
        return ed_upload_begin(upload, stream);
    if (size > 0)
        ed_trace(response, EDDY_HTTP_BODY_SENT, 0, parts[1].iov_len);
    return 0;
}

/* A connection that ends before the answer. */
static int exchange_disconnected(int rc)
{
    switch (rc) {
    case 0:
        return eddy_raise(EDDY_EHTTP_DISCONNECTED,
                          "the server closed the connection and did not answer");
    case EDDY_EINCOMPLETE:
        return eddy_raise(EDDY_EHTTP_DISCONNECTED,
                          "the server closed the connection within its answer");
    case -ECONNRESET:
    case -EPIPE:
    case EDDY_ETLS_TRUNCATED:
        return eddy_raise(EDDY_EHTTP_DISCONNECTED, "%s", eddy_error_message(rc));
    default: return rc;
    }
}

/* Reads heads up to the one that counts: 0, or an error. */
static int exchange_read_head(struct ed_request *request)
{
    eddy_http_response *response = request->response;
    struct ed_reader *reader = &response->connection->reader;

    for (int left = ED_INTERIM_ANSWERS; left > 0; left--) {
        int rc = ed_reader_head(reader, &response->arena, &response->head, &request->begun);
        int status = response->head.status;

        if (rc <= 0)
            return exchange_disconnected(rc);
        if (status >= 200 || (status == 101 && request->upgrade))
            return 0;
        if (status == 101)
            return eddy_raise(EDDY_EHTTP_PROTOCOL, "101 was not asked for");
        if (status == 100)
            eddy_event_set(&response->upload.wanted);
    }
    return eddy_raise(EDDY_EHTTP_PROTOCOL, "more than %d answers below 200", ED_INTERIM_ANSWERS);
}

/* The same within the time for a read, which begins when all is sent. */
static int exchange_read_in_time(struct ed_request *request)
{
    struct ed_upload *upload = &request->response->upload;
    double seconds = request->choice.timeouts.read;
    EDDY_TIMEOUT(limit, upload->task ? EDDY_FOREVER : seconds);
    int rc;

    upload->limit = &limit;
    upload->patience = seconds;
    rc = exchange_read_head(request);
    upload->limit = NULL;
    if (rc == -ETIMEDOUT && eddy_timeout_expired(&limit))
        return eddy_raise(EDDY_EHTTP_READ_TIMEOUT, "nothing came within %g seconds", seconds);
    return rc;
}

static int exchange_receive(struct ed_request *request)
{
    eddy_http_response *response = request->response;
    struct ed_upload *upload = &response->upload;
    int rc, failure;

    request->phase = "waiting for the answer";
    rc = request->choice.timeouts.read < EDDY_FOREVER ? exchange_read_in_time(request)
                                                      : exchange_read_head(request);
    failure = rc == -ECONNABORTED ? ed_upload_failure(upload) : 0;
    if (failure < 0) {
        request->phase = "sending the body";
        return failure;
    }
    if (rc < 0)
        return rc;
    if (upload->waits)
        ed_upload_end(upload); /* nobody wants it any more */
    if (response->head.status == 101)
        response->upgraded = true;
    else if (strcmp(request->method, "HEAD") == 0)
        ed_reader_expect_no_body(&response->connection->reader);
    return 0;
}

static int request_exchange(struct ed_request *request, bool fresh)
{
    int rc;

    request->begun = false;
    request->response->head.status = 0;
    rc = ed_request_connect(request, fresh);
    if (rc < 0)
        return rc;
    request->phase = "sending";
    rc = exchange_send(request);
    if (rc < 0)
        return exchange_disconnected(rc);
    request->session->sent++;
    rc = exchange_receive(request);
    if (rc < 0)
        request->response->head.status = 0; /* an interim answer is none */
    return rc;
}

/* Tries -------------------------------------------------------------------------------- */

int ed_request_rewind(struct ed_request *request)
{
    struct ed_payload *payload = request->response->upload.payload;

    return payload && !request->bodiless ? ed_payload_rewind(payload) : 0;
}

/* The server may have closed an idle connection just as the request was sent. */
static bool attempt_was_stale(const struct ed_request *request, int rc)
{
    const struct ed_connection *connection = request->response->connection;

    return rc == EDDY_EHTTP_DISCONNECTED && connection && connection->reused && !request->begun &&
           ed_retry_is_idempotent(request->method);
}

static int request_attempt(struct ed_request *request)
{
    int rc = request_exchange(request, false);

    if (!attempt_was_stale(request, rc))
        return rc;
    ed_response_leave(request->response);
    return ed_request_rewind(request) == 0 ? request_exchange(request, true)
                                           : exchange_disconnected(0);
}

/* Whether another try may help. */
static bool hop_tries_again(const struct ed_request *request, int rc)
{
    const eddy_http_retries *retries = &request->choice.retries;

    if (request->tries >= retries->times ||
        !(retries->any_method || ed_retry_is_idempotent(request->method)))
        return false;
    return rc < 0 ? ed_retry_helps(rc) : ed_retry_helps_status(request->response->head.status);
}

/* A number from 0 to 1: xorshift64. */
static double session_random(eddy_http_session *session)
{
    uint64_t x = session->random | 1;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    session->random = x;
    return (double)(x >> 11) / (double)(UINT64_C(1) << 53);
}

/* Prepares another try, behind its delay: 1; 0 when there can be none; or an error. */
static int hop_wait(struct ed_request *request, int rc)
{
    eddy_http_response *response = request->response;
    const char *after = rc == 0 ? eddy_http_header(response, "Retry-After") : NULL;
    double delay = ed_retry_delay(&request->choice.retries, request->tries, after,
                                  session_random(request->session));

    if (ed_request_rewind(request) < 0)
        return 0;
    ed_response_discard(response);
    ed_trace(response, EDDY_HTTP_RETRIED, rc, 0);
    request->phase = "waiting for another try";
    request->tries++;
    EDDY_TRY(eddy_sleep(delay));
    return 1;
}

int ed_request_hop(struct ed_request *request)
{
    char text[400];

    for (;;) {
        int rc = request_attempt(request), again;

        if (!hop_tries_again(request, rc))
            return rc;
        if (rc < 0)
            snprintf(text, sizeof text, "%s", eddy_error_message(rc));
        again = hop_wait(request, rc);
        if (again < 0)
            return again;
        if (again == 0)
            return rc < 0 ? eddy_raise(rc, "%s", text) : 0;
    }
}

/* Redirects ------------------------------------------------------------------------------ */

/* Cookies that an answer sets; those that are none are passed over. 0, -ENOMEM. */
static int request_keep_cookies(struct ed_request *request)
{
    eddy_cookie_jar *jar = request->session->jar;
    const eddy_http_response *response = request->response;
    const char *value;
    size_t index = 0;

    while (jar && (value = eddy_headers_next(&response->head.fields, "Set-Cookie", &index)))
        if (eddy_cookie_jar_parse(jar, value, response->url) == -ENOMEM)
            return -ENOMEM;
    return 0;
}

/* Where the answer leads to: 1 with the URL; 0 when it is the last one; or an error. */
static int redirect_find(struct ed_request *request, eddy_url **next)
{
    const eddy_http_options *options = &request->choice.options;
    const eddy_http_response *response = request->response;
    unsigned most = options->redirects ? options->redirects : REQUEST_REDIRECTS;
    const char *location;

    if (options->no_redirects || !ed_redirect_follows(response->head.status) ||
        (strcmp(request->method, "HEAD") == 0 && options->redirects == 0))
        return 0;
    location = eddy_http_header(response, "Location");
    if (!location || !*location)
        location = eddy_http_header(response, "URI");
    if (!location || !*location)
        return 0;
    request->phase = "following a redirect";
    if (response->redirect_count >= most)
        return eddy_raise(EDDY_EHTTP_REDIRECTS, "it is redirected more than %u times", most);
    EDDY_TRY(ed_redirect_target(response->url, location, next));
    return 1;
}

/* Adds the URL to those that were left, and takes the next one. 0, -ENOMEM. */
static int redirect_move(eddy_http_response *response, eddy_url *next)
{
    size_t count = response->redirect_count;
    eddy_url **all = ed_arena_alloc(&response->arena, (count + 1) * sizeof(eddy_url *));

    if (!all) {
        eddy_url_free(next);
        return -ENOMEM;
    }
    if (count > 0)
        memcpy(all, response->redirects, count * sizeof(eddy_url *));
    all[count] = response->url;
    response->redirects = all;
    response->redirect_count++;
    response->url = next;
    return 0;
}

/* The proxy for the URL, of the request or of the environment. */
static int request_find_proxy(struct ed_request *request)
{
    const char *text = request->choice.options.proxy;

    eddy_url_free(request->proxy_url);
    request->proxy_url = NULL;
    request->proxy = (struct ed_proxy){.host = NULL};
    if (!text && request->session->options.trust_environment)
        text = ed_proxy_of_environment(request->response->url);
    if (!text || !*text)
        return 0;
    return ed_proxy_parse(text, &request->proxy_url, &request->proxy);
}

/* Prepares the request to the next URL: 0, or an error. */
static int redirect_prepare(struct ed_request *request, eddy_url *next)
{
    eddy_http_response *response = request->response;
    const char *method = ed_redirect_method(response->head.status, request->method);
    bool leaves = !eddy_url_same_origin(response->url, next);

    ed_trace(response, EDDY_HTTP_REDIRECTED, 0, 0);
    ed_response_restart(response);
    EDDY_TRY(redirect_move(response, next));
    if (strcmp(method, request->method) != 0)
        request->bodiless = true;
    response->method = request->method = method;
    if (ed_request_rewind(request) < 0)
        return eddy_raise(EDDY_EHTTP_PAYLOAD, "the body cannot be sent a second time");
    request->foreign |= leaves;
    if (leaves || next->user || next->password)
        EDDY_TRY(ed_request_authorize(request));
    return request_find_proxy(request);
}

/* All hops, up to the answer that counts: 0, or an error. */
static int request_follow(struct ed_request *request)
{
    for (;;) {
        eddy_url *next = NULL;
        int rc = ed_request_visit(request);

        if (rc == 0)
            rc = request_keep_cookies(request);
        if (rc == 0)
            rc = redirect_find(request, &next);
        if (rc <= 0)
            return rc;
        rc = redirect_prepare(request, next);
        if (rc < 0)
            return rc;
    }
}

/* A whole request ------------------------------------------------------------------------ */

static int request_set_method(struct ed_request *request, const char *method)
{
    size_t size = strlen(method);
    char *copy;

    if (!ed_is_token(method, size))
        return eddy_raise(-EINVAL, "\"%.100s\" is no method", method);
    copy = ed_arena_copy(&request->response->arena, method, size);
    if (!copy)
        return -ENOMEM;
    for (char *letter = copy; *letter; letter++)
        if (*letter >= 'a' && *letter <= 'z')
            *letter = (char)(*letter - 'a' + 'A');
    request->method = request->response->method = copy;
    if (strcmp(copy, "CONNECT") == 0)
        return eddy_raise(-EINVAL, "CONNECT is for proxies: see the option \"proxy\"");
    return 0;
}

/* Reads the URL, or finds it read. */
static int request_read_url(struct ed_request *request, const char *text)
{
    const eddy_pair *params = request->choice.options.params;
    eddy_http_session *session = request->session;
    eddy_http_response *response = request->response;
    eddy_url *with = NULL;
    int rc = 0;

    if (!session->base && !params)
        rc = ed_url_cache_get(&session->urls, text, &response->cached);
    if (rc > 0)
        response->url = response->cached->url;
    if (rc != 0)
        return rc < 0 ? rc : 0;
    if (session->base)
        EDDY_TRY(eddy_url_join(session->base, text, &response->url));
    else
        EDDY_TRY(eddy_url_parse(text, &response->url));
    if (params) {
        EDDY_TRY(eddy_url_with_query(response->url, params, &with));
        eddy_url_free(response->url);
        response->url = with;
    }
    return 0;
}

static int request_set_url(struct ed_request *request, const char *text)
{
    const eddy_url *url;

    EDDY_TRY(request_read_url(request, text));
    url = request->response->url;
    if ((strcmp(url->scheme, "http") != 0 && strcmp(url->scheme, "https") != 0) || !*url->host)
        return eddy_raise(EDDY_EURL, "\"%.200s\" is neither http:// nor https://", url->text);
    return 0;
}

/* All that can be wrong before anything is sent. */
static int request_begin(struct ed_request *request, const char *method, const char *url,
                         const eddy_http_options *options)
{
    eddy_http_session *session = request->session;
    eddy_http_response *response;

    if (session->closed)
        return eddy_raise(-ESHUTDOWN, "the session is closed");
    EDDY_TRY(ed_session_choose(session, options, &request->choice));
    response = request->response = ed_session_take_response(session);
    if (!response)
        return -ENOMEM;
    response->trace = session->options.trace;
    response->trace_argument = request->choice.options.trace_argument;
    response->limit = request->choice.options.limit;
    response->total = request->choice.timeouts.total;
    response->read = request->choice.timeouts.read;
    EDDY_TRY(request_set_method(request, method));
    EDDY_TRY(request_set_url(request, url));
    EDDY_TRY(ed_request_check(request));
    EDDY_TRY(ed_request_authorize(request));
    return request_find_proxy(request);
}

/* What waits. */
static int request_work(struct ed_request *request)
{
    const eddy_http_options *options = &request->choice.options;
    eddy_http_response *response = request->response;
    int rc = 0;

    request->phase = "preparing the body";
    ed_trace(response, EDDY_HTTP_REQUEST_START, 0, 0);
    if (options->body.kind != EDDY_BODY_KIND_NONE)
        rc = ed_payload_open(&options->body, &response->arena, &response->upload.payload);
    if (rc == 0)
        rc = request_follow(request);
    if (rc == 0 && !response->body)
        rc = ed_response_open_body(response, options->keep_encoding, options->decoded_limit);
    return rc;
}

/* The same within the time in all. A session that is closed meanwhile ends it through that. */
static int request_run(struct ed_request *request)
{
    eddy_http_session *session = request->session;
    bool expired;
    int rc;

    eddy_timeout_enter(&request->total, request->choice.timeouts.total, EDDY_HERE_);
    request->response->deadline = eddy_timeout_when(&request->total);
    ed_list_append(&session->requests, &request->link);
    rc = request_work(request);
    ed_list_remove(&session->requests, &request->link);
    expired = eddy_timeout_expired(&request->total);
    eddy_timeout_exit(&request->total);
    if (session->closed) {
        if (!session->requests.first)
            eddy_event_set(&session->left);
        return rc == -ECANCELED ? rc : eddy_raise(-ESHUTDOWN, "the session was closed meanwhile");
    }
    if (rc == -ETIMEDOUT && expired)
        return eddy_raise(rc, "not done within %g seconds in all", request->choice.timeouts.total);
    return rc;
}

/* The error with what it is about in front. */
static int
request_tell(const struct ed_request *request, int rc, const char *method, const char *url)
{
    const eddy_http_response *response = request->response;
    char text[400];

    if (rc == -ECANCELED || rc == -ENOMEM)
        return rc;
    snprintf(text, sizeof text, "%s", eddy_error_message(rc));
    if (response && response->method)
        method = response->method;
    if (response && response->url)
        url = response->url->text;
    if (!request->phase)
        return eddy_raise(rc, "%.20s %.200s: %s", method, url, text);
    return eddy_raise(rc, "%.20s %.200s: %s: %s", method, url, request->phase, text);
}

/* Frees, shielded, and keeps the error's text. */
static void request_drop(eddy_http_response *response)
{
    struct eddy_defer_ defer = {(void (*)(void *))(void (*)(void))ed_response_free, response};

    eddy_defer_run_(&defer);
}

int ed_http_request(eddy_http_session *session, const char *method, const char *url,
                    const eddy_http_options *options, bool upgrade, eddy_http_response **out)
{
    struct ed_request request = {.session = session, .upgrade = upgrade};
    eddy_http_response *response;
    int rc = request_begin(&request, method, url, options);

    if (rc == 0)
        rc = request_run(&request);
    response = request.response;
    eddy_url_free(request.proxy_url);
    if (rc == 0 && request.choice.options.raise_for_status) {
        rc = eddy_http_raise_for_status(response);
        if (rc < 0)
            ed_trace(response, EDDY_HTTP_REQUEST_ERROR, rc, 0);
    } else if (rc < 0) {
        rc = request_tell(&request, rc, method, url);
        if (response && response->url)
            ed_trace(response, EDDY_HTTP_REQUEST_ERROR, rc, 0);
    }
    if (rc < 0) {
        if (response)
            request_drop(response);
        return rc;
    }
    ed_trace(response, EDDY_HTTP_REQUEST_END, 0, 0);
    *out = response;
    return 0;
}

int eddy_http_request(eddy_http_session *session, const char *method, const char *url,
                      const eddy_http_options *options, eddy_http_response **out)
{
    return ed_http_request(session, method, url, options, false, out);
}

/* In short ------------------------------------------------------------------------------- */

int eddy_http_get(eddy_http_session *session, const char *url, eddy_http_response **out)
{
    return ed_http_request(session, "GET", url, NULL, false, out);
}

int eddy_http_head(eddy_http_session *session, const char *url, eddy_http_response **out)
{
    return ed_http_request(session, "HEAD", url, NULL, false, out);
}

int eddy_http_post(eddy_http_session *session, const char *url, eddy_body body,
                   eddy_http_response **out)
{
    const eddy_http_options options = {.body = body};

    return ed_http_request(session, "POST", url, &options, false, out);
}

int eddy_http_put(eddy_http_session *session, const char *url, eddy_body body,
                  eddy_http_response **out)
{
    const eddy_http_options options = {.body = body};

    return ed_http_request(session, "PUT", url, &options, false, out);
}

int eddy_http_delete(eddy_http_session *session, const char *url, eddy_http_response **out)
{
    return ed_http_request(session, "DELETE", url, NULL, false, out);
}
