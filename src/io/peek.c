/* SPDX-License-Identifier: MIT */
/*
 * Looking at bytes without taking them.
 *
 * What a peek has shown stays where it is until the next reading call: a push adds behind it
 * only while the block has room, and a consume only moves the start.
 */
#include "io/stream.h"

/* Waits until `least` bytes are there, or no more come: 0, or an error. */
static int peek_wait(eddy_stream *stream, size_t least)
{
    int rc = 1;

    while (rc > 0 && ed_buffer_size(&stream->in) < least)
        rc = ed_stream_more(stream);
    return rc < 0 ? rc : 0;
}

ssize_t eddy_peek(eddy_stream *stream, size_t least, const char **data)
{
    struct ed_stream_call call;
    ssize_t rc = ed_reading_begin(stream, &call);

    if (rc < 0)
        return rc;
    rc = peek_wait(stream, least);
    if (rc == 0) {
        rc = (ssize_t)ed_buffer_size(&stream->in);
        stream->shown = rc > 0;
        *data = rc > 0 ? ed_buffer_bytes(&stream->in) : "";
    }
    return ed_reading_end(stream, &call, rc, 0);
}

void eddy_consume(eddy_stream *stream, size_t size)
{
    size_t have = ed_buffer_size(&stream->in);

    if (size > have)
        ed_die("eddy_consume: %zu bytes are taken from a %s stream, where a peek can have shown "
               "%zu",
               size, stream->kind->name, have);
    if (stream->has_saved) {
        stream->in.data[stream->in.start] = stream->saved;
        stream->has_saved = false;
    }
    if (stream->shown || stream->filling)
        stream->in.start += size;
    else
        ed_buffer_consume(&stream->in, size);
    ed_stream_resume(stream);
}

size_t eddy_stream_kept(eddy_stream *stream, const char **data)
{
    if (!stream->filling)
        ed_stream_unlend(stream);
    *data = ed_buffer_size(&stream->in) ? ed_buffer_bytes(&stream->in) : "";
    return ed_buffer_size(&stream->in);
}
