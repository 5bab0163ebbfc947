/* SPDX-License-Identifier: MIT */
#include "stand.h"

#include <stdlib.h>

/* Adds to a text, as far as there is room. */
static void text_add(char *text, size_t room, const char *more)
{
    size_t used = strlen(text);

    snprintf(text + used, room - used, "%s", more);
}

static int stand_serve(struct stand *stand, eddy_stream *stream, int number)
{
    int rc = (stand->serve ? stand->serve : stand_hello)(stand, stream, number);

    stand->short_of_memory |= rc == -ENOMEM; /* else the peer may have gone */
    eddy_stream_end_scope_(&stream);
    return 0;
}
EDDY_ASYNC(stand_serve, struct stand *, eddy_stream *, int);

static int stand_connect(const eddy_url *url, void *argument, eddy_stream **out)
{
    struct stand *stand = argument;
    eddy_stream *near = NULL, *far = NULL;
    int rc;

    text_add(stand->hosts, sizeof stand->hosts, url->authority);
    text_add(stand->hosts, sizeof stand->hosts, " ");
    if (stand->delay > 0)
        EDDY_TRY(eddy_sleep(stand->delay));
    if (stand->refuse)
        return eddy_raise(stand->refuse, "the stand refuses");
    EDDY_TRY(eddy_stream_pair(&near, &far));
    rc = eddy_group_create_task(stand->group, stand_serve, stand, far, stand->opened);
    if (rc < 0) {
        eddy_stream_end_scope_(&near);
        eddy_stream_end_scope_(&far);
        return rc;
    }
    stand->opened++;
    *out = near;
    return 0;
}

int stand_open(struct stand *stand, const eddy_http_session_options *options,
               eddy_http_session **session)
{
    eddy_http_session_options with = {.close_connections = false};

    if (options)
        with = *options;
    with.connector = stand_connect;
    with.connector_argument = stand;
    return eddy_http_session_open(&with, session);
}

/* Reads the body that a head announces. */
static int stand_read_body(struct stand *stand, eddy_stream *stream, const char *head)
{
    const char *length = strstr(head, "Content-Length: ");
    char data[4096];
    ssize_t n = 1;

    if (length) {
        for (size_t left = strtoul(length + 16, NULL, 10); left > 0 && n > 0; left -= (size_t)n) {
            n = eddy_read(stream, data, left < sizeof data - 1 ? left : sizeof data - 1);
            if (n <= 0)
                return n == 0 ? EDDY_EINCOMPLETE : (int)n;
            data[n] = '\0';
            text_add(stand->seen, sizeof stand->seen, data);
        }
    } else if (strstr(head, "Transfer-Encoding: chunked")) {
        do {
            n = eddy_read_until(stream, "\r\n", 2, data, sizeof data - 1);
            if (n < 0)
                return (int)n;
            data[n] = '\0';
            text_add(stand->seen, sizeof stand->seen, data);
        } while (strcmp(data, "0\r\n") != 0);
        n = eddy_read_until(stream, "\r\n", 2, data, sizeof data - 1);
    }
    return n < 0 ? (int)n : 0;
}

int stand_read(struct stand *stand, eddy_stream *stream)
{
    char head[8192];
    ssize_t n = eddy_read_until(stream, "\r\n\r\n", 4, head, sizeof head - 1);

    if (n == EDDY_EINCOMPLETE && eddy_stream_partial(stream) == 0)
        return 0;
    if (n < 0)
        return (int)n;
    head[n] = '\0';
    stand->requests++;
    text_add(stand->seen, sizeof stand->seen, head);
    EDDY_TRY(stand_read_body(stand, stream, head));
    return 1;
}

int stand_hello(struct stand *stand, eddy_stream *stream, int number)
{
    int rc;

    (void)number;
    while ((rc = stand_read(stand, stream)) > 0) {
        const char *answer = stand->answer ? stand->answer : STAND_HELLO;

        EDDY_TRY(
            eddy_write(stream, answer, stand->answer_size ? stand->answer_size : strlen(answer)));
    }
    return rc;
}

int stand_count(const struct stand *stand, const char *text)
{
    int count = 0;

    for (const char *at = stand->seen; (at = strstr(at, text)); at++)
        count++;
    return count;
}

int stand_get_with(eddy_http_session *session, const char *method, const char *url,
                   const eddy_http_options *options, const char *expected)
{
    EDDY_HTTP_RESPONSE response = NULL;
    const char *data;
    size_t size;

    EDDY_TRY(eddy_http_request(session, method, url, options, &response));
    EDDY_TRY(eddy_http_read(response, &data, &size));
    if (size != strlen(expected) || memcmp(data, expected, size) != 0)
        return eddy_raise(EDDY_ETEST, "the body is \"%.100s\", not \"%.100s\"", data, expected);
    return 0;
}

int stand_get(eddy_http_session *session, const char *url, const char *expected)
{
    return stand_get_with(session, "GET", url, NULL, expected);
}
