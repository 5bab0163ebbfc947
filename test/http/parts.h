/* SPDX-License-Identifier: MIT */
/* Multipart bodies for tests: sent in pieces of any size, and shown as text. */
#ifndef TEST_HTTP_PARTS_H
#define TEST_HTTP_PARTS_H

#include "base/compat.h"
#include "eddy/form.h"
#include "harness.h"

#define MIXED "multipart/mixed; boundary=B"
#define FORM_DATA "multipart/form-data; boundary=\"B\""

struct parts_source {
    const char *data;
    size_t size, piece;
};

static inline int parts_send_pieces(eddy_stream *to, const struct parts_source *source)
{
    for (size_t sent = 0; sent < source->size; sent += source->piece) {
        size_t left = source->size - sent;

        EDDY_TRY(eddy_write(to, source->data + sent, left < source->piece ? left : source->piece));
        if (source->piece < 100)
            EDDY_TRY(eddy_sleep(0));
    }
    return eddy_write_eof(to);
}

static inline int parts_send(eddy_stream *to, const struct parts_source *source)
{
    int rc = parts_send_pieces(to, source);

    if (rc < 0)
        eddy_stream_abort(to); /* nobody is to wait for the rest */
    return rc;
}
EDDY_ASYNC(parts_send, eddy_stream *, const struct parts_source *);

/* Adds "name:filename[bytes]" for each part, and the name of the error at the end. `take` bytes of
 * each part are read, `at_once` by each read. */
static inline int
parts_show(eddy_multipart *multipart, size_t take, size_t at_once, char *text, size_t size)
{
    eddy_part part;
    int rc;

    *text = '\0';
    while ((rc = eddy_multipart_next(multipart, &part)) > 0) {
        size_t length = strlen(text), got = 0;
        ssize_t n = 1;

        length += (size_t)snprintf(text + length, size - length, "%s:%s[",
                                   part.name ? part.name : "", part.filename ? part.filename : "");
        while (got < take && (n = eddy_read(part.body, text + length,
                                            at_once < take - got ? at_once : take - got)) > 0) {
            length += (size_t)n;
            got += (size_t)n;
        }
        if (n < 0)
            length += (size_t)snprintf(text + length, size - length, "%s", eddy_error_name((int)n));
        snprintf(text + length, size - length, "]");
        if (n == -ECANCELED)
            return (int)n;
    }
    if (rc < 0 && rc != -ECANCELED)
        snprintf(text + strlen(text), size - strlen(text), "%s", eddy_error_name(rc));
    return rc;
}

/* The parts of a body that comes in such pieces, as text. */
static inline const char *parts_of(const char *type, const void *data, size_t size, size_t piece,
                                   size_t take, size_t at_once,
                                   const eddy_multipart_options *options)
{
    static char text[1 << 17];
    struct parts_source source = {data, size, piece};
    EDDY_STREAM to = NULL;
    EDDY_STREAM from = NULL;
    EDDY_MULTIPART multipart = NULL;
    int rc = eddy_stream_pair(&to, &from);

    if (rc < 0)
        return eddy_error_name(rc);
    EDDY_TASK sender = eddy_create_task(parts_send, to, &source);
    rc = eddy_multipart_open(type, from, options, &multipart);
    if (rc < 0)
        return eddy_error_name(rc);
    rc = parts_show(multipart, take, at_once, text, sizeof text - 100);
    eddy_stream_abort(from);
    (void)eddy_await(sender); /* may not have been read to the end */
    return rc == -ECANCELED ? eddy_error_name(rc) : text;
}

#endif
