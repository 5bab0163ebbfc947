/* SPDX-License-Identifier: MIT */
/*
 * The body of a request.
 *
 * It is a stream over the connection's reader, made when somebody asks for it. Its first read lets
 * a client go on that waits for "100 Continue"; each read that has to wait does so for a limited
 * time. What nobody reads stays with the reader, and the connection loop decides what becomes
 * of it.
 */
#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <strings.h>

#include "http/json.h"
#include "http/web_exchange.h"

/* Before the first byte is waited for. */
static int body_before(void *owner)
{
    eddy_web_request *request = owner;
    static const char answer[] = "HTTP/1.1 100 Continue\r\n\r\n";

    if (request->continued || !request->head.expects || request->answer.started)
        return 0;
    request->continued = true;
    return eddy_write(request->connection->stream, answer, sizeof answer - 1);
}

static ssize_t body_read(void *owner, void *data, size_t size)
{
    eddy_web_request *request = owner;
    struct ed_web_connection *connection = request->connection;
    double seconds = connection->server->options.body_time;
    ssize_t n;
    EDDY_TIMEOUT(limit, seconds);

    n = ed_reader_body(&connection->reader, data, size);
    if (n == -ETIMEDOUT && eddy_timeout_expired(&limit))
        n = eddy_raise(EDDY_HTTP_STATUS(408), "nothing of the body came for %g s", seconds);
    return n;
}

/* The coding of the body. */
static enum ed_coding body_coding(const eddy_web_request *request)
{
    const char *value = eddy_web_header(request, "Content-Encoding");

    return value ? ed_coding_by_name(value, strlen(value)) : ED_CODING_IDENTITY;
}

/* Makes the stream, unless it is there. A coding that is not known is left as it is. */
static int body_open(eddy_web_request *request)
{
    static const struct ed_body_watch watch = {.before = body_before, .read = body_read};
    enum ed_coding coding = body_coding(request);
    uint64_t limit = request->connection->server->options.stream_size;

    if (request->body)
        return 0;
    return ed_body_reader_open(
        &request->connection->reader, coding == ED_CODING_UNKNOWN ? ED_CODING_IDENTITY : coding,
        limit ? limit : UINT64_MAX, EDDY_HTTP_STATUS(413), &watch, request, &request->body);
}

eddy_stream *eddy_web_body(eddy_web_request *request)
{
    return body_open(request) < 0 ? NULL : request->body;
}

/* The same for who wants to understand it. */
static int body_open_known(eddy_web_request *request)
{
    if (body_coding(request) == ED_CODING_UNKNOWN)
        return eddy_raise(EDDY_HTTP_STATUS(415), "the body has a Content-Encoding that is unknown");
    return body_open(request);
}

int eddy_web_read(eddy_web_request *request, const char **data, size_t *size)
{
    size_t limit = request->connection->server->options.body_size;
    int rc = request->whole ? 0 : body_open_known(request);

    if (rc == 0 && !request->whole && request->head.length > 0 &&
        (uint64_t)request->head.length > limit)
        rc = EDDY_ELIMIT;
    if (rc == 0 && !request->whole)
        rc = eddy_read_all(request->body, limit, &request->whole, &request->whole_size);
    if (rc == EDDY_ELIMIT)
        return eddy_raise(EDDY_HTTP_STATUS(413), "the body has more than %zu bytes", limit);
    if (rc < 0)
        return rc;
    *data = request->whole;
    if (size)
        *size = request->whole_size;
    return 0;
}

int eddy_web_json(eddy_web_request *request, struct json_t **out)
{
    const char *data = NULL;
    size_t size = 0;

    if (!ed_json_is_type(eddy_web_header(request, "Content-Type")))
        return eddy_raise(EDDY_HTTP_STATUS(415), "the body is no JSON by its Content-Type");
    EDDY_TRY(eddy_web_read(request, &data, &size));
    return ed_json_decode(data, size, EDDY_HTTP_STATUS(400), out);
}

int eddy_web_multipart(eddy_web_request *request, eddy_multipart **out)
{
    const char *type = eddy_web_header(request, "Content-Type");
    int rc = request->multipart ? 0 : body_open_known(request);

    if (rc == 0 && !request->multipart)
        rc = eddy_multipart_open(type ? type : "", request->body, NULL, &request->multipart);
    if (rc == EDDY_EHTTP_CONTENT_TYPE)
        return eddy_raise(EDDY_HTTP_STATUS(415), "the body is no multipart by its Content-Type");
    if (rc == 0)
        *out = request->multipart;
    return rc;
}
